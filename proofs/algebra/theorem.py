"""The theorem: the output is sum_k c_k f_k(X_q) / sum_k c_k, or 0 without votes.

Proved of the emitted weights of each artifact, from embedding to answer, for all real
inputs and labels of the domain: for every number of blank examples and every pattern of
matches, all seven layers are run on polynomials. Where a pattern says so, f_k(X_i) = y_i
is an equation; elsewhere ||f_k(X_i) - y_i||^2 >= delta^2. Of a flat gate f_k is what is held of
task k, and a pattern says ||f_k(X_i) - y_i|| <= tau + epsilon, or >= delta - epsilon. The
sign of what each ReLU is given is a constant modulo the equations, or is proved by Z3 from the
inequalities; hinges of the dictionary stay symbols, as they do in the specification. The answer
is then equal to the mixture as a polynomial. No lemma is used; the mixture is computed from the
tasks' definitions and the pattern.
"""

import sys
from itertools import product

import numpy as np
from artifacts import LARGE, report
from network import embed, forward, unembed
from streams import Prompt
from symbolic import Signs, Symbols, Unproved, expect, shorten
from sympy import QQ

from construct import Construction


def on_weights(made: Construction) -> str:
    """The theorem about the weights of an artifact, one pattern of matches at a time."""
    symbols, K, layers = Symbols(made), made.sizes.K, made.transformer.layers
    expect([len(layer.heads) for layer in layers] == [K] * 7, "seven layers of K heads")
    proved = impossible = 0
    for examples in range(made.sizes.m + 1):
        prompt = Prompt(symbols, examples)
        for pattern in product((False, True), repeat=examples * K):
            matches = np.array(pattern, dtype=bool).reshape(examples, K)
            signs = signs_of(prompt, matches)
            if signs.consistent:
                answers_with_the_mixture(prompt, matches, signs)
            proved, impossible = proved + signs.consistent, impossible + (not signs.consistent)
    return f"output = mixture in all {proved} patterns of matches ({impossible} are impossible)"


def answers_with_the_mixture(prompt: Prompt, matches: np.ndarray, signs: Signs) -> None:
    """The theorem for all prompts that have these matches."""
    symbols = prompt.symbols
    try:
        h = embed(symbols, prompt.examples)
        for layer in symbols.made.transformer.layers:
            hinge = symbols.hinge if layer.name in ("query", "fetch") else signs.relu
            h = forward(h, layer, signs.relu, hinge)
        answer, wanted = (list(p) for p in (unembed(symbols, h), mixture(prompt, matches)))
        said = f"the answer {answer} is not the mixture {wanted}"
        expect(answer == wanted, shorten(said, 240))
    except Unproved as error:
        pattern = matches.astype(int).tolist()
        raise Unproved(f"examples with the matches {pattern}: {error}") from error


def signs_of(prompt: Prompt, matches: np.ndarray) -> Signs:
    """What a pattern of matches says of the prompt."""
    zero, positive = [], []
    for (i, k), match in np.ndenumerate(matches):
        equations, inequalities = prompt.said(i, k, bool(match))
        zero += equations
        positive += inequalities
    return Signs(prompt.symbols, zero, positive)


def mixture(prompt: Prompt, matches: np.ndarray) -> np.ndarray:
    """sum_k c_k f_k(X_q) / sum_k c_k with c_k the matches of task k; 0 without any."""
    c = matches.sum(axis=0).tolist()
    weights = [QQ(votes, sum(c) or 1) for votes in c]
    answers = [prompt.at_query(k) for k in range(len(weights))]
    total = prompt.symbols.zeros(prompt.sizes.d)
    return sum((f * w for f, w in zip(answers, weights, strict=True)), start=total)


if __name__ == "__main__":
    sys.exit(report("theorem", on_weights, large=LARGE))
