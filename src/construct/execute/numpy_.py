"""NumPy: all scores of a head as one matrix, on one core and without a compiler.

The pass holds the stream with its columns first, (D, streams, N): a weight by its non-zeros
adds up rows of it, what a head writes is added to rows of it, and nothing else is touched.
Idle heads and MLPs are skipped: they add 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array, sparray

from construct.execute.passes import Pass, Run, states_of
from construct.execute.weights import Heads, Places, mostly_empty, nonzeros, places, rows_of, units
from construct.network.transformer import Head, Layer, Transformer


def prepare(transformer: Transformer, dtype: str = "float64") -> Run:
    """See `construct.execute`."""
    layers = [_Layer.of(layer, dtype) for layer in transformer.layers]
    K = transformer.sizes.K

    def run(stream: np.ndarray, trace: bool = False) -> Pass:
        # A copy, which the pass writes to.
        h = np.array(_columns_first(np.asarray(stream)), dtype, order="C")
        attended = np.zeros((h.shape[1], len(layers), K, h.shape[2]), dtype)
        states = states_of(stream, len(layers), dtype) if trace else None
        for i, layer in enumerate(layers):
            if states is not None:
                states[i] = _tokens_first(h, stream.ndim)
            layer.attend(h, attended[:, i])
            layer.feed_forward(h)
        out = _tokens_first(h, stream.ndim)
        if states is not None:
            states[-1] = out
        return Pass(out, attended.reshape(*stream.shape[:-2], *attended.shape[1:]), states)

    return run


def _columns_first(stream: np.ndarray) -> np.ndarray:
    """(N, D) or (streams, N, D) -> (D, streams, N)."""
    return stream.reshape(-1, *stream.shape[-2:]).transpose(2, 0, 1)


def _tokens_first(h: np.ndarray, ndim: int) -> np.ndarray:
    """(D, streams, N) -> (streams, N, D), or (N, D) of the one stream."""
    stream = h.transpose(1, 2, 0)
    return stream if ndim == 3 else stream[0]


@dataclass(frozen=True)
class _Product:
    """Tokens times a weight (D, c), with columns first: (D, streams, N) -> (c, streams, N)."""

    reads: Places
    transposed: np.ndarray | csr_array

    @classmethod
    def of(cls, weight: sparray, dtype: str) -> "_Product":
        W = nonzeros(weight)
        reads = rows_of([W])
        if mostly_empty(W.nnz, len(reads) * W.shape[1]):
            return cls(slice(None), csr_array(W.T, dtype=dtype))
        dense = np.ascontiguousarray(W[reads].toarray().T, dtype)
        return cls(places(reads), dense)

    def __call__(self, h: np.ndarray) -> np.ndarray:
        read = h[self.reads]
        found = self.transposed @ read.reshape(len(read), -1)
        return found.reshape(-1, *h.shape[1:])


@dataclass(frozen=True)
class _Head:
    """A head that is not idle: what it multiplies, and where of all that is written it writes."""

    number: int
    W_Q: _Product
    W_K: _Product
    V: _Product
    W_O: _Product | None
    writes: Places

    def __call__(self, h: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What it writes, (c, streams, N), and what each token gave, (streams, N).

        (1/N) sum_j relu(<Q h_i, K h_j>) V h_j (Bai, Definition 1).
        """
        q, k = self.W_Q(h), self.W_K(h)
        scores = q.transpose(1, 2, 0) @ k.transpose(1, 0, 2)
        np.maximum(scores, 0, out=scores)
        del q, k
        totals = scores.sum(axis=-1)
        scores /= h.shape[-1]
        v = self.V(h).transpose(1, 0, 2) @ scores.transpose(0, 2, 1)
        v = v.transpose(1, 0, 2)
        return v if self.W_O is None else self.W_O(v), totals


@dataclass(frozen=True)
class _Layer:
    """A layer: its heads, and the coordinates that they write; its MLP, and those of it."""

    heads: list[_Head]
    writes: Places
    mlp: tuple[_Product, _Product, Places] | None

    @classmethod
    def of(cls, layer: Layer, dtype: str) -> "_Layer":
        heads, writes = _heads(layer.heads, dtype)
        if layer.mlp.idle:
            return cls(heads, writes, None)
        W_in, W_out, written = units(layer.mlp)
        mlp = _Product.of(W_in, dtype), _Product.of(W_out, dtype), places(written)
        return cls(heads, writes, mlp)

    def attend(self, h: np.ndarray, totals: np.ndarray) -> None:
        """Add what the heads write to h, and set what they gave, (streams, K, N)."""
        # All heads read h as it is before the layer.
        alone = len(self.heads) == 1
        update = np.zeros_like(h[:0] if alone else h[self.writes])
        for head in self.heads:
            written, totals[:, head.number] = head(h)
            if alone:
                update = written
            else:
                update[head.writes] += written
        h[self.writes] += update

    def feed_forward(self, h: np.ndarray) -> None:
        """Add relu(h W_in) W_out to h (Bai, Definition 2)."""
        if self.mlp is not None:
            W_in, W_out, writes = self.mlp
            fired = W_in(h)
            h[writes] += W_out(np.maximum(fired, 0, out=fired))


def _heads(heads: Sequence[Head], dtype: str) -> tuple[list[_Head], Places]:
    """The heads that are not idle, and the coordinates that they write together."""
    found = {i: Heads.of([head]) for i, head in enumerate(heads) if not head.idle}
    writes = np.unique(np.concatenate([np.zeros(0, int), *(x.writes for x in found.values())]))
    made = []
    for i, one in found.items():
        [W_Q], [W_K], [V] = one.W_Q, one.W_K, one.V
        W_O = None if one.W_O is None else _Product.of(one.W_O[0], dtype)
        q, k, v = (_Product.of(W, dtype) for W in (W_Q, W_K, V))
        made.append(_Head(i, q, k, v, W_O, places(np.searchsorted(writes, one.writes))))
    return made, places(writes)
