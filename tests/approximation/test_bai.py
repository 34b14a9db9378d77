"""Definition 12 to the letter, and what Proposition A.1 would have asked for."""

import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from construct.approximation import series
from construct.approximation.bai import (
    definition12,
    definition12_of,
    formula_smoothness,
    smoothness,
)
from construct.approximation.hold import hold
from construct.approximation.univariate import approximate
from construct.errors import ConstructError
from construct.spec.domain import Domain
from construct.spec.formula import formula

entries = st.fractions(-4, 4, max_denominator=99)


def by_definition(own, z):
    terms = ((c, sum(v * x for v, x in zip(a, (*z, 1), strict=True))) for c, a in own.terms)
    return sum(c * max(t, 0) for c, t in terms)


def check_norms(own):
    assert all(sum(map(abs, a)) <= 1 for _, a in own.terms)
    assert len(own.terms) == own.M
    assert sum(abs(c) for c, _ in own.terms) == own.C


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(["sin(x)", "exp(x)", "x^2 - x", "2*x", "3"]), entries)
def test_a_function_of_one_variable_is_a_sum_of_relus(phi, t):
    g = approximate(phi, (-4, 4), "1/50")
    own = definition12(g)
    check_norms(own)
    assert (own.R, own.epsilon) == (4, g.error)
    assert g.hinges <= own.M <= g.hinges + 3
    assert by_definition(own, [t]) == own([t]) == g(t)


@settings(max_examples=20, deadline=None)
@given(st.lists(entries, min_size=4, max_size=4))
def test_an_entry_of_a_task_is_a_sum_of_relus(z):
    f = formula("f", ["sin(x[1]) + x[2]*x[2, 1] - 3", "abs(x[2]) + 1/2"])
    task = hold(f, Domain(R=4, Ry=64, delta=1))
    value = task([z[:2], z[2:]])
    for entry in (1, 2):
        own = definition12_of(task, entry, 4)
        check_norms(own)
        assert by_definition(own, z) == own(z) == value[entry - 1]


@pytest.mark.parametrize(
    ("phi", "R", "L"),
    [
        ("sin(x)", 4, (1, 1, 1)),
        ("exp(x)", 2, (math.exp(2),) * 3),
        ("x^2", 3, (9, 6, 2)),
        ("1/(1 + x^2)", 4, (1, 3 * math.sqrt(3) / 8, 2)),
        ("softplus(x)", 8, (math.log1p(math.exp(8)), 1 / (1 + math.exp(-8)), 1 / 4)),
        ("tanh(x)", 2, (math.tanh(2), 1, 4 / (3 * math.sqrt(3)))),
    ],
)
def test_derivatives_are_bounded_from_above_and_near(phi, R, L):
    own = smoothness(phi, R)
    for bound, taken in zip(own.L, L, strict=True):
        assert taken * (1 - 1e-12) <= bound <= 1.04 * taken
    C_l = max(taken * R**i for i, taken in enumerate(L))
    assert C_l * (1 - 1e-12) <= own.C_l <= 1.04 * C_l


def test_the_bound_is_that_of_the_proposition_without_its_factor():
    own, epsilon = smoothness("sin(x)", 8), Fraction(1, 1000)
    wanted = own.C_l**2 * math.log(1 + own.C_l * 1000) * 1000**2
    assert own.M(epsilon) == pytest.approx(wanted)
    assert own.C_l == own.C
    assert own.M(epsilon) / 10**7 > definition12(approximate("sin(x)", (-8, 8), epsilon)).M


def test_several_variables_take_more_derivatives():
    own = formula_smoothness(formula("f", ["x[1]*x[2]", "x[1]"]), 4)
    # xy = ((x+y)^2 - (x-y)^2) / 4, term by term: twice 64/4, 16/4 and 2/4; and s = 3 for k = 2.
    assert own.k == 2
    assert pytest.approx((32, 8, 1, 0), rel=1e-6) == own.L
    three = formula_smoothness(formula("f", ["sin(x[1] + 2*x[2] - x[2, 1])", "0"]), 2)
    assert (three.k, len(three.L)) == (3, 4)
    assert pytest.approx((1, 2, 4, 8), rel=0.04) == three.L
    affine = formula_smoothness(formula("f", ["x[1] + abs(x[1])"]), 2)
    assert affine.C_l == 0


@pytest.mark.parametrize(
    ("phi", "R", "message"),
    [
        ("abs(x)", 2, "neither kinks nor poles"),
        ("1/x", 2, "neither kinks nor poles"),
        ("sin(x)", "1/2", "takes an R of at least 1"),
    ],
)
def test_what_is_not_smooth_is_refused(phi, R, message):
    with pytest.raises(ConstructError, match=message):
        smoothness(phi, R)


def test_an_end_without_a_derivative_is_found_in_few_cells(monkeypatch):
    """Cells were split 10,000 times there, into numbers of as many digits: for minutes."""
    cells, intact = [], series._derivatives
    monkeypatch.setattr(series, "_derivatives", lambda *of: cells.append(of) or intact(*of))
    with pytest.raises(ConstructError, match="no bound was found"):
        smoothness("sqrt(x + 4)", 4)
    assert len(cells) < 1000
