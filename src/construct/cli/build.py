"""`construct build`: tasks become an artifact."""

from pathlib import Path
from typing import Any

import click

from construct.cli import Whole, say, softmax
from construct.cli.scratch import OPTION as SCRATCH
from construct.designs import DESIGNS
from construct.errors import ConstructError

EPILOG = """\b
Examples:
  construct build --K 4 --d 16
  construct build --K 64 --d 16 --m 100 --seed 7 --out wide
  construct build --tasks examples/plus.json --out plus
  construct build --tasks examples/relu.json --scratch 1 --out relu
  construct build --tasks examples/capitals.json --design decoder --out words
  construct build --K 4 --d 16 --design encoder

The designs: theorem, seven layers of ReLU attention divided by N; decoder, causal
softmax, that predicts the answer at every query of a prompt; encoder, softmax that
sees the whole prompt. Without --tasks, the tasks are K distinct signed permutations plus shifts of
R^d, drawn from the seed.
"""

SIZE = Whole(min=1)

DESIGN = click.option(
    "--design",
    type=click.Choice(DESIGNS),
    default=DESIGNS[0],
    show_default=True,
    help="ReLU attention; causal softmax, with an answer at every query; or softmax.",
)


@click.command(epilog=EPILOG)
@click.option("--K", "K", type=SIZE, help="Tasks, and heads in each layer.")
@click.option("--d", "d", type=SIZE, help="Dimension of a token's vector.")
@click.option("--m", "m", type=SIZE, default=32, show_default=True, help="Slots for examples.")
@click.option("--n", "n", type=SIZE, help="Tokens of an example: n-1 inputs, 1 label.")
@click.option("--tasks", "path", metavar="FILE", help="Task file (JSON); - is standard input.")
@SCRATCH
@DESIGN
@click.option("--seed", type=Whole(min=0), default=0, show_default=True)
@click.option(
    "-o",
    "--out",
    metavar="DIR",
    help="Folder to write; by default construct-K4-d16 for K = 4, d = 16.",
)
@click.option("--dense", is_flag=True, help="Store weights as dense matrices, zeros included.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")
def command(
    K: int | None,
    d: int | None,
    m: int,
    n: int | None,
    path: str | None,
    scratch: int | None,
    design: str,
    seed: int,
    out: str | None,
    dense: bool,
    as_json: bool,
) -> None:
    """Compile tasks into the explicit weights of a transformer."""
    from construct import artifact
    from construct.checking.witness import survey
    from construct.cli.show import console, print_json, table
    from construct.compiler import build, random_tasks

    if path is None:
        if K is None or d is None:
            raise ConstructError(
                "build needs --K and --d, or --tasks FILE; write: construct build --K 4 --d 16"
            )
        tasks, given = random_tasks(K, d, seed), False
        made = build(tasks, m=m, n=n, scratch=scratch, design=design)
    else:
        file, n, scratch = read_tasks(path, K, d, n, scratch)
        said = {"domain": file.domain, "vocabulary": file.vocabulary, "format": file.format}
        said["scratch"] = scratch
        made = build(file.tasks, m=m, n=n, design=design, **said)
        given = file.domain is not None
    target = Path(out or f"construct-K{made.sizes.K}-d{made.sizes.d}")
    # Everything that can fail comes before the artifact is written.
    warnings = survey(made).warnings()
    told: Any = softmax if made.softmax is not None else None
    if as_json:
        report = told.as_json(made, target, warnings) if told else _json(made, target, warnings)
    else:
        report = told.rows(made, target, given) if told else _rows(made, target, given)
    artifact.save(made, target, dense=dense)
    if as_json:
        print_json(report)
    else:
        console().print(table(report))
        for warning in warnings[:1]:
            more = f" (--json lists {len(warnings) - 1} more)" if warnings[1:] else ""
            say(f"warning: {warning}{more}")


def read_tasks(path: str, K: int | None, d: int | None, n: int | None, scratch: int | None = None):
    """Read the task file; n and scratch are those of the command line or else of the file.

    Raises:
        ConstructError: if the file says other sizes than the command line.
    """
    from construct.cli.show import read_text
    from construct.spec.taskfile import parse_tasks

    # The files that a task file names are beside it.
    file = parse_tasks(read_text(path), path, folder="." if path == "-" else Path(path).parent)
    for name, given, found in (("K", K, len(file.tasks)), ("d", d, file.tasks[0].d)):
        if given not in (None, found):
            raise ConstructError(f"{path} has {name} = {found}; leave out --{name} {given}.")
    for name, given, said in (("n", n, file.n), ("scratch", scratch, file.scratch)):
        if None not in (given, said) and given != said:
            raise ConstructError(f"{path} has {name} = {said}; leave out --{name} {given}.")
    return file, n or file.n, file.scratch if scratch is None else scratch


def _facts(made) -> dict:
    sizes, transformer = made.sizes, made.transformer
    return {
        "layers": len(transformer.layers),
        "heads": sizes.K,
        "width": sizes.D,
        "parameters": transformer.parameters,
        "nonzeros": transformer.nonzeros,
    }


def _json(made, target: Path, warnings: list[str]) -> dict:
    from construct.cli.held import as_json as held_json
    from construct.cli.scratch import as_json as scratch_json
    from construct.cli.scratch import found
    from construct.cli.show import machine

    sizes, margins = made.sizes, made.margins
    return {
        "artifact": str(target),
        **_facts(made),
        "formula": sizes.formula,
        "sizes": {s: getattr(sizes, s) for s in ("K", "d", "m", "n", "S", "P", "w", "N", "M")},
        "scratch": scratch_json(found(made)),
        "tasks": [task.name for task in made.tasks],
        "held": held_json(made),
        "domain": made.domain.to_json(),
        "margins": {
            name: machine(getattr(margins, name)) for name in ("B", "C", "s", "N", "L", "a")
        },
        "certified": list(made.certified),
        "not_certified": {k: why for k, why in made.certificates.items() if why},
        "answer_ulp": {name: made.accuracy[name].ulps for name in made.certified},
        "limits": {
            name: {"m": limit.m, "times": machine(limit.times)}
            for name, limit in made.limits.items()
        },
        "warnings": warnings,
    }


def _near(made, name: str) -> str:
    """How far rounding takes an answer, in ulp unless these are very many."""
    from construct.certify.formats import BY_NAME

    ulps = made.accuracy[name].ulps
    if ulps < MOST_ULPS:
        return f"{ulps} ulp of its largest term"
    return f"{float(ulps * BY_NAME[name].u):.1g} times its largest term"


# Above so many they are said as a share.
MOST_ULPS = 1 << 20


def _rows(made, target: Path, given: bool) -> list[tuple[str, object]]:
    from construct.cli.held import as_json as held_json
    from construct.cli.held import rows as held_rows
    from construct.cli.scratch import as_json, found, law
    from construct.cli.scratch import rows as scratch_rows
    from construct.cli.show import power

    sizes, margins, facts = made.sizes, made.margins, _facts(made)
    names = [task.name for task in made.tasks]
    listed = ", ".join(names[:8]) + (f", ... ({len(names)} in all)" if len(names) > 8 else "")
    rows = [
        ("tasks", listed),
        *held_rows(held_json(made)),
        ("layers", facts["layers"]),
        ("heads per layer", sizes.K),
        ("width D", sizes.D),
        ("", law(sizes.w)),
        ("", sizes.formula),
        *scratch_rows(as_json(found(made))),
        ("examples", f"m = {sizes.m} slots of n = {sizes.n} tokens"),
        ("context N", f"{sizes.N} tokens"),
        ("parameters", f"{facts['parameters']:,}"),
        ("non-zeros", f"{facts['nonzeros']:,}"),
        ("domain", f"{made.domain}{'' if given else ' (chosen)'}"),
        ("margins", f"B = {power(margins.B)}, C = {power(margins.C)},"),
        ("", f"s = {power(margins.s)}, N = {power(margins.N)}"),
        *([("", f"L = {margins.L}")] if margins.L else []),
        *([("", f"a = {margins.a}")] if margins.flat else []),
        ("certified", ", ".join([*made.certified, "exact rationals"])),
    ]
    for name, reasons in made.certificates.items():
        rows += [(f"not {name}", reason) for reason in reasons]
    for i, name in enumerate(made.certified):
        rows.append(("" if i else "answer", f"{name}: within {_near(made, name)}"))
    for i, (name, limit) in enumerate(made.limits.items()):
        slots = f"m up to {limit.m:,}" if limit.m else "no m"
        bound = f"up to {float(limit.times):.4g} times" if limit.times else "none at this m"
        rows.append(("" if i else "limits", f"{name}: {slots}, or R and R_y {bound}"))
    rows.append(("written to", target))
    return rows
