"""How far an answer may be from the mixture of the tasks."""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from jaxtyping import Shaped

from construct.certify.margins import root_above
from construct.checking.terms import absolute_sums
from construct.compiler import Construction
from construct.compiler.softmax import SoftmaxConstruction
from construct.execute.registry import FLOATS, RATIONALS
from construct.rational import Rational, rationals, zeros
from construct.spec.formula import Formula
from construct.spec.prompt import Prompt, exactly


def is_near(construction: Construction) -> bool:
    """Whether a task is a formula or is held within an error, or labels match within a distance."""
    if construction.domain.tau or any(task.epsilon for task in construction.held):
        return True
    return any(isinstance(task, Formula) for task in construction.tasks)


def error_bound(
    construction: Construction, prompt: Prompt, votes: Sequence[Rational], dtype: str
) -> Fraction:
    """How far in length an answer may be from the mixture of the tasks.

    That is the weighted sum of the errors within which the tasks are held, and what rounding
    can add in a certified format. The prompt is the one in the numbers of that format.

    Args:
        votes: c_k for each task.
        dtype: a number format of an executor.
    """
    rounding = rounding_bound(construction, exactly(prompt.query), votes, dtype)
    return held_bound(construction, votes) + length(rounding)


def length(errors: Shaped[np.ndarray, " d"]) -> Fraction:
    """The length of a vector, or a little more."""
    square = sum((Fraction(e) ** 2 for e in errors), Fraction(0))
    return root_above(square) if square else square


def held_bound(construction: Construction, votes: Sequence[Rational]) -> Fraction:
    """The part of `error_bound` that is due to formulas: sum_k w_k epsilon_k."""
    total = sum(votes)
    pairs = zip(votes, construction.held, strict=True)
    return sum((Fraction(c) * task.epsilon for c, task in pairs), Fraction(0)) / (total or 1)


def rounding_bound(
    construction: Construction,
    query: Shaped[np.ndarray, "inputs d"],
    votes: Sequence[Rational],
    dtype: str,
) -> Shaped[np.ndarray, " d"]:
    """For each entry how far rounding can take it from `held_mixture`; 0 in rationals.

    A softmax design has logarithms in its weights, which are float64 also in the exact executor.
    """
    if isinstance(construction, SoftmaxConstruction):
        error = construction.error[FLOATS[0] if dtype == RATIONALS else dtype]
        return rationals([error] * construction.sizes.d)
    if dtype == RATIONALS:
        return zeros(construction.sizes.d)
    # The terms that the network adds up: those of equal features are one.
    voted = {k: construction.wiring.tasks[k] for k, c in enumerate(votes) if c}
    absolute = {k: absolute_sums(task, query) for k, task in voted.items()}
    values = {k: task(query) for k, task in voted.items()}
    return construction.accuracy[dtype].error([int(c) for c in votes], absolute, values)


def held_mixture(
    construction: Construction,
    query: Shaped[np.ndarray, "inputs d"],
    weights: Sequence[Rational],
) -> Shaped[np.ndarray, " d"]:
    """sum_k w_k g_k(query), of the tasks as the network holds them."""
    found = zeros(construction.sizes.d)
    for weight, task in zip(weights, construction.held, strict=True):
        if weight:
            found = found + weight * task(query).astype(object)
    return found
