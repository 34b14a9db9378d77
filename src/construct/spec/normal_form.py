"""When two tasks are the same map, decided exactly."""

from collections import defaultdict
from fractions import Fraction

import numpy as np

from construct.rational import Rational, zeros
from construct.spec.tasks import Task


def same_map(one: Task, other: Task) -> bool:
    """Whether two tasks are the same function on all of R^d, decided exactly."""
    return one.d == other.d and normal_form(one) == normal_form(other)


def normal_form(task: Task) -> tuple:
    """Affine part and kinks of f, hashable; equal exactly if the functions are.

    max(-t, 0) = max(t, 0) - t turns every hinge so that its first coefficient is
    1; hinges with different hyperplanes are linearly independent modulo affine
    maps, since each has its kink where the others are smooth.
    """
    linear: dict[tuple[int, int, int], Rational] = defaultdict(int)
    constant = task.b.copy()
    kinks: dict[tuple, np.ndarray] = defaultdict(lambda: zeros(task.d))
    for p, matrix in task.A.items():
        for row, column in np.argwhere(matrix).tolist():
            linear[p, column, row] += matrix[row, column]
    for u, feature in enumerate(task.features):
        for hinge in feature:
            weight = hinge.c * task.C[:, u]
            a = {(p, i): v for p, vector in hinge.a for i, v in enumerate(vector) if v}
            if not a:
                constant = constant + weight * max(hinge.e, 0)
                continue
            lead = Fraction(next(iter(a.values())))
            plane = (tuple((key, v / lead) for key, v in a.items()), hinge.e / lead)
            kinks[plane] = kinks[plane] + weight * abs(lead)
            if lead < 0:
                # c max(t, 0) = c max(-t, 0) + c t, and -t has the lead above.
                for (p, column), value in a.items():
                    for row in np.flatnonzero(weight).tolist():
                        linear[p, column, row] += weight[row] * value
                constant = constant + weight * hinge.e
    return (
        frozenset((key, v) for key, v in linear.items() if v),
        tuple(constant),
        frozenset((key, tuple(v)) for key, v in kinks.items() if v.any()),
    )
