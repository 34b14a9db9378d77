"""Lemma 1, gather: at every token of every example, slot s holds the operand at p_s.

Proved of the emitted weights, for each artifact, with all inputs and labels
indeterminate and every number of blank examples: each score is 1 - 2 (bits in which the
address asked for differs), and the layer turns the embedded stream into the one of the
lemma, in every coordinate of every token. `codes` proves for all lengths and N that
heads with these scores copy one token.
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
    symbols, sizes, layer = Symbols(made), made.sizes, layer_of(made, "gather")
    for examples in range(sizes.m + 1):
        prompt = Prompt(symbols, examples)
        h = prompt.embedded()
        for head, position in zip(layer.heads, prompt.wiring.slots, strict=False):
            asks_for(prompt, h, head, lambda a, b, p=position: bits(sizes, (a[0], p - 1), b))
        same_stream(symbols, forward(h, layer, Signs(symbols).relu), prompt.gathered())
    return f"{sizes.S} slots hold the operands of every prompt"


if __name__ == "__main__":
    sys.exit(report("gather", on_weights))
