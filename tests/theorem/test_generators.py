"""The generators are not vacuous: what the theorem is tested on holds every hard thing.

Shown is that there is a draw of each sort, by a search, and not how often there is one: the
shares are Hypothesis's own, and shift with its version and with the modules that are loaded.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from construct import Domain, Prompt
from construct.spec.kinds import KINDS
from generators import BITS, Case, cases, cases_with_prompts, search, thresholds
from theorem.oracle import Expected, expected, fractions


@dataclass(frozen=True)
class Drawn:
    """A prompt, and what must come out."""

    case: Case
    prompt: Prompt
    dtype: str

    @functools.cached_property
    def wanted(self) -> Expected:
        return expected(self.case, self.prompt, self.dtype)

    @property
    def domain(self) -> Domain:
        return self.case.construction.domain

    @property
    def m(self) -> int:
        return self.case.construction.sizes.m

    @property
    def numbers(self) -> list:
        return [v for X in fractions(self.prompt.X) for x in X for v in x]

    @property
    def counts(self) -> list[int]:
        """The votes of the tasks that have some."""
        return [c for c in self.wanted.votes if c]

    @property
    def at_delta(self) -> bool:
        """A label at distance delta: exactly, or on floats but for its rounding."""
        square = self.domain.delta**2
        slack = 0 if self.dtype == "exact" else square - thresholds(self.domain, self.dtype)[1]
        return any(abs(s - square) <= slack for s in self.wanted.separations)


PROMPTS: dict[str, Callable[[Drawn], Any]] = {
    "a tie": lambda one: one.wanted.ambiguous,
    "noise": lambda one: one.wanted.unexplained,
    "two tasks with votes": lambda one: len(one.counts) > 1,
    "three tasks with votes": lambda one: len(one.counts) > 2,
    "unequal votes": lambda one: len(set(one.counts)) > 1,
    "a reciprocal that rounds": lambda one: sum(one.counts) not in (0, 1, 2, 4, 8, 16, 32),
    "an answer other than zero": lambda one: any(one.wanted.answer),
    "blanks": lambda one: len(one.prompt.X) < one.m,
    "every slot used": lambda one: len(one.prompt.X) == one.m,
    "no example": lambda one: not len(one.prompt.X),
    "examples, but no vote": lambda one: len(one.prompt.X) and not one.counts,
    "a label at delta": lambda one: one.at_delta,
    "an input at R": lambda one: one.domain.R in map(abs, one.numbers),
    "a label at Ry": lambda one: (abs(one.prompt.Y) == one.domain.Ry).any(),
    "an input of zeros": lambda one: (one.prompt.X == 0).all(axis=-1).any(),
    "equal tokens": lambda one: one.case.shape.n > 2 and _equal(one.prompt.X),
    "an input twice": lambda one: len({str(X) for X in one.prompt.X}) < len(one.prompt.X),
    "numbers that are not whole": lambda one: any(v % 1 for v in one.numbers),
}


def _equal(X) -> bool:
    return any((x == x[0]).all() and x.any() for x in X)


VOTERS = {f"a vote for {kind}" for kind in KINDS}
FORMS = {"grid", "no grid", "words", "no words", "modulo", "delta 1/2", "delta 2"}
FORMS |= {"over 1", "over 3", "over 4", "reads 0", "reads 1", "reads 2", "reads 3"}
FORMS |= {"K 1", "K 5", "d 1", "d 3", "n 2", "n 4", "S 0", "S 1", "S 2"}


def forms(case: Case) -> set[str]:
    """What there is of task sets and domains."""
    domain = case.construction.domain
    found = {"grid" if domain.grid else "no grid"}
    found.add("words" if case.construction.vocabulary else "no words")
    found |= {f"delta {domain.delta}", f"K {len(case.known)}", f"d {case.shape.d}"}
    found |= {f"n {case.shape.n}", f"S {case.construction.sizes.S}"}
    for one in case.known:
        found.add(f"reads {len(one.reads)}")
        found |= {f"over {v.denominator}" for A in one.task.A.values() for v in A.distinct}
        found |= {"modulo"} if "modulo" in one.task.definition else set()
    return found


def sorts(case: Case, prompt: Prompt, dtype: str) -> set[str]:
    """All that a prompt and its construction show."""
    one = Drawn(case, prompt, dtype)
    tasks = zip(case.construction.tasks, one.wanted.votes, strict=True)
    votes = {f"a vote for {task.definition['kind']}" for task, c in tasks if c}
    return forms(case) | votes | {what for what, has in PROMPTS.items() if has(one)}


@functools.cache
def found(dtype: str) -> set[str]:
    """What is met with, up to the moment when nothing is left to find."""

    def of(drawn) -> set[str]:
        return set().union(*(sorts(drawn[0], prompt, dtype) for prompt in drawn[1]))

    return search(cases_with_prompts(dtype), of, {*PROMPTS, *VOTERS, *FORMS}).keys()


formats = pytest.mark.parametrize("dtype", ["exact", *BITS])


@formats
@pytest.mark.parametrize("what", PROMPTS)
def test_there_are_prompts_with(what, dtype):
    assert what in found(dtype)


@formats
def test_every_kind_of_task_occurs_and_votes(dtype):
    assert found(dtype) >= VOTERS


@formats
def test_every_form_of_task_and_domain_occurs(dtype):
    assert found(dtype) >= FORMS


def test_a_search_leaves_out_what_is_never_drawn():
    wanted = {"d 1", "d 3", "d 4"}
    assert search(cases(), forms, wanted, runs=6).keys() == {"d 1", "d 3"}
