"""Numbers as the page holds them."""

from fractions import Fraction
from math import isfinite
from typing import Any

from construct.rational import MOST_WHOLE

Number = int | float | str


def number(x: Any) -> Number:
    """A number of a pass for JavaScript: a float, a whole number, or a text.

    Text is what JavaScript would round: a fraction "p/q", a whole number beyond 2^53; and what
    JSON has no number for: NaN and infinity.
    """
    value = x.item() if hasattr(x, "item") else x
    if isinstance(value, float):
        if not isfinite(value):
            return str(value)
        return int(value) if value.is_integer() and abs(value) < MOST_WHOLE else value
    if isinstance(value, Fraction) and value.denominator != 1:
        return str(value)
    return int(value) if abs(value) < MOST_WHOLE else str(int(value))


def numbers(values: Any) -> list[Number]:
    """Of each entry of a vector."""
    return [number(x) for x in values.tolist()]
