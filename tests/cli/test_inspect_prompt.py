"""`construct inspect DIR --prompt FILE`: what is said of the inside of a pass."""

import json
from pathlib import Path

import numpy as np
import pytest

from construct import load, trace

TABLES = {
    "capital": {"France": "Paris", "Japan": "Tokyo"},
    "continent": {"France": "Europe", "Japan": "Asia"},
}
PROMPT = "France -> Paris\nFrance -> Europe\nJapan -> Tokyo\nJapan ->\n"
DESIGNS = ["theorem", "decoder", "encoder"]


@pytest.fixture
def artifact(command):
    def make(design: str = "theorem", m: int = 40) -> None:
        tasks = [{"name": k, "kind": "lookup", "table": v} for k, v in TABLES.items()]
        Path("t.json").write_text(json.dumps({"tasks": tasks}))
        Path("p.txt").write_text(PROMPT)
        built = command("build", "--tasks", "t.json", "--m", m, "--design", design, "--out", "a")
        assert built.code == 0

    return make


@pytest.mark.parametrize("design", DESIGNS)
def test_people_read_tokens_in_words_votes_and_the_answer(command, artifact, design):
    artifact(design)
    done = command("inspect", "a", "--prompt", "p.txt")
    assert done.code == 0
    for said in ("head capital", "example 1, input 1 (France)", "more", "Votes: 3"):
        assert said in done.out
    assert done.out.count("... and ") > 3
    assert max(map(len, done.out.splitlines())) <= 80
    # It ends as `run` does.
    answer = command("run", "a", "p.txt", "--executor", "numpy").out
    assert answer
    assert done.out.endswith(answer)


@pytest.mark.parametrize(
    ("design", "executor"),
    [("theorem", "numpy"), ("decoder", "numpy"), ("encoder", "numpy"), ("theorem", "exact")],
)
def test_json_has_all_of_the_trace_and_counts_from_1(command, artifact, design, executor):
    artifact(design, m=4)
    said = ("inspect", "a", "--prompt", "p.txt", "--executor", executor, "--json")
    seen = json.loads(command(*said).out)
    made = load("a")
    done = trace(made, made.prompt(PROMPT), executor=executor)
    number = str if executor == "exact" else float
    assert [one["token"] for one in seen["tokens"]] == [*range(1, len(done.tokens) + 1)]
    assert [one["text"] for one in seen["tokens"]] == [one.text for one in done.tokens]
    assert [one["layer"] for one in seen["layers"]] == [*range(len(done.layers) + 1)]
    listed = {(one["layer"], head["head"]): head for one in seen["layers"] for head in one["heads"]}
    assert [(layer, head - 1) for layer, head in listed] == [*done.scores]
    for (layer, head), one in listed.items():
        pairs = [(i - 1, j - 1, number(x)) for i, j, x in one["scores"]]
        assert pairs == [(i, j, number(x)) for i, j, x in done.scores[layer, head - 1]]
        assert one["name"] == done.layers[layer - 1].heads[head - 1].name
    for one in seen["layers"]:
        for name, held in one["fields"].items():
            values = done.field(name, layer=one["layer"])
            places = [(t - 1, i - 1) for t, i, _ in held]
            assert places == [*zip(*(at.tolist() for at in np.nonzero(values)), strict=True)]
            assert [number(x) for *_, x in held] == [number(values[place]) for place in places]
    votes = [[1, "capital", 1], [2, "continent", 1], [3, "capital", 1]]
    assert seen["given"] == votes
    assert seen["answer"]["votes"] == {"capital": 2, "continent": 1}


def test_npz_has_the_arrays_of_the_trace_and_no_pickle(command, artifact):
    artifact()
    done = command("inspect", "a", "--prompt", "p.txt", "--npz", "pass")
    assert done.code == 0
    assert "written to pass" in done.out
    assert max(map(len, done.out.splitlines())) <= 80
    made = load("a")
    wanted = trace(made, made.prompt(PROMPT)).to_arrays()
    with np.load("pass", allow_pickle=False) as found:
        assert {*found} == {*wanted}
        assert all((found[name] == array).all() for name, array in wanted.items())
    # What it wrote itself is replaced; --json is printed beside it.
    again = command("inspect", "a", "--prompt", "p.txt", "--npz", "pass", "--json")
    assert json.loads(again.out)["design"] == "theorem"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--npz", "x"], 2, "--npz is about a pass on a prompt; add --prompt FILE."),
        (["--dtype", "float32"], 2, "--dtype is about a pass"),
        (["--prompt", "none.txt"], 2, "cannot read none.txt"),
        (["--prompt", "p.txt", "--npz", "p.txt"], 2, "p.txt exists and is not"),
        (["--prompt", "p.txt", "--npz", "."], 2, ". is a folder"),
        (["--prompt", "p.txt", "--npz", "no/x"], 2, "cannot write no/x"),
        (["--prompt", "p.txt", "--executor", "exact", "--dtype", "float64"], 2, "rationals"),
        (["--prompt", "p.txt", "--format", "{1}"], 2, ""),
        (["--prompt", "out.json"], 3, ""),
    ],
)
def test_what_is_wrong_is_one_sentence(command, artifact, arguments, code, said):
    artifact(m=4)
    one = [1, *[0] * 5]
    Path("out.json").write_text(json.dumps({"examples": [], "query": [[100 * x for x in one]]}))
    done = command("inspect", "a", *arguments)
    assert (done.code, done.out) == (code, "")
    assert said in done.err
    assert done.err.count("\n") == 1
    assert Path("p.txt").read_text() == PROMPT
