"""Vectors of rationals over one denominator: in int64, or in Python's whole numbers.

They are drawn by Python's own generator, so that a seed gives the same on every machine.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from jaxtyping import Float, Shaped

from construct.matrix import MOST_SUM
from construct.rational import MOST_WHOLE, Rational, largest, rationals, to_float


@dataclass(frozen=True, eq=False)
class Vector:
    """Rationals over a common denominator: tops[i] / bottom.

    Attributes:
        tops: whole numbers, of int64 or, where one is larger, of dtype object; a list of
            them may be given.
        bottom: above 0.
    """

    tops: Any
    bottom: int = 1

    def __post_init__(self) -> None:
        if not isinstance(self.tops, np.ndarray):
            object.__setattr__(self, "tops", _whole(self.tops))

    @classmethod
    def of(cls, entries: Sequence[Rational]) -> "Vector":
        """These rationals over their least common denominator."""
        return cls(*over_common(entries))

    def same(self, other: "Vector") -> bool:
        """Whether both are the same rationals over the same denominator."""
        return self.bottom == other.bottom and np.array_equal(self.tops, other.tops)

    @property
    def largest(self) -> int:
        """The largest |tops[i]|; 0 of no entries."""
        return largest(self.tops)

    def entries(self) -> list[Rational]:
        """The rationals: `int` where they are whole."""
        bottom, tops = self.bottom, self.tops.tolist()
        if bottom == 1:
            return tops
        return [Fraction(t, bottom) if t % bottom else t // bottom for t in tops]

    def floats(self) -> Float[np.ndarray, " size"]:
        """The rationals, each rounded to the nearest float64."""
        if self.bottom <= MOST_WHOLE and self.largest <= MOST_WHOLE:
            return self.tops.astype(np.float64) / self.bottom  # one rounding, of what is exact
        return to_float(rationals(self.entries()))

    def within(self, bound: Rational) -> bool:
        """Whether no entry is larger than the bound."""
        return self.largest <= bound.numerator * self.bottom // bound.denominator

    def on_grid(self, grid: Rational | None) -> bool:
        """Whether all entries are multiples of the grid; always true where there is no grid."""
        if grid is None:
            return True
        unit, times = grid.numerator * self.bottom, grid.denominator
        if unit == 1:
            return True
        tops = self.tops
        if tops.dtype == np.int64 and max(max(self.largest, 1) * times, unit) >= MOST_SUM:
            tops = tops.astype(object)
        return not (tops * times % unit).any()

    def scaled(self, factor: int) -> Shaped[np.ndarray, " size"]:
        """tops times a whole number."""
        fits = self.tops.dtype == np.int64 and max(self.largest, 1) * abs(factor) < MOST_SUM
        return (self.tops if fits else self.tops.astype(object)) * factor

    def is_word(self) -> bool:
        """Whether this is a one-hot vector."""
        places = np.flatnonzero(self.tops)
        return len(places) == 1 and bool(self.tops[places[0]] == self.bottom)


def over_common(entries: Sequence[Rational]) -> tuple[list[int], int]:
    """Numerators of these rationals over their least common denominator, and that."""
    bottom = math.lcm(*(entry.denominator for entry in entries))
    return [e.numerator * (bottom // e.denominator) for e in entries], bottom


def _whole(tops: Sequence[int]) -> np.ndarray:
    try:
        return np.array(tops, dtype=np.int64)
    except OverflowError:
        return rationals(tops)


class Points:
    """Vectors with entries up to a bound, multiples of a grid if there is one."""

    def __init__(
        self, bound: Rational, grid: Rational | None, rng: random.Random, *, exact: bool
    ) -> None:
        self.rng = rng
        self.unit = 1 if grid is None else grid.numerator
        self.edge = bound if grid is None else bound // grid * grid
        least = min(Fraction(bound), Fraction(1))
        self.steps = [grid] if grid is not None else [least / 3, least / 10, least / 16]
        if grid is None and not exact:
            # As often as the others together: all bits of float64.
            self.steps += [_spacing(bound)] * len(self.steps)
        self.bound = bound

    def whole(self, size: int) -> Vector:
        """Vectors of whole numbers; zeros if the bound is below 1."""
        return self._multiples(self.unit, size)

    def real(self, size: int) -> Vector:
        """Vectors of numbers of the whole range, with more or fewer digits."""
        return self._multiples(self.rng.choice(self.steps), size)

    def corner(self, size: int) -> Vector:
        """Vectors of the largest entries that the domain admits, with signs."""
        signs = Vector(drawn(self.rng, 256, size) % 2 * 2 - 1)
        return Vector(signs.scaled(self.edge.numerator), self.edge.denominator)

    def either(self, size: int) -> Vector:
        """Either of the first two."""
        return self.rng.choice((self.whole, self.real))(size)

    def sparse(self, size: int) -> Vector:
        """As `real`, a fifth of the entries; the others are 0."""
        full = self.real(size)
        return Vector(full.tops * (drawn(self.rng, 5, size) == 0), full.bottom)

    def _multiples(self, step: Rational, size: int) -> Vector:
        most = int(self.bound // step)
        steps = Vector(drawn(self.rng, 2 * most + 1, size) - most)
        return Vector(steps.scaled(step.numerator), step.denominator)


def drawn(rng: random.Random, end: int, size: int) -> Shaped[np.ndarray, " size"]:
    """So many whole numbers from 0 to below an end: of int64 where that holds them."""
    if end >= MOST_SUM:
        return rationals([rng.randrange(end) for _ in range(size)])
    # The remainders of 64 bits: in one go, in the same order of bytes on every machine.
    bits = np.frombuffer(rng.randbytes(8 * size), dtype="<u8")
    return (bits % np.uint64(end)).astype(np.int64)


def _spacing(bound: Rational) -> Fraction:
    """A power of two of which the bound is 2^52 to 2^54 times."""
    exponent = bound.numerator.bit_length() - bound.denominator.bit_length() - 53
    return Fraction(1 << max(exponent, 0), 1 << max(-exponent, 0))
