"""What the weights of all stock classes here have in common."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from weakref import WeakKeyDictionary

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from scipy.sparse import csc_array, csr_array

from construct.compiler.softmax import SoftmaxConstruction
from construct.interop import Progress
from construct.interop.dense import dense, side_by_side, stacked, widest
from construct.interop.scaled import Scaled
from construct.network.transformer import Head, Layer

# eps of a norm, and the weight that undoes its division by the root of it. To 2^100 a variance
# below 2^46 adds nothing in float64; and float32 holds what a 2^50th of a stream can be.
EPSILON, UNDO = 2.0**100, 2.0**50

Tensors = dict[str, ndarray]


@dataclass(frozen=True)
class Needs:
    """What a stock class has to have room for.

    Attributes:
        D: our width.
        heads: of each layer.
        columns: of a head, of its scores and of its values.
        units: of the largest MLP.
        positions: tokens of the context.
        d: columns of an answer, that of no word aside.
    """

    D: int
    layers: int
    heads: int
    columns: int
    units: int
    positions: int
    d: int

    @classmethod
    def of(
        cls, construction: SoftmaxConstruction, heads: Sequence[Head], words: int | None = None
    ) -> "Needs":
        """Those of a construction.

        Args:
            heads: all that it has, as they will be written.
            words: as if there were so many, with tables in proportion.
        """
        transformer, scaled = construction.transformer, Scaled(construction, words)
        sizes, columns = construction.sizes, widest(heads, "W_Q", "W_V")
        if words is not None:
            # Of codes and constants there are as many as before, and so of votes.
            beside = sizes.ell_e + sizes.ell_t + 4
            columns = min(columns, max(sizes.K, -(-columns * words // sizes.d) + beside))
        units = max(layer.mlp.sparse("W_in").shape[1] for layer in transformer.layers)
        return cls(
            scaled.D,
            len(transformer.layers),
            sizes.heads,
            columns,
            scaled.units(units),
            sizes.N,
            scaled.vocabulary(sizes.d),
        )


def heads_of(construction: SoftmaxConstruction) -> list[Head]:
    """All heads that a construction has."""
    return [head for layer in construction.transformer.layers for head in layer.heads]


@dataclass(frozen=True)
class StockSizes:
    """The sizes of a stock class.

    Attributes:
        needs: what it has to have room for.
    """

    needs: Needs

    @classmethod
    def of(cls, construction: SoftmaxConstruction, words: int | None = None) -> "StockSizes":
        """Those of a construction, or about those with so many words and tables in proportion."""
        return cls(Needs.of(construction, cls.written(heads_of(construction)), words))

    @staticmethod
    def written(heads: Iterable[Head]) -> list[Head]:
        """These heads, as they are to be written."""
        return list(heads)


def numbered(
    prefix: str, layers: Sequence[Layer], block: Callable[[Layer], Tensors], progress: Progress
) -> Tensors:
    """The weights of all layers, each under the prefix and its number."""
    found: Tensors = {}
    for number, layer in enumerate(layers):
        progress("weights", number, len(layers))
        found |= {f"{prefix}.{number}.{name}": tensor for name, tensor in block(layer).items()}
    progress("weights", len(layers), len(layers))
    return found


# A head of 50,000 words takes a second, and costs are asked for many times.
_MERGED: WeakKeyDictionary[Head, Head] = WeakKeyDictionary()


def merged(head: Head) -> Head:
    """The head with the same scores, in fewer columns where some are multiples of another.

    q_1 k_1 + q_2 k_2 is q_1 (k_1 + a k_2) where q_2 = a q_1, and so for keys. Of a decoder of words
    all are whole numbers, and stay so.
    """
    if head.silent:
        return head
    if head not in _MERGED:
        W_Q, W_K = _merged(csc_array(head.sparse("W_Q")), csc_array(head.sparse("W_K")))
        W_K, W_Q = _merged(W_K, W_Q)
        _MERGED[head] = replace(head, W_Q=csr_array(W_Q), W_K=csr_array(W_K))
    return _MERGED[head]


def _merged(these: csc_array, others: csc_array) -> tuple[csc_array, csc_array]:
    """Of columns that are whole multiples of one, that one; their others times these, added up."""
    groups: dict[tuple, list[tuple[int, float]]] = defaultdict(list)
    for column, (start, end) in enumerate(zip(these.indptr, these.indptr[1:], strict=False)):
        values, scale = these.data[start:end], 1.0
        if len(values) and values[0] and not np.fmod(values, values[0]).any():
            values, scale = values / values[0], float(values[0])
        key = tuple(these.indices[start:end].tolist()), tuple(values.tolist())
        groups[key].append((column, scale))
    rows = [row for at, _ in groups for row in at]
    entries = [entry for _, held in groups for entry in held]
    ends = np.cumsum([0, *(len(at) for at, _ in groups)])
    one = csc_array(
        (np.array(entries, float), np.array(rows, np.int64), ends),
        shape=(these.shape[0], len(groups)),
    )
    members = [(c, group, s) for group, found in enumerate(groups.values()) for c, s in found]
    columns, to, scales = (np.array(part) for part in zip(*members, strict=True))
    gather = csc_array((scales, (columns, to)), shape=(these.shape[1], len(groups)))
    return one, csc_array(others @ gather)


def power_of_four(least: int) -> int:
    """The least power of four that is not below."""
    return 4 ** -(-(least - 1).bit_length() // 2)


def root(d_head: int) -> float:
    """The root of a power of four: by it scores are divided, exactly."""
    return 2.0 ** (d_head.bit_length() // 2)


@dataclass(frozen=True, eq=False)
class Block:
    """A layer in the sizes of a stock class, zeros included: heads side by side.

    Attributes:
        Q, K, V, O, into, out: inputs first, as in our own network.
    """

    Q: Float[ndarray, "width columns"]
    K: Float[ndarray, "width columns"]
    V: Float[ndarray, "width columns"]
    O: Float[ndarray, "columns width"]  # noqa: E741
    into: Float[ndarray, "width units"]
    out: Float[ndarray, "units width"]

    @classmethod
    def of(
        cls,
        layer: Layer,
        heads: Sequence[Head],
        dtype: str,
        *,
        width: int,
        columns: int,
        d_head: int,
        units: int,
        factor: float = 1.0,
    ) -> "Block":
        """That of a layer.

        Args:
            heads: its heads, as they are to be written.
            columns: of all heads together; those beyond ours are 0.
            factor: what W_Q is multiplied by.
        """
        Q, K, V = (
            room(side_by_side(heads, name, d_head, dtype), width, columns)
            for name in ("W_Q", "W_K", "W_V")
        )
        return cls(
            Q * np.dtype(dtype).type(factor),
            K,
            V,
            room(stacked(heads, d_head, dtype), columns, width),
            dense(layer.mlp, "W_in", (width, units), dtype),
            dense(layer.mlp, "W_out", (units, width), dtype),
        )


def room(array: Float[ndarray, "a b"], rows: int, columns: int) -> Float[ndarray, "rows columns"]:
    """The array in the upper left of zeros."""
    return np.pad(array, ((0, rows - array.shape[0]), (0, columns - array.shape[1])))


def turned(array: Float[ndarray, "a b"]) -> Float[ndarray, "b a"]:
    """As a linear layer of PyTorch has it: outputs first."""
    return np.ascontiguousarray(array.T)
