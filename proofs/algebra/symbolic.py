"""Prompts of indeterminates, and the signs of polynomials in them, by proof.

Shared by the proofs in this folder. A ReLU is applied to a polynomial only where its sign
is proved for every prompt of the domain; otherwise `Unproved` is raised.
"""

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import product

import numpy as np
import z3
from sympy import QQ
from sympy.polys.groebnertools import groebner
from sympy.polys.orderings import lex
from sympy.polys.rings import PolyElement, PolyRing, ring

from construct import Construction, Task

Poly = PolyElement
Relu = Callable[[Poly], Poly]


class Unproved(Exception):
    """A step of a proof that does not go through; the message says which."""


def expect(holds: object, what: str) -> None:
    """A step of a proof.

    Raises:
        Unproved: if the step does not hold.
    """
    if not holds:
        raise Unproved(what)


# --- Prompts of indeterminates ------------------------------------------------


class Symbols:
    """An indeterminate for each entry of a prompt, and what the domain says of it.

    Attributes:
        made: the artifact.
        tasks: its tasks, and of formulas what is held of them.
        ring: the polynomials over the rationals in all indeterminates.
        bound: for each indeterminate t, a number b with |t| <= b on the domain.
        Y, X, query: labels (m, d), inputs (m, n-1, d), and the query's inputs (n-1, d).
        votes: (m, K), 1 or 0 for example i and task k; nothing bounds them, nor the next.
        out, tot: what the answer token holds of them, (d,) and a number.
        decided: whether Z3 proved a polynomial <= 0 from the bounds alone.
    """

    def __init__(self, made: Construction) -> None:
        self.made = made
        self.decided: dict[Poly, bool] = {}
        self.tasks = tuple(
            task if isinstance(task, Task) else held
            for task, held in zip(made.tasks, made.held, strict=True)
        )
        sizes, domain = made.sizes, made.domain
        m, n, d = sizes.m, sizes.n, sizes.d
        hinges = sum(len(feature) for task in self.tasks for feature in task.features)
        names = (
            [f"y{i}_{a}" for i, a in indices(m, d)]
            + [f"x{i}_{p}_{a}" for i, p, a in indices(m, n - 1, d)]
            + [f"q{p}_{a}" for p, a in indices(n - 1, d)]
            + [f"vote{i}_{k}" for i, k in indices(m, sizes.K)]
            + [f"out{a}" for a in range(d)]
            + ["tot"]
            + [f"hinge{u}" for u in range(hinges * sizes.tokens)]
        )
        self.ring: PolyRing = ring(names, QQ, lex)[0]
        gens = iter(self.ring.gens)
        self.Y = self._take(gens, m, d)
        self.X = self._take(gens, m, n - 1, d)
        self.query = self._take(gens, n - 1, d)
        self.votes = self._take(gens, m, sizes.K)
        self.out, self.tot = self._take(gens, d), next(gens)
        self._unused, self._hinges = gens, {}
        self.bound = dict.fromkeys([*self.X.flat, *self.query.flat], Fraction(domain.R))
        self.bound |= dict.fromkeys(self.Y.flat, Fraction(domain.Ry))

    def zeros(self, *shape: int) -> np.ndarray:
        """An array of zero polynomials."""
        return np.full(shape, self.ring.zero, dtype=object)

    def hinge(self, t: Poly) -> Poly:
        """max(t, 0): a number, or an indeterminate of its own for each polynomial t.

        With scratch tokens also 0 where t <= 0 is proved: hinges are closed by a gate.
        """
        if t.is_ground:
            return _constant_relu(t)
        if self.made.sizes.w and Signs(self).nonpositive(t):
            return t.ring.zero
        if t not in self._hinges:
            r = next(self._unused, None)
            expect(r is not None, "the network has more hinges than its dictionary")
            self._hinges[t] = r
            # |max(t, 0)| <= |t|, which `_boxes` proves.
            self.bound[r] = self.reach(t)
        return self._hinges[t]

    def reach(self, p: Poly) -> Fraction:
        """A number b with |p| <= b on the domain: the sum of the bounds of the terms."""
        return sum(
            (abs(_number(c)) * self.monomial(powers) for powers, c in p.terms()), Fraction(0)
        )

    def monomial(self, powers: tuple[int, ...]) -> Fraction:
        """The same for a product of indeterminates; `_boxes` proves it."""
        bound = Fraction(1)
        for i in np.flatnonzero(powers):
            t = self.ring.gens[i]
            expect(t in self.bound, f"nothing bounds {t}")
            bound *= self.bound[t] ** powers[i]
        return bound

    def _take(self, gens: Iterator[Poly], *shape: int) -> np.ndarray:
        taken = self.zeros(*shape)
        for index in indices(*shape):
            taken[index] = next(gens)
        return taken


def indices(*shape: int) -> Iterator[tuple[int, ...]]:
    """All indices of an array of this shape."""
    return product(*map(range, shape))


def _number(c: object) -> Fraction:
    """A coefficient as a fraction."""
    return Fraction(int(c.numerator), int(c.denominator))


def _constant_relu(p: Poly) -> Poly:
    return p if p.coeff(1) > 0 else p.ring.zero


# --- Signs ----------------------------------------------------------------------


class Signs:
    """The ReLU of polynomials, by proof of their signs.

    A polynomial is a constant modulo the equations `zero`, or Z3 proves its sign from the
    domain's bounds and the inequalities `positive`. Z3 sees each monomial as a variable of
    its own, within the bounds that the indeterminates give it: every query is linear.
    `unknown` proves nothing.

    Args:
        symbols: the indeterminates, with their bounds.
        zero: polynomials that are 0.
        positive: polynomials that are >= 0.
    """

    def __init__(
        self, symbols: Symbols, zero: Sequence[Poly] = (), positive: Sequence[Poly] = ()
    ) -> None:
        _boxes()
        self.symbols, self.positive = symbols, list(positive)
        self.basis = groebner([p for p in zero if p], symbols.ring)

    @property
    def consistent(self) -> bool:
        """Whether the equations have a solution (over the complex numbers)."""
        return self.symbols.ring.one not in self.basis

    def relu(self, p: Poly) -> Poly:
        """max(p, 0).

        Raises:
            Unproved: if it is neither 0 nor p on the whole domain.
        """
        if p.is_ground:
            return _constant_relu(p)
        if self.nonpositive(p):
            return p.ring.zero
        rest = p.rem(self.basis)
        if rest.is_ground:
            return _constant_relu(rest)
        if self.positive and self._refuted(p, self.positive):
            return p.ring.zero
        nonnegative = self.nonpositive(-p) or (self.positive and self._refuted(-p, self.positive))
        expect(nonnegative, f"the sign of {shorten(p)} is open")
        return p

    def nonpositive(self, p: Poly) -> bool:
        """Whether Z3 proves p <= 0 from the bounds alone."""
        decided = self.symbols.decided
        if p not in decided:
            decided[p] = self._refuted(p, [])
        return decided[p]

    def _refuted(self, p: Poly, positive: Sequence[Poly]) -> bool:
        """Whether p > 0 has no solution."""
        solver, variables = z3.SolverFor("QF_LRA"), {}

        def variable(powers: tuple[int, ...]) -> z3.ArithRef:
            if powers not in variables:
                w = variables[powers] = z3.Real(f"w{len(variables)}")
                most = _fraction(self.symbols.monomial(powers))
                square = not any(power % 2 for power in powers)
                solver.add((0 if square else -most) <= w, w <= most)
            return variables[powers]

        def linear(q: Poly) -> z3.ArithRef:
            terms = [(_fraction(c), powers) for powers, c in q.terms()]
            return z3.Sum([c * (variable(powers) if any(powers) else 1) for c, powers in terms])

        solver.add(linear(p) > 0, *(linear(q) >= 0 for q in positive))
        return solver.check() == z3.unsat


def _fraction(c: object) -> z3.RatNumRef:
    return z3.Q(int(c.numerator), int(c.denominator))


def holds(claim: z3.BoolRef) -> bool:
    """Whether Z3 proves the claim, for all values of its variables."""
    solver = z3.Solver()
    solver.add(z3.Not(claim))
    return solver.check() == z3.unsat


@functools.cache
def _boxes() -> None:
    """|t| <= b and |u| <= c give |t u| <= b c and |max(t, 0)| <= b."""
    t, u, b, c = z3.Reals("t u b c")

    def within(value: z3.ArithRef, bound: z3.ArithRef) -> z3.BoolRef:
        return z3.And(-bound <= value, value <= bound)

    given = z3.And(within(t, b), within(u, c))
    expect(holds(z3.Implies(given, within(t * u, b * c))), "the bound of a product")
    expect(holds(z3.Implies(given, within(z3.If(t > 0, t, 0), b))), "the bound of a hinge")


def known(values: Mapping[Poly, Poly]) -> Relu:
    """The ReLU of polynomials for which it has been found before."""

    def relu(p: Poly) -> Poly:
        expect(p in values, f"nothing is known of {shorten(p)}")
        return values[p]

    return relu


def rational(value: object) -> object:
    """A whole number or a fraction as a coefficient."""
    return QQ(value.numerator, value.denominator)


def shorten(p: object, most: int = 120) -> str:
    """A polynomial in one line."""
    text = str(p)
    return text if len(text) <= most else text[:most] + " ..."
