"""From a prompt to the residual stream, and from the stream to the answer.

Both are products with the transformer's own matrices; nothing here knows a task.
"""

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Shaped
from scipy.sparse import coo_array, csr_array

from construct.arguments import checked, instance, listed
from construct.errors import ConstructError
from construct.prompt import Prompt, exactly
from construct.transformer import Transformer


@checked(
    transformer=instance(Transformer, "a construct.Transformer"),
    prompt=instance(Prompt, "a construct.Prompt"),
)
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
    tokens = np.full((sizes.N, sizes.d + 1), 0, dtype=object if exact else np.float64)
    grid = tokens[: sizes.tokens].reshape(sizes.m + 1, sizes.n, sizes.d + 1)
    e = len(prompt.X)
    grid[:e, :-1, :-1], grid[:e, -1, :-1], grid[:e, :, -1] = prompt.X, prompt.Y, 1
    grid[-1, :-1, :-1] = prompt.query
    places = transformer.sparse("W_pos")
    stream = exactly(places.toarray()) if exact else places.toarray(out=_aligned(places.shape))
    return _add_product(stream, tokens, transformer.sparse("W_E"))


def _aligned(shape: tuple[int, int]) -> np.ndarray:
    """Zeros that start at a multiple of 64 bytes: JAX takes such an array as it is."""
    count = math.prod(shape) * 8
    raw = np.zeros(count + 64, np.uint8)
    start = -raw.ctypes.data % 64
    return raw[start : start + count].view(np.float64).reshape(shape)


@checked(
    transformer=instance(Transformer, "a construct.Transformer"),
    prompts=listed(instance(Prompt, "a construct.Prompt"), "construct.Prompt"),
)
def embed_all(
    transformer: Transformer, prompts: Sequence[Prompt]
) -> Shaped[np.ndarray, "batch N D"]:
    """The streams of several prompts.

    Raises:
        ConstructError: if there is none, or one does not fit m, n and d.
    """
    return np.stack([embed(transformer, prompt) for prompt in prompts])


@checked(
    transformer=instance(Transformer, "a construct.Transformer"),
    stream=instance(np.ndarray, "an array"),
)
def unembed(
    transformer: Transformer, stream: Shaped[np.ndarray, "*batch N D"]
) -> Shaped[np.ndarray, "*batch d"]:
    """The answer, read at the answer token after layer 7.

    Raises:
        ConstructError: if the stream is not of this transformer's shape.
    """
    context = transformer.sparse("W_pos").shape
    if stream.shape[-2:] != context:
        raise ConstructError(
            f"a stream of shape {stream.shape} was given; this transformer has (N, D) = {context}."
        )
    last = stream[..., transformer.answer, :]
    zero = np.full((*last.shape[:-1], transformer.sizes.d), 0, dtype=last.dtype)
    return _add_product(zero, last, transformer.sparse("W_U"))


def _add_product(to: np.ndarray, x: np.ndarray, W: csr_array) -> np.ndarray:
    """Add x @ W over the non-zeros of W: a few selections, also on exact numbers."""
    entries = coo_array(W)
    weights = exactly(entries.data) if x.dtype == object else entries.data
    for row, column, weight in zip(*entries.coords, weights, strict=True):
        to[..., column] += x[..., row] * weight
    return to
