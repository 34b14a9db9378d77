"""The way to each entry of a JSON value: keys of objects and indices of lists."""

from collections.abc import Iterator
from typing import Any


def paths(value: Any, so_far: tuple = ()) -> Iterator[tuple]:
    """To every entry, lists and objects included."""
    pairs: Any = ()
    if isinstance(value, dict):
        pairs = value.items()
    elif isinstance(value, list):
        pairs = enumerate(value)
    for key, entry in pairs:
        yield (*so_far, key)
        yield from paths(entry, (*so_far, key))


def leaves(value: Any) -> Iterator[tuple]:
    """To every entry that is neither a list nor an object."""
    return (path for path in paths(value) if not isinstance(at(value, path), dict | list))


def at(value: Any, path: Any) -> Any:
    """The entry there."""
    for key in path:
        value = value[key]
    return value
