"""Scores and passes in rationals, from the definitions, with FLINT's matrices: no executor's code.

Of softmax the weights come with 256 bits.
"""

from fractions import Fraction

import numpy as np
from flint import arb, ctx, fmpq, fmpq_mat

from construct import prepare
from construct.execute.passes import Pass
from construct.network.transformer import Entries, Head, Transformer

BITS = 256


def scores_of(transformer: Transformer, head: Head, stream: np.ndarray) -> np.ndarray:
    """(N, N) of rationals: relu(<Q h_i, K h_j>), or the softmax of these, in its rows."""
    h = _matrix(stream.tolist())
    q, k = (h * _weight(head, name) for name in ("W_Q", "W_K"))
    rows = (q * k.transpose()).tolist()
    attention = transformer.attention
    if not attention.softmax:
        return _array([[_rational(max(x, fmpq(0))) for x in row] for row in rows])
    before, ctx.prec = ctx.prec, BITS
    try:
        return _array([_softmax(row, i, attention.causal) for i, row in enumerate(rows)])
    finally:
        ctx.prec = before


def _softmax(row: list[fmpq], i: int, causal: bool) -> list[Fraction]:
    seen = row[: i + 1] if causal else row
    # Below e^-1000 a weight has more digits than it is worth.
    powers = [arb(x - max(seen)).exp() if x - max(seen) > -1000 else arb(0) for x in seen]
    total = sum(powers, arb(0))
    found = [_rational((power / total).mid().fmpq()) for power in powers]
    return found + [Fraction(0)] * (len(row) - len(seen))


def rest_of_pass(transformer: Transformer, layer: int, stream: np.ndarray) -> Pass:
    """What the exact executor makes of a stream, of floats too, by the layers after this one."""
    if layer == len(transformer.layers):
        return Pass(stream, np.zeros((0, transformer.sizes.heads, len(stream))), stream[None])
    outer = {name: transformer.sparse(name) for name in transformer.WEIGHTS}
    rest = Transformer(
        transformer.sizes,
        transformer.layers[layer:],
        **outer,
        answer=transformer.answer,
        attention=transformer.attention,
    )
    return prepare("exact", rest, "exact")(stream, trace=True)


def distance(floats: np.ndarray, rationals: np.ndarray) -> np.ndarray:
    """|x - y| of each entry, rounded up to a float."""
    off = np.zeros(floats.shape)
    for place in zip(*np.nonzero((floats != 0) | (rationals != 0)), strict=True):
        x, y = (
            array[place].item() if array.dtype != object else array[place]
            for array in (floats, rationals)
        )
        off[place] = 0 if x == y else float(abs(Fraction(x) - y)) * (1 + 2.0**-50)
    return off


def _matrix(rows: list) -> fmpq_mat:
    return fmpq_mat([[fmpq(*x.as_integer_ratio()) for x in row] for row in rows])


def _weight(head: Head, name: str) -> fmpq_mat:
    rows = head.sparse(name).toarray().tolist()
    for (i, j), value in Entries.of(head.exact.get(name, {})).items():
        rows[i][j] = value
    return _matrix(rows)


def _rational(x: fmpq) -> Fraction:
    return Fraction(int(x.p), int(x.q))


def _array(rows: list) -> np.ndarray:
    found = np.empty((len(rows), len(rows)), dtype=object)
    found[:] = rows
    return found
