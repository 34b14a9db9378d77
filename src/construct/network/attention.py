"""What the heads of a transformer do with their scores.

    ReLU     h_i <- h_i + (1/N) sum_j relu(s_ij) V h_j          (Bai, Definition 1)
    softmax  h_i <- h_i + sum_j a_ij V h_j,  a_ij = exp(s_ij) / sum_l exp(s_il)

with s_ij = <Q h_i, K h_j>. Causal attention has only j, l <= i. The scores are not divided by
the root of the head dimension: a library that does so is given W_Q times that root.

A score of 0 adds nothing under ReLU, and weighs like any other under softmax. There the first
token of the context is the *sink*: its key and its value are 0, so that a head that finds
nothing attends to it. What a token gives to the others is its *total* (`execute.passes.Pass`).
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Attention:
    """How scores become weights, the same in every head.

    Attributes:
        weigh: "relu", divided by the context length, or "softmax".
        causal: whether a token attends to itself and those before it alone.
    """

    weigh: Literal["relu", "softmax"]
    causal: bool = False

    @property
    def softmax(self) -> bool:
        """Whether the weights of a token add up to 1."""
        return self.weigh == "softmax"

    def __str__(self) -> str:
        return f"causal {self.weigh}" if self.causal else self.weigh


RELU = Attention("relu")
SOFTMAX = Attention("softmax")
CAUSAL_SOFTMAX = Attention("softmax", causal=True)
