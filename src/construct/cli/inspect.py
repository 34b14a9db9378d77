"""`construct inspect`: what is where in an artifact."""

from typing import Any

import click

EPILOG = """\b
Examples:
  construct inspect construct-K4-d16
  construct inspect construct-K4-d16 --json
"""


@click.command(epilog=EPILOG)
@click.argument("directory", metavar="DIR")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")
def command(directory: str, as_json: bool) -> None:
    """Show the fields of the residual stream, the layers, lemmas and heads of artifact DIR."""
    from rich.padding import Padding

    from construct.artifact import load
    from construct.cli.show import console, print_json, table

    transformer = load(directory).transformer
    sizes = transformer.sizes
    fields: list[dict[str, Any]] = [
        {"field": f.name, "start": f.start, "width": f.width, "holds": f.holds}
        for f in sizes.residual.fields
    ]
    layers = [
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
    ]
    if as_json:
        print_json({"width": sizes.D, "residual_stream": fields, "layers": layers})
        return
    out = console()
    out.print(f"Residual stream: {sizes.formula} coordinates, {sizes.N} tokens")
    out.print()
    rows = [
        (f["field"], f"{f['start']}..{f['start'] + f['width'] - 1}", f["holds"]) for f in fields
    ]
    out.print(table(rows, "field", "at", "holds"))
    for number, layer in enumerate(transformer.layers, 1):
        out.print()
        out.print(f"Layer {number}: {layer.name}", style="bold")
        out.print(Padding(layer.lemma, (0, 0, 0, 2)))
        busy = [head for head in layer.heads if not head.idle]
        lines = [(f"  head {head.name}", head.purpose) for head in busy]
        if len(busy) < sizes.K:
            lines.append(("  idle", f"{sizes.K - len(busy)} heads, all zero"))
        if not layer.mlp.idle:
            lines.append(
                ("  MLP", f"{layer.mlp.purpose} ({layer.mlp.sparse('W_out').shape[0]} units)")
            )
        out.print(table(lines))


def _shapes(part: Any) -> dict[str, list[int]]:
    return {name: list(part.sparse(name).shape) for name in part.WEIGHTS}
