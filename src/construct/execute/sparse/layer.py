"""One layer on some examples: attention within each head's reach, then the MLP.

Arrays of tokens are (e, p, D): examples, positions, width.
"""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from construct.execute.sparse.schedule import Group, Spans, Step
from construct.network.reach import ALL, EVERY, OWN, Place

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
    heads, (W_in, W_out) = weights
    out, totals = x, []
    for group, matrices in zip(step.groups, heads, strict=True):
        place = group.reach.asks[1]
        asks = x[:, part(place)]
        if group.reach.reads == EVERY:
            update, total = _attend_all(asks, everyone, group, matrices, N, axis)
        else:
            update, total = _attend_one(asks, _read(x, group, named), group, matrices, N)
        out = _add(out, place, group.writes, update)
        totals.append(total)
    if step.acts is not None:
        place = step.acts[1]
        read = _columns(out[:, part(place)], step.reads)
        units = jax.nn.relu(_dot("eps,su->epu", read, W_in))
        out = _add(out, place, step.writes, _dot("epu,uc->epc", units, W_out))
    return out, totals


def _read(x: jax.Array, group: Group, named: Named) -> jax.Array:
    """The token that each asking token reads: its own example's, or a named one's."""
    example, place = group.reach.reads
    # On an axis that is the asking token's own, what is read stands where it asks.
    reads = x if example == OWN else named[int(example)]
    return reads[:, part(group.reach.asks[1] if place == OWN else place)]


def _attend_one(
    asks: jax.Array, reads: jax.Array, group: Group, weights: Any, N: int
) -> tuple[jax.Array, jax.Array]:
    """Heads that read one token each: what they write (e, p, c), and totals (e, p, heads)."""
    W_Q, W_K, V = weights
    q = _dot("eps,shr->ephr", _columns(asks, group.scored), W_Q)
    k = _dot("eps,shr->ephr", _columns(reads, group.scored), W_K)
    scores = jax.nn.relu((q * k).sum(axis=-1))
    values = _dot("eps,shc->ephc", _columns(reads, group.valued), V)
    return (scores[..., None] / N * values).sum(axis=2), scores


def _attend_all(
    asks: jax.Array, reads: jax.Array, group: Group, weights: Any, N: int, axis: str | None
) -> tuple[jax.Array, jax.Array]:
    """The same for heads that read every token."""
    W_Q, W_K, V = weights
    q = _dot("eps,shr->ephr", _columns(asks, group.scored), W_Q)
    reads = reads.reshape(-1, reads.shape[-1])
    attend = _attend_selected if group.selects else _attend_in_order
    sums, totals = attend(q, reads, group, W_K, V)
    if axis is not None:
        sums, totals = jax.lax.psum((sums, totals), axis)
    # N is in the values: what is read may be so small that its N-th part underflows.
    return sums / N, totals


def _attend_selected(
    q: jax.Array, reads: jax.Array, group: Group, W_K: jax.Array, V: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Few tokens ask: the weights go to them, and what is read need not be cut or copied."""
    asked = _dot("ephr,shr->ephs", q, W_K)
    everywhere = jnp.zeros((*asked.shape[:-1], reads.shape[-1]), asked.dtype)
    asked = _add(everywhere, ALL, group.scored, asked)
    scores = jax.nn.relu(_dot("td,qd->tq", reads, asked.reshape(-1, asked.shape[-1])))
    sums = _columns(_dot("tq,td->qd", scores, reads).reshape(asked.shape), group.valued)
    return _dot("ephs,shc->epc", sums, V), scores.sum(axis=0).reshape(asked.shape[:3])


def _attend_in_order(
    q: jax.Array, reads: jax.Array, group: Group, W_K: jax.Array, V: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Keys and values of every token first, as the definition has it."""
    k = _dot("ts,shr->thr", _columns(reads, group.scored), W_K)
    v = _dot("ts,shc->thc", _columns(reads, group.valued), V)
    scores = jax.nn.relu(_dot("ephr,thr->teph", q, k))
    return _dot("teph,thc->epc", scores, v), scores.sum(axis=0)


def part(place: Place) -> slice:
    """The part of an axis of examples or positions that a place of a reach means."""
    return slice(place, place + 1) if isinstance(place, int) else slice(None)


def _columns(h: jax.Array, spans: Spans) -> jax.Array:
    """The coordinates of these spans, side by side."""
    parts = [h[..., start:stop] for start, stop in spans]
    return jnp.concatenate(parts, axis=-1) if parts else h[..., :0]


def _add(h: jax.Array, place: Place, spans: Spans, update: jax.Array) -> jax.Array:
    """h with the update added at a position and these coordinates."""
    at = 0
    for start, stop in spans:
        h = h.at[:, part(place), ..., start:stop].add(update[..., at : at + stop - start])
        at += stop - start
    return h
