"""JAX over the pairs of tokens that can score: O(N) where a dense pass costs O(N^2).

Each head comes with its reach (`construct.network.reach`), which the compiler proves: outside it
every score is exactly 0. Tokens stand in a grid of m + 1 examples with n positions. A
layer is *local* if every head asks everywhere and reads its own example or a fixed one;
a run of local layers goes through the examples once, in blocks that stay in the cache.
Any other layer (one token that reads all, one token that works for itself) is computed
on the slices of the grid that its reach names.

Memory is O(N D). Padding is zero and stays so. Nothing here knows a task: only weights,
their non-zeros, and reach.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh
from scipy.sparse import coo_array, csr_array, sparray

from construct.execute.devices import (
    BATCH,
    SEQUENCE,
    collect,
    on_mesh,
    replicated,
    spread,
    warn_where_nothing_is_certified,
)
from construct.execute.passes import Pass, Run
from construct.network.reach import ALL, ANYWHERE, EVERY, OWN, Place, Reach, Tokens
from construct.network.transformer import Head, Layer, Transformer

# Examples that go through a run of layers together, at most; and the numbers that all
# heads of a layer may then hold, of queries say.
BLOCK, NUMBERS = 2048, 1 << 21

_dot = partial(jnp.einsum, precision=jax.lax.Precision.HIGHEST)

# Consecutive coordinates of the stream, [start, stop).
Runs = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Group:
    """Heads of one reach and one shape, which run side by side: what jit compiles in.

    Attributes:
        reach: theirs.
        members: their numbers in the layer.
        matches: the coordinates that their queries and keys read.
        carries: those that their values read.
        writes: those that they write.
        selects: keys and values are single coordinates, times powers of two: then a sum of
            products may be taken before they are applied, and rounds as it would after.
    """

    reach: Reach
    members: tuple[int, ...]
    matches: Runs
    carries: Runs
    writes: Runs
    selects: bool


@dataclass(frozen=True)
class Step:
    """A layer: its groups, and where its MLP acts (None if idle), reads and writes."""

    groups: tuple[Group, ...]
    acts: Tokens | None
    reads: Runs
    writes: Runs

    @property
    def reads_all(self) -> bool:
        """Whether some token reads every token."""
        return any(group.reach.reads == EVERY for group in self.groups)

    @property
    def working(self) -> set[Place]:
        """The examples that ask, and those where the MLP acts."""
        acts = set() if self.acts is None else {self.acts[0]}
        return acts | {group.reach.asks[0] for group in self.groups}

    @property
    def kind(self) -> Literal["local", "one", "everywhere"]:
        """Who works: every example for itself, one example, or all with all."""
        if self.working <= {ALL}:
            return "everywhere" if self.reads_all else "local"
        return "one"

    @property
    def examples(self) -> tuple[int, ...]:
        """The examples that are named by number."""
        read = {group.reach.reads[0] for group in self.groups}
        return tuple(sorted(e for e in self.working | read if isinstance(e, int)))


def prepare(transformer: Transformer, dtype: str = "float64", mesh: Mesh | None = None) -> Run:
    """See `construct.execute`."""
    warn_where_nothing_is_certified(mesh)
    sizes, x64 = transformer.sizes, dtype == "float64"
    with jax.enable_x64(x64):
        steps, weights = cast(transformer, dtype)
        if mesh is not None:
            weights = replicated(weights, mesh)
    shared: dict[tuple, Callable] = {}

    def go(grid: np.ndarray, N: int, trace: bool) -> tuple:
        """(..., m+1, n, D) -> out, totals and states as `forward` has them."""
        alone = grid.ndim == 3
        static: dict[str, Any] = {"steps": steps, "N": N, "trace": trace}
        if mesh is None:
            return (_forward if alone else _forward_batch)(weights, jnp.asarray(grid), **static)
        axes = (SEQUENCE,) if alone else (BATCH, SEQUENCE)
        if (key := (grid.shape, N, trace)) not in shared:
            share = partial(forward if alone else forward_batch, **static, axis=SEQUENCE)
            states = [axes] * (len(steps) + 1 if trace else 0)
            outs = (axes, _totals_axes(steps, axes), states)
            shared[key] = on_mesh(share, mesh, ((), axes), outs)
        return shared[key](weights, spread(grid, axes, mesh))

    def run(stream: Any, trace: bool = False) -> Pass:
        stream = np.asarray(stream).astype(dtype, copy=False)
        *batch, N, D = stream.shape
        grid = stream[..., : sizes.tokens, :].reshape(*batch, sizes.m + 1, sizes.n, D)
        with jax.enable_x64(x64):
            out, totals, states = go(grid, N, trace)
            attended = np.zeros((*batch, len(steps), sizes.K, N), dtype)
            given = attended[..., : sizes.tokens].reshape(*attended.shape[:-1], *grid.shape[-3:-1])
            for i, (step, found) in enumerate(zip(steps, totals, strict=True)):
                for group, total in zip(step.groups, found, strict=True):
                    _give(given[..., i, :, :, :], group, total)
            padded = [_padded(collect(one, grid.shape), stream) for one in (out, *states)]
        return Pass(padded[0], attended, np.stack(padded[1:]) if trace else None)

    return run


def _give(given: np.ndarray, group: Group, total: jax.Array) -> None:
    """Put the totals of a group, (..., e, p, heads), where they belong in (..., K, e, p)."""
    example, position = map(_slice, group.reach.asks)
    shape = given[..., 0, example, position].shape
    whole = collect(total, (*shape, len(group.members)))
    for place, k in enumerate(group.members):
        given[..., k, example, position] = whole[..., place]


def _totals_axes(steps: tuple[Step, ...], axes: tuple) -> list[list[tuple]]:
    """Totals are shared out as the examples are; those of one example are everywhere."""
    return [
        [axes if group.reach.asks[0] == ALL else axes[:-1] for group in step.groups]
        for step in steps
    ]


def _padded(grid: np.ndarray, like: np.ndarray) -> np.ndarray:
    """A grid as a stream, with the padding that `like` has."""
    tokens = grid.shape[-3] * grid.shape[-2]
    if tokens == like.shape[-2]:
        return grid.reshape(like.shape)
    stream = np.zeros_like(like)
    stream[..., :tokens, :] = grid.reshape(*like.shape[:-2], tokens, like.shape[-1])
    return stream


# --- Weights ------------------------------------------------------------------


def cast(transformer: Transformer, dtype: str) -> tuple[tuple[Step, ...], list]:
    """What `forward` takes: the layers in outline, and their weights."""
    pairs = [_step(layer, dtype) for layer in transformer.layers]
    return tuple(step for step, _ in pairs), [weights for _, weights in pairs]


def _step(layer: Layer, dtype: str) -> tuple[Step, Any]:
    groups: dict[tuple, list[int]] = {}
    for k, head in enumerate(layer.heads):
        if not head.idle:
            key = (head.reach, head.sparse("W_Q").shape, head.sparse("W_V").shape)
            groups.setdefault(key, []).append(k)
    W_in, W_out = layer.mlp.sparse("W_in"), layer.mlp.sparse("W_out")
    reads, writes = _runs([W_in]), _runs([W_out.T])
    acts = None if layer.mlp.idle else layer.mlp.acts
    working = {reach.asks[0] for reach, _, _ in groups} | ({acts[0]} if acts else set())
    # Where one example works and others do too, all pairs are scored: the rest are 0.
    made = [
        _group(
            reach if len(working) == 1 else ANYWHERE,
            members,
            [layer.heads[k] for k in members],
            dtype,
        )
        for (reach, _, _), members in groups.items()
    ]
    if acts is not None and len(working) > 1:
        acts = EVERY
    step = Step(tuple(group for group, _ in made), acts, reads, writes)
    units = (_rows(W_in, reads, dtype), _rows(W_out.T, writes, dtype).T)
    return step, ([weights for _, weights in made], units)


def _group(reach: Reach, members: list[int], heads: list[Head], dtype: str) -> tuple[Group, Any]:
    # W_O only selects where to write: the product is as exact as W_V.
    V = [head.sparse("W_V") @ head.sparse("W_O") for head in heads]
    matches = _runs([head.sparse(name) for head in heads for name in ("W_Q", "W_K")])
    carries, writes = _runs(V), _runs([v.T for v in V])
    W_Q, W_K = ([_rows(h.sparse(name), matches, dtype) for h in heads] for name in ("W_Q", "W_K"))
    values = [_rows(_cut(v.T, writes).T, carries, dtype) for v in V]
    weights = tuple(jnp.stack(each, axis=1) for each in (W_Q, W_K, values))
    selects = all(_selects(W) for W in [*(head.sparse("W_K") for head in heads), *V])
    return Group(reach, tuple(members), matches, carries, writes, selects), weights


def _selects(W: sparray) -> bool:
    """Whether no row and no column has two entries, and all are powers of two."""
    entries = coo_array(W)
    entries.eliminate_zeros()
    alone = all(len(np.unique(axis)) == entries.nnz for axis in entries.coords)
    return alone and bool((abs(np.frexp(entries.data)[0]) == 0.5).all())


def _runs(weights: Sequence[sparray]) -> Runs:
    """The rows that are not all zero in each of the weights, as runs."""
    used = np.unique(np.concatenate([csr_array(W).nonzero()[0] for W in weights]))
    breaks = np.flatnonzero(np.diff(used) > 1) + 1
    return tuple((int(run[0]), int(run[-1]) + 1) for run in np.split(used, breaks) if len(run))


def _cut(W: sparray, runs: Runs) -> csr_array:
    rows = [row for start, stop in runs for row in range(start, stop)]
    return csr_array(W)[rows]


def _rows(W: sparray, runs: Runs, dtype: str) -> jax.Array:
    return jnp.asarray(_cut(W, runs).toarray(), dtype)


def _slice(place: Place) -> slice:
    return slice(place, place + 1) if isinstance(place, int) else slice(None)


# --- The pass -----------------------------------------------------------------

# Examples (1, n, D) that some reach names by number: they are kept beside the grid.
Named = dict[int, jax.Array]


def forward(
    weights: list,
    h: jax.Array,
    steps: tuple[Step, ...],
    N: int,
    trace: bool,
    axis: str | None = None,
) -> tuple[jax.Array, list, list]:
    """One pass over a grid (m+1, n, D); totals (e, p, heads) for each group.

    Args:
        axis: the axis of a mesh over which the examples are shared out.
    """
    totals, states = [], [h]
    named = {e: _find(h, e, axis) for step in steps for e in step.examples}
    stale = False  # whether the grid lacks what named examples have done by themselves
    layers = list(zip(steps, weights, strict=True))
    for kind, members in groupby(layers, lambda layer: layer[0].kind):
        run = list(members)
        for part in [run] if kind == "local" and not trace else [[layer] for layer in run]:
            [(step, matrices), *_] = part
            if stale and step.reads_all:
                h = _with(h, named, axis)
            if kind == "local":
                h, named, found = _through(h, named, part, N, axis)
                totals += found
            elif kind == "one":
                e = step.examples[0]
                x, one = _layer(named[e], h, step, matrices, N, named, axis)
                named, totals = named | {e: x}, [*totals, one]
            else:
                everyone = h if axis is None else jax.lax.all_gather(h, axis, tiled=True)
                h, one = _layer(h, everyone, step, matrices, N, named)
                named, totals = {e: _find(h, e, axis) for e in named}, [*totals, one]
            stale = kind == "one"
            if trace:
                states.append(_with(h, named, axis))
    return _with(h, named, axis) if stale else h, totals, states if trace else []


def forward_batch(weights: list, h: jax.Array, **static: Any) -> tuple[jax.Array, list, list]:
    """The same for several grids."""
    one = partial(forward, weights, **static)
    return jax.lax.map(one, h, batch_size=max(1, BLOCK // h.shape[1]))


def _places(h: jax.Array, axis: str | None) -> jax.Array:
    """The numbers of the examples in h, of which each device has as many."""
    first = 0 if axis is None else jax.lax.axis_index(axis) * len(h)
    return first + jnp.arange(len(h))


def _find(h: jax.Array, e: int, axis: str | None) -> jax.Array:
    """Example e, wherever it is."""
    if axis is None:
        return h[e : e + 1]
    here = (_places(h, axis) == e)[:, None, None]
    return jax.lax.psum(jnp.where(here, h, 0).sum(axis=0, keepdims=True), axis)


def _with(h: jax.Array, named: Named, axis: str | None) -> jax.Array:
    """The grid with the named examples as they are now."""
    places = _places(h, axis)[:, None, None]
    for e, example in named.items():
        h = jnp.where(places == e, example, h)
    return h


def _through(
    h: jax.Array, named: Named, layers: list, N: int, axis: str | None
) -> tuple[jax.Array, Named, list]:
    """All examples through a run of local layers, block by block."""
    known = [named]
    for step, weights in layers:
        now = known[-1]
        known.append({e: _layer(x, x, step, weights, N, now)[0] for e, x in now.items()})

    def example(one: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, list]:
        place, x = one
        grid, totals = x[None], []
        for (step, weights), now in zip(layers, known[:-1], strict=True):
            grid, found = _layer(grid, grid, step, weights, N, now)
            totals.append([total[0] for total in found])
        for e, alone in known[-1].items():
            grid = jnp.where(place == e, alone, grid)
        return grid[0], totals

    places = _places(h, axis)
    size = min(BLOCK, len(h), max(1, NUMBERS // _widest(layers)))

    def block(h: jax.Array, start: jax.Array) -> tuple[jax.Array, list]:
        # In place: a second grid would cost more than the pass.
        here, some = (jax.lax.dynamic_slice_in_dim(x, start, size) for x in (places, h))
        done, totals = jax.vmap(example)((here, some))
        return jax.lax.dynamic_update_slice_in_dim(h, done, start, axis=0), totals

    count = len(h) // size * size
    h, totals = jax.lax.scan(block, h, jnp.arange(0, count, size))
    totals = jax.tree.map(lambda x: x.reshape(count, *x.shape[2:]), totals)
    if count < len(h):
        done, last = jax.vmap(example)((places[count:], h[count:]))
        h, totals = (
            h.at[count:].set(done),
            jax.tree.map(lambda *x: jnp.concatenate(x), totals, last),
        )
    return h, known[-1], totals


def _widest(layers: list) -> int:
    """The most numbers that the heads of a layer, or its MLP, hold for one example."""
    widths = [1]
    for _, (heads, (W_in, _)) in layers:
        widths += [W.shape[1] * W.shape[2] for weights in heads for W in weights]
        widths.append(W_in.shape[1])
    return max(widths)


def _layer(
    x: jax.Array,
    h: jax.Array,
    step: Step,
    weights: Any,
    N: int,
    named: Named,
    axis: str | None = None,
) -> tuple[jax.Array, list]:
    """Attention, then MLP, of the examples x; totals (e, p, heads) by group.

    Args:
        h: all examples, for those who read all.
        axis: that over which h is shared out, if it is.
    """
    heads, (W_in, W_out) = weights
    out, totals = x, []
    for group, matrices in zip(step.groups, heads, strict=True):
        place, (example, position) = group.reach.asks[1], group.reach.reads
        asks = x[:, _slice(place)]
        if group.reach.reads == EVERY:
            update, total = _attend_all(asks, h, group, matrices, N, axis)
        else:
            # On an axis that is the asking token's own, what is read stands where it asks.
            reads = x if example == OWN else named[int(example)]
            reads = reads[:, _slice(place if position == OWN else position)]
            update, total = _attend_one(asks, reads, group, matrices, N)
        out = _add(out, place, group.writes, update)
        totals.append(total)
    if step.acts is not None:
        place = step.acts[1]
        here = _columns(out[:, _slice(place)], step.reads)
        units = jax.nn.relu(_dot("eps,su->epu", here, W_in))
        out = _add(out, place, step.writes, _dot("epu,uc->epc", units, W_out))
    return out, totals


def _attend_one(
    asks: jax.Array, reads: jax.Array, group: Group, weights: Any, N: int
) -> tuple[jax.Array, jax.Array]:
    """Heads that read one token each: what they write (e, p, c), and totals (e, p, heads)."""
    W_Q, W_K, V = weights
    q = _dot("eps,shr->ephr", _columns(asks, group.matches), W_Q)
    k = _dot("eps,shr->ephr", _columns(reads, group.matches), W_K)
    scores = jax.nn.relu((q * k).sum(axis=-1))
    values = _dot("eps,shc->ephc", _columns(reads, group.carries), V)
    return (scores[..., None] / N * values).sum(axis=2), scores


def _attend_all(
    asks: jax.Array, reads: jax.Array, group: Group, weights: Any, N: int, axis: str | None
) -> tuple[jax.Array, jax.Array]:
    """The same for heads that read every token."""
    W_Q, W_K, V = weights
    q = _dot("eps,shr->ephr", _columns(asks, group.matches), W_Q)
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
    asked = _add(everywhere, ALL, group.matches, asked)
    scores = jax.nn.relu(_dot("td,qd->tq", reads, asked.reshape(-1, asked.shape[-1])))
    sums = _columns(_dot("tq,td->qd", scores, reads).reshape(asked.shape), group.carries)
    return _dot("ephs,shc->epc", sums, V), scores.sum(axis=0).reshape(asked.shape[:3])


def _attend_in_order(
    q: jax.Array, reads: jax.Array, group: Group, W_K: jax.Array, V: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Keys and values of every token first, as the definition has it."""
    k = _dot("ts,shr->thr", _columns(reads, group.matches), W_K)
    v = _dot("ts,shc->thc", _columns(reads, group.carries), V)
    scores = jax.nn.relu(_dot("ephr,thr->teph", q, k))
    return _dot("teph,thc->epc", scores, v), scores.sum(axis=0)


def _columns(h: jax.Array, runs: Runs) -> jax.Array:
    """The coordinates of these runs, side by side."""
    parts = [h[..., start:stop] for start, stop in runs]
    return jnp.concatenate(parts, axis=-1) if parts else h[..., :0]


def _add(h: jax.Array, place: Place, runs: Runs, update: jax.Array) -> jax.Array:
    """H with the update added at a position and these coordinates."""
    at = 0
    for start, stop in runs:
        h = h.at[:, _slice(place), ..., start:stop].add(update[..., at : at + stop - start])
        at += stop - start
    return h


_STATIC = ("steps", "N", "trace")
_forward = partial(jax.jit, static_argnames=_STATIC)(forward)
_forward_batch = partial(jax.jit, static_argnames=_STATIC)(forward_batch)
