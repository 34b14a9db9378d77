"""What tasks on several words give: a word or nothing, found by looking at every combination.

Words that a group of tasks reads alike count as one, and so do tasks that read the same positions:
a table of pairs has as many sorts of words as it has different rows. "No word" is looked at too, at
each position: a token that stands before the last input has not seen those after it. All numbers
are whole, and their sums below 2^52, so that floats here are exact.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import coo_array, csc_array, csr_array, hstack, vstack

from construct.errors import ConstructError, brief_names
from construct.matrix import Matrix
from construct.spec.hinge import Hinge
from construct.spec.tasks import Task

# The image of a combination of words for which a task has none.
NONE = -1
# Combinations that are looked at for one group of tasks, and sums in them in all.
MOST, MOST_WAYS = 1 << 21, 1 << 30
# Sums of whole numbers up to here are exact in float64, and so is what they are compared with.
MOST_SUM = 1 << 52
# Sums and ReLUs that are evaluated at once.
AT_ONCE = 1 << 20
ELSEWHERE = "build with design 'encoder' or 'theorem'"


@dataclass(frozen=True, eq=False)
class Images:
    """What K tasks give for words.

    Attributes:
        words: for each task the words that it can give, rising.
        always: for each task whether it gives a word for all words.
        alike: how many tasks give the same word for the same words, at most.
        most: a bound on an entry of any f_k, where words or nothing stand at its positions.
        sums: the same for all absolute summands of a ReLU, of a feature, or of an entry of f_k,
            and of the sum of its entries.
        images: that of an entry of f_k, and of the sum of its entries, alone.
        slope: a bound on how far these change where, at each position, the entries of an operand
            change by 1 in all.
    """

    words: tuple[np.ndarray, ...]
    always: tuple[bool, ...]
    alike: int
    most: int
    sums: int
    images: int
    slope: int


def images_of(tasks: Sequence[Task]) -> Images:
    """What these tasks give.

    Raises:
        ConstructError: naming a task that has a number which is not whole, that gives for some
            words what is neither a word nor nothing; or tasks of which there are too many
            combinations to look at.
    """
    groups: dict[tuple[int, ...], list[int]] = {}
    for k, task in enumerate(tasks):
        _refuse_fractions(task)
        groups.setdefault(task.positions, []).append(k)
    d, found = tasks[0].d, [_Found(task) for task in tasks]
    alike = np.zeros(d, dtype=np.int64)
    for positions, numbers in groups.items():
        own = np.zeros(d, dtype=np.int64)
        some = [found[k] for k in numbers]
        for words in _combinations(some, positions, d):
            images = np.stack([one.look(words) for one in some])
            for image in images:
                given = np.flatnonzero(image != NONE)
                np.maximum.at(own, image[given], (images == image).sum(axis=0)[given])
        alike += own
    return Images(
        tuple(np.flatnonzero(one.given) for one in found),
        tuple(one.always for one in found),
        alike=max(int(alike.max()), 1),
        most=max(1, *(one.most for one in found)),
        sums=max(one.sums for one in found),
        images=max(one.images for one in found),
        slope=int(max(one.slope for one in found)),
    )


def _refuse_fractions(task: Task) -> None:
    for number in task.numbers():
        if type(number) is not int or abs(number) >= MOST_SUM:
            raise ConstructError(
                f"task {task.name!r} holds the number {number}; a decoder of several words takes "
                f"tasks of whole numbers below 2^52: {ELSEWHERE}."
            )


class _Found:
    """What one task gives, as more and more combinations of words are looked at."""

    def __init__(self, task: Task) -> None:
        self.task, self.given = task, np.zeros(task.d, dtype=bool)
        self.always, self.most, self.sums, self.images = True, 0, 0, 0

    @cached_property
    def linear(self) -> dict[int, csc_array]:
        """For each position the entries that each word adds; one row more has their sum."""
        return {p: _by_word(_totalled(A.csr)) for p, A in self.task.A.items()}

    @cached_property
    def hinges(self) -> list[tuple[int, Hinge]]:
        """Its ReLUs, each with the number of its feature."""
        return [(u, hinge) for u, own in enumerate(self.task.features) for hinge in own]

    @cached_property
    def ways(self) -> dict[tuple, int]:
        """The different <a, X> of its ReLUs, by number: those of sums of words are all one."""
        return {a: v for v, a in enumerate(dict.fromkeys(hinge.a for _, hinge in self.hinges))}

    @cached_property
    def inner(self) -> dict[int, csc_array]:
        """For each position what each word adds to each of these."""
        entries: dict[int, list] = {p: [] for p in self.task.positions}
        for a, v in self.ways.items():
            for p, terms in a:
                entries[p] += ((v, word, value) for word, value in terms)
        shape = len(self.ways), self.task.d
        return {p: _by_word(Matrix.from_entries(shape, own).csr) for p, own in entries.items()}

    @cached_property
    def outer(self) -> tuple[np.ndarray, np.ndarray, csr_array, csr_array]:
        """The way and the constant of each ReLU, the weights in features, and C with its sum."""
        way = np.array([self.ways[hinge.a] for _, hinge in self.hinges])
        e = np.array([float(hinge.e) for _, hinge in self.hinges])
        weights = [(u, v, hinge.c) for v, (u, hinge) in enumerate(self.hinges)]
        shape = len(self.task.features), len(self.hinges)
        return way, e, Matrix.from_entries(shape, weights).csr, _totalled(self.task.C.csr)

    @property
    def steepest(self) -> np.ndarray:
        """For each way the largest number that a word adds, at all positions together."""
        return sum(abs(matrix).max(axis=1).toarray().ravel() for matrix in self.inner.values())

    @property
    def slope(self) -> float:
        """As in `Images`."""
        largest = sum((abs(matrix).max() for matrix in self.linear.values()), start=0.0)
        if self.hinges:
            way, _, weights, C = self.outer
            largest += (abs(C) @ (abs(weights) @ self.steepest[way])).max()
        return largest

    def look(self, words: dict[int, np.ndarray]) -> np.ndarray:
        """The image of each combination: position -> words, where d stands for no word."""
        d, count = self.task.d, len(next(iter(words.values()), [0]))
        values, sizes = self._values(words, count)
        self._refuse_large(sizes)
        rows, columns, data = _entries(values)
        whole = np.ones(count, dtype=bool)
        for own in words.values():
            whole &= own != d
        entry = rows < d
        self.most = max(self.most, int(abs(data[entry]).max(initial=0)))
        here = entry & whole[columns]
        images = np.full(count, NONE)
        images[columns[here]] = rows[here]
        once = len(np.unique(columns[here])) == here.sum()
        if not once or not (data[here] == 1).all():
            raise ConstructError(
                f"task {self.task.name!r} gives for some words what is no word; a decoder of words "
                f"answers with words: leave it out, or {ELSEWHERE}."
            )
        self.given[rows[here]] = True
        self.always &= bool((images[whole] != NONE).all())
        return images

    def _values(self, words: dict[int, np.ndarray], count: int) -> tuple[csr_array, list[float]]:
        """(d+1, count): f and the sum of its entries; and bounds on what adds up to each."""
        b = _totalled(csr_array(self.task.b.astype(float)[:, None]))
        values, most = b @ csr_array(np.ones((1, count))), abs(b).max()
        sizes: list[float] = []
        for p, matrix in self.linear.items():
            added = matrix[:, words[p]].tocsr()
            values, most = values + added, most + abs(added).max()
        if self.hinges:
            added, own, sizes = self._features(words)
            values, most = values + added, most + own
        self.images = max(self.images, int(min(most, MOST_SUM)))
        return values, [*sizes, most]

    def _features(self, words: dict[int, np.ndarray]) -> tuple[csr_array, float, list[float]]:
        """The same of C g; combinations that are one to every ReLU are evaluated once."""
        way, e, weights, C = self.outer
        each = sum(matrix[:, words[p]].toarray() for p, matrix in self.inner.items())
        once, back = np.unique(each, axis=1, return_inverse=True)
        most, size, found = 0.0, 0.0, []
        step = AT_ONCE // len(e) + 1
        for start in range(0, once.shape[1], step):
            before = once[way, start : start + step] + e[:, None]
            after = csr_array(np.maximum(before, 0))
            features = weights @ after
            found.append(C @ features)
            most = max(most, (abs(C) @ abs(features)).max())
            size = max(size, (abs(weights) @ after).max())
        values = csc_array(hstack(found, format="csc"))[:, back.ravel()]
        return values.tocsr(), most, [(self.steepest[way] + abs(e)).max(), size]

    def _refuse_large(self, sizes: list[float]) -> None:
        if max(sizes) >= MOST_SUM:
            raise ConstructError(
                f"the sums of task {self.task.name!r} reach 2^52; a decoder of several words takes "
                f"tasks whose sums are below: {ELSEWHERE}."
            )
        self.sums = max(self.sums, *map(int, sizes))


def _combinations(
    found: Sequence[_Found], positions: Sequence[int], d: int
) -> Iterator[dict[int, np.ndarray]]:
    """For each position a word of each sort, or d for none: all combinations, some at a time."""
    sorts = [np.append(_sorts(found, p), d) for p in positions]
    shape = tuple(map(len, sorts))
    count, ways = math.prod(shape), sum(len(one.ways) for one in found)
    if count > MOST or count * ways > MOST_WAYS:
        names = brief_names((one.task.name for one in found), 40)
        raise ConstructError(
            f"there are {count:,} combinations of words that tasks differ on ({names}), too many "
            f"to see whether they give words: {ELSEWHERE}."
        )
    step = min(AT_ONCE // max(ways, 1) + 1, count)
    for start in range(0, count, step):
        index = np.arange(start, min(start + step, count))
        at = np.unravel_index(index, shape) if shape else ()
        yield {p: own[i] for p, own, i in zip(positions, sorts, at, strict=True)}


def _sorts(found: Sequence[_Found], p: int) -> np.ndarray:
    """One word of each sort: those that no task reads in another way at this position."""
    parts = [part[p] for one in found for part in (one.linear, one.inner) if p in part]
    columns = csc_array(vstack(parts, format="csc"))[:, :-1]
    columns.sort_indices()
    first: dict[tuple[bytes, bytes], int] = {}
    for word in range(columns.shape[1]):
        own = slice(*columns.indptr[word : word + 2])
        first.setdefault((columns.indices[own].tobytes(), columns.data[own].tobytes()), word)
    return np.array([*first.values()])


def _totalled(matrix: csr_array) -> csr_array:
    """One row more: the sum of all rows."""
    return csr_array(vstack([matrix, csr_array(matrix.sum(axis=0)[None])], format="csr"))


def _by_word(matrix: csr_array) -> csc_array:
    """A column for each word, and one of zeros for none."""
    found = csc_array(matrix)
    found.resize((matrix.shape[0], matrix.shape[1] + 1))
    return found


def _entries(matrix: csr_array) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows, columns and values of what is not 0."""
    entries = coo_array(matrix)
    kept = entries.data != 0
    rows, columns = entries.coords
    return rows[kept], columns[kept], entries.data[kept]
