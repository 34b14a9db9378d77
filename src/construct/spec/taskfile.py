"""Task files: JSON with d, n, the tasks, and if wanted a domain or a vocabulary.

{"d": 2, "n": 2, "tasks": [{"name": "turn", "kind": "affine", ...}, ...]}
{"tasks": [{"name": "capital", "kind": "lookup", "table": {...}}, ...]}
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from construct.arguments import checked, instance
from construct.arguments import text as text_rule
from construct.errors import ConstructError, shown
from construct.rational import read_json, to_json
from construct.spec.domain import Domain
from construct.spec.kinds import from_definition
from construct.spec.tasks import Task, refuse_tasks_beyond_memory
from construct.spec.vocabulary import Vocabulary, one_spelling

KEYS = ("d", "n", "tasks", "domain", "vocabulary")


@dataclass(frozen=True, eq=False)
class TaskFile:
    """What a task file says; None where it is silent."""

    tasks: tuple[Task, ...]
    n: int | None = None
    domain: Domain | None = None
    vocabulary: Vocabulary | None = None


@checked(text=instance(str, "a text"), source=text_rule)
def parse_tasks(text: str, source: str = "the task file") -> TaskFile:
    """Read a task file.

    Raises:
        ConstructError: naming the field or the task that is wrong.
    """
    return tasks_from_json(read_json(text, source), source)


def tasks_from_json(value: Any, source: str) -> TaskFile:
    """Read a task file that has been parsed as JSON."""
    if not isinstance(value, Mapping) or "tasks" not in value:
        raise ConstructError(f'{source} must be an object with "tasks"; see the README.')
    unknown = sorted(set(value) - set(KEYS))
    if unknown:
        raise ConstructError(
            f"{source} has the unknown field {shown(unknown[0])}; known: {', '.join(KEYS)}."
        )
    definitions = value["tasks"]
    if not isinstance(definitions, list) or not definitions:
        raise ConstructError(f'"tasks" of {source} must be a list of at least one task.')
    d, n = (_whole(value.get(key), key, source) for key in ("d", "n"))
    vocabulary = _vocabulary(value.get("vocabulary"), definitions, source)
    if vocabulary is not None:
        if d not in (None, len(vocabulary)):
            raise ConstructError(
                f"{source} says d = {d}, but its vocabulary has {len(vocabulary)} words; "
                "leave d out."
            )
        d = len(vocabulary)
    domain = value.get("domain")
    return TaskFile(
        _tasks(definitions, d, vocabulary),
        n,
        None if domain is None else Domain.from_json(domain),
        vocabulary,
    )


def _tasks(definitions: list, d: int | None, vocabulary: Vocabulary | None) -> tuple[Task, ...]:
    """The tasks of a file; those that together do not fit in memory are refused first."""
    tasks: list[Task] = []
    for definition in definitions:
        if d is not None or tasks:
            refuse_tasks_beyond_memory(len(definitions), d or tasks[0].d)
        tasks.append(from_definition(definition, d=d, vocabulary=vocabulary))
    return tuple(tasks)


def _whole(value: Any, key: str, source: str) -> int | None:
    if value is not None and (type(value) is not int or value < 1):
        raise ConstructError(
            f"{key} in {source} is {to_json(value)!r}; it must be a whole number of at least 1."
        )
    return value


def _vocabulary(listed: Any, definitions: list, source: str) -> Vocabulary | None:
    """The words listed, or else those of the look-up tables in order of appearance."""
    tables = [
        d["table"]
        for d in definitions
        if isinstance(d, Mapping) and isinstance(d.get("table"), Mapping)
    ]
    words = [w for table in tables for pair in table.items() for w in pair]
    for word in words:
        if not isinstance(word, str):
            raise ConstructError(f"a table of {source} holds {word!r}; it must map words to words.")
    if listed is not None:
        if not isinstance(listed, list) or not listed:
            raise ConstructError(f'"vocabulary" of {source} must be a list of words.')
        return Vocabulary(listed)
    return Vocabulary(dict.fromkeys(map(one_spelling, words))) if words else None
