"""Formulas as the reckoning evaluates them: in fractions, or to many digits by mpmath.

No line of construct is used: a text of the attack's own drawing is a program of Python once its
numbers are wrapped (`tests/formulas.py`).
"""

import re
from collections.abc import Callable
from fractions import Fraction as Q
from functools import lru_cache

from formulas import IRRATIONAL, exact_value, real_value
from kinds import Vector

# The value of an irrational formula is known to so many bits after the point.
DIGITS = 240
# Squared distances that are as near as this to an edge are not judged: construct knows values
# to 2^-200.
UNCLEAR = Q(1, 1 << 150)
_NAMES = re.compile(rf"\b({'|'.join((*IRRATIONAL, 'pi'))})\b")


def irrational(task: dict) -> bool:
    """Whether some entry has a function in it that takes rationals to other numbers."""
    return any(_NAMES.search(text) for text in task["f"])


def curves(task: dict) -> Callable[[list[Vector]], Vector]:
    """The map of a formula."""
    return lambda X: [value(text, tuple(map(tuple, X))) for text in task["f"]]


@lru_cache(maxsize=1 << 15)
def value(text: str, X: tuple[tuple[Q, ...], ...]) -> Q:
    """The value of an entry.

    Raises:
        ValueError: where it has none.
    """
    rows = [list(x) for x in X]
    if not _NAMES.search(text):
        return exact_value(text, rows)
    found = real_value(text, rows)
    if found is None:
        raise ValueError(f"{text} has no value at {rows}")
    sign, man, exp, _ = found._mpf_
    shift = exp + DIGITS
    whole = int(man) << shift if shift >= 0 else int(man) >> -shift
    return Q(-whole if sign else whole, 1 << DIGITS)
