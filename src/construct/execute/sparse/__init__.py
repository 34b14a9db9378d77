"""JAX over the pairs of tokens that can score: O(N) where a dense pass costs O(N^2).

Each head comes with its reach (`construct.network.reach`), an attention pattern that the
compiler proves: outside it every score is exactly 0. Tokens stand in a grid of m + 1
examples with n positions. What a layer computes, and on which examples, is counted before
any pass (`schedule`); the pass (`grid`) takes the layers in stages, and a layer on some
examples (`layer`) knows nothing of the rest.

Memory is O(N D). Padding is zero and stays so. Nothing here knows a task: only weights,
their non-zeros, and reach.
"""

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh

from construct.execute.devices import (
    BATCH,
    SEQUENCE,
    gather,
    on_mesh,
    put,
    replicate,
    shard,
    warn_where_nothing_is_certified,
)
from construct.execute.passes import Pass, Run
from construct.execute.sparse.grid import forward, forward_batch
from construct.execute.sparse.layer import part
from construct.execute.sparse.schedule import Group, Step, cast
from construct.network.reach import ALL
from construct.network.transformer import Transformer

_STATIC = ("steps", "N", "trace")
_forward = partial(jax.jit, static_argnames=_STATIC)(forward)
_forward_batch = partial(jax.jit, static_argnames=_STATIC)(forward_batch)


def prepare(transformer: Transformer, dtype: str = "float64", mesh: Mesh | None = None) -> Run:
    """See `construct.execute`."""
    warn_where_nothing_is_certified(mesh)
    sizes, x64 = transformer.sizes, dtype == "float64"
    with jax.enable_x64(x64):
        steps, weights = cast(transformer, dtype)
        if mesh is not None:
            weights = replicate(weights, mesh)

    def run(stream: Any, trace: bool = False) -> Pass:
        stream = np.asarray(stream).astype(dtype, copy=False)
        *batch, N, D = stream.shape
        grid = stream[..., : sizes.tokens, :].reshape(*batch, sizes.m + 1, sizes.length, D)
        with jax.enable_x64(x64):
            out, totals, states = _pass(weights, grid, steps, N, trace, mesh)
            attended = np.zeros((*batch, len(steps), sizes.heads, N), dtype)
            given = attended[..., : sizes.tokens].reshape(*attended.shape[:-1], *grid.shape[-3:-1])
            for i, (step, found) in enumerate(zip(steps, totals, strict=True)):
                for group, total in zip(step.groups, found, strict=True):
                    _scatter(given[..., i, :, :, :], group, total)
            padded = [_padded(gather(one, grid.shape), stream) for one in (out, *states)]
        return Pass(padded[0], attended, np.stack(padded[1:]) if trace else None)

    return run


def _pass(
    weights: list,
    grid: np.ndarray,
    steps: tuple[Step, ...],
    N: int,
    trace: bool,
    mesh: Mesh | None,
) -> tuple:
    """(..., m+1, n, D) -> out, totals and states as `forward` has them."""
    alone = grid.ndim == 3
    if mesh is None:
        go = _forward if alone else _forward_batch
        return go(weights, put(grid), steps=steps, N=N, trace=trace)
    axes = (SEQUENCE,) if alone else (BATCH, SEQUENCE)
    return _on_mesh(steps, N, trace, axes, mesh)(weights, shard(grid, axes, mesh))


@lru_cache(maxsize=64)
def _on_mesh(
    steps: tuple[Step, ...], N: int, trace: bool, axes: tuple[str, ...], mesh: Mesh
) -> Callable:
    """The pass with examples, and the prompts of a batch, sharded; compiled once a shape."""
    one = forward if axes == (SEQUENCE,) else forward_batch
    states = [axes] * (len(steps) + 1 if trace else 0)
    # Totals are sharded as the examples are; every device has those of a single example.
    totals = [
        [axes if group.reach.asks[0] == ALL else axes[:-1] for group in step.groups]
        for step in steps
    ]
    sharded = partial(one, steps=steps, N=N, trace=trace, axis=SEQUENCE)
    return on_mesh(sharded, mesh, ((), axes), (axes, totals, states))


def _scatter(given: np.ndarray, group: Group, total: jax.Array) -> None:
    """Put the totals of a group, (..., e, p, heads), where they belong, (..., K, e, p)."""
    example, position = group.reach.asks
    e, places = part(example), position if isinstance(position, tuple) else (position,)
    # A slice each: an array of positions would not stay where it stands in an index.
    at = [part(place) for place in places]
    alone = given[..., 0, e, at[0]].shape
    whole = gather(total, (*alone[:-1], alone[-1] * len(at), group.heads))
    parts = np.split(whole, len(at), axis=-2)
    members = group.members if len(group.members) > 1 else group.members * len(at)
    for p, own, found in zip(at, members, parts, strict=True):
        for head, k in enumerate(own):
            given[..., k, e, p] = found[..., head]


def _padded(grid: np.ndarray, like: np.ndarray) -> np.ndarray:
    """A grid as a stream, with the padding that `like` has."""
    tokens = grid.shape[-3] * grid.shape[-2]
    if tokens == like.shape[-2]:
        return grid.reshape(like.shape)
    stream = np.zeros_like(like)
    stream[..., :tokens, :] = grid.reshape(*like.shape[:-2], tokens, like.shape[-1])
    return stream
