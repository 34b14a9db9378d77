"""`construct verify`: executors against the specification on random prompts."""

import importlib.util

import click

from construct.cli import Whole
from construct.execute.registry import EXACT, EXECUTORS, RATIONALS, refuse_without_softmax

EPILOG = """\b
Examples:
  construct verify construct-K4-d16
  construct verify construct-K4-d16 --seconds 600 --prompts 10000
  construct verify construct-K4-d16 --executor exact --prompts 100
  construct verify words --executor jax    (words: build --design decoder)

The prompts are drawn from the whole domain: with ties, noise, fewer than m
examples, extreme entries, equal tokens and zero vectors; of formulas, also at
their knots, and with labels exactly tau and exactly delta away. Without
--executor, every executor that is installed runs in every certified format, the
exact one on a fiftieth of the prompts; those of the designs 'decoder' and
'encoder' are numpy, jax, torch and exact, in balls. First of all, every weight is compared
with what the tasks compile to.

All of it stays within --seconds: the first prompts of each executor and format are
measured, and the time is divided. Large artifacts do fewer prompts than --prompts,
and what cannot do five is left out, and named. An executor that --executor names is
never left out.
"""

# Without --executor, rationals run on one prompt in so many: they are slow.
ONE_EXACT_IN = 50

# Seconds of which it is said that they will pass.
WORTH_SAYING = 3


@click.command(epilog=EPILOG)
@click.argument("directory", metavar="DIR")
@click.option("--prompts", type=Whole(min=1), default=1000, show_default=True)
@click.option("--seconds", type=Whole(min=1), default=60, show_default=True)
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
    directory: str, prompts: int, seconds: int, chosen: tuple[str, ...], seed: int, as_json: bool
) -> None:
    """Check artifact DIR against the specification; exit 4 if anything differs."""
    from construct.artifact import load
    from construct.checking.budget import Budget, Campaign, one_digit
    from construct.checking.provenance import first_difference
    from construct.cli.progress import Progress
    from construct.cli.show import console, print_json
    from construct.errors import CheckFailed

    budget = Budget(seconds, clock)
    made = load(directory)
    runs = _runs(made, prompts, chosen, seed)
    screen = console(err=True)
    screen.print(_announcement(runs, seconds))
    difference = first_difference(made)
    if difference:
        raise CheckFailed(f"the weights are not what the tasks compile to: {difference}")
    with Progress(screen, clock) as progress:
        campaign = Campaign(runs, budget, progress.step)
        campaign.measure()
        if campaign.rest >= WORTH_SAYING:
            screen.print(f"After the first prompts: about {one_digit(campaign.rest)} more.")
        campaign.finish()
    reports = [run.trial.report() for run in runs if run in campaign.ran or run.trial.failures]
    left_out = [run for run in runs if run not in campaign.ran]
    _refuse_nothing(reports, left_out, seconds)
    if as_json:
        print_json([*map(_as_json, reports), *map(_left_out_as_json, left_out)])
    else:
        _print(made, reports, runs, left_out, seconds)
    failures = [f"{r.executor} {r.dtype}, {f}" for r in reports for f in r.failures]
    if failures:
        raise CheckFailed(
            "the executors differ from the specification; the first of "
            f"{len(failures)} differences: {failures[0]}."
        )


def clock() -> float:
    """Seconds, of a clock that only goes forward."""
    import time

    return time.monotonic()


def _runs(made, prompts: int, chosen: tuple[str, ...], seed: int) -> list:
    """A run for each executor and format, and how many prompts it is to do.

    Raises:
        ConstructError: if an executor of the command line has no certified format, or if
            nothing can run.
    """
    from construct.checking.budget import LEAST, Planned, on_paper
    from construct.checking.sampling import Drawn
    from construct.checking.verification import Cases, Trial
    from construct.errors import ConstructError

    formats = (*made.certified, RATIONALS)
    few = prompts if chosen else max(prompts // ONE_EXACT_IN, min(LEAST, prompts))
    pairs = [
        (name, dtype)
        for name, executor in EXECUTORS.items()
        for dtype in executor.formats
        if dtype in formats
        and (executor.softmax or made.softmax is None)
        and (name in chosen if chosen else importlib.util.find_spec(executor.requires))
    ]
    for executor in chosen:
        if made.softmax is not None:
            refuse_without_softmax(EXECUTORS[executor])
        if executor not in dict(pairs):
            raise ConstructError(
                f"no format of the executor {executor!r} is certified for this artifact "
                f"({_reason(made)}); use --executor {EXACT.name}."
            )
    if not pairs:
        raise ConstructError(
            f"no float format is certified for this artifact ({_reason(made)}), and the exact "
            f"executor needs a package that is not installed: pip install {EXACT.package}."
        )
    cases = {exact: Cases(made, Drawn(made, seed, exact=exact)) for exact in (True, False)}
    runs = []
    for name, dtype in pairs:
        exact = dtype == RATIONALS
        trial = Trial(cases[exact], name, dtype, few if exact else prompts)
        guess, needs = on_paper(name, dtype, made.sizes)
        runs.append(Planned(trial, guess, bool(chosen), needs=None if chosen else needs))
    return runs


def _reason(made) -> str:
    """Why the last of the float formats is not certified."""
    return next(why[0] for why in reversed([*made.certificates.values()]) if why)


def _announcement(runs: list, seconds: int) -> str:
    by: dict[int, list[str]] = {}
    for run in runs:
        names = by.setdefault(run.trial.wanted, [])
        if run.trial.executor not in names:
            names.append(run.trial.executor)
    todo = " and ".join(f"{count} prompts by {', '.join(names)}" for count, names in by.items())
    return (
        "Comparing every weight with what the tasks compile to; then running up to "
        f"{todo}, all within about {seconds} s."
    )


def _refuse_nothing(reports, left_out: list, seconds: int) -> None:
    """Where no run could do what it takes, that is not a success."""
    from construct.errors import ConstructError

    if not reports:
        raise ConstructError(
            f"every executor that could run would take too long for {seconds} s, or too much "
            f"memory ({', '.join(map(_estimate, left_out))}); give more --seconds, or run one all "
            f"the same with --executor {left_out[0].trial.executor}."
        )


def _about_formulas(made) -> str:
    """What was found out about formulas before any prompt was run, and what was not tried."""
    from construct.spec.formula import Formula

    formulas = sum(isinstance(task, Formula) for task in made.tasks)
    again = f"{formulas} formulas were approximated anew, and their errors proved again. "
    return f"{again if formulas else ''}Prompts have labels at tau, at delta and at knots."


def _estimate(run) -> str:
    from construct.cli.progress import label

    return f"{label(run.trial)}: {run.estimate}"


def _as_json(report) -> dict:
    from dataclasses import asdict

    return {**asdict(report), "passed": report.passed}


def _left_out_as_json(run) -> dict:
    """What was left out, with the seconds of five prompts or the bytes of one."""
    why = {"seconds": run.left_out} if run.needs is None else {"bytes": run.needs}
    return {"executor": run.trial.executor, "dtype": run.trial.dtype, "left_out": why}


def _print(made, reports, runs: list, left_out: list, seconds: int) -> None:
    from construct.checking.promise import is_near
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
    if is_near(made):
        out.print(_about_formulas(made))
    out.print()
    out.print(table(rows, "executor", "format", "prompts", "worst error", "result"))
    r = max(reports, key=lambda report: report.prompts)
    out.print()
    out.print(
        f"Of {r.prompts} prompts, {r.ties} have an example that several tasks explain, "
        f"{r.noisy} have one that no task explains, {r.partial} have fewer than m examples, "
        f"and {r.empty} have no vote."
    )
    out.print("Errors are in ulp of the largest term that enters the answer.")
    if is_near(made) and all(report.passed for report in reports):
        out.print(
            "They are against what the network holds of the tasks; from the mixture of the tasks "
            "themselves every answer was as near as its error bound says."
        )
    if any(run.trial.done < run.trial.wanted for run in runs if run not in left_out):
        out.print(f"Fewer prompts than asked for fit into {seconds} s; --seconds gives more time.")
    if left_out:
        out.print(
            "Left out, because five prompts would take too long, or too much memory: "
            f"{', '.join(map(_estimate, left_out))}. --executor runs one all the same; "
            "--seconds gives all of them more time."
        )
