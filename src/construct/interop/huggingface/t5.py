"""An encoder as the weights of `T5EncoderModel`, which is given embeddings.

That class is near our network: no bias, scores that nothing divides, ReLU. The bias of relative
places is 0. A norm with eps 2^100 divides by 2^50 whatever it reads, and its weight is 2^50.

Tokens are embedded and the answer is read outside (`vectors`): the class has no unembedding.
"""

from functools import partial
from typing import Any

import numpy as np

from construct.compiler.softmax import SoftmaxConstruction
from construct.interop import Progress
from construct.interop.huggingface.stock import (
    EPSILON,
    UNDO,
    Block,
    StockSizes,
    Tensors,
    numbered,
    room,
    turned,
)
from construct.network.transformer import Layer

CLASS, CONFIG = "T5EncoderModel", "T5Config"

# Of relative places: the fewest that the class can tell apart, all with the bias 0.
BUCKETS = 4


class Sizes(StockSizes):
    """The sizes of the stock class."""

    @property
    def d_head(self) -> int:
        """Any number."""
        return self.needs.columns

    @property
    def width(self) -> int:
        """Any number."""
        return self.needs.D

    @property
    def parameters(self) -> int:
        """Numbers in all weights."""
        n, needs = self.width, self.needs
        block = n * (4 * needs.heads * self.d_head + 2 * needs.units + 2)
        return needs.layers * block + (needs.d + 1) * n + BUCKETS * needs.heads


def config(sizes: Sizes, dtype: str) -> dict[str, Any]:
    """The arguments of `T5Config`."""
    needs = sizes.needs
    return {
        "vocab_size": needs.d,
        "d_model": sizes.width,
        "d_kv": sizes.d_head,
        "d_ff": needs.units,
        "num_layers": needs.layers,
        "num_heads": needs.heads,
        "relative_attention_num_buckets": BUCKETS,
        "relative_attention_max_distance": BUCKETS,
        "dropout_rate": 0.0,
        "layer_norm_epsilon": EPSILON,
        "feed_forward_proj": "relu",
        "is_encoder_decoder": False,
        "use_cache": False,
        "pad_token_id": None,
        "eos_token_id": None,
        "dtype": dtype,
    }


def weights(
    construction: SoftmaxConstruction, sizes: Sizes, dtype: str, progress: Progress
) -> Tensors:
    """The state of `T5EncoderModel`."""
    transformer, n, d = construction.transformer, sizes.width, sizes.needs.d
    bias = "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight"
    found: Tensors = {
        # A token of that number is a unit vector, without a place.
        "shared.weight": room(transformer.W_E[:d].astype(dtype), d, n),
        bias: np.zeros((BUCKETS, sizes.needs.heads), dtype),
        "encoder.final_layer_norm.weight": np.full(n, UNDO, dtype),
    }
    block = partial(_block, sizes=sizes, dtype=dtype)
    return found | numbered("encoder.block", transformer.layers, block, progress)


def _block(layer: Layer, sizes: Sizes, dtype: str) -> Tensors:
    n, units, d_head = sizes.width, sizes.needs.units, sizes.d_head
    columns = sizes.needs.heads * d_head
    one = Block.of(layer, layer.heads, dtype, width=n, columns=columns, d_head=d_head, units=units)
    return {
        "layer.0.layer_norm.weight": np.full(n, UNDO, dtype),
        "layer.0.SelfAttention.q.weight": turned(one.Q),
        "layer.0.SelfAttention.k.weight": turned(one.K),
        "layer.0.SelfAttention.v.weight": turned(one.V),
        "layer.0.SelfAttention.o.weight": turned(one.O),
        "layer.1.layer_norm.weight": np.full(n, UNDO, dtype),
        "layer.1.DenseReluDense.wi.weight": turned(one.into),
        "layer.1.DenseReluDense.wo.weight": turned(one.out),
    }
