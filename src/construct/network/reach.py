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

# A number from 0, all of them, or the asking token's own one.
Place = int | Literal["all", "own"]
ALL: Literal["all"] = "all"
OWN: Literal["own"] = "own"

# Example, position.
Tokens = tuple[Place, Place]
EVERY: Tokens = (ALL, ALL)


@dataclass(frozen=True)
class Reach:
    """The pairs of tokens that can score.

    Attributes:
        asks: the asking tokens, (example, position), each a number or ALL.
        reads: what each of them reads: all tokens, or one (example, position), each a
            number or OWN.
    """

    asks: Tokens = EVERY
    reads: Tokens = EVERY

    def __post_init__(self) -> None:
        for side, words in (("asks", (ALL,)), ("reads", (ALL, OWN))):
            for place in getattr(self, side):
                if place not in words and (type(place) is not int or place < 0):
                    raise ConstructError(
                        f"{side!r} of a reach holds {place!r}; it must hold numbers from 0, or "
                        f"{' or '.join(words)}."
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
        asks = math.prod(size if place == ALL else 1 for place, size in self._places(m, n))
        if self.reads == EVERY:
            return asks, tokens, asks * tokens
        reads = 1
        for read, (asked, size) in zip(self.reads, self._places(m, n), strict=True):
            reads *= size if read == OWN and asked == ALL else 1
        return asks, reads, asks

    def _places(self, m: int, n: int) -> tuple[tuple[Place, int], tuple[Place, int]]:
        return (self.asks[0], m + 1), (self.asks[1], n)

    def to_json(self) -> dict[str, list[Place]]:
        """As it stands in `config.json`."""
        return {"asks": list(self.asks), "reads": list(self.reads)}


ANYWHERE = Reach()
