"""JAX, the default executor: jitted, batched by vmap, on CPU, GPU or TPU.

Matrix products ask for the highest precision: on GPUs and TPUs they would run in
TF32 or bfloat16 otherwise, and the decisions need whole numbers exactly.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from construct.execute import Pass, Run
from construct.transformer import Transformer

HIGHEST = jax.lax.Precision.HIGHEST


def prepare(transformer: Transformer, dtype: str = "float64") -> Run:
    """See `construct.execute`."""
    with jax.enable_x64(dtype == "float64"):
        weights = [
            (
                [tuple(jnp.asarray(getattr(head, w), dtype) for w in head.WEIGHTS)
                 for head in layer.heads],
                tuple(jnp.asarray(getattr(layer.mlp, w), dtype) for w in layer.mlp.WEIGHTS),
            )
            for layer in transformer.layers
        ]  # fmt: skip

    def run(stream: Any, trace: bool = False) -> Pass:
        with jax.enable_x64(dtype == "float64"):
            h = jnp.asarray(np.asarray(stream).astype(dtype))
            go = _forward if h.ndim == 2 else _forward_batch
            out, attended, states = go(weights, h, trace)
            return Pass(
                np.asarray(out),
                np.asarray(attended),
                np.stack([np.asarray(state) for state in states]) if trace else None,
            )

    return run


def forward(weights: Any, h: jax.Array, trace: bool) -> tuple[jax.Array, jax.Array, list]:
    """One pass over a stream (N, D): Bai, Definition 3."""
    states, attended = [h], []
    for heads, (W_in, W_out) in weights:
        updates, totals = zip(*(_head(h, *head) for head in heads), strict=True)
        h = h + sum(updates[1:], updates[0])
        h = h + _dot(jax.nn.relu(_dot(h, W_in)), W_out)
        attended.append(jnp.stack(totals))
        states.append(h)
    return h, jnp.stack(attended), states if trace else []


_forward = jax.jit(forward, static_argnums=2)
_forward_batch = jax.jit(
    lambda weights, h, trace: jax.vmap(
        lambda one: forward(weights, one, trace)
    )(h),
    static_argnums=2,
)  # fmt: skip


def _head(h: jax.Array, W_Q: Any, W_K: Any, W_V: Any, W_O: Any) -> tuple[jax.Array, jax.Array]:
    scores = jax.nn.relu(_dot(_dot(h, W_Q), _dot(h, W_K).T))
    return _dot(_dot(scores / h.shape[0], _dot(h, W_V)), W_O), scores.sum(axis=-1)


def _dot(a: jax.Array, b: jax.Array) -> jax.Array:
    return jnp.matmul(a, b, precision=HIGHEST)
