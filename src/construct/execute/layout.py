"""A pass with the columns of the stream first, (D, streams, N), in NumPy or in PyTorch.

A weight by its non-zeros adds up rows of such a stream, and what a head writes is added to
rows of it, in place: nothing else is touched, and the stream is there once. Idle heads and
MLPs are skipped: they add 0.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from scipy.sparse import sparray

from construct.execute.passes import Pass
from construct.execute.weights import UNITS, Heads, units
from construct.network.attention import Attention
from construct.network.transformer import Head, Layer, Mlp

# Columns first, in and out, at some of the tokens: (D, streams, N) -> (c, streams, some).
Product = Callable[..., Any]

# All tokens.
ALL = slice(None)


@dataclass(frozen=True)
class Library:
    """What a pass takes from a library of arrays.

    Attributes:
        product: what multiplies tokens, all or some, by a weight (D, c), dense or by its
            non-zeros.
        index: ascending indices, as the library takes them.
        relu: max(x, 0), in place.
        zeros: an array of zeros of a shape.
        busy: those places along the last axis of an array where not all is 0, or ALL: the
            rest adds 0 to every sum, and a table of words is seldom read at many tokens.
        softmax: scores along the last axis as weights that add up to 1, in place where that
            can be.
        unseen: scores (streams, N, N) with minus infinity where a token comes later than the
            one that asks, in place.
    """

    product: Callable[[sparray], Product]
    index: Callable[[np.ndarray], Any]
    relu: Callable[[Any], Any]
    zeros: Callable[[tuple[int, ...]], Any]
    softmax: Callable[[Any], Any]
    unseen: Callable[[Any], Any]
    busy: Callable[[Any], Any] = lambda x: ALL


def _adds_nothing(head: Head, attention: Attention) -> bool:
    return head.silent if attention.softmax else head.idle


def weights_of(number: int, head: Heads, written: np.ndarray, library: Library) -> tuple:
    """What `AttentionHead` is made of; its layer writes these coordinates."""
    W_Q, W_K, V = (library.product(W) for [W] in (head.W_Q, head.W_K, head.V))
    W_O = None if head.W_O is None else library.product(head.W_O[0])
    return number, W_Q, W_K, V, W_O, library.index(np.searchsorted(written, head.writes))


@dataclass(frozen=True)
class AttentionHead:
    """A head that is not idle; `to` says which of what its layer writes it writes."""

    number: int
    W_Q: Product
    W_K: Product
    V: Product
    W_O: Product | None
    to: Any

    def __call__(self, h: Any, library: Library) -> tuple[Any, Any]:
        """What it writes, (c, streams, N), and what each token gave, (streams, N).

        (1/N) sum_j relu(<Q h_i, K h_j>) V h_j (Bai, Definition 1).
        """
        q, k = self.W_Q(h), self.W_K(h)
        ask, read = library.busy(q), library.busy(k)
        scores = library.relu(q[..., ask].swapaxes(0, 1).mT @ k[..., read].swapaxes(0, 1))
        del q, k
        if ask is not ALL:
            some = scores
            scores = library.zeros((h.shape[1], h.shape[2], some.shape[-1]))
            scores[:, ask] = some
        totals = scores.sum(-1)
        scores /= h.shape[-1]
        given = library.busy(scores)
        tokens = given if read is ALL else read[given]
        values = self.V(h, tokens).swapaxes(0, 1)
        found = (values @ scores[..., given].mT).swapaxes(0, 1)
        return found if self.W_O is None else self.W_O(found), totals


@dataclass(frozen=True)
class SoftmaxHead(AttentionHead):
    """A head of softmax attention; every score counts, also 0."""

    causal: bool = False

    def __call__(self, h: Any, library: Library) -> tuple[Any, Any]:
        """What it writes, and what each token gave to others than the sink."""
        q, k = self.W_Q(h), self.W_K(h)
        scores = q.swapaxes(0, 1).mT @ k.swapaxes(0, 1)
        del q, k
        weights = library.softmax(library.unseen(scores) if self.causal else scores)
        totals = weights[..., 1:].sum(-1)
        values = self.V(h).swapaxes(0, 1)
        found = (values @ weights.mT).swapaxes(0, 1)
        return found if self.W_O is None else self.W_O(found), totals


@dataclass(frozen=True)
class FeedForward:
    """An MLP, the coordinates that it writes, and how many units it has."""

    W_in: Product
    W_out: Product
    writes: Any
    units: int

    @classmethod
    def of(cls, mlp: Mlp, library: Library) -> "FeedForward":
        """From its weights."""
        W_in, W_out, writes = units(mlp)
        products = library.product(W_in), library.product(W_out)
        return cls(*products, library.index(writes), W_in.shape[1])

    def __call__(self, h: Any, library: Library) -> None:
        """Add what it writes to h, some tokens at a time where it has very many units."""
        size = max(1, UNITS // max(1, self.units * h.shape[1]))
        for start in range(0, h.shape[2], size):
            some = h[..., start : start + size]
            some[self.writes] += self.W_out(library.relu(self.W_in(some)))


@dataclass(frozen=True)
class PreparedLayer:
    """A layer by what it multiplies.

    Attributes:
        heads: those that are not idle.
        writes: the coordinates that they write, and how many these are.
        mlp: None for an idle one.
    """

    heads: list[AttentionHead]
    writes: tuple[Any, int]
    mlp: FeedForward | None
    library: Library

    @classmethod
    def of(cls, layer: Layer, attention: Attention, library: Library) -> "PreparedLayer":
        """From the weights of a layer."""
        busy = (
            (k, head) for k, head in enumerate(layer.heads) if not _adds_nothing(head, attention)
        )
        found = {k: Heads.of([head]) for k, head in busy}
        writes = np.unique(np.concatenate([np.zeros(0, int), *(x.writes for x in found.values())]))
        kind = partial(SoftmaxHead, causal=attention.causal) if attention.softmax else AttentionHead
        heads = [kind(*weights_of(k, head, writes, library)) for k, head in found.items()]
        mlp = None if layer.mlp.idle else FeedForward.of(layer.mlp, library)
        return cls(heads, (library.index(writes), len(writes)), mlp, library)

    def __call__(self, h: Any, totals: Any) -> None:
        """Add to h what the layer writes; set what its heads gave, (streams, K, N)."""
        if self.heads:
            at, _ = self.writes
            h[at] += self._update(h, totals)
        if self.mlp is not None:
            self.mlp(h, self.library)

    def _update(self, h: Any, totals: Any) -> Any:
        """What the heads write together: they all read h as it is before the layer."""
        if len(self.heads) == 1:
            [head] = self.heads
            update, totals[:, head.number] = head(h, self.library)
            return update
        update = self.library.zeros((self.writes[1], *h.shape[1:]))
        for head in self.heads:
            written, totals[:, head.number] = head(h, self.library)
            update[head.to] += written
            del written  # before the next head
        return update


def columns_first(stream: np.ndarray, dtype: str) -> np.ndarray:
    """A copy of (N, D) or (streams, N, D), which a pass may write to."""
    given = stream.reshape(-1, *stream.shape[-2:]).transpose(2, 0, 1)
    return np.array(given, dtype, order="C")


def tokens_first(h: np.ndarray, like: np.ndarray) -> np.ndarray:
    """The same numbers in the shape of `like`, a stream or a batch of them; no copy."""
    streams = h.transpose(1, 2, 0)
    return streams if like.ndim == 3 else streams[0]


def run_layers(
    layers: list[PreparedLayer],
    h: Any,
    stream: np.ndarray,
    totals: Any,
    arrays: Callable[[Any], np.ndarray],
    trace: bool,
) -> Pass:
    """A pass over the copy `h` of a stream.

    Args:
        totals: zeros (streams, L, K, N) for what the heads give.
        arrays: an array of the library as one of NumPy.
    """
    states = np.empty((len(layers) + 1, *stream.shape), arrays(h[:0]).dtype) if trace else None
    if states is not None:
        states[0] = stream
    for i, layer in enumerate(layers):
        layer(h, totals[:, i])
        if states is not None:
            states[i + 1] = tokens_first(arrays(h), stream)
    given = arrays(totals)
    attended = given.reshape(*stream.shape[:-2], *given.shape[1:])
    return Pass(tokens_first(arrays(h), stream), attended, states)
