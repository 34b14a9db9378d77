"""Inputs at, beside and between the knots of the hinges that a network holds.

A sum of ReLUs that is near a curve bends at its knots, and is farthest from the curve there or
between two of them.
"""

import random
from collections import defaultdict
from collections.abc import Sequence
from fractions import Fraction

from construct.checking.pieces import Plane, Rows
from construct.rational import Rational
from construct.spec.domain import Domain

Point = list[Rational]

# A step beside a knot, of the size of the domain.
BESIDE = Fraction(1, 1 << 30)

# Inputs that are moved to a knot before a knot is given up.
TRIES = 4


class Knots:
    """The knots of tasks, for each linear form that is bent.

    Attributes:
        lines: for each form its terms (place, coefficient) and the values at which it bends.
    """

    def __init__(self, tasks: Sequence[Rows], domain: Domain, rng: random.Random) -> None:
        self.domain, self.rng = domain, rng
        found: dict[tuple, set[Rational]] = defaultdict(set)
        for rows in tasks:
            for plane in planes(rows):
                form, at = _form(plane)
                if abs(at) <= sum(abs(v) for _, v in form) * domain.R:
                    found[form].add(at)
        self.lines = [(form, sorted(values)) for form, values in found.items()]

    def near(self, start: Sequence[Rational]) -> Point | None:
        """Inputs with entries of some others, one of them moved to a knot or beside one."""
        if not self.lines:
            return None
        form, values = self.rng.choice(self.lines)
        target = self._target(form, values)
        terms = list(form)
        self.rng.shuffle(terms)
        for place, v in terms[:TRIES]:
            x = list(start)
            rest = sum((c * x[i] for i, c in form if i != place), Fraction(0))
            x[place] = self._snapped((target - rest) / v)
            if abs(x[place]) <= self.domain.R:
                return x
        return self._spread(form, target, start)

    def _target(self, form: tuple, values: list[Rational]) -> Fraction:
        """A knot, a point at its side, or one between it and the next."""
        at = self.rng.randrange(len(values))
        knot, following = Fraction(values[at]), values[min(at + 1, len(values) - 1)]
        step = self.domain.grid or BESIDE * Fraction(self.domain.R)
        return self.rng.choice([knot, knot + step, knot - step, (knot + following) / 2])

    def _spread(self, form: tuple, target: Fraction, start: Sequence[Rational]) -> Point:
        """The entries of the form share what it is to be: none is beyond the box."""
        x, R = list(start), Fraction(self.domain.R)
        share = target / sum(abs(v) for _, v in form)
        for place, v in form:
            x[place] = self._snapped(max(-R, min(R, share if v > 0 else -share)))
        return x

    def _snapped(self, value: Fraction) -> Fraction:
        """The next multiple of the grid towards 0, where there is one."""
        grid = self.domain.grid
        return value if grid is None else toward_zero(value, grid)


def planes(rows: Rows) -> set[Plane]:
    """The kinks of all entries of a task."""
    return {plane for j in range(rows.d) for plane in rows[j].hinges}


def _form(plane: Plane) -> tuple[tuple[tuple[int, Fraction], ...], Fraction]:
    """The form <a, X> with a leading 1, and its value where <a, X> + e = 0."""
    a, e = sorted(plane[0]), plane[1]
    lead = Fraction(a[0][1])
    return tuple((i, v / lead) for i, v in a), -e / lead


def toward_zero(value: Fraction, grid: Rational) -> Fraction:
    """The multiple of the grid next to a value, not beyond it."""
    steps = abs(value) // grid
    return Fraction(steps * grid) if value >= 0 else Fraction(-steps * grid)
