"""Layer 1, gather: operand slots take the operands of the token's own example.

score_s = 1 + (<pe_i, pe_j> - ell_e) + (<code(p_s), pt_j> - ell_t), value N tok.
"""

from construct.plan import Plan
from construct.primitives import LayerFormula, head, layer, own_example_at, read

LEMMA = "At every token of every example, slot s holds the example's operand at p_s."


def gather(plan: Plan) -> LayerFormula:
    """S heads, one for each operand slot."""
    sizes = plan.sizes
    heads = [
        head(
            sizes,
            name=f"slot{s}",
            purpose=f"fetch the operand at position {position} of the own example",
            score=own_example_at(sizes, position),
            write={f"slot{s}": sizes.N * read("tok")},
            reach=plan.reach["gather"][s - 1],
        )
        for s, position in enumerate(plan.wiring.slots, start=1)
    ]
    return layer(sizes, "gather", LEMMA, heads)
