"""Formulas through the commands: what `run` says of its answer, and what `verify` tries."""

import json
from fractions import Fraction
from pathlib import Path

import pytest

TASKS = {
    "tasks": [
        {"name": "wave", "kind": "formula", "f": ["sin(x[1])", "x[1]*x[2]"]},
        {"name": "square", "kind": "formula", "f": ["x[1]^2", "x[2]"]},
        {"name": "next", "kind": "shift", "by": [1, 1]},
    ],
    "domain": {"R": 4, "Ry": 32, "delta": "1/4", "tau": "1/64"},
}
EXAMPLES = {
    "examples": [[[2, 1], [4, 1]], [[3, 1], [4, 2]], [["1/2", 1], ["1/4", 1]]],
    "query": [["3/2", 2]],
}


@pytest.fixture
def formulas(command):
    Path("t.json").write_text(json.dumps(TASKS))
    Path("p.json").write_text(json.dumps(EXAMPLES))
    done = command("build", "--tasks", "t.json", "--m", "4", "--out", "a")
    assert done.code == 0, done.err
    return command


@pytest.mark.parametrize("executor", ["exact", "numpy", "jax"])
def test_run_says_how_near_its_answer_is_and_keeps_it(formulas, executor):
    done = formulas("run", "a", "p.json", "--executor", executor, "--json", "--check")
    assert done.code == 0, done.err
    said = json.loads(done.out)
    assert said["votes"] == {"wave": 0, "square": 2, "next": 1}
    assert said["check"]["passed"]
    bound = Fraction(said["error_bound"])
    assert 0 < bound <= Fraction(1, 16)
    x, y = Fraction(3, 2), Fraction(2)
    mixture = [(2 * x**2 + x + 1) / 3, (2 * y + y + 1) / 3]
    gap = [Fraction(a) - b for a, b in zip(said["answer"], mixture, strict=True)]
    assert sum(g**2 for g in gap) <= bound**2
    text = formulas("run", "a", "p.json", "--executor", executor, "--check").out
    line = next(line for line in text.splitlines() if line.startswith("within "))
    shown = Fraction(line.removeprefix("within ").removesuffix(" of the mixture of the tasks"))
    assert bound <= shown <= bound * Fraction(11, 10)
    assert "check: within its bound of the specification" in text


def test_run_says_nothing_of_a_bound_of_0(formulas):
    only = {**EXAMPLES, "examples": [[[3, 1], [4, 2]]]}
    Path("q.json").write_text(json.dumps(only))
    done = formulas("run", "a", "q.json", "--executor", "exact", "--json")
    assert json.loads(done.out)["error_bound"] == 0
    assert "within" not in formulas("run", "a", "q.json", "--executor", "exact").out


def test_json_lines_carry_the_bound_too(formulas):
    Path("p.jsonl").write_text(json.dumps(EXAMPLES) + "\n" + json.dumps(EXAMPLES) + "\n")
    done = formulas("run", "a", "p.jsonl", "--executor", "numpy", "--check")
    assert done.code == 0, done.err
    found = [json.loads(line) for line in done.out.splitlines()]
    assert len({line["error_bound"] for line in found}) == 1
    assert all(line["check"]["passed"] for line in found)


def test_verify_says_what_it_tried_and_that_answers_kept_their_bound(formulas):
    chosen = ["--executor", "numpy", "--executor", "exact"]
    done = formulas("verify", "a", "--prompts", "20", *chosen)
    assert done.code == 0, done.err
    text = " ".join(done.out.split())
    assert "2 formulas were approximated anew, and their errors proved again." in text
    assert "every answer was as near as its error bound says" in text
    assert all(len(line) <= 80 for line in done.out.splitlines())


@pytest.mark.parametrize("kind", [(), ("--adversarial",)], ids=["plausible", "adversarial"])
@pytest.mark.parametrize("seed", range(2))
def test_samples_run(formulas, kind, seed):
    Path("s.json").write_text(formulas("sample", "a", "--seed", seed, *kind).out)
    done = formulas("run", "a", "s.json", "--check", "--json", "--executor", "numpy")
    assert done.code == 0, done.err
    assert sum(votes > 0 for votes in json.loads(done.out)["votes"].values()) > 1


def test_changed_weights_that_take_an_answer_beyond_its_bound_are_noticed(formulas, monkeypatch):
    from construct import artifact
    from sabotage import with_weight

    broken = with_weight(artifact.load("a"), "W_U", lambda W: W * 1.125)
    monkeypatch.setattr(artifact, "load", lambda path: broken)
    done = formulas("run", "a", "p.json", "--check", "--executor", "exact")
    assert done.code == 4
    assert "farther than its error bound" in done.err
