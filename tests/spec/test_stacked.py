"""All tasks at once against each by itself, in fractions."""

import gc
import weakref
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from construct import Prompt, absolute, affine, lookup, permutation, relu_sum
from construct.matrix import Matrix
from construct.spec import stacked as module
from construct.spec.matching import judged, squared_distances
from construct.spec.stacked import Stacked, stacked
from construct.spec.vocabulary import Vocabulary

TASKS = [
    affine("thirds", {1: [["1/3", 0], [0, 2]], 2: [[0, 1], [0, 0]]}, ["1/7", 0]),
    permutation("swap", [2, 1], [1, -1], [0, 3]),
    absolute("abs", 2, d=2),
    relu_sum("sum", [[{"a": [1, "1/3"], "e": "-1/7"}]], [[2], [-1]], b=[0, 1]),
    affine("nothing", [[0, 0], [0, 0]]),
]
WORDS = Vocabulary(map(str, range(40)))
TABLES = [
    lookup("next", {str(i): str((i + 1) % 40) for i in range(40)}, vocabulary=WORDS),
    lookup("some", {str(i): str((i * i) % 40) for i in range(0, 40, 3)}, vocabulary=WORDS),
    lookup("third", {str(i): str((i + 1) % 40) for i in range(0, 40, 5)}, 2, vocabulary=WORDS),
]


@pytest.fixture
def sparse(monkeypatch):
    """Whatever the sizes, zeros are looked for."""
    monkeypatch.setattr(module, "LARGE", 1)
    monkeypatch.setattr(module, "ONE_IN", 1)


def true_squares(tasks, prompt):
    return np.array([squared_distances(f, prompt) for f in tasks], dtype=object)


def of_tables(seed, dtype):
    rng = np.random.default_rng(seed)
    X, query = rng.integers(0, 40, (12, 2)), rng.integers(0, 40, 2)
    Y = np.where(rng.random(12) < 0.5, (X[:, 0] + 1) % 40, rng.integers(0, 40, 12))
    prompt = Prompt.of_words(X, Y, query, 40)
    return prompt if dtype == "int8" else prompt.astype(dtype)


numbers = st.floats(-1e6, 1e6, width=32) | st.sampled_from([0.0, 1e-200, 1e150, -1e150, 1 / 3])


@given(st.lists(st.lists(numbers, min_size=6, max_size=6), min_size=1, max_size=4), st.booleans())
def test_an_enclosure_holds_the_squared_distance(rows, match):
    table = np.array(rows)
    X, Y = table[:, :4].reshape(-1, 2, 2), table[:, 4:]
    if match:
        Y = TASKS[0](X)
    prompt = Prompt(X, Y, X[0])
    low, high = stacked(TASKS, prompt).enclosure(TASKS, prompt)
    for i, j in np.ndindex(low.shape):
        true = true_squares(TASKS, prompt)[i, j]
        assert np.isnan(low[i, j]) or low[i, j] <= 0 or Fraction(low[i, j]) <= true
        assert not np.isfinite(high[i, j]) or true <= Fraction(high[i, j])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("seed", range(3))
def test_an_enclosure_by_the_non_zeros_holds_it_too(sparse, dtype, seed):
    tasks = [*TABLES, affine("shifted", Matrix.identity(40), [Fraction(1, 3)] + [0] * 39)]
    prompt = of_tables(seed, dtype)
    stack = stacked(tasks, prompt)
    flat = prompt.X.reshape(12, -1).astype(float)
    assert stack._sparse_gap(flat, prompt.Y.astype(float)) is not None
    low, high = stack.enclosure(tasks, prompt)
    true = true_squares(tasks, prompt)
    assert all(Fraction(a) <= t for a, t in zip(low.flat, true.flat, strict=True))
    assert all(t <= Fraction(b) for b, t in zip(high.flat, true.flat, strict=True))
    assert (high - low < 1e-9).all()


@pytest.mark.parametrize("dtype", ["int8", "float64", "float32", "exact"])
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("zeros", ["sparse", "dense"])
def test_words_are_judged_as_each_table_by_itself(request, dtype, seed, zeros):
    if zeros == "sparse":
        request.getfixturevalue("sparse")
    prompt = of_tables(seed, dtype)
    found = judged(TABLES, prompt, Fraction(1, 2**40), 1)
    true = true_squares(TABLES, prompt)
    assert (found == np.where(true == 0, 0, 2)).all()
    assert (found == 0).any()


def test_words_have_their_squared_distances_by_the_non_zeros(sparse):
    prompt = of_tables(0, "int8")
    squares = stacked(TABLES, prompt).squares(prompt)
    assert (squares == true_squares(TABLES, prompt)).all()


@pytest.mark.parametrize("changed", ["a third", "beyond int64", "hinges"])
def test_what_is_not_whole_has_no_whole_squares(sparse, changed):
    other = {
        "a third": affine("f", Fraction(1, 3) * Matrix.identity(40)),
        "beyond int64": affine("f", 2**40 * Matrix.identity(40)),
        "hinges": absolute("f", d=40),
    }[changed]
    prompt = of_tables(0, "int8")
    assert stacked([*TABLES, other], prompt).squares(prompt) is None
    found = judged([*TABLES, other], prompt, 0, 1)
    true = true_squares([*TABLES, other], prompt)
    assert (found == np.where(true == 0, 0, np.where(true >= 1, 2, 1))).all()


def test_many_tasks_are_taken_in_parts(monkeypatch):
    prompt = Prompt(np.ones((3, 2, 2)), np.ones((3, 2)), np.ones((2, 2)))
    whole = stacked(TASKS, prompt).enclosure(TASKS, prompt)
    monkeypatch.setattr(module, "MOST_HELD", 1)
    parts = stacked(TASKS, prompt).enclosure(TASKS, prompt)
    assert np.array_equal(whole, parts)


def test_too_many_tasks_are_taken_one_by_one(monkeypatch):
    tasks = [affine(str(k), [[k, 0], [0, 1]]) for k in range(1, 4)]
    monkeypatch.setattr(module, "MOST_STACKED", 1)
    prompt = Prompt(np.ones((3, 1, 2)), np.ones((3, 2)), np.ones((1, 2)))
    assert stacked(tasks, prompt) is None
    assert judged(tasks, prompt, Fraction(1, 2**40), 1).tolist() == [[0] * 3, [2] * 3, [2] * 3]


def test_functions_and_prompts_of_other_sizes_are_not_stacked():
    prompt = Prompt(np.ones((3, 2, 2)), np.ones((3, 2)), np.ones((2, 2)))
    assert stacked([*TASKS, lambda X: X[..., 0, :]], prompt) is None
    assert stacked([], prompt) is None
    assert stacked(TABLES, prompt) is None
    short = Prompt(np.ones((3, 1, 2)), np.ones((3, 2)), np.ones((1, 2)))
    assert stacked(TASKS, short) is None


def test_what_is_kept_is_that_of_these_very_tasks_and_goes_with_them():
    prompt = Prompt(np.ones((1, 1, 2)), np.ones((1, 2)), np.ones((1, 2)))
    first, second, third = (affine(str(k), [[k, 0], [0, 1]]) for k in range(1, 4))
    assert stacked([first, second], prompt) is stacked([first, second], prompt)
    assert stacked([first, third], prompt).linear[2, 0] == 3
    assert stacked([first, second], prompt).linear[2, 0] == 2
    gone = weakref.ref(first)
    del first
    gc.collect()
    assert gone() is None


def test_a_stack_of_no_example_judges_nothing():
    prompt = Prompt(np.zeros((0, 2, 2)), np.zeros((0, 2)), np.ones((2, 2)))
    assert judged(TASKS, prompt, 0, 1).shape == (len(TASKS), 0)
    assert isinstance(stacked(TASKS, prompt), Stacked)
