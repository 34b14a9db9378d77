"""What a check found, and how far it looked."""

import traceback
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

# A case is JSON, so that it can be saved and run again:
# {"check": name of the check, "file": a task file, "m": slots for examples, ...}
Case = dict[str, Any]


@dataclass(frozen=True)
class Finding:
    """A broken promise.

    Attributes:
        kind: one word, which shrinking keeps.
        text: a sentence.
        at: the prompt of the case that shows it, if it is one.
    """

    kind: str
    text: str
    at: int | None = None

    def __str__(self) -> str:
        return f"{self.kind}: {self.text}"


@dataclass
class Outcome:
    """Findings, counts by kind, and the worst error of answers in proved bounds."""

    findings: list[Finding] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    worst: dict[str, float] = field(default_factory=dict)

    def add(self, kind: str, text: str, at: int | None = None) -> None:
        self.findings.append(Finding(kind, text, at))

    def crash(self, error: BaseException, doing: str, at: int | None = None) -> None:
        """An exception that nobody promised."""
        frame = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{frame.filename.rpartition('/')[2]}:{frame.lineno}"
        self.add("crash", f"{doing} raises {type(error).__name__} at {place}: {error}", at)

    def measure(self, name: str, share: float) -> None:
        self.worst[name] = max(share, self.worst.get(name, 0.0))

    def join(self, other: "Outcome") -> None:
        self.findings += other.findings
        self.counts += other.counts
        for name, share in other.worst.items():
            self.measure(name, share)
