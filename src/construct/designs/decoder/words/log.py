"""Block 3, log: the votes of each word become its logit.

No attention. A table for each word that some task gives writes log n_a, where n_a are its votes,
and -2 gamma where n_a = 0; every other word has -2 gamma. The logit of BOS is the same of the
votes for no word, with -gamma for 0. The softmax of these logits gives each word n_a / sum n; and
BOS, which stands for no word, where nothing has a vote.
"""

import numpy as np

from construct.designs.decoder.words.plan import most_votes
from construct.designs.softmax.plan import Plan
from construct.matrix import Matrix
from construct.network.primitives import LayerFormula, layer
from construct.network.tables import Units, table
from construct.network.tables import log as ln

LEMMA = (
    "At an input, tok holds log n_a for each word a with n_a = out[a] > 0 votes, else -2 gamma; "
    "stop holds the logarithm of none, or -gamma if it is 0."
)


def log(plan: Plan) -> LayerFormula:
    """Tables in the MLP alone."""
    return layer(
        plan.sizes, "log", LEMMA, [], _tables(plan).mlp("the logarithm of all votes", plan.sizes)
    )


def _tables(plan: Plan) -> Units:
    d, m, gamma = plan.sizes.d, plan.sizes.m, plan.margins.gamma
    given, alike = plan.wiring.given, plan.wiring.alike_at
    none = table(most_votes(plan), ln, at_zero=-gamma)
    constants, parts = np.full(d, float(-2 * gamma)), []
    for times in np.unique(alike).tolist():
        # An example has at most so many votes for these words.
        words, logs = given[alike == times], table(m * times, ln, at_zero=-2 * gamma)
        read = Matrix.choosing(words, d)
        parts.append(Units.of_tables(logs, {"out": read}, "tok", words.tolist(), d))
        constants[words] = logs.last
    return Units.join(
        [
            *parts,
            Units.of_tables(none, {"none": Matrix.identity(1)}, "stop", [0], 1),
            Units.constants({"tok": constants.tolist(), "stop": [none.last]}),
        ]
    )
