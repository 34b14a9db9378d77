"""NumPy and SciPy: all scores of a head as one matrix, without a compiler (`layout`)."""

from functools import partial
from typing import Any

import numpy as np
from scipy.sparse import csr_array, sparray

from construct.execute.layout import ALL, Library, PreparedLayer, Product, columns_first, run_layers
from construct.execute.passes import Pass, Run
from construct.execute.weights import Places, mostly_empty, nonzeros, places, rows_of
from construct.network.transformer import Transformer


def prepare(transformer: Transformer, dtype: str = "float64") -> Run:
    """See `construct.execute`."""
    zeros = partial(np.zeros, dtype=dtype)
    library = Library(partial(_product, dtype), places, _relu, zeros, _softmax, _unseen, _busy)
    layers = [
        PreparedLayer.of(layer, transformer.attention, library) for layer in transformer.layers
    ]
    K = transformer.sizes.heads

    def run(stream: np.ndarray, trace: bool = False) -> Pass:
        h = columns_first(stream, dtype)
        totals = np.zeros((h.shape[1], len(layers), K, h.shape[2]), dtype)
        return run_layers(layers, h, stream, totals, np.asarray, trace)

    return run


def _product(dtype: str, weight: sparray) -> Product:
    """What multiplies by a weight: a sparse matrix, or a dense one of the rows that it reads."""
    W, reads = nonzeros(weight), rows_of([weight])
    at: Places
    if mostly_empty(W.nnz, len(reads) * W.shape[1]):
        transposed, at = csr_array(W.T, dtype=dtype), slice(0, W.shape[0])
    else:
        transposed, at = np.ascontiguousarray(W[reads].toarray().T, dtype), places(reads)

    def product(h: np.ndarray, tokens: Any = ALL) -> np.ndarray:
        read = h[at] if tokens is ALL else h[at][..., tokens]
        found = transposed @ read.reshape(len(read), read.shape[1] * read.shape[2])
        return found.reshape(len(found), *read.shape[1:])

    return product


# Smaller arrays are multiplied sooner than looked at.
LOOKED_AT = 1 << 16


def _busy(x: np.ndarray) -> Any:
    """Where along the last axis something is not 0; ALL where that is most of it."""
    if x.size < LOOKED_AT:
        return ALL
    found = np.flatnonzero(x.any(axis=(0, 1)))
    return found if 4 * len(found) < 3 * x.shape[-1] else ALL


def _relu(x: np.ndarray) -> np.ndarray:
    return np.maximum(x, 0, out=x)


def _softmax(scores: np.ndarray) -> np.ndarray:
    scores -= scores.max(axis=-1, keepdims=True)
    weights = np.exp(scores, out=scores)
    weights /= weights.sum(axis=-1, keepdims=True)
    return weights


def _unseen(scores: np.ndarray) -> np.ndarray:
    scores[..., np.triu(np.ones(scores.shape[-2:], dtype=bool), 1)] = -np.inf
    return scores
