"""Functions of one variable as sums of ReLUs: `approximate("sin(x)", (-8, 8), "1/1000")`."""

import re
from dataclasses import dataclass
from typing import Any

from flint import ctx

from construct.approximation.budget import MOST_HINGES, refuse_too_many, too_many
from construct.approximation.curve import Curve
from construct.approximation.polyline import Polyline, fitted, precision
from construct.approximation.smooth import Smooth, as_fmpq, of_expression
from construct.approximation.tube import TooManyPieces
from construct.errors import ConstructError, shown
from construct.rational import Rational, rational
from construct.spec.expression import Entry, T, substituted
from construct.spec.grammar import parse

# The name of the variable, where it is not already written as an entry.
_NAME = re.compile(r"\b[xt]\b(?!\s*\[)")


@dataclass(frozen=True, repr=False)
class Approximation(Polyline):
    """g with |g - phi| <= error <= epsilon on the interval.

    Attributes:
        phi: the function as it was given.
        epsilon: what was asked for.
    """

    phi: str
    epsilon: Rational


def approximate(phi: str, interval: Any, epsilon: Any) -> Approximation:
    """phi as a sum of ReLUs, within epsilon on an interval, which ball arithmetic proves.

        g = construct.approximate("sin(x)", (-8, 8), "1/1000")
        g.hinges, g.error, g(Fraction(1, 3))

    The number of hinges is near the least that there can be, the integral of
    sqrt|phi''| / (4 sqrt(epsilon)).

    Args:
        phi: a formula in one variable, x or t, with rational numbers, pi, + - * / ^,
            parentheses, and abs relu max min sin cos tanh exp log sqrt sigmoid softplus.
        interval: its two ends, rational.
        epsilon: above 0.

    Raises:
        ConstructError: if phi is no such formula; if it has no finite value at some place of
            the interval, with the place; if there are too many hinges, with an epsilon that
            would do.
    """
    a, b = ends(interval)
    wanted = rational(epsilon, "epsilon")
    if wanted <= 0:
        raise ConstructError(f"epsilon is {wanted}; it must be above 0.")
    found = polyline(function_of(phi), a, b, wanted, f"phi = {phi}")
    return Approximation(**vars(found), phi=phi, epsilon=wanted)


def polyline(function: Smooth, a: Rational, b: Rational, epsilon: Rational, what: str) -> Polyline:
    """`fitted`, with no more than MOST_HINGES hinges.

    Raises:
        ConstructError: if there are more; `what` names the function.
    """
    low, high, e = as_fmpq(a), as_fmpq(b), as_fmpq(epsilon)
    with ctx.workprec(precision(low, high, e)):
        curve = Curve(function, low, high)
        stretches = curve.stretches(e / 256)
        bending = curve.bending(stretches)
    refuse_too_many(bending, epsilon, what, MOST_HINGES)
    try:
        return fitted(function, a, b, epsilon, MOST_HINGES, stretches)
    except TooManyPieces:
        raise too_many(bending, epsilon, what, MOST_HINGES) from None


def function_of(phi: str) -> Smooth:
    """A formula in one variable, as a tree of this package.

    Raises:
        ConstructError: if it is none.
    """
    if not isinstance(phi, str):
        raise ConstructError(f"phi is {shown(phi)}; write a formula such as 'sin(x)'.")
    tree = parse(_NAME.sub("x[1]", phi), "phi", d=1, n=2)
    return of_expression(substituted(tree, lambda leaf: T if isinstance(leaf, Entry) else leaf))


def ends(interval: Any) -> tuple[Rational, Rational]:
    """The ends of an interval.

    Raises:
        ConstructError: if there are not two, the first below the second.
    """
    if not isinstance(interval, list | tuple) or len(interval) != 2:
        raise ConstructError(f"the interval is {shown(interval)}; give its two ends.")
    a, b = (rational(end, "an end of the interval") for end in interval)
    if not a < b:
        raise ConstructError(f"the interval is [{a}, {b}]; its first end must be the smaller one.")
    return a, b
