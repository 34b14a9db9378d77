import json


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
