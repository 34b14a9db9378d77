"""Which tokens a head can reach: outside its reach every score is exactly 0.

Tokens stand in a grid: m + 1 examples (the last is the query) of n positions. A head's
reach names by example and position the tokens that ask and, for each of them, the
tokens that it reads. The codes in the weights see to it that no other pair scores
(proofs/README.md, "Reach"); padding neither asks nor is read. So a sparse executor
computes a score for each pair in reach, and nothing else.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from construct.errors import ConstructError
from construct.residual import Sizes

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
                        f"a reach {side} {place!r}; it must be a number from 0, or "
                        f"{' or '.join(words)}."
                    )
        if ALL in self.reads and self.reads != EVERY:
            raise ConstructError(f"a reach reads {self.reads}; it must read one token, or all.")

    def to_json(self) -> dict[str, list[Place]]:
        """As it stands in `config.json`."""
        return {"asks": list(self.asks), "reads": list(self.reads)}


ANYWHERE = Reach()


def answer_token(sizes: Sizes) -> Tokens:
    """The last token of the query's example."""
    return sizes.m, sizes.n - 1


def reaches(sizes: Sizes, slots: Sequence[int], homes: Sequence[int]) -> dict[str, list[Reach]]:
    """For each layer the reach of its heads, idle ones aside.

    Args:
        slots: the position, from 1, that each operand slot holds.
        homes: the home position, from 1, of each task.
    """
    answer = answer_token(sizes)
    return {
        "gather": [Reach(EVERY, (OWN, p - 1)) for p in slots],
        "label": [Reach(EVERY, (OWN, sizes.n - 1))],
        "query": [Reach(EVERY, (sizes.m, OWN))],
        "superpose": [Reach((ALL, p - 1), (OWN, OWN)) for p in homes],
        "pool": [Reach(answer, EVERY)],
        "square": [Reach(answer, answer)],
        "divide": [Reach(EVERY, answer)],
    }
