"""The operands of the tasks of a decoder of vectors, its sizes and its fields.

D = (2 + p)d + P + 3K + ceil(log2(m+1)) + ceil(log2 n) + 3, where p is how many positions the
tasks read.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from construct.designs.softmax.plan import Plan
from construct.designs.softmax.sizes import Sizes
from construct.matrix import Matrix
from construct.network.primitives import Rows
from construct.network.residual import Residual
from construct.rational import Rational
from construct.spec.hinge import Feature, in_order
from construct.spec.tasks import Task


@dataclass(frozen=True)
class VectorSizes(Sizes):
    """The sizes of a decoder of vectors.

    Attributes:
        positions: those that the tasks read, rising.
        P: features in the shared dictionary of ReLU sums.
    """

    positions: tuple[int, ...] = ()
    P: int = 0

    @property
    def heads(self) -> int:
        """Heads in each layer: one for each task, or for each position."""
        return max(self.K, len(self.positions))

    @property
    def terms(self) -> tuple[tuple[str, int], ...]:
        """The summands of the width."""
        return (
            ("(2+p)d", (2 + len(self.positions)) * self.d),
            ("P", self.P),
            ("3K", 3 * self.K),
            ("ceil(log2(m+1))", self.ell_e),
            ("ceil(log2 n)", self.ell_t),
            ("3", 3),
        )

    def fields(self) -> Residual:
        """The residual stream of the four blocks."""
        operands = (
            (operand(p), self.d, f"the example's input at position {p}") for p in self.positions
        )
        return Residual.of(
            [
                ("tok", self.d, "the token's vector"),
                *operands,
                ("out", self.d, "at the end the answer"),
                ("g", self.P, "dictionary features of the example"),
                ("vote", self.K, "at a label, 1 for each task that gives it"),
                ("count", self.K, "c_k: how many labels so far task k gives"),
                ("odds", self.K, "log c_k - log(c - c_k), where c is the sum of all c_k"),
                ("pe", self.ell_e, "code of the example index, +1/-1"),
                ("pt", self.ell_t, "code of the position in the example, +1/-1"),
                ("one", 1, "1 on every token but BOS"),
                ("sink", 1, "1 on BOS, the sink"),
                ("den", 1, "log(m+1 - labels so far)"),
            ]
        )


def operand(position: int) -> str:
    """The field that holds the input at this position."""
    return f"op{position}"


@dataclass(frozen=True, eq=False)
class Operands:
    """How a token of an example reads the tasks: from the inputs that it has fetched.

    Attributes:
        tasks: the K tasks, equal features of each merged.
        positions: those that some task reads, rising.
        dictionary: the features that differ.
        reads: for each task, the dictionary entry of each of its features.
    """

    tasks: tuple[Task, ...]
    positions: tuple[int, ...]
    dictionary: tuple[Feature, ...]
    reads: tuple[tuple[int, ...], ...]

    @property
    def fetched(self) -> tuple[int, ...]:
        """The positions that a token fetches, rising: all of them."""
        return self.positions

    def field(self, position: int) -> str:
        """Where a token has the input at this position."""
        return operand(position)

    def f(self, k: int) -> Rows:
        """f_k as functionals of a token that has its operands."""
        task = self.tasks[k]
        blocks: dict[str, Matrix | np.ndarray | Rational] = {"one": task.b[:, None]}
        for position, matrix in task.A.items():
            blocks[self.field(position)] = matrix
        if task.features:
            blocks["g"] = task.C.merged(self.reads[k], len(self.dictionary))
        return Rows(blocks)


VectorPlan = Plan[VectorSizes, Operands]


def operands_of(tasks: Sequence[Task], n: int) -> Operands:
    """Operands and dictionary of these tasks."""
    merged = tuple(task.merged for task in tasks)
    positions = tuple(sorted({p for task in merged for p in task.positions}))
    known: dict[Feature, int] = {}
    reads = tuple(
        tuple(known.setdefault(in_order(feature), len(known)) for feature in task.features)
        for task in merged
    )
    return Operands(merged, positions, tuple(known), reads)
