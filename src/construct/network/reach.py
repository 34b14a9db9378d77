"""Which tokens a head can reach: outside its reach every score is exactly 0.

Tokens stand in a grid: m + 1 examples (the last is the query) of n positions. A head's
reach names by example and position the tokens that ask and, for each of them, the
tokens that it reads. The codes in the weights see to it that no other pair scores
(proofs/README.md, "Reach"); padding neither asks nor is read. So a sparse executor
computes a score for each pair in reach, and nothing else.
"""

import math
from dataclasses import dataclass
from typing import Literal

from construct.errors import ConstructError

# A number from 0, all of them, the asking token's own one, or several numbers: of those that
# ask, and for each of them the one that it reads.
Place = int | Literal["all", "own"] | tuple[int, ...]
ALL: Literal["all"] = "all"
OWN: Literal["own"] = "own"

# Example, position.
Tokens = tuple[Place, Place]
EVERY: Tokens = (ALL, ALL)

# Hidden units one after the other: how many, and the tokens where they can be other than 0.
Parts = tuple[tuple[int, Tokens], ...]


@dataclass(frozen=True)
class Reach:
    """The pairs of tokens that can score.

    Attributes:
        asks: the asking tokens, (example, position), each a number or ALL; or several positions.
        reads: what each of them reads: all tokens, or one (example, position), each a
            number or OWN; or a position for each of the positions that ask.
    """

    asks: Tokens = EVERY
    reads: Tokens = EVERY

    def __post_init__(self) -> None:
        for side, words in (("asks", (ALL,)), ("reads", (ALL, OWN))):
            for place in getattr(self, side):
                several = place if isinstance(place, tuple) else (place,)
                if place not in words and any(type(p) is not int or p < 0 for p in several):
                    raise ConstructError(
                        f"{side!r} of a reach holds {place!r}; it must hold numbers from 0, or "
                        f"{' or '.join(words)}."
                    )
        example, position = self.asks[0], self.asks[1]
        read_by = self.reads[1]
        if isinstance(example, tuple) or isinstance(self.reads[0], tuple):
            raise ConstructError("a reach names several examples; it may name several positions.")
        if isinstance(read_by, tuple) and (
            not isinstance(position, tuple) or len(read_by) != len(position)
        ):
            raise ConstructError(
                f"a reach reads the positions {read_by} from {position}; it must read one "
                "from each."
            )
        if ALL in self.reads and self.reads != EVERY:
            raise ConstructError(
                f"a reach reads {self.reads}; it must read one token, or all tokens."
            )

    def counts(self, m: int, n: int) -> tuple[int, int, int]:
        """How many tokens ask, how many are read, and how many pairs (asking, read) there are.

        Args:
            m: examples, the query aside.
            n: tokens of an example.
        """
        tokens = (m + 1) * n
        asks = math.prod(_count(place, size) for place, size in self._places(m, n))
        if self.reads == EVERY:
            return asks, tokens, asks * tokens
        reads = 1
        for read, (asked, size) in zip(self.reads, self._places(m, n), strict=True):
            reads *= _count(asked, size) if read == OWN else _count(read, size)
        return asks, reads, asks

    def _places(self, m: int, n: int) -> tuple[tuple[Place, int], tuple[Place, int]]:
        return (self.asks[0], m + 1), (self.asks[1], n)

    def to_json(self) -> dict[str, list]:
        """As it stands in `config.json`."""
        return {"asks": _listed(self.asks), "reads": _listed(self.reads)}


def _count(place: Place, size: int) -> int:
    """How many of `size` a place of `asks` is, or one that is read."""
    if isinstance(place, tuple):
        return len(set(place))
    return size if place == ALL else 1


def _listed(tokens: Tokens) -> list:
    return [list(place) if isinstance(place, tuple) else place for place in tokens]


ANYWHERE = Reach()
