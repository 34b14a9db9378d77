"""How far a number format goes: the largest sizes at which tasks are still certified.

A limit is a proved one: at it every condition of `margins.failures` holds, evaluated
in exact arithmetic; one step further some condition fails. What really fails past it
is measured in proofs/floats/limits.py.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from construct.certify import decisions
from construct.certify import softmax as by_softmax
from construct.certify.bounds import Bounds
from construct.certify.formats import FORMATS
from construct.certify.margins import choose_margins, failures
from construct.designs.softmax.design import Design
from construct.designs.softmax.plan import Plan
from construct.designs.theorem.sizes import Sizes
from construct.designs.theorem.wiring import Wiring
from construct.rational import Rational
from construct.spec.domain import Domain
from construct.spec.tasks import Task

# Limits on R are whole multiples of 1/16 of it.
STEPS = 16
# The search for the slots of a softmax design ends here; nobody builds so many.
MOST_SLOTS = 1 << 32


@dataclass(frozen=True)
class Limit:
    """The largest sizes that are certified, all else being equal.

    Attributes:
        m: slots for examples; 0 if not even one is certified.
        times: what R and R_y may be multiplied with.
    """

    m: int
    times: Rational


def limits(sizes: Sizes, wiring: Wiring, domain: Domain) -> dict[str, Limit]:
    """For each float format the limits in m, and in R and R_y together."""

    def with_m(m: int) -> bool:
        return name in certified(replace(sizes, m=m), wiring, domain)

    def with_R(steps: int) -> bool:
        return name in certified(sizes, wiring, scaled(domain, Fraction(steps, STEPS)))

    found = {}
    for name in (fmt.name for fmt in FORMATS):
        found[name] = Limit(largest(with_m), Fraction(largest(with_R), STEPS))
    return found


def softmax_limits(
    design: Design, plan: Plan, tasks: Sequence[Task], domain: Domain
) -> dict[str, Limit]:
    """The same of a softmax design; words have no R to be multiplied."""

    def holds(m: int, times: Rational) -> bool:
        at, sizes = scaled(domain, times), replace(plan.sizes, m=m)
        margins = by_softmax.choose_margins(design, sizes, tasks, at)
        failed = decisions.certify(design, Plan(sizes, plan.wiring, margins), tasks, at)
        return not failed[name]

    found, m = {}, plan.sizes.m
    for name in (fmt.name for fmt in FORMATS):
        times: Rational = 1
        if not design.logits:
            times = Fraction(largest(lambda i: holds(m, Fraction(i, STEPS))), STEPS)
        found[name] = Limit(largest(lambda m: holds(m, 1), end=MOST_SLOTS), times)
    return found


def certified(sizes: Sizes, wiring: Wiring, domain: Domain) -> list[str]:
    """The formats in which `build` certifies these sizes."""
    margins, bounds = choose_margins(sizes, wiring, domain), Bounds.of(wiring, domain)
    failed = {f.name: next(failures(sizes, bounds, domain, margins, f), None) for f in FORMATS}
    return [name for name, why in failed.items() if why is None]


def scaled(domain: Domain, times: Rational) -> Domain:
    """The domain with R and R_y multiplied."""
    return replace(domain, R=domain.R * times, Ry=domain.Ry * times)


def largest(holds: Callable[[int], bool], end: int = 1 << 80) -> int:
    """A whole number n < end with holds(n) and not holds(n + 1); 0 if not holds(1).

    By doubling and bisection: the largest, where sizes that hold have no gaps.
    """
    low, high = 0, 1
    while high < end and holds(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low
