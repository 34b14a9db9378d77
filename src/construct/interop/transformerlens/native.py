"""Configuration and state dict of TransformerLens' native model."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from construct.compiler import Construction
from construct.interop.dense import dense, side_by_side, stacked, widest
from construct.interop.inputs import of_words
from construct.interop.scaled import Scaled
from construct.network.transformer import Layer

# What TransformerLens divides scores by: 1 is refused, and a power of two rounds nothing.
SCALE = 2


@dataclass(frozen=True)
class Dimensions:
    """Those of the native model, in its own words.

    Of a decoder of words there is one more: that of padding, after BOS, which is 0.
    """

    n_layers: int
    n_heads: int
    d_model: int
    d_head: int
    d_mlp: int
    n_ctx: int
    d_vocab: int
    d_vocab_out: int

    @classmethod
    def of(cls, construction: Construction, words: int | None = None) -> "Dimensions":
        """Those of a construction.

        Args:
            words: as if there were so many words, with tables in proportion: no less than it takes.
        """
        network, scaled = construction.transformer, Scaled(construction, words)
        heads = [head for layer in network.layers for head in layer.heads]
        units = max(layer.mlp.sparse("W_in").shape[1] for layer in network.layers)
        return cls(
            n_layers=len(network.layers),
            n_heads=len(network.layers[0].heads),
            d_model=scaled.D,
            d_head=scaled.head(widest(heads, "W_Q", "W_V")),
            d_mlp=scaled.units(units),
            n_ctx=network.sparse("W_pos").shape[0],
            d_vocab=scaled.vocabulary(network.sparse("W_E").shape[0]) + of_words(construction),
            d_vocab_out=scaled.vocabulary(network.sparse("W_U").shape[1]),
        )

    @property
    def parameters(self) -> int:
        """Entries of all weights and biases."""
        head, D = self.n_heads * self.d_head, self.d_model
        layer = 4 * head * D + 3 * head + D + 2 * self.d_mlp * D + self.d_mlp + D
        outer = (self.d_vocab + self.n_ctx) * D + (D + 1) * self.d_vocab_out
        return outer + self.n_layers * layer


def config(construction: Construction) -> dict[str, Any]:
    """What `TransformerBridge.boot_native` takes; it goes into JSON."""
    attention = construction.transformer.attention
    return {
        **vars(Dimensions.of(construction)),
        "act_fn": "relu",
        "normalization_type": None,
        "attention_dir": "causal" if attention.causal else "bidirectional",
        "attn_scale": float(SCALE),
        "init_weights": False,
    }


def state(construction: Construction, dtype: str) -> dict[str, np.ndarray]:
    """The state dict, under the names that TransformerLens itself gives."""
    network, sizes = construction.transformer, Dimensions.of(construction)
    found = {
        "embed.weight": dense(network, "W_E", (sizes.d_vocab, sizes.d_model), dtype),
        "pos_embed.weight": network.W_pos,
        "unembed.weight": network.W_U.T,
        "unembed.bias": np.zeros(sizes.d_vocab_out),
    }
    for i, layer in enumerate(network.layers):
        for name, array in _layer(layer, sizes, dtype).items():
            found[f"blocks.{i}.{name}"] = array
    return {name: np.array(array, dtype, order="C") for name, array in found.items()}


def _layer(layer: Layer, sizes: Dimensions, dtype: str) -> dict[str, np.ndarray]:
    """Weights of `torch.nn.Linear`, which are (out, in), and biases of 0."""
    D, units, heads = sizes.d_model, sizes.d_mlp, layer.heads
    columns = sizes.n_heads * sizes.d_head
    weights = {
        "attn.q": SCALE * side_by_side(heads, "W_Q", sizes.d_head, dtype),
        "attn.k": side_by_side(heads, "W_K", sizes.d_head, dtype),
        "attn.v": side_by_side(heads, "W_V", sizes.d_head, dtype),
        "attn.o": stacked(heads, sizes.d_head, dtype),
        "mlp.in": dense(layer.mlp, "W_in", (D, units), dtype),
        "mlp.out": dense(layer.mlp, "W_out", (units, D), dtype),
    }
    biases = dict.fromkeys(("attn.q", "attn.k", "attn.v"), columns)
    biases |= {"attn.o": D, "mlp.in": units, "mlp.out": D}
    return {
        **{f"{name}.weight": weight.T for name, weight in weights.items()},
        **{f"{name}.bias": np.zeros(size) for name, size in biases.items()},
    }
