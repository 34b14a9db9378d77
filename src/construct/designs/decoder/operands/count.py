"""Block 3, count: votes are added up and applied to the words that are asked about.

The attention is that of `decoder.count`: inputs are no labels, and are set back by 2 gamma. The
MLP applies. For each task k and each word a that it can give, a unit

    relu(c_k + T (f_k(X)[a] - 1)),  T > 17/16 m a power of two,

is c_k where f_k(X) is a, else 0; it writes to out[a]. Where the task gives nothing for some words,
one more unit, relu(c_k - T sum of f_k(X)[a] over a), gives c_k to `none`. At last each coordinate
of tok takes itself away: there the logits will stand.
"""

import numpy as np

from construct.designs.decoder.count import LEMMA as COUNT_LEMMA
from construct.designs.decoder.count import count_votes
from construct.designs.decoder.operands.plan import OperandPlan
from construct.designs.decoder.words.count import erase, threshold
from construct.designs.softmax.scores import at_position
from construct.matrix import Matrix
from construct.network.primitives import LayerFormula, Rows, layer
from construct.network.tables import Units

LEMMA = (
    f"{COUNT_LEMMA} At a last input, out = sum_k c_k f_k(X), none is the sum of c_k over the tasks "
    "that give no word for X, and tok is 0."
)


def count(plan: OperandPlan) -> LayerFormula:
    """One head, and an MLP that applies the tasks."""
    sizes = plan.sizes
    units = [unit for k in range(sizes.K) for unit in _apply(plan, k)]
    mlp = Units.join([*units, erase(sizes.d)]).mlp(
        "apply each task, as often as it has votes", sizes
    )
    head = count_votes(plan, at_position(sizes, sizes.n))
    return layer(sizes, "count", LEMMA, [head], mlp)


def _apply(plan: OperandPlan, k: int) -> list[Units]:
    """The units of task k."""
    K, T, wiring = plan.sizes.K, threshold(plan), plan.wiring
    words, f = wiring.images.words[k], wiring.entries(k)
    count, found = len(words), []
    if count:
        one = np.full((count, 1), -T, dtype=object)
        read = _votes(k, count, K) + T * f + Rows({"one": one})
        to = Matrix.choosing(words, plan.sizes.d).T
        found.append(Units(count, _matrices(read), {"out": to}))
    if not wiring.images.always[k]:
        given = Rows({field: _summed(block) for field, block in f.matrices()})
        found.append(Units(1, _matrices(_votes(k, 1, K) - T * given), {"none": Matrix.identity(1)}))
    return found


def _votes(k: int, count: int, K: int) -> Rows:
    """c_k, for each of so many units."""
    return Rows({"count": Matrix.choosing([k] * count, K)})


def _summed(block: Matrix) -> Matrix:
    """One row: the sum of all."""
    return Matrix.of(block.sums(0)[None], (1, block.shape[1]), "a sum")


def _matrices(rows: Rows) -> dict[str, Matrix]:
    return dict(rows.matrices())
