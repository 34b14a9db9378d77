"""What must not change the answer does not, and what must change it along does so."""

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from construct import Answer, Construction, Hinge, Prompt, Task, build, run
from generators import Case, cases_with_prompts

EXAMPLES = 30


def answer(construction: Construction, prompt: Prompt) -> Answer:
    return run(construction, prompt, executor="exact")


def rebuilt(case: Case, tasks=None, m: int | None = None) -> Construction:
    """The case's construction with other tasks or slots."""
    built = case.construction
    return build(
        built.tasks if tasks is None else tasks,
        m=m or built.sizes.m,
        n=case.shape.n,
        domain=built.domain,
    )


@settings(max_examples=EXAMPLES)
@given(cases_with_prompts(count=1), st.randoms(use_true_random=False))
def test_order_of_the_examples_is_irrelevant(given_, random):
    case, [prompt] = given_
    order = list(range(len(prompt.X)))
    random.shuffle(order)
    shuffled = replace(prompt, X=prompt.X[order], Y=prompt.Y[order])
    one, other = answer(case.construction, prompt), answer(case.construction, shuffled)
    assert one.votes == other.votes
    assert (one.answer == other.answer).all()
    assert (one.explains[:, order] == other.explains).all()


@settings(max_examples=EXAMPLES)
@given(cases_with_prompts(count=1), st.integers(1, 9))
def test_blank_slots_are_irrelevant(given_, more):
    case, [prompt] = given_
    wider = rebuilt(case, m=case.construction.sizes.m + more)
    one, other = answer(case.construction, prompt), answer(wider, prompt)
    assert one.votes == other.votes
    assert (one.answer == other.answer).all()


@settings(max_examples=EXAMPLES)
@given(cases_with_prompts(count=1), st.randoms(use_true_random=False))
def test_order_of_the_tasks_is_the_order_of_the_votes(given_, random):
    case, [prompt] = given_
    order = list(range(len(case.known)))
    random.shuffle(order)
    moved = rebuilt(case, [case.construction.tasks[k] for k in order])
    one, other = answer(case.construction, prompt), answer(moved, prompt)
    assert other.votes == tuple(one.votes[k] for k in order)
    assert (one.answer == other.answer).all()


@settings(max_examples=EXAMPLES)
@given(cases_with_prompts(count=1), st.randoms(use_true_random=False))
def test_coordinates_permuted_everywhere_permute_the_answer(given_, random):
    case, [prompt] = given_
    order = list(range(case.shape.d))
    random.shuffle(order)
    moved = rebuilt(case, [_permuted(task, order) for task in case.construction.tasks])
    other_prompt = Prompt(prompt.X[..., order], prompt.Y[..., order], prompt.query[..., order])
    one, other = answer(case.construction, prompt), answer(moved, other_prompt)
    assert one.votes == other.votes
    assert (one.answer[order] == other.answer).all()


def _permuted(task: Task, order: list[int]) -> Task:
    """The same task in coordinates order[0], order[1], ..."""
    features = tuple(
        tuple(
            Hinge.of(
                {p: [v[i] for i in order] for p, v in hinge.vectors(task.d).items()},
                hinge.e,
                hinge.c,
            )
            for hinge in feature
        )
        for feature in task.features
    )
    A = {p: matrix[np.ix_(order, order)] for p, matrix in task.A.items()}
    return Task(task.name, A, task.b[order], features, task.C[order])


@settings(max_examples=EXAMPLES)
@given(cases_with_prompts(count=1))
def test_every_example_twice_leaves_the_answer(given_):
    case, [prompt] = given_
    doubled = replace(
        prompt, X=np.repeat(prompt.X, 2, axis=0), Y=np.repeat(prompt.Y, 2, axis=0), lines=()
    )
    wider = rebuilt(case, m=2 * case.construction.sizes.m)
    one, other = answer(case.construction, prompt), answer(wider, doubled)
    assert other.votes == tuple(2 * c for c in one.votes)
    assert (one.answer == other.answer).all()


@settings(max_examples=EXAMPLES)
@given(cases_with_prompts(count=1))
def test_unexplained_examples_are_irrelevant(given_):
    case, [prompt] = given_
    one = answer(case.construction, prompt)
    kept = [i for i in range(len(prompt.X)) if i not in one.unexplained]
    without = replace(prompt, X=prompt.X[kept], Y=prompt.Y[kept], lines=())
    other = answer(case.construction, without)
    assert one.votes == other.votes
    assert (one.answer == other.answer).all()
