"""Binary floating-point formats, and how far sums in them can be off.

u = 2^-p is the unit roundoff of a format with p significant bits, and gamma_t =
t u / (1 - t u): t rounded operations, in any order, fused or not, take a number no
further than gamma_t of its absolute value (Higham, Accuracy and Stability of
Numerical Algorithms, section 3.1).
"""

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from construct.rational import FLOAT64_BITS, Rational


@dataclass(frozen=True)
class Format:
    """A binary floating-point format: p significant bits, largest exponent."""

    name: str
    p: int
    largest: int

    @property
    def u(self) -> Fraction:
        """The unit roundoff 2^-p."""
        return Fraction(1, 1 << self.p)

    @property
    def tiny(self) -> Fraction:
        """The least normal number; smaller ones may be flushed to 0."""
        return Fraction(1, 1 << (self.largest - 1))

    @property
    def match(self) -> Fraction:
        """distance^2 / delta^2 up to which a label matches: 2^-(p+7).

        1 - t rounds to 1 for t <= 2^-(p+1): with B = 2/delta^2 a label may be off by
        that much, and the rounding of e_k itself by three times as much again.
        """
        return Fraction(1, 1 << (self.p + 7))

    @property
    def separation(self) -> Fraction:
        """Distance / delta from which a label is a mismatch: 1 - 2^-(p//2).

        A label at distance delta is still a mismatch when the prompt has been rounded.
        """
        return 1 - Fraction(1, 1 << (self.p // 2))

    def gamma(self, t: int) -> Fraction:
        """The bound t u / (1 - t u); 1/u where t is so large that it bounds nothing."""
        return Fraction(t, (1 << self.p) - t) if t < 1 << self.p else 1 / self.u

    def error(self, t: int) -> Fraction:
        """gamma_t, where the weights (and the prompt) come through float64."""
        if not t or self == FLOAT64:
            return self.gamma(t)
        return (1 + self.gamma(t)) * (1 + FLOAT64.gamma(t)) - 1

    def round(self, x: Rational) -> Fraction | None:
        """The number that a prompt holds for x; None beyond the largest number."""
        try:
            with np.errstate(over="ignore"):
                held = float(np.dtype(self.name).type(float(x)))
        except OverflowError:
            return None
        return Fraction(held) if math.isfinite(held) else None


FLOAT32, FLOAT64 = FORMATS = (Format("float32", 24, 127), Format("float64", FLOAT64_BITS, 1023))
BY_NAME = {fmt.name: fmt for fmt in FORMATS}
