"""Layer 2, label: every token takes the label of its own example.

score = 1 + (<pe_i, pe_j> - ell_e) + (<code(n), pt_j> - ell_t), value N tok.
"""

from construct.plan import Plan
from construct.primitives import LayerFormula, head, layer, own_example_at, read

LEMMA = "At every token of example i, lab holds the label y_i (0 in the query)."


def label(plan: Plan) -> LayerFormula:
    """One head."""
    sizes = plan.sizes
    fetch = head(
        sizes,
        name="label",
        purpose="fetch the label of the own example",
        score=own_example_at(sizes, sizes.n),
        write={"lab": sizes.N * read("tok")},
        reach=plan.reach["label"][0],
    )
    return layer(sizes, "label", LEMMA, [fetch])
