"""Hinges and features: sums of ReLUs (Bai et al. 2306.04637, Definition 12, with error 0)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from construct.arguments import wrong
from construct.rational import Rational, rational

# A vector by its non-zeros: (entry from 0, value), by rising entry.
Terms = tuple[tuple[int, Rational], ...]


@dataclass(frozen=True)
class Hinge:
    """c * max(<a, X> + e, 0), with <a, X> = sum_p <a_p, x_p>.

    `a` lists (position, vector) pairs by rising position, zero vectors left out. A vector is
    given as its entries, or as ((entry from 0, value), ...); it is kept in the second form.
    """

    c: Rational
    a: tuple[tuple[int, Any], ...]
    e: Rational = 0
    d: int | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        for name in ("c", "e"):
            object.__setattr__(self, name, rational(getattr(self, name), f"{name} of a hinge"))
        pairs = isinstance(self.a, list | tuple) and all(map(_is_pair, self.a))
        if not pairs:
            raise wrong(self.a, "a of a hinge", "pairs of a position and a vector of rationals")
        lengths = {len(v) for _, v in self.a if v and not isinstance(v[0], list | tuple)}
        if len(lengths) > 1:
            raise wrong(self.a, "a of a hinge", "vectors of one length")
        object.__setattr__(self, "d", next(iter(lengths), self.d))
        terms = ((p, _terms(vector)) for p, vector in self.a)
        object.__setattr__(self, "a", tuple((p, vector) for p, vector in terms if vector))

    @classmethod
    def of(cls, a: Mapping[int, Iterable[Any]], e: Rational = 0, c: Rational = 1) -> "Hinge":
        """A hinge from a mapping of positions to vectors in either form."""
        return cls(c, tuple((p, tuple(vector)) for p, vector in sorted(a.items())), e)

    def vectors(self, d: int) -> dict[int, list[Rational]]:
        """Position -> all d entries of its vector."""
        return {p: [dict(terms).get(i, 0) for i in range(d)] for p, terms in self.a}


def _terms(vector: Sequence[Any]) -> Terms:
    """The non-zeros of a vector in either form."""
    if vector and isinstance(vector[0], list | tuple):
        return tuple(sorted((i, v) for i, v in vector if v))
    return tuple((i, v) for i, v in enumerate(vector) if v)


def _is_pair(pair: Any) -> bool:
    """(position, vector)."""
    return (
        isinstance(pair, list | tuple)
        and len(pair) == 2
        and type(pair[0]) is int
        and pair[0] > 0
        and isinstance(pair[1], list | tuple)
        and (set(map(type, pair[1])) <= {int, Fraction} or all(map(_is_term, pair[1])))
    )


def _is_term(term: Any) -> bool:
    """(entry, value)."""
    return (
        isinstance(term, list | tuple)
        and len(term) == 2
        and type(term[0]) is int
        and term[0] >= 0
        and type(term[1]) in (int, Fraction)
    )


# A feature g_u is a sum of hinges.
Feature = tuple[Hinge, ...]


def is_feature(value: Any) -> bool:
    """Whether it is a list of hinges."""
    return isinstance(value, list | tuple) and all(isinstance(h, Hinge) for h in value)


def in_order(feature: Feature) -> Feature:
    """The feature with its hinges in an order that they have by themselves."""
    return tuple(sorted(feature, key=lambda hinge: order(hinge.c, hinge.a, hinge.e)))


def order(c: Rational, a: Iterable[tuple[int, Terms]], e: Rational) -> tuple:
    """What hinges are sorted by: c, then the vectors entry by entry with their zeros, then e."""
    return c, tuple((p, (*map(_sign_first, terms), (0,))) for p, terms in a), e


def _sign_first(term: tuple[int, Rational]) -> tuple:
    # The earlier a positive entry stands the larger is the vector; a negative one, the smaller.
    i, value = term
    return (1, -i, value) if value > 0 else (-1, i, value)


def feature_gauge(feature: Feature) -> tuple[Rational, Rational, int]:
    """(a, b, t): the feature adds up t terms, in all a |X| + b at most."""
    slope: Any = 0
    constant: Any = 0
    count = 0
    for hinge in feature:
        values: list[Any] = [abs(v) for _, terms in hinge.a for _, v in terms]
        slope = slope + abs(hinge.c) * sum(values)
        constant = constant + abs(hinge.c * hinge.e)
        count += 1 + len(values)
    return slope, constant, count
