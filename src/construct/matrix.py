"""Matrices of rationals by their non-zeros: floats, and exact values where float64 rounds.

A table over 50,000 words is a matrix of 50,000 rows and columns with a single 1 in each of
them. Such a matrix costs what its non-zeros cost, and is never written out.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float, Int, Shaped
from scipy.sparse import csr_array

from construct.errors import ConstructError
from construct.frozen import frozen_array
from construct.rational import (
    BEYOND_FLOAT64,
    MOST_WHOLE,
    Rational,
    is_float,
    largest,
    rational_array,
    rationals,
    refuse_other_shape,
    zeros,
)

# Sums of whole numbers up to here are exact in int64.
MOST_SUM = 1 << 62


class Matrix:
    """An exact matrix that cannot be changed.

    `matrix[i, j]` is an entry and `matrix[i]` a row; `np.asarray(matrix)` is an object array
    of all entries.

    Attributes:
        shape: (rows, columns).
        at: rows and columns of the non-zeros, by row and then by column.
        floats: each non-zero rounded to float64; beyond its range infinite, or 0.
        rounded: which of them float64 rounds, rising.
        exact: the values of these.
    """

    # `scale * matrix` is the matrix's business, also where NumPy holds the scale.
    __array_ufunc__ = None

    def __init__(
        self,
        shape: tuple[int, int],
        at: Int[np.ndarray, "2 count"],
        floats: Float[np.ndarray, " count"],
        rounded: Int[np.ndarray, " some"] | None = None,
        exact: Shaped[np.ndarray, " some"] | None = None,
    ) -> None:
        """Take non-zeros as they are: in order, none of them twice."""
        self.shape = shape
        self.at, self.floats = frozen_array(at), frozen_array(floats)
        self.rounded = frozen_array(np.zeros(0, dtype=np.int64) if rounded is None else rounded)
        self.exact = frozen_array(np.zeros(0, dtype=object) if exact is None else exact)

    @classmethod
    def of(cls, array: Any, shape: tuple[int | None, int | None], what: str) -> "Matrix":
        """From nested lists, an array or a matrix, of this shape.

        Raises:
            ConstructError: naming `what`, the shape found and the shape wanted.
        """
        if isinstance(array, Matrix):
            refuse_other_shape(array.shape, shape, what)
            return array
        plain = isinstance(array, np.ndarray) and array.dtype == object and array.ndim == 2
        if plain and set(map(type, array.flat)) <= {int, Fraction}:
            refuse_other_shape(array.shape, shape, what)
        else:
            array = rational_array(array, shape, what)
        at = np.stack(np.nonzero(array))
        return cls.from_places(array.shape, at, array[tuple(at)])

    @classmethod
    def from_places(cls, shape: tuple[int, int], at: Any, values: Any) -> "Matrix":
        """From (2, count) places, none of them twice, and rationals or floats in this order."""
        at = np.asarray(at, dtype=np.int64).reshape(2, -1)
        order = np.lexsort(at[::-1])
        if (np.diff(order) != 1).any():
            at, values = at[:, order], np.asarray(values)[order]
        kept = np.flatnonzero(values)
        if len(kept) < len(values):
            at, values = at[:, kept], np.asarray(values)[kept]
        return cls(shape, at, *_split(values))

    @classmethod
    def from_sum(cls, shape: tuple[int, int], at: np.ndarray, values: np.ndarray) -> "Matrix":
        """The same where places may occur twice: what stands at one of them is added up."""
        places, index = np.unique(at[0] * shape[1] + at[1], return_inverse=True)
        if len(places) == len(values):
            return cls.from_places(shape, at, values)
        sums = zeros(len(places))
        np.add.at(sums, index, values)
        return cls.from_places(shape, np.stack(np.divmod(places, shape[1])), sums)

    @classmethod
    def from_entries(
        cls, shape: tuple[int, int], entries: Iterable[tuple[int, int, Rational]]
    ) -> "Matrix":
        """From (row, column, value); what stands at one place twice is added up."""
        listed = list(entries)
        at = np.array([entry[:2] for entry in listed], dtype=np.int64).reshape(-1, 2).T
        return cls.from_sum(shape, at, rationals([value for _, _, value in listed]))

    @classmethod
    def zero(cls, rows: int, columns: int) -> "Matrix":
        """All zeros."""
        return cls((rows, columns), np.zeros((2, 0), dtype=np.int64), np.zeros(0))

    @classmethod
    def identity(cls, d: int) -> "Matrix":
        """The d x d identity."""
        return cls((d, d), np.tile(np.arange(d), (2, 1)), np.ones(d))

    @classmethod
    def choosing(cls, places: Any, columns: int) -> "Matrix":
        """A row for each place, with a 1 there."""
        at = np.stack([np.arange(len(places)), np.asarray(places, dtype=np.int64)])
        return cls.from_places((len(places), columns), at, np.ones(len(places)))

    def __repr__(self) -> str:
        return f"Matrix({self.shape[0]} x {self.shape[1]}, {len(self)} non-zeros)"

    def __len__(self) -> int:
        """How many entries are not 0."""
        return len(self.floats)

    def __reduce__(self) -> tuple:
        arrays = (np.array(x) for x in (self.at, self.floats, self.rounded, self.exact))
        return Matrix, (self.shape, *arrays)

    def __deepcopy__(self, _: Any) -> "Matrix":
        return self

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Matrix) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

    @cached_property
    def key(self) -> tuple:
        """Equal for equal matrices, and only for these."""
        exact = self.rounded.tobytes(), tuple(self.exact)
        return self.shape, self.at.tobytes(), self.floats.tobytes(), exact

    @cached_property
    def values(self) -> np.ndarray:
        """The non-zeros as rationals, `int` where they are whole."""
        whole = self._whole
        if whole is not None:
            return whole.astype(object)
        found, own = zeros(len(self)), self._held
        found[own] = [_rational(x) for x in self.floats[own].tolist()]
        found[self.rounded] = self.exact
        return found

    @property
    def _held(self) -> np.ndarray:
        """Which of the non-zeros float64 does not round."""
        held = np.ones(len(self), dtype=bool)
        held[self.rounded] = False
        return held

    @cached_property
    def _whole(self) -> np.ndarray | None:
        """The non-zeros in int64, if all are whole and below 2^53."""
        if len(self.exact) or not (abs(self.floats) < MOST_WHOLE).all():
            return None
        whole = self.floats.astype(np.int64)
        return whole if (whole == self.floats).all() else None

    @cached_property
    def distinct(self) -> Mapping[Rational, int]:
        """Each value that occurs, with how often: zeros aside."""
        values, counts = np.unique(self.floats[self._held], return_counts=True)
        found = Counter(dict(zip(map(_rational, values.tolist()), counts.tolist(), strict=True)))
        found.update(self.exact.tolist())
        return found

    @cached_property
    def csr(self) -> csr_array:
        """The matrix of floats."""
        if not np.isfinite(self.floats).all():
            raise ConstructError(BEYOND_FLOAT64)
        return csr_array((self.floats, self.at[1], self._starts), shape=self.shape)

    @cached_property
    def _starts(self) -> np.ndarray:
        """Where the non-zeros of each row start, and where the last ones end."""
        return np.concatenate([[0], np.cumsum(self.counts(1))])

    @property
    def T(self) -> "Matrix":
        """The transpose."""
        order = np.lexsort(self.at)
        number = np.empty_like(order)
        number[order] = np.arange(len(order))
        rounded = number[self.rounded]
        rising = np.argsort(rounded)
        exact = rounded[rising], self.exact[rising]
        return Matrix(self.shape[::-1], self.at[::-1, order], self.floats[order], *exact)

    def __rmul__(self, scale: Rational) -> "Matrix":
        if not len(self.exact) and _is_power_of_two(scale):
            floats = self.floats * float(scale)
            size = abs(floats)
            if not len(floats) or (size.max() < 2.0**1023 and size.min() >= 2.0**-1022):
                return Matrix(self.shape, self.at, floats)
        return Matrix.from_places(self.shape, self.at, scale * self.values)

    def __neg__(self) -> "Matrix":
        return -1 * self

    def __add__(self, other: "Matrix") -> "Matrix":
        if not len(self) or not len(other):
            return self if len(self) else other
        at = np.concatenate([self.at, other.at], axis=1)
        return Matrix.from_sum(self.shape, at, np.concatenate([self.values, other.values]))

    def __sub__(self, other: "Matrix") -> "Matrix":
        return self + (-other)

    def __abs__(self) -> "Matrix":
        return Matrix(self.shape, self.at, abs(self.floats), self.rounded, abs(self.exact))

    def __getitem__(self, index: Any) -> Any:
        """What the array of all entries has there; a row or an entry without making it."""
        if type(index) is int:
            row, (columns, values) = zeros(self.shape[1]), self.row(index)
            row[columns] = values
            return row
        if isinstance(index, tuple) and [*map(type, index)] == [int, int]:
            return self[index[0]][index[1]]
        return np.asarray(self)[index]

    def row(self, i: int) -> tuple[np.ndarray, np.ndarray]:
        """Columns and values of the non-zeros of a row."""
        i = range(self.shape[0])[i]  # or IndexError
        start, stop = self._starts[i : i + 2]
        return self.at[1, start:stop], self.values[start:stop]

    def terms(self, i: int) -> Iterator[tuple[int, Rational]]:
        """(column, value) of each non-zero of a row."""
        columns, values = self.row(i)
        return zip(columns.tolist(), values.tolist(), strict=True)

    def __iter__(self) -> Iterator[tuple[int, int, Rational]]:
        """(row, column, value) of each non-zero."""
        rows, columns = self.at.tolist()
        return zip(rows, columns, self.values.tolist(), strict=True)

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        dense = zeros(*self.shape)
        dense[tuple(self.at)] = self.values
        return dense if dtype is None else dense.astype(dtype)

    def tolist(self) -> list[list[Rational]]:
        """All entries, row by row."""
        return np.asarray(self).tolist()

    def counts(self, axis: int) -> Int[np.ndarray, " entries"]:
        """How many non-zeros there are in each column (axis 0) or in each row (axis 1)."""
        return np.bincount(self.at[1 - axis], minlength=self.shape[1 - axis])

    def sums(self, axis: int) -> np.ndarray:
        """The sum of each column (axis 0) or of each row (axis 1), exactly."""
        return self._summed(self.at[1 - axis], self.shape[1 - axis])

    def _summed(self, index: np.ndarray, size: int) -> np.ndarray:
        whole = self._whole
        if whole is not None and abs(self.floats).sum() < MOST_SUM:
            sums = np.zeros(size, dtype=np.int64)
            np.add.at(sums, index, whole)
            return sums.astype(object)
        exact = zeros(size)
        np.add.at(exact, index, self.values)
        return exact

    def merged(self, places: Sequence[int], columns: int) -> "Matrix":
        """Column v added to column places[v] of a matrix with so many columns."""
        at = np.stack([self.at[0], np.asarray(places, dtype=np.int64)[self.at[1]]])
        return Matrix.from_sum((self.shape[0], columns), at, self.values)

    @cached_property
    def pattern(self) -> "Matrix":
        """1 where an entry is not 0."""
        return Matrix(self.shape, self.at, np.ones(len(self)))

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """The product with x over its last axis: floats in floats, all else exactly.

        Args:
            x: (..., columns).

        Returns:
            (..., rows).
        """
        flat = x.reshape(-1, x.shape[-1])
        if x.dtype.kind == "f":
            with np.errstate(all="ignore"):
                product = (self.csr @ flat.T).T
        elif x.dtype.kind == "i" and self._fits(flat):
            assert self._whole is not None
            whole = csr_array((self._whole, self.csr.indices, self.csr.indptr), self.shape)
            product = (whole @ flat.T.astype(np.int64)).T
        else:
            product = self._exactly(flat)
        return product.reshape(*x.shape[:-1], self.shape[0])

    def _fits(self, x: np.ndarray) -> bool:
        """Whether the product with whole numbers stays in int64."""
        most = largest(x) or 1
        return self._whole is not None and bool(abs(self.floats).sum() * most < MOST_SUM)

    def _exactly(self, x: np.ndarray) -> np.ndarray:
        """The product of rationals, by the columns of the matrix that meet a non-zero of x."""
        y, columns = zeros(len(x), self.shape[0]), self._columns
        for column in np.unique(np.nonzero(x)[1]).tolist():
            rows, values = columns.row(column)
            y[:, rows] += x[:, column, None] * values
        return y

    @cached_property
    def _columns(self) -> "Matrix":
        """The transpose, kept: its rows are the columns."""
        return self.T


def _split(values: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Numbers as floats, which of them float64 rounds, and the values of these."""
    values = np.asarray(values)
    none = np.zeros(0, dtype=np.int64)
    if values.dtype.kind == "f":
        return values.astype(np.float64), none, none.astype(object)
    listed = values.tolist()
    try:
        floats = values.astype(np.float64)
    except OverflowError:
        floats = np.array([_nearest(x) for x in listed])
    if set(map(type, listed)) == {int} and (abs(floats) < MOST_WHOLE).all():
        return floats, none, none.astype(object)
    rounded = np.array([i for i, x in enumerate(listed) if not is_float(x)], dtype=np.int64)
    return floats, rounded, values.astype(object)[rounded]


def _nearest(x: Rational) -> float:
    try:
        return float(x)
    except OverflowError:
        return math.inf if x > 0 else -math.inf


def _rational(x: float) -> Rational:
    """The rational that a float is: `int` where it is whole."""
    return int(x) if x.is_integer() else Fraction(x)


def _is_power_of_two(x: Rational) -> bool:
    size = abs(x.numerator) * x.denominator
    return bool(size) and size & (size - 1) == 0 and is_float(x)
