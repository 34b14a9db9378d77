"""Layer 1, gather: operand slots take the operands of the token's own example.

score_s = 1 + (<pe_i, pe_j> - ell_e) + (<code(p_s), pt_j> - ell_t), value N tok.
"""

from construct.designs.theorem.addresses import own_example_at
from construct.designs.theorem.plan import Plan
from construct.network.primitives import HeadFormula, LayerFormula, layer, read
from construct.network.reach import EVERY, OWN, Reach

LEMMA = "At every token of every example, slot s holds the example's operand at p_s."


def gather(plan: Plan) -> LayerFormula:
    """S heads, one for each operand slot."""
    sizes = plan.sizes
    heads = [
        HeadFormula(
            f"slot{s}",
            f"fetch the operand at position {position} of the token's own example",
            sizes,
            score=own_example_at(sizes, position),
            write={f"slot{s}": sizes.N * read("tok")},
            reach=Reach(EVERY, (OWN, position - 1)),
        )
        for s, position in enumerate(plan.wiring.slots, start=1)
    ]
    return layer(sizes, "gather", LEMMA, heads)
