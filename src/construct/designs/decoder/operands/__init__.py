"""The decoder of words with several inputs: fetch, match, count, log.

Prompts are BOS X_1 y_1 X_2 y_2 ... X_q, each X_i of n-1 words. `fetch` is that of the decoder of
vectors, but for the last input; `count` and `log` are those of the decoder of words, but that an
image is a sum of ReLUs and not a column of a table.
"""

from typing import Any

from construct import designs
from construct.designs.decoder.operands.count import count
from construct.designs.decoder.operands.fetch import fetch
from construct.designs.decoder.operands.match import match
from construct.designs.decoder.operands.plan import OperandPlan, OperandSizes, word_operands_of
from construct.designs.decoder.sequence import denominators
from construct.designs.decoder.words.log import log
from construct.designs.softmax.design import Design
from construct.designs.softmax.embedding import embeddings
from construct.network.attention import CAUSAL_SOFTMAX


def _embeddings(plan: OperandPlan) -> dict[str, Any]:
    more = {"den": denominators(plan.sizes)}
    return embeddings(plan.sizes, flag="sink", reads=("tok", "stop"), more=more)


OPERANDS = Design(
    name=designs.DECODER,
    of="words with several inputs",
    attention=CAUSAL_SOFTMAX,
    blocks=(fetch, match, count, log),
    tests=match,
    wiring=word_operands_of,
    sizes=lambda wiring, K, d, m, n: OperandSizes(
        K, d, m, n, wiring.fetched, len(wiring.dictionary)
    ),
    embeddings=_embeddings,
    logits=True,
)
