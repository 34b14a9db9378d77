"""Functions of a linear form that are exact on a grid: knots where the form can be.

On the multiples of g a form with whole coefficients without a common factor takes multiples of
g. Knots at all of them make a polyline that is exact there. Of squares every second knot is
enough where the rest cancels: with knots at the even multiples, t^2 is too large by g^2 at the
odd ones, and x + y is odd where x - y is.
"""

import math
from collections import defaultdict
from collections.abc import Mapping
from fractions import Fraction

from construct.approximation.forms import Form
from construct.approximation.polyline import Polyline, through
from construct.approximation.smooth import Polynomial, Smooth, as_fmpq, as_rational
from construct.rational import Rational

# Hinges up to which exact knots are preferred to fewer ones that are not.
MOST_EXACT = 4096

# The values at the knots have a common denominator up to this, times that of the grid's powers.
MOST_DENOMINATOR = 1 << 24


def exact(
    functions: Mapping[Form, Smooth], R: Rational, grid: Rational
) -> dict[Form, Polyline] | None:
    """A polyline for each form, whose sum is exact where all entries are on the grid.

    Args:
        R: bound on the entries.

    Returns:
        None where there is none, or none with up to MOST_EXACT hinges.
    """
    steps = _steps(functions, grid)
    if sum(2 * R * _size(form) / step + 2 for form, step in steps.items()) > MOST_EXACT:
        return None
    found = {}
    for form, function in functions.items():
        line = _line(function, R * _size(form), steps[form])
        if line is None:
            return None
        found[form] = line
    return found


def _size(form: Form) -> int:
    """How many times larger than all entries the form can be."""
    return sum(abs(a) for _, a in form.terms)


def _steps(functions: Mapping[Form, Smooth], grid: Rational) -> dict[Form, Rational]:
    """The distance of the knots of each form: the grid, or twice that."""
    alike = defaultdict(list)
    for form in functions:
        alike[tuple(entry for entry, a in form.terms if a % 2)].append(form)
    steps: dict[Form, Rational] = {}
    for forms in alike.values():
        squares = [_square(functions[form]) for form in forms]
        cancel = None not in squares and not sum(c for c in squares if c is not None)
        steps.update(dict.fromkeys(forms, 2 * grid if cancel else grid))
    return steps


def _square(function: Smooth) -> Rational | None:
    """The coefficient of t^2 of a polynomial of degree 2."""
    if isinstance(function, Polynomial) and function.p.degree() == 2:
        return as_rational(function.p[2])
    return None


def _line(function: Smooth, reach: Rational, step: Rational) -> Polyline | None:
    last = math.ceil(Fraction(reach) / step)
    points = [k * step for k in range(-last, last + 1)]
    values = []
    for t in points:
        value = function.exactly(as_fmpq(t))
        if value is None:
            return None
        values.append(as_rational(value))
    short = math.lcm(*(v.denominator for v in values)) <= MOST_DENOMINATOR
    return through(points, values) if short or isinstance(function, Polynomial) else None
