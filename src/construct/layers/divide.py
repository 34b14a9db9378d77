"""Layer 7, divide: the answer token's tok becomes out / tot.

score = rec_j, which is non-zero at the answer token only, value (N/s) out.
"""

from fractions import Fraction

from construct.plan import Plan
from construct.primitives import LayerFormula, constant, head, layer, read

LEMMA = "At the answer token, tok = sum_k c_k f_k(X_q) / sum_k c_k (0 if no c_k)."


def divide(plan: Plan) -> LayerFormula:
    """One head."""
    sizes = plan.sizes
    scaled = head(
        sizes,
        name="divide",
        purpose="multiply out by rec at the answer token: the mixture",
        score=[(constant(1), read("rec"))],
        write={"tok": Fraction(sizes.N, plan.margins.s) * read("out")},
        reach=plan.reach["divide"][0],
    )
    return layer(sizes, "divide", LEMMA, [scaled])
