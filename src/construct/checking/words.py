"""Words as one-hot vectors, drawn by their numbers, so that tasks read them or agree on them."""

import random
from collections.abc import Sequence

import numpy as np
from jaxtyping import Int

from construct.checking.pieces import differences
from construct.checking.vectors import Vector
from construct.matrix import Matrix
from construct.spec.domain import Domain
from construct.spec.tasks import Task


class Words:
    """Words by their numbers, for each position of an example."""

    def __init__(self, tasks: Sequence[Task], inputs: int, rng: random.Random) -> None:
        self.tasks, self.inputs, self.rng, self.d = tasks, inputs, rng, tasks[0].d
        self._known: dict[tuple, Int[np.ndarray, " some"]] = {}

    def any(self) -> list[int]:
        """Any words."""
        return [self.rng.randrange(self.d) for _ in range(self.inputs)]

    def read(self, tasks: Sequence[int]) -> list[int]:
        """Words that all of these tasks read; any, where they have none in common."""
        return [self._one(tuple(sorted(set(tasks))), p) for p in range(1, self.inputs + 1)]

    def agreeing(self, f: int, g: int) -> list[int]:
        """The same, and where there are some, words that two tasks map to the same."""
        return [self._one((f, g), p, agree=True) for p in range(1, self.inputs + 1)]

    def _one(self, tasks: tuple[int, ...], p: int, *, agree: bool = False) -> int:
        key = tasks, p, agree
        if key not in self._known:
            self._known[key] = self._found(tasks, p, agree)
        words = self._known[key]
        return int(words[self.rng.randrange(len(words))]) if len(words) else self.any()[0]

    def _found(self, tasks: tuple[int, ...], p: int, agree: bool) -> Int[np.ndarray, " some"]:
        matrices = [self.tasks[k].A.get(p) for k in tasks]
        common = np.ones(self.d, dtype=bool)
        for matrix in matrices:
            if matrix is not None:
                common &= _hit(matrix.at[1], self.d)
        if agree:
            one, other = (Matrix.zero(self.d, self.d) if A is None else A for A in matrices)
            same = common & ~_hit(differences(one, other)[1], self.d)
            common = same if same.any() else common
        return np.flatnonzero(common)


def _hit(places: Int[np.ndarray, " some"], d: int) -> np.ndarray:
    """Which of d places occur."""
    found = np.zeros(d, dtype=bool)
    found[places] = True
    return found


def one_hot(words: Sequence[int], d: int) -> Vector:
    """One-hot vectors, one after the other."""
    tops = np.zeros(len(words) * d, dtype=np.int64)
    tops[np.arange(len(words)) * d + np.array(words, dtype=np.int64)] = 1
    return Vector(tops)


def word_array(vectors: Sequence[Vector]) -> np.ndarray:
    """Vectors of words, one after the other, in int8."""
    if not vectors:
        return np.zeros(0, dtype=np.int8)
    return np.stack([vector.tops for vector in vectors]).astype(np.int8)


def are_words(x: Vector, d: int) -> bool:
    """Whether these are one-hot vectors of d entries, one after the other."""
    return all(Vector(tops, x.bottom).is_word() for tops in x.tops.reshape(-1, d))


def admits_words(domain: Domain) -> bool:
    """Whether one-hot vectors are in the domain, as inputs and as labels."""
    return min(domain.R, domain.Ry) >= 1 and (domain.grid is None or not 1 % domain.grid)
