"""NumPy, the reference: Bai's Definitions 1 to 3, to the letter."""

import numpy as np

from construct.execute.passes import Pass, Run
from construct.network.transformer import Head, Mlp, Transformer


def prepare(transformer: Transformer, dtype: str = "float64") -> Run:
    """See `construct.execute`."""

    def cast(part: Head | Mlp) -> list[np.ndarray]:
        return [getattr(part, name).astype(dtype) for name in part.WEIGHTS]

    layers = [([cast(h) for h in layer.heads], cast(layer.mlp)) for layer in transformer.layers]

    def run(stream: np.ndarray, trace: bool = False) -> Pass:
        h = np.asarray(stream).astype(dtype)
        states, attended = [h], []
        for heads, mlp in layers:
            update, totals = attention(h, heads)
            h = h + update
            h = h + feedforward(h, *mlp)
            states.append(h)
            attended.append(totals)
        return Pass(h, np.stack(attended, axis=-3), np.stack(states) if trace else None)

    return run


def attention(h: np.ndarray, heads: list) -> tuple[np.ndarray, np.ndarray]:
    """sum_k (1/N) sum_j relu(<Q_k h_i, K_k h_j>) V_k h_j (Bai, Definition 1)."""
    N = h.shape[-2]
    update, totals = np.zeros_like(h), []
    for W_Q, W_K, W_V, W_O in heads:
        scores = np.maximum((h @ W_Q) @ np.swapaxes(h @ W_K, -1, -2), 0)
        update = update + (scores / N) @ (h @ W_V) @ W_O
        totals.append(scores.sum(axis=-1))
    return update, np.stack(totals, axis=-2)


def feedforward(h: np.ndarray, W_in: np.ndarray, W_out: np.ndarray) -> np.ndarray:
    """W2 relu(W1 h) (Bai, Definition 2)."""
    return np.maximum(h @ W_in, 0) @ W_out
