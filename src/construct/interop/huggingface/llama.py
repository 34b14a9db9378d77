"""A decoder of vectors as the weights of `LlamaForCausalLM`, which is given embeddings.

What of that class is not in our network is made to do nothing. An RMSNorm with eps 2^100 divides by
2^50 whatever it reads, and its weight is 2^50. The angles of RoPE are divided by 10^30: they are
0. The MLP is relu(gate) times up, and up reads 1 at every token. Scores are divided by the root of
the head dimension: that is a power of four, and W_Q is multiplied by its root.

The class has no embedding of places. Tokens are embedded outside (`vectors`), and the
d columns of its logits are the answer.
"""

from functools import partial
from typing import Any

import numpy as np

from construct.compiler.softmax import SoftmaxConstruction
from construct.interop import Progress
from construct.interop.dense import dense
from construct.interop.huggingface.stock import (
    EPSILON,
    UNDO,
    Block,
    StockSizes,
    Tensors,
    numbered,
    power_of_four,
    room,
    root,
    turned,
)
from construct.network.transformer import Layer

CLASS, CONFIG = "LlamaForCausalLM", "LlamaConfig"

# What the angles of RoPE are divided by.
STILL = 1e30


class Sizes(StockSizes):
    """The sizes of the stock class."""

    @property
    def d_head(self) -> int:
        """A power of four that is even, as RoPE needs it."""
        return power_of_four(max(2, self.needs.columns))

    @property
    def width(self) -> int:
        """A multiple of the heads, as the class wants it."""
        heads = self.needs.heads
        return -(-self.needs.D // heads) * heads

    @property
    def parameters(self) -> int:
        """Numbers in all weights."""
        n, needs = self.width, self.needs
        block = n * (4 * needs.heads * self.d_head + 3 * needs.units + 2)
        return needs.layers * block + (2 * needs.d + 1) * n


def config(sizes: Sizes, dtype: str) -> dict[str, Any]:
    """The arguments of `LlamaConfig`."""
    needs = sizes.needs
    return {
        "vocab_size": needs.d,
        "hidden_size": sizes.width,
        "intermediate_size": needs.units,
        "num_hidden_layers": needs.layers,
        "num_attention_heads": needs.heads,
        "num_key_value_heads": needs.heads,
        "head_dim": sizes.d_head,
        "hidden_act": "relu",
        "max_position_embeddings": needs.positions,
        "rms_norm_eps": EPSILON,
        "rope_parameters": {"rope_type": "linear", "factor": STILL, "rope_theta": 10000.0},
        "tie_word_embeddings": False,
        "bos_token_id": None,
        "eos_token_id": None,
        "dtype": dtype,
    }


def weights(
    construction: SoftmaxConstruction, sizes: Sizes, dtype: str, progress: Progress
) -> Tensors:
    """The state of `LlamaForCausalLM`."""
    transformer, n = construction.transformer, sizes.width
    residual, d = construction.sizes.residual, sizes.needs.d
    # 1 at every token: at BOS by its flag.
    ones = [residual["one"].start, residual["sink"].start]
    found: Tensors = {
        # A token of that number is a unit vector, without a place.
        "model.embed_tokens.weight": room(transformer.W_E[:d].astype(dtype), d, n),
        "model.norm.weight": np.full(n, UNDO, dtype),
        "lm_head.weight": turned(dense(transformer, "W_U", (n, d), dtype)),
    }
    block = partial(_block, sizes=sizes, ones=ones, dtype=dtype)
    return found | numbered("model.layers", transformer.layers, block, progress)


def _block(layer: Layer, sizes: Sizes, ones: list[int], dtype: str) -> Tensors:
    n, units, d_head = sizes.width, sizes.needs.units, sizes.d_head
    one = Block.of(
        layer,
        layer.heads,
        dtype,
        width=n,
        columns=sizes.needs.heads * d_head,
        d_head=d_head,
        units=units,
        factor=root(d_head),
    )
    up = np.zeros((units, n), dtype)
    up[:, ones] = 1
    return {
        "input_layernorm.weight": np.full(n, UNDO, dtype),
        "self_attn.q_proj.weight": turned(one.Q),
        "self_attn.k_proj.weight": turned(one.K),
        "self_attn.v_proj.weight": turned(one.V),
        "self_attn.o_proj.weight": turned(one.O),
        "post_attention_layernorm.weight": np.full(n, UNDO, dtype),
        "mlp.gate_proj.weight": turned(one.into),
        "mlp.up_proj.weight": up,
        "mlp.down_proj.weight": turned(one.out),
    }
