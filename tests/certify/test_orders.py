"""The executors of the attack: every order gives the exact result where all is exact."""

from fractions import Fraction

import numpy as np
import pytest
from orders import ORDERS, fused, prepare, times, total

from construct import Domain, Prompt, add, build, embed, mixture, retrieval
from construct.answer import read_answer

by_name = pytest.mark.parametrize("order", ORDERS, ids=lambda order: order.name)


@by_name
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_products_of_whole_numbers_are_exact(order, dtype):
    rng = np.random.default_rng(0)
    A, B = (rng.integers(-9, 10, (3, 5, 7)).astype(dtype) for _ in range(2))
    B = np.swapaxes(B, -1, -2)
    assert (times(A, B, order) == A @ B).all()
    assert times(A, B, order).dtype == dtype


@by_name
def test_every_term_is_added_once(order):
    terms = 2.0 ** np.arange(23)
    assert total(terms[None], order) == 2.0**23 - 1


def test_orders_differ_where_sums_are_rounded():
    terms = np.array([[1, 2.0**-24, 2.0**-24, 2.0**-24, -1]], "float32")
    found = {order.name: float(total(terms, order)[0]) for order in ORDERS}
    assert found["positive first"] == 0
    assert found["one by one"] == 0
    assert found["backwards"] == found["negative first"] == 3 * 2.0**-24


def rounded(x: Fraction, p: int) -> Fraction:
    """To p bits, ties to even."""
    if not x:
        return x
    unit = Fraction(2) ** (x.numerator.bit_length() - x.denominator.bit_length() - p)
    while abs(x) / unit >= 2**p:
        unit *= 2
    return round(x / unit) * unit


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_fused_product_and_addition_is_rounded_once(dtype):
    rng, p = np.random.default_rng(0), np.finfo(dtype).nmant + 1
    a, b = rng.normal(size=(2, 1500)).astype(dtype)
    # From cancellation of all but the last bits to terms far apart.
    near = 1 + rng.normal(size=1500) * 2.0 ** -rng.integers(0, 60, 1500)
    c = (-a * b * near * 2.0 ** (rng.integers(-60, 60, 1500) * (rng.random(1500) < 0.3))).astype(
        dtype
    )
    for x, y, z, found in zip(a, b, c, fused(a, b, c), strict=True):
        exact = Fraction(float(x)) * Fraction(float(y)) + Fraction(float(z))
        assert Fraction(float(found)) == rounded(exact, p)


@by_name
def test_a_pass_in_any_order_is_the_mixture(order):
    made = build([retrieval("op1", 1, d=2), add("sum", [1, 2], d=2)], m=3, domain=Domain(4, 8, 1))
    prompt = Prompt.of(
        [[[1, 2], [0, 1], [1, 2]], [[1, 2], [3, 0], [4, 2]], [[2, 2], [1, 1], [3, 3]]],
        [[4, 0], [2, 4]],
    ).astype("float32")
    done = prepare(made.transformer, "float32", order)(embed(made.transformer, prompt)[None])
    got = read_answer(made, type(done)(done.stream[0], done.attended[0]), 3)
    wanted = mixture(made.tasks, prompt)
    assert got.votes == wanted.votes == (1, 2)
    assert np.abs(got.answer - wanted.answer).max() < 1e-6
