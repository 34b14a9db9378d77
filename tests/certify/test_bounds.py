"""Sizes and roundings of e_k, against tasks that are evaluated and formulas by hand."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from construct import Domain, absolute, affine, build, maximum, relu_sum, retrieval, shift
from construct.certify.bounds import Bounds, profile
from construct.checking.verification import absolute_sums
from construct.designs.theorem.wiring import Wiring
from generators import whole_cases
from share import tried

THIRD = Fraction(1, 3)


@tried(30)
@given(whole_cases())
def test_E_squared_bounds_the_distance_of_every_label_from_every_task(case):
    construction, prompt = case.build()
    bounds = Bounds.of(construction.wiring, construction.domain)
    for task in construction.tasks:
        for x, y in zip(prompt.X, prompt.Y, strict=True):
            e = task(x) - y
            assert (e**2).sum() <= bounds.E2
            assert abs(e).max() <= bounds.largest
            if not e.any():
                assert ((abs(task(x)) + abs(y)) ** 2).sum() <= bounds.home2
        assert abs(task(prompt.query)).max() <= bounds.largest


@tried(30)
@given(whole_cases())
def test_absolute_sums_of_a_task_are_what_the_profile_says_at_the_corner(case):
    construction, _ = case.build()
    tasks, sizes = construction.wiring.tasks, construction.sizes
    corner = np.full((sizes.n - 1, sizes.d), 3, dtype=object)
    for task, row in zip(tasks, profile(construction.wiring).rows, strict=True):
        assert (row.reach(3, 3) == absolute_sums(task, corner)).all()


@tried(30)
@given(whole_cases())
def test_what_a_gate_adds_to_a_task_is_half_of_ell_t_for_each_hinge_that_it_reads(case):
    construction, _ = case.build()
    wiring, sizes = construction.wiring, construction.sizes
    found = profile(wiring)
    for k, task in enumerate(wiring.tasks):
        gates = [sum(abs(hinge.c) for hinge in feature) for feature in task.features]
        added = abs(task.C)(np.array(gates, dtype=object)) if gates and sizes.w else 0
        row = found.rows[k]
        assert (row.size[:, 3] == Fraction(sizes.ell_t, 2) * added).all()
        # Each of them meets at least the additions of its gate, and no more than the entry does.
        assert (row.size[:, 4] >= (sizes.ell_t + 1) * row.size[:, 3]).all()
        assert (row.size[:, 4] <= row.roundings * row.size[:, 3]).all()
        # At other tokens it reads what any home has in the same places.
        (own, times), (any_, more) = found.alike[k], found.anywhere[k]
        assert own.reach(3, 3, 8) @ times <= any_.reach(3, 3, 8) @ more
        assert own.size[:, 4] @ times <= any_.size[:, 4] @ more


@tried(30)
@given(whole_cases())
def test_L_is_above_what_every_hinge_is_at_every_token(case):
    """Token by token, with labels at Ry: the prompts of the domain reach no further."""
    construction, _ = case.build()
    wiring, domain = construction.wiring, construction.domain
    L = Bounds.of(wiring, domain).L
    units = [unit for feature in wiring.dictionary for unit in feature if unit.at is not None]
    assert construction.margins.L == L
    assert (L > 0) == bool(units)
    for unit in units:
        sizes = [
            sum(abs(v) for _, v in terms) * (domain.R if operand else max(domain.R, domain.Ry))
            for operand, terms in unit.a
        ]
        assert sum(sizes) + abs(unit.e) < L


def test_E_squared_of_a_single_affine_map_is_attained():
    bounds = Bounds.of(Wiring.of([affine("f", [[2]], [1])]), Domain(R=3, Ry=5, delta=1))
    # The home may be a label, |tok| <= 5: |2 tok + 1 - lab| <= 10 + 1 + 5.
    assert bounds.E2 == 16**2
    assert bounds.largest == 16
    # At home |tok| <= 3, and a label that matches is at most 5 like any other.
    assert bounds.home2 == 12**2


def test_labels_that_match_are_no_larger_than_what_the_task_makes():
    bounds = Bounds.of(Wiring.of([retrieval("f", 1, d=1)]), Domain(R=3, Ry=5, delta=1))
    assert bounds.home2 == 6**2


def test_a_bound_that_a_format_rounds_up_admits_what_it_is_rounded_to():
    bound = Fraction(1, 10)
    bounds = Bounds.of(Wiring.of([affine("f", [[1]])]), Domain(R=bound, Ry=bound, delta=1))
    assert bounds.largest == 2 * Fraction(float(np.float32(0.1))) > 2 * bound


@given(st.integers(1, 6), st.sampled_from([1, Fraction(1, 4)]))
def test_step_divides_every_entry_of_e_k_on_a_grid(q, grid):
    tasks = [affine("f", [[Fraction(1, q)]], [Fraction(1, 2)])]
    step = Bounds.of(Wiring.of(tasks), Domain(4, 4, 1, grid)).step
    for x in (0, grid, -3 * grid):
        assert (tasks[0]([x])[0] - grid) % step == 0
    assert Bounds.of(Wiring.of(tasks), Domain(4, 4, 1)).step is None


ROUNDINGS = {
    # f, roundings of f_k and of e_k.
    "x": (retrieval("f", 1, d=1), 0, 1),
    "0": (affine("f", [[0]]), 0, 0),
    "x + 1": (shift("f", [1]), 1, 2),
    "4 x": (affine("f", [[4]]), 0, 1),
    "3 x": (affine("f", [[3]]), 1, 2),
    "x + 3": (affine("f", [[1]], [3]), 1, 2),
    "x + 1/3, the constant is converted": (affine("f", [[1]], [THIRD]), 2, 3),
    "x/3, converted and multiplied": (affine("f", [[THIRD]]), 2, 3),
    "(2^24 + 1) x, not in float32": (affine("f", [[2**24 + 1]]), 2, 3),
    "(2^24 - 1) 2^40 x, in float32": (affine("f", [[(2**24 - 1) * 2**40]]), 1, 2),
    # Two hinges: no rounding inside, one addition.
    "|x|": (absolute("f", 1, d=1), 1, 2),
    # x_1 + (x_2 - x_1)_+: the difference, and the sum.
    "max": (maximum("f", [1, 2], d=1), 2, 3),
    # 3 (x/3 + 1)_+ + x: 2 for x/3, its sum, 1 for the 3, and the last sum.
    "3 (x/3 + 1)_+ + x": (
        relu_sum("f", [[{"c": 3, "a": [THIRD], "e": 1}]], [[1]], A=[[1]]),
        5,
        6,
    ),
}


@pytest.mark.parametrize("name", ROUNDINGS)
def test_roundings_are_counted_where_they_can_occur(name):
    task, of_f, of_e = ROUNDINGS[name]
    tasks = [task, retrieval("other", 1, d=1)] if "max" in name else [task]
    made = build(tasks, m=1)
    bounds = Bounds.of(made.wiring, made.domain)
    assert profile(made.wiring).rows[0].roundings.tolist() == [of_f]
    assert bounds.terms == of_e


def test_dense_rows_round_once_for_each_further_term():
    d = 5
    made = build([affine("f", np.full((d, d), THIRD), [1] * d)], m=1)
    # Conversion and product of 1/3, five further terms, and the label.
    assert Bounds.of(made.wiring, made.domain).terms == 2 + d + 1
