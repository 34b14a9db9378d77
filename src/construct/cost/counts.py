"""What a construction costs, counted without building it.

Integer arithmetic only: the formulas of the layers say how many heads, columns, pairs of
tokens and entries there are, and a table that grows with m says so in closed form.
T = (m+1)(n+w) tokens carry something; N >= T is the context.

A *dense* forward pass computes N^2 scores for each head that is not idle. A *sparse* one
computes no score but those within a head's reach, which is O(N) of them, and evaluates an MLP
where it acts. How both multiply by a weight is counted on the weights (`work`).
"""

from dataclasses import dataclass, field
from math import prod
from typing import Any

from construct.cost.work import (
    NUMBERS,
    Emitted,
    Work,
    dense_work,
    few_examples,
    sparse_work,
)
from construct.designs.theorem import formulas
from construct.designs.theorem.embedding import embedding_entries, embedding_shapes
from construct.designs.theorem.plan import Margins
from construct.designs.theorem.sizes import Sizes
from construct.designs.theorem.wiring import Wiring
from construct.memory import EACH_WEIGHT, refuse_beyond_memory
from construct.network.count import Count
from construct.network.primitives import LayerFormula
from construct.network.reach import EVERY, Reach

# Bytes in an artifact: a float64 with two int32 indices, and where float64 rounds two
# int64 with two more indices; bytes of a number if everything is stored.
NONZERO_BYTES, ROUNDED_BYTES, DENSE_BYTES = 16, 24, 8


@dataclass(frozen=True)
class LayerCost:
    """One layer.

    Attributes:
        reaches: for each head that is not idle the tokens that have a positive score with any
            other, those that any other has one with, and the pairs of such (asking, read): the
            scores that a sparse pass computes.
        weights: the entries of W_Q, W_K, W_V and W_O, summed over these heads.
        units: hidden units of the MLP; 0 if it is idle.
        acts: how often a unit is evaluated in a sparse pass: at each token where it can be
            other than 0.
        mlp: the entries of its weights.
        parameters: entries of all weights, zeros and idle heads included.
    """

    reaches: tuple[tuple[int, int, int], ...]
    weights: dict[str, Count]
    units: int
    acts: int
    mlp: Count
    parameters: int

    @classmethod
    def of(cls, layer: LayerFormula, sizes: Any) -> "LayerCost":
        """Count what the formulas of the layer say."""
        busy, mlp = layer.busy, layer.mlp
        weights = {name: Count() for name in layer.heads[0].shapes}
        for head in busy:
            for name, entries in head.entries().items():
                weights[name] += entries
        shapes = [*(head.shapes for head in layer.heads), mlp.shapes]
        parts = mlp.parts or ((0 if mlp.idle else mlp.units, mlp.acts),)
        return cls(
            reaches=tuple(head.reach.counts(sizes.m, sizes.length) for head in busy),
            weights=weights,
            units=0 if mlp.idle else mlp.units,
            acts=sum(
                count * Reach(tokens, EVERY).counts(sizes.m, sizes.length)[0]
                for count, tokens in parts
            ),
            mlp=mlp.entries(),
            parameters=sum(prod(shape) for part in shapes for shape in part.values()),
        )

    @property
    def heads(self) -> int:
        """How many of the K are not idle."""
        return len(self.reaches)

    @property
    def entries(self) -> Count:
        """The entries of all weights of the layer."""
        return sum(self.weights.values(), start=self.mlp)


@dataclass(frozen=True)
class Cost:
    """What a construction of these sizes and tasks costs.

    A multiplication with an addition is 2 FLOPs. ReLUs and divisions by N, which are
    one for a score, are not counted, nor are embedding and unembedding, nor powers.

    Attributes:
        sizes: K, d, m, n, and what follows from them.
        layers: the layers, in order.
        outer: how many entries W_E, W_pos and W_U have, zeros included.
        places: those that are not zero.
        dense, sparse: what the executors of these names do in a pass; nothing where there is
            no such executor.
    """

    sizes: Any
    layers: tuple[LayerCost, ...]
    outer: int
    places: Count
    dense: Work
    sparse: Work = field(default_factory=Work)

    @classmethod
    def of(cls, sizes: Sizes, wiring: Wiring, margins: Margins) -> "Cost":
        """Count, in a time that does not grow with m and n.

        Raises:
            ConstructError: if a weight is beyond the range of float64, or the heads of a layer,
                whose size hardly depends on m and n, do not fit in memory.
        """
        # N and the end of the table grow with m and n, and are not looked at below.
        Count.of([sizes.N, 1 - sizes.M**2])
        given = formulas(sizes, wiring, margins)
        layers = tuple(LayerCost.of(layer, sizes) for layer in given)
        dense = sparse = Work()
        few = formulas(few_examples(sizes), wiring, margins)
        for layer, small, counted in zip(given, few, layers, strict=True):
            nonzeros = sum(entries.nonzeros for entries in counted.weights.values())
            refuse_beyond_memory(nonzeros, EACH_WEIGHT, f"the heads of layer {layer.name!r}")
            emitted = Emitted.of(layer, small)
            dense, sparse = dense + dense_work(emitted, sizes), sparse + sparse_work(emitted, sizes)
        outer = sum(map(prod, embedding_shapes(sizes).values()))
        return cls(sizes, layers, outer, Count(embedding_entries(sizes)), dense, sparse)

    @property
    def parameters(self) -> int:
        """Entries of all weight matrices, zeros and idle heads included."""
        return self.outer + sum(layer.parameters for layer in self.layers)

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
        """FLOPs of a dense forward pass: all N^2 scores of every head that is not idle."""
        return self.dense.flops

    @property
    def sparse_flops(self) -> int:
        """FLOPs of a sparse forward pass: scores within reach."""
        return self.sparse.flops

    def dense_numbers(self, devices: int = 1) -> int:
        """Numbers that each device holds at once, of N/devices tokens.

        The stream, which layers write to in place, with queries, keys and values of one head,
        their copies in blocks, and what the layer writes. Scores are not there, nor units of a
        dense MLP: a few at a time. The stream that is given and weights are not counted.
        """
        N = self.sizes.N
        return -(-N // devices) * (self.sizes.D + self.dense.held // N)

    def sparse_numbers(self, devices: int = 1) -> int:
        """The same for a sparse pass: T tokens, and what the heads of a layer hold of a block."""
        examples = -(-(self.sizes.m + 1) // devices)
        block = 3 * min(examples * self.sparse.widest, NUMBERS)
        share = -(-self.sparse.held // devices)
        return examples * self.sizes.length * self.sizes.D + max(block, share)
