"""How the float executors hold a weight: by its non-zeros where it is mostly empty.

One-hot words make weights of which almost every entry is 0; those of other tasks may be
dense. What is chosen is counted, once for each weight and before any pass, by
`mostly_empty`: all float executors ask it. Nothing here computes with a stream, and no
choice changes a result by more than the order of its sums: only terms that are 0 are left
out.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csc_array, csr_array, sparray

from construct.network.transformer import Head, Mlp

# A product by non-zeros takes about as long as a dense one with so many entries for each:
# measured on CPUs, in NumPy, JAX and PyTorch.
DENSE_ENTRIES = 64

# The columns of a weight that need more terms than most are summed in a tree: so many
# terms, or sums of them, at a time.
AT_ONCE = 4

# An MLP that is held by its non-zeros takes so many tokens at a time that it has no more of its
# units at once: the tables of fifty thousand words have three million for each token.
UNITS = 1 << 25

# How a run of consecutive coordinates, or any other choice of them, is indexed.
Places = slice | np.ndarray


def mostly_empty(terms: int, size: int) -> bool:
    """Whether so many terms cost less than a dense product with so many entries."""
    return terms * DENSE_ENTRIES <= size


def nonzeros(W: sparray) -> csr_array:
    """The weight without entries that are stored and 0."""
    found = csr_array(W, copy=True)
    found.eliminate_zeros()
    return found


def rows_of(weights: Sequence[sparray]) -> np.ndarray:
    """The rows, in order, that are not all 0 in each of the weights."""
    return _all_of([np.flatnonzero(np.diff(csr_array(W).indptr)) for W in weights])


def columns_of(weights: Sequence[sparray]) -> np.ndarray:
    """The columns, in order, that are not all 0 in each of the weights."""
    return _all_of([csr_array(W).indices for W in weights])


def _all_of(found: Sequence[np.ndarray]) -> np.ndarray:
    """The numbers that occur, rising: millions of them are marked, not sorted."""
    marks = np.zeros(1 + max((int(some.max(initial=-1)) for some in found), default=-1), bool)
    for some in found:
        marks[some] = True
    return np.flatnonzero(marks)


def runs(found: np.ndarray) -> tuple[tuple[int, int], ...]:
    """Ascending indices as runs of consecutive ones, [start, stop)."""
    breaks = np.flatnonzero(np.diff(found) > 1) + 1
    parts = np.split(found, breaks) if len(found) else []
    return tuple((int(part[0]), int(part[-1]) + 1) for part in parts)


def places(found: np.ndarray) -> Places:
    """Ascending indices as a slice, if they are consecutive: then nothing is copied."""
    if len(found) and found[-1] - found[0] + 1 == len(found):
        return slice(int(found[0]), int(found[-1]) + 1)
    return found


@dataclass(frozen=True)
class Heads:
    """Heads of one shape by their non-zeros, without what adds 0 to everything.

    Attributes:
        W_Q, W_K: those columns, of D rows, in which some head has queries and keys.
        V: what each head reads, of D rows.
        W_O: how that is written, to as many columns as `writes` has; None where V holds
            what is written already.
        writes: the coordinates that some head writes.
    """

    W_Q: list[csr_array]
    W_K: list[csr_array]
    V: list[csr_array]
    W_O: list[csr_array] | None
    writes: np.ndarray

    @classmethod
    def of(cls, heads: Sequence[Head]) -> "Heads":
        """The weights of these heads; their shapes are to be the same."""
        W_Q, W_K, W_V, W_O = ([nonzeros(h.sparse(name)) for h in heads] for name in Head.WEIGHTS)
        both = [
            np.intersect1d(columns_of([q]), columns_of([k]), assume_unique=True)
            for q, k in zip(W_Q, W_K, strict=True)
        ]
        scored = _all_of(both)
        queries, keys = ([W[:, scored] for W in each] for each in (W_Q, W_K))
        if all(map(_only_places, W_O)):
            # Each column of the product is one of W_V: nothing is added up or rounded.
            V = [v @ o for v, o in zip(W_V, W_O, strict=True)]
            writes = columns_of(V)
            return cls(queries, keys, [v[:, writes] for v in V], None, writes)
        writes = columns_of(W_O)
        return cls(queries, keys, W_V, [o[:, writes] for o in W_O], writes)


def units(mlp: Mlp) -> tuple[csr_array, csr_array, np.ndarray]:
    """W_in and W_out of the units that read and write, and the coordinates that they write."""
    W_in, W_out = nonzeros(mlp.sparse("W_in")), nonzeros(mlp.sparse("W_out"))
    used = np.intersect1d(columns_of([W_in]), rows_of([W_out]), assume_unique=True)
    W_in, W_out = W_in[:, used], W_out[used]
    writes = columns_of([W_out])
    return W_in, W_out[:, writes], writes


def _only_places(W: csr_array) -> bool:
    """Whether W puts each coordinate, as it is, where no other one comes."""
    return bool((W.data == 1).all()) and len(columns_of([W])) == W.nnz


@dataclass(frozen=True)
class Terms:
    """Weights of one shape as lists of terms: what is gathered, and times what.

    Each column of a product is the sum of at most t terms of the stream and, if it has
    more, of a tree's. A level of the tree sums up to AT_ONCE terms of what comes before it:
    the first reads the stream, the next the first.

    Attributes:
        at, weights: (count, c, t), for each weight and column its first terms.
        tree: the levels, each as (at, weights) of shape (count, sums, AT_ONCE).
        where: (count, c), for each column which sum of the last level it takes; that at
            the end is 0. None without a tree.
    """

    at: np.ndarray
    weights: np.ndarray
    tree: tuple[tuple[np.ndarray, np.ndarray], ...]
    where: np.ndarray | None

    @property
    def cost(self) -> int:
        """The terms of one weight, padding included."""
        sizes = [at[0].size for at, _ in ((self.at, None), *self.tree)]
        return sum(sizes) + (0 if self.where is None else self.where[0].size)

    @classmethod
    def of(cls, weights: Sequence[sparray]) -> "Terms":
        """The terms of each weight, with padding to one shape."""
        columns = [csc_array(nonzeros(W)) for W in weights]
        counts = np.stack([np.diff(W.indptr) for W in columns])
        first = min((1, 2, AT_ONCE), key=lambda t: _padded(counts, t))
        entries = [_ranked(np.diff(W.indptr), W.indices, W.data) for W in columns]
        base = [_level(entry, counts.shape[1], first) for entry in entries]
        at, values = (np.stack(each) for each in zip(*base, strict=True))
        if counts.max(initial=0) <= first:
            return cls(at, values, (), None)
        return cls(at, values, *_tree(entries, counts, first))


# Entries by column: the number of the column, the place in it, what is read, times what.
_Entries = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def _padded(counts: np.ndarray, first: int) -> int:
    """About what it costs to take so many terms of each column, and a tree for the others."""
    sums = (np.maximum(counts - first, 0) + AT_ONCE - 1) // AT_ONCE
    most = int(sums.sum(axis=1).max(initial=0))
    tree = counts.shape[1] + most * AT_ONCE * AT_ONCE // (AT_ONCE - 1) if most else 0
    return counts.shape[1] * first + tree


def _ranked(counts: np.ndarray, read: np.ndarray, values: np.ndarray) -> _Entries:
    """Entries in the order of their columns, which have so many."""
    starts = np.cumsum(counts) - counts
    column = np.repeat(np.arange(len(counts)), counts)
    return column, np.arange(len(column)) - starts[column], read, values


def _level(entries: _Entries, columns: int, most: int) -> tuple[np.ndarray, np.ndarray]:
    """What so many columns read, and times what: their first terms, (columns, most)."""
    at, weights = np.zeros((columns, most), np.int32), np.zeros((columns, most))
    column, rank, read, values = (x[entries[1] < most] for x in entries)
    at[column, rank], weights[column, rank] = read, values
    return at, weights


def _tree(entries: list[_Entries], counts: np.ndarray, first: int) -> tuple:
    """`tree` and `where` of `Terms`: the terms of each column after the first ones."""
    where, rest, left = [], [], []
    for (_, rank, read, values), count in zip(entries, counts, strict=True):
        more, late = np.flatnonzero(count > first), rank >= first
        left.append(count[more] - first)
        rest.append(_ranked(left[-1], read[late], values[late]))
        where.append(np.full(len(count), -1, np.int32))
        where[-1][more] = np.arange(len(more))
    tree: list[tuple[np.ndarray, ...]] = []
    while not tree or max(count.max(initial=1) for count in left) > 1:
        sums = [-(-count // AT_ONCE) for count in left]
        # One more, which stays 0.
        size = max(int(count.sum()) for count in sums) + 1
        grouped = [_grouped(one, count) for one, count in zip(rest, sums, strict=True)]
        levels = [_level(one, size, AT_ONCE) for one in grouped]
        tree.append(tuple(np.stack(each) for each in zip(*levels, strict=True)))
        left = sums
        rest = [_ranked(n, np.arange(n.sum()), np.ones(n.sum())) for n in sums]
    last = tree[-1][0].shape[1] - 1
    return tuple(tree), np.stack([np.where(one < 0, last, one) for one in where]).astype(np.int32)


def _grouped(entries: _Entries, sums: np.ndarray) -> _Entries:
    """The entries of each column, AT_ONCE to a column of their own; there are so many."""
    column, rank, read, values = entries
    starts = np.cumsum(sums) - sums
    return starts[column] + rank // AT_ONCE, rank % AT_ONCE, read, values
