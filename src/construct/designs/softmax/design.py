"""A softmax design: a list of blocks, with its fields and its embedding."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from construct.designs.softmax.plan import Plan
from construct.designs.softmax.sizes import Sizes
from construct.network.attention import Attention
from construct.network.count import Count
from construct.network.primitives import LayerFormula
from construct.network.transformer import Layer, Transformer

Block = Callable[[Plan], LayerFormula]


@dataclass(frozen=True, eq=False)
class Design:
    """All that the rest of the package asks of one.

    Attributes:
        name: as `build(..., design=...)` takes it.
        of: what its answers are, in a word or two.
        attention: what its heads do with their scores.
        blocks: its layers, in order.
        tests: the one of which head k tests task k on each example: its weights off the sink,
            at all tokens of the example, are the votes.
        wiring: (held tasks, n) -> how they are read.
        sizes: (wiring, K, d, m, n) -> sizes.
        embeddings: W_E, W_pos and W_U.
        reads_labels: whether a task is also evaluated where a label stands in the place of an
            input: at tokens that are not its home.
        logits: whether its own softmax over W_U's columns is the answer: a column for each
            word, and one for none.
    """

    name: str
    of: str
    attention: Attention
    blocks: tuple[Block, ...]
    tests: Block
    wiring: Callable[[Sequence[Any], int], Any]
    sizes: Callable[[Any, int, int, int, int], Sizes]
    embeddings: Callable[[Plan], dict[str, csr_array]]
    reads_labels: bool = False
    logits: bool = False

    def formulas(self, plan: Plan) -> tuple[LayerFormula, ...]:
        """The layers: cheap, before any weight is emitted."""
        return tuple(block(plan) for block in self.blocks)

    def outer(self, plan: Plan) -> tuple[int, Count]:
        """How many entries W_E, W_pos and W_U have, and those that are not 0, without making them.

        What stands in the places of the context grows with m, and with the codes of the examples,
        that all but the sink have; the rest is counted on contexts of one example and of two.
        """
        sizes = plan.sizes
        few = [plan.with_examples(m) for m in (1, 2)]
        one, two = map(self.embeddings, few)
        first, second = (
            W["W_pos"].nnz - _codes(some.sizes) for W, some in zip((one, two), few, strict=True)
        )
        places = first + (sizes.m - 1) * (second - first) + _codes(sizes)
        size = (one["W_E"].shape[0] + sizes.N + one["W_U"].shape[1]) * sizes.D
        return size, Count(one["W_E"].nnz + places + one["W_U"].nnz)

    def transformer(
        self, plan: Plan, layers: tuple[Layer, ...], outer: dict[str, csr_array]
    ) -> Transformer:
        """The transformer of these layers, with this embedding and unembedding."""
        sizes = plan.sizes
        return Transformer(sizes, layers, **outer, answer=sizes.N - 1, attention=self.attention)

    def queries(self, sizes: Sizes, examples: int) -> list[int]:
        """The tokens at which an answer stands: the i-th has i examples before it, from 0.

        Causal attention answers at the last input of each example and of the query; any other
        at the label of the query alone.
        """
        if self.attention.causal:
            return [sizes.place(i, sizes.n - 1) for i in range(examples + 1)]
        return [sizes.place(sizes.m, sizes.n)]

    def votes(self, sizes: Sizes, attended: np.ndarray, examples: int) -> np.ndarray:
        """(K, examples): what head k gave for each example, from the totals (layers, heads, N)."""
        given = attended[self.blocks.index(self.tests), : sizes.K, 1 : 1 + examples * sizes.n]
        return given.reshape(sizes.K, examples, sizes.n).sum(axis=-1)


def _codes(sizes: Sizes) -> int:
    """The entries of the codes of the examples: at each token but the sink."""
    return (sizes.N - 1) * sizes.ell_e
