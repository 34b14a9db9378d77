"""The domain of tasks that come without one."""

import math
from collections.abc import Callable, Sequence
from fractions import Fraction

from construct.rational import Rational
from construct.spec.domain import Domain, task_bound
from construct.spec.tasks import Task


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
