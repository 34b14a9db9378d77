import pytest
from hypothesis import given
from hypothesis import strategies as st

from construct.network.codes import code, code_length


@given(st.data(), st.integers(2, 1000))
def test_inner_product_is_ell_on_equality_and_at_most_ell_minus_2_otherwise(data, count):
    ell = code_length(count)
    a, b = data.draw(st.integers(0, count - 1)), data.draw(st.integers(0, count - 1))
    product = code(a, ell) @ code(b, ell)
    assert product == ell if a == b else product <= ell - 2


@given(st.integers(1, 10**9))
def test_length_is_the_least_that_tells_the_numbers_apart(count):
    ell = code_length(count)
    assert 2**ell >= count
    assert ell == 0 or 2 ** (ell - 1) < count


@pytest.mark.parametrize("ell", range(6))
def test_codes_are_all_vectors_of_plus_and_minus_1(ell):
    codes = {tuple(code(number, ell)) for number in range(2**ell)}
    assert len(codes) == 2**ell
    assert {entry for vector in codes for entry in vector} <= {1, -1}
