"""Which examples a task explains, decided without rounding."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
from jaxtyping import Bool, Int, Shaped

from construct.rational import Rational
from construct.spec.prompt import Prompt, exactly, is_exact

# What a label is to a task.
MATCH, BETWEEN, SEPARATE = 0, 1, 2


def match_limit(prompt: Prompt, delta: Any) -> Rational:
    """The squared distance up to which a label matches a task.

    On rationals that is 0. On floats with p bits it is delta^2 2^-(p+7), so small that
    B distance^2 vanishes beside 1: a label that was rounded, or computed in another order of
    summation, is a match.
    """
    if is_exact(prompt.Y):
        return 0
    return Fraction(delta) ** 2 / (1 << (np.finfo(prompt.Y.dtype).nmant + 8))


def matches(f: Callable, prompt: Prompt, delta: Any) -> Bool[np.ndarray, " e"]:
    """Which examples f explains, decided without rounding."""
    limit = match_limit(prompt, delta)
    return judge(f, prompt, limit, limit) == MATCH


def judge(
    f: Callable, prompt: Prompt, match: Rational, separate: Rational
) -> Int[np.ndarray, " e"]:
    """MATCH where ||f(X_i) - y_i||^2 <= match, SEPARATE where it is >= separate, or BETWEEN.

    Floats are the rationals that they hold, and f is evaluated as it is written: no
    distance is rounded. Most are so far from the limits that an enclosure of the distance decides.
    """
    if is_exact(prompt.X):
        return _compare(squared_distances(f, prompt), match, separate)
    low, high = _enclosure(f, prompt)
    verdict = np.full(len(low), BETWEEN)
    verdict[low > _nearby(separate, np.inf)] = SEPARATE
    verdict[high < _nearby(match, 0.0)] = MATCH
    open_ = verdict == BETWEEN
    if open_.any():
        some = replace(prompt, X=prompt.X[open_], Y=prompt.Y[open_], lines=())
        verdict[open_] = _compare(squared_distances(f, some), match, separate)
    return verdict


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
    ends = [int(end) for array in (values, labels) for end in (array.min(), array.max())]
    return values.shape[-1] * (2 * max(map(abs, ends))) ** 2 < 1 << 62


def _compare(
    squares: Shaped[np.ndarray, " e"], match: Rational, separate: Rational
) -> Int[np.ndarray, " e"]:
    far = np.where(np.array(squares >= separate, dtype=bool), SEPARATE, BETWEEN)
    return np.where(np.array(squares <= match, dtype=bool), MATCH, far)


def _enclosure(f: Callable, prompt: Prompt) -> tuple[np.ndarray, np.ndarray]:
    """Floats below and above each squared distance; NaN where there are none.

    With the gauge (a, b, t) of a task an entry of f(X) - y meets 2t + 7 roundings at most,
    so that it is off by less than 2 (t + 8) 2^-53 (a |X| + b + |y|); and what underflows
    meets weights below 2^200 in all.
    """
    count, gauge = len(prompt.X), getattr(f, "gauge", None)
    if gauge is None:
        return np.full(count, np.nan), np.full(count, np.nan)
    a, b, t = float(gauge[0]), float(gauge[1]), gauge[2]
    X, Y = prompt.X.astype(np.float64), prompt.Y.astype(np.float64)
    with np.errstate(all="ignore"):
        gap = abs(f(X) - Y)
        x, y = abs(X).max(axis=(1, 2)), abs(Y).max(axis=1)
        off = (t + 8) * (2.0**-52 * (a * x + b + y) + 2.0**-800)[:, None]
        low, high = np.maximum(gap - off, 0), gap + off
        slack, lost = (prompt.d + 8) * 2.0**-52, prompt.d * 2.0**-1000
        return (
            (low**2).sum(axis=1) * (1 - slack) - lost,
            (high**2).sum(axis=1) * (1 + slack) + lost,
        )


def _nearby(limit: Rational, towards: float) -> float:
    """A float beside a limit, on the side of `towards`."""
    try:
        return float(np.nextafter(float(limit), towards))
    except OverflowError:
        return np.inf if towards else 2.0**1023
