"""Which examples a task explains, decided without rounding."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from construct.matrix import MOST_SUM
from construct.rational import Rational, largest, rational
from construct.spec.prompt import Prompt, exactly, is_exact
from construct.spec.stacked import Stacked, stacked

# What a label is to a task.
MATCH, BETWEEN, SEPARATE = 0, 1, 2


def match_limit(prompt: Prompt, delta: Any, tau: Any = 0) -> Rational:
    """The squared distance up to which a label matches a task.

    On rationals that is tau^2. On floats with p bits it is delta^2 2^-(p+7), so small that
    B distance^2 vanishes beside 1: a label that was rounded, or computed in another order of
    summation, is a match. If it is more, it is (tau (1 + 2^-(p//2)))^2: a label at distance tau
    stays a match when it is rounded.
    """
    if is_exact(prompt.Y):
        return rational(tau) ** 2
    return _float_limit(Fraction(delta), Fraction(tau), prompt.Y.dtype)


@lru_cache(maxsize=64)
def _float_limit(delta: Fraction, tau: Fraction, dtype: np.dtype) -> Fraction:
    p = np.finfo(dtype).nmant + 1
    rounded = delta**2 / (1 << (p + 7))
    return max(rounded, (tau * (1 + Fraction(1, 1 << (p // 2)))) ** 2)


def matches(f: Callable, prompt: Prompt, delta: Any, tau: Any = 0) -> Bool[np.ndarray, " e"]:
    """Which examples f explains, decided without rounding."""
    return matched([f], prompt, delta, tau)[0]


def matched(
    tasks: Sequence[Callable], prompt: Prompt, delta: Any, tau: Any = 0
) -> Bool[np.ndarray, "K e"]:
    """Which examples each of the tasks explains, decided without rounding."""
    limit = match_limit(prompt, delta, tau)
    return judged(tasks, prompt, limit, limit) == MATCH


def judge(
    f: Callable, prompt: Prompt, match: Rational, separate: Rational
) -> Int[np.ndarray, " e"]:
    """MATCH where ||f(X_i) - y_i||^2 <= match, SEPARATE where it is >= separate, or BETWEEN."""
    return judged([f], prompt, match, separate)[0]


def judged(
    tasks: Sequence[Callable], prompt: Prompt, match: Rational, separate: Rational
) -> Int[np.ndarray, "K e"]:
    """The same for each of the tasks.

    Floats are the rationals that they hold, and f is evaluated as it is written: no
    distance is rounded. Most are so far from the limits that an enclosure of the distance decides.
    """
    if not len(prompt.X):
        return np.zeros((len(tasks), 0), dtype=int)
    stack = stacked(tasks, prompt)
    if is_exact(prompt.X):
        whole = None if stack is None else stack.squares(prompt)
        squares = [squared_distances(f, prompt) for f in tasks] if whole is None else whole
        return np.array([_compare(own, match, separate) for own in squares])
    low, high = _enclosures(tasks, stack, prompt)
    verdict = np.full(low.shape, BETWEEN)
    verdict[low > _nearby(separate, np.inf)] = SEPARATE
    verdict[high < _nearby(match, 0.0)] = MATCH
    for k in np.flatnonzero((verdict == BETWEEN).any(axis=1)).tolist():
        open_ = verdict[k] == BETWEEN
        some = replace(prompt, X=prompt.X[open_], Y=prompt.Y[open_], lines=())
        verdict[k, open_] = _compare(squared_distances(tasks[k], some), match, separate)
    return verdict


def _enclosures(
    tasks: Sequence[Any], stack: Stacked | None, prompt: Prompt
) -> tuple[Float[np.ndarray, "K e"], Float[np.ndarray, "K e"]]:
    """Floats below and above each squared distance; NaN where there are none."""
    if stack is not None:
        return stack.enclosure(tasks, prompt)
    nothing = np.full((1, len(prompt.X)), np.nan)
    pairs = []
    for f in tasks:
        alone = stacked([f], prompt)
        pairs.append((nothing, nothing) if alone is None else alone.enclosure([f], prompt))
    low, high = (np.concatenate(ends) for ends in zip(*pairs, strict=True))
    return low, high


def squared_distances(f: Callable, prompt: Prompt) -> Shaped[np.ndarray, " e"]:
    """||f(X_i) - y_i||^2 for each example, exactly: of the numbers that the prompt holds."""
    values, labels = f(exactly(prompt.X)), exactly(prompt.Y)
    if values.dtype.kind == "i" and _squares_fit(values, labels):
        return ((values.astype(np.int64) - labels) ** 2).sum(axis=-1).astype(object)
    gap = values.astype(object) - labels
    return (gap**2).sum(axis=-1)


def _squares_fit(values: np.ndarray, labels: np.ndarray) -> bool:
    """Whether the squared distances of whole numbers stay in int64."""
    if labels.dtype.kind != "i" or not values.size:
        return False
    return values.shape[-1] * (2 * max(largest(values), largest(labels))) ** 2 < MOST_SUM


def _compare(
    squares: Shaped[np.ndarray, " e"], match: Rational, separate: Rational
) -> Int[np.ndarray, " e"]:
    far = np.where(np.array(squares >= separate, dtype=bool), SEPARATE, BETWEEN)
    return np.where(np.array(squares <= match, dtype=bool), MATCH, far)


@lru_cache(maxsize=64)
def _nearby(limit: Rational, towards: float) -> float:
    """A float beside a limit, on the side of `towards`."""
    try:
        return float(np.nextafter(float(limit), towards))
    except OverflowError:
        return np.inf if towards else 2.0**1023
