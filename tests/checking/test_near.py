import itertools
import random
from fractions import Fraction as Q

import pytest
from hypothesis import given

from construct import Domain, build, check_domain, formula, mixture, retrieval, run, shift
from construct.checking.knots import BESIDE, Knots
from construct.checking.pieces import Rows
from construct.checking.plausible import plausible_prompt
from construct.checking.sampling import Drawn, random_prompts
from construct.checking.witness import Witness, survey, witnesses
from near import near_cases, square

POLYNOMIALS = [
    formula("xy", ["x[1]*x[2]", "x[1]"]),
    formula("square", ["x[1]^2", "x[2]"]),
    formula("sum", ["x[1] + x[2]", "x[2]"]),
]
WAVES = [
    formula("wave", ["sin(x[1])", "x[2]"]),
    formula("bent", ["tanh(x[1]) + exp(x[2]/4)", "softplus(x[2])"]),
    retrieval("same", 1, d=2),
]
CONSTRUCTIONS = {
    "rational": build(POLYNOMIALS, m=4, domain=Domain(4, 32, Q(1, 4))),
    "tau": build(POLYNOMIALS, m=4, domain=Domain(4, 32, Q(1, 4), None, Q(1, 16))),
    "grid": build(POLYNOMIALS, m=4, domain=Domain(4, 32, 1, 1)),
    "irrational": build(WAVES, m=4, domain=Domain(4, 32, Q(1, 4))),
    "irrational on a grid": build(WAVES, m=4, domain=Domain(4, 32, Q(1, 2), Q(1, 8), Q(1, 8))),
}
named = pytest.mark.parametrize("made", CONSTRUCTIONS.values(), ids=CONSTRUCTIONS)


def distances(made, prompt):
    """For each example ||f_k(X) - y||^2, squared, by task."""
    pairs = zip(prompt.X, prompt.Y, strict=True)
    return [[square(f(x), y) for f in made.tasks] for x, y in pairs]


@named
@pytest.mark.parametrize("exact", [True, False])
def test_prompts_are_in_the_domain_in_every_certified_format(made, exact):
    formats = ["exact"] if exact else ["float64", *made.certified]
    for prompt in random_prompts(made, 40, 3, exact=exact):
        for dtype in formats:
            check_domain(prompt.astype(dtype), made.tasks, made.domain, made.sizes.m)
        if not exact:
            continue
        tau, delta = made.domain.tau, made.domain.delta
        for squares in distances(made, prompt):
            assert all(s <= tau**2 or s >= delta**2 for s in squares)
        entries = [*prompt.X.flat, *prompt.Y.flat, *prompt.query.flat]
        assert made.domain.grid is None or not any(v % made.domain.grid for v in entries)


@named
def test_half_of_the_prompts_have_votes_for_two_tasks_and_some_have_none(made):
    prompts = random_prompts(made, 200, exact=True)
    domain = made.domain
    found = [mixture(made.tasks, p, delta=domain.delta, tau=domain.tau) for p in prompts]
    assert sum(sum(c > 0 for c in one.votes) > 1 for one in found) > 80
    assert any(one.unexplained for one in found)
    assert any(not sum(one.votes) for one in found)
    assert any(len(p.X) == 0 for p in prompts)
    assert any(len(p.X) == made.sizes.m for p in prompts)
    assert any(one.ambiguous for one in found)


@named
def test_labels_lie_exactly_at_tau_and_exactly_at_delta(made):
    prompts = random_prompts(made, 200, exact=True)
    found = {s for p in prompts for squares in distances(made, p) for s in squares}
    tau, delta = Q(made.domain.tau), Q(made.domain.delta)
    smooth = not all(getattr(task, "rational", True) for task in made.tasks)
    if made.domain.grid is not None and smooth:
        # A grid has no such labels: the nearest are near.
        assert any(tau**2 * Q(9, 16) < s <= tau**2 for s in found)
        assert any(delta**2 <= s < delta**2 * 2 for s in found)
        return
    assert {tau**2, delta**2} <= found
    assert any(0 < s < tau**2 for s in found) or not tau
    assert any(delta**2 < s < 4 * delta**2 for s in found)


@named
def test_inputs_are_at_the_ends_of_the_box_and_at_knots(made):
    prompts = random_prompts(made, 60, exact=True)
    inputs = [x for p in prompts for x in (*p.X, p.query)]
    assert any((abs(x) == made.domain.R).all() for x in inputs)
    hinges = {h for task in made.held for feature in task.features for h in feature}
    met = {
        h
        for h in hinges
        for x in inputs
        if not h.e + sum(v * x[p - 1, i] for p, terms in h.a for i, v in terms)
    }
    assert len(met) >= 4


@named
def test_a_seed_gives_the_same_prompts_each_by_itself(made):
    one, other = Drawn(made, 7, exact=True), Drawn(made, 7, exact=True)
    first = [one[i] for i in range(6)]
    for i in reversed(range(6)):
        again = other[i]
        for name in ("X", "Y", "query"):
            assert getattr(again, name).tolist() == getattr(first[i], name).tolist()
    different = Drawn(made, 8, exact=True)
    assert any(different[i].query.tolist() != first[i].query.tolist() for i in range(6))


@given(near_cases())
def test_tasks_that_are_held_as_others_are_drawn_by_what_they_are(case):
    made = case.construction
    tau, delta = made.domain.tau, made.domain.delta
    for prompt in random_prompts(made, 4, exact=True):
        for x, y in zip(prompt.X, prompt.Y, strict=True):
            for one in case.known:
                s = square(one.meaning(x.tolist()), y)
                assert s <= tau**2 or s >= delta**2


@pytest.mark.parametrize("grid", [None, Q(1, 4)])
def test_knots_are_met_exactly_or_passed_by_one_step(grid):
    domain = Domain(4, 32, 1, grid)
    made = build(
        [formula("square", ["x[1]^2 + x[2]^2", "0"]), shift("next", [1, 1])], domain=domain
    )
    rows = [Rows(task) for task in made.held]
    rng = random.Random(0)
    knots = Knots(rows, domain, rng)
    met = set()
    for _ in range(200):
        x = knots.near([Q(rng.randint(-4, 4)) for _ in range(2)])
        assert max(map(abs, x)) <= domain.R
        assert grid is None or not any(v % grid for v in x)
        for form, values in knots.lines:
            value = sum(c * x[i] for i, c in form)
            met |= {value - v for v in values}
    step = grid or BESIDE * 4
    assert {0, step, -step} <= met


@named
def test_each_task_has_a_witness_that_votes_for_it(made):
    assert not survey(made).warnings()
    for k, witness in enumerate(witnesses(made)):
        assert isinstance(witness, Witness)
        assert run(made, witness.prompt, executor="exact").votes[k] == 1


@named
def test_a_plausible_prompt_is_short_and_every_example_votes(made):
    for seed in range(4):
        prompt = plausible_prompt(made, seed)
        answer = run(made, prompt, executor="exact")
        assert len(prompt.X)
        assert not answer.unexplained
        digits = [len(str(v)) for v in itertools.chain(prompt.X.flat, prompt.Y.flat)]
        assert max(digits) < 24
