"""The pass over a grid of examples, stage by stage.

A stage is a run of layers in which every example works for itself, or a single layer in
which one example works, or all of them with all. Examples that a reach names by number
(the query, which every token may read) are kept beside the grid as well: a block, or a
device with a shard of the examples, has them at hand.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from construct.execute.sparse.layer import Named, layer
from construct.execute.sparse.schedule import Kind, Step, stages

# Examples that go through a stage together, at most; and the numbers that all heads of
# a layer may then hold, of queries say.
BLOCK, NUMBERS = 2048, 1 << 21

# The layers of a stage: each with its weights.
Layers = list[tuple[Step, Any]]


@dataclass(frozen=True)
class Grid:
    """All examples between two stages; on a mesh, a shard of them.

    Attributes:
        rows: the examples, (e, n, D).
        named: {number: (1, n, D)} for those that a reach names; each device has them all.
        stale: whether named examples have worked by themselves, so that `rows` lacks it.
        axis: the axis of the mesh over which the examples are sharded.
    """

    rows: jax.Array
    named: Named
    stale: bool
    axis: str | None

    @classmethod
    def of(cls, rows: jax.Array, steps: tuple[Step, ...], axis: str | None) -> "Grid":
        """The grid before the first layer."""
        names = [e for step in steps for e in step.examples]
        return cls(rows, {e: _example(rows, e, axis) for e in names}, False, axis)

    def whole(self) -> jax.Array:
        """The rows, with the named examples as they are now."""
        rows = self.rows
        if self.stale and self.axis is None:
            for e, example in self.named.items():
                rows = rows.at[e].set(example[0])  # in place
        elif self.stale:
            places = _places(rows, self.axis)[:, None, None]
            for e, example in self.named.items():
                rows = jnp.where(places == e, example, rows)
        return rows


def forward(
    weights: list,
    h: jax.Array,
    steps: tuple[Step, ...],
    N: int,
    trace: bool,
    axis: str | None = None,
) -> tuple[jax.Array, list, list]:
    """One pass over a grid (m+1, n, D).

    Args:
        weights, steps: the layers, as `schedule.cast` gives them.
        h: the examples before the first layer.
        N: the context length.
        trace: whether to keep the grid before the first layer and after each.
        axis: the axis of a mesh over which the examples are sharded.

    Returns:
        The grid, the totals (e, p, heads) of each layer and group, and the grids kept.
    """
    grid, totals, states = Grid.of(h, steps, axis), [], [h]
    layers = list(zip(steps, weights, strict=True))
    for kind, numbers in stages(steps, apart=trace):
        grid, found = STAGES[kind](grid, layers[numbers], N)
        totals += found
        if trace:
            states.append(grid.whole())
    return grid.whole(), totals, states if trace else []


def forward_batch(weights: list, h: jax.Array, **static: Any) -> tuple[jax.Array, list, list]:
    """The same for several grids."""
    one = partial(forward, weights, **static)
    return jax.lax.map(one, h, batch_size=max(1, BLOCK // h.shape[1]))


def _local(grid: Grid, layers: Layers, N: int) -> tuple[Grid, list]:
    """Every example for itself through all layers of the stage, block by block."""
    # The named examples go first: before each layer and after the last one.
    known = [grid.named]
    for step, weights in layers:
        now = known[-1]
        known.append({e: layer(x, x, step, weights, N, now)[0] for e, x in now.items()})

    def example(one: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, list]:
        place, x = one
        rows, totals = x[None], []
        for (step, weights), now in zip(layers, known[:-1], strict=True):
            rows, found = layer(rows, rows, step, weights, N, now)
            totals.append([total[0] for total in found])
        # The row of a named example may be stale; what it has become is known.
        for e, alone in known[-1].items():
            rows = jnp.where(place == e, alone, rows)
        return rows[0], totals

    held = max(_widest(layers), grid.rows[0].size)
    size = _block(len(grid.rows), min(BLOCK, len(grid.rows), max(1, NUMBERS // held)))
    rows, totals = _in_blocks(example, _places(grid.rows, grid.axis), grid.rows, size)
    return replace(grid, rows=rows, named=known[-1], stale=False), totals


def _one(grid: Grid, layers: Layers, N: int) -> tuple[Grid, list]:
    """A named example for itself, which may read all others; the grid is not touched."""
    [(step, weights)] = layers
    [e] = (e for e in step.working if isinstance(e, int))
    if step.reads_all:
        grid = replace(grid, rows=grid.whole())
    x, total = layer(grid.named[e], grid.rows, step, weights, N, grid.named, grid.axis)
    return replace(grid, named=grid.named | {e: x}, stale=True), [total]


def _everywhere(grid: Grid, layers: Layers, N: int) -> tuple[Grid, list]:
    """All examples, each reading all; on a mesh every device gathers them."""
    [(step, weights)] = layers
    rows, axis = grid.whole(), grid.axis
    everyone = rows if axis is None else jax.lax.all_gather(rows, axis, tiled=True)
    rows, total = layer(rows, everyone, step, weights, N, grid.named)
    return Grid(rows, {e: _example(rows, e, axis) for e in grid.named}, False, axis), [total]


STAGES: dict[Kind, Callable[[Grid, Layers, int], tuple[Grid, list]]] = {
    "local": _local,
    "one": _one,
    "everywhere": _everywhere,
}


def _in_blocks(
    example: Callable, places: jax.Array, rows: jax.Array, size: int
) -> tuple[jax.Array, list]:
    """`example` on every place and row, so many at a time; the rows, and what it adds."""

    def block(rows: jax.Array, start: jax.Array) -> tuple[jax.Array, list]:
        # In place: a second grid would cost more than the pass.
        here, some = (jax.lax.dynamic_slice_in_dim(x, start, size) for x in (places, rows))
        done, totals = jax.vmap(example)((here, some))
        return jax.lax.dynamic_update_slice_in_dim(rows, done, start, axis=0), totals

    count = len(rows) // size * size
    rows, totals = jax.lax.scan(block, rows, jnp.arange(0, count, size))
    totals = jax.tree.map(lambda x: x.reshape(count, *x.shape[2:]), totals)
    if count < len(rows):
        done, last = jax.vmap(example)((places[count:], rows[count:]))
        rows = rows.at[count:].set(done)
        totals = jax.tree.map(lambda *x: jnp.concatenate(x), totals, last)
    return rows, totals


def _block(examples: int, most: int) -> int:
    """How many examples go through together: a divisor, if one is nearly as large as can be.

    Else those that are left over go by themselves, for which XLA copies the grid.
    """
    divisors = (size for size in range(most, most // 2, -1) if examples % size == 0)
    return next(divisors, most)


def _widest(layers: Layers) -> int:
    """The most numbers that the heads of a layer, or its MLP, hold for one example."""
    widths = [1]
    for _, (heads, units) in layers:
        widths += [W.width for one in heads for W in (one.W_Q, one.W_K, one.V)]
        widths += [some.W_in.width for some in units]
    return max(widths)


def _places(rows: jax.Array, axis: str | None) -> jax.Array:
    """The numbers of these examples; each device has as many."""
    first = 0 if axis is None else jax.lax.axis_index(axis) * len(rows)
    return first + jnp.arange(len(rows))


def _example(rows: jax.Array, e: int, axis: str | None) -> jax.Array:
    """Example e, (1, n, D), whichever device has it."""
    if axis is None:
        return rows[e : e + 1]
    here = (_places(rows, axis) == e)[:, None, None]
    return jax.lax.psum(jnp.where(here, rows, 0).sum(axis=0, keepdims=True), axis)
