"""Every command with every design, as one uses them: what fits runs, the rest is one sentence."""

import json
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
MADE = {
    "decoder of words": ("capitals", "decoder"),
    "decoder of several words": ("digits", "decoder", "--n", "3"),
    "decoder of vectors": ("operands", "decoder"),
    "decoder of formulas": ("regression", "decoder"),
    "encoder": ("relu", "encoder"),
    "encoder of words": ("capitals", "encoder"),
}


@pytest.fixture(params=MADE)
def made(request, command):
    """A prompt, and the design, of an artifact in the folder `a` with room for ten examples."""
    example, design, *more = MADE[request.param]
    tasks = EXAMPLES / f"{example}.json"
    done = command("build", "--tasks", tasks, "--m", "10", "--design", design, "--out", "a", *more)
    assert done.code == 0, done.err
    Path("sample").write_text(command("sample", "a").out)
    [given] = EXAMPLES.glob(f"{example}-prompt.*")
    return Path("sample") if more else given, design


def test_what_one_does_with_an_artifact_runs(command, made):
    prompt, design = made
    Path("hard").write_text(command("sample", "a", "--adversarial", "--seed", "3").out)
    for path in (prompt, "sample", "hard"):
        for more in ((), ("--executor", "exact"), ("--executor", "numpy", "--dtype", "float64")):
            done = command("run", "a", path, "--check", *more)
            assert done.code == 0, (path, more, done.err)
            assert max(map(len, done.out.splitlines())) <= 80
    assert command("run", "a", prompt, "--positions").code == (0 if design == "decoder" else 2)
    Path("p.jsonl").write_text(f"{json.dumps(prompt.read_text())}\n" * 3)
    lines = command("run", "a", "p.jsonl", "--check").out.splitlines()
    assert [json.loads(line).get("line") for line in lines] == [1, 2, 3]


def test_inspect_names_the_design_and_its_blocks(command, made):
    _, design = made
    out = command("inspect", "a").out
    assert f"Design: {design} of " in out
    assert "softmax attention" in out
    assert max(map(len, out.splitlines())) <= 80
    said = json.loads(command("inspect", "a", "--json").out)
    assert (said["design"], said["scratch"]) == (design, None)
    assert len(said["layers"]) in (3, 4)


def test_inspect_names_the_theorem_too(command):
    command("build", "--K", "2", "--d", "2", "--out", "a")
    assert "Design: theorem, relu attention" in command("inspect", "a").out
    assert json.loads(command("inspect", "a", "--json").out)["attention"] == "relu"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "a", "sample", "--executor", "sparse"], "'sparse' has no softmax attention"),
        (["verify", "a", "--executor", "sparse"], "'sparse' has no softmax attention"),
        (["verify", "a", "--executor", "numpy", "--executor", "sparse"], "one of: numpy, jax"),
        (["prove", "a"], "what Rocq proves is of the design 'theorem'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_no_softmax_design_has_is_one_sentence(command, made, arguments, said):
    done = command(*arguments)
    assert done.code == 2
    assert said in done.err
    assert done.err.strip().splitlines()[-1].endswith(".")
    assert "Traceback" not in done.err


@pytest.mark.parametrize("design", ["decoder", "encoder"])
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--scratch", "1"], "has no scratch tokens; leave it out"),
        (["--m", "1000000000000"], "would take"),
        (["--n", "1"], "n is 1"),
    ],
)
def test_a_build_that_cannot_be_is_one_sentence(command, design, arguments, said):
    for which in ("build", "plan"):
        done = command(which, "--K", "4", "--d", "2", "--design", design, *arguments)
        if which == "plan" and "--m" in arguments:
            assert done.code == 0  # on paper
            continue
        assert done.code == 2
        assert said in done.err
        assert done.err.count("\n") == 1
    assert not list(Path().iterdir())


@pytest.mark.parametrize("design", ["decoder", "encoder"])
def test_tasks_that_nothing_can_vote_for_are_a_warning(command, design):
    tasks = [
        {"name": "f", "kind": "affine", "A": [[1]]},
        {"name": "g", "kind": "affine", "A": [[1]], "b": ["1/8"]},
    ]
    Path("tasks.json").write_text(
        json.dumps({"tasks": tasks, "domain": {"R": 4, "Ry": 8, "delta": 1}})
    )
    done = command("build", "--tasks", "tasks.json", "--design", design, "--out", "a")
    assert done.code == 0
    assert "warning: no example can vote for task 'f' or 'g'" in done.err
    done = command("build", "--tasks", "tasks.json", "--design", design, "--json")
    [warning] = json.loads(done.out)["warnings"]
    assert warning in command("build", "--tasks", "tasks.json", "--out", "c").err


@pytest.mark.parametrize("design", ["decoder", "encoder"])
def test_the_demo_has_designs(command, design):
    done = command("demo", "--design", design)
    assert done.code == 0, done.err
    assert "Equal to the specification" in done.out
    assert max(map(len, done.out.splitlines())) <= 80
    said = json.loads(command("inspect", "construct-demo", "--json").out)
    assert said["design"] == design


@pytest.mark.parametrize("which", ["build", "run", "verify", "plan", "inspect", "demo"])
def test_help_names_the_designs_with_an_example(command, which):
    out = command(which, "--help").out
    assert "--design decoder" in out
    assert max(map(len, out.splitlines())) <= 80
