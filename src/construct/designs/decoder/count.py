"""Count, the attention of the block that all decoders have: votes so far, for each task.

The sink has the score log(m+1 - l), for a token with l labels up to it; each label has 0, every
other token at most -2 gamma. So the denominator is m+1 at every token, and (m+1) times what is
attended of vote_k is the number of labels so far that voted for k.
"""

from construct.designs.softmax.plan import Plan
from construct.designs.softmax.scores import always
from construct.network.primitives import HeadFormula, Rows, read

LEMMA = "At every token count_k is the number of labels so far that task k gives."


def count_votes(plan: Plan, no_label: Rows) -> HeadFormula:
    """One head.

    Args:
        no_label: 0 at labels and at the sink, at most -2 at every other token.
    """
    return HeadFormula(
        "count",
        "add up the votes of all labels so far",
        plan.sizes,
        score=[*always(plan.margins.gamma * no_label), (read("den"), read("sink"))],
        write={"count": (plan.sizes.m + 1) * read("vote")},
    )
