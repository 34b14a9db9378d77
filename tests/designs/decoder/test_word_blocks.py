"""The lemmas of the decoder of words: match, count, log."""

import math
from dataclasses import replace

import pytest
from hypothesis import given

from blocks import ROUNDED, Blocks, near
from construct import mixture, run
from construct.designs.decoder.words import WORDS
from share import tried
from softmax.cases import WordCase, before, word_cases


def tables(case: WordCase) -> list[dict[int, int]]:
    return [t for i, t in enumerate(case.tables) if t not in case.tables[:i]]


def counts(case: WordCase, labels: int) -> list[int]:
    """c_k of the first labels."""
    seen = case.examples[:labels]
    return [sum(table.get(x) == y for x, y in seen) for table in tables(case)]


def votes(case: WordCase, query: int) -> tuple[list[int], int]:
    """For each word its votes at a query, and those of the tables that lack the query's word."""
    x = case.examples[query][0] if query < len(case.examples) else case.query
    found, none = [0] * case.d, 0
    for table, c in zip(tables(case), counts(case, query), strict=True):
        if x in table:
            found[table[x]] += c
        else:
            none += c
    return found, none


def test_there_are_three_blocks():
    assert [block.__name__ for block in WORDS.blocks] == ["match", "count", "log"]


@tried(25)
@given(word_cases())
def test_match_writes_at_a_label_1_for_each_task_that_gives_it_and_0_elsewhere(case):
    found = Blocks.of(case.build(), case.prompt)
    vote = found.after("match", "vote")
    for token, example, position in found.tokens():
        if position == 2:
            x, y = case.examples[example]
            assert near(vote[token], [table.get(x) == y for table in tables(case)])
        else:
            assert near(vote[token], 0)
    found.assert_written("match", {"vote"})


@tried(25)
@given(word_cases())
def test_count_adds_up_the_votes_so_far_and_applies_the_tables(case):
    found = Blocks.of(case.build(), case.prompt)
    for token, example, position in found.tokens():
        labels = example + (position == 2)
        assert near(found.after("count", "count")[token], counts(case, labels), ROUNDED)
        if position == 1:
            out, none = votes(case, example)
            assert near(found.after("count", "out")[token], out, ROUNDED)
            assert near(found.after("count", "none")[token], none, ROUNDED)
            assert near(found.after("count", "tok")[token], 0, 0)
    found.assert_written("count", {"count", "out", "none", "tok"})


@tried(25)
@given(word_cases())
def test_log_writes_the_logarithms_of_the_votes(case):
    made = case.build()
    found, gamma = Blocks.of(made, case.prompt), made.plan.margins.gamma
    for token, example, position in found.tokens():
        if position == 1:
            out, none = votes(case, example)
            logits = [math.log(c) if c else -2 * gamma for c in out]
            assert near(found.after("log", "tok")[token], logits, 8 * ROUNDED)
            stop = math.log(none) if none else -gamma
            assert near(found.after("log", "stop")[token], [stop], 8 * ROUNDED)
    found.assert_written("log", {"tok", "stop"})


@tried(25)
@given(word_cases())
def test_the_votes_of_words_are_those_of_the_mixture(case):
    """What these tests count by themselves is what the specification says."""
    made = case.build()
    for query in range(len(case.examples) + 1):
        wanted = mixture(made.tasks, before(case.prompt, query))
        out, none = votes(case, query)
        assert sum(out) + none == sum(wanted.votes)
        assert [a * sum(wanted.votes) for a in wanted.answer] == out


@given(word_cases())
def test_a_word_has_no_more_votes_than_tables_give_it_for_one_word(case):
    held, known = case.build().plan.wiring, tables(case)
    for word, alike in zip(held.given, held.alike_at, strict=True):
        assert alike == max(sum(t.get(x) == word for t in known) for x in range(case.d))
    assert held.alike == max(held.alike_at)


def test_a_word_that_is_given_more_often_has_a_longer_table():
    """Of b, which two tables give for a; c has half as many votes at most."""
    case = WordCase(3, ({0: 1, 1: 2}, {0: 1}), 3, ((0, 1),) * 3, 0)
    made = case.build()
    units = made.transformer.layers[-1].mlp.sparse("W_in").shape[1]
    assert units == 2 * 3 + 3 + 2 * 3 + 1  # b, c, no word, constants
    answer = run(made, case.prompt)
    assert answer.votes == (3, 3)
    assert answer.answer == pytest.approx([0, 1, 0], abs=1e-12)
    once = replace(case, examples=((1, 2),) * 3, query=1)
    assert run(made, once.prompt).answer == pytest.approx([0, 0, 1], abs=1e-12)
