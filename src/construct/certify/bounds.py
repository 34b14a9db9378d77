"""What tasks and a domain imply for the numbers on the way to e_k = f_k - label.

Sizes are sums of absolute summands. They are linear in the domain: where a token
holds numbers up to x and its operand slots numbers up to R, a sum of products is at
most own x + slots R + rest. So tasks are read once, and any number of domains after.

Roundings are counted where they can occur: a weight that the formats hold is
converted exactly, and a power of two is multiplied exactly. (`Format.error` knows that
weights come to float32 through float64.)
"""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import numpy as np

from construct.certify.formats import FLOAT32, FORMATS
from construct.designs.theorem.wiring import Unit, Wiring
from construct.matrix import Matrix
from construct.rational import Rational, is_dyadic, zeros
from construct.spec.domain import Domain


@dataclass(frozen=True, eq=False)
class Sums:
    """Sums of products, one for each entry of a vector.

    Attributes:
        size: (width, 3), rows (own, slots, rest): the absolute summands of an entry add
            up to own x + slots R + rest.
        roundings: rounded operations that a summand meets at most, in any order.
        operations: inputs, products and sums; each may be flushed to 0.
    """

    size: np.ndarray
    roundings: np.ndarray
    operations: np.ndarray

    def reach(self, x: Rational, R: Rational) -> np.ndarray:
        """The sum of the absolute summands of each entry."""
        return self.size @ np.array([x, R, 1], dtype=object)

    def alike(self) -> tuple["Sums", np.ndarray]:
        """The entries that differ, and how often each occurs."""
        columns = (*self.size.T.tolist(), self.roundings.tolist(), self.operations.tolist())
        found = Counter(zip(*columns, strict=True))
        *size, roundings, operations = zip(*found, strict=True)
        sums = Sums(np.array(size, dtype=object).T, np.array(roundings), np.array(operations))
        return sums, np.array(list(found.values()), dtype=object)

    @classmethod
    def field(cls, name: str, width: int) -> "Sums":
        """The entries of a field of the token: tok, a slot, or the constant one."""
        size, none = zeros(width, 3), np.zeros(width, dtype=int)
        size[:, {"tok": 0, "one": 2}.get(name, 1)] = 1
        # A product with the constant 1 is exact: one rounding less.
        return cls(size, none - (name == "one"), none + 1)

    @classmethod
    def of(cls, blocks: Iterable[tuple[Matrix, "Sums"]]) -> "Sums":
        """sum_b W_b v_b, for matrices of weights and what they are multiplied with."""
        pairs = list(blocks)
        height = pairs[0][0].shape[0]
        deepest, count = np.zeros((2, height), dtype=int)
        for W, v in pairs:
            rows, columns = W.at
            np.maximum.at(deepest, rows, _as_factors(W) + v.roundings[columns])
            count = count + W.counts(1)
        none = np.zeros(height, dtype=int)
        return cls(
            size=sum((_times(abs(W), v.size) for W, v in pairs), start=zeros(height, 3)),
            roundings=deepest + np.maximum(count - 1, 0),
            operations=sum((W.pattern(v.operations + 2) for W, v in pairs), start=none),
        )

    @classmethod
    def join(cls, vectors: list["Sums"]) -> "Sums":
        """One vector after the other."""
        return cls(
            np.concatenate([v.size for v in vectors]),
            np.concatenate([v.roundings for v in vectors]),
            np.concatenate([v.operations for v in vectors]),
        )


def _times(W: Matrix, size: np.ndarray) -> np.ndarray:
    """W @ size; the rows of a field are all the same."""
    if len(size) and (size == size[0]).all():
        return W.sums(1)[:, None] * size[0]
    return W(size.T).T


def _as_factors(W: Matrix) -> np.ndarray:
    """`_as_factor` of each non-zero."""
    if len(W.distinct) == 1:
        return np.full(len(W), _as_factor(*W.distinct))
    return np.fromiter(map(_as_factor, W.values), dtype=int, count=len(W))


@lru_cache(maxsize=1 << 12)
def _as_factor(weight: Rational) -> int:
    """Roundings of a product with this weight, and of the weight's conversion."""
    if not weight:
        return 0
    significant = abs(weight.numerator) // (weight.numerator & -weight.numerator)
    if not is_dyadic(weight):
        return 2
    return min(significant.bit_length() - 1, 1) + (significant.bit_length() > FLOAT32.p)


@dataclass(frozen=True, eq=False)
class Profile:
    """What tasks imply by themselves, whatever the domain.

    Attributes:
        rows: for each task the entries of f_k, read at its home token.
        alike: the same with equal entries as one, and how many they are: a table over many
            words has few that differ.
        inner: every sum in a hinge and every feature.
        numbers: the least and the largest absolute value of the tasks' non-zero
            numbers, 1 included.
        denominators: those of the weights, and the product of those of the hinges.
    """

    rows: tuple[Sums, ...]
    alike: tuple[tuple[Sums, np.ndarray], ...]
    inner: tuple[Sums, ...]
    numbers: tuple[Fraction, Fraction]
    denominators: tuple[int, int]


@lru_cache(maxsize=8)
def profile(wiring: Wiring) -> Profile:
    """Read the rows and the dictionary of a wiring."""
    numbers, denominators, hinge_denominators = {Fraction(1)}, {1}, {1}
    features, inner = [], []
    for feature in wiring.dictionary:
        hinges = [_hinge(unit) for unit in feature]
        weights = _row(enumerate(c for c, _, _ in feature), len(feature))
        features.append(Sums.of([(weights, Sums.join(hinges))]) if hinges else _NOTHING)
        inner += [*hinges, features[-1]]
        for c, a, e in feature:
            inside = {v for _, terms in a for _, v in terms}
            numbers.update(abs(Fraction(x)) for x in (c, e, *inside))
            den = math.lcm(e.denominator, *(v.denominator for v in inside))
            hinge_denominators.add(c.denominator * den)
    rows = []
    for k in range(len(wiring.tasks)):
        blocks = []
        for name, W in wiring.f(k).matrices():
            numbers.update(abs(Fraction(x)) for x in W.distinct)
            denominators.update(x.denominator for x in W.distinct)
            read = Sums.join(features) if name == "gx" else Sums.field(name, W.shape[1])
            blocks.append((W, read))
        rows.append(Sums.of(blocks))
    numbers.discard(Fraction(0))
    return Profile(
        tuple(rows),
        tuple(row.alike() for row in rows),
        tuple(inner),
        (min(numbers), max(numbers)),
        (math.lcm(*denominators), math.lcm(*hinge_denominators)),
    )


def _hinge(unit: Unit) -> Sums:
    """<a, z> + e; the ReLU after it neither rounds nor grows."""
    _, a, e = unit
    # Where the entries stand does not matter: they are all alike.
    return _sum(e, tuple((operand > 0, tuple(v for _, v in terms)) for operand, terms in a))


@lru_cache(maxsize=1 << 12)
def _sum(e: Rational, a: tuple[tuple[bool, tuple[Rational, ...]], ...]) -> Sums:
    """The same by its numbers: a table has thousands of hinges that differ in their words."""
    blocks = [(_row([(0, e)], 1), Sums.field("one", 1))]
    for slot, values in a:
        field = Sums.field("slot" if slot else "tok", len(values))
        blocks.append((_row(enumerate(values), len(values)), field))
    return Sums.of(blocks)


def _row(terms: Iterable[tuple[int, Rational]], width: int) -> Matrix:
    """A matrix of one row."""
    return Matrix.from_entries((1, width), ((0, i, value) for i, value in terms))


# A feature without hinges.
_NOTHING = Sums.of([(Matrix.zero(1, 1), Sums.field("one", 1))])


@dataclass(frozen=True)
class Bounds:
    """What the tasks and the domain imply for ||e_k||, as sums of absolute values.

    Attributes:
        E2: bound on ||e_k||_2^2 for all tasks and tokens.
        home2: the same for home tokens, where tasks are tested, and labels that match.
        largest: bound on every entry of e_k and f_k.
        terms: roundings on the way to an entry of e_k in the network.
        operations: operations on the way to an entry of e_k.
        numbers: the least and the largest absolute value of the tasks' non-zero
            numbers, 1 included.
        inner: bound on every intermediate of a feature.
        step: a number of which every entry of e_k is a multiple, on a grid.
    """

    E2: Fraction
    home2: Fraction
    largest: Fraction
    terms: int
    operations: int
    numbers: tuple[Fraction, Fraction]
    inner: Fraction
    step: Fraction | None

    @classmethod
    def of(cls, wiring: Wiring, domain: Domain) -> "Bounds":
        """Derive them; the token itself may be a label, its slots are inputs."""
        return _bounds(wiring, domain)


@lru_cache(maxsize=64)
def _bounds(wiring: Wiring, domain: Domain) -> Bounds:
    tasks, R, Ry = profile(wiring), _admitted(domain.R), _admitted(domain.Ry)
    # Where a task has its home at a label token it is not tested, but e_k there
    # enters scores that C has to push below 0.
    x = max(R, Ry)
    sizes = [(row.reach(x, R) + Ry, times) for row, times in tasks.alike]
    values = [(row.reach(R, R), times) for row, times in tasks.alike]
    homes = [(value + _at_most(value, Ry), times) for value, times in values]
    step = None
    if domain.grid is not None:
        step = Fraction(1, math.prod(tasks.denominators) * domain.grid.denominator)
    return Bounds(
        E2=max(Fraction((size**2 * times).sum()) for size, times in sizes),
        home2=max(Fraction((home**2 * times).sum()) for home, times in homes),
        largest=max(Fraction(size.max()) for size, _ in sizes),
        # One more to subtract the label, where there is something to subtract it from.
        terms=max(int((row.roundings + (row.operations > 0)).max()) for row, _ in tasks.alike),
        operations=max(int(row.operations.max()) for row, _ in tasks.alike) + 2,
        numbers=tasks.numbers,
        inner=max((Fraction(v.reach(x, R).max()) for v in tasks.inner), default=Fraction(0)),
        step=step,
    )


def _at_most(value: np.ndarray, bound: Rational) -> np.ndarray:
    return np.minimum(value, np.full(len(value), bound, dtype=object))


def _admitted(bound: Rational) -> Rational:
    """The largest entry that a domain admits: its bound, rounded to any format."""
    rounded = (fmt.round(bound) for fmt in FORMATS)
    return max([bound, *(x for x in rounded if x is not None)])
