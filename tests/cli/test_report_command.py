"""`construct report`: one file, whose numbers are those of `construct run --json`."""

import json
import sys
from io import BytesIO, TextIOWrapper

import pytest

from construct.designs import DESIGNS

WORDS = "France -> Paris\nJapan -> Asia\nJapan ->"
NUMBERS = '{"examples": [[[1, 2], [-2, 1]], [[3, 1], [1, 3]]], "query": [[5, 7]]}'
TURN = {
    "d": 2,
    "n": 2,
    "tasks": [
        {"name": "turn", "kind": "affine", "A": [[0, -1], [1, 0]], "b": [0, 0]},
        {"name": "flip", "kind": "permutation", "permutation": [2, 1]},
    ],
}
PLACES = {
    "tasks": [
        {"name": "capital", "kind": "lookup", "table": {"France": "Paris", "Japan": "Tokyo"}},
        {"name": "continent", "kind": "lookup", "table": {"France": "Europe", "Japan": "Asia"}},
    ]
}


@pytest.fixture
def built(command, tmp_path):
    """Builds an artifact "a" of words or of numbers, with a prompt beside it."""

    def build(tasks=PLACES, prompt=WORDS, design="theorem"):
        (tmp_path / "tasks.json").write_text(json.dumps(tasks))
        (tmp_path / "prompt").write_text(prompt, encoding="utf-8")
        done = command("build", "--tasks", "tasks.json", "-o", "a", "--m", "4", "--design", design)
        assert done.code == 0, done.err

    return build


def data(path) -> dict:
    text = path.read_text(encoding="utf-8")
    start = text.index('id="data">') + len('id="data">')
    return json.loads(text[start : text.index("</script>", start)])


NUMPY, EXACT = ("--executor", "numpy"), ("--executor", "exact")
CASES = [
    (design, given, options)
    for design in DESIGNS
    for given in ((PLACES, WORDS), (TURN, NUMBERS))
    for options in (NUMPY, (*NUMPY, "--dtype", "float32"), EXACT)
]


@pytest.mark.parametrize(("design", "given", "options"), [*CASES, ("decoder", (PLACES, WORDS), ())])
def test_its_numbers_are_those_of_run(built, command, tmp_path, design, given, options):
    built(*given, design)
    done = command("report", "a", "prompt", *options)
    assert (done.code, done.err) == (0, "")
    size = (tmp_path / "report.html").stat().st_size
    assert done.out == f"report.html: {size:,} bytes; open it in a browser.\n"
    told = data(tmp_path / "report.html")["answer"]
    wanted = json.loads(command("run", "a", "prompt", "--json", *options).out)
    wanted.pop("error_bound", None)
    if "distribution" in wanted:
        wanted["distribution"] = [[word, share] for word, share in wanted["distribution"].items()]
    assert told == wanted
    assert sum(told["votes"].values()) > 0


def test_an_older_report_is_replaced_and_nothing_else(built, command, tmp_path):
    built()
    assert command("report", "a", "prompt", "-o", "page.html").code == 0
    first = (tmp_path / "page.html").read_text(encoding="utf-8")
    (tmp_path / "prompt").write_text("Japan ->")
    assert command("report", "a", "prompt", "-o", "page.html").code == 0
    assert (tmp_path / "page.html").read_text(encoding="utf-8") != first
    (tmp_path / "mine.html").write_text("mine")
    done = command("report", "a", "prompt", "--out", "mine.html")
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        "construct: mine.html exists and is not a report of construct; choose another name.\n"
    )
    assert (tmp_path / "mine.html").read_text() == "mine"


def test_a_prompt_from_standard_input_in_another_format(built, command, tmp_path, monkeypatch):
    built()
    text = "Q: France\nA: Paris\nQ: Japan\nA:"
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(text.encode())))
    done = command("report", "a", "-", "--format", r"Q: {1}\nA: {y}")
    assert (done.code, done.err) == (0, "")
    assert data(tmp_path / "report.html")["answer"]["distribution"] == [["Tokyo", 1.0]]


def test_a_prompt_outside_the_domain_is_refused(built, command, tmp_path):
    built(TURN | {"domain": {"R": 8, "Ry": 8, "delta": 1}}, NUMBERS.replace("5", "50"))
    done = command("report", "a", "prompt")
    assert (done.code, done.out) == (3, "")
    assert done.err.startswith("construct: ")
    assert not (tmp_path / "report.html").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("report", "none", "prompt"), "none"),
        (("report", "a", "nothing"), "nothing"),
        (("report", "a", "prompt", "--executor", "exact", "--dtype", "float32"), "leave out"),
        (("report", "a", "prompt", "-o", "no/folder.html"), "cannot write no/folder.html: "),
        (("report", "a", "prompt", "--format", "no fields"), "format"),
    ],
)
def test_bad_input_is_one_sentence(built, command, tmp_path, arguments, said):
    built()
    done = command(*arguments)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("construct: ")
    assert done.err.count("\n") == 1
    assert said in done.err
    assert not (tmp_path / "report.html").exists()


def test_help_has_examples(command):
    done = command("report", "--help")
    assert done.code == 0
    assert "construct report construct-K4-d16 prompt.json" in done.out
    assert "report " in command("--help").out
