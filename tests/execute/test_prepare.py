import sys
import tracemalloc
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import hand
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from construct import ConstructError, Head, Prompt, embed, prepare, unembed
from construct.execute.objects import not_zero
from construct.execute.registry import EXECUTORS
from definitions import forward
from share import tried

FORMATS = [(name, dtype) for name, executor in EXECUTORS.items() for dtype in executor.formats]


@pytest.mark.parametrize(("name", "dtype"), FORMATS)
def test_every_executor_gives_what_was_worked_by_hand(name, dtype):
    done = prepare(name, hand.by_hand(), dtype)(hand.STREAM)
    assert done.stream.tolist() == hand.AFTER
    assert done.attended.tolist() == hand.ATTENDED
    assert done.states is None


@tried(15)
@pytest.mark.parametrize(("name", "dtype"), [f for f in FORMATS if f[1] != "float32"])
@given(seed=st.integers(0, 2**32 - 1))
def test_every_executor_is_the_definition_token_by_token(name, dtype, seed):
    model, batch = hand.random(seed)
    done = prepare(name, model, dtype)(batch, trace=True)
    for b, stream in enumerate(batch):
        states, attended = hand.definition(model, stream)
        # The numbers are dyadic and small: float64 holds them exactly.
        assert done.states[:, b].tolist() == states
        assert done.stream[b].tolist() == states[-1]
        assert done.attended[b].tolist() == attended


@tried(4)
@pytest.mark.parametrize(("name", "dtype"), [f for f in FORMATS if f[1] != "float32"])
@given(seed=st.integers(0, 2**32 - 1))
def test_weights_that_are_mostly_empty_give_the_same(name, dtype, seed):
    model, batch = hand.mostly_empty(seed)
    done = prepare(name, model, dtype)(batch, trace=True)
    states, attended = forward(model, batch)
    # Whole numbers and quarters: float64 holds them, and the reference is exact.
    assert np.abs(states).max() < 2**40
    assert done.states.tolist() == states.tolist()
    assert done.stream.tolist() == states[-1].tolist()
    assert done.attended.tolist() == attended.tolist()


@pytest.mark.parametrize(("name", "dtype"), FORMATS)
def test_the_array_that_is_given_is_not_written_to(name, dtype):
    model, batch = hand.mostly_empty(0)
    given = batch.astype(int).astype(object) if dtype == "exact" else batch.astype(dtype)
    given.flags.writeable = False
    run = prepare(name, model, dtype)
    for stream in (given, given[0]):
        done = run(stream)
        assert not np.shares_memory(done.stream, given)
        assert done.stream.shape == stream.shape
    assert (given == batch).all()


@pytest.mark.parametrize(("name", "dtype"), FORMATS)
def test_parts_that_are_not_0_and_add_0_to_everything_are_run(name, dtype):
    """Queries and keys of other columns, units that write nothing: nothing is left to multiply."""
    one, other, square = np.array([[1.0, 0], [0, 0]]), np.array([[0, 1.0], [0, 0]]), np.eye(2)
    model = hand.transformer([([(one, other, square, square)], (one, other.T))])
    done = prepare(name, model, dtype)(hand.STREAM)
    assert done.stream.tolist() == hand.STREAM.tolist()
    assert done.attended.tolist() == [[[0, 0]]]


@pytest.mark.parametrize("name", ["numpy", "exact"])
def test_a_pass_holds_one_copy_of_a_stream_of_words(name):
    """And what a head reads, scores and writes, each a quarter of the stream."""
    d, dtype = 300, EXECUTORS[name].formats[0]
    transformer = hand.words(d, m=31)
    eye = np.eye(d, dtype=int).astype(object)
    # The table that is one to one: word i gives word 7 i + 1.
    images = [(7 * i + 1) % d for i in range(50, 82)]
    prompt = Prompt(eye[50:81, None], eye[images[:31]], eye[81:82]).astype(dtype)
    stream, run = embed(transformer, prompt), prepare(name, transformer, dtype)
    run(stream)
    tracemalloc.start()
    try:
        done = run(stream)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert unembed(transformer, done.stream).tolist() == eye[images[31]].tolist()
    assert stream.nbytes <= peak < 2.5 * stream.nbytes


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_stream_of_rationals_is_rounded_once(dtype):
    large = Fraction(2**55 + 1, 2**25)  # two bits more than float64 holds
    stream = np.array([[Fraction(1, 3), 0], [large, -1]], dtype=object)
    done = prepare("numpy", hand.by_hand(), dtype)(stream, trace=True)
    wanted = np.array([[1 / 3, 0], [float(large), -1]]).astype(dtype)
    assert done.states[0].tolist() == wanted.tolist()


@pytest.mark.parametrize("odd", [0.0, False, "", None, Decimal(0)], ids=repr)
def test_an_entry_that_only_looks_like_0_is_refused(odd):
    stream = np.full((2, 2), 0, dtype=object)
    stream[1, 0] = odd
    for name in ("numpy", "exact"):
        with pytest.raises(ConstructError, match="not finite real numbers"):
            prepare(name, hand.by_hand(), EXECUTORS[name].formats[0])(stream)


def test_zeros_of_every_kind_are_looked_at_or_are_the_one_zero():
    array = np.full((3, 4), 0, dtype=object)
    array[0, 1], array[1, 2], array[2, 3] = False, Fraction(0), 5
    for some in (array, array.T, array[:, 1:], array[:0]):
        at, entries = not_zero(some)
        assert [some.flat[i] for i in at.tolist()] == entries.tolist()
        others = np.delete(np.arange(some.size), at)
        assert all(type(some.flat[i]) is int and some.flat[i] == 0 for i in others)


ODD = [1e-30, -1e-30, 1 / 3, -2 / 3, 2.0**-20, -1e6]


@pytest.mark.parametrize("name", [name for name, dtype in FORMATS if dtype == "float64"])
def test_tiny_negative_and_rounded_weights_are_multiplied_as_they_are(name):
    model, batch = hand.mostly_empty(1)
    rng = np.random.default_rng(0)
    layers = tuple(
        replace(layer, heads=tuple(odd(h, rng) for h in layer.heads)) for layer in model.layers[:1]
    )
    model = replace(model, layers=layers)
    states, attended = forward(model, batch)
    done = prepare(name, model)(batch, trace=True)
    # Sums of some hundred products of three weights, in any order.
    most = 1e-12 * np.abs(states[-1]).max()
    assert np.allclose(done.stream, states[-1], rtol=1e-12, atol=most)
    assert np.allclose(done.attended, attended, rtol=1e-12, atol=1e-12 * np.abs(attended).max())


def odd(head: Head, rng: np.random.Generator) -> Head:
    weights = {name: head.sparse(name).copy() for name in ("W_Q", "W_K", "W_V")}
    for name, W in weights.items():
        weights[name] = csr_array((rng.choice(ODD, W.nnz), W.indices, W.indptr), W.shape)
    return replace(head, **weights)


@pytest.mark.parametrize(("name", "dtype"), FORMATS)
def test_a_batch_is_run_stream_by_stream(name, dtype):
    model, batch = hand.random(0)
    run = prepare(name, model, dtype)
    together, apart = run(batch), [run(stream) for stream in batch]
    assert together.stream.tolist() == [one.stream.tolist() for one in apart]
    assert together.attended.tolist() == [one.attended.tolist() for one in apart]


@pytest.mark.parametrize(("name", "dtype"), FORMATS)
def test_trace_holds_the_stream_before_layer_1_and_after_each_layer(name, dtype):
    model, batch = hand.random(0)  # the programs that are compiled already
    run = prepare(name, model, dtype)
    for stream in (batch, batch[0]):
        done = run(stream, trace=True)
        assert done.states.shape == (len(model.layers) + 1, *stream.shape)
        assert done.states[0].tolist() == stream.tolist()
        assert done.states[-1].tolist() == done.stream.tolist()
        assert done.stream.tolist() == run(stream).stream.tolist()


@pytest.mark.parametrize(("name", "dtype"), FORMATS)
def test_a_run_changes_neither_its_input_nor_the_weights(name, dtype):
    model, batch = hand.random(0)  # the programs that are compiled already
    stream, weights = batch.copy(), {n: w.copy() for n, w in model.tensors().items()}
    prepare(name, model, dtype)(batch)
    assert (batch == stream).all()
    assert all((w == weights[n]).all() for n, w in model.tensors().items())


@pytest.mark.parametrize(("name", "dtype"), [f for f in FORMATS if f[1] != "exact"])
def test_a_float_executor_computes_in_the_format_asked_for(name, dtype):
    done = prepare(name, hand.by_hand(), dtype)(hand.STREAM, trace=True)
    assert {done.stream.dtype, done.attended.dtype, done.states.dtype} == {np.dtype(dtype)}


def test_an_unknown_executor_is_answered_with_the_known_ones():
    with pytest.raises(
        ConstructError, match="no executor 'tpu'; choose one of: numpy, jax, sparse, torch, exact"
    ):
        prepare("tpu", hand.by_hand())


@pytest.mark.parametrize("dtype", ["bfloat16", "int64", "exact", ""])
def test_a_format_that_an_executor_lacks_is_answered_with_those_that_it_has(dtype):
    with pytest.raises(ConstructError, match=r"has no format .*; choose one of: float64, float32"):
        prepare("numpy", hand.by_hand(), dtype)


def test_the_exact_executor_takes_no_float_format():
    with pytest.raises(ConstructError, match="choose one of: exact"):
        prepare("exact", hand.by_hand(), "float64")


GOOD = [[1, Fraction(1, 2)], [3, -1]]
EXACT = np.array(GOOD, dtype=object)


def odd_streams() -> dict:
    """What is no stream of `hand.by_hand()`, whose context is (2, 2)."""
    good = hand.STREAM
    return {
        "narrow": good[:, 1:],
        "wide": np.hstack([good, good]),
        "short": good[1:],
        "long": np.vstack([good, good]),
        "one token": good[0],
        "one number": 1.0,
        "no stream": good[None][:0],
        "a batch of batches": good[None, None],
        "nothing": None,
        "no list": {},
        "ragged": [[1, 2], [3]],
        "texts": [["1", "2"], ["3", "4"]],
        "texts as objects": np.array([["1", 2], [3, 4]], dtype=object),
        "floats as objects": np.array([[1.5, 2], [3, 4]], dtype=object),
        "truth values": good > 0,
        "complex": good + 1j,
        "extended": good.astype(np.longdouble),
        "NaN": good * np.nan,
        "infinity": good * np.inf,
    }


@pytest.mark.parametrize(("name", "dtype"), FORMATS)
@pytest.mark.parametrize("odd", odd_streams())
def test_a_stream_of_another_shape_or_of_no_real_numbers_is_refused(name, dtype, odd):
    with pytest.raises(ConstructError, match=r"(a|the) stream .*(takes|must have|give)"):
        prepare(name, hand.by_hand(), dtype)(odd_streams()[odd])


def given_as(kind: str) -> object:
    """A stream of whole numbers and halves, in other numbers."""
    whole = np.array([[1, 2], [3, -1]])
    return {
        "lists": [[1, 2.0], [3, -1]],
        "exact lists": EXACT.tolist(),
        "exact": EXACT,
        "int8": whole.astype(np.int8),
        "uint64": abs(whole).astype(np.uint64),
        "float32": hand.STREAM.astype(np.float32),
        "float16": hand.STREAM.astype(np.float16),
    }[kind]


@pytest.mark.parametrize(("name", "dtype"), FORMATS)
@pytest.mark.parametrize(
    "kind", ["lists", "exact lists", "exact", "int8", "uint64", "float32", "float16"]
)
def test_a_stream_may_hold_any_real_numbers(name, dtype, kind):
    stream = given_as(kind)
    run = prepare(name, hand.by_hand(), dtype)
    # Halves and small whole numbers: each format holds all that comes up.
    wanted = run(np.array(stream, dtype=np.float64))
    assert run(stream).stream.tolist() == wanted.stream.tolist()
    assert run(stream).attended.tolist() == wanted.attended.tolist()


def test_large_whole_numbers_reach_the_exact_executor_as_they_are():
    stream = np.array([[2**53 + 1, 0], [0, 0]])
    done = prepare("exact", hand.by_hand(), "exact")(stream, trace=True)
    assert done.states[0].tolist() == stream.tolist()


@pytest.mark.parametrize("mesh", [1, "batch", [], {}])
def test_what_is_no_mesh_is_refused(mesh):
    with pytest.raises(ConstructError, match=r"make one with construct.execute.devices.mesh"):
        prepare("jax", hand.by_hand(), "float64", mesh)


@pytest.mark.parametrize("name", EXECUTORS)
def test_a_missing_package_is_named(name, monkeypatch):
    executor = EXECUTORS[name]
    monkeypatch.setitem(sys.modules, executor.module, None)
    with pytest.raises(ConstructError, match=f"not installed: pip install '{executor.package}'"):
        prepare(name, hand.by_hand(), executor.formats[0])


FAULTS = [
    ImportError("libfine.so.7: cannot open shared object file"),
    OSError("wrong ELF class"),
    AttributeError("module 'numpy' has no attribute 'float_'"),
    RuntimeError("compiled for another\nversion."),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
@pytest.mark.parametrize("name", EXECUTORS)
def test_a_package_that_fails_to_load_is_named_with_the_reason(name, fault, monkeypatch):
    executor = EXECUTORS[name]

    class Broken:
        def find_spec(self, wanted, path=None, target=None):
            if wanted == executor.module:
                raise fault

    monkeypatch.delitem(sys.modules, executor.module, raising=False)
    monkeypatch.setattr(sys, "meta_path", [Broken(), *sys.meta_path])
    with pytest.raises(ConstructError) as error:
        prepare(name, hand.by_hand(), executor.formats[0])
    reason = " ".join(f"{type(fault).__name__}: {fault}".split()).rstrip(".")
    assert str(error.value) == (
        f"the executor {name!r} needs the package {executor.package!r}, which fails to load "
        f"({reason}); install it anew."
    )
