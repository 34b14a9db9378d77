"""What a prompt of Python shows: one line of 80 columns that says what it is."""

import numpy as np
import pytest
from hypothesis import given

import construct
from construct import Prompt, Task, Vocabulary, affine, build, lookup, mixture, random_tasks, run
from construct.errors import brief, brief_names
from generators import whole_cases

TURN = affine("turn", [[0, -1], [1, 0]])
FLIP = construct.permutation("flip", [2, 1])
MADE = build([TURN, FLIP], m=8)
PROMPT = Prompt.of([[[1, 2], [-2, 1]], [[3, 1], [1, 3]]], [[5, 7]])
WORDS = Vocabulary(["France", "Paris", "Japan", "Tokyo"])
CAPITAL = lookup("capital", {"France": "Paris", "Japan": "Tokyo"}, vocabulary=WORDS)
WORDY = build([CAPITAL, lookup("same", {w: w for w in WORDS}, vocabulary=WORDS)], vocabulary=WORDS)

SHOWN = {
    "Construction(K = 2: turn, flip; d = 2, m = 8, n = 2, D = 19)": MADE,
    "Construction(K = 2: capital, same; d = 4 words, m = 32, n = 2, D = 29)": WORDY,
    "Construction(K = 2: turn, flip; d = 2, m = 8, n = 2, D = 19, encoder)": build(
        [TURN, FLIP], m=8, design="encoder"
    ),
    "Transformer(7 layers, K = 2, D = 19, N = 32; 282 non-zero weights)": MADE.transformer,
    "Layer(gather: all heads idle; MLP idle)": MADE.transformer.layers[0],
    "Layer(superpose: turn, flip; MLP idle)": MADE.transformer.layers[3],
    "Layer(square: square; MLP of 16 units)": MADE.transformer.layers[5],
    "Head(flip: D = 19, d_head = 8, d_value = 3)": MADE.transformer.layers[3].heads[1],
    "Mlp(D = 19, 16 units)": MADE.transformer.layers[5].mlp,
    "Mlp(D = 19, 1 units, idle)": MADE.transformer.layers[0].mlp,
    "Task(turn: affine, A = [[0, -1], [1, 0]])": TURN,
    "Task(capital: lookup, table = {France: Paris, Japan: Tokyo})": CAPITAL,
    "Task(hand: d = 2, positions read: 1, 0 features)": Task("hand", TURN.A, TURN.b),
    "Prompt(2 examples, n = 2, d = 2, exact; query [[5, 7]])": PROMPT,
    "Prompt(2 examples, n = 2, d = 2, float32; query [[5, 7]])": PROMPT.astype("float32"),
    "Mixture([0, 5]; votes [1, 1])": mixture([TURN, FLIP], PROMPT),
    "Answer([0, 5]; votes: turn 1, flip 1)": run(MADE, PROMPT, executor="exact"),
    "Answer([0, 0]; votes: none)": run(MADE, Prompt.of([], [[5, 7]]), executor="exact"),
}


@pytest.mark.parametrize("line", SHOWN)
def test_a_value_at_a_prompt_is_one_line(line):
    assert repr(SHOWN[line]) == line
    assert len(line) <= 80


@given(whole_cases())
def test_every_repr_fits_a_line(case):
    made, prompt = case.build()
    layers = made.transformer.layers
    heads = [head for layer in layers for head in layer.heads]
    answer, wanted = run(made, prompt, executor="numpy"), mixture(made.tasks, prompt)
    values = [made, made.transformer, *layers, *heads, *made.tasks, prompt, answer, wanted]
    for line in map(repr, [*values, *(layer.mlp for layer in layers)]):
        assert len(line) <= 80
        assert line.isprintable()


def test_many_tasks_with_long_and_odd_names_fit_a_line():
    made = build([affine(f"{i}\n" * 40, [[i]]) for i in range(1, 30)], m=50)
    answer = run(made, Prompt.of([[[2], [2 * i]] for i in range(1, 30)], [[3]]), executor="numpy")
    large = build(random_tasks(64, 40), m=512)
    for value in (made, answer, *made.tasks, large, *large.transformer.layers, *large.tasks):
        assert len(repr(value)) <= 80
        assert repr(value).isprintable()
    assert "... (64)" in repr(large)


def test_only_what_is_shown_is_looked_at():
    class Endless(list):
        def __iter__(self):
            while True:
                yield 1

    assert brief(Endless([1]), 12) == "[1, 1, 1,..."


def test_numbers_of_any_length_are_shown():
    assert "thousands of digits" in brief([10**5000], 80)
    assert brief(np.array([0.1, 2.0]).tolist(), 20) == "[0.1, 2]"
    assert brief_names([], 10) == ""
    assert brief_names(["a", "b", "c"], 7) == "a, b, c"
    assert brief_names(["a", "bb", "c"], 7) == "... (3)"
