"""Softmax attention in balls: each number with a proved bound on its error (python-flint's arb).

The stream and the weights are exact rationals; exp is the only function that is not, and FLINT
encloses it. So what comes out is a mathematical fact about the weights, whatever rounds: the
reference for all float executors, and the executor "exact" of softmax transformers.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction

import numpy as np
from flint import arb, arb_mat, ctx, fmpq

from construct.errors import CheckFailed
from construct.execute.passes import Pass, Run
from construct.network.transformer import Entries, Head, Mlp, Transformer

# Bits of a midpoint. The decisions of a design leave e^-gamma, which is 2^-92 for 64.
PRECISION = 512
# An enclosure that is wider says too little to be a reference.
WIDEST = 2.0**-192
# Results are multiples of 2^-192, so that their digits are as many as they are worth.
GRID = 192


@contextmanager
def precision() -> Iterator[None]:
    """Balls with `PRECISION` bits."""
    before, ctx.prec = ctx.prec, PRECISION
    try:
        yield
    finally:
        ctx.prec = before


def run_of(transformer: Transformer) -> Run:
    """A pass over the layers of a transformer with softmax attention."""
    with precision():
        layers = [
            ([_weights(head) for head in layer.heads], _weights(layer.mlp))
            for layer in transformer.layers
        ]
    causal = transformer.attention.causal

    def run(stream: np.ndarray, trace: bool = False) -> Pass:
        if stream.ndim == 3:
            passes = [run(one, trace) for one in stream]
            states = [p.states for p in passes if p.states is not None]
            return Pass(
                np.stack([p.stream for p in passes]),
                np.stack([p.attended for p in passes]),
                np.stack(states, axis=1) if trace else None,
            )
        with precision():
            h = _matrix(stream)
            kept, attended = [h], []
            for heads, mlp in layers:
                h, totals = _attention(h, heads, causal)
                if mlp is not None:
                    W_in, W_out = mlp
                    h = h + _relu(h * W_in) * W_out
                attended.append(totals)
                kept.append(h)
            traced = np.stack([_enclosed(one) for one in kept]) if trace else None
            return Pass(_enclosed(h), np.stack(attended), traced)

    return run


def softmax(values: np.ndarray) -> np.ndarray:
    """The softmax of rationals: as the midpoints of enclosures, exact rationals themselves."""
    with precision():
        [row] = _softmax(_matrix(values[None]), causal=False).tolist()
        found = np.empty(len(row), dtype=object)
        found[:] = [_middle(x) for x in row]
        return found


def _attention(h: arb_mat, heads: list, causal: bool) -> tuple[arb_mat, np.ndarray]:
    """The stream with what the heads write, and the totals (heads, N)."""
    totals = np.full((len(heads), h.nrows()), 0, dtype=object)
    after = h
    for k, weights in enumerate(heads):
        if weights is None:
            continue
        W_Q, W_K, W_V, W_O = weights
        attended = _softmax((h * W_Q) * (h * W_K).transpose(), causal)
        after = after + attended * (h * W_V) * W_O
        rows = attended.tolist()
        totals[k] = [_middle(sum(row[1:], arb(0))) for row in rows]
    return after, totals


def _softmax(scores: arb_mat, causal: bool) -> arb_mat:
    rows = []
    for i, row in enumerate(scores.tolist()):
        seen = row[: i + 1] if causal else row
        # exp is taken of numbers of any size: nothing is subtracted first.
        powers = [score.exp() for score in seen]
        total = sum(powers, arb(0))
        rows.append([power / total for power in powers] + [arb(0)] * (len(row) - len(seen)))
    return arb_mat(rows)


def _relu(units: arb_mat) -> arb_mat:
    zero = arb(0)
    return arb_mat([[x.max(zero) for x in row] for row in units.tolist()])


def _weights(part: Head | Mlp) -> tuple[arb_mat, ...] | None:
    """The part's matrices; None for one that writes nothing."""
    if part.silent if isinstance(part, Head) else part.idle:
        return None
    return tuple(_weight(part, name) for name in part.WEIGHTS)


def _weight(part: Head | Mlp, name: str) -> arb_mat:
    """A weight as the rationals that it is."""
    floats = part.sparse(name).toarray()
    rows = [
        [arb(fmpq(*x.as_integer_ratio())) if x else arb(0) for x in row] for row in floats.tolist()
    ]
    for (i, j), value in Entries.of(part.exact.get(name, {})).items():
        rows[i][j] = arb(fmpq(value.numerator, value.denominator))
    return arb_mat(rows)


def _matrix(stream: np.ndarray) -> arb_mat:
    return arb_mat([[arb(fmpq(*x.as_integer_ratio())) for x in row] for row in stream.tolist()])


def _enclosed(matrix: arb_mat) -> np.ndarray:
    """The midpoints, as exact rationals, to 2^-191.

    Raises:
        CheckFailed: if a ball is so wide that its midpoint says too little.
    """
    rows = [[_middle(x) for x in row] for row in matrix.tolist()]
    found = np.empty((len(rows), len(rows[0])), dtype=object)
    found[:] = rows
    return found


def _middle(ball: arb) -> Fraction | int:
    if not float(ball.rad()) <= WIDEST * max(1.0, abs(float(ball.mid()))):
        raise CheckFailed(
            f"a number of the pass is enclosed no closer than {ball.str(6)}; this reference needs "
            "more bits."
        )
    # A weight of e^-10^8 is a power of two with as many digits: 0 is as good.
    man, exp = (int(part) for part in ball.mid().man_exp())
    below = -GRID - exp
    whole = man << -below if below <= 0 else man >> below if below < man.bit_length() else 0
    value = Fraction(whole, 1 << GRID)
    return value.numerator if value.denominator == 1 else value
