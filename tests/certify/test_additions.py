"""What the additions of a flat score lose: the bound, against any tree of additions."""

from fractions import Fraction
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from orders import fused

from construct.certify.formats import FLOAT32
from construct.certify.margins import added_up
from construct.designs.theorem.plan import Margins
from share import tried

TOP = Fraction(9, 8)


def whole_terms(C: int, ell: int) -> list[np.float32]:
    """Those of a score on target, which add up to the top of the gate."""
    return [np.float32(TOP - C * ell), *[np.float32(C)] * ell]


def bound(C: int, ell: int, products: list[Fraction]) -> Fraction:
    margins = Margins(B=2, C=C, s=1, N=1, a=TOP)
    return added_up(len(products), ell, margins, sum(map(abs, products), Fraction(0)), FLOAT32)


def exactly(x) -> Fraction:
    return Fraction(float(x))


@tried(300)
@given(st.data())
def test_no_tree_of_additions_loses_more_than_the_bound(data):
    """Any two sums are added next; a product may be rounded only with its addition."""
    C = 1 << data.draw(st.integers(1, 18))
    ell, d = data.draw(st.integers(1, 9)), data.draw(st.integers(1, 4))
    small = st.floats(-0.25, 0.25, width=32)
    factors = [(np.float32(data.draw(small)), np.float32(data.draw(small))) for _ in range(d)]
    products = [exactly(x) * exactly(y) for x, y in factors]
    sums: list = [*whole_terms(C, ell), *factors]
    while len(sums) > 1:
        one, two = (sums.pop(data.draw(st.integers(0, len(sums) - 1))) for _ in range(2))
        if isinstance(one, tuple) and not isinstance(two, tuple) and data.draw(st.booleans()):
            sums.append(fused(*(np.array([x]) for x in (*one, two)))[0])
        else:
            sums.append(sum(x[0] * x[1] if isinstance(x, tuple) else x for x in (one, two)))
    off = abs(exactly(sums[0]) - TOP - sum(products))
    assert off <= bound(C, ell, products) + (d + ell) * 2 * FLOAT32.tiny


def one_by_one(terms) -> Fraction:
    total = np.float32(0)
    for term in terms:
        total = total + term
    return exactly(total)


@pytest.mark.parametrize("d", [1, 2, 3, 4])
def test_a_bound_of_less_than_half_as_much_would_be_wrong(d):
    """Products that are just too small to move the largest sum: each loses half a spacing."""
    C, ell = 1 << 16, 5
    top, *rest = whole_terms(C, ell)
    product = np.float32(-(2.0**-6) * (1 - 2.0**-10))
    off = abs(one_by_one([*rest, *[product] * d, top]) - TOP - d * exactly(product))
    most = bound(C, ell, [exactly(product)] * d)
    assert off <= most < Fraction(201, 100) * off


def test_no_order_of_one_product_loses_more_than_the_bound():
    C, ell, product = 1 << 16, 5, np.float32(-(2.0**-6) - 2.0**-13 * 63)
    orders = set(permutations([*whole_terms(C, ell), product]))
    off = max(abs(one_by_one(order) - TOP - exactly(product)) for order in orders)
    assert off <= bound(C, ell, [exactly(product)]) < 4 * off


def test_each_addition_is_not_counted_where_it_is_exact():
    C, ell, product = 1 << 16, 5, Fraction(-1, 64)
    counted = FLOAT32.gamma(1 + ell + 1) * (C * ell + TOP - product)
    assert bound(C, ell, [product]) < counted / 4


def test_whole_terms_that_are_finer_than_a_spacing_count_as_ever():
    C, ell = 1 << 22, 5
    counted = FLOAT32.gamma(1 + ell + 1) * (C * ell + TOP)
    assert bound(C, ell, [Fraction(0)]) == counted
