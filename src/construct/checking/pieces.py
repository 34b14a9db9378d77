"""Tasks row by row, exactly and fast: values, distances, and where two tasks agree.

Entry j of f(X) is linear in the entries of X, plus hinges. Over common denominators all
of it is in whole numbers, which Python computes with many times faster than with
fractions; and for most labels and tasks a single row shows that they do not match.

The inputs of an example are one vector here, x_1 to x_{n-1} one after the other.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from functools import cached_property

import numpy as np
from scipy.sparse import coo_array

from construct.checking.vectors import Vector, over_common
from construct.matrix import Matrix
from construct.rational import Rational
from construct.spec.hinge import Feature
from construct.spec.tasks import Task

# A hinge max(<a, X> + e, 0): the places of a with its entries, and e. All of them are whole
# and without a common divisor, so that equal kinks are equal keys.
Plane = tuple[tuple[tuple[int, int], ...], int]


@dataclass(frozen=True, eq=False)
class Row:
    """One entry of f(X), or of a difference: <linear, X> + constant + sum_h w_h max(t_h, 0).

    Attributes:
        linear: place in X -> coefficient, zeros left out.
        hinges: kink -> weight w_h, zeros left out.
    """

    linear: Mapping[int, Rational]
    constant: Rational
    hinges: Mapping[Plane, Rational]

    def __sub__(self, other: "Row") -> "Row":
        return Row(
            _minus(self.linear, other.linear),
            self.constant - other.constant,
            _minus(self.hinges, other.hinges),
        )

    @cached_property
    def _whole(self) -> tuple[list[tuple[int, int]], int, list[tuple[int, Plane]], int]:
        """Coefficients, constant and weights times their common denominator, and that."""
        numbers = [self.constant, *self.linear.values(), *self.hinges.values()]
        bottom = math.lcm(*(number.denominator for number in numbers))

        def times(number: Rational) -> int:
            return number.numerator * (bottom // number.denominator)

        linear = [(i, times(c)) for i, c in self.linear.items()]
        hinges = [(times(w), plane) for plane, w in self.hinges.items()]
        return linear, times(self.constant), hinges, bottom

    def at(self, x: Vector) -> tuple[int, int]:
        """The value at x: numerator and denominator."""
        linear, constant, hinges, bottom = self._whole
        entry, q = x.tops.item, x.bottom
        total = constant * q
        for i, c in linear:
            total += c * entry(i)
        for w, plane in hinges:
            inside = _inside(plane, x)
            if inside > 0:
                total += w * inside
        return total, bottom * q

    def piece(self, x: Vector) -> tuple[dict[int, Rational], Rational]:
        """The linear map and the constant that the row is around x."""
        linear, constant = dict(self.linear), self.constant
        for (a, e), w in self.hinges.items():
            if _inside((a, e), x) > 0:
                constant += w * e
                for i, v in a:
                    linear[i] = linear.get(i, 0) + w * v
        return {i: c for i, c in linear.items() if c}, constant

    def interval(self, R: Rational) -> tuple[Rational, Rational]:
        """Bounds on the row over all |X| <= R; exact where there are no hinges."""
        spread = Fraction(0)
        for c in self.linear.values():
            spread += max(c, -c) * R
        low, high = self.constant - spread, self.constant + spread
        for (a, e), w in self.hinges.items():
            reach = sum(abs(v) for _, v in a) * R
            ends = w * max(e - reach, 0), w * max(e + reach, 0)
            low, high = low + min(ends), high + max(ends)
        return low, high


def _inside(plane: Plane, x: Vector) -> int:
    """<a, X> + e, times the denominator of X."""
    (a, e), entry = plane, x.tops.item
    return e * x.bottom + sum(v * entry(i) for i, v in a)


def _minus(one: Mapping, other: Mapping) -> dict:
    result = dict(one)
    for key, value in other.items():
        left = result.pop(key, 0) - value
        if left:
            result[key] = left
    return result


class Rows:
    """The rows of a task, each made when it is first asked for."""

    def __init__(self, task: Task) -> None:
        self.task, self.d = task, task.d
        self._rows: dict[int, Row] = {}
        self._read: dict[int, tuple[list[tuple[Plane, Rational]], Rational]] = {}

    def __getitem__(self, j: int) -> Row:
        if j not in self._rows:
            self._rows[j] = self._row(j)
        return self._rows[j]

    def _row(self, j: int) -> Row:
        linear: dict[int, Rational] = {}
        for p, matrix in self.task.A.items():
            for i, value in matrix.terms(j):
                linear[(p - 1) * self.d + i] = value
        constant, hinges = self.task.b[j], dict[Plane, Rational]()
        for u, c in self.task.C.terms(j):
            if u not in self._read:
                self._read[u] = _planes(self.task.features[u], self.d)
            kinks, fixed = self._read[u]
            constant += c * fixed
            for plane, weight in kinks:
                hinges[plane] = hinges.get(plane, 0) + c * weight
        return Row(linear, constant, {plane: w for plane, w in hinges.items() if w})

    def __call__(self, x: Vector) -> Vector:
        """f(x)."""
        pairs = [self[j].at(x) for j in range(self.d)]
        bottom = math.lcm(*{bottom for _, bottom in pairs})
        return Vector([top * (bottom // own) for top, own in pairs], bottom)

    def differing(self, other: "Rows") -> list[int]:
        """The rows in which two tasks may differ: in all others they are the same."""
        one, two = self.task, other.task
        found = [np.flatnonzero(one.b != two.b), one.C.at[0], two.C.at[0]]
        for p in one.A.keys() | two.A.keys():
            matrices = [task.A[p] for task in (one, two) if p in task.A]
            found.append(matrices[0].at[0] if len(matrices) == 1 else differences(*matrices)[0])
        return np.unique(np.concatenate(found)).tolist()


def differences(one: Matrix, other: Matrix) -> np.ndarray:
    """Rows and columns of the entries in which two matrices differ."""
    if len(one.exact) or len(other.exact):
        return (one - other).at
    # Two floats that differ have a difference that is not 0.
    different = coo_array(one.csr - other.csr)
    return np.stack(different.coords)[:, different.data != 0]


def _planes(feature: Feature, d: int) -> tuple[list[tuple[Plane, Rational]], Rational]:
    """The kinks of a feature with their weights, and what hinges without inputs add up to."""
    kinks: list[tuple[Plane, Rational]] = []
    fixed: Rational = 0
    for hinge in feature:
        a = {(p - 1) * d + i: v for p, terms in hinge.a for i, v in terms}
        if not a:
            fixed += hinge.c * max(hinge.e, 0)
            continue
        # max(s t, 0) = s max(t, 0) for the positive s that makes all numbers whole.
        tops, bottom = over_common([*a.values(), hinge.e])
        common = math.gcd(*tops)
        whole = [top // common for top in tops]
        plane = tuple(zip(a, whole[:-1], strict=True)), whole[-1]
        kinks.append((plane, hinge.c * Fraction(common, bottom)))
    return kinks, fixed


class Stand(Enum):
    """How a label stands to a task."""

    MATCH = "f(x) = y"
    CLOSE = "neither: the domain does not admit it"
    SEPARATE = "at least delta away"


def stand(task: Rows, x: Vector, y: Vector, delta: Rational) -> Stand:
    """How the label y of the inputs x stands to a task; one row decides in most cases."""
    squares, limit, equal = Fraction(0), Fraction(delta) ** 2, True
    for j, label in enumerate(y.tops.tolist()):
        top, bottom = task[j].at(x)
        gap = top * y.bottom - label * bottom
        if not gap:
            continue
        equal, over = False, bottom * y.bottom
        if gap * gap * limit.denominator >= limit.numerator * over * over:
            return Stand.SEPARATE
        squares += Fraction(gap * gap, over * over)
        if squares >= limit:
            return Stand.SEPARATE
    return Stand.MATCH if equal else Stand.CLOSE


# --- Where rows vanish -------------------------------------------------------

# Terms that an elimination may change: a second or so.
MOST_TERMS = 100_000


class TooMany(Exception):
    """Raised where the elimination would take too long."""


@dataclass(frozen=True)
class Solution:
    """All X on which linear rows vanish, in triangular form.

    Attributes:
        pivots: (place, row, constant): X_place = constant - <row, X>, in which the row reads
            free places and those of later pivots.
    """

    pivots: list[tuple[int, dict[int, Rational], Rational]]

    def near(self, entries: Sequence[Rational]) -> list[Rational]:
        """The solution that has these entries at the free places."""
        x = list(entries)
        for place, row, constant in reversed(self.pivots):
            x[place] = constant - sum(c * x[i] for i, c in row.items())
        return x

    def determined(self) -> list[Rational]:
        """The entries that are the same in all solutions."""
        known: dict[int, Rational] = {}
        for place, row, constant in reversed(self.pivots):
            if row.keys() <= known.keys():
                known[place] = constant - sum(c * known[i] for i, c in row.items())
        return list(known.values())


def solve(rows: Iterable[tuple[Mapping[int, Rational], Rational]]) -> Solution | None:
    """All X with <row, X> + constant = 0 for all rows, by elimination; None if there are none.

    Raises:
        TooMany: if the rows fill up too much.
    """
    pivots: list[tuple[int, dict[int, Rational], Rational]] = []
    changed = 0
    for linear, start in rows:
        row, constant = dict(linear), start
        for place, known, value in pivots:
            c = row.pop(place, 0)
            if not c:
                continue
            constant += c * value
            changed += len(known)
            if changed > MOST_TERMS:
                raise TooMany
            for i, v in known.items():
                left = row.pop(i, 0) - c * v
                if left:
                    row[i] = left
        if row:
            # A coefficient of 1 or -1, where there is one, keeps whole numbers whole.
            place = min(row, key=lambda i: (abs(row[i]) != 1, i))
            lead = row.pop(place)
            scaled = {i: _ratio(c, lead) for i, c in row.items()}
            pivots.append((place, scaled, _ratio(-constant, lead)))
        elif constant:
            return None
    return Solution(pivots)


def _ratio(a: Rational, b: Rational) -> Rational:
    if b in (1, -1):
        return a * b
    quotient = Fraction(a) / b
    return quotient.numerator if quotient.denominator == 1 else quotient


class Agreement:
    """Where a task agrees with others, entry by entry."""

    def __init__(self, task: Rows, others: Sequence[Rows]) -> None:
        self._rows = [task[j] - other[j] for other in others for j in task.differing(other)]
        self._affine = not any(row.hinges for row in self._rows)

    @cached_property
    def _everywhere(self) -> Solution | None:
        """The solution of affine rows, which are one piece."""
        return self._solved(Vector([]))

    def _solved(self, x: Vector) -> Solution | None:
        try:
            return solve(row.piece(x) for row in self._rows)
        except TooMany:
            return None

    def near(self, x: Vector) -> Vector | None:
        """Inputs near x, of any size, on which all agree; None if none were found.

        Of tasks with hinges the piece around x is solved, and then that around the solution.
        """
        for _ in range(1 if self._affine else 3):
            solution = self._everywhere if self._affine else self._solved(x)
            if solution is None:
                return None
            x = Vector.of(solution.near(x.entries()))
            if not any(row.at(x)[0] for row in self._rows):
                return x
        return None
