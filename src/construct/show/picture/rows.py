"""Which tokens a picture of a stream shows: each as a row, and many of them together as one."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from construct.inside.tokens import Token
from construct.inside.trace import Trace

# Rows of a picture, about; rows that one example has at most; bands of examples left out.
MOST, MOST_OF_ONE, BANDS = 40, 8, 5
# Stands before what several tokens add up to.
SUM = "Σ"


@dataclass(frozen=True)
class Row:
    """A token, or several of which the sum is shown.

    Attributes:
        tokens: their indices.
        owner: whose they are, on the first row of an example, else "".
        role: what they are.
        ends: the examples that end here, from 0: their votes stand in this row.
        query: whether it belongs to the query.
    """

    tokens: tuple[int, ...]
    owner: str
    role: str
    ends: tuple[int, ...]
    query: bool


def shown(trace: Trace) -> list[Token]:
    """The tokens of examples and query; what would come after the query of a decoder is none."""
    causal = trace.construction.transformer.attention.causal
    return [one for one in trace.tokens if one.owner and not (causal and one.kind == "answer")]


def rows_of(trace: Trace, most: int = MOST) -> list[Row]:
    """The rows of examples and query; of a long prompt those in the middle are added up."""
    owned: dict[int | None, list[Token]] = {}
    for token in shown(trace):
        owned.setdefault(token.example, []).append(token)
    examples = [owned[i] for i in range(len(trace.prompt.X))]
    last = _of_one(owned[None])
    each = len(_of_one(examples[0])) if examples else 1
    room = most - len(last)
    if each * len(examples) <= room:
        return [row for tokens in examples for row in _of_one(tokens)] + last
    ends = max(1, (room - BANDS) // each // 2)
    first, middle, rest = examples[:ends], examples[ends:-ends], examples[-ends:]
    found = [row for tokens in first for row in _of_one(tokens)]
    found += [_band(part) for part in _parts(middle, BANDS)]
    return found + [row for tokens in rest for row in _of_one(tokens)] + last


def _of_one(tokens: Sequence[Token]) -> list[Row]:
    """The rows of an example; where it has many tokens, those in the middle are one."""
    groups = [[token] for token in tokens]
    if len(tokens) > MOST_OF_ONE:
        side = MOST_OF_ONE // 2
        groups = [*groups[:side], list(tokens[side : 1 - side]), *groups[1 - side :]]
    own = tokens[0].example
    found = []
    for i, group in enumerate(groups):
        role = group[0].role if len(group) == 1 else f"{SUM} of {len(group)}"
        ends = () if own is None or i < len(groups) - 1 else (own,)
        owner = "" if i else group[0].owner.removeprefix("example ")
        found.append(Row(tuple(one.index for one in group), owner, role, ends, own is None))
    return found


def _band(examples: Sequence[Sequence[Token]]) -> Row:
    """Several examples as one row."""
    numbers = tuple(tokens[0].example or 0 for tokens in examples)
    indices = tuple(token.index for tokens in examples for token in tokens)
    owner = f"{SUM} {numbers[0] + 1}" + f"–{numbers[-1] + 1}" * (len(numbers) > 1)  # noqa: RUF001
    return Row(indices, owner, "", numbers, False)


def _parts(examples: list, count: int) -> list[list]:
    """As many parts of about equal length, none of them empty."""
    count = min(count, len(examples))
    edges = [len(examples) * i // count for i in range(count + 1)]
    return [examples[a:b] for a, b in pairwise(edges)]
