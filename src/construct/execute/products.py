"""Products with a weight in JAX, dense or by its non-zeros, and columns of a stream.

Both JAX executors multiply here. Indices are arguments of a program and no part of it: it
is as long for ten thousand words as for ten. Dense products ask for the highest precision:
JAX's default on GPUs and TPUs is TF32 or bfloat16, and the decisions need whole numbers
exactly. What is gathered is multiplied and added up as it is, in the format.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from scipy.sparse import sparray

from construct.execute.weights import AT_ONCE, Terms, mostly_empty, nonzeros, rows_of, runs

# More runs of coordinates than this are an array of indices.
FEW_RUNS = 4

dot = partial(jnp.matmul, precision=lax.Precision.HIGHEST)
_dot = partial(jnp.einsum, precision=lax.Precision.HIGHEST)


@partial(jax.tree_util.register_dataclass, data_fields=["at"], meta_fields=["spans"])
@dataclass(frozen=True)
class Columns:
    """Some coordinates of a stream, in order: a few runs of them, or their numbers.

    Attributes:
        spans: [start, stop) of each run; empty where there are many.
        at: their numbers; None where there are few runs.
    """

    spans: tuple[tuple[int, int], ...]
    at: jax.Array | None

    @classmethod
    def of(cls, found: np.ndarray) -> "Columns":
        """From ascending numbers."""
        spans = runs(found)
        if len(spans) <= FEW_RUNS:
            return cls(spans, None)
        return cls((), _put(found, "int32"))

    @property
    def count(self) -> int:
        """How many there are."""
        return sum(b - a for a, b in self.spans) if self.at is None else len(self.at)

    def read(self, h: jax.Array) -> jax.Array:
        """These coordinates of h (..., D), side by side."""
        if self.at is not None:
            return _gathered(h, self.at)
        parts = [h[..., start:stop] for start, stop in self.spans]
        return jnp.concatenate(parts, axis=-1) if parts else h[..., :0]

    def add(self, h: jax.Array, update: jax.Array, *place: Any) -> jax.Array:
        """h with the update added at these coordinates, and at this place before them."""
        if self.at is not None:
            into = h.at[(*place, ..., self.at)]
            return into.add(update, unique_indices=True, indices_are_sorted=True)
        at = 0
        for start, stop in self.spans:
            h = h.at[(*place, ..., slice(start, stop))].add(update[..., at : at + stop - start])
            at += stop - start
        return h


@partial(jax.tree_util.register_dataclass, data_fields=["reads", "W"], meta_fields=[])
@dataclass(frozen=True)
class Dense:
    """A matrix, and the coordinates that its rows read; None where they are all.

    Several matrices that read the same are along a new first axis.
    """

    reads: Columns | None
    W: jax.Array

    @property
    def width(self) -> int:
        """The columns of a product."""
        return self.W.shape[-1]

    @property
    def columns(self) -> Columns:
        """The coordinates that the rows read, of which W has not all."""
        assert self.reads is not None
        return self.reads

    def read(self, h: jax.Array) -> jax.Array:
        """What the rows of W read of h (..., D)."""
        return h if self.reads is None else self.reads.read(h)


@partial(
    jax.tree_util.register_dataclass,
    data_fields=["at", "weights", "tree", "where"],
    meta_fields=[],
)
@dataclass(frozen=True)
class ByTerms:
    """`execute.weights.Terms` of one weight, on the device."""

    at: jax.Array
    weights: jax.Array
    tree: tuple[tuple[jax.Array, jax.Array], ...]
    where: jax.Array | None

    @property
    def width(self) -> int:
        """The columns of a product."""
        return self.at.shape[-2]


Weight = Dense | ByTerms


def stacked(weights: Sequence[sparray], dtype: str) -> Weight:
    """Weights of one shape along a new first axis, for `lax.scan`; all of the same kind."""
    terms = Terms.of(weights)
    if mostly_empty(terms.cost, int(np.prod(weights[0].shape))):
        return by_terms(terms, dtype)
    return Dense(None, _dense(weights, dtype))


def single(weight: sparray, dtype: str, reads: np.ndarray | None = None) -> Weight:
    """One weight; a dense one reads the rows that are not all 0, or those given."""
    W = nonzeros(weight)
    terms, used = Terms.of([W]), rows_of([W])
    if mostly_empty(terms.cost, len(used) * W.shape[1]):
        return jax.tree.map(lambda x: x[0], by_terms(terms, dtype))
    reads = used if reads is None else reads
    return Dense(Columns.of(reads), _put(W[reads].toarray(), dtype))


def for_each(weights: Sequence[sparray], dtype: str, reads: np.ndarray | None = None) -> Weight:
    """A weight for each of several tokens, along a new first axis; one is as `single` has it."""
    if len(weights) == 1:
        return single(weights[0], dtype, reads)
    found, used = [nonzeros(W) for W in weights], rows_of(weights)
    terms = Terms.of(found)
    if mostly_empty(terms.cost, len(used) * weights[0].shape[1]):
        return by_terms(terms, dtype)
    reads = used if reads is None else reads
    return Dense(Columns.of(reads), _dense([W[reads] for W in found], dtype))


def _dense(weights: Sequence[sparray], dtype: str) -> jax.Array:
    """Along a new first axis, in a format."""
    found = np.empty((len(weights), *weights[0].shape), dtype)
    for i, W in enumerate(weights):
        found[i] = W.toarray()
    return _put(found, dtype)


def _put(array: np.ndarray, dtype: str) -> jax.Array:
    """On the device, in a format: converted by NumPy, since JAX compiles that for each shape."""
    return jax.device_put(np.asarray(array, dtype))


def by_terms(terms: Terms, dtype: str) -> ByTerms:
    """On the device, in a format."""
    tree = tuple((_put(at, "int32"), _put(w, dtype)) for at, w in terms.tree)
    where = None if terms.where is None else _put(terms.where, "int32")
    return ByTerms(_put(terms.at, "int32"), _put(terms.weights, dtype), tree, where)


def product(h: jax.Array, weight: Weight) -> jax.Array:
    """h (..., D) times a weight (D, c); or h (..., tokens, D) times a weight for each."""
    if isinstance(weight, Dense) and weight.W.ndim == 2:
        return dot(weight.read(h), weight.W)
    if isinstance(weight, Dense):
        return _dot("...tr,trc->...tc", weight.read(h), weight.W)
    if weight.at.ndim == 3:
        return jax.vmap(product, in_axes=(-2, 0), out_axes=-2)(h, weight)
    first = _sums(h, weight.at, weight.weights)
    if weight.where is None:
        return first
    for level in weight.tree:
        h = _sums(h, *level)
    return first + _gathered(h, weight.where)


def _sums(h: jax.Array, at: jax.Array, weights: jax.Array) -> jax.Array:
    """Sums of a few terms each: one loop, in which nothing that is gathered is kept."""
    assert at.shape[-1] <= AT_ONCE
    terms = [_gathered(h, at[:, t]) * weights[:, t] for t in range(at.shape[-1])]
    return sum(terms[1:], start=terms[0])


def _gathered(h: jax.Array, at: jax.Array) -> jax.Array:
    """h[..., at]; every index is in bounds, and none is negative."""
    return h.at[..., at].get(mode="promise_in_bounds", wrap_negative_indices=False)
