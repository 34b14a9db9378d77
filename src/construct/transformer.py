"""The weights as plain data. Nothing here computes.

Row-vector convention, as in most libraries: for a stream h of shape (N, D) a head
has queries h @ W_Q, keys h @ W_K, values h @ W_V, and writes (...) @ W_O. Bai's
matrices are Q = W_Q^T, K = W_K^T and V = (W_V W_O)^T (2306.04637, Definition 1);
there are no biases, no softmax and no normalisation.

Arrays are float64. An entry that float64 cannot hold (1/3, say) is rounded there
and stands exactly in `exact`, which only the exact executor reads.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from jaxtyping import Float
from numpy import ndarray

from construct.residual import Sizes

# tensor name -> {(row, column): the exact value of that entry}
Exact = Mapping[str, Mapping[tuple[int, int], Fraction]]


@dataclass(frozen=True, eq=False)
class Head:
    """One attention head; an idle one is all zero, of head dimension 1.

    Attributes:
        name: unique in its layer, or "idle".
        purpose: one sentence.
    """

    name: str
    purpose: str
    W_Q: Float[ndarray, "D d_head"]
    W_K: Float[ndarray, "D d_head"]
    W_V: Float[ndarray, "D d_value"]
    W_O: Float[ndarray, "d_value D"]
    exact: Exact = field(default_factory=dict)

    WEIGHTS = ("W_Q", "W_K", "W_V", "W_O")


@dataclass(frozen=True, eq=False)
class Mlp:
    """h <- h + relu(h @ W_in) @ W_out; an idle one is all zero, with one unit."""

    purpose: str
    W_in: Float[ndarray, "D d_mlp"]
    W_out: Float[ndarray, "d_mlp D"]
    exact: Exact = field(default_factory=dict)

    WEIGHTS = ("W_in", "W_out")


@dataclass(frozen=True, eq=False)
class Layer:
    """Attention, then MLP.

    Attributes:
        name: gather, label, query, superpose, pool, square or divide.
        lemma: what the residual stream holds after this layer.
        heads: exactly K.
    """

    name: str
    lemma: str
    heads: tuple[Head, ...]
    mlp: Mlp


@dataclass(frozen=True, eq=False)
class Transformer:
    """Seven layers of K heads, with embedding and unembedding.

    Attributes:
        W_E: embeds a token's vector and the flag "of a real example".
        W_pos: what each place of the context holds before any token is put there.
        W_U: reads the answer from the answer token's residual stream.
        answer: the index of the answer token.
    """

    sizes: Sizes
    layers: tuple[Layer, ...]
    W_E: Float[ndarray, "d_in D"]
    W_pos: Float[ndarray, "N D"]
    W_U: Float[ndarray, "D d"]
    answer: int

    def parts(self) -> Iterator[tuple[str, Any]]:
        """(prefix, part) for every head and MLP, in order."""
        for i, layer in enumerate(self.layers):
            for k, head in enumerate(layer.heads):
                yield f"layers.{i}.heads.{k}", head
            yield f"layers.{i}.mlp", layer.mlp

    def tensors(self) -> dict[str, ndarray]:
        """Every weight by its name in `model.safetensors`."""
        named = {"W_E": self.W_E, "W_pos": self.W_pos, "W_U": self.W_U}
        for prefix, part in self.parts():
            named.update({f"{prefix}.{w}": getattr(part, w) for w in part.WEIGHTS})
        return named
