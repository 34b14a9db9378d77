from dataclasses import replace
from functools import partial

import hand
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.extend.core import jaxprs_in_params

from construct import Head, Mlp, prepare
from construct.execute import jax_


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_running_leaves_the_global_precision_as_it_was(dtype):
    before = jax.config.jax_enable_x64
    prepare("jax", hand.by_hand(), dtype)(hand.STREAM)
    assert jax.config.jax_enable_x64 == before
    assert jnp.ones(1).dtype == (jnp.float64 if before else jnp.float32)


def test_every_matrix_product_asks_for_the_highest_precision():
    model, batch = hand.random(0)
    weights = [
        (
            [tuple(np.stack([getattr(head, name)]) for name in Head.WEIGHTS) for head in x.heads],
            tuple(np.stack([getattr(x.mlp, name)]) for name in Mlp.WEIGHTS),
        )
        for x in model.layers
    ]
    forward = partial(jax_.forward, stacks=(((0,), (1,)),) * 2, K=2, trace=False)
    program = jax.make_jaxpr(forward)(weights, batch[0])
    products = [e for e in equations(program.jaxpr) if e.primitive.name == "dot_general"]
    # Six for each of two heads and two for the MLP, in each of two layers.
    assert len(products) == 2 * (2 * 6 + 2)
    highest = jax.lax.Precision.HIGHEST
    assert {e.params["precision"] for e in products} == {(highest, highest)}


def equations(jaxpr):
    """All equations, those of inner programs included."""
    for equation in jaxpr.eqns:
        yield equation
        for inner in jaxprs_in_params(equation.params):
            yield from equations(inner)


def test_idle_heads_attend_to_nothing_and_change_nothing():
    model, batch = hand.random(3)
    zero = np.zeros((3, 1))
    idle = Head("idle", "", zero, zero, zero, zero.T)
    layers = tuple(replace(x, heads=(x.heads[0], idle, x.heads[1])) for x in model.layers)
    more = replace(model, layers=layers, sizes=replace(model.sizes, K=3))
    done, wanted = prepare("jax", more)(batch), prepare("jax", model)(batch)
    assert done.stream.tolist() == wanted.stream.tolist()
    assert done.attended[:, :, [0, 2]].tolist() == wanted.attended.tolist()
    assert not done.attended[:, :, 1].any()
