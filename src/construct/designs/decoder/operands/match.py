"""Block 2, match: each label finds out which tasks give it for its own inputs.

Head k, from the label y_i, to the last input of its own example, which knows f_k of all inputs:

    score_k(i, j) = gamma + gamma (<pe_i, pe_j> - ell_e) + 2 gamma (<y_i, f_k(j)> - 1)
        + F gamma (<code(n-1), pt_j> - ell_t) + gamma (<code(n), pt_i> - ell_t),

where f_k(j) is f_k as token j sees it, and F bounds its entries. At a last input f_k(j) is a word
or 0; at another token some operands are 0, and an entry of it may be as large as F, which the code
outweighs. So the score is gamma at the own last input if task k gives the label for the inputs, 0
at BOS, and at most -gamma at every other token, and from every token that is no label. The value
is 1, written to vote_k.
"""

from construct.designs.decoder.operands.plan import OperandPlan
from construct.designs.softmax.scores import always, at_position, deciding, same_example, times
from construct.matrix import Matrix
from construct.network.primitives import HeadFormula, LayerFormula, Rows, constant, layer

LEMMA = "At a label vote_k is 1 if task k gives it for its own inputs, else 0; at others it is 0."


def match(plan: OperandPlan) -> LayerFormula:
    """K heads, one for each task."""
    heads = [_test(plan, k) for k in range(plan.sizes.K)]
    return layer(plan.sizes, "match", LEMMA, heads)


def _test(plan: OperandPlan, k: int) -> HeadFormula:
    sizes, wiring = plan.sizes, plan.wiring
    name, words = wiring.tasks[k].name, wiring.images.words[k]
    # Row by row a word that the task can give: whether it is the label, and whether f_k is it.
    label = Rows({"tok": Matrix.choosing(words, sizes.d)})
    given = [(label, wiring.entries(k)), *always(constant(-1))]
    at_last = always(wiring.images.most * at_position(sizes, sizes.n - 1))
    from_label = [(at_position(sizes, sizes.n), constant(1))]
    return HeadFormula(
        name,
        f"from a label, find the example's last input if {name} gives the label for all of them",
        sizes,
        score=deciding(plan.margins, [same_example(sizes), times(2, given), at_last, from_label]),
        write={("vote", k): constant(1)},
    )
