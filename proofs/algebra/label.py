"""Lemma 2, label: at every token of example i, lab holds y_i (0 in the query).

Proved of the emitted weights, for each artifact, with all inputs and labels
indeterminate and every number of blank examples: each score is 1 - 2 (bits in which the
address asked for differs), and the layer turns the stream of lemma 1 into the one of
lemma 2, in every coordinate of every token. `codes` proves for all lengths and N that
heads with these scores copy one token.
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
    symbols, sizes, layer = Symbols(made), made.sizes, layer_of(made, "label")
    for examples in range(sizes.m + 1):
        prompt = Prompt(symbols, examples)
        h = prompt.gathered()
        asks_for(prompt, h, layer.heads[0], lambda a, b: bits(sizes, (a[0], sizes.length - 1), b))
        same_stream(symbols, forward(h, layer, Signs(symbols).relu), prompt.labelled())
    return "every token holds the label of its example"


if __name__ == "__main__":
    sys.exit(report("label", on_weights, of=plain))
