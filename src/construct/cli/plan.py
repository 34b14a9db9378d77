"""`construct plan`: what a construction would cost, counted without building it."""

import click

from construct.cli import Whole
from construct.errors import ConstructError

EPILOG = """\b
Examples:
  construct plan --K 4 --d 16
  construct plan --K 64 --d 256 --m 500000000000 --devices 1024
  construct plan --tasks examples/plus.json --m 1000000 --dtype float32

Counts are exact, from closed formulas and the matrices of the tasks. A dense pass
computes all N^2 scores of every head that is not idle; a sparse pass multiplies
non-zero weights, and computes those scores that can be positive. Times are
estimates, from a rate that is measured on this machine.
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
    seed: int,
    dtype: str,
    devices: int,
    as_json: bool,
) -> None:
    """Say what a construction of these sizes would cost, without building it."""
    from construct.certify import certify, choose_margins
    from construct.cli.show import print_json
    from construct.compiler import default_domain, validate
    from construct.cost import Cost

    tasks, n, domain, vocabulary = _tasks(K, d, n, path, seed)
    wiring, sizes = validate(tasks, m, n, vocabulary, on_paper=True)
    if sizes.tokens > MOST_TOKENS:
        raise ConstructError("m and n give more than 2^256 tokens; choose a smaller --m or --n.")
    domain = domain or default_domain(sizes, wiring, vocabulary)
    margins = choose_margins(sizes, wiring, domain)
    certificates = certify(sizes, wiring, domain, margins)
    facts = _facts(Cost.of(sizes, wiring, margins), dtype, devices)
    facts |= {
        "tasks": [task.name for task in tasks],
        "certified": [name for name, why in certificates.items() if not why],
        "not_certified": {name: why for name, why in certificates.items() if why},
    }
    if as_json:
        print_json(facts)
    else:
        _print_table(facts)


def _tasks(K: int | None, d: int | None, n: int | None, path: str | None, seed: int):
    """The tasks, n, and the domain and the vocabulary of a file."""
    from construct.cli.build import read_tasks
    from construct.compiler import random_tasks

    if path is not None:
        file, n = read_tasks(path, K, d, n)
        return file.tasks, n, file.domain, file.vocabulary
    if K is None or d is None:
        raise ConstructError(
            "plan needs --K and --d, or --tasks FILE; write: construct plan --K 4 --d 16"
        )
    return random_tasks(K, d, seed), n, None, None


def _facts(cost, dtype: str, devices: int) -> dict:
    """Counts as exact integers; bytes, and seconds on this machine."""
    import numpy as np

    sizes, itemsize = cost.sizes, np.dtype(dtype).itemsize
    dense_rate, sparse_rate = measured(dtype)
    return {
        "sizes": {s: getattr(sizes, s) for s in ("K", "d", "m", "n", "S", "P", "N", "M")},
        "layers": len(cost.layers),
        "heads": sizes.K,
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
        "dense": {
            "flops": cost.dense_flops,
            "peak_bytes": itemsize * cost.dense_numbers(),
            "peak_bytes_per_device": itemsize * cost.dense_numbers(devices),
            "flops_per_second": dense_rate,
            "estimated_seconds": cost.dense_flops / dense_rate,
        },
        "sparse": {
            "flops": cost.sparse_flops,
            "peak_bytes": itemsize * cost.sparse_numbers(),
            "peak_bytes_per_device": itemsize * cost.sparse_numbers(devices),
            "flops_per_second": sparse_rate,
            "estimated_seconds": cost.sparse_flops / sparse_rate,
        },
    }


def measured(dtype: str) -> tuple[int, int]:
    """The FLOP/s of this machine, dense and sparse.

    Dense is a matrix product. Sparse is a multiplication and an addition of vectors
    that no cache holds: as in products with few non-zeros, memory decides.
    """
    import numpy as np

    side, length = 1024, 1 << 23
    square, product = np.ones((2, side, side), dtype)
    x, y, total = np.ones((3, length), dtype)

    def multiply() -> None:
        np.matmul(square, square, out=product)

    def multiply_and_add() -> None:
        np.multiply(x, x, out=y)
        np.add(total, y, out=total)

    return round(2 * side**3 / _seconds(multiply)), round(2 * length / _seconds(multiply_and_add))


def _seconds(work) -> float:
    """The least of a few runs, after one that warms up."""
    import time

    work()
    times = []
    for _ in range(3):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def _print_table(facts: dict) -> None:
    from construct.cli.show import console, table
    from construct.designs.theorem.sizes import WIDTH_FORMULA

    sizes, names, busy = facts["sizes"], facts["tasks"], facts["heads_not_idle"]
    listed = ", ".join(names[:8]) + (f", ... ({len(names)} in all)" if len(names) > 8 else "")
    rows = [
        ("tasks", listed),
        ("layers", facts["layers"]),
        ("heads per layer", sizes["K"]),
        ("not idle", f"{' + '.join(map(str, busy))} = {sum(busy)}"),
        ("width D", facts["width"]),
        ("", WIDTH_FORMULA),
        ("", facts["formula"]),
        ("examples", f"m = {_count(sizes['m'])} slots of n = {_count(sizes['n'])} tokens"),
        ("context N", f"{_count(sizes['N'])} tokens"),
        ("parameters", _count(facts["parameters"])),
        ("non-zeros", _count(facts["nonzeros"])),
        ("rounded", f"{_count(facts['rounded'])} of them by float64"),
        ("artifact", _bytes(facts["artifact_bytes"])),
        ("if dense", _bytes(facts["dense_bytes"])),
    ]
    for way in ("dense", "sparse"):
        rows.append((f"{way} pass", f"{_count(facts[way]['flops'])} FLOPs"))
        rows.append(("", f"{_bytes(facts[way]['peak_bytes'])} in {facts['dtype']}"))
        if facts["devices"] > 1:
            share = _bytes(facts[way]["peak_bytes_per_device"])
            rows.append(("", f"{share} on each of {facts['devices']:,} devices"))
        one = " for one device" if facts["devices"] > 1 else ""
        rate = facts[way]["flops_per_second"] / 1e9
        rows.append(("", f"about {_time(facts[way]['estimated_seconds'])} (an estimate{one}:"))
        rows.append(("", f"{rate:.3g} GFLOP/s measured on this machine)"))
    rows.append(("certified", ", ".join([*facts["certified"], "exact rationals"])))
    for name, reasons in facts["not_certified"].items():
        rows += [(f"not {name}", reason) for reason in reasons]
    console().print(table(rows))


def _count(x: int) -> str:
    """All digits of a number below 10^18, and four digits of a larger one."""
    from decimal import Decimal

    return f"{x:,}" if x < 10**18 else f"{Decimal(x):.3e}"


def _bytes(x: int) -> str:
    """Bytes in the largest unit that fits."""
    for unit, size in (("EB", 10**18), ("PB", 10**15), ("TB", 10**12), ("GB", 10**9)):
        if x >= size:
            return f"{x / size:.4g} {unit}"
    return f"{x / 10**6:.4g} MB" if x >= 10**6 else f"{x:,} bytes"


def _time(seconds: float) -> str:
    """Seconds in the largest unit that fits."""
    for unit, size in (("years", 31557600), ("days", 86400), ("hours", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.2g} s"
