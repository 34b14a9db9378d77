"""A prompt as the tokens that a network's own embedding takes: each a row before W_E.

A row holds a token's vector and, last, the flag of the design. Of a word the vector is one-hot; so
the row of a decoder of words is that of a number: of the word, or d for BOS, whose flag it is.
"""

from typing import Any

import numpy as np
from jaxtyping import Int, Shaped

from construct.compiler import Construction
from construct.spec.prompt import Prompt


def rows(construction: Construction, prompt: Prompt) -> Shaped[np.ndarray, "tokens d_in"]:
    """The rows of a prompt that fits; with W_pos they make the stream.

    A causal decoder ends with the query, in as many tokens as there are. Others see all tokens of
    the context at once: unused examples are rows of 0, and the query is the last example.
    """
    sizes, softmax = construction.sizes, construction.softmax
    e, n = len(prompt.X), prompt.n
    causal = softmax is not None and softmax.attention.causal
    start = 0 if softmax is None else 1  # after the sink
    slots = e + 1 if causal else sizes.m + 1
    end = start + slots * sizes.length  # the query's label with it
    found = np.zeros((max(sizes.N, end), prompt.d + 1), prompt.query.dtype)
    grid = found[start:end].reshape(slots, sizes.length, -1)
    grid[:e, : n - 1, :-1], grid[:e, -1, :-1] = prompt.X, prompt.Y
    grid[-1, : n - 1, :-1] = prompt.query
    if causal:
        found[0, -1] = 1
        return found[: start + e * n + n - 1]
    grid[:e, :, -1] = 1
    return found


def numbers(construction: Construction, prompt: Prompt) -> Int[np.ndarray, " tokens"]:
    """The numbers of the words of a prompt for a decoder of words, BOS first."""
    return rows(construction, prompt).argmax(axis=1)


def queries(construction: Construction, prompt: Prompt) -> list[int]:
    """The tokens at which an answer stands: of a decoder one for each query."""
    sizes: Any = construction.sizes
    if construction.softmax is None:
        return [construction.transformer.answer]
    return construction.softmax.queries(sizes, len(prompt.X))


def of_words(construction: Construction) -> bool:
    """Whether tokens are numbers of words, and the answer is the softmax of logits."""
    return construction.softmax is not None and construction.softmax.logits
