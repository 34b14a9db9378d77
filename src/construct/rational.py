"""Numbers as the files write them: integers, decimals and fractions, exactly.

`0.1` in a JSON file is the rational 1/10 and `"1/3"` is a third; a Python float
is the rational it holds. Rationals live in NumPy arrays of dtype object whose
entries are `int` where they are whole and `Fraction` where they are not.
"""

import json
import math
from collections.abc import Sequence
from decimal import ROUND_CEILING, Decimal, InvalidOperation, localcontext
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np

from construct.errors import ConstructError, shown
from construct.memory import refuse_beyond_memory

Rational = int | Fraction

# Bytes of an entry of an object array.
EACH_POINTER = 8

# Significant bits of a float64; it holds all whole numbers up to MOST_WHOLE.
FLOAT64_BITS = 53
MOST_WHOLE = 1 << FLOAT64_BITS

BEYOND_FLOAT64 = "a number is beyond the range of float64 (1.8e308); use smaller ones."

# The widest exponent a decimal in a file may have: float64 ends at 10^308, and
# an unbounded one ("1e999999999") would cost gigabytes as a fraction.
LARGEST_EXPONENT = 400

# The most digits that the numerator and the denominator of a given number may have.
# Python writes and reads no more than 4300 (or 640, where it is configured so), and a
# weight is a product of several numbers.
MOST_DIGITS = 600


def rational(value: Any, what: str = "a number", *, digits: int = MOST_DIGITS) -> Rational:
    """`value` as an exact rational.

    Args:
        digits: the most that its numerator and its denominator may have.

    Raises:
        ConstructError: if it is not a finite number, or too long; `what` names it in the
            message.
    """
    if isinstance(value, np.generic):
        # A longdouble has no Python type of its own: item() gives it back.
        value = float(value) if isinstance(value, np.floating) else value.item()
    # type() and not isinstance(): a bool is an int, but not a number here.
    if type(value) is int and -MOST_WHOLE < value < MOST_WHOLE:
        return value
    try:
        if isinstance(value, str):
            _refuse_long(len(value) > 2 * digits + 20, what, digits)
            value = _from_text(value)
        if isinstance(value, int | Fraction | float) and not isinstance(value, bool):
            found = Fraction(value)
            longest = max(abs(found.numerator), found.denominator)
            _refuse_long(longest >= _end(digits), what, digits)
            return found.numerator if found.denominator == 1 else found
    except (OverflowError, ZeroDivisionError, InvalidOperation, ValueError) as error:
        if isinstance(error, ConstructError):
            raise
    raise ConstructError(
        f'{what} is {shown(value)}; write a finite number such as 2, 0.5 or "1/3".'
    )


@lru_cache
def _end(digits: int) -> int:
    return 10**digits


def _refuse_long(long: bool, what: str, digits: int) -> None:
    if long:
        raise ConstructError(
            f"{what} is too long: its numerator and its denominator may have {digits} "
            "digits each; round it."
        )


def _from_text(text: str) -> Fraction:
    numerator, _, denominator = text.partition("/")
    whole = [part.strip().lstrip("+-") for part in (numerator, denominator or "1")]
    if all(part.isdecimal() for part in whole):
        return Fraction(int(numerator), int(denominator or 1))
    parts = [Decimal(numerator), Decimal(denominator or 1)]
    if any(not p.is_finite() or abs(p.adjusted()) > LARGEST_EXPONENT for p in parts):
        raise ValueError(text)
    return Fraction(parts[0]) / Fraction(parts[1])


def rational_array(value: Any, shape: tuple[int | None, ...], what: str) -> np.ndarray:
    """Nested lists (or an array) as an object array of rationals.

    Args:
        shape: the shape that `value` must have; None leaves an axis free.

    Raises:
        ConstructError: naming `what`, the shape found and the shape wanted.
    """
    try:
        found = np.array(value, dtype=object)
    except ValueError as error:
        raise ConstructError(
            f"{what} is ragged; it needs the shape {written_shape(shape)}."
        ) from error
    refuse_other_shape(found.shape, shape, what)
    result = np.empty(found.shape, dtype=object)
    for index, entry in np.ndenumerate(found):
        result[index] = rational(entry, what)
    return result


def refuse_other_shape(found: tuple[int, ...], shape: tuple[int | None, ...], what: str) -> None:
    """Refuse an array `what` of another shape; None leaves an axis free.

    Raises:
        ConstructError: naming `what`, the shape found and the shape wanted.
    """
    if not fits(found, shape):
        wanted = written_shape(shape)
        raise ConstructError(f"{what} has the shape {found}; it needs the shape {wanted}.")


def fits(found: tuple[int, ...], shape: tuple[int | None, ...]) -> bool:
    """Whether this is the shape, in which None leaves an axis free."""
    return len(found) == len(shape) and all(
        s in (None, f) for s, f in zip(shape, found, strict=True)
    )


def written_shape(shape: tuple[int | None, ...]) -> str:
    """A shape in a message."""
    return "(" + ", ".join("any" if s is None else str(s) for s in shape) + ")"


def largest(whole: np.ndarray) -> int:
    """The largest absolute value of whole numbers, as one of Python's; 0 of none."""
    return max(abs(int(whole.max(initial=0))), abs(int(whole.min(initial=0))))


def rationals(values: Sequence[Rational]) -> np.ndarray:
    """A list of rationals as an object array."""
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found


def zeros(*shape: int) -> np.ndarray:
    """An object array of exact zeros.

    Raises:
        ConstructError: if it is too large, before any of it is made.
    """
    whose = f"an array of {' x '.join(map(shown, shape))} numbers"
    refuse_beyond_memory(math.prod(shape), EACH_POINTER, whose, "choose a smaller d")
    return np.full(shape, 0, dtype=object)


def to_float(array: np.ndarray) -> np.ndarray:
    """An object array of rationals, each rounded to the nearest float64."""
    try:
        return array.astype(np.float64)
    except OverflowError as error:
        raise ConstructError(BEYOND_FLOAT64) from error


def is_dyadic(x: Rational) -> bool:
    """Whether the denominator is a power of two."""
    return x.denominator & (x.denominator - 1) == 0


def is_float(value: Rational) -> bool:
    """Whether float64 holds it; most are told without a comparison of fractions."""
    if type(value) is int and -MOST_WHOLE < value < MOST_WHOLE:
        return True
    try:
        return is_dyadic(value) and float(value) == value
    except OverflowError:
        return False


def to_json(value: Any) -> Any:
    """Arrays and rationals as JSON: whole numbers as such, others as "p/q"."""
    if isinstance(value, np.ndarray):
        return to_json(value.tolist()) if value.dtype == object else value.tolist()
    if isinstance(value, dict):
        if set(map(type, value)) == set(map(type, value.values())) == {str}:
            return value if type(value) is dict else dict(value)  # often a large table
        return {str(key): to_json(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(entry) for entry in value]
    if isinstance(value, Fraction):
        return int(value) if value.denominator == 1 else str(value)
    return value


def read_json(text: str, source: str, *, digits: int = MOST_DIGITS) -> Any:
    """JSON with decimals kept exact.

    Args:
        digits: the most that a number may have.

    Raises:
        ConstructError: if `text` is not JSON, or holds NaN, Infinity, or a number that is
            too long.
    """

    def refuse(constant: str) -> None:
        raise ConstructError(f"{source} holds {constant}; numbers must be finite.")

    def no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in pairs:
            if key in found:
                raise ConstructError(f"{source} holds {key!r} twice in one object; keep one.")
            found[key] = value
        return found

    def exact(number: str) -> Rational:
        return rational(number, f"a number in {source}", digits=digits)

    def whole(number: str) -> Rational:
        return int(number) if len(number) < MOST_DIGITS else exact(number)

    try:
        return json.loads(
            text,
            parse_float=exact,
            parse_int=whole,
            parse_constant=refuse,
            object_pairs_hook=no_twins,
        )
    except json.JSONDecodeError as error:
        raise ConstructError(f"{source} is not valid JSON: {error}.") from error
    except (RecursionError, ValueError) as error:
        if isinstance(error, ConstructError):
            raise
        raise ConstructError(f"{source} cannot be read: {error}.") from error


def above(x: Fraction) -> float:
    """The float next to a number, not below it."""
    near = float(x)
    return near if Fraction(near) >= x else math.nextafter(near, math.inf)


def rounded_up(x: Any) -> str:
    """A positive number in two digits, not below it: "0.0013"."""
    value = Fraction(x)
    with localcontext(prec=40, rounding=ROUND_CEILING):
        digits = Decimal(value.numerator) / Decimal(value.denominator)
        return f"{digits.quantize(Decimal(1).scaleb(digits.adjusted() - 1)):.2g}"
