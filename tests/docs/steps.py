"""What a document has a reader do, in its order: files to write, commands, and Python.

```text words.csv      a file of that name
```python              Python, in one session for the whole document
    printed            what it prints, if lines with four spaces follow; `print(x)  # y` says it too
    construct ...      a command; > names a file for its output
```json                a task file
```coq                 a part of a file of Rocq
"""

import contextlib
import io
import re
import shlex
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from construct.cli import main

ROOT = Path(__file__).parents[2]
SAID = re.compile(r"^ *print\(.*\)  # (.*)$", re.M)


@dataclass(frozen=True)
class Step:
    """One of them.

    Attributes:
        kind: "python", "json", "coq", "command", or "file".
        text: what is to be run, or the text of the file.
        name: of the file.
        printed: lines that Python prints, as the document shows them.
    """

    kind: str
    text: str
    name: str = ""
    printed: list[str] = field(default_factory=list)


def steps(document: Path) -> list[Step]:
    """Those of a document."""
    found: list[Step] = []
    text = document.read_text(encoding="utf-8")
    for block in re.finditer(
        r"^```([^\n]*)\n(.*?)^```$|^ {4,}construct ([^\n]*)$", text, re.S | re.M
    ):
        info, body, command = block.groups()
        if command is not None:
            found.append(Step("command", command.partition("  #")[0].strip()))
            continue
        kind, _, name = info.partition(" ")
        if name:
            found.append(Step("file", body, name))
        elif kind in ("python", "json", "coq"):
            after = re.match(r"\n\n((?:    .*\n|\n(?=    ))+)", text[block.end() :])
            shown = [line[4:] for line in after[1].splitlines()] if after else []
            shown = [] if any(line.startswith("construct ") for line in shown) else shown
            found.append(Step(kind, body, printed=shown or SAID.findall(body)))
    return found


def same(printed: str, shown: str) -> bool:
    """Whether a line is what the document shows; a comment may go on with a remark after it."""
    return shown == printed or shown.startswith(printed + ": ")


def printed(action: Any) -> str:
    """What it writes to standard output."""
    with contextlib.redirect_stdout(io.StringIO()) as out:
        action()
    return out.getvalue()


def obey(line: str) -> str:
    """Run `construct LINE` in this process; what it printed, if that goes to no file."""
    words = shlex.split(line)
    words, file = (words[:-2], words[-1]) if ">" in words else (words, None)

    def run() -> None:
        with pytest.raises(SystemExit) as ended:
            main()
        assert not ended.value.code, f"construct {line}: exit code {ended.value.code}"

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["construct", *words])
        out = printed(run)
    if file:
        Path(file).write_text(out, encoding="utf-8")
    return "" if file else out


def follow(every: list[Step]) -> int:
    """Do it all, in the folder where we are; how many prints were compared."""
    names: dict[str, Any] = {"__name__": "document"}
    compared = 0
    for step in every:
        if step.kind == "file":
            Path(step.name).write_text(step.text, encoding="utf-8")
        elif step.kind == "command":
            obey(step.text)
        elif step.kind == "python":
            out = printed(lambda code=step.text: exec(compile(code, "document", "exec"), names))
            assert len(out.splitlines()) == len(step.printed), (out, step.printed)
            for line, shown in zip(out.splitlines(), step.printed, strict=True):
                assert same(line, shown), (line, shown)
            compared += len(step.printed)
    return compared
