"""The encoder: fetch, superpose, average, pool. Softmax that sees the whole prompt.

As in the theorem's design the examples come to the query: each is tested, and applied to the query,
at its own home token, so that the width is free of K. Homes, operand slots and the dictionary are
those of `designs.theorem.wiring`.
"""

from typing import Any

import numpy as np

from construct import designs
from construct.designs.encoder.average import average
from construct.designs.encoder.fetch import fetch
from construct.designs.encoder.plan import EncoderPlan, EncoderSizes, wiring_of
from construct.designs.encoder.pool import pool
from construct.designs.encoder.superpose import superpose
from construct.designs.softmax.design import Design
from construct.designs.softmax.embedding import embeddings
from construct.network.attention import SOFTMAX


def _embeddings(plan: EncoderPlan) -> dict[str, Any]:
    """The sink has -gamma where others will have the logarithm of their votes (`pool`)."""
    sink = np.zeros(plan.sizes.N)
    sink[0] = 1
    more = {"sink": sink, "log": -plan.margins.gamma * sink}
    return embeddings(plan.sizes, flag="ctx", reads=("tok",), more=more)


ENCODER = Design(
    name=designs.ENCODER,
    of="vectors or words",
    attention=SOFTMAX,
    blocks=(fetch, superpose, average, pool),
    tests=superpose,
    wiring=wiring_of,
    sizes=lambda wiring, K, d, m, n: EncoderSizes(
        K, d, m, n, len(wiring.slots), len(wiring.dictionary)
    ),
    embeddings=_embeddings,
    reads_labels=True,
)
