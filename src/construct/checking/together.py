"""All tasks at once on one vector of inputs: in int64 where that holds it, else row by row.

Task k times its denominator L_k is in whole numbers, and with t / q for the inputs

    L_k q f_k(t / q) = A t + b q + C max(a t + e q, 0).

The tasks stand below one another in these matrices, which are sparse. What might leave
int64 is told beforehand, by the sums of absolute entries.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Int
from scipy.sparse import csr_array

from construct.checking.pieces import Rows, Stand, stand
from construct.checking.vectors import Vector
from construct.matrix import MOST_SUM
from construct.rational import Rational, largest

# Non-zeros of all tasks that are put below one another: half a gigabyte.
MOST_STACKED = 1 << 25


class Together:
    """The tasks of a construction, evaluated together."""

    def __init__(self, tasks: Sequence[Rows], inputs: int) -> None:
        self.tasks, self.size = list(tasks), inputs * tasks[0].d
        self._last: tuple[Vector, Int[np.ndarray, "K d"] | None] | None = None

    @cached_property
    def _stack(self) -> "_Stack | None":
        count = sum(_entries(rows) for rows in self.tasks)
        return _Stack.of(self.tasks, self.size) if count <= MOST_STACKED else None

    def _tops(self, x: Vector) -> Int[np.ndarray, "K d"] | None:
        """L_k q f_k(x), in int64; None where that might not hold it."""
        if self._last is None or self._last[0] is not x:
            self._last = x, self._stack.tops(x) if self._stack is not None else None
        return self._last[1]

    def value(self, k: int, x: Vector) -> Vector:
        """f_k(x)."""
        tops = self._tops(x)
        if tops is None or self._stack is None:
            return self.tasks[k](x)
        return Vector(tops[k], self._stack.bottoms[k] * x.bottom)

    def stands(self, x: Vector, y: Vector, delta: Rational) -> list[Stand]:
        """How the label y of the inputs x stands to each task."""
        tops = self._tops(x)
        gaps = None if tops is None else self._gaps(tops, x, y)
        if gaps is None:
            return [stand(rows, x, y, delta) for rows in self.tasks]
        return self._judged(gaps, x.bottom * y.bottom, delta)

    def _gaps(
        self, tops: Int[np.ndarray, "K d"], x: Vector, y: Vector
    ) -> Int[np.ndarray, "K d"] | None:
        """(f_k(x) - y) times L_k and the denominators of x and of y."""
        assert self._stack is not None
        bottoms = [bottom * x.bottom for bottom in self._stack.bottoms]
        most = largest(tops) * y.bottom + max(max(bottoms), y.bottom) * max(y.largest, 1)
        if y.tops.dtype != np.int64 or most >= MOST_SUM:
            return None
        return tops * y.bottom - y.tops * np.array(bottoms)[:, None]

    def _judged(self, gaps: Int[np.ndarray, "K d"], bottom: int, delta: Rational) -> list[Stand]:
        """How vectors of so many bottom-ths, over L_k too, stand to delta."""
        assert self._stack is not None
        found = []
        for k, most in enumerate(abs(gaps).max(axis=1).tolist()):
            over = delta * self._stack.bottoms[k] * bottom
            if not most:
                found.append(Stand.MATCH)
            elif most >= over or _square(gaps[k]) >= over**2:
                found.append(Stand.SEPARATE)
            else:
                found.append(Stand.CLOSE)
        return found

    def apart(self, f: int, g: int, x: Vector, delta: Rational) -> bool:
        """Whether f(x) and g(x) are at least delta apart."""
        tops = self._tops(x)
        if tops is not None and self._stack is not None:
            one, two = (self._stack.bottoms[k] for k in (f, g))
            if largest(tops) * (one + two) < MOST_SUM:
                gap, over = tops[f] * two - tops[g] * one, delta * one * two * x.bottom
                return largest(gap) >= over or _square(gap) >= over**2
        return stand(self.tasks[f], x, self.value(g, x), delta) == Stand.SEPARATE

    def entries(self, k: int, x: Vector, places: Sequence[int]) -> list[Fraction]:
        """Some of the entries of f_k(x)."""
        tops = self._tops(x)
        if tops is None or self._stack is None:
            return [Fraction(*self.tasks[k][j].at(x)) for j in places]
        bottom = self._stack.bottoms[k] * x.bottom
        return [Fraction(int(tops[k, j]), bottom) for j in places]


def _square(gap: Int[np.ndarray, " d"]) -> int:
    """The sum of the squares, in Python's whole numbers; most are 0."""
    return sum(entry * entry for entry in gap[gap != 0].tolist())


def _entries(rows: Rows) -> int:
    task = rows.task
    return sum(map(len, task.A.values())) + len(task.C)


@dataclass(frozen=True, eq=False)
class _Stack:
    """The tasks below one another, each times its denominator.

    Attributes:
        bottoms: L_k.
        linear, constant: A (K d, inputs d) and b (K d,).
        inner, kinks: a (hinges, inputs d) and e (hinges,).
        outer: C (K d, hinges).
        slope, offset: no sum on the way is above slope |t| + offset q.
    """

    shape: tuple[int, int]
    bottoms: list[int]
    linear: csr_array
    inner: csr_array
    outer: csr_array
    constant: Int[np.ndarray, " rows"]
    kinks: Int[np.ndarray, " hinges"]
    slope: int
    offset: int

    @classmethod
    def of(cls, tasks: Sequence[Rows], size: int) -> "_Stack | None":
        """None if a number of the tasks, made whole, is beyond int64."""
        try:
            return cls._of(tasks, size)
        except OverflowError:
            return None

    @classmethod
    def _of(cls, tasks: Sequence[Rows], size: int) -> "_Stack":
        K, d = len(tasks), tasks[0].d
        linear, inner, outer = _Triples(), _Triples(), _Triples()
        constant, kinks, bottoms = list[int](), list[int](), list[int]()
        for k, rows in enumerate(tasks):
            fixed, weights, planes = _hinges(rows)
            bottom = _denominator(rows, [*fixed, *weights.values()])
            bottoms.append(bottom)
            for p, matrix in rows.task.A.items():
                at = matrix.at + np.array([[k * d], [(p - 1) * d]])
                linear.add(at, _times(matrix.values.tolist(), bottom))
            constant += _times(fixed, bottom)
            at = np.array([*weights], dtype=np.int64).reshape(-1, 2).T
            outer.add(at + np.array([[k * d], [len(kinks)]]), _times(weights.values(), bottom))
            for h, (a, _) in enumerate(planes, start=len(kinks)):
                inner.add([[h] * len(a), [i for i, _ in a]], [value for _, value in a])
            kinks += [e for _, e in planes]
        H = len(kinks)
        shapes = (K * d, size), (H, size), (K * d, H)
        matrices = (part.matrix(s) for part, s in zip((linear, inner, outer), shapes, strict=True))
        return cls._bounded((K, d), bottoms, *matrices, _int64(constant), _int64(kinks))

    @classmethod
    def _bounded(cls, shape: tuple[int, int], bottoms: list[int], *parts: Any) -> "_Stack":
        """With bounds on the sums: floats, rounded up."""
        linear, inner, outer, constant, kinks = parts
        reach, start = _sums(inner), abs(kinks.astype(float))
        weights = abs(outer).astype(float)
        slopes = [_sums(linear) + weights @ reach, reach]
        offsets = [abs(constant.astype(float)) + weights @ start, start]
        slope, offset = (
            math.ceil(max(array.max(initial=0.0) for array in arrays) * 1.001)
            for arrays in (slopes, offsets)
        )
        return cls(shape, bottoms, linear, inner, outer, constant, kinks, slope, offset)

    def tops(self, x: Vector) -> Int[np.ndarray, "K d"] | None:
        """L_k q f_k(t / q) for the inputs t / q."""
        t, q = x.tops, x.bottom
        if t.dtype != np.int64 or self.slope * x.largest + (self.offset + 1) * q >= MOST_SUM:
            return None
        found = self.linear @ t + self.constant * q
        if len(self.kinks):
            found += self.outer @ np.maximum(self.inner @ t + self.kinks * q, 0)
        return found.reshape(self.shape)


class _Triples:
    """Entries of a sparse matrix of whole numbers."""

    def __init__(self) -> None:
        self.at: list[np.ndarray] = [np.zeros((2, 0), dtype=np.int64)]
        self.values: list[np.ndarray] = [np.zeros(0, dtype=np.int64)]

    def add(self, at: Any, values: Sequence[int]) -> None:
        """More of them."""
        self.at.append(np.asarray(at, dtype=np.int64))
        self.values.append(_int64(values))

    def matrix(self, shape: tuple[int, int]) -> csr_array:
        at = np.concatenate(self.at, axis=1)
        return csr_array((np.concatenate(self.values), (at[0], at[1])), shape=shape)


def _sums(matrix: csr_array) -> np.ndarray:
    return abs(matrix).astype(float).sum(axis=1)


def _int64(values: Sequence[int]) -> Int[np.ndarray, " count"]:
    """Whole numbers as an array.

    Raises:
        OverflowError: if one is too large for sums with others.
    """
    found = np.array(values, dtype=np.int64)
    if found.size and largest(found) >= MOST_SUM:
        raise OverflowError
    return found


def _times(values: Iterable[Rational], bottom: int) -> list[int]:
    """Rationals times a denominator that all of them have."""
    return [value.numerator * (bottom // value.denominator) for value in values]


def _hinges(rows: Rows) -> tuple[list[Rational], dict[tuple[int, int], Rational], list]:
    """The constants of all rows, (row, kink) -> weight, and the kinks."""
    fixed, planes = rows.task.b.tolist(), dict[Any, int]()
    weights = {}
    for j in sorted(set(rows.task.C.at[0].tolist())):
        fixed[j] = rows[j].constant
        for plane, weight in rows[j].hinges.items():
            weights[j, planes.setdefault(plane, len(planes))] = weight
    return fixed, weights, list(planes)


def _denominator(rows: Rows, others: Iterable[Rational]) -> int:
    """The least common one of all coefficients of a task."""
    found = {value.denominator for value in others}
    for matrix in rows.task.A.values():
        found |= {value.denominator for value in matrix.distinct}
    return math.lcm(*found)
