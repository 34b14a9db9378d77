"""A function of one variable on an interval: where it is convex, where it is concave."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from flint import arb, fmpq

from construct.approximation.dyadic import middle, simplest
from construct.approximation.interval import Interval, Undefined
from construct.approximation.smooth import Jet, Smooth
from construct.errors import ConstructError

# Cells, of which each is convex or concave or small, that a curve may fall into.
MOST_CELLS = 50_000
# A cell is not split any further at this part of the interval.
FINEST = fmpq(1, 1 << 64)
LARGEST = arb(2) ** 1024


class NoValue(ConstructError):
    """A function that has no finite value at some place of its interval."""

    def __init__(self, reason: str, place: fmpq) -> None:
        self.reason, self.place = reason, place
        super().__init__(
            f"the function meets {reason} at t = {written(place)}; choose an interval where it "
            "has finite values."
        )


def written(x: fmpq) -> str:
    """A number in a message: as it is, or in six digits."""
    exact = str(x)
    return exact if len(exact) <= 12 else f"{int(x.p) / int(x.q):.6g}"


@dataclass(frozen=True, slots=True)
class Stretch:
    """[a, b], on which the function is convex (1), concave (-1), or small in its bends (0)."""

    a: fmpq
    b: fmpq
    sign: int


class Curve:
    """A function on [a, b] with a < b."""

    def __init__(self, function: Smooth, a: fmpq, b: fmpq) -> None:
        self.function, self.a, self.b = function, a, b
        self.point = lru_cache(maxsize=1 << 12)(self._point)

    def _point(self, t: fmpq) -> tuple[arb, arb, arb]:
        """About f(t), f'(t) and f''(t); what is infinite stays so."""
        jet = self.function.jet(t, t)
        return jet.value.middle, _about(jet.first), _about(jet.second)

    def jet(self, a: fmpq, b: fmpq) -> Jet:
        """Enclosures on [a, b].

        Raises:
            Undefined: if the function is not proved to have finite values there.
        """
        jet = self.function.jet(a, b)
        if not jet.value.size < LARGEST:
            raise Undefined("a value beyond the range of float64 (1.8e308)")
        return jet

    def stretches(self, tolerance: fmpq) -> list[Stretch]:
        """Stretches that cover [a, b], from left to right.

        Args:
            tolerance: where the sign of f'' is not known, f is this near to its chord.

        Raises:
            NoValue: naming a place where the function has no finite value.
            ConstructError: if there are more cells than MOST_CELLS.
        """
        found: list[Stretch] = []
        for a, b, sign in self._cells(arb(tolerance)):
            # Convex on both sides is convex, unless there is a kink between them.
            if found and found[-1].sign == sign != 0 and self._bends(a, sign):
                a = found.pop().a
            found.append(Stretch(a, b, sign))
        return found

    def _bends(self, t: fmpq, sign: int) -> bool:
        """Whether f'' has no other sign at t, where a kink counts."""
        second = self.function.jet(t, t).second
        return second.lo >= 0 if sign > 0 else second.hi <= 0

    def _cells(self, tolerance: arb) -> Iterator[tuple[fmpq, fmpq, int]]:
        waiting, count = [(self.a, self.b)], 0
        least = (self.b - self.a) * FINEST
        while waiting:
            a, b = waiting.pop()
            count += 1
            if count > MOST_CELLS:
                raise ConstructError(
                    "the function bends too often: it does not fall into "
                    f"{MOST_CELLS} convex and concave parts; choose a smaller interval."
                )
            try:
                sign = bend(self.jet(a, b), b - a, tolerance)
                reason = "what looks like a jump or a pole"
            except Undefined as error:
                sign, reason = None, str(error)
            if sign is not None:
                yield a, b, sign
                continue
            if b - a <= least:
                raise NoValue(reason, simplest(a, b))
            half = middle(a, b)
            waiting += [(half, b), (a, half)]

    def bending(self, stretches: list[Stretch]) -> float:
        """About the integral of sqrt|f''|, from above.

        On a part of a stretch it is at most sqrt(length |f'(end) - f'(start)|).
        """
        return math.fsum(self._bending(s.a, s.b, 0, math.inf) for s in stretches if s.sign)

    def _bending(self, a: fmpq, b: fmpq, depth: int, known: float) -> float:
        whole = self._part(a, b) if known == math.inf else known
        if whole == 0:
            return 0.0
        half = middle(a, b)
        parts = [self._part(a, half), self._part(half, b)]
        near = 0.995 * whole <= sum(parts) < math.inf
        if (depth > 1 and near) or depth > 40:
            return sum(part for part in parts if part < math.inf)
        left = self._bending(a, half, depth + 1, parts[0])
        return left + self._bending(half, b, depth + 1, parts[1])

    def _part(self, a: fmpq, b: fmpq) -> float:
        rise = abs(self.point(b)[1] - self.point(a)[1])
        return float((rise * arb(b - a)).sqrt().mid()) if rise.is_finite() else math.inf


def bend(jet: Jet, width: fmpq, tolerance: arb) -> int | None:
    """1 where convex, -1 where concave, 0 if nearer to the chord than the tolerance; or None."""
    if jet.second.lo >= 0:
        return 1
    if jet.second.hi <= 0:
        return -1
    return 0 if off_chord(jet, width) <= tolerance else None


def off_chord(jet: Jet, width: fmpq) -> arb:
    """How far a function is from its chord at most, on an interval of this width.

    max|f''| width^2 / 8; (max f' - min f') width / 4; max f - min f.
    """
    w = arb(width)
    found = [jet.second.size * w**2 / 8, jet.first.width * w / 4, jet.value.width]
    return min(bound.upper() for bound in found if bound.is_finite())


def _about(interval: Interval) -> arb:
    """A point of an interval; an infinite end of it, if it has one."""
    if interval.is_finite:
        return interval.middle
    return interval.hi if interval.lo.is_finite() else interval.lo
