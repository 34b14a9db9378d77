"""JAX, the default executor: dense, streamed, jitted. It has run on CPUs.

Every head scores every pair of tokens, in blocks of queries and keys: no N x N matrix
is ever held, and memory is O(N D). Idle heads and MLPs are skipped: they add 0. Weights
that are mostly empty are multiplied by their non-zeros (`products`), and what a layer
writes is added to the coordinates that its weights name, in place.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
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
from construct.execute.products import Columns, Dense, Weight, dot, product, single, stacked
from construct.execute.weights import UNITS, Heads, units
from construct.network.attention import RELU, Attention
from construct.network.transformer import Head, Mlp, Transformer

# For each layer the heads of each stack, by number: what jit may compile in.
Stacks = tuple[tuple[tuple[int, ...], ...], ...]

# A block of scores, QUERIES x KEYS, is to fit in a cache and to keep the cores busy;
# so is a block of an MLP, tokens by units.
QUERIES, KEYS = 2048, 512


def prepare(transformer: Transformer, dtype: str = "float64", mesh: Mesh | None = None) -> Run:
    """See `construct.execute`."""
    warn_where_nothing_is_certified(mesh)
    attention = transformer.attention
    assert mesh is None or not attention.softmax
    K, x64 = transformer.sizes.heads, dtype == "float64"
    with jax.enable_x64(x64):
        stacks, weights = cast(transformer, dtype)
        if mesh is not None:
            weights = replicate(weights, mesh)

    def run(stream: Any, trace: bool = False) -> Pass:
        stream = np.asarray(stream).astype(dtype, copy=False)
        *batch, N, _ = stream.shape
        with jax.enable_x64(x64):
            out, attended, states = _pass(weights, stream, stacks, K, trace, mesh, attention)
            return Pass(
                gather(out, stream.shape),
                gather(attended, (*batch, len(stacks), K, N)),
                np.stack([gather(state, stream.shape) for state in states]) if trace else None,
            )

    return run


def _pass(
    weights: list,
    stream: np.ndarray,
    stacks: Stacks,
    K: int,
    trace: bool,
    mesh: Mesh | None,
    attention: Attention,
) -> tuple:
    """(..., N, D) -> out, attended and states as `forward` has them."""
    alone, N = stream.ndim == 2, stream.shape[-2]
    if mesh is None:
        go = _forward if alone else _forward_batch
        static = {"stacks": stacks, "K": K, "N": N, "trace": trace, "attention": attention}
        return go(weights, put(stream), **static)
    axes = (SEQUENCE,) if alone else (BATCH, SEQUENCE)
    return _on_mesh(stacks, K, N, trace, axes, mesh)(weights, shard(stream, axes, mesh))


@lru_cache(maxsize=64)
def _on_mesh(
    stacks: Stacks, K: int, N: int, trace: bool, axes: tuple[str, ...], mesh: Mesh
) -> Callable:
    """The pass with tokens, and the prompts of a batch, sharded; compiled once a shape."""
    one = forward if axes == (SEQUENCE,) else forward_batch
    states = [axes] * (len(stacks) + 1 if trace else 0)
    attended = (*axes[:-1], None, None, SEQUENCE)
    sharded = partial(one, stacks=stacks, K=K, N=N, trace=trace, axis=SEQUENCE)
    return on_mesh(sharded, mesh, ((), axes), (axes, attended, states))


def cast(transformer: Transformer, dtype: str) -> tuple[Stacks, list]:
    """What `forward` takes: which heads are stacked, and the weights."""
    softmax = transformer.attention.softmax
    stacks = tuple(_stack(layer.heads, softmax) for layer in transformer.layers)
    weights = [
        (
            [_heads([layer.heads[k] for k in stack], dtype) for stack in layer_stacks],
            _units(layer.mlp, dtype) if not layer.mlp.idle else None,
        )
        for layer, layer_stacks in zip(transformer.layers, stacks, strict=True)
    ]
    return stacks, weights


def _stack(heads: Sequence[Head], softmax: bool) -> tuple[tuple[int, ...], ...]:
    """The numbers of the heads that add anything, grouped by shape."""
    groups: dict[tuple, list[int]] = {}
    for k, head in enumerate(heads):
        if not (head.silent if softmax else head.idle):
            shapes = head.sparse("W_Q").shape, head.sparse("W_V").shape
            groups.setdefault(shapes, []).append(k)
    return tuple(map(tuple, groups.values()))


def _heads(heads: Sequence[Head], dtype: str) -> tuple[tuple, Columns]:
    """The weights of these heads, each stacked along a new first axis; what they write."""
    found = Heads.of(heads)
    some = (found.W_Q, found.W_K, found.V, found.W_O)
    weights = tuple(None if each is None else stacked(each, dtype) for each in some)
    return weights, Columns.of(found.writes)


def _units(mlp: Mlp, dtype: str) -> tuple[Weight, Weight, Columns]:
    """The weights of an MLP's units that read and write, and the coordinates they write."""
    W_in, W_out, writes = units(mlp)
    return single(W_in, dtype), single(W_out, dtype), Columns.of(writes)


def forward(
    weights: Any,
    h: jax.Array,
    stacks: Stacks,
    K: int,
    N: int,
    trace: bool,
    axis: str | None = None,
    attention: Attention = RELU,
) -> tuple[jax.Array, jax.Array, list]:
    """One pass over a stream (N, D): Bai, Definition 3, or the same with softmax.

    Args:
        axis: the axis of a mesh over which the tokens are sharded.
    """
    states, attended = [h], []
    for (groups, mlp), numbers in zip(weights, stacks, strict=True):
        updates, totals = [], jnp.zeros((K, len(h)), h.dtype)
        for (group, writes), members in zip(groups, numbers, strict=True):
            # One head after the other: their queries, keys and values are never all there.
            head = partial(_head, h, N, axis, attention)
            update, given = lax.scan(head, jnp.zeros((len(h), writes.count), h.dtype), group)
            updates.append((writes, update))
            totals = totals.at[jnp.array(members)].set(given)
        for writes, update in updates:
            h = writes.add(h, update)
        if mlp is not None:
            h = _feedforward(h, *mlp)
        attended.append(totals)
        states.append(h)
    return h, jnp.stack(attended), states if trace else []


def _head(
    h: jax.Array,
    N: int,
    axis: str | None,
    attention: Attention,
    update: jax.Array,
    weights: tuple,
) -> tuple[jax.Array, jax.Array]:
    """The update with that of one head added, and the head's total at each token."""
    W_Q, W_K, V, W_O = weights
    q, k, v = product(h, W_Q), product(h, W_K), product(h, V)
    if attention.softmax:
        written, totals = softmax_sums(q, k, v, attention.causal)
    else:
        sums, totals = _attended(q, k, v, axis)
        written = sums / N
    return update + (written if W_O is None else product(written, W_O)), totals


def _attended(
    q: jax.Array, k: jax.Array, v: jax.Array, axis: str | None
) -> tuple[jax.Array, jax.Array]:
    """The values that each token gets, (N, c), and the scores that it gives, (N,)."""
    if axis is None and len(q) * len(k) <= QUERIES * KEYS:
        scores = jax.nn.relu(dot(q, k.T))
        return dot(scores, v), scores.sum(axis=1)
    # A column of ones adds up the scores on the way.
    v = jnp.concatenate([v, jnp.ones_like(v, shape=(len(v), 1))], axis=1)
    sums = relu_sums(q, k, v) if axis is None else _ring_attention(q, k, v, axis)
    return sums[:, :-1], sums[:, -1]


def _feedforward(h: jax.Array, W_in: Weight, W_out: Weight, writes: Columns) -> jax.Array:
    """h with relu(h W_in) W_out added.

    Dense weights are `relu_sums` again, of a key and a value for each unit; others take some
    tokens at a time.
    """
    if isinstance(W_in, Dense) and isinstance(W_out, Dense):
        return writes.add(h, relu_sums(W_in.read(h), W_in.W.T, W_out.W))
    size = max(1, UNITS // max(1, W_in.width))

    def of_tokens(some: jax.Array) -> jax.Array:
        return product(jax.nn.relu(product(some, W_in)), W_out)

    if size >= len(h):
        return writes.add(h, of_tokens(h))
    done = lax.map(of_tokens, _blocks(h, size))
    return writes.add(h, done.reshape(-1, writes.count)[: len(h)])


def _ring_attention(q: jax.Array, k: jax.Array, v: jax.Array, axis: str) -> jax.Array:
    """The same sums of sharded tokens: the shards of keys and values go around the devices."""
    devices = lax.axis_size(axis)
    to_the_next = [(i, (i + 1) % devices) for i in range(devices)]

    def add(_: Any, carried: tuple) -> tuple:
        sums, k, v = carried
        sums = sums + relu_sums(q, k, v)
        return sums, *lax.ppermute((k, v), axis, to_the_next)

    nothing = jnp.zeros((len(q), v.shape[1]), v.dtype)
    return lax.fori_loop(0, devices, add, (nothing, k, v))[0]


def relu_sums(q: jax.Array, k: jax.Array, v: jax.Array) -> jax.Array:
    """sum_j relu(<q_i, k_j>) v_j, block by block.

    Args:
        q: (N, r).
        k: (M, r).
        v: (M, c).

    Returns:
        (N, c).
    """
    if len(q) * len(k) <= QUERIES * KEYS:
        return dot(jax.nn.relu(dot(q, k.T)), v)
    keys = _blocks(k, KEYS), _blocks(v, KEYS)

    def of_queries(some: jax.Array) -> jax.Array:
        def add(sums: jax.Array, block: tuple) -> tuple[jax.Array, None]:
            k, v = block
            return sums + dot(jax.nn.relu(dot(some, k.T)), v), None

        return lax.scan(add, jnp.zeros((len(some), v.shape[1]), v.dtype), keys)[0]

    done = lax.map(of_queries, _blocks(q, min(QUERIES, len(q))))
    return done.reshape(-1, v.shape[1])[: len(q)]


def softmax_sums(
    q: jax.Array, k: jax.Array, v: jax.Array, causal: bool
) -> tuple[jax.Array, jax.Array]:
    """sum_j a_ij v_j, (N, c), and what each token gives to others than the first, (N,).

    Block by block of the queries: a block has the scores of all keys, so that it is of fewer
    queries where there are more keys.
    """
    N = len(q)
    size = max(1, min(N, QUERIES * KEYS // N))
    keys = jnp.arange(N)

    def of_queries(block: tuple) -> tuple[jax.Array, jax.Array]:
        some, places = block
        scores = dot(some, k.T)
        if causal:
            scores = jnp.where(keys[None, :] <= places[:, None], scores, -jnp.inf)
        weights = jax.nn.softmax(scores, axis=-1)
        return dot(weights, v), weights[:, 1:].sum(axis=1)

    if size == N:
        return of_queries((q, keys))
    # The padding comes after the last token, and sees all of them.
    places = jnp.arange(-(-N // size) * size).reshape(-1, size)
    found, totals = lax.map(of_queries, (_blocks(q, size), places))
    return found.reshape(-1, v.shape[1])[:N], totals.reshape(-1)[:N]


def _blocks(x: jax.Array, size: int) -> jax.Array:
    """(N, d) -> (ceil(N/size), size, d), with padding of zeros, which add nothing."""
    return jnp.pad(x, ((0, -len(x) % size), (0, 0))).reshape(-1, size, x.shape[1])


def forward_batch(weights: Any, h: jax.Array, **static: Any) -> tuple[jax.Array, jax.Array, list]:
    """The same for several streams, one after the other: together they leave the cache."""
    return lax.map(lambda one: forward(weights, one, **static), h)


_STATIC = ("stacks", "K", "N", "trace", "attention")
_forward = partial(jax.jit, static_argnames=_STATIC)(forward)
_forward_batch = partial(jax.jit, static_argnames=_STATIC)(forward_batch)
