"""The layers of a construction, over the fields of its residual stream.

Each field is a line from top to bottom, drawn full from where it is first written to where it is
last touched. Each part of a layer is a row: an open mark on the fields that it reads, a full one
on those that it writes, as its non-zero weights say (`parts`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from construct.arguments import checked, instance
from construct.compiler import Construction
from construct.show.picture.parts import Part, embedding_of, parts_of, unembedding_of
from construct.show.picture.svg import Picture, fitted, width, wrapped

LEAST_WIDTH, LEFT, EDGE = 880, 440, 16
NOTHING = "nothing is left to do here: every weight is 0"
KEY = "reads, as q query, k key, v value"
# "q" -> what it stands for.
HOW = dict(pair.split(" ") for pair in KEY.removeprefix("reads, as ").split(", "))
# Of the layer's number and name, and of the words "reads" and "writes".
NAMES, WORDS = 118, 44


@dataclass(frozen=True)
class Row:
    """A part of a layer in the diagram.

    Attributes:
        number: of the layer; 0 is the embedding.
        name: of the layer, where the row is its first.
        part: None if nothing works there.
    """

    number: int
    name: str
    part: Part | None

    def lines(self, room: int | float) -> tuple[list[str], list[str]]:
        """Title and purpose, wrapped."""
        if self.part is None:
            return [], wrapped(NOTHING, room, 11)
        title = wrapped(self.part.title, room, 12, most=2)
        return title, wrapped(self.part.purpose, room, 11, most=3)

    def height(self, room: int | float) -> int | float:
        """With the room between it and the next."""
        title, purpose = self.lines(room)
        return max(18 + 15 * len(title) + 14 * len(purpose), 52 if self.part else 32)


@checked(made=instance(Construction, "a construct.Construction"))
def diagram(made: Construction) -> str:
    """The layers of any design as an SVG: what works in each, what it reads and what it writes.

    Returns:
        The text of an SVG file, the same for the same weights, wherever it is drawn. Each mark
        has the layer, the field and what it does as `data-` attributes.
    """
    return _Diagram(made).drawn()


def rows_of(made: Construction) -> list[Row]:
    """Embedding, the parts of each layer, and what is read off."""
    found = [Row(0, "", embedding_of(made))]
    layers = made.transformer.layers
    for number, layer in enumerate(layers, 1):
        parts: Sequence[Part | None] = parts_of(made, layer) or [None]
        found += [Row(number, "" if i else layer.name, part) for i, part in enumerate(parts)]
    return [*found, Row(len(layers) + 1, "", unembedding_of(made))]


class _Diagram:
    """One diagram while it is drawn."""

    def __init__(self, made: Construction) -> None:
        self.made, self.rows = made, rows_of(made)
        self.fields = made.sizes.residual.fields
        self.step = 30 if len(self.fields) <= 14 else 27
        self.width = max(LEAST_WIDTH, LEFT + self.step * len(self.fields) + 30)
        # Lanes stand at the right, and text has what they leave.
        self.first = self.width - 30 - self.step * (len(self.fields) - 0.5)
        self.room = self.first - self.step / 2 - WORDS - 2 * EDGE - NAMES
        self.picture = Picture(f"{_named(made)}, layer by layer", _described(made, self.rows))

    def lane(self, name: str) -> int | float:
        """The x of a field."""
        return self.first + self.step * [field.name for field in self.fields].index(name)

    def drawn(self) -> str:
        """The whole picture."""
        picture = self.picture
        picture.text(EDGE, 30, _named(self.made), "bold", size=17)
        picture.lines(EDGE, 50, _sizes(self.made), "quiet", size=12, step=16)
        top = 140.0
        self._key(EDGE, top - 30)
        tops = [top]
        for row in self.rows:
            tops.append(tops[-1] + row.height(self.room))
        self._panels(tops)
        self._lanes(top, tops)
        for row, y in zip(self.rows, tops, strict=False):
            self._row(row, y)
        bottom = self._fields(tops[-1] + 34)
        return picture.finished(self.width, bottom + EDGE)

    def _key(self, x: int | float, y: int | float) -> None:
        """What the marks mean."""
        self._read(x + 10, y - 4, "q")
        self.picture.text(x + 26, y, KEY, size=11)
        x += 36 + width(KEY, 11)
        self.picture.add("circle", "writes", cx=x + 6, cy=y - 4, r=5.5)
        self.picture.text(x + 16, y, "writes", size=11)

    def _panels(self, tops: Sequence[int | float]) -> None:
        """A band behind every other layer."""
        for row, y, end in zip(self.rows, tops, tops[1:], strict=False):
            if row.number % 2:
                self.picture.add("rect", "panel", x=0, y=y, width=self.width, height=end - y)

    def _lanes(self, top: int | float, tops: Sequence[int | float]) -> None:
        """The name of each field, and its line."""
        picture = self.picture
        for field in self.fields:
            x = self.lane(field.name)
            name = fitted(field.name, 84, 12, mono=True)
            turned = f"rotate(-52 {x:.1f} {top - 22:.1f})"
            picture.text(x, top - 22, name, "text mono", size=12, transform=turned)
            picture.text(x, top - 6, f"{field.width}", "quiet", size=10, text_anchor="middle")
            used = [i for i, row in enumerate(self.rows) if _touches(row, field.name)]
            start, end = (tops[i] + 24 for i in (used[0], used[-1])) if used else (top, top)
            spans = (("dead", top, start), ("live", start, end), ("dead", end, tops[-1]))
            for kind, y1, y2 in spans:
                if y2 > y1:
                    picture.add("line", kind, x1=x, x2=x, y1=y1, y2=y2, stroke_width=1.5)

    def _row(self, row: Row, y: int | float) -> None:
        """The text of a row, and its marks."""
        picture, x = self.picture, EDGE + NAMES
        if row.name:
            picture.text(EDGE, y + 19, f"{row.number}", "bold", size=15)
            name = fitted(row.name, NAMES - 30, 13, bold=True)
            picture.text(EDGE + 26, y + 19, name, "bold", size=13)
        title, purpose = row.lines(self.room)
        picture.lines(x, y + 19, title, "text", size=12, step=15)
        picture.lines(x, y + 19 + 15 * len(title), purpose, "quiet", size=11, step=14)
        if row.part is None:
            return
        both = row.part.reads and row.part.writes
        heights = (y + 16, y + 35) if both else (y + 25, y + 25)
        marks = (("reads", row.part.reads, heights[0]), ("writes", row.part.writes, heights[1]))
        for word, names, height in marks:
            if names:
                edge = self.first - self.step / 2 - 6
                picture.text(edge, height + 3.5, word, "quiet", size=10, text_anchor="end")
            for name in names:
                self._mark(row, word, name, height)

    def _mark(self, row: Row, word: str, name: str, y: int | float) -> None:
        letters = row.part.reads[name] if row.part and word == "reads" else ""
        how = " and ".join(HOW[letter] for letter in letters)
        said = f"{row.part.title if row.part else ''} {word} {name}{f' as {how}' * bool(how)}"
        data = {"data_layer": row.number, f"data_{word}": name}
        if word == "reads":
            self._read(self.lane(name), y, letters, said=said, **data)
        else:
            self.picture.add("circle", "writes", said=said, cx=self.lane(name), cy=y, r=5.5, **data)

    def _read(self, x: int | float, y: int | float, letters: str, **more: Any) -> None:
        half = 7 + 3.2 * max(len(letters) - 1, 0)
        self.picture.add(
            "rect", "reads", x=x - half, y=y - 7, width=2 * half, height=14, rx=7, **more
        )
        if letters:
            self.picture.text(x, y + 3.4, letters, "text mono", size=10, text_anchor="middle")

    def _fields(self, y: int | float) -> int | float:
        """What each field holds, in two columns; gives where it ends."""
        room = (self.width - 3 * EDGE) / 2
        self.picture.text(EDGE, y - 10, "Fields of the residual stream, and their widths", "bold")
        half = -(-len(self.fields) // 2)
        ends: list[int | float] = []
        for column in (self.fields[:half], self.fields[half:]):
            x, at = EDGE + len(ends) * (room + EDGE), y + 10
            for field in column:
                name = fitted(field.name, 62, 11, mono=True)
                self.picture.text(x, at, name, "text mono", size=11)
                self.picture.text(x + 90, at, f"{field.width}", size=11, text_anchor="end")
                lines = wrapped(field.holds, room - 102, 11)
                self.picture.lines(x + 102, at, lines, "quiet", size=11, step=14)
                at += 14 * len(lines) + 3
            ends.append(at - 10)
        return max(ends)


def _touches(row: Row, name: str) -> bool:
    return row.part is not None and (name in row.part.reads or name in row.part.writes)


def _named(made: Construction) -> str:
    of = f" of {made.softmax.of}" if made.softmax else ""
    return f"Design: {made.design}{of}"


def _sizes(made: Construction) -> list[str]:
    s, transformer = made.sizes, made.transformer
    weigh = str(transformer.attention).replace("relu", "ReLU")
    layers = len(transformer.layers)
    return [
        f"{weigh} attention, {layers} layers of {len(transformer.layers[0].heads)} heads",
        f"K = {s.K:,} tasks, d = {s.d:,}, m = {s.m:,} examples of n = {s.n:,} tokens",
        f"width D = {s.D:,}, N = {s.N:,} tokens",
    ]


def _described(made: Construction, rows: Sequence[Row]) -> str:
    """The diagram in words."""
    said = [f"{'; '.join(_sizes(made))}."]
    for row in rows:
        layer = f"Layer {row.number}, {row.name}: " if row.name else ""
        if row.part is None:
            said.append(f"{layer}{NOTHING}.")
            continue
        flows = [
            f"{word} {', '.join(names)}"
            for word, names in (("reads", row.part.reads), ("writes", row.part.writes))
            if names
        ]
        said.append(f"{layer}{fitted(row.part.title, 600, 12)} {'; '.join(flows)}.")
    return " ".join(said)
