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
from dataclasses import replace
from fractions import Fraction

import numpy as np
import sympy
from artifacts import plain, report
from codes import bits
from network import forward, layer_of, same_stream, scores
from streams import Prompt, evaluate
from symbolic import Poly, Signs, Symbols, expect, indices, known, rational

from construct import Construction, Layer
from construct.matrix import Matrix


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
    symbols, layer = Symbols(made), layer_of(made, "superpose")
    for examples in range(made.sizes.m + 1):
        prompt = Prompt(symbols, examples)
        h = prompt.queried()
        fired = relus(prompt, h, layer, 1)
        same_stream(symbols, forward(h, layer, known(fired)), prompt.superposed())
    return "each head votes where its task matches, and nowhere else"


def relus(prompt: Prompt, h: np.ndarray, layer: Layer, top: object) -> dict[Poly, Poly]:
    """The ReLU of each score of a layer of K heads whose scores have this top."""
    fired = {prompt.symbols.ring.zero: prompt.symbols.ring.zero}
    for k, head in enumerate(layer.heads):
        for score, value in relu_of_scores(prompt, k, scores(h, head), top):
            expect(fired.setdefault(score, value) == value, "two scores of one form")
    return fired


def relu_of_scores(
    prompt: Prompt, k: int, table: np.ndarray, top: object = 1
) -> list[tuple[Poly, Poly]]:
    """Every score of head k, with its ReLU: 0, or the vote of an example.

    Where the gate is flat, the ReLU is the score itself on a match: the vote times the score.
    """
    sizes, ring, margins = prompt.sizes, prompt.symbols.ring, prompt.symbols.made.margins
    B, C, home = rational(margins.B), rational(margins.C), prompt.wiring.homes[k] - 1
    e = errors(prompt, k)
    within_margins(prompt, k, e)
    found = []
    places = list(enumerate(indices(sizes.m + 1, sizes.length)))
    for (a, (i, t)), (b, (j, u)) in ((x, y) for x in places for y in places):
        blank = j >= prompt.examples
        misses = bits(sizes, (i, t), (j, u)) + bits(sizes, (j, home), (j, u)) + blank
        formula = rational(top) - (e[a] * e[b]).sum() * B - 2 * C * misses
        expect(table[a, b] == formula, f"head {k + 1}, the score of token {a} to token {b}")
        value = ring.zero
        if not misses:
            expect((e[a] == prompt.distance(i, k)).all(), f"e of task {k + 1}, token {a}")
            on_a_match = formula if margins.flat else ring.one
            votes_on_a_match_alone(prompt, i, k, formula, on_a_match)
            value = prompt.symbols.votes[i, k] * on_a_match
        found.append((formula, value))
    table[: sizes.tokens, : sizes.tokens] = ring.zero
    expect(not table.any(), f"head {k + 1}, a score of padding")
    return found


def errors(prompt: Prompt, k: int) -> np.ndarray:
    """e_k at each token, (tokens, d): f_k of the token and its slots, minus its label.

    The features are those that the token holds: at the home of other tasks, theirs.
    """
    wiring, vectors = prompt.wiring, prompt.filled
    task, source, rows = wiring.tasks[k], wiring.sources[k], []
    affine = replace(task, features=(), C=Matrix.zero(task.d, 0))
    for i, t in indices(*vectors.shape[:2]):
        X = {p: vectors[i, p - 1] for p in wiring.slots} | {source: vectors[i, t]}
        value = evaluate(prompt.symbols, affine, X) - vectors[i, -1]
        held = prompt.dictionary(i, t) if task.features else ()
        for row, u, c in task.C:
            value[row] += held[wiring.reads[k][u]] * rational(c)
        rows.append(value)
    return np.array(rows, dtype=object)


def within_margins(prompt: Prompt, k: int, e: np.ndarray) -> None:
    """What the gate asks of B; and ||e_k||^2 <= (2C - a)/B at every token, on the domain."""
    made, signs = prompt.symbols.made, Signs(prompt.symbols)
    a, B, C, delta = made.margins.a, made.margins.B, made.margins.C, made.domain.delta
    match, mismatch = prompt.thresholds
    expect(B > 0 and B * mismatch**2 >= a, f"B = {B} is below 1/delta^2, delta = {delta}")
    expect(mismatch > 0 and B * match**2 <= a - 1, f"B = {B} is above (a - 1)/(tau + epsilon)^2")
    most = Fraction(2 * C - a) / B
    for j, row in enumerate(e):
        excess = (row**2).sum() - rational(most)
        expect(signs.nonpositive(excess), f"||e_{k + 1}||^2 may pass {most} at token {j}: C = {C}")


def votes_on_a_match_alone(prompt: Prompt, i: int, k: int, score: Poly, on_a_match: Poly) -> None:
    """The ReLU is 1, or the score, where f_k(X_i) and y_i match, and 0 where they are apart."""
    match, mismatch = (
        Signs(prompt.symbols, *prompt.said(i, k, matches)) for matches in (True, False)
    )
    expect(match.relu(score) == on_a_match, f"example {i + 1} matches task {k + 1}: {score}")
    expect(mismatch.relu(score) == 0, f"example {i + 1}, task {k + 1}: a mismatch scores > 0")


if __name__ == "__main__":
    sys.exit(report("superpose", on_weights, for_every_size, of=plain))
