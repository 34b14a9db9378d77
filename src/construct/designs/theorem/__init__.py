"""The design of Theorem 1: seven layers, one file and one lemma each, in this order.

Tasks that are held exactly are tested in one layer. Those that are held up to an error, or
whose labels match within a distance, need two for it, and then label and query share one.
"""

from collections.abc import Callable

import numpy as np

from construct.designs.theorem.divide import divide
from construct.designs.theorem.fetch import fetch
from construct.designs.theorem.gather import gather
from construct.designs.theorem.label import label
from construct.designs.theorem.level import level
from construct.designs.theorem.plan import Margins, Plan
from construct.designs.theorem.pool import pool
from construct.designs.theorem.query import query
from construct.designs.theorem.sizes import Sizes
from construct.designs.theorem.square import square
from construct.designs.theorem.superpose import superpose
from construct.designs.theorem.wiring import Wiring
from construct.network.primitives import LayerFormula

LAYERS = (gather, label, query, superpose, pool, square, divide)
FLAT_LAYERS = (gather, fetch, superpose, level, pool, square, divide)


def place(margins: Margins, layer: Callable[[Plan], LayerFormula]) -> int:
    """Which of the seven layers it is, from 0."""
    return (FLAT_LAYERS if margins.flat else LAYERS).index(layer)


def formulas(sizes: Sizes, wiring: Wiring, margins: Margins) -> tuple[LayerFormula, ...]:
    """The seven layers: cheap, before any weight is emitted."""
    plan = Plan(sizes, wiring, margins)
    return tuple(layer(plan) for layer in (FLAT_LAYERS if margins.flat else LAYERS))


def votes(margins: Margins, attended: np.ndarray) -> np.ndarray:
    """What the heads give for each task, token by token: (K, N).

    Args:
        attended: (layers, K, N), the scores of each head at each asking token, added up.
    """
    given = attended[place(margins, superpose)]
    return given - attended[place(margins, level)] if margins.flat else given
