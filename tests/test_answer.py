import gc
import weakref
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given

from construct import (
    CheckFailed,
    ConstructError,
    Domain,
    OutsideDomain,
    Prompt,
    Vocabulary,
    affine,
    answer,
    build,
    lookup,
    mixture,
    reading,
    retrieval,
    run,
    shift,
)
from generators import whole_cases
from sabotage import with_weight
from share import tried

PLUS = [shift("plus0", [0]), shift("plus1", [1])]
CONSTRUCTION = build(PLUS, m=4, domain=Domain(8, 16, 1))


@tried(30)
@given(whole_cases())
def test_votes_weights_and_lists_of_examples_are_those_of_the_specification(case):
    construction, prompt = case.build()
    wanted, found = mixture(construction.tasks, prompt), run(construction, prompt, executor="numpy")
    assert found.votes == wanted.votes
    assert found.weights == wanted.weights
    assert found.unexplained == wanted.unexplained
    assert found.ambiguous == wanted.ambiguous


@tried(30)
@given(whole_cases())
def test_explains_holds_1_for_each_task_at_each_example_that_it_explains(case):
    construction, prompt = case.build()
    found = run(construction, prompt, executor="numpy").explains
    wanted = [
        [task(x).tolist() == y.tolist() for x, y in zip(prompt.X, prompt.Y, strict=True)]
        for task in construction.tasks
    ]
    assert found.tolist() == wanted


@pytest.mark.parametrize(
    ("executor", "dtype"),
    [("numpy", "float64"), ("jax", "float32"), ("sparse", "float64"), ("torch", "float32")],
)
def test_the_answer_is_the_mixture_and_comes_in_the_format_asked_for(executor, dtype):
    prompt = Prompt.of([[[3], [3]], [[3], [4]], [[5], [6]], [[1], [7]]], [[2]])
    found = run(CONSTRUCTION, prompt, executor=executor, dtype=dtype)
    # (2 + 3 + 3) / 3, by a rounded reciprocal and a rounded product.
    assert found.answer.dtype == np.dtype(dtype)
    assert abs(found.answer[0] - 8 / 3) <= np.spacing(np.array(8 / 3, dtype))
    assert found.votes == (1, 2)
    assert found.unexplained == (3,)


def test_the_exact_executor_answers_exactly_without_a_format_being_named():
    prompt = Prompt.of([[[3], [3]], [[3], [4]], [[5], [6]]], [["1/7"]])
    found = run(CONSTRUCTION, prompt, executor="exact")
    assert found.answer.tolist() == [Fraction(1, 7) + Fraction(2, 3)]
    assert found.weights == (Fraction(1, 3), Fraction(2, 3))


def test_weights_are_prepared_once_and_let_go_with_their_transformer(monkeypatch):
    made, prompt = build([affine("f", [[2]])], m=2), Prompt.of([[[1], [2]]], [[3]])
    asked, intact = [], answer.prepare
    monkeypatch.setattr(answer, "prepare", lambda *of: asked.append(of[0]) or intact(*of))
    for executor in ("numpy", "jax", "sparse", "torch", "exact") * 2:
        assert run(made, prompt, executor=executor).answer.tolist() == [6]
    assert asked == ["numpy", "jax", "sparse", "torch", "exact"]
    gone = weakref.ref(made.transformer)
    del made
    gc.collect()
    assert gone() is None


def test_without_a_vote_the_answer_is_0_and_so_are_the_weights():
    for examples in ([], [[[1], [7]]]):
        found = run(CONSTRUCTION, Prompt.of(examples, [[5]]), executor="numpy")
        assert found.answer.tolist() == [0]
        assert found.votes == found.weights == (0, 0)
        assert found.unexplained == tuple(range(len(examples)))


def test_an_example_of_several_tasks_is_ambiguous():
    tasks = [affine("double", [[2]]), affine("zero", [[0]])]
    found = run(build(tasks, m=2), Prompt.of([[[0], [0]], [[1], [2]]], [[3]]), executor="numpy")
    assert found.ambiguous == (0,)
    assert found.votes == (2, 1)


def test_totals_that_are_no_votes_are_a_failed_check():
    """An eighth of B = 2: a label at distance 1 has 3/4 of a vote."""
    weight = "layers.3.heads.0.W_Q"
    broken = with_weight(CONSTRUCTION, weight, lambda W: np.where(abs(W) == 2, W / 8, W))
    prompt = Prompt.of([[[3], [3]], [[3], [4]], [[5], [5]]], [[2]])
    assert run(CONSTRUCTION, prompt, executor="numpy").votes == (2, 1)
    for executor in ("numpy", "exact"):
        with pytest.raises(CheckFailed, match=r"'plus0' gave 2\.75 votes in total for 3 examples"):
            run(broken, prompt, executor=executor)


def test_more_votes_than_examples_are_a_failed_check():
    weight = "layers.3.heads.0.W_K"
    broken = with_weight(CONSTRUCTION, weight, lambda W: 2 * W)
    with pytest.raises(CheckFailed, match=r"2 votes in total for 1 examples"):
        run(broken, Prompt.of([[[3], [3]]], [[2]]), executor="numpy")


def test_a_prompt_outside_the_domain_is_not_run():
    with pytest.raises(OutsideDomain, match=r"example 1: .* from task 'plus0'"):
        run(CONSTRUCTION, Prompt.of([[[1], ["3/2"]]], [[1]]), executor="numpy")


def test_a_format_that_is_not_certified_is_refused_with_those_that_are():
    wide = build([retrieval("f", 1, d=2)], m=2, domain=Domain(1000, 1000, Fraction(1, 100)))
    prompt = Prompt.of([], [[1, 2]])
    with pytest.raises(
        ConstructError, match=r"float32 is not certified .* use one of: float64, ex"
    ):
        run(wide, prompt, executor="numpy", dtype="float32")
    assert run(wide, prompt, executor="numpy").answer.tolist() == [0, 0]


WORDS = Vocabulary(["a", "b", "c"])


def test_words_are_answered_with_a_distribution_and_tasks_have_their_weights_by_name():
    tasks = [
        lookup("next", {"a": "b", "b": "c", "c": "a"}, vocabulary=WORDS),
        lookup("last", {"a": "c", "b": "a", "c": "b"}, vocabulary=WORDS),
        lookup("same", {"a": "a"}, vocabulary=WORDS),
    ]
    made = build(tasks, m=3, vocabulary=WORDS)
    prompt = made.prompt("a -> b\na -> c\nb -> a\nb ->")
    exact = run(made, prompt, executor="exact")
    assert list(exact.distribution.items()) == [("a", Fraction(2, 3)), ("c", Fraction(1, 3))]
    assert exact.by_task == {"next": Fraction(1, 3), "last": Fraction(2, 3), "same": 0}
    assert exact.weights == tuple(exact.by_task.values())
    floats = run(made, prompt, executor="numpy").distribution
    assert {type(p) for p in floats.values()} == {float}
    assert floats == pytest.approx(exact.distribution)
    assert run(made, made.prompt("b ->"), executor="exact").distribution == {}


def test_numbers_have_no_distribution():
    found = run(CONSTRUCTION, Prompt.of([], [[5]]), executor="numpy")
    with pytest.raises(ConstructError, match="a distribution is over words"):
        found.distribution  # noqa: B018


@pytest.mark.parametrize("dtype", [np.float32, np.float64, object])
def test_votes_of_a_flat_gate_are_the_whole_numbers_within_a_quarter_of_them(dtype):
    numbers = [0, 1, Fraction(3, 4), Fraction(5, 4), Fraction(-1, 4), 7 + Fraction(1, 8)]
    others = [Fraction(1, 2), Fraction(13, 10), Fraction(-3, 10)]
    given = np.array([numbers, [*others, *others]], dtype=object)
    given = given if dtype is object else given.astype(dtype)
    found = reading.nearest(given)
    assert found.dtype == dtype
    assert found[0].tolist() == [0, 1, 1, 1, 0, 7]
    assert found[1].tolist() == given[1].tolist()


@pytest.mark.filterwarnings("error")
def test_what_is_no_number_is_left_as_it_is_without_a_warning():
    found = reading.nearest(np.array([np.nan, np.inf, -np.inf, 1.1]))
    assert np.isnan(found[0])
    assert found[1:].tolist() == [np.inf, -np.inf, 1]


def test_votes_of_a_flat_gate_that_are_far_from_whole_are_refused():
    """The second half of the gate takes half a vote too little away."""
    made = build(PLUS, m=4, domain=Domain(8, 16, Fraction(1, 2), None, Fraction(1, 4)))
    prompt = Prompt.of([[[1], [2]], [[2], ["9/4"]]], [[3]])
    assert run(made, prompt, executor="numpy").votes == (1, 1)
    less = float(1 - Fraction(1, 2) / (made.margins.a - 1))
    broken = with_weight(made, "layers.3.heads.1.W_Q", lambda W: W * less)
    with pytest.raises(CheckFailed, match=r"'plus1' gave 1.5 votes in total"):
        run(broken, prompt, executor="numpy")
