"""Verification within a time: the first prompts of each run are measured, the rest is divided.

What cannot do five prompts in the time is left out, and named with what it would take.
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from construct.execute.registry import EXECUTORS, RATIONALS
from construct.memory import memory
from construct.network.transformer import Shape
from construct.rational import rational

# Prompts without which a run is not worth reporting.
LEAST = 5

# Seconds that no run takes.
ENDLESS = 10**12


class Budget:
    """Seconds that pass; None of them is no end of them."""

    def __init__(self, seconds: Any, clock: Callable[[], int | float] = time.monotonic) -> None:
        self.clock, self._start = clock, clock()
        self.seconds = math.inf if seconds is None else float(min(rational(seconds), ENDLESS))

    @property
    def spent(self) -> int | float:
        """Seconds since the start."""
        return self.clock() - self._start

    @property
    def left(self) -> int | float:
        """Seconds to the end; below 0 after it."""
        return self.seconds - self.spent


@runtime_checkable
class Steps(Protocol):
    """What is run here: `verification.Trial`."""

    executor: str
    dtype: str
    wanted: int
    done: int

    def step(self) -> int:
        """Run the next batch; how many prompts it had."""


@dataclass(eq=False)
class Planned:
    """A run, and what is known of its time.

    Attributes:
        guess: seconds that a prompt takes at least, on paper.
        kept: whether it is run whatever it takes, because it was asked for.
        each: seconds that a prompt took when last measured.
        took: seconds of that batch.
        extra: seconds that came on top of that the first time, for weights and compilation.
        left_out: seconds that `LEAST` prompts take, if it is left out for that.
        needs: bytes that a prompt takes, if it is left out because they are not there.
    """

    trial: Steps
    guess: int | float = 0.0
    kept: bool = False
    each: int | float | None = None
    took: int | float = 0.0
    extra: int | float = 0.0
    left_out: int | float | None = None
    needs: int | None = None

    @property
    def least(self) -> int:
        """The prompts that it does at least."""
        return min(LEAST, self.trial.wanted)

    @property
    def estimate(self) -> str:
        """What it would take, if it is left out: "about 40 s", "over 5 s", "over 7 GB"."""
        if self.needs is not None:
            return f"over {self.needs / 1e9:.0f} GB"
        return f"{'over' if self.each is None else 'about'} {one_digit(self.left_out or 0)}"

    @property
    def missing(self) -> int | float:
        """Seconds to these; none for what is run for as long as there is time."""
        return 0 if self.kept else max(self.least - self.trial.done, 0) * (self.each or 0)

    @property
    def rest(self) -> int | float:
        """Seconds to all prompts."""
        return (self.trial.wanted - self.trial.done) * (self.each or 0)

    def step(self, budget: Budget) -> None:
        """Run the next batch, and measure it."""
        before = budget.spent
        count = self.trial.step()
        self.took = budget.spent - before
        if self.each is not None:
            self.extra = max(self.extra, self.each * count - self.took)
        self.each = self.took / count


class Campaign:
    """Runs within a budget, measured first and then divided."""

    def __init__(
        self,
        runs: Sequence[Planned],
        budget: Budget,
        progress: Callable[[Planned], None] = lambda run: None,
    ) -> None:
        # Those that take least come first, so that the others are told by them.
        self.runs, self.budget = sorted(runs, key=lambda run: run.guess), budget
        self._progress = progress

    @property
    def ran(self) -> list[Planned]:
        """The runs that were not left out."""
        return [run for run in self.runs if run.left_out is None and run.needs is None]

    def measure(self) -> None:
        """Run two batches of each, and leave out those that cannot do `LEAST` prompts."""
        for run in self.ran:
            expected = self._expected(run)
            # Those that were begun are to have their least prompts.
            promised = sum(other.missing for other in self.ran)
            if not run.kept and expected + promised > self.budget.left:
                run.left_out = expected
                continue
            self._step(run)
            if run.trial.done < run.trial.wanted and self.budget.left > 0:
                self._step(run)
        while MARGIN * sum(run.missing for run in self.ran) > self.budget.left:
            short = [run for run in self.ran if run.missing and not run.kept]
            if not short:
                break
            longest = max(short, key=lambda run: run.missing)
            longest.left_out = run_time(longest)

    def _expected(self, run: Planned) -> int | float:
        """Seconds for the least prompts of a run that was not measured."""
        measured = [other for other in self.runs if other.each is not None]
        for other in measured:
            if other.trial.executor == run.trial.executor:
                return run_time(other)
        slower = [other.each / other.guess for other in measured if other.each and other.guess]
        return run.least * run.guess * max(1.0, min(slower, default=1.0))

    @property
    def rest(self) -> int | float:
        """Seconds that the rest takes."""
        return max(min(sum(run.rest for run in self.ran), self.budget.left), 0)

    def finish(self) -> None:
        """Run the rest: each its share of the time, and what others leave of theirs."""
        # Those that need least come first.
        waiting = sorted(self.ran, key=lambda run: run.rest)
        for i, run in enumerate(waiting):
            later = sum(other.missing for other in waiting[i + 1 :])
            left = self.budget.left
            share = min(left / (len(waiting) - i), left - later)
            end = self.budget.spent + max(share, run.missing)
            while run.trial.done < run.trial.wanted:
                short = not run.kept and run.trial.done < run.least
                if self.budget.spent + run.took > end and not short:
                    break
                self._step(run)

    def _step(self, run: Planned) -> None:
        run.step(self.budget)
        self._progress(run)


# On paper a prompt takes at least so many seconds for each entry of the stream, and so many for
# each score: by how an executor computes these, and in rationals.
AN_ENTRY = {"in reach": 1e-8, "streamed": 2e-8, "held": 5e-8, RATIONALS: 2e-8}
A_SCORE = {"in reach": 0.0, "streamed": 1e-9, "held": 1e-8, RATIONALS: 3e-7}

# Room for prompts that take longer than the first.
MARGIN = 1.2

# Bytes of a score that is held, with what is made of it.
HELD = 16


def on_paper(executor: str, dtype: str, sizes: Shape) -> tuple[int | float, int | None]:
    """Seconds that a prompt takes at least, and the bytes of its scores where they do not fit."""
    kind = EXECUTORS[executor].scores
    scores = sizes.N**2
    how = RATIONALS if dtype == RATIONALS else kind
    seconds = AN_ENTRY[how] * sizes.N * sizes.D + A_SCORE[how] * sizes.K * scores
    needs = HELD * scores if kind == "held" else 0
    return seconds, needs if needs > memory() // 2 else None


def run_time(run: Planned) -> int | float:
    """Seconds that the least prompts of a run take that was measured."""
    return run.extra + run.least * (run.each or 0)


def one_digit(seconds: int | float) -> str:
    """About so long: "4 s", "20 minutes"."""
    unit, size = next(
        ((name, size) for name, size in (("hours", 3600), ("minutes", 60)) if seconds >= 2 * size),
        ("s", 1),
    )
    value = max(seconds / size, 1)
    step = 10 ** int(math.log10(value))
    return f"{math.ceil(value / step) * step:,} {unit}"
