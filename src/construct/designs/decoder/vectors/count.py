"""Block 3, count: votes are added up, and become odds.

The attention is that of `decoder.count`: inputs are no labels, and are set back by 2 gamma. The
MLP writes the odds of each task against all others as a logarithm,

    odds_k = log c_k - log(c - c_k),  c = sum_k c_k,

two tables of whole numbers: with -4 gamma for log 0 in the first, and +2 gamma for -log 0 in the
second. So a task without votes has at most -2 gamma, and one that has all of them at least 2 gamma.
"""

import numpy as np

from construct.designs.decoder.count import LEMMA as COUNT_LEMMA
from construct.designs.decoder.count import count_votes
from construct.designs.decoder.vectors.plan import VectorPlan
from construct.designs.softmax.scores import at_position
from construct.matrix import Matrix
from construct.network.primitives import LayerFormula, layer
from construct.network.tables import Units, log, table

LEMMA = (
    f"{COUNT_LEMMA} odds_k = log c_k - log(c - c_k), where c is the sum of all c_k; it is at most "
    "-2 gamma if c_k = 0, else at least 2 gamma if c = c_k."
)


def count(plan: VectorPlan) -> LayerFormula:
    """One head, and two tables for each task."""
    sizes = plan.sizes
    head = count_votes(plan, at_position(sizes, sizes.n))
    return layer(sizes, "count", LEMMA, [head], _odds(plan).mlp("the odds of each task", sizes))


def _odds(plan: VectorPlan) -> Units:
    K, m, gamma = plan.sizes.K, plan.sizes.m, plan.margins.gamma
    own = table(m, log, at_zero=-4 * gamma)
    parts = [Units.of_tables(own, {"count": Matrix.identity(K)}, "odds", range(K), K)]
    if K == 1:  # c - c_k is always 0
        return Units.join([*parts, Units.constants({"odds": [own.last + 2 * gamma]})])
    M = m * (K - 1)
    rest = table(M, lambda v: -log(v), at_zero=2 * gamma)
    others = Matrix.of(np.ones((K, K), dtype=object) - np.eye(K, dtype=int), (K, K), "others")
    # Both constants as one: then no partial sum is above log M.
    constant = float(log(m) - log(M))
    parts += [
        Units.of_tables(rest, {"count": others}, "odds", range(K), K),
        Units.constants({"odds": [constant] * K}),
    ]
    return Units.join(parts)
