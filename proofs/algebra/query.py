"""Lemma 3, query: every token holds the query's token at its position, with its operands.

And gx and gq hold the dictionary of (tok, slot) and of (qry, qslot). Proved of the emitted
weights, for each artifact, with all inputs and labels indeterminate and every number of
blank examples: each score is 1 - 2 (bits in which the address asked for differs), and the
layer turns the stream of lemma 2 into the one of lemma 3, in every coordinate of every
token. A hinge of an indeterminate stays a symbol, max(t, 0) for this polynomial t: the
dictionary has the same ones by its definition.
"""

import sys

from artifacts import plain, report
from codes import asks_for, bits
from network import forward, layer_of, same_stream
from streams import Prompt
from symbolic import Signs, Symbols

from construct import Construction


def on_weights(made: Construction) -> str:
    """The lemma about the weights of an artifact."""
    symbols, sizes, layer = Symbols(made), made.sizes, layer_of(made, "query")
    for examples in range(sizes.m + 1):
        prompt = Prompt(symbols, examples)
        h = prompt.labelled()
        asks_for(prompt, h, layer.heads[0], lambda a, b: bits(sizes, (sizes.m, a[1]), b))
        found = forward(h, layer, Signs(symbols).relu, symbols.hinge)
        same_stream(symbols, found, prompt.queried())
    return f"every token holds the query's, and {sizes.P} features of both"


if __name__ == "__main__":
    sys.exit(report("query", on_weights, of=plain))
