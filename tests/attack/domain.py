"""Domains, and the numbers of the formats, in Fractions: no line of construct is used here."""

import struct
from dataclasses import dataclass
from fractions import Fraction as Q

from kinds import number

# format -> significant bits, least normal number
BITS = {"float32": 24, "float64": 53}
TINY = {"float32": Q(1, 1 << 126), "float64": Q(1, 1 << 1022)}


def rounded(x: Q, dtype: str) -> Q | None:
    """The number that a format holds for x, by way of float64; None beyond its range."""
    if dtype == "exact":
        return x
    try:
        wide = float(x)
        return Q(wide if dtype == "float64" else struct.unpack("f", struct.pack("f", wide))[0])
    except OverflowError:
        return None


@dataclass(frozen=True)
class Domain:
    R: Q
    Ry: Q
    delta: Q
    grid: Q | None = None
    tau: Q = Q(0)

    @classmethod
    def of(cls, value: dict) -> "Domain":
        return cls(**{key: number(v) for key, v in value.items()})

    def held(self, dtype: str) -> bool:
        """Whether a format holds every entry that is a multiple of the grid."""
        if self.grid is None or self.grid.denominator & (self.grid.denominator - 1):
            return False
        steps = max(self.R, self.Ry) * self.grid.denominator
        return steps <= 1 << BITS[dtype] and self.grid.denominator * TINY[dtype] <= 1

    def match2(self, dtype: str) -> Q:
        """The largest squared distance of a match."""
        if dtype == "exact":
            return self.tau**2
        far = self.tau * (1 + Q(1, 1 << BITS[dtype] // 2))
        return max(self.delta**2 / (1 << (BITS[dtype] + 7)), far**2)

    def separate2(self, dtype: str) -> Q:
        """The least squared distance of a mismatch."""
        if dtype == "exact" or self.held(dtype):
            return self.delta**2
        return (self.delta * (1 - Q(1, 1 << BITS[dtype] // 2))) ** 2

    def admits(self, x: Q, bound: Q, dtype: str) -> bool:
        """Whether an entry is within its bound and on the grid, both rounded as it is."""
        held = rounded(bound, dtype)
        if held is not None and abs(x) > held:
            return False
        return self.grid is None or on_grid(x, self.grid, dtype)


def on_grid(x: Q, grid: Q, dtype: str) -> bool:
    """Whether x is what a format holds for some multiple of the grid."""
    nearest = round(x / grid)
    return any(rounded((nearest + i) * grid, dtype) == x for i in (-1, 0, 1))
