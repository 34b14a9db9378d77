"""How far an answer may be off: the formula by hand, against sums in any order, and beyond."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from orders import ORDERS, total

from construct import Domain, Prompt, affine, build, mixture, retrieval, run, shift
from construct.certify.formats import BY_NAME, FORMATS
from construct.checking.verification import absolute_sums, compare, largest_term, specification, ulp
from generators import whole_cases

by_format = pytest.mark.parametrize("fmt", FORMATS, ids=lambda f: f.name)
REAL = Domain(8, 16, 1)


def allowed(made, dtype, votes, query):
    absolute = {k: absolute_sums(task, query) for k, task in enumerate(made.tasks)}
    values = {k: task(query) for k, task in enumerate(made.tasks)}
    return made.accuracy[dtype].error(votes, absolute, values)


QUERY = np.array([[Fraction(7, 3)]], dtype=object)


@by_format
def test_one_vote_for_a_copy_is_exact(fmt):
    made = build([retrieval("copy", 1, d=1)], m=8, domain=REAL)
    (error,) = allowed(made, fmt.name, [1], QUERY)
    assert error == made.accuracy[fmt.name].flushed < fmt.tiny * 100


@by_format
def test_whole_numbers_with_one_vote_are_exact_and_nothing_underflows(fmt):
    made = build([affine("double", [[2]])], m=8, domain=Domain(8, 16, 1, 1))
    query = np.array([[Fraction(3)]], dtype=object)
    assert allowed(made, fmt.name, [1], query).tolist() == [0]
    # Divided by 3, it is rounded.
    assert allowed(made, fmt.name, [3], query)[0] > 0


@by_format
def test_one_vote_for_a_shift_rounds_once(fmt):
    made = build([shift("f", [3])], m=8, domain=REAL)
    (error,) = allowed(made, fmt.name, [1], QUERY)
    assert error == fmt.error(1) * (QUERY[0, 0] + 3) + made.accuracy[fmt.name].flushed


@by_format
@pytest.mark.parametrize(("votes", "additions"), [(2, 2), (4, 9), (8, 35)])
def test_votes_pass_through_additions_and_a_power_of_two_divides_exactly(fmt, votes, additions):
    # 2; 4 + 3 + 2; 8 + 7 + ... + 2.
    made = build([retrieval("copy", 1, d=1)], m=8, domain=REAL)
    (error,) = allowed(made, fmt.name, [votes], QUERY)
    u = 1 / (1 / fmt.u - votes)
    assert error == u * Fraction(additions, votes) * QUERY[0, 0] + made.accuracy[fmt.name].flushed


@by_format
def test_a_reciprocal_is_rounded_and_multiplied(fmt):
    made = build([retrieval("copy", 1, d=1)], m=8, domain=Domain(8, 8, 1, grid=1))
    # Whole numbers: every sum is exact.
    (error,) = allowed(made, fmt.name, [3], np.array([[5]], dtype=object))
    assert error == fmt.error(2) * 5 + made.accuracy[fmt.name].flushed
    assert made.accuracy[fmt.name].ulps == 3


def test_without_a_vote_nothing_may_be_off():
    made = build([retrieval("copy", 1, d=1)], m=8, domain=REAL)
    assert (allowed(made, "float64", [0], QUERY) == 0).all()


@by_format
@given(st.lists(st.integers(-(2**24) + 1, 2**24 - 1), min_size=2, max_size=40))
def test_no_order_of_summation_is_off_by_more(fmt, whole):
    made = build([retrieval("copy", 1, d=1)], m=64, domain=REAL)
    values = np.array(whole, fmt.name)[None] * 2.0 ** -((fmt.p - 24) // 2)
    exact = [Fraction(float(v)) for v in values[0]]
    bound = made.accuracy[fmt.name]._sum(len(exact)) * len(exact) * max(map(abs, exact))
    for order in ORDERS:
        found = Fraction(float(total(values.astype(fmt.name), order)[0]))
        assert abs(found - sum(exact)) <= bound


@by_format
def test_the_bound_on_sums_is_not_8_times_too_cautious(fmt):
    made = build([retrieval("copy", 1, d=1)], m=64, domain=REAL)
    # Beside a sum of 32 to 64 of them, the last bits of 1 + 15 ulp are rounded away.
    value = 1 + 15 * 2 * fmt.u
    terms = np.full((1, 63), float(value), fmt.name)
    off = abs(Fraction(float(total(terms, ORDERS[0])[0])) - 63 * value)
    assert off <= made.accuracy[fmt.name]._sum(63) * 63 * value <= 8 * off


@settings(max_examples=30)
@given(whole_cases())
def test_ulps_bound_the_error_of_every_prompt(case):
    construction, prompt = case.build()
    votes = mixture(construction.tasks, prompt).votes
    voted = [k for k, c in enumerate(votes) if c]
    assume(voted and construction.accuracy)
    for dtype, accuracy in construction.accuracy.items():
        terms = [largest_term(construction.wiring.tasks[k], prompt.query) for k in voted]
        largest = max(*terms, *map(accuracy.largest_gate, voted))
        error = allowed(construction, dtype, votes, prompt.query).max() - accuracy.flushed
        assert error <= accuracy.ulps * ulp(largest, BY_NAME[dtype].p)


def test_ulps_grow_by_half_a_vote():
    found = [build([retrieval("f", 1, d=1)], m=m, domain=REAL).accuracy for m in (1, 2, 64, 128)]
    assert [accuracy["float64"].ulps for accuracy in found] == [0, 2, 35, 67]


def test_an_answer_that_is_off_by_more_is_reported():
    made = build([affine("f", [["1/3"]])], m=4, domain=REAL)
    X = [[3]]
    prompt = Prompt.of([[*X, [1]]] * 3, X).astype("float32")
    wanted, got = specification(made, prompt), run(made, prompt, executor="numpy", dtype="float32")
    assert compare(made, prompt, wanted, got, "float32")[1] == []
    (error,) = allowed(made, "float32", [3], prompt.astype("exact").query)
    for times, wrong in ((Fraction(99, 100), False), (Fraction(101, 100), True)):
        got.answer[:] = wanted.answer + error * times
        off = np.array([wanted.answer[0] + error * times], dtype=object)
        moved = type(got)(off, got.votes, got.explains)
        assert bool(compare(made, prompt, wanted, moved, "float32")[1]) == wrong
