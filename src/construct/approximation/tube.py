"""A continuous piecewise linear function inside a tube around a curve, with few pieces.

From where it has come, each piece goes as far as any line can without leaving the tube of
half-width e (H. Imai and M. Iri, 1986): where the curve is convex this runs from its lower
edge to its lower edge and touches the upper one, 4 sqrt(e / f'') further on. Numbers here are
near, and not bounds: what comes out is proved afterwards, in `bound`.
"""

from collections.abc import Callable
from dataclasses import dataclass

from flint import arb, fmpq

from construct.approximation.curve import Curve, Stretch
from construct.approximation.dyadic import down, point, scaled, simplest, step_below, up

# A knot is a multiple of a power of two of about this part of its piece.
PARTS = 32


class TooManyPieces(ArithmeticError):
    """More pieces than allowed; `at` says how far they came."""

    def __init__(self, at: fmpq) -> None:
        self.at = at
        super().__init__("too many pieces")


@dataclass(frozen=True, slots=True)
class Piece:
    """The line through (a, y) of this slope, up to b. All four are exact."""

    a: fmpq
    b: fmpq
    y: fmpq
    slope: fmpq

    def __call__(self, t: fmpq) -> fmpq:
        """Its value at t."""
        return self.y + self.slope * (t - self.a)


def pieces(
    curve: Curve, stretches: list[Stretch], e: fmpq, most: int, start_bits: int
) -> list[Piece]:
    """The pieces, whose knots, slopes and values are dyadic, from the start of the curve.

    Args:
        e: half-width of the tube, dyadic.
        most: how many there may be.
        start_bits: where the curve starts at no dyadic number, the first piece is given
            at one that is nearer to it than its length by a factor of 2^start_bits.

    Raises:
        TooManyPieces: if there are more than `most`.
    """
    a = _start(curve, stretches, e, start_bits)
    edge, step = -stretches[0].sign * e, step_below(e) / 64
    value = point(curve.point(a)[0])
    y = down(value + edge, step) if edge > 0 else up(value + edge, step)
    found: list[Piece] = []
    k = 0
    while True:
        reach = Reach(curve, stretches, k, a, y, e)
        piece, k = reach.piece()
        found.append(piece)
        a, y = piece.b, piece(piece.b)
        if a == curve.b:
            return found
        if len(found) >= most:
            raise TooManyPieces(a)


def _start(curve: Curve, stretches: list[Stretch], e: fmpq, bits: int) -> fmpq:
    """The start of the curve, or a dyadic number just inside."""
    a = curve.a
    if int(a.q) & (int(a.q) - 1) == 0:
        return a
    y = point(curve.point(a)[0]) - stretches[0].sign * e
    farthest = Reach(curve, stretches, 0, a, y, e).farthest()
    length = curve.b - a if farthest is None else fmpq(*farthest[0].as_integer_ratio())
    return up(a, step_below(length) * scaled(1, -bits))


class Reach:
    """What lines from (a, y) can reach inside the tube.

    A line of slope s is inside at t if (f(t) - e - y) / (t - a) <= s <= (f(t) + e - y) / (t - a).
    The slopes that are inside on all of [a, b] are an interval, the window of b, which shrinks.
    """

    def __init__(
        self, curve: Curve, stretches: list[Stretch], k: int, a: fmpq, y: fmpq, e: fmpq
    ) -> None:
        self.curve, self.stretches, self.a = curve, stretches, a
        self.exact, self.y, self.e = (y, e), arb(y), arb(e)
        self.first = k
        self.before = [(-arb.pos_inf(), arb.pos_inf())]  # windows where the stretches start
        self.tangents: dict[int, float] = {}

    def t(self, x: float) -> fmpq:
        """a + x, exactly."""
        return self.a + fmpq(*x.as_integer_ratio())

    def slope(self, t: fmpq, edge: int) -> arb:
        """Of the line to the edge (-1: lower, 1: upper) at t."""
        value, first, _ = self.curve.point(t)
        if t == self.a:
            return first
        return ((value + edge * self.e - self.y) / arb(t - self.a)).mid()

    def tangent(self, k: int) -> float:
        """t - a where a line from (a, y) touches the far edge of a stretch, kept inside it.

        F(t) = f'(t) (t - a) - (f(t) +- e - y) is 0 there, and F' = f''(t) (t - a).
        """
        if k not in self.tangents:
            stretch = self.stretches[k]
            low = float(arb(max(stretch.a, self.a) - self.a))
            high = float(arb(stretch.b - self.a))
            self.tangents[k] = self._touching(low, high, stretch.sign)
        return self.tangents[k]

    def _touching(self, low: float, high: float, sign: int) -> float:
        def F(x: float) -> tuple[float, float]:
            value, first, second = self.curve.point(self.t(x))
            rise = sign * (first * x - (value + sign * self.e - self.y))
            return float(rise), float(sign * second * x)

        start = self.curve.point(self.t(low))
        bend = abs(float(start[2]))
        offset = float(sign * (start[0] + sign * self.e - self.y))
        guess = low + (2 * abs(offset) / bend) ** 0.5 if bend else high
        x, left, right = min(max(guess, low), high), low, high
        # The tangent at x meets t = a at y - F: so far the line from (a, y) is beyond the edge.
        enough = float(self.e) / 512
        for tries in range(200):
            if right - left <= right * 1e-12:
                break
            if not left < x < right or tries % 3 == 2:
                x = (left + right) / 2
            rise, change = F(x)
            if abs(rise) <= enough:
                return x
            left, right = (x, right) if rise < 0 else (left, x)
            x = x - rise / change if change > 0 else right
        return right

    def window(self, b: fmpq) -> tuple[arb, arb]:
        """The slopes of the lines that are inside on [a, b]."""
        k = self.first
        while self.stretches[k].b < b and k - self.first + 1 < len(self.before):
            k += 1
        return self._within(k, b)

    def _within(self, k: int, b: fmpq) -> tuple[arb, arb]:
        """The window of b in stretch k, from that of the start of the stretch."""
        low, high = self.before[k - self.first]
        stretch = self.stretches[k]
        start = max(stretch.a, self.a)
        near, far = (-1, 1) if stretch.sign >= 0 else (1, -1)
        ends = [b] if start == self.a else [start, b]
        bounds = [(self.slope(t, near), near) for t in ends]
        if stretch.sign:
            touch = min(max(self.t(self.tangent(k)), start), b)
            bounds.append((self.slope(touch, far), far))
        else:
            bounds += [(self.slope(t, far), far) for t in ends]
        for slope, edge in bounds:
            low, high = (low, min(high, slope)) if edge > 0 else (max(low, slope), high)
        return low, high

    def farthest(self) -> tuple[float, int] | None:
        """(x, k): lines reach about a + x, in stretch k, and not less; None: to the end."""
        for k in range(self.first, len(self.stretches)):
            window = self._within(k, self.stretches[k].b)
            if not window[0] <= window[1]:
                return self._exit(k), k
            self.before.append(window)
        return None

    def _exit(self, k: int) -> float:
        """Where the last line leaves the tube, in stretch k."""

        def gap(x: float) -> float:
            low, high = self._within(k, self.t(x))
            return float(high - low) * x

        stretch = self.stretches[k]
        left = float(arb(max(stretch.a, self.a) - self.a))
        right = float(arb(stretch.b - self.a))
        if stretch.sign:
            touch = self.tangent(k)
            guess = min(max(2.02 * touch, left * 1.01), right)
            while guess < right and gap(guess) >= 0:
                left, guess = guess, guess * 1.25
            right = min(guess, right)
            if left < touch < right and gap(touch) >= 0:
                left = touch
        return _crossing(gap, left, right)

    def piece(self) -> tuple[Piece, int]:
        """The longest piece, its end and slope rounded so that it is inside; its end's stretch."""
        y, e = self.exact
        farthest = self.farthest()
        if farthest is None:
            low, high = map(point, self.before[-1])
            quarter = (high - low) / 4
            slope = simplest(low + quarter, high - quarter)
            return Piece(self.a, self.curve.b, y, slope), len(self.stretches) - 1
        x = fmpq(*farthest[0].as_integer_ratio())
        step = step_below(x / PARTS)
        b = down(self.a + x, step)
        for tries in range(1, PARTS // 2):
            low, high = map(point, self.window(b))
            short = _short(low, high, e / (x * 32 * tries), self._sign(b))
            if short is not None:
                return Piece(self.a, b, y, short), self._index(b)
            b -= step
        # No slope was found, against all expectation: the bound will say what this one is worth.
        return Piece(self.a, b, y, (low + high) / 2), self._index(b)

    def _index(self, b: fmpq) -> int:
        k = self.first
        while self.stretches[k].b <= b:
            k += 1
        return k

    def _sign(self, b: fmpq) -> int:
        return self.stretches[self._index(b)].sign


def _short(low: fmpq, high: fmpq, least: fmpq, sign: int) -> fmpq | None:
    """A slope of few bits in [low, high]: a low one where convex, a high one where concave."""
    if low >= high:
        return None
    step = step_below(max((high - low) / 4, least))
    slope = down(high, step) if sign < 0 else up(low, step)
    return slope if low <= slope <= high else None


def _crossing(gap: Callable[[float], float], left: float, right: float) -> float:
    """Where a function that is >= 0 at the left falls below 0: from the left, to 1 in 256."""
    at_left, at_right = gap(left) if left else 1.0, gap(right)
    for tries in range(80):
        if right - left <= right / 256 or at_right >= 0:
            break
        x = (left + right) / 2
        if tries % 3 < 2 and left and at_left > 0:
            x = left + (right - left) * min(max(at_left / (at_left - at_right), 0.002), 0.998)
        value = gap(x)
        if value >= 0:
            left, at_left = x, value
        else:
            right, at_right = x, value
    return left if left else right
