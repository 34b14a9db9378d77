"""Lemma 1, gather: at every token of every example, slot s holds the operand at p_s.

And each scratch token holds the operand that it copies. Proved for all n, w and u, of the
formula of the head that fills them: from a scratch token that copies with u its score is 1 at
the input with r = u of its own example, and <= 0 at all else; from any other token it is <= 0.
Proved of the emitted weights, for each artifact, with all inputs and labels indeterminate and
every number of blank examples: each score of a slot is 1 - 2 (bits in which the address asked
for differs), each score of the head that copies is that formula, and the layer turns the
embedded stream into the one of the lemma, in every coordinate of every token. `codes` proves
for all lengths and N that heads with these scores copy one token.
"""

import sys

import numpy as np
import z3
from artifacts import report
from codes import asks_for, bits
from network import forward, layer_of, same_stream, scores
from streams import Prompt
from symbolic import Signs, Symbols, expect, holds, indices

from construct import Construction


def for_every_size() -> str:
    """Signs of rec_i + 2 sq_i r_j + rec_j - 2 misses, in whole numbers.

    misses is in how many bits the examples differ, r_j is 1..w at a scratch token, w + 1 and more
    at an input, and 0 at a label; u and v, with which scratch tokens copy, are above w.
    """
    r, r_i, u, v, gap, misses = z3.Ints("r r_i u v gap misses")
    given, copying = misses >= 0, 1 - u**2 + 2 * u * r - 2 * misses
    to_input, to_scratch = copying - r**2, copying + 1 - v**2
    expect(holds(to_input == 1 - (u - r) ** 2 - 2 * misses), "a square")
    for_gap = 1 - gap**2 - 2 * misses
    at_source = z3.And(gap == 0, misses == 0)
    expect(holds(z3.Implies(at_source, for_gap == 1)), "the score of the source")
    elsewhere = z3.And(given, z3.Not(at_source))
    expect(holds(z3.Implies(elsewhere, for_gap <= 0)), "the score of another input or a label")
    above = z3.And(given, r >= 1, gap >= 1, v >= r + 1)
    # u = r + gap: as r <= w < u.
    from_above = z3.substitute(to_scratch, (u, r + gap))
    expect(holds(z3.Implies(above, from_above <= -2)), "the score of a scratch token")
    idle = -(r_i**2) - 2 * misses
    expect(holds(z3.Implies(given, idle - r**2 <= 0)), "a token that copies nothing")
    expect(holds(z3.Implies(z3.And(given, v >= 1), idle + 1 - v**2 <= 0)), "and scratch tokens")
    return "for all n and w the head that fills scratch tokens reads their sources alone"


def copies(prompt: Prompt, table: np.ndarray) -> None:
    """Every score of the head that fills scratch tokens is the formula; with padding it is 0."""
    sizes, sources = prompt.sizes, prompt.wiring.scratch

    def starts(t: int) -> tuple[int, int]:
        own = t - (sizes.n - 1)
        if 0 <= own < sizes.w:
            u = sizes.length - sources[own]
            return u, 1 - u**2
        return 0, -((sizes.length - 1 - t) ** 2)

    places = list(enumerate(indices(sizes.m + 1, sizes.length)))
    for (a, (i, t)), (b, (j, u)) in ((x, y) for x in places for y in places):
        (sq, rec), (_, its), r = starts(t), starts(u), sizes.length - 1 - u
        formula = rec + 2 * sq * r + its - 2 * bits(sizes, (i, 0), (j, 0))
        expect(table[a, b] == formula, f"the score of copying from token {a} to token {b}")
    table[: sizes.tokens, : sizes.tokens] = prompt.symbols.ring.zero
    expect(not table.any(), "a score of padding")


def on_weights(made: Construction) -> str:
    """The lemma about the weights of an artifact."""
    symbols, sizes, layer = Symbols(made), made.sizes, layer_of(made, "gather")
    for examples in range(sizes.m + 1):
        prompt = Prompt(symbols, examples)
        h = prompt.embedded()
        for head, position in zip(layer.heads, prompt.wiring.slots, strict=False):
            asks_for(prompt, h, head, lambda a, b, p=position: bits(sizes, (a[0], p - 1), b))
        if sizes.w:
            copies(prompt, scores(h, layer.heads[sizes.S]))
        same_stream(symbols, forward(h, layer, Signs(symbols).relu), prompt.gathered())
    return f"{sizes.S} slots and {sizes.w} scratch tokens hold the operands of every prompt"


if __name__ == "__main__":
    sys.exit(report("gather", on_weights, for_every_size))
