"""Softmax attention of each executor that has it, against its definition."""

from dataclasses import replace

import hand
import numpy as np
import pytest

import definitions
from construct import ConstructError, prepare
from construct.execute.registry import EXECUTORS
from construct.network.attention import CAUSAL_SOFTMAX, RELU, SOFTMAX
from construct.network.transformer import Head

ABLE = [(one.name, dtype) for one in EXECUTORS.values() if one.softmax for dtype in one.formats]
OFF = {"float32": 2e-5, "float64": 1e-13, "exact": 1e-13}


@pytest.mark.parametrize("attention", [SOFTMAX, CAUSAL_SOFTMAX], ids=str)
@pytest.mark.parametrize(("name", "dtype"), ABLE)
def test_it_is_the_usual_one(name, dtype, attention):
    transformer, streams = hand.random(3)
    softened = replace(transformer, attention=attention)
    streams = streams / 4  # scores of some tens
    states, attended = definitions.forward(softened, streams)
    done = prepare(name, softened, dtype)(streams, trace=True)
    for got, wanted in ((done.states, states), (done.attended, attended)):
        scale = np.maximum(1, abs(wanted))
        assert (abs(got.astype(float) - wanted) <= OFF[dtype] * scale).all()


@pytest.mark.parametrize(("name", "dtype"), ABLE)
def test_one_stream_is_a_batch_of_one(name, dtype):
    transformer, streams = hand.random(5)
    run = prepare(name, replace(transformer, attention=CAUSAL_SOFTMAX), dtype)
    both, alone = run(streams / 4), run(streams[0] / 4)
    assert np.allclose(both.stream[0].astype(float), alone.stream.astype(float), rtol=1e-5)
    assert both.attended.shape == (2, 2, 2, 4)


@pytest.mark.parametrize(("name", "dtype"), ABLE)
def test_a_causal_token_sees_none_that_comes_later(name, dtype):
    transformer, streams = hand.random(7)
    run = prepare(name, replace(transformer, attention=CAUSAL_SOFTMAX), dtype)
    one, other = streams[0] / 4, streams[0] / 4
    other = np.concatenate([other[:2], 1 - other[2:]])
    assert run(one).stream[:2].tolist() == run(other).stream[:2].tolist()
    assert run(one).stream.tolist() != run(other).stream.tolist()


@pytest.mark.parametrize(("name", "dtype"), ABLE)
def test_a_head_without_scores_still_averages(name, dtype):
    """A score of 0 is nothing under ReLU, and a weight like any other under softmax."""
    zero, one = np.zeros((2, 1)), np.array([[1.0], [0.0]])
    head = (zero, zero, one, one.T)
    made = hand.transformer([([head], (np.zeros((2, 1)), np.zeros((1, 2))))])
    stream = np.array([[2.0, 0.0], [4.0, 0.0]])
    for attention, wanted in ((RELU, [2, 4]), (SOFTMAX, [5, 7]), (CAUSAL_SOFTMAX, [4, 7])):
        done = prepare(name, replace(made, attention=attention), dtype)(stream)
        assert done.stream[:, 0].astype(float).tolist() == wanted


def test_a_head_that_writes_nothing_is_silent():
    one = np.ones((2, 1))
    assert Head("h", "", one, one, 0 * one, one.T).silent
    assert not Head("h", "", 0 * one, one, one, one.T).silent


@pytest.mark.parametrize("name", [one.name for one in EXECUTORS.values() if not one.softmax])
def test_an_executor_without_softmax_says_so(name):
    softened = replace(hand.by_hand(), attention=SOFTMAX)
    with pytest.raises(ConstructError, match=f"the executor '{name}' has no softmax attention"):
        prepare(name, softened)


def test_the_exact_executor_encloses_scores_that_no_float_can_hold():
    """exp(-10^6) is 0 in float64; here it is a ball."""
    big = np.array([[1000.0], [0.0]])
    one = np.array([[1.0], [0.0]])
    made = hand.transformer([([(big, -big, one, one.T)], (np.zeros((2, 1)), np.zeros((1, 2))))])
    stream = np.array([[0.0, 0.0], [1.0, 0.0]])
    done = prepare("exact", replace(made, attention=SOFTMAX), "exact")(stream)
    assert done.attended[0, 0].tolist() == [done.attended[0, 0, 0], 0]
    assert done.stream[1, 0] == 1


@pytest.mark.parametrize("name", ["numpy", "jax", "torch"])
def test_a_mesh_is_refused(name):
    from construct.execute.devices import mesh

    softened = replace(hand.by_hand(), attention=SOFTMAX)
    with pytest.raises(ConstructError, match="softmax attention runs on one device"):
        prepare(name, softened, mesh=mesh())


@pytest.mark.parametrize("causal", [False, True])
def test_jax_takes_the_queries_in_blocks(causal, monkeypatch):
    from construct.execute import jax_

    rng = np.random.default_rng(0)
    q, k, v = (rng.normal(size=(11, 3)).astype(np.float32) for _ in range(3))
    whole = jax_.softmax_sums(q, k, v, causal)
    monkeypatch.setattr(jax_, "QUERIES", 4)
    monkeypatch.setattr(jax_, "KEYS", 11)
    for one, other in zip(whole, jax_.softmax_sums(q, k, v, causal), strict=True):
        assert one.shape == other.shape
        assert np.allclose(one, other, rtol=0, atol=1e-6)


@pytest.mark.parametrize("design", ["decoder", "encoder"])
def test_nothing_that_jax_holds_grows_with_the_square_of_the_prompt(design, monkeypatch):
    from functools import partial

    import jax
    from test_jax import equations

    from construct import build, random_tasks
    from construct.execute import jax_

    monkeypatch.setattr(jax_, "QUERIES", 64)
    monkeypatch.setattr(jax_, "KEYS", 32)
    made = build(random_tasks(2, 2), m=1023, design=design)
    transformer, sizes = made.transformer, made.sizes
    stacks, weights = jax_.cast(transformer, "float32")
    go = partial(
        jax_.forward,
        stacks=stacks,
        K=sizes.heads,
        N=sizes.N,
        trace=False,
        attention=transformer.attention,
    )
    stream = np.zeros((sizes.N, sizes.D), dtype=np.float32)
    program = jax.make_jaxpr(go)(weights, stream).jaxpr
    largest = max(v.aval.size for e in equations(program) for v in e.outvars)
    assert largest <= 2 * sizes.N * sizes.D
    assert 8 * largest < sizes.N**2


@pytest.mark.parametrize(("name", "dtype"), [pair for pair in ABLE if pair[0] != "exact"])
def test_an_mlp_of_many_units_takes_some_tokens_at_a_time(name, dtype, monkeypatch):
    """Units of the tables of words are a product of words and votes."""
    from construct import Vocabulary, build, lookup
    from construct.execute import jax_, layout, products
    from construct.reading import embedded

    words = Vocabulary([f"w{i}" for i in range(300)])
    table = dict(zip(words.words, words.words[::-1], strict=True))
    made = build([lookup("t", table, vocabulary=words)], m=4, vocabulary=words, design="decoder")
    [stream] = embedded(made, [made.prompt([["w1", "w298"], ["w2", "w3"]], ["w5"])])
    units = made.transformer.layers[-1].mlp.sparse("W_in").shape[1]
    cast = jax_.cast(made.transformer, "float32")[1][-1][1][0]
    assert not isinstance(cast, products.Dense)
    found = []
    for most in (1 << 30, 2 * units, 1):
        for module in (jax_, layout):
            monkeypatch.setattr(module, "UNITS", most)
        jax_._forward.clear_cache()
        found.append(prepare(name, made.transformer, dtype)(stream))
    jax_._forward.clear_cache()
    for other in found[1:]:
        assert np.allclose(found[0].stream, other.stream, rtol=0, atol=1e-5)
    assert found[0].stream[5, :300].argmax() == 294
