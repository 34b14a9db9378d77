"""Executors against the specification on random prompts.

Votes, weights and the lists of examples must be equal. The answer may differ by
rounding alone, by no more than `certify.accuracy` proves for its votes. The exact
executor has to be equal.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from construct.answer import Answer, read_answer
from construct.answers import batch_size
from construct.arguments import checked, function, instance, listed, text, whole
from construct.certify.formats import BY_NAME
from construct.checking.sampling import random_prompts
from construct.compiler import Construction
from construct.designs.theorem.embedding import embed_all
from construct.execute.passes import Pass, prepare
from construct.execute.registry import RATIONALS, named
from construct.matrix import Matrix
from construct.rational import Rational, rationals
from construct.spec.domain import check_domain
from construct.spec.hinge import Feature
from construct.spec.mixture import Mixture, mixture
from construct.spec.prompt import Prompt, exactly
from construct.spec.tasks import Task


@dataclass(frozen=True)
class Report:
    """What one executor did.

    Attributes:
        prompts: how many were run.
        worst: the largest error, in units in the last place of the largest term of
            the answer (f_k(X_q) of the tasks that voted, and the products that add up to it).
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
    progress=function,
)
def verify(
    construction: Construction,
    executor: str,
    dtype: str,
    prompts: Any = 1000,
    *,
    seed: int = 0,
    progress: Callable[[int], None] = lambda done: None,
) -> Report:
    """Run prompts and compare with `mixture`.

    Args:
        prompts: a list of them, or how many random ones.

    Raises:
        ConstructError: if there is no such executor or format, or its package is not
            installed, or there is no prompt.
        OutsideDomain: if a prompt is outside the domain.
    """
    if isinstance(prompts, int):
        prompts = random_prompts(construction, prompts, seed, exact=dtype == RATIONALS)
    forward = prepare(executor, construction.transformer, dtype)
    batch, sizes = batch_size(construction, named(executor)), construction.sizes
    worst, failures = 0.0, []
    seen = {"ties": 0, "noisy": 0, "partial": 0, "empty": 0}
    for start in range(0, len(prompts), batch):
        chunk = [prompt.astype(dtype) for prompt in prompts[start : start + batch]]
        done = forward(embed_all(construction.transformer, chunk))
        for i, (prompt, got) in enumerate(zip(chunk, _single(done), strict=True), start):
            check_domain(prompt, construction.tasks, construction.domain, sizes.m)
            wanted = specification(construction, prompt)
            answer = read_answer(construction, got, len(prompt.X))
            ulps, wrong = compare(construction, prompt, wanted, answer, dtype)
            worst = max(worst, ulps)
            failures += [f"prompt {i}: {w}" for w in wrong]
            seen["ties"] += bool(wanted.ambiguous)
            seen["noisy"] += bool(wanted.unexplained)
            seen["partial"] += len(prompt.X) < sizes.m
            seen["empty"] += not sum(wanted.votes)
        progress(len(chunk))
    return Report(executor, dtype, len(prompts), worst, tuple(failures), **seen)


def _single(done: Pass) -> Iterator[Pass]:
    for stream, attended in zip(done.stream, done.attended, strict=True):
        yield Pass(stream, attended)


def specification(construction: Construction, prompt: Prompt) -> Mixture:
    """Votes in the prompt's own numbers, the answer in exact rationals."""
    exact_query = replace(prompt, query=exactly(prompt.query))
    return mixture(construction.tasks, exact_query, delta=construction.domain.delta)


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
    # Where both are 0 there is no error.
    places = np.flatnonzero((got.answer != 0).astype(bool) | (wanted.answer != 0).astype(bool))
    pairs = zip(got.answer[places].tolist(), wanted.answer[places].tolist(), strict=True)
    error = [abs(Fraction(g) - w) for g, w in pairs]
    most = max(error, default=Fraction(0))
    if dtype == RATIONALS:
        wrong += [f"the answer differs by {float(most):g}"] if most else []
        return float(most > 0), wrong
    query = exactly(prompt.query)
    # The terms that the network adds up: those of equal features are one.
    voted = {k: construction.wiring.tasks[k] for k, c in enumerate(wanted.votes) if c}
    largest = max((largest_term(task, query) for task in voted.values()), default=Fraction(0))
    ulps = float(most / ulp(largest, BY_NAME[dtype].p))
    absolute = {k: absolute_sums(task, query) for k, task in voted.items()}
    values = {k: task(query) for k, task in voted.items()}
    allowed = construction.accuracy[dtype].error(wanted.votes, absolute, values)[places]
    if any(e > a for e, a in zip(error, allowed.tolist(), strict=True)):
        wrong.append(f"the answer is off by {ulps:.3g} ulp, more than rounding can explain")
    return ulps, wrong


def absolute_sums(task: Task, query: np.ndarray) -> np.ndarray:
    """(d,): for each entry of f(query) the sum of the absolute terms that add up to it."""
    size, sums = abs(query), abs(task.b)
    parts = [(matrix, size[p - 1]) for p, matrix in task.A.items()]
    if task.features:
        inner = [sum(_absolute_terms(feature, size)) for feature in task.features]
        parts.append((task.C, rationals(inner)))
    for matrix, x in parts:
        rows, terms = _terms(matrix, x)
        np.add.at(sums, rows, terms)
    return sums


def largest_term(task: Task, query: np.ndarray) -> Fraction:
    """The largest of |f(query)| and of the terms that add up to it."""
    size = abs(query)
    largest = [abs(task(query)).max(), abs(task.b).max()]
    parts = [(matrix, size[p - 1]) for p, matrix in task.A.items()]
    if task.features:
        inner = [max(_absolute_terms(feature, size), default=0) for feature in task.features]
        parts.append((task.C, rationals(inner)))
    largest += [max(_terms(matrix, x)[1].tolist(), default=0) for matrix, x in parts]
    return Fraction(max(largest))


def _terms(matrix: Matrix, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows and values of the absolute terms of a product that are not 0."""
    rows, columns = matrix.at
    read = np.flatnonzero((x != 0).astype(bool)[columns])
    return rows[read], abs(matrix.values[read] * x[columns[read]])


def _absolute_terms(feature: Feature, size: np.ndarray) -> list[Rational]:
    """The absolute terms of a feature, of inputs whose entries have these sizes."""
    terms: list[Rational] = []
    for hinge in feature:
        inside = [hinge.e, *(v * size[p - 1, i] for p, vector in hinge.a for i, v in vector)]
        terms += [abs(hinge.c * x) for x in inside]
    return terms


def ulp(value: Fraction, bits: int) -> Fraction:
    """The spacing of a float format with `bits` bits at |value|; 2^-bits at 0."""
    value = Fraction(value)
    if not value:
        return Fraction(1, 1 << bits)
    exponent = value.numerator.bit_length() - value.denominator.bit_length()
    if Fraction(2) ** exponent > value:
        exponent -= 1
    return Fraction(2) ** (exponent + 1 - bits)
