"""What is counted and gathered before any pass: which heads run together, and where.

A layer is *local* if every head asks everywhere and reads its own example or a fixed one.
Consecutive local layers are one stage: each example goes through all of them while it is
in the cache. Any other layer (one token that reads all, one token that works for itself)
is a stage of its own, on the slices of the grid that its reach names.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from scipy.sparse import coo_array, csr_array, sparray

from construct.network.reach import ALL, ANYWHERE, EVERY, Place, Reach, Tokens
from construct.network.transformer import Head, Layer, Transformer

# Consecutive coordinates of the stream, [start, stop).
Spans = tuple[tuple[int, int], ...]

# Who works in a layer: every example for itself, one example, or all with all.
Kind = Literal["local", "one", "everywhere"]


@dataclass(frozen=True)
class Group:
    """Heads of one reach and one shape, which run side by side: what jit compiles in.

    Attributes:
        reach: theirs.
        members: their numbers in the layer.
        scored: the coordinates that their queries and keys read.
        valued: those that their values read.
        writes: those that they write.
        selects: keys and values are single coordinates, times powers of two: then a sum of
            products may be taken before they are applied, and rounds as it would after.
    """

    reach: Reach
    members: tuple[int, ...]
    scored: Spans
    valued: Spans
    writes: Spans
    selects: bool


@dataclass(frozen=True)
class Step:
    """A layer in outline.

    Attributes:
        groups: its heads that are not idle.
        acts: the tokens where its MLP acts; None if it is idle.
        reads: the coordinates that its MLP reads.
        writes: those that it writes.
    """

    groups: tuple[Group, ...]
    acts: Tokens | None
    reads: Spans
    writes: Spans

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
    W_in, W_out = layer.mlp.sparse("W_in"), layer.mlp.sparse("W_out")
    reads, writes = _spans([W_in]), _spans([W_out.T])
    units = (_rows(W_in, reads, dtype), _rows(W_out.T, writes, dtype).T)
    step = Step(tuple(group for group, _ in made), acts, reads, writes)
    return step, ([weights for _, weights in made], units)


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
    """Heads that run side by side, and their weights (s, heads, ...) on the spans they read."""
    # W_O only selects where to write: the product is as exact as W_V.
    V = [head.sparse("W_V") @ head.sparse("W_O") for head in heads]
    scored = _spans([head.sparse(name) for head in heads for name in ("W_Q", "W_K")])
    valued, writes = _spans(V), _spans([v.T for v in V])
    W_Q, W_K = ([_rows(h.sparse(name), scored, dtype) for h in heads] for name in ("W_Q", "W_K"))
    values = [_rows(_cut(v.T, writes).T, valued, dtype) for v in V]
    weights = tuple(jnp.stack(each, axis=1) for each in (W_Q, W_K, values))
    selects = all(_selects(W) for W in [*(head.sparse("W_K") for head in heads), *V])
    return Group(reach, tuple(members), scored, valued, writes, selects), weights


def _selects(W: sparray) -> bool:
    """Whether no row and no column has two entries, and all are powers of two."""
    entries = coo_array(W)
    entries.eliminate_zeros()
    alone = all(len(np.unique(axis)) == entries.nnz for axis in entries.coords)
    return alone and bool((abs(np.frexp(entries.data)[0]) == 0.5).all())


def _spans(weights: Sequence[sparray]) -> Spans:
    """The rows that are not all zero in each of the weights."""
    used = np.unique(np.concatenate([csr_array(W).nonzero()[0] for W in weights]))
    breaks = np.flatnonzero(np.diff(used) > 1) + 1
    return tuple((int(rows[0]), int(rows[-1]) + 1) for rows in np.split(used, breaks) if len(rows))


def _cut(W: sparray, spans: Spans) -> csr_array:
    """The rows of these spans."""
    rows = [row for start, stop in spans for row in range(start, stop)]
    return csr_array(W)[rows]


def _rows(W: sparray, spans: Spans, dtype: str) -> jax.Array:
    """The rows of these spans, dense, on the device."""
    return jnp.asarray(_cut(W, spans).toarray(), dtype)
