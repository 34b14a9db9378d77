"""The prompts on which the theorem holds.

    |x| <= R and |y| <= R_y entry by entry, and for each example i and task k
    either f_k(X_i) = y_i or ||f_k(X_i) - y_i||_2 >= delta.

With a grid g, all entries are also whole multiples of g.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from construct.errors import ConstructError, shown
from construct.rational import MOST_DIGITS, Rational, rational, to_json
from construct.tasks import Task

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
    """

    R: Rational
    Ry: Rational
    delta: Rational
    grid: Rational | None = None

    def __post_init__(self) -> None:
        for name in ("R", "Ry", "delta", "grid"):
            value = getattr(self, name)
            if value is None and name == "grid":
                continue
            value = rational(value, f"{name} of the domain", digits=COMPUTED)
            if value <= 0:
                raise ConstructError(f"{name} of the domain is {value}; it must be positive.")
            object.__setattr__(self, name, value)

    @classmethod
    def from_json(cls, value: Any) -> "Domain":
        """From {"R": 8, "Ry": 32, "delta": 1} and, if wanted, "grid".

        Raises:
            ConstructError: on missing or unknown names, or a value <= 0.
        """
        needed = {"R", "Ry", "delta"}
        if not isinstance(value, Mapping) or not needed <= set(value) <= needed | {"grid"}:
            raise ConstructError(
                f'the domain is {shown(value)}; write {{"R": 8, "Ry": 32, "delta": 1}}, '
                'with "grid" if all entries are multiples of it.'
            )
        return cls(
            **{k: rational(v, f"{k} of the domain", digits=COMPUTED) for k, v in value.items()}
        )

    def to_json(self) -> dict[str, Any]:
        """The form that `from_json` reads."""
        pairs = {"R": self.R, "Ry": self.Ry, "delta": self.delta, "grid": self.grid}
        return to_json({key: value for key, value in pairs.items() if value is not None})

    def __str__(self) -> str:
        grid = "" if self.grid is None else f"; multiples of {self.grid}"
        return f"entries of x up to {self.R}, of y up to {self.Ry}; delta = {self.delta}{grid}"


# One-hot words: entries 0 and 1; two that differ are at least 1 apart.
ONE_HOT = Domain(R=1, Ry=1, delta=1, grid=1)


def choose_domain(tasks: Sequence[Task], certified_at: Callable[[Domain], Sequence[str]]) -> Domain:
    """A domain for tasks that come without one.

    delta is the separation that whole-numbered inputs have by themselves: 1/q, if
    q is the common denominator of the tasks; 1 if no float can keep that apart. R is
    8, or 4 if only that is certified for float32; if neither is, the largest of 8, 4,
    2, 1 that is certified for float64. R_y leaves room for every f_k(X).

    Args:
        certified_at: domain -> the names of the number formats certified there.
    """
    q = _common_denominator(tasks)
    # Of a separation below 2^-1024 no float has the square.
    for delta in (Fraction(1, q), Fraction(1)) if q < 1 << 1024 else (Fraction(1),):
        for wanted, bounds in (("float32", (8, 4)), ("float64", (8, 4, 2, 1))):
            for R in bounds:
                domain = Domain(R, _label_bound(tasks, R), delta)
                if wanted in certified_at(domain):
                    return domain
    return Domain(8, _label_bound(tasks, 8), 1)


def _common_denominator(tasks: Sequence[Task]) -> int:
    denominators = {number.denominator for task in tasks for number in task.numbers()}
    return math.lcm(*denominators)


def _label_bound(tasks: Sequence[Task], R: Rational) -> int:
    """The least power of two >= every entry of every f_k(X), |X| <= R."""
    bound = max((max(task_bound(task, R), default=0) for task in tasks), default=Fraction(1))
    return 1 << (math.ceil(max(bound, R)) - 1).bit_length()


def task_bound(task: Task, R: Rational) -> list[Rational]:
    """For each entry of f(X) a bound on |X| <= R: the sum of absolute summands."""
    bound = abs(task.b)
    for matrix in task.A.values():
        bound = bound + abs(matrix).sum(axis=1) * R
    for u, feature in enumerate(task.features):
        g = Fraction(0)
        for hinge in feature:
            coefficients = (abs(Fraction(v)) for _, vector in hinge.a for v in vector)
            reach = sum(coefficients, Fraction(0)) * R + abs(Fraction(hinge.e))
            g += abs(Fraction(hinge.c)) * reach
        bound = bound + np.abs(task.C[:, u]).astype(object) * g
    return list(bound)
