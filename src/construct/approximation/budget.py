"""How many hinges a function takes, and how an error is split among several functions.

A function with integral I = int sqrt|f''| takes about I / (4 sqrt(eps)) hinges. Among functions
whose errors add up to eps these are fewest in all if eps_j goes with I_j^(2/3); they are then
as many as those of one function with I = (sum_j I_j^(2/3))^(3/2).
"""

import math
from collections.abc import Sequence
from fractions import Fraction

from construct.errors import ConstructError
from construct.rational import Rational

# Hinges of all functions of a task together.
MOST_HINGES = 20_000

# Bits of the parts of an error.
PART_BITS = 12


def hinges_about(bending: float, epsilon: Rational) -> float:
    """About how many hinges a function with this integral of sqrt|f''| takes."""
    return bending / (4 * _root(epsilon))


def together(bendings: Sequence[float]) -> float:
    """The integral of one function that takes as many hinges as these with the best split."""
    return math.fsum(b ** (2 / 3) for b in bendings) ** 1.5


def shares(bendings: Sequence[float], epsilon: Rational) -> list[Rational]:
    """The parts of an error that are best for functions whose errors add up; rounded down.

    A function that needs no hinge is given a part too, of which no one else notices.
    """
    weights = [b ** (2 / 3) for b in bendings]
    least = max(math.fsum(weights), 1e-300) / (1024 * len(weights)) if weights else 0
    return _parts([max(w, least) for w in weights], epsilon)


def norm_shares(
    bendings: Sequence[float], times: Sequence[int], epsilon: Rational
) -> list[Rational]:
    """The parts e_i with sum_i times_i e_i^2 <= eps^2 that are best; rounded down.

    The hinges I_i / (4 sqrt(e_i)) are fewest in all if e_i goes with (I_i / times_i)^(2/5).
    """
    weights = [(b / m) ** (2 / 5) for b, m in zip(bendings, times, strict=True)]
    least = max(weights, default=0) / 1024 or 1.0
    weights = [max(w, least) for w in weights]
    norm = math.sqrt(math.fsum(m * w**2 for w, m in zip(weights, times, strict=True)))
    return [_rounded(w / norm, epsilon) for w in weights]


def _parts(weights: Sequence[float], epsilon: Rational) -> list[Rational]:
    whole = math.fsum(weights)
    return [_rounded(w / whole, epsilon) for w in weights]


def _rounded(part: float, epsilon: Rational) -> Rational:
    """The part of epsilon, in few bits and not above it."""
    if part >= 1:
        return epsilon
    shift = PART_BITS - math.frexp(part)[1]
    return Fraction(math.floor(math.ldexp(part, shift) * (1 - 1e-9)), 1) / (1 << shift) * epsilon


def refuse_too_many(bending: float, epsilon: Rational, what: str, most: int) -> None:
    """Refuse what is sure to take more hinges than allowed, before any of them is placed.

    Raises:
        ConstructError: with the number of hinges, and an epsilon that would do.
    """
    if hinges_about(bending, epsilon) > 1.02 * most:
        raise too_many(bending, epsilon, what, most)


def too_many(bending: float, epsilon: Rational, what: str, most: int) -> ConstructError:
    """The error that says how many hinges it would be, and which epsilon would do."""
    about = hinges_about(bending, epsilon)
    return ConstructError(
        f"{what} takes about {_short(about)} hinges for epsilon = {_short(float(epsilon))}, and "
        f"at most {most} are made; epsilon = {_enough(bending, most)} would do, or a smaller "
        "domain."
    )


def _enough(bending: float, most: int) -> str:
    """An epsilon of two digits that takes no more hinges than allowed, with room to spare."""
    epsilon = 1.1 * (bending / (4 * most)) ** 2
    if not 0 < epsilon < math.inf:
        return "a much larger one"
    power = math.floor(math.log10(epsilon)) - 1
    return f"{float(f'{math.ceil(epsilon / 10.0**power)}e{power}'):.2g}"


def _short(x: float) -> str:
    return f"{x:.3g}" if x < 10_000 else f"{x:,.0f}".replace(",", "") if x < 1e9 else f"{x:.2e}"


def _root(x: Rational) -> float:
    """The square root as a float, of any size."""
    shift = (x.denominator.bit_length() - x.numerator.bit_length()) // 2
    return math.ldexp(math.sqrt(float(x * Fraction(2) ** (2 * shift))), -shift)
