"""From a prompt to the residual stream, and from it to logits or vectors.

Both are products with the transformer's own matrices. The sink comes first, and then the
examples, token by token; a design that is causal has the query right after the last example, so
that what comes after it is seen by none of its tokens; any other has it in the last slot.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.sparse import csr_array, lil_array

from construct.designs.softmax.sizes import Sizes
from construct.network.codes import code
from construct.network.runs import add_product, runs_of
from construct.network.transformer import Transformer
from construct.spec.prompt import Prompt, exactly, is_exact


def embeddings(
    sizes: Sizes, flag: str, reads: Sequence[str], more: Mapping[str, np.ndarray]
) -> dict[str, csr_array]:
    """W_E, W_pos and W_U.

    Args:
        flag: the field of the flag that a token can have beside its vector.
        reads: the fields of which W_U makes the answer, one after the other.
        more: for fields of one coordinate what W_pos has there, (N,).
    """
    residual, D = sizes.residual, sizes.D
    to = [*range(residual["tok"].start, residual["tok"].start + sizes.d), residual[flag].start]
    at = np.concatenate([np.arange(D)[residual[name].at] for name in reads])
    return {
        "W_E": csr_array((np.ones(len(to)), (range(len(to)), to)), (len(to), D)),
        "W_pos": _places(sizes, more),
        "W_U": csr_array((np.ones(len(at)), (at, range(len(at)))), (D, len(at))),
    }


def _places(sizes: Sizes, more: Mapping[str, np.ndarray]) -> csr_array:
    """(N, D): codes and the constant 1 of each place but that of the sink, and what else is given.

    The query's tokens have the codes of an example of their own.
    """
    example, position = np.divmod(np.arange(sizes.N - 1), sizes.n)
    codes = {"pe": code(example, sizes.ell_e), "pt": code(position, sizes.ell_t)}
    codes["one"] = np.ones((sizes.N - 1, 1))
    found = lil_array((sizes.N, sizes.D))
    for name, values in codes.items():
        if name in sizes.residual:
            found[1:, sizes.residual[name].at] = values
    for name, values in more.items():
        found[:, [sizes.residual[name].start]] = np.asarray(values)[:, None]
    return csr_array(found)


def embed_all(transformer: Transformer, prompts: Sequence[Prompt]) -> np.ndarray:
    """The streams of prompts that fit, (batch, N, D): in float64, or exact where they are."""
    sizes: Any = transformer.sizes
    causal = transformer.attention.causal
    vectors, flag = (runs_of(W) for W in _split(transformer.sparse("W_E")))
    exact = all(is_exact(prompt.query) for prompt in prompts)
    places = transformer.sparse("W_pos").toarray()
    places = exactly(places) if exact else places
    streams = np.repeat(places[None], len(prompts), axis=0)
    for stream, prompt in zip(streams, prompts, strict=True):
        e, n = len(prompt.X), sizes.n
        last = 1 + n * (e if causal else sizes.m)
        if causal:
            stream[last + n - 1 :] = 0  # there is no token
        examples = stream[1 : 1 + e * n].reshape(e, n, sizes.D)
        X, Y, query = (_numbers(a, exact) for a in (prompt.X, prompt.Y, prompt.query))
        add_product(examples[:, :-1], X, vectors)
        add_product(examples[:, -1], Y, vectors)
        add_product(stream[last : last + n - 1], query, vectors)
        flagged = stream[:1] if causal else stream[1 : 1 + e * n]
        add_product(flagged, np.ones((len(flagged), 1), np.int8), flag)
    return streams


def _split(W_E: csr_array) -> tuple[csr_array, csr_array]:
    """The rows of a vector, and that of the flag."""
    return W_E[:-1], W_E[-1:]


def _numbers(array: np.ndarray, exact: bool) -> np.ndarray:
    return exactly(array) if exact else array.astype(np.float64)


def unembed(transformer: Transformer, rows: np.ndarray) -> np.ndarray:
    """(..., D) of the final stream -> (..., columns of W_U)."""
    W_U = transformer.sparse("W_U")
    found = np.full((*rows.shape[:-1], W_U.shape[1]), 0, dtype=rows.dtype)
    add_product(found, rows, runs_of(W_U))
    return found
