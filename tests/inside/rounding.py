"""How far rounding can take a pass: a bound at each number, for any order of every sum.

A pass is followed with a centre c and a radius e for each number, such that what is computed in
rationals and what any executor computes in a float format are both within e of c. A sum of n
products is off by at most gamma_n times the sum of their absolute values, where gamma_n =
n u / (1 - n u) (Higham, Accuracy and Stability of Numerical Algorithms, 3.1: whatever the order);
that of the centre, computed here in float64, comes on top. ReLU takes no number farther from
another one. Of exp it is assumed what proofs/floats/softmax.md assumes: 4 ulp, or 0 below tiny.
"""

from dataclasses import dataclass

import numpy as np

from construct.network.transformer import Head, Mlp, Transformer

U = {"float64": 2.0**-53, "float32": 2.0**-24}
# exp may give 0 below these.
TINY = {"float64": 2.0**-1022, "float32": 2.0**-126}
# The exact executor gives softmax as multiples of 2^-192, of enclosures no wider than that.
GRID = 2.0**-190
# The radii are computed in float64 too: this covers their own rounding many times over.
SLACK = 1 + 2.0**-20


@dataclass(frozen=True, eq=False)
class Bounds:
    """How far two passes can be apart: one in rationals, the other in floats.

    Attributes:
        states: (layers + 1, N, D).
        attended: (layers, heads, N).
    """

    states: np.ndarray
    attended: np.ndarray


@dataclass(frozen=True, eq=False)
class Ball:
    """Centres and radii."""

    c: np.ndarray
    e: np.ndarray

    @property
    def size(self) -> np.ndarray:
        """At least the absolute value of anything within."""
        return abs(self.c) + self.e


class Rounding:
    """Arithmetic of balls, for one float format."""

    def __init__(self, dtype: str) -> None:
        self.u, self.tiny = U[dtype], TINY[dtype]

    def gamma(self, n: int) -> float:
        """Of a sum of n products in this format, and of the centre in float64."""
        return SLACK * sum(n * u / (1 - n * u) for u in (self.u, U["float64"]))

    def product(self, a: Ball, b: Ball, more: int = 4) -> Ball:
        """a @ b. The other terms are roundings of the factors, weights of a format among them."""
        n = a.c.shape[-1] + more
        e = a.e @ b.size + abs(a.c) @ b.e + self.gamma(n) * (a.size @ b.size)
        return Ball(a.c @ b.c, SLACK * e)

    def sum(self, *terms: Ball) -> Ball:
        size = sum(term.size for term in terms)
        e = sum(term.e for term in terms) + self.gamma(len(terms) + 2) * size
        return Ball(sum(term.c for term in terms), SLACK * e)

    def softmax(self, scores: Ball, seen: np.ndarray) -> Ball:
        """Along rows, of what is seen: every exponent is off by at most `off` of its row."""
        far = np.where(seen, scores.c, -np.inf)
        least = np.where(seen, far - far.max(axis=1, keepdims=True), 0)
        off = np.where(seen, scores.e + self.gamma(2) * (abs(least) + scores.e), 0)
        off = off.max(axis=1, keepdims=True)
        powers = np.where(seen, np.exp(least), 0)
        c = powers / powers.sum(axis=1, keepdims=True)
        # Both the power and the sum are off by a factor; 8 u is 4 ulp.
        factor = np.expm1(2 * off) + self.gamma(scores.c.shape[1] + 24) * np.exp(2 * off)
        return Ball(c, np.where(seen, SLACK * (c * factor + len(c) * self.tiny), 0))


def relu(ball: Ball) -> Ball:
    """What is surely not above 0 becomes 0."""
    off = ball.c + ball.e <= 0
    return Ball(np.maximum(ball.c, 0), np.where(off, 0, ball.e))


def weight(part: Head | Mlp, name: str) -> Ball:
    """A weight as the nearest float64: off by half an ulp where it stands exactly beside it."""
    W = getattr(part, name)
    return Ball(W, U["float64"] * abs(W) * (name in part.exact))


def bounds(transformer: Transformer, layers: int, stream: np.ndarray, dtype: str) -> Bounds:
    """Of a pass through the layers after the first `layers`, from a stream that both passes have.

    Args:
        stream: floats of that format.
    """
    h = Ball(stream.astype(np.float64), np.zeros(stream.shape))
    rounding, softmax = Rounding(dtype), transformer.attention.softmax
    states, attended = [softmax * GRID * (1 + h.size)], []
    for layer in transformer.layers[layers:]:
        given = [_scores(rounding, transformer, head, h) for head in layer.heads]
        written = [
            _written(rounding, transformer, head, h, one)
            for head, one in zip(layer.heads, given, strict=True)
        ]
        h = rounding.sum(h, *written)
        units = relu(rounding.product(h, weight(layer.mlp, "W_in")))
        h = rounding.sum(h, rounding.product(units, weight(layer.mlp, "W_out")))
        totals = [rounding.product(one, _ones(one, int(softmax))) for one in given]
        # Both passes are within e of the centre: they are within 2 e of each other.
        states.append(2 * h.e + softmax * GRID * (1 + h.size))
        attended.append(np.stack([2 * total.e[:, 0] + softmax * GRID for total in totals]))
    shape = (0, len(transformer.layers[0].heads), len(stream))
    return Bounds(np.stack(states), np.stack(attended) if attended else np.zeros(shape))


def bound_of_scores(
    transformer: Transformer, head: Head, stream: np.ndarray, dtype: str
) -> np.ndarray:
    """(N, N): how far the scores of a head, from a stream in floats, are from the exact ones."""
    h = Ball(stream.astype(np.float64), np.zeros(stream.shape))
    found = _scores(Rounding(dtype), transformer, head, h)
    return 2 * found.e + transformer.attention.softmax * GRID


def _ones(scores: Ball, first: int) -> Ball:
    ones = (np.arange(len(scores.c)) >= first).astype(float)[:, None]
    return Ball(ones, np.zeros_like(ones))


def _scores(rounding: Rounding, transformer: Transformer, head: Head, h: Ball) -> Ball:
    """relu(<Q h_i, K h_j>), or the softmax of these."""
    attention, N = transformer.attention, len(h.c)
    if head.silent if attention.softmax else head.idle:
        return Ball(np.zeros((N, N)), np.zeros((N, N)))
    q, k = (rounding.product(h, weight(head, name)) for name in ("W_Q", "W_K"))
    scores = rounding.product(q, Ball(k.c.T, k.e.T))
    if not attention.softmax:
        return relu(scores)
    seen = np.ones((N, N), dtype=bool)
    return rounding.softmax(scores, np.tril(seen) if attention.causal else seen)


def _written(
    rounding: Rounding, transformer: Transformer, head: Head, h: Ball, given: Ball
) -> Ball:
    """What a head adds: a product of matrices, whichever of them are multiplied first."""
    N = 1 if transformer.attention.softmax else len(h.c)
    W_V, W_O = (weight(head, name) for name in ("W_V", "W_O"))
    terms = h.c.shape[1] + W_O.c.shape[0] + len(h.c)
    values = rounding.product(rounding.product(h, W_V, terms), W_O, terms)
    size = (h.size @ W_V.size) @ W_O.size
    values = Ball(values.c, values.e + rounding.gamma(2 * terms) * size)
    found = rounding.product(given, values, terms)
    return Ball(found.c / N, SLACK * found.e / N)
