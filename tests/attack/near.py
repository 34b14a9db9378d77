"""Inputs and labels that decide where what a network holds of a task is off, or labels are.

Inputs at the knots of a sum of ReLUs and between two of them, where it is farthest from its
formula. Labels at tau and at delta from the formula, on the side on which what is held is worst.
"""

from collections import defaultdict
from fractions import Fraction as Q
from random import Random

from attack.domain import BITS
from attack.reckoning import Reckoned, Vector

INPUTS = ("knot", "knot", "between knots")
LABELS = ("at tau", "at tau", "worst match", "worst match", "worst mismatch", "worst mismatch")
LABELS += ("two at once", "past tau")

# A form, ((position, entry, coefficient), ...), and the values at which some ReLU of it bends.
Knots = list[tuple[tuple[tuple[int, int, Q], ...], list[Q]]]


def knots(task_set: Reckoned) -> Knots:
    """The knots of what is held, for each linear form up to a factor."""
    found: dict[tuple, set[Q]] = defaultdict(set)
    for one in task_set.held:
        for a, e in one.hinges if one else ():
            terms = [(p, i, v) for p, own in sorted(a.items()) for i, v in enumerate(own) if v]
            if terms:
                lead = terms[0][2]
                found[tuple((p, i, v / lead) for p, i, v in terms)].add(-e / lead)
    return [(form, sorted(values)) for form, values in found.items()]


def at_a_knot(rng: Random, known: Knots, start: list[Vector], R: Q, kind: str) -> list[Vector]:
    """The inputs, of which one entry is moved to a knot, beside one or between two."""
    if not known:
        return start
    form, values = rng.choice(known)
    size = R * sum(abs(v) for *_, v in form)
    inside = [v for v in values if abs(v) <= size] or values
    k = rng.randrange(len(inside))
    target = inside[k]
    if kind == "between knots":
        # The ends of the box are ends of pieces too.
        after = inside[k + 1] if k + 1 < len(inside) else size
        target += (after - target) * rng.choice([Q(1, 2), Q(1, 2), Q(rng.randint(1, 15), 16)])
    elif rng.random() < 0.3:
        target += rng.choice([-1, 1]) * size / (1 << rng.choice([20, 30, 60]))
    for p, i, v in rng.sample(form, len(form)):
        rest = sum(c * start[q - 1][j] for q, j, c in form if (q, j) != (p, i))
        if abs(target - rest) <= R * abs(v):
            moved = [list(x) for x in start]
            moved[p - 1][i] = (target - rest) / v
            return moved
    # All entries of the form together: the value is theirs by the same share.
    moved = [list(x) for x in start]
    for p, i, v in form:
        share = target / size if size else Q(0)
        moved[p - 1][i] = max(-R, min(R, share * R * (1 if v > 0 else -1)))
    return moved


def label(
    rng: Random, task_set: Reckoned, k: int, X: list[Vector], truth: Vector, kind: str, dtype: str
) -> Vector:
    """A label at an edge of task k, of which the value is `truth`."""
    domain, d = task_set.domain, len(truth)
    if kind == "two at once":
        other = rng.choice(task_set.maps)(X)
        return _snapped([(a + b) / 2 for a, b in zip(truth, other, strict=True)], domain.grid)
    step = _direction(rng, d)
    one = task_set.held[k]
    if kind.startswith("worst") and one is not None:
        off = [g - f for g, f in zip(one.map(X), truth, strict=True)]
        i = max(range(d), key=lambda j: abs(off[j]))
        if off[i]:
            # A match is moved away from what is held, a mismatch towards it.
            sign = 1 if (off[i] > 0) == (kind == "worst mismatch") else -1
            step = [Q(sign * (j == i)) for j in range(d)]
    outward = kind == "worst mismatch"
    length = domain.delta if outward else domain.tau
    length *= _share(rng, task_set.irrational[k], kind, dtype)
    moved = [y + length * s for y, s in zip(truth, step, strict=True)]
    if domain.grid is None:
        return moved
    if not outward:
        return _snapped(moved, domain.grid)
    # On the grid a mismatch is the next label beyond delta.
    grid = domain.grid
    return [
        (-(-y // grid) if s > 0 else y // grid if s < 0 else round(y / grid)) * grid
        for y, s in zip(moved, step, strict=True)
    ]


def _share(rng: Random, irrational: bool, kind: str, dtype: str) -> Q:
    """Of tau or of delta; the digits of an irrational value do not tell what is at an edge."""
    # How much farther a float may be and still match.
    slack = Q(1, 1 << BITS[dtype] // 2) if dtype in BITS else Q(0)
    little = Q(1, 1 << 100)
    if kind == "past tau":
        return 1 + slack * Q(1025, 1024) + little
    if kind == "worst mismatch":
        near = 1 - slack * rng.choice([0, 0, Q(1023, 1024)])
        return near + (little if irrational else 0)
    far = 1 + slack * rng.choice([0, 0, Q(1023, 1024)])
    return rng.choice([far, far, far, Q(rng.randint(1, 63), 64)]) - (little if irrational else 0)


def _direction(rng: Random, d: int) -> Vector:
    """A vector of length 1: along an entry, or 3/5 and 4/5."""
    found = [Q(0)] * d
    i, sign = rng.randrange(d), rng.choice([-1, 1])
    if d > 1 and rng.random() < 0.4:
        found[i], found[(i + 1) % d] = Q(3 * sign, 5), Q(4, 5)
    else:
        found[i] = Q(sign)
    return found


def _snapped(label: Vector, grid: Q | None) -> Vector:
    return label if grid is None else [round(y / grid) * grid for y in label]
