"""What an executor must say, and how far rounding can take a float one from it.

Plain fractions throughout: the votes are counted from the definition, the bound
comes from counting roundings (Higham, Accuracy and Stability, section 3.1):

    a summand that takes part in t rounded operations errs by at most gamma_t of
    its absolute value, gamma_t = t u / (1 - t u), u = 2^-p;

so the answer errs by at most sum_k w_k gamma_{t_k} F_k, F_k the sum of the absolute
summands of f_k(X_q). An operation counts only where it can round: a weight that the
format holds is converted exactly, a product with a power of two is exact, and so is a
sum with zeros. Where nothing can round, the answer has to be equal.
"""

from dataclasses import dataclass
from fractions import Fraction as Q

import numpy as np

from construct import Answer, Prompt, Task
from generators import BITS, Case, squares, thresholds


@dataclass(frozen=True, eq=False)
class Expected:
    votes: tuple[int, ...]
    answer: list[Q]
    unexplained: tuple[int, ...]
    ambiguous: tuple[int, ...]
    separations: tuple[Q, ...]


def fractions(array: np.ndarray) -> list:
    """Nested lists of the fractions that the entries are."""
    if array.ndim > 1:
        return [fractions(row) for row in array]
    return [Q(v.item() if isinstance(v, np.generic) else v) for v in array]


def expected(case: Case, prompt: Prompt, dtype: str = "exact") -> Expected:
    """Votes and mixture by the definition, on the numbers that `prompt` holds."""
    match, _ = thresholds(case.construction.domain, dtype)
    distances = [
        squares(case, X, y)
        for X, y in zip(fractions(prompt.X), fractions(prompt.Y), strict=True)
    ]  # fmt: skip
    voters = [[s <= match for s in row] for row in distances]
    votes = tuple(sum(row[k] for row in voters) for k in range(len(case.known)))
    answers = [one.meaning(fractions(prompt.query)) for one in case.known]
    total = sum(votes) or 1
    answer = [
        sum((Q(c, total) * Q(f[i]) for c, f in zip(votes, answers, strict=True)), Q(0))
        for i in range(case.shape.d)
    ]
    return Expected(
        votes,
        answer,
        unexplained=tuple(i for i, row in enumerate(voters) if not any(row)),
        ambiguous=tuple(i for i, row in enumerate(voters) if sum(row) > 1),
        separations=tuple(s for row in distances for s in row if s > match),
    )


def check(case: Case, prompt: Prompt, got: Answer, dtype: str) -> None:
    """Votes equal; the answer equal but for the roundings that were counted."""
    wanted = expected(case, prompt, dtype)
    assert got.votes == wanted.votes
    assert got.unexplained == wanted.unexplained
    assert got.ambiguous == wanted.ambiguous
    off = [abs(a - b) for a, b in zip(fractions(got.answer), wanted.answer, strict=True)]
    allowed = error_bound(case, prompt, wanted.votes, dtype)
    assert all(e <= a for e, a in zip(off, allowed, strict=True)), (off, allowed)


# --- Counting roundings --------------------------------------------------------


def error_bound(case: Case, prompt: Prompt, votes: tuple[int, ...], dtype: str) -> list[Q]:
    """sum_k w_k gamma_{t_k} F_k, entry by entry; 0 on rationals."""
    if dtype == "exact":
        return [Q(0)] * case.shape.d
    query, total = fractions(prompt.query), sum(votes)
    margins, sizes = case.construction.margins, case.construction.sizes
    gate = (Q(margins.L, 2), sizes.ell_t if margins.L else 0)
    bound = [Q(0)] * case.shape.d
    for task, c in zip(case.construction.tasks, votes, strict=True):
        for i in range(case.shape.d) if c else ():
            t, summands = _entry(task, i, query, dtype, gate)
            # The sum of all votes; the reciprocal's conversion, and its product.
            t += total - 1 + _as_factor(Q(1, total), dtype)
            bound[i] += Q(c, total) * _gamma(t, dtype) * summands
    return bound


def _gamma(t: int, dtype: str) -> Q:
    return Q(t, 2 ** BITS[dtype] - t)


def _entry(task: Task, i: int, query: list, dtype: str, gate: tuple[Q, int]) -> tuple[int, Q]:
    """Roundings on the longest way to entry i of f(query), and its absolute summands.

    A gate of so many bits adds a term L/2 for each to a hinge, and as much to its constant.
    """
    terms = [(Q(task.b[i]), Q(1))]
    terms += [(Q(w), x) for p, A in task.A.items() for w, x in zip(A[i], query[p - 1], strict=True)]
    depth = 0
    for u, feature in enumerate(task.features):
        if task.C[i, u]:
            t, size = _feature(feature, query, dtype, gate)
            terms.append((Q(task.C[i, u]), size))
            depth = max(depth, t)
    return depth + _sum_of_products([w for w, _ in terms], dtype), _absolute(terms)


def _feature(feature: tuple, query: list, dtype: str, gate: tuple[Q, int]) -> tuple[int, Q]:
    half, bits = gate
    hinges = []
    for hinge in feature:
        terms = [(abs(Q(hinge.e)) + half * bits, Q(1)), *[(half, Q(1))] * bits]
        terms += [(Q(w), x) for p, a in hinge.a for i, w in a for x in [query[p - 1][i]]]
        hinges.append((_sum_of_products([w for w, _ in terms], dtype), _absolute(terms)))
    outer = _sum_of_products([Q(hinge.c) for hinge in feature], dtype)
    sizes = zip(feature, hinges, strict=True)
    deepest = max((t for t, _ in hinges), default=0)
    return outer + deepest, sum((abs(Q(h.c)) * size for h, (_, size) in sizes), Q(0))


def _absolute(terms: list[tuple[Q, Q]]) -> Q:
    return sum((abs(w * x) for w, x in terms), Q(0))


def _sum_of_products(weights: list[Q], dtype: str) -> int:
    """Roundings on the way of a summand through sum_i w_i x_i, in any order."""
    present = [w for w in weights if w]
    return max((_as_factor(w, dtype) for w in present), default=0) + max(len(present) - 1, 0)


def _as_factor(weight: Q, dtype: str) -> int:
    """Conversions of a weight, through float64, and its product."""
    if (
        abs(weight.numerator) & (abs(weight.numerator) - 1)
        == 0
        == (weight.denominator & (weight.denominator - 1))
    ):
        return 0
    wide = float(weight)
    return 1 + (Q(wide) != weight) + (float(np.dtype(dtype).type(wide)) != wide)
