"""Embedding and unembedding: from a prompt to the residual stream, and from it to the answer.

Both are products with the transformer's own matrices; nothing here knows a task.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
from jaxtyping import Shaped
from scipy.sparse import coo_array, csr_array, lil_array

from construct.arguments import checked, instance, listed
from construct.designs.theorem.sizes import Sizes
from construct.errors import ConstructError
from construct.network.codes import code
from construct.network.runs import Runs, add_product, runs_of
from construct.network.transformer import Transformer
from construct.spec.prompt import Prompt, exactly, is_exact


def embeddings(sizes: Sizes, scratch: Sequence[int] = ()) -> dict[str, csr_array]:
    """W_E, W_pos and W_U.

    Args:
        scratch: the input position that each scratch token copies.
    """
    places = _places(sizes)
    if sizes.w:
        places += _scratch(sizes, scratch)
    return {"W_E": _embedding(sizes), "W_pos": places, "W_U": _unembedding(sizes)}


def embedding_shapes(sizes: Sizes) -> dict[str, tuple[int, int]]:
    """The shapes of W_E, W_pos and W_U."""
    d, D = sizes.d, sizes.D
    return {"W_E": (d + 1, D), "W_pos": (sizes.N, D), "W_U": (D, d)}


def embedding_entries(sizes: Sizes) -> int:
    """How many of their entries are not 0."""
    copying = (sizes.m + 1) * (sizes.n - 1 + 2 * sizes.w) if sizes.w else 0
    return 2 * sizes.d + 1 + sizes.tokens * (sizes.ell_e + sizes.ell_t + 1) + copying


def _embedding(sizes: Sizes) -> csr_array:
    """(d+1, D): a token's vector goes to tok, the flag "of an example" to ctx."""
    at = [*range(sizes.d), sizes.residual["ctx"].start]
    return csr_array((np.ones(sizes.d + 1), (range(sizes.d + 1), at)), (sizes.d + 1, sizes.D))


def _places(sizes: Sizes) -> csr_array:
    """(N, D): codes and the constant 1 of each place; padding is zero throughout."""
    residual, count = sizes.residual, sizes.tokens
    example, position = np.divmod(np.arange(count), sizes.length)
    one = np.ones((count, 1))
    values = np.hstack([code(example, sizes.ell_e), code(position, sizes.ell_t), one])
    # pe, pt and one stand side by side.
    start, width = residual["one"].start + 1 - values.shape[1], values.shape[1]
    columns = np.tile(np.arange(start, start + width, dtype=np.int32), count)
    ends = np.minimum(np.arange(sizes.N + 1), count) * width
    return csr_array((values.astype(float).ravel(), columns, ends), (sizes.N, sizes.D))


def _scratch(sizes: Sizes, scratch: Sequence[int]) -> csr_array:
    """(N, D): what sq and rec hold for the head that fills the scratch tokens (`gather`)."""
    from_end = sizes.length - np.arange(1, sizes.length + 1)
    copied = sizes.length - np.array(scratch)
    rec = -(from_end**2)
    rec[sizes.n - 1 : -1] = 1 - copied**2
    sq = np.zeros_like(rec)
    sq[sizes.n - 1 : -1] = copied
    found = lil_array((sizes.N, sizes.D))
    for name, values in (("sq", sq), ("rec", rec)):
        column = sizes.residual[name].start
        found[: sizes.tokens, column] = np.tile(values, sizes.m + 1)[:, None]
    return csr_array(found)


def _unembedding(sizes: Sizes) -> csr_array:
    """(D, d): reads tok."""
    return csr_array((np.ones(sizes.d), (range(sizes.d), range(sizes.d))), (sizes.D, sizes.d))


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
    _refuse_misfits(transformer, [prompt])
    [stream] = _embedded(transformer, [prompt])
    return stream


def _refuse_misfits(transformer: Transformer, prompts: Sequence[Prompt]) -> None:
    sizes = transformer.sizes
    for prompt in prompts:
        if (prompt.n, prompt.d) != (sizes.n, sizes.d) or len(prompt.X) > sizes.m:
            raise ConstructError(
                f"the prompt has {len(prompt.X)} examples, n = {prompt.n}, d = {prompt.d}; "
                f"this transformer takes at most m = {sizes.m} examples, n = {sizes.n}, "
                f"d = {sizes.d}."
            )


@dataclass(frozen=True, eq=False)
class _Parts:
    """What `embed` and `unembed` read of a transformer's matrices, found once.

    Attributes:
        at: the places of the non-zeros of W_pos, row after row.
        places: their values.
        vectors, flag, answer: the runs of W_E without its last row, of that row, and of W_U.
        plain: whether a float prompt of any format is embedded without rounding.
    """

    at: np.ndarray
    places: np.ndarray
    vectors: Runs
    flag: Runs
    answer: Runs
    plain: bool

    @classmethod
    def of(cls, transformer: Transformer) -> "_Parts":
        """Those of this transformer, kept as long as it lives."""
        if transformer not in _PARTS:
            W_E, W_U = transformer.sparse("W_E"), transformer.sparse("W_U")
            places = coo_array(transformer.sparse("W_pos"))
            rows, columns = (x.astype(np.int64) for x in places.coords)
            plain = all((abs(weights) == 1).all() for weights in (places.data, W_E.data))
            vectors, flag, answer = (runs_of(W) for W in (W_E[:-1], W_E[-1:], W_U))
            at = rows * places.shape[1] + columns
            _PARTS[transformer] = cls(at, places.data, vectors, flag, answer, plain)
        return _PARTS[transformer]


_PARTS: WeakKeyDictionary[Transformer, _Parts] = WeakKeyDictionary()


def _embedded(transformer: Transformer, prompts: Sequence[Prompt]) -> np.ndarray:
    """The streams of prompts that fit: nothing else of that size is made."""
    sizes, parts = transformer.sizes, _Parts.of(transformer)
    dtype = np.result_type(*(_numbers(prompt.query, parts.plain) for prompt in prompts))
    streams = _zeros((len(prompts), sizes.N, sizes.D), dtype)
    places = exactly(parts.places) if dtype.kind == "O" else parts.places
    grid = streams[:, : sizes.tokens].reshape(-1, sizes.m + 1, sizes.length, sizes.D)
    for stream, to, prompt in zip(streams, grid, prompts, strict=True):
        stream.reshape(-1)[parts.at] = places
        e = len(prompt.X)
        add_product(to[:e, : sizes.n - 1], prompt.X, parts.vectors)
        add_product(to[:e, -1], prompt.Y, parts.vectors)
        add_product(to[-1, : sizes.n - 1], prompt.query, parts.vectors)
        add_product(to[:e], np.ones((e, sizes.length, 1), np.int8), parts.flag)
    return streams


def _numbers(array: np.ndarray, plain: bool) -> np.dtype:
    """What a stream holds: exact numbers, or floats that nothing rounds."""
    if is_exact(array):
        return np.dtype(object)
    return array.dtype if plain else np.dtype(np.float64)


def _zeros(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """Zeros; of floats, such that start at a multiple of 64 bytes: JAX takes them as they are."""
    if dtype.kind == "O":
        return np.full(shape, 0, dtype=object)
    count = math.prod(shape) * dtype.itemsize
    raw = np.zeros(count + 64, np.uint8)
    start = -raw.ctypes.data % 64
    return raw[start : start + count].view(dtype).reshape(shape)


@checked(
    transformer=instance(Transformer, "a construct.Transformer"),
    prompts=listed(instance(Prompt, "a construct.Prompt"), "construct.Prompt"),
)
def embed_all(
    transformer: Transformer, prompts: Sequence[Prompt]
) -> Shaped[np.ndarray, "batch N D"]:
    """The streams of several prompts.

    Raises:
        ConstructError: if there is no prompt, or one does not fit m, n and d.
    """
    _refuse_misfits(transformer, prompts)
    return _embedded(transformer, prompts)


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
            f"a stream of shape {stream.shape} was given; this transformer takes "
            f"(N, D) = {context}."
        )
    last = stream[..., transformer.answer, :]
    zero = np.full((*last.shape[:-1], transformer.sizes.d), 0, dtype=last.dtype)
    add_product(zero, last, _Parts.of(transformer).answer)
    return zero
