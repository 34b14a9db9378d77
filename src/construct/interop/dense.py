"""Weights as the matrices of stock layers: all heads of a layer side by side, zeros included."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from construct.network.transformer import Head, Weighted


def dense(
    part: Weighted, name: str, shape: tuple[int, int], dtype: str
) -> Float[np.ndarray, "a b"]:
    """A weight in the upper left of a matrix of zeros."""
    found = np.zeros(shape, dtype)
    _put(part, name, found)
    return found


def widest(heads: Sequence[Head], *names: str) -> int:
    """The largest head dimension of these weights, W_Q and W_K or W_V."""
    return max((head.sparse(name).shape[1] for head in heads for name in names), default=1)


def side_by_side(
    heads: Sequence[Head], name: str, width: int, dtype: str
) -> Float[np.ndarray, "D columns"]:
    """W_Q, W_K or W_V of all heads: head k has the columns from k * width."""
    D = heads[0].sparse(name).shape[0]
    found = np.zeros((D, len(heads) * width), dtype)
    for k, head in enumerate(heads):
        _put(head, name, found[:, k * width : (k + 1) * width])
    return found


def stacked(heads: Sequence[Head], width: int, dtype: str) -> Float[np.ndarray, "rows D"]:
    """W_O of all heads: head k has the rows from k * width."""
    D = heads[0].sparse("W_O").shape[1]
    found = np.zeros((len(heads) * width, D), dtype)
    for k, head in enumerate(heads):
        _put(head, "W_O", found[k * width : (k + 1) * width])
    return found


def _put(part: Weighted, name: str, to: np.ndarray) -> None:
    entries = part.sparse(name).tocoo()
    to[entries.coords] = entries.data
