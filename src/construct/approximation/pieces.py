"""Functions of one variable in pieces, between the kinks of abs, max, min and relu."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from construct.approximation.forms import line_in_t
from construct.rational import Rational
from construct.spec.expression import (
    PIECEWISE_LINEAR,
    ZERO,
    Call,
    Expression,
    Number,
    children,
    product,
    rebuilt,
)

MOST_PIECES = 4096


@dataclass(frozen=True)
class Piece:
    """phi on low <= t <= high, without abs, max, min and relu; None where there is no end."""

    low: Rational | None
    high: Rational | None
    phi: Expression


def pieces(phi: Expression) -> tuple[Piece, ...] | None:
    """phi between its kinks, from left to right; None where a kink is no rational.

    It is known where abs, max, min and relu have arguments that are affine in t, wherever they
    stand: in sin(abs(t)), also in relu(abs(t) - 1), not in max(sin(t), 0).
    """
    parts = children(phi)
    if not parts:
        return (Piece(None, None, phi),)
    below = [pieces(part) for part in parts]
    known = [own for own in below if own is not None]
    if len(known) < len(below):
        return None
    found: list[Piece] = []
    for low, high, own in _common(known):
        if not isinstance(phi, Call) or phi.function not in PIECEWISE_LINEAR:
            found.append(Piece(low, high, rebuilt(phi, own)))
            continue
        resolved = _resolved(phi.function, low, high, own)
        if resolved is None or len(found) > MOST_PIECES:
            return None
        found.extend(resolved)
    return tuple(_joined(found))


def _common(
    functions: Sequence[tuple[Piece, ...]],
) -> list[tuple[Rational | None, Rational | None, list[Expression]]]:
    """The cells between all kinks, and in each the expression of each function."""
    kinks = sorted({p.high for own in functions for p in own if p.high is not None})
    ends = [None, *kinks, None]
    places = [0] * len(functions)
    cells = []
    for low, high in pairwise(ends):
        cells.append((low, high, [own[k].phi for own, k in zip(functions, places, strict=True)]))
        places = [
            k + (own[k].high == high and high is not None)
            for own, k in zip(functions, places, strict=True)
        ]
    return cells


def _resolved(
    function: str, low: Rational | None, high: Rational | None, parts: list[Expression]
) -> list[Piece] | None:
    """The function on a cell, between the places at which two arguments meet."""
    if function == "abs":
        parts = [parts[0], product([Number(-1), parts[0]])]
    if function == "relu":
        parts = [parts[0], ZERO]
    lines = [line_in_t(part) for part in parts]
    known = [line for line in lines if line is not None]
    if len(known) < len(lines):
        return None
    least = function == "min"
    cuts = sorted({t for t in _meetings(known) if _inside(t, low, high)})
    ends = [low, *cuts, high]
    found = []
    for start, end in pairwise(ends):
        t = _between(start, end)
        values = [a * t + b for a, b in known]
        best = min(values) if least else max(values)
        found.append(Piece(start, end, parts[values.index(best)]))
    return found


def _meetings(lines: Sequence[tuple[Rational, Rational]]) -> list[Fraction]:
    return [
        Fraction(other[1] - one[1]) / (one[0] - other[0])
        for k, one in enumerate(lines)
        for other in lines[:k]
        if one[0] != other[0]
    ]


def _inside(t: Rational, low: Rational | None, high: Rational | None) -> bool:
    return (low is None or low < t) and (high is None or t < high)


def _between(low: Rational | None, high: Rational | None) -> Rational:
    """A number between two ends."""
    if low is None:
        return 0 if high is None else high - 1
    return low + 1 if high is None else Fraction(low + high) / 2


def _joined(found: Sequence[Piece]) -> list[Piece]:
    """Neighbours that are the same expression as one piece."""
    joined: list[Piece] = []
    for piece in found:
        if joined and joined[-1].phi == piece.phi:
            joined[-1] = Piece(joined[-1].low, piece.high, piece.phi)
        else:
            joined.append(piece)
    return joined
