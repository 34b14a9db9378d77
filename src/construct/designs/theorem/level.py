"""Layer 4 where the gate is flat, level: each vote becomes 1.

A task that is held up to epsilon, or whose labels match within tau, leaves ||e_k|| <= tau +
epsilon on a match, and >= delta - epsilon on a mismatch. The score of layer 3 with top a, less
that with top a - 1,

    max(a - B ||e_k||^2, 0) - max(a - 1 - B ||e_k||^2, 0),

is 1 where B ||e_k||^2 <= a - 1, and 0 where B ||e_k||^2 >= a: so it is the vote, if
B (tau + epsilon)^2 <= a - 1 and B (delta - epsilon)^2 >= a. Such numbers are there exactly if
delta > tau + 2 epsilon.
"""

from construct.designs.theorem.plan import Plan
from construct.designs.theorem.superpose import LEMMA, gate
from construct.network.primitives import LayerFormula, layer


def level(plan: Plan) -> LayerFormula:
    """K heads, one for each task."""
    top = plan.margins.a - 1
    heads = [
        gate(plan, k, top, -1, "test", "take away what is more than one vote")
        for k in range(plan.sizes.K)
    ]
    return layer(plan.sizes, "level", LEMMA, heads)
