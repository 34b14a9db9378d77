"""A formula as a sum of what a network can hold: the decomposition.

    f_i(X) = affine + sum of ridges phi(<a, X>) + hinges c max(<a, X> + e, 0) + polynomial

A formula that is no such sum is refused, with the part of it that is outside.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from construct.approximation.forms import (
    MOST_MONOMIALS,
    NOTHING,
    Form,
    Monomial,
    Polynomial,
    expanded,
    line_in_t,
    line_of,
    monomials,
    poles,
    ridge_of,
    ridge_of_polynomial,
)
from construct.approximation.pieces import Piece, pieces
from construct.errors import ConstructError, brief
from construct.rational import Rational
from construct.spec.expression import (
    ONE,
    PIECEWISE_LINEAR,
    ZERO,
    Call,
    Entry,
    Expression,
    Number,
    Power,
    Product,
    Quotient,
    Sum,
    degree,
    entries,
    is_polynomial,
    number,
    power,
    product,
    quotient,
    total,
    written,
)
from construct.spec.formula import Formula

# Terms of a product of sums that is multiplied out.
MOST_TERMS = 512

# Why abs, max, min or relu is refused, and what would do.
NO_KINK = (
    "which is no sum of ReLUs of linear forms",
    "take abs and relu of one linear form with rational coefficients, max and min of two, or of "
    "several that differ by multiples of one",
)


@dataclass(frozen=True)
class Ridge:
    """phi(<form, X>), phi an expression in t that is not piecewise linear."""

    form: Form
    phi: Expression

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """phi between its kinks, each piece without abs, max, min and relu."""
        found = pieces(self.phi)
        assert found is not None  # `decomposed` has refused others
        return found


@dataclass(frozen=True)
class Kink:
    """c max(<form, X> + e, 0)."""

    c: Rational
    form: Form
    e: Rational


@dataclass(frozen=True)
class Terms:
    """One entry of a formula.

    Attributes:
        affine: entry of the inputs -> its coefficient, zeros left out.
        constant: a number.
        ridges: one for each linear form, up to a factor.
        kinks: each hyperplane once.
        polynomial: monomial -> coefficient, of degree 2 and more. A variable that it has is
            in a monomial with another one: polynomials of one linear form are ridges.
    """

    affine: Mapping[Entry, Rational]
    constant: Rational
    ridges: tuple[Ridge, ...]
    kinks: tuple[Kink, ...]
    polynomial: Mapping[Monomial, Rational]


def decomposed(formula: Formula) -> tuple[Terms, ...]:
    """Each entry of a formula as a sum of what a network can hold.

    The sum has a value wherever the formula has one, and the same; and no ridge has one at a
    pole of the formula, also where poles cancel.

    Raises:
        ConstructError: naming the part that is outside, and what would do.
    """
    return tuple(
        _Split(f"entry {i} of task {formula.name!r}").terms(tree)
        for i, tree in enumerate(formula.entries, 1)
    )


@dataclass
class _Split:
    """The sums of the parts of an entry, as they are found."""

    what: str
    polynomial: Polynomial = field(default_factory=dict)
    ridges: dict[Form, dict[Expression, Rational]] = field(default_factory=dict)
    kinks: dict[tuple[Form, Rational], Rational] = field(default_factory=dict)
    count: int = 0

    def terms(self, tree: Expression) -> Terms:
        """The terms of the whole entry."""
        self.add(tree, 1)
        self._polynomials_of_one_form()
        lines = {m: c for m, c in self.polynomial.items() if _degree(m) <= 1}
        return Terms(
            {m[0][0]: c for m, c in lines.items() if m},
            lines.get((), 0),
            tuple(self._ridges()),
            tuple(Kink(c, form, e) for (form, e), c in self.kinks.items() if c),
            {m: c for m, c in self.polynomial.items() if m not in lines},
        )

    def add(self, tree: Expression, factor: Rational) -> None:
        """Add factor * tree."""
        self.count += 1
        if self.count > MOST_MONOMIALS:
            self.refuse(tree, "it comes after thousands of terms", "write a shorter formula")
        if isinstance(tree, Product) and isinstance(tree.factors[0], Number):
            factor, tree = factor * tree.factors[0].value, product(tree.factors[1:])
        expands = is_polynomial(tree) and monomials(tree) <= MOST_MONOMIALS
        if expands and degree(tree) <= 2:
            self.add_polynomial(expanded(tree), factor)
        elif (ridge := ridge_of(tree)) is not None:
            self.add_ridge(tree, *ridge, factor)
        elif isinstance(tree, Sum):
            for term in tree.terms:
                self.add(term, factor)
        elif expands:
            self.add_polynomial(expanded(tree), factor)
        elif is_polynomial(tree):
            self.refuse(
                tree,
                f"a polynomial of up to {_shown_count(monomials(tree))} monomials",
                f"write one of at most {MOST_MONOMIALS}, or powers of linear forms",
            )
        elif isinstance(tree, Call):
            self.add_call(tree, factor)
        else:
            self.add_product(tree, factor)

    def add_polynomial(self, polynomial: Polynomial, factor: Rational) -> None:
        for monomial, c in polynomial.items():
            self.add_monomial(monomial, factor * c)

    def add_monomial(self, monomial: Monomial, c: Rational) -> None:
        value = self.polynomial.pop(monomial, 0) + c
        if value:
            self.polynomial[monomial] = value

    def add_ridge(self, tree: Expression, form: Form, phi: Expression, factor: Rational) -> None:
        """Add factor phi(form): in hinges, if it is piecewise linear."""
        if isinstance(phi, Sum):
            for term in phi.terms:
                self.add_ridge(tree, form, term, factor)
            return
        if isinstance(phi, Product) and isinstance(phi.factors[0], Number):
            factor, phi = factor * phi.factors[0].value, product(phi.factors[1:])
        found = pieces(phi)
        if found is None:
            self.refuse(tree, *NO_KINK)
        lines = [line_in_t(piece.phi) for piece in found]
        known = [line for line in lines if line is not None]
        if len(known) == len(lines) and not poles(phi):
            self.add_hinges(form, found, known, factor)
        else:
            own = self.ridges.setdefault(form, {})
            own[phi] = own.get(phi, 0) + factor

    def add_hinges(
        self,
        form: Form,
        found: Sequence[Piece],
        lines: Sequence[tuple[Rational, Rational]],
        factor: Rational,
    ) -> None:
        """Add a piecewise linear function of a form: its first line, and how slopes change."""
        slope, constant = lines[0]
        self.add_monomial((), factor * constant)
        for entry, c in form.terms:
            self.add_monomial(((entry, 1),), factor * slope * c)
        for piece, (before, _), (after, _) in zip(found[1:], lines[:-1], lines[1:], strict=True):
            assert piece.low is not None
            key = form, -piece.low
            self.kinks[key] = self.kinks.get(key, 0) + factor * (after - before)

    def add_call(self, tree: Call, factor: Rational) -> None:
        """Add max or min of several linear forms: what is left when one is subtracted."""
        lines = [line_of(argument) for argument in tree.arguments]
        known = [line for line in lines if line is not None]
        if tree.function in ("max", "min") and len(known) == len(lines):
            first = tree.arguments[0]
            rest = (total([a, product([Number(-1), first])]) for a in tree.arguments[1:])
            left = Call(tree.function, (Number(0), *rest))
            ridge = ridge_of(left)
            if ridge is not None:
                self.add(first, factor)
                self.add_ridge(tree, *ridge, factor)
                return
        if tree.function in PIECEWISE_LINEAR:
            self.refuse(tree, *NO_KINK)
        inner = written(tree.arguments[0])
        self.refuse(
            tree,
            f"and {brief(inner, 60)} depends on more than one linear form",
            f"take {tree.function} of one linear form such as 2*x[1] - x[2]",
        )

    def add_product(self, tree: Expression, factor: Rational) -> None:
        """Add a product of several forms: multiplied out, if one of its factors is a sum."""
        factors = _merged(_factors(tree))
        again = product(factors)
        sums = [f for f in factors if isinstance(f, Sum)]
        if ridge_of(again) is not None:
            self.add(again, factor)
        elif not sums:
            self.refuse_product(tree, factors)
        else:
            rest = list(factors)
            rest.remove(sums[0])
            if self.count + len(sums[0].terms) > MOST_TERMS:
                self.refuse(tree, "a product of too many sums", "multiply it out, or shorten it")
            for term in sums[0].terms:
                self.add(product([term, *rest]), factor)

    def refuse_product(self, tree: Expression, factors: Sequence[Expression]) -> NoReturn:
        found = [f for f in factors if isinstance(f, Call) and f.function in ("sin", "cos")]
        waves = list({ridge_of(f.arguments[0]): f for f in found}.values())
        if any(not entries(f) for f in factors) and is_polynomial(
            product([f for f in factors if entries(f)])
        ):
            self.refuse(
                tree,
                "a polynomial with a coefficient that is irrational",
                "write a rational number that is close to it",
            )
        remedy = "write it as a sum of functions of one linear form each"
        if len(waves) > 1:
            names = {f.function for f in waves[:2]}
            remedy += {
                frozenset({"sin"}): ", by sin(a)*sin(b) = (cos(a - b) - cos(a + b))/2",
                frozenset({"cos"}): ", by cos(a)*cos(b) = (cos(a - b) + cos(a + b))/2",
            }.get(frozenset(names), ", by sin(a)*cos(b) = (sin(a + b) + sin(a - b))/2")
        self.refuse(tree, "a product of functions of different linear forms", remedy)

    def refuse(self, tree: Expression, why: str, remedy: str) -> NoReturn:
        raise ConstructError(
            f"{self.what} has the part {brief(written(tree), 100)}, {why}; {remedy}."
        )

    def _polynomials_of_one_form(self) -> None:
        """Make ridges of those parts of the polynomial that share no entry with the rest."""
        for part in _connected([m for m in self.polynomial if _degree(m) > 1]):
            ridge = ridge_of_polynomial({m: self.polynomial[m] for m in part})
            if ridge is not None:
                form, phi = ridge
                for monomial in part:
                    del self.polynomial[monomial]
                own = self.ridges.setdefault(form, {})
                own[phi] = own.get(phi, 0) + 1

    def _ridges(self) -> list[Ridge]:
        """One ridge for each form; irrational constants go with the first of them."""
        loose = _combination(self.ridges.pop(NOTHING, {}))
        phis = {form: _combination(own) for form, own in self.ridges.items()}
        phis = {form: phi for form, phi in phis.items() if phi != ZERO}
        if loose != ZERO:
            first = next(iter(phis), Form(((Entry(1, 1), 1),)))
            phis[first] = total([phis.get(first, ZERO), loose])
        for phi in phis.values():
            if pieces(phi) is None:
                self.refuse(phi, "which has too many kinks", "write a shorter formula")
        return [Ridge(form, phi) for form, phi in phis.items()]


def _combination(own: Mapping[Expression, Rational]) -> Expression:
    """The sum; what cancels is kept only where it has poles."""
    return total([product([number(c), phi]) for phi, c in own.items() if c or poles(phi)])


def _factors(tree: Expression) -> list[Expression]:
    """The factors of a product, of its quotients and of its powers."""
    match tree:
        case Product(factors):
            return [inner for factor in factors for inner in _factors(factor)]
        case Quotient(above, below):
            inverse = [_inverse(factor) for factor in _factors(below)]
            return [*(f for f in _factors(above) if f != ONE), *inverse]
        case Power(base, exponent):
            inner = _factors(base)
            if len(inner) > 1:
                return [power(factor, exponent) for factor in inner]
            if isinstance(base, Sum) and len(base.terms) ** exponent <= MOST_TERMS:
                return [base] * exponent
    return [tree]


def _inverse(factor: Expression) -> Expression:
    """1 / factor; of an exponential it is one, too."""
    if isinstance(factor, Call) and factor.function == "exp":
        return Call("exp", (product([Number(-1), factor.arguments[0]]),))
    return quotient(ONE, factor)


def _merged(factors: Sequence[Expression]) -> list[Expression]:
    """The factors, with all exponentials as one."""
    powers = [f.arguments[0] for f in factors if isinstance(f, Call) and f.function == "exp"]
    if len(powers) < 2:
        return list(factors)
    rest = [f for f in factors if not isinstance(f, Call) or f.function != "exp"]
    return [*rest, Call("exp", (total(powers),))]


def _connected(found: Sequence[Monomial]) -> list[list[Monomial]]:
    """Monomials that share entries, also by way of others, together."""
    parts: list[tuple[set[Entry], list[Monomial]]] = []
    for monomial in found:
        own, listed = {entry for entry, _ in monomial}, [monomial]
        for part in [part for part in parts if part[0] & own]:
            parts.remove(part)
            own, listed = own | part[0], part[1] + listed
        parts.append((own, listed))
    return [listed for _, listed in parts]


def _degree(monomial: Monomial) -> int:
    return sum(p for _, p in monomial)


def _shown_count(count: int) -> str:
    return str(count) if count < 10**9 else f"10^{len(str(count)) - 1}"
