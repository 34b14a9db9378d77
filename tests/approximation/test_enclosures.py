"""Enclosures: whatever a function and its derivatives take on an interval lies inside."""

from fractions import Fraction

import mpmath
import pytest
from flint import arb, ctx, fmpq
from hypothesis import given, settings
from hypothesis import strategies as st

from construct.approximation.elementary import FUNCTIONS
from construct.approximation.interval import Interval, Undefined
from construct.approximation.smooth import as_fmpq
from construct.approximation.univariate import function_of

mpf = mpmath.mpf
MEANT = {
    "exp": mpmath.exp,
    "log": mpmath.log,
    "sqrt": mpmath.sqrt,
    "sin": mpmath.sin,
    "cos": mpmath.cos,
    "tanh": mpmath.tanh,
    "sigmoid": lambda t: 1 / (1 + mpmath.exp(-t)),
    "softplus": lambda t: mpmath.log(1 + mpmath.exp(t)),
    "abs": abs,
    "relu": lambda t: max(t, mpf(0)),
}
places = st.fractions(-12, 12, max_denominator=20)
parts = st.fractions(0, 1, max_denominator=99)


def inside(interval, value, tolerance=1e-12):
    low, high = (
        mpf(mpmath.mpf(str(end.str(40, radius=False)))) if end.is_finite() else None
        for end in (interval.lo, interval.hi)
    )
    slack = tolerance * (1 + abs(value))
    return (low is None or low - slack <= value) and (high is None or value <= high + slack)


def test_each_function_has_its_meaning():
    assert set(MEANT) == set(FUNCTIONS)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(MEANT)), places, places, parts)
def test_values_and_derivatives_lie_inside(name, one, other, part):
    a, b = sorted((one, other))
    if name in ("log", "sqrt"):
        a, b = abs(a) + Fraction(1, 9), abs(a) + Fraction(1, 9) + (b - a)
    t = a + (b - a) * part
    if name in ("abs", "relu") and t == 0:
        return
    with ctx.workprec(128), mpmath.workdps(50):
        found = FUNCTIONS[name](Interval(arb(as_fmpq(a)), arb(as_fmpq(b))))
        at, f = mpf(t.numerator) / t.denominator, MEANT[name]
        assert inside(found[0], f(at), mpf(10) ** -30)
        assert inside(found[1], mpmath.diff(f, at, 1))
        assert inside(found[2], mpmath.diff(f, at, 2))


@pytest.mark.parametrize("name", ["exp", "sin", "cos", "tanh", "sigmoid", "softplus", "sqrt"])
def test_values_are_tight(name):
    with ctx.workprec(128):
        a, b = fmpq(1, 3), fmpq(17, 5)
        value = FUNCTIONS[name](Interval(arb(a), arb(b)))[0]
        steps = [a + (b - a) * fmpq(k, 4096) for k in range(4097)]
        with mpmath.workdps(30):
            taken = [MEANT[name](mpf(int(t.p)) / int(t.q)) for t in steps]
            assert float(value.lo) == pytest.approx(float(min(taken)), abs=1e-6)
            assert float(value.hi) == pytest.approx(float(max(taken)), abs=1e-6)


TREES = [
    "exp(-x^2)",
    "x*sin(x)",
    "1/(x^2 + 1)",
    "(x^3 - 2*x + 1)^2",
    "abs(x)*exp(x)",
    "sqrt(x^2 + 1/3)",
    "sin(exp(x/4))/3",
    "max(x, x^2, 1/2)",
    "sin(pi*x)^3",
]


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(TREES), st.fractions(-4, 4, max_denominator=9), parts, parts)
def test_trees_are_enclosed(text, a, width, part):
    with ctx.workprec(128):
        tree = function_of(text)
        b = a + width
        whole = tree.jet(as_fmpq(a), as_fmpq(b))
        point = tree.jet(*[as_fmpq(a + width * part)] * 2)
        assert whole.value.lo <= point.value.hi
        assert point.value.lo <= whole.value.hi
        assert whole.first.lo <= point.first.hi
        assert point.first.lo <= whole.first.hi


@pytest.mark.parametrize(("name", "low"), [("log", 0), ("log", -1), ("sqrt", -1)])
def test_what_is_not_defined_everywhere_is_refused(name, low):
    with pytest.raises(Undefined):
        FUNCTIONS[name](Interval(low, 1))


ends = st.one_of(st.integers(-9, 9), st.just(-arb.pos_inf()), st.just(arb.pos_inf()))


@given(st.lists(st.integers(-9, 9), min_size=4, max_size=4), parts, parts, st.integers(0, 5))
def test_arithmetic_holds_its_members(numbers, p, q, k):
    (a, b), (c, d) = sorted(numbers[:2]), sorted(numbers[2:])
    one, other = Interval(a, b), Interval(c, d)
    s, t = a + (b - a) * p, c + (d - c) * q
    for found, value in [
        (one + other, s + t),
        (one - other, s - t),
        (one * other, s * t),
        (one.power(k), s**k),
        (one.union(other), s),
        (-one, -s),
        (one.scaled(as_fmpq(t)), s * t),
    ]:
        x = arb(as_fmpq(Fraction(value)))
        assert not found.lo > x
        assert not found.hi < x


@given(st.integers(-9, 9), st.integers(0, 9), st.integers(-9, 9))
def test_infinite_ends_stay(a, width, c):
    up, down = Interval(a, arb.pos_inf()), Interval(-arb.pos_inf(), a)
    finite = Interval(c, c + width)
    assert not (up + finite).hi.is_finite()
    assert not (up - up).lo.is_finite()
    assert (up * Interval(0, 0)).is_zero
    assert not (up * down).is_finite
    assert Interval(arb.nan(), 0).lo < 0
