"""What stands in the fields of a task's definition: positions, lists, vectors.

Each function raises a `ConstructError` that names the task, or the field.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from construct.errors import ConstructError, shown
from construct.matrix import Matrix
from construct.rational import MOST_DIGITS, rational, rational_array, zeros
from construct.spec.tasks import as_position


def sequence(value: Any, what: str) -> Sequence:
    """A list, a tuple, an array or a matrix as a list or a tuple."""
    if isinstance(value, Matrix):
        return value.tolist()
    if isinstance(value, np.ndarray):
        return value.tolist() if value.ndim else [value]
    if not isinstance(value, list | tuple):
        raise ConstructError(f"{what} is {shown(value)}; it must be a list.")
    return value


def vector_of(value: Any, d: int | None, what: str) -> np.ndarray:
    """A vector of d rationals, zeros where it was left out."""
    return zeros(d or 0) if value is None else rational_array(value, (d,), what)


def _position_key(value: Any, name: str) -> int:
    """A position as the key of a mapping: JSON has texts there."""
    if isinstance(value, str) and value.isdecimal() and len(value) < MOST_DIGITS:
        value = int(value)
    return as_position(value, name)


def by_position(blocks: Mapping[Any, Any], name: str) -> dict[int, Any]:
    """The blocks under their positions as numbers: "1" and "01" are the same."""
    result = {_position_key(p, name): block for p, block in blocks.items()}
    if len(result) != len(blocks):
        raise ConstructError(
            f"task {name!r} names a position twice: {', '.join(map(str, blocks))}."
        )
    return result


def operand_places(position: Any, positions: Any, count: int, name: str) -> list[int]:
    """The positions of a table's operands."""
    place = as_position(position, name)
    if positions is None and (count == 1 or place == 1):
        return [place] if count == 1 else list(range(1, count + 1))
    read = f"positions of task {name!r}"
    places = [] if positions is None else [as_position(p, name) for p in sequence(positions, read)]
    if len(places) != count or len(set(places)) != count or place != 1:
        raise ConstructError(
            f"the table of task {name!r} has {count} operands; name their {count} different "
            f'positions in "positions", not {places or place}.'
        )
    return places


def different_places(positions: Any, name: str) -> list[int]:
    """At least one position, each once."""
    places = [as_position(p, name) for p in sequence(positions, f"positions of {name!r}")]
    if not places or len(set(places)) != len(places):
        raise ConstructError(
            f"positions of task {name!r} are {places}; name at least one, each once."
        )
    return places


def pair_of(value: Any, name: str) -> tuple[int, int]:
    """Two different positions."""
    places = [as_position(p, name) for p in sequence(value, f"positions of task {name!r}")]
    if len(places) != 2 or places[0] == places[1]:
        raise ConstructError(f"task {name!r} needs two different positions, not {places}.")
    return places[0], places[1]


def plain(value: Any) -> Any:
    """Floats and NumPy numbers, at any depth, as rationals."""
    if isinstance(value, Mapping):
        if set(map(type, value.values())) == {str} and set(map(type, value)) == {str}:
            return dict(value)
        if any(isinstance(key, tuple) for key in value):  # a table on several operands
            return [[list(key), plain(entry)] for key, entry in value.items()]
        return {plain(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    return rational(value) if isinstance(value, float | np.generic) else value


def holds_matrix(value: Any) -> bool:
    """Whether it is a matrix by its non-zeros, or maps to some: it may be too large to list."""
    listed = value.values() if isinstance(value, Mapping) else (value,)
    return any(isinstance(one, Matrix) for one in listed)
