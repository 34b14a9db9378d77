"""The margins of softmax designs, and the formats in which their decisions are certified.

A head that decides leaves T e^-g of its weights to wrong tokens, T tokens in all, where g is the
margin that is left of gamma after rounding: a quarter of gamma is given to rounding. All votes
together, K m of them, are then off by at most

    leak = K m T e^(-3 gamma / 4) <= 2^-54.

What rounds them is bounded in `certify.decisions`.
"""

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache

from construct.designs.decoder.vectors.plan import Operands
from construct.designs.softmax.design import Design
from construct.designs.softmax.plan import Margins, Plan
from construct.designs.softmax.sizes import Sizes
from construct.designs.theorem.wiring import Wiring
from construct.errors import ConstructError
from construct.rational import Rational, rational
from construct.spec.domain import Domain, task_bound
from construct.spec.tasks import Task

# ln 2 is below 7/10: a number with b bits is below e^(7 b / 10).
LN2 = Fraction(7, 10)
# Of each gamma, what is left after rounding.
LEFT = Fraction(3, 4)
# All votes together are off by at most 2^-54: less than half an ulp of 1.
BITS = 54
# So is beta, by this one and by what makes it a power of two: the steeper, the less distance is
# asked of rounding.
STEEP = 16
# What a vote, a count or a logarithm may be off by at most.
FAR_OFF = Fraction(1, 16)
# 2C is larger than it must be in exact arithmetic by this factor.
ROOM = Fraction(9, 8)


def choose_gamma(sizes: Sizes) -> int:
    """The least power of two with K m T e^(-3 gamma / 4) <= 2^-54."""
    bits = (sizes.K * sizes.m * sizes.tokens).bit_length() + BITS
    return int(_power_of_two(bits * LN2 / LEFT))


def choose_margins(design: Design, sizes: Sizes, tasks: Sequence[Task], domain: Domain) -> Margins:
    """All margins of a design; words are compared as such, and need no distance.

    Raises:
        ConstructError: if the tasks are held too coarsely for the domain's delta.
    """
    gamma = choose_gamma(sizes)
    if design.logits:
        return Margins(gamma)
    epsilon = max(task.epsilon for task in tasks)
    match, separate = Fraction(domain.tau + epsilon), Fraction(domain.delta - epsilon)
    if separate <= match:
        raise ConstructError(
            f"labels match up to tau = {domain.tau} and are separate from delta = {domain.delta}, "
            f"and the tasks are held within {float(epsilon):.3g}: these cannot be told apart; "
            "choose a larger delta."
        )
    beta = STEEP * _power_of_two(Fraction(2 * gamma) / (separate**2 - match**2))
    # The distance between a match and a mismatch at which the score is 0: an error of e_k costs a
    # mismatch more than a match, and the more so the smaller a match is.
    edge = match + (separate - match) * (3 + match / separate) / 8
    top = rational(beta * edge**2)
    far = _power_of_two(ROOM * (top + gamma + beta * squared_error(design, tasks, domain)) / 2)
    return Margins(gamma, beta, top, far)


def squared_error(design: Design, tasks: Sequence[Task], domain: Domain) -> Rational:
    """E^2: a bound on ||f_k - label||^2 at every token, whatever it holds."""
    most = max(domain.R, domain.Ry)
    read = most if design.reads_labels else domain.R
    return max(sum((b + most) ** 2 for b in task_bound(task, read)) for task in tasks)


def exp(power: Rational) -> Fraction:
    """A bound on e^power for a power of 0 or below: e is above 2^(36/25)."""
    return Fraction(1, 1 << int(-power * 36 // 25))


def wiring_of(plan: Plan) -> Wiring:
    """How the tasks are read, as `certify.bounds` takes it: a decoder fetches every operand."""
    return plan.wiring if isinstance(plan.wiring, Wiring) else _fetched(plan.wiring)


@lru_cache(maxsize=8)
def _fetched(operands: Operands) -> Wiring:
    return Wiring.through(operands.tasks, operands.positions)


def _power_of_two(least: Rational) -> Rational:
    """The least power of two that is not below."""
    least = Fraction(least)
    exponent = least.numerator.bit_length() - least.denominator.bit_length() - 1
    while _two_to(exponent) < least:
        exponent += 1
    return _two_to(exponent)


def _two_to(exponent: int) -> Rational:
    return 1 << exponent if exponent >= 0 else Fraction(1, 1 << -exponent)
