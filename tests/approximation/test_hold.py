"""What a network holds in place of a formula is within its epsilon, everywhere it promises."""

import itertools
import math
import random
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from construct.approximation.budget import norm_shares, shares, together
from construct.approximation.hold import admitted, hold
from construct.errors import ConstructError
from construct.spec.domain import Domain
from construct.spec.formula import formula

ROUND = Domain(R=2, Ry=32, delta=Fraction(1, 2))
SMOOTH = [
    ["sin(x[1])"],
    ["x[1]*x[2]", "0"],
    ["sin(x[1]) + x[2]*x[3]", "x[1]^2", "x[2]/3 - abs(x[1] - x[2, 1])"],
    ["x[1]*x[2]^2", "x[1]*x[2]^2"],
    ["x[1]*x[2]*x[2, 1]", "exp(x[1]/4) + relu(x[2])"],
    ["softplus(x[1] - 2*x[2]) + (x[1] - 2*x[2])^2", "tanh(x[2, 2])"],
    ["sqrt(x[1] + x[2] + 5)", "1/(x[1] + 3) + x[1]*x[2]"],
    ["x[1]^2 + x[1]*x[2] - x[2]^2", "(x[1] + x[2])^3"],
]


def hinges(task):
    return sum(map(len, task.features))


def inputs_of(formula, rng, R, count):
    """Inputs at random, at the ends of the box, and where most entries are 0."""
    shape = max(formula.positions, default=1), formula.d
    for i in range(count):
        x = np.empty(shape, dtype=object)
        for at in np.ndindex(*shape):
            some = R * Fraction(rng.randrange(-(2**20), 2**20 + 1), 2**20)
            x[at] = [some, rng.choice([-R, 0, R]), some][i % 3]
        yield x


def beside_hinges(task, rng, R, count):
    """Inputs at which a hinge turns, as far as they are in the box."""
    found = [hinge for feature in task.features for hinge in feature]
    shape = max(task.positions, default=1), task.d
    for hinge in rng.sample(found, min(count, len(found))):
        x = np.zeros(shape, dtype=object)
        for at in np.ndindex(*shape):
            x[at] = R * Fraction(rng.randrange(-64, 65), 128)
        p, terms = hinge.a[-1]
        j, v = terms[-1]
        rest = sum(w * x[q - 1, i] for q, own in hinge.a for i, w in own) - v * x[p - 1, j]
        x[p - 1, j] = Fraction(-hinge.e - rest) / v
        if abs(x[p - 1, j]) <= R:
            yield x


def square(y):
    return sum(Fraction(v) ** 2 for v in y)


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(SMOOTH), st.fractions("1/300", "1/3", max_denominator=999), st.data())
def test_epsilon_is_never_passed(texts, epsilon, data):
    rng = random.Random(data.draw(st.integers(0, 99)))
    f = formula("f", texts, epsilon=epsilon)
    g = hold(f, ROUND)
    assert 0 < g.epsilon <= epsilon
    points = [*inputs_of(f, rng, 2, 45), *beside_hinges(g, rng, 2, 20)]
    worst = max(square(g(x) - f(x)) for x in points)
    assert worst <= Fraction(g.epsilon) ** 2 + Fraction(1, 2**150)


@pytest.mark.parametrize("text", ["sin(x[1])", "exp(x[1])", "x[1]^2", "x[1]*x[2]"])
@pytest.mark.parametrize("epsilon", ["1/10", "1/500"])
def test_the_bound_is_tight_for_one_variable_and_for_products(text, epsilon):
    f = formula("f", [text, "0"], epsilon=epsilon)
    g = hold(f, ROUND)
    points = list(inputs_of(f, random.Random(5), 2, 30))
    turns = {}
    for hinge in g.features[0]:
        line = dict(hinge.a[0][1])
        turns.setdefault(line.get(1, 0) / line[0], set()).add(Fraction(-hinge.e, line[0]))
    knots = {sign: sorted(own) for sign, own in turns.items()}
    middles = {
        sign: [(a + b) / 2 for a, b in itertools.pairwise(own)] for sign, own in knots.items()
    }
    if "x[2]" in text:
        # One of x + y and x - y at a knot, the other between two.
        pairs = [*itertools.product(knots[1], middles[-1])]
        pairs += [*itertools.product(middles[1], knots[-1])]
        found = [((u + v) / 2, (u - v) / 2) for u, v in pairs]
        points += [np.array([x], dtype=object) for x in found if max(map(abs, x)) <= 2]
    else:
        points += [np.array([[t, 0]], dtype=object) for t in middles[0]]
    worst = max(square(g(x) - f(x)) for x in points)
    assert Fraction(g.epsilon) ** 2 <= Fraction(9, 4) * worst


def test_a_quarter_of_delta_is_taken_where_epsilon_is_left_out():
    g = hold(formula("f", ["sin(x[1])", "x[2]"]), ROUND)
    assert Fraction(1, 10) < g.epsilon <= Fraction(1, 8)
    near = Domain(R=2, Ry=32, delta=Fraction(1, 2), tau=Fraction(2, 5))
    assert 0 < 2 * hold(formula("f", ["sin(x[1])", "x[2]"]), near).epsilon < near.delta - near.tau


WHOLE = [
    "x[1]*x[2]",
    "x[1]^2 - x[2]",
    "x[1]*x[2] + x[1]^2",
    "x[1]^2*x[2]",
    "x[1]*x[2]*x[2, 1]",
    "abs(x[1])^3",
    "(x[1] - x[2])^2 - x[1]*x[2]",
    "x[1]*x[2] - 3*x[2]*x[2, 1]",
]


@pytest.mark.parametrize("text", WHOLE)
@pytest.mark.parametrize("grid", [1, Fraction(1, 2)])
def test_it_is_exact_on_a_grid(text, grid):
    f = formula("f", [text, "x[1]"])
    g = hold(f, Domain(R=3, Ry=99, delta=1, grid=grid))
    assert g.epsilon == 0
    rng = random.Random(2)
    last = int(3 / grid)
    for _ in range(150):
        x = np.array(
            [[rng.randint(-last, last) * grid for _ in range(2)] for _ in range(2)], dtype=object
        )
        assert list(g(x)) == list(f(x))
    ends = [np.array(x, dtype=object).reshape(2, 2) for x in itertools.product((-3, 3), repeat=4)]
    assert all(list(g(x)) == list(f(x)) for x in ends)


@pytest.mark.parametrize("R", [1, 2, 8])
def test_a_product_of_whole_numbers_needs_even_knots_alone(R):
    g = hold(formula("f", ["x[1]*x[2]", "0"]), Domain(R=R, Ry=99, delta=1, grid=1))
    assert hinges(g) == 2 * (2 * R - 1)
    assert all(h.e % 2 == 0 for feature in g.features for h in feature)
    for x in itertools.product(range(-R, R + 1), repeat=2):
        assert g([x])[0] == x[0] * x[1]


def test_knots_are_exact_only_where_they_are_affordable_and_the_function_is_rational():
    fine = Domain(R=64, Ry=99, delta=1, grid=Fraction(1, 256))
    assert hold(formula("f", ["x[1]*x[2]", "0"]), fine).epsilon > 0
    whole = Domain(R=4, Ry=99, delta=1, grid=1)
    assert hold(formula("f", ["sin(x[1])"]), whole).epsilon > 0
    thirds = Domain(R=4, Ry=99, delta=1, grid=Fraction(1, 3))
    assert hold(formula("f", ["x[1]^2"]), thirds).epsilon > 0


def test_sums_of_relus_need_no_domain():
    f = formula("f", ["abs(x[1] - 3*x[2, 2]) + max(x[1], x[2], 2*x[1] - x[2])", "relu(x[1] - 1/3)"])
    g = hold(f, None)
    assert g.epsilon == 0
    for x in inputs_of(f, random.Random(4), 9, 60):
        assert list(g(x)) == list(f(x))


def test_numbers_are_dyadic_where_the_formula_has_no_others():
    g = hold(formula("f", ["sin(x[1])*2 + x[1]*x[2]", "exp(x[2])/4"]), ROUND)
    assert all(x.denominator & (x.denominator - 1) == 0 for x in g.numbers())


def test_equal_entries_share_their_hinges():
    one = hold(formula("f", ["sin(x[1])", "x[2]"], epsilon="1/50"), ROUND)
    two = hold(formula("f", ["sin(x[1])", "sin(x[1]) + x[2]"], epsilon="1/50"), ROUND)
    assert (len(one.features), len(two.features)) == (1, 1)
    # Both err at once: the root of two in the error is its root in the hinges.
    assert hinges(two) <= 2**0.25 * hinges(one) + 3


def test_a_bound_that_floats_round_up_is_admitted():
    assert admitted(Fraction(1, 10)) == Fraction(float(np.float32(0.1)))
    assert admitted(Fraction(1, 3)) == Fraction(float(np.float32(1 / 3)))
    assert admitted(8) == 8
    assert admitted(10**400) == 10**400
    domain = Domain(R=Fraction(1, 10), Ry=1, delta=Fraction(1, 10))
    f = formula("f", ["exp(10*x[1])"], epsilon="1/1000")
    g, end = hold(f, domain), admitted(domain.R)
    assert abs(g([[end]])[0] - f([[end]])[0]) <= g.epsilon


@pytest.mark.parametrize(
    ("texts", "R", "message"),
    [
        (
            ["x[1]", "1/(x[1] - x[2])"],
            4,
            "entry 2 of task 'f' meets a division by 0 at "
            "x[1] - x[2] = 0, which inputs with |entry| <= 4 reach",
        ),
        (["sqrt(x[1] + 1)"], 4, "the square root of a negative number at x[1] = -4"),
        (["log(2*x[1])"], 4, "the logarithm of 0 or less at x[1] = -4"),
        (["exp(x[1]^6)"], 8, "a value beyond the range of float64 (1.8e308) at x[1] = -8"),
        (["x[1]", "sin(10^9*x[1])"], 4, "entry 2 of task 'f': the function bends too often"),
        (["x[1]/x[1]"], 4, "what looks like a jump or a pole at x[1] = "),
        (["exp(20*x[1])"], 4, "at most 20000 are made; epsilon = "),
        (["sin(x[1])*sin(x[2])", "0"], 4, "sin(a)*sin(b)"),
    ],
)
def test_what_cannot_be_held_is_refused(texts, R, message):
    with pytest.raises(ConstructError) as refused:
        hold(formula("f", texts), Domain(R=R, Ry=32, delta=1))
    assert message in str(refused.value)


def test_a_domain_is_asked_for():
    with pytest.raises(ConstructError, match='that takes a domain; give one, such as "domain"'):
        hold(formula("f", ["sin(x[1])"]), None)


positive = st.floats(1e-3, 1e3)


@given(st.lists(positive, min_size=1, max_size=6), st.fractions("1/999", 3), st.data())
def test_an_error_is_split_within_its_size_and_no_other_split_is_better(bendings, epsilon, data):
    parts = shares(bendings, epsilon)
    assert sum(parts) <= epsilon
    count = sum(b / math.sqrt(e) for b, e in zip(bendings, parts, strict=True))
    assert count == pytest.approx(together(bendings) / math.sqrt(epsilon), rel=1e-2)
    times = data.draw(st.lists(st.integers(1, 3), min_size=len(bendings), max_size=len(bendings)))
    parts = norm_shares(bendings, times, epsilon)
    assert sum(m * e**2 for m, e in zip(times, parts, strict=True)) <= epsilon**2
    other = [data.draw(st.floats(0.1, 1)) for _ in bendings]
    norm = math.sqrt(sum(m * o**2 for m, o in zip(times, other, strict=True)))
    other = [float(epsilon) * o / norm for o in other]
    count, worse = (
        sum(b / math.sqrt(e) for b, e in zip(bendings, own, strict=True)) for own in (parts, other)
    )
    assert count <= 1.02 * worse
