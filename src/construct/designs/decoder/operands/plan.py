"""The tasks of a decoder of words that read several, its sizes and its fields.

D = (2 + p)d + P + 2K + ceil(log2(m+1)) + ceil(log2 n) + 5, where p is how many positions before
the last the tasks read. The last input is the token that is asked, and stands in tok.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from construct.designs.decoder.operands.images import Images, images_of
from construct.designs.decoder.vectors.plan import Operands, VectorSizes, operand, operands_of
from construct.designs.softmax.plan import Plan
from construct.matrix import Matrix
from construct.network.primitives import Rows
from construct.network.residual import Residual
from construct.spec.tasks import Task


@dataclass(frozen=True)
class OperandSizes(VectorSizes):
    """The sizes of a decoder of words, of several inputs.

    Attributes:
        positions: those before the last that the tasks read, rising.
        P: features in the shared dictionary of ReLU sums.
    """

    @property
    def terms(self) -> tuple[tuple[str, int], ...]:
        """The summands of the width."""
        return (
            ("(2+p)d", (2 + len(self.positions)) * self.d),
            ("P", self.P),
            ("2K", 2 * self.K),
            ("ceil(log2(m+1))", self.ell_e),
            ("ceil(log2 n)", self.ell_t),
            ("5", 5),
        )

    def fields(self) -> Residual:
        """The residual stream of the four blocks."""
        operands = (
            (operand(p), self.d, f"the example's input at position {p}, one-hot")
            for p in self.positions
        )
        return Residual.of(
            [
                ("tok", self.d, "the token's word, one-hot; at the end the logit of each word"),
                *operands,
                ("out", self.d, "for each word the votes that it has: sum of c_k f_k(X)"),
                ("g", self.P, "dictionary features of the example"),
                ("vote", self.K, "at a label, 1 for each task that gives it"),
                ("count", self.K, "c_k: how many labels so far task k gives"),
                ("pe", self.ell_e, "code of the example index, +1/-1"),
                ("pt", self.ell_t, "code of the position in the example, +1/-1"),
                ("one", 1, "1 on every token but BOS"),
                ("sink", 1, "1 on BOS, the sink"),
                ("den", 1, "log(m+1 - labels so far)"),
                ("none", 1, "votes for tasks that give no word for X"),
                ("stop", 1, "at the end the logit of no word, BOS"),
            ]
        )


@dataclass(frozen=True, eq=False)
class WordOperands(Operands):
    """How the last input of an example reads the tasks: from what it has fetched, and itself.

    Attributes:
        last: the position of the last input, n-1.
        images: what the tasks give for words.
    """

    last: int
    images: Images

    @property
    def fetched(self) -> tuple[int, ...]:
        """The positions that a token fetches, rising: those before the last."""
        return tuple(p for p in self.positions if p != self.last)

    def field(self, position: int) -> str:
        """Where a token has the input at this position."""
        return "tok" if position == self.last else operand(position)

    def entries(self, k: int) -> Rows:
        """The entries of f_k at the words that it can give, as functionals of the last input."""
        words = self.images.words[k]
        return Rows(
            {
                field: _chosen(block, words)
                for field, block in self.f(k).blocks.items()
                if isinstance(block, Matrix)
            }
        )

    @cached_property
    def given(self) -> np.ndarray:
        """The words that some task gives, rising."""
        return np.unique(np.concatenate(self.images.words))

    @property
    def alike_at(self) -> np.ndarray:
        """For each of these words how many tasks give it for the same words, at most."""
        return np.full(len(self.given), self.alike)

    @property
    def alike(self) -> int:
        """How many tasks give the same word for the same words, at most."""
        return self.images.alike


OperandPlan = Plan[OperandSizes, WordOperands]


def word_operands_of(tasks: Sequence[Task], n: int) -> WordOperands:
    """Operands, dictionary and images of tasks on words.

    Raises:
        ConstructError: if a task gives for some words what is neither a word nor nothing.
    """
    read = operands_of(tasks, n)
    images = images_of(read.tasks)
    return WordOperands(read.tasks, read.positions, read.dictionary, read.reads, n - 1, images)


def _chosen(matrix: Matrix, rows: np.ndarray) -> Matrix:
    """These rows of a matrix, one after the other."""
    number = np.full(matrix.shape[0], -1)
    number[rows] = np.arange(len(rows))
    kept = np.flatnonzero(number[matrix.at[0]] >= 0)
    at = np.stack([number[matrix.at[0, kept]], matrix.at[1, kept]])
    return Matrix.from_places((len(rows), matrix.shape[1]), at, matrix.values[kept])
