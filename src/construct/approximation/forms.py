"""Linear forms, polynomials in entries, and functions of one linear form (*ridges*).

An expression is a ridge if its entries enter only through one linear form: exp(-(x[1]+x[2])^2),
1/x[1], sin(x[1])*exp(x[1]). SymPy's rings multiply polynomials out; no text reaches SymPy.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import comb, gcd, lcm, prod
from typing import Any

from construct.rational import Rational
from construct.spec.expression import (
    Call,
    Entry,
    Expression,
    Number,
    Parameter,
    Power,
    Product,
    Quotient,
    Sum,
    T,
    children,
    entries,
    is_polynomial,
    number,
    power,
    product,
    rebuilt,
    total,
)

# Powers of entries, by position and index; () is the monomial 1.
Monomial = tuple[tuple[Entry, int], ...]
Polynomial = dict[Monomial, Rational]

# Monomials of a polynomial that is multiplied out.
MOST_MONOMIALS = 4096


@dataclass(frozen=True)
class Form:
    """A linear form in entries: whole coefficients without a common factor, the first > 0.

    That is one form of all those that are equal up to a factor; on a grid its values are
    multiples of the grid, too.
    """

    terms: tuple[tuple[Entry, int], ...]

    @classmethod
    def of(cls, line: Mapping[Entry, Rational]) -> tuple["Form", Rational]:
        """The form of these coefficients, not all 0, and the factor that was taken out."""
        pairs = sorted(((e, Fraction(c)) for e, c in line.items() if c), key=_by_entry)
        whole = lcm(*(c.denominator for _, c in pairs))
        common = gcd(*(int(c * whole) for _, c in pairs))
        factor = Fraction(common if pairs[0][1] > 0 else -common, whole)
        return cls(tuple((e, int(c / factor)) for e, c in pairs)), factor


def _by_entry(pair: tuple[Entry, Any]) -> tuple[int, int]:
    return pair[0].position, pair[0].index


# The form of what reads no entry.
NOTHING = Form(())


def line_of(tree: Expression) -> dict[Entry | None, Rational] | None:
    """The coefficients of an affine expression, its constant under None; None of others."""
    match tree:
        case Number(value):
            return {None: value}
        case Entry():
            return {tree: 1, None: 0}
        case Sum(terms):
            lines = [line_of(term) for term in terms]
            return None if None in lines else _added(line for line in lines if line)
        case Product((Number(value), *rest)):
            line = line_of(product(rest))
            return None if line is None else {e: value * c for e, c in line.items()}
    return None


def _added(lines: Iterable[Mapping[Any, Rational]]) -> dict[Any, Rational]:
    found: dict[Any, Rational] = {None: 0}
    for line in lines:
        for key, value in line.items():
            found[key] = found.get(key, 0) + value
    return found


def in_t(scale: Rational, constant: Rational) -> Expression:
    """scale t + constant."""
    return total([product([number(scale), T]), number(constant)])


def line_in_t(tree: Expression) -> tuple[Rational, Rational] | None:
    """(scale, constant) of an affine function of t; None of others."""
    stand_in = Entry(1, 1)
    line = line_of(_with(tree, stand_in))
    return None if line is None else (line.get(stand_in, 0), line[None])


def _with(tree: Expression, leaf: Expression) -> Expression:
    """The tree with t replaced."""
    if isinstance(tree, Parameter):
        return leaf
    parts = children(tree)
    return rebuilt(tree, [_with(part, leaf) for part in parts]) if parts else tree


@lru_cache(maxsize=4096)
def ridge_of(tree: Expression) -> tuple[Form, Expression] | None:
    """(form, phi) with tree = phi(form), phi an expression in t; None if there is none.

    Of what reads no entry the form is `NOTHING`. phi is not defined wherever the tree is not.
    """
    if not entries(tree):
        return NOTHING, tree
    line = line_of(tree)
    if line is not None:
        return _ridge_of_line(line)
    parts = list(children(tree))
    if isinstance(tree, Sum):
        affine = [part for part in parts if line_of(part) is not None]
        parts = [total(affine), *(part for part in parts if part not in affine)]
    ridges = [ridge_of(part) for part in parts]
    found = [ridge for ridge in ridges if ridge is not None]
    forms = {form for form, _ in found} - {NOTHING}
    if len(found) == len(ridges) and len(forms) <= 1:
        return forms.pop() if forms else NOTHING, rebuilt(tree, [phi for _, phi in found])
    if is_polynomial(tree) and monomials(tree) <= MOST_MONOMIALS:
        return ridge_of_polynomial(expanded(tree))
    return None


def _ridge_of_line(line: Mapping[Entry | None, Rational]) -> tuple[Form, Expression]:
    slopes = {e: c for e, c in line.items() if e is not None and c}
    if not slopes:
        return NOTHING, number(line[None])
    form, factor = Form.of(slopes)
    return form, in_t(factor, line[None])


@lru_cache(maxsize=4096)
def monomials(tree: Expression) -> int:
    """A bound on the monomials of a polynomial that is multiplied out."""
    parts = [monomials(part) for part in children(tree)]
    match tree:
        case Sum():
            return sum(parts)
        case Product():
            return prod(parts)
        case Power(_, exponent):
            return comb(parts[0] + exponent - 1, exponent)
    return 1


def expanded(tree: Expression) -> Polynomial:
    """A polynomial multiplied out; the caller has looked at `monomials`."""
    read = entries(tree)
    if isinstance(tree, Number):
        return {(): tree.value} if tree.value else {}
    from sympy.polys.domains import QQ
    from sympy.polys.rings import ring

    _, *symbols = ring([f"x_{e.position}_{e.index}" for e in read], QQ)
    element = _element(tree, dict(zip(read, symbols, strict=True)), QQ)
    found: Polynomial = {}
    for powers, c in element.terms():
        value = Fraction(int(c.numerator), int(c.denominator))
        monomial = tuple((e, int(p)) for e, p in zip(read, powers, strict=True) if p)
        found[monomial] = value.numerator if value.denominator == 1 else value
    return found


def _element(tree: Expression, symbols: Mapping[Entry, Any], QQ: Any) -> Any:
    """The element of SymPy's ring: built from the tree, never from a text."""
    match tree:
        case Number(value):
            one = next(iter(symbols.values())).ring.one
            return one * QQ(value.numerator, value.denominator)
        case Entry():
            return symbols[tree]
        case Power(base, exponent):
            return _element(base, symbols, QQ) ** exponent
    parts = [_element(part, symbols, QQ) for part in children(tree)]
    found = parts[0]
    for part in parts[1:]:
        found = found + part if isinstance(tree, Sum) else found * part
    return found


def ridge_of_polynomial(polynomial: Polynomial) -> tuple[Form, Expression] | None:
    """(form, phi) of a polynomial that is one of a linear form: its gradient has one direction."""
    gradient: dict[Entry, Polynomial] = {}
    for monomial, c in polynomial.items():
        for entry, p in monomial:
            lower = tuple((e, q - (e == entry)) for e, q in monomial if q > (e == entry))
            own = gradient.setdefault(entry, {})
            own[lower] = own.get(lower, 0) + c * p
    if not gradient:
        return None
    first, slope = next(iter(gradient.items()))
    lead = next(iter(slope))
    line: dict[Entry, Rational] = {}
    for entry, own in gradient.items():
        ratio = own.get(lead, 0) / Fraction(slope[lead])
        if not ratio or own != {m: ratio * c for m, c in slope.items()}:
            return None
        line[entry] = ratio
    form, _ = Form.of(line)
    scale = 1 / Fraction(dict(form.terms)[first])
    terms = [
        product([number(c * scale**p), power(T, p)])
        for monomial, c in polynomial.items()
        if all(entry == first for entry, _ in monomial)
        for p in (sum(p for _, p in monomial),)
    ]
    return form, total(terms)


def poles(tree: Expression) -> bool:
    """Whether there may be places at which an expression is not defined."""
    here = isinstance(tree, Quotient) or (
        isinstance(tree, Call) and tree.function in ("log", "sqrt")
    )
    return here or any(map(poles, children(tree)))
