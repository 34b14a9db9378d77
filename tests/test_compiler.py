import re
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from construct import (
    ConstructError,
    Construction,
    Prompt,
    Vocabulary,
    add,
    affine,
    build,
    lookup,
    maximum,
    random_tasks,
    retrieval,
    run,
)
from construct.spec.domain import ONE_HOT
from construct.spec.normal_form import same_map
from generators import whole_cases

F = affine("f", [[1]])
WORDS = Vocabulary(["a", "b"])


@given(whole_cases())
def test_seven_layers_of_K_heads_each_of_the_width_of_the_formula(case):
    construction, _ = case.build()
    transformer, sizes = construction.transformer, construction.sizes
    names = [layer.name for layer in transformer.layers]
    assert names == ["gather", "label", "query", "superpose", "pool", "square", "divide"]
    for layer in transformer.layers:
        assert len(layer.heads) == sizes.K
        for head in layer.heads:
            assert len(head.W_Q) == len(head.W_K) == len(head.W_V) == sizes.D
            assert head.W_O.shape == (head.W_V.shape[1], sizes.D)
    assert [h.name for h in transformer.layers[3].heads] == [t.name for t in construction.tasks]
    used = [sum(head.name != "idle" for head in layer.heads) for layer in transformer.layers]
    assert used == [sizes.S + (sizes.w > 0), 1, 1, sizes.K, 1, 1, 1]


def test_n_is_what_the_tasks_read_unless_it_is_given():
    assert build([F], m=1).sizes.n == 2
    assert build([retrieval("ret8", 8, d=1)], m=1).sizes.n == 9
    assert build([F], m=1, n=5).sizes.n == 5


def test_words_are_answered_for_on_all_one_hot_prompts():
    construction = build([lookup("t", {"a": "b"}, vocabulary=WORDS)], m=1, vocabulary=WORDS)
    assert construction.domain == ONE_HOT
    assert construction.vocabulary is WORDS


REFUSED = {
    "the list of tasks is empty": ([], {}),
    "m is 0": ([F], {"m": 0}),
    "m is True": ([F], {"m": True}),
    "n is 1": ([F], {"n": 1}),
    "d is 0": ([affine("f", np.zeros((0, 0)))], {}),
    "two tasks are named 'f'": ([F, affine("f", [[2]])], {}),
    "tasks 'f' and 'g' are the same map": ([F, retrieval("g", 1, d=1)], {}),
    "task 'g' has d = 2, task 'f' has d = 1": ([F, retrieval("g", 1, d=2)], {}),
    "task 'f' reads position 2, .* inputs 1 to 1": ([retrieval("f", 2, d=1)], {"n": 2}),
    "the tasks have d = 1, but the vocabulary has 2 words": ([F], {"vocabulary": WORDS}),
    "need S = 2 operand slots, .* K = 1": ([add("f", (1, 2, 3), d=1)], {}),
}


@pytest.mark.parametrize(("said", "call"), REFUSED.items(), ids=REFUSED)
def test_what_cannot_be_built_is_refused_with_the_reason(said, call):
    tasks, options = call
    with pytest.raises(ConstructError, match=said):
        build(tasks, **options)


def test_the_same_map_written_in_another_way_is_found():
    with pytest.raises(ConstructError, match="same map"):
        build([maximum("f", d=1), maximum("g", (2, 1), d=1)])


@given(st.integers(1, 12), st.integers(1, 4), st.integers(0, 5))
def test_random_tasks_are_K_different_maps_and_repeatable(K, d, seed):
    tasks = random_tasks(K, d, seed)
    assert len(tasks) == K
    assert {task.d for task in tasks} == {d}
    assert not any(same_map(f, g) for i, f in enumerate(tasks) for g in tasks[:i])
    assert [t.definition for t in random_tasks(K, d, seed)] == [t.definition for t in tasks]


@pytest.mark.parametrize(("K", "d"), [(0, 1), (1, 0), (-1, 1)])
def test_random_tasks_need_a_number_of_tasks_and_of_dimensions(K, d):
    with pytest.raises(ConstructError, match="at least 1"):
        random_tasks(K, d)


CAPITAL = lookup(
    "capital",
    {"France": "Paris", "Japan": "Tokyo"},
    vocabulary=(PLACES := Vocabulary(["France", "Paris", "Japan", "Tokyo"])),
)


def test_a_prompt_of_words_is_text_or_lists():
    made = build([CAPITAL], m=2, vocabulary=PLACES)
    prompts = [
        made.prompt("France -> Paris\nJapan ->"),
        made.prompt([["France", "Paris"]], ["Japan"]),
        made.prompt('{"examples": [["France", "Paris"]], "query": ["Japan"]}'),
    ]
    for prompt in prompts:
        assert prompt.X.tolist() == [[[1, 0, 0, 0]]]
        assert prompt.Y.tolist() == [[0, 1, 0, 0]]
        assert prompt.query.tolist() == [[0, 0, 1, 0]]
        assert run(made, prompt, executor="exact").distribution == {"Tokyo": 1}
    with pytest.raises(ConstructError, match=r"line 2: 'Jpan' .* the nearest are: Japan"):
        made.prompt("France -> Paris\nJpan ->")
    with pytest.raises(ConstructError, match="leave it out"):
        made.prompt("France -> Paris\nJapan ->", ["Japan"])


def test_a_prompt_of_numbers_is_json_or_lists():
    made = build([F], m=1)
    for prompt in (
        made.prompt([[[1], [1]]], [["1/3"]]),
        made.prompt('{"examples": [[[1], [1]]], "query": [["1/3"]]}'),
    ):
        assert prompt.Y.tolist() == [[1]]
        assert prompt.query.tolist() == [[Fraction(1, 3)]]
    with pytest.raises(ConstructError, match="n = 3 and d = 1; the artifact needs"):
        made.prompt([], [[1], [2]])


def test_words_without_a_vocabulary_are_told_where_words_go():
    for examples, query in (([["cat", "cats"]], ["dog"]), ([["cat", "cats"]], [[1]])):
        with pytest.raises(ConstructError, match=r"for words, .* made\.prompt\("):
            Prompt.of(examples, query)


def test_the_recipes_of_the_docstring_of_prompt_run():
    recipes = re.findall(r"^ +(made\.prompt\(.*\))$", Construction.prompt.__doc__, re.M)
    assert len(recipes) == 3
    worded = build([CAPITAL], vocabulary=PLACES)
    numbered = build([retrieval("f", 1, d=2)])
    for recipe, made in zip(recipes, (worded, numbered, numbered), strict=True):
        assert eval(recipe, {"made": made}).query.shape == (1, made.sizes.d)
