"""The lemmas of the decoder of words with several inputs: fetch, match, count, log."""

import itertools
import math
from collections import Counter
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given

from blocks import LEAK, ROUNDED, Blocks, near
from construct import Task, mixture, retrieval
from construct.designs.decoder.operands import OPERANDS, images
from share import tried
from softmax.cases import before
from softmax.several import OperandCase, Several, operand_cases

CASES = operand_cases()
# A prompt that meets what random ones may miss: a tie, noise, a task that is far from words where
# an operand is missing and whose last operand alone would match.
FIXED = OperandCase(
    d=3,
    n=4,
    tasks=(
        Several("away", (2,), {(0,): 2, (1,): 1}, (3,)),
        Several("copy", (3,), {(0,): 0, (1,): 1, (2,): 2}),
        Several("table", (1, 3), {(0, 1): 0, (1, 1): 1, (2, 0): 0}),
        Several("sum", (2, 3), {(0, 1): 2, (1, 0): 2}, (((0, 0), (1, 1)), ((1, 2),))),
    ),
    m=5,
    examples=(((0, 0, 1), 2), ((1, 1, 1), 1), ((2, 2, 0), 1), ((2, 0, 0), 0), ((0, 0, 1), 0)),
    query=(1, 0, 1),
)


def test_there_are_four_blocks():
    assert [block.__name__ for block in OPERANDS.blocks] == ["fetch", "match", "count", "log"]


def check_fetch(case: OperandCase) -> None:
    made = case.build()
    found, wiring = Blocks.of(made, case.prompt), made.plan.wiring
    assert wiring.fetched == tuple(
        sorted({p for task in made.tasks for p in task.positions} - {case.n - 1})
    )
    for token, example, position in found.tokens():
        for p in wiring.fetched:
            op = found.after("fetch", f"op{p}")[token]
            assert near(op, found.holds(example, p) if p <= position else np.zeros(case.d))
        assert near(found.after("fetch", "tok")[token], found.holds(example, position), 0)
        if found.sizes.P and position == case.n - 1:
            X = found.inputs(example)
            for g, feature in zip(found.after("fetch", "g")[token], wiring.dictionary, strict=True):
                value = sum(
                    h.c * max(sum(v * X[p - 1][i] for p, a in h.a for i, v in a) + h.e, 0)
                    for h in feature
                )
                assert near(g, float(value), 64 * LEAK)
    found.assert_written("fetch", {"g", *(f"op{p}" for p in wiring.fetched)})


def check_match(case: OperandCase) -> None:
    found = Blocks.of(case.build(), case.prompt)
    vote = found.after("match", "vote")
    for token, example, position in found.tokens():
        if position == case.n:
            X, y = case.examples[example]
            assert near(vote[token], [task.gives(X) == y for task in case.tasks])
        else:
            assert near(vote[token], 0)
    found.assert_written("match", {"vote"})


def check_count(case: OperandCase) -> None:
    found = Blocks.of(case.build(), case.prompt)
    for token, example, position in found.tokens():
        labels = example + (position == case.n)
        assert near(found.after("count", "count")[token], case.counts(labels), ROUNDED)
        if position == case.n - 1:
            out, none = case.votes(example)
            assert near(found.after("count", "out")[token], out, ROUNDED)
            assert near(found.after("count", "none")[token], none, ROUNDED)
            assert near(found.after("count", "tok")[token], 0, 0)
    found.assert_written("count", {"count", "out", "none", "tok"})


def check_log(case: OperandCase) -> None:
    made = case.build()
    found, gamma = Blocks.of(made, case.prompt), made.plan.margins.gamma
    for token, example, position in found.tokens():
        if position == case.n - 1:
            out, none = case.votes(example)
            logits = [math.log(c) if c else -2 * gamma for c in out]
            assert near(found.after("log", "tok")[token], logits, 8 * ROUNDED)
            stop = math.log(none) if none else -gamma
            assert near(found.after("log", "stop")[token], [stop], 8 * ROUNDED)
    found.assert_written("log", {"tok", "stop"})


@tried(25)
@given(CASES)
def test_fetch_gives_each_token_the_inputs_before_it_and_the_last_one_the_dictionary(case):
    check_fetch(case)


@tried(25)
@given(CASES)
def test_match_writes_at_a_label_1_for_each_task_that_gives_it_and_0_elsewhere(case):
    check_match(case)


@tried(25)
@given(CASES)
def test_count_adds_up_the_votes_so_far_and_applies_the_tasks_at_the_last_input(case):
    check_count(case)


@tried(25)
@given(CASES)
def test_log_writes_the_logarithms_of_the_votes(case):
    check_log(case)


def test_each_lemma_on_a_fixed_prompt():
    for check in (check_fetch, check_match, check_count, check_log):
        check(FIXED)
    assert FIXED.counts(5) == [2, 2, 3, 1]


@tried(25)
@given(CASES)
def test_the_votes_of_words_are_those_of_the_mixture(case):
    """What these tests count by themselves is what the specification says."""
    made = case.build()
    for query in range(len(case.examples) + 1):
        wanted = mixture(made.tasks, before(case.prompt, query))
        out, none = case.votes(query)
        assert sum(out) + none == sum(wanted.votes)
        assert [a * sum(wanted.votes) for a in wanted.answer] == out


@tried(25)
@given(CASES)
def test_what_tasks_give_is_found_by_looking_at_all_words(case):
    made = case.build()
    found, d = made.plan.wiring.images, case.d
    every = [*itertools.product(range(d), repeat=case.n - 1)]
    for k, task in enumerate(case.tasks):
        assert found.words[k].tolist() == sorted(set(task.table.values()))
        assert found.always[k] == all(task.gives(X) is not None for X in every)
    alike = max(
        max(Counter(y for t in case.tasks if (y := t.gives(X)) is not None).values(), default=1)
        for X in every
    )
    assert alike <= found.alike <= len(case.tasks)
    if len({frozenset(task.positions) for task in case.tasks}) == 1:
        assert found.alike == alike
    assert found.most == max(
        [1]
        + [
            abs(entry)
            for task in made.tasks
            for X in itertools.product(np.eye(d + 1, d, dtype=int), repeat=case.n - 1)
            for entry in task(np.array(X)).tolist()
        ]
    )


@tried(15)
@given(CASES)
def test_it_does_not_matter_how_many_words_are_looked_at_at_once(case):
    tasks = case.build().plan.wiring.tasks
    wanted = images.images_of(tasks)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(images, "AT_ONCE", 3)
        got = images.images_of(tasks)
    for field in fields(images.Images):
        one, other = getattr(got, field.name), getattr(wanted, field.name)
        assert all(map(np.array_equal, one, other)) if field.name == "words" else one == other


def test_a_task_may_read_nothing():
    always = Task("always", {}, np.array([0, 1, 0]))
    found = images.images_of([always, retrieval("first", 1, d=3)])
    assert [words.tolist() for words in found.words] == [[1], [0, 1, 2]]
    assert (found.always, found.alike, found.sums) == ((True, True), 2, 1)
