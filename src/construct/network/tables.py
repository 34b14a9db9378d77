"""Functions on whole numbers as sums of ReLUs, and units of an MLP put together from them.

`Table`     f on 0..M: f(M) + sum_v b_v relu(v - c) + z relu(1 - 2c), v = 2..M
`Units`     hidden units with what they read and write
`Units.of_tables`   a table for each of several numbers
`log`       the natural logarithm, as the decimal that the tables are made of

On 1..M any f is f(M) + sum_v b_v relu(v - c): b_M is the slope left of M, taken negative, and
b_v the slope right of v minus the slope left of it. Anchored at the right end the terms are the
distance to f(M) and do not cancel where f is concave, as log is. Zero has a unit of its own,
relu(1 - 2c), as f(0) lies far off the line through f(1) and f(2).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from functools import cached_property, reduce
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from construct.matrix import Matrix
from construct.network.count import Count
from construct.network.primitives import MlpFormula, Rows
from construct.network.reach import EVERY, Tokens
from construct.network.transformer import Shape

# Digits of a logarithm before it is rounded to a weight: float64 has 17, and second differences
# of log v up to v = 2^32 lose 19.
DIGITS = 50

# Tables with fewer values are looked at to count what is not 0.
LONG = 64


def log(v: int) -> Decimal:
    """ln v, to `DIGITS` digits, the same on each machine."""
    with localcontext(prec=DIGITS):
        return Decimal(v).ln()


@dataclass(frozen=True, eq=False)
class Table:
    """A function on 0..M, M >= 1; all its numbers are float64, and made when they are asked for.

    Attributes:
        M: the end.
        f: the function.
    """

    M: int
    f: Callable[[int], Decimal | int]

    @classmethod
    def of(cls, values: Sequence[Decimal | int]) -> "Table":
        """From f(0), ..., f(M)."""
        return cls(len(values) - 1, values.__getitem__)

    @cached_property
    def last(self) -> float:
        """f(M)."""
        return float(Decimal(self.f(self.M)))

    @cached_property
    def bends(self) -> np.ndarray:
        """b_v for v = 2..M."""
        with localcontext(prec=DIGITS):
            f = [Decimal(self.f(v)) for v in range(1, self.M + 1)]
            slopes = [right - left for left, right in pairwise(f)]
            bends = [b - a for a, b in pairwise(slopes)]
            bends += [-slopes[-1]] if slopes else []
        return np.array([float(b) for b in bends])

    @cached_property
    def zero(self) -> float:
        """z, what the unit of zero adds there."""
        with localcontext(prec=DIGITS):
            f = [Decimal(self.f(v)) for v in range(min(3, self.M + 1))]
            at_zero = f[1] - (f[2] - f[1]) if f[2:] else f[1]
            return float(f[0] - at_zero)

    @property
    def reads(self) -> tuple[np.ndarray, np.ndarray]:
        """(slopes, constants): unit u is relu(slope_u c + constant_u), the unit of zero last."""
        slopes = np.append(-np.ones(self.M - 1), -2.0)
        return slopes, np.append(np.arange(2.0, self.M + 1), 1.0)

    @property
    def writes(self) -> np.ndarray:
        """What each unit is multiplied by."""
        return np.append(self.bends, self.zero)

    @property
    def nonzeros(self) -> int:
        """How many of these are not 0: of a long table all, as of a logarithm."""
        if self.M < LONG:
            return int(np.count_nonzero(self.writes))
        return self.M - 1 + (self.zero != 0)


def table(M: int, f: Callable[[int], Decimal | int], at_zero: int) -> Table:
    """The table of f on 1..M, and of `at_zero` at 0."""
    return Table(M, lambda v: f(v) if v else at_zero)


# For each field a matrix. Where types are enforced nothing is to look into a `Later`.
if TYPE_CHECKING:
    Blocks = Mapping[str, Matrix]
else:
    Blocks = Mapping


class Later(Mapping[str, Matrix]):
    """Blocks that are made when they are first looked at: on paper they only are counted."""

    def __init__(self, make: Callable[[], Mapping[str, Matrix]]) -> None:
        self._make = make

    @cached_property
    def _made(self) -> Mapping[str, Matrix]:
        return self._make()

    def __getitem__(self, field: str) -> Matrix:
        return self._made[field]

    def __iter__(self) -> Iterator[str]:
        return iter(self._made)

    def __len__(self) -> int:
        return len(self._made)


@dataclass(frozen=True, eq=False)
class Units:
    """Hidden units of an MLP.

    Attributes:
        count: how many.
        reads: for each field that they read, a (count, field width) matrix.
        writes: for each field that they write, a (field width, count) matrix.
        counted: all that are not 0 in the weights, where that is known without these.
    """

    count: int
    reads: Blocks
    writes: Blocks
    counted: Count | None = None

    @classmethod
    def of_tables(
        cls, one: Table, reads: Mapping[str, Matrix], into: str, places: Sequence[int], width: int
    ) -> "Units":
        """The same table for each of several numbers, all but its constant f(M).

        Args:
            reads: the numbers, as functionals: for each field a matrix of a row for each number.
            into, width: the field that is written, and its width.
            places: the coordinate of it where each number's value goes.
        """
        size, copies = one.M, len(places)

        def reading() -> dict[str, Matrix]:
            slopes, constants = one.reads
            blocks = {field: _each_times(block, slopes) for field, block in reads.items()}
            return {**blocks, "one": _column(np.tile(constants, copies))}

        def writing() -> dict[str, Matrix]:
            at = np.stack([np.repeat(np.asarray(places), size), np.arange(size * copies)])
            values = np.tile(one.writes, copies)
            return {into: Matrix.from_places((width, size * copies), at, values)}

        given = size * (copies + sum(map(len, reads.values())))
        counted = Count(given + copies * one.nonzeros)
        return cls(size * copies, Later(reading), Later(writing), counted)

    @classmethod
    def constants(cls, writes: Mapping[str, Sequence[float]]) -> "Units":
        """One unit, which is 1: it writes these numbers into the coordinates of each field."""
        columns = {field: _column(np.array(values)) for field, values in writes.items()}
        return cls(1, {"one": _column(np.ones(1))}, columns)

    @classmethod
    def join(cls, parts: Sequence["Units"]) -> "Units":
        """One after the other."""
        starts = np.cumsum([0, *(part.count for part in parts)]).tolist()
        total = starts[-1]

        def stacked(name: str, turned: bool) -> dict[str, Matrix]:
            found: dict[str, list[tuple[int, Matrix]]] = {}
            for start, part in zip(starts, parts, strict=False):
                for field, block in getattr(part, name).items():
                    found.setdefault(field, []).append((start, block))
            return {field: _placed(blocks, total, turned) for field, blocks in found.items()}

        return cls(
            total,
            Later(lambda: stacked("reads", turned=False)),
            Later(lambda: stacked("writes", turned=True)),
            sum((part.entries() for part in parts), start=Count()),
        )

    def entries(self) -> Count:
        """All that are not 0 in the weights."""
        if self.counted is not None:
            return self.counted
        blocks = [*self.reads.values(), *self.writes.values()]
        return reduce(lambda found, block: found + Count.of(block.distinct), blocks, Count())

    def mlp(self, purpose: str, shape: Shape, acts: Tokens = EVERY) -> MlpFormula:
        """The MLP of these units."""
        return MlpFormula(
            purpose,
            shape,
            units=self.count,
            formula=lambda: (Rows(self.reads), self.writes),
            entries=self.entries,
            acts=acts,
        )


def _column(values: np.ndarray) -> Matrix:
    at = np.stack([np.arange(len(values)), np.zeros(len(values), dtype=np.int64)])
    return Matrix.from_places((len(values), 1), at, values)


def _each_times(block: Matrix, factors: np.ndarray) -> Matrix:
    """Each row of the block times each factor, one after the other."""
    (rows, columns), size = block.shape, len(factors)
    at = np.repeat(block.at, size, axis=1)
    at[0] = at[0] * size + np.tile(np.arange(size), len(block))
    values = np.repeat(block.floats, size) * np.tile(factors, len(block))
    return Matrix.from_places((rows * size, columns), at, values)


def _placed(blocks: list[tuple[int, Matrix]], total: int, turned: bool) -> Matrix:
    """Blocks of rows (or, turned, of columns) at their places among `total` of them."""
    axis = int(turned)
    other = blocks[0][1].shape[1 - axis]
    rounds = any(len(block.exact) for _, block in blocks)
    parts = [(block.at.copy(), block.values if rounds else block.floats) for _, block in blocks]
    for (start, _), (at, _) in zip(blocks, parts, strict=True):
        at[axis] += start
    at = np.concatenate([at for at, _ in parts], axis=1)
    shape = (other, total) if turned else (total, other)
    return Matrix.from_places(shape, at, np.concatenate([values for _, values in parts]))
