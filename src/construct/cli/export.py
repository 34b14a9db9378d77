"""`construct export`: a folder that another library loads."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from construct.cli import Whole
from construct.interop import RELU, TARGETS

EPILOG = """\b
Examples:
  construct export words --to huggingface
  construct export words --to huggingface --dtype float64 -o words-hf
  construct export words --to onnx --json

\b
For huggingface a decoder of words becomes a GPT2LMHeadModel with a tokenizer
that takes the text of a prompt; a decoder of vectors a LlamaForCausalLM, and
an encoder a T5EncoderModel, which are given embeddings. In the folder
README.md has code that loads it, and construct.json what is known of its
inside.
"""

# Bytes of the unit of --limit.
GB = 10**9


@click.command(epilog=EPILOG)
@click.argument("directory", metavar="DIR")
@click.option("--to", type=click.Choice(list(TARGETS)), required=True, help="For which library.")
@click.option(
    "--dtype",
    type=click.Choice(["float32", "float64"]),
    help="Number format of the weights; by default float32, if it is certified.",
)
@click.option("-o", "--out", metavar="FOLDER", help="Folder to write; by default DIR-TARGET.")
@click.option(
    "--limit",
    type=Whole(min=1),
    default=16,
    show_default=True,
    help="GB beyond which nothing is written: weights are dense.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")
def command(
    directory: str, to: str, dtype: str | None, out: str | None, limit: int, as_json: bool
) -> None:
    """Write artifact DIR for another library, load it there, and compare the answers."""
    from construct.artifact import load
    from construct.cli.show import console, print_json, table
    from construct.interop.export import export, format_of

    made = load(directory)
    dtype = format_of(made, dtype, relu=to in RELU)
    folder = Path(out or f"{Path(directory).name}-{to}")

    def announce(size: int) -> None:
        click.echo(f"{to} in {dtype}: {size:,} bytes to write", err=as_json)

    with _progress() as progress:
        done = export(
            *(made, to, folder),
            dtype=dtype,
            limit=limit * GB,
            announce=announce,
            progress=progress,
        )
    if as_json:
        print_json(_json(done, to, dtype))
    else:
        console().print(table(_rows(done)))


def _json(done: Any, to: str, dtype: str) -> dict[str, Any]:
    from construct.cli.show import above

    found = done.comparison
    return {
        "folder": str(done.folder),
        "to": to,
        "dtype": dtype,
        "bytes": done.bytes,
        "files": sorted(path.name for path in done.folder.iterdir()),
        "comparison": {
            "prompts": found.prompts,
            "queries": found.queries,
            "worst": found.worst,
            "allowed": above(found.allowed),
        },
    }


def _rows(done: Any) -> list[tuple[str, object]]:
    from construct.cli.show import rounded_up

    found = done.comparison
    return [
        ("compared", f"{found.queries} answers of {found.prompts} prompts, as it was loaded"),
        ("", f"differs by {found.worst:.2g} at most; {rounded_up(found.allowed)} is allowed"),
        ("written to", f"{done.folder} ({done.bytes:,} bytes)"),
    ]


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    """A bar for each stage, on a terminal."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from construct.cli.show import console

    screen = console(err=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    stages: dict[str, Any] = {}
    with Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal) as bars:

        def progress(stage: str, done: int, total: int) -> None:
            if stage not in stages:
                stages[stage] = bars.add_task(stage, total=total)
            bars.update(stages[stage], completed=done)

        yield progress
