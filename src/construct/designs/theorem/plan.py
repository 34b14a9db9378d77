"""Everything that the seven layers are written with."""

from dataclasses import dataclass

from construct.designs.theorem.sizes import Sizes
from construct.designs.theorem.wiring import Wiring
from construct.rational import Rational


@dataclass(frozen=True)
class Margins:
    """Powers of two: B for matches, C for addresses, s for reciprocals, N the context length.

    L, a number of few bits, is for hinges that act at one position: 0 where there are none. a is
    the top of the gate: 1 where a task is held exactly and matches are equal; else the gate is
    flat (`level`).
    """

    B: Rational
    C: Rational
    s: int
    N: int
    L: Rational = 0
    a: Rational = 1

    @property
    def flat(self) -> bool:
        """Whether all labels within a distance give one whole vote."""
        return self.a > 1


@dataclass(frozen=True, eq=False)
class Plan:
    """The numbers and choices that are fixed before any weight is written."""

    sizes: Sizes
    wiring: Wiring
    margins: Margins
