"""Layer 7, divide: the answer token's tok becomes out / tot.

score = rec_j, which is non-zero at the answer token only, value (N/s) out.
"""

from fractions import Fraction

from construct.designs.theorem.plan import Plan
from construct.network.primitives import HeadFormula, LayerFormula, constant, layer, read
from construct.network.reach import EVERY, Reach

LEMMA = "At the answer token, tok = sum_k c_k f_k(X_q) / sum_k c_k (0 if no c_k)."


def divide(plan: Plan) -> LayerFormula:
    """One head."""
    sizes = plan.sizes
    scaled = HeadFormula(
        "divide",
        "multiply out by rec at the answer token: the mixture",
        sizes,
        score=[(constant(1), read("rec"))],
        write={"tok": Fraction(sizes.N, plan.margins.s) * read("out")},
        reach=Reach(EVERY, sizes.answer),
    )
    return layer(sizes, "divide", LEMMA, [scaled])
