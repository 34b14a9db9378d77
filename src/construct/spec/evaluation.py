"""The value of an expression: exactly where it is rational, else to 2^-200.

An expression of rational functions is evaluated in fractions. Any other is enclosed in balls
(python-flint's `arb`, arithmetic with a proved bound on its error), with ever more bits until
the ball is small enough. All points are evaluated side by side, as arrays of objects.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, NoReturn

import numpy as np
from jaxtyping import Shaped

from construct.errors import ConstructError, shown
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
    entries,
    is_rational,
    written,
)

# A value v is off by at most 2^-ACCURACY max(1, |v|).
ACCURACY = 200

# Bits of the first enclosure, and the most that are tried.
FIRST_BITS, MOST_BITS = 288, 1 << 14

# Values are below 2^MOST_SIZE, about 10^1200: an exponential of an exponential is not.
MOST_SIZE = 1 << 12

Values = Shaped[np.ndarray, " points"]


def evaluate(tree: Expression, X: Shaped[np.ndarray, "points inputs d"], what: str) -> Values:
    """The values at many inputs: exact where `is_rational`, else as `ACCURACY` says.

    Args:
        X: rationals, of dtype object.
        what: what messages call the expression.

    Raises:
        ConstructError: naming the part that is not defined, and the input.
    """
    exact = _Exact(X, what)
    if is_rational(tree):
        return exact.value(tree)
    found = np.full(len(X), None, dtype=object)
    bits, open_ = FIRST_BITS, np.arange(len(X))
    while len(open_):
        if bits > MOST_BITS:
            exact.refuse(
                int(open_[0]),
                tree,
                f"{written(tree)} cannot be told to 2^-{ACCURACY} in {MOST_BITS} bits",
            )
        found[open_] = _enclosed(tree, X[open_], what, bits)
        open_ = open_[np.array([value is None for value in found[open_]], dtype=bool)]
        bits *= 2
    return found


def _enclosed(tree: Expression, X: np.ndarray, what: str, bits: int) -> Values:
    """The values that so many bits tell, and None for others."""
    from flint import ctx

    with ctx.workprec(bits):
        balls = _Balls(X, what)
        found = np.full(len(X), None, dtype=object)
        for i, ball in enumerate(balls.value(tree)):
            found[i] = balls.rounded(i, tree, ball)
        return found


class _Points:
    """Evaluation at all points of an array, one expression after another."""

    def __init__(self, X: np.ndarray, what: str) -> None:
        self.X, self.what = X, what

    def refuse(self, point: int, tree: Expression, why: str) -> NoReturn:
        """Say where an expression has no value."""
        read = [f"{written(e)} = {shown_number(self.read(e)[point])}" for e in entries(tree)[:4]]
        at = f"at {', '.join(read)}" if read else "anywhere"
        raise ConstructError(
            f"{self.what} has no value {at}: {why}; change the formula, or keep to inputs where "
            "it has one."
        )

    def refuse_where(self, wrong: np.ndarray, tree: Expression, why: str) -> None:
        """Say so of the first of the points that are marked."""
        for point in np.flatnonzero(wrong)[:1]:
            self.refuse(int(point), tree, why)

    def read(self, entry: Entry) -> Values:
        """The entries of all points."""
        return self.X[:, entry.position - 1, entry.index - 1]

    def full(self, value: Any) -> Values:
        return np.full(len(self.X), value, dtype=object)

    def value(self, tree: Expression) -> Values:
        """The values of an expression."""
        match tree:
            case Sum(terms):
                return _folded(np.add, map(self.value, terms))
            case Product(factors):
                return _folded(np.multiply, map(self.value, factors))
            case Quotient(above, below):
                return self.quotient(self.value(above), self.value(below), below)
            case Power(base, exponent):
                return self.value(base) ** exponent
            case Call(function, arguments):
                return self.call(function, [self.value(a) for a in arguments], arguments)
        raise TypeError(tree)

    def quotient(self, above: Values, below: Values, tree: Expression) -> Values:
        raise NotImplementedError

    def call(self, function: str, values: Sequence[Values], trees: Sequence[Expression]) -> Values:
        raise NotImplementedError


class _Exact(_Points):
    """In fractions."""

    def value(self, tree: Expression) -> Values:
        match tree:
            case Number(value):
                return self.full(value)
            case Entry():
                return self.read(tree)
        return super().value(tree)

    def quotient(self, above: Values, below: Values, tree: Expression) -> Values:
        self.refuse_where(below == 0, tree, f"it divides by {written(tree)}, which is 0 there")
        return _DIVIDE(above, below)

    def call(self, function: str, values: Sequence[Values], trees: Sequence[Expression]) -> Values:
        match function:
            case "abs":
                return abs(values[0])
            case "relu":
                return np.maximum(values[0], self.full(0))
            case "max":
                return _folded(np.maximum, values)
        return _folded(np.minimum, values)


class _Balls(_Points):
    """In balls, at the precision that is set; what is rational in it, in fractions first."""

    def __init__(self, X: np.ndarray, what: str) -> None:
        super().__init__(X, what)
        self.exact = _Exact(X, what)

    def value(self, tree: Expression) -> Values:
        if isinstance(tree, Pi):
            from flint import arb

            return self.full(arb.pi())
        return _BALL(self.exact.value(tree)) if is_rational(tree) else super().value(tree)

    def quotient(self, above: Values, below: Values, tree: Expression) -> Values:
        zero = np.array([ball.is_zero() for ball in below], dtype=bool)
        self.refuse_where(zero, tree, f"it divides by {written(tree)}, which is 0 there")
        return above / below

    def call(self, function: str, values: Sequence[Values], trees: Sequence[Expression]) -> Values:
        if function in _LEAST:
            name, least, wrong = _LEAST[function]
            outside = np.array([wrong(ball) for ball in values[0]], dtype=bool)
            why = f"it takes the {name} of {written(trees[0])}, which is {least} there"
            self.refuse_where(outside, trees[0], why)
        return np.frompyfunc(_FUNCTIONS[function], len(values), 1)(*values)

    def rounded(self, point: int, tree: Expression, ball: Any) -> Rational | None:
        """The value of a ball, or None if it is too large to tell."""
        if ball.is_nan():
            return None
        size = abs(ball).max(1)
        if size.lower() > 2**MOST_SIZE:
            self.refuse(point, tree, f"{written(tree)} is beyond 2^{MOST_SIZE} there")
        near = size.upper() <= 2 ** (MOST_SIZE + 1)
        if not near or not ball.rad() * 2 ** (ACCURACY + 2) <= size.lower():
            return None
        man, exp = ball.mid().man_exp()
        return _nearest(int(man), int(exp))


def _nearest(man: int, exp: int) -> Rational:
    """man 2^exp, rounded to a multiple of 2^-(ACCURACY + 2)."""
    shift = exp + ACCURACY + 2
    if man.bit_length() + shift < 0:
        return 0
    whole = man << shift if shift >= 0 else (man + (1 << (-shift - 1))) >> -shift
    return Fraction(whole, 1 << (ACCURACY + 2)) if whole else 0


def _ball(value: Rational) -> Any:
    from flint import arb, fmpq

    return arb(value) if type(value) is int else arb(fmpq(value.numerator, value.denominator))


def _relu(t: Any) -> Any:
    from flint import arb

    return t.max(arb(0))


def _sigmoid(t: Any) -> Any:
    if t < 0:
        return t.exp() / (1 + t.exp())
    return 1 / (1 + (-t).exp())


def _softplus(t: Any) -> Any:
    return _relu(t) + (-abs(t)).exp().log1p()


_FUNCTIONS: dict[str, Callable] = {
    "abs": abs,
    "relu": _relu,
    "sin": lambda t: t.sin(),
    "cos": lambda t: t.cos(),
    "tanh": lambda t: t.tanh(),
    "exp": lambda t: t.exp(),
    "log": lambda t: t.log(),
    "sqrt": lambda t: t.sqrt(),
    "sigmoid": _sigmoid,
    "softplus": _softplus,
    "max": lambda *values: _several("max", values),
    "min": lambda *values: _several("min", values),
}

# Where a function is not defined.
_LEAST: dict[str, tuple[str, str, Callable[[Any], bool]]] = {
    "log": ("logarithm", "at most 0", lambda ball: ball <= 0),
    "sqrt": ("square root", "negative", lambda ball: ball < 0),
}


def _several(name: str, values: Sequence[Any]) -> Any:
    found = values[0]
    for value in values[1:]:
        found = getattr(found, name)(value)
    return found


def _folded(operation: Callable, values: Any) -> Values:
    values = iter(values)
    found = next(values)
    for value in values:
        found = operation(found, value)
    return found


_DIVIDE = np.frompyfunc(lambda above, below: Fraction(above) / below, 2, 1)
_BALL = np.frompyfunc(_ball, 1, 1)


def shown_number(value: Rational) -> str:
    """A rational in a message: with its digits where they are few."""
    text = shown(value) if isinstance(value, int) else f"{value.numerator}/{value.denominator}"
    return text if len(text) <= 24 else f"about {float(value):.6g}"
