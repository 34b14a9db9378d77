"""Polynomials as sums of powers of linear forms: the same polynomial, with few hinges."""

import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from construct.approximation.polynomials import cost, powers
from construct.spec.expression import Entry

VARIABLES = [Entry(1, 1), Entry(1, 2), Entry(2, 1), Entry(3, 2)]
x, y, z, _ = VARIABLES
coefficients = st.fractions(-5, 5, max_denominator=6)


@st.composite
def polynomials(draw):
    found = {}
    for _ in range(draw(st.integers(1, 4))):
        exponents = draw(st.lists(st.integers(0, 3), min_size=4, max_size=4))
        monomial = tuple((e, p) for e, p in zip(VARIABLES, exponents, strict=True) if p)
        if 2 <= sum(p for _, p in monomial) <= 6:
            found[monomial] = draw(coefficients)
    return found


@settings(max_examples=60, deadline=None)
@given(polynomials(), st.lists(coefficients, min_size=4, max_size=4))
def test_the_powers_add_up_to_the_polynomial(polynomial, values):
    at = dict(zip(VARIABLES, values, strict=True))
    wanted = sum(c * math.prod(at[e] ** p for e, p in m) for m, c in polynomial.items())
    found = sum(
        c * sum(a * at[e] for e, a in form.terms) ** p
        for (form, p), c in powers(polynomial).items()
    )
    assert found == wanted


@pytest.mark.parametrize(
    ("polynomial", "count"),
    [
        ({((x, 1), (y, 1)): 1}, 2),
        ({((x, 2),): 1, ((x, 1), (y, 1)): 2, ((y, 2),): 1}, 1),
        ({((x, 2),): 1, ((x, 1), (y, 1)): 1}, 2),
        ({((x, 1), (y, 1)): 1, ((y, 1), (z, 1)): 1}, 2),
        ({((x, 1), (y, 2)): 1}, 3),
        ({((x, 1), (y, 1), (z, 1)): 1}, 4),
    ],
)
def test_there_are_few_powers(polynomial, count):
    assert len(powers(polynomial)) == count


def test_a_product_costs_as_much_as_its_two_squares():
    # sqrt(1/4 2) on +-2, twice: (2 (2 sqrt(2))^(2/3))^(3/2).
    assert cost(powers({((x, 1), (y, 1)): Fraction(1)})) == pytest.approx(8)
