"""Layer 2 where the gate is flat, fetch: label and query in one layer.

The two heads read and write different fields, all of them ready after layer 1: so they may
stand side by side (`label`, `query`), with the dictionary in the MLP, and a layer is free for
the second half of the gate (`level`). A single task has one head in each layer: its label is
fetched in layer 1, where it needs no operand slot.
"""

from construct.designs.theorem.label import LEMMA as LABEL_LEMMA
from construct.designs.theorem.label import fetch_label
from construct.designs.theorem.plan import Plan
from construct.designs.theorem.query import LEMMA as QUERY_LEMMA
from construct.designs.theorem.query import dictionary, fetch_query
from construct.network.primitives import LayerFormula, layer


def fetch(plan: Plan) -> LayerFormula:
    """Two heads, or one; the MLP if there is a dictionary."""
    sizes = plan.sizes
    heads, lemma = [fetch_query(sizes)], QUERY_LEMMA
    if sizes.K > 1:
        heads, lemma = [fetch_label(sizes), *heads], f"{LABEL_LEMMA} {QUERY_LEMMA}"
    return layer(sizes, "fetch", lemma, heads, dictionary(plan))
