"""Lemma 5, pool: at the answer token out = sum_k c_k f_k(X_q) and tot = sum_k c_k.

Proved of the emitted weights, for each artifact, with all inputs, labels and votes
indeterminate and every number of blank examples: a score is 1 - 2 (bits in which the
asking token's address differs from the answer token's), and the layer turns the stream
of lemma 4 into the one of lemma 5, in every coordinate of every token, with
c_k = sum_i vote_ik. `codes` proves for all lengths that such scores are indicators.
"""

import sys

from artifacts import report
from codes import asks_for, bits
from network import forward, layer_of, same_stream
from streams import Prompt
from symbolic import Signs, Symbols

from construct import Construction


def on_weights(made: Construction) -> str:
    """The lemma about the weights of an artifact."""
    symbols, sizes, layer = Symbols(made), made.sizes, layer_of(made, "pool")
    answer = (sizes.m, sizes.length - 1)
    for examples in range(sizes.m + 1):
        prompt = Prompt(symbols, examples)
        h = prompt.superposed()
        asks_for(prompt, h, layer.heads[0], lambda a, b: bits(sizes, a, answer))
        c = symbols.votes[:examples].sum(axis=0) + symbols.zeros(sizes.K)
        out = sum((prompt.at_query(k) * c[k] for k in range(sizes.K)), symbols.zeros(sizes.d))
        wanted = prompt.pooled(out, c.sum())
        same_stream(symbols, forward(h, layer, Signs(symbols).relu), wanted)
    return "the answer token holds sum_k c_k f_k(X_q) and sum_k c_k"


if __name__ == "__main__":
    sys.exit(report("pool", on_weights))
