import json
from pathlib import Path

import pytest


@pytest.mark.parametrize("seed", range(3))
def test_a_sampled_prompt_runs_with_several_tasks_at_once(command, seed):
    command("build", "--K", "3", "--d", "4", "--out", "a")
    Path("p.json").write_text(command("sample", "a", "--seed", seed).out)
    for executor in ("numpy", "exact"):
        done = command("run", "a", "p.json", "--check", "--json", "--executor", executor)
        assert done.code == 0, done.err
        assert sum(votes > 0 for votes in json.loads(done.out)["votes"].values()) > 1


def test_words_come_as_lines(command):
    table = {"a": "b", "b": "c", "c": "a"}
    tasks = [
        {"name": "next", "kind": "lookup", "table": table},
        {"name": "second", "kind": "lookup", "table": dict.fromkeys(table, "b"), "position": 2},
    ]
    Path("t.json").write_text(json.dumps({"tasks": tasks}))
    command("build", "--tasks", "t.json", "--m", "6", "--out", "a")
    Path("p.txt").write_text(command("sample", "a").out)
    assert Path("p.txt").read_text().rstrip().endswith("->")
    assert command("run", "a", "p.txt", "--check").code == 0
