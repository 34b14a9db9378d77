import json
from pathlib import Path


def test_fields_cover_the_width_and_every_head_has_a_purpose(command):
    command("build", "--K", "3", "--d", "4", "--out", "a")
    seen = json.loads(command("inspect", "a", "--json").out)
    ends = [0, *(f["start"] + f["width"] for f in seen["residual_stream"])]
    assert [f["start"] for f in seen["residual_stream"]] == ends[:-1]
    assert ends[-1] == seen["width"]
    assert [layer["name"] for layer in seen["layers"]] == [
        "gather",
        "label",
        "query",
        "superpose",
        "pool",
        "square",
        "divide",
    ]
    assert all(head["purpose"] for layer in seen["layers"] for head in layer["heads"])


def test_the_map_names_fields_layers_and_tasks(command):
    command("build", "--K", "3", "--d", "4", "--out", "a")
    done = command("inspect", "a")
    for word in ("Residual stream", "qry", "superpose", "head task2", "3 heads, all zero"):
        assert word in done.out
    assert max(map(len, done.out.splitlines())) <= 80


def test_each_task_is_said_with_its_kind_and_parameters_in_one_line(command):
    tasks = [
        {"name": "turn", "kind": "affine", "A": [[0, -1], [1, "1/3"]]},
        {"name": "other " * 9, "kind": "shift", "by": [10**60, 2]},
    ]
    Path("t.json").write_text(json.dumps({"tasks": tasks}))
    assert command("build", "--tasks", "t.json", "--m", "2", "--out", "a").code == 0
    assert json.loads(command("inspect", "a", "--json").out)["tasks"] == tasks
    said = command("inspect", "a").out.splitlines()
    assert said[0].split() == ["task", "computes"]
    assert said[1].split(None, 1) == ["turn", "affine, A = [[0, -1], [1, 1/3]]"]
    assert said[2].startswith("other other other...  shift, by = [1000")
    assert said[2].endswith("...")
    assert not said[3]
    assert max(map(len, said)) <= 80
