"""What a gate costs a hinge that it leaves open: the bound, in every order of summation."""

from fractions import Fraction
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from orders import ORDERS, total

from construct.certify.bounds import _hinge, gate_above
from construct.certify.formats import FLOAT32
from construct.designs.theorem.wiring import Unit
from construct.network.codes import code
from share import tried

SEVENTHS = st.integers(-30, 30).map(lambda i: Fraction(i, 7))
R = 8


def held(x: Fraction) -> np.float32:
    """As float32 holds it, through float64."""
    return np.float32(float(x))


def hinge(a: list[Fraction], e: Fraction, z: list[float], bits: int):
    """The terms of a gated hinge at its home in float32, its exact value, and the bound."""
    unit = Unit(Fraction(1), ((0, tuple(enumerate(a))),), e, at=1)
    sums, size = _hinge(unit, bits), sum(map(abs, a)) * R + abs(e)
    L = gate_above(size, whole=False)
    inputs, half = [np.float32(x) for x in z], Fraction(L) / 2
    terms = [held(v) * x for v, x in zip(a, inputs, strict=True)]
    terms += [held(e - half * bits), *(held(half * b) * np.float32(b) for b in code(0, bits))]
    exact = sum(v * Fraction(float(x)) for v, x in zip(a, inputs, strict=True)) + e
    absolute = sum(abs(v * Fraction(float(x))) for v, x in zip(a, inputs, strict=True)) + abs(e)
    [roundings], [lost] = sums.roundings, sums.lost(L, sums.roundings)
    return np.array(terms), exact, FLOAT32.error(int(roundings)), absolute, lost


@tried(100)
@given(
    a=st.lists(SEVENTHS.filter(bool), min_size=1, max_size=3),
    e=SEVENTHS,
    bits=st.integers(1, 5),
    data=st.data(),
)
def test_an_open_gate_takes_a_hinge_no_further_than_its_bound(a, e, bits, data):
    z = data.draw(st.lists(st.floats(-R, R, width=32), min_size=len(a), max_size=len(a)))
    terms, exact, gamma, absolute, lost = hinge(a, e, z, bits)
    for order in ORDERS:
        if not order.fused:
            off = abs(Fraction(float(total(terms, order))) - exact)
            assert off <= gamma * (absolute + lost) + FLOAT32.tiny


def test_the_bound_is_needed_and_not_16_times_too_cautious():
    """Beside a gate of 3 bits small inputs are rounded to the last bits of L."""
    a, e, z = [Fraction(1, 7), Fraction(3, 7)], Fraction(1, 7), [0.1, 0.3]
    terms, exact, gamma, absolute, lost = hinge(a, e, z, 3)
    off = max(
        abs(Fraction(float(total(terms[list(order)], ORDERS[0]))) - exact)
        for order in permutations(range(len(terms)))
    )
    assert gamma * absolute < off <= gamma * (absolute + lost) < 16 * off


@pytest.mark.parametrize("whole", [False, True])
@given(st.fractions(min_value=0, max_value=10**9, max_denominator=10**6))
def test_L_is_a_little_above_what_it_has_to_stop_in_few_bits(whole, most):
    L = Fraction(gate_above(most, whole))
    assert most < L
    assert (most or 1) * Fraction(257, 256) * Fraction(9, 8) + 2 * whole >= L
    assert L.numerator // (L.numerator & -L.numerator) <= 16
    assert L.denominator & (L.denominator - 1) == 0
    if whole:
        assert (L / 2).denominator == 1
