"""`construct inspect`: what is where in an artifact."""

from typing import Any

import click

EPILOG = """\b
Examples:
  construct inspect construct-K4-d16
  construct inspect construct-K4-d16 --json
  construct inspect words    (built by --design decoder: match, count, log)

Of each design: theorem, seven layers of ReLU attention; decoder and encoder, three
or four blocks of softmax attention.
"""


@click.command(epilog=EPILOG)
@click.argument("directory", metavar="DIR")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")
def command(directory: str, as_json: bool) -> None:
    """Show the tasks, the residual stream's fields, the layers, lemmas and heads of DIR."""
    from construct.artifact import load
    from construct.cli.show import print_json

    made = load(directory)
    if as_json:
        print_json(_facts(made))
    else:
        _print(made)


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
