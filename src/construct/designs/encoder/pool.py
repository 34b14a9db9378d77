"""Block 4, pool: the answer.

One head reads all tokens, with the score log_j: log cnt where there are matches, -2 gamma where
there are none, and -gamma for the sink. So each token with matches weighs cnt / sum cnt, and
without any the sink, which is 0, has all the weight. The value is out.
"""

from construct.designs.encoder.plan import EncoderPlan
from construct.designs.softmax.scores import always
from construct.network.primitives import HeadFormula, LayerFormula, layer, read

LEMMA = "At the answer token, tok = sum_k c_k f_k(X_q) / sum_k c_k (0 if no c_k)."


def pool(plan: EncoderPlan) -> LayerFormula:
    """One head."""
    head = HeadFormula(
        "pool",
        "the mean of out over all matches",
        plan.sizes,
        score=always(read("log")),
        write={"tok": read("out")},
    )
    return layer(plan.sizes, "pool", LEMMA, [head])
