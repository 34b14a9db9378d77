"""What docs/interop.md says in Python: each section in a process that has no construct."""

import sys
from pathlib import Path

import pytest

from construct.cli import main
from documented import Section, prepare, sections

DOCUMENT = Path(__file__).parents[2] / "docs" / "interop.md"
SECTIONS = {one.title: one for one in sections(DOCUMENT)}
CODE = [title for title, one in SECTIONS.items() if one.code]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """What the commands of the document have written."""
    place = tmp_path_factory.mktemp("interop")
    prepare(place)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        for command in [command for one in SECTIONS.values() for command in one.commands]:
            patch.setattr(sys, "argv", ["construct", *command])
            with pytest.raises(SystemExit) as ended:
                main()
            assert not ended.value.code
    return place


@pytest.mark.parametrize("title", CODE)
def test_the_python_of_a_section_prints_what_the_document_says(title, folder):
    assert not SECTIONS[title].wrong(folder)


def test_every_block_has_at_most_fifteen_lines():
    blocks = DOCUMENT.read_text(encoding="utf-8").split("```python\n")[1:]
    assert len(blocks) >= len(CODE)
    assert all(block.split("```")[0].count("\n") <= 15 for block in blocks)


def test_what_is_not_as_the_document_says_is_found(tmp_path):
    def wrong(code: str, printed: str) -> str:
        return Section.of(f"A\n```python\n{code}\n```\n\n    {printed}\n").wrong(tmp_path)

    assert not wrong("print(1)", "1")
    assert wrong("print(2)", "1")
    assert "ZeroDivisionError" in wrong("print(1); 1 / 0", "1")
    assert "construct" in wrong("import construct; print(1)", "1")
