"""Bai's primitives over named fields (2306.04637, Definitions 1 to 3).

A layer is written in formulas over fields, and emitted as matrices when it is asked for:

    h_i <- h_i + sum_heads (1/N) sum_j relu(<Q h_i, K h_j>) V h_j
    h_i <- h_i + W2 relu(W1 h_i)

`Rows` is a list of linear functionals of one token. A head's score is a sum of
inner products <q(h_i), k(h_j)> of such lists, so that a score is written here as
it is written on paper. Weights are emitted by their non-zeros. What a layer is called,
what its heads read and the shape of each weight follow from the formulas alone.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from scipy.sparse import coo_array, csr_array

from construct.errors import ConstructError
from construct.matrix import Matrix
from construct.network.count import Count
from construct.network.reach import ANYWHERE, EVERY, Parts, Reach, Tokens
from construct.network.residual import Residual
from construct.network.transformer import Entries, Head, Layer, Mlp, Shape
from construct.rational import BEYOND_FLOAT64, Rational, rationals


class Rows:
    """Linear functionals of a token: a block for each field that they read.

    A block is a (rows, field width) matrix of rationals, by its non-zeros, or a single
    rational c that stands for c times the identity.
    """

    # NumPy must leave `matrix * rows` to __rmul__ below.
    __array_ufunc__ = None

    def __init__(
        self, blocks: Mapping[str, Matrix | np.ndarray | Rational], scale: Rational = 1
    ) -> None:
        self._scale = scale
        self._blocks: dict[str, Matrix | Rational] = {
            name: Matrix.of(block, (None, None), name) if isinstance(block, np.ndarray) else block
            for name, block in blocks.items()
        }

    @property
    def blocks(self) -> dict[str, Matrix | Rational]:
        """The block of each field; scaled only now, for a formula may never be emitted."""
        if self._scale == 1:
            return dict(self._blocks)
        return {name: self._scale * block for name, block in self._blocks.items()}

    def __add__(self, other: "Rows") -> "Rows":
        blocks = self.blocks
        for name, block in other.blocks.items():
            blocks[name] = _sum(blocks[name], block) if name in blocks else block
        return Rows(blocks)

    def __rmul__(self, scale: Rational) -> "Rows":
        return Rows(self._blocks, scale * self._scale)

    def __neg__(self) -> "Rows":
        return -1 * self

    def __sub__(self, other: "Rows") -> "Rows":
        return self + (-other)

    def matrices(self) -> Iterator[tuple[str, Matrix]]:
        """The fields that are read through a matrix, with it."""
        for name, block in self.blocks.items():
            if isinstance(block, Matrix):
                yield name, block

    def entries(self, residual: Residual) -> Count:
        """The entries that these functionals are in a weight, counted and not made."""
        found = Count()
        for name, block in self._blocks.items():
            if isinstance(block, Matrix):
                found += Count.of(block.distinct, self._scale)
            else:
                found += residual[name].width * Count.of([block], self._scale)
        return found

    def count(self, residual: Residual) -> int:
        """How many functionals there are."""
        counts = {
            block.shape[0] if isinstance(block, Matrix) else residual[name].width
            for name, block in self._blocks.items()
        }
        assert len(counts) == 1, f"the blocks have unequal lengths: {self._blocks}"
        return counts.pop()


def _sum(one: Matrix | Rational, other: Matrix | Rational) -> Matrix | Rational:
    if isinstance(one, Matrix):
        return one + (other if isinstance(other, Matrix) else other * Matrix.identity(one.shape[0]))
    return _sum(other, one) if isinstance(other, Matrix) else one + other


def read(field: str) -> Rows:
    """The coordinates of a field, one functional each."""
    return Rows({field: 1})


def constant(value: Rational) -> Rows:
    """The constant `value` (0 on padding, where `one` is 0)."""
    return Rows({"one": value})


def along(field: str, vector: np.ndarray) -> Rows:
    """The single functional <vector, field>."""
    return Rows({field: vector[None, :]})


# A score: the sum of <q(h_i), k(h_j)> over these pairs.
Score = Sequence[tuple[Rows, Rows]]


# Where a head writes: a field, from its start or from a coordinate on.
Target = str | tuple[str, int]

# The shape of each weight of a part, and its weights as the part takes them.
Shapes = Mapping[str, tuple[int, int]]
Weights = Mapping[str, Any]

NOTHING = "nothing: all weights are zero"


@dataclass(frozen=True, eq=False)
class HeadFormula:
    """A head before its weights are emitted; without formulas it is idle.

    Attributes:
        name, purpose, reach: as `Head` has them.
        shape: K, D and the fields of the transformer that it belongs to.
        score: <Q h_i, K h_j> is the sum of the products of these pairs.
        write: what is read at j and added to each field at i, or to the coordinates of a
            field from one of them on.
    """

    name: str
    purpose: str
    shape: Shape
    score: Score = ()
    write: Mapping[Target, Rows] = field(default_factory=dict)
    reach: Reach = ANYWHERE

    @property
    def idle(self) -> bool:
        """Whether it adds 0 by its formula."""
        return not self.score and not self.write

    @cached_property
    def shapes(self) -> Shapes:
        """The shape of each weight."""
        residual, D = self.shape.residual, self.shape.D
        q = 1 if self.idle else sum(rows.count(residual) for rows, _ in self.score)
        v = 1 if self.idle else sum(rows.count(residual) for rows in self.write.values())
        return {"W_Q": (D, q), "W_K": (D, q), "W_V": (D, v), "W_O": (v, D)}

    def entries(self) -> dict[str, Count]:
        """The entries of each weight, counted and not made."""
        residual = self.shape.residual
        writes = list(self.write.values())
        reads = {"W_Q": [q for q, _ in self.score], "W_K": [k for _, k in self.score]}
        found = {
            name: sum((rows.entries(residual) for rows in listed), start=Count())
            for name, listed in (*reads.items(), ("W_V", writes))
        }
        return {**found, "W_O": Count(sum(rows.count(residual) for rows in writes))}

    def given(self, weights: Weights) -> Head:
        """The head with weights from elsewhere."""
        return Head(self.name, self.purpose, **weights, reach=self.reach)

    def emit(self) -> Head:
        """The head with the weights of its formula."""
        return self.given(_zero(self.shapes) if self.idle else self._weights())

    def _weights(self) -> Weights:
        residual, shape = self.shape.residual, self.shapes["W_O"]
        targets = [
            _start(residual, target) + np.arange(rows.count(residual))
            for target, rows in self.write.items()
        ]
        at = np.arange(shape[0]), np.concatenate(targets)
        return {
            **_weights(
                W_Q=_stack(residual, [q for q, _ in self.score]),
                W_K=_stack(residual, [k for _, k in self.score]),
                W_V=_stack(residual, list(self.write.values())),
            ),
            "W_O": csr_array(coo_array((np.ones(shape[0]), at), shape)),
        }


@dataclass(frozen=True, eq=False)
class MlpFormula:
    """An MLP before its weights are emitted; without a formula it is idle.

    Attributes:
        purpose, acts, parts: as `Mlp` has them.
        shape: K, D and the fields of the transformer that it belongs to.
        units: how many hidden units it has.
        formula: gives the hidden units, and for each field that is written to the
            (field width, units) matrix, by its non-zeros, that is applied to them.
        entries: all that are not zero, counted and not made.
    """

    purpose: str
    shape: Shape
    units: int = 1
    formula: Callable[[], tuple[Rows, Mapping[str, Matrix]]] | None = None
    entries: Callable[[], Count] = Count
    acts: Tokens = EVERY
    parts: Parts = ()

    @property
    def idle(self) -> bool:
        """Whether it adds 0 by its formula."""
        return self.formula is None

    @property
    def shapes(self) -> Shapes:
        """The shape of each weight."""
        return {"W_in": (self.shape.D, self.units), "W_out": (self.units, self.shape.D)}

    def given(self, weights: Weights) -> Mlp:
        """The MLP with weights from elsewhere."""
        return Mlp(self.purpose, **weights, acts=self.acts, parts=self.parts)

    def emit(self) -> Mlp:
        """The MLP with the weights of its formula."""
        if self.formula is None:
            return self.given(_zero(self.shapes))
        hidden, write = self.formula()
        residual = self.shape.residual
        W_in, W_out = _stack(residual, [hidden]), _Weight(self.units, self.shape.D)
        for name, matrix in write.items():
            W_out.place(0, residual[name].start, matrix.T)
        return self.given(_weights(W_in=W_in, W_out=W_out))


@dataclass(frozen=True, eq=False)
class LayerFormula:
    """A layer before its weights are emitted: all that is to be said of it."""

    name: str
    lemma: str
    heads: tuple[HeadFormula, ...]
    mlp: MlpFormula

    @property
    def busy(self) -> tuple[HeadFormula, ...]:
        """The heads that are not idle."""
        return tuple(head for head in self.heads if not head.idle)

    @property
    def nonzeros(self) -> int:
        """How many weights are not 0, counted and not made."""
        heads = (count for head in self.busy for count in head.entries().values())
        return sum((one.nonzeros for one in heads), start=self.mlp.entries().nonzeros)

    def emit(self) -> Layer:
        """The layer with the weights of its formulas."""
        once = {head: head.emit() for head in dict.fromkeys(self.heads)}  # idle ones are one
        heads = tuple(once[head] for head in self.heads)
        return Layer(self.name, self.lemma, heads, self.mlp.emit())


def layer(
    shape: Shape,
    name: str,
    lemma: str,
    heads: Sequence[HeadFormula],
    mlp: MlpFormula | None = None,
) -> LayerFormula:
    """A layer of as many heads as each has: those given, and idle ones."""
    idle = HeadFormula("idle", NOTHING, shape)
    padded = (*heads, *[idle] * (shape.heads - len(heads)))
    return LayerFormula(name, lemma, padded, mlp or MlpFormula(NOTHING, shape))


def _start(residual: Residual, target: Target) -> int:
    """The first coordinate that is written."""
    name, offset = (target, 0) if isinstance(target, str) else target
    return residual[name].start + offset


def _zero(shapes: Shapes) -> Weights:
    return {name: csr_array(shape) for name, shape in shapes.items()}


class _Weight:
    """A weight, collected block by block."""

    def __init__(self, rows: int, columns: int) -> None:
        self.shape = rows, columns
        self._blocks: list[tuple[int, int, Matrix]] = []

    def place(self, row: int, column: int, block: Matrix) -> None:
        """Put a block there."""
        self._blocks.append((row, column, block))

    def rounded(self) -> csr_array:
        """Each entry as the nearest float64; one that underflows stays, as 0."""
        at = [block.at + np.array([[row], [column]]) for row, column, block in self._blocks]
        places = np.concatenate([np.zeros((2, 0), dtype=np.int64), *at], axis=1)
        floats = np.concatenate([np.zeros(0), *(block.floats for _, _, block in self._blocks)])
        if not np.isfinite(floats).all():
            raise ConstructError(BEYOND_FLOAT64)
        return csr_array(coo_array((floats, places), self.shape))

    def exact(self) -> Entries:
        """The entries that float64 rounds, by row and then by column."""
        found = [
            (block.at[:, block.rounded] + np.array([[row], [column]]), block.exact.tolist())
            for row, column, block in self._blocks
        ]
        none = np.zeros((2, 0), dtype=np.int64)
        places = np.concatenate([none, *(at for at, _ in found)], axis=1)
        values = rationals([value for _, listed in found for value in listed])
        order = np.lexsort(places[::-1])
        return Entries.from_values(places[:, order], values[order].tolist())


def _stack(residual: Residual, rows: Sequence[Rows]) -> _Weight:
    """All functionals side by side as the columns of a (D, count) matrix."""
    counts = [r.count(residual) for r in rows]
    W = _Weight(residual.width, sum(counts))
    for r, column in zip(rows, np.cumsum([0, *counts]).tolist(), strict=False):
        for name, block in r.blocks.items():
            start, width = residual[name].start, residual[name].width
            matrix = block.T if isinstance(block, Matrix) else block * Matrix.identity(width)
            W.place(start, column, matrix)
    return W


def _weights(**matrices: _Weight) -> dict[str, Any]:
    """Each matrix rounded, and the entries that float64 rounds."""
    # Round first, which refuses numbers beyond float64.
    rounded = {name: matrix.rounded() for name, matrix in matrices.items()}
    exact = {name: matrix.exact() for name, matrix in matrices.items()}
    return {**rounded, "exact": {name: entries for name, entries in exact.items() if entries}}
