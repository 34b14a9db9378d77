"""Layer 2, label: every token takes the label of its own example.

score = 1 + (<pe_i, pe_j> - ell_e) + (<code(n+w), pt_j> - ell_t), value N tok.
"""

from construct.designs.theorem.addresses import own_example_at
from construct.designs.theorem.plan import Plan
from construct.designs.theorem.sizes import Sizes
from construct.network.primitives import HeadFormula, LayerFormula, layer, read
from construct.network.reach import EVERY, OWN, Reach

LEMMA = "At every token of example i, lab holds the label y_i (0 in the query)."


def label(plan: Plan) -> LayerFormula:
    """One head."""
    return layer(plan.sizes, "label", LEMMA, [fetch_label(plan.sizes)])


def fetch_label(sizes: Sizes) -> HeadFormula:
    """The head that fetches the label."""
    return HeadFormula(
        "label",
        "fetch the label of the token's own example",
        sizes,
        score=own_example_at(sizes, sizes.length),
        write={"lab": sizes.N * read("tok")},
        reach=Reach(EVERY, (OWN, sizes.length - 1)),
    )
