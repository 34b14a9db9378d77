"""The residual stream as the page holds it: each different content of a field once.

A field of a token is a *cell*. What a cell holds seldom changes from layer to layer, and many
tokens hold the same: so the page has each different content once, and for each layer which
tokens changed to which content.
"""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from construct.inside.trace import Trace
from construct.network.residual import Field
from construct.show.report.numbers import Number, number, numbers

# Characters of JSON that all contents may take together; beyond, some are told by their largest
# entries alone.
MOST = 9_000_000
# What is then told of a content: so many of its largest entries.
LARGEST = 6
# The tokens of so many examples, and of the query, keep all of their numbers.
KEPT_EXAMPLES = 16


def stream(trace: Trace, most: int = MOST) -> dict[str, Any]:
    """All fields: {"fields": [{"cells", "changes", "largest"}], "brief": [names]}.

    `brief` names the fields of which some contents have their largest entries alone.
    """
    found = [_Cells(trace, field) for field in trace.fields]
    whole = [cells.whole() for cells in found]
    sizes = [len(json.dumps(cells)) for cells in whole]
    kept, brief = _kept(trace), []
    for i in sorted(range(len(found)), key=lambda i: -sizes[i]):
        if sum(sizes) <= most:
            break
        whole[i] = found[i].brief(whole[i], kept)
        sizes[i] = len(json.dumps(whole[i]))
        brief.append(trace.fields[i].name)
    fields = [
        {"cells": cells, "changes": one.changes, "largest": one.largest}
        for cells, one in zip(whole, found, strict=True)
    ]
    return {"fields": fields, "brief": brief}


def _kept(trace: Trace) -> set[int]:
    return {
        token.index
        for token in trace.tokens
        if token.query or (token.example is not None and token.example < KEPT_EXAMPLES)
    }


class _Cells:
    """The different contents of one field, in the order in which they are met; the first is 0.

    Attributes:
        rows: the contents.
        changes: for each layer [tokens further on, content, ...] of those that changed.
        largest: of all entries, by absolute value.
    """

    def __init__(self, trace: Trace, field: Field) -> None:
        self._field = field
        zero = np.full(field.width, 0, trace.states.dtype)
        self._known = {_key(zero): 0}
        self.rows = [zero]
        self.changes: list[list[int]] = []
        self._of_token: dict[int, set[int]] = {}
        before = np.broadcast_to(zero, (trace.states.shape[1], field.width))
        for state in trace.states:
            now = state[:, field.at]
            self.changes.append(list(self._changed(before, now)))
            before = now
        sizes = [float(max(abs(row))) for row in self.rows]
        self.largest = max((size for size in sizes if np.isfinite(size)), default=0.0)

    def _changed(self, before: np.ndarray, now: np.ndarray) -> Iterator[int]:
        last = 0
        for token in np.flatnonzero((before != now).any(axis=1)).tolist():
            row = now[token] + 0  # -0.0 is 0.0
            cell = self._known.setdefault(_key(row), len(self.rows))
            if cell == len(self.rows):
                self.rows.append(row)
            self._of_token.setdefault(token, set()).add(cell)
            yield from (token - last, cell)
            last = token

    def whole(self) -> list[Any]:
        """Each content with all of its numbers."""
        return [_content(row) for row in self.rows]

    def brief(self, whole: list[Any], kept: set[int]) -> list[Any]:
        """The same, but of those that no token of `kept` has the largest entries alone."""
        stay = set().union({0}, *(self._of_token.get(token, ()) for token in kept))
        pairs = zip(self.rows, whole, strict=True)
        return [one if i in stay else _largest(row) for i, (row, one) in enumerate(pairs)]


def _key(row: np.ndarray) -> Any:
    return tuple(row.tolist()) if row.dtype == object else row.tobytes()


def _content(row: np.ndarray) -> list[Number] | dict[str, list[Number]]:
    """[start, how many, value, ...], the runs of equal entries other than 0; or all entries."""
    starts = np.flatnonzero(np.concatenate([[True], row[1:] != row[:-1]]))
    ends = np.append(starts[1:], len(row))
    if 3 * len(starts) > 2 * len(row):
        return {"all": numbers(row)}
    return [
        part
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True)
        if row[start] != 0
        for part in (start, end - start, number(row[start]))
    ]


def _largest(row: np.ndarray) -> dict[str, Any]:
    """Its largest entries {entry: value}, how many more are not 0, and the largest of those."""
    order = np.argsort(-abs(row), kind="stable")
    order = order[: np.count_nonzero(row)]
    most, rest = sorted(order[:LARGEST].tolist()), order[LARGEST:]
    runs = [part for at in most for part in (at, 1, number(row[at]))]
    below = number(max(abs(row[rest]))) if len(rest) else 0
    return {"largest": runs, "more": len(rest), "below": below}
