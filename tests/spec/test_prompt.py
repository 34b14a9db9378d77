import json
import re
from contextlib import nullcontext
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from construct import (
    ConstructError,
    Domain,
    OutsideDomain,
    Prompt,
    Vocabulary,
    affine,
    check_domain,
    parse_prompt,
    relu_sum,
    retrieval,
)
from construct.rational import to_json
from construct.spec.matching import BETWEEN, MATCH, SEPARATE, judge, matches
from construct.spec.prompt import exactly
from generators import matrices, vectors

WORDS = Vocabulary(["France", "Paris", "Japan", "Tokyo", "Sao Tome, city"])
fractions = st.fractions(max_denominator=50)
word = st.sampled_from(list(WORDS)[:4])


def parse_words(text, n=2):
    return parse_prompt(text, d=len(WORDS), n=n, vocabulary=WORDS)


def one_hots(words):
    return [WORDS.one_hot(w).tolist() for w in words]


@st.composite
def example_lists(draw, entries=fractions):
    """Examples [x_1, ..., x_{n-1}, y] and a query."""
    d, n = draw(st.integers(1, 3)), draw(st.integers(2, 4))
    return draw(st.lists(matrices(n, d, entries), max_size=3)), draw(matrices(n - 1, d, entries))


# --- The two forms -----------------------------------------------------------


@given(example_lists())
def test_json_form_is_exact(case):
    examples, query = case
    text = json.dumps({"examples": to_json(examples), "query": to_json(query)})
    prompt = parse_prompt(text, d=len(query[0]), n=len(query) + 1)
    assert [[*x, y] for x, y in zip(prompt.X.tolist(), prompt.Y.tolist(), strict=True)] == examples
    assert prompt.query.tolist() == query
    assert prompt.lines == tuple(range(1, len(examples) + 1))
    assert prompt.X.dtype == prompt.Y.dtype == prompt.query.dtype == object


@given(st.integers(2, 4), st.data())
def test_text_form_is_a_line_an_example_and_the_query_last(n, data):
    row = st.lists(word, min_size=n - 1, max_size=n - 1)
    examples = data.draw(st.lists(st.tuples(row, word), max_size=4))
    query = data.draw(row)
    blank = st.sampled_from(["", "\n", "  \n"])
    lines = [f" {', '.join(x)}  -> {y} \n{data.draw(blank)}" for x, y in examples]
    prompt = parse_words("".join(lines) + f"{','.join(query)}->", n)
    assert prompt.X.tolist() == [one_hots(x) for x, _ in examples]
    assert prompt.Y.tolist() == one_hots(y for _, y in examples)
    assert prompt.query.tolist() == one_hots(query)


def test_lines_of_a_text_are_counted_with_the_empty_ones():
    prompt = parse_words("\nFrance -> Paris\n\n\nJapan -> Tokyo\nFrance ->\n")
    assert prompt.lines == (2, 5)


def test_a_single_input_may_hold_a_comma():
    assert parse_words("Sao Tome, city ->").query.tolist() == one_hots(["Sao Tome, city"])


def test_json_form_takes_words_and_vectors():
    text = json.dumps({"examples": [["France", "Paris"]], "query": [[0, 0, 1, 0, 0]]})
    prompt = parse_words(text)
    assert prompt.X.tolist() == [one_hots(["France"])]
    assert prompt.Y.tolist() == one_hots(["Paris"])
    assert prompt.query.tolist() == one_hots(["Japan"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the prompt is empty"),
        (" \n\n", "the prompt is empty"),
        ("France -> Paris", "line 1 is 'France -> Paris'; it must be the query"),
        ("France Paris\nJapan ->", "line 1 is 'France Paris'; it must be an example"),
        ("France ->\nJapan ->", "line 1 is 'France ->'; it must be an example"),
        ("\nFrance -> Paris\nJapan", "line 3 is 'Japan'; it must be the query"),
        ("France -> Pris\nJapan ->", "line 1: 'Pris' is not in .* the nearest are: Paris"),
        ("France -> Paris\n\nJapn ->", "line 3: 'Japn' is not in .* the nearest are: Japan"),
        ("-> Paris\nJapan ->", "line 1 is '-> Paris'; it must be an example, 'input -> label'"),
        ("France -> ?\nJapan -> ?", "line 1: '[?]' is not in this vocabulary"),
        ("France -> Paris\nJapan -> ?\n?", "line 2: '[?]' is not in this vocabulary"),
    ],
)
def test_a_malformed_text_names_the_line(text, said):
    with pytest.raises(ConstructError, match=said):
        parse_words(text)


def test_a_line_of_too_few_inputs_is_named():
    said = "line 1 is 'France -> Paris'; it must be an example, 'input 1, input 2 -> label'"
    with pytest.raises(ConstructError, match=said):
        parse_words("France -> Paris\nJapan, Japan ->", n=3)


@pytest.mark.parametrize("query", ["Japan -> ?", "Japan ->?", " Japan->? "])
def test_the_mark_of_a_query_may_stand_in_its_place(query):
    """The demo printed it, and run refused it: '?' is not in this vocabulary."""
    prompt = parse_words(f"France -> Paris\n{query}")
    assert prompt.query.tolist() == one_hots(["Japan"])
    assert prompt.Y.tolist() == one_hots(["Paris"])


def test_where_the_mark_is_a_word_it_is_a_label_and_no_query():
    marks = Vocabulary(["a", "?"])
    text = "a -> ?\na ->"
    assert parse_prompt(text, d=2, n=2, vocabulary=marks).Y.tolist() == [[0, 1]]
    with pytest.raises(ConstructError, match=r"line 1 is 'a -> \?'; it must be the query"):
        parse_prompt("a -> ?", d=2, n=2, vocabulary=marks)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (
            {"examples": [[[1, 2], [2, 1]]], "query": [[3, 4]]},
            "the query holds a vector of 2 numbers, but this artifact takes words: write words, "
            'such as "France"',
        ),
        ({"examples": [[1, "Paris"]], "query": ["Japan"]}, "example 1 holds the number 1, but"),
        ({"examples": [], "query": [0.5]}, "the query holds the number .*takes words"),
        ({"examples": [["France"]], "query": ["Japan"]}, "example 1 has 1 words; it must have 2"),
        ({"examples": [], "query": []}, "the query has 0 words; it must have 1"),
    ],
)
def test_numbers_where_words_belong_are_answered_with_words(value, said):
    """It said that the sizes n and d were others."""
    with pytest.raises(ConstructError, match=said):
        parse_words(json.dumps(value))


def test_a_number_that_is_a_word_in_quotes_is_told_so():
    digits = Vocabulary(list("0123456789"))
    text = '{"examples": [[3, 5]], "query": ["9"]}'
    with pytest.raises(ConstructError, match=r'example 1 holds the number 3, .* as the word "3"'):
        parse_prompt(text, d=10, n=2, vocabulary=digits)


ONE = [[0], [0]]
MALFORMED = [
    ("[]", "takes numbers"),
    ("nothing", "takes numbers"),
    ("{nothing", "not valid JSON"),
    ({"examples": []}, "the prompt must be"),
    ({"examples": [], "query": [[1]], "k": 1}, "the prompt must be"),
    ({"examples": {}, "query": [[1]]}, "must be lists"),
    ({"examples": [], "query": 1}, "must be lists"),
    ({"examples": [], "query": []}, "the query is empty; it must be a list"),
    ({"examples": [], "query": [1]}, r"the query is \[1\]; it must be a list of n-1 vectors"),
    ({"examples": [], "query": [[1], [1, 2]]}, "the query"),
    ({"examples": [], "query": [["x"]]}, "the query is 'x'"),
    ({"examples": [], "query": [[None]]}, "the query is None"),
    ({"examples": [ONE, 1], "query": [[1]]}, "example 2"),
    ({"examples": [ONE, [[0]]], "query": [[1]]}, "example 2 has the shape"),
    ({"examples": [ONE, [[0], [1, 2]]], "query": [[1]]}, "example 2"),
    ({"examples": [ONE, [[0], ["1/0"]]], "query": [[1]]}, "example 2 is '1/0'"),
    ({"examples": [ONE, {"x": 1}], "query": [[1]]}, "example 2"),
    (
        {"examples": [], "query": [[1, 2]]},
        "n = 2 and d = 2; the artifact needs examples of n = 2 .* d = 1",
    ),
    (
        {"examples": [], "query": [[1], [2]]},
        "n = 3 and d = 1; the artifact needs examples of n = 2",
    ),
    ('{"examples": [], "query": [[NaN]]}', "the prompt holds NaN"),
]


@pytest.mark.parametrize(("value", "said"), MALFORMED, ids=[str(value) for value, _ in MALFORMED])
def test_a_malformed_json_form_names_the_example(value, said):
    text = value if isinstance(value, str) else json.dumps(value)
    with pytest.raises(ConstructError, match=said):
        parse_prompt(text, d=1, n=2)


@pytest.mark.parametrize(
    "examples",
    [
        [["France", "Paris"], "France"],
        [["France", "Paris"], 1],
        [["France", "Paris"], ["France"]],
        [["France", "Paris"], ["France", "Pris"]],
        [["France", "Paris"], ["France", None]],
    ],
    ids=str,
)
def test_a_malformed_example_of_words_is_named_and_never_dropped(examples):
    with pytest.raises(ConstructError, match="example 2"):
        parse_words(json.dumps({"examples": examples, "query": ["Japan"]}))


# --- Shapes and number formats -----------------------------------------------


@pytest.mark.parametrize(
    "shapes",
    [
        ((1, 1, 2), (1, 2), (2, 2)),
        ((1, 1, 2), (2, 2), (1, 2)),
        ((1, 1, 2), (1, 3), (1, 2)),
        ((2, 1, 2), (1, 2), (1, 2)),
    ],
)
def test_arrays_that_do_not_fit_together_are_refused(shapes):
    with pytest.raises((ConstructError, TypeError)):
        Prompt(*map(np.zeros, shapes))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", range(3))
def test_floats_are_finite(bad, place):
    arrays = [np.zeros((1, 1, 1)), np.zeros((1, 1)), np.zeros((1, 1))]
    arrays[place][...] = bad
    with pytest.raises(ConstructError, match="holds NaN or infinity"):
        Prompt(*arrays)


@given(example_lists(st.floats(-1e30, 1e30)))
def test_formats_round_to_nearest_and_floats_are_kept_exactly(case):
    prompt = Prompt.of(*case)
    single = prompt.astype("float32")
    assert single.query.dtype == single.X.dtype == single.Y.dtype == np.float32
    assert single.query.tolist() == np.array(case[1], np.float32).tolist()
    assert prompt.astype("float64").query.tolist() == case[1]
    exact = single.astype("exact")
    assert exact.query.dtype == object
    assert exact.query.tolist() == single.query.tolist()
    assert exact.astype("float32").X.tolist() == single.X.tolist()
    assert single.lines == prompt.lines


@pytest.mark.parametrize(("entry", "dtype"), [(10**39, "float32"), (10**400, "float64")])
def test_a_number_beyond_the_format_is_refused(entry, dtype):
    with pytest.raises(ConstructError):
        Prompt.of([], [[entry]]).astype(dtype)


# --- The domain check --------------------------------------------------------

RET1, RET2 = retrieval("ret1", 1, d=1), retrieval("ret2", 2, d=1)
DOMAIN = Domain(R=4, Ry=8, delta=Fraction(1, 2))


def check(examples, query=((0,), (0,)), domain=DOMAIN, m=4, dtype="exact", lines=()):
    prompt = Prompt.of(examples, query).astype(dtype)
    check_domain(prompt, (RET1, RET2), domain, m)


@pytest.mark.parametrize("dtype", ["exact", "float32", "float64"])
def test_matches_and_distances_of_delta_are_inside(dtype):
    check([[[1], [3], [1]], [[4], [-4], [8]], [[1], [1], [1.5]]], dtype=dtype)
    check([], dtype=dtype)


@pytest.mark.parametrize("dtype", ["exact", "float32", "float64"])
def test_a_label_too_near_to_a_task_names_example_task_and_distance(dtype):
    said = "example 2: its label is at distance 0.25 from task 'ret2'; .* delta = 1/2"
    with pytest.raises(OutsideDomain, match=said):
        check([[[1], [3], [1]], [[4], [-4], [-4.25]]], dtype=dtype)


def test_a_label_too_near_in_a_text_is_named_by_its_line():
    third = affine("third", [["1/3" if i == j else 0 for j in range(5)] for i in range(5)])
    prompt = parse_words("\n\nFrance -> France\nJapan ->")
    with pytest.raises(OutsideDomain, match=r"example 3: .* 0.666667 from task 'third'"):
        check_domain(prompt, [third], Domain(1, 1, 1, 1), 4)


@pytest.mark.parametrize(
    ("examples", "query", "said"),
    [
        ([[[0], [0], [0]], [[0], [5], [0]]], [[0], [0]], "example 2: an input has the entry 5"),
        ([[[0], [0], [-9]]], [[0], [0]], "example 1: the label has the entry -9"),
        ([], [[0], [-4.5]], "the query: an input has the entry -9/2; .* <= 4"),
    ],
)
def test_an_entry_beyond_its_bound_is_named(examples, query, said):
    with pytest.raises(OutsideDomain, match=said):
        check(examples, query)


@pytest.mark.parametrize("dtype", ["exact", "float32", "float64"])
def test_an_entry_off_the_grid_is_named(dtype):
    grid = Domain(4, 8, 1, grid=Fraction(1, 4))
    check([[[0.25], [-0.5], [4]]], [[1], [-3.75]], grid, dtype=dtype)
    said = "the query: an input has the entry .*; .* multiples of 1/4"
    with pytest.raises(OutsideDomain, match=said):
        check([], [[1], [0.125]], grid, dtype=dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("grid", [None, Fraction(1, 10)])
def test_rounding_a_prompt_of_the_domain_keeps_it_in_the_domain(dtype, grid):
    domain = Domain(Fraction(3, 10), Fraction(4, 5), Fraction(1, 10), grid)
    examples = [[["0.3"], ["0.1"], ["0.3"]], [["0.2"], ["-0.3"], ["0.8"]]]
    for form in ("exact", dtype):
        check(examples, [["0.3"], ["0.1"]], domain, dtype=form)


def test_more_examples_than_slots_are_bad_usage_and_not_outside_the_domain():
    with pytest.raises(ConstructError, match=r"has 2 examples; .* m = 1: .* --m 2") as error:
        check([[[1], [3], [1]]] * 2, m=1)
    assert not isinstance(error.value, OutsideDomain)


@given(
    st.lists(vectors(3, st.integers(-40, 40)), min_size=1, max_size=3),
    st.sampled_from([None, 1, Fraction(1, 2)]),
    st.sampled_from([1, 2, Fraction(1, 4)]),
)
def test_the_check_is_the_definition_of_the_domain(rows, grid, delta):
    examples = [[[Fraction(t, 4)] for t in row] for row in rows]
    query = [[0], [0]]
    inside = all(
        max(abs(x), abs(z)) <= 4
        and abs(y) <= 8
        and all(y == f or abs(y - f) >= delta for f in (x, z))
        and (grid is None or all(t % grid == 0 for t in (x, z, y)))
        for (x,), (z,), (y,) in examples
    )
    for dtype in ("exact", "float32", "float64"):
        refused = pytest.raises(OutsideDomain, match=r"^example [123]: ")
        with nullcontext() if inside else refused:
            check(examples, query, Domain(4, 8, delta, grid), dtype=dtype)


# --- Distances without rounding -------------------------------------------------

HUGE = [10**17, 1 - 10**17, Fraction(1, 3), Fraction(1, 3000), Fraction(1, 10**30), 10**300]


@st.composite
def judged(draw):
    """Features, C and A of cancelling, tiny or huge terms; a format, an input, a nudge."""
    d, count = draw(st.integers(1, 2)), draw(st.integers(1, 4))
    number = st.sampled_from([*HUGE, 0, 1, -1, 2, Fraction(-1, 7)])
    features = [[{"a": draw(vectors(d, number)), "e": draw(number)}] for _ in range(count)]
    C = [draw(vectors(count, number)) for _ in range(d)]
    fields = features, C, [draw(vectors(d, number)) for _ in range(d)]
    dtype = draw(st.sampled_from(["float32", "float64"]))
    x = draw(vectors(d, st.floats(-8, 8, width=32)))
    nudge = draw(st.sampled_from([0, 1, 2.0**-16, 2.0**-31, 2.0**-30, 2.0**-12, 1 - 2.0**-27]))
    return fields, dtype, x, nudge


@given(judged())
def test_floats_are_judged_as_the_rationals_that_they_are(case):
    fields, dtype, x, nudge = case
    task = relu_sum("f", *fields)
    exact = [v + Fraction(nudge) for v in task([[Fraction(t) for t in x]])]
    assume(max(map(abs, exact)) < 10**38)
    prompt = Prompt.of([[x, exact]], [x]).astype(dtype)
    p = np.finfo(dtype).nmant + 1
    gap = task(exactly(prompt.X[0])) - exactly(prompt.Y[0])
    square = (gap**2).sum()
    limits = (Fraction(1, 2 ** (p + 7)), (1 - Fraction(1, 2 ** (p // 2))) ** 2)
    wanted = MATCH if square <= limits[0] else SEPARATE if square >= limits[1] else BETWEEN
    assert judge(task, prompt, *limits).tolist() == [wanted]
    assert matches(task, prompt, 1).tolist() == [wanted == MATCH]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_label_at_a_limit_and_those_beside_it_are_told_apart(dtype):
    one, half = affine("one", [[1]]), (np.finfo(dtype).nmant + 1) // 2
    match, separate = dtype(2.0**-20), dtype(1 - 2.0**-half)
    y = [np.nextafter(limit, dtype(way)) for limit in (match, separate) for way in (0, 2)]
    y = np.array([match, *y[:2], separate, *y[2:]], dtype)[:, None]
    prompt = Prompt(np.zeros((6, 1, 1), dtype), y, np.zeros((1, 1), dtype))
    limits = (Fraction(float(limit)) ** 2 for limit in (match, separate))
    found = judge(one, prompt, *limits).tolist()
    assert found == [MATCH, MATCH, BETWEEN, SEPARATE, BETWEEN, SEPARATE]


@pytest.mark.parametrize("grid", ["1/3", "1/10", "1/7", "1e-30", "3/4", 1, "2/3"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_exactly_the_rounded_multiples_of_a_grid_are_on_it(grid, dtype):
    step = Fraction(grid)
    domain = Domain(3**40 * step, 3**40 * step, step, grid=step)
    for k in (0, 1, -3, 7, 10**6 + 1, 2**24 - 1, 2**40 + 1, 2**53 + 1, 3**37):
        on = Prompt.of([], [[k * step]]).astype(dtype)
        check_domain(on, [], domain, 1)
        if 0 < abs(k) < 2 ** (np.finfo(dtype).nmant - 2):
            off = Prompt.of([], [[(k + Fraction(1, 3)) * step]]).astype(dtype)
            with pytest.raises(OutsideDomain, match="multiples of"):
                check_domain(off, [], domain, 1)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("steps", [20, 24, 25, 30, 53, 54, 60, 160])
def test_a_label_at_delta_stays_inside_on_a_binary_grid_that_the_format_rounds(dtype, steps):
    """Multiples of a binary grid are rounded too, once they have more digits than the format."""
    grid = Fraction(1, 2**steps)
    domain = Domain(8, 16, 1, grid=grid)
    for k in (1, 2 ** (steps - 1) + 1, 2**steps - 1, 3 * 2**steps + 1):
        x = k * grid
        prompt = Prompt.of([[[x], [x + 1]], [[-x], [-x - 1]], [[x], [x - 1]]], [[x]])
        check_domain(prompt.astype(dtype), [affine("f", [[1]])], domain, 4)


@pytest.mark.parametrize(
    ("delta", "shown"), [(1, "0.6"), (10**400, "6.000000e+399"), (Fraction(1, 10**8), "6e-09")]
)
def test_a_distance_is_shown_in_six_digits_whatever_its_size(delta, shown):
    domain, label = Domain(delta, 4 * delta, delta), Fraction(6, 10) * delta
    with pytest.raises(OutsideDomain, match=rf"at distance {re.escape(shown)} from"):
        check([[[0], [0], [label]]], domain=domain)


def test_a_prompt_of_the_numbers_of_words_is_one_hot():
    prompt = Prompt.of_words([[0, 2], [1, 1]], [2, 0], [1, 2], 3, lines=(4, 7))
    assert prompt.X.tolist() == [[[1, 0, 0], [0, 0, 1]], [[0, 1, 0], [0, 1, 0]]]
    assert prompt.Y.tolist() == [[0, 0, 1], [1, 0, 0]]
    assert prompt.query.tolist() == [[0, 1, 0], [0, 0, 1]]
    assert prompt.lines == (4, 7)
    assert Prompt.of_words([], [], [1], 3).X.shape == (0, 1, 3)


@pytest.mark.parametrize(
    ("X", "Y", "query", "d"),
    [
        ([[-1]], [0], [2], 4),
        ([[4]], [0], [2], 4),
        ([[2**70]], [0], [2], 4),
        ([[1.9]], [0], [2], 4),
        ([["0"]], [0], [2], 4),
        ([[True]], [0], [2], 4),
        ([[0], [1, 2]], [0, 1], [2], 4),
        ([[0, 1]], [1, 2], [2], 4),
        ([[0, 1, 2, 3]], [1, 2], [2, 1], 4),
        ([[0]], [0, 1], [2], 4),
        ([[0]], [0], [], 4),
        ([[0]], [0], 2, 4),
        ([[0]], [0], [-1], 4),
        ([[0]], [0], [0], 0),
        (None, [0], [0], 4),
    ],
)
def test_what_are_no_numbers_of_words_is_refused(X, Y, query, d):
    with pytest.raises(ConstructError):
        Prompt.of_words(X, Y, query, d)
