"""Block 1, fetch: each token takes the inputs of its own example that the tasks read.

The head of position p decides for the token at p of the asking token's own example:

    score = gamma + gamma (<pe_i, pe_j> - ell_e) + gamma (<code(p), pt_j> - ell_t).

A token before p does not see it, and attends to BOS, which is 0. The MLP evaluates the dictionary
of ReLU sums once, on what has been fetched.
"""

from construct.designs.decoder.vectors.plan import VectorPlan, operand
from construct.designs.softmax.plan import Plan
from construct.designs.softmax.scores import always, at_position, deciding, same_example
from construct.matrix import Matrix
from construct.network.primitives import HeadFormula, LayerFormula, MlpFormula, layer, read
from construct.network.tables import Units

LEMMA = (
    "At every token from position p of an example on, op_p holds the example's input at p; at its "
    "last input and its label, g holds the dictionary of its inputs."
)


def fetch(plan: VectorPlan) -> LayerFormula:
    """A head for each position that is read; the MLP if there is a dictionary."""
    return layer(plan.sizes, "fetch", LEMMA, fetching(plan), dictionary(plan))


def fetching(plan: Plan) -> list[HeadFormula]:
    """A head for each position that a token fetches."""
    sizes = plan.sizes
    return [
        HeadFormula(
            f"fetch{p}",
            f"fetch the input at position {p} of the token's own example",
            sizes,
            score=deciding(plan.margins, [same_example(sizes), always(at_position(sizes, p))]),
            write={operand(p): read("tok")},
        )
        for p in plan.wiring.fetched
    ]


def dictionary(plan: Plan) -> MlpFormula | None:
    """A unit for each hinge."""
    sizes, wiring = plan.sizes, plan.wiring
    hinges = [(u, hinge) for u, feature in enumerate(wiring.dictionary) for hinge in feature]
    if not hinges:
        return None
    count = len(hinges)
    reads: dict[str, list] = {"one": [(v, 0, hinge.e) for v, (_, hinge) in enumerate(hinges)]}
    for v, (_, hinge) in enumerate(hinges):
        for p, terms in hinge.a:
            reads.setdefault(wiring.field(p), []).extend((v, i, value) for i, value in terms)
    blocks = {
        field: Matrix.from_entries((count, sizes.residual[field].width), entries)
        for field, entries in reads.items()
    }
    written = ((u, v, hinge.c) for v, (u, hinge) in enumerate(hinges))
    to = {"g": Matrix.from_entries((sizes.P, count), written)}
    return Units(count, blocks, to).mlp("the dictionary of the example", sizes)
