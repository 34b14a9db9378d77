"""The terms that add up to an answer: how large they are, and together."""

from fractions import Fraction

import numpy as np

from construct.matrix import Matrix
from construct.rational import Rational, rationals
from construct.spec.hinge import Feature
from construct.spec.tasks import Task


def absolute_sums(task: Task, query: np.ndarray) -> np.ndarray:
    """(d,): for each entry of f(query) the sum of the absolute terms that add up to it."""
    size, sums = abs(query), abs(task.b)
    parts = [(matrix, size[p - 1]) for p, matrix in task.A.items()]
    if task.features:
        inner = [sum(_absolute_terms(feature, size)) for feature in task.features]
        parts.append((task.C, rationals(inner)))
    for matrix, x in parts:
        rows, terms = _terms(matrix, x)
        np.add.at(sums, rows, terms)
    return sums


def largest_term(task: Task, query: np.ndarray) -> Fraction:
    """The largest of |f(query)| and of the terms that add up to it."""
    size = abs(query)
    largest = [abs(task(query)).max(), abs(task.b).max()]
    parts = [(matrix, size[p - 1]) for p, matrix in task.A.items()]
    if task.features:
        inner = [max(_absolute_terms(feature, size), default=0) for feature in task.features]
        parts.append((task.C, rationals(inner)))
    largest += [max(_terms(matrix, x)[1].tolist(), default=0) for matrix, x in parts]
    return Fraction(max(largest))


def _terms(matrix: Matrix, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows and values of the absolute terms of a product that are not 0."""
    rows, columns = matrix.at
    read = np.flatnonzero((x != 0).astype(bool)[columns])
    return rows[read], abs(matrix.values[read] * x[columns[read]])


def _absolute_terms(feature: Feature, size: np.ndarray) -> list[Rational]:
    """The absolute terms of a feature, of inputs whose entries have these sizes."""
    terms: list[Rational] = []
    for hinge in feature:
        inside = [hinge.e, *(v * size[p - 1, i] for p, vector in hinge.a for i, v in vector)]
        terms += [abs(hinge.c * x) for x in inside]
    return terms


def ulp(value: Fraction, bits: int) -> Fraction:
    """The spacing of a float format with `bits` bits at |value|; 2^-bits at 0."""
    value = Fraction(value)
    if not value:
        return Fraction(1, 1 << bits)
    exponent = value.numerator.bit_length() - value.denominator.bit_length()
    if Fraction(2) ** exponent > value:
        exponent -= 1
    return Fraction(2) ** (exponent + 1 - bits)
