"""`construct inspect`: what is where in an artifact."""

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
    """Show the residual stream's fields, and layers, lemmas and heads of DIR."""
    from construct.artifact import load
    from construct.cli.show import console, print_json, table

    transformer = load(directory).transformer
    sizes = transformer.sizes
    fields = [
        {"field": f.name, "start": f.start, "width": f.width, "holds": f.holds}
        for f in sizes.residual.fields
    ]
    layers = [
        {
            "name": layer.name,
            "lemma": layer.lemma,
            "heads": [
                {
                    "name": h.name,
                    "purpose": h.purpose,
                    "shapes": {w: list(getattr(h, w).shape) for w in h.WEIGHTS},
                }
                for h in layer.heads
            ],
            "mlp": {
                "purpose": layer.mlp.purpose,
                "shapes": {w: list(getattr(layer.mlp, w).shape) for w in layer.mlp.WEIGHTS},
            },
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
    for number, layer in enumerate(layers, 1):
        out.print()
        out.print(f"Layer {number}: {layer['name']}", style="bold")
        out.print(f"  {layer['lemma']}")
        busy = [h for h in layer["heads"] if h["name"] != "idle"]
        heads = [(f"  head {h['name']}", h["purpose"]) for h in busy]
        idle = len(layer["heads"]) - len(busy)
        if idle:
            heads.append(("  idle", f"{idle} heads, all zero"))
        if layer["mlp"]["shapes"]["W_in"][1] > 1 or "nothing" not in layer["mlp"]["purpose"]:
            units = layer["mlp"]["shapes"]["W_in"][1]
            heads.append(("  MLP", f"{layer['mlp']['purpose']} ({units} units)"))
        out.print(table(heads))
