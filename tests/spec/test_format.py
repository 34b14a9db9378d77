"""Formats of prompts: what is written is read, and what can be read in two ways is refused."""

import re
import unicodedata
from contextlib import suppress

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from construct import ConstructError, Vocabulary, parse_prompt
from construct.spec.format import PromptFormat

PLACES = Vocabulary(["France", "Paris", "Japan", "Tokyo", "New York", "York"])
# The forms that papers and people use, one input and two.
ONE = [
    "{1} -> {y}",
    "{1}->{y}",
    "{1}: {y}",
    "Q: {1}\nA: {y}",
    "Q: {1}\n\nA: {y}\n---",
    "Input: {1} Output: {y}",
    "Input:{1}\nOutput:{y}\n",
    "{1}\n{y}",
    "the capital of {1} is {y}.",
    "{{{1}}} = {{{y}}}",
    '"{1}" "{y}"',
    "{1}\t{y}",
]
TWO = ["{1}, {2} -> {y}", "{1}+{2}->{y}", "{1}@{2}={y}", "{2} before {1}: {y}", "{1}\n{2}\n= {y}"]


def read(text, format, words, n):
    prompt = parse_prompt(text, d=len(words), n=n, vocabulary=words, format=format)
    listed = list(words)
    examples = [
        [*(listed[x.tolist().index(1)] for x in inputs), listed[y.tolist().index(1)]]
        for inputs, y in zip(prompt.X, prompt.Y, strict=True)
    ]
    return examples, [listed[x.tolist().index(1)] for x in prompt.query], prompt.lines


@given(
    st.sampled_from([*ONE, *TWO]),
    st.sampled_from(["\n", "\n\n", "\r\n", "  \n \n"]),
    st.sampled_from(["", " ?", "?", "\n"]),
    st.data(),
)
def test_what_is_written_in_a_format_is_read(format, between, mark, data):
    form = PromptFormat(format)
    n, word = form.operands + 1, st.sampled_from(list(PLACES)[:5])
    rows = data.draw(st.lists(st.lists(word, min_size=n, max_size=n), max_size=3))
    query = data.draw(st.lists(word, min_size=n - 1, max_size=n - 1))
    # Where a line ends before the label, the mark has its own.
    mark = f"\n{mark.strip()}" if format == "{1}\n{y}" else mark
    text = between.join(
        [*(form.written(row[:-1], row[-1]) for row in rows), form.written(query) + mark]
    )
    examples, found, lines = read(text, format, PLACES, n)
    assert (examples, found) == (rows, query)
    ends = [line.strip() for line in text.splitlines()]
    first = form.written(["x"] * (n - 1)).split("\n")[0].split("x")[0].strip()
    assert all(ends[line - 1].startswith(first) for line in lines)
    assert sorted(set(lines)) == list(lines)


@pytest.mark.parametrize(
    ("format", "line"),
    [
        ("{1}->{y}", "France  ->  Paris"),
        ("{1} -> {y}", "France->Paris"),
        ("Q: {1} A: {y}", "  Q:France A:   Paris "),
        ("{1} is to {y}", "France   is  to  Paris"),
    ],
)
def test_spaces_are_free_where_that_is_unambiguous(format, line):
    query = PromptFormat(format).written(["Japan"])
    assert read(f"{line}\n{query}", format, PLACES, 2)[:2] == ([["France", "Paris"]], ["Japan"])


def test_letters_of_a_format_are_not_found_within_words():
    words = Vocabulary(["Par", "Paris", "a"])
    format = "{1} is {y}"
    assert read("a is Par\nParis is", format, words, 2)[:2] == ([["a", "Par"]], ["Paris"])
    with pytest.raises(ConstructError, match="line 1 is 'Paris a'"):
        read("Paris a\na is", format, words, 2)


SUMS = Vocabulary(["a", "b", "a+b", "b+a", "a -> a", "1", "12", "2", "21"])


def test_words_that_hold_the_text_of_the_format_are_read_where_there_is_one_way():
    assert read("a+b+a+b=b+a\na+b+b=", "{1}+{2}={y}", Vocabulary(["b", "a+b", "b+a"]), 3)[:2] == (
        [["a+b", "a+b", "b+a"]],
        ["a+b", "b"],
    )
    # Digits beside each other, as nothing stands between the fields.
    assert read("122=2\n112=", "{1}{2}={y}", SUMS, 3)[:2] == ([["12", "2", "2"]], ["1", "12"])


@pytest.mark.parametrize("spelling", ["NFC", "NFD"])
def test_the_accents_of_a_format_may_be_in_either_spelling(spelling):
    words = Vocabulary(["a", "\u00e9", "\u0338"])
    text = unicodedata.normalize(spelling, "a: r\u00e9ponse \u00e9\n\u00e9: r\u00e9ponse")
    for form in ("NFC", "NFD"):
        format = unicodedata.normalize(form, "{1}: r\u00e9ponse {y}")
        assert read(text, format, words, 2)[:2] == ([["a", "\u00e9"]], ["\u00e9"])
    # A combining stroke after an arrow is a word, and not a part of the arrow.
    assert read("a->\u0338\na->", "{1}->{y}", words, 2)[:2] == ([["a", "\u0338"]], ["a"])


def test_words_may_hold_the_arrow_and_the_comma_of_the_default():
    """Tokens of language models do; they were refused."""
    words = Vocabulary(["->", "a->b", "a, b", "a", ","])
    text = "-> -> a->b\na->b ->\n"
    assert read(text, None, words, 2)[:2] == ([["->", "a->b"]], ["a->b"])
    assert read("a, b, a -> ,\na, , ->", None, words, 3)[:2] == ([["a, b", "a", ","]], ["a", ","])


@pytest.mark.parametrize(
    ("format", "text", "said"),
    [
        ("{1} -> {y}", "a -> b\n\na -> a -> a\na ->", r"line 3, .* \['a', 'a -> a'\] and as"),
        ("{1}+{2}={y}", "a+b+a=b\na+b=", r"line 1, 'a\+b\+a=b', can be read as .*'a'.* and as"),
        ("{1}+{2}={y}", "a+b=b\n\na+b+a=", r"line 3, 'a\+b\+a=', can be read as"),
        ("{1}{2}={y}", "121=2\n22=", "line 1, '121=2', can be read as"),
    ],
)
def test_what_can_be_read_in_two_ways_is_refused(format, text, said):
    with pytest.raises(ConstructError, match=said):
        read(text, format, SUMS, PromptFormat(format).operands + 1)


@given(
    st.lists(st.text("ab+", min_size=1, max_size=4), min_size=1, max_size=5, unique=True), st.data()
)
def test_no_line_is_read_in_a_wrong_way(listed, data):
    """Words of the format's own letters: read back as they are, or refused."""
    words, word = Vocabulary(listed), st.sampled_from(listed)
    row, query = (
        data.draw(st.lists(word, min_size=3, max_size=3)),
        [data.draw(word), data.draw(word)],
    )
    for format in ("{1}+{2}={y}", "{1} + {2}{y}", "{1}{2}+{y}"):
        form = PromptFormat(format)
        text = f"{form.written(row[:-1], row[-1])}\n{form.written(query)}"
        with suppress(ConstructError):
            assert read(text, format, words, 3)[:2] == ([row], query)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Q: France\nA: Paris", r"lines 1 to 2 are 'Q: France\\nA: Paris'; it must be the query"),
        ("Q: France\nA: Paris\nQ: Japan", r"line 3 is 'Q: Japan'; it must be the query, "),
        (
            "Q: France\n\nB: Paris\nQ: Japan\nA:",
            r"lines 1 to 3 are .*; it must be an example, 'Q: in",
        ),
        (
            "Q: France\nA: Pariss\nQ: Japan\nA:",
            "lines 1 to 2: 'Pariss' is not in .* nearest are: Paris",
        ),
        (
            "Q: France\nA: Paris\nQ: Japn\nA: ?",
            "lines 3 to 4: 'Japn' is not in .* nearest are: Japan",
        ),
        ("Q: France\nA: ?\nQ: Japan\nA: ?", r"lines 1 to 2: '\?' is not in"),
    ],
)
def test_lines_that_do_not_fit_are_named_with_what_was_expected(text, said):
    with pytest.raises(ConstructError, match=said):
        read(text, "Q: {1}\nA: {y}", PLACES, 2)


NONE = ["", "{1}", "{y}", "{y}: {1}", "{1} {1} {y}", "{2} {y}", "{1} {x} {y}", "{} {y}", "{1 {y}"]
NONE += [
    "{1:>3} {y}",
    "{1!r} {y}",
    "{1}} {y}",
    "{01} {y}",
    "{1} {y} {y}",
    "{1}\ud800{y}",
    "{1.a} {y}",
]


def test_an_empty_line_within_an_example_is_refused_where_nothing_tells_its_lines():
    """Where a label is forgotten, all lines after it would be taken for others."""
    good = "France\nParis\n\nJapan"
    assert read(good, "{1}\n{y}", PLACES, 2) == ([["France", "Paris"]], ["Japan"], (1,))
    with pytest.raises(ConstructError, match="lines 1 to 3 have an empty line within an example"):
        read("France\n\nJapan\nTokyo\n\nParis", "{1}\n{y}", PLACES, 2)
    assert read("Q: France\n\nA: Paris\nQ: Japan\nA:", "Q: {1}\nA: {y}", PLACES, 2)[2] == (1,)


def test_a_line_of_many_inputs_that_does_not_fit_is_one_short_sentence():
    line = ", ".join(["York"] * 1500)
    with pytest.raises(ConstructError, match=r"line 1 is .*; it must be an example, ") as error:
        read(f"{line}, Yrk -> York\n{line} ->", None, PLACES, 1502)
    assert len(str(error.value)) < 300


@pytest.mark.parametrize("text", NONE)
def test_what_is_no_format_is_refused(text):
    with pytest.raises(ConstructError, match=re.escape("the format is")):
        PromptFormat(text)


def test_a_format_has_as_many_operands_as_an_example():
    with pytest.raises(
        ConstructError, match=r"has 1 operands, but an example of n = 3 .*\{1\}, \{2\}"
    ):
        read("a: b", "{1}: {y}", SUMS, 3)


def test_a_format_of_numbers_is_refused():
    with pytest.raises(ConstructError, match="these tasks have no words"):
        parse_prompt('{"examples": [], "query": [[1]]}', d=1, n=2, format="{1}: {y}")


@pytest.mark.parametrize("format", [None, "{{{1}: {y}}}", "{1} {y}"])
def test_json_is_told_from_a_text_that_starts_with_a_brace(format):
    words = Vocabulary(["{a", "b", "}"])
    form = PromptFormat.of(format, 2)
    text = f"{form.written(['{a'], 'b')}\n{form.written(['b'])}"
    assert read(text, format, words, 2)[:2] == ([["{a", "b"]], ["b"])
    json = '{"examples": [["{a", "b"]], "query": ["}"]}'
    assert read(json, format, words, 2)[:2] == ([["{a", "b"]], ["}"])
    with pytest.raises(ConstructError, match="not valid JSON"):
        read(json[:-2], format, words, 2)


def test_a_line_of_many_inputs_is_read():
    """By no recursion: there may be thousands."""
    words = Vocabulary(["a", "b"])
    line = ", ".join(["a"] * 1500)
    assert len(read(f"{line} -> b\n{line} ->", None, words, 1501)[1]) == 1500


@given(st.text("ab-> ?", max_size=8))
def test_the_default_is_the_arrow(text):
    """What is read of one line is what stands around its arrow."""
    words = Vocabulary(["a", "b", "ab", "a-"])
    assume(text.strip())
    try:
        _, [query], _ = read(text, None, words, 2)
    except ConstructError:
        return
    left = text.rpartition("->")[0].strip()
    assert query == left
