"""Lemma 6, square: at the answer token sq = tot^2 and rec = s/tot (0 if tot = 0).

Proved for all M and s, of the formula: unit v is max(1 - (tot - v)^2, 0), which is 1 at
tot = v and 0 at every other whole number, and the table is s/tot for tot in 1..M. Of a flat
gate max(9/8 - 2 (tot - v)^2, 0) - max(1/8 - 2 (tot - v)^2, 0) is 1 for |tot - v| <= 1/4 and 0
for |tot - v| >= 3/4. Proved of the emitted weights, for each artifact: with tot indeterminate,
sq = tot^2 and unit v is given 1 - (tot - v)^2, or two are given what is above; for each tot in
0..M, with all else indeterminate, the layer turns the stream of lemma 5 into the one of lemma 6,
in every coordinate of every token.
"""

import sys

import numpy as np
import sympy
import z3
from artifacts import report
from network import attend, forward, layer_of, same_stream, scores, times
from streams import Prompt
from symbolic import Signs, Symbols, expect, holds, indices, known
from sympy import QQ

from construct import Construction


def for_every_size() -> str:
    """The table of reciprocals, for all M and s."""
    n = z3.Real("n")
    beyond = z3.Or(n >= 1, n <= -1)
    expect(holds(z3.Implies(beyond, 1 - n**2 <= 0)), "1 - (tot - v)^2 <= 0 where tot != v")
    tops = [z3.Q(9, 8) - 2 * n**2, z3.Q(1, 8) - 2 * n**2]
    wide, narrow = (z3.If(top > 0, top, 0) for top in tops)
    difference = wide - narrow
    near, far = z3.And(4 * n <= 1, 4 * n >= -1), z3.Or(4 * n >= 3, 4 * n <= -3)
    expect(holds(z3.Implies(near, difference == 1)), "a flat unit within 1/4")
    expect(holds(z3.Implies(far, difference == 0)), "a flat unit from 3/4 on")
    tot, v, sq, s = sympy.symbols("tot v sq s")
    unit = 1 - (sq - 2 * v * tot + v**2)
    expect(sympy.expand(unit.subs(sq, tot**2) - (1 - (tot - v) ** 2)) == 0, "the unit v")
    expect(unit.subs({sq: tot**2, v: tot}).expand() == 1, "the unit v = tot")
    tot, v = sympy.symbols("tot v", integer=True, nonnegative=True)
    M = sympy.Symbol("M", integer=True, positive=True)
    table = sympy.summation(sympy.KroneckerDelta(tot, v) * s / v, (v, 1, M))
    wanted = sympy.Piecewise((s / tot, (tot >= 1) & (tot <= M)), (0, True))
    expect(sympy.simplify(table - wanted) == 0, f"the table is {table}")
    return "for all M and s the table is s/tot at tot = 1..M, and 0 at tot = 0"


def on_weights(made: Construction) -> str:
    """The lemma about the weights of an artifact."""
    symbols, sizes, layer = Symbols(made), made.sizes, layer_of(made, "square")
    for examples in range(sizes.m + 1):
        prompt = Prompt(symbols, examples)
        units_are_parabolas(prompt, prompt.pooled(symbols.out, symbols.tot))
        for total in range(sizes.M + 1):
            h = prompt.pooled(symbols.out, symbols.ring.ground_new(total))
            found = forward(h, layer, Signs(symbols).relu)
            same_stream(symbols, found, prompt.squared(symbols.out, total))
    return f"rec = s/tot for each tot of 1..{sizes.M}, and 0 for 0"


def units_are_parabolas(prompt: Prompt, h: np.ndarray) -> None:
    """Sq becomes tot^2, and unit v at the answer token is given 1 - (tot - v)^2."""
    layer, tot = layer_of(prompt.symbols.made, "square"), prompt.symbols.tot
    table = scores(h, layer.heads[0])
    expect(table[prompt.answer, prompt.answer] == tot**2, "the score of the answer token")
    h = h + attend(h, layer.heads[0], known({tot**2: tot**2}))
    made, M = prompt.symbols.made, prompt.sizes.M
    units = times(h, layer.mlp, "W_in")[prompt.answer]
    tops, steep = ([QQ(9, 8), QQ(1, 8)], 2) if made.margins.flat else ([QQ(1)], 1)
    expect(len(units) == M * len(tops), "the number of units")
    for (half, v), unit in zip(indices(len(tops), M), units, strict=True):
        wanted = tops[half] - steep * (tot - (v + 1)) ** 2
        expect(unit == wanted, f"unit {v + 1} is not {tops[half]} - {steep} (tot - {v + 1})^2")


if __name__ == "__main__":
    sys.exit(report("square", on_weights, for_every_size))
