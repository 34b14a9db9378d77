"""`construct tasks`: a task file of tables, as people have them."""

from pathlib import Path

import click

from construct.cli import FORMAT_HELP, unescaped
from construct.cli.outputs import write
from construct.errors import ConstructError

EPILOG = """\b
Examples:
  construct tasks capitals.csv -o tasks.json
  construct tasks antonym.json en-fr.jsonl --on-duplicate first -o tasks.json
  construct tasks places.jsonl --input country --output capital --name capital
  construct tasks a.csv --format 'Q: {1}\\nA: {y}' | construct plan --tasks -

\b
A FILE is JSON, of the form {word: word}, [[word, word], ...] or
[{"input": word, "output": word}, ...]; JSON Lines of such records or pairs;
or CSV or TSV whose first line names the columns. Without --input and
--output, the columns of these names are taken, or else the first as input,
and each other one as a task. A task is named as its column, and as its file
where the column is "output". An empty cell of outputs is no pair; a list of
words in JSON is several outputs.

\b
Where an input has several outputs, --on-duplicate says what to do:
  error  name the inputs and stop (the default)
  first  keep the first output of each
  all    make tasks NAME-1, NAME-2, ...: NAME-i has the i-th output of each
         input that has so many, so that an example votes for one of them
"""


@click.command(epilog=EPILOG)
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option("-o", "--out", metavar="FILE", help="Task file to write; else it is printed.")
@click.option("--input", "source", metavar="NAME", help="The column, or field, of the inputs.")
@click.option(
    "--output", "targets", metavar="NAME", multiple=True, help="One of outputs; may be repeated."
)
@click.option("--name", metavar="NAME", help="The task's name, if it is one task.")
@click.option(
    "--on-duplicate",
    type=click.Choice(["error", "first", "all"]),
    default="error",
    show_default=True,
    help="What to do where an input has several outputs.",
)
@click.option(
    "--from",
    "form",
    type=click.Choice(["json", "jsonl", "csv", "tsv"]),
    help="The form of the files, if their names and texts do not tell.",
)
@click.option(
    "--no-header", is_flag=True, help="The first line of CSV or TSV holds words too, of 2 columns."
)
@click.option("--format", "prompt_format", metavar="TEXT", help=FORMAT_HELP)
@click.option("--json", "as_json", is_flag=True, help="Print what was made as JSON (needs --out).")
def command(
    files: tuple[str, ...],
    out: str | None,
    source: str | None,
    targets: tuple[str, ...],
    name: str | None,
    on_duplicate: str,
    form: str | None,
    no_header: bool,
    prompt_format: str | None,
    as_json: bool,
) -> None:
    """Make a task file of tables of words: each column of outputs is a task.

    The words keep the order in which they appear. FILE may be - for standard input.
    """
    from construct.cli.show import print_json, read_text
    from construct.spec.tables import read_table

    if as_json and out is None:
        raise ConstructError("--json reports on the file that is written; name it with --out.")
    if out is not None:
        _refuse_sources(Path(out), files)
    found: dict[str, dict[str, str]] = {}
    left_out = 0
    for file in files:
        table = read_table(read_text(file), file, form, header=not no_header)
        tables, empty = _tables(table, source, targets)
        if name is not None:
            if len(tables) > 1 or len(files) > 1:
                raise ConstructError(
                    f"--name {name} names one task, but there are several; choose one file and, "
                    "with --output, one column, or leave --name out."
                )
            tables = dict.fromkeys([name], *tables.values())
        for task, images in tables.items():
            _add(found, task, images, on_duplicate, file)
        left_out += empty
    text = _task_file(found, prompt_format)
    if out is None:
        click.echo(text, nl=False)
        return
    write(Path(out), text)
    words = {word for pairs in found.values() for pair in pairs.items() for word in pair}
    counts = {task: len(pairs) for task, pairs in found.items()}
    report = {"file": out, "tasks": counts, "words": len(words), "left_out": left_out}
    if as_json:
        print_json(report)
    else:
        _print(report)


def _print(report: dict) -> None:
    from construct.cli.show import console, table

    counts = [
        f"{task} ({count} pair{'s' * (count > 1)})" for task, count in report["tasks"].items()
    ]
    rows = [("tasks", ", ".join(counts)), ("words", report["words"])]
    if empty := report["left_out"]:
        rows.append(("left out", f"{empty} empty cell{'s' * (empty > 1)}"))
    console().print(table([*rows, ("written to", report["file"])]))


def _tables(
    table, source: str | None, targets: tuple[str, ...]
) -> tuple[dict[str, dict[str, list[str]]], int]:
    """The tasks of a file, with all outputs of each input; how many cells are empty."""
    from construct.spec.tables import OUTPUT, gathered

    file = table.source
    inputs = table.input if source is None else table.column(source)
    columns = [table.column(name) for name in targets] or [
        name for name in table.outputs if name != inputs
    ]
    if inputs in columns or not columns:
        raise ConstructError(
            f"{file} has the columns {', '.join(table.columns)}; name one of inputs and another "
            "one of outputs with --input and --output."
        )
    tables, left_out = {}, 0
    for column in columns:
        pairs, empty = table.pairs(inputs, column)
        stem = "task" if file == "-" else Path(file).stem
        tables[stem if column == OUTPUT else column] = gathered(pairs)
        left_out += empty
    return tables, left_out


def _add(
    found: dict[str, dict[str, str]],
    task: str,
    images: dict[str, list[str]],
    on_duplicate: str,
    file: str,
) -> None:
    """Add the task, or several of them where inputs have several outputs."""
    from construct.spec.tables import refuse_several

    if on_duplicate == "error":
        remedy = "choose one each, or --on-duplicate first or all"
        refuse_several(images, f"task {task!r} of {file}", remedy)
    most = max(map(len, images.values())) if on_duplicate == "all" else 1
    for i in range(most):
        own = task if most == 1 else f"{task}-{i + 1}"
        if own in found:
            raise ConstructError(
                f"two tasks are named {own!r}, the second of {file}; rename a file or a column, "
                "or make two task files."
            )
        found[own] = {word: outputs[i] for word, outputs in images.items() if len(outputs) > i}


def _task_file(found: dict[str, dict[str, str]], prompt_format: str | None) -> str:
    """The text of the task file; what `build` would refuse of it is refused here."""
    import json

    from construct.spec.format import PromptFormat
    from construct.spec.tasks import task_name

    tasks = [
        {"name": task_name(name), "kind": "lookup", "table": table} for name, table in found.items()
    ]
    file: dict = {"tasks": tasks}
    if prompt_format is not None:
        file["format"] = PromptFormat.of(unescaped(prompt_format), 2).text
    return json.dumps(file, ensure_ascii=False, indent=1) + "\n"


def _refuse_sources(path: Path, files: tuple[str, ...]) -> None:
    """Refuse to write over a file that was read, or over any that is not a task file."""
    import json

    if not path.is_file():
        return
    read = [name for name in files if name != "-" and Path(name).exists()]
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        value = None
    if any(path.samefile(name) for name in read) or not (
        isinstance(value, dict) and "tasks" in value
    ):
        raise ConstructError(f"{path} exists and is not a task file; choose another name.")
