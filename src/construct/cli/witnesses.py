"""How `construct prove` shows that the theorem is about something: `construct.checking.witness`."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from construct.checking.vectors import Vector
from construct.checking.witness import Exclusion, Witness
from construct.cli.show import table
from construct.compiler import Construction
from construct.rational import to_json

# The most characters that are printed of a vector.
ROOM = 24


def witness_table(made: Construction, found: Sequence[Witness | Exclusion | None]) -> Any:
    """A line for each task: its example, why there is none, or that none was found."""
    rows = [(task.name, _line(made, f)) for task, f in zip(made.tasks, found, strict=True)]
    return table(rows, "task", "an example of the domain that votes for it")


def _line(made: Construction, found: Witness | Exclusion | None) -> str:
    if isinstance(found, Witness):
        return f"{', '.join(_short(made, x) for x in found.X)} -> {_short(made, found.y)}"
    return "none was found" if found is None else f"there is none: {found.reason}"


def _short(made: Construction, vector: np.ndarray) -> str:
    shown = _token(made, vector)
    if isinstance(shown, str):
        return shown
    entries = [str(entry) for entry in shown[: ROOM + 1]]
    whole = f"({', '.join(entries)})"
    while entries and len(whole) > ROOM:
        entries.pop()
        whole = f"({', '.join([*entries, '...'])})"
    return whole


def _token(made: Construction, vector: np.ndarray) -> Any:
    """The word of a vector, or its numbers."""
    if made.vocabulary is not None and Vector.of(vector.tolist()).is_word():
        return made.vocabulary.words[int(vector.argmax())]
    return to_json(vector)


def witness_json(
    made: Construction, found: Sequence[Witness | Exclusion | None]
) -> list[dict[str, Any]]:
    """For each task "inputs" and "label", as a prompt has them, or why it is "excluded"."""
    return [
        {
            "task": task.name,
            "inputs": [_token(made, x) for x in f.X] if isinstance(f, Witness) else None,
            "label": _token(made, f.y) if isinstance(f, Witness) else None,
            "excluded": f.reason if isinstance(f, Exclusion) else None,
        }
        for task, f in zip(made.tasks, found, strict=True)
    ]
