"""From a prompt to the residual stream, and from the stream to the answer.

Both are products with the transformer's own matrices; nothing here knows a task.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Shaped

from construct.errors import ConstructError
from construct.prompt import Prompt, exactly
from construct.transformer import Transformer


def embed(transformer: Transformer, prompt: Prompt) -> Shaped[np.ndarray, "N D"]:
    """The residual stream before layer 1, in the prompt's numbers.

    Unused example slots are blank: their vector and their flag are zero.

    Raises:
        ConstructError: if the prompt does not fit m, n and d.
    """
    sizes = transformer.sizes
    if (prompt.n, prompt.d) != (sizes.n, sizes.d) or len(prompt.X) > sizes.m:
        raise ConstructError(
            f"the prompt has {len(prompt.X)} examples, n = {prompt.n}, d = {prompt.d}; "
            f"this transformer takes at most m = {sizes.m} examples, n = {sizes.n}, "
            f"d = {sizes.d}."
        )
    exact = prompt.query.dtype == object
    dtype = object if exact else np.float64
    tokens = np.full((sizes.N, sizes.d + 1), 0, dtype=dtype)
    for e, (inputs, label) in enumerate(zip(prompt.X, prompt.Y, strict=True)):
        place = tokens[e * sizes.n : (e + 1) * sizes.n]
        place[:-1, :-1], place[-1, :-1], place[:, -1] = inputs, label, 1
    tokens[sizes.m * sizes.n : transformer.answer, :-1] = prompt.query
    W_pos = exactly(transformer.W_pos) if exact else transformer.W_pos
    return _times(tokens, transformer.W_E) + W_pos


def embed_all(
    transformer: Transformer, prompts: Sequence[Prompt]
) -> Shaped[np.ndarray, "batch N D"]:
    """The streams of several prompts."""
    return np.stack([embed(transformer, prompt) for prompt in prompts])


def unembed(
    transformer: Transformer, stream: Shaped[np.ndarray, "*batch N D"]
) -> Shaped[np.ndarray, "*batch d"]:
    """The answer, read at the answer token after layer 7."""
    return _times(stream[..., transformer.answer, :], transformer.W_U)


def _times(x: np.ndarray, W: np.ndarray) -> np.ndarray:
    """X @ W over the non-zeros of W: a few selections, also on exact numbers."""
    W = exactly(W) if x.dtype == object else W
    result = np.full((*x.shape[:-1], W.shape[1]), 0, dtype=x.dtype)
    for row, column in zip(*np.nonzero(W), strict=True):
        result[..., column] += x[..., row] * W[row, column]
    return result
