"""The prompts on which the theorem holds.

    |x| <= R and |y| <= R_y entry by entry, and for each example i and task k
    either f_k(X_i) = y_i or ||f_k(X_i) - y_i||_2 >= delta.

With a tau > 0 a label matches where ||f_k(X_i) - y_i||_2 <= tau. With a grid g, all entries are
also whole multiples of g.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import MAX_EMAX, MIN_EMIN, Decimal, localcontext
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np

from construct.arguments import checked, function, instance, listed, whole, wrong
from construct.errors import ConstructError, OutsideDomain, shown
from construct.rational import (
    MOST_DIGITS,
    Rational,
    is_dyadic,
    is_float,
    rational,
    rationals,
    to_json,
)
from construct.spec.hinge import feature_gauge
from construct.spec.matching import BETWEEN, judged, match_limit, squared_distances
from construct.spec.prompt import Prompt, exactly, is_exact, rounded
from construct.spec.tasks import Task

# Digits of a bound, also of one that `limits` multiplies; a build takes MOST_DIGITS.
COMPUTED = 2 * MOST_DIGITS


@dataclass(frozen=True)
class Domain:
    """Bounds on prompts.

    Attributes:
        R: bound on every entry of an input.
        Ry: bound on every entry of a label.
        delta: the least distance of a label from a task that it does not match.
        grid: every entry is a whole multiple of it; None for any real number.
        tau: the largest distance of a label from a task that it matches, below delta.
    """

    R: Rational
    Ry: Rational
    delta: Rational
    grid: Rational | None = None
    tau: Rational = 0

    def __post_init__(self) -> None:
        for name in ("R", "Ry", "delta", "grid", "tau"):
            value = getattr(self, name)
            if value is None and name == "grid":
                continue
            value = rational(value, f"{name} of the domain", digits=COMPUTED)
            if value <= 0 and name != "tau":
                raise ConstructError(f"{name} of the domain is {value}; it must be positive.")
            object.__setattr__(self, name, value)
        if not 0 <= self.tau < self.delta:
            raise ConstructError(
                f"tau of the domain is {self.tau}; it must be at least 0 and below "
                f"delta = {self.delta}."
            )

    @classmethod
    def from_json(cls, value: Any) -> "Domain":
        """From {"R": 8, "Ry": 32, "delta": 1} and, if wanted, "grid" and "tau".

        Raises:
            ConstructError: on missing or unknown names, or a value out of range.
        """
        needed = {"R", "Ry", "delta"}
        if not isinstance(value, Mapping) or not needed <= set(value) <= needed | {"grid", "tau"}:
            raise ConstructError(
                f'the domain is {shown(value)}; write {{"R": 8, "Ry": 32, "delta": 1}}, '
                'with "grid" if all entries are multiples of it, with "tau" if labels may be '
                "off by it."
            )
        return cls(
            **{k: rational(v, f"{k} of the domain", digits=COMPUTED) for k, v in value.items()}
        )

    def to_json(self) -> dict[str, Any]:
        """The form that `from_json` reads."""
        pairs = {"R": self.R, "Ry": self.Ry, "delta": self.delta, "grid": self.grid}
        some = {"tau": self.tau} if self.tau else {}  # files without it keep their bytes
        return to_json({k: v for k, v in {**pairs, **some}.items() if v is not None})

    def __str__(self) -> str:
        grid = "" if self.grid is None else f"; multiples of {self.grid}"
        tau = f", tau = {self.tau}" if self.tau else ""
        return f"entries of x up to {self.R}, of y up to {self.Ry}; delta = {self.delta}{tau}{grid}"


# One-hot words: entries 0 and 1; two that differ are at least 1 apart.
ONE_HOT = Domain(R=1, Ry=1, delta=1, grid=1)


def task_bound(task: Task, R: Rational) -> list[Rational]:
    """For each entry of f(X) a bound on |X| <= R: the sum of absolute summands."""
    bound = abs(task.b)
    for matrix in task.A.values():
        bound = bound + abs(matrix).sums(1) * R
    if task.features:
        sizes = [feature_gauge(feature) for feature in task.features]
        bound = bound + abs(task.C)(rationals([a * Fraction(R) + b for a, b, _ in sizes]))
    return list(bound)


@checked(
    prompt=instance(Prompt, "a construct.Prompt"),
    tasks=listed(function, "function X -> f(X)", least=0),
    m=whole(1),
)
def check_domain(prompt: Prompt, tasks: Sequence, domain: Any, m: int) -> None:
    """Refuse a prompt on which the theorem makes no promise.

    Distances are those of the numbers that the prompt holds, without rounding. On floats
    with p bits a label counts as a match as in `mixture`, and as separate from
    delta (1 - 2^-(p//2)) on: a label at distance delta stays separate when it is rounded.
    On a grid of which the format holds every multiple, as on rationals, both are exact but for
    tau, which may then be rounded up on floats.

    Args:
        tasks: callables with a `name`, each X -> f(X).
        domain: R, Ry, delta, grid and tau (0 where there is none), as in `Domain`.
        m: slots for examples.

    Raises:
        ConstructError: if there are more than m examples.
        OutsideDomain: naming the example, the task and the distance.
    """
    for name in ("R", "Ry", "delta", "grid"):
        if not hasattr(domain, name):
            raise wrong(domain, "domain", "a construct.Domain")
    if len(prompt.X) > m:
        raise ConstructError(
            f"the prompt has {len(prompt.X)} examples; this artifact takes at most "
            f"m = {m}: leave some out, or build with --m {len(prompt.X)}."
        )
    _check_entries(prompt, domain)
    if not len(prompt.X):
        return
    tau = getattr(domain, "tau", 0)
    match, separate = match_limit(prompt, domain.delta, tau), _separate(prompt, domain)
    between = judged(tasks, prompt, match, separate) == BETWEEN
    for k in np.flatnonzero(between.any(axis=1))[:1]:
        i = int(np.flatnonzero(between[k])[0])
        raise _too_close(prompt, i, tasks[k], domain.delta, tau)


def check_words(prompt: Prompt) -> None:
    """Refuse a prompt that holds a vector which is no word.

    Raises:
        OutsideDomain: naming the first example that does, or the query.
    """
    query = prompt.query[None]
    for array in (prompt.X, prompt.Y[:, None], query):
        once = np.array((array != 0).sum(axis=-1) == 1) & np.array((array == 1).any(axis=-1))
        for i in np.flatnonzero(~once.all(axis=-1))[:1].tolist():
            whose = "the query" if array is query else f"example {prompt.lines[i]}"
            raise OutsideDomain(
                f"{whose}: a token is no word of the vocabulary, a vector of one 1 and zeros; a "
                "decoder of words takes words alone: give one of them, or build with design "
                "'encoder' or 'theorem'."
            )


def refuse_other_than_words(domain: Domain) -> None:
    """Refuse a domain that holds no words, or in which two of them match.

    Raises:
        ConstructError: saying what is wrong.
    """
    wrong = None
    if min(domain.R, domain.Ry) < 1 or (domain.grid is not None and 1 % domain.grid):
        wrong = f"holds no words, whose entries are 0 and 1 ({domain})"
    elif domain.tau >= 1:
        wrong = f"has tau = {domain.tau}, so that a word matches none at all"
    if wrong:
        raise ConstructError(
            f"the domain {wrong}; leave it out: a decoder of words takes all words."
        )


def _separate(prompt: Prompt, domain: Any) -> Rational:
    """The squared distance from which on a label is separate from a task."""
    if is_exact(prompt.X) or _holds(prompt.X.dtype, domain):
        return Fraction(domain.delta) ** 2
    return _rounded_square(Fraction(domain.delta), prompt.X.dtype)


@lru_cache(maxsize=64)
def _rounded_square(delta: Fraction, dtype: np.dtype) -> Fraction:
    p = np.finfo(dtype).nmant + 1
    return (delta * (1 - Fraction(1, 2 ** (p // 2)))) ** 2


# A label that was rounded to float32 is off by 2^-24 of its size, and by more where the inputs
# were rounded too.
FLOAT32 = Fraction(1, 1 << 22)


def _too_close(prompt: Prompt, i: int, task: Any, delta: Rational, tau: Rational) -> OutsideDomain:
    """What is wrong with an example that the domain does not admit, and what to do."""
    one = replace(prompt, X=prompt.X[[i]], Y=prompt.Y[[i]], lines=())
    square, label = squared_distances(task, one)[0], exactly(one.Y)[0]
    remedy = "correct the label, or leave the example out"
    if square <= FLOAT32**2 * (label**2).sum():
        remedy = "its numbers seem to be rounded to float32: give those of float64, or exact ones"
        remedy += "" if prompt.Y.dtype == np.float32 else ", or run in float32"
    near = f"match (up to tau = {tau})" if tau else "match"
    return OutsideDomain(
        f"example {prompt.lines[i]}: its label is at distance "
        f"{_root(square)} from task {task.name!r}; the artifact "
        f"is certified for labels that {near} or are at least delta = {delta} away; {remedy}."
    )


def _root(square: Rational) -> str:
    """The square root in six digits, also beyond any float's range."""
    with localcontext(prec=20, Emax=MAX_EMAX, Emin=MIN_EMIN):
        root = (Decimal(square.numerator) / Decimal(square.denominator)).sqrt()
    return f"{float(root):.6g}" if abs(root.adjusted()) < 300 else f"{root:.6e}"


def _check_entries(prompt: Prompt, domain: Any) -> None:
    for array, bound, kind in (
        (prompt.X, domain.R, "an input"),
        (prompt.Y, domain.Ry, "the label"),
        (prompt.query, domain.R, "an input"),
    ):
        rules = [(_beyond(array, _in_format(bound, array)), f"|entry| <= {bound}")]
        if domain.grid is not None:
            rules.append((_off_grid(array, domain.grid), f"multiples of {domain.grid}"))
        for outside, rule in rules:
            for place in np.argwhere(outside)[:1]:
                inside = array is not prompt.query
                whose = f"example {prompt.lines[place[0]]}" if inside else "the query"
                raise OutsideDomain(
                    f"{whose}: {kind} has the entry {array[tuple(place)]}; the artifact is "
                    f"certified for {rule}; change the entry, or build with another domain."
                )


def _beyond(array: np.ndarray, bound: Any) -> np.ndarray:
    """Where an entry is larger than the bound."""
    if array.dtype.kind != "O" and array.size and -bound <= array.min() and array.max() <= bound:
        return np.zeros((), dtype=bool)  # nowhere: the usual case, without another array
    return abs(array.astype(object) if array.dtype.kind == "i" else array) > bound


def _in_format(bound: Any, array: np.ndarray) -> Any:
    """The bound, rounded as an entry that is equal to it has been."""
    return bound if is_exact(array) else _float_bound(bound, array.dtype)


@lru_cache(maxsize=64)
def _float_bound(bound: Rational, dtype: np.dtype) -> Any:
    with np.errstate(over="ignore"):
        try:
            return np.float64(bound).astype(dtype)
        except OverflowError:
            return dtype.type(np.inf)


def _holds(dtype: np.dtype, domain: Any) -> bool:
    """Whether the entries of a domain are multiples of a grid that a float format holds."""
    grid, limits = domain.grid, np.finfo(dtype)
    if grid is None or not is_dyadic(grid) or grid.denominator * Fraction(float(limits.tiny)) > 1:
        return False
    return max(domain.R, domain.Ry) * grid.denominator <= 2 ** (limits.nmant + 1)


def _off_grid(array: np.ndarray, grid: Rational) -> np.ndarray:
    """Where an entry is not a multiple of the grid, rounded to the array's format."""
    if array.dtype.kind == "i" and grid == 1:
        return np.zeros((), dtype=bool)
    if is_exact(array):
        return array.astype(object) % grid != 0
    off = np.ones(array.shape, dtype=bool)
    if is_float(grid):
        # The remainder of two floats is a float: these are multiples themselves.
        off = np.fmod(array.astype(np.float64), float(grid)) != 0
    values, places = np.unique(array[off], return_inverse=True)
    off[off] = np.array([_no_multiple(value, grid) for value in values], dtype=bool)[places]
    return off


def _no_multiple(value: np.floating, grid: Rational) -> bool:
    """Whether neither of the two multiples next to a float rounds to it."""
    below = Fraction(float(value)) // grid
    beside = np.array([below * grid, (below + 1) * grid], dtype=object)
    return bool((rounded(beside, value.dtype.name) != value).all())
