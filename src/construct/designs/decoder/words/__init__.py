"""The decoder of words: match, count, log. Prompts are BOS x_1 y_1 x_2 y_2 ... x_q."""

from typing import Any

import numpy as np

from construct import designs
from construct.designs.decoder.sequence import denominators
from construct.designs.decoder.words.count import count
from construct.designs.decoder.words.log import log
from construct.designs.decoder.words.match import match
from construct.designs.decoder.words.plan import WordPlan, WordSizes, tables_of
from construct.designs.softmax.design import Design
from construct.designs.softmax.embedding import embeddings
from construct.network.attention import CAUSAL_SOFTMAX


def _embeddings(plan: WordPlan) -> dict[str, Any]:
    inputs = np.arange(plan.sizes.N) % 2
    more = {"x": inputs, "den": denominators(plan.sizes)}
    return embeddings(plan.sizes, flag="sink", reads=("tok", "stop"), more=more)


WORDS = Design(
    name=designs.DECODER,
    of="words",
    attention=CAUSAL_SOFTMAX,
    blocks=(match, count, log),
    tests=match,
    wiring=tables_of,
    sizes=lambda _, K, d, m, n: WordSizes(K, d, m, n),
    embeddings=_embeddings,
    logits=True,
)
