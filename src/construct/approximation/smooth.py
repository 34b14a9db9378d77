"""Functions of one variable t as trees, and what they and two derivatives take on an interval.

A polynomial is one node, by its exact coefficients: a linear form that a root or a logarithm
is taken of is enclosed without loss, so that its end may be exactly 0.
"""

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from flint import arb, fmpq, fmpq_poly

from construct.approximation.elementary import FUNCTIONS
from construct.approximation.interval import ALL, ZERO, Interval
from construct.rational import Rational
from construct.spec import expression
from construct.spec.expression import Expression

# A product of polynomials stays a product beyond this degree.
MOST_DEGREE = 64


@dataclass(frozen=True, slots=True)
class Jet:
    """Enclosures of a function, its slope, and its second derivative, on an interval.

    The second derivative counts as a measure where there is a kink, and on the inside alone
    where the slope at an end is infinite: whether its sign is known says whether the
    function is convex or concave on the interval.
    """

    value: Interval
    first: Interval
    second: Interval

    def __add__(self, other: "Jet") -> "Jet":
        return Jet(self.value + other.value, self.first + other.first, self.second + other.second)

    def __mul__(self, other: "Jet") -> "Jet":
        cross = self.first * other.first
        return Jet(
            self.value * other.value,
            self.first * other.value + self.value * other.first,
            self.second * other.value + cross + cross + self.value * other.second,
        )

    def through(self, f: tuple[Interval, Interval, Interval]) -> "Jet":
        """f of it, for f with its derivatives on the values: the chain rule."""
        value, first, second = f
        if self.second.is_zero:
            return Jet(value, first * self.first, second * self.first.power(2))
        bend = second * self.first.power(2) + first * self.second if second.is_finite else ALL
        return Jet(value, first * self.first, bend)


class Smooth:
    """A function of t. `jet(a, b)` encloses it on [a, b]; Undefined where it may not exist."""

    def jet(self, a: fmpq, b: fmpq) -> Jet:
        """The function with two derivatives on [a, b]."""
        raise NotImplementedError

    def exactly(self, t: fmpq) -> fmpq | None:
        """Its value, where that is rational because all on the way to it is; else None."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Polynomial(Smooth):
    """A polynomial with rational coefficients."""

    p: fmpq_poly

    @classmethod
    def of(cls, *coefficients: Rational) -> "Polynomial":
        """From the coefficients of 1, t, t^2, ..."""
        return cls(fmpq_poly([fmpq(c.numerator, c.denominator) for c in coefficients]))

    @property
    def constant(self) -> fmpq | None:
        """The number that it is, if it is one."""
        return self.p[0] if self.p.degree() <= 0 else None

    def jet(self, a: fmpq, b: fmpq) -> Jet:
        """Tight for a form a t + b, whose ends are exact."""
        slope = self.p.derivative()
        return Jet(*(_range(p, a, b) for p in (self.p, slope, slope.derivative())))

    def exactly(self, t: fmpq) -> fmpq | None:
        """Always."""
        return self.p(t)


def _range(p: fmpq_poly, a: fmpq, b: fmpq) -> Interval:
    """The values of a polynomial on [a, b]: exact ends where it is linear."""
    if p.degree() <= 1 or a == b:
        return Interval(arb(min(p(a), p(b))), arb(max(p(a), p(b))))
    if p.degree() == 2:
        turn = -p[1] / (2 * p[2])
        ends = [p(a), p(b), *([p(turn)] if a < turn < b else [])]
        return Interval(arb(min(ends)), arb(max(ends)))
    # Around the middle: sum_i c_i s^i for |s| <= (b - a) / 2.
    middle, half = (a + b) / 2, Interval(arb((a - b) / 2), arb((b - a) / 2))
    shifted = p(fmpq_poly([middle, 1]))
    total = ZERO
    for i, c in enumerate(shifted.coeffs()):
        total = total + half.power(i).scaled(c)
    return total


@dataclass(frozen=True, slots=True)
class Constant(Smooth):
    """A number that is not rational, such as pi."""

    value: Callable[[], arb]

    def jet(self, a: fmpq, b: fmpq) -> Jet:
        """The number, as near as the precision gets."""
        number = self.value()
        return Jet(Interval(number, number), ZERO, ZERO)

    def exactly(self, t: fmpq) -> fmpq | None:
        """Never."""
        return None


@dataclass(frozen=True, slots=True)
class Sum(Smooth):
    """A sum."""

    parts: tuple[Smooth, ...]

    def jet(self, a: fmpq, b: fmpq) -> Jet:
        """Term by term."""
        jets = [part.jet(a, b) for part in self.parts]
        return sum(jets[1:], start=jets[0])

    def exactly(self, t: fmpq) -> fmpq | None:
        """Where all terms are."""
        values = [part.exactly(t) for part in self.parts]
        known = [value for value in values if value is not None]
        return sum(known, start=fmpq(0)) if len(known) == len(values) else None


@dataclass(frozen=True, slots=True)
class Product(Smooth):
    """A product of two."""

    one: Smooth
    other: Smooth

    def jet(self, a: fmpq, b: fmpq) -> Jet:
        """The product rule; a number is multiplied without loss."""
        for number, factor in ((self.one, self.other), (self.other, self.one)):
            if isinstance(number, Polynomial) and number.constant is not None:
                jet, c = factor.jet(a, b), number.constant
                return Jet(jet.value.scaled(c), jet.first.scaled(c), jet.second.scaled(c))
        return self.one.jet(a, b) * self.other.jet(a, b)

    def exactly(self, t: fmpq) -> fmpq | None:
        """Where both are."""
        x, y = self.one.exactly(t), self.other.exactly(t)
        return None if x is None or y is None else x * y


@dataclass(frozen=True, slots=True)
class Power(Smooth):
    """A whole power, of any sign, of what is no polynomial or of a negative power."""

    base: Smooth
    exponent: int

    def jet(self, a: fmpq, b: fmpq) -> Jet:
        """k t^(k-1) and k (k-1) t^(k-2); `Undefined` if 0 is raised to less than 0."""
        jet, k = self.base.jet(a, b), self.exponent

        def derivative(n: int) -> Interval:
            factor = math.prod(range(k - n + 1, k + 1))
            if factor == 0:
                return ZERO
            base = jet.value if k >= n else jet.value.inverse()
            return base.power(abs(k - n)).scaled(fmpq(factor))

        return jet.through((derivative(0), derivative(1), derivative(2)))

    def exactly(self, t: fmpq) -> fmpq | None:
        """Where the base is, and is not 0 if it is divided by."""
        base = self.base.exactly(t)
        return None if base is None or (not base and self.exponent < 0) else base**self.exponent


@dataclass(frozen=True, slots=True)
class Call(Smooth):
    """A function of the table, of a tree."""

    name: str
    inner: Smooth

    def jet(self, a: fmpq, b: fmpq) -> Jet:
        """The chain rule."""
        jet = self.inner.jet(a, b)
        return jet.through(FUNCTIONS[self.name](jet.value))

    def exactly(self, t: fmpq) -> fmpq | None:
        """Of abs and relu, where what they are taken of is."""
        inner = self.inner.exactly(t) if self.name in ("abs", "relu") else None
        if inner is None:
            return None
        return max(inner, fmpq(0)) if self.name == "relu" else abs(inner)


T = Polynomial.of(0, 1)


def total(parts: Sequence[Smooth]) -> Smooth:
    """A sum, its polynomials added up."""
    polynomial, rest = fmpq_poly([0]), []
    for part in parts:
        if isinstance(part, Polynomial):
            polynomial += part.p
        else:
            rest.append(part)
    terms = ([Polynomial(polynomial)] if polynomial or not rest else []) + rest
    return terms[0] if len(terms) == 1 else Sum(tuple(terms))


def product(one: Smooth, other: Smooth) -> Smooth:
    """A product; of polynomials a polynomial."""
    if not isinstance(one, Polynomial) or not isinstance(other, Polynomial):
        return Product(one, other)
    low = one.p.degree() + other.p.degree() <= MOST_DEGREE
    return Polynomial(one.p * other.p) if low else Product(one, other)


def power(base: Smooth, exponent: int) -> Smooth:
    """A whole power; of a polynomial a polynomial."""
    if isinstance(base, Polynomial):
        if exponent >= 0 and base.p.degree() * exponent <= MOST_DEGREE:
            return Polynomial(base.p**exponent)
        if base.constant:
            return Polynomial(fmpq_poly([base.constant**exponent]))
    return Power(base, exponent)


def quotient(one: Smooth, other: Smooth) -> Smooth:
    """A quotient: times a power of -1."""
    return product(one, power(other, -1))


def larger(one: Smooth, other: Smooth) -> Smooth:
    """max(one, other) = other + relu(one - other)."""
    return total([other, Call("relu", total([one, negative(other)]))])


def smaller(one: Smooth, other: Smooth) -> Smooth:
    """min(one, other) = one - relu(one - other)."""
    return total([one, negative(Call("relu", total([one, negative(other)])))])


def negative(one: Smooth) -> Smooth:
    """-one."""
    return product(Polynomial.of(-1), one)


def of_expression(tree: Expression, t: Smooth = T) -> Smooth:
    """A tree of one variable, the `Parameter`, in whose place a function of t stands."""
    match tree:
        case expression.Number(value):
            return Polynomial.of(value)
        case expression.Pi():
            return Constant(arb.pi)
        case expression.Parameter():
            return t
        case expression.Power(base, exponent):
            return power(of_expression(base, t), exponent)
    parts = [of_expression(part, t) for part in expression.children(tree)]
    match tree:
        case expression.Sum():
            return total(parts)
        case expression.Product():
            return functools.reduce(product, parts)
        case expression.Quotient():
            return quotient(*parts)
        case expression.Call("max" | "min" as name, _):
            return functools.reduce(larger if name == "max" else smaller, parts)
        case expression.Call(name, _):
            return Call(name, parts[0])
    raise TypeError(tree)


def as_fmpq(x: Rational) -> fmpq:
    """A rational as flint has it."""
    return fmpq(x.numerator, x.denominator)


def as_rational(x: fmpq) -> Rational:
    """A rational as Python has it."""
    return int(x.p) if x.q == 1 else Fraction(int(x.p), int(x.q))
