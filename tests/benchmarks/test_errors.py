"""What the benchmark of errors stands on: its own values, and that it finds a wrong epsilon."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

import errors
from construct import Domain, formula
from construct.approximation.hold import hold


def held(entries, R, epsilon):
    f = formula("f", entries, epsilon=epsilon)
    return f, hold(f, Domain(R, 10**6, 1))


@pytest.mark.parametrize("case", errors.CASES, ids=lambda case: ", ".join(case[0]))
def test_both_sides_in_float64_are_the_exact_ones(case):
    f, task = held(*case[:2], "1/10")
    X = errors.points(errors.Held(task), float(case[1]), 40, np.random.default_rng(1))
    assert abs(X).max() <= case[1]
    exact = np.array([[[Fraction(t) for t in x]] for x in X.tolist()], dtype=object)
    found = np.stack([errors.value(tree, X) for tree in f.entries], axis=1)
    np.testing.assert_allclose(found, f(exact).astype(float), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(
        errors.Held(task)(X), task(exact).astype(float), rtol=1e-9, atol=1e-9
    )


@pytest.mark.parametrize("case", [(["sin(x[1])"], 8, "1/100"), (["x[1]*x[2]", "0"], 4, "1/10")])
def test_an_epsilon_that_is_too_small_is_found(case):
    f, task = held(*case)
    assert errors.worst(f, task, case[1], 4000)[1]
    assert not errors.worst(f, replace(task, epsilon=task.epsilon * 9 / 10), case[1], 4000)[1]
