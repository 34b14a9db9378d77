"""`construct plan`: what a construction would cost, counted without building it."""

import time
from dataclasses import asdict

import click

from construct.cli import Whole, on_paper
from construct.cli.build import DESIGN
from construct.cli.scratch import OPTION as SCRATCH
from construct.designs import THEOREM
from construct.errors import ConstructError

EPILOG = """\b
Examples:
  construct plan --K 4 --d 16
  construct plan --K 64 --d 256 --m 500000000000 --devices 1024
  construct plan --tasks examples/plus.json --m 1000000 --dtype float32
  construct plan --tasks examples/relu.json --scratch 1
  construct plan --tasks examples/capitals.json --design decoder

Counts are exact, from closed formulas and the matrices of the tasks. A dense pass
computes all N^2 scores of every head that is not idle; a sparse pass computes
those that can be positive. Both multiply by a weight's non-zeros where it is
mostly empty. A softmax design has no sparse pass. Times and memory are
estimates, to one digit, from rates that are measured on this machine in a few
seconds; those of 'construct run' and 'construct build' are of the whole
process, with start and compilation.
"""

SIZE = Whole(min=1)

# With more tokens, the FLOPs leave the range in which a time can be printed.
MOST_TOKENS = 1 << 256


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
    "--dtype",
    type=click.Choice(["float64", "float32"]),
    default="float64",
    show_default=True,
    help="Number format of the forward pass.",
)
@click.option(
    "--devices", type=SIZE, default=1, show_default=True, help="Devices that share the sequence."
)
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
    dtype: str,
    devices: int,
    as_json: bool,
) -> None:
    """Say what a construction of these sizes would cost, without building it."""
    from construct.cli.show import print_json
    from construct.compiler import hold

    if design != THEOREM and devices > 1:
        raise ConstructError(
            f"--devices is {devices}, and softmax attention runs on one device; leave it out, or "
            "plan the design 'theorem'."
        )
    tasks, n, domain, vocabulary, scratch = _tasks(K, d, n, path, seed, scratch)
    start = time.perf_counter()
    held, own = hold(tasks, domain, vocabulary)
    work = tasks, held, vocabulary, time.perf_counter() - start
    if design == THEOREM:
        facts = _of_the_theorem(tasks, m, n, held, own, vocabulary, scratch, dtype, devices, work)
        rows = None
    else:
        made, cost = on_paper.counted(
            design, tasks, m, n, held, own, vocabulary, scratch, MOST_TOKENS
        )
        facts = _facts(cost, dtype, devices) | on_paper.facts(made)
        _add_estimates(facts, cost, _load(cost, *work), ("dense",))
        rows = on_paper.rows(made, given=domain is not None)
    if as_json:
        print_json(facts)
    else:
        _print_table(facts, rows)


def _of_the_theorem(tasks, m, n, held, domain, vocabulary, scratch, dtype, devices, work) -> dict:
    """The facts of the seven layers."""
    from construct.certify import certify, choose_margins
    from construct.cli.scratch import as_json as scratch_json
    from construct.cli.scratch import layouts
    from construct.compiler import default_domain, validate
    from construct.cost import Cost

    wiring, sizes = validate(tasks, m, n, vocabulary, held=held, scratch=scratch, on_paper=True)
    if sizes.tokens > MOST_TOKENS:
        raise ConstructError("m and n give more than 2^256 tokens; choose a smaller --m or --n.")
    domain = domain or default_domain(sizes, wiring, vocabulary)
    margins = choose_margins(sizes, wiring, domain)
    certificates = certify(sizes, wiring, domain, margins)
    cost = Cost.of(sizes, wiring, margins)
    facts = _facts(cost, dtype, devices)
    facts["scratch"] = scratch_json(layouts(held, sizes, wiring, domain))
    _add_estimates(facts, cost, _load(cost, *work), ("dense", "sparse"))
    return facts | {
        "tasks": [task.name for task in tasks],
        "certified": [name for name, why in certificates.items() if not why],
        "not_certified": {name: why for name, why in certificates.items() if why},
    }


def _tasks(K: int | None, d: int | None, n: int | None, path: str | None, seed: int, w: int | None):
    """The tasks, n, the domain and the vocabulary of a file, and the scratch tokens."""
    from construct.cli.build import read_tasks
    from construct.compiler import random_tasks

    if path is not None:
        file, n, w = read_tasks(path, K, d, n, w)
        return file.tasks, n, file.domain, file.vocabulary, w
    if K is None or d is None:
        raise ConstructError(
            "plan needs --K and --d, or --tasks FILE; write: construct plan --K 4 --d 16"
        )
    return random_tasks(K, d, seed), n, None, None, w


def _load(cost, tasks, held, vocabulary, holding: float):
    """What a process works on; it took so many seconds to find what is held of the tasks."""
    from construct.cost.process import Load

    read = _read(held, vocabulary)
    hinges = sum(len(feature) for task in held for feature in task.features)
    if all(own is task for own, task in zip(held, tasks, strict=True)):
        return Load.of(cost, read, hinges=hinges)
    return Load.of(cost, read, hinges=hinges, holding=holding, formulas=True)


def _read(tasks, vocabulary) -> int:
    """Words, and numbers of the tasks that are not 0: what is read of them."""
    words = 0 if vocabulary is None else len(vocabulary)
    matrices = sum(len(A) for task in tasks for A in (*task.A.values(), task.C))
    hinges = [hinge for task in tasks for feature in task.features for hinge in feature]
    shifts = sum(int((task.b != 0).sum()) for task in tasks)
    return words + matrices + shifts + sum(len(own) for hinge in hinges for _, own in hinge.a)


SIZES = ("K", "d", "m", "n", "S", "P", "w", "N", "M")


def _facts(cost, dtype: str, devices: int) -> dict:
    """Counts, as exact integers."""
    import numpy as np

    sizes, itemsize = cost.sizes, np.dtype(dtype).itemsize
    facts = {
        "sizes": {s: getattr(sizes, s) for s in SIZES if hasattr(sizes, s)},
        "layers": len(cost.layers),
        "heads": sizes.heads,
        "heads_not_idle": [one.heads for one in cost.layers],
        "width": sizes.D,
        "formula": sizes.formula,
        "parameters": cost.parameters,
        "nonzeros": cost.entries.nonzeros,
        "rounded": cost.entries.rounded,
        "artifact_bytes": cost.artifact_bytes,
        "dense_bytes": cost.dense_bytes,
        "dtype": dtype,
        "devices": devices,
    }
    for way in ("dense", "sparse"):
        if flops := getattr(cost, f"{way}_flops"):
            numbers = getattr(cost, f"{way}_numbers")
            facts[way] = {
                "flops": flops,
                "peak_bytes": itemsize * numbers(),
                "peak_bytes_per_device": itemsize * numbers(devices),
            }
    return facts


def _add_estimates(facts: dict, cost, load, ways: tuple[str, ...]) -> None:
    """Seconds and bytes on this machine, by what it does in a second."""
    import numpy as np

    from construct.cost import process
    from construct.cost.machine import EXECUTORS, measured

    machine, itemsize = measured(facts["dtype"]), np.dtype(facts["dtype"]).itemsize
    facts["build"], facts["run"] = asdict(process.build(load, machine)), {}
    for way in ways:
        executor = EXECUTORS[way]
        facts[way]["estimated_seconds"] = process.seconds_of(way, cost, machine, itemsize)
        run = process.run(way, cost, load, machine, itemsize)
        facts["run"][way] = {"executor": executor, **asdict(run)}
    facts["machine"] = asdict(machine)


def _print_table(facts: dict, said: list[tuple[str, object]] | None) -> None:
    """Print what is to be said.

    Args:
        said: rows of a softmax design, which `construct build` has too.
    """
    from construct.cli.show import console, count, table

    rows = _theorem_rows(facts) if said is None else said
    rows += [
        ("rounded", f"{count(facts['rounded'])} of them by float64"),
        ("artifact", _bytes(facts["artifact_bytes"])),
        ("if dense", _bytes(facts["dense_bytes"])),
        *_estimated(facts),
    ]
    if said is None:
        rows.append(("certified", ", ".join([*facts["certified"], "exact rationals"])))
        for name, reasons in facts["not_certified"].items():
            rows += [(f"not {name}", reason) for reason in reasons]
    console().print(table(rows))


def _theorem_rows(facts: dict) -> list[tuple[str, object]]:
    from construct.cli.scratch import law
    from construct.cli.scratch import rows as scratch_rows
    from construct.cli.show import count

    sizes, names, busy = facts["sizes"], facts["tasks"], facts["heads_not_idle"]
    listed = ", ".join(names[:8]) + (f", ... ({len(names)} in all)" if len(names) > 8 else "")
    return [
        ("tasks", listed),
        ("layers", facts["layers"]),
        ("heads per layer", sizes["K"]),
        ("not idle", f"{' + '.join(map(str, busy))} = {sum(busy)}"),
        ("width D", facts["width"]),
        ("", law(sizes["w"])),
        ("", facts["formula"]),
        *scratch_rows(facts["scratch"]),
        ("examples", f"m = {count(sizes['m'])} slots of n = {count(sizes['n'])} tokens"),
        ("context N", f"{count(sizes['N'])} tokens"),
        ("parameters", count(facts["parameters"])),
        ("non-zeros", count(facts["nonzeros"])),
    ]


def _estimated(facts: dict) -> list[tuple[str, str]]:
    """The rows of the passes and of the commands."""
    from construct.cli.show import count

    rows, several = [], facts["devices"] > 1
    for way in facts["run"]:
        counted = facts[way]
        held = f"about {_about_bytes(counted['peak_bytes'])} in {facts['dtype']}"
        rows.append((f"{way} pass", f"{count(counted['flops'])} FLOPs"))
        rows.append(("", f"{held}, about {_about_time(counted['estimated_seconds'])}"))
        if several:
            share = _about_bytes(counted["peak_bytes_per_device"])
            rows.append(("", f"about {share} on each of {facts['devices']:,} devices"))
    one = ", of one device" if several else ""
    for way, run in facts["run"].items():
        rows.append((f"run, {way}", f"{_about(run)} (--executor {run['executor']})"))
    rows.append(("build", _about(facts["build"])))
    rows.append(("", f"(estimates of whole processes on this machine{one})"))
    return rows


def _bytes(x: int) -> str:
    """Bytes in the largest unit that fits."""
    for unit, size in (("EB", 10**18), ("PB", 10**15), ("TB", 10**12), ("GB", 10**9)):
        if x >= size:
            return f"{x / size:.4g} {unit}"
    return f"{x / 10**6:.4g} MB" if x >= 10**6 else f"{x:,} bytes"


def _about(command: dict) -> str:
    """A process by its seconds and bytes."""
    return f"about {_about_time(command['seconds'])}, {_about_bytes(command['bytes'])}"


def _about_bytes(x: int | float) -> str:
    """One digit, in the largest unit of which it is a tenth."""
    for unit, size in (("EB", 1e18), ("PB", 1e15), ("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if x >= size / 10:
            return f"{_digit(x / size)} {unit}"
    return f"{_digit(x)} bytes"


def _about_time(seconds: int | float) -> str:
    """One digit, in the largest unit that fits."""
    for unit, size in (("years", 31557600), ("days", 86400), ("hours", 3600), ("min", 60)):
        if seconds >= size:
            count = _digit(seconds / size)
            return f"{count} {unit.removesuffix('s') if count == '1' else unit}"
    return f"{_digit(seconds)} s"


def _digit(x: int | float) -> str:
    """A number to one digit, in full up to a million."""
    rounded = f"{x:.0e}"
    return f"{float(rounded):,.10g}" if 1e-4 <= x < 1e6 else rounded
