"""Codes: <u, v> = ell - 2 (bits that differ), and the addresses that are made of them.

Proved for all lengths ell, ell' and all N, of the formulas: that identity; that the score
1 + (<u, v> - ell) + (<u', v'> - ell') is 1 where all bits agree and <= -1 elsewhere; and
that a head whose scores are 1 for one token, and else <= 0, copies this token. Proved of
the emitted weights, for each artifact and every prompt: embedding gives the vectors,
codes, constants and flags of the setting, and 0 in padding; no two tokens have one address.
"""

import sys
from collections.abc import Callable

import numpy as np
import sympy
import z3
from artifacts import report
from network import embed, same_stream, scores
from streams import Prompt
from symbolic import Symbols, expect, holds, indices

from construct import Construction, Head
from construct.designs.theorem.sizes import Sizes
from construct.network.codes import code

# A token as (example, position), both from 0.
Address = tuple[int, int]


def for_every_size() -> str:
    """The three statements about formulas."""
    inner_product()
    indicator()
    copies_one_token()
    return "for all lengths and N, a score of codes is 1 - 2 (bits that differ), an indicator"


def inner_product() -> None:
    """<u, v> = ell - 2 sum_b h_b, with h_b = 1 if bit b differs and 0 if not."""
    u, v = sympy.symbols("u v")
    signs = [u**2 - 1, v**2 - 1]
    differs = (u - v) ** 2 / 4
    for identity in (u * v - (1 - 2 * differs), differs**2 - differs):
        expect(sympy.reduced(identity, signs, u, v)[1] == 0, f"{identity} = 0 for signs")
    # h_b is 0 for equal bits, by its form, and 1 for different ones.
    expect(differs.subs(u, -v) == v**2, "different bits")
    h, b = sympy.IndexedBase("h"), sympy.Symbol("b", integer=True)
    ell = sympy.Symbol("ell", integer=True, positive=True)
    total = sympy.Sum(1 - 2 * h[b], (b, 1, ell)).expand().doit()
    expect(total == ell + sympy.Sum(-2 * h[b], (b, 1, ell)), "the sum over ell bits")


def indicator() -> None:
    """1 + (<u, v> - ell) + (<u', v'> - ell') is 1 at distance 0 and <= -1 beyond."""
    ell, ell2, h, h2 = sympy.symbols("ell ell' h h'")
    score = 1 + ((ell - 2 * h) - ell) + ((ell2 - 2 * h2) - ell2)
    expect(sympy.expand(score - (1 - 2 * (h + h2))) == 0, "the score is 1 - 2 (h + h')")
    bits = z3.Int("bits")
    expect(holds(z3.Implies(bits == 0, 1 - 2 * bits == 1)), "the score at distance 0")
    expect(holds(z3.Implies(bits >= 1, 1 - 2 * bits <= -1)), "the score beyond distance 0")


def copies_one_token() -> None:
    """(1/N) sum_j [j = a] N x_j = x_a for every token a of N = a + 1 + beyond."""
    j, a, beyond = sympy.symbols("j a beyond", integer=True, nonnegative=True)
    x, N = sympy.IndexedBase("x"), a + 1 + beyond
    total = sympy.summation(sympy.KroneckerDelta(j, a) * N * x[j], (j, 0, N - 1)) / N
    expect(sympy.simplify(total - x[a]) == 0, f"the sum with an indicator is {total}")


def bits(sizes: Sizes, one: Address, other: Address) -> int:
    """In how many bits the codes of two addresses differ."""
    u, v = (np.concatenate([code(i, sizes.ell_e), code(t, sizes.ell_t)]) for i, t in (one, other))
    return int((u != v).sum())


def asks_for(
    prompt: Prompt, h: np.ndarray, head: Head, distance: Callable[[Address, Address], int]
) -> None:
    """Every score from token a to token b is 1 - 2 distance(a, b); with padding it is 0."""
    table, sizes = scores(h, head), prompt.sizes
    places = list(indices(sizes.m + 1, sizes.length))
    for (i, a), (j, b) in ((x, y) for x in enumerate(places) for y in enumerate(places)):
        expect(table[i, j] == 1 - 2 * distance(a, b), f"head {head.name!r}, the score of {a}, {b}")
    table[: sizes.tokens, : sizes.tokens] = prompt.symbols.ring.zero
    expect(not table.any(), f"head {head.name!r}, a score of padding")


def on_weights(made: Construction) -> str:
    """What the embedding of an artifact gives, and that its addresses differ."""
    symbols = Symbols(made)
    for examples in range(made.sizes.m + 1):
        prompt = Prompt(symbols, examples)
        same_stream(symbols, embed(symbols, examples), prompt.embedded())
    places = list(indices(made.sizes.m + 1, made.sizes.length))
    for a, b in ((a, b) for a in places for b in places):
        expect((bits(made.sizes, a, b) == 0) == (a == b), f"the addresses {a} and {b}")
    return f"every prompt is embedded as on paper; {len(places)} different addresses"


if __name__ == "__main__":
    sys.exit(report("codes", on_weights, for_every_size))
