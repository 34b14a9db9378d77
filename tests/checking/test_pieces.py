"""Rows in whole numbers against the tasks themselves and against fractions."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from construct import absolute, affine, clip, maximum, relu_sum
from construct.checking.pieces import (
    MOST_TERMS,
    Agreement,
    Rows,
    Stand,
    TooMany,
    solve,
    stand,
)
from construct.checking.vectors import Vector
from construct.matrix import Matrix

D, INPUTS = 2, 2
HUGE = 10**40
rationals = st.one_of(
    st.integers(-4, 4),
    st.fractions(-4, 4, max_denominator=12),
    st.sampled_from([HUGE, -HUGE, Fraction(1, HUGE), Fraction(HUGE, 3)]),
)
points = st.lists(rationals, min_size=D * INPUTS, max_size=D * INPUTS)
small = st.fractions(-3, 3, max_denominator=6)
TASKS = [
    affine("affine", {1: [["1/3", 2], [0, -1]], 2: [[0, 0], ["5/7", 1]]}, ["1/2", -3]),
    absolute("abs", 2, d=D),
    maximum("max", d=D),
    clip("clip", "-1/3", "5/2", d=D),
    relu_sum("same hinges", [[{"a": [1, "1/2"], "e": -1}]] * 3, [["1/3", 1, -7], [0, 2, -2]]),
    relu_sum(
        "constant and scaled hinges",
        [[{"a": [0, 0], "e": 5}, {"a": {"2": [2, 4]}, "e": 6}], [{"a": {"2": [1, 2]}, "e": 3}]],
        [[1, -1], ["1/2", -1]],
    ),
    affine("zero", [[0, 0], [0, 0]]),
]
named = pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)


def arrays(x):
    return np.array(x, dtype=object).reshape(INPUTS, D)


@given(points)
def test_a_vector_is_the_rationals_that_it_was_made_of(x):
    vector = Vector.of(x)
    assert vector.entries() == x
    assert vector.bottom > 0


@given(points, rationals.filter(bool).map(abs))
def test_bounds_and_grids_are_decided_exactly(x, bound):
    assert Vector.of(x).within(bound) == (max(map(abs, x)) <= bound)
    assert Vector.of(x).on_grid(bound) == all(entry % bound == 0 for entry in x)
    assert Vector.of(x).on_grid(None)


@named
@given(x=points)
def test_rows_are_the_entries_of_the_task(task, x):
    assert Rows(task)(Vector.of(x)).entries() == task(arrays(x)).tolist()


def test_equal_hinges_are_one_and_cancel():
    rows = Rows(next(task for task in TASKS if task.name == "same hinges"))
    assert list(rows[0].hinges.values()) == [(Fraction(1, 3) - 6) / 2]
    assert not rows[1].hinges


@named
@pytest.mark.parametrize("other", TASKS, ids=lambda task: task.name)
@given(x=points)
def test_a_difference_of_rows_is_that_of_their_values(task, other, x):
    for j in range(D):
        top, bottom = (Rows(task)[j] - Rows(other)[j]).at(Vector.of(x))
        assert Fraction(top, bottom) == task(arrays(x))[j] - other(arrays(x))[j]


@named
@given(x=points, y=st.lists(rationals, min_size=D, max_size=D), delta=rationals)
def test_a_label_stands_as_the_domain_defines_it(task, x, y, delta):
    delta = abs(delta) or 1
    square = ((task(arrays(x)) - np.array(y, dtype=object)) ** 2).sum()
    found = stand(Rows(task), Vector.of(x), Vector.of(y), delta)
    expected = Stand.SEPARATE if square >= delta**2 else Stand.CLOSE
    assert found == (expected if square else Stand.MATCH)


@named
def test_labels_at_delta_and_just_within(task):
    x, value = Vector.of([1, 2, Fraction(1, 3), 0]), task(arrays([1, 2, Fraction(1, 3), 0]))
    for step in ([1, 0], [Fraction(3, 5), Fraction(4, 5)]):
        y = value + np.array(step, dtype=object)
        shorter = value + np.array(step, dtype=object) * (1 - Fraction(1, HUGE))
        assert stand(Rows(task), x, Vector.of(y.tolist()), 1) == Stand.SEPARATE
        assert stand(Rows(task), x, Vector.of(shorter.tolist()), 1) == Stand.CLOSE


@named
@given(x=points)
def test_intervals_hold_every_value(task, x):
    R = max(map(abs, x))
    for j in range(D):
        low, high = Rows(task)[j].interval(R)
        assert low <= task(arrays(x))[j] <= high


def test_intervals_of_affine_rows_are_attained():
    assert Rows(TASKS[0])[0].interval(3) == (Fraction(1, 2) - 7, Fraction(1, 2) + 7)


@named
@given(x=points)
def test_a_piece_is_the_row_around_a_point(task, x):
    for j in range(D):
        linear, constant = Rows(task)[j].piece(Vector.of(x))
        assert sum(c * x[i] for i, c in linear.items()) + constant == task(arrays(x))[j]


# --- Elimination -------------------------------------------------------------

systems = st.lists(
    st.tuples(st.dictionaries(st.integers(0, 3), small.filter(bool)), small), max_size=5
)


@given(systems, points)
def test_solutions_solve_and_keep_what_is_free(system, x):
    solution = solve(system)
    assume(solution is not None)
    found = solution.near(x)
    for row, constant in system:
        assert sum(c * found[i] for i, c in row.items()) + constant == 0
    pivots = {place for place, _, _ in solution.pivots}
    assert all(found[i] == x[i] for i in range(len(x)) if i not in pivots)


@given(systems, points)
def test_a_system_that_a_point_solves_has_solutions(system, x):
    rows = [(row, -sum((c * x[i] for i, c in row.items()), start=Fraction(0))) for row, _ in system]
    solution = solve(rows)
    assert solution is not None
    assert solution.near(x) == x


@given(systems)
def test_what_is_determined_is_the_same_in_all_solutions(system):
    solution = solve(system)
    assume(solution is not None)
    ones, twos = solution.near([1] * 4), solution.near([2] * 4)
    same = [a for a, b in zip(ones, twos, strict=True) if a == b]
    assert set(solution.determined()) <= set(same)


def test_a_contradiction_has_no_solution():
    assert solve([({0: 1, 1: 1}, 0), ({0: 2, 1: 2}, 1)]) is None
    assert solve([({0: 1, 1: 1}, -2), ({0: 1, 1: -1}, 0)]).determined() == [1, 1]


def test_an_elimination_that_fills_up_is_given_up():
    side = int(MOST_TERMS**0.5)
    rows = [({i: i**k for i in range(1, side)}, 1) for k in range(side)]
    with pytest.raises(TooMany):
        solve(rows)


@given(points)
def test_agreements_are_found_on_the_piece_around_a_point(x):
    f, g = TASKS[1], affine("line", {2: [["1/2", 0], [0, "1/2"]]}, ["1/2", "1/2"])
    found = Agreement(Rows(f), [Rows(g)]).near(Vector.of(x))
    # |t| = (t + 1) / 2 at 1 and at -1/3.
    assert found is not None
    assert set(found.entries()[2:]) <= {1, Fraction(-1, 3)}


def test_parallel_tasks_have_no_agreement():
    f, g = affine("f", Matrix.identity(2)), affine("g", Matrix.identity(2), [1, 0])
    assert Agreement(Rows(f), [Rows(g)]).near(Vector([0] * 4)) is None
