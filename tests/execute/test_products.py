"""Products in JAX: of both kinds, and as long for many words as for few."""

from functools import partial

import hand
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.extend.core import jaxprs_in_params
from scipy.sparse import csr_array

from construct import affine, build, prepare
from construct.execute import jax_, sparse
from construct.execute.products import ByTerms, Columns, Dense, for_each, product, single, stacked
from construct.execute.weights import rows_of

RNG = np.random.default_rng(0)
SHIFT = csr_array(
    (RNG.choice([-2.0, 1.0], 200), (np.arange(200), RNG.permutation(200))), (300, 200)
)
HUB = SHIFT + csr_array((np.ones(60), (np.arange(60), np.full(60, 7))), (300, 200))
FULL = csr_array(RNG.integers(1, 4, (300, 5)) * 1.0)


@pytest.mark.parametrize(
    ("W", "kind"), [(SHIFT, ByTerms), (HUB, ByTerms), (FULL, Dense), (SHIFT[:, :1], Dense)]
)
def test_a_product_is_that_of_the_matrix_whichever_way_it_is_held(W, kind):
    h = jnp.asarray(RNG.integers(-3, 4, (2, 3, 300)), jnp.float32)
    one, several = single(W, "float32"), stacked([W, -W], "float32")
    assert isinstance(one, kind)
    assert (one.width, several.width) == (W.shape[1],) * 2
    assert product(h, one).tolist() == (np.asarray(h) @ W.toarray()).tolist()
    for i, sign in enumerate((1, -1)):
        part = jax.tree.map(lambda x, i=i: x[i], several)
        assert product(h, part).tolist() == (sign * np.asarray(h) @ W.toarray()).tolist()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_weights_are_put_on_the_device_without_anything_being_compiled(dtype, caplog):
    """Which takes longer than all else, for each new shape."""
    jax.clear_caches()
    with jax.enable_x64(True), jax.log_compiles():
        for several in ([FULL, -FULL], [SHIFT, -SHIFT]):
            for weight in (stacked(several, dtype), for_each(several, dtype)):
                held = weight.W if isinstance(weight, Dense) else weight.weights
                assert (held.dtype, len(held)) == (dtype, 2)
        assert "compil" not in caplog.text.lower()
        jnp.stack([jnp.ones(3), jnp.ones(3)])
        assert "compil" in caplog.text.lower()


@pytest.mark.parametrize("count", [0, 1, 3, 40])
def test_columns_are_read_and_added_to_one_by_one(count):
    found = np.sort(RNG.permutation(100)[:count])
    columns, h = Columns.of(found), RNG.integers(-9, 9, (4, 3, 100)).astype(np.float32)
    assert columns.count == count
    assert (columns.at is None) == (count < 40)
    assert columns.read(jnp.asarray(h)).tolist() == h[..., found].tolist()
    update, wanted = np.ones((4, 1, count), np.float32), h.copy()
    wanted[:, 1:2, found] += update
    added = columns.add(jnp.asarray(h), update, slice(None), slice(1, 2))
    assert added.tolist() == wanted.tolist()


def program(executor, transformer, batch: bool):
    sizes, (static, weights) = transformer.sizes, executor.cast(transformer, "float32")
    keep = {"trace": False, "N": sizes.N}
    if executor is jax_:
        keep |= {"stacks": static, "K": sizes.K}
        shape = (sizes.N, sizes.D)
    else:
        keep |= {"steps": static}
        shape = (sizes.m + 1, sizes.n, sizes.D)
    go = executor.forward_batch if batch else executor.forward
    stream = np.zeros((2,) * batch + shape, np.float32)
    return jax.make_jaxpr(partial(go, **keep))(weights, stream), weights


@pytest.mark.parametrize("batch", [False, True])
@pytest.mark.parametrize("executor", [jax_, sparse])
def test_a_program_is_as_long_for_many_words_as_for_few(executor, batch):
    few, many = (program(executor, hand.words(d), batch) for d in (300, 600))
    assert length(few[0].jaxpr) == length(many[0].jaxpr) > 100
    # Nothing that grows is in it: weights and indices are arguments.
    for closed, _ in (few, many):
        assert sum(np.size(x) for x in closed.consts) < 100


def length(jaxpr) -> int:
    inner = (p for e in jaxpr.eqns for p in jaxprs_in_params(e.params))
    return len(jaxpr.eqns) + sum(map(length, inner))


@pytest.mark.parametrize("executor", [jax_, sparse])
def test_words_are_held_by_terms_and_dense_maps_dense(executor):
    def kinds(transformer) -> set[type]:
        _, weights = program(executor, transformer, False)
        held = jax.tree.leaves(weights, is_leaf=lambda x: isinstance(x, ByTerms | Dense))
        return {(type(x), x.width > 100) for x in held if isinstance(x, ByTerms | Dense)}

    assert (ByTerms, True) in kinds(hand.words(300))
    assert (Dense, True) not in kinds(hand.words(300))
    d = 120
    full = affine("full", (np.arange(d * d).reshape(d, d) % 5 - 7).tolist())
    assert (Dense, True) in kinds(build([full], m=2).transformer)


@pytest.mark.parametrize(("executor", "most"), [(jax_, 1.5), (sparse, 0.5)])
def test_a_pass_holds_one_copy_of_a_stream_of_words(executor, most, monkeypatch):
    """By XLA's own count: what comes out, and beside it what heads read and write."""
    monkeypatch.setattr(sparse.grid, "BLOCK", 4)
    transformer = hand.words(300, m=63)
    sizes, (static, weights) = transformer.sizes, executor.cast(transformer, "float32")
    keep = {"trace": False, "N": sizes.N}
    stream = np.zeros((sizes.N, sizes.D), np.float32)
    if executor is jax_:
        go = partial(jax_.forward, stacks=static, K=sizes.K, **keep)
    else:
        go = partial(sparse.forward, steps=static, **keep)
        stream = stream.reshape(sizes.m + 1, sizes.n, sizes.D)
    memory = jax.jit(go).lower(weights, stream).compile().memory_analysis()
    assert memory.output_size_in_bytes < 1.1 * stream.nbytes
    assert memory.temp_size_in_bytes < most * stream.nbytes


def test_one_program_serves_all_weights_of_its_shape():
    jax_._forward.clear_cache()
    for d in (130, 130, 131):
        transformer = hand.words(d)
        prepare("jax", transformer)(transformer.W_pos)
    assert jax_._forward._cache_size() == 2


def test_rows_that_are_read_are_found():
    assert rows_of([SHIFT, FULL[:3]]).tolist() == list(range(200))
