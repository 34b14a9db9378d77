"""Bai's primitives over named fields (2306.04637, Definitions 1 to 3).

A layer is written in formulas over fields and emitted as matrices:

    h_i <- h_i + sum_heads (1/N) sum_j relu(<Q h_i, K h_j>) V h_j
    h_i <- h_i + W2 relu(W1 h_i)

`Rows` is a list of linear functionals of one token. A head's score is a sum of
inner products <q(h_i), k(h_j)> of such lists, so that a score is written here as
it is written on paper.
"""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

import numpy as np

from construct.codes import code
from construct.rational import Rational, to_float
from construct.residual import Residual, Sizes
from construct.transformer import Exact, Head, Layer, Mlp


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


def head(sizes: Sizes, name: str, purpose: str, score: Score, write: Mapping[str, Rows]) -> Head:
    """The head with this score that adds `write[field]`, read at j, to each field."""
    exact: dict[str, dict[tuple[int, int], Fraction]] = {}
    residual = sizes.residual
    values = list(write.values())
    W_O = np.zeros((sum(rows.count(residual) for rows in values), residual.width))
    start = 0
    for field, rows in write.items():
        stop = start + rows.count(residual)
        W_O[range(start, stop), residual[field].at] = np.eye(stop - start)
        start = stop
    return Head(
        name,
        purpose,
        W_Q=_stack(residual, [q for q, _ in score], "W_Q", exact),
        W_K=_stack(residual, [k for _, k in score], "W_K", exact),
        W_V=_stack(residual, values, "W_V", exact),
        W_O=W_O,
        exact=exact,
    )


def mlp(sizes: Sizes, purpose: str, hidden: Rows, write: Mapping[str, np.ndarray]) -> Mlp:
    """The MLP with these hidden units; `write[field]` is (field width, units)."""
    exact: dict[str, dict[tuple[int, int], Fraction]] = {}
    W_in = _stack(sizes.residual, [hidden], "W_in", exact)
    W_out = np.zeros((W_in.shape[1], sizes.D))
    for field, matrix in write.items():
        start = sizes.residual[field].start
        _place(W_out, 0, start, matrix.T, exact.setdefault("W_out", {}))
    return Mlp(purpose, W_in, W_out, _drop_empty(exact))


def layer(
    sizes: Sizes, name: str, lemma: str, heads: Sequence[Head], mlp: Mlp | None = None
) -> Layer:
    """A layer of exactly K heads: those given, and idle ones."""
    zero = np.zeros((sizes.D, 1))
    idle = Head("idle", "nothing: all weights are zero", zero, zero, zero, zero.T)
    padded = (*heads, *[idle] * (sizes.K - len(heads)))
    nothing = Mlp("nothing: all weights are zero", zero, zero.T)
    return Layer(name, lemma, padded, nothing if mlp is None else mlp)


def _stack(
    residual: Residual,
    rows: Sequence[Rows],
    name: str,
    exact: dict[str, dict[tuple[int, int], Fraction]],
) -> np.ndarray:
    """All functionals side by side as the columns of a (D, count) matrix."""
    counts = [r.count(residual) for r in rows]
    W = np.zeros((residual.width, sum(counts)))
    found: dict[tuple[int, int], Fraction] = {}
    for r, column in zip(rows, np.cumsum([0, *counts]).tolist(), strict=False):
        for field, block in r.blocks.items():
            start, width = residual[field].start, residual[field].width
            if isinstance(block, np.ndarray):
                _place(W, start, column, block.T, found)
            else:
                diagonal = np.arange(width)
                rounded = float(to_float(np.array(block, dtype=object)))
                W[start + diagonal, column + diagonal] = rounded
                if rounded != block:
                    found |= {(start + i, column + i): Fraction(block) for i in range(width)}
    if found:
        exact[name] = found
    return W


def _place(
    W: np.ndarray,
    row: int,
    column: int,
    block: np.ndarray,
    exact: dict[tuple[int, int], Fraction],
) -> None:
    """Write a block of rationals; note the entries that float64 rounds."""
    rounded = to_float(block)
    W[row : row + block.shape[0], column : column + block.shape[1]] = rounded
    for i, j in zip(*np.nonzero(rounded != block), strict=True):
        exact[row + int(i), column + int(j)] = Fraction(block[i, j])


def _drop_empty(exact: dict[str, dict[tuple[int, int], Fraction]]) -> Exact:
    return {name: entries for name, entries in exact.items() if entries}
