"""Lemma 7, divide: at the answer token tok = sum_k c_k f_k(X_q) / sum_k c_k.

Proved for all N, s and tot > 0: (1/N) (s/tot) (N/s) out = out/tot. Proved of the emitted
weights, for each artifact and each tot in 0..M, with out and all else indeterminate: the
layer adds out/tot to tok of every token (0 if tot = 0) and changes nothing else, and the
unembedding reads out/tot.
"""

import sys

import sympy
from artifacts import report
from network import forward, layer_of, same_stream, unembed
from streams import Prompt
from symbolic import Signs, Symbols, expect, indices
from sympy import QQ

from construct import Construction


def for_every_size() -> str:
    """The scales cancel."""
    N, s, tot = sympy.symbols("N s tot", positive=True)
    out = sympy.Symbol("out")
    expect(sympy.simplify((s / tot) * (N / s) * out / N - out / tot) == 0, "the scales")
    return "for all N, s and tot > 0 the scales cancel: out/tot"


def on_weights(made: Construction) -> str:
    """The lemma about the weights of an artifact."""
    symbols, sizes, layer = Symbols(made), made.sizes, layer_of(made, "divide")
    for examples, total in indices(sizes.m + 1, sizes.M + 1):
        prompt = Prompt(symbols, examples)
        h = prompt.squared(symbols.out, total)
        quotient = symbols.out * (QQ(1, total) if total else 0)
        found, wanted = forward(h, layer, Signs(symbols).relu), h.copy()
        wanted[: sizes.tokens, sizes.residual["tok"].at] += quotient
        same_stream(symbols, found, wanted)
        expect((unembed(symbols, found) == quotient).all(), "the answer that is read")
    return f"tok = out/tot at the answer token, for each tot of 1..{sizes.M}; 0 for 0"


if __name__ == "__main__":
    sys.exit(report("divide", on_weights, for_every_size))
