"""The README's Python runs as it stands, and prints what its comments say."""

import json
import re
from pathlib import Path

import pytest

from construct import parse_tasks

README = (Path(__file__).parent.parent / "README.md").read_text()


def test_the_python_of_the_readme_runs_in_order(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "examples").symlink_to(Path(__file__).parent.parent / "examples")
    blocks = re.findall(r"```python\n(.*?)```", README, re.S)
    promised = [
        comment.split(":")[0]
        for block in blocks
        for comment in re.findall(r"^print\(.*\)  # (.*)$", block, re.M)
    ]
    names: dict = {}
    for block in blocks:
        exec(block, names)
    assert len(promised) == 5
    assert capsys.readouterr().out.splitlines() == promised


@pytest.mark.parametrize("block", re.findall(r"```json\n(.*?)```", README, re.S))
def test_the_task_files_of_the_readme_are_read(block):
    assert len(parse_tasks(block).tasks) == len(json.loads(block)["tasks"])


def test_the_public_forms_of_the_readme_are_the_ones_that_are_known():
    from construct.spec.kinds import ALL_KINDS

    table = README.split("| kind | f(X) | fields |")[1].split("\n\n")[0]
    assert set(
        re.findall(r"`([a-z-]+)`", re.sub(r"\|[^|]*\|[^|]*\|$", "|", table, flags=re.M))
    ) == (set(ALL_KINDS))
