"""The weights as plain data. Nothing here computes.

Row-vector convention, as in most libraries: for a stream h of shape (N, D) a head
has queries h @ W_Q, keys h @ W_K, values h @ W_V, and writes (...) @ W_O. Bai's
matrices are Q = W_Q^T, K = W_K^T and V = (W_V W_O)^T (2306.04637, Definition 1);
there are no biases and no normalisation. What scores become is `Transformer.attention`.

Weights are float64 and kept by their non-zeros: `head.sparse("W_Q")` is a SciPy array,
`head.W_Q` a dense copy, made whenever it is asked for. An entry that float64 cannot hold
(1/3, say) is rounded there and stands exactly in `exact`, which only the exact executor
reads.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from scipy.sparse import csr_array, sparray

from construct.errors import brief, brief_names
from construct.network.attention import RELU, Attention
from construct.network.reach import ANYWHERE, EVERY, Parts, Reach, Tokens
from construct.network.residual import Residual
from construct.rational import Rational

# Given either way, read dense.
if TYPE_CHECKING:
    Matrix = ndarray
else:
    Matrix = ndarray | csr_array


class Entries(Mapping[tuple[int, int], Fraction]):
    """{(row, column): exact value} as arrays: there may be millions.

    Attributes:
        at: (2, count), rows and columns.
        numerators, denominators: arrays of Python integers.
    """

    def __init__(self, at: ndarray, numerators: ndarray, denominators: ndarray) -> None:
        self.at, self.numerators, self.denominators = at, numerators, denominators

    @classmethod
    def of(cls, entries: Mapping[tuple[int, int], Rational]) -> "Entries":
        """From any mapping."""
        if isinstance(entries, Entries):
            return entries
        at = np.array(list(entries), dtype=np.int64).reshape(-1, 2).T
        return cls.from_values(at, list(entries.values()))

    @classmethod
    def from_values(cls, at: ndarray, values: Sequence[Rational]) -> "Entries":
        """From places and rationals in the same order."""
        numerators = np.array([x.numerator for x in values], dtype=object)
        return cls(at, numerators, np.array([x.denominator for x in values], dtype=object))

    @classmethod
    def join(cls, parts: Sequence["Entries"]) -> "Entries":
        """All entries of several."""
        return cls(
            np.concatenate([part.at for part in parts], axis=1),
            np.concatenate([part.numerators for part in parts]),
            np.concatenate([part.denominators for part in parts]),
        )

    @cached_property
    def _index(self) -> dict[tuple[int, int], int]:
        return {(int(i), int(j)): place for place, (i, j) in enumerate(self.at.T)}

    def __getitem__(self, place: tuple[int, int]) -> Fraction:
        index = self._index[place]
        return Fraction(self.numerators[index], self.denominators[index])

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter(self._index)

    def __len__(self) -> int:
        return len(self.numerators)


@runtime_checkable
class Shape(Protocol):
    """What weights and executors need to know of the sizes of a design."""

    @property
    def K(self) -> int:
        """Tasks."""

    @property
    def heads(self) -> int:
        """Heads in each layer."""

    @property
    def d(self) -> int:
        """Dimension of a token's vector."""

    @property
    def m(self) -> int:
        """Slots for examples; the query is one more."""

    @property
    def n(self) -> int:
        """Tokens of an example in a prompt."""

    @property
    def length(self) -> int:
        """Tokens of an example in the network."""

    @property
    def tokens(self) -> int:
        """(m+1) length: those that carry something."""

    @property
    def N(self) -> int:
        """The context length: `tokens`, and padding."""

    @property
    def D(self) -> int:
        """The width of the residual stream."""

    @property
    def residual(self) -> Residual:
        """The fields of the residual stream."""

    @property
    def formula(self) -> str:
        """How the width comes about, in numbers."""


# tensor name -> the exact values of its entries that float64 rounds
Exact = Mapping[str, Mapping[tuple[int, int], Fraction]]


class Weight:
    """A weight matrix as a field of a dataclass: given either way, kept sparse, read dense.

    What is read is a copy, made at each reading. It cannot be written to: the weight would
    not change with it.
    """

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, part: Any, owner: type) -> ndarray:
        if part is None:
            raise AttributeError(self.name)  # so the field has no default
        dense = part.sparse(self.name).toarray()
        dense.flags.writeable = False
        return dense.view()  # of what cannot be written to: it cannot be made writable

    def __set__(self, part: Any, weight: ndarray | sparray) -> None:
        kept = csr_array(weight, dtype=np.float64, copy=True)
        kept.sum_duplicates()
        for array in (kept.data, kept.indices, kept.indptr):
            array.flags.writeable = False
        part.__dict__[self.name] = kept


def weight() -> Any:
    """A field that holds a weight."""
    return Weight()


class Weighted:
    """A part that has weights."""

    WEIGHTS: tuple[str, ...]

    def sparse(self, name: str) -> csr_array:
        """The weight of that name by its non-zeros: canonical, float64, not to be written to."""
        return self.__dict__[name]

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Copies, and what a pickle gives, take their weights as any other part does."""
        for name, value in state.items():
            object.__setattr__(self, name, value)


class Part(Weighted):
    """A head or an MLP."""

    exact: Exact

    @property
    def idle(self) -> bool:
        """Whether one of its first two weights is all 0: then it adds 0."""
        return any(self._vanishes(name) for name in self.WEIGHTS[:2])

    def _vanishes(self, name: str) -> bool:
        # A weight may be 0 as a float throughout and not be 0.
        return not self.sparse(name).count_nonzero() and name not in self.exact


@dataclass(frozen=True, eq=False)
class Head(Part):
    """One attention head; an idle one is all zero, of head dimension 1.

    Attributes:
        name: unique in its layer, or "idle".
        purpose: one sentence.
        reach: the pairs of tokens that can score.
    """

    name: str
    purpose: str
    W_Q: Float[Matrix, "D d_head"] = weight()
    W_K: Float[Matrix, "D d_head"] = weight()
    W_V: Float[Matrix, "D d_value"] = weight()
    W_O: Float[Matrix, "d_value D"] = weight()
    exact: Exact = field(default_factory=dict)
    reach: Reach = ANYWHERE

    WEIGHTS = ("W_Q", "W_K", "W_V", "W_O")

    @property
    def silent(self) -> bool:
        """Whether it writes nothing, wherever it attends: W_V or W_O is all 0.

        Under ReLU an idle head is one without scores; under softmax a score of 0 has a weight.
        """
        return any(self._vanishes(name) for name in self.WEIGHTS[2:])

    def __repr__(self) -> str:
        (D, d_head), d_value = self.sparse("W_Q").shape, self.sparse("W_V").shape[1]
        sizes = f"D = {D}, d_head = {d_head}, d_value = {d_value}"
        return f"Head({brief(self.name, 24)}: {sizes})"


@dataclass(frozen=True, eq=False)
class Mlp(Part):
    """h <- h + relu(h @ W_in) @ W_out; an idle one is all zero, with one unit.

    Attributes:
        purpose: one sentence.
        acts: the tokens (example, position) where a unit can be other than 0.
        parts: where only some units can be other than 0: so many of them, one after the
            other, and the tokens; empty where `acts` holds for all.
    """

    purpose: str
    W_in: Float[Matrix, "D d_mlp"] = weight()
    W_out: Float[Matrix, "d_mlp D"] = weight()
    exact: Exact = field(default_factory=dict)
    acts: Tokens = EVERY
    parts: Parts = ()

    WEIGHTS = ("W_in", "W_out")

    def __repr__(self) -> str:
        D, units = self.sparse("W_in").shape
        return f"Mlp(D = {D}, {units} units{', idle' * self.idle})"


@dataclass(frozen=True, eq=False)
class Layer:
    """Attention, then MLP.

    Attributes:
        name: as the design calls it.
        lemma: what the residual stream holds after this layer.
        heads: as many as every layer has.
    """

    name: str
    lemma: str
    heads: tuple[Head, ...]
    mlp: Mlp

    def __repr__(self) -> str:
        names = [head.name for head in self.heads if not head.idle]
        units = self.mlp.sparse("W_in").shape[1]
        mlp = "idle" if self.mlp.idle else f"of {units} units"
        return f"Layer({self.name}: {brief_names(names, 36) or 'all heads idle'}; MLP {mlp})"


@dataclass(frozen=True, eq=False)
class Transformer(Weighted):
    """Layers of equally many heads, with embedding and unembedding.

    Attributes:
        W_E: embeds a token's vector and the flag "of a real example".
        W_pos: what each place of the context holds before any token is put there.
        W_U: reads the answer from the answer token's residual stream.
        answer: the index of the answer token.
        attention: what its heads do with their scores.
    """

    sizes: Shape
    layers: tuple[Layer, ...]
    W_E: Float[Matrix, "d_in D"] = weight()
    W_pos: Float[Matrix, "N D"] = weight()
    W_U: Float[Matrix, "D d"] = weight()
    answer: int  # type: ignore[misc]  # mypy takes weight() for a default
    attention: Attention = RELU

    WEIGHTS = ("W_E", "W_pos", "W_U")

    def __repr__(self) -> str:
        sizes = f"K = {self.sizes.K}, D = {self.sizes.D}, N = {self.sizes.N}"
        return f"Transformer({len(self.layers)} layers, {sizes}; {self.nonzeros} non-zero weights)"

    def parts(self) -> Iterator[tuple[str, Any]]:
        """(prefix, part) for every head and MLP, in order."""
        for i, layer in enumerate(self.layers):
            for k, head in enumerate(layer.heads):
                yield f"layers.{i}.heads.{k}", head
            yield f"layers.{i}.mlp", layer.mlp

    def weights(self) -> dict[str, csr_array]:
        """Every weight by name, sparse."""
        return {name: part.sparse(own) for name, part, own in self._named()}

    def exact_entries(self) -> dict[str, Entries]:
        """For every weight that has some, the entries that float64 rounds."""
        return {
            f"{prefix}.{name}": Entries.of(entries)
            for prefix, part in self.parts()
            for name, entries in part.exact.items()
            if entries
        }

    def tensors(self) -> dict[str, ndarray]:
        """Every weight by name, dense."""
        return {name: getattr(part, own) for name, part, own in self._named()}

    @property
    def parameters(self) -> int:
        """Entries of all weights, zeros included."""
        return sum(math.prod(weight.shape) for weight in self.weights().values())

    @property
    def nonzeros(self) -> int:
        """Entries of all weights that are not 0."""
        return sum(int(weight.count_nonzero()) for weight in self.weights().values())

    def _named(self) -> Iterator[tuple[str, Weighted, str]]:
        for name in self.WEIGHTS:
            yield name, self, name
        for prefix, part in self.parts():
            for name in part.WEIGHTS:
                yield f"{prefix}.{name}", part, name
