"""Block 2, count: votes are added up and applied to the word that is asked about.

The attention is that of `decoder.count`: x tokens are no labels, and are set back by 2 gamma. The
MLP applies. For each task k and each word w that its table has, a unit

    relu(c_k + T (x[w] - 1)),  T > 17/16 m a power of two,

is c_k where the token is w, else 0; it writes to out the word that the table gives for w. Where
the table lacks some words, one more unit, relu(c_k - T sum of x[w] over its words), gives c_k to
`none`. At last each coordinate of tok takes itself away: there the logits will stand.
"""

import numpy as np

from construct.designs.decoder.count import LEMMA as COUNT_LEMMA
from construct.designs.decoder.count import count_votes
from construct.designs.decoder.words.plan import WordPlan
from construct.designs.softmax.plan import Plan
from construct.matrix import Matrix
from construct.network.primitives import LayerFormula, layer, read
from construct.network.tables import Units

LEMMA = (
    f"{COUNT_LEMMA} At an input x, out = sum_k c_k f_k(x), none is the sum of c_k over the tasks "
    "that give no word for x, and tok is 0."
)


def count(plan: WordPlan) -> LayerFormula:
    """One head, and an MLP that applies the tables."""
    K, d = plan.wiring.images.shape
    units = [unit for k in range(K) for unit in _apply(plan, k)]
    mlp = Units.join([*units, erase(d)]).mlp(
        "apply each table, as often as it has votes", plan.sizes
    )
    return layer(plan.sizes, "count", LEMMA, [count_votes(plan, -2 * read("x"))], mlp)


def threshold(plan: Plan) -> int:
    """T, a power of two above the votes of a task, also where these are a sixteenth off."""
    return 1 << (17 * plan.sizes.m // 16).bit_length()


def _apply(plan: WordPlan, k: int) -> list[Units]:
    """The units of table k."""
    tables, T = plan.wiring, threshold(plan)
    K, d = tables.images.shape
    x = tables.inputs(k)
    count, each, none = len(x), np.arange(len(x)), np.zeros(len(x), dtype=np.int64)
    found = []
    if count:
        reads = {
            "count": Matrix.from_places((count, K), np.stack([each, none + k]), np.ones(count)),
            "tok": Matrix.from_places((count, d), np.stack([each, x]), np.full(count, float(T))),
            "one": Matrix.from_places(
                (count, 1), np.stack([each, none]), np.full(count, float(-T))
            ),
        }
        to = np.stack([tables.images[k, x], each])
        found.append(
            Units(count, reads, {"out": Matrix.from_places((d, count), to, np.ones(count))})
        )
    if count < d:
        reads = {
            "count": Matrix.from_places((1, K), np.array([[0], [k]]), np.ones(1)),
            "tok": Matrix.from_places((1, d), np.stack([none, x]), np.full(count, float(-T))),
        }
        found.append(Units(1, reads, {"none": Matrix.identity(1)}))
    return found


def erase(d: int) -> Units:
    """Each coordinate of tok takes itself away."""
    return Units(d, {"tok": Matrix.identity(d)}, {"tok": -Matrix.identity(d)})
