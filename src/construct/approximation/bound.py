"""What a line differs from a curve by, proved: from convexity, and from balls."""

from flint import arb, fmpq

from construct.approximation.curve import Curve, Stretch, off_chord
from construct.approximation.dyadic import down, point
from construct.approximation.interval import Interval
from construct.approximation.tube import Piece

# A bound is this part of the error wanted above what is taken on, or nearer.
EXCESS = 1024


def difference(curve: Curve, stretches: list[Stretch], pieces: list[Piece], e: fmpq) -> Interval:
    """An interval that holds g - f on all of the curve, tight where e is near its size.

    Args:
        pieces: g, from left to right; the first and the last reach on to the ends.
        e: what its size is about.
    """
    bounds, k = [], 0
    small = arb(e) / EXCESS
    for i, piece in enumerate(pieces):
        a = curve.a if i == 0 else piece.a
        b = curve.b if i == len(pieces) - 1 else piece.b
        while stretches[k].b <= a:
            k += 1
        for j in range(k, len(stretches)):
            stretch = stretches[j]
            if stretch.a >= b:
                break
            part = Stretch(max(a, stretch.a), min(b, stretch.b), stretch.sign)
            bounds.append(_difference(curve, part, piece, small))
    return Interval.hull(*(end for bound in bounds for end in (bound.lo, bound.hi)))


def _difference(curve: Curve, part: Stretch, line: Piece, small: arb) -> Interval:
    """The same on a part of one stretch."""
    ends = [_at(curve, line, t)[0] for t in (part.a, part.b)]
    hull = ends[0].union(ends[1])
    if part.sign:
        # g - f is concave where f is convex: its least value is at an end.
        largest = _largest(curve, part, line, small)
        return Interval(hull.lo, largest) if part.sign > 0 else Interval(-largest, hull.hi)
    off = off_chord(curve.jet(part.a, part.b), part.b - part.a)
    return Interval(hull.lo - off, hull.hi + off)


def _at(curve: Curve, line: Piece, t: fmpq) -> tuple[Interval, Interval, Interval]:
    """g - f at t, with two derivatives there."""
    jet = curve.jet(t, t)
    value, slope = arb(line(t)), arb(line.slope)
    return Interval(value, value) - jet.value, Interval(slope, slope) - jet.first, -jet.second


def _largest(curve: Curve, part: Stretch, line: Piece, small: arb) -> arb:
    """A bound on sign (g - f), which is concave: each of its tangents lies above it.

    Tangents are taken nearer and nearer to the maximum, which is always between a and b.
    """
    a, b, best = part.a, part.b, arb.pos_inf()
    t = (a + b) / 2
    for tries in range(200):
        value, slope, second = _at(curve, line, t)
        if part.sign < 0:
            value, slope = -value, -slope
        bound = _tangent(value, slope, a - t, b - t)
        best = min(best, bound)
        if bound - value.hi <= small or slope.lo < 0 < slope.hi:
            break
        a, b = (t, b) if slope.lo >= 0 else (a, t)
        step = slope.middle / abs(second.middle) if second.is_finite else arb.pos_inf()
        t = (a + b) / 2
        if tries % 3 < 2 and step.is_finite():
            guess = down(point((arb(a if slope.lo >= 0 else b) + step).mid()), (b - a) / 1024)
            t = guess if a < guess < b else t
    return best


def _tangent(value: Interval, slope: Interval, left: fmpq, right: fmpq) -> arb:
    """The largest value of value + slope s for s from left <= 0 to right >= 0."""
    ends = [(slope * Interval(arb(s), arb(s))).hi for s in (left, right)]
    return (value.hi + max(ends)).upper()
