"""Layer 5, pool: the answer token, and no other, sums what all tokens found.

score = 1 + (<code(q), pe_i> - ell_e) + (<code(n), pt_i> - ell_t) for every j,
values N out and N cnt.
"""

from construct.codes import code
from construct.plan import Plan
from construct.primitives import LayerFormula, along, constant, head, layer, read

LEMMA = "At the answer token, out = sum_k c_k f_k(X_q) and tot = sum_k c_k."


def pool(plan: Plan) -> LayerFormula:
    """One head."""
    sizes = plan.sizes
    am_answer = (
        along("pe", code(sizes.m, sizes.ell_e))
        + along("pt", code(sizes.n - 1, sizes.ell_t))
        + constant(1 - sizes.ell_e - sizes.ell_t)
    )
    total = head(
        sizes,
        name="pool",
        purpose="sum out and cnt over all tokens, at the answer token",
        score=[(am_answer, constant(1))],
        write={"out": sizes.N * read("out"), "tot": sizes.N * read("cnt")},
        reach=plan.reach["pool"][0],
    )
    return layer(sizes, "pool", LEMMA, [total])
