"""The functions of formulas with two derivatives, enclosed on an interval.

Each takes an interval and returns intervals for f, f' and f'' on it. Where f has a kink, f''
counts as a measure: [0, infinity] says that f is convex there.
"""

from collections.abc import Callable

from flint import arb

from construct.approximation.dyadic import point
from construct.approximation.interval import (
    INFINITY,
    NEGATIVE,
    ONE,
    POSITIVE,
    ZERO,
    Interval,
    Undefined,
)

Derivatives = tuple[Interval, Interval, Interval]
TWO = Interval(2, 2)


def _rising(f: Callable[[arb], arb], u: Interval) -> Interval:
    """The values of a function that rises."""
    return Interval(f(u.lo), f(u.hi))


def _within(low: int, high: int, u: Interval) -> Interval:
    """The interval, whose rounding took it past bounds that are known."""
    return Interval(max(u.lo, arb(low)), min(u.hi, arb(high)))


def exp(u: Interval) -> Derivatives:
    """The exponential function is its own derivative."""
    value = _rising(arb.exp, u)
    return value, value, value


def log(u: Interval) -> Derivatives:
    """The natural logarithm, of what is above 0."""
    if not u.lo > 0:
        raise Undefined("the logarithm of 0 or less")
    first = u.inverse()
    return _rising(arb.log, u), first, -(first * first)


def sqrt(u: Interval) -> Derivatives:
    """The square root; its slope at 0 is infinite."""
    if not u.lo >= 0:
        raise Undefined("the square root of a negative number")
    value = _rising(arb.sqrt, u)
    if not value.lo > 0:
        return value, Interval(1 / (2 * value.hi), INFINITY), NEGATIVE
    first = (TWO * value).inverse()
    return value, first, -(first * (TWO * u).inverse())


def sin(u: Interval) -> Derivatives:
    """Sine: sin, cos, -sin."""
    value = _cosine(u, arb(1) / 2)
    return value, _cosine(u, arb(0)), -value


def cos(u: Interval) -> Derivatives:
    """Cosine: cos, -sin, -cos."""
    value = _cosine(u, arb(0))
    return value, -_cosine(u, arb(1) / 2), -value


def _cosine(u: Interval, shift: arb) -> Interval:
    """The values of cos(u - shift pi): at the ends, and where it turns between them."""
    if not u.is_finite:
        return Interval(-1, 1)
    # The points k pi, first < k <= last, are those at which it may turn.
    first = point((u.lo / arb.pi() - shift).lower()).floor()
    last = point((u.hi / arb.pi() - shift).upper()).floor()
    if last - first > 1:
        return Interval(-1, 1)
    values = [(end - shift * arb.pi()).cos() for end in (u.lo, u.hi)]
    if last > first:
        values.append(arb(-1 if last % 2 else 1))
    return _within(-1, 1, Interval.hull(*values))


def tanh(u: Interval) -> Derivatives:
    """t = tanh: t, 1 - t^2, -2 t (1 - t^2)."""
    value = _within(-1, 1, _rising(arb.tanh, u))
    first = _within(0, 1, ONE - value.power(2))
    return value, first, -(TWO * value * first)


def sigmoid(u: Interval) -> Derivatives:
    """s = 1 / (1 + exp(-u)): s, s (1 - s), s (1 - s) (1 - 2 s)."""
    value, first = _sigmoid(u), _bell(u)
    return value, first, first * (ONE - TWO * value)


def _sigmoid(u: Interval) -> Interval:
    return _within(0, 1, _rising(lambda t: 1 / (1 + (-t).exp()), u))


def _bell(u: Interval) -> Interval:
    """s (1 - s) = s(u) s(-u): it rises up to 0 and falls from there."""

    def bell(t: arb) -> arb:
        small = (-abs(t)).exp()
        return small / (1 + small) ** 2

    ends = [bell(u.lo), bell(u.hi)]
    if u.lo <= 0 <= u.hi:
        ends.append(arb(1) / 4)
    return _within(0, 1, Interval.hull(*ends))


def softplus(u: Interval) -> Derivatives:
    """log(1 + exp(u)): its slope is the sigmoid."""

    def value(t: arb) -> arb:
        return max(t, arb(0)) + (-abs(t)).exp().log1p()

    return _rising(value, u), _sigmoid(u), _bell(u)


def absolute(u: Interval) -> Derivatives:
    """|u|, with the kink of the point 0."""
    if u.lo >= 0 and u.hi > 0:
        return u, ONE, ZERO
    if u.hi <= 0 and u.lo < 0:
        return -u, -ONE, ZERO
    return Interval(0, u.size), Interval(-1, 1), POSITIVE


def relu(u: Interval) -> Derivatives:
    """max(u, 0), with the kink of the point 0."""
    if u.lo >= 0 and u.hi > 0:
        return u, ONE, ZERO
    if u.hi <= 0 and u.lo < 0:
        return ZERO, ZERO, ZERO
    return Interval(0, u.hi), Interval(0, 1), POSITIVE


FUNCTIONS: dict[str, Callable[[Interval], Derivatives]] = {
    "exp": exp,
    "log": log,
    "sqrt": sqrt,
    "sin": sin,
    "cos": cos,
    "tanh": tanh,
    "sigmoid": sigmoid,
    "softplus": softplus,
    "abs": absolute,
    "relu": relu,
}
