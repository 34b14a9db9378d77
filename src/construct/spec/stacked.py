"""How far labels are from all tasks at once: bounds in floats, or whole numbers.

One product with the tasks below one another costs what a product with one of them costs, where
they are small; and where inputs are mostly 0, as words are, it costs what is not 0.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast
from weakref import WeakKeyDictionary, ref

import numpy as np
from jaxtyping import Float, Int, Shaped
from scipy.sparse import coo_array, csr_array

from construct.matrix import MOST_SUM
from construct.rational import largest, to_float
from construct.spec.prompt import Prompt
from construct.spec.tasks import Task

# Tasks with more non-zeros in all are taken one by one; with fewer entries, zeros included,
# they are one dense matrix.
MOST_STACKED, MOST_DENSE = 1 << 22, 1 << 14

# Entries of inputs from which on it is worth looking for zeros, and the share that may be none.
LARGE, ONE_IN = 1 << 16, 32

# Entries of f_k(X_i) that are held at once.
MOST_HELD = 1 << 22

# Whole numbers up to here have a product, and a sum of products, in int64.
MOST_SQUARED = 1 << 30


@dataclass(frozen=True, eq=False)
class Stacked:
    """Tasks below one another.

    Attributes:
        d: the dimension of a vector.
        linear: A of all tasks, (K d, last d), for the first `last` positions.
        constant: b, (K d,), rounded.
        gauges: (3, K, 1), `Task.gauge` of each.
        hinged: tasks with hinges, which are evaluated by themselves.
        whole: whether there are no hinges, and all numbers are whole and below 2^30.
    """

    d: int
    linear: np.ndarray | csr_array
    constant: Float[np.ndarray, " rows"]
    gauges: Float[np.ndarray, "3 K 1"]
    hinged: tuple[int, ...]
    whole: bool

    @classmethod
    def of(cls, tasks: tuple[Task, ...]) -> "Stacked":
        """Of tasks with a gauge, and of one dimension."""
        d, K = tasks[0].d, len(tasks)
        last = max((max(task.positions, default=1) for task in tasks), default=1)
        blocks = [
            (matrix.at + np.array([[k * d], [(p - 1) * d]]), matrix.floats)
            for k, task in enumerate(tasks)
            for p, matrix in task.A.items()
        ]
        at = np.concatenate([np.zeros((2, 0), dtype=np.int64), *(at for at, _ in blocks)], axis=1)
        values = np.concatenate([np.zeros(0), *(values for _, values in blocks)])
        linear = csr_array((values, (at[0], at[1])), shape=(K * d, last * d))
        constant = to_float(np.concatenate([task.b for task in tasks]))
        dense = K * d * last * d <= MOST_DENSE
        return cls(
            d,
            linear.toarray() if dense else linear,
            constant,
            np.array([[float(g) for g in task.gauge or ()] for task in tasks]).T[:, :, None],
            tuple(k for k, task in enumerate(tasks) if task.features),
            all(map(_is_whole, tasks)),
        )

    @property
    def K(self) -> int:
        """How many tasks there are."""
        return self.gauges.shape[1]

    @property
    def size(self) -> int:
        """Entries of the inputs that are read."""
        return self.linear.shape[1]

    def enclosure(
        self, tasks: Sequence[Task], prompt: Prompt
    ) -> tuple[Float[np.ndarray, "K e"], Float[np.ndarray, "K e"]]:
        """Floats below and above ||f_k(X_i) - y_i||^2; NaN where there are none.

        With the gauge (a, b, t) of a task an entry of f(X) - y meets 2t + 7 roundings at most,
        so that it is off by less than 2 (t + 8) 2^-53 (a |X| + b + |y|); and what underflows
        meets weights below 2^200 in all. A vector of d such entries is off by sqrt(d) times as
        much, and its length meets d + 3 more roundings; squares that underflow, 2^-500 d.
        """
        X = prompt.X.reshape(len(prompt.X), -1)[:, : self.size].astype(np.float64, copy=False)
        Y = prompt.Y.astype(np.float64, copy=False)
        a, b, t = self.gauges
        with np.errstate(all="ignore"):
            off = (t + 8) * (2.0**-52 * (a * _reach(X) + b + _reach(Y)) + 2.0**-800)
            sparse = self._sparse_gap(X, Y)
            if sparse is not None:
                squares = sparse.squares(off.shape)
            else:
                values = {k: tasks[k](prompt.X) for k in self.hinged}
                squares = self._dense_squares(X, Y, values)
            slack, length = (self.d + 8) * 2.0**-52, np.sqrt(squares)
            off = (math.sqrt(self.d) * off + 2.0**-500 * self.d) * (1 + slack)
            low = np.maximum(length * (1 - slack) - off, 0)
            high = length * (1 + slack) + off
            return low**2 * (1 - slack), high**2 * (1 + slack)

    def squares(self, prompt: Prompt) -> Int[np.ndarray, "K e"] | None:
        """||f_k(X_i) - y_i||^2 of whole numbers that are mostly 0; None of others."""
        X, Y = prompt.X.reshape(len(prompt.X), -1)[:, : self.size], prompt.Y
        if not self.whole or X.dtype.kind != "i" or Y.dtype.kind != "i" or X.size < LARGE:
            return None
        a, b, _ = self.gauges
        most = a.max() * largest(X) + b.max() + largest(Y)
        sparse = self._sparse_gap(X, Y) if most**2 * self.d < MOST_SUM else None
        if sparse is None:
            return None
        return sparse.squares((self.K, len(X)))

    def _sparse_gap(self, X: np.ndarray, Y: np.ndarray) -> "_Gap | None":
        """f_k(X_i) - y_i by what is not 0; None where that is much, or little in all."""
        if X.size < LARGE or self.hinged:
            return None
        at, labels, fixed = np.nonzero(X), np.nonzero(Y), np.flatnonzero(self.constant)
        e, K = len(X), self.K
        if max(len(at[0]), len(labels[0]), len(fixed) * e // K) * ONE_IN > max(X.size, Y.size):
            return None
        kind = np.float64 if X.dtype.kind == "f" else np.int64
        A = csr_array(self.linear).astype(kind)
        x = csr_array((X[at].astype(kind), (at[1], at[0])), shape=(self.size, e))
        rows = [(np.arange(K)[:, None] * self.d + labels[1]).ravel(), np.repeat(fixed, e)]
        columns = [np.tile(labels[0], K), np.tile(np.arange(e), len(fixed))]
        values = [np.tile(-Y[labels].astype(kind), K), np.repeat(self.constant[fixed], e)]
        rest = coo_array(
            (np.concatenate(values).astype(kind), (np.concatenate(rows), np.concatenate(columns))),
            shape=(K * self.d, e),
        )
        gap = coo_array(A @ x + rest.tocsr())
        return _Gap(gap.coords[0] // self.d, gap.coords[1], gap.data)

    def _dense_squares(
        self, X: np.ndarray, Y: np.ndarray, values: Mapping[int, np.ndarray]
    ) -> Float[np.ndarray, "K e"]:
        """||f_k(X_i) - y_i||^2, rounded; `values` has f_k(X_i) of tasks with hinges."""
        K, d, e = self.K, self.d, len(X)
        squares = np.empty((K, e))
        step = max(MOST_HELD // (d * e), 1)
        for start in range(0, K, step):
            end = min(start + step, K)
            rows = slice(start * d, end * d)
            gap = (self.linear[rows] @ X.T + self.constant[rows, None]).reshape(-1, d, e)
            for k in values.keys() & range(start, end):
                gap[k - start] = values[k].T
            gap -= Y.T
            np.einsum("kde,kde->ke", gap, gap, out=squares[start:end])
        return squares


@dataclass(frozen=True, eq=False)
class _Gap:
    """f_k(X_i) - y_i by its non-zeros: of which task, in which example, and the entry."""

    task: Int[np.ndarray, " count"]
    example: Int[np.ndarray, " count"]
    gap: np.ndarray

    def squares(self, shape: tuple[int, int]) -> Shaped[np.ndarray, "K e"]:
        """Squared lengths; an entry without terms is 0, exactly."""
        found = np.zeros(shape, dtype=self.gap.dtype)
        np.add.at(found, (self.task, self.example), self.gap**2)
        return found


def _reach(array: np.ndarray) -> np.ndarray:
    """The largest absolute entry of each row."""
    return np.maximum(array.max(axis=1), -array.min(axis=1))


def _is_whole(task: Task) -> bool:
    matrices = task.A.values()
    numbers = [*task.b.tolist(), *(value for matrix in matrices for value in matrix.distinct)]
    return not task.features and all(
        type(number) is int and abs(number) < MOST_SQUARED for number in numbers
    )


# By the first task, and by how many there are.
_KNOWN: WeakKeyDictionary[Task, dict[int, tuple[tuple[ref, ...], Stacked | None]]]
_KNOWN = WeakKeyDictionary()


def stacked(tasks: Sequence[Callable], prompt: Prompt) -> Stacked | None:
    """The tasks below one another, kept as long as the first of them lives.

    None where they are too many, where not all of them are tasks with a gauge, and where they
    are not of the prompt's sizes.
    """
    if not tasks or not all(isinstance(task, Task) for task in tasks):
        return None
    known = _KNOWN.setdefault(cast(Task, tasks[0]), {})
    if len(tasks) not in known or not _are(known[len(tasks)][0], tasks):
        known[len(tasks)] = tuple(map(ref, tasks)), _stacked(cast(tuple[Task, ...], tuple(tasks)))
    found = known[len(tasks)][1]
    fits = found is not None and found.d == prompt.d and found.size <= prompt.query.size
    return found if fits else None


def _are(known: tuple[ref, ...], tasks: Sequence[Callable]) -> bool:
    return all(one() is task for one, task in zip(known, tasks, strict=True))


def _stacked(tasks: tuple[Task, ...]) -> Stacked | None:
    nonzeros = sum(len(matrix) for task in tasks for matrix in task.A.values())
    few = len(tasks) == 1 or nonzeros <= MOST_STACKED
    alike = len({task.d for task in tasks}) == 1
    return Stacked.of(tasks) if few and alike and all(task.gauge for task in tasks) else None
