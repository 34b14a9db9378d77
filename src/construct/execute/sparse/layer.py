"""One layer on some examples: attention within each head's reach, then the MLP.

Arrays of tokens are (e, p, D): examples, positions, width.
"""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from construct.execute.products import Columns, Dense, Weight, product
from construct.execute.sparse.schedule import Group, HeadWeights, Step
from construct.network.reach import EVERY, OWN, Place

# Examples (1, n, D) that some reach names by number.
Named = dict[int, jax.Array]

_dot = partial(jnp.einsum, precision=jax.lax.Precision.HIGHEST)


def layer(
    x: jax.Array,
    everyone: jax.Array,
    step: Step,
    weights: Any,
    N: int,
    named: Named,
    axis: str | None = None,
) -> tuple[jax.Array, list]:
    """The examples x after the layer; totals (e, p, heads) by group.

    Args:
        x: the examples that work.
        everyone: all examples, for the heads that read all.
        step, weights: the layer, as `schedule.cast` gives it.
        N: the context length.
        named: the examples before the layer that some reach names by number.
        axis: that over which `everyone` is sharded, if it is.
    """
    heads, units = weights
    out, totals = x, []
    for group, matrices in zip(step.groups, heads, strict=True):
        place = group.reach.asks[1]
        asks = x[:, part(place)]
        if group.reach.reads == EVERY:
            update, total = _attend_all(asks, everyone, group, matrices, N, axis)
        else:
            update, total = _attend_one(asks, _read(x, group, named), group, matrices, N)
        out = _added(out, update, matrices.writes, part(place))
        totals.append(total)
    attended = out
    for (_, place), some in zip(step.acts, units, strict=True):
        fired = jax.nn.relu(product(attended[:, part(place)], some.W_in))
        out = _added(out, product(fired, some.W_out), some.writes, part(place))
    return out, totals


def _added(
    out: jax.Array, update: jax.Array, writes: Columns, place: slice | np.ndarray
) -> jax.Array:
    """`out` with the update added at some positions."""
    if isinstance(place, slice):
        return writes.add(out, update, slice(None), place)
    # Positions and coordinates must not both be arrays: they would be paired off.
    return out.at[:, place].set(writes.add(out[:, place], update), unique_indices=True)


def _read(x: jax.Array, group: Group, named: Named) -> jax.Array:
    """The token that each asking token reads: its own example's, or a named one's."""
    example, place = group.reach.reads
    # On an axis that is the asking token's own, what is read stands where it asks.
    reads = named[example] if isinstance(example, int) else x
    return reads[:, part(group.reach.asks[1] if place == OWN else place)]


def _attend_one(
    asks: jax.Array, reads: jax.Array, group: Group, weights: HeadWeights, N: int
) -> tuple[jax.Array, jax.Array]:
    """Heads that read one token each: what they write (e, p, c), and totals (e, p, heads)."""
    q, k, v = (
        _by_head(product(h, W), group)
        for h, W in ((asks, weights.W_Q), (reads, weights.W_K), (reads, weights.V))
    )
    scores = jax.nn.relu((q * k).sum(axis=-1))
    return _written(scores[..., None] / N * v, weights), scores


def _attend_all(
    asks: jax.Array,
    reads: jax.Array,
    group: Group,
    weights: HeadWeights,
    N: int,
    axis: str | None,
) -> tuple[jax.Array, jax.Array]:
    """The same for heads that read every token."""
    q = _by_head(product(asks, weights.W_Q), group)
    reads = reads.reshape(-1, reads.shape[-1])
    attend = _attend_selected if group.selects else _attend_in_order
    sums, totals = attend(q, reads, group, weights)
    if axis is not None:
        sums, totals = jax.lax.psum((sums, totals), axis)
    # N is in the values: what is read may be so small that its N-th part underflows.
    return _written(sums / N, weights), totals


def _attend_selected(
    q: jax.Array, reads: jax.Array, group: Group, weights: HeadWeights
) -> tuple[jax.Array, jax.Array]:
    """Few tokens ask: the weights go to them, and what is read need not be cut or copied."""
    asked = _keys(q, weights.W_K, reads.shape[-1])
    scores = jax.nn.relu(_dot("td,qd->tq", reads, asked.reshape(-1, asked.shape[-1])))
    sums = _dot("tq,td->qd", scores, reads).reshape(asked.shape)
    return _values(sums, weights.V), scores.sum(axis=0).reshape(asked.shape[:3])


def _keys(q: jax.Array, weight: Weight, D: int) -> jax.Array:
    """Queries (e, p, heads, r) times the transposed keys of their heads: (e, p, heads, D)."""
    heads, everywhere = q.shape[2], jnp.zeros((*q.shape[:3], D), q.dtype)
    if isinstance(weight, Dense):
        asked = _dot("ephr,shr->ephs", q, weight.W.reshape(len(weight.W), heads, -1))
        return weight.columns.add(everywhere, asked)
    at, factors = (x.reshape(heads, -1) for x in (weight.at, weight.weights))
    return everywhere.at[..., jnp.arange(heads)[:, None], at].add(q * factors)


def _values(sums: jax.Array, weight: Weight) -> jax.Array:
    """Sums (e, p, heads, D) times the values of their heads: (e, p, heads, c)."""
    heads = sums.shape[2]
    if isinstance(weight, Dense):
        W = weight.W.reshape(len(weight.W), heads, -1)
        return _dot("ephs,shc->ephc", weight.columns.read(sums), W)
    at, factors = (x.reshape(heads, -1) for x in (weight.at, weight.weights))
    return jnp.take_along_axis(sums, at[None, None], axis=-1, mode="clip") * factors


def _attend_in_order(
    q: jax.Array, reads: jax.Array, group: Group, weights: HeadWeights
) -> tuple[jax.Array, jax.Array]:
    """Keys and values of every token first, as the definition has it."""
    k, v = (_by_head(product(reads, W), group) for W in (weights.W_K, weights.V))
    scores = jax.nn.relu(_dot("ephr,thr->teph", q, k))
    return _dot("teph,thc->ephc", scores, v), scores.sum(axis=0)


def _by_head(x: jax.Array, group: Group) -> jax.Array:
    """(..., heads * r) -> (..., heads, r)."""
    heads = group.heads
    return x.reshape(*x.shape[:-1], heads, x.shape[-1] // heads)


def _written(values: jax.Array, weights: HeadWeights) -> jax.Array:
    """(e, p, heads, c) -> (e, p, written): what all heads of a group write together."""
    if weights.W_O is None:
        return values.sum(axis=2)
    return product(values.reshape(*values.shape[:2], -1), weights.W_O)


def part(place: Place) -> slice | np.ndarray:
    """The part of an axis of examples or positions that a place of a reach means."""
    if isinstance(place, tuple):
        first, count = place[0], len(place)
        if place == tuple(range(first, first + count)):
            return slice(first, first + count)
        return np.array(place)
    return slice(place, place + 1) if isinstance(place, int) else slice(None)
