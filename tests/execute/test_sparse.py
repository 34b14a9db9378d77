"""The sparse executor is the dense one where it computes, and computes O(N) scores."""

from dataclasses import replace

import hand
import jax
import numpy as np
import pytest
from hypothesis import given, settings

from construct import Domain, Prompt, build, embed, prepare, random_tasks, relu_sum
from construct.execute import sparse
from construct.network.reach import ALL, EVERY, OWN, Reach
from generators import whole_cases


@settings(max_examples=12)
@given(case=whole_cases())
def test_every_state_and_every_total_is_that_of_the_reference(case):
    construction, prompt = case.build()
    transformer = construction.transformer
    stream = embed(transformer, prompt.astype("float64"))
    done, wanted = (prepare(name, transformer)(stream, trace=True) for name in ("sparse", "numpy"))
    assert np.allclose(done.states, wanted.states, rtol=1e-12, atol=1e-9)
    assert np.allclose(done.attended, wanted.attended, rtol=1e-12, atol=1e-9)
    # Up to layer 6 all that decides is a whole number.
    assert (done.attended[3] == wanted.attended[3]).all()


def test_it_believes_the_reach_alone():
    """A head that may read only itself gives nothing for what it reads elsewhere."""
    model, batch = hand.random(0)
    [head, *_] = model.layers[0].heads
    narrow = replace(head, reach=Reach(EVERY, (OWN, OWN)))
    heads = tuple(replace(narrow, name=str(k)) for k, _ in enumerate(model.layers[0].heads))
    one = replace(model, layers=(replace(model.layers[0], heads=heads), *model.layers[1:]))
    wide = replace(model, layers=(replace(model.layers[0], heads=(head,) * 2), *model.layers[1:]))
    own = np.einsum("nr,nr->n", batch[0] @ head.W_Q, batch[0] @ head.W_K)
    assert prepare("sparse", one)(batch[0]).attended[0, 0].tolist() == np.maximum(own, 0).tolist()
    done, wanted = (prepare(name, wide)(batch[0]) for name in ("sparse", "numpy"))
    assert done.attended.tolist() == wanted.attended.tolist()


@pytest.mark.parametrize("reads", [(0, 0), (1, 0), (OWN, 0), (0, OWN)])
def test_one_example_that_works_alone_may_read_an_earlier_one(reads):
    model, batch = hand.random(0)
    [layer, last], h = model.layers, batch[0]
    head = replace(layer.heads[0], reach=Reach((1, 1), reads))
    idle = replace(layer.mlp, W_in=np.zeros_like(layer.mlp.W_in))
    made = replace(model, layers=(replace(layer, heads=(head,) * 2, mlp=idle), last))
    # The last of four tokens asks; examples have two.
    example, position = (1 if place == OWN else place for place in reads)
    score = max((h[3] @ head.W_Q) @ (h[2 * example + position] @ head.W_K), 0)
    assert prepare("sparse", made)(h).attended[0].tolist() == [[0, 0, 0, score]] * 2


def test_a_layer_in_which_one_example_and_all_examples_work_is_computed_in_full():
    model, batch = hand.random(1)
    reaches = [Reach((ALL, 0), (1, OWN)), Reach((1, 1), EVERY)]
    layers = tuple(
        replace(
            layer,
            heads=tuple(replace(h, reach=r) for h, r in zip(layer.heads, reaches, strict=True)),
        )
        for layer in model.layers
    )
    mixed = replace(model, layers=layers)
    done, wanted = (prepare(name, mixed)(batch, trace=True) for name in ("sparse", "numpy"))
    assert done.states.tolist() == wanted.states.tolist()
    assert done.attended.tolist() == wanted.attended.tolist()


def test_the_work_is_linear_in_the_prompt():
    """By XLA's own count of FLOPs: four times the examples, and two bits more for each."""

    def flops(m: int) -> float:
        transformer = build(random_tasks(3, 4), m=m).transformer
        sizes, (steps, weights) = transformer.sizes, sparse.cast(transformer, "float32")
        grid = np.zeros((sizes.m + 1, sizes.n, sizes.D), np.float32)
        lowered = jax.jit(lambda w, h: sparse.forward(w, h, steps, sizes.N, False)).lower(
            weights, grid
        )
        return lowered.compile().cost_analysis()["flops"]

    assert flops(255) > 255 * 2
    assert flops(1023) < 4 * 1.3 * flops(255)


HINGES = {
    "reads nothing": relu_sum("g", [[{"a": [0], "e": 0}]], [[1]], A=[[1]]),
    "underflows": relu_sum("g", [[{"a": ["1e-330"]}]], [["1e300"]]),
    "writes too little": relu_sum("g", [[{"a": [1], "c": "1e-330"}]], [["1e300"]]),
}


@pytest.mark.parametrize("name", HINGES)
def test_weights_that_are_all_0_as_floats_are_no_weights(name):
    made = build([HINGES[name]], m=2, domain=Domain(4, 8, 1))
    stream = embed(made.transformer, Prompt.of([[[1], [1]]], [[3]]).astype("float64"))
    done, wanted = (prepare(e, made.transformer)(stream) for e in ("sparse", "numpy"))
    assert done.stream.tolist() == wanted.stream.tolist()
