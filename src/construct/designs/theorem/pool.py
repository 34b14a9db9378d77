"""Layer 5, pool: the answer token, and no other, sums what all tokens found.

score = 1 + (<code(q), pe_i> - ell_e) + (<code(n+w), pt_i> - ell_t) for every j,
values N out and N cnt.
"""

from construct.designs.theorem.addresses import at_position, in_query
from construct.designs.theorem.plan import Plan
from construct.network.primitives import HeadFormula, LayerFormula, constant, layer, read
from construct.network.reach import EVERY, Reach

LEMMA = "At the answer token, out = sum_k c_k f_k(X_q) and tot = sum_k c_k."


def pool(plan: Plan) -> LayerFormula:
    """One head."""
    sizes = plan.sizes
    am_answer = (
        in_query(sizes) + at_position(sizes, sizes.length) + constant(1 - sizes.ell_e - sizes.ell_t)
    )
    total = HeadFormula(
        "pool",
        "sum out and cnt over all tokens, at the answer token",
        sizes,
        score=[(am_answer, constant(1))],
        write={"out": sizes.N * read("out"), "tot": sizes.N * read("cnt")},
        reach=Reach(sizes.answer, EVERY),
    )
    return layer(sizes, "pool", LEMMA, [total])
