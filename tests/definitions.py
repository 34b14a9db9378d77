"""Bai's Definitions 1 and 2 to the letter, on dense matrices: what every executor computes.

And softmax attention, causal or not, as it is usually written.
"""

import numpy as np

from construct.network.transformer import Transformer


def attention(h: np.ndarray, heads: list) -> tuple[np.ndarray, np.ndarray]:
    """sum_k (1/N) sum_j relu(<Q_k h_i, K_k h_j>) V_k h_j (Bai, Definition 1)."""
    N = h.shape[-2]
    update, totals = np.zeros_like(h), []
    for W_Q, W_K, W_V, W_O in heads:
        scores = np.maximum((h @ W_Q) @ np.swapaxes(h @ W_K, -1, -2), 0)
        update = update + (scores / N) @ (h @ W_V) @ W_O
        totals.append(scores.sum(axis=-1))
    return update, np.stack(totals, axis=-2)


def softmax_attention(h: np.ndarray, heads: list, causal: bool) -> tuple[np.ndarray, np.ndarray]:
    """sum_k sum_j softmax_j(<Q_k h_i, K_k h_j>) V_k h_j; totals are the weights off the first."""
    update, totals = np.zeros_like(h), []
    for W_Q, W_K, W_V, W_O in heads:
        powers = np.exp((h @ W_Q) @ np.swapaxes(h @ W_K, -1, -2))
        powers = np.tril(powers) if causal else powers
        weights = powers / powers.sum(axis=-1, keepdims=True)
        update = update + weights @ (h @ W_V) @ W_O
        totals.append(weights[..., 1:].sum(axis=-1))
    return update, np.stack(totals, axis=-2)


def feedforward(h: np.ndarray, W_in: np.ndarray, W_out: np.ndarray) -> np.ndarray:
    """W2 relu(W1 h) (Bai, Definition 2)."""
    return np.maximum(h @ W_in, 0) @ W_out


def forward(
    transformer: Transformer, h: np.ndarray, dtype: str = "float64"
) -> tuple[np.ndarray, np.ndarray]:
    """A pass (Bai, Definition 3): all states, and the total scores of each layer and head."""
    states, attended = [h.astype(dtype)], []
    for layer in transformer.layers:
        parts = [
            [getattr(part, name).astype(dtype) for name in part.WEIGHTS]
            for part in (*layer.heads, layer.mlp)
        ]
        kind = transformer.attention
        update, totals = (
            softmax_attention(states[-1], parts[:-1], kind.causal)
            if kind.softmax
            else attention(states[-1], parts[:-1])
        )
        h = states[-1] + update
        states.append(h + feedforward(h, *parts[-1]))
        attended.append(totals)
    return np.stack(states), np.stack(attended, axis=-3)
