"""Everything that the blocks of a softmax design are written with."""

from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from construct.rational import Rational

S = TypeVar("S")
W = TypeVar("W")


@dataclass(frozen=True)
class Margins:
    """The numbers in the scores, chosen by `certify.softmax`.

    Attributes:
        gamma: the margin of every decision, a power of two.
        beta: what ||e_k||^2 is multiplied by where a label is tested, a power of two; 0 where
            labels are words, and compared as such.
        top: the score of a label that a task gives exactly.
        far: C, by which such a test sets back other tokens: 2C; a power of two.
    """

    gamma: int
    beta: Rational = 0
    top: Rational = 0
    far: Rational = 0


@dataclass(frozen=True, eq=False)
class Plan(Generic[S, W]):
    """The numbers and choices that are fixed before any weight is written."""

    sizes: S
    wiring: W
    margins: Margins

    def with_examples(self, m: int) -> "Plan[S, W]":
        """For so many examples, all else as it is."""
        sizes: Any = self.sizes
        return replace(self, sizes=replace(sizes, m=m))
