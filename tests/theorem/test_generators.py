"""The generators are not vacuous: what the theorem is tested on holds every hard thing."""

import functools
import itertools

import pytest

from construct.spec.kinds import KINDS
from theorem.oracle import Expected, expected, fractions
from theorem.strategies import BITS, Case, cases_with_prompts, sample, thresholds

COUNT = 300


@functools.cache
def drawn(dtype: str) -> list[tuple[Case, object, Expected]]:
    """(case, prompt, what must come out) for a few hundred prompts."""
    return [
        (case, prompt, expected(case, prompt, dtype))
        for case, prompts in sample(cases_with_prompts(dtype), COUNT)
        for prompt in prompts
    ]


def entries(prompt) -> list:
    return [v for X in fractions(prompt.X) for x in X for v in x]


def at_delta(case: Case, wanted: Expected, dtype: str) -> bool:
    """A label at distance delta: exactly, or on floats but for its rounding."""
    square = case.construction.domain.delta**2
    slack = 0 if dtype == "exact" else square - thresholds(case.construction.domain, dtype)[1]
    return any(abs(s - square) <= slack for s in wanted.separations)


# About half of what is seen: the draws shift with the modules that are loaded, whose
# constants Hypothesis takes up.
SHARES = {
    "a tie": (0.1, lambda case, prompt, wanted, dtype: wanted.ambiguous),
    "noise": (0.25, lambda case, prompt, wanted, dtype: wanted.unexplained),
    "two tasks with votes": (0.12, lambda case, prompt, wanted, dtype: _voters(wanted) > 1),
    "three tasks with votes": (0.04, lambda case, prompt, wanted, dtype: _voters(wanted) > 2),
    "unequal votes": (0.04, lambda case, prompt, wanted, dtype: _unequal(wanted)),
    "a reciprocal that rounds": (
        0.1,
        lambda case, prompt, wanted, dtype: sum(wanted.votes) not in (0, 1, 2, 4, 8, 16, 32),
    ),
    "an answer other than zero": (0.25, lambda case, prompt, wanted, dtype: any(wanted.answer)),
    "blanks": (0.1, lambda case, prompt, wanted, dtype: len(prompt.X) < _m(case)),
    "every slot used": (0.3, lambda case, prompt, wanted, dtype: len(prompt.X) == _m(case)),
    "no example": (0.02, lambda case, prompt, wanted, dtype: not len(prompt.X)),
    "examples, but no vote": (
        0.02,
        lambda case, prompt, wanted, dtype: len(prompt.X) and not any(wanted.votes),
    ),
    "a label at delta": (0.1, lambda case, prompt, wanted, dtype: at_delta(case, wanted, dtype)),
    "an input at R": (
        0.15,
        lambda case, prompt, wanted, dtype: case.construction.domain.R in map(abs, entries(prompt)),
    ),
    "a label at Ry": (
        0.02,
        lambda case, prompt, wanted, dtype: (abs(prompt.Y) == case.construction.domain.Ry).any(),
    ),
    "an input of zeros": (
        0.2,
        lambda case, prompt, wanted, dtype: (prompt.X == 0).all(axis=-1).any(),
    ),
    "equal tokens": (
        0.1,
        lambda case, prompt, wanted, dtype: case.shape.n > 2 and _equal(prompt.X),
    ),
    "an input twice": (
        0.1,
        lambda case, prompt, wanted, dtype: len({str(X) for X in prompt.X}) < len(prompt.X),
    ),
    "numbers that are not whole": (
        0.2,
        lambda case, prompt, wanted, dtype: any(v % 1 for v in entries(prompt)),
    ),
}


def _voters(wanted: Expected) -> int:
    return sum(map(bool, wanted.votes))


def _unequal(wanted: Expected) -> bool:
    return len({c for c in wanted.votes if c}) > 1


def _m(case: Case) -> int:
    return case.construction.sizes.m


def _equal(X) -> bool:
    return any((x == x[0]).all() and x.any() for x in X)


@pytest.mark.parametrize("dtype", ["exact", *BITS])
@pytest.mark.parametrize("what", SHARES)
def test_share_of_prompts_with(what, dtype):
    least, has = SHARES[what]
    found = [bool(has(case, prompt, wanted, dtype)) for case, prompt, wanted in drawn(dtype)]
    assert sum(found) >= least * len(found)


@pytest.mark.parametrize("dtype", ["exact", *BITS])
def test_every_kind_of_task_occurs_and_votes(dtype):
    voted = {
        task.definition["kind"]
        for case, _, wanted in drawn(dtype)
        for task, c in zip(case.construction.tasks, wanted.votes, strict=True)
        if c
    }
    assert voted == set(KINDS)


def test_every_form_of_task_and_domain_occurs():
    found = set()
    for case, _, _ in itertools.chain(*map(drawn, ("exact", *BITS))):
        domain = case.construction.domain
        found.add("grid" if domain.grid else "no grid")
        found.add("words" if case.construction.vocabulary else "no words")
        found |= {f"delta {domain.delta}", f"K {len(case.known)}", f"d {case.shape.d}"}
        found |= {f"n {case.shape.n}", f"S {case.construction.sizes.S}"}
        for one in case.known:
            found.add(f"reads {len(one.reads)}")
            found |= {f"over {v.denominator}" for A in one.task.A.values() for v in A.flat}
            found.add("modulo" if "modulo" in one.task.definition else "")
    assert found >= {"grid", "no grid", "words", "no words", "modulo", "delta 1/2", "delta 2"}
    assert found >= {"over 1", "over 3", "over 4", "reads 0", "reads 1", "reads 2", "reads 3"}
    assert found >= {"K 1", "K 5", "d 1", "d 3", "n 2", "n 4", "S 0", "S 1", "S 2"}
