"""`build --design`, `run --positions`, and what other commands say of softmax designs."""

import json
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
CAPITALS, PROMPT = EXAMPLES / "capitals.json", EXAMPLES / "capitals-prompt.txt"
ANSWER = {"Tokyo": 0.5, "Japon": 0.25, "Yen": 0.125, "Asia": 0.125}


@pytest.fixture
def words(command):
    """A decoder of words in the folder `words`."""
    done = command("build", "--tasks", CAPITALS, "--design", "decoder", "--out", "words")
    assert done.code == 0, done.err
    return done.out


def test_build_says_what_the_design_is_and_what_is_certified(words):
    for line in (
        "decoder of words: causal softmax attention",
        "2d + 2K + ceil(log2(m+1)) + 6",
        "gamma = 64",
        "all votes together are off by at most 1.5e-17",
        "float32, float64, exact (in balls)",
    ):
        assert line in words
    assert all(len(line) <= 80 for line in words.splitlines())


@pytest.mark.parametrize("design", ["decoder", "encoder"])
def test_build_in_json(command, design):
    done = command("build", "--K", "3", "--d", "2", "--design", design, "--json")
    report = json.loads(done.out)
    assert (report["design"], report["layers"]) == (design, 4)
    assert report["margins"].keys() == {"gamma", "beta", "top", "far"}
    assert 0 < report["answer_error"]["float64"] < report["answer_error"]["float32"] < 1


def test_the_decoder_answers_the_example_of_the_readme(command, words):
    done = command("run", "words", PROMPT, "--check", "--json")
    report = json.loads(done.out)
    assert report["check"]["passed"]
    assert report["distribution"] == pytest.approx(ANSWER, abs=1e-12)
    assert report["votes"] == {"capital": 4, "continent": 1, "currency": 1, "french": 2}


def test_positions_are_the_answers_after_each_number_of_examples(command, words):
    done = command("run", "words", PROMPT, "--positions", "--check", "--json")
    reports = json.loads(done.out)
    assert [report["examples"] for report in reports] == list(range(9))
    assert all(report["check"]["passed"] for report in reports)
    assert reports[0]["distribution"] == {}
    assert reports[1]["distribution"] == pytest.approx({"New Delhi": 1})
    assert reports[8]["distribution"] == pytest.approx(ANSWER)
    out = command("run", "words", PROMPT, "--positions").out
    assert "no vote" in out
    assert "New Delhi 100 %" in out
    assert all(len(line) <= 80 for line in out.splitlines())


def test_positions_of_vectors(command):
    assert command("build", "--K", "2", "--d", "2", "--design", "decoder", "--out", "v").code == 0
    Path("p.json").write_text('{"examples": [[[9, 9], [9, 9]]], "query": [[1, 2]]}')
    Path("q.json").write_text('{"examples": [], "query": [[1, 2]]}')
    assert command("run", "v", "p.json", "--positions").code == 3  # beyond R
    assert "no vote" in command("run", "v", "q.json", "--positions").out


def test_positions_say_what_a_check_found_and_what_went_to_no_word(command):
    words = ["a", "b", "c"]
    tasks = [
        {"name": "few", "kind": "lookup", "table": {"a": "b"}},
        {"name": "all", "kind": "lookup", "table": {"a": "c", "b": "c", "c": "a"}},
    ]
    Path("t.json").write_text(json.dumps({"vocabulary": words, "tasks": tasks}))
    Path("p.txt").write_text("a -> b\na -> c\nb ->")
    assert command("build", "--tasks", "t.json", "--design", "decoder", "--out", "t").code == 0
    out = command("run", "t", "p.txt", "--positions", "--check").out
    assert "c 50 %, no word 50 %" in out
    assert "check: every answer is" in out
    assert "check:" not in command("run", "t", "p.txt", "--positions").out


@pytest.mark.parametrize("design", ["theorem", "encoder"])
def test_positions_of_other_designs_are_refused(command, design):
    command("build", "--tasks", CAPITALS, "--design", design, "--out", "other")
    done = command("run", "other", PROMPT, "--positions")
    assert done.code == 2
    assert f"--positions is of decoders, and this artifact is of the design '{design}'" in done.err


def test_positions_take_one_prompt(command, words):
    Path("p.jsonl").write_text('"Japan ->"')
    done = command("run", "words", "p.jsonl", "--positions")
    assert done.code == 2
    assert "--positions takes one prompt" in done.err


def test_inspect_names_the_blocks_and_their_fields(command, words):
    out = command("inspect", "words").out
    for said in ("Layer 1: match", "Layer 2: count", "Layer 3: log", "vote", "stop"):
        assert said in out


def test_verify_runs_every_executor_of_softmax(command, words):
    done = command("verify", "words", "--seconds", "3", "--prompts", "6", "--json")
    assert done.code == 0, done.err
    ran = {report["executor"] for report in json.loads(done.out)}
    assert ran == {"numpy", "jax", "torch", "exact"}


def test_verify_finds_a_weight_that_its_tasks_do_not_compile_to(words):
    from construct import load
    from construct.checking.provenance import first_difference
    from sabotage import with_entry

    made = load("words")
    assert first_difference(made) is None
    changed = with_entry(made, "layers.0.heads.1.W_Q", (0, 0), 1.0)
    assert "layer 1 (match), head 2 (continent), W_Q[0, 0] is" in first_difference(changed)


def test_prove_says_that_rocq_is_about_the_theorem(command, words):
    done = command("prove", "words")
    assert done.code == 2
    assert "this artifact is of the design 'decoder'" in done.err


def test_a_task_set_that_a_design_cannot_have_is_one_sentence(command):
    words, both = [f"{i}" for i in range(4)], {"name": "both", "kind": "sum", "positions": [1, 2]}
    Path("both.json").write_text(json.dumps({"vocabulary": words, "tasks": [both]}))
    done = command("build", "--tasks", "both.json", "--design", "decoder")
    assert done.code == 2
    assert "task 'both' gives for some words what is no word" in done.err
