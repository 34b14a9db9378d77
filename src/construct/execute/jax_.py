"""JAX, the default executor: jitted, batched by vmap, on CPU, GPU or TPU.

Heads of one shape are stacked and run side by side. Heads whose queries or keys are
all zero are skipped, and MLPs that write zero: they add 0. Matrix products ask for the
highest precision: on GPUs and TPUs they would run in TF32 or bfloat16 otherwise, and
the decisions need whole numbers exactly.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from construct.execute import Pass, Run
from construct.transformer import Head, Mlp, Transformer

# For each layer the heads of each stack, by number: what jit may compile in.
Stacks = tuple[tuple[tuple[int, ...], ...], ...]

_dot = partial(jnp.matmul, precision=jax.lax.Precision.HIGHEST)


def prepare(transformer: Transformer, dtype: str = "float64") -> Run:
    """See `construct.execute`."""
    stacks = tuple(_stack(layer.heads) for layer in transformer.layers)
    x64 = dtype == "float64"
    with jax.enable_x64(x64):
        weights = [
            (
                [_together([layer.heads[k] for k in stack], dtype) for stack in layer_stacks],
                _together([layer.mlp], dtype) if layer.mlp.sparse("W_out").nnz else None,
            )
            for layer, layer_stacks in zip(transformer.layers, stacks, strict=True)
        ]

    def run(stream: Any, trace: bool = False) -> Pass:
        with jax.enable_x64(x64):
            h = jnp.asarray(np.asarray(stream).astype(dtype))
            go = _forward if h.ndim == 2 else _forward_batch
            out, attended, states = go(
                weights, h, stacks=stacks, K=transformer.sizes.K, trace=trace
            )
            return Pass(
                np.asarray(out),
                np.asarray(attended),
                np.stack([np.asarray(state) for state in states]) if trace else None,
            )

    return run


def _stack(heads: Sequence[Head]) -> tuple[tuple[int, ...], ...]:
    """The numbers of the heads that score anything, grouped by shape."""
    groups: dict[tuple, list[int]] = {}
    for k, head in enumerate(heads):
        if head.sparse("W_Q").nnz and head.sparse("W_K").nnz:
            groups.setdefault((head.sparse("W_Q").shape, head.sparse("W_V").shape), []).append(k)
    return tuple(map(tuple, groups.values()))


def _together(parts: Sequence[Head] | Sequence[Mlp], dtype: str) -> tuple[jax.Array, ...]:
    """Each weight of these parts, stacked along a new first axis."""
    return tuple(
        jnp.asarray(np.stack([getattr(part, name) for part in parts]), dtype)
        for name in parts[0].WEIGHTS
    )


def forward(
    weights: Any, h: jax.Array, stacks: Stacks, K: int, trace: bool
) -> tuple[jax.Array, jax.Array, list]:
    """One pass over a stream (N, D): Bai, Definition 3."""
    states, attended = [h], []
    for (groups, mlp), numbers in zip(weights, stacks, strict=True):
        update, totals = jnp.zeros_like(h), jnp.zeros((K, len(h)), h.dtype)
        for group, members in zip(groups, numbers, strict=True):
            updates, given = jax.vmap(partial(attend, h))(*group)
            update = update + updates.sum(axis=0)
            totals = totals.at[jnp.array(members)].set(given)
        h = h + update
        if mlp is not None:
            W_in, W_out = mlp
            h = h + _dot(jax.nn.relu(_dot(h, W_in[0])), W_out[0])
        attended.append(totals)
        states.append(h)
    return h, jnp.stack(attended), states if trace else []


def attend(
    h: jax.Array, W_Q: jax.Array, W_K: jax.Array, W_V: jax.Array, W_O: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """A head's update of the stream, and its total score at each token."""
    scores = jax.nn.relu(_dot(_dot(h, W_Q), _dot(h, W_K).T))
    return _dot(_dot(scores / len(h), _dot(h, W_V)), W_O), scores.sum(axis=-1)


_STATIC = ("stacks", "K", "trace")
_forward = partial(jax.jit, static_argnames=_STATIC)(forward)


@partial(jax.jit, static_argnames=_STATIC)
def _forward_batch(
    weights: Any, h: jax.Array, stacks: Stacks, K: int, trace: bool
) -> tuple[jax.Array, jax.Array, list]:
    return jax.vmap(lambda one: forward(weights, one, stacks, K, trace))(h)
