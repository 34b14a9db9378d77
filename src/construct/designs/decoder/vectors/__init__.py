"""The decoder of vectors: fetch, match, count, apply. Prompts are BOS X_1 y_1 X_2 y_2 ... X_q."""

from typing import Any

from construct import designs
from construct.designs.decoder.sequence import denominators
from construct.designs.decoder.vectors.apply import apply
from construct.designs.decoder.vectors.count import count
from construct.designs.decoder.vectors.fetch import fetch
from construct.designs.decoder.vectors.match import match
from construct.designs.decoder.vectors.plan import VectorPlan, VectorSizes, operands_of
from construct.designs.softmax.design import Design
from construct.designs.softmax.embedding import embeddings
from construct.network.attention import CAUSAL_SOFTMAX


def _embeddings(plan: VectorPlan) -> dict[str, Any]:
    return embeddings(
        plan.sizes, flag="sink", reads=("out",), more={"den": denominators(plan.sizes)}
    )


VECTORS = Design(
    name=designs.DECODER,
    of="vectors",
    attention=CAUSAL_SOFTMAX,
    blocks=(fetch, match, count, apply),
    tests=match,
    wiring=operands_of,
    sizes=lambda wiring, K, d, m, n: VectorSizes(
        K, d, m, n, wiring.positions, len(wiring.dictionary)
    ),
    embeddings=_embeddings,
)
