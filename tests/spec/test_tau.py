"""Matches within tau, and formulas among the tasks of a mixture and a domain."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import formulas
from construct import (
    ConstructError,
    Domain,
    Formula,
    OutsideDomain,
    Prompt,
    affine,
    check_domain,
    formula,
    maximum,
    mixture,
    relu_sum,
    retrieval,
)
from construct.spec.matching import match_limit
from construct.spec.normal_form import same_map, twins
from construct.spec.symbolic import trees_of
from generators import WholeCase, whole_cases

PRODUCT = formula("product", ["x[1]*x[2]", "x[1]"])
WAVE = formula("wave", ["sin(x[1])", "exp(x[2]/4)"])
TURN = affine("turn", [[0, -1], [1, 0]])
TASKS = (PRODUCT, WAVE, TURN, lambda X: np.asarray(X)[..., 0, :] * 2)
TAU, DELTA = Fraction(1, 10), Fraction(1, 2)

# A direction of length 1.
SIDE = np.array([Fraction(3, 5), Fraction(-4, 5)], dtype=object)


def prompt_of(X, Y, query=(1, 2)) -> Prompt:
    shape = np.array(X, dtype=object).reshape(-1, 1, 2)
    return Prompt(shape, np.array(Y, dtype=object), np.array([query], dtype=object))


# --- Formulas in a mixture ---------------------------------------------------------


@given(whole_cases())
def test_a_task_that_is_written_as_formulas_is_the_same_to_the_specification(case: WholeCase):
    construction, drawn = case.build()
    tasks, written = construction.tasks, []
    for task in tasks:
        trees = trees_of(task)
        assume(trees is not None)
        written.append(Formula(task.name, trees))
    for name in ("exact", "float64", "float32"):
        prompt = drawn.astype(name)
        found, wanted = mixture(written, prompt), mixture(tasks, prompt)
        assert found.votes == wanted.votes
        assert found.answer.tolist() == wanted.answer.tolist()
        some = [*written[: len(written) // 2], *tasks[len(written) // 2 :]]
        assert mixture(some, prompt).votes == wanted.votes


@given(st.lists(formulas.points(2, 2), min_size=1, max_size=6), st.data())
def test_votes_are_those_of_distances_up_to_tau(points, data):
    """Also where f is irrational: the distance is then known to 2^-200."""
    X = np.array(points, dtype=object)
    which = data.draw(st.lists(st.integers(0, 3), min_size=len(X), max_size=len(X)))
    size = st.sampled_from([0, TAU / 2, TAU * Fraction(999, 1000), TAU * Fraction(1001, 1000), 1])
    off = [data.draw(size) for _ in X]
    Y = np.array([TASKS[k](x) + r * SIDE for k, x, r in zip(which, X, off, strict=True)])
    prompt = Prompt(X, Y, X[0])
    wanted = []
    for f in TASKS:
        squares = ((np.array([f(x) for x in X]) - Y) ** 2).sum(axis=-1)
        wanted.append([square <= TAU**2 for square in squares])
    for numbers in (prompt, prompt.astype("float64"), prompt.astype("float32")):
        assert mixture(TASKS, numbers, delta=DELTA, tau=TAU).votes == tuple(map(sum, wanted))
    exact = [[s <= 0 for s in ((np.array([f(x) for x in X]) - Y) ** 2).sum(axis=-1)] for f in TASKS]
    assert mixture(TASKS, prompt, delta=DELTA).votes == tuple(map(sum, exact))


@given(formulas.points(2, 2), formulas.rationals.filter(bool))
def test_a_label_exactly_at_tau_matches_and_beyond_it_does_not(x, tau):
    tau, more = abs(tau), Fraction(1, 10**30)
    value = PRODUCT([x[0]])
    at = prompt_of([x[0]] * 2, [value + tau * SIDE, value + (tau + more) * SIDE])
    assert mixture([PRODUCT], at, delta=10, tau=tau).votes == (1,)
    assert mixture([PRODUCT], at, delta=10, tau=tau + more).votes == (2,)
    assert mixture([PRODUCT], at, delta=10).votes == (0,)


def test_an_irrational_formula_matches_only_within_some_tau():
    y = np.array([[Fraction(v).limit_denominator(10**9) for v in WAVE([1, 2])]], dtype=object)
    near = prompt_of([[1, 2]], y)
    assert mixture([WAVE], near).votes == (0,)
    assert mixture([WAVE], near, tau=Fraction(1, 10**8)).votes == (1,)
    # On floats a label that was rounded is a match, as of any task.
    assert mixture([WAVE], near.astype("float64")).votes == (1,)


def test_the_answer_is_that_of_the_formulas():
    prompt = prompt_of([[1, 2], [3, 1]], [PRODUCT([1, 2]), TURN([3, 1])], (5, 7))
    found = mixture([PRODUCT, WAVE, TURN], prompt)
    assert found.votes == (1, 0, 1)
    assert found.answer.tolist() == [Fraction(35 - 7, 2), Fraction(5 + 5, 2)]
    assert mixture([PRODUCT, TURN], prompt.astype("float64")).answer.dtype == np.float64


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_on_floats_a_label_at_tau_stays_a_match_when_it_is_rounded(dtype):
    rng = np.random.default_rng(1)
    X = [[Fraction(int(a), 7), Fraction(int(b), 3)] for a, b in rng.integers(-30, 30, (200, 2))]
    prompt = prompt_of(X, [PRODUCT(x) + TAU * SIDE for x in X]).astype("float64").astype(dtype)
    exact = replace(prompt, X=prompt.X.astype(object), Y=prompt.Y.astype(object))
    Y = np.array([PRODUCT(x[0]) + TAU * SIDE for x in prompt.X], dtype=object)
    rounded = replace(prompt, Y=Y.astype(np.float64).astype(dtype))
    assert mixture([PRODUCT], rounded, delta=DELTA, tau=TAU).votes == (200,)
    beyond = replace(
        prompt,
        Y=np.array([PRODUCT(x[0]) + TAU * SIDE * Fraction(101, 100) for x in prompt.X])
        .astype(np.float64)
        .astype(dtype),
    )
    assert mixture([PRODUCT], beyond, delta=DELTA, tau=TAU).votes == (0,)
    assert exact.X.dtype == object


def test_the_limit_of_a_match():
    exact = prompt_of([[1, 2]], [[1, 2]])
    assert match_limit(exact, 1) == 0
    assert match_limit(exact, 1, Fraction(1, 3)) == Fraction(1, 9)
    for dtype, p in (("float32", 24), ("float64", 53)):
        floats = exact.astype(dtype)
        assert match_limit(floats, 2) == Fraction(4, 2 ** (p + 7))
        assert match_limit(floats, 2, Fraction(1, 2**40)) == max(
            Fraction(4, 2 ** (p + 7)), Fraction(1, 2**80) * (1 + Fraction(1, 2 ** (p // 2))) ** 2
        )
        wide = (Fraction(1, 3) * (1 + Fraction(1, 2 ** (p // 2)))) ** 2
        assert match_limit(floats, 2, Fraction(1, 3)) == wide


@pytest.mark.parametrize("tau", [1, 2, -1, "x", None])
def test_tau_is_from_0_to_delta(tau):
    with pytest.raises(ConstructError, match=r"^tau is .*(must be|write)"):
        mixture([PRODUCT], prompt_of([[1, 2]], [[1, 2]]), delta=1, tau=tau)


# --- The domain ---------------------------------------------------------------------


DOMAIN = Domain(R=8, Ry=70, delta=DELTA, tau=TAU)


@pytest.mark.parametrize("dtype", ["exact", "float64"])
@pytest.mark.parametrize(
    ("off", "fine"),
    [
        (0, True),
        (TAU, True),
        (TAU + Fraction(1, 10**6), False),
        (DELTA - TAU, False),
        (DELTA, True),
    ],
)
def test_labels_match_within_tau_or_are_separate(off, fine, dtype):
    X = [[Fraction(5, 2), -3], [1, 7]]
    prompt = prompt_of(X, [PRODUCT(x) + off * SIDE for x in X]).astype(dtype)
    if fine:
        check_domain(prompt, [PRODUCT], DOMAIN, 2)
        return
    with pytest.raises(OutsideDomain) as caught:
        check_domain(prompt, [PRODUCT], DOMAIN, 2)
    assert "example 1: its label is at distance" in str(caught.value)
    assert "from task 'product'" in str(caught.value)
    assert "labels that match (up to tau = 1/10) or are at least delta = 1/2" in str(caught.value)


def test_a_domain_without_tau_is_as_it_was():
    plain = Domain(R=8, Ry=8, delta=1)
    assert plain.tau == 0
    assert "tau" not in plain.to_json()
    assert "tau" not in str(plain)
    assert Domain.from_json(plain.to_json()) == plain

    class Old:
        R, Ry, delta, grid = 8, 8, 1, None

    check_domain(prompt_of([[1, 2]], [[2, 1]]), [PRODUCT], Old, 1)


@given(st.fractions(0, 2), st.fractions(0, 2))
def test_tau_survives_json_and_is_below_delta(tau, delta):
    assume(delta)
    if tau >= delta:
        with pytest.raises(ConstructError, match="must be at least 0 and below delta ="):
            Domain(8, 8, delta, tau=tau)
        return
    domain = Domain(8, 8, delta, tau=tau)
    assert Domain.from_json(domain.to_json()) == domain
    assert ("tau" in domain.to_json()) == (f"tau = {tau}" in str(domain)) == bool(tau)


@pytest.mark.parametrize("tau", [-1, 1, "x", None])
def test_no_other_tau_is_taken(tau):
    with pytest.raises(ConstructError, match=r"^tau of the domain is"):
        Domain.from_json({"R": 8, "Ry": 8, "delta": 1, "tau": tau})


def test_a_pole_in_a_prompt_is_named():
    inverse = formula("inverse", ["1/x[1]", "x[2]"])
    with pytest.raises(
        ConstructError, match=r"entry 1 of task 'inverse' has no value at x\[1\] = 0"
    ):
        check_domain(prompt_of([[0, 1]], [[1, 1]]), [inverse], DOMAIN, 1)


# --- Twins ----------------------------------------------------------------------------


SUMS = relu_sum("r", [[{"a": [1, 0], "e": -1}], [{"a": [0, 1]}, {"a": [0, -1]}]], [[1, 0], [0, 1]])


@pytest.mark.parametrize(
    ("texts", "other"),
    [
        (["(x[1] + x[2])^2", "0"], ["x[1]^2 + 2*x[1]*x[2] + x[2]^2", "0"]),
        (["sin(x[1])^2 + cos(x[1])^2", "x[1]"], ["1", "x[1]"]),
        (["tanh(x[1])", "x[1]"], ["2*sigmoid(2*x[1]) - 1", "x[1]"]),
        (["softplus(x[1]) - softplus(-x[1])", "0"], ["x[1]", "0"]),
        (["min(x[1], x[2])", "0"], ["(x[1] + x[2] - abs(x[1] - x[2]))/2", "0"]),
        (["2*relu(x[1]/2 - 1)", "0"], ["relu(2 - x[1]) + x[1] - 2", "0"]),
        (["relu(x[1] - 1)", "abs(x[2])"], SUMS),
        (["max(x[1], x[2, 1])", "max(x[2, 2], x[2])"], maximum("r", d=2)),
        (["x[2, 1]", "x[2, 2]"], retrieval("r", 2, d=2)),
    ],
)
def test_twins_are_proved(texts, other):
    one = formula("f", texts)
    two = formula("g", other) if isinstance(other, list) else other
    assert twins([one, two]) == (one, two)
    assert twins([two, TURN, one]) == (two, one)
    assert same_map(one, two)


@pytest.mark.parametrize(
    ("texts", "other"),
    [
        (["x[1]*x[2]", "0"], ["x[1]*x[2] + 1", "0"]),
        (["sin(x[1])", "0"], ["sin(x[1] + 1/10^20)", "0"]),
        (["log(x[1])", "0"], ["sqrt(x[1])", "0"]),
        (["relu(x[1] - 1000)", "0"], ["relu(x[1] - 2000)", "0"]),
        (["relu(x[1] - 1)", "abs(x[2]) + 1/100"], SUMS),
    ],
)
def test_what_differs_is_no_twin(texts, other):
    one = formula("f", texts)
    two = formula("g", other) if isinstance(other, list) else other
    assert twins([one, two, TURN]) is None
    assert not same_map(one, two)


def test_maps_of_other_dimensions_are_others():
    assert not same_map(formula("f", ["x[1]"]), PRODUCT)


def test_long_polynomials_are_compared_without_being_multiplied_out():
    nine = "+".join(f"x[{i}]" for i in range(1, 10))
    one = formula("f", [f"({nine})^40", *["0"] * 8])
    two = formula("g", [f"({nine} + x[1] - x[1])^40", *["0"] * 8])
    assert twins([one, two]) == (one, two)
    three = formula("h", [f"({nine} + relu(x[1] - 1000))^40", *["0"] * 8])
    assert twins([one, three]) is None
