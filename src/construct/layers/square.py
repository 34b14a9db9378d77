"""Layer 6, square: sq = tot^2, and from it the reciprocal s / tot.

score = tot_i tot_j, value N. The MLP is a table with a unit for each possible
total v = 1..M: relu(1 - (tot - v)^2) is 1 at tot = v and 0 at every other whole
number, and (tot - v)^2 = sq - 2 v tot + v^2 is linear in the stream. Exactly one
unit fires, so that no digits cancel in any float format.
"""

from fractions import Fraction

import numpy as np

from construct.plan import Plan
from construct.primitives import Rows, constant, head, layer, mlp, read
from construct.reach import answer_token
from construct.transformer import Layer

LEMMA = "At the answer token, sq = tot^2, and rec = s/tot (0 if tot = 0)."


def square(plan: Plan) -> Layer:
    """One head, and M hidden units."""
    sizes = plan.sizes
    squared = head(
        sizes,
        name="square",
        purpose="square tot, at the answer token",
        score=[(read("tot"), read("tot"))],
        write={"sq": constant(sizes.N)},
        reach=plan.reach["square"][0],
    )
    v = np.arange(1, sizes.M + 1).astype(object)[:, None]
    table = mlp(
        sizes,
        "a table of reciprocals: unit v fires at tot = v and writes s/v",
        hidden=Rows({"sq": 0 * v - 1, "tot": 2 * v, "one": 1 - v**2}),
        write={"rec": np.array([[Fraction(plan.margins.s, int(u)) for u in v[:, 0]]])},
        acts=answer_token(sizes),
    )
    return layer(sizes, "square", LEMMA, [squared], table)
