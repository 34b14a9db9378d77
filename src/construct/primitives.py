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
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.sparse import coo_array, csr_array

from construct.codes import code
from construct.rational import Rational, is_float, to_float
from construct.reach import ANYWHERE, EVERY, Reach, Tokens
from construct.residual import Residual, Sizes
from construct.transformer import Entries, Head, Layer, Mlp


class Rows:
    """Linear functionals of a token: a block for each field that they read.

    A block is a (rows, field width) matrix of rationals, or a single rational c
    that stands for c times the identity.
    """

    # NumPy must leave `matrix * rows` to __rmul__ below.
    __array_ufunc__ = None

    def __init__(self, blocks: Mapping[str, np.ndarray | Rational], scale: Rational = 1) -> None:
        self._blocks, self._scale = dict(blocks), scale

    @property
    def blocks(self) -> dict[str, np.ndarray | Rational]:
        """The block of each field; scaled only now, for a formula may never be emitted."""
        if self._scale == 1:
            return dict(self._blocks)
        return {name: self._scale * block for name, block in self._blocks.items()}

    def __add__(self, other: "Rows") -> "Rows":
        blocks = self.blocks
        for name, block in other.blocks.items():
            blocks[name] = blocks[name] + block if name in blocks else block
        return Rows(blocks)

    def __rmul__(self, scale: Rational) -> "Rows":
        return Rows(self._blocks, scale * self._scale)

    def __neg__(self) -> "Rows":
        return -1 * self

    def __sub__(self, other: "Rows") -> "Rows":
        return self + (-other)

    def matrices(self) -> Iterator[tuple[str, np.ndarray]]:
        """The fields that are read through a matrix, with it."""
        for name, block in self.blocks.items():
            if isinstance(block, np.ndarray):
                yield name, block

    def count(self, residual: Residual) -> int:
        """How many functionals there are."""
        counts = {
            len(block) if isinstance(block, np.ndarray) else residual[name].width
            for name, block in self._blocks.items()
        }
        assert len(counts) == 1, f"blocks of unequal length: {self._blocks}"
        return counts.pop()


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


def own_example_at(sizes: Sizes, position: int) -> Score:
    """1 at the token in `position` of the asking token's own example, else <= -1.

    1 + (<pe_i, pe_j> - ell_e) + (<code(position), pt_j> - ell_t)
    """
    there = along("pt", code(position - 1, sizes.ell_t))
    return [
        (read("pe"), read("pe")),
        (constant(1), there + constant(1 - sizes.ell_e - sizes.ell_t)),
    ]


# The shape of each weight of a part, and its weights as the part takes them.
Shapes = Mapping[str, tuple[int, int]]
Weights = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class HeadFormula:
    """A head before its weights are emitted: `Head` says what the fields are."""

    name: str
    purpose: str
    shapes: Shapes
    weights: Callable[[], Weights]
    reach: Reach = ANYWHERE

    def given(self, weights: Weights) -> Head:
        """The head with weights from elsewhere."""
        return Head(self.name, self.purpose, **weights, reach=self.reach)

    def emit(self) -> Head:
        """The head with the weights of its formula."""
        return self.given(self.weights())


@dataclass(frozen=True, eq=False)
class MlpFormula:
    """An MLP before its weights are emitted: `Mlp` says what the fields are."""

    purpose: str
    shapes: Shapes
    weights: Callable[[], Weights]
    acts: Tokens = EVERY

    def given(self, weights: Weights) -> Mlp:
        """The MLP with weights from elsewhere."""
        return Mlp(self.purpose, **weights, acts=self.acts)

    def emit(self) -> Mlp:
        """The MLP with the weights of its formula."""
        return self.given(self.weights())


@dataclass(frozen=True, eq=False)
class LayerFormula:
    """A layer of exactly K heads before its weights are emitted."""

    name: str
    lemma: str
    heads: tuple[HeadFormula, ...]
    mlp: MlpFormula

    def emit(self) -> Layer:
        """The layer with the weights of its formulas."""
        once = {head: head.emit() for head in dict.fromkeys(self.heads)}  # idle ones are one
        heads = tuple(once[head] for head in self.heads)
        return Layer(self.name, self.lemma, heads, self.mlp.emit())


def head(
    sizes: Sizes,
    name: str,
    purpose: str,
    score: Score,
    write: Mapping[str, Rows],
    reach: Reach = ANYWHERE,
) -> HeadFormula:
    """The head with this score that adds `write[field]`, read at j, to each field."""
    residual = sizes.residual
    d_head = sum(q.count(residual) for q, _ in score)
    d_value = sum(rows.count(residual) for rows in write.values())

    def weights() -> Weights:
        targets = [
            residual[field].start + np.arange(rows.count(residual)) for field, rows in write.items()
        ]
        at = np.arange(d_value), np.concatenate(targets)
        W_O = coo_array((np.ones(d_value), at), (d_value, sizes.D))
        return {
            **_weights(
                W_Q=_stack(residual, [q for q, _ in score]),
                W_K=_stack(residual, [k for _, k in score]),
                W_V=_stack(residual, list(write.values())),
            ),
            "W_O": csr_array(W_O),
        }

    return HeadFormula(name, purpose, _head_shapes(sizes.D, d_head, d_value), weights, reach)


def mlp(
    sizes: Sizes,
    purpose: str,
    units: int,
    formula: Callable[[], tuple[Rows, Mapping[str, np.ndarray]]],
    acts: Tokens = EVERY,
) -> MlpFormula:
    """The MLP with that many hidden units.

    Args:
        formula: gives the hidden units, and for each field that is written to the
            (field width, units) matrix that is applied to them.
    """

    def weights() -> Weights:
        hidden, write = formula()
        W_in, W_out = _stack(sizes.residual, [hidden]), _Matrix(units, sizes.D)
        for field, matrix in write.items():
            W_out.place(0, sizes.residual[field].start, matrix.T)
        return _weights(W_in=W_in, W_out=W_out)

    return MlpFormula(purpose, _mlp_shapes(sizes.D, units), weights, acts)


def layer(
    sizes: Sizes,
    name: str,
    lemma: str,
    heads: Sequence[HeadFormula],
    mlp: MlpFormula | None = None,
) -> LayerFormula:
    """A layer of exactly K heads: those given, and idle ones."""
    nothing, shapes = "nothing: all weights are zero", _head_shapes(sizes.D, 1, 1)
    idle = HeadFormula("idle", nothing, shapes, lambda: _zero(shapes))
    padded = (*heads, *[idle] * (sizes.K - len(heads)))
    if mlp is None:
        units = _mlp_shapes(sizes.D, 1)
        mlp = MlpFormula(nothing, units, lambda: _zero(units))
    return LayerFormula(name, lemma, padded, mlp)


def _head_shapes(D: int, d_head: int, d_value: int) -> Shapes:
    return {"W_Q": (D, d_head), "W_K": (D, d_head), "W_V": (D, d_value), "W_O": (d_value, D)}


def _mlp_shapes(D: int, units: int) -> Shapes:
    return {"W_in": (D, units), "W_out": (units, D)}


def _zero(shapes: Shapes) -> Weights:
    return {name: csr_array(shape) for name, shape in shapes.items()}


class _Matrix:
    """A matrix of rationals, collected block by block."""

    def __init__(self, rows: int, columns: int) -> None:
        self.shape = rows, columns
        self._at = [np.zeros((2, 0), dtype=np.int64)]
        self._values: list[np.ndarray] = [np.zeros(0, dtype=object)]

    def place(self, row: int, column: int, block: np.ndarray) -> None:
        """Put a block there, by its non-zeros."""
        at = np.stack(np.nonzero(block))
        self._at.append(at + np.array([[row], [column]]))
        self._values.append(block[tuple(at)])

    def diagonal(self, row: int, column: int, width: int, value: Rational) -> None:
        """Put value times the identity there."""
        self._at.append(np.arange(width if value else 0) + np.array([[row], [column]]))
        self._values.append(np.full(width if value else 0, value, dtype=object))

    def rounded(self) -> csr_array:
        """Each entry as the nearest float64; one that underflows stays, as 0."""
        at, values = self._joined
        return csr_array(coo_array((to_float(values), at), self.shape))

    def exact(self) -> Entries:
        """The entries that float64 rounds."""
        at, values = self._joined
        which = np.flatnonzero([not is_float(value) for value in values.tolist()])
        return Entries.from_values(at[:, which], values[which].tolist())

    @cached_property
    def _joined(self) -> tuple[np.ndarray, np.ndarray]:
        """Places and values by row, then column."""
        at, values = np.concatenate(self._at, axis=1), np.concatenate(self._values)
        order = np.lexsort(at[::-1])
        return at[:, order], values[order]


def _stack(residual: Residual, rows: Sequence[Rows]) -> _Matrix:
    """All functionals side by side as the columns of a (D, count) matrix."""
    counts = [r.count(residual) for r in rows]
    W = _Matrix(residual.width, sum(counts))
    for r, column in zip(rows, np.cumsum([0, *counts]).tolist(), strict=False):
        for field, block in r.blocks.items():
            start, width = residual[field].start, residual[field].width
            if isinstance(block, np.ndarray):
                W.place(start, column, block.T)
            else:
                W.diagonal(start, column, width, block)
    return W


def _weights(**matrices: _Matrix) -> dict[str, Any]:
    """Each matrix rounded, and the entries that float64 rounds."""
    # Rounded first: that refuses what is beyond float64.
    rounded = {name: matrix.rounded() for name, matrix in matrices.items()}
    exact = {name: matrix.exact() for name, matrix in matrices.items()}
    return {**rounded, "exact": {name: entries for name, entries in exact.items() if entries}}
