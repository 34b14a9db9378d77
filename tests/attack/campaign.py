"""One attack after the other, by their shares of the time, until it is over."""

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from random import Random

from attack import attacks, designs, smooth
from attack.claims import check_claims, claims
from attack.interrupted import KINDS, check_interrupts
from attack.meshed import check_mesh
from attack.outcome import Case, Finding, Outcome
from attack.sampled import check_sample
from attack.softmax import check_predictions
from attack.targets import check_prompts

CHECKS: dict[str, Callable[[Case], Outcome]] = {
    "prompts": check_prompts,
    "held": smooth.check_held,
    "predictions": check_predictions,
    "sample": check_sample,
    "claims": check_claims,
    "interrupts": check_interrupts,
    "mesh": check_mesh,
}


def interrupts(rng: Random, number: int) -> Iterator[Case]:
    """`save` interrupted and killed at every point."""
    for kind in KINDS:
        yield {"check": "interrupts", "kind": kind}


def mesh(rng: Random, number: int) -> Iterator[Case]:
    """The cases of another attack over eight devices, where they are for JAX."""
    source = rng.choice([attacks.mixtures, attacks.limits, attacks.tiny])
    tried = 0
    while True:
        for case in source(rng, number):
            if case["executor"] in ("jax", "sparse"):
                yield {**case, "check": "mesh", "batch": rng.choice([1, 2, 8])}
                return
        tried += 1
        if tried == 20:
            return


# name -> its generator, and its share of the time.
ATTACKS: dict[str, tuple[Callable[[Random, int], Iterator[Case]], int]] = {
    "full": (attacks.full, 1),
    "mixtures": (attacks.mixtures, 6),
    "merged": (attacks.merged, 3),
    "tiny": (attacks.tiny, 2),
    "claims": (claims, 3),
    "grids": (attacks.grids, 3),
    "interrupts": (interrupts, 1),
    "limits": (attacks.limits, 5),
    "edges": (attacks.edges, 2),
    "sizes": (attacks.sizes, 2),
    "words": (attacks.words, 1),
    "samples": (attacks.samples, 2),
    "formulas": (smooth.formulas, 6),
    "scratch": (smooth.scratch, 4),
    "gates": (smooth.gates, 3),
    "word decoders": (designs.word_decoders, 4),
    "operand decoders": (designs.operand_decoders, 4),
    "vector decoders": (designs.vector_decoders, 4),
    "encoders": (designs.encoders, 4),
    "mesh": (mesh, 2),
}


@dataclass
class Campaign:
    """What an attack has found and done so far.

    Attributes:
        first: for each attack and kind of finding the first case that shows it, and when.
    """

    seed: int
    names: tuple[str, ...]
    outcome: Outcome = field(default_factory=Outcome)
    spent: dict[str, float] = field(default_factory=dict)
    rounds: dict[str, int] = field(default_factory=dict)
    first: dict[tuple[str, str], tuple[float, Case, Finding]] = field(default_factory=dict)
    started: float = field(default_factory=time.monotonic)

    def round(self, name: str, until: float = float("inf"), cases: int | None = None) -> None:
        """One round of an attack; its cases depend on the seed and its number alone.

        Args:
            until: when to stop, by the monotonic clock.
            cases: how many to run, if not all.
        """
        number = self.rounds.get(name, 0)
        self.rounds[name] = number + 1
        begun = time.monotonic()
        drawn = ATTACKS[name][0](Random(f"{self.seed}/{name}/{number}"), number)
        for case in islice(drawn, cases):
            found = CHECKS[case["check"]](case)
            found.counts[f"cases of {name}"] += 1
            self.outcome.join(found)
            for finding in found.findings:
                key = name, finding.kind
                self.first.setdefault(key, (time.monotonic() - self.started, case, finding))
            if time.monotonic() > until:
                break
        self.spent[name] = self.spent.get(name, 0.0) + time.monotonic() - begun

    def next(self) -> str:
        """The attack that is furthest behind its share."""
        return min(self.names, key=lambda name: self.spent.get(name, 0.0) / ATTACKS[name][1])

    def run(
        self,
        seconds: float,
        progress: Callable[["Campaign"], None] = lambda campaign: None,
        *,
        first: bool = False,
    ) -> None:
        """Go on until the time is over; with `first`, until something is found."""
        end = self.started + seconds
        while time.monotonic() < end and not (first and self.first):
            self.round(self.next(), end)
            _forget()
            progress(self)


def _forget() -> None:
    """JAX keeps all that it has compiled, until the memory maps of the process run out."""
    if "jax" in sys.modules:
        import jax

        jax.clear_caches()
