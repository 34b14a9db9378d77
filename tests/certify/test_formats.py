from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from construct.certify.formats import FLOAT32, FLOAT64, FORMATS, Format


@pytest.mark.parametrize("fmt", FORMATS, ids=lambda f: f.name)
def test_the_formats_are_those_of_ieee_754(fmt):
    info = np.finfo(fmt.name)
    assert (fmt.p, fmt.largest) == (info.nmant + 1, info.maxexp - 1)
    assert fmt.tiny == Fraction(float(info.tiny))
    assert fmt.u == Fraction(float(info.eps)) / 2
    assert fmt.match == Fraction(1, 2 ** (fmt.p + 7))
    assert fmt.separation == 1 - Fraction(1, 2 ** (fmt.p // 2))


@given(st.integers(2, 60), st.integers(1, 10))
def test_match_and_separation_leave_a_gap_in_every_format(p, largest):
    fmt = Format("f", p, largest)
    assert 0 < fmt.match < fmt.separation**2 < 1


@given(st.integers(0, 10**5), st.integers(0, 10**5))
def test_gamma_holds_what_roundings_do_one_after_the_other(s, t):
    for fmt in FORMATS:
        # (1 + u)^t <= 1 / (1 - t u) = 1 + gamma_t, and gammas follow each other.
        both = (1 + fmt.gamma(s)) * (1 + fmt.gamma(t)) - 1
        assert t * fmt.u <= fmt.gamma(t)
        assert both <= fmt.gamma(s + t)


def test_gamma_says_nothing_of_2_to_the_p_roundings():
    assert FLOAT32.gamma(2**24) == 2**24


@given(st.integers(1, 100))
def test_weights_come_to_float32_through_float64(t):
    assert FLOAT64.error(t) == FLOAT64.gamma(t)
    assert FLOAT32.gamma(t) < FLOAT32.error(t) < FLOAT32.gamma(t) * (1 + Fraction(1, 2**20))
    assert FLOAT32.error(0) == FLOAT64.error(0) == 0


@given(st.fractions(-(10**6), 10**6))
def test_a_number_is_rounded_as_prompts_are(x):
    assert FLOAT64.round(x) == Fraction(float(x))
    assert FLOAT32.round(x) == Fraction(float(np.float32(float(x))))
    for fmt in FORMATS:
        assert abs(fmt.round(x) - x) <= fmt.error(1) * abs(x)


def test_no_number_is_held_for_one_beyond_the_range():
    assert FLOAT32.round(Fraction(10) ** 39) is None
    assert FLOAT64.round(Fraction(10) ** 39) == Fraction(1e39)
    assert FLOAT64.round(Fraction(10) ** 400) is None
