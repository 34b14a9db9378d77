"""The design of Theorem 1: seven layers, one file and one lemma each, in this order."""

from construct.designs.theorem.divide import divide
from construct.designs.theorem.gather import gather
from construct.designs.theorem.label import label
from construct.designs.theorem.plan import Margins, Plan
from construct.designs.theorem.pool import pool
from construct.designs.theorem.query import query
from construct.designs.theorem.sizes import Sizes
from construct.designs.theorem.square import square
from construct.designs.theorem.superpose import superpose
from construct.designs.theorem.wiring import Wiring
from construct.network.primitives import LayerFormula

LAYERS = (gather, label, query, superpose, pool, square, divide)

# Where head k votes for task k.
VOTES = LAYERS.index(superpose)


def formulas(sizes: Sizes, wiring: Wiring, margins: Margins) -> tuple[LayerFormula, ...]:
    """The seven layers: cheap, before any weight is emitted."""
    plan = Plan(sizes, wiring, margins)
    return tuple(layer(plan) for layer in LAYERS)
