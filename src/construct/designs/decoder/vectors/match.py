"""Block 2, match: each label finds out which tasks give it for its own inputs.

Head k, with e_k(i) = f_k(X_i) - tok_i as token i sees it:

    score_k(i, j) = top - beta <e_k(i), e_k(j)> + C (<pe_i, pe_j> - ell_e)
        + C (<pt_i, pt_j> - ell_t) + C (<code(n), pt_i> - ell_t).

At a label and j = i this is top - beta ||e_k||^2: at least gamma on a match, at most -gamma on a
mismatch. At any other j one of the two codes is off by 2, and 2C >= top + gamma + beta E^2; from
any token but a label the last term is at most -2C. BOS has 0, and the value 0. The value is 1,
written to vote_k.
"""

from construct.designs.decoder.vectors.plan import VectorPlan
from construct.designs.softmax.scores import at_position, test
from construct.network.primitives import HeadFormula, LayerFormula, constant, layer, read

LEMMA = "At a label vote_k is 1 if task k gives it for its own inputs, else 0; elsewhere it is 0."


def match(plan: VectorPlan) -> LayerFormula:
    """K heads, one for each task."""
    heads = [_test(plan, k) for k in range(plan.sizes.K)]
    return layer(plan.sizes, "match", LEMMA, heads)


def _test(plan: VectorPlan, k: int) -> HeadFormula:
    sizes, name = plan.sizes, plan.wiring.tasks[k].name
    e = plan.wiring.f(k) - read("tok")
    at_labels = plan.margins.far * at_position(sizes, sizes.n)
    return HeadFormula(
        name,
        f"test {name} on each example, at its label",
        sizes,
        score=[*test(sizes, plan.margins, e), (at_labels, constant(1))],
        write={("vote", k): constant(1)},
    )
