"""What a construction costs, counted without building it.

Integer arithmetic only: the formulas of the layers say how many heads, columns, pairs of
tokens and entries there are, and a table that grows with m says so in closed form.
T = (m+1)n tokens carry something; N >= T is the context.

A *dense* forward pass multiplies everything by everything: N^2 scores for each head
that is not idle. A *sparse* one multiplies non-zeros only, and computes no score but
those within a head's reach, which is O(N) of them. An MLP is evaluated where it acts.
"""

from dataclasses import dataclass
from math import prod

from construct.designs.theorem import formulas
from construct.designs.theorem.embedding import embedding_entries, embedding_shapes
from construct.designs.theorem.plan import Margins
from construct.designs.theorem.sizes import Sizes
from construct.designs.theorem.wiring import Wiring
from construct.network.count import Count
from construct.network.primitives import LayerFormula
from construct.network.reach import EVERY, Reach

# Bytes in an artifact: a float64 with two int32 indices, and where float64 rounds two
# int64 with two more indices; bytes of a number if everything is stored.
NONZERO_BYTES, ROUNDED_BYTES, DENSE_BYTES = 16, 24, 8


@dataclass(frozen=True)
class LayerCost:
    """One layer; its heads that are not idle are alike in shape and reach.

    Attributes:
        heads: how many of the K are not idle.
        q: d_head, columns of W_Q and of W_K.
        v: d_value, columns of W_V.
        asks: tokens that have a positive score with any other.
        reads: tokens that any other has a positive score with.
        pairs: (asking, read) tokens: the scores that a sparse pass computes.
        weights: the entries of W_Q, W_K, W_V and W_O, summed over these heads.
        units: hidden units of the MLP; 0 if it is idle.
        acts: tokens at which a unit can be other than 0.
        mlp: the entries of its weights.
        parameters: entries of all weights, zeros and idle heads included.
    """

    heads: int
    q: int
    v: int
    asks: int
    reads: int
    pairs: int
    weights: dict[str, Count]
    units: int
    acts: int
    mlp: Count
    parameters: int

    @classmethod
    def of(cls, layer: LayerFormula, sizes: Sizes) -> "LayerCost":
        """Count what the formulas of the layer say."""
        busy, mlp = layer.busy, layer.mlp
        some = (busy or layer.heads)[0]
        weights = {name: Count() for name in some.shapes}
        for head in busy:
            for name, entries in head.entries().items():
                weights[name] += entries
        asks, reads, pairs = some.reach.counts(sizes.m, sizes.n)
        shapes = [*(head.shapes for head in layer.heads), mlp.shapes]
        return cls(
            heads=len(busy),
            q=some.shapes["W_Q"][1],
            v=some.shapes["W_V"][1],
            asks=asks,
            reads=reads,
            pairs=pairs,
            weights=weights,
            units=0 if mlp.idle else mlp.units,
            acts=Reach(mlp.acts, EVERY).counts(sizes.m, sizes.n)[0],
            mlp=mlp.entries(),
            parameters=sum(prod(shape) for part in shapes for shape in part.values()),
        )

    @property
    def entries(self) -> Count:
        """The entries of all weights of the layer."""
        return sum(self.weights.values(), start=self.mlp)

    def dense_flops(self, N: int, D: int) -> int:
        """Projections of N tokens of width D, N^2 scores, their values, and the MLP."""
        attended = self.heads * (4 * N * D + 2 * N**2) * (self.q + self.v)
        return attended + 4 * N * D * self.units

    @property
    def sparse_products(self) -> int:
        """Products of a non-zero weight, or of a score, in a sparse pass."""
        W_Q, W_K, W_V, W_O = (entries.nonzeros for entries in self.weights.values())
        projected = self.asks * (W_Q + W_O) + self.reads * (W_K + W_V)
        scored = self.heads * self.pairs * (self.q + self.v)
        return projected + scored + self.acts * self.mlp.nonzeros

    def sparse_numbers(self, devices: int) -> int:
        """Queries, keys and values of one head that are held at once, on each device."""
        asks, reads = -(-self.asks // devices), -(-self.reads // devices)
        return asks * self.q + reads * (self.q + self.v)


@dataclass(frozen=True)
class Cost:
    """What a construction of these sizes and tasks costs.

    A multiplication with an addition is 2 FLOPs. ReLUs and divisions by N, which are
    one for a score, are not counted, nor are embedding and unembedding.

    Attributes:
        sizes: K, d, m, n, S, P.
        layers: the layers, in order.
        places: the entries of W_E, W_pos and W_U.
    """

    sizes: Sizes
    layers: tuple[LayerCost, ...]
    places: Count

    @classmethod
    def of(cls, sizes: Sizes, wiring: Wiring, margins: Margins) -> "Cost":
        """Count, in a time that does not grow with m and n.

        Raises:
            ConstructError: if a weight is beyond the range of float64.
        """
        # N and the end of the table grow with m and n, and are not looked at below.
        Count.of([sizes.N, 1 - sizes.M**2])
        layers = tuple(LayerCost.of(layer, sizes) for layer in formulas(sizes, wiring, margins))
        return cls(sizes, layers, Count(embedding_entries(sizes)))

    @property
    def parameters(self) -> int:
        """Entries of all weight matrices, zeros and idle heads included."""
        outer = sum(map(prod, embedding_shapes(self.sizes).values()))
        return outer + sum(layer.parameters for layer in self.layers)

    @property
    def entries(self) -> Count:
        """Entries of all weight matrices that are not zero, and that float64 rounds."""
        return sum((layer.entries for layer in self.layers), start=self.places)

    @property
    def artifact_bytes(self) -> int:
        """Bytes of the weights in an artifact, names and tasks aside."""
        return NONZERO_BYTES * self.entries.nonzeros + ROUNDED_BYTES * self.entries.rounded

    @property
    def dense_bytes(self) -> int:
        """Bytes of the weights with all their zeros."""
        return DENSE_BYTES * self.parameters

    @property
    def dense_flops(self) -> int:
        """FLOPs of a forward pass over all N tokens, without idle heads and MLPs."""
        return sum(layer.dense_flops(self.sizes.N, self.sizes.D) for layer in self.layers)

    @property
    def sparse_flops(self) -> int:
        """FLOPs of a forward pass over non-zero weights and scores within reach."""
        return 2 * sum(layer.sparse_products for layer in self.layers)

    def dense_numbers(self, devices: int = 1) -> int:
        """Numbers that each device holds at once, of N/devices tokens.

        The stream, with queries, keys and values of one head. Scores and hidden units
        are streamed: a few at a time. Weights are not counted.
        """
        widest = max(2 * layer.q + layer.v for layer in self.layers if layer.heads)
        return -(-self.sizes.N // devices) * (self.sizes.D + widest)

    def sparse_numbers(self, devices: int = 1) -> int:
        """The same for a sparse pass: T tokens, queries and keys where they are needed."""
        widest = max(layer.sparse_numbers(devices) for layer in self.layers if layer.heads)
        return -(-self.sizes.tokens // devices) * self.sizes.D + widest
