"""`construct verify`: executors against the specification on random prompts."""

import importlib.util

import click

from construct.cli import Whole
from construct.execute.registry import EXACT, EXECUTORS, RATIONALS

EPILOG = """\b
Examples:
  construct verify construct-K4-d16
  construct verify construct-K4-d16 --prompts 10000 --executor jax
  construct verify construct-K4-d16 --executor exact --prompts 100

The prompts are drawn from the whole domain: with ties, noise, fewer than m
examples, extreme entries, equal tokens and zero vectors. Without --executor, every
executor that is installed runs in every certified format, the exact one on a
fiftieth of the prompts; on large artifacts, executors that compute all scores are
left out. First of all, every weight is compared with what the tasks compile to.
"""

# Without --executor, rationals run on one prompt in so many: they are slow.
ONE_EXACT_IN = 50

# Scores of all prompts that take a minute or two, dense and with rationals.
MOST_SCORES, MOST_EXACT_SCORES = 1 << 36, 1 << 25

# Scores of a head that are held at once: a gigabyte.
MOST_HELD = 1 << 27


@click.command(epilog=EPILOG)
@click.argument("directory", metavar="DIR")
@click.option("--prompts", type=Whole(min=1), default=1000, show_default=True)
@click.option(
    "--executor",
    "chosen",
    type=click.Choice(list(EXECUTORS)),
    multiple=True,
    help="Run only this one; may be given several times.",
)
@click.option("--seed", type=Whole(min=0), default=0, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")
def command(
    directory: str, prompts: int, chosen: tuple[str, ...], seed: int, as_json: bool
) -> None:
    """Check artifact DIR against the specification; exit 4 if anything differs."""
    from dataclasses import asdict
    from functools import partial

    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from construct.artifact import load
    from construct.checking.provenance import first_difference
    from construct.checking.sampling import random_prompts
    from construct.checking.verification import verify
    from construct.cli.show import console, print_json
    from construct.errors import CheckFailed

    made = load(directory)
    runs, left_out = _runs(made, prompts, chosen)
    difference = first_difference(made)
    if difference:
        raise CheckFailed(f"the weights are not what the tasks compile to: {difference}")
    reports = []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    screen = console(err=True)
    with Progress(
        *columns, console=screen, transient=True, disable=not screen.is_terminal
    ) as progress:
        samples = {}
        for executor, dtype, count in runs:
            tick = partial(progress.advance, progress.add_task(f"{executor} {dtype}", total=count))
            key = (dtype == RATIONALS, count)
            if key not in samples:
                samples[key] = random_prompts(made, count, seed, exact=key[0])
            reports.append(verify(made, executor, dtype, samples[key], progress=tick))
    if as_json:
        print_json([{**asdict(r), "passed": r.passed} for r in reports])
    else:
        _print(reports, left_out)
    failures = [f"{r.executor} {r.dtype}, {f}" for r in reports for f in r.failures]
    if failures:
        raise CheckFailed(
            "the executors differ from the specification; the first of "
            f"{len(failures)} differences: {failures[0]}."
        )


def _runs(made, prompts: int, chosen: tuple[str, ...]) -> tuple[list[tuple], list[str]]:
    """Executor, format and prompts of each run, and the executors that are left out.

    Raises:
        ConstructError: if an executor of the command line has no certified format, or if
            no run is left.
    """
    from construct.errors import ConstructError

    formats = (*made.certified, RATIONALS)
    runs = [
        (name, dtype, prompts if chosen or dtype != RATIONALS else max(prompts // ONE_EXACT_IN, 1))
        for name, executor in EXECUTORS.items()
        for dtype in executor.formats
        if dtype in formats
        and (name in chosen if chosen else importlib.util.find_spec(executor.requires))
    ]
    able = {executor for executor, _, _ in runs}
    for executor in chosen:
        if executor not in able:
            raise ConstructError(
                f"no format of the executor {executor!r} is certified for this artifact "
                f"({_reason(made)}); use --executor {EXACT.name}."
            )
    if not runs:
        raise ConstructError(
            f"no float format is certified for this artifact ({_reason(made)}), and the exact "
            f"executor needs a package that is not installed: pip install {EXACT.package}."
        )
    left_out = [] if chosen else [run for run in runs if _takes_long(run[0], made.sizes, run[2])]
    kept, names = [run for run in runs if run not in left_out], sorted({run[0] for run in left_out})
    if not kept:
        raise ConstructError(
            f"every executor that could run would take too long ({', '.join(names)}); give fewer "
            f"--prompts, or run one all the same with --executor {names[0]}."
        )
    return kept, names


def _reason(made) -> str:
    """Why the last of the float formats is not certified."""
    return next(why[0] for why in reversed([*made.certificates.values()]) if why)


def _takes_long(executor: str, sizes, prompts: int) -> bool:
    scores = EXECUTORS[executor].scores
    if scores == "in reach":
        return False
    if scores == "held" and sizes.N**2 > MOST_HELD:
        return True
    most = MOST_EXACT_SCORES if executor == EXACT.name else MOST_SCORES
    return sizes.K * sizes.N**2 * prompts >= most


def _print(reports, left_out: list[str]) -> None:
    from construct.cli.show import console, table

    out = console()
    rows = [
        (
            r.executor,
            r.dtype,
            r.prompts,
            RATIONALS if r.dtype == RATIONALS and not r.worst else f"{r.worst:.3g} ulp",
            "equal" if r.passed else f"{len(r.failures)} DIFFER",
        )
        for r in reports
    ]
    out.print("Every weight is what the tasks compile to.")
    out.print()
    out.print(table(rows, "executor", "format", "prompts", "worst error", "result"))
    r = reports[0]
    out.print()
    out.print(
        f"Of {r.prompts} prompts, {r.ties} have an example that several tasks explain, "
        f"{r.noisy} have one that no task explains, {r.partial} have fewer than m examples, "
        f"and {r.empty} have no vote."
    )
    out.print("Errors are in ulp of the largest term that enters the answer.")
    if left_out:
        out.print(
            f"Not run, because they would take too long: {', '.join(left_out)}. "
            "--executor runs them."
        )
