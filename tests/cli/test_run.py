import json
import os
import subprocess
import sys
from io import BytesIO, TextIOWrapper
from pathlib import Path

import numpy as np
import pytest

from construct.execute import devices
from sabotage import with_weight

CAPITAL = {"France": "Paris", "Japan": "Tokyo", "Peru": "Lima", "Kenya": "Nairobi"}
CONTINENT = {"France": "Europe", "Japan": "Asia", "Peru": "America", "Spain": "Europe"}
WORDS = {
    "tasks": [
        {"name": "capital", "kind": "lookup", "table": CAPITAL},
        {"name": "continent", "kind": "lookup", "table": CONTINENT},
    ]
}
PROMPT = "France -> Paris\n\nPeru -> America\nSpain -> Tokyo\nKenya -> Nairobi\nJapan ->\n"
NUMBERS = {
    "tasks": [
        {"name": "third", "kind": "affine", "A": [["1/3", 0], [0, 1]]},
        {"name": "swap", "kind": "permutation", "permutation": [2, 1]},
    ],
    "domain": {"R": 8, "Ry": 16, "delta": "1/3"},
}
EXAMPLES = {
    "examples": [[[3, 1], [1, 1]], [[1, 2], ["1/3", 2]], [[1, 2], [2, 1]], [[0, 0], [0, 0]]],
    "query": [[1, 2]],
}


@pytest.fixture
def words(command):
    Path("t.json").write_text(json.dumps(WORDS))
    Path("p.txt").write_text(PROMPT)
    assert command("build", "--tasks", "t.json", "--m", "6", "--out", "a").code == 0
    return command


@pytest.fixture
def numbers(command):
    Path("t.json").write_text(json.dumps(NUMBERS))
    Path("p.json").write_text(json.dumps(EXAMPLES))
    assert command("build", "--tasks", "t.json", "--m", "4", "--out", "a").code == 0
    return command


@pytest.mark.parametrize("executor", ["jax", "sparse", "numpy", "torch", "exact"])
def test_words_come_out_in_the_proportions_of_the_examples(words, executor):
    done = words("run", "a", "p.txt", "--executor", executor, "--json", "--check")
    assert done.code == 0, done.err
    said = json.loads(done.out)
    thirds = {"capital": 2 / 3, "continent": 1 / 3}
    shares = {name: share(w) for name, w in said["weights"].items()}
    assert shares == thirds
    assert said["votes"] == {"capital": 2, "continent": 1}
    assert {w: share(p) for w, p in said["distribution"].items()} == pytest.approx(
        {"Tokyo": 2 / 3, "Asia": 1 / 3}, rel=1e-15
    )
    assert list(said["distribution"]) == ["Tokyo", "Asia"]
    assert said["explained"] == 3
    # Lines of the file, the empty one counted.
    assert said["unexplained"] == [4]
    assert said["ambiguous"] == []
    assert said["check"]["passed"] is True


def share(x) -> float:
    numerator, _, denominator = str(x).partition("/")
    return float(numerator) / float(denominator or 1)


def test_fractions_are_exact_with_the_exact_executor(numbers):
    said = json.loads(numbers("run", "a", "p.json", "--executor", "exact", "--json").out)
    # Three votes for third, two for swap: the example at zero is a tie.
    assert said["weights"] == {"third": "3/5", "swap": "2/5"}
    assert said["answer"] == ["1", "8/5"] or said["answer"] == [1, "8/5"]
    assert said["ambiguous"] == [4]
    assert "distribution" not in said


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_numbers_in_floats(numbers, dtype):
    done = numbers("run", "a", "p.json", "--dtype", dtype, "--json", "--check")
    assert done.code == 0, done.err
    said = json.loads(done.out)
    # 3/5 (1/3, 2) + 2/5 (2, 1); a few units in the last place of the largest term, 2.
    ulp = 2 * np.finfo(dtype).eps
    assert np.abs(np.array(said["answer"]) - [1, 1.6]).max() <= 4 * ulp
    assert said["votes"] == {"third": 3, "swap": 2}


def test_the_report_names_what_stands_out(numbers):
    done = numbers("run", "a", "p.json", "--check")
    assert "answer  (1, 1.6)" in done.out
    assert "4 of 4 examples explained" in done.out
    assert "several tasks explain: example 4" in done.out
    assert "equal to the specification" in done.out
    assert max(map(len, done.out.splitlines())) <= 80


def test_without_examples_the_answer_is_zero_and_it_is_said(numbers):
    Path("p.json").write_text('{"examples": [], "query": [[1, 2]]}')
    done = numbers("run", "a", "p.json", "--check")
    assert done.code == 0
    assert "answer  (0, 0)" in done.out
    assert "No example is explained" in done.out


def test_a_prompt_may_come_from_standard_input(words, monkeypatch):
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(PROMPT.encode())))
    said = json.loads(words("run", "a", "-", "--json", "--executor", "numpy").out)
    assert said["votes"] == {"capital": 2, "continent": 1}


def test_words_without_an_entry_for_the_query_lose_their_share(words):
    Path("p.txt").write_text("France -> Paris\nPeru -> America\nKenya ->\n")
    done = words("run", "a", "p.txt", "--check")
    assert done.code == 0
    assert "The rest, 50 %, went to tasks that have no entry for the query." in done.out
    said = json.loads(words("run", "a", "p.txt", "--json", "--executor", "exact").out)
    assert (said["distribution"], said["missing"]) == ({"Nairobi": "1/2"}, "1/2")


@pytest.mark.parametrize("executor", ["numpy", "exact"])
def test_a_query_that_no_voted_table_covers_loses_all(words, executor):
    Path("p.txt").write_text("France -> Paris\nPeru -> America\nTokyo ->\n")
    done = words("run", "a", "p.txt", "--check", "--executor", executor)
    assert done.code == 0
    assert "The rest, 100 %, went to tasks that have no entry for the query." in done.out
    said = json.loads(words("run", "a", "p.txt", "--json", "--executor", executor).out)
    assert (said["distribution"], said["missing"]) == ({}, 1)


def test_without_a_vote_nothing_is_missing(words):
    Path("p.txt").write_text("Tokyo ->\n")
    said = json.loads(words("run", "a", "p.txt", "--json", "--executor", "numpy").out)
    assert (said["distribution"], said["missing"], said["explained"]) == ({}, 0, 0)


def test_the_query_may_end_with_the_mark_that_the_demo_prints(words):
    Path("p.txt").write_text("France -> Paris\nJapan -> ?\n")
    done = words("run", "a", "p.txt", "--json", "--executor", "numpy")
    assert json.loads(done.out)["distribution"] == {"Tokyo": 1}


QUESTIONS = "Q: France\nA: Paris\n\nQ: Peru\nA: America\n\nQ: Japan\nA:"


def test_the_format_is_that_of_the_task_file_or_of_the_command(words):
    shares = {"Tokyo": 0.5, "Asia": 0.5}
    Path("q.txt").write_text(QUESTIONS)
    done = words("run", "a", "q.txt")
    assert done.code == 2
    assert "line 1 is 'Q: France'; it must be an example, 'input -> label'" in done.err
    by_command = ("run", "a", "q.txt", "--format", r"Q: {1}\nA: {y}", "--json")
    assert json.loads(words(*by_command).out)["distribution"] == shares
    Path("t.json").write_text(json.dumps({**WORDS, "format": "Q: {1}\nA: {y}"}))
    assert words("build", "--tasks", "t.json", "--m", "6", "-o", "b").code == 0
    assert json.loads(words("run", "b", "q.txt", "--json").out)["distribution"] == shares
    by_command = ("run", "b", "p.txt", "--format", "{1} -> {y}", "--json")
    assert json.loads(words(*by_command).out)["votes"] == {"capital": 2, "continent": 1}
    done = words("run", "b", "p.txt", "--format", "{1} {2} -> {y}")
    assert done.code == 2
    assert "has 2 operands, but an example of n = 2" in done.err


LINES = [
    {"examples": [["France", "Paris"]], "query": ["Japan"]},
    "France -> Europe\nJapan -> ?",
    {"examples": [["France", "Pariss"]], "query": ["Japan"]},
    {"examples": [["France", "Paris"]] * 7, "query": ["Japan"]},
    {"examples": [["Kenya", "Nairobi"], ["Spain", "Tokyo"]], "query": ["Peru"]},
]


def of_lines(done) -> list[dict]:
    return [json.loads(line) for line in done.out.splitlines()]


@pytest.mark.parametrize("executor", ["jax", "numpy", "exact"])
def test_json_lines_in_are_json_lines_out_in_order(words, executor):
    Path("p.jsonl").write_text("\n".join(map(json.dumps, LINES)).replace("\n", "\n\n", 1))
    done = words("run", "a", "p.jsonl", "--check", "--executor", executor)
    first, second, unknown, many, last = of_lines(done)
    assert [said["line"] for said in (first, second, unknown, many, last)] == [1, 3, 4, 5, 6]
    assert {w: share(p) for w, p in first["distribution"].items()} == {"Tokyo": 1}
    assert {w: share(p) for w, p in second["distribution"].items()} == {"Asia": 1}
    assert {w: share(p) for w, p in last["distribution"].items()} == {"Lima": 1}
    assert last["unexplained"] == [2]
    assert first["check"]["passed"]
    assert set(unknown) == set(many) == {"line", "error", "exit_code"}
    assert "example 1: 'Pariss' is not in" in unknown["error"]
    assert "at most m = 6" in many["error"]
    assert done.code == 2
    assert done.err.startswith("construct: 2 of 5 prompts failed, the first in line 4: example 1")


def test_the_exit_code_of_json_lines_is_that_of_the_first_that_fails(numbers, monkeypatch):
    outside = {"examples": [[[1, 2], ["1/3", 2.125]]], "query": [[1, 2]]}
    text = "\n".join(json.dumps(one) for one in (EXAMPLES, outside, {"examples": []}))
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(text.encode())))
    done = numbers("run", "a", "-", "--lines", "--executor", "numpy")
    said = of_lines(done)
    assert [one.get("exit_code") for one in said] == [None, 3, 2]
    assert said[0]["votes"] == {"third": 3, "swap": 2}
    assert done.code == 3
    Path("p.jsonl").write_text(json.dumps(EXAMPLES))
    assert numbers("run", "a", "p.jsonl").code == 0
    Path("p.jsonl").write_text("\n")
    assert "there is no prompt" in numbers("run", "a", "p.jsonl").err
    Path("p.jsonl").write_text("{\n[1]\n")
    done = numbers("run", "a", "p.jsonl")
    assert [one["exit_code"] for one in of_lines(done)] == [2, 2]


def test_a_line_that_fails_the_check_says_so_and_the_others_are_printed(words, monkeypatch):
    from construct import artifact

    intact = artifact.load

    def sabotaged(directory):
        return with_weight(intact(directory), "layers.3.heads.0.W_V", lambda W: 2 * W)

    monkeypatch.setattr(artifact, "load", sabotaged)
    mixed = {"examples": [["France", "Paris"], ["Peru", "America"]], "query": ["Japan"]}
    Path("p.jsonl").write_text("\n".join(map(json.dumps, (LINES[1], mixed, LINES[1]))))
    done = words("run", "a", "p.jsonl", "--check", "--executor", "numpy")
    assert [one.get("exit_code") for one in of_lines(done)] == [None, 4, None]
    assert done.code == 4
    assert "1 of 3 prompts failed, the first in line 2: the answer differs" in done.err


def test_a_terminal_without_the_letters_of_a_word_does_not_end_the_run(command, tmp_path):
    table = {"Japan": "日本", "Brazil": "Brésil"}
    Path("t.json").write_text(
        json.dumps({"tasks": [{"name": "x", "kind": "lookup", "table": table}]})
    )
    Path("p.txt").write_text("Brazil -> Brésil\nJapan ->\n", encoding="utf-8")
    command("build", "--tasks", "t.json", "--out", "a")
    done = subprocess.run(
        [sys.executable, "-m", "construct", "run", "a", "p.txt", "--executor", "numpy"],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert b"100 %" in done.stdout


def test_two_spellings_of_an_accent_are_one_word(command):
    Path("t.json").write_text(
        json.dumps({"tasks": [{"name": "x", "kind": "lookup", "table": {"a": "Bre\u0301sil"}}]})
    )
    Path("p.txt").write_text("a -> Br\u00e9sil\na ->\n", encoding="utf-8")
    command("build", "--tasks", "t.json", "--out", "a")
    assert json.loads(command("run", "a", "p.txt", "--json").out)["votes"] == {"x": 1}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_an_output_that_cannot_be_written_is_said(numbers, tmp_path):
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "construct", "inspect", "a"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
        )
    assert done.returncode == 2
    assert done.stderr == "construct: cannot write the output: No space left on device.\n"


def test_a_prompt_outside_the_domain_exits_with_3_and_says_where(numbers):
    Path("p.json").write_text('{"examples": [[[1, 2], ["1/3", 2.125]]], "query": [[1, 2]]}')
    done = numbers("run", "a", "p.json")
    assert done.code == 3
    for word in ("example 1", "0.125", "'third'", "1/3"):
        assert word in done.err
    Path("p.json").write_text('{"examples": [], "query": [[1, 9]]}')
    done = numbers("run", "a", "p.json")
    assert done.code == 3
    assert "the query" in done.err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "JSON"),
        ("{}", "examples"),
        ('{"examples": [], "query": []}', "query"),
        ('{"examples": [], "query": [[1]]}', "d = 1"),
        ('{"examples": [], "query": [[1, 2], [3, 4]]}', "n = 3"),
        ('{"examples": [[[1, 2]]], "query": [[1, 2]]}', "example 1"),
        ('{"examples": [[[1, 2], [1, NaN]]], "query": [[1, 2]]}', "NaN"),
        ('{"examples": [[[1, 2], [1, "1/0"]]], "query": [[1, 2]]}', "1/0"),
        ('{"examples": [[[1, 2], [1, true]]], "query": [[1, 2]]}', "example 1"),
        ('{"examples": [[[1, 2], "word"]], "query": [[1, 2]]}', "example 1"),
        ('{"examples": [[[1, 2], [3]]], "query": [[1, 2]]}', "example 1"),
        ('{"examples": 5, "query": [[1, 2]]}', "lists"),
        (json.dumps({"examples": [[[1, 1], [1, 1]]] * 5, "query": [[1, 2]]}), "m = 4"),
    ],
)
def test_malformed_numbers_are_one_sentence(numbers, text, said):
    Path("p.json").write_text(text)
    done = numbers("run", "a", "p.json")
    assert done.code == 2
    assert said in done.err
    assert len(done.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("France -> Paris\n", "line 1"),
        ("France Paris\nJapan ->", "line 1"),
        ("France ->\nJapan ->", "line 1"),
        ("Frnace -> Paris\nJapan ->", "France"),
        ("France -> Paris\nNarnia ->", "'Narnia' is not in this vocabulary"),
    ],
)
def test_malformed_words_name_the_line(words, text, said):
    Path("p.txt").write_text(text)
    done = words("run", "a", "p.txt")
    assert done.code == 2
    assert said in done.err
    assert len(done.err.splitlines()) == 1


def test_an_uncertified_format_is_refused(command):
    Path("t.json").write_text(json.dumps({**NUMBERS, "domain": {"R": 8, "Ry": 8, "delta": 1e-4}}))
    Path("p.json").write_text(json.dumps(EXAMPLES))
    assert command("build", "--tasks", "t.json", "--out", "a").code == 0
    done = command("run", "a", "p.json", "--dtype", "float32")
    assert done.code == 2
    assert "float32 is not certified" in done.err
    assert command("run", "a", "p.json", "--check").code == 0


def test_a_changed_weight_fails_the_check_with_4(words, monkeypatch):
    from construct import artifact

    intact = artifact.load

    def sabotaged(directory):
        return with_weight(intact(directory), "layers.3.heads.0.W_V", lambda W: 2 * W)

    monkeypatch.setattr(artifact, "load", sabotaged)
    done = words("run", "a", "p.txt", "--check", "--executor", "numpy")
    assert done.code == 4
    assert "differs from the specification" in done.err


@pytest.mark.parametrize("directory", ["absent", "."])
def test_what_is_no_artifact_is_said(command, directory):
    Path("p.json").write_text(json.dumps(EXAMPLES))
    done = command("run", directory, "p.json")
    assert done.code == 2
    assert "construct build" in done.err


@pytest.mark.filterwarnings("default")
def test_on_a_tpu_run_says_that_nothing_is_certified(command, monkeypatch):
    command("build", "--K", 1, "--d", 1, "--m", 1, "--out", "a")
    Path("p.json").write_text('{"examples": [], "query": [[1]]}')
    assert command("run", "a", "p.json").err == ""
    monkeypatch.setattr(devices, "platforms", lambda on: {"tpu"})
    done = command("run", "a", "p.json")
    assert done.code == 0
    assert done.err.startswith("construct: no number format is certified on a TPU, which")
