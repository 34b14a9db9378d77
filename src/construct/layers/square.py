"""Layer 6, square: sq = tot^2, and from it the reciprocal s / tot.

score = tot_i tot_j, value N. The MLP is a table with a unit for each possible
total v = 1..M: relu(1 - (tot - v)^2) is 1 at tot = v and 0 at every other whole
number, and (tot - v)^2 = sq - 2 v tot + v^2 is linear in the stream. Exactly one
unit fires, so that no digits cancel in any float format.
"""

from fractions import Fraction

import numpy as np

from construct.plan import Plan
from construct.primitives import LayerFormula, Rows, constant, head, layer, mlp, read
from construct.reach import answer_token

LEMMA = "At the answer token, sq = tot^2, and rec = s/tot (0 if tot = 0)."


def square(plan: Plan) -> LayerFormula:
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
    table = mlp(
        sizes,
        "a table of reciprocals: unit v fires at tot = v and writes s/v",
        units=sizes.M,
        formula=lambda: _table(plan),
        acts=answer_token(sizes),
    )
    return layer(sizes, "square", LEMMA, [squared], table)


def _table(plan: Plan) -> tuple[Rows, dict[str, np.ndarray]]:
    v = np.arange(1, plan.sizes.M + 1).astype(object)[:, None]
    hidden = Rows({"sq": 0 * v - 1, "tot": 2 * v, "one": 1 - v**2})
    shares = [Fraction(plan.margins.s, int(u)) for u in v[:, 0]]
    return hidden, {"rec": np.array([shares], dtype=object)}
