"""Dyadic rationals of few bits, in the form of python-flint's `fmpq`."""

from flint import arb, fmpq, fmpz


def point(x: arb) -> fmpq:
    """A point of arb as the dyadic rational that it is."""
    mantissa, exponent = x.man_exp()
    return scaled(mantissa, int(exponent))


def scaled(whole: fmpz | int, exponent: int) -> fmpq:
    """whole 2^exponent."""
    return fmpq(whole << exponent) if exponent >= 0 else fmpq(whole, fmpz(1) << -exponent)


def step_below(x: fmpq) -> fmpq:
    """The largest power of two up to x > 0."""
    exponent = int(x.p).bit_length() - int(x.q).bit_length()
    power = scaled(fmpz(1), exponent)
    return power if power <= x else power / 2


def down(x: fmpq, step: fmpq) -> fmpq:
    """The largest multiple of the step up to x."""
    return (x / step).floor() * step


def up(x: fmpq, step: fmpq) -> fmpq:
    """The least multiple of the step from x on."""
    return (x / step).ceil() * step


def simplest(low: fmpq, high: fmpq) -> fmpq:
    """The multiple of the largest power of two in [low, high], nearest to 0."""
    if low <= 0 <= high:
        return fmpq(0)
    if high < 0:
        return -simplest(-high, -low)
    if low == high:
        return low
    step = 2 * step_below(high)
    while (found := up(low, step)) > high:
        step /= 2
    return found


def middle(a: fmpq, b: fmpq) -> fmpq:
    """The simplest number in the middle half of [a, b]."""
    quarter = (b - a) / 4
    return simplest(a + quarter, b - quarter)
