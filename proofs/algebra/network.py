"""The transformer on polynomials: its exact weights, products, sums and ReLUs.

Shared by the proofs in this folder. A residual stream is an array of polynomials over the
rationals; what it is multiplied with are the tensors of the artifact, entry by entry.
"""

import numpy as np
from symbolic import Relu, Symbols, Unproved, indices, rational, shorten
from sympy import QQ

from construct import Construction, Head, Layer, Mlp


def layer_of(made: Construction, name: str) -> Layer:
    """The layer of this name."""
    return next(layer for layer in made.transformer.layers if layer.name == name)


def forward(h: np.ndarray, layer: Layer, relu: Relu, hinge: Relu | None = None) -> np.ndarray:
    """One layer on a stream of polynomials.

    Args:
        relu: the ReLU of the scores, and of the hidden units.
        hinge: the ReLU of the hidden units, if it is another.
    """
    try:
        h = sum((attend(h, head, relu) for head in layer.heads), start=h)
        units = times(h, layer.mlp, "W_in")
        fired = np.array([[(hinge or relu)(t) for t in row] for row in units], dtype=object)
        return h + times(fired, layer.mlp, "W_out")
    except Unproved as error:
        raise Unproved(f"layer {layer.name}: {error}") from error


def attend(h: np.ndarray, head: Head, relu: Relu) -> np.ndarray:
    """What a head adds: (1/N) sum_j relu(<Q h_i, K h_j>) V h_j."""
    table, values = scores(h, head), times(h, head, "W_V")
    given = np.full_like(values, h[0, 0].ring.zero)
    for i, j in zip(*np.nonzero(table), strict=True):
        try:
            given[i] += values[j] * relu(table[i, j])
        except Unproved as error:
            raise Unproved(f"head {head.name!r}, token {i} to token {j}: {error}") from error
    return times(given, head, "W_O") * QQ(1, len(h))


def scores(h: np.ndarray, head: Head) -> np.ndarray:
    """<Q h_i, K h_j> for all pairs of tokens, before the ReLU."""
    q, k = times(h, head, "W_Q"), times(h, head, "W_K")
    table = np.full((len(h), len(h)), h[0, 0].ring.zero, dtype=object)
    for i, j, c in indices(*table.shape, q.shape[1]):
        if q[i, c] and k[j, c]:
            table[i, j] += q[i, c] * k[j, c]
    return table


def times(h: np.ndarray, part: Head | Mlp, name: str) -> np.ndarray:
    """The stream times one of the part's matrices, as the rationals that it holds."""
    result = np.full((len(h), getattr(part, name).shape[1]), h[0, 0].ring.zero, dtype=object)
    for (row, column), weight in _entries(part, name).items():
        result[:, column] += h[:, row] * weight
    return result


def _entries(part: Head | Mlp, name: str) -> dict[tuple[int, int], object]:
    """The non-zero entries of a matrix; float64 rounds those that stand in `exact`."""
    rounded = part.exact.get(name, {})
    return _nonzero(getattr(part, name)) | {at: rational(v) for at, v in rounded.items()}


def _nonzero(matrix: np.ndarray) -> dict[tuple[int, int], object]:
    at = zip(*map(np.ndarray.tolist, np.nonzero(matrix)), strict=True)
    return {(i, j): QQ(*float(matrix[i, j]).as_integer_ratio()) for i, j in at}


def embed(symbols: Symbols, examples: int) -> np.ndarray:
    """The stream before layer 1, of a prompt with so many examples; other slots are blank."""
    transformer, sizes = symbols.made.transformer, symbols.made.sizes
    tokens = symbols.zeros(sizes.N, sizes.d + 1)
    places = tokens[: sizes.tokens].reshape(sizes.m + 1, sizes.length, sizes.d + 1)
    places[:examples, : sizes.n - 1, :-1] = symbols.X[:examples]
    places[:examples, -1, :-1] = symbols.Y[:examples]
    places[:examples, :, -1] = symbols.ring.one
    places[-1, : sizes.n - 1, :-1] = symbols.query
    h = symbols.zeros(sizes.N, sizes.D)
    for (row, column), weight in _nonzero(transformer.W_E).items():
        h[:, column] += tokens[:, row] * weight
    for at, weight in _nonzero(transformer.W_pos).items():
        h[at] += weight
    return h


def unembed(symbols: Symbols, h: np.ndarray) -> np.ndarray:
    """The answer, read at the answer token."""
    transformer = symbols.made.transformer
    answer = symbols.zeros(symbols.made.sizes.d)
    for (row, column), weight in _nonzero(transformer.W_U).items():
        answer[column] += h[transformer.answer, row] * weight
    return answer


def same_stream(symbols: Symbols, found: np.ndarray, wanted: np.ndarray) -> None:
    """Equality of two streams in every coordinate of every token.

    Raises:
        Unproved: naming a token and a field in which they differ.
    """
    n = symbols.made.sizes.length
    for field in symbols.made.sizes.residual.fields:
        for j, row in enumerate(found[:, field.at] != wanted[:, field.at]):
            if row.any():
                entry = field.start + int(row.argmax())
                is_found, said = shorten(found[j, entry]), shorten(wanted[j, entry])
                where = f"{field.name} of token ({j // n}, {j % n + 1})"
                raise Unproved(f"{where} is {is_found}; the lemma says {said}")
