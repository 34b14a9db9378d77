"""Executors against the specification on random prompts.

Votes, weights and the lists of examples must be equal. The answer may differ by
rounding alone, by no more than `certify.accuracy` proves for its votes. The exact
executor has to be equal.

Of formulas the answer is what the network holds of them, mixed with the votes of the formulas
themselves: it must be that, but for rounding, and be within its error bound of the mixture of
the formulas.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from construct.answer import Answer, read_answer
from construct.answers import batch_size
from construct.arguments import checked, function, instance, listed, number, optional, text, whole
from construct.certify.formats import BY_NAME
from construct.checking.budget import Budget
from construct.checking.promise import (
    held_bound,
    held_mixture,
    is_near,
    length,
    rounding_bound,
)
from construct.checking.sampling import Drawn
from construct.checking.terms import absolute_sums as absolute_sums
from construct.checking.terms import largest_term as largest_term
from construct.checking.terms import ulp as ulp
from construct.compiler import Construction
from construct.execute.passes import Pass, Run, prepare
from construct.execute.registry import FLOATS, RATIONALS, named
from construct.rational import rationals
from construct.reading import embedded
from construct.spec.domain import check_domain
from construct.spec.evaluation import ACCURACY
from construct.spec.formula import Formula
from construct.spec.mixture import Mixture, mixture
from construct.spec.prompt import Prompt, exactly


@dataclass(frozen=True)
class Report:
    """What one executor did.

    Attributes:
        prompts: how many were run.
        worst: the largest error, in units in the last place of the largest term of
            the answer (f_k(X_q) of the tasks that voted, and the products that add up to it);
            of formulas it is the error against what the network holds of them.
        failures: one clause for each difference from the specification.
        ties, noisy, partial, empty: prompts with an ambiguous example, with an
            unexplained one, with fewer than m examples, with no vote.
    """

    executor: str
    dtype: str
    prompts: int
    worst: float
    failures: tuple[str, ...]
    ties: int
    noisy: int
    partial: int
    empty: int

    @property
    def passed(self) -> bool:
        """Whether every prompt came out as specified."""
        return not self.failures


def _prompts_or_how_many(value: Any, name: str) -> None:
    if isinstance(value, list | tuple) and value:
        listed(instance(Prompt, "a construct.Prompt"), "construct.Prompt")(value, name)
    else:
        whole(1, most=1 << 40)(value, name)


@checked(
    construction=instance(Construction, "a construct.Construction"),
    executor=text,
    dtype=text,
    prompts=_prompts_or_how_many,
    seed=whole(0),
    seconds=optional(number),
    progress=function,
)
def verify(
    construction: Construction,
    executor: str,
    dtype: str,
    prompts: Any = 1000,
    *,
    seed: int = 0,
    seconds: Any = None,
    progress: Callable[[int], None] = lambda done: None,
) -> Report:
    """Run prompts and compare with `mixture`.

    Args:
        prompts: a list of them, or how many random ones.
        seconds: after these no further prompt is begun, and the report says how many were run;
            by default all are.

    Raises:
        ConstructError: if there is no such executor or format, or its package is not
            installed, or there is no prompt.
        OutsideDomain: if a prompt is outside the domain.
    """
    budget = Budget(seconds)
    if isinstance(prompts, int):
        drawn, count = Drawn(construction, seed, exact=dtype == RATIONALS), prompts
    else:
        drawn, count = prompts, len(prompts)
    trial = Trial(Cases(construction, drawn), executor, dtype, count)
    while trial.done < count and (not trial.done or budget.left > 0):
        progress(trial.step())
    return trial.report()


class Cases:
    """Prompts in each format, with what is specified for them: kept while they are small."""

    MOST_KEPT = 1 << 28

    def __init__(self, construction: Construction, prompts: Any) -> None:
        self.construction, self.prompts = construction, prompts
        self._kept: dict[tuple[int, str], tuple[Prompt, Mixture]] = {}
        self._room = self.MOST_KEPT

    def case(self, i: int, dtype: str) -> tuple[Prompt, Mixture]:
        """Prompt i in this format.

        Raises:
            OutsideDomain: if it is outside the domain.
        """
        if (i, dtype) in self._kept:
            return self._kept[i, dtype]
        made, prompt = self.construction, self.prompts[i].astype(dtype)
        check_domain(prompt, made.tasks, made.domain, made.sizes.m)
        found = prompt, specification(made, prompt)
        each = 8 if prompt.X.dtype == object else 1  # pointers, and what they point to
        size = each * (prompt.X.nbytes + prompt.Y.nbytes + prompt.query.nbytes)
        if size <= self._room:
            self._room -= size
            self._kept[i, dtype] = found
        return found


class Trial:
    """One executor in one format, on one batch of prompts after another.

    Attributes:
        wanted: how many prompts there are.
        done: how many of them were run.
        failures: as in `Report`.
    """

    # Prompts of a batch.
    MOST = 64

    def __init__(
        self,
        cases: Cases,
        executor: str,
        dtype: str,
        wanted: int,
    ) -> None:
        self.cases, self.made = cases, cases.construction
        self.executor, self.dtype, self.wanted, self.done = executor, dtype, wanted, 0
        self.failures: list[str] = []
        self._worst, self._seen = 0.0, dict.fromkeys(("ties", "noisy", "partial", "empty"), 0)
        # A batch should take a second at most.
        most = min(1 if dtype == RATIONALS else self.MOST, wanted)
        self.batch = batch_size(self.made, named(executor), most, 1 << 22)

    @cached_property
    def _forward(self) -> Run:
        return prepare(self.executor, self.made.transformer, self.dtype)

    def step(self) -> int:
        """Run the next batch; how many prompts it had."""
        stop = min(self.done + self.batch, self.wanted)
        cases = [self.cases.case(i, self.dtype) for i in range(self.done, stop)]
        prompts = [prompt for prompt, _ in cases]
        # A batch of another size would be compiled anew.
        filled = prompts + prompts[:1] * (self.batch - len(prompts))
        done = self._forward(embedded(self.made, filled))
        for i, (prompt, wanted) in enumerate(cases):
            got = Pass(done.stream[i], done.attended[i])
            answer = read_answer(self.made, got, len(prompt.X))
            ulps, wrong = compare(self.made, prompt, wanted, answer, self.dtype)
            self._worst = max(self._worst, ulps)
            self.failures += [f"prompt {self.done + i}: {w}" for w in wrong]
            self._seen["ties"] += bool(wanted.ambiguous)
            self._seen["noisy"] += bool(wanted.unexplained)
            self._seen["partial"] += len(prompt.X) < self.made.sizes.m
            self._seen["empty"] += not sum(wanted.votes)
        self.done = stop
        return len(cases)

    def report(self) -> Report:
        """What the executor did so far."""
        failures = tuple(self.failures)
        return Report(self.executor, self.dtype, self.done, self._worst, failures, **self._seen)


def specification(construction: Construction, prompt: Prompt) -> Mixture:
    """Votes in the prompt's own numbers, the answer in exact rationals."""
    exact_query = replace(prompt, query=exactly(prompt.query))
    domain = construction.domain
    return mixture(construction.tasks, exact_query, delta=domain.delta, tau=domain.tau)


def compare(
    construction: Construction, prompt: Prompt, wanted: Mixture, got: Answer, dtype: str
) -> tuple[float, list[str]]:
    """The error in ulp of the largest term, and what is wrong beyond rounding."""
    names = [task.name for task in construction.tasks]
    wrong = [
        f"task {name!r} has {float(g):g} votes by the heads and {w} by the specification"
        for name, g, w in zip(names, got.votes, wanted.votes, strict=True)
        if g != w
    ]
    for kind in ("unexplained", "ambiguous"):
        if getattr(got, kind) != getattr(wanted, kind):
            wrong.append(
                f"the {kind} examples are {getattr(got, kind)} by the heads and "
                f"{getattr(wanted, kind)} by the specification"
            )
    if not np.isfinite(got.answer.astype(np.float64)).all():
        return float("inf"), [*wrong, "the answer is not finite"]
    query = exactly(prompt.query)
    held = held_mixture(construction, query, wanted.weights)
    # Where both are 0 there is no error.
    places = np.flatnonzero((got.answer != 0).astype(bool) | (held != 0).astype(bool))
    answer = rationals([Fraction(x) for x in got.answer.tolist()])
    error = abs(answer - held)[places]
    most = max(error.tolist(), default=Fraction(0))
    rounding = rounding_bound(construction, query, wanted.votes, dtype)
    if is_near(construction):
        bound = held_bound(construction, wanted.votes) + length(rounding)
        wrong += _beyond(bound, construction, query, wanted, answer)
    if construction.softmax is not None:
        if any(e > a for e, a in zip(error.tolist(), rounding[places].tolist(), strict=True)):
            wrong.append(f"the answer is off by {float(most):.3g}, more than is certified")
        ulp_of_1 = BY_NAME[FLOATS[0] if dtype == RATIONALS else dtype].u
        return float(most / ulp_of_1 / max(1, *abs(held).tolist())), wrong
    if dtype == RATIONALS:
        wrong += [f"the answer differs by {float(most):g}"] if most else []
        return float(most > 0), wrong
    # The terms that the network adds up: those of equal features are one.
    accuracy = construction.accuracy[dtype]
    voted = [(k, construction.wiring.tasks[k]) for k, c in enumerate(wanted.votes) if c]
    terms = [max(largest_term(task, query), accuracy.largest_gate(k)) for k, task in voted]
    largest = max(terms, default=Fraction(0))
    ulps = float(most / ulp(largest, BY_NAME[dtype].p))
    if any(e > a for e, a in zip(error.tolist(), rounding[places].tolist(), strict=True)):
        wrong.append(f"the answer is off by {ulps:.3g} ulp, more than rounding can explain")
    return ulps, wrong


def _beyond(
    bound: Fraction, construction: Construction, query: np.ndarray, wanted: Mixture, answer: Any
) -> list[str]:
    """Whether an answer of formulas is farther from the mixture than its error bound."""
    # The mixture itself is known to so much.
    known = sum(
        w * max(1, *abs(task(query)).tolist())
        for w, task in zip(wanted.weights, construction.tasks, strict=True)
        if w and isinstance(task, Formula) and not task.rational
    ) * Fraction(construction.sizes.d, 1 << ACCURACY)
    square = sum(Fraction(x) ** 2 for x in (answer - wanted.answer).tolist())
    if square <= (bound + known) ** 2:
        return []
    return [
        f"the answer is {math.sqrt(square):.3g} from the mixture, farther than its error "
        f"bound, {float(bound):.3g}"
    ]
