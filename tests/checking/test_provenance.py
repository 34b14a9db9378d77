from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from construct import Domain, affine, build, permutation, relu_sum
from construct.checking.provenance import first_difference
from construct.network.transformer import Entries
from generators import whole_cases
from sabotage import with_entry

THIRD = affine("third", [["1/3", 0], [0, 1]])
TURN = permutation("turn", [2, 1])
KINK = relu_sum("kink", [[{"a": [1, 0]}, {"a": [0, "1/7"], "e": 1}]], [[1], [2]])


def of(*tasks):
    return {"tasks": tasks, "held": tasks}


def made():
    return build([THIRD, TURN, KINK], m=2, domain=Domain(2, 8, 1))


@given(whole_cases())
def test_what_was_built_is_what_its_tasks_compile_to(case):
    construction, _ = case.build()
    assert first_difference(construction) is None


@given(st.data())
def test_every_changed_entry_is_named_with_its_place_and_both_values(data):
    construction = made()
    weights = construction.transformer.weights()
    name = data.draw(st.sampled_from(sorted(weights)))
    i, j = (data.draw(st.integers(0, size - 1)) for size in weights[name].shape)
    old = float(weights[name][i, j])
    value = data.draw(st.sampled_from([0.0, 1.0, -3.0, 0.5, 1e-300, np.nan, np.inf]))
    assume(value != old)
    said = first_difference(with_entry(construction, name, (i, j), value))
    layers = construction.transformer.layers
    parts = name.split(".")
    if len(parts) > 1:
        assert said.startswith(f"layer {int(parts[1]) + 1} ({layers[int(parts[1])].name}), ")
    if "heads" in parts:
        assert f"head {int(parts[3]) + 1} (" in said
    assert f"{parts[-1]}[{i}, {j}] is " in said
    assert "its tasks compile to" in said


def with_exact(construction, change):
    """With the exact values of W_K of the first head of layer 4 changed."""
    layer = construction.transformer.layers[3]
    head = layer.heads[0]
    exact = change(dict(head.exact["W_K"]))
    heads = (replace(head, exact={**head.exact, "W_K": exact}), *layer.heads[1:])
    layers = list(construction.transformer.layers)
    layers[3] = replace(layer, heads=heads)
    return replace(
        construction, transformer=replace(construction.transformer, layers=tuple(layers))
    )


@pytest.mark.parametrize("form", [Entries.of, dict], ids=["entries", "mapping"])
def test_an_exact_value_that_is_another_is_named(form):
    construction = made()
    assert first_difference(with_exact(construction, form)) is None
    close = Fraction(1, 3) + Fraction(1, 10**40)
    [place] = construction.transformer.layers[3].heads[0].exact["W_K"]
    said = first_difference(with_exact(construction, lambda e: form({place: close})))
    start = f"layer 4 (superpose), head 1 (third), W_K[{place[0]}, {place[1]}] is "
    assert said == f"{start}{close}; its tasks compile to 1/3."
    rounded = first_difference(with_exact(construction, lambda e: {}))
    assert rounded == f"{start}{1 / 3!r}; its tasks compile to 1/3."


def test_layers_exchanged_are_named():
    construction = made()
    model = construction.transformer
    order = [0, 3, 2, 1, 4, 5, 6]
    exchanged = replace(model, layers=tuple(model.layers[i] for i in order))
    said = first_difference(replace(construction, transformer=exchanged))
    assert said.startswith("layer 2 (label): the name is 'superpose'")
    renamed = [
        replace(x, name=model.layers[i].name) for i, x in zip(order, model.layers, strict=True)
    ]
    said = first_difference(
        replace(construction, transformer=replace(model, layers=tuple(renamed)))
    )
    assert said.startswith("layer 2 (label): the name is 'superpose'")


def test_other_margins_tasks_and_sizes_are_noticed():
    construction = made()
    margins = construction.margins
    for changed, where in (
        (replace(construction, margins=replace(margins, B=2 * margins.B)), "layer 4"),
        (replace(construction, margins=replace(margins, C=2 * margins.C)), "layer 4"),
        (replace(construction, margins=replace(margins, s=2 * margins.s)), "layer 6"),
        (replace(construction, **of(TURN, THIRD, KINK)), "layer 4"),
        (replace(construction, tasks=(TURN, THIRD, KINK)), "task 'turn' is held as another"),
        (replace(construction, **of(THIRD, TURN)), "the transformer has Sizes(K=3"),
    ):
        assert first_difference(changed).startswith(where)


def test_a_zero_that_is_stored_is_a_zero():
    construction = made()
    head = construction.transformer.layers[0].heads[0]
    W = csr_array((np.zeros(1), ([0], [0])), head.W_Q.shape)
    layers = list(construction.transformer.layers)
    layers[0] = replace(layers[0], heads=(replace(head, W_Q=W), *layers[0].heads[1:]))
    stored = replace(construction.transformer, layers=tuple(layers))
    assert first_difference(replace(construction, transformer=stored)) is None
