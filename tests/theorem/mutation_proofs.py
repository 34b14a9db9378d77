"""Proofs that a mutated transformer answers as the original, on the whole domain.

A forward pass over boxes: each coordinate of each token gets an interval of rationals
that holds its value on every prompt of the domain (inputs within R, labels within R_y,
the flag of an example in [0, 1], so blank slots too). Matrices, products and ReLUs act
on intervals in exact arithmetic. Two claims are then decided, of which one suffices:

same scores    every ReLU'd score of the changed head is one constant on the domain,
               and the same as before: what the weight served keeps its slack.
another token  in the changed head two tokens, a (the answer token) and r, have
               exchanged their rows of scores, and nothing else has changed. Then r
               computes what a did, and all that follows is blind to the exchange.

Both are sound and neither is complete: None means "not proved", not "different".
"""

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np

from construct import Construction, Head, Layer, Mlp, Transformer
from construct.spec.prompt import exactly


@dataclass(frozen=True, eq=False)
class Box:
    """Intervals [low, high], entry by entry; exact."""

    low: np.ndarray
    high: np.ndarray

    def __getitem__(self, index) -> "Box":
        return Box(self.low[index], self.high[index])

    def __add__(self, other: "Box") -> "Box":
        return Box(self.low + other.low, self.high + other.high)

    def __mul__(self, other: "Box") -> "Box":
        ends = [x * y for x in (self.low, self.high) for y in (other.low, other.high)]
        return Box(np.minimum.reduce(ends), np.maximum.reduce(ends))

    def __matmul__(self, W: np.ndarray) -> "Box":
        up, down = np.maximum(W, 0), np.minimum(W, 0)
        return Box(self.low @ up + self.high @ down, self.high @ up + self.low @ down)

    def sum(self, axis: int) -> "Box":
        return Box(self.low.sum(axis), self.high.sum(axis))

    def relu(self) -> "Box":
        return Box(np.maximum(self.low, 0), np.maximum(self.high, 0))

    @property
    def constant(self) -> bool:
        return bool((self.low == self.high).all())

    def same(self, other: "Box") -> bool:
        """Whether both are one and the same constant."""
        return self.constant and other.constant and bool((self.low == other.low).all())


class Prover:
    """Decides the two claims for mutants of one construction."""

    def __init__(self, construction: Construction) -> None:
        self.transformer, self.domain = construction.transformer, construction.domain
        self._tables: dict[tuple[int, int], Box] = {}

    def equivalence(self, mutant: Transformer, layer: int, head: int) -> str | None:
        """Why a mutant with other W_Q or W_K in one head answers as the original.

        Returns:
            The proved claim, or None.
        """
        before = self._scores_of(layer, head)
        if not before.relu().constant:
            return None
        after = scores(self.boxes[layer], mutant.layers[layer].heads[head])
        if before.relu().same(after.relu()):
            most = max(x for x in after.high[after.low != 0] if x <= 0)
            return f"same scores: {most} or less, where they were 0 or less"
        return self._another_token(before.relu(), after.relu(), layer, head)

    def _another_token(self, before: Box, after: Box, layer: int, head: int) -> str | None:
        """The claim "another token", for ReLU'd scores before and after.

        Let R be the coordinates that later layers read. If a and r agree in R before
        this layer, and this layer adds to r what it added to a and vice versa, then
        after it the mutant's tokens are in R the original's with a and r exchanged.
        Attention and MLPs do not see the order of tokens: so it stays, layer by layer.
        At a, the mutant's later heads therefore add what the original's add at r; and
        that is what they add at a, where all that they ask with is equal at a and r.
        """
        a = self.transformer.answer
        rows = np.flatnonzero((before.low != after.low).any(axis=1))
        if len(rows) != 2 or a not in rows:
            return None
        r = int(rows[rows != a][0])
        exchanged = np.arange(len(before.low))
        exchanged[[a, r]] = r, a
        own, later = self.transformer.layers[layer], self.transformer.layers[layer + 1 :]
        here = own.heads[head]
        others = [h for k, h in enumerate(own.heads) if k != head]
        answer = np.flatnonzero(self.transformer.W_U.any(axis=1))
        read = _union(*(_read(part) for part in _parts(later)))
        heads = [h for part in later for h in part.heads if h.W_O[:, answer].any()]
        asked = _union(*(_rows(h.W_Q) for h in heads))
        state = self.boxes[layer]
        holds = (
            # The votes are read off before this layer.
            layer > self._superpose
            and after[exchanged].same(before)
            # Nothing else in this layer writes, and nothing in it the answer.
            and not any(part.W_O.any() for part in others)
            and not own.mlp.W_out.any()
            and not here.W_O[:, answer].any()
            # a and r agree in what is read.
            and state[a, read].same(state[r, read])
            # Heads that write the answer ask with what a and r share for good.
            and not any(part[:, asked].any() for part in (here.W_O, *_written(later)))
            and not any(part.mlp.W_out[:, answer].any() for part in later)
        )
        if not holds:
            return None
        return f"another token: token {r} stands in for the answer token {a} up to the last layer"

    def _scores_of(self, layer: int, head: int) -> Box:
        """The original's scores in one head, kept."""
        if (layer, head) not in self._tables:
            original = self.transformer.layers[layer].heads[head]
            self._tables[layer, head] = scores(self.boxes[layer], original)
        return self._tables[layer, head]

    @property
    def _superpose(self) -> int:
        return [layer.name for layer in self.transformer.layers].index("superpose")

    @cached_property
    def boxes(self) -> list[Box]:
        """The streams of all prompts of the domain, before layer 1 and after each layer."""
        boxes = [self._embedded()]
        for layer in self.transformer.layers:
            boxes.append(_forward(boxes[-1], layer))
        return boxes

    def _embedded(self) -> Box:
        sizes, domain = self.transformer.sizes, self.domain
        high = np.full((sizes.N, sizes.d + 1), 0, dtype=object)
        places = high[: sizes.tokens].reshape(sizes.m + 1, sizes.n, sizes.d + 1)
        places[:, :-1, :-1] = domain.R
        places[:-1, -1, :-1] = domain.Ry
        low = -high
        # The flag is 1 in an example, 0 in a blank slot and in the query.
        places[:-1, :, -1] = 1
        tokens = Box(low, high)
        at = exactly(self.transformer.W_pos)
        return tokens @ exactly(self.transformer.W_E) + Box(at, at)


def scores(h: Box, head: Head) -> Box:
    """<Q h_i, K h_j> for all pairs of tokens, before the ReLU."""
    q, k = h @ exactly(head.W_Q), h @ exactly(head.W_K)
    if q.constant and k.constant:
        table = q.low @ k.low.T
        return Box(table, table)
    return (q[:, None, :] * k[None, :, :]).sum(axis=-1)


def _forward(h: Box, layer: Layer) -> Box:
    update = h
    for head in layer.heads:
        if head.W_O.any():
            values = h @ exactly(head.W_V)
            given = (scores(h, head).relu()[:, :, None] * values[None, :, :]).sum(axis=1)
            update = update + given @ (exactly(head.W_O) * Fraction(1, len(h.low)))
    if layer.mlp.W_out.any():
        update = update + (update @ exactly(layer.mlp.W_in)).relu() @ exactly(layer.mlp.W_out)
    return update


def _parts(layers: tuple[Layer, ...]) -> list[Head | Mlp]:
    return [part for layer in layers for part in (*layer.heads, layer.mlp)]


def _written(layers: tuple[Layer, ...]) -> list[np.ndarray]:
    return [p.W_O if isinstance(p, Head) else p.W_out for p in _parts(layers)]


def _read(part: Head | Mlp) -> np.ndarray:
    """The coordinates of the stream that a head or an MLP reads."""
    names = ("W_Q", "W_K", "W_V") if isinstance(part, Head) else ("W_in",)
    return _union(*(_rows(getattr(part, name)) for name in names))


def _rows(W: np.ndarray) -> np.ndarray:
    return np.flatnonzero(W.any(axis=1))


def _union(*coordinates: np.ndarray) -> np.ndarray:
    return np.unique(np.concatenate(coordinates))
