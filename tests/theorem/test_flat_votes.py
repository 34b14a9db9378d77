"""Votes are those of f, and answers mix what is held, whatever the network holds within epsilon."""

from fractions import Fraction as Q

from hypothesis import assume, given, settings

from construct import check_domain, mixture, run
from construct.checking.promise import error_bound, held_bound
from construct.checking.verification import compare, specification
from near import near_cases, square


@given(near_cases())
def test_in_rationals_votes_are_those_of_f_and_the_answer_is_the_mixture_of_what_is_held(case):
    made, prompt = case.construction, case.prompt
    check_domain(prompt, made.tasks, made.domain, made.sizes.m)
    wanted = mixture(made.tasks, prompt, delta=made.domain.delta, tau=made.domain.tau)
    got = run(made, prompt, executor="exact")
    assert got.votes == wanted.votes == case.votes
    total = sum(case.votes)
    held, f = [Q(0)] * made.sizes.d, [Q(0)] * made.sizes.d
    for c, g, one in zip(case.votes, made.held, case.known, strict=True):
        weight = Q(c, total or 1)
        held = [a + weight * v for a, v in zip(held, g(prompt.query).tolist(), strict=True)]
        f = [a + weight * Q(v) for a, v in zip(f, one.meaning(prompt.query), strict=True)]
    assert got.answer.tolist() == held
    bound = error_bound(made, prompt, got.votes, "exact")
    assert bound == held_bound(made, got.votes) <= max(g.epsilon for g in made.held)
    assert square(held, f) <= bound**2
    assert compare(made, prompt, specification(made, prompt), got, "exact") == (0, [])


@given(near_cases(rooms=(Q(1, 2), Q(1))))
def test_floats_give_the_votes_of_f_where_they_are_certified(case):
    made = case.construction
    for dtype in made.certified:
        prompt = case.prompt.astype(dtype)
        got = run(made, case.prompt, executor="numpy", dtype=dtype)
        wanted = specification(made, prompt)
        assert got.votes == wanted.votes == case.votes
        assert compare(made, prompt, wanted, got, dtype)[1] == []
        gap = [Q(float(a)) - b for a, b in zip(got.answer, wanted.answer, strict=True)]
        assert sum(g**2 for g in gap) <= error_bound(made, prompt, got.votes, dtype) ** 2


@settings(max_examples=6)
@given(near_cases(lengths=(2,), rooms=(Q(1),)))
def test_the_dense_executor_of_jax_gives_them_too(case):
    made = case.construction
    assume("float64" in made.certified)
    got = run(made, case.prompt, executor="jax", dtype="float64")
    assert got.votes == case.votes
