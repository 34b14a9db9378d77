"""Decoders of words with several inputs on the command line: pairs of digits."""

import json
from pathlib import Path

import pytest

DIGITS = [*"0123456789"]
TABLE = [[[x, y], max(x, y)] for x in DIGITS for y in DIGITS]
PAIRS = {
    "vocabulary": DIGITS,
    "tasks": [
        {"name": "first", "kind": "retrieval", "position": 1},
        {"name": "second", "kind": "retrieval", "position": 2},
        {
            "name": "sum",
            "kind": "word-sum",
            "values": {x: int(x) for x in DIGITS},
            "words": {str(total): str(total % 10) for total in range(19)},
        },
        {"name": "max", "kind": "lookup", "table": TABLE},
    ],
}
EXAMPLES_OF_PAIRS = "3, 4 -> 7\n2, 9 -> 9\n1, 1 -> 1\n5, 8 -> 5\n6, 6 -> 2\n7, 5 ->\n"


@pytest.fixture
def pairs(command):
    """A decoder of pairs of digits in the folder `pairs`, and a prompt for it."""
    Path("pairs.json").write_text(json.dumps(PAIRS))
    Path("pairs.txt").write_text(EXAMPLES_OF_PAIRS)
    done = command("build", "--tasks", "pairs.json", "--design", "decoder", "--out", "pairs")
    assert done.code == 0, done.err
    return done.out


def test_build_of_pairs(pairs):
    """(2+1) 10 + 31 features + 2 4 + 6 + 2 + 5."""
    for line in (
        "decoder of words with several inputs: causal softmax attention",
        "30 + 31 + 8 + 6 + 2 + 5 = 82",
        "float32, float64, exact (in balls)",
    ):
        assert line in pairs
    assert all(len(line) <= 80 for line in pairs.splitlines())


def test_a_prompt_of_pairs(command, pairs):
    """first: 1 1, 5 8; second: 2 9, 1 1; sum: 3 4, 6 6; max: 2 9, 1 1."""
    done = command("run", "pairs", "pairs.txt", "--check", "--json")
    report = json.loads(done.out)
    assert report["check"]["passed"]
    assert report["votes"] == {"first": 2, "second": 2, "sum": 2, "max": 2}
    assert report["distribution"] == pytest.approx({"7": 0.5, "5": 0.25, "2": 0.25}, abs=1e-12)
    assert report["ambiguous"] == [2, 3]


def test_positions_of_pairs(command, pairs):
    done = command("run", "pairs", "pairs.txt", "--positions", "--check", "--json")
    reports = json.loads(done.out)
    assert [report["examples"] for report in reports] == list(range(6))
    assert all(report["check"]["passed"] for report in reports)
    assert reports[1]["distribution"] == pytest.approx({"1": 1})  # 2 + 9
    out = command("run", "pairs", "pairs.txt", "--positions").out
    assert "no vote" in out
    assert all(len(line) <= 80 for line in out.splitlines())


def test_pairs_in_another_format_and_in_json(command, pairs):
    Path("said.txt").write_text("3 and 4 make 7\n7 and 5 make ?")
    shown = command("run", "pairs", "said.txt", "--format", "{1} and {2} make {y}", "--json")
    Path("said.json").write_text('{"examples": [["3", "4", "7"]], "query": ["7", "5"]}')
    other = command("run", "pairs", "said.json", "--json")
    assert json.loads(shown.out) == json.loads(other.out)
    assert json.loads(other.out)["distribution"] == pytest.approx({"2": 1})


def test_the_rest_of_the_commands_know_pairs(command, pairs):
    from construct import load
    from construct.checking.provenance import first_difference
    from sabotage import with_entry

    inspected = command("inspect", "pairs").out
    for said in ("Layer 1: fetch", "Layer 2: match", "Layer 3: count", "Layer 4: log", "op1"):
        assert said in inspected
    assert all(len(line) <= 80 for line in inspected.splitlines())
    done = command("sample", "pairs")
    Path("sampled.txt").write_text(done.out)
    assert command("run", "pairs", "sampled.txt", "--check").code == 0
    made = load("pairs")
    changed = with_entry(made, "layers.1.heads.2.W_K", (0, 0), 1.0)
    assert "layer 2 (match), head 3 (sum), W_K[0, 0] is" in first_difference(changed)
    done = command("verify", "pairs", "--executor", "numpy", "--prompts", "6", "--json")
    assert done.code == 0, done.err
