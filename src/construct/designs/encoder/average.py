"""Block 3, average: where several tasks match one example, their sum becomes their mean.

One head stays at its own token against the sink, with the score log(cnt - 1): its weight there is
(cnt - 1) / cnt. The value is -out, so that out / cnt is left.

    score(i, j) = odds_i + gamma (<pe_i, pe_j> - ell_e) + gamma (<pt_i, pt_j> - ell_t)
"""

from construct.designs.encoder.plan import EncoderPlan
from construct.designs.softmax.scores import alone, at_itself
from construct.network.primitives import HeadFormula, LayerFormula, layer, read

LEMMA = "At every token with matches, out is the mean of the f_k(X_q) that matched."


def average(plan: EncoderPlan) -> LayerFormula:
    """One head."""
    sizes = plan.sizes
    head = HeadFormula(
        "average",
        "divide out by the matches at this token",
        sizes,
        score=[*at_itself(sizes, plan.margins, read("odds")), *alone(plan.margins.gamma)],
        write={"out": -1 * read("out")},
    )
    return layer(sizes, "average", LEMMA, [head])
