"""What is counted and gathered before any pass: which heads run together, and where.

A layer is *local* if every head asks everywhere and reads its own example or a fixed one.
Consecutive local layers are one stage: each example goes through all of them while it is
in the cache. Any other layer (one token that reads all, one token that works for itself)
is a stage of its own, on the slices of the grid that its reach names.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import Any, Literal

import jax
import numpy as np
from scipy.sparse import coo_array, hstack, sparray, vstack

from construct.execute.products import Columns, Weight, single
from construct.execute.weights import Heads, nonzeros, rows_of, units
from construct.network.reach import ALL, ANYWHERE, EVERY, Place, Reach, Tokens
from construct.network.transformer import Head, Layer, Transformer

# Who works in a layer: every example for itself, one example, or all with all.
Kind = Literal["local", "one", "everywhere"]


@dataclass(frozen=True)
class Group:
    """Heads of one reach and one shape, which run side by side: what jit compiles in.

    Attributes:
        reach: theirs.
        members: their numbers in the layer.
        selects: keys and values are single coordinates, times powers of two: then a sum of
            products may be taken before they are applied, and rounds as it would after.
    """

    reach: Reach
    members: tuple[int, ...]
    selects: bool


@partial(
    jax.tree_util.register_dataclass,
    data_fields=["W_Q", "W_K", "V", "W_O", "writes"],
    meta_fields=[],
)
@dataclass(frozen=True)
class HeadWeights:
    """The weights of the heads of a group, side by side.

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
    """The weights of an MLP's units, and the coordinates that they write."""

    W_in: Weight
    W_out: Weight
    writes: Columns


@dataclass(frozen=True)
class Step:
    """A layer in outline.

    Attributes:
        groups: its heads that are not idle.
        acts: the tokens where its MLP acts; None if it is idle.
    """

    groups: tuple[Group, ...]
    acts: Tokens | None

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
    """A layer in outline, and its weights: those of each group, and of the MLP."""
    groups, acts = _who_works(layer)
    made = [
        _group(reach, members, [layer.heads[k] for k in members], dtype)
        for reach, members in groups
    ]
    step = Step(tuple(group for group, _ in made), acts)
    return step, ([weights for _, weights in made], None if acts is None else _units(layer, dtype))


def _units(layer: Layer, dtype: str) -> Units:
    W_in, W_out, writes = units(layer.mlp)
    return Units(single(W_in, dtype), single(W_out, dtype), Columns.of(writes))


def _who_works(layer: Layer) -> tuple[list[tuple[Reach, list[int]]], Tokens | None]:
    """The heads that are not idle, grouped by reach and shape, and where the MLP acts."""
    groups: dict[tuple, list[int]] = {}
    for k, head in enumerate(layer.heads):
        if not head.idle:
            key = (head.reach, head.sparse("W_Q").shape, head.sparse("W_V").shape)
            groups.setdefault(key, []).append(k)
    acts = None if layer.mlp.idle else layer.mlp.acts
    working = {reach.asks[0] for reach, _, _ in groups} | ({acts[0]} if acts else set())
    if len(working) <= 1:
        return [(reach, members) for (reach, _, _), members in groups.items()], acts
    # One example works and others do too: all pairs are scored, and those out of reach are 0.
    return [(ANYWHERE, members) for members in groups.values()], EVERY if acts else None


def _group(reach: Reach, members: list[int], heads: list[Head], dtype: str) -> tuple[Group, Any]:
    """Heads that run side by side, and their weights."""
    found = Heads.of(heads)
    selects = found.W_O is None and all(map(_selects, [*found.W_K, *found.V]))
    W_Q, W_K, V = map(hstack, (found.W_Q, found.W_K, found.V))
    # Queries and keys read the same coordinates. With one alone, no sum keeps XLA from merging
    # the scores with what writes the grid, and it copies the grid for each block.
    scored = rows_of([W_Q, W_K])
    weights = HeadWeights(
        single(W_Q, dtype, scored),
        single(W_K, dtype, scored),
        single(V, dtype),
        None if found.W_O is None else single(vstack(found.W_O), dtype),
        Columns.of(found.writes),
    )
    return Group(reach, tuple(members), selects), weights


def _selects(W: sparray) -> bool:
    """Whether no row and no column has two entries, and all are powers of two."""
    entries = coo_array(nonzeros(W))
    alone = all(len(np.unique(axis)) == entries.nnz for axis in entries.coords)
    return alone and bool((abs(np.frexp(entries.data)[0]) == 0.5).all())
