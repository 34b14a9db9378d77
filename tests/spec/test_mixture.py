from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from construct import Prompt, affine, mixture, retrieval, shift
from generators import WholeCase, whole_cases

PLUS0, PLUS1, DOUBLE = shift("plus0", [0]), shift("plus1", [1]), affine("double", [[2]])
TASKS = (PLUS0, PLUS1, DOUBLE)


@pytest.mark.parametrize(
    ("pairs", "query", "votes", "answer", "unexplained", "ambiguous"),
    [
        # 3 -> 3 is plus0, 3 -> 4 is plus1, 3 -> 6 is double.
        ([(3, 3)], 5, (1, 0, 0), 5, (), ()),
        ([(3, 3), (3, 4), (3, 6)], 5, (1, 1, 1), Fraction(5 + 6 + 10, 3), (), ()),
        ([(3, 3), (2, 2), (3, 6)], 5, (2, 0, 1), Fraction(5 + 5 + 10, 3), (), ()),
        # 1 -> 2 is plus1 and double, 0 -> 0 is plus0 and double.
        ([(1, 2)], 5, (0, 1, 1), Fraction(6 + 10, 2), (), (0,)),
        ([(3, 3), (0, 0), (3, 5)], 5, (2, 0, 1), Fraction(5 + 5 + 10, 3), (2,), (1,)),
        # Nothing is explained, and there is nothing to explain.
        ([(3, 5), (4, 9)], 5, (0, 0, 0), 0, (0, 1), ()),
        ([], 5, (0, 0, 0), 0, (), ()),
    ],
)
def test_worked_by_hand(pairs, query, votes, answer, unexplained, ambiguous):
    prompt = Prompt.of([[[x], [y]] for x, y in pairs], [[query]])
    for numbers in (prompt, prompt.astype("float64"), prompt.astype("float32")):
        found = mixture(TASKS, numbers)
        total = max(sum(votes), 1)
        assert found.votes == votes
        assert found.weights == tuple(Fraction(c, total) for c in votes)
        assert found.answer.tolist() == pytest.approx([float(answer)], rel=2**-52)
        assert found.unexplained == unexplained
        assert found.ambiguous == ambiguous
    assert mixture(TASKS, prompt).answer.tolist() == [answer]


@given(whole_cases())
def test_weights_sum_to_1_or_are_all_0_with_answer_0(case: WholeCase):
    construction, prompt = case.build()
    found = mixture(construction.tasks, prompt)
    if any(found.votes):
        assert sum(found.weights) == 1
        assert [w * sum(found.votes) for w in found.weights] == list(found.votes)
    else:
        assert not any(found.weights)
        assert not any(found.answer)
        assert len(found.unexplained) == len(prompt.X)


@given(whole_cases())
def test_each_example_votes_for_all_tasks_that_explain_it(case: WholeCase):
    construction, prompt = case.build()
    found = mixture(construction.tasks, prompt)
    voters = [
        sum(task(x).tolist() == y.tolist() for task in construction.tasks)
        for x, y in zip(prompt.X, prompt.Y, strict=True)
    ]
    assert sum(found.votes) == sum(voters)
    assert found.unexplained == tuple(i for i, v in enumerate(voters) if v == 0)
    assert found.ambiguous == tuple(i for i, v in enumerate(voters) if v > 1)


@given(whole_cases(), st.randoms(use_true_random=False))
def test_order_of_examples_and_of_tasks_does_not_matter(case: WholeCase, random):
    construction, prompt = case.build()
    found = mixture(construction.tasks, prompt)
    order = random.sample(range(len(prompt.X)), len(prompt.X))
    again = mixture(construction.tasks[::-1], replace(prompt, X=prompt.X[order], Y=prompt.Y[order]))
    assert again.votes == found.votes[::-1]
    assert again.answer.tolist() == found.answer.tolist()
    assert sorted(order[i] for i in again.ambiguous) == list(found.ambiguous)


@given(whole_cases())
def test_answer_is_between_the_answers_of_the_tasks_that_voted(case: WholeCase):
    construction, prompt = case.build()
    found = mixture(construction.tasks, prompt)
    said = [
        task(prompt.query) for task, c in zip(construction.tasks, found.votes, strict=True) if c
    ]
    assume(said)
    assert (np.min(said, axis=0) <= found.answer).all()
    assert (found.answer <= np.max(said, axis=0)).all()


@given(whole_cases())
def test_showing_every_example_twice_changes_nothing_but_the_votes(case: WholeCase):
    construction, prompt = case.build()
    twice = Prompt(np.tile(prompt.X, (2, 1, 1)), np.tile(prompt.Y, (2, 1)), prompt.query)
    once, found = mixture(construction.tasks, prompt), mixture(construction.tasks, twice)
    assert found.votes == tuple(2 * c for c in once.votes)
    assert found.answer.tolist() == once.answer.tolist()


@pytest.mark.parametrize(("dtype", "p"), [("float32", 24), ("float64", 53)])
@pytest.mark.parametrize("delta", [1, Fraction(1, 4), 3])
def test_on_floats_a_label_matches_up_to_a_distance_of_delta_2_to_minus_p_plus_7_halved(
    dtype, p, delta
):
    # The distance is exact: |y - 0| = y.
    threshold = float(delta) * 2.0 ** (-(p + 7) / 2)
    for factor, matches in ((0.999, 1), (1.001, 0), (-0.999, 1), (-1.001, 0)):
        label = np.array([[threshold * factor]], dtype)
        prompt = Prompt(np.zeros((1, 1, 1), dtype), label, np.zeros((1, 1), dtype))
        assert mixture([PLUS0], prompt, delta=delta).votes == (matches,)


def test_on_rationals_only_equality_matches():
    tiny = Fraction(1, 10**100)
    assert mixture([PLUS0], Prompt.of([[[0], [tiny]]], [[0]])).votes == (0,)


def test_a_label_summed_in_another_order_is_a_match_on_floats():
    rng = np.random.default_rng(0)
    task = affine("sum", np.vstack([np.full((1, 50), 0.1), np.zeros((49, 50))]))
    x = rng.uniform(-1, 1, (1, 1, 50))
    y = np.zeros((1, 50))
    for t in x[0, 0, ::-1]:
        y[0, 0] += 0.1 * t
    assert y.tolist() != task(x).tolist()
    assert mixture([task], Prompt(x, y, x[0])).votes == (1,)


def test_tasks_of_several_inputs_read_the_whole_query():
    tasks = (retrieval("op1", 1, d=1), retrieval("op2", 2, d=1))
    prompt = Prompt.of([[[1], [2], [1]], [[3], [4], [4]], [[5], [6], [6]]], [[10], [40]])
    assert mixture(tasks, prompt).answer.tolist() == [30]
