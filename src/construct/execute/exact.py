"""Exact rationals (an extra: python-flint): equality, not closeness.

Weights that float64 rounds are read from `exact`; all others are the rationals
that their floats are. Idle heads and MLPs are skipped: they add 0.

A matrix is kept by its non-zeros, {row: {column: value}}, the stream with its columns
first: {coordinate: {token: value}}. A pass reads those rows of the weights that the stream
reaches, and no others. Each product is counted before it is made: term by term where few
terms are not 0, and as a dense matrix of FLINT's where many are.
"""

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
from flint import fmpq, fmpq_mat

from construct.execute.balls import run_of
from construct.execute.objects import not_zero
from construct.execute.passes import Pass, Run
from construct.network.transformer import Entries, Head, Mlp, Transformer

Matrix = dict[int, dict[int, fmpq]]

# A term of a product costs in Python as much as so many of FLINT's.
DENSE_TERMS = 32


def prepare(transformer: Transformer, dtype: str = "exact") -> Run:
    """See `construct.execute`. Softmax attention runs in balls (`balls`)."""
    if transformer.attention.softmax:
        return run_of(transformer)
    layers = [
        ([_weights(head) for head in layer.heads], _weights(layer.mlp))
        for layer in transformer.layers
    ]

    def run(stream: np.ndarray, trace: bool = False) -> Pass:
        if stream.ndim == 3:
            passes = [run(one, trace) for one in stream]
            states = [p.states for p in passes if p.states is not None]
            return Pass(
                np.stack([p.stream for p in passes]),
                np.stack([p.attended for p in passes]),
                np.stack(states, axis=1) if trace else None,
            )
        h, kept, attended = _columns(stream), [stream], []
        for heads, mlp in layers:
            update, totals = _attention(h, heads, len(stream))
            _add(h, update)
            if mlp is not None:
                W_in, W_out = mlp
                fired = _relu(_product(W_in.rows(h), h))
                _add(h, _product(W_out.rows(fired), fired))
            attended.append(totals)
            if trace:
                kept.append(_array(h, stream.shape))
        return Pass(
            kept[-1] if trace else _array(h, stream.shape),
            np.stack(attended),
            np.stack(kept) if trace else None,
        )

    return run


def _attention(h: Matrix, heads: list, N: int) -> tuple[Matrix, np.ndarray]:
    """What the heads write, columns first, and the totals (K, N)."""
    update: Matrix = {}
    totals = np.full((len(heads), N), 0, dtype=object)
    for k, weights in enumerate(heads):
        if weights is None:
            continue
        W_Q, W_K, W_V, W_O = weights
        # By the token that is read, then by the one that asks.
        scores = _relu(_product(_product(W_K.rows(h), h), _product(W_Q.rows(h), h)))
        for asking in scores.values():
            for i, score in asking.items():
                totals[k, i] += score
        read = {r: {j: x for j, x in row.items() if j in scores} for r, row in h.items()}
        sums = _product(_product(read, W_V.rows(read)), scores)
        written = _product(W_O.rows(sums), sums)
        _add(update, {c: {i: x / N for i, x in row.items()} for c, row in written.items()})
    at = np.nonzero(totals)
    totals[at] = [_rational(total) for total in totals[at]]
    return update, totals


class _Weight:
    """A weight as the rationals that it is; rows are made when they are first asked for."""

    def __init__(self, part: Head | Mlp, name: str) -> None:
        self._floats = part.sparse(name)
        exact = Entries.of(part.exact.get(name, {}))
        order = np.argsort(exact.at[0], kind="stable")
        self._exact, self._order, self._places = exact, order, exact.at[0][order]
        self._rows: Matrix = {}

    def rows(self, of: Matrix) -> Matrix:
        """The rows with these numbers that are not all 0."""
        for row in of:
            if row not in self._rows:
                self._rows[row] = dict(self._row(row))
        return {row: found for row in of if (found := self._rows[row])}

    def _row(self, row: int) -> Iterator[tuple[int, fmpq]]:
        start, stop = self._floats.indptr[row : row + 2].tolist()
        columns, values = (
            x[start:stop].tolist() for x in (self._floats.indices, self._floats.data)
        )
        found = {c: _fmpq(x) for c, x in zip(columns, values, strict=True)}
        first, last = np.searchsorted(self._places, [row, row + 1])
        for entry in self._order[first:last].tolist():
            value = self._exact.numerators[entry], self._exact.denominators[entry]
            found[int(self._exact.at[1, entry])] = fmpq(*value)
        return ((c, x) for c, x in found.items() if x)


def _weights(part: Head | Mlp) -> tuple[_Weight, ...] | None:
    """The part's matrices; None for an idle one."""
    return None if part.idle else tuple(_Weight(part, name) for name in part.WEIGHTS)


def _product(a: Matrix, b: Matrix) -> Matrix:
    """The transpose of `a` times `b`: sum_r a[r][i] b[r][j], at i and j."""
    shared = a.keys() & b.keys()
    terms = sum(len(a[r]) * len(b[r]) for r in shared)
    rows, columns = ({i for r in shared for i in x[r]} for x in (a, b))
    product = len(rows) * len(columns)
    entries = len(shared) * (len(rows) + len(columns)) + product
    if terms <= entries + len(shared) * product // DENSE_TERMS:
        return _term_by_term(a, b, shared)
    return _dense(a, b, (sorted(shared), sorted(rows), sorted(columns)))


def _term_by_term(a: Matrix, b: Matrix, shared: set[int]) -> Matrix:
    product: Matrix = {}
    for r in shared:
        for i, x in a[r].items():
            row = product.setdefault(i, {})
            for j, y in b[r].items():
                row[j] = row[j] + x * y if j in row else x * y
    return _nonzero(product)


def _dense(a: Matrix, b: Matrix, at: tuple[list[int], list[int], list[int]]) -> Matrix:
    shared, rows, columns = at
    product = _filled(a, shared, rows).transpose() * _filled(b, shared, columns)
    entries, J = product.entries(), len(columns)
    parts = (entries[start : start + J] for start in range(0, len(entries), J))
    return _nonzero(
        {i: dict(zip(columns, part, strict=True)) for i, part in zip(rows, parts, strict=True)}
    )


def _filled(matrix: Matrix, rows: list[int], columns: list[int]) -> fmpq_mat:
    """These rows and columns of a matrix."""
    zero = fmpq(0)
    return fmpq_mat(
        len(rows), len(columns), [matrix[r].get(c, zero) for r in rows for c in columns]
    )


def _nonzero(matrix: Matrix) -> Matrix:
    kept = {i: {j: x for j, x in row.items() if x} for i, row in matrix.items()}
    return {i: row for i, row in kept.items() if row}


def _relu(matrix: Matrix) -> Matrix:
    kept = {i: {j: x for j, x in row.items() if x > 0} for i, row in matrix.items()}
    return {i: row for i, row in kept.items() if row}


def _add(to: Matrix, update: Matrix) -> None:
    """Add to a matrix, in place."""
    for i, row in update.items():
        into = to.setdefault(i, {})
        for j, x in row.items():
            into[j] = into[j] + x if j in into else x


def _columns(stream: np.ndarray) -> Matrix:
    """The stream by its non-zeros, columns first."""
    if stream.dtype == object:
        at, entries = not_zero(stream)
    else:
        at = np.flatnonzero(stream)
        entries = stream.reshape(-1)[at]
    tokens, columns = np.unravel_index(at, stream.shape)
    h: Matrix = {}
    for token, column, x in zip(tokens.tolist(), columns.tolist(), entries.tolist(), strict=True):
        h.setdefault(column, {})[token] = _fmpq(x)
    return _nonzero(h)


def _fmpq(value: int | Fraction | float) -> fmpq:
    return fmpq(*value.as_integer_ratio())


def _rational(value: fmpq) -> int | Fraction:
    return int(value.p) if value.q == 1 else Fraction(int(value.p), int(value.q))


def _array(h: Matrix, shape: tuple[int, ...]) -> np.ndarray:
    """The stream as an array of rationals."""
    stream = np.full(shape, 0, dtype=object)
    for column, entries in h.items():
        for token, x in entries.items():
            stream[token, column] = _rational(x)
    return stream
