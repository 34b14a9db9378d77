"""How exact a decoder of words with several inputs is: whole numbers, and what a sum of them loses.

All numbers of its tasks are whole, operands are words, and gamma is a power of two. So each score
that decides is gamma times a sum of whole numbers, which no order of additions rounds as long as
all absolute summands together stay up to 2^p. What decisions leave to wrong tokens, T of them, is

    rest = 4 T e^-gamma slope,

where T e^-gamma of each operand is wrong (slope: `Images`). It is lost in a sum that is not 0, if
it is below u / 2: the nearest number of the format is then the whole one. No decision is rounded.

A unit that applies adds up c_k, which has an error, and whole multiples of T. A partial sum with
c_k in it is a whole number w and an error e. If e is below half of the spacing h of floats there,
the rounded sum is w; else it rounds by h / 2 at most, and once for each h, as an error that is a
multiple of h is none at a smaller spacing. Where f_k[a] is a single number, the sum is c_k, or
below 2T: it rounds once, by u T. Else the spacings are powers of two: all these together are at
most the largest of them.
"""

from fractions import Fraction

from construct.certify.formats import Format
from construct.certify.softmax import FAR_OFF, exp
from construct.designs.decoder.operands.plan import OperandPlan
from construct.designs.decoder.words.count import threshold


def not_exact(fmt: Format, plan: OperandPlan) -> list[str]:
    """Why the decisions and the votes of this decoder are not certified in a format, if so."""
    summed, most = _sums(plan), 1 << fmt.p
    if summed > most:
        return [
            f"the sums of its tasks and scores reach {summed}, and {fmt.name} holds each whole "
            f"number up to {most} alone"
        ]
    if 4 * _rest_of_votes(plan) >= fmt.u:
        return [
            f"what decisions leave to wrong tokens is up to {float(_rest_of_votes(plan)):.3g}, too "
            f"much for {fmt.name}"
        ]
    # A task that gives another word has c_k - T <= -1, which must stay below 0; and the answer is
    # to be one that is worth having.
    if (off := applied(fmt, plan)) > FAR_OFF:
        return [f"votes are rounded by up to {float(off):.3g} as its tasks are applied"]
    return []


def applied(fmt: Format, plan: OperandPlan) -> Fraction:
    """How far the units that apply the tasks can take the votes for a word, for each vote.

    A word with n votes has at most n units with some; the others give what decisions leave.
    """
    T, images = threshold(plan), plan.wiring.images.images
    rest = plan.sizes.K * _rest_of_votes(plan)
    if images <= 1:
        return fmt.u * T + rest
    # Of what adds up to 0 or 1, no part is above (images + 1) / 2, of either sign; T is taken away.
    largest = plan.sizes.m + 1 + -(-T * (images + 3) // 2)
    return fmt.u * (1 << largest.bit_length()) + rest


def _sums(plan: OperandPlan) -> int:
    """The largest sum of absolute summands of a score, over gamma, or inside of a task."""
    sizes, images = plan.sizes, plan.wiring.images
    codes = 2 * sizes.ell_e + 2 * (images.most + 1) * sizes.ell_t
    return 1 + codes + 2 * (images.sums + 1)


def _rest_of_votes(plan: OperandPlan) -> Fraction:
    """A bound on what a unit without a vote gives."""
    m, gamma = plan.sizes.m, plan.margins.gamma
    leak = 4 * plan.sizes.tokens * exp(-gamma)
    return leak * (threshold(plan) * plan.wiring.images.slope + 2 * m * (m + 1))
