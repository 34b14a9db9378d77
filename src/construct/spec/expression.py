"""Expressions of a formula, as trees: what `grammar` reads, and nothing that could run.

A tree is made of frozen records that are equal where they say the same. The functions below
make sums, products, quotients and powers: they fold numbers and flatten, and no more, so that
a place at which an expression is not defined stays one.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from construct.rational import Rational

# Functions of one argument, and those of two or more.
OF_ONE = ("abs", "relu", "sin", "cos", "tanh", "exp", "log", "sqrt", "sigmoid", "softplus")
OF_SEVERAL = ("max", "min")
# Those that take rationals to rationals.
PIECEWISE_LINEAR = ("abs", "relu", "max", "min")


@dataclass(frozen=True)
class Number:
    """A rational."""

    value: Rational


@dataclass(frozen=True)
class Pi:
    """The number pi."""


@dataclass(frozen=True)
class Entry:
    """x[p, i]: entry i of the input at position p, both from 1."""

    position: int
    index: int


@dataclass(frozen=True)
class Parameter:
    """t, the argument of a function of one variable; no formula has it."""


@dataclass(frozen=True)
class Sum:
    """The sum of two or more terms."""

    terms: tuple["Expression", ...]


@dataclass(frozen=True)
class Product:
    """The product of two or more factors; a number stands first."""

    factors: tuple["Expression", ...]


@dataclass(frozen=True)
class Quotient:
    """above / below, where below is no number."""

    above: "Expression"
    below: "Expression"


@dataclass(frozen=True)
class Power:
    """base ^ exponent, a whole number of at least 2; 0 of a base that is not always defined."""

    base: "Expression"
    exponent: int


@dataclass(frozen=True)
class Call:
    """A function of `OF_ONE` or `OF_SEVERAL`."""

    function: str
    arguments: tuple["Expression", ...]


Expression = Number | Pi | Entry | Parameter | Sum | Product | Quotient | Power | Call

T = Parameter()
ZERO, ONE = Number(0), Number(1)


def number(value: Rational) -> Number:
    """A number, whole where it can be."""
    return Number(value.numerator if value.denominator == 1 else value)


def total(terms: Sequence[Expression]) -> Expression:
    """The sum: sums in it are flattened, numbers added up; 0 of no terms."""
    flat: list[Expression] = []
    for term in terms:
        flat.extend(term.terms if isinstance(term, Sum) else (term,))
    constant = sum((t.value for t in flat if isinstance(t, Number)), start=0)
    kept: list[Expression] = [t for t in flat if not isinstance(t, Number)]
    if constant or not kept:
        kept.append(number(constant))
    return kept[0] if len(kept) == 1 else Sum(tuple(kept))


def product(factors: Sequence[Expression]) -> Expression:
    """The product: products in it are flattened, numbers multiplied and put first.

    A factor 0 makes it 0 only where all others are polynomials: 0 * log(x[1]) is not defined
    at -1.
    """
    flat: list[Expression] = []
    for factor in factors:
        flat.extend(factor.factors if isinstance(factor, Product) else (factor,))
    value: Rational = 1
    for factor in flat:
        value = value * factor.value if isinstance(factor, Number) else value
    kept: list[Expression] = [f for f in flat if not isinstance(f, Number)]
    if not value and all(map(is_polynomial, kept)):
        return ZERO
    if value != 1 or not kept:
        kept.insert(0, number(value))
    return kept[0] if len(kept) == 1 else Product(tuple(kept))


def quotient(above: Expression, below: Expression) -> Expression:
    """above / below, without quotients and numbers below where they can be moved."""
    if isinstance(above, Quotient):
        return quotient(above.above, product([above.below, below]))
    first = below.factors[0] if isinstance(below, Product) else below
    if not isinstance(first, Number) or not first.value:
        return Quotient(above, below)
    above = product([number(1 / Fraction(first.value)), above])
    return Quotient(above, product(below.factors[1:])) if isinstance(below, Product) else above


def power(base: Expression, exponent: int) -> Expression:
    """base ^ exponent for a whole number, also a negative one; x^0 is 1."""
    if exponent < 0:
        return quotient(ONE, power(base, -exponent))
    if exponent == 0 and is_polynomial(base):
        return ONE
    if isinstance(base, Number):
        return number(base.value**exponent)
    return base if exponent == 1 else Power(base, exponent)


def children(tree: Expression) -> tuple[Expression, ...]:
    """What an expression is made of, one level down."""
    match tree:
        case Sum(terms):
            return terms
        case Product(factors):
            return factors
        case Quotient(above, below):
            return above, below
        case Power(base, _):
            return (base,)
        case Call(_, arguments):
            return arguments
    return ()


def rebuilt(tree: Expression, parts: Sequence[Expression]) -> Expression:
    """The same expression of other parts, in the order of `children`."""
    match tree:
        case Sum():
            return total(parts)
        case Product():
            return product(parts)
        case Quotient():
            return quotient(*parts)
        case Power(_, exponent):
            return power(parts[0], exponent)
        case Call(function, _):
            return Call(function, tuple(parts))
    return tree


def substituted(tree: Expression, leaf: Callable[[Expression], Expression]) -> Expression:
    """The tree with each leaf replaced by what `leaf` makes of it."""
    parts = children(tree)
    if not parts:
        return leaf(tree)
    return rebuilt(tree, [substituted(part, leaf) for part in parts])


def nodes(tree: Expression) -> Iterator[Expression]:
    """The tree and all its parts, each as often as it stands there."""
    yield tree
    for part in children(tree):
        yield from nodes(part)


@lru_cache(maxsize=4096)
def entries(tree: Expression) -> tuple[Entry, ...]:
    """The entries of inputs that it reads, by position and index."""
    found = {node for node in nodes(tree) if isinstance(node, Entry)}
    return tuple(sorted(found, key=lambda entry: (entry.position, entry.index)))


@lru_cache(maxsize=4096)
def is_rational(tree: Expression) -> bool:
    """Whether rationals go to rationals: no irrational function in it, and no pi."""
    if isinstance(tree, Pi) or (isinstance(tree, Call) and tree.function not in PIECEWISE_LINEAR):
        return False
    return all(map(is_rational, children(tree)))


@lru_cache(maxsize=4096)
def is_polynomial(tree: Expression) -> bool:
    """Whether it is written with numbers, entries, sums, products and powers alone."""
    return not isinstance(tree, Pi | Quotient | Call) and all(map(is_polynomial, children(tree)))


@lru_cache(maxsize=4096)
def degree(tree: Expression) -> int:
    """A bound on the degree: a value has at most that many times the digits of the inputs."""
    parts = [degree(part) for part in children(tree)]
    match tree:
        case Entry() | Parameter():
            return 1
        case Product() | Quotient():
            return sum(parts)
        case Power(_, exponent):
            return exponent * parts[0]
    return max(parts, default=0)


# How tightly an expression holds together as it is written.
_SUM, _QUOTIENT, _PRODUCT, _POWER, _ATOM = range(5)


def written(tree: Expression) -> str:
    """The text of an expression, which the grammar reads as the same tree."""
    return _written(tree)[0]


def _written(tree: Expression) -> tuple[str, int]:
    match tree:
        case Number(value):
            return _number(value)
        case Pi():
            return "pi", _ATOM
        case Parameter():
            return "t", _ATOM
        case Entry(position, index):
            return (f"x[{index}]" if position == 1 else f"x[{position}, {index}]"), _ATOM
        case Call(function, arguments):
            return f"{function}({', '.join(map(written, arguments))})", _ATOM
        case Power(base, exponent):
            return f"{_inside(base, _ATOM)}^{exponent}", _POWER
        case Quotient(above, below):
            return f"{_inside(above, _PRODUCT)}/{_inside(below, _POWER)}", _QUOTIENT
        case Product(factors):
            return _product(factors), _PRODUCT
        case Sum(terms):
            text = _inside(terms[0], _QUOTIENT)
            for term in terms[1:]:
                one = _inside(term, _QUOTIENT)
                text += f" - {one[1:]}" if one.startswith("-") else f" + {one}"
            return text, _SUM
    raise TypeError(tree)


def _number(value: Rational) -> tuple[str, int]:
    return str(value), _ATOM if value >= 0 and value.denominator == 1 else _PRODUCT


def _product(factors: Sequence[Expression]) -> str:
    first, *rest = factors
    if first == Number(-1):
        return f"-{_product(rest)}"
    start = written(first) if isinstance(first, Number) else _inside(first, _POWER)
    return "*".join([start, *(_inside(factor, _POWER) for factor in rest)])


def _inside(tree: Expression, least: int) -> str:
    text, tight = _written(tree)
    return text if tight >= least else f"({text})"
