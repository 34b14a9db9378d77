"""A function of one variable as a sum of ReLUs, with the error that was proved.

    g(t) = value + s_0 (t - t_0) + sum_j (s_j - s_{j-1}) max(t - t_j, 0)

is within `error` of the function on the whole interval. Knots, slopes and values are dyadic,
and so is g of a dyadic number.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
from flint import ctx, fmpq

from construct.approximation.bound import difference
from construct.approximation.curve import Curve, Stretch
from construct.approximation.dyadic import down, scaled, step_below, up
from construct.approximation.dyadic import point as as_fmpq_point
from construct.approximation.interval import Undefined
from construct.approximation.smooth import Polynomial, Smooth, as_fmpq, as_rational
from construct.approximation.tube import Piece, pieces
from construct.errors import ConstructError
from construct.rational import Rational

# Bits of an error: it is rounded up.
ERROR_BITS = 10
# What is tried in turn: the half-width of the tube as a part of epsilon, and how near a first
# dyadic knot lies to a start that is none.
TRIES = ((fmpq(511, 512), 10), (fmpq(63, 64), 16), (fmpq(7, 8), 24), (fmpq(1, 2), 40))


@dataclass(frozen=True)
class Polyline:
    """A continuous piecewise linear function g.

    Attributes:
        interval: where g is near the function.
        start: t_0, a point of the interval.
        value: g(t_0).
        knots: t_1 < ... < t_J, at which the slope changes.
        slopes: s_0, ..., s_J, one more than there are knots.
        below: a bound on what g is below the function, on all of the interval.
        above: a bound on what g is above it.
    """

    interval: tuple[Rational, Rational]
    start: Rational
    value: Rational
    knots: tuple[Rational, ...]
    slopes: tuple[Rational, ...]
    below: Rational
    above: Rational

    def __repr__(self) -> str:
        a, b = self.interval
        return f"{type(self).__name__}([{a}, {b}]: {self.hinges} hinges, error {self.error})"

    @property
    def hinges(self) -> int:
        """How many ReLUs there are, beside the affine part."""
        return len(self.knots)

    @property
    def error(self) -> Rational:
        """The proved bound on |g - f|."""
        return max(self.below, self.above)

    @property
    def jumps(self) -> tuple[Rational, ...]:
        """s_j - s_{j-1}, the coefficients of the ReLUs."""
        return tuple(b - a for a, b in zip(self.slopes, self.slopes[1:], strict=False))

    @cached_property
    def _values(self) -> tuple[tuple[Rational, ...], tuple[Rational, ...]]:
        """Points of which each begins a piece, the start first, and g there."""
        points, values = [self.start, *self.knots], [self.value]
        for a, b, slope in zip(points, points[1:], self.slopes, strict=False):
            values.append(values[-1] + slope * (b - a))
        return tuple(points), tuple(values)

    def __call__(self, t: Any) -> Any:
        """g(t): exact where t is rational, a float or an array of them where t is."""
        if isinstance(t, int | Fraction):
            return self._at(t)
        array = np.asarray(t)
        if array.dtype == object:
            return np.vectorize(self._at, otypes=[object])(array)
        points, values = (np.array(own, dtype=np.float64) for own in self._values)
        k = np.searchsorted(points[1:], array, side="right")
        found = values[k] + np.array(self.slopes, dtype=np.float64)[k] * (array - points[k])
        return float(found) if isinstance(t, float) else found

    def _at(self, t: Rational) -> Rational:
        points, values = self._values
        k = bisect_right(self.knots, t)
        return values[k] + self.slopes[k] * (t - points[k])

    def from_middle(
        self, t: Rational
    ) -> tuple[Rational, Rational, list[tuple[Rational, int, Rational]]]:
        """(value, slope, hinges): g = value + slope (u - t) + sum c max(a (u - knot), 0).

        The hinges (c, a, knot) have a = 1 right of t and a = -1 left of it, so that few of them
        act at any u: the sum of absolute values is smaller than from the left.
        """
        k = bisect_right(self.knots, t)
        jumps = list(zip(self.jumps, self.knots, strict=True))
        hinges = [(c, -1 if j < k else 1, knot) for j, (c, knot) in enumerate(jumps)]
        return self._at(t), self.slopes[k], hinges


def fitted(
    function: Smooth,
    a: Rational,
    b: Rational,
    epsilon: Rational,
    most: int,
    stretches: Sequence[Stretch] | None = None,
) -> Polyline:
    """g within epsilon of a function on [a, b], proved, with about as few hinges as can be.

    Args:
        most: hinges allowed.
        stretches: those of the curve, if they are known, for epsilon / 256 or less.

    Raises:
        TooManyPieces: if there are more hinges.
        ConstructError: if the function has no finite value somewhere, or no bound is found.
    """
    low, high, wanted = as_fmpq(a), as_fmpq(b), as_fmpq(epsilon)
    if isinstance(function, Polynomial) and function.p.degree() <= 1:
        return through((a, b), [as_rational(function.p(t)) for t in (low, high)])
    with ctx.workprec(precision(low, high, wanted)):
        curve = Curve(function, low, high)
        own = list(stretches or curve.stretches(wanted / 256))
        for part, bits in TRIES:
            e = down(wanted * part, step_below(wanted) / 1024)
            line = pieces(curve, own, e, most + 1, bits)
            try:
                found = difference(curve, own, line, e)
            except Undefined:  # enclosed on a cell, and not on a part of it
                continue
            if found.is_finite:
                middle, below, above = _centred(as_fmpq_point(found.lo), as_fmpq_point(found.hi), e)
                if max(below, above) <= wanted:
                    return _polyline((a, b), line, middle, below, above)
    raise ConstructError(
        f"no piecewise linear function was proved to be within {epsilon} of the function "
        f"on [{a}, {b}]; choose a larger epsilon, or a smaller interval."
    )


def _centred(low: fmpq, high: fmpq, e: fmpq) -> tuple[fmpq, fmpq, fmpq]:
    """(shift, below, above) for g - shift, where low <= g - f <= high; both rounded up."""
    shift = (low + high) / 2
    shift = down(shift, step_below(e) / 64) if abs(shift) > e / 32 else fmpq(0)
    bounds = [max(x, fmpq(0)) for x in (shift - low, high - shift)]
    below, above = (up(x, step_below(x) * scaled(1, -ERROR_BITS)) if x else x for x in bounds)
    return shift, below, above


def _polyline(
    interval: tuple[Rational, Rational],
    line: list[Piece],
    shift: fmpq,
    below: fmpq,
    above: fmpq,
) -> Polyline:
    joined = [line[0]]
    for piece in line[1:]:
        if piece.slope != joined[-1].slope:
            joined.append(piece)
    return Polyline(
        interval,
        as_rational(line[0].a),
        as_rational(line[0].y - shift),
        tuple(as_rational(piece.a) for piece in joined[1:]),
        tuple(as_rational(piece.slope) for piece in joined),
        as_rational(below),
        as_rational(above),
    )


def through(points: Sequence[Rational], values: Sequence[Rational]) -> Polyline:
    """The polyline through points, whose error is 0 there: for functions on a grid.

    Args:
        points: at least two, rising.
    """
    slopes = [
        Fraction(y1 - y0) / (t1 - t0)
        for t0, t1, y0, y1 in zip(points, points[1:], values, values[1:], strict=False)
    ]
    turns = [i for i in range(1, len(slopes)) if slopes[i] != slopes[i - 1]]
    kept = (slopes[i] for i in (0, *turns))
    return Polyline(
        (points[0], points[-1]),
        points[0],
        values[0],
        tuple(points[i] for i in turns),
        tuple(s.numerator if s.denominator == 1 else s for s in kept),
        0,
        0,
    )


def precision(*numbers: fmpq) -> int:
    """Bits to calculate with: 128 more than the numbers that are given span, doubled."""
    bits = (abs(int(x.p).bit_length() - int(x.q).bit_length()) for x in numbers if x)
    return 128 + 2 * max(bits, default=0)
