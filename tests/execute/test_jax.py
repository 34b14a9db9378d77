from dataclasses import replace
from functools import partial

import hand
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jax.extend.core import jaxprs_in_params

from construct import Head, absolute, affine, build, embed, prepare
from construct.execute import jax_, sparse
from generators import whole_cases


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_running_leaves_the_global_precision_as_it_was(dtype):
    before = jax.config.jax_enable_x64
    prepare("jax", hand.by_hand(), dtype)(hand.STREAM)
    assert jax.config.jax_enable_x64 == before
    assert jnp.ones(1).dtype == (jnp.float64 if before else jnp.float32)


@pytest.mark.parametrize("executor", [jax_, sparse])
def test_every_matrix_product_asks_for_the_highest_precision(executor):
    products = [e for e in equations(traced(executor, m=3)) if e.primitive.name == "dot_general"]
    # Projections, scores and values of ten heads and two MLPs.
    assert len(products) >= 24
    highest = jax.lax.Precision.HIGHEST
    assert {e.params["precision"] for e in products} == {(highest, highest)}


def traced(executor, m: int):
    """The program of a forward pass: two tasks, one of them with features."""
    transformer = build([affine("f", [[2, 0], [0, 1]]), absolute("g", d=2)], m=m).transformer
    sizes, (static, weights) = transformer.sizes, executor.cast(transformer, "float32")
    stream = np.asarray(transformer.W_pos, dtype=np.float32)
    if executor is jax_:
        go = partial(jax_.forward, stacks=static, K=2, N=sizes.N, trace=False)
    else:
        go = partial(sparse.forward, steps=static, N=sizes.N, trace=False)
        stream = stream[: sizes.tokens].reshape(sizes.m + 1, sizes.length, sizes.D)
    return jax.make_jaxpr(go)(weights, stream).jaxpr


@pytest.mark.parametrize("executor", [jax_, sparse])
def test_nothing_that_grows_with_the_square_of_the_prompt_is_held(executor, monkeypatch):
    monkeypatch.setattr(jax_, "QUERIES", 64)
    monkeypatch.setattr(jax_, "KEYS", 32)
    program = traced(executor, m=2047)
    N, D = 4096, 4 * 2 + 2 * 4 + 11 + 1 + 6
    largest = max(v.aval.size for e in equations(program) for v in e.outvars)
    assert N * D / 2 <= largest <= 2 * N * D


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    case=whole_cases(),
    sizes=st.tuples(*[st.integers(1, 9)] * 2),
)
def test_blocks_of_any_size_give_the_same(case, sizes, monkeypatch):
    for name, size in zip(("QUERIES", "KEYS"), sizes, strict=True):
        monkeypatch.setattr(jax_, name, size)
    construction, prompt = case.build()
    transformer = construction.transformer
    stream = embed(transformer, prompt.astype("float64"))
    with jax.enable_x64(True):
        stacks, weights = jax_.cast(transformer, "float64")
        K, N = construction.sizes.K, construction.sizes.N
        # Compiled anew for each size of the blocks, and once: step by step would take longer.
        go = jax.jit(partial(jax_.forward, stacks=stacks, K=K, N=N, trace=False))
        out, attended, _ = go(weights, jax.numpy.asarray(stream))
    wanted = prepare("numpy", transformer)(stream)
    assert np.allclose(out, wanted.stream, rtol=1e-12, atol=1e-9)
    assert (np.asarray(attended)[3] == wanted.attended[3]).all()


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(case=whole_cases(), size=st.integers(1, 5))
def test_blocks_of_examples_of_any_size_give_the_same(case, size, monkeypatch):
    monkeypatch.setattr(sparse.grid, "BLOCK", size)
    construction, prompt = case.build()
    transformer, sizes = construction.transformer, construction.sizes
    stream = embed(transformer, prompt.astype("float64"))
    with jax.enable_x64(True):
        steps, weights = sparse.cast(transformer, "float64")
        grid = stream[: sizes.tokens].reshape(sizes.m + 1, sizes.length, sizes.D)
        # Compiled anew for each size of the blocks, and once: step by step would take longer.
        go = jax.jit(partial(sparse.forward, steps=steps, N=sizes.N, trace=False))
        out, _, _ = go(weights, jax.numpy.asarray(grid))
    wanted = prepare("numpy", transformer)(stream).stream[: sizes.tokens]
    assert np.allclose(np.asarray(out).reshape(wanted.shape), wanted, rtol=1e-12, atol=1e-9)


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
