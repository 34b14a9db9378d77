"""Task files: JSON with d, n, the tasks, and if wanted a domain, a vocabulary and more.

{"d": 2, "n": 2, "tasks": [{"name": "turn", "kind": "affine", ...}, ...]}
{"tasks": [{"name": "capital", "kind": "lookup", "table": {...}}, ...], "format": "{1}: {y}"}

In place of a table may stand the name of a file that holds it (`construct.spec.tables`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from construct.arguments import checked, instance, optional
from construct.arguments import path as path_rule
from construct.arguments import text as text_rule
from construct.errors import ConstructError, shown
from construct.rational import read_json, to_json
from construct.spec.domain import Domain
from construct.spec.format import PromptFormat
from construct.spec.formula import Formula
from construct.spec.kinds import from_definition
from construct.spec.lookups import entries_of, words_of
from construct.spec.tables import read_file, table_of_file
from construct.spec.tasks import Task, refuse_tasks_beyond_memory
from construct.spec.vocabulary import A_WORD, Vocabulary, fault_of, first_of, one_spelling

KEYS = ("d", "n", "tasks", "domain", "vocabulary", "format", "scratch")


@dataclass(frozen=True, eq=False)
class TaskFile:
    """What a task file says; None where it is silent."""

    tasks: tuple[Task | Formula, ...]
    n: int | None = None
    domain: Domain | None = None
    vocabulary: Vocabulary | None = None
    format: str | None = None
    scratch: int | None = None


@checked(text=instance(str, "a text"), source=text_rule, folder=optional(path_rule))
def parse_tasks(
    text: str, source: str = "the task file", *, folder: str | Path | None = None
) -> TaskFile:
    """Read a task file.

    Args:
        source: what messages call it.
        folder: where it is: the files that it names are looked for there.

    Raises:
        ConstructError: naming the field or the task that is wrong.
    """
    if not text.lstrip("\ufeff \t\r\n").startswith(("{", "[")):
        raise ConstructError(
            f"{source} is not valid JSON: a task file is a JSON object. Of a table of words "
            "'construct tasks FILE -o tasks.json' makes one."
        )
    where = None if folder is None else Path(folder)
    return tasks_from_json(read_json(text, source), source, where)


def tasks_from_json(value: Any, source: str, folder: Path | None = None) -> TaskFile:
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
    definitions = [_with_table(definition, folder, source) for definition in definitions]
    d, n = (_whole(value.get(key), key, source) for key in ("d", "n"))
    vocabulary = _vocabulary(value.get("vocabulary"), definitions, source)
    if vocabulary is not None:
        if d not in (None, len(vocabulary)):
            raise ConstructError(
                f"{source} says d = {d}, but its vocabulary has {len(vocabulary)} words; "
                "leave d out."
            )
        d = len(vocabulary)
    domain, form = value.get("domain"), value.get("format")
    return TaskFile(
        _tasks(definitions, d, vocabulary, n),
        n,
        None if domain is None else Domain.from_json(domain),
        vocabulary,
        None if form is None else PromptFormat(form).text,
        _scratch(value.get("scratch"), len(definitions), source),
    )


def _tasks(
    definitions: list, d: int | None, vocabulary: Vocabulary | None, n: int | None
) -> tuple[Task | Formula, ...]:
    """The tasks of a file; those that together do not fit in memory are refused first."""
    tasks: list[Task | Formula] = []
    for definition in definitions:
        if d is not None or tasks:
            refuse_tasks_beyond_memory(len(definitions), d or tasks[0].d)
        tasks.append(from_definition(definition, d=d, vocabulary=vocabulary, n=n))
    return tuple(tasks)


def _whole(value: Any, key: str, source: str) -> int | None:
    if value is not None and (type(value) is not int or value < 1):
        raise ConstructError(
            f"{key} in {source} is {to_json(value)!r}; it must be a whole number of at least 1."
        )
    return value


def _scratch(value: Any, K: int, source: str) -> int | None:
    if value is not None and (type(value) is not int or not 0 <= value <= K):
        raise ConstructError(
            f"scratch in {source} is {to_json(value)!r}; it must be a whole number of tokens from "
            f"0 to K = {K}: no task needs more than one."
        )
    return value


def _with_table(definition: Any, folder: Path | None, source: str) -> Any:
    """The definition of a look-up with the table itself, where it names a file.

    Raises:
        ConstructError: if the table is neither a table nor a file that holds one.
    """
    if not isinstance(definition, Mapping) or definition.get("kind") != "lookup":
        return definition
    name, table = definition.get("name"), definition.get("table", {})
    if not isinstance(name, str) or "table" not in definition:
        return definition  # refused later, with what is missing
    if not isinstance(table, str):
        entries_of(table, name)  # or it says what is wrong
        return definition
    if folder is None:
        raise ConstructError(
            f"table of task {name!r} is the name of a file, {shown(table)}; say with folder= "
            f"where the files that {source} names are."
        )
    return {**definition, "table": table_of_file(read_file(folder / table), table, name)}


def _vocabulary(listed: Any, definitions: list, source: str) -> Vocabulary | None:
    """The words listed, or else those of the look-up tables in order of appearance."""
    if listed is not None and (not isinstance(listed, list) or not listed):
        raise ConstructError(f'"vocabulary" of {source} must be a list of words.')
    known = None if listed is None else Vocabulary(listed)
    words: dict[str, None] = {}
    faults = []
    # Each word is judged once: tables of 50,000 words hold it many times.
    fine: set[str] = set(known or ())
    for definition in definitions:
        if _holds_only(definition, fine):
            continue
        for place, own in words_of(definition):
            for word in own:
                if type(word) is str and word in fine:
                    continue
                why = _fault(word, known)
                if why is None:
                    words[one_spelling(word)] = None
                    fine.add(word)
                else:
                    at = f"task {shown(definition.get('name'))} at {shown(place)}"
                    faults.append(f"{at}: {why}")
    if faults:
        raise ConstructError(
            f"{source} has {len(faults)} entries of tables that are no words: "
            f"{first_of(faults)}; a table must map words to words, and {A_WORD}."
        )
    return known or (Vocabulary(words) if words else None)


def _holds_only(definition: Any, words: set[str]) -> bool:
    """Whether it is a look-up of one word, with no words in its table but these."""
    if not isinstance(definition, Mapping) or definition.get("kind") != "lookup":
        return False
    table = definition.get("table")
    if not isinstance(table, Mapping) or set(map(type, table.values())) != {str}:
        return False
    return words.issuperset(table) and words.issuperset(table.values())


def _fault(word: Any, known: Vocabulary | None) -> str | None:
    """Why an entry of a table is no word, or none of those that are listed."""
    why = fault_of(word)
    if why is not None or known is None or word in known:
        return why and f"{shown(word)} {why}"
    return f"{shown(word)} is not in the vocabulary"
