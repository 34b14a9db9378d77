"""The tasks of a decoder of words as tables, its sizes and its fields.

D = 2d + 2K + ceil(log2(m+1)) + 6.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from construct.designs.softmax.plan import Plan
from construct.designs.softmax.sizes import Sizes
from construct.errors import ConstructError
from construct.matrix import Matrix
from construct.network.residual import Residual
from construct.spec.tasks import Task

# The image of a word that a table lacks.
NONE = -1


class WordSizes(Sizes):
    """The sizes of a decoder of words."""

    @property
    def terms(self) -> tuple[tuple[str, int], ...]:
        """The summands of the width."""
        return (
            ("2d", 2 * self.d),
            ("2K", 2 * self.K),
            ("ceil(log2(m+1))", self.ell_e),
            ("6", 6),
        )

    def fields(self) -> Residual:
        """The residual stream of the three blocks."""
        return Residual.of(
            [
                ("tok", self.d, "the token's word, one-hot; at the end the logit of each word"),
                ("out", self.d, "for each word the votes that it has: sum of c_k f_k(x)"),
                ("vote", self.K, "at a label, 1 for each task that gives it"),
                ("count", self.K, "c_k: how many labels so far task k gives"),
                ("pe", self.ell_e, "code of the example index, +1/-1"),
                ("one", 1, "1 on every token but BOS"),
                ("x", 1, "1 on inputs"),
                ("sink", 1, "1 on BOS, the sink"),
                ("den", 1, "log(m+1 - labels so far)"),
                ("none", 1, "votes for tasks that give no word for x"),
                ("stop", 1, "at the end the logit of no word, BOS"),
            ]
        )


@dataclass(frozen=True, eq=False)
class Tables:
    """K tables of words.

    Attributes:
        names: of the tasks.
        images: (K, d), for each task and word the word that it gives, or NONE.
    """

    names: tuple[str, ...]
    images: np.ndarray

    def inputs(self, k: int) -> np.ndarray:
        """The words that table k has."""
        return np.flatnonzero(self.images[k] != NONE)

    def matrix(self, k: int) -> Matrix:
        """A_k: the (d, d) matrix that takes a word to its image."""
        d, x = self.images.shape[1], self.inputs(k)
        return Matrix.from_places((d, d), np.stack([self.images[k, x], x]), np.ones(len(x)))

    @cached_property
    def given(self) -> np.ndarray:
        """The words that some table gives, rising."""
        return np.unique(self.images[self.images != NONE])

    @cached_property
    def alike_at(self) -> np.ndarray:
        """For each of these words how many tables give it for the same word, at most."""
        k, x = np.nonzero(self.images != NONE)
        d = self.images.shape[1]
        pairs, times = np.unique(self.images[k, x] * d + x, return_counts=True)
        found = np.zeros(d, dtype=np.int64)
        np.maximum.at(found, pairs // d, times)
        return found[self.given]

    @property
    def alike(self) -> int:
        """How many tables give the same word for one word, at most: 1 where no two do."""
        return int(self.alike_at.max(initial=1))


WordPlan = Plan[WordSizes, Tables]


def most_votes(plan: Plan) -> int:
    """The most votes that all tasks can have together: an example votes for those alike."""
    return plan.sizes.m * plan.wiring.alike


def tables_of(tasks: Sequence[Task], n: int) -> Tables:
    """The tables that tasks on words are; n is 2.

    Raises:
        ConstructError: if a task gives for a word what is neither a word nor nothing.
    """
    return Tables(tuple(task.name for task in tasks), np.stack([_table(task) for task in tasks]))


def _table(task: Task) -> np.ndarray:
    """(d,): the image of each word."""
    matrix = _columns(task)
    rows, columns = matrix.at
    once = len(np.unique(columns)) == len(columns)
    if not once or not (matrix.floats == 1).all() or len(matrix.exact):
        raise ConstructError(
            f"task {task.name!r} gives for some word what is no word; a decoder of words holds "
            "tables of words: leave it out, or build with design 'encoder' or 'theorem'."
        )
    found = np.full(task.d, NONE)
    found[columns] = rows
    return found


def _columns(task: Task) -> Matrix:
    """(d, d): the column of each word is what the task gives for it."""
    if not task.features and not task.b.any():
        return task.A[1] if task.A else Matrix.zero(task.d, task.d)
    each: Any = np.eye(task.d, dtype=np.int64)[:, None]
    return Matrix.of(np.asarray(task(each)).T.astype(object), (task.d, task.d), task.name)
