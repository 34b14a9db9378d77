"""When two tasks are the same map: decided exactly, but for formulas."""

from collections import defaultdict
from collections.abc import Sequence
from fractions import Fraction
from itertools import islice

import numpy as np

from construct.errors import ConstructError
from construct.matrix import Matrix
from construct.rational import Rational
from construct.spec.formula import Formula
from construct.spec.symbolic import surely_equal, trees_of
from construct.spec.tasks import Task


def same_map(one: Task | Formula, other: Task | Formula) -> bool:
    """Whether two tasks are the same function on all of R^d.

    Of two of `Task` it is decided exactly. Where one is a formula, True says that SymPy proves
    it, and False that it does not.
    """
    if one.d != other.d:
        return False
    if isinstance(one, Task) and isinstance(other, Task):
        return normal_form(one) == normal_form(other)
    trees, others = (f.entries if isinstance(f, Formula) else trees_of(f) for f in (one, other))
    return trees is not None and others is not None and surely_equal(trees, others)


# Entries of the inputs on which tasks are told apart, and at most so many such inputs.
MOST_ENTRIES, MOST_INPUTS = 1 << 22, 8


def twins(tasks: Sequence[Task | Formula]) -> tuple[Task | Formula, Task | Formula] | None:
    """The first two tasks of one dimension that are the same function, if there are any.

    Those that differ on some inputs are not: only the others are compared, which takes long.
    Two of which one is a formula are twins if they agree on these inputs and are the same by
    `same_map`; those that agree there by chance, or for reasons that SymPy does not see, count
    as different, and an example that both explain votes for both.
    """
    X = _some_inputs(tasks)
    alike: dict[tuple, list[Task | Formula]] = defaultdict(list)
    for task in tasks:
        alike[_values(task, X, any(isinstance(f, Formula) for f in tasks))].append(task)
    for own in alike.values():
        known: dict[tuple, Task] = {}
        formulas: list[Task | Formula] = []
        for at, task in enumerate(own if len(own) > 1 else ()):
            for other in own[:at] if isinstance(task, Formula) else formulas:
                if same_map(other, task):
                    return other, task
            if isinstance(task, Formula):
                formulas.append(task)
                continue
            if known.setdefault(normal_form(task), task) is not task:
                return known[normal_form(task)], task
    return None


# Values that agree in so many bits after the point count as equal; a formula has 200.
AGREEING = 100


def _values(task: Task | Formula, X: np.ndarray | None, rounding: bool) -> tuple:
    """What a task says on the inputs that tell tasks apart; None where it has no value."""
    if X is None:
        return ()
    if not rounding:
        return tuple(task(X).flat)
    found: list[int | None] = []
    for x in (*X.astype(object), *(X.astype(object) * Fraction(1, 64))):
        try:
            found.extend(round(value * (1 << AGREEING)) for value in task(x).tolist())
        except ConstructError:
            found.append(None)
    return tuple(found)


def _some_inputs(tasks: Sequence[Task | Formula]) -> np.ndarray | None:
    """Whole-numbered inputs (..., n-1, d), if they are not too many: any, and some of hinges.

    Of a hinge: 1 at its first entry of each position. Of a table on several words this is an
    entry; elsewhere such tasks may all be 0.
    """
    d, inputs = tasks[0].d, max((p for task in tasks for p in task.positions), default=1)
    if (MOST_INPUTS + 1) * inputs * d > MOST_ENTRIES:
        return None
    features = (task.features for task in tasks if isinstance(task, Task))
    hinges = (next((h for g in own for h in g), None) for own in features)
    X = [np.random.default_rng(1).integers(-99, 100, (inputs, d))]
    for hinge in islice(filter(None, hinges), MOST_INPUTS):
        X.append(np.zeros((inputs, d), dtype=np.int64))
        for p, terms in hinge.a:
            X[-1][p - 1, terms[0][0]] = 1
    return np.array(X)


def normal_form(task: Task) -> tuple:
    """Affine part and kinks of f, hashable; equal exactly if the functions are.

    max(-t, 0) = max(t, 0) - t turns every hinge so that its first coefficient is
    1; hinges with different hyperplanes are linearly independent modulo affine
    maps, since each has its kink where the others are smooth.
    """
    if not task.features:
        return frozenset(task.A.items()), tuple(task.b), frozenset()
    linear: dict[tuple[int, int, int], Rational] = defaultdict(int)
    constant = task.b.copy()
    kinks: dict[tuple, dict[int, Rational]] = defaultdict(lambda: defaultdict(int))
    for p, matrix in task.A.items():
        for row, column, value in matrix:
            linear[p, column, row] += value
    columns = task.C.T
    for u, feature in enumerate(task.features):
        for hinge in feature:
            weight = {row: hinge.c * c for row, c in columns.terms(u)}
            a = {(p, i): v for p, terms in hinge.a for i, v in terms}
            if not a:
                for row, w in weight.items():
                    constant[row] += w * max(hinge.e, 0)
                continue
            lead = Fraction(next(iter(a.values())))
            # A hinge of words has 1 there: nothing to divide.
            terms = a.items() if lead == 1 else ((key, v / lead) for key, v in a.items())
            plane = tuple(terms), hinge.e / lead
            for row, w in weight.items():
                kinks[plane][row] += w * abs(lead)
                if lead < 0:
                    # c max(t, 0) = c max(-t, 0) + c t, and -t has the lead above.
                    for (p, column), value in a.items():
                        linear[p, column, row] += w * value
                    constant[row] += w * hinge.e
    return (
        frozenset(_matrices(linear, task.d).items()),
        tuple(constant),
        frozenset((plane, _nonzeros(own)) for plane, own in kinks.items() if any(own.values())),
    )


def _matrices(linear: dict[tuple[int, int, int], Rational], d: int) -> dict[int, Matrix]:
    """Position -> matrix, zero matrices left out."""
    entries: dict[int, list[tuple[int, int, Rational]]] = defaultdict(list)
    for (p, column, row), value in linear.items():
        if value:
            entries[p].append((row, column, value))
    return {p: Matrix.from_entries((d, d), own) for p, own in entries.items()}


def _nonzeros(weights: dict[int, Rational]) -> frozenset:
    return frozenset((row, w) for row, w in weights.items() if w)
