"""Lemma 4, superpose: a home token holds what the matching tasks say of the query.

Proved for all d, B, C, E, of the formula: off target a score is <= 0 if 2C >= 1 + B E^2,
on target it is 1 on a match and <= 0 at a distance of at least delta if B delta^2 >= 1;
each by an identity that writes the score as a sum of terms of known sign. Proved of the
emitted weights, for each artifact, every prompt of the domain, every number of blank
examples and all patterns of matches at once: each score is that formula, with
e_k = f_k - y by the task's definition; Z3 bounds every ||e_k||; and the layer turns the
stream of lemma 3 into the one of lemma 4, in every coordinate of every token.
"""

import sys
from fractions import Fraction

import numpy as np
import sympy
from artifacts import report
from codes import bits
from network import forward, layer_of, same_stream, scores
from streams import Prompt, evaluate
from symbolic import Poly, Signs, Symbols, expect, indices, known, rational

from construct import Construction


def for_every_size() -> str:
    """Signs of the score 1 - B<u, v> - 2C misses, by identities."""
    u, v, U, V, W, B, C, E2, delta2, misses = sympy.symbols("u v U V W B C E2 delta2 misses")
    # Summed over d entries: <u, v> = (W - U - V)/2, with U = |u|^2, V = |v|^2, W = |u + v|^2.
    expect(sympy.expand((u + v) ** 2 - u**2 - v**2 - 2 * u * v) == 0, "|u + v|^2")
    off_target = 1 - B * (W - U - V) / 2 - 2 * C * misses
    # Each term is a product of factors >= 0, where B, C >= 0 and misses >= 1.
    slack = B / 2 * W + B / 2 * (E2 - U) + B / 2 * (E2 - V) + (2 * C - 1 - B * E2)
    expect(sympy.expand(off_target + slack + 2 * C * (misses - 1)) == 0, "a score off target")
    on_target = 1 - B * U
    expect(on_target.subs(U, 0) == 1, "the score of a match")
    excess = B * (U - delta2) + (B * delta2 - 1)
    expect(sympy.expand(on_target + excess) == 0, "the score of a mismatch")
    return "for all d, B, C, E, delta a score is 1 on a match, <= 0 on a mismatch and off target"


def on_weights(made: Construction) -> str:
    """The lemma about the weights of an artifact."""
    sizes, layer = made.sizes, layer_of(made, "superpose")
    symbols = Symbols(made)
    for examples in range(sizes.m + 1):
        prompt = Prompt(symbols, examples)
        h = prompt.queried()
        fired = {symbols.ring.zero: symbols.ring.zero}
        for k, head in enumerate(layer.heads):
            for score, value in relu_of_scores(prompt, k, scores(h, head)):
                expect(fired.setdefault(score, value) == value, "two scores of one form")
        same_stream(symbols, forward(h, layer, known(fired)), prompt.superposed())
    return "each head votes where its task matches, and nowhere else"


def relu_of_scores(prompt: Prompt, k: int, table: np.ndarray) -> list[tuple[Poly, Poly]]:
    """Every score of head k, with its ReLU: the vote of an example, or 0."""
    sizes, ring, margins = prompt.sizes, prompt.symbols.ring, prompt.symbols.made.margins
    B, C, home = rational(margins.B), rational(margins.C), prompt.wiring.homes[k] - 1
    e = errors(prompt, k)
    within_margins(prompt, k, e)
    found = []
    places = list(enumerate(indices(sizes.m + 1, sizes.n)))
    for (a, (i, t)), (b, (j, u)) in ((x, y) for x in places for y in places):
        blank = j >= prompt.examples
        misses = bits(sizes, (i, t), (j, u)) + bits(sizes, (j, home), (j, u)) + blank
        formula = 1 - (e[a] * e[b]).sum() * B - 2 * C * misses
        expect(table[a, b] == formula, f"head {k + 1}, the score of token {a} to token {b}")
        if not misses:
            expect((e[a] == prompt.distance(i, k)).all(), f"e of task {k + 1}, token {a}")
            votes_on_a_match_alone(prompt, i, k, formula)
        found.append((formula, ring.zero if misses else prompt.symbols.votes[i, k]))
    table[: sizes.tokens, : sizes.tokens] = ring.zero
    expect(not table.any(), f"head {k + 1}, a score of padding")
    return found


def errors(prompt: Prompt, k: int) -> np.ndarray:
    """e_k at each token, (tokens, d): f_k of the token and its slots, minus its label."""
    wiring, vectors = prompt.wiring, prompt.vectors
    rows = []
    for i, t in indices(*vectors.shape[:2]):
        X = {p: vectors[i, p - 1] for p in wiring.slots} | {wiring.homes[k]: vectors[i, t]}
        rows.append(evaluate(prompt.symbols, prompt.tasks[k], X) - vectors[i, -1])
    return np.array(rows, dtype=object)


def within_margins(prompt: Prompt, k: int, e: np.ndarray) -> None:
    """B delta^2 >= 1; and ||e_k||^2 <= (2C - 1)/B at every token, on the domain."""
    made, signs = prompt.symbols.made, Signs(prompt.symbols)
    B, C, delta = made.margins.B, made.margins.C, made.domain.delta
    expect(B > 0 and B * delta**2 >= 1, f"B = {B} is below 1/delta^2, delta = {delta}")
    most = Fraction(2 * C - 1) / B
    for j, row in enumerate(e):
        excess = (row**2).sum() - rational(most)
        expect(signs.nonpositive(excess), f"||e_{k + 1}||^2 may pass {most} at token {j}: C = {C}")


def votes_on_a_match_alone(prompt: Prompt, i: int, k: int, score: Poly) -> None:
    """The ReLU is 1 where f_k(X_i) = y_i, and 0 where they are at least delta apart."""
    symbols, distance = prompt.symbols, prompt.distance(i, k)
    match = Signs(symbols, zero=distance)
    delta = rational(symbols.made.domain.delta)
    mismatch = Signs(symbols, positive=[(distance**2).sum() - delta**2])
    expect(match.relu(score) == 1, f"example {i + 1} matches task {k + 1}: the score is not 1")
    expect(mismatch.relu(score) == 0, f"example {i + 1}, task {k + 1}: a mismatch scores > 0")


if __name__ == "__main__":
    sys.exit(report("superpose", on_weights, for_every_size))
