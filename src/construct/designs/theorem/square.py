"""Layer 6, square: sq = tot^2, and from it the reciprocal s / tot.

score = tot_i tot_j, value N. The MLP is a table with a unit for each possible
total v = 1..M: relu(1 - (tot - v)^2) is 1 at tot = v and 0 at every other whole
number, and (tot - v)^2 = sq - 2 v tot + v^2 is linear in the stream. Exactly one
unit fires, so that no digits cancel in any float format.

Where the gate is flat, votes are rounded, and tot is near a whole number only. Then each v has
two units, relu(9/8 - 2 (tot - v)^2) and relu(1/8 - 2 (tot - v)^2), whose difference is 1 for
|tot - v| <= 1/4 and 0 for |tot - v| >= 3/4.
"""

import math
from fractions import Fraction

import numpy as np

from construct.designs.theorem.plan import Plan
from construct.matrix import Matrix
from construct.network.count import Count
from construct.network.primitives import (
    HeadFormula,
    LayerFormula,
    MlpFormula,
    Rows,
    constant,
    layer,
    read,
)
from construct.network.reach import Reach
from construct.rational import FLOAT64_BITS

LEMMA = "At the answer token, sq = tot^2, and rec = s/tot (0 if tot = 0)."


def square(plan: Plan) -> LayerFormula:
    """One head, and M hidden units."""
    sizes = plan.sizes
    squared = HeadFormula(
        "square",
        "square tot, at the answer token",
        sizes,
        score=[(read("tot"), read("tot"))],
        write={"sq": constant(sizes.N)},
        reach=Reach(sizes.answer, sizes.answer),
    )
    flat = plan.margins.flat
    table = MlpFormula(
        FLAT_PURPOSE if flat else "a table of reciprocals: unit v fires at tot = v and writes s/v",
        sizes,
        units=2 * sizes.M if flat else sizes.M,
        formula=lambda: _flat_table(plan) if flat else _table(plan),
        entries=lambda: flat_entries(sizes.M) if flat else table_entries(sizes.M),
        acts=sizes.answer,
    )
    return layer(sizes, "square", LEMMA, [squared], table)


FLAT_PURPOSE = "a table of reciprocals: two units for v write s/v together where tot is near v"

# The tops of the two units of v, and the factor of (tot - v)^2.
TOPS, STEEP = (Fraction(9, 8), Fraction(1, 8)), 2


def _flat_table(plan: Plan) -> tuple[Rows, dict[str, Matrix]]:
    M = plan.sizes.M
    v = np.arange(1, M + 1).astype(object)[:, None]
    parts = {
        "sq": (-STEEP + 0 * v, -STEEP + 0 * v),
        "tot": (2 * STEEP * v, 2 * STEEP * v),
        "one": tuple(top - STEEP * v**2 for top in TOPS),
    }
    hidden = Rows({name: np.concatenate(halves) for name, halves in parts.items()})
    whole, s = v[:, 0].tolist(), plan.margins.s
    shares = [(0, u - 1, Fraction(s, u)) for u in whole]
    shares += [(0, M + u - 1, Fraction(-s, u)) for u in whole]
    return hidden, {"rec": Matrix.from_entries((1, 2 * M), shares)}


def flat_entries(M: int) -> Count:
    """The reciprocals of a flat table: no entry is 0.

    Rounded are those s/v that are no power of two; the others are whole numbers and eighths
    below 2 M^2, which float64 holds in any table that fits in memory.
    """
    return Count(8 * M, 2 * (M - M.bit_length()))


def _table(plan: Plan) -> tuple[Rows, dict[str, Matrix]]:
    v = np.arange(1, plan.sizes.M + 1).astype(object)[:, None]
    hidden = Rows({"sq": 0 * v - 1, "tot": 2 * v, "one": 1 - v**2})
    shares = [(0, u - 1, Fraction(plan.margins.s, u)) for u in v[:, 0].tolist()]
    return hidden, {"rec": Matrix.from_entries((1, len(v)), shares)}


def table_entries(M: int) -> Count:
    """The reciprocals: unit v = 1..M reads -1, 2v and 1 - v^2, and writes s/v.

    1 - v^2 vanishes at v = 1. s/v is a power of two where v is one, else rounded.
    """
    rounded = M - M.bit_length() + rounded_wholes(M) + rounded_squares(M)
    return Count(4 * M - 1, rounded)


def rounded_wholes(M: int, p: int = FLOAT64_BITS) -> int:
    """How many v = 1..M have more than p significant bits; 2v has as many as v."""
    held = min(M, 1 << p)
    for j in range(1, M.bit_length() - p + 1):
        # From 2^(p-1+j) to 2^(p+j) the multiples of 2^j are held.
        held += (min(M, 1 << (p + j)) >> j) - (1 << (p - 1))
    return M - held


def rounded_squares(M: int, p: int = FLOAT64_BITS) -> int:
    """How many v = 1..M have a v^2 - 1 of more than p significant bits.

    It is odd for even v. For odd v > 1 one of v - 1 and v + 1 is 2 times an odd number
    and the other 2^a times one, a >= 2: so v^2 - 1 is 2^(a+1) times an odd number, and
    is held exactly if it is less than 2^(p+a+1), that is if v^2 <= 2^(p+a+1).
    """

    def beside(a: int, most: int) -> int:
        # v = 2..most next to a multiple of 2^a.
        return (most + 1 >> a) + (most - 1 >> a)

    held = 1 + min(M, math.isqrt(1 << p)) // 2
    for a in range(2, (M + 1).bit_length()):
        most = min(M, math.isqrt(1 << (p + a + 1)))
        held += beside(a, most) - beside(a + 1, most)
    return M - held
