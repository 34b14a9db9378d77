"""How far a long command is: bars on a terminal, a line every few seconds elsewhere."""

from collections.abc import Callable
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bars

# Seconds between two lines where there is no terminal.
EVERY = 5


def label(trial: Any) -> str:
    """The executor and the format of a run, or the one name that both have."""
    names = trial.executor, trial.dtype
    return " ".join(dict.fromkeys(names))


class Progress:
    """Runs that count how much of them is done, on standard error."""

    def __init__(self, screen: Console, clock: Callable[[], int | float]) -> None:
        self._screen, self._clock, self._last = screen, clock, clock()
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        self._bars = Bars(*columns, console=screen, transient=True, disable=not screen.is_terminal)
        self._known: dict[int, Any] = {}

    def __enter__(self) -> "Progress":
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bars.stop()

    def step(self, run: Any) -> None:
        """A run (`checking.budget.Planned`) did some more."""
        trial, name = run.trial, label(run.trial)
        if self._screen.is_terminal:
            if id(run) not in self._known:
                self._known[id(run)] = self._bars.add_task(name, total=trial.wanted)
            self._bars.update(self._known[id(run)], completed=trial.done)
        elif self._clock() - self._last >= EVERY:
            self._last = self._clock()
            self._screen.print(f"{name}: {trial.done} of {trial.wanted} prompts")
