"""Bounds on derivatives of any order: Taylor series in balls, on cells that are split."""

import functools

from flint import arb, arb_series, ctx, fmpq

from construct.approximation.dyadic import middle
from construct.approximation.smooth import (
    Call,
    Constant,
    Polynomial,
    Power,
    Product,
    Smooth,
    Sum,
)
from construct.errors import ConstructError

# A bound is this near to what is taken on, or the cell is split, up to so many cells in all. A
# cell that is so small a part of the interval has a kink or a pole, and is not split forever.
NEAR = arb(33) / 32
MOST_CELLS = 20_000
LEAST_PART = fmpq(1, 1 << 48)


def largest_derivatives(function: Smooth, a: fmpq, b: fmpq, order: int) -> list[arb]:
    """Bounds on |f|, |f'|, ..., |f^(order)| on [a, b].

    Raises:
        ConstructError: if none is found: where f has a kink, a pole, or an end like sqrt at 0.
    """
    cap = ctx.cap
    ctx.cap = order + 1
    try:
        return _largest(function, a, b, order)
    finally:
        ctx.cap = cap


def _largest(function: Smooth, a: fmpq, b: fmpq, order: int) -> list[arb]:
    taken, bounds = [arb(0)] * (order + 1), [arb(0)] * (order + 1)
    waiting, count, least = [(a, b)], 0, (b - a) * LEAST_PART
    while waiting:
        a, b = waiting.pop()
        count += 1
        if count > MOST_CELLS or 0 < b - a < least:
            raise ConstructError(
                f"no bound was found on the derivatives of the function up to order {order}; "
                "choose an interval where it has neither kinks nor poles."
            )
        half = middle(a, b)
        inside = _derivatives(function, arb(half), order)
        tops = [abs(x).upper() for x in _derivatives(function, _ball(a, b), order)]
        if all(x.is_finite() for x in inside):
            taken = [max(t, abs(x).lower()) for t, x in zip(taken, inside, strict=True)]
        known = [max(NEAR * t, top) for t, top in zip(taken, bounds, strict=True)]
        finite = all(top.is_finite() for top in tops)
        enough = all(top <= limit for top, limit in zip(tops, known, strict=True))
        if finite and (enough or count > MOST_CELLS // 2):
            bounds = [max(x, y) for x, y in zip(bounds, tops, strict=True)]
        else:
            waiting += [(half, b), (a, half)]
    return bounds


def _ball(a: fmpq, b: fmpq) -> arb:
    return arb(arb((a + b) / 2), arb((b - a) / 2).upper())


def _derivatives(function: Smooth, t: arb, order: int) -> list[arb]:
    """f, f', ... on a ball; no numbers where the function is not known to exist."""
    try:
        series = _series(function, arb_series([t, 1]))
    except (ValueError, ZeroDivisionError):  # what is divided by may be 0
        return [arb.nan()] * (order + 1)
    factor, found = 1, []
    for i in range(order + 1):
        found.append(series[i] * factor)
        factor *= i + 1
    return found


def _series(function: Smooth, t: arb_series) -> arb_series:
    match function:
        case Polynomial(p):
            result = arb_series([0])
            for c in reversed(p.coeffs()):
                result = result * t + arb(c)
            return result
        case Constant(value):
            return arb_series([value()])
        case Sum(parts):
            return functools.reduce(lambda x, y: x + y, [_series(part, t) for part in parts])
        case Product(one, other):
            return _series(one, t) * _series(other, t)
        case Power(base, exponent):
            inner = _series(base, t)
            whole = functools.reduce(lambda x, y: x * y, [inner] * abs(exponent), arb_series([1]))
            return whole if exponent >= 0 else 1 / whole
        case Call(name, inner):
            return _called(name, _series(inner, t))
    raise TypeError(function)


def _called(name: str, u: arb_series) -> arb_series:
    match name:
        case "exp" | "log" | "sqrt" | "sin" | "cos":
            return getattr(u, name)()
        case "sigmoid":
            return 1 / (1 + (-u).exp())
        case "tanh":
            return 1 - 2 / (1 + (2 * u).exp())
        case "softplus":
            return (1 + u.exp()).log()
    # abs and relu: where the sign is known.
    if u[0] > 0:
        return u
    if u[0] < 0:
        return -u if name == "abs" else 0 * u
    return arb_series([arb.nan()] * ctx.cap)
