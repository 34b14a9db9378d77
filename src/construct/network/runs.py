"""Products with a matrix of few non-zeros by its diagonals, in any numbers, exact ones too.

An embedding puts a vector into a field as it is: a run of entries along a diagonal.
"""

from itertools import pairwise

import numpy as np
from scipy.sparse import coo_array, csr_array

from construct.rational import rational, rationals

# Entries along a diagonal of a matrix: the rows, the columns, and their weights, which
# are None where all are 1. A vector of words is one such run.
Runs = list[tuple[slice, slice, np.ndarray | None]]


def runs_of(W: csr_array) -> Runs:
    """The non-zeros of a matrix that has few."""
    entries = coo_array(W)
    rows, columns = entries.coords
    ends = np.flatnonzero((np.diff(rows) != 1) | (np.diff(columns) != 1)) + 1
    bounds = [0, *ends.tolist(), len(rows)] if len(rows) else []
    found: Runs = []
    for start, stop in pairwise(bounds):
        weights = entries.data[start:stop]
        row, column, count = int(rows[start]), int(columns[start]), stop - start
        kept = None if (weights == 1).all() else weights
        found.append((slice(row, row + count), slice(column, column + count), kept))
    return found


def add_product(to: np.ndarray, x: np.ndarray, runs: Runs) -> None:
    """Add x @ W by the runs of W; exact numbers stay exact."""
    for rows, columns, weights in runs:
        part, read = to[..., columns], x[..., rows]
        if weights is None:
            part += read
        else:
            part += read * (_exactly(weights) if to.dtype == object else weights)


def _exactly(weights: np.ndarray) -> np.ndarray:
    """The rationals that floats are."""
    return rationals([rational(x) for x in weights.tolist()])
