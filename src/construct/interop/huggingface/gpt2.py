"""A decoder of words as the weights of `GPT2LMHeadModel`.

Three things of that class are not in our network.

Norms. A LayerNorm with eps 2^100 divides by 2^50 whatever it reads, and its weight is 2^50: what is
left is that it takes the mean away. One more coordinate, `balance`, holds minus the sum of all
others, so that the mean is 0 but for rounding; and what is read has columns that add up to 0, by
the weights of a coordinate `zero` that nothing writes to, so that no mean is read at all.

Scores are divided by the root of the head dimension. That is a power of four here, and W_Q is
multiplied by its root, a power of two. (The config can switch the division off; other libraries
that read such folders do not look at that.)

The width is heads times head dimension, and each layer has as many heads: some are silent.

Tokens are the words, in order, then BOS, then padding, which no token of a prompt sees.
"""

from collections.abc import Iterable
from functools import partial
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from construct.compiler.softmax import SoftmaxConstruction
from construct.interop import Progress
from construct.interop.dense import dense
from construct.interop.huggingface.stock import (
    EPSILON,
    UNDO,
    Block,
    StockSizes,
    Tensors,
    merged,
    numbered,
    power_of_four,
    root,
)
from construct.network.transformer import Head, Layer

CLASS, CONFIG = "GPT2LMHeadModel", "GPT2Config"


class Sizes(StockSizes):
    """The sizes of the stock class."""

    @staticmethod
    def written(heads: Iterable[Head]) -> list[Head]:
        """In as few columns as they can be."""
        return list(map(merged, heads))

    @property
    def d_head(self) -> int:
        """A power of four."""
        return power_of_four(self.needs.columns)

    @property
    def heads(self) -> int:
        """As many as the width asks for: beside ours, `balance` and `zero`."""
        return max(self.needs.heads, -(-(self.needs.D + 2) // self.d_head))

    @property
    def width(self) -> int:
        """n_embd."""
        return self.heads * self.d_head

    @property
    def balance(self) -> int:
        """The coordinate that holds minus the sum of all others."""
        return self.needs.D

    @property
    def zero(self) -> int:
        """A coordinate that nothing writes to."""
        return self.needs.D + 1

    @property
    def bos(self) -> int:
        """The token BOS; it is also the answer that stands for no word."""
        return self.needs.d

    @property
    def pad(self) -> int:
        """The token of padding."""
        return self.needs.d + 1

    @property
    def tokens(self) -> int:
        """Words, BOS and padding."""
        return self.needs.d + 2

    @property
    def parameters(self) -> int:
        """Numbers in all weights."""
        n, u = self.width, self.needs.units
        block = 4 * n * n + 2 * n * u + 9 * n + u
        return self.needs.layers * block + (2 * self.tokens + self.needs.positions + 2) * n


def config(sizes: Sizes, dtype: str) -> dict[str, Any]:
    """The arguments of `GPT2Config`. BOS, which stands for no word, also ends a text."""
    return {
        "vocab_size": sizes.tokens,
        "n_positions": sizes.needs.positions,
        "n_embd": sizes.width,
        "n_layer": sizes.needs.layers,
        "n_head": sizes.heads,
        "n_inner": sizes.needs.units,
        "activation_function": "relu",
        "layer_norm_epsilon": EPSILON,
        "tie_word_embeddings": False,
        "resid_pdrop": 0.0,
        "embd_pdrop": 0.0,
        "attn_pdrop": 0.0,
        "bos_token_id": sizes.bos,
        "eos_token_id": sizes.bos,
        "pad_token_id": sizes.pad,
        "dtype": dtype,
    }


def weights(
    construction: SoftmaxConstruction, sizes: Sizes, dtype: str, progress: Progress
) -> Tensors:
    """The state of `GPT2LMHeadModel`."""
    layers, block = construction.transformer.layers, partial(_block, sizes=sizes, dtype=dtype)
    outer = _outer(construction, sizes, dtype)
    return outer | numbered("transformer.h", layers, block, progress)


def _outer(construction: SoftmaxConstruction, sizes: Sizes, dtype: str) -> Tensors:
    """Embeddings, the last norm and the unembedding."""
    transformer, n = construction.transformer, sizes.width
    # Words and the flag of BOS are the rows of W_E; padding is 0.
    tokens = dense(transformer, "W_E", (sizes.tokens, n), dtype)
    places = dense(transformer, "W_pos", (sizes.needs.positions, n), dtype)
    read = np.zeros((sizes.tokens, n), dtype)
    W_U = transformer.W_U.T
    read[: W_U.shape[0], : W_U.shape[1]] = W_U
    # Padding is no answer: its logit is that of a word without votes.
    read[sizes.pad, construction.sizes.residual["one"].start] = -2 * construction.margins.gamma
    return {
        "transformer.wte.weight": _balanced(tokens, sizes),
        "transformer.wpe.weight": _balanced(places, sizes),
        **_norm("transformer.ln_f", sizes, dtype),
        "lm_head.weight": read,
    }


def _block(layer: Layer, sizes: Sizes, dtype: str) -> Tensors:
    one = Block.of(
        layer,
        sizes.written(layer.heads),
        dtype,
        width=sizes.width,
        columns=sizes.width,
        d_head=sizes.d_head,
        units=sizes.needs.units,
        factor=root(sizes.d_head),
    )
    reads = np.concatenate([one.Q, one.K, one.V], axis=1)
    return {
        **_norm("ln_1", sizes, dtype),
        **_affine("attn.c_attn", _unmoved(reads, sizes)),
        **_affine("attn.c_proj", _balanced(one.O, sizes)),
        **_norm("ln_2", sizes, dtype),
        **_affine("mlp.c_fc", _unmoved(one.into, sizes)),
        **_affine("mlp.c_proj", _balanced(one.out, sizes)),
    }


def _balanced(writes: Float[ndarray, "rows width"], sizes: Sizes) -> Float[ndarray, "rows width"]:
    """Rows that add up to 0, by the coordinate `balance`."""
    writes[:, sizes.balance] = -writes.sum(axis=1, dtype=np.float64)
    return writes


def _unmoved(
    reads: Float[ndarray, "width columns"], sizes: Sizes
) -> Float[ndarray, "width columns"]:
    """Columns that add up to 0, by the weights of the coordinate `zero`."""
    reads[sizes.zero] = -reads.sum(axis=0, dtype=np.float64)
    return reads


def _norm(name: str, sizes: Sizes, dtype: str) -> Tensors:
    weight = np.full(sizes.width, UNDO, dtype)
    return {f"{name}.weight": weight, f"{name}.bias": np.zeros(sizes.width, dtype)}


def _affine(name: str, weight: Float[ndarray, "into out"]) -> Tensors:
    return {f"{name}.weight": weight, f"{name}.bias": np.zeros(weight.shape[1], weight.dtype)}
