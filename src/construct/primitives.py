"""Bai's primitives over named fields (2306.04637, Definitions 1 to 3).

A layer is written in formulas over fields and emitted as matrices:

    h_i <- h_i + sum_heads (1/N) sum_j relu(<Q h_i, K h_j>) V h_j
    h_i <- h_i + W2 relu(W1 h_i)

`Rows` is a list of linear functionals of one token. A head's score is a sum of
inner products <q(h_i), k(h_j)> of such lists, so that a score is written here as
it is written on paper. Weights are emitted by their non-zeros.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

import numpy as np
from scipy.sparse import coo_array, csr_array

from construct.codes import code
from construct.rational import Rational, is_float, to_float
from construct.reach import ANYWHERE, EVERY, Reach, Tokens
from construct.residual import Residual, Sizes
from construct.transformer import Entries, Exact, Head, Layer, Mlp


class Rows:
    """Linear functionals of a token: a block for each field that they read.

    A block is a (rows, field width) matrix of rationals, or a single rational c
    that stands for c times the identity.
    """

    # NumPy must leave `matrix * rows` to __rmul__ below.
    __array_ufunc__ = None

    def __init__(self, blocks: Mapping[str, np.ndarray | Rational]) -> None:
        self.blocks = dict(blocks)

    def __add__(self, other: "Rows") -> "Rows":
        blocks = dict(self.blocks)
        for name, block in other.blocks.items():
            blocks[name] = blocks[name] + block if name in blocks else block
        return Rows(blocks)

    def __rmul__(self, scale: Rational) -> "Rows":
        return Rows({name: scale * block for name, block in self.blocks.items()})

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
            for name, block in self.blocks.items()
        }
        assert len(counts) == 1, f"blocks of unequal length: {self.blocks}"
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


def head(
    sizes: Sizes,
    name: str,
    purpose: str,
    score: Score,
    write: Mapping[str, Rows],
    reach: Reach = ANYWHERE,
) -> Head:
    """The head with this score that adds `write[field]`, read at j, to each field."""
    residual, values = sizes.residual, list(write.values())
    targets = [
        residual[field].start + np.arange(rows.count(residual)) for field, rows in write.items()
    ]
    into = np.concatenate(targets)
    W_O = coo_array((np.ones(len(into)), (np.arange(len(into)), into)), (len(into), residual.width))
    matrices = {
        "W_Q": _stack(residual, [q for q, _ in score]),
        "W_K": _stack(residual, [k for _, k in score]),
        "W_V": _stack(residual, values),
    }
    weights = {key: matrix.rounded() for key, matrix in matrices.items()}
    exact = _not_empty({key: matrix.exact() for key, matrix in matrices.items()})
    return Head(name, purpose, **weights, W_O=csr_array(W_O), exact=exact, reach=reach)


def mlp(
    sizes: Sizes,
    purpose: str,
    hidden: Rows,
    write: Mapping[str, np.ndarray],
    acts: Tokens = EVERY,
) -> Mlp:
    """The MLP with these hidden units; `write[field]` is (field width, units)."""
    W_in = _stack(sizes.residual, [hidden])
    W_out = _Matrix(W_in.shape[1], sizes.D)
    for field, matrix in write.items():
        W_out.place(0, sizes.residual[field].start, matrix.T)
    rounded = W_in.rounded(), W_out.rounded()
    exact = _not_empty({"W_in": W_in.exact(), "W_out": W_out.exact()})
    return Mlp(purpose, *rounded, exact, acts)


def layer(
    sizes: Sizes, name: str, lemma: str, heads: Sequence[Head], mlp: Mlp | None = None
) -> Layer:
    """A layer of exactly K heads: those given, and idle ones."""
    zero = csr_array((sizes.D, 1))
    across = csr_array((1, sizes.D))
    idle = Head("idle", "nothing: all weights are zero", zero, zero, zero, across)
    padded = (*heads, *[idle] * (sizes.K - len(heads)))
    nothing = Mlp("nothing: all weights are zero", zero, across)
    return Layer(name, lemma, padded, nothing if mlp is None else mlp)


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


def _not_empty(exact: Exact) -> Exact:
    return {name: entries for name, entries in exact.items() if entries}
