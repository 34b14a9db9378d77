"""Block 1, fetch: each token takes the inputs of its own example that the tasks read.

The head of position p < n-1 decides for the token at p of the asking token's own example, as in
the decoder of vectors:

    score = gamma + gamma (<pe_i, pe_j> - ell_e) + gamma (<code(p), pt_j> - ell_t).

The last input, at n-1, is the token that is asked, and needs no head. The MLP evaluates the
dictionary of ReLU sums once, on what has been fetched and the token itself.
"""

from construct.designs.decoder.operands.plan import OperandPlan
from construct.designs.decoder.vectors.fetch import dictionary, fetching
from construct.network.primitives import LayerFormula, layer

LEMMA = (
    "At every token from position p of an example on, op_p holds the example's input at p; at its "
    "last input, g holds the dictionary of its inputs, the last of which is tok."
)


def fetch(plan: OperandPlan) -> LayerFormula:
    """A head for each position before the last that is read; the MLP if there is a dictionary."""
    return layer(plan.sizes, "fetch", LEMMA, fetching(plan), dictionary(plan))
