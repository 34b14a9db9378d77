"""Polynomials in several variables as sums of powers of linear forms.

    x y = ((x + y)^2 - (x - y)^2) / 4

Quadratic forms are reduced to squares (Lagrange). A monomial x^a of degree p is

    1/p! sum_{0 <= v <= a} (-1)^|v| prod_i C(a_i, v_i) (sum_i (a_i/2 - v_i) x_i)^p

(R. Kan, 2008); of two variables also a sum of powers of x + j y, whose coefficients solve a
Vandermonde system. What takes the fewest hinges is taken.
"""

import itertools
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

from construct.approximation.budget import together
from construct.approximation.forms import Form, Monomial
from construct.rational import Rational
from construct.spec.expression import Entry

# (form, p) -> c: the sum of c form^p.
Powers = dict[tuple[Form, int], Rational]

# Variables up to which all orders of reducing a quadratic form are tried.
MOST_ORDERED = 4


def powers(polynomial: Mapping[Monomial, Rational]) -> Powers:
    """The polynomial, of degree 2 and more, as a sum of powers of linear forms."""
    found: Powers = defaultdict(int)
    quadratic = {m: c for m, c in polynomial.items() if _degree(m) == 2}
    parts = [_squares(quadratic)] if quadratic else []
    parts += [_monomial(m, c) for m, c in polynomial.items() if _degree(m) > 2]
    for part in parts:
        for key, c in part.items():
            found[key] += c
    return {key: c for key, c in found.items() if c}


def cost(found: Powers) -> float:
    """The integral of sqrt|f''| of one function that takes as many hinges, for |entries| <= 1."""
    bendings = []
    for (form, p), c in found.items():
        reach = sum(abs(a) for _, a in form.terms)
        bendings.append(4 * math.sqrt(abs(Fraction(c)) * p * (p - 1) * Fraction(reach) ** p) / p)
    return together(bendings)


def _degree(monomial: Monomial) -> int:
    return sum(p for _, p in monomial)


def _cheapest(candidates: Iterable[Powers]) -> Powers:
    return min(candidates, key=cost)


def _sum(terms: Iterable[tuple[Mapping[Entry, Rational], int, Rational]]) -> Powers:
    """Of (linear form, power, coefficient), forms made whole."""
    found: Powers = defaultdict(int)
    for line, p, c in terms:
        if c and any(line.values()):
            form, factor = Form.of(line)
            found[form, p] += c * Fraction(factor) ** p
    return {key: _whole(c) for key, c in found.items() if c}


def _whole(c: Rational) -> Rational:
    return c.numerator if c.denominator == 1 else c


def _squares(quadratic: Mapping[Monomial, Rational]) -> Powers:
    """A quadratic form: product by product, or reduced in some order of its variables."""
    variables = sorted({e for m in quadratic for e, _ in m}, key=lambda e: (e.position, e.index))
    by_products = _sum(
        term for m, c in quadratic.items() for term in _product_of_two(m, Fraction(c))
    )
    orders: Iterable[Sequence[Entry]] = [variables, variables[::-1]]
    if len(variables) <= MOST_ORDERED:
        orders = itertools.permutations(variables)
    return _cheapest([by_products, *(_reduced(quadratic, order) for order in orders)])


def _product_of_two(m: Monomial, c: Fraction) -> list[tuple[dict[Entry, Rational], int, Rational]]:
    if len(m) == 1:
        return [({m[0][0]: 1}, 2, c)]
    (x, _), (y, _) = m
    return [({x: 1, y: 1}, 2, c / 4), ({x: 1, y: -1}, 2, -c / 4)]


def _reduced(quadratic: Mapping[Monomial, Rational], order: Sequence[Entry]) -> Powers:
    """Squares one after the other: each takes the variables in this order out of the form."""
    Q: dict[tuple[Entry, Entry], Fraction] = defaultdict(Fraction)
    for m, c in quadratic.items():
        x, y = m[0][0], m[-1][0]
        Q[x, y] += Fraction(c) / 2
        Q[y, x] += Fraction(c) / 2
    terms = []
    while pair := _pivot(Q, order):
        x, y = pair
        p = Q[x, y]
        rows = [{v: Q[u, v] / p for v in order} for u in (x, y)]
        if x == y:
            squares = [(rows[0], p)]
        else:
            # 2 p u v, with u and v the forms that hold all of x and of y.
            v, u = rows
            squares = [(_plus(u, v, 1), p / 2), (_plus(u, v, -1), -p / 2)]
        for line, c in squares:
            terms.append((line, 2, c))
            for s, t in itertools.product(order, repeat=2):
                Q[s, t] -= c * line[s] * line[t]
    return _sum(terms)


def _pivot(Q: Mapping, order: Sequence[Entry]) -> tuple[Entry, Entry] | None:
    for x in order:
        if Q[x, x]:
            return x, x
    return next(((x, y) for x, y in itertools.combinations(order, 2) if Q[x, y]), None)


def _plus(u: Mapping[Entry, Fraction], v: Mapping[Entry, Fraction], sign: int) -> dict:
    return {e: u[e] + sign * v[e] for e in u}


def _monomial(m: Monomial, c: Rational) -> Powers:
    """A monomial of degree 3 and more."""
    if len(m) == 1:
        return _sum([({m[0][0]: 1}, m[0][1], c)])
    candidates = [_kan(m, Fraction(c))]
    if len(m) == 2:
        candidates += [
            _vandermonde(m, Fraction(c), Fraction(scale)) for scale in (1, 2, Fraction(1, 2))
        ]
    return _cheapest(candidates)


def _kan(m: Monomial, c: Fraction) -> Powers:
    p = _degree(m)
    terms = []
    for v in itertools.product(*(range(a + 1) for _, a in m)):
        weight = math.prod(math.comb(a, i) for (_, a), i in zip(m, v, strict=True))
        line = {e: Fraction(a, 2) - i for (e, a), i in zip(m, v, strict=True)}
        terms.append((line, p, c * (-1) ** sum(v) * weight / math.factorial(p)))
    return _sum(terms)


def _vandermonde(m: Monomial, c: Fraction, scale: Fraction) -> Powers:
    """x^a y^b by powers of x + j y for j = 0, 1, -1, 2, ... times a scale, and of y.

    The coefficient of x^(p-i) y^i in sum_j w_j (x + j y)^p is C(p, i) sum_j w_j j^i.
    """
    (x, _), (y, b) = m
    p = _degree(m)
    nodes = [scale * ((k + 1) // 2) * (1 if k % 2 else -1) for k in range(p)]
    wanted = [Fraction(i == b, math.comb(p, i)) for i in range(p)]
    weights = _solved([[j**i for j in nodes] for i in range(p)], wanted)
    terms = [({x: Fraction(1), y: j}, p, c * w) for j, w in zip(nodes, weights, strict=True)]
    rest = (i == b for i in (p,))
    last = Fraction(next(rest)) - sum(w * j**p for j, w in zip(nodes, weights, strict=True))
    return _sum([*terms, ({y: Fraction(1)}, p, c * last)])


def _solved(A: list[list[Fraction]], b: list[Fraction]) -> list[Fraction]:
    """The solution of A w = b, by python-flint's exact matrices."""
    from flint import fmpq, fmpq_mat

    n = len(b)
    left = fmpq_mat(n, n, [fmpq(v.numerator, v.denominator) for row in A for v in row])
    right = fmpq_mat(n, 1, [fmpq(v.numerator, v.denominator) for v in b])
    found = left.solve(right)
    return [Fraction(int(found[i, 0].p), int(found[i, 0].q)) for i in range(n)]
