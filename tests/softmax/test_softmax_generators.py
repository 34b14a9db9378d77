"""The cases of words are not vacuous: there is a draw of each sort."""

from collections.abc import Callable
from typing import Any

import pytest

from construct import mixture
from generators import search
from softmax.cases import WordCase, vector_cases, word_cases


def given_by(case: WordCase, x: int, y: int) -> int:
    """How many tables give y for x."""
    return sum(table.get(x) == y for table in case.tables)


SORTS: dict[str, Callable[[WordCase], Any]] = {
    "no example": lambda one: not one.examples,
    "as many as there are slots": lambda one: len(one.examples) == one.m > 1,
    "fewer than there are slots": lambda one: 0 < len(one.examples) < one.m,
    "a tie": lambda one: any(given_by(one, x, y) > 1 for x, y in one.examples),
    "noise": lambda one: any(not given_by(one, x, y) for x, y in one.examples),
    "no vote at all": lambda one: (
        one.examples and not any(given_by(one, x, y) for x, y in one.examples)
    ),
    "a query that a table with votes lacks": lambda one: any(
        one.query not in table and any(table.get(x) == y for x, y in one.examples)
        for table in one.tables
    ),
    "two words with votes": lambda one: len(_answered(one)) > 1,
    "two tables that give one word for the query": lambda one: any(
        given_by(one, one.query, y) > 1 for y in range(one.d)
    ),
    "one word in all": lambda one: one.d == 1,
}


def _answered(case: WordCase) -> set[int]:
    votes = [sum(table.get(x) == y for x, y in case.examples) for table in case.tables]
    pairs = zip(case.tables, votes, strict=True)
    return {table[case.query] for table, c in pairs if c and case.query in table}


@pytest.fixture(scope="module")
def found() -> dict[str, WordCase]:
    return search(
        word_cases(), lambda one: {name for name, is_ in SORTS.items() if is_(one)}, {*SORTS}
    )


@pytest.mark.parametrize("sort", SORTS)
def test_there_are_cases_of_words_with(sort, found):
    assert sort in found


@pytest.mark.parametrize("design", ["decoder", "encoder"])
def test_there_are_prompts_of_vectors_with_a_tie_noise_two_tasks_with_votes_and_none(design):
    def sorts(drawn: tuple) -> set[str]:
        case, prompt = drawn
        wanted = mixture(case.construction.tasks, prompt, delta=case.construction.domain.delta)
        return {
            name
            for name, is_ in {
                "a tie": wanted.ambiguous,
                "noise": wanted.unexplained,
                "two tasks with votes": sum(map(bool, wanted.votes)) > 1,
                "no example": not len(prompt.X),
                "features": any(task.features for task in case.construction.tasks),
                "several operands": case.construction.sizes.n > 2,
            }.items()
            if is_
        }

    wanted = {"a tie", "noise", "two tasks with votes", "no example", "features"}
    wanted |= {"several operands"}
    assert search(vector_cases(design), sorts, wanted).keys() == wanted
