from fractions import Fraction

import hand
import numpy as np
from hypothesis import given

from construct import Mlp, affine, build, embed, mixture, parse_prompt, prepare, unembed
from construct.network.transformer import Layer
from generators import whole_cases
from share import tried

FIFTH = Fraction(1, 5)


def test_a_weight_that_float64_rounds_is_read_exactly():
    stream = np.array([[1, 0], [0, 1]], dtype=object)
    zero = np.zeros((2, 1))
    W_in = np.array([[0.2], [0.0]])
    for exact, wanted in (({"W_in": {(0, 0): FIFTH}}, FIFTH), ({}, Fraction(0.2))):
        model = hand.transformer([([(zero, zero, zero, zero.T)], (zero, zero.T))])
        mlp = Mlp("", W_in, np.array([[0.0, 1.0]]), exact)
        layers = (Layer("any", "", model.layers[0].heads, mlp),)
        model = type(model)(model.sizes, layers, model.W_E, model.W_pos, model.W_U, 0)
        done = prepare("exact", model, "exact")(stream)
        assert done.stream.tolist() == [[1, wanted], [0, 1]]


def test_the_stream_of_rationals_stays_one():
    stream = np.array([[FIFTH, 0], [0, 1]], dtype=object)
    done = prepare("exact", hand.by_hand(), "exact")(stream, trace=True)
    # scores diag(1/25, 1), h = (1 + scores / 2) h, then h_1 + (2, -1)(h_1 + h_2), h_2 = 3/2.
    x = FIFTH + FIFTH**3 / 2
    assert done.stream.tolist() == [[3 * x, -x], [3, 0]]
    assert done.attended.tolist() == [[[Fraction(1, 25), 1]]]
    assert done.states[0].tolist() == stream.tolist()


@tried(20)
@given(whole_cases())
def test_the_answer_is_the_mixture_with_equality(case):
    construction, prompt = case.build()
    transformer = construction.transformer
    done = prepare("exact", transformer, "exact")(embed(transformer, prompt))
    answer = mixture(construction.tasks, prompt).answer
    assert unembed(transformer, done.stream).tolist() == answer.tolist()


def test_thirds_and_sevenths_come_out_as_rationals():
    tasks = [affine("f", [["1/3"]], ["1/7"]), affine("g", [["-2/7"]])]
    transformer = build(tasks, m=3).transformer
    text = '{"examples": [[[1], ["10/21"]], [[7], [-2]], [["7/13"], ["-2/13"]]], "query": [[0.1]]}'
    prompt = parse_prompt(text, d=1, n=2)
    done = prepare("exact", transformer, "exact")(embed(transformer, prompt))
    x = Fraction(1, 10)
    wanted = (x / 3 + Fraction(1, 7) + 2 * Fraction(-2, 7) * x) / 3
    assert unembed(transformer, done.stream).tolist() == [wanted]
