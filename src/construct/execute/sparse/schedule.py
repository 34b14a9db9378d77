"""What is counted and gathered before any pass: which heads run together, and where.

A layer is *local* if every head asks everywhere and reads its own example or a fixed one.
Consecutive local layers are one stage: each example goes through all of them while it is
in the cache. Any other layer (one token that reads all, one token that works for itself)
is a stage of its own, on the slices of the grid that its reach names.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from typing import Any, Literal

import jax
import numpy as np
from scipy.sparse import coo_array, hstack, sparray, vstack

from construct.execute.groups import Members, UnitGroup, by_position, head_groups, unit_groups
from construct.execute.products import Columns, Weight, for_each
from construct.execute.weights import Heads, nonzeros, rows_of
from construct.network.reach import ALL, ANYWHERE, EVERY, Place, Reach, Tokens
from construct.network.transformer import Head, Layer, Transformer

# Who works in a layer: every example for itself, one example, or all with all.
Kind = Literal["local", "one", "everywhere"]


@dataclass(frozen=True)
class Group:
    """Heads of one shape, which run side by side: what jit compiles in.

    Attributes:
        reach: theirs; or together, if each of several positions has as many of its own.
        members: their numbers in the layer, (positions that have heads of their own, heads).
        selects: keys and values are single coordinates, times powers of two: then a sum of
            products may be taken before they are applied, and rounds as it would after.
    """

    reach: Reach
    members: Members
    selects: bool

    @property
    def heads(self) -> int:
        """How many there are at each token that asks."""
        return len(self.members[0])


@partial(
    jax.tree_util.register_dataclass,
    data_fields=["W_Q", "W_K", "V", "W_O", "writes"],
    meta_fields=[],
)
@dataclass(frozen=True)
class HeadWeights:
    """The weights of the heads of a group, side by side; for each position, if it has its own.

    Attributes:
        W_Q, W_K, V: (D, heads * width), of one head after the other.
        W_O: (heads * width, written), one head's rows below the other's; None where V holds
            what is written already.
        writes: the coordinates that they write.
    """

    W_Q: Weight
    W_K: Weight
    V: Weight
    W_O: Weight | None
    writes: Columns


@partial(
    jax.tree_util.register_dataclass,
    data_fields=["W_in", "W_out", "writes"],
    meta_fields=[],
)
@dataclass(frozen=True)
class Units:
    """The weights of some units of an MLP, and the coordinates that they write."""

    W_in: Weight
    W_out: Weight
    writes: Columns


@dataclass(frozen=True)
class Step:
    """A layer in outline.

    Attributes:
        groups: its heads that are not idle.
        acts: the tokens where the units of its MLP act, group by group.
    """

    groups: tuple[Group, ...]
    acts: tuple[Tokens, ...]

    @property
    def reads_all(self) -> bool:
        """Whether some token reads every token."""
        return any(group.reach.reads == EVERY for group in self.groups)

    @property
    def working(self) -> set[Place]:
        """The examples that ask, and those where the MLP acts."""
        return _working([group.reach for group in self.groups], self.acts)

    @property
    def kind(self) -> Kind:
        """Who works."""
        if self.working <= {ALL}:
            return "everywhere" if self.reads_all else "local"
        return "one"

    @property
    def examples(self) -> tuple[int, ...]:
        """The examples that a reach, or where the MLP acts, names by number."""
        read = {group.reach.reads[0] for group in self.groups}
        return tuple(sorted(e for e in self.working | read if isinstance(e, int)))


def stages(steps: Sequence[Step], apart: bool) -> Iterator[tuple[Kind, slice]]:
    """The kind and the layers of each stage.

    Args:
        apart: whether each layer is to be a stage of its own.
    """
    for kind, run in groupby(range(len(steps)), lambda i: steps[i].kind):
        layers = list(run)
        if kind == "local" and not apart:
            yield kind, slice(layers[0], layers[-1] + 1)
        else:
            yield from ((kind, slice(i, i + 1)) for i in layers)


def cast(transformer: Transformer, dtype: str) -> tuple[tuple[Step, ...], list]:
    """What `forward` takes: the layers in outline, and their weights in that format."""
    pairs = [_step(layer, dtype) for layer in transformer.layers]
    return tuple(step for step, _ in pairs), [weights for _, weights in pairs]


def _step(layer: Layer, dtype: str) -> tuple[Step, Any]:
    """A layer in outline, and its weights: those of each group of heads, and of units."""
    busy = [k for k, head in enumerate(layer.heads) if not head.idle]
    units = [] if layer.mlp.idle else unit_groups(layer.mlp)
    working = _working([layer.heads[k].reach for k in busy], [one.acts for one in units])
    reaches = {k: layer.heads[k].reach for k in busy}
    if len(working) > 1:
        # One example works and others do too: all pairs are scored, and those out of reach are 0.
        reaches = dict.fromkeys(busy, ANYWHERE)
        units = unit_groups(replace(layer.mlp, acts=EVERY, parts=())) if units else []
    made = [
        _group(reach, members, [layer.heads[k] for own in members for k in own], dtype)
        for reach, members in head_groups(layer.heads, reaches)
    ]
    step = Step(tuple(group for group, _ in made), tuple(one.acts for one in units))
    return step, ([weights for _, weights in made], [_units(one, dtype) for one in units])


def _working(reaches: Sequence[Reach], acts: Sequence[Tokens]) -> set[Place]:
    return {reach.asks[0] for reach in reaches} | {example for example, _ in acts}


def _units(group: UnitGroup, dtype: str) -> Units:
    W_in, W_out = (for_each(weights, dtype) for weights in (group.W_in, group.W_out))
    return Units(W_in, W_out, Columns.of(group.writes))


def _group(reach: Reach, members: Members, heads: list[Head], dtype: str) -> tuple[Group, Any]:
    """Heads that run side by side, by position, and their weights."""
    found = Heads.of(heads)
    selects = found.W_O is None and all(map(_selects, [*found.W_K, *found.V]))
    W_Q, W_K, V = (by_position(W, hstack, members) for W in (found.W_Q, found.W_K, found.V))
    # Queries and keys read the same coordinates. With one alone, no sum keeps XLA from merging
    # the scores with what writes the grid, and it copies the grid for each block.
    scored = rows_of([*W_Q, *W_K])
    W_O = None if found.W_O is None else by_position(found.W_O, vstack, members)
    weights = HeadWeights(
        for_each(W_Q, dtype, scored),
        for_each(W_K, dtype, scored),
        for_each(V, dtype),
        None if W_O is None else for_each(W_O, dtype),
        Columns.of(found.writes),
    )
    return Group(reach, members, selects), weights


def _selects(W: sparray) -> bool:
    """Whether no row and no column has two entries, and all are powers of two."""
    entries = coo_array(nonzeros(W))
    alone = all(len(np.unique(axis)) == entries.nnz for axis in entries.coords)
    return alone and bool((abs(np.frexp(entries.data)[0]) == 0.5).all())
