"""The Python of a document, section by section: each prints what the document says.

    python tests/documented.py docs/interop.md .venv-interop/bin/python

The blocks of a section (a heading `##`) are one script. It runs in a folder that holds examples
of ours and what the commands `construct ...` of the whole document have written; what it
prints has to be the other indented lines of the section.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

EXAMPLES = Path(__file__).parents[1] / "examples"
NAMES = (
    *("capitals.json", "capitals-prompt.txt", "plus.json", "plus-prompt.json"),
    *("retrieval.json", "retrieval-prompt.json"),
)
WITHOUT = "import sys; sys.modules['construct'] = None\n"


@dataclass(frozen=True)
class Section:
    """A section of a document.

    Attributes:
        title: its heading.
        commands: lines `construct ...`.
        printed: the other lines that are indented.
        code: its Python.
    """

    title: str
    commands: list[list[str]]
    printed: list[str]
    code: str

    @classmethod
    def of(cls, text: str) -> "Section":
        title, _, body = text.partition("\n")
        blocks = re.findall(r"^```python\n(.*?)^```$", body, re.DOTALL | re.MULTILINE)
        rest = re.sub(r"^```.*?^```$", "", body, flags=re.DOTALL | re.MULTILINE)
        lines = [line[4:] for line in rest.splitlines() if line.startswith("    ")]
        commands = [shlex.split(line)[1:] for line in lines if line.startswith("construct ")]
        printed = [line for line in lines if not line.startswith("construct ")]
        return cls(title.strip(), commands, printed, "\n".join(blocks))

    def wrong(self, folder: Path, python: str = sys.executable) -> str:
        """What it says where it does not print what it has to; empty if it does."""
        outside = {name: v for name, v in os.environ.items() if name != "PYTHONPATH"}
        ran = subprocess.run(
            [python, "-c", WITHOUT + self.code],
            cwd=folder,
            env=outside | {"HF_HUB_OFFLINE": "1"},
            capture_output=True,
            text=True,
        )
        same = ran.returncode == 0 and ran.stdout.splitlines() == self.printed
        return "" if same else f"{ran.stdout}\n{ran.stderr[-2000:]}"


def sections(document: Path) -> list[Section]:
    """Those of a document."""
    text = document.read_text(encoding="utf-8")
    return [Section.of(part) for part in re.split(r"^## ", text, flags=re.MULTILINE)[1:]]


def prepare(folder: Path) -> None:
    """Put the examples there."""
    for name in NAMES:
        shutil.copy(EXAMPLES / name, folder)


def main(document: Path, python: str) -> int:
    """How many sections print something else than they say."""
    every, failed = sections(document), 0
    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(folder))
        for command in [command for one in every for command in one.commands]:
            ours = [sys.executable, "-m", "construct", *command]
            subprocess.run(ours, cwd=folder, check=True, capture_output=True)
        for one in (one for one in every if one.code):
            wrong = one.wrong(Path(folder), python)
            failed += bool(wrong)
            print(f"{one.title}: {wrong or 'as it says'}")
    return failed


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), str(Path(sys.argv[2]).absolute())))
