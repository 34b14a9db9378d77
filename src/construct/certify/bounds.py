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
from functools import lru_cache, reduce
from typing import Any

import numpy as np

from construct.certify.formats import FLOAT32, FORMATS
from construct.designs.theorem.wiring import Unit, Wiring
from construct.matrix import Matrix
from construct.network.codes import code_length
from construct.rational import Rational, is_dyadic, zeros
from construct.spec.domain import Domain

# 1 + gamma of the roundings that what a hinge lost still meets, where gamma is at most 1/8.
GATE_SHARE = Fraction(9, 8)


@dataclass(frozen=True, eq=False)
class Sums:
    """Sums of products, one for each entry of a vector.

    Attributes:
        size: (width, 5), rows (own, slots, rest, gate, lost). The absolute summands of an entry
            add up to own x + slots R + rest; those of gates that are open cancel, but in partial
            sums there may be gate L more. lost is `gate` with each hinge times its roundings.
        roundings: rounded operations that a summand meets at most, in any order.
        operations: inputs, products and sums; each may be flushed to 0.
    """

    size: np.ndarray
    roundings: np.ndarray
    operations: np.ndarray

    def reach(self, x: Rational, R: Rational, L: Rational = 0) -> np.ndarray:
        """The sum of the absolute summands of each entry; with L no partial sum is above it."""
        return self.size @ np.array([x, R, 1, L, 0], dtype=object)

    def lost(self, L: Rational, roundings: Any) -> np.ndarray:
        """What gates add to the summands: all is off by gamma of so many roundings of the sum.

        floats.md, "home"; so many are at least those of the entries, and gamma at most 1/8.
        """
        return GATE_SHARE * L * self.size[:, 4] / np.maximum(roundings, 1)

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
        size, none = zeros(width, 5), np.zeros(width, dtype=int)
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
            size=sum((_times(abs(W), v.size) for W, v in pairs), start=zeros(height, 5)),
            roundings=deepest + np.maximum(count - 1, 0),
            operations=sum((W.pattern(v.operations + 2) for W, v in pairs), start=none),
        )

    @classmethod
    def most(cls, vectors: list["Sums"]) -> "Sums":
        """A bound on each of several vectors."""
        return cls(
            reduce(np.maximum, (v.size for v in vectors)),
            reduce(np.maximum, (v.roundings for v in vectors)),
            reduce(np.maximum, (v.operations for v in vectors)),
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
        anywhere: the same, read at any token: there the features may be those of other homes.
        inner: every sum in a hinge and every feature.
        gated: the sums in hinges that act at one position.
        numbers: the least and the largest absolute value of the tasks' non-zero
            numbers, 1 included.
        denominators: those of the weights, and the product of those of the hinges.
    """

    rows: tuple[Sums, ...]
    alike: tuple[tuple[Sums, np.ndarray], ...]
    anywhere: tuple[tuple[Sums, np.ndarray], ...]
    inner: tuple[Sums, ...]
    gated: tuple[Sums, ...]
    numbers: tuple[Fraction, Fraction]
    denominators: tuple[int, int]


@lru_cache(maxsize=8)
def profile(wiring: Wiring) -> Profile:
    """Read the rows and the dictionary of a wiring."""
    numbers, denominators, hinge_denominators = {Fraction(1)}, {1}, {1}
    inner: list[Sums] = []
    gated: list[Sums] = []
    # For each coordinate of gx its feature at each home.
    features: list[dict[int | None, Sums]] = []
    ell_t = code_length(wiring.length)
    for feature in wiring.dictionary:
        homes: dict[int | None, list[Unit]] = {}
        for unit in feature:
            homes.setdefault(unit.at, []).append(unit)
        features.append({})
        for at, units in homes.items():
            hinges = [_hinge(unit, 0 if at is None else ell_t) for unit in units]
            weights = _row(enumerate(unit.c for unit in units), len(units))
            features[-1][at] = Sums.of([(weights, Sums.join(hinges))])
            inner += [*hinges, features[-1][at]]
            gated += hinges if at is not None else []
        for c, a, e, _ in feature:
            inside = {v for _, terms in a for _, v in terms}
            numbers.update(abs(Fraction(x)) for x in (c, e, *inside))
            den = math.lcm(e.denominator, *(v.denominator for v in inside))
            hinge_denominators.add(c.denominator * den)
    most = [Sums.most([*own.values()] or [_NOTHING]) for own in features]
    rows, anywhere = [], []
    for k, home in enumerate(wiring.homes):
        own = [of.get(home if wiring.length else None, _NOTHING) for of in features]
        matrices = [*wiring.f(k).matrices()]
        for _, W in matrices:
            numbers.update(abs(Fraction(x)) for x in W.distinct)
            denominators.update(x.denominator for x in W.distinct)
        rows.append(_entries(matrices, own))
        # Without gates every token holds the same features.
        anywhere.append(_entries(matrices, most) if gated else rows[-1])
    numbers.discard(Fraction(0))
    alike = tuple(row.alike() for row in rows)
    return Profile(
        tuple(rows),
        alike,
        tuple(row.alike() for row in anywhere) if gated else alike,
        tuple(inner),
        tuple(gated),
        (min(numbers), max(numbers)),
        (math.lcm(*denominators), math.lcm(*hinge_denominators)),
    )


def _entries(matrices: list[tuple[str, Matrix]], features: list[Sums]) -> Sums:
    """The entries of f_k at a token that holds these features."""
    return Sums.of(
        (W, Sums.join(features) if name == "gx" else Sums.field(name, W.shape[1]))
        for name, W in matrices
    )


def _hinge(unit: Unit, bits: int) -> Sums:
    """<a, z> + e, behind a gate of so many bits; the ReLU after it neither rounds nor grows."""
    # Where the entries stand does not matter: they are all alike.
    a = tuple((operand > 0, tuple(v for _, v in terms)) for operand, terms in unit.a)
    alone = _sum(unit.e, a)
    if not bits:
        return alone
    # -(L/2)(bits - <code, pt>) in the constant, which is converted, and in a term for each bit:
    # where it is open no partial sum of these is beyond (L/2) bits.
    roundings, half = alone.roundings + bits + 1, Fraction(bits, 2)
    gate = np.array([[0, 0, 0, half, int(t) * half] for t in roundings], dtype=object)
    return Sums(alone.size + gate, roundings, alone.operations + 2 * bits)


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
        summed2: the same, with what gates lose as they cancel.
        home2: the same for home tokens, where tasks are tested, and labels that match.
        moved2: home2 without what gates lose, which no rounding of a prompt moves.
        largest: bound on every entry of e_k and f_k, and its partial sums.
        L: what closes every gate, with some room for rounding; 0 where there is none.
        closed: what the sum in a gated hinge is at most, and its absolute summands and roundings.
        terms: roundings on the way to an entry of e_k in the network.
        operations: operations on the way to an entry of e_k.
        numbers: the least and the largest absolute value of the tasks' non-zero
            numbers, 1 included.
        inner: bound on every intermediate of a feature.
        epsilon: how far the tasks may be from those that they stand for.
        step: a number of which every entry of e_k is a multiple, on a grid.
    """

    E2: Fraction
    summed2: Fraction
    home2: Fraction
    moved2: Fraction
    largest: Fraction
    L: Rational
    closed: tuple[Fraction, Fraction, int]
    terms: int
    operations: int
    numbers: tuple[Fraction, Fraction]
    inner: Fraction
    step: Fraction | None
    epsilon: Rational = 0

    @classmethod
    def of(cls, wiring: Wiring, domain: Domain) -> "Bounds":
        """Derive them; the token itself may be a label, its slots are inputs."""
        return _bounds(wiring, domain)


@lru_cache(maxsize=64)
def _bounds(wiring: Wiring, domain: Domain) -> Bounds:
    tasks, R, Ry = profile(wiring), admitted(domain.R), admitted(domain.Ry)
    # Where a task has its home at a label token it is not tested, but e_k there
    # enters scores that C has to push below 0.
    x = max(R, Ry)
    held = max((Fraction(v.reach(x, R).max()) for v in tasks.gated), default=Fraction(0))
    L = gate_above(held, whole=domain.grid is not None) if tasks.gated else 0
    # One more to subtract the label, where there is something to subtract it from.
    terms = max(int((row.roundings + (row.operations > 0)).max()) for row, _ in tasks.anywhere)
    sizes = [(row.reach(x, R) + Ry, row.lost(L, terms), times) for row, times in tasks.anywhere]
    values = [(row.reach(R, R), row.lost(L, terms), times) for row, times in tasks.alike]
    homes = [(value + _at_most(value, Ry), lost, times) for value, lost, times in values]
    partial = [row.reach(x, R, L) + Ry for row, _ in tasks.anywhere]
    step = None
    if domain.grid is not None:
        step = Fraction(1, math.prod(tasks.denominators) * domain.grid.denominator)
    return Bounds(
        E2=max(Fraction((size**2 * times).sum()) for size, _, times in sizes),
        summed2=max(Fraction(((size + lost) ** 2 * times).sum()) for size, lost, times in sizes),
        home2=max(Fraction(((home + lost) ** 2 * times).sum()) for home, lost, times in homes),
        moved2=max(Fraction((home**2 * times).sum()) for home, _, times in homes),
        largest=max(Fraction(size.max()) for size in partial),
        L=L,
        closed=(
            held,
            # Where a gate is closed its terms may all have one sign.
            max((Fraction(v.reach(x, R, 2 * L).max()) for v in tasks.gated), default=Fraction(0)),
            max((int(v.roundings.max()) for v in tasks.gated), default=0),
        ),
        terms=terms,
        operations=max(int(row.operations.max()) for row, _ in tasks.anywhere) + 2,
        numbers=(tasks.numbers[0], tasks.numbers[1] + L * code_length(wiring.length or 1)),
        inner=max((Fraction(v.reach(x, R, L).max()) for v in tasks.inner), default=Fraction(0)),
        step=step,
        epsilon=max(task.epsilon for task in wiring.tasks),
    )


def gate_above(held: Rational, whole: bool) -> Rational:
    """L for hinges that hold so much at most: 1/256 above it at least, and 1/8 more at most.

    Its bits are few: so many terms L/2 as a position has bits are added without rounding. On a
    grid it is even, and L/2 whole.
    """
    least = max(Fraction(held), Fraction(1)) if whole or not held else Fraction(held)
    least = least * Fraction(257, 256)
    # An eighth of the power of two below it.
    step = Fraction(2) ** (least.numerator.bit_length() - least.denominator.bit_length() - 4)
    step = 2 * step if least >= 16 * step else step
    step = max(step, Fraction(2)) if whole else step
    L = math.ceil(least / step) * step
    return L.numerator if L.denominator == 1 else L


def _at_most(value: np.ndarray, bound: Rational) -> np.ndarray:
    return np.minimum(value, np.full(len(value), bound, dtype=object))


def admitted(bound: Rational) -> Rational:
    """The largest entry that a domain admits: its bound, rounded to any format."""
    rounded = (fmt.round(bound) for fmt in FORMATS)
    return max([bound, *(x for x in rounded if x is not None)])
