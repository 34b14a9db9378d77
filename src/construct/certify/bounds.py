"""What tasks and a domain imply for the numbers on the way to e_k = f_k - label.

Sizes are sums of absolute summands. They are linear in the domain: where a token
holds numbers up to x and its operand slots numbers up to R, a sum of products is at
most own x + slots R + rest. So tasks are read once, and any number of domains after.

Roundings are counted where they can occur: a weight that the formats hold is
converted exactly, and a power of two is multiplied exactly. (`Format.error` knows that
weights come to float32 through float64.)
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import numpy as np

from construct.certify.formats import FLOAT32, FORMATS
from construct.designs.theorem.wiring import Unit, Wiring
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

    @classmethod
    def field(cls, name: str, width: int) -> "Sums":
        """The entries of a field of the token: tok, a slot, or the constant one."""
        size, none = zeros(width, 3), np.zeros(width, dtype=int)
        size[:, {"tok": 0, "one": 2}.get(name, 1)] = 1
        # A product with the constant 1 is exact: one rounding less.
        return cls(size, none - (name == "one"), none + 1)

    @classmethod
    def of(cls, blocks: Iterable[tuple[np.ndarray, "Sums"]]) -> "Sums":
        """sum_b W_b v_b, for matrices of weights and what they are multiplied with."""
        pairs = [(W, W != 0, v) for W, v in blocks]
        height = len(pairs[0][0])
        deepest, count = np.zeros((2, height), dtype=int)
        for W, used, v in pairs:
            factors: np.ndarray = np.array(_as_factors(W), dtype=int)
            depth = np.where(used, factors + v.roundings, 0)
            deepest = np.maximum(deepest, depth.max(axis=1, initial=0))
            count = count + used.sum(axis=1)
        none = np.zeros(height, dtype=int)
        return cls(
            size=sum((_times(abs(W), v.size) for W, _, v in pairs), start=zeros(height, 3)),
            roundings=deepest + np.maximum(count - 1, 0),
            operations=sum((used @ (v.operations + 2) for _, used, v in pairs), start=none),
        )

    @classmethod
    def join(cls, vectors: list["Sums"]) -> "Sums":
        """One vector after the other."""
        return cls(
            np.concatenate([v.size for v in vectors]),
            np.concatenate([v.roundings for v in vectors]),
            np.concatenate([v.operations for v in vectors]),
        )


def _times(W: np.ndarray, size: np.ndarray) -> np.ndarray:
    """W @ size; the rows of a field are all the same."""
    if len(size) and (size == size[0]).all():
        return W.sum(axis=1)[:, None] * size[0]
    return W @ size


@lru_cache(maxsize=1 << 12)
def _as_factor(weight: Rational) -> int:
    """Roundings of a product with this weight, and of the weight's conversion."""
    if not weight:
        return 0
    significant = abs(weight.numerator) // (weight.numerator & -weight.numerator)
    if not is_dyadic(weight):
        return 2
    return min(significant.bit_length() - 1, 1) + (significant.bit_length() > FLOAT32.p)


_as_factors = np.frompyfunc(_as_factor, 1, 1)


@dataclass(frozen=True, eq=False)
class Profile:
    """What tasks imply by themselves, whatever the domain.

    Attributes:
        rows: for each task the entries of f_k, read at its home token.
        inner: every sum in a hinge and every feature.
        numbers: the least and the largest absolute value of the tasks' non-zero
            numbers, 1 included.
        denominators: those of the weights, and the product of those of the hinges.
    """

    rows: tuple[Sums, ...]
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
        weights = np.array([[c for c, _, _ in feature]], dtype=object)
        features.append(Sums.of([(weights, Sums.join(hinges))]) if hinges else _NOTHING)
        inner += [*hinges, features[-1]]
        for c, a, e in feature:
            inside = [Fraction(v) for _, vector in a for v in vector]
            numbers.update(abs(Fraction(x)) for x in (c, e, *inside))
            den = math.lcm(e.denominator, *(v.denominator for v in inside))
            hinge_denominators.add(c.denominator * den)
    rows = []
    for k in range(len(wiring.tasks)):
        blocks = []
        for name, W in wiring.f(k).matrices():
            values = set(W.flat)
            numbers.update(abs(Fraction(x)) for x in values)
            denominators.update(x.denominator for x in values)
            read = Sums.join(features) if name == "gx" else Sums.field(name, W.shape[1])
            blocks.append((W, read))
        rows.append(Sums.of(blocks))
    numbers.discard(Fraction(0))
    return Profile(
        tuple(rows),
        tuple(inner),
        (min(numbers), max(numbers)),
        (math.lcm(*denominators), math.lcm(*hinge_denominators)),
    )


def _hinge(unit: Unit) -> Sums:
    """<a, z> + e; the ReLU after it neither rounds nor grows."""
    _, a, e = unit
    blocks = [(np.array([[e]], dtype=object), Sums.field("one", 1))]
    for operand, vector in a:
        W = np.array([vector], dtype=object)
        blocks.append((W, Sums.field("slot" if operand else "tok", len(vector))))
    return Sums.of(blocks)


# A feature without hinges.
_NOTHING = Sums.of([(zeros(1, 1), Sums.field("one", 1))])


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
    sizes = [row.reach(x, R) + Ry for row in tasks.rows]
    values = [row.reach(R, R) for row in tasks.rows]
    labels = np.full(len(values[0]), Ry, dtype=object)
    homes = [value + np.minimum(value, labels) for value in values]
    step = None
    if domain.grid is not None:
        step = Fraction(1, math.prod(tasks.denominators) * domain.grid.denominator)
    return Bounds(
        E2=max(Fraction((size**2).sum()) for size in sizes),
        home2=max(Fraction((home**2).sum()) for home in homes),
        largest=max(Fraction(size.max()) for size in sizes),
        # One more to subtract the label, where there is something to subtract it from.
        terms=max(int((row.roundings + (row.operations > 0)).max()) for row in tasks.rows),
        operations=max(int(row.operations.max()) for row in tasks.rows) + 2,
        numbers=tasks.numbers,
        inner=max((Fraction(v.reach(x, R).max()) for v in tasks.inner), default=Fraction(0)),
        step=step,
    )


def _admitted(bound: Rational) -> Rational:
    """The largest entry that a domain admits: its bound, rounded to any format."""
    rounded = (fmt.round(bound) for fmt in FORMATS)
    return max([bound, *(x for x in rounded if x is not None)])
