"""Functions of one variable: the error is never passed, is tight, and hinges are few."""

import itertools
import math
import random
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from construct.approximation import univariate
from construct.approximation.budget import MOST_HINGES
from construct.approximation.univariate import approximate
from construct.errors import ConstructError
from construct.rational import is_dyadic

mpf = mpmath.mpf

# Text, what mpmath has for it, and the ends between which intervals are drawn.
FUNCTIONS = {
    "sin(x)": (mpmath.sin, -8, 8),
    "cos(3*x + 1)": (lambda t: mpmath.cos(3 * t + 1), -3, 3),
    "exp(x)": (mpmath.exp, -3, 3),
    "softplus(x)": (lambda t: mpmath.log(1 + mpmath.exp(t)), -32, 32),
    "sigmoid(2*x)": (lambda t: 1 / (1 + mpmath.exp(-2 * t)), -9, 9),
    "tanh(x)": (mpmath.tanh, -9, 9),
    "x^2": (lambda t: t**2, -8, 8),
    "x^3 - x": (lambda t: t**3 - t, -2, 2),
    "sqrt(x)": (mpmath.sqrt, 0, 9),
    "log(x + 1/8)": (lambda t: mpmath.log(t + mpf(1) / 8), 0, 9),
    "1/(1 + x^2)": (lambda t: 1 / (1 + t**2), -6, 6),
    "exp(-x^2)": (lambda t: mpmath.exp(-(t**2)), -4, 4),
    "x*exp(x)": (lambda t: t * mpmath.exp(t), -3, 2),
    "exp(-abs(x))": (lambda t: mpmath.exp(-abs(t)), -4, 4),
    "abs(sin(x))": (lambda t: abs(mpmath.sin(t)), -5, 5),
    "sqrt(abs(x))": (lambda t: mpmath.sqrt(abs(t)), -3, 3),
    "max(x^2, 1) - relu(x)^2": (lambda t: max(t**2, 1) - max(t, 0) ** 2, -3, 3),
    "sin(pi*x)": (lambda t: mpmath.sin(mpmath.pi * t), -2, 2),
}


def exactly(x):
    return mpf(x.numerator) / x.denominator


def differences(g, f, points):
    """g - f with 60 digits: g by its definition, term by term, in fractions."""
    terms = list(zip(g.jumps, g.knots, strict=True))
    with mpmath.workdps(60):
        for t in points:
            line = g.value + g.slopes[0] * (t - g.start)
            yield exactly(line + sum(c * max(t - knot, 0) for c, knot in terms)) - f(exactly(t))


def adversarial(g, rng, more=60):
    """Ends, knots and what is beside them, the middles of pieces, and points at random."""
    a, b = map(Fraction, g.interval)
    ends = [a, *g.knots, b]
    near = [k + s * (b - a) / 2**20 for k in g.knots for s in (-1, 1)]
    middles = [Fraction(x + y) / 2 for x, y in itertools.pairwise(ends)]
    some = [a + (b - a) * Fraction(rng.randrange(2**30), 2**30) for _ in range(more)]
    return [t for t in [*ends, *near, *middles, *some] if a <= t <= b]


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(sorted(FUNCTIONS)), st.data())
def test_the_error_is_never_passed_and_is_tight(text, data):
    f, low, high = FUNCTIONS[text]
    places = st.fractions(low, high, max_denominator=50)
    a, b = sorted((data.draw(places, "a"), data.draw(places, "b")))
    if b - a < Fraction(1, 20):
        a, b = Fraction(low), Fraction(high)
    epsilon = data.draw(st.fractions("1/2000", "1/5", max_denominator=10**4), "epsilon")
    g = approximate(text, (a, b), epsilon)
    assert g.error <= epsilon
    found = list(
        differences(g, f, adversarial(g, random.Random(data.draw(st.integers(0, 99), "seed"))))
    )
    assert max(found) <= exactly(g.above)
    assert -min(found) <= exactly(g.below)
    assert exactly(g.error) <= 1.5 * max(map(abs, found), default=0) or not g.hinges
    numbers = [*g.knots, *g.slopes, g.start, g.value, g.error]
    if text != "x^2" or g.hinges:
        assert all(map(is_dyadic, numbers))
    assert list(g.knots) == sorted(set(g.knots))
    assert all(g.jumps)


# sqrt|f''| integrated by hand, or by mpmath.
@pytest.mark.parametrize(
    ("text", "end", "second", "most"),
    [
        ("sin(x)", 8, lambda t: -mpmath.sin(t), 1.45),
        ("exp(x)", 2, mpmath.exp, 1.1),
        ("softplus(x)", 32, lambda t: 1 / (2 + 2 * mpmath.cosh(t)), 1.1),
        ("x^2", 8, lambda t: mpf(2), 1.1),
    ],
)
@pytest.mark.parametrize("epsilon", [Fraction(1, 1000), Fraction(1, 10**5)])
def test_hinges_are_as_few_as_the_optimum(text, end, second, most, epsilon):
    g = approximate(text, (-end, end), epsilon)
    zeros = [-end, *(k * math.pi for k in range(-2, 3)), 0, 2, 8, end]
    places = sorted({float(z) for z in zeros if abs(z) <= end})
    integral = mpmath.quad(lambda t: mpmath.sqrt(abs(second(t))), places)
    assert g.hinges <= most * integral / (4 * mpmath.sqrt(exactly(epsilon)))
    bound = 1.05 if epsilon == Fraction(1, 1000) else 1.03
    assert g.hinges <= bound * integral / (4 * mpmath.sqrt(exactly(epsilon)))


def test_numbers_are_short():
    g = approximate("sin(x)", (-8, 8), "1/1000")
    assert max(x.denominator for x in (*g.knots, *g.slopes)) <= 2**16
    assert max(x.denominator for x in map(g, g.knots)) <= 2**24


def test_it_is_exact_where_the_function_is_affine():
    g = approximate("2*x/3 - 1", (-1, "1/3"), "1/10")
    assert (g.hinges, g.error, g(Fraction(1, 7))) == (0, 0, Fraction(2, 21) - 1)


def test_rationals_floats_and_arrays_agree():
    g = approximate("exp(x)", (-2, 2), "1/100")
    points = [Fraction(k, 64) for k in range(-160, 161)]
    values = [g(t) for t in points]
    floats = g(np.array(points, dtype=float))
    assert np.abs(floats - np.array(values, dtype=float)).max() < 1e-12
    assert g(0.5) == pytest.approx(float(g(Fraction(1, 2))), rel=1e-14)
    assert list(g(np.array(points, dtype=object))) == values


@settings(max_examples=20, deadline=None)
@given(st.fractions(-3, 3, max_denominator=64), st.fractions(-3, 3, max_denominator=64))
def test_hinges_from_the_middle_are_the_same_function(middle, t):
    g = approximate("x^3 - x", (-2, 2), "1/100")
    value, slope, hinges = g.from_middle(middle)
    found = value + slope * (t - middle) + sum(c * max(a * (t - k), 0) for c, a, k in hinges)
    assert found == g(t)


def test_a_half_of_epsilon_takes_root_two_times_the_hinges():
    counts = [approximate("tanh(x)", (-6, 6), Fraction(1, 100 * 4**k)).hinges for k in range(4)]
    for few, many in itertools.pairwise(counts):
        assert 1.8 * few <= many <= 2.3 * few + 2


@pytest.mark.parametrize(
    ("phi", "interval", "epsilon", "message"),
    [
        ("1/x", (-8, 8), "1/10", "a division by 0 at t = 0"),
        ("sqrt(x)", (-1, 8), "1/10", "the square root of a negative number at t = -1"),
        ("log(2*x)", (0, 8), "1/10", "the logarithm of 0 or less at t = 0"),
        ("exp(x^2)", (-40, 40), "1/10", "beyond the range of float64"),
        ("sin(1/x)", (0, 1), "1/1000", "at t = 0"),
        ("exp(x)", (0, 30), "1/1000", f"at most {MOST_HINGES} are made; epsilon = "),
        ("sin(y)", (0, 1), 1, "unknown name 'y'"),
        ("x[2]", (0, 1), 1, "reads entry 2"),
        (3, (0, 1), 1, "write a formula"),
        ("x", (1, 1), 1, "its first end must be the smaller one"),
        ("x", 3, 1, "give its two ends"),
        ("sin(x)", (0, 1), 0, "epsilon is 0; it must be above 0"),
        ("sin(x)", (0, 1), "-1/2", "must be above 0"),
    ],
)
def test_what_cannot_be_approximated_is_refused(phi, interval, epsilon, message):
    with pytest.raises(ConstructError) as refused:
        approximate(phi, interval, epsilon)
    assert message in str(refused.value)


def test_the_epsilon_that_a_refusal_names_would_do(monkeypatch):
    monkeypatch.setattr(univariate, "MOST_HINGES", 150)
    with pytest.raises(ConstructError) as refused:
        approximate("x^2", (-10, 10), "1/10000")
    named = str(refused.value).split("epsilon = ")[2].split()[0]
    assert 120 < approximate("x^2", (-10, 10), named).hinges <= 150


@pytest.mark.parametrize("text", ["tanh(1000*x)", "exp(-(1000*x - 300)^2)", "softplus(500*x)"])
def test_a_step_that_is_narrow_in_a_wide_interval_is_found(text):
    """A line that seemed to touch was taken where it was beyond the edge, by far."""
    g = approximate(text, (-8, 8), "1/100")
    assert g.hinges < 40
    f = {
        "tanh(1000*x)": lambda t: mpmath.tanh(1000 * t),
        "exp(-(1000*x - 300)^2)": lambda t: mpmath.exp(-((1000 * t - 300) ** 2)),
        "softplus(500*x)": lambda t: mpmath.log(1 + mpmath.exp(500 * t)),
    }[text]
    points = [*adversarial(g, random.Random(3)), *(Fraction(3, 10) + k for k in g.knots)]
    found = differences(g, f, [t for t in points if abs(t) <= 8])
    assert max(map(abs, found)) <= exactly(g.error)


@pytest.mark.parametrize("epsilon", ["1e-9", "1e-15", "1e-25"])
def test_a_small_epsilon_is_proved_too(epsilon):
    end = Fraction(1, 10 ** (int(epsilon[3:]) // 2 - 2))
    g = approximate("exp(x)", (0, end), epsilon)
    found = list(differences(g, mpmath.exp, adversarial(g, random.Random(1))))
    assert max(map(abs, found)) <= exactly(g.error) <= 1.1 * max(map(abs, found))
