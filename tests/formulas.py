"""Formulas as the tests draw them: texts, and what they mean in Python and mpmath.

No line of construct is used for the meaning: a text that the tests have drawn themselves is a
program of Python once its numbers are wrapped.
"""

import re
from fractions import Fraction
from typing import Any

import mpmath
from hypothesis import strategies as st

BITS = 900

NUMBERS = st.sampled_from(["0", "1", "2", "3", "0.5", "1.25", "(1/3)", "1e-2", "7"])


def entries(d: int, n: int) -> st.SearchStrategy[str]:
    """The texts of all entries."""
    one = [f"x[{i}]" for i in range(1, d + 1)]
    return st.sampled_from(one + [f"x[{p}, {i}]" for p in range(1, n) for i in range(1, d + 1)])


def texts(d: int, n: int, functions: tuple[str, ...]) -> st.SearchStrategy[str]:
    """Any formula: signs and powers bind as they fall, parentheses stand here and there."""

    def longer(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        atoms = st.one_of(entries(d, n), inner.map("({})".format))
        shapes = [
            st.tuples(inner, st.sampled_from([" + ", " - ", "*", "/"]), inner).map("".join),
            inner.map("-{}".format),
            inner.map("({})".format),
            st.tuples(atoms, st.sampled_from(["^", "**"]), st.integers(0, 3)).map(
                lambda parts: "{}{}{}".format(*parts)
            ),
            *(inner.map((name + "({})").format) for name in functions),
            st.tuples(st.sampled_from(["max", "min"]), inner, inner).map(
                lambda parts: "{}({}, {})".format(*parts)
            ),
        ]
        return st.one_of(shapes)

    return st.recursive(st.one_of(entries(d, n), NUMBERS), longer, max_leaves=8)


RATIONAL = ("abs", "relu")
IRRATIONAL = ("sin", "cos", "tanh", "exp", "log", "sqrt", "sigmoid", "softplus")

rationals = st.fractions(-5, 5, max_denominator=12)


def points(d: int, n: int) -> st.SearchStrategy[list[list[Fraction]]]:
    """Inputs (n-1, d)."""
    row = st.lists(rationals, min_size=d, max_size=d)
    return st.lists(row, min_size=n - 1, max_size=n - 1)


class _X:
    """What `x` is: x[i], and x[p, i]."""

    def __init__(self, rows: list[list[Any]]) -> None:
        self.rows = rows

    def __getitem__(self, key: Any) -> Any:
        p, i = key if isinstance(key, tuple) else (1, key)
        return self.rows[p - 1][i - 1]


_NUMBER = re.compile(r"(?<![\w\]])(\d+(?:\.\d+)?(?:e-?\d+)?)")


def program(text: str) -> str:
    """The text as Python has it: numbers outside of x[...] and of powers are made exact."""
    pieces = re.split(r"(x\[[^]]*\]|(?:\^|\*\*)\d+)", text)
    return "".join(
        piece.replace("^", "**") if k % 2 else _NUMBER.sub(r"Q('\1')", piece)
        for k, piece in enumerate(pieces)
    )


def exact_value(text: str, X: list[list[Fraction]]) -> Fraction:
    """The value of a rational formula.

    Raises:
        ZeroDivisionError: where it has none.
    """
    known = {"relu": lambda t: max(t, 0), "abs": abs, "max": max, "min": min}
    return Fraction(eval(program(text), {"x": _X(X), "Q": Fraction, **known}))


def real_value(text: str, X: list[list[Fraction]]) -> Any:
    """The value, or None where there is none, or it is beyond 2^4000.

    None too where BITS bits and four times as many say different things: of sin(exp(exp(7))).
    """
    few, many = (_value(text, X, bits) for bits in (BITS, 4 * BITS))
    if few is None or many is None:
        return None
    with mpmath.workprec(BITS):
        return many if abs(few - many) <= mpmath.mpf(2) ** -220 * max(1, abs(many)) else None


def _value(text: str, X: list[list[Fraction]], bits: int) -> Any:
    with mpmath.workprec(bits):

        def ball(value: Any) -> Any:
            q = Fraction(value)
            return mpmath.mpf(q.numerator) / q.denominator

        known = {
            name: getattr(mpmath, name) for name in ("sin", "cos", "tanh", "exp", "log", "sqrt")
        }
        known |= {"relu": lambda t: max(t, 0), "abs": abs, "max": max, "min": min}
        known |= {"sigmoid": lambda t: 1 / (1 + mpmath.exp(-t)), "pi": +mpmath.pi}
        known |= {"softplus": lambda t: mpmath.log1p(mpmath.exp(t))}
        names = {"x": _X([[ball(v) for v in row] for row in X]), "Q": ball, **known}
        try:
            value = eval(program(text), names)
        except (ZeroDivisionError, TypeError, ValueError, OverflowError):
            return None  # a pole, or complex numbers that have no order
        if isinstance(value, mpmath.mpc) or not abs(value) < mpmath.mpf(2) ** 4000:
            return None
        return mpmath.mpf(value)


def off_by(value: Fraction, wanted: Any) -> Any:
    """How far a value is from the one wanted, in units of max(1, |wanted|)."""
    with mpmath.workprec(4 * BITS):
        gap = abs(mpmath.mpf(value.numerator) / value.denominator - wanted)
        return gap / max(1, abs(wanted))
