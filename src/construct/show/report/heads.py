"""The attention of a pass as the page holds it.

Of a head with few pairs of tokens, all; of one with many, the squares of its heat map, the
readings of the answer token, and for each asking token how many it reads and which one most.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from construct.inside.scores import Pairs
from construct.inside.trace import Trace
from construct.show.report.numbers import Number, number

# All pairs that the page may hold, of all heads together, and of one of them.
MOST_PAIRS, MOST_OF_A_HEAD = 200_000, 20_000
# The squares of a heat map in a row, where a pair has no square of its own, and of each where there
# are more than so many heads.
SIDE, FEW_HEADS, SMALL_SIDE = 96, 16, 32


def heads(trace: Trace, layer: int, answer: int) -> Iterator[dict[str, Any]]:
    """What the heads of a layer gave, one after the other; layers count from 1.

    Args:
        answer: the token whose readings are always told one by one.
    """
    working = set(trace.scores)
    most = min(MOST_OF_A_HEAD, MOST_PAIRS // max(len(working), 1))
    for k, head in enumerate(trace.layers[layer - 1].heads):
        idle = (layer, k) not in working
        said: dict[str, Any] = {"name": head.name, "purpose": head.purpose, "idle": idle}
        if not idle:
            # Of a copy: pairs may be many millions, and a trace keeps those that it is asked for.
            pairs, few = replace(trace).scores[layer, k], len(working) <= FEW_HEADS
            said |= described(pairs, answer, most, SIDE if few else SMALL_SIDE)
        yield said


def described(pairs: Pairs, answer: int, most: int, side: int = SIDE) -> dict[str, Any]:
    """The pairs of a head, all of up to `most`, or in so many squares a side."""
    said: dict[str, Any] = {
        "count": len(pairs),
        "asking": len(np.unique(pairs.asks)),
        "closest": [None if x is None else number(x) for x in pairs.closest],
    }
    if len(pairs):
        said |= {"least": number(pairs.values.min()), "largest": number(pairs.values.max())}
    if len(pairs) <= most:
        return said | {"pairs": _listed(pairs, np.arange(len(pairs)))}
    at = np.flatnonzero(pairs.asks == answer)
    return said | {"pairs": _listed(pairs, at), "many": _many(pairs, side)}


def _listed(pairs: Pairs, at: np.ndarray) -> dict[str, list[Number]]:
    """{"values": [...], "each": [tokens further on, token read, which value, ...]}."""
    values, which = _distinct(pairs.values[at])
    asks = np.diff(pairs.asks[at], prepend=0)
    each = np.stack([asks, pairs.reads[at], which], axis=1).ravel().tolist()
    return {"values": values, "each": each}


def _distinct(values: np.ndarray) -> tuple[list[Number], np.ndarray]:
    found: dict[Any, int] = {}
    which = [found.setdefault(value, len(found)) for value in values.tolist()]
    return [number(value) for value in found], np.array(which, dtype=np.int64)


def _many(pairs: Pairs, side: int) -> dict[str, Any]:
    """{"width": tokens of a square, "squares": [row, column, largest, ...], "tokens": [...]}.

    The tokens are left out where the squares are few.
    """
    width = -(-pairs.N // side)
    values = pairs.values.astype(np.float64)
    largest = np.zeros((side, side))
    np.maximum.at(largest, (pairs.asks // width, pairs.reads // width), values)
    rows, columns = np.nonzero(largest)
    digits = (float(f"{x:.4g}") for x in largest[rows, columns])
    squares = zip(rows.tolist(), columns.tolist(), digits, strict=True)
    return {
        "width": width,
        "squares": [part for square in squares for part in square],
        "tokens": _asking(pairs, values) if side == SIDE else [],
    }


def _asking(pairs: Pairs, values: np.ndarray) -> list[Number]:
    """[token, how many it reads, the one it reads most, with which value, ...]."""
    asks, first, count = np.unique(pairs.asks, return_index=True, return_counts=True)
    found: list[Number] = []
    for token, start, size in zip(asks.tolist(), first.tolist(), count.tolist(), strict=True):
        most = start + int(np.argmax(values[start : start + size]))
        found += [token, size, int(pairs.reads[most]), number(pairs.values[most])]
    return found
