"""Tables of words, as people have them: JSON, JSON Lines, CSV and TSV become columns of words.

Of JSON, these are read: {word: word}; records [{"input": word, "output": word}, ...] with fields
of any names; and pairs [[word, word], ...]. JSON Lines has a record or a pair on each line. A
CSV or TSV file names its columns in the first line. Where JSON has a list of words in
place of an output, each of them is an output.
"""

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from construct.errors import ConstructError, brief, shown
from construct.spec.vocabulary import A_WORD, fault_of, first_of, one_spelling

FORMS = ("json", "jsonl", "csv", "tsv")
SUFFIXES = {"json": "json", "jsonl": "jsonl", "ndjson": "jsonl"}
SUFFIXES |= {"csv": "csv", "tsv": "tsv", "tab": "tsv"}
# The names of the columns of {word: word} and of pairs, which have none of their own.
INPUT, OUTPUT = "input", "output"

# Cells are words; of JSON also lists of words, and whatever else stands there.
Row = tuple[int, Mapping[str, Any]]


@dataclass(frozen=True)
class Table:
    """Rows of named cells.

    Attributes:
        source: the name of the file.
        columns: the names, in the order of the file.
        rows: the place of each row (its line or its number, from 1), and its cells by column.
        place: what a place is: "line" or "record".
    """

    source: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    place: str

    def pairs(self, source: str, target: str) -> tuple[list[tuple[str, str]], int]:
        """The words of two columns, row by row; several where a cell lists several.

        Returns:
            The pairs, and how many rows have no output: an empty cell, or none.

        Raises:
            ConstructError: naming the rows whose cells are no words.
        """
        found: list[tuple[str, str]] = []
        faults: list[str] = []
        empty = 0
        for place, row in self.rows:
            if row.get(target) in ("", None):
                empty += 1
                continue
            cells = [_words(row.get(column)) for column in (source, target)]
            for column, words in zip((source, target), cells, strict=True):
                where = f"{column!r} of {self.place} {place}"
                if words is None:
                    is_ = f"is {shown(row[column])}" if column in row else "is missing"
                    faults.append(f"{where} {is_}")
                faults += [f"{where} {shown(w)} {why}" for w in words or () if (why := fault_of(w))]
            found += [(word, image) for word in cells[0] or () for image in cells[1] or ()]
        if faults:
            raise ConstructError(
                f"{self.source} has cells that are no words: {first_of(faults)}; {A_WORD}: mend "
                "them, or leave these rows out."
            )
        if not found:
            raise ConstructError(
                f"{self.source} has no word in its column {target!r}; name others."
            )
        return found, empty

    @property
    def input(self) -> str:
        """The column of the inputs, if none is named: "input", or else the first."""
        return INPUT if INPUT in self.columns else self.columns[0]

    @property
    def outputs(self) -> list[str]:
        """The columns of the outputs: "output" beside "input", or else all others."""
        if {INPUT, OUTPUT} <= set(self.columns):
            return [OUTPUT]
        return [name for name in self.columns if name != self.input]

    def column(self, name: str) -> str:
        """The name of a column, if there is one.

        Raises:
            ConstructError: naming those that there are.
        """
        if name not in self.columns:
            raise ConstructError(
                f"{self.source} has no column {name!r}; its columns are: "
                f"{', '.join(map(shown, self.columns[:20]))}."
            )
        return name


def _words(cell: Any) -> list[str] | None:
    """The words of a cell; None if it is anything else. A whole number is its digits."""
    if isinstance(cell, str):
        return [cell]
    if type(cell) is int:
        return [str(cell)]
    if isinstance(cell, _Pairs) or not isinstance(cell, list) or not cell:
        return None
    words = [_words(one) for one in cell]
    return [word for one in words if one for word in one] if all(words) else None


def read_table(text: str, source: str, form: str | None = None, *, header: bool = True) -> Table:
    """The table of a file's text.

    Args:
        source: the file's name; its suffix tells the form, or else its text does.
        form: one of `FORMS`, whatever name and text say.
        header: whether CSV and TSV name their columns; if not, they are inputs and outputs.

    Raises:
        ConstructError: if it is not in that form, with the line or the record.
    """
    form = form or form_of(text, source)
    if form in ("csv", "tsv"):
        return _read_columns(text, source, form, header)
    if form == "jsonl":
        # JSON may hold what splitlines takes for the end of a line.
        lines = [(i, line) for i, line in enumerate(text.split("\n"), 1) if line.strip()]
        records = [(i, _json(line, f"line {i} of {source}")) for i, line in lines]
        return _of_records(records, source, "line")
    value = _json(text, source)
    if isinstance(value, _Pairs):
        if isinstance(dict(value).get("tasks"), list):
            raise ConstructError(
                f"{source} is a task file already, and no table; build it as it is."
            )
        value = [list(pair) for pair in value]
    records = list(enumerate(value if isinstance(value, list) else [value], 1))
    return _of_records(records, source, "record")


def form_of(text: str, source: str) -> str:
    """The form of a file: that of its suffix, or else the one that its text has."""
    suffix = SUFFIXES.get(source.rpartition(".")[2].lower()) if "." in source else None
    first, _, rest = text.strip().partition("\n")
    start = first[:1]
    if suffix in ("csv", "tsv", "jsonl") or not text.strip():
        return suffix or "csv"
    if start and start in "{[":
        # A whole value on the first line, and another below it, are lines of JSON.
        return "jsonl" if rest.strip()[:1] in ("{", "[") and _is_whole(first) else "json"
    return suffix or ("tsv" if "\t" in first else "csv")


def _is_whole(line: str) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


class _Pairs(list):
    """A JSON object: its pairs, of which two may have one key."""

    def __repr__(self) -> str:
        return repr(dict(self))


def _json(text: str, source: str) -> Any:
    """JSON whose objects are `_Pairs`.

    Raises:
        ConstructError: if it is not JSON.
    """
    try:
        return json.loads(text, object_pairs_hook=_Pairs)
    except json.JSONDecodeError as error:
        raise ConstructError(f"{source} is not valid JSON: {error}.") from error
    except (RecursionError, ValueError) as error:
        raise ConstructError(f"{source} cannot be read: {error}.") from error


def _of_records(records: Sequence[tuple[int, Any]], source: str, place: str) -> Table:
    """The table of records and pairs.

    Raises:
        ConstructError: if there is none, or one is neither.
    """
    if not records:
        raise ConstructError(f"{source} is empty; give it at least one pair of words.")
    rows: list[Row] = []
    for number, record in records:
        pair = not isinstance(record, _Pairs) and isinstance(record, list) and len(record) == 2
        cells = dict(zip((INPUT, OUTPUT), record, strict=True)) if pair else None
        if isinstance(record, _Pairs):
            cells = dict(record)
            if len(cells) != len(record):
                raise ConstructError(f"{place} {number} of {source} has a field twice; keep one.")
        if not cells:
            raise ConstructError(
                f"{place} {number} of {source} is {shown(record)}; it must be a record such as "
                '{"input": "France", "output": "Paris"}, or a pair ["France", "Paris"].'
            )
        rows.append((number, cells))
    columns = dict.fromkeys(name for _, cells in rows for name in cells)
    return Table(source, tuple(columns), tuple(rows), place)


def _read_columns(text: str, source: str, form: str, named: bool) -> Table:
    """A CSV or TSV file; in a CSV file semicolons may stand for commas.

    Raises:
        ConstructError: naming the line that has other than as many cells as the first.
    """
    start = text.lstrip("\n\r").split("\n", 1)[0]
    mark = "\t" if form == "tsv" else next((c for c in ",;\t" if c in start), ",")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True)
    lines: list[tuple[int, list[str]]] = [] if named else [(0, [INPUT, OUTPUT])]
    try:
        for cells in reader:
            stripped = [cell.strip() for cell in cells]
            if any(stripped):
                lines.append((reader.line_num, stripped))
    except csv.Error as error:
        raise ConstructError(f"line {reader.line_num} of {source}: {error}.") from error
    if len(lines) < 2:
        raise ConstructError(
            f"{source} has {len(lines)} lines; it needs a first line with the names of its "
            "columns, and at least one line of words."
        )
    (_, names), *rest = lines
    if len(names) < 2 or len(set(names)) != len(names) or not all(names):
        raise ConstructError(
            f"the first line of {source} is {shown(names)}; it must name at least two columns, "
            "each in its own way, such as: country,capital (--from names another form)."
        )
    for number, cells in rest:
        if len(cells) != len(names):
            raise ConstructError(
                f"line {number} of {source} has {len(cells)} cells, the first line has "
                f"{len(names)}; quote a cell that holds {mark!r}."
            )
    rows = tuple((number, dict(zip(names, cells, strict=True))) for number, cells in rest)
    return Table(source, tuple(names), rows, "line")


def read_file(path: Path) -> str:
    """The text of a file.

    Raises:
        ConstructError: if it cannot be read, or is not UTF-8 text.
    """
    return decoded(path.read_bytes, str(path))


def decoded(read: Callable[[], bytes], path: str) -> str:
    """The text of what is read, without the mark at its start that some programs write.

    Raises:
        ConstructError: if it cannot be read, or is not UTF-8 text.
    """
    try:
        return read().decode("utf-8-sig")
    except OSError as error:
        raise ConstructError(f"cannot read {path}: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise ConstructError(f"{path} is not UTF-8 text; save it as UTF-8.") from error
    except ValueError as error:  # a NUL in the path
        raise ConstructError(f"cannot read {path!r}: {error}.") from error


def gathered(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """For each input, in order of appearance, its different outputs; spellings are one word."""
    found: dict[str, dict[str, None]] = {}
    for word, image in pairs:
        found.setdefault(one_spelling(word), {})[one_spelling(image)] = None
    return {word: [*images] for word, images in found.items()}


def refuse_several(images: Mapping[str, Sequence[str]], what: str, remedy: str) -> None:
    """Refuse inputs with several outputs.

    Raises:
        ConstructError: naming ten of them, and how many there are.
    """
    several = [
        f"{brief(word, 30)!r}: {brief(', '.join(outputs), 60)}"
        for word, outputs in images.items()
        if len(outputs) > 1
    ]
    if several:
        inputs = "1 input has" if len(several) == 1 else f"{len(several)} inputs have"
        raise ConstructError(f"{what}: {inputs} several outputs ({first_of(several)}); {remedy}.")


def table_of_file(text: str, source: str, name: str) -> dict[str, str]:
    """The table {word: word} of a file that a task names, for the task of this name.

    A file with columns other than "input" and "output" has one of the task's name.

    Raises:
        ConstructError: if it has no such column, or an input has several outputs.
    """
    table = read_table(text, source)
    [output] = table.outputs if {INPUT, OUTPUT} <= set(table.columns) else [table.column(name)]
    if output == table.input:
        raise ConstructError(
            f"the column {output!r} of {source} is its inputs; name task {name!r} as a column "
            "of outputs."
        )
    images = gathered(table.pairs(table.input, output)[0])
    remedy = "keep one for each, or let 'construct tasks --on-duplicate all' make more tasks of it"
    refuse_several(images, source, remedy)
    return {word: outputs[0] for word, outputs in images.items()}


def no_table(value: Any) -> str:
    """What a message says of what is no table {word: word}, after the name of the task."""
    right = 'an object such as {"France": "Paris"}, with at least one pair'
    if isinstance(value, list):
        return (
            f"is a list of {len(value)} records; it must be {right}, or the name of a file: "
            "write the list into one, and the file's name here, or let 'construct tasks' do it; "
            'a table on several operands is a list such as [[["12", "30"], "42"]]'
        )
    is_ = "is empty" if isinstance(value, Mapping) else f"is {shown(value)}"
    return f"{is_}; it must be {right}"
