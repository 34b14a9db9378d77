"""Intervals with exact ends, rounded outwards: what a bound is made of.

The ends are points of python-flint's `arb`, minus and plus infinity included. Whatever a
function takes on an interval lies in the interval that is returned; where the function is
not proved to be defined on all of it, `Undefined` is raised.
"""

from typing import Any

from flint import arb, fmpq

INFINITY = arb.pos_inf()


class Undefined(ArithmeticError):
    """A function that is not proved to be defined on an interval; the text says why."""


class Interval:
    """[lo, hi], closed; an end that is not known is infinite."""

    __slots__ = ("hi", "lo")

    def __init__(self, lo: Any, hi: Any) -> None:
        low, high = arb(lo).lower(), arb(hi).upper()
        self.lo = -INFINITY if low.is_nan() else low
        self.hi = INFINITY if high.is_nan() else high

    @classmethod
    def hull(cls, *values: Any) -> "Interval":
        """The least interval that holds all of them; all numbers, if one is not known."""
        low, high = values[0].lower(), values[0].upper()
        for value in values[1:]:
            # Not a number spreads, and `__init__` makes it all numbers.
            low = value.lower() if value.is_nan() or value.lower() < low else low
            high = value.upper() if value.is_nan() or value.upper() > high else high
        return cls(low, high)

    def __repr__(self) -> str:
        return f"Interval({float(self.lo)}, {float(self.hi)})"

    def __neg__(self) -> "Interval":
        return Interval(-self.hi, -self.lo)

    def __add__(self, other: "Interval") -> "Interval":
        return Interval(self.lo + other.lo, self.hi + other.hi)

    def __sub__(self, other: "Interval") -> "Interval":
        return Interval(self.lo - other.hi, self.hi - other.lo)

    def __mul__(self, other: "Interval") -> "Interval":
        if self.is_zero or other.is_zero:
            return ZERO
        a, b, c, d = self.lo, self.hi, other.lo, other.hi
        products = [a * c, a * d, b * c, b * d]
        if not all(product.is_finite() for product in products):
            products = [_product(x, y) for x in (a, b) for y in (c, d)]
        return Interval.hull(*products)

    def scaled(self, factor: fmpq) -> "Interval":
        """All of it times a number."""
        c = arb(factor)
        ends = (self.lo * c, self.hi * c) if factor > 0 else (self.hi * c, self.lo * c)
        return Interval(*ends) if factor else ZERO

    def __truediv__(self, other: "Interval") -> "Interval":
        return self * other.inverse()

    def inverse(self) -> "Interval":
        """1 / t; `Undefined` if 0 is in it."""
        if not (self.lo > 0 or self.hi < 0):
            raise Undefined("a division by 0")
        return Interval(1 / self.hi, 1 / self.lo)

    def power(self, k: int) -> "Interval":
        """t^k for a whole number k >= 0."""
        if k == 0:
            return ONE
        low, high = self.lo**k, self.hi**k
        if k % 2 or self.lo >= 0:
            return Interval(low, high)
        if self.hi <= 0:
            return Interval(high, low)
        return Interval(0, Interval.hull(low, high).hi)

    def union(self, other: "Interval") -> "Interval":
        """The least interval that holds both."""
        return Interval.hull(self.lo, self.hi, other.lo, other.hi)

    @property
    def is_zero(self) -> bool:
        """Whether it is the number 0."""
        return self.lo.is_zero() and self.hi.is_zero()

    @property
    def is_finite(self) -> bool:
        """Whether both ends are known."""
        return self.lo.is_finite() and self.hi.is_finite()

    @property
    def size(self) -> arb:
        """The largest absolute value."""
        return max(-self.lo, self.hi)

    @property
    def width(self) -> arb:
        """hi - lo, rounded up."""
        return (self.hi - self.lo).upper() if self.is_finite else INFINITY

    @property
    def middle(self) -> arb:
        """A point of it, where it is finite."""
        return ((self.lo + self.hi) / 2).mid()


def _product(x: arb, y: arb) -> arb:
    """x y, where 0 times infinity is 0: the infinite end stands for finite numbers."""
    return arb(0) if x.is_zero() or y.is_zero() else _infinite(x * y, x, y)


def _infinite(product: arb, x: arb, y: arb) -> arb:
    if product.is_finite() or not product.is_nan():
        return product
    return INFINITY if (x > 0) == (y > 0) else -INFINITY


ZERO, ONE = Interval(0, 0), Interval(1, 1)
ALL = Interval(-INFINITY, INFINITY)
POSITIVE, NEGATIVE = Interval(0, INFINITY), Interval(-INFINITY, 0)
