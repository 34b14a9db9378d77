"""When two expressions are the same function, as far as SymPy proves it.

SymPy is handed trees, never text. Each abs, max, min and relu becomes a hinge of one sign and
size, H(u) = max(u, 0), so that equal sums of hinges are equal expressions.
"""

from collections.abc import Iterable, Sequence
from math import comb, prod
from typing import Any

from construct.rational import Rational
from construct.spec.expression import (
    Call,
    Entry,
    Expression,
    Number,
    Pi,
    Power,
    Product,
    Quotient,
    Sum,
    children,
    number,
    product,
    total,
)
from construct.spec.tasks import Task

# Terms that SymPy multiplies out, operations up to which it simplifies, and hinges of a task
# that are written as a tree.
MOST_TERMS, MOST_OPERATIONS, MOST_HINGES = 1024, 200, 200


def surely_equal(ones: Sequence[Expression], others: Sequence[Expression]) -> bool:
    """Whether expressions are pairwise the same function: True only where it is proved.

    Poles that cancel, as in x[1]/x[1], do not count.
    """
    return all(
        one == other or _vanishes(one, other) for one, other in zip(ones, others, strict=True)
    )


def _vanishes(one: Expression, other: Expression) -> bool:
    import sympy

    difference = _symbolic(one, sympy) - _symbolic(other, sympy)
    if difference != 0 and max(_terms(one), _terms(other)) > MOST_TERMS:
        return False
    difference = sympy.expand(difference)
    if difference == 0 or difference.count_ops() > MOST_OPERATIONS:
        return bool(difference == 0)
    return bool(sympy.simplify(difference) == 0)


def _terms(tree: Expression) -> int:
    """A bound on the terms of any part of an expression that is multiplied out."""
    parts = [_terms(part) for part in children(tree)]
    match tree:
        case Sum():
            return sum(parts)
        case Product() | Quotient():
            return prod(parts)
        case Power(_, exponent):
            return comb(parts[0] + exponent - 1, exponent)
    return max(parts, default=1)


def _symbolic(tree: Expression, sympy: Any) -> Any:
    match tree:
        case Number(value):
            return sympy.Rational(value.numerator, value.denominator)
        case Pi():
            return sympy.pi
        case Entry(position, index):
            return sympy.Symbol(f"x_{position}_{index}", real=True)
    parts = [_symbolic(part, sympy) for part in children(tree)]
    match tree:
        case Sum():
            return sympy.Add(*parts)
        case Quotient():
            return parts[0] / parts[1]
        case Power(_, exponent):
            return parts[0] ** exponent
        case Call(function, _):
            return _call(function, parts, sympy)
    return sympy.Mul(*parts)


def _call(function: str, parts: list[Any], sympy: Any) -> Any:
    u = parts[0]
    match function:
        case "relu":
            return _hinge(u, sympy)
        case "abs":
            return 2 * _hinge(u, sympy) - u
        case "max" | "min":
            sign = 1 if function == "max" else -1
            for other in parts[1:]:
                u = u + sign * _hinge(sign * (other - u), sympy)
            return u
        case "sigmoid":
            return 1 / (1 + sympy.exp(-u))
        case "softplus":
            return sympy.log(1 + sympy.exp(u))
        case "tanh":
            return 2 / (1 + sympy.exp(-2 * u)) - 1
    return getattr(sympy, function)(u)  # one of `OF_ONE`


def _hinge(u: Any, sympy: Any) -> Any:
    """max(u, 0), by the one multiple of u or -u whose first coefficient is 1."""
    u = sympy.expand(u)
    if u.is_Rational:
        return sympy.Max(u, 0)
    first = min(sympy.Add.make_args(u), key=sympy.default_sort_key)
    factor, _ = first.as_coeff_Mul()
    opaque = sympy.Function("H", real=True)
    if not factor.is_Rational:
        return opaque(u)
    hinge = abs(factor) * opaque(sympy.expand(u / factor))
    return hinge if factor > 0 else hinge + u


def trees_of(task: Task) -> tuple[Expression, ...] | None:
    """The entries of a task as expressions; None if it has many hinges."""
    if sum(map(len, task.features)) > MOST_HINGES:
        return None
    features = [
        total(
            [
                product(
                    [
                        number(hinge.c),
                        Call("relu", (_line(((p, v) for p, v in hinge.a), hinge.e),)),
                    ]
                )
                for hinge in feature
            ]
        )
        for feature in task.features
    ]
    rows: list[list[Expression]] = [[number(b)] for b in task.b.tolist()]
    for p, matrix in task.A.items():
        for row, column, value in matrix:
            rows[row].append(product([number(value), Entry(p, column + 1)]))
    for row, column, value in task.C if features else ():
        rows[row].append(product([number(value), features[column]]))
    return tuple(map(total, rows))


def _line(
    vectors: Iterable[tuple[int, Sequence[tuple[int, Rational]]]], constant: Rational
) -> Expression:
    terms = [
        product([number(value), Entry(p, i + 1)]) for p, vector in vectors for i, value in vector
    ]
    return total([*terms, number(constant)])
