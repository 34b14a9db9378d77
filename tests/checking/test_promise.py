from dataclasses import replace
from fractions import Fraction as Q

import numpy as np
import pytest

from construct import Domain, Prompt, build, formula, retrieval, run, shift
from construct.checking.promise import error_bound, held_bound, held_mixture, is_near
from construct.checking.provenance import first_difference
from construct.checking.verification import compare, specification, verify
from construct.designs.theorem import formulas
from near import direction, moved, stand_in

DOMAIN = Domain(4, 32, Q(1, 2))
MADE = build(
    [
        formula("square", ["x[1]^2", "x[2]"]),
        formula("wave", ["sin(x[1])", "0"]),
        shift("s", [1, 1]),
    ],
    m=4,
    domain=DOMAIN,
)


def test_the_bound_is_the_weighted_sum_of_the_errors_and_what_rounding_adds():
    square, wave, exact = MADE.held
    assert min(square.epsilon, wave.epsilon) > 0 == exact.epsilon
    prompt = Prompt.of([], [[1, "1/3"]])
    assert held_bound(MADE, (0, 0, 0)) == error_bound(MADE, prompt, (0, 0, 0), "exact") == 0
    wanted = (square.epsilon + 2 * wave.epsilon) / 4
    assert held_bound(MADE, (1, 2, 1)) == wanted
    assert error_bound(MADE, prompt, (1, 2, 1), "exact") == wanted
    in_floats = error_bound(MADE, prompt.astype("float64"), (1, 2, 1), "float64")
    assert wanted < in_floats < wanted + Q(1, 1000)
    # Of a task that is held exactly only rounding is left.
    assert error_bound(MADE, prompt, (0, 0, 4), "exact") == 0
    assert 0 < error_bound(MADE, prompt.astype("float64"), (0, 0, 4), "float64") < Q(1, 1000)


def test_the_mixture_of_what_is_held_weighs_the_values_of_the_held_tasks():
    query = np.array([[Q(1, 2), 3]], dtype=object)
    one, two, three = (task(query) for task in MADE.held)
    found = held_mixture(MADE, query, (Q(1, 4), Q(1, 2), Q(1, 4)))
    assert found.tolist() == (one / 4 + two / 2 + three / 4).tolist()


def test_formulas_errors_and_tau_are_told_from_tasks_that_are_held_as_they_are():
    plain = [shift("s", [1, 1]), retrieval("r", 1, d=2)]
    assert not is_near(build(plain, domain=DOMAIN))
    assert is_near(build(plain, domain=Domain(4, 32, 1, None, Q(1, 8))))
    assert is_near(build([formula("xy", ["x[1]*x[2]", "0"]), *plain], domain=Domain(4, 64, 1, 1)))
    held = [moved(plain[0], [1, 0], Q(1, 8)), plain[1]]
    assert is_near(stand_in(plain, held, domain=DOMAIN))


@pytest.mark.parametrize("dtype", ["exact", "float64"])
def test_an_answer_beyond_its_bound_is_a_failure(dtype):
    """The network holds a task farther off than it says: by 1/8, not 1/16."""
    tasks = [shift("s", [1, 1]), retrieval("r", 1, d=2)]
    held = moved(tasks[0], direction(2, 0, 1), Q(1, 8))
    domain = Domain(4, 32, Q(1, 2), None, Q(1, 8))
    claims = replace(held, epsilon=Q(1, 16))
    executor = "exact" if dtype == "exact" else "numpy"
    for one, passes in ((held, True), (claims, False)):
        made = stand_in(tasks, [one, tasks[1]], m=2, domain=domain)
        prompt = Prompt.of([[[1, 1], [2, 2]]], [[3, 3]])
        numbers = prompt.astype(dtype)
        answer = run(made, prompt, executor=executor)
        assert answer.votes == (1, 0)
        wrong = compare(made, numbers, specification(made, numbers), answer, dtype)[1]
        assert wrong == [] if passes else "0.125 from the mixture, farther" in wrong[0]
        assert verify(made, executor, dtype, 40).passed == passes


@pytest.mark.parametrize(("executor", "dtype"), [("exact", "exact"), ("numpy", "float64")])
def test_formulas_are_verified_and_a_halved_B_is_found(executor, dtype):
    report = verify(MADE, executor, dtype, 30)
    assert report.passed
    assert min(report.ties, report.noisy, report.partial, report.empty) > 0
    # As near to the edge as it may be: delta is not much above tau + 2 epsilon.
    near = [formula("square", ["x[1]^2", "x[2]"], epsilon=Q(1, 5)), *MADE.tasks[1:]]
    made = build(near, m=4, domain=DOMAIN)
    assert verify(made, executor, dtype, 60).passed
    halved = replace(made.margins, B=made.margins.B / Q(2))
    layers = [layer.emit() for layer in formulas(made.sizes, made.wiring, halved)]
    broken = replace(made, transformer=replace(made.transformer, layers=tuple(layers)))
    assert not verify(broken, executor, dtype, 60).passed
    assert first_difference(broken).startswith("layer 3 (superpose)")


def test_verify_approximates_formulas_anew():
    assert first_difference(MADE) is None
    square = MADE.held[0]
    finer = replace(MADE, held=(replace(square, epsilon=square.epsilon / 2), *MADE.held[1:]))
    assert f"is said to be held within {square.epsilon / 2}" in first_difference(finer)
    other = moved(square, [1, 0], Q(1, 1000))
    other = replace(other, epsilon=square.epsilon)
    bent = replace(MADE, held=(other, *MADE.held[1:]))
    assert first_difference(bent) == "task 'square' is held as another function"
