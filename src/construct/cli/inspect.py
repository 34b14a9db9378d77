"""`construct inspect`: what is where in an artifact."""

from pathlib import Path
from typing import Any

import click

from construct.cli import FORMAT_HELP
from construct.cli import picture as pictures
from construct.execute.registry import EXECUTORS, FLOATS

EPILOG = """\b
Examples:
  construct inspect construct-K4-d16
  construct inspect construct-K4-d16 --json
  construct inspect words    (built by --design decoder: match, count, log)
  construct inspect construct-K4-d16 --prompt prompt.json
  construct sample words | construct inspect words --prompt -
  construct inspect words --prompt prompt.txt --executor exact --json
  construct inspect words --prompt prompt.txt --npz pass.npz
  construct inspect words --picture layers.svg
  construct inspect words --prompt prompt.txt --picture stream.svg

Of each design: theorem, seven layers of ReLU attention; decoder and encoder, three
or four blocks of softmax attention.

With --prompt: one pass on that prompt. For each layer and head the pairs of tokens
with a score above 0 (softmax: a weight above what leaks), what the fields hold that
the layer changes, which example votes for which task, and the answer. Long lists
are cut short, after what concerns the token of the answer; --json has all of them,
as [token, token, score] and, of each field, [token, entry, number]: all count from 1
there. --npz has the same as arrays for NumPy, which count tokens, heads and examples
from 0, as construct.trace does.

--picture draws the layers over the fields of the residual stream, as the non-zero
weights read and write them; with --prompt, the stream of that prompt.
"""


@click.command(epilog=EPILOG)
@click.argument("directory", metavar="DIR")
@click.option(
    "--prompt", "prompt_file", metavar="FILE", help="Show a pass on this prompt (- is stdin)."
)
@click.option("--format", "form", metavar="TEXT", help=FORMAT_HELP)
@click.option(
    "--executor",
    type=click.Choice(list(EXECUTORS)),
    help="What runs the pass: by default numpy, on long prompts jax or sparse.",
)
@click.option(
    "--dtype",
    type=click.Choice(FLOATS),
    help="Number format, by default float64; not for the exact executor.",
)
@click.option("--npz", metavar="FILE", help="Write the pass as arrays for NumPy.")
@click.option("--picture", metavar="FILE", help="Draw it as FILE, which ends in .svg.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")
def command(
    directory: str,
    prompt_file: str | None,
    form: str | None,
    executor: str | None,
    dtype: str | None,
    npz: str | None,
    picture: str | None,
    as_json: bool,
) -> None:
    """Show the tasks, the residual stream's fields, the layers, lemmas and heads of DIR.

    With --prompt FILE, show what happens inside a pass on that prompt.
    """
    from construct.artifact import load
    from construct.cli.show import print_json

    if prompt_file is not None:
        _inside(directory, prompt_file, form, executor, dtype, npz, picture, as_json)
        return
    _refuse_without_prompt(format=form, executor=executor, dtype=dtype, npz=npz)
    path = None if picture is None else pictures.refuse_other_files(picture, directory)
    made = load(directory)
    if path is not None:
        from construct.show.picture import diagram

        pictures.write(path, diagram(made))
    if as_json:
        print_json(_facts(made))
    elif path is not None:
        pictures.print_written(path, "the layers, and what each reads and writes")
    else:
        _print(made)


def _refuse_without_prompt(**options: str | None) -> None:
    from construct.errors import ConstructError

    for name, value in options.items():
        if value is not None:
            raise ConstructError(f"--{name} is about a pass on a prompt; add --prompt FILE.")


def _inside(
    directory: str,
    prompt_file: str,
    form: str | None,
    executor: str | None,
    dtype: str | None,
    npz: str | None,
    picture: str | None,
    as_json: bool,
) -> None:
    """Run the prompt and show what is inside of the pass.

    Raises:
        ConstructError: if something is malformed.
        OutsideDomain: if the theorem makes no promise for this prompt.
        CheckFailed: after printing, if the total of a head is not a number of votes.
    """
    from construct.answer import refuse_what_are_no_votes
    from construct.artifact import load
    from construct.cli import inside
    from construct.cli.run import in_format, refuse_floats_of_exact
    from construct.cli.show import print_json, read_text
    from construct.inside.trace import trace

    refuse_floats_of_exact(executor, dtype)
    if npz is not None:
        inside.refuse_other_files(Path(npz), directory)
    path = None if picture is None else pictures.refuse_other_files(picture, directory)
    made = in_format(load(directory), form)
    prompt = made.prompt(read_text(prompt_file))
    done = trace(made, prompt, executor=executor, dtype=dtype)
    arrays = None if npz is None else inside.write_arrays(done, Path(npz))
    if path is not None:
        from construct.show.picture import stream

        pictures.write(path, stream(done))
    if as_json:
        print_json(inside.as_json(done))
    elif npz is None and path is None:
        inside.print_inside(done)
    else:
        if npz is not None and arrays is not None:
            inside.print_arrays(arrays, Path(npz))
        if path is not None:
            pictures.print_written(path, "the residual stream of the prompt")
    refuse_what_are_no_votes(made, done.answer, len(prompt.X))


def _facts(made: Any) -> dict[str, Any]:
    from construct.cli.held import as_json as held_json
    from construct.cli.scratch import as_json, found

    transformer, sizes = made.transformer, made.sizes
    return {
        "design": made.design,
        "attention": str(transformer.attention),
        "tasks": made.definitions,
        "held": held_json(made),
        "width": sizes.D,
        "scratch": as_json(found(made)),
        "residual_stream": sizes.residual.to_json(),
        "layers": [
            {
                "name": layer.name,
                "lemma": layer.lemma,
                "heads": [
                    {"name": head.name, "purpose": head.purpose, "shapes": _shapes(head)}
                    for head in layer.heads
                ],
                "mlp": {"purpose": layer.mlp.purpose, "shapes": _shapes(layer.mlp)},
            }
            for layer in transformer.layers
        ],
    }


def _print(made: Any) -> None:
    from construct.cli import WIDTH
    from construct.cli.held import as_json as held_json
    from construct.cli.held import rows as held_rows
    from construct.cli.scratch import as_json, found, rows
    from construct.cli.show import console, table
    from construct.errors import brief

    out, sizes = console(), made.sizes
    names = [brief(task.name, 20) for task in made.tasks]
    room = WIDTH - max(len("task"), *map(len, names)) - 2
    lines = [task.described(room) for task in made.tasks]
    out.print(table(zip(names, lines, strict=True), "task", "computes"))
    out.print()
    of = f" of {made.softmax.of}" if made.softmax else ""
    out.print(f"Design: {made.design}{of}, {made.transformer.attention} attention")
    out.print(f"Residual stream: {sizes.formula} coordinates, {sizes.N} tokens")
    if lines := [*held_rows(held_json(made)), *rows(as_json(found(made)))]:
        out.print(table(lines))
    out.print()
    fields = [
        (f.name, f"{f.start}..{f.start + f.width - 1}", f.holds) for f in sizes.residual.fields
    ]
    out.print(table(fields, "field", "at", "holds"))
    for number, layer in enumerate(made.transformer.layers, 1):
        out.print()
        _print_layer(out, number, layer)


def _print_layer(out: Any, number: int, layer: Any) -> None:
    from rich.padding import Padding

    from construct.cli.show import table

    out.print(f"Layer {number}: {layer.name}", style="bold")
    out.print(Padding(layer.lemma, (0, 0, 0, 2)))
    busy = [head for head in layer.heads if not head.idle]
    parts = [(f"  head {head.name}", head.purpose) for head in busy]
    if idle := len(layer.heads) - len(busy):
        parts.append(("  idle", f"{idle} heads, all zero"))
    if not layer.mlp.idle:
        units = layer.mlp.sparse("W_out").shape[0]
        parts.append(("  MLP", f"{layer.mlp.purpose} ({units} units)"))
    out.print(table(parts))


def _shapes(part: Any) -> dict[str, list[int]]:
    return {name: list(part.sparse(name).shape) for name in part.WEIGHTS}
