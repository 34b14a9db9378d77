"""What an executor does in a pass, counted on the weights of the heads.

Which weight is multiplied by its non-zeros, and which as a dense matrix, is asked of
`execute.weights`, as the executors ask it. Heads are emitted for that, one layer at a time:
their weights hardly grow with m. An MLP whose units grow with m is a table, and its units
are counted on a small one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.sparse import csr_array, hstack, sparray, vstack

from construct.designs.theorem.sizes import Sizes
from construct.execute.groups import Members, by_position, head_groups, unit_groups
from construct.execute.weights import UNITS, Heads, Terms, mostly_empty, rows_of, units
from construct.network.primitives import LayerFormula
from construct.network.reach import ALL, EVERY, Reach, Tokens
from construct.network.transformer import Head

# More scores than these are in blocks, each with a column of ones that adds them up; a stage of
# the sparse pass takes examples of so many numbers at a time.
SCORES, NUMBERS = 2048 * 512, 1 << 21


@dataclass(frozen=True)
class Product:
    """One token with a weight: by terms (gathered, times a number) or by a dense matrix.

    Attributes:
        terms: numbers that are gathered, padding included.
        dense: entries of the dense matrix.
        width: columns of the product.
    """

    terms: int = 0
    dense: int = 0
    width: int = 0

    @classmethod
    def stacked(cls, weights: Sequence[sparray]) -> "Product":
        """Of each of the weights, as the dense executor stacks them: with all rows."""
        cost, (rows, columns) = Terms.of(weights).cost, weights[0].shape
        dense = rows * columns
        return cls(cost, 0, columns) if mostly_empty(cost, dense) else cls(0, dense, columns)

    def times(self, count: int, over: int) -> "Product":
        """With count/over of its terms and entries."""
        return Product(self.terms * count // over, self.dense * count // over, self.width)

    @classmethod
    def single(cls, weights: Sequence[sparray], reads: int | None = None) -> "Product":
        """Of one weight, or of one of several that are side by side, each for other tokens.

        A dense one reads the rows that are not all 0, or so many.
        """
        cost, columns, used = Terms.of(weights).cost, weights[0].shape[1], len(rows_of(weights))
        if mostly_empty(cost, used * columns):
            return cls(cost, 0, columns)
        return cls(0, (used if reads is None else reads) * columns, columns)


@dataclass(frozen=True)
class Work:
    """What a pass, or a layer of it, does.

    Attributes:
        terms: numbers that are gathered, each times a weight or another number.
        dense: products in matrix products, those of scores and values included.
        held: the most numbers held at once besides the stream.
        powers: powers of e: of softmax attention one for each score.
        widest: the most numbers that the heads of a layer hold of one kind for an example.
    """

    terms: int = 0
    dense: int = 0
    held: int = 0
    widest: int = 0
    powers: int = 0

    def __add__(self, other: "Work") -> "Work":
        return Work(
            self.terms + other.terms,
            self.dense + other.dense,
            max(self.held, other.held),
            max(self.widest, other.widest),
            self.powers + other.powers,
        )

    @property
    def flops(self) -> int:
        """A multiplication with an addition is 2."""
        return 2 * (self.terms + self.dense)


@dataclass(frozen=True)
class Emitted:
    """What of a layer is looked at: its heads that are not idle, and its MLP.

    Attributes:
        heads: with their weights.
        W_in, W_out: one token with the MLP; nothing where it is idle.
        writes: how many coordinates the MLP writes.
        units: for each group of units, where it acts, and one token with it.
    """

    heads: list[Head]
    W_in: Product
    W_out: Product
    writes: int
    units: list[tuple[Tokens, Product, Product]]

    @classmethod
    def of(cls, layer: LayerFormula, few: LayerFormula) -> "Emitted":
        """A layer, of which this is the same with few examples."""
        return cls([head.emit() for head in layer.busy], *_mlp(layer, few))

    def times(self, units: int, over: int) -> "Emitted":
        """With as many times the units in its MLP: tables grow in proportion."""
        W_in, W_out = self.W_in.times(units, over), self.W_out.times(units, over)
        return replace(self, W_in=replace(W_in, width=units), W_out=W_out, units=[])


def few_examples(sizes: Sizes) -> Sizes:
    """The sizes at which the units of a table are looked at."""
    return replace(sizes, m=min(sizes.m, 2))


def dense_work(layer: Emitted, sizes: Sizes) -> Work:
    """What the dense executor, JAX, does: every head on all N tokens, one head at a time."""
    N = sizes.N
    found = Work()
    for heads in _alike(layer.heads, _shapes):
        part = Heads.of(heads)
        W_Q, W_K, V = map(Product.stacked, (part.W_Q, part.W_K, part.V))
        W_O = Product() if part.W_O is None else Product.stacked(part.W_O)
        token = _total(W_Q, W_K, V, W_O)
        # A column of ones adds up the scores, where they are not all there at once.
        values = V.width + (N**2 > SCORES)
        scores = N * (W_Q.width + values)
        copies = 2 if N**2 > SCORES else 1
        held = N * (copies * (2 * W_Q.width + V.width) + len(part.writes))
        found += Work(len(heads) * N * token.terms, len(heads) * N * (token.dense + scores), held)
    return found + mlp_work(layer, N)


def mlp_work(layer: Emitted, N: int) -> Work:
    """What the dense executor does in an MLP, on all N tokens: some at a time."""
    token, units = _total(layer.W_in, layer.W_out), layer.W_in.width
    fired = min(N * units, max(UNITS, units)) if token.terms else 0  # in blocks, if all is dense
    return Work(N * token.terms, N * token.dense, N * layer.writes + fired)


def softmax_work(layer: Emitted, sizes: Any) -> Work:
    """What JAX does with softmax attention: every head on all N tokens, one head at a time."""
    N, found = sizes.N, Work()
    for heads in _alike([head for head in layer.heads if not head.silent], _shapes):
        part = Heads.of(heads)
        W_Q, W_K, V = map(Product.stacked, (part.W_Q, part.W_K, part.V))
        W_O = Product() if part.W_O is None else Product.stacked(part.W_O)
        token = _total(W_Q, W_K, V, W_O)
        # A block of scores, what is seen of them, and their powers.
        block = 3 * max(N, min(N**2, SCORES))
        held = N * (2 * W_Q.width + V.width + len(part.writes)) + block
        dense = N * (token.dense + N * (W_Q.width + V.width))
        count = len(heads)
        found += Work(count * N * token.terms, count * dense, held, powers=count * N**2)
    return found + mlp_work(layer, N)


def sparse_work(layer: Emitted, sizes: Sizes) -> Work:
    """What the sparse executor does: heads side by side, on what they reach."""
    found = Work()
    reaches = {k: head.reach for k, head in enumerate(layer.heads)}
    for reach, members in head_groups(layer.heads, reaches):
        heads = [layer.heads[k] for own in members for k in own]
        found += _side_by_side(Heads.of(heads), reach, members, sizes)
    for acts, W_in, W_out in layer.units:
        tokens, _, _ = Reach(acts, EVERY).counts(sizes.m, sizes.length)
        one = _total(W_in, W_out)
        wide = W_in.width * (tokens // (sizes.m + 1)) if acts[0] == ALL else 0
        found += Work(tokens * one.terms, tokens * one.dense, widest=wide)
    return found


def _side_by_side(part: Heads, reach: Reach, members: Members, sizes: Sizes) -> Work:
    asks, reads, pairs = reach.counts(sizes.m, sizes.length)
    count = len(members[0])
    queries, keys = (by_position(W, hstack, members) for W in (part.W_Q, part.W_K))
    # Queries and keys read the same coordinates.
    scored = len(rows_of([*queries, *keys]))
    W_Q, W_K = Product.single(queries, scored), Product.single(keys, scored)
    V, W_O = Product.single(by_position(part.V, hstack, members)), Product()
    if part.W_O is not None:
        W_O = Product.single(by_position(part.W_O, vstack, members))
    asked, read = _total(W_Q, W_O), _total(W_K, V)
    work = Work(asks * asked.terms + reads * read.terms, asks * asked.dense + reads * read.dense)
    if reach.reads != EVERY:
        positions = max(1, asks // (sizes.m + 1))
        widest = positions * max(W_Q.width, V.width)
        return work + Work(pairs * (W_Q.width + V.width), widest=widest)
    if part.W_O is None and all(map(selects, [*part.W_K, *part.V])):
        # The weights go to the few tokens that ask; what is read is not cut.
        asked = _total(asked, read)
        return Work(asks * asked.terms, asks * asked.dense + 2 * pairs * count * sizes.D)
    return work + Work(0, pairs * (W_Q.width + V.width), reads * (W_K.width + V.width))


def selects(W: sparray) -> bool:
    """Whether no row and no column has two entries, and all are powers of two."""
    rows, columns = csr_array(W).nonzero()
    alone = all(len(np.unique(axis)) == len(axis) for axis in (rows, columns))
    return alone and bool((abs(np.frexp(csr_array(W).data)[0]) == 0.5).all())


def _shapes(head: Head) -> tuple:
    return head.sparse("W_Q").shape, head.sparse("W_V").shape


def _alike(heads: Sequence[Head], key: Callable[[Head], tuple]) -> list[list[Head]]:
    """The heads in groups of one key, in order."""
    groups: dict[tuple, list[Head]] = {}
    for head in heads:
        groups.setdefault(key(head), []).append(head)
    return list(groups.values())


def _mlp(
    layer: LayerFormula, few: LayerFormula
) -> tuple[Product, Product, int, list[tuple[Tokens, Product, Product]]]:
    """W_in and W_out, how many coordinates are written, and the groups of units."""
    if layer.mlp.idle:
        return Product(), Product(), 0, []
    grows = layer.mlp.units != few.mlp.units
    mlp = (few if grows else layer).mlp.emit()
    W_in, W_out, writes = units(mlp)
    read, written = Product.single([W_in]), Product.single([W_out])
    if grows:
        # The units of a table are alike. Few coordinates are read and written: dense.
        assert not read.terms + written.terms
        count, rows = layer.mlp.units, len(rows_of([W_in]))
        read = Product(dense=count * rows, width=count)
        written = Product(dense=count * len(writes), width=len(writes))
        return read, written, len(writes), [(mlp.acts, read, written)]
    groups = [
        (one.acts, Product.single(one.W_in), Product.single(one.W_out)) for one in unit_groups(mlp)
    ]
    return read, written, len(writes), groups


def _total(*products: Product) -> Product:
    return Product(sum(p.terms for p in products), sum(p.dense for p in products))
