"""A transformer of width 2 on 2 tokens, worked by hand, and one in plain Python.

h = [[1, 2], [3, -1]], one head with Q = K = V = identity:

    scores  relu(h h^T)          = [[5, 1], [1, 10]]
    update  (1/2) scores h       = [[4, 9/2], [31/2, -4]]
    h                            = [[5, 13/2], [37/2, -5]]
    units   relu(h_1 + h_2, -h_2) = [[23/2, 0], [27/2, 5]]
    h + units W_out              = [[28, -5], [91/2, -17/2]]

with W_out = [[2, -1], [0, 2]]; the second unit fires at the second token alone.
"""

from fractions import Fraction

import numpy as np

from construct import Head, Layer, Mlp, Sizes, Transformer, build, lookup
from construct.spec.vocabulary import Vocabulary

STREAM = np.array([[1.0, 2.0], [3.0, -1.0]])
ATTENDED = [[[6, 11]]]
AFTER = [[28, -5], [45.5, -8.5]]


def transformer(layers: list[tuple[list, tuple]], N: int = 2) -> Transformer:
    """From heads (W_Q, W_K, W_V, W_O) and an MLP (W_in, W_out) for each layer."""
    D = len(layers[0][1][0])
    made = tuple(
        Layer("any", "", tuple(Head("h", "", *head) for head in heads), Mlp("", *mlp))
        for heads, mlp in layers
    )
    sizes, zeros = Sizes(len(layers[0][0]), 1, N // 2 - 1, 2), np.zeros
    return Transformer(sizes, made, zeros((2, D)), zeros((N, D)), zeros((D, 1)), 0)


def by_hand() -> Transformer:
    """The transformer above."""
    W_in, W_out = np.array([[1.0, 0.0], [1.0, -1.0]]), np.array([[2.0, -1.0], [0.0, 2.0]])
    return transformer([([(np.eye(2),) * 4], (W_in, W_out))])


def random(seed: int) -> tuple[Transformer, np.ndarray]:
    """Small whole numbers, and a batch of streams.

    Layer 1 has heads of one shape, layer 2 of two. No weight is all zero: a head that
    writes nothing may be skipped, and then attends to nothing.
    """
    rng = np.random.default_rng(seed)

    def whole(*shape: int) -> np.ndarray:
        found = rng.integers(-2, 3, shape).astype(float)
        return found if found.any() else found + 1

    def head(width: int, value: int) -> tuple:
        return whole(D, width), whole(D, width), whole(D, value), whole(value, D)

    D, N = 3, 4
    layers = [
        ([head(2, 1), head(2, 1)], (whole(D, 4), whole(4, D))),
        ([head(2, 1), head(3, 2)], (whole(D, 4), whole(4, D))),
    ]
    return transformer(layers, N), whole(2, N, D)


def mostly_empty(seed: int) -> tuple[Transformer, np.ndarray]:
    """The same with weights of few entries, and some of many; whole numbers, and streams.

    Heads read and write single coordinates, in layer 2 with columns that many terms go to and
    with an output that does more than to place.
    """
    rng, D, N, r = np.random.default_rng(seed), 160, 4, 120

    def few(rows: int, columns: int, hub: bool) -> np.ndarray:
        W = np.zeros((rows, columns))
        side = min(rows, columns)
        W[rng.permutation(rows)[:side], rng.permutation(columns)[:side]] = rng.choice(
            [-2, -1, 1], side
        )
        if hub:
            W[rng.permutation(rows)[: rows // 4], rng.integers(columns)] = rng.choice([-1, 1])
        return W

    def head(hub: bool) -> tuple:
        place = np.zeros((r, D))
        place[np.arange(r), rng.permutation(D)[:r]] = 1
        return (
            *(few(D, r, hub) for _ in range(3)),
            few(r, D, True) if hub else place,
        )

    many = rng.integers(-1, 2, (2, D)).astype(float)
    layers = [
        ([head(False), head(False)], (few(D, r, True), few(r, D, False))),
        ([head(True), head(True)], (many.T, many)),
    ]
    stream = np.zeros((2, N, D))
    stream[rng.random(stream.shape) < 0.2] = 1
    return transformer(layers, N), stream


def words(d: int, m: int = 3) -> Transformer:
    """Two tables over d words: one is one to one, one sends many words to one."""
    names = [f"w{i}" for i in range(d)]
    vocabulary = Vocabulary(tuple(names))
    onto = {names[i]: names[(7 * i + 1) % d] for i in range(d)}
    many = {names[i]: names[i % 3 if i < 30 else i] for i in range(d)}
    tasks = [lookup(n, t, vocabulary=vocabulary) for n, t in (("onto", onto), ("many", many))]
    return build(tasks, m=m, vocabulary=vocabulary).transformer


def dot(u, v) -> Fraction:
    return sum((Fraction(a) * Fraction(b) for a, b in zip(u, v, strict=True)), Fraction(0))


def definition(model: Transformer, stream: np.ndarray) -> tuple[list, list]:
    """Bai's Definitions 1 to 3, token by token in rationals: states and total scores."""
    h = [[Fraction(x) for x in token] for token in stream.tolist()]
    N, D = len(h), len(h[0])
    states, attended = [h], []
    for layer in model.layers:
        after, totals = [list(token) for token in h], []
        for head in layer.heads:
            Q, K = head.W_Q.T.tolist(), head.W_K.T.tolist()
            V = (head.W_V @ head.W_O).T.tolist()
            totals.append([])
            for i in range(N):
                q = [dot(row, h[i]) for row in Q]
                scores = [max(dot(q, [dot(row, h[j]) for row in K]), 0) for j in range(N)]
                totals[-1].append(sum(scores))
                for c in range(D):
                    after[i][c] += dot(scores, [dot(V[c], h[j]) for j in range(N)]) / N
        W_in, W_out = layer.mlp.W_in.T.tolist(), layer.mlp.W_out.T.tolist()
        units = [[max(dot(row, token), 0) for row in W_in] for token in after]
        h = [
            [token[c] + dot(W_out[c], unit) for c in range(D)]
            for token, unit in zip(after, units, strict=True)
        ]
        states.append(h)
        attended.append(totals)
    return states, attended
