"""Exact rationals (an extra: python-flint): equality, not closeness.

Weights that float64 rounds are read from `exact`; all others are the rationals
that their floats are. Idle heads and MLPs are skipped: they add 0.
"""

from fractions import Fraction
from typing import Any

import numpy as np
from flint import fmpq, fmpq_mat
from scipy.sparse import coo_array

from construct.execute.passes import Pass, Run
from construct.network.transformer import Head, Mlp, Transformer


def prepare(transformer: Transformer, dtype: str = "exact") -> Run:
    """See `construct.execute`."""
    layers = [
        ([_weights(head) for head in layer.heads], _weights(layer.mlp))
        for layer in transformer.layers
    ]

    def run(stream: Any, trace: bool = False) -> Pass:
        stream = np.asarray(stream)
        if stream.ndim == 3:
            passes = [run(one, trace) for one in stream]
            states = [p.states for p in passes if p.states is not None]
            return Pass(
                np.stack([p.stream for p in passes]),
                np.stack([p.attended for p in passes]),
                np.stack(states, axis=1) if trace else None,
            )
        h = _matrix(stream)
        states, attended = [stream], []
        for heads, mlp in layers:
            h, totals = _attention(h, heads)
            if mlp is not None:
                W_in, W_out = mlp
                h = h + _relu(h * W_in) * W_out
            attended.append(totals)
            if trace:
                states.append(_array(h))
        return Pass(_array(h), np.stack(attended), np.stack(states) if trace else None)

    return run


def _attention(h: fmpq_mat, heads: list) -> tuple[fmpq_mat, np.ndarray]:
    N = h.nrows()
    update, totals = fmpq_mat(N, h.ncols()), []
    ones = fmpq_mat(N, 1, [1] * N)
    for weights in heads:
        if weights is None:
            totals.append(np.full(N, 0, dtype=object))
            continue
        W_Q, W_K, W_V, W_O = weights
        scores = _relu((h * W_Q) * (h * W_K).transpose())
        update += scores * (h * W_V) * W_O * fmpq(1, N)
        totals.append(_array(scores * ones)[:, 0])
    return h + update, np.stack(totals)


def _weights(part: Head | Mlp) -> tuple[fmpq_mat, ...] | None:
    """The part's matrices; None for an idle one."""
    if part.idle:
        return None
    matrices = []
    for name in part.WEIGHTS:
        weight = coo_array(part.sparse(name))
        matrix = _filled(weight.shape, weight.coords, weight.data)
        for (row, column), value in part.exact.get(name, {}).items():
            matrix[row, column] = _fmpq(value)
        matrices.append(matrix)
    return tuple(matrices)


def _matrix(array: np.ndarray) -> fmpq_mat:
    at = np.nonzero(array)
    return _filled(array.shape, at, array[at])


def _filled(shape: tuple[int, ...], at: tuple[np.ndarray, ...], values: np.ndarray) -> fmpq_mat:
    """Zero but for these values at these rows and columns."""
    matrix = fmpq_mat(*shape)
    for row, column, value in zip(*at, values, strict=True):
        matrix[int(row), int(column)] = _fmpq(Fraction(value))
    return matrix


def _fmpq(value: Fraction) -> fmpq:
    return fmpq(value.numerator, value.denominator)


def _relu(matrix: fmpq_mat) -> fmpq_mat:
    shape, zero = (matrix.nrows(), matrix.ncols()), fmpq(0)
    return fmpq_mat(*shape, [entry if entry > 0 else zero for entry in matrix.entries()])


def _array(matrix: fmpq_mat) -> np.ndarray:
    entries = [int(x.p) if x.q == 1 else Fraction(int(x.p), int(x.q)) for x in matrix.entries()]
    array = np.empty(len(entries), dtype=object)
    array[:] = entries
    return array.reshape(matrix.nrows(), matrix.ncols())
