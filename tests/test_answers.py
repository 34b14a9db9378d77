"""Many prompts in batches: the same answers as one by one."""

import numpy as np
import pytest

from construct import (
    ConstructError,
    OutsideDomain,
    Prompt,
    affine,
    answers,
    build,
    run,
    run_all,
)
from construct.execute.registry import EXECUTORS

MADE = build([affine("double", [[2]]), affine("next", [[1]], [1])], m=3)


def prompt(k: int) -> Prompt:
    """Votes for double, for next and for neither, in other numbers for other k."""
    return Prompt.of([[[3], [6]], [[3], [4]], [[5], [0]]][: k % 4], [[k % 7]])


def same(one, other) -> bool:
    return (one.votes, one.answer.tolist(), one.explains.tolist()) == (
        other.votes,
        other.answer.tolist(),
        other.explains.tolist(),
    )


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("count", [0, 1, 5, 9])
def test_batches_give_what_single_prompts_give(executor, count, monkeypatch):
    monkeypatch.setattr(answers, "batch_size", lambda *_: 4)
    prompts = [prompt(k) for k in range(count)]
    found = run_all(MADE, prompts, executor=executor)
    assert len(found) == count
    for one, given in zip(found, prompts, strict=True):
        assert same(one, run(MADE, given, executor=executor))
        assert one.tasks == ("double", "next")


def test_all_batches_but_a_single_small_one_have_one_size_where_a_program_is_compiled(monkeypatch):
    """Another size would be compiled anew."""
    sizes: list[int] = []
    intact = answers.forward_of

    def counting(*of):
        forward, by, dtype = intact(*of)
        return lambda streams: sizes.append(len(streams)) or forward(streams), by, dtype

    monkeypatch.setattr(answers, "batch_size", lambda *_: 4)
    monkeypatch.setattr(answers, "forward_of", counting)
    for executor, count, seen in (("jax", 9, [4, 4, 4]), ("jax", 3, [3]), ("numpy", 5, [4, 1])):
        run_all(MADE, [prompt(k) for k in range(count)], executor=executor)
        assert sizes == seen
        sizes.clear()


def test_the_first_prompt_that_is_refused_is_named_with_its_error():
    outside = Prompt.of([[[3], ["13/2"]]], [[1]])
    with pytest.raises(OutsideDomain, match=r"^prompt 2: example 1: its label"):
        run_all(MADE, [prompt(1), outside, prompt(2)], executor="numpy")
    with pytest.raises(ConstructError, match=r"^prompt 1: .* at most m = 3"):
        run_all(MADE, [Prompt.of([[[1], [2]]] * 4, [[1]])], executor="numpy")
    with pytest.raises(ConstructError, match="prompt 1: the prompt has n = 2 and d = 2"):
        run_all(MADE, [Prompt.of([], [[1, 2]])], executor="numpy")


def test_errors_keep_their_place_among_the_answers(monkeypatch):
    monkeypatch.setattr(answers, "batch_size", lambda *_: 2)
    unread = ConstructError("no prompt.")
    outside = Prompt.of([], [[1000]])
    given = [unread, unread, prompt(1), outside, unread, prompt(2), prompt(3)]
    found = list(answers.answers(MADE, given, "sparse"))
    assert found[0] is found[1] is found[4] is unread
    assert isinstance(found[3], OutsideDomain)
    for place in (2, 5, 6):
        assert same(found[place], run(MADE, given[place], executor="sparse"))


def test_prompts_are_taken_as_they_are_needed(monkeypatch):
    monkeypatch.setattr(answers, "batch_size", lambda *_: 2)
    taken: list[int] = []

    def prompts():
        for k in range(6):
            taken.append(k)
            yield prompt(k)

    rest = answers.answers(MADE, prompts(), "numpy")
    assert next(rest) is not None
    assert taken == [0, 1]


def test_a_format_that_is_none_is_refused_before_any_prompt_is_run():
    with pytest.raises(ConstructError, match="has no format"):
        run_all(MADE, [prompt(0)], executor="numpy", dtype="exact")
    assert run_all(MADE, [prompt(3)], executor="jax", dtype="float32")[0].answer.dtype == np.float32
