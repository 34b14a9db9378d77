"""Bai et al. 2306.04637 on sums of ReLUs: Definition 12, and Proposition A.1.

Definition 12: g: R^k -> R is (epsilon, R, M, C)-approximable by sum of ReLUs if some

    f(z) = sum_{m <= M} c_m relu(<a_m, [z; 1]>),    sum |c_m| <= C,    max ||a_m||_1 <= 1

has sup |g - f| <= epsilon on [-R, R]^k.

Proposition A.1: let epsilon > 0, R >= 1, C_l > 0 and s = ceil((k-1)/2) + 2. If all i-th
derivatives of g are bounded by L_i on [-R, R]^k for i <= s, and L_i R^i <= C_l, then g is
(epsilon, R, M, C)-approximable with

    M <= C(k) C_l^2 log(1 + C_l / epsilon) / epsilon^2,    C <= C(k) C_l.

C(k) depends on k alone, and the paper does not say how large it is. What is computed here are
the bounds without that factor.
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from flint import ctx

from construct.approximation.forms import Form
from construct.approximation.hold import reach, smooth_parts
from construct.approximation.polyline import Polyline
from construct.approximation.series import largest_derivatives
from construct.approximation.smooth import Smooth, as_fmpq
from construct.approximation.univariate import function_of
from construct.arguments import checked, instance
from construct.errors import ConstructError
from construct.rational import Rational, rational
from construct.spec.formula import Formula
from construct.spec.tasks import Task


@dataclass(frozen=True)
class ReluSum:
    """f(z) = sum_m c_m relu(<a_m, [z; 1]>), as in Definition 12.

    Attributes:
        terms: (c_m, a_m), where a_m has k + 1 entries, of absolute values up to 1 in all.
        R: f is near the function on [-R, R]^k, or as much of it as was asked for.
        epsilon: a bound on how far it is.
    """

    terms: tuple[tuple[Rational, tuple[Rational, ...]], ...]
    R: Rational
    epsilon: Rational

    @property
    def M(self) -> int:
        """The number of ReLUs."""
        return len(self.terms)

    @property
    def C(self) -> Rational:
        """The sum of |c_m|."""
        return sum((abs(Fraction(c)) for c, _ in self.terms), start=Fraction(0))

    def __call__(self, z: Sequence[Rational]) -> Rational:
        """f(z), exactly."""
        inputs = (*z, 1)
        total = Fraction(0)
        for c, a in self.terms:
            total += c * max(sum(v * x for v, x in zip(a, inputs, strict=True)), 0)
        return total


@checked(g=instance(Polyline, "what construct.approximate returns"))
def definition12(g: Polyline) -> ReluSum:
    """A polyline in the form of Definition 12, with k = 1.

    The affine part takes up to three ReLUs: relu(t), relu(-t) and relu(1); so M is at most
    three more than `g.hinges`. R is the larger end of the interval.
    """
    value, slope, hinges = g.from_middle(0)
    kinks = [(c, (sign, -sign * knot)) for c, sign, knot in hinges]
    R = max(-g.interval[0], g.interval[1])
    return ReluSum(tuple(_normalised(value, [slope], kinks)), R, g.error)


def definition12_of(task: Task, entry: int, R: Rational) -> ReluSum:
    """An entry (from 1) of a task in the form of Definition 12.

    z lists the inputs position after position, up to the last one that the task reads.
    """
    d, last = task.d, max(task.positions, default=1)
    line: list[Rational] = [0] * (last * d)
    for p, matrix in task.A.items():
        for j, v in matrix.terms(entry - 1):
            line[(p - 1) * d + j] = v
    kinks: list[tuple[Rational, tuple[Rational, ...]]] = []
    for u, c in task.C.terms(entry - 1):
        for hinge in task.features[u]:
            a: list[Rational] = [0] * (last * d)
            for p, terms in hinge.a:
                for j, v in terms:
                    a[(p - 1) * d + j] = v
            kinks.append((c * hinge.c, (*a, hinge.e)))
    terms = _normalised(task.b[entry - 1], line, kinks)
    return ReluSum(tuple(terms), R, task.epsilon)


def _normalised(
    constant: Rational,
    line: Sequence[Rational],
    kinks: Sequence[tuple[Rational, tuple[Rational, ...]]],
) -> list[tuple[Rational, tuple[Rational, ...]]]:
    """Terms with ||a||_1 <= 1: relu(<a, z>) = ||a||_1 relu(<a / ||a||_1, z>)."""
    zero: list[Rational] = [0] * len(line)
    own = [(constant, (*zero, 1)), (1, (*line, 0)), (-1, (*(-v for v in line), 0))]
    # Equal arguments are one ReLU.
    found: dict[tuple[Rational, ...], Rational] = defaultdict(int)
    for c, a in [*own, *kinks]:
        size = sum(abs(Fraction(v)) for v in a)
        if c and size:
            found[tuple(Fraction(v) / size for v in a)] += c * size
    return [(c, a) for a, c in found.items() if c]


@dataclass(frozen=True)
class Smoothness:
    """What Proposition A.1 asks of a function g on [-R, R]^k.

    Attributes:
        k: how many numbers g reads.
        R: at least 1.
        L: bounds on its derivatives, from order 0 to s = ceil((k-1)/2) + 2.
    """

    k: int
    R: Rational
    L: tuple[float, ...]

    @property
    def C_l(self) -> float:
        """max_i L_i R^i."""
        return max(bound * float(self.R) ** i for i, bound in enumerate(self.L))

    def M(self, epsilon: Rational) -> float:
        """The bound on the number of ReLUs, without the factor C(k) that is not known."""
        ratio = self.C_l / float(epsilon)
        return ratio**2 * math.log1p(ratio)

    @property
    def C(self) -> float:
        """As `M`, the bound on the sum of |c_m| without the factor."""
        return self.C_l


def smoothness(phi: str, R: Any) -> Smoothness:
    """The bounds on phi, phi' and phi'' on [-R, R], which ball arithmetic proves.

    Args:
        phi: a formula in one variable, as `approximate` takes it.
        R: at least 1.

    Raises:
        ConstructError: if R is below 1; if phi has a kink or a pole, and no bounds.
    """
    return _smoothness({Form(()): function_of(phi)}, 1, _radius(R))


def formula_smoothness(formula: Formula, R: Any) -> Smoothness:
    """The same for the entries of a formula, each with its kinks left out: the largest bounds.

    Sums of ReLUs of linear forms, such as |x[1]|, are no matter of Proposition A.1: they are
    what it asks for, with epsilon = 0.
    """
    radius = _radius(R)
    found = []
    for functions in smooth_parts(formula):
        read = {entry for form in functions for entry, _ in form.terms}
        if functions:
            found.append(_smoothness(functions, max(len(read), 1), radius))
    return max(found, key=lambda own: own.C_l, default=Smoothness(1, radius, (0.0, 0.0, 0.0)))


def _radius(R: Any) -> Rational:
    radius = rational(R, "R")
    if radius < 1:
        raise ConstructError(f"R is {radius}; Proposition A.1 takes an R of at least 1.")
    return radius


def _smoothness(functions: dict[Form, Smooth], k: int, R: Rational) -> Smoothness:
    order = math.ceil((k - 1) / 2) + 2
    L = [0.0] * (order + 1)
    with ctx.workprec(128):
        for form, function in functions.items():
            end = as_fmpq(reach(form, R) or R)
            largest = max((abs(a) for _, a in form.terms), default=1)
            for i, bound in enumerate(largest_derivatives(function, -end, end, order)):
                L[i] += math.nextafter(float((bound * largest**i).upper()), math.inf)
    return Smoothness(k, R, tuple(L))
