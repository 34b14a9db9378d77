"""The residual stream of one prompt: tokens by the fields that each layer changes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from construct.arguments import checked, instance
from construct.inside.trace import Trace
from construct.show.picture.cells import NEGLIGIBLE, Cell, Column, cell, words_of
from construct.show.picture.legend import Votes, captions, drawn_legend, title_of
from construct.show.picture.rows import Row, rows_of, shown
from construct.show.picture.svg import Picture, fitted, width, wrapped

WIDTH, EDGE, LABELS = 920, 16, 140
GAP, HEAD, STEP, LINE = 8, 40, 15, 12
# Where in the labels the role of a token stands, and the votes.
ROLE, VOTES = 44, 103
# Lines of words in a row of the query.
MOST_LINES = 6


@dataclass(frozen=True)
class Panel:
    """What one layer changed; that of the embedding is what is not 0."""

    title: str
    columns: tuple[Column, ...]

    @property
    def width(self) -> int | float:
        """In the picture, with the gap after it."""
        named = width(self.title, 11, bold=True)
        return max(named, sum(column.width + 2 for column in self.columns)) + GAP


@checked(trace=instance(Trace, "what construct.trace gives"))
def stream(trace: Trace) -> str:
    """The residual stream of one prompt as an SVG: tokens by the fields that each layer changed.

    A long prompt is shown by its first and last examples; those between are added up.

    Returns:
        The text of an SVG file.
    """
    return _Stream(trace).drawn()


def panels_of(trace: Trace) -> list[Panel]:
    """For each layer that changes something at a token of an example or of the query, what."""
    owned = [token.index for token in shown(trace)]
    found, before = [], np.zeros((len(owned), trace.states.shape[-1]))
    names = ["embedding", *(layer.name for layer in trace.layers)]
    for number, name in enumerate(names):
        now = trace.states[number][owned].astype(np.float64)
        changed = abs(now - before).max(axis=0) > NEGLIGIBLE
        columns = []
        for field in trace.fields:
            if changed[field.at].any():
                scale = float(abs(now[:, field.at]).max())
                words = words_of(trace.construction, field)
                columns.append(Column(field, number, scale, words))
        if columns:
            found.append(Panel(f"{number} {name}" if number else name, tuple(columns)))
        before = now
    return found


class _Stream:
    """One picture while it is drawn."""

    def __init__(self, trace: Trace) -> None:
        self.trace, self.votes = trace, Votes.of(trace)
        self.rows, self.panels = rows_of(trace), panels_of(trace)
        self.cells = {
            column: [self._cell(column, row) for row in self.rows]
            for panel in self.panels
            for column in panel.columns
        }
        self.heights = [self._height(i) for i in range(len(self.rows))]
        said = [*captions(trace), self.votes.said, *map(_said, self.panels)]
        self.picture = Picture(title_of(trace), " ".join(f"{one}." for one in said if one))

    def _cell(self, column: Column, row: Row) -> Cell | None:
        """What stands there, if the layer changed it."""
        now, before = (
            self.trace.states[max(layer, 0)][list(row.tokens), column.field.at].astype(np.float64)
            for layer in (column.layer, column.layer - 1)
        )
        if not (abs(now - before * bool(column.layer)) > NEGLIGIBLE).any():
            return None
        return cell(column, now.sum(axis=0), MOST_LINES if row.query else 1)

    def _height(self, i: int) -> int | float:
        """Of a row: what its longest cell takes."""
        found = [cells[i] for column, cells in self.cells.items() if not column.numbers]
        lines = [len(one.lines) for one in found if one is not None]
        return STEP + LINE * (max([1, *lines]) - 1)

    def drawn(self) -> str:
        """The whole picture."""
        picture, y = self.picture, 50.0
        picture.text(EDGE, 28, title_of(self.trace), "bold", size=16)
        for caption in captions(self.trace):
            lines = wrapped(caption, WIDTH - 2 * EDGE, 12)
            picture.lines(EDGE, y, lines, "quiet", size=12, step=16)
            y += 16 * len(lines)
        y = drawn_legend(picture, self.votes, EDGE, y + 4, WIDTH - EDGE) + 18
        for panels in self._side_by_side():
            y = self._panels(panels, y) + 22
        return picture.finished(WIDTH, y - 22 + EDGE)

    def _side_by_side(self) -> Iterator[list[Panel]]:
        """Panels, as many as there is room for in a line."""
        room: int | float = WIDTH - 2 * EDGE - LABELS
        line_room = room
        line: list[Panel] = []
        for panel in self.panels:
            if line and panel.width - GAP > line_room:
                yield line
                line, line_room = [], room
            line.append(panel)
            line_room -= panel.width
        yield line

    def _panels(self, panels: Sequence[Panel], y: int | float) -> int | float:
        """A line of panels; gives where it ends."""
        tops = [y + HEAD]
        for height in self.heights:
            tops.append(tops[-1] + height)
        self._rows(tops)
        x: int | float = EDGE + LABELS
        for panel in panels:
            self._panel(panel, x, y, tops)
            x += panel.width
        return tops[-1]

    def _rows(self, tops: Sequence[int | float]) -> None:
        """What each row is, who voted there, and a band behind every other example."""
        shaded = False
        for row, y, end in zip(self.rows, tops, tops[1:], strict=False):
            shaded = shaded ^ bool(row.owner)
            if shaded:
                self.picture.add(
                    "rect", "panel", x=EDGE - 4, y=y, width=WIDTH - 2 * EDGE + 8, height=end - y
                )
            name = fitted(row.owner, (ROLE if row.role else VOTES) - 2, 11, bold=True)
            self.picture.text(EDGE, y + 11.5, name, "bold", size=11)
            role = fitted(row.role, VOTES - ROLE - 2, 10)
            self.picture.text(EDGE + ROLE, y + 11.5, role, "quiet", size=10)
            self.votes.drawn(self.picture, row.ends, EDGE + VOTES, y + 7.5)

    def _panel(
        self, panel: Panel, x: int | float, y: int | float, tops: Sequence[int | float]
    ) -> None:
        """Title, names of fields, and the cells below them."""
        self.picture.text(x, y + 12, panel.title, "bold", size=11)
        end = x + panel.width - GAP
        self.picture.add("line", "line", x1=x, x2=end, y1=y + 18, y2=y + 18)
        for column in panel.columns:
            name = fitted(column.field.name, column.width, 10, mono=True)
            middle = x + column.width / 2
            self.picture.text(middle, y + 32, name, "text mono", size=10, text_anchor="middle")
            for found, top, bottom in zip(self.cells[column], tops, tops[1:], strict=False):
                if found is not None:
                    self._drawn_cell(found, column, x, top + 1, bottom - top - 2)
            x += column.width + 2

    def _drawn_cell(
        self, found: Cell, column: Column, x: int | float, y: int | float, height: int | float
    ) -> None:
        part = column.width / len(found.strip)
        for i, share in enumerate(found.strip):
            if abs(share) > NEGLIGIBLE:
                kind, opacity = "more" if share > 0 else "less", round(0.1 + 0.4 * abs(share), 2)
                place: Any = {"x": x + i * part, "y": y, "width": part, "height": height}
                self.picture.add("rect", kind, fill_opacity=opacity, **place)
        beside = column.numbers and len(found.lines) > 1
        for i, text in enumerate(found.lines):
            if beside:
                self._word(text, x + (i + 0.5) * part, y + 10, part - 2)
            else:
                self._word(text, x + column.width / 2, y + 10 + i * LINE, column.width - 2)

    def _word(self, text: str, x: int | float, y: int | float, room: int | float) -> None:
        self.picture.text(x, y, fitted(text, room, 10), size=10, text_anchor="middle")


def _said(panel: Panel) -> str:
    names = ", ".join(column.field.name for column in panel.columns)
    return f"{panel.title}: {names}"
