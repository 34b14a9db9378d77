"""The mixture of words with several inputs, at every query, by every executor."""

from fractions import Fraction as Q

import pytest
from hypothesis import given

from construct import mixture, predictions, run, run_all
from generators import search
from share import tried
from softmax.cases import ALL, FAST, before, off, promised, unit
from softmax.several import (
    OperandCase,
    Several,
    allowed_of_operands,
    numbers_of,
    operand_cases,
)


@pytest.mark.parametrize(("executor", "dtype"), FAST)
@tried(15)
@given(case=operand_cases())
def test_a_decoder_gives_the_mixture_of_words_at_every_last_input(executor, dtype, case):
    made, prompt = case.build(), case.prompt.astype(dtype)
    assert {"float32", "float64"} == {*made.certified}
    found = predictions(made, prompt, executor=executor, dtype=dtype)
    assert len(found) == len(case.examples) + 1
    allowed = allowed_of_operands(case, dtype, numbers_of(made.tasks))
    for i, got in enumerate(found):
        wanted = mixture(made.tasks, before(case.prompt, i))
        assert got.votes == wanted.votes
        assert (got.unexplained, got.ambiguous) == (wanted.unexplained, wanted.ambiguous)
        assert off(got.answer, wanted.answer) <= min(promised(made, dtype), allowed)
        shares = {made.vocabulary.words[a]: Q(p) for a, p in enumerate(wanted.answer) if p}
        assert got.distribution.keys() == shares.keys()


@tried(20)
@given(case=operand_cases())
def test_an_encoder_gives_the_same(case):
    made = case.build("encoder")
    got, wanted = run(made, case.prompt, executor="numpy"), mixture(made.tasks, case.prompt)
    assert got.votes == wanted.votes
    assert off(got.answer, wanted.answer) <= 2**10 * unit("float64")


# Two pairs, a tie of three tasks, noise, and a query that one table with votes lacks.
CASE = OperandCase(
    d=3,
    n=3,
    tasks=(
        Several("copy", (1,), {(x,): x for x in range(3)}),
        Several("turn", (2,), {(x,): (x + 1) % 3 for x in range(3)}, (1,)),
        Several("table", (1, 2), {(0, 1): 2, (1, 0): 1, (1, 1): 0}),
    ),
    m=6,
    examples=(((1, 0), 1), ((0, 1), 2), ((0, 2), 0), ((2, 2), 1), ((2, 0), 2)),
    query=(0, 0),
)


@pytest.mark.parametrize(("executor", "dtype"), ALL)
def test_a_fixed_prompt_by_every_executor(executor, dtype):
    made, prompt = CASE.build(), CASE.prompt
    found = predictions(made, prompt, executor=executor, dtype=dtype)
    assert found[-1].votes == (3, 3, 2)
    assert (found[-1].unexplained, found[-1].ambiguous) == ((3,), (0, 1, 2))
    for i, got in enumerate(found):
        wanted = mixture(made.tasks, before(prompt, i))
        assert off(got.answer, wanted.answer) <= promised(made, dtype)
    for got, share in zip(found[-1].answer.tolist(), (Q(3, 8), Q(3, 8), 0), strict=True):
        assert abs(Q(got) - share) <= promised(made, dtype)
    encoder = CASE.build("encoder")
    got = run(encoder, prompt, executor=executor, dtype=dtype)
    assert got.votes == found[-1].votes
    assert off(got.answer, mixture(made.tasks, prompt).answer) <= promised(encoder, dtype)
    several = run_all(made, [prompt, before(prompt, 2)], executor=executor, dtype=dtype)
    assert [one.votes for one in several] == [(3, 3, 2), (1, 2, 2)]


# --- The cases are not vacuous -----------------------------------------------------


def _given(case: OperandCase, X, y: int) -> int:
    return sum(task.gives(X) == y for task in case.tasks)


def _votes(case: OperandCase) -> tuple[list[int], int]:
    return case.votes(len(case.examples))


SORTS = {
    "no example": lambda one: not one.examples,
    "as many as there are slots": lambda one: len(one.examples) == one.m > 1,
    "a tie": lambda one: any(_given(one, X, y) > 1 for X, y in one.examples),
    "noise": lambda one: any(not _given(one, X, y) for X, y in one.examples),
    "a query for which a task with votes gives nothing": lambda one: _votes(one)[1],
    "two words with votes": lambda one: sum(map(bool, _votes(one)[0])) > 1,
    "a task of three words": lambda one: any(len(t.positions) == 3 for t in one.tasks),
    "a task of the last word": lambda one: any(t.positions == (one.n - 1,) for t in one.tasks),
    "a task of others": lambda one: any(one.n - 1 not in t.positions for t in one.tasks),
    "nothing to fetch": lambda one: all(t.positions == (one.n - 1,) for t in one.tasks),
    **{
        f"a task of kind {kind}": lambda one, kind=kind: any(t.kind == kind for t in one.tasks)
        for kind in ("table", "copy", "turn", "sum", "away")
    },
}


@pytest.fixture(scope="module")
def found() -> dict[str, OperandCase]:
    return search(
        operand_cases(), lambda one: {name for name, is_ in SORTS.items() if is_(one)}, {*SORTS}
    )


@pytest.mark.parametrize("sort", SORTS)
def test_there_are_cases_with(sort, found):
    assert sort in found
