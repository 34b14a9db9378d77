"""Layer 2 where the gate is flat, fetch: what lemmas 2 and 3 say, in one layer.

Proved of the emitted weights, for each artifact with a flat gate, with all inputs and labels
indeterminate and every number of blank examples: each score of the head that fetches the label,
and of the one that fetches the query, is 1 - 2 (bits in which the address asked for differs),
and the layer turns the stream of lemma 1 into the one of lemma 3, in every coordinate of every
token. `codes` proves for all lengths and N that heads with these scores copy one token.
"""

import sys

from artifacts import flat, report
from codes import asks_for, bits
from network import forward, layer_of, same_stream
from streams import Prompt
from symbolic import Signs, Symbols, expect

from construct import Construction


def on_weights(made: Construction) -> str:
    """The lemma about the weights of an artifact."""
    symbols, sizes, layer = Symbols(made), made.sizes, layer_of(made, "fetch")
    expect([head.name for head in layer.heads[:2]] == ["label", "query"], "two heads")
    for examples in range(sizes.m + 1):
        prompt = Prompt(symbols, examples)
        h = prompt.gathered()
        label, query = layer.heads[:2]
        asks_for(prompt, h, label, lambda a, b: bits(sizes, (a[0], sizes.length - 1), b))
        asks_for(prompt, h, query, lambda a, b: bits(sizes, (sizes.m, a[1]), b))
        found = forward(h, layer, Signs(symbols).relu, symbols.hinge)
        same_stream(symbols, found, prompt.queried())
    return f"every token holds its label, the query's, and {sizes.P} features of both"


if __name__ == "__main__":
    sys.exit(report("fetch", on_weights, of=flat))
