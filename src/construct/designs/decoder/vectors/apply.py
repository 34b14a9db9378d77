"""Block 4, apply: the answer.

Head k stays at its own token against the sink, with the score odds_k: its weight there is
1 / (1 + exp(-odds_k)) = c_k / c. The value is f_k of the token's own operands.

    score_k(i, j) = odds_k(i) + gamma (<pe_i, pe_j> - ell_e) + gamma (<pt_i, pt_j> - ell_t)

Other tokens have 2 gamma less than the own one, which weighs e^(2 gamma) as much.
"""

import numpy as np

from construct.designs.decoder.vectors.plan import VectorPlan
from construct.designs.softmax.scores import at_itself
from construct.network.primitives import HeadFormula, LayerFormula, Rows, along, layer

LEMMA = (
    "At the last input of an example, out = sum_k c_k f_k(X) / sum_k c_k (0 if no c_k), over the "
    "labels before it."
)


def apply(plan: VectorPlan) -> LayerFormula:
    """K heads, one for each task."""
    sizes = plan.sizes
    heads = [
        HeadFormula(
            task.name,
            f"apply {task.name} to the token's own operands, by its share of the votes",
            sizes,
            score=at_itself(sizes, plan.margins, _coordinate("odds", k, sizes.K)),
            write={"out": plan.wiring.f(k)},
        )
        for k, task in enumerate(plan.wiring.tasks)
    ]
    return layer(sizes, "apply", LEMMA, heads)


def _coordinate(field: str, k: int, width: int) -> Rows:
    return along(field, np.array([int(i == k) for i in range(width)], dtype=object))
