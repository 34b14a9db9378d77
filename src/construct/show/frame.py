"""What both pages are put together with: a frame of HTML, and the mark by which it is known."""

from collections.abc import Mapping
from pathlib import Path


def filled(frame: str, parts: Mapping[str, str]) -> str:
    """A frame with each part in its place; each place stands once."""
    for place, part in parts.items():
        before, after = frame.split(place)
        frame = before + part + after
    return frame


def has_mark(path: Path, mark: bytes) -> bool:
    """Whether a file has a mark near its start; not if it cannot be read."""
    try:
        with path.open("rb") as file:
            return mark in file.read(1000)
    except OSError:
        return False
