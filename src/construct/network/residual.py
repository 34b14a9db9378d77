"""The residual stream: named ranges of coordinates, in order."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any


@dataclass(frozen=True)
class Field:
    """A named range of coordinates."""

    name: str
    start: int
    width: int
    holds: str

    @property
    def at(self) -> slice:
        """The coordinates, for indexing the last axis of a stream."""
        return slice(self.start, self.start + self.width)


@dataclass(frozen=True)
class Residual:
    """All fields, in order, without gap or overlap."""

    fields: tuple[Field, ...]

    @classmethod
    def of(cls, table: Iterable[tuple[str, int, str]]) -> "Residual":
        """From (name, width, what it holds), in order; fields of width 0 are left out."""
        fields, start = [], 0
        for name, width, holds in table:
            if width:
                fields.append(Field(name, start, width, holds))
            start += width
        return cls(tuple(fields))

    def to_json(self) -> list[dict[str, Any]]:
        """As it stands in `config.json`, and in what `inspect` prints."""
        return [
            {"field": f.name, "start": f.start, "width": f.width, "holds": f.holds}
            for f in self.fields
        ]

    @cached_property
    def _by_name(self) -> dict[str, Field]:
        return {field.name: field for field in self.fields}

    def __getitem__(self, name: str) -> Field:
        try:
            return self._by_name[name]
        except KeyError:
            raise KeyError(
                f"{name!r} is not a field; there are {', '.join(self._by_name)}"
            ) from None

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    @property
    def width(self) -> int:
        """D, the sum of all widths."""
        return self.fields[-1].start + self.fields[-1].width
