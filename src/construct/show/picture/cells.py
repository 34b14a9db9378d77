"""What a field holds at a token, as a picture shows it: words, a number, or a strip of colours."""

import re
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from construct.compiler import Construction
from construct.network.residual import Field
from construct.show.picture.svg import ELLIPSIS, TIMES, width

# What is smaller is shown as nothing: softmax attention leaves some of every token to each.
NEGLIGIBLE = 1e-6
MOST_BINS = 16
# Room for the number before a word.
NUMBER = 34
# Fields that hold vectors of tokens, and so words where there is a vocabulary.
VECTORS = re.compile(r"tok|lab|qry|out|q?slot\d+|op\d+")


@dataclass(frozen=True)
class Cell:
    """What is drawn: a strip of values from -1 to 1, and lines of text over it."""

    strip: tuple[float, ...]
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Column:
    """A field after a layer.

    Attributes:
        scale: the largest value that a single token has there.
        words: of the vocabulary, if it holds words.
    """

    field: Field
    layer: int
    scale: int | float
    words: tuple[str, ...] | None

    @property
    def width(self) -> int | float:
        """In the picture."""
        if self.words:
            return 68
        if self.field.width == 1:
            return 35 if self.layer else 25
        return 64 if self.field.width == 2 else min(64, max(36, 4 * self.field.width))

    @property
    def numbers(self) -> bool:
        """Whether a cell holds the numbers themselves."""
        return not self.words and self.field.width <= 2


def words_of(made: Construction, field: Field) -> tuple[str, ...] | None:
    """The vocabulary, if a field holds words."""
    if made.vocabulary is None or not VECTORS.fullmatch(field.name):
        return None
    return tuple(made.vocabulary.words)


def cell(column: Column, value: Float[np.ndarray, " width"], most: int) -> Cell:
    """What is drawn of a value.

    Args:
        most: lines of text.
    """
    value = np.where(abs(value) > NEGLIGIBLE, value, 0.0)
    if not value.any():
        return Cell((0.0,), ("0",))
    if column.words:
        return _words(column, value, most)
    numbers = column.width / column.field.width - 2
    text = tuple(short(x, numbers) for x in value.tolist()) if column.numbers else ()
    return Cell(_bins(value / (column.scale or 1)), text)


def short(x: int | float, room: int | float) -> str:
    """A number with at most three digits, or fewer; an ellipsis where none fits."""
    texts = [f"{x:.{digits}g}" for digits in (3, 2, 1)]
    texts += [f"{x:.0f}"] if abs(x) >= 1 else []
    powers = [f"{x:.1e}", f"{x:.0e}"]
    texts += [re.sub(r"e([+-])0*", lambda e: "e" + e[1].strip("+"), text) for text in powers]
    return next((text for text in texts if width(text, 10) <= room), ELLIPSIS)


def _words(column: Column, value: np.ndarray, most: int) -> Cell:
    """The words whose number is not that of most others, largest first."""
    assert column.words is not None
    values, counts = np.unique(value.round(6), return_counts=True)
    base = float(values[counts.argmax()]) if len(value) > 1 else 0.0
    at = np.flatnonzero(abs(value - base) > NEGLIGIBLE)
    at = at[np.argsort(-value[at], kind="stable")]
    numbers = [short(x, NUMBER) for x in value[at].tolist()]
    lines = [f"{x}{TIMES}{column.words[i]}" for x, i in zip(numbers, at.tolist(), strict=True)]
    lines = lines or [f"all {short(base, NUMBER)}"]
    if (len(at) == 1 or most == 1) and len(at) and abs(value[at[0]] - 1) <= NEGLIGIBLE:
        lines[0] = column.words[at[0]]
    if len(lines) > most:
        rest = len(lines) - most
        lines = [*lines[: most - 1], f"{rest + 1} more"] if most > 1 else [f"{lines[0]} +{rest}"]
    peak = float(value[at].max()) if len(at) else base
    return Cell((_clipped(peak / (column.scale or 1)),), tuple(lines))


def _bins(value: np.ndarray) -> tuple[float, ...]:
    """At most so many values: of those that share a place the one furthest from 0."""
    parts = np.array_split(value, min(len(value), MOST_BINS))
    return tuple(_clipped(float(part[abs(part).argmax()])) for part in parts)


def _clipped(x: int | float) -> int | float:
    return min(1.0, max(-1.0, x))
