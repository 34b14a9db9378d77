"""What a network holds in place of a formula: a task of ReLUs that is within epsilon of it."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NoReturn

import numpy as np
from flint import ctx

from construct.approximation.budget import (
    MOST_HINGES,
    hinges_about,
    norm_shares,
    refuse_too_many,
    shares,
    together,
)
from construct.approximation.curve import Curve, NoValue, written
from construct.approximation.forms import Form
from construct.approximation.grid import exact
from construct.approximation.polyline import Polyline, precision
from construct.approximation.polynomials import powers
from construct.approximation.smooth import Polynomial, Smooth, as_fmpq, of_expression, total
from construct.approximation.terms import Kink, Terms, decomposed
from construct.approximation.univariate import polyline
from construct.errors import ConstructError
from construct.matrix import Matrix
from construct.rational import Rational, is_dyadic, rationals
from construct.spec import expression
from construct.spec.domain import Domain
from construct.spec.formula import Formula
from construct.spec.hinge import Feature, Hinge
from construct.spec.tasks import Task

# Bits of the bound that a task is given: it is rounded up.
BOUND_BITS = 12


@dataclass(frozen=True)
class Bent:
    """What is not affine of an entry, and the entries that have the same.

    Attributes:
        entries: from 0.
        functions: form -> f of one variable; their sum is approximated.
        kinks: ReLUs, which are held as they are.
    """

    entries: tuple[int, ...]
    functions: Mapping[Form, Smooth]
    kinks: tuple[Kink, ...]


def hold(formula: Formula, domain: Domain | None) -> Task:
    """The task that a network holds in place of a formula.

    Where all entries are on a dyadic grid on which knots can be exact, the task is the formula
    on the grid, and its epsilon is 0. Else `epsilon` of the task bounds
    ||task(X) - f(X)||_2 on all inputs that the domain admits, as exact numbers or as floats; it
    is at most the formula's epsilon, or (delta - tau) / 4 where the formula leaves it open.

    Args:
        domain: bounds on the inputs; None will do for formulas that are sums of ReLUs as they
            are.

    Raises:
        ConstructError: if the formula is no sum of functions of one linear form and
            polynomials; if it has no finite value somewhere in the domain, with the entry and
            the place; if there are more than MOST_HINGES hinges, with an epsilon that would do;
            if there is no domain, and one is needed.
    """
    entries = decomposed(formula)
    bent = _bent(entries)
    if all(not part.functions for part in bent):
        return _task(formula, entries, bent, [{} for _ in bent], 0)
    if domain is None:
        raise ConstructError(
            f"task {formula.name!r} is approximated, and that takes a domain; give one, such as "
            '"domain": {"R": 4, "Ry": 32, "delta": "1/10"} in the task file.'
        )
    if domain.grid is not None and is_dyadic(domain.grid):
        lines = [exact(part.functions, domain.R, domain.grid) for part in bent]
        if None not in lines:
            known = [own for own in lines if own is not None]
            return _task(formula, entries, bent, known, 0)
    epsilon = formula.epsilon or Fraction(domain.delta - domain.tau) / 4
    near = _near(formula, bent, admitted(domain.R), epsilon)
    bound = _norm([_error(own) for own in near], [len(part.entries) for part in bent], epsilon)
    return _task(formula, entries, bent, near, bound)


def admitted(R: Rational) -> Rational:
    """The largest entry that a domain admits: its bound, or that rounded to a float."""
    found = [R]
    for dtype in (np.float32, np.float64):
        try:
            with np.errstate(over="ignore"):
                rounded = float(dtype(float(R)))
        except OverflowError:
            continue
        if math.isfinite(rounded):
            found.append(Fraction(rounded))
    return max(found)


def _bent(entries: Sequence[Terms]) -> list[Bent]:
    """What is not affine, for each set of entries that have it in common."""
    alike: dict[tuple, list[int]] = defaultdict(list)
    for i, own in enumerate(entries):
        if own.ridges or own.kinks or own.polynomial:
            key = own.ridges, own.kinks, frozenset(own.polynomial.items())
            alike[key].append(i)
    return [Bent(tuple(e), _functions(entries[e[0]]), entries[e[0]].kinks) for e in alike.values()]


def smooth_parts(formula: Formula) -> list[dict[Form, Smooth]]:
    """For each entry the functions of one linear form that are approximated."""
    return [_functions(own) for own in decomposed(formula)]


def _functions(own: Terms) -> dict[Form, Smooth]:
    """The functions of one variable of an entry, one for each form."""
    found: dict[Form, list[Smooth]] = defaultdict(list)
    for ridge in own.ridges:
        found[ridge.form].append(of_expression(ridge.phi))
    for (form, p), c in powers(own.polynomial).items():
        found[form].append(Polynomial.of(*[0] * p, c))
    return {form: total(parts) for form, parts in found.items()}


def reach(form: Form, R: Rational) -> Rational:
    """The largest value of a form."""
    return R * sum(abs(a) for _, a in form.terms)


def _near(
    formula: Formula, bent: Sequence[Bent], R: Rational, epsilon: Rational
) -> list[dict[Form, Polyline]]:
    """A polyline for each function, with the error split so that hinges are few."""
    bendings = [_bendings(formula, part, R, epsilon) for part in bent]
    each = [together(list(own.values())) for own in bendings]
    parts = norm_shares(each, [len(part.entries) for part in bent], epsilon)
    about = sum(hinges_about(b, e) for b, e in zip(each, parts, strict=True))
    whole = about * 4 * math.sqrt(epsilon)
    refuse_too_many(whole, epsilon, f"task {formula.name!r}", MOST_HINGES)
    found = []
    for part, own, e in zip(bent, bendings, parts, strict=True):
        split = shares(list(own.values()), e)
        name = _entry_name(formula, part)
        found.append(
            {
                form: polyline(f, -reach(form, R), reach(form, R), s, f"{name}")
                for (form, f), s in zip(part.functions.items(), split, strict=True)
            }
        )
    return found


def _bendings(formula: Formula, part: Bent, R: Rational, epsilon: Rational) -> dict[Form, float]:
    """The integral of sqrt|f''| of each function."""
    found = {}
    for form, function in part.functions.items():
        end, e = as_fmpq(reach(form, R)), as_fmpq(epsilon)
        with ctx.workprec(precision(end, e)):
            curve = Curve(function, -end, end)
            try:
                found[form] = curve.bending(curve.stretches(e / 256))
            except NoValue as error:
                _refuse(formula, part, form, error, R)
            except ConstructError as error:
                raise ConstructError(f"{_entry_name(formula, part)}: {error}") from None
    return found


def _refuse(formula: Formula, part: Bent, form: Form, error: NoValue, R: Rational) -> NoReturn:
    place = f"{written_form(form)} = {written(error.place)}"
    raise ConstructError(
        f"{_entry_name(formula, part)} meets {error.reason} at {place}, which inputs with "
        f"|entry| <= {written(as_fmpq(R))} reach; choose a smaller R, or another formula."
    ) from None


def _entry_name(formula: Formula, part: Bent) -> str:
    return f"entry {part.entries[0] + 1} of task {formula.name!r}"


def written_form(form: Form) -> str:
    """A form as a formula has it."""
    terms = [expression.product([expression.number(a), entry]) for entry, a in form.terms]
    return expression.written(expression.total(terms))


def _error(lines: Mapping[Form, Polyline]) -> Rational:
    """The bound on the error of a sum: what is above and what is below add up apart."""
    return max(
        sum((line.above for line in lines.values()), start=Fraction(0)),
        sum((line.below for line in lines.values()), start=Fraction(0)),
    )


def _norm(errors: Sequence[Rational], times: Sequence[int], epsilon: Rational) -> Rational:
    """The root of the sum of squares, rounded up, where that is not above epsilon."""
    square = sum(Fraction(m) * Fraction(e) ** 2 for e, m in zip(errors, times, strict=True))
    if square > Fraction(epsilon) ** 2:
        raise AssertionError("the parts of epsilon are too large together")
    bits = 2 * BOUND_BITS + square.denominator.bit_length() - square.numerator.bit_length()
    bits = max(bits // 2, 0)
    root = math.isqrt(math.ceil(square * 4**bits) - 1) + 1 if square else 0
    return min(Fraction(root, 2**bits), epsilon)


def _task(
    formula: Formula,
    entries: Sequence[Terms],
    bent: Sequence[Bent],
    lines: Sequence[Mapping[Form, Polyline]],
    epsilon: Rational,
) -> Task:
    """The affine parts, and a feature for each part that is not affine."""
    d = formula.d
    A: dict[int, dict[tuple[int, int], Rational]] = defaultdict(lambda: defaultdict(int))
    b = [own.constant for own in entries]
    for i, own in enumerate(entries):
        for entry, c in own.affine.items():
            A[entry.position][i, entry.index - 1] += c
    features: list[Feature] = []
    columns = []
    for part, found in zip(bent, lines, strict=True):
        feature = [_hinge(kink.c, kink.form, 1, kink.e, d) for kink in part.kinks]
        for form, line in found.items():
            value, slope, hinges = line.from_middle(0)
            feature += [_hinge(c, form, sign, -sign * t, d) for c, sign, t in hinges]
            for i in part.entries:
                b[i] += value
                for entry, a in form.terms:
                    A[entry.position][i, entry.index - 1] += slope * a
        if feature:
            columns += [(i, len(features), 1) for i in part.entries]
            features.append(tuple(feature))
    matrices = {
        p: Matrix.from_entries((d, d), ((i, j, _whole(v)) for (i, j), v in own.items() if v))
        for p, own in A.items()
    }
    C = Matrix.from_entries((d, len(features)), columns)
    constants = rationals([_whole(x) for x in b])
    return Task(formula.name, matrices, constants, tuple(features), C, _whole(epsilon))


def _hinge(c: Rational, form: Form, sign: int, e: Rational, d: int) -> Hinge:
    """c max(sign form + e, 0)."""
    a: dict[int, list[tuple[int, Rational]]] = defaultdict(list)
    for entry, value in form.terms:
        a[entry.position].append((entry.index - 1, sign * value))
    pairs = tuple((p, tuple(terms)) for p, terms in sorted(a.items()))
    return Hinge(_whole(c), pairs, _whole(e), d)


def _whole(x: Rational) -> Rational:
    return x.numerator if x.denominator == 1 else x
