"""Everything that the seven layers are written with."""

from dataclasses import dataclass

from construct.designs.theorem.sizes import Sizes
from construct.designs.theorem.wiring import Wiring
from construct.rational import Rational


@dataclass(frozen=True)
class Margins:
    """Powers of two: B for matches, C for addresses, s for reciprocals, N the context length."""

    B: Rational
    C: Rational
    s: int
    N: int


@dataclass(frozen=True, eq=False)
class Plan:
    """The numbers and choices that are fixed before any weight is written."""

    sizes: Sizes
    wiring: Wiring
    margins: Margins
