"""What the report holds is what the trace has, whatever the design and whatever the words."""

import json
from fractions import Fraction

import numpy as np
import pytest

import construct
from construct.designs import DESIGNS
from construct.show.report import FOLDER, embedded, is_report, page
from construct.show.report.data import data
from construct.show.report.heads import SIDE, described
from construct.show.report.stream import stream

CAPITALS = "France -> Paris\nJapan -> Asia\nFrance -> Europe\nJapan -> Paris\nJapan ->"
TABLES = {
    "capital": {"France": "Paris", "Japan": "Tokyo"},
    "continent": {"France": "Europe", "Japan": "Asia"},
}
# Of untrusted words: what ends a script, a comment or a text, and what is written otherwise.
WORDS = ["</script>", "<script>alert(1)</script>", '"\\', "<!--", "שלום", "🎉", "&amp;", "12", "1"]


def words(design: str, tables=TABLES, prompt: str = CAPITALS):
    names = dict.fromkeys(w for table in tables.values() for pair in table.items() for w in pair)
    vocabulary = construct.Vocabulary([*names])
    tasks = [construct.lookup(k, t, vocabulary=vocabulary) for k, t in tables.items()]
    made = construct.build(tasks, vocabulary=vocabulary, m=6, design=design)
    return construct.trace(made, made.prompt(prompt))


def numbers(design: str, executor: str = "numpy"):
    turn = construct.affine("turn", [[0, -1], [1, 0]])
    half = construct.relu_sum("half", [[{"a": [1, -1]}]], [["1/2"], [0]])
    made = construct.build([turn, half], m=4, design=design, domain={"R": 8, "Ry": 32, "delta": 1})
    examples = [[[1, 2], [-2, 1]], [[4, 2], [1, 0]], [[3, 3], [7, 7]]]
    return construct.trace(made, made.prompt(examples, [[5, 1]]), executor=executor)


TRACES = {
    **{f"words-{design}": (words, design) for design in DESIGNS},
    **{f"numbers-{design}": (numbers, design) for design in DESIGNS},
    "exact": (numbers, "theorem", "exact"),
}


@pytest.fixture(scope="module", params=TRACES)
def traced(request):
    make, *arguments = TRACES[request.param]
    return make(*arguments)


def value(x):
    """A number of the page."""
    return Fraction(x) if isinstance(x, str) else x


def states(told: dict, trace) -> np.ndarray:
    """The stream that the page tells, laid out."""
    found = np.full(trace.states.shape, 0, trace.states.dtype)
    for field, held in zip(trace.fields, told["fields"], strict=True):
        cells = [laid_out(cell, field.width) for cell in held["cells"]]
        now = [0] * trace.states.shape[1]
        for layer, changes in enumerate(held["changes"]):
            token = 0
            for further, cell in zip(changes[::2], changes[1::2], strict=True):
                token += further
                now[token] = cell
            for token, cell in enumerate(now):
                found[layer, token, field.at] = cells[cell]
    return found


def laid_out(cell, width: int) -> list:
    if isinstance(cell, dict):
        return [value(x) for x in cell["all"]]
    row = [0] * width
    for start, many, x in zip(cell[::3], cell[1::3], cell[2::3], strict=True):
        row[start : start + many] = [value(x)] * many
    return row


def triples(told: dict) -> list[tuple]:
    each, asks, found = told["each"], 0, []
    for further, read, which in zip(each[::3], each[1::3], each[2::3], strict=True):
        asks += further
        found.append((asks, read, value(told["values"][which])))
    return found


def test_the_stream_is_that_of_the_trace(traced):
    told = stream(traced)
    assert not told["brief"]
    assert (states(told, traced) == traced.states).all()


def test_the_attention_is_that_of_the_trace(traced):
    working = set()
    for number, layer in enumerate(data(traced)["layers"], 1):
        assert layer["lemma"] == traced.layers[number - 1].lemma
        for k, head in enumerate(layer["heads"]):
            if head["idle"]:
                continue
            working.add((number, k))
            pairs = traced.scores[number, k]
            assert triples(head["pairs"]) == list(pairs)
            assert head["count"] == len(pairs)
            assert [None if x is None else value(x) for x in head["closest"]] == [*pairs.closest]
    assert working == set(traced.scores)


def test_answer_votes_and_tokens_are_those_of_the_trace(traced):
    told, answer = data(traced), traced.answer
    assert [value(x) for x in told["answer"]["answer"]] == answer.answer.tolist()
    assert [value(task["votes"]) for task in told["tasks"]] == [*answer.votes]
    assert [value(task["weight"]) for task in told["tasks"]] == [*answer.weights]
    e = len(traced.prompt.X)
    explains = np.zeros((len(told["tasks"]), e))
    for i, (_, _, _, votes) in enumerate(told["examples"]):
        for k, vote, token in zip(votes[::3], votes[1::3], votes[2::3], strict=True):
            explains[k, i] = value(vote)
            assert traced.tokens[token].example == i
            assert traced.attended[told["vote_layer"] - 1, k, token] > 0
    assert (explains == answer.explains).all()
    assert explains.sum() > 0
    assert [token[4] for token in told["tokens"]] == [token.text for token in traced.tokens]
    assert traced.tokens[told["answer_token"]].query


@pytest.mark.parametrize("design", DESIGNS)
def test_what_cannot_be_held_in_full_has_its_largest_entries(design):
    traced = words(design)
    told = stream(traced, most=0)
    whole = stream(traced)
    assert set(told["brief"]) == {field.name for field in traced.fields}
    # All tokens belong to the first examples or to the query, or stand at no example.
    for short, full in zip(told["fields"], whole["fields"], strict=True):
        assert short["changes"] == full["changes"]
        for cell, row in zip(short["cells"], full["cells"], strict=True):
            assert cell == row or {"largest", "more", "below"} == set(cell)


def test_the_largest_entries_are_told_with_how_many_more_there_are():
    from construct.show.report.stream import LARGEST, _largest

    row = np.array([0, 5, -9, 1, 2, 3, 4, -6, 7.0])
    told = _largest(row)
    assert LARGEST == 6
    assert told == {"largest": [1, 1, 5, 2, 1, -9, 5, 1, 3, 6, 1, 4, 7, 1, -6, 8, 1, 7]} | {
        "more": 2,
        "below": 2,
    }


def test_a_head_of_many_pairs_is_told_in_squares():
    traced = words("decoder")
    pairs, answer = traced.scores[2, "count"], data(traced)["answer_token"]
    told = described(pairs, answer, most=0)
    assert triples(told["pairs"]) == [p for p in pairs if p[0] == answer] != []
    assert described(pairs, answer, most=len(pairs)).keys() == told.keys() - {"many"}
    width = told["many"]["width"]
    assert width * SIDE >= pairs.N
    dense, squares = pairs.dense(), told["many"]["squares"]
    for row, column, x in zip(squares[::3], squares[1::3], squares[2::3], strict=True):
        square = dense[row * width : (row + 1) * width, column * width : (column + 1) * width]
        assert x == float(f"{square.max():.4g}") > 0
    assert len(squares) // 3 == len({(a // width, r // width) for a, r, _ in pairs})
    tokens = told["many"]["tokens"]
    for token, many, most, x in zip(*(tokens[i::4] for i in range(4)), strict=True):
        assert (dense[token] > 0).sum() == many
        assert dense[token, most] == dense[token].max() == x


def test_a_patched_pass_has_a_page_too():
    traced = words("theorem")
    patched = traced.patched("cnt", 0, layer=4, tokens=traced.token(0, 1))
    assert data(patched)["stream"] != data(traced)["stream"]
    assert page(patched) != page(traced)


def test_words_cannot_leave_the_data():
    tables = {"a": dict(zip(WORDS, WORDS[1:] + WORDS[:1], strict=True))}
    traced = words("decoder", tables, "שלום -> 🎉\n</script> ->")
    text = page(traced)
    start = text.index('id="data">') + len('id="data">')
    held = text[start : text.index("</script>", start)]
    assert json.loads(held)["words"] == WORDS
    assert not set("<>&") & set(held)
    for word in ("</script>", "<script>alert", "<!--"):
        assert text.count(word) == page(words("decoder")).count(word)


def test_the_page_is_one_file_and_is_known_again(tmp_path):
    path = tmp_path / "page.html"
    path.write_text(page(words("encoder")), encoding="utf-8")
    assert is_report(path)
    text = path.read_text(encoding="utf-8")
    assert "<link" not in text
    assert " src=" not in text
    assert text.count("http") == text.count("http://www.w3.org/2000/svg") == 1
    path.write_text("<!doctype html>")
    assert not is_report(path)
    assert not is_report(tmp_path / "none.html")


@pytest.mark.parametrize(
    "path",
    [*FOLDER.glob("*.js"), *FOLDER.glob("*.css"), FOLDER / "report.html"],
    ids=lambda path: path.name,
)
def test_its_files_are_short(path):
    lines = path.read_text(encoding="utf-8").split("\n")
    assert len(lines) <= 400
    assert max(map(len, lines)) <= 100
    starts = [i for i, line in enumerate(lines) if line.startswith("function ")]
    assert all("}" in lines[i + 1 : i + 50] for i in starts)


def test_steps_are_told():
    steps: list[tuple[int, int]] = []
    traced = words("decoder")
    page(traced, step=lambda done, total: steps.append((done, total)))
    assert steps == [(i, 4) for i in range(1, 5)]


def test_numbers_that_json_or_javascript_would_change_are_texts():
    from construct.show.report.numbers import number

    exact = [Fraction(1, 3), 2**60, Fraction(4), 0.5, float("inf"), np.float32(0.1), -0.0]
    assert [number(x) for x in exact] == [
        *("1/3", str(2**60), 4, 0.5, "inf"),
        *(float(np.float32(0.1)), 0),
    ]
    assert embedded({"a": "</"}) == '{"a":"\\u003c/"}'
