"""Tables of functions on whole numbers as ReLUs."""

import math
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from construct.matrix import Matrix
from construct.network.tables import Table, Units, log, table


def evaluated(one: Table, c: float) -> float:
    slopes, constants = one.reads
    return one.last + float(np.maximum(slopes * c + constants, 0) @ one.writes)


@given(st.lists(st.integers(-(2**20), 2**20), min_size=2, max_size=12))
def test_a_table_holds_any_function_on_whole_numbers(values):
    one = Table.of(values)
    assert [evaluated(one, c) for c in range(len(values))] == values


@pytest.mark.parametrize("M", [1, 2, 3, 40, 4000])
def test_the_logarithm_of_a_table_is_right_in_the_last_digits(M):
    one = table(M, log, at_zero=-128)
    for c in {0, 1, min(2, M), M // 2, M - 1, M}:
        wanted = math.log(c) if c else -128
        assert evaluated(one, c) == pytest.approx(wanted, abs=4e-15, rel=4e-15)


def test_the_bends_of_the_logarithm_have_one_sign_so_that_nothing_cancels():
    assert (table(50, log, at_zero=0).bends < 0).all()


def test_a_number_beside_a_whole_one_is_between_its_neighbours():
    one = table(9, log, at_zero=-128)
    assert evaluated(one, 3.25) == pytest.approx(0.75 * math.log(3) + 0.25 * math.log(4))
    assert evaluated(one, 1e-9) == pytest.approx(-128, abs=1e-6)


def test_log_is_the_natural_one():
    assert abs(log(10) - Decimal("2.302585092994045684017991454684364207601")) < Decimal("1e-38")


def test_units_of_several_tables_stand_side_by_side():
    one = Table.of([5, 1, 2])  # 2 + b relu(2 - c) + z relu(1 - 2c)
    total = {"count": Matrix.of(np.array([[0, 1], [1, 1]]), (2, 2), "sums")}
    tables = Units.of_tables(one, total, "to", [2, 0], width=3)
    both = Units.join([tables, Units.constants({"to": [2.0, 7.0, 2.0]})])
    assert both.count == 5

    def run(count: list[float]) -> list[float]:
        reads = {name: np.asarray(block, dtype=float) for name, block in both.reads.items()}
        hidden = reads["count"] @ np.array(count) + reads["one"][:, 0]
        return (np.asarray(both.writes["to"], dtype=float) @ np.maximum(hidden, 0)).tolist()

    # Coordinate 2 is the table of the second count, coordinate 0 that of their sum.
    assert run([0, 1]) == [1, 7, 1]
    assert run([1, 1]) == [2, 7, 1]
    assert run([0, 0]) == [5, 7, 5]
    assert both.entries().nonzeros == 6 + 4 + 1 + 4 + 3
