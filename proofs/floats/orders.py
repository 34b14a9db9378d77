"""Executors whose sums run in an order of choice, fused or not.

The certificates hold for every order. Libraries take only a few, so that an attack
needs more: `prepare(transformer, dtype, order)` has the signature of the executors in
`construct.execute`, and NumPy's definitions with another matrix product.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from construct.execute.passes import Pass
from construct.network.transformer import Head, Mlp, Transformer


@dataclass(frozen=True)
class Order:
    """How a sum of products is added up.

    Attributes:
        arrange: products (..., t) -> the indices (..., t) by which to add them.
        block: sum blocks of so many terms first, then their sums; 0 for one by one.
        fused: round each product together with its addition, once.
        second: the arrangement in every second layer, if it is another one: then the two halves
            of a flat gate are not rounded alike.
    """

    name: str
    arrange: Callable[[np.ndarray], np.ndarray]
    block: int = 0
    fused: bool = False
    second: Callable[[np.ndarray], np.ndarray] | None = None

    def of_layer(self, number: int) -> "Order":
        """The order of a layer, counted from 0."""
        other = self.second if number % 2 else None
        return self if other is None else replace(self, arrange=other)


def _forward(products: np.ndarray) -> np.ndarray:
    return np.broadcast_to(np.arange(products.shape[-1]), products.shape)


def _backward(products: np.ndarray) -> np.ndarray:
    return _forward(products)[..., ::-1]


def _shuffled(products: np.ndarray) -> np.ndarray:
    order = np.random.default_rng(0).permutation(products.shape[-1])
    return np.broadcast_to(order, products.shape)


def _climb(products: np.ndarray) -> np.ndarray:
    """Up to the largest partial sum first: small terms then vanish beside it."""
    # Positive ones, largest first; then negative ones, smallest first.
    return np.argsort(-products, axis=-1, kind="stable")


def _dive(products: np.ndarray) -> np.ndarray:
    """Down to the most negative partial sum first."""
    return np.argsort(products, axis=-1, kind="stable")


def _fall(products: np.ndarray) -> np.ndarray:
    """Largest first: what is whole cancels before small terms are added."""
    return np.argsort(-abs(products), axis=-1, kind="stable")


ORDERS = (
    Order("one by one", _forward),
    Order("backwards", _backward),
    Order("shuffled", _shuffled),
    Order("blocks of 4", _forward, block=4),
    Order("pairs", _shuffled, block=2),
    Order("positive first", _climb),
    Order("negative first", _dive),
    Order("one by one, fused", _forward, fused=True),
    Order("positive first, fused", _climb, fused=True),
    Order("negative first, fused", _dive, fused=True),
    Order("positive first and largest first in turn", _climb, second=_fall),
    Order("largest first and positive first in turn", _fall, second=_climb),
)


def prepare(transformer: Transformer, dtype: str, order: Order) -> Callable[..., Pass]:
    """The transformer with all its sums in this order; see `construct.execute`."""

    def cast(part: Head | Mlp) -> list[np.ndarray]:
        return [getattr(part, name).astype(dtype) for name in part.WEIGHTS]

    layers = [([cast(h) for h in layer.heads], cast(layer.mlp)) for layer in transformer.layers]
    attention = transformer.attention
    attend = partial(_softmax, attention.causal) if attention.softmax else _attend

    def run(stream: Any, trace: bool = False) -> Pass:
        h, attended = np.asarray(stream).astype(dtype), []
        for number, (heads, mlp) in enumerate(layers):
            own = order.of_layer(number)
            updates, totals = zip(*(attend(h, head, own) for head in heads), strict=True)
            h = h + total(np.stack(updates, axis=-1), own)
            W_in, W_out = mlp
            h = h + times(np.maximum(times(h, W_in, own), 0), W_out, own)
            attended.append(np.stack(totals, axis=-2))
        return Pass(h, np.stack(attended, axis=-3))

    return run


def _attend(h: np.ndarray, head: list, order: Order) -> tuple[np.ndarray, np.ndarray]:
    W_Q, W_K, W_V, W_O = head
    if not (W_Q.any() and W_K.any()):
        return np.zeros_like(h), np.zeros(h.shape[:-1], h.dtype)
    keys = np.swapaxes(times(h, W_K, order), -1, -2)
    scores = np.maximum(times(times(h, W_Q, order), keys, order), 0)
    update = times(times(scores / h.shape[-2], times(h, W_V, order), order), W_O, order)
    return update, total(scores, order)


def _softmax(
    causal: bool, h: np.ndarray, head: list, order: Order
) -> tuple[np.ndarray, np.ndarray]:
    """Softmax attention; the totals are those off the sink, as executors have them."""
    W_Q, W_K, W_V, W_O = head
    if not (W_V.any() and W_O.any()):
        return np.zeros_like(h), np.zeros(h.shape[:-1], h.dtype)
    keys = np.swapaxes(times(h, W_K, order), -1, -2)
    scores = times(times(h, W_Q, order), keys, order)
    if causal:
        scores[..., np.triu(np.ones(scores.shape[-2:], dtype=bool), 1)] = -np.inf
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    sums = total(powers, order)[..., None]
    weights = powers * (1 / sums) if order.fused else powers / sums
    return times(times(weights, times(h, W_V, order), order), W_O, order), weights[..., 1:].sum(-1)


def times(A: np.ndarray, B: np.ndarray, order: Order) -> np.ndarray:
    """A @ B, of which zeros are left out: adding them is exact."""
    used = A.any(axis=tuple(range(A.ndim - 1)))
    used &= np.swapaxes(B, -1, -2).any(axis=tuple(range(B.ndim - 1)))
    a, b = A[..., :, None, used], np.swapaxes(B, -1, -2)[..., None, :, used]
    products = a * b
    if not order.fused:
        return total(products, order)
    at = order.arrange(products)
    a, b = (np.take_along_axis(np.broadcast_to(x, products.shape), at, -1) for x in (a, b))
    result = np.zeros(products.shape[:-1], products.dtype)
    for i in range(products.shape[-1]):
        result = fused(a[..., i], b[..., i], result)
    return result


def total(terms: np.ndarray, order: Order) -> np.ndarray:
    """The sum over the last axis, every addition rounded."""
    terms = np.take_along_axis(terms, order.arrange(terms), -1)
    while order.block and terms.shape[-1] > order.block:
        short = -terms.shape[-1] % order.block
        zeros = np.zeros((*terms.shape[:-1], short), terms.dtype)
        blocks = np.concatenate([terms, zeros], axis=-1)
        terms = _add(blocks.reshape(*terms.shape[:-1], -1, order.block))
    return _add(terms)


def _add(terms: np.ndarray) -> np.ndarray:
    result = np.zeros(terms.shape[:-1], terms.dtype)
    for i in range(terms.shape[-1]):
        result = result + terms[..., i]
    return result


# --- A fused product and addition, in plain additions -------------------------


def fused(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    """A b + c, rounded once (Boldo and Melquiond, IEEE Trans. Computers 57 (2008) 462)."""
    high, low = _product(a, b)
    t, t_low = _sum(c, low)
    v, v_low = _sum(high, t)
    return v + _odd_sum(t_low, v_low)


def _sum(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A sum and its error, exactly (Knuth)."""
    s = a + b
    t = s - a
    return s, (a - (s - t)) + (b - t)


def _product(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A product and its error, exactly (Dekker)."""
    product = a * b
    (a1, a2), (b1, b2) = _halves(a), _halves(b)
    return product, ((a1 * b1 - product) + a1 * b2 + a2 * b1) + a2 * b2


def _halves(a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    bits = (np.finfo(a.dtype).nmant + 2) // 2
    scaled = a * a.dtype.type(2**bits + 1)
    high = scaled - (scaled - a)
    return high, a - high


def _odd_sum(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """A + b, rounded to the neighbour with an odd last bit where it is not exact."""
    s, error = _sum(a, b)
    even = s.view(f"i{s.dtype.itemsize}") & 1 == 0
    other = np.nextafter(s, np.copysign(s.dtype.type(np.inf), error))
    return np.where((error != 0) & even, other, s)
