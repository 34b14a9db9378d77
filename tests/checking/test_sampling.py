import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from construct import (
    ConstructError,
    Domain,
    Prompt,
    Vocabulary,
    absolute,
    add,
    affine,
    build,
    check_domain,
    lookup,
    maximum,
    mixture,
    random_tasks,
    relu_sum,
    retrieval,
    shift,
)
from construct.checking.sampling import random_prompts

WORDS = Vocabulary(list("abcdef"))
TABLES = [
    lookup("next", dict(zip("abcdef", "bcdefa", strict=True)), vocabulary=WORDS),
    lookup("same", dict(zip("abcd", "abcd", strict=True)), vocabulary=WORDS),
    lookup("swap", dict(zip("abcdef", "badcfe", strict=True)), vocabulary=WORDS),
]
CONSTRUCTIONS = {
    "affine": build(random_tasks(4, 3), m=6),
    "operands": build(
        [add("sum", (1, 2), d=2), retrieval("op1", 1, d=2), maximum("max", d=2)], m=5
    ),
    "dictionary": build([absolute("abs", d=2), affine("third", [["1/3", 0], [0, 1]])], m=5),
    "grid": build(random_tasks(3, 2), m=5, domain=Domain(4, 8, 1, Fraction(1, 2))),
    "words": build(TABLES, m=5, vocabulary=WORDS),
}
named = pytest.mark.parametrize("construction", CONSTRUCTIONS.values(), ids=CONSTRUCTIONS)


def inside(prompt, construction) -> bool:
    """Whether a prompt of rationals is in the domain, by its definition alone."""
    domain, entries = construction.domain, [*prompt.X.flat, *prompt.Y.flat, *prompt.query.flat]
    squares = [((f(x) - y) ** 2).sum() for f, x, y in _pairs(prompt, construction)]
    return (
        len(prompt.X) <= construction.sizes.m
        and max(map(abs, [*prompt.X.flat, *prompt.query.flat])) <= domain.R
        and max(map(abs, prompt.Y.flat), default=0) <= domain.Ry
        and (domain.grid is None or not any(x % domain.grid for x in entries))
        and all(s == 0 or s >= domain.delta**2 for s in squares)
    )


DRAWN = [
    ["23/3", "-1", "5", "0", "8", "-8"],
    ["39", "-16", "29/3", "-34/7", "259/5", "93/5"],
    ["5", "0"],
]


def _pairs(prompt, construction):
    for task, (x, y) in itertools.product(construction.tasks, zip(prompt.X, prompt.Y, strict=True)):
        yield task, x, y


@named
@pytest.mark.parametrize("dtype", ["float32", "float64", "exact"])
def test_every_prompt_is_in_the_domain_in_every_format(construction, dtype):
    for prompt in random_prompts(construction, 60, seed=1, exact=dtype == "exact"):
        numbers = prompt.astype(dtype)
        check_domain(numbers, construction.tasks, construction.domain, construction.sizes.m)


# --- Domains of every kind ---------------------------------------------------

TASKS = [
    affine("id", [[1, 0], [0, 1]]),
    affine("turn", [[0, -1], [1, 0]], ["1/3", 0]),
    relu_sum("up", [[{"a": [1, 1], "e": "-1/7"}]], [[2], [-1]]),
]
TINY = Fraction(1, 10**30)
DOMAINS = {
    "grid 1/3": Domain(8, 32, 1, Fraction(1, 3)),
    "grid 1/10": Domain(8, 32, Fraction(1, 10), Fraction(1, 10)),
    "grid 1/7": Domain(Fraction(8, 3), 32, 1, Fraction(1, 7)),
    "grid 3": Domain(8, 32, 1, 3),
    "a grid beyond R": Domain(8, 32, 1, 33),
    "a tiny grid": Domain(8, 32, 1, TINY),
    "a tiny grid that is binary": Domain(8, 32, 1, Fraction(1, 2**70)),
    "R that is no float": Domain(10**18 + 65, 4 * 10**18 + 1, 10**15),
    "R = 1e40": Domain(10**40, 10**41, 1),
    "R = 1e40, delta as large": Domain(10**40, 10**41, 10**39),
    "R = 1/3": Domain(Fraction(1, 3), 1, Fraction(1, 100)),
    "R too small for a noise label": Domain(Fraction(1, 10), Fraction(1, 10), 1),
    "R tiny": Domain(TINY, TINY, TINY),
    "labels that hold no value": Domain(8, Fraction(1, 100), 5),
    "delta huge": Domain(8, 32, 10**30),
    "delta tiny": Domain(8, 32, TINY),
    "all tiny": Domain(8 * TINY, 32 * TINY, TINY),
}


@pytest.mark.parametrize("name", DOMAINS)
@pytest.mark.parametrize("tasks", [TASKS[:1], TASKS], ids=["one", "three"])
def test_prompts_of_any_domain_are_in_it_before_and_after_rounding(name, tasks):
    construction = build(tasks, m=4, domain=DOMAINS[name])
    for prompt in random_prompts(construction, 40, seed=1, exact=True):
        assert inside(prompt, construction)
    for prompt in random_prompts(construction, 40, seed=1):
        for dtype in construction.certified:
            check_domain(prompt.astype(dtype), tasks, construction.domain, 4)


bounds = st.one_of(
    st.fractions(Fraction(1, 30), 1000, max_denominator=30),
    st.integers(-40, 40).map(lambda e: Fraction(10) ** e),
)


@given(bounds, bounds, bounds, st.none() | bounds, st.integers(0, 100))
def test_prompts_of_a_domain_are_in_it(R, Ry, delta, grid, seed):
    construction = build(TASKS, m=3, domain=Domain(R, Ry, delta, grid))
    for prompt in random_prompts(construction, 5, seed=seed, exact=True):
        assert inside(prompt, construction)
    for prompt in random_prompts(construction, 5, seed=seed):
        for dtype in construction.certified:
            check_domain(prompt.astype(dtype), TASKS, construction.domain, 3)


def test_where_no_label_has_room_prompts_are_empty():
    # A label of at most 32 is no 10^30 away, and the two never agree.
    tasks = [retrieval("x", 1, d=1), shift("x + 1/10", [Fraction(1, 10)])]
    construction = build(tasks, m=4, domain=Domain(8, 32, 10**30))
    prompts = random_prompts(construction, 30, exact=True)
    assert [len(prompt.X) for prompt in prompts] == [0] * 30


def test_where_only_matches_have_room_prompts_are_full_of_them():
    construction = build(TASKS[:1], m=4, domain=DOMAINS["R too small for a noise label"])
    prompts = random_prompts(construction, 30, exact=True)
    assert {len(prompt.X) for prompt in prompts} == set(range(5))
    for prompt in prompts:
        assert mixture(TASKS[:1], prompt).votes == (len(prompt.X),)


@pytest.mark.parametrize("bound", ["R", "Ry"])
def test_words_that_the_domain_excludes_give_numbers(bound):
    narrow = {"R": 1, "Ry": 1, "delta": 1, bound: Fraction(1, 2)}
    construction = build(TABLES, m=3, vocabulary=WORDS, domain=Domain(**narrow))
    for prompt in random_prompts(construction, 20, exact=True):
        assert inside(prompt, construction)


# --- What prompts hold -------------------------------------------------------


@named
@pytest.mark.parametrize("exact", [True, False])
def test_a_seed_gives_the_same_prompts_again_and_another_seed_others(construction, exact):
    first, again, other = (
        [
            [a.tolist() for a in (p.X, p.Y, p.query)]
            for p in random_prompts(construction, 5, s, exact=exact)
        ]
        for s in (3, 3, 4)
    )
    assert first == again
    assert first != other


def test_the_draws_are_the_same_on_every_machine():
    """Written down once: Python's generator and whole numbers, no linear algebra."""
    construction = build(TASKS, m=4)
    [prompt] = random_prompts(construction, 1, seed=25, exact=True)
    drawn = [[str(x) for x in a.ravel()] for a in (prompt.X, prompt.Y, prompt.query)]
    assert drawn == DRAWN


@named
@pytest.mark.parametrize("exact", [True, False])
def test_prompts_hold_ties_noise_blanks_and_silence(construction, exact):
    prompts, m = random_prompts(construction, 300, seed=0, exact=exact), construction.sizes.m
    delta, tasks = construction.domain.delta, construction.tasks
    mixtures = [mixture(tasks, prompt, delta=delta) for prompt in prompts]
    assert any(x.ambiguous for x in mixtures)
    assert any(x.unexplained for x in mixtures)
    assert {len(p.X) for p in prompts} == set(range(m + 1))
    assert any(len(x.unexplained) and not any(x.votes) for x in mixtures)
    assert any(sum(map(bool, x.votes)) > 1 for x in mixtures)
    for k in range(len(tasks)):
        assert any(x.votes[k] for x in mixtures)
        assert any(any(x.votes) and not x.votes[k] for x in mixtures)


@named
def test_inputs_are_repeated_equal_and_asked_again(construction):
    prompts = random_prompts(construction, 200, seed=0, exact=True)
    inputs = [[x.tolist() for x in prompt.X] for prompt in prompts]
    assert any(x in xs[:i] for xs in inputs for i, x in enumerate(xs))
    assert any(p.query.tolist() in xs for p, xs in zip(prompts, inputs, strict=True))
    if construction.sizes.n > 2:
        assert any(x[0] == x[1] and any(x[0]) for xs in inputs for x in xs)


@pytest.mark.parametrize("name", ["affine", "operands", "dictionary", "grid"])
def test_prompts_of_numbers_have_zeros_corners_whole_and_broken_inputs(name):
    construction = CONSTRUCTIONS[name]
    prompts = random_prompts(construction, 200, seed=0, exact=True)
    inputs = [x for prompt in prompts for x in prompt.X]
    assert any(not x.any() for x in inputs)
    assert any((abs(x) == construction.domain.R).all() for x in inputs)
    assert any(all(v.denominator == 1 for v in x.flat) and x.any() for x in inputs)
    assert any(any(v.denominator > 1 for v in x.flat) for x in inputs)
    assert any(x.any() and not x.all() for x in inputs)
    labels = [y for prompt in prompts for y in prompt.Y]
    assert any((abs(y) == construction.domain.Ry).all() for y in labels)
    pairs = [(x, y) for prompt in prompts for x, y in zip(prompt.X, prompt.Y, strict=True)]
    assert any((y == v).all() and y.any() for x, y in pairs for v in x)


@pytest.mark.parametrize("delta", [1, 5, Fraction(5, 7)])
@pytest.mark.parametrize("grid", [None, Fraction(1, 7)])
def test_labels_stand_at_distance_exactly_delta_along_an_axis_and_aslant(delta, grid):
    construction = build(TASKS[:1], m=4, domain=Domain(8, 32, delta, grid))
    gaps = [
        [g for g in (f(x) - y).tolist() if g]
        for prompt in random_prompts(construction, 100, exact=True)
        for f, x, y in _pairs(prompt, construction)
    ]
    at_delta = [gap for gap in gaps if sum(g**2 for g in gap) == delta**2]
    aslant = grid is None or not (delta * Fraction(3, 5) % grid or delta * Fraction(4, 5) % grid)
    assert {len(gap) for gap in at_delta} == ({1, 2} if aslant else {1})


def test_on_a_grid_without_a_point_at_delta_labels_stand_at_the_next():
    construction = build(TASKS[:1], m=4, domain=Domain(8, 32, Fraction(1, 2), Fraction(1, 3)))
    squares = [
        ((f(x) - y) ** 2).sum()
        for prompt in random_prompts(construction, 60, exact=True)
        for f, x, y in _pairs(prompt, construction)
    ]
    assert Fraction(2, 3) ** 2 in squares


TIES = {
    "a rotation and a shift meet at one point, of halves": [
        affine("turn", [[0, -1], [1, 0]]),
        affine("on", [[1, 0], [0, 1]], [1, 0]),
    ],
    "dense maps meet at sevenths": [
        affine("f", [[3, 1], [-1, 2]]),
        affine("g", [[0, 0], [0, 0]], [1, 2]),
    ],
    "on a kink": [absolute("abs", d=2), affine("line", [["1/2", 0], [0, "1/2"]], [1, 1])],
    "two positions": [add("sum", (1, 2), d=2), retrieval("op1", 1, d=2)],
}


@pytest.mark.parametrize("name", TIES)
def test_ties_are_found_exactly_wherever_two_tasks_meet(name):
    construction = build(TIES[name], m=6)
    votes = [
        mixture(construction.tasks, prompt)
        for prompt in random_prompts(construction, 150, exact=True)
    ]
    assert any(x.ambiguous for x in votes)


def test_tokens_of_a_large_construction_are_drawn_with_their_ties():
    construction = build([*random_tasks(6, 48), retrieval("other", 8, d=48)], m=4)
    assert construction.sizes.n == 9
    for prompt in random_prompts(construction, 6, exact=True):
        assert inside(prompt, construction)


@named
def test_labels_of_exact_prompts_are_exact(construction):
    for prompt in random_prompts(construction, 20, seed=2, exact=True):
        words = construction.vocabulary is not None
        kind = np.dtype(np.int8 if words else object)
        assert {prompt.X.dtype, prompt.Y.dtype, prompt.query.dtype} == {kind}
        assert {
            type(x.item() if words else x)
            for a in (prompt.X, prompt.Y, prompt.query)
            for x in a.flat
        } <= {
            int,
            Fraction,
        }


@named
def test_float_prompts_are_float64(construction):
    for prompt in random_prompts(construction, 20, seed=2):
        assert {prompt.X.dtype, prompt.Y.dtype, prompt.query.dtype} == {np.dtype("float64")}


def test_float_prompts_use_all_bits_of_float64():
    prompts = random_prompts(CONSTRUCTIONS["affine"], 60)
    numbers = [x for prompt in prompts for x in prompt.X.flat]
    assert any(float(np.float32(x)) != x for x in numbers)


def test_prompts_of_words_are_one_hot():
    for prompt in random_prompts(CONSTRUCTIONS["words"], 50, seed=0):
        tokens = np.concatenate([prompt.X.reshape(-1, 6), prompt.Y, prompt.query])
        assert set(tokens.ravel()) == {0, 1}
        assert (tokens.sum(axis=1) == 1).all()


def test_fewer_examples_at_most():
    prompts = random_prompts(CONSTRUCTIONS["affine"], 60, most=2)
    assert {len(prompt.X) for prompt in prompts} == {0, 1, 2}
    assert {len(p.X) for p in random_prompts(CONSTRUCTIONS["affine"], 20, most=0)} == {0}
    assert isinstance(prompts[0], Prompt)


@pytest.mark.parametrize("name", ["count", "seed", "most"])
@pytest.mark.parametrize("value", [-1, True])
def test_numbers_of_prompts_are_whole(name, value):
    arguments = {"count": 1, "seed": 0, "most": 1, name: value}
    with pytest.raises(ConstructError, match=f"{name} is {value!r}"):
        random_prompts(CONSTRUCTIONS["affine"], **arguments)
