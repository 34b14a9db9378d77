"""Every `construct` command of the README, as it stands there and in its order."""

import re
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def commands(file: str) -> list[str]:
    """What stands behind `construct` in its indented lines."""
    return re.findall(r"^    construct (.*?)\s*(?:#.*)?$", (ROOT / file).read_text(), re.M)


LINES = commands("README.md")


def obeyed(command, line: str) -> None:
    """Runs it, as a shell would: a name after > is a file for the output."""
    line, _, file = line.partition(" > ")
    done = command(*line.split())
    assert done.code == 0, (line, done.err)
    if file:
        Path(file).write_text(done.out)


def test_the_commands_of_the_readme_run_in_order(command):
    Path("examples").symlink_to(ROOT / "examples")
    lines = [line for line in LINES if not line.startswith("prove")]
    assert len(lines) >= 9
    for line in lines:
        obeyed(command, line)


@pytest.mark.parametrize("file", ["docs/designs.md"])
def test_the_commands_of_a_document_run_in_order(file, command):
    Path("examples").symlink_to(ROOT / "examples")
    lines = commands(file)
    assert lines
    for line in lines:
        obeyed(command, line)


@pytest.mark.skipif(not shutil.which("coqc"), reason="Rocq is not installed")
def test_the_proof_of_the_readme_runs(command):
    [line] = [line for line in LINES if line.startswith("prove")]
    obeyed(command, LINES[0])
    obeyed(command, line)
