"""The sparse executor is the dense one where it computes, and computes O(N) scores."""

from dataclasses import replace

import hand
import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from construct import Domain, Prompt, build, embed, prepare, random_tasks, relu_sum
from construct.answer import read_answer
from construct.execute import sparse
from construct.execute.groups import unit_groups
from construct.network.reach import ALL, EVERY, OWN, Reach
from generators import whole_cases
from hinges import hinge_tasks, labelled


@settings(max_examples=8)  # JAX compiles a program for each
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
        grid = np.zeros((sizes.m + 1, sizes.length, sizes.D), np.float32)
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


@settings(max_examples=8)  # JAX compiles a program for each
@given(
    seed=st.integers(0, 2**32 - 1),
    K=st.integers(2, 6),
    n=st.integers(2, 4),
    slots=st.booleans(),
    alike=st.booleans(),
    more=st.integers(0, 5),
)
def test_scratch_tokens_give_the_streams_votes_and_answers_of_a_dense_pass(
    seed, K, n, slots, alike, more
):
    tasks = hinge_tasks(seed, K, n, several=slots, alike=alike)
    made = build(tasks, m=5, n=n, domain=Domain(3, 400, 1), scratch=1 + more % (K - 1))
    prompt = labelled(made, seed, 4)
    stream = embed(made.transformer, prompt.astype("float64"))
    done, wanted = (
        prepare(name, made.transformer)(stream, trace=True) for name in ("sparse", "numpy")
    )
    assert np.allclose(done.states, wanted.states, rtol=1e-12, atol=1e-9)
    # Before the reciprocals, which round, all is a whole number.
    assert (done.states[:6] == wanted.states[:6]).all()
    assert (done.attended[:6] == wanted.attended[:6]).all()
    one, other = (read_answer(made, x, len(prompt.X)) for x in (done, wanted))
    assert one.votes == other.votes
    assert sum(one.votes) >= 1
    assert np.allclose(one.answer, other.answer, rtol=1e-12)


SEVERAL = [
    Reach((ALL, (2, 0)), (OWN, (1, 0))),
    Reach((ALL, (2, 0)), (OWN, (1, 1))),
    Reach((ALL, (1, 2)), (1, OWN)),
    Reach((1, (0, 2)), (0, (1, 1))),
]


@pytest.mark.parametrize("reach", SEVERAL, ids=str)
def test_several_positions_that_ask_read_one_each(reach):
    model, h = grid_of_three(0)
    head = replace(model.layers[0].heads[0], reach=reach)
    made = replace(model, layers=(replace(model.layers[0], heads=(head,) * 2),))
    done = prepare("sparse", made)(h)
    wanted, after = np.zeros(6), h.copy()
    of = dict(zip(reach.asks[1], by_position(reach), strict=True))
    for e in (0, 1) if reach.asks[0] == ALL else (1,):
        for p, q in of.items():
            i, j = 3 * e + p, 3 * (e if reach.reads[0] == OWN else reach.reads[0]) + q
            wanted[i] = max((h[i] @ head.W_Q) @ (h[j] @ head.W_K), 0)
            after[i] += 2 * wanted[i] / 6 * (h[j] @ head.W_V @ head.W_O)
    assert done.attended[0].tolist() == [wanted.tolist()] * 2
    assert np.allclose(done.stream, after, rtol=1e-12)


def by_position(reach: Reach) -> tuple:
    read = reach.reads[1]
    return reach.asks[1] if read == OWN else read


def grid_of_three(seed: int):
    """Two examples of three positions, whole numbers; an MLP that is idle."""
    rng = np.random.default_rng(seed)
    one, zero = [rng.choice([-2.0, -1, 1, 2], (3, 3)) for _ in range(4)], np.zeros((3, 1))
    model = hand.transformer([([one, one], (zero, zero.T))], N=6)
    sizes = replace(model.sizes, m=1, n=3)
    return replace(model, sizes=sizes), rng.integers(-3, 4, (6, 3)).astype(float)


def test_heads_of_a_position_each_run_side_by_side():
    model, h = grid_of_three(1)
    rng = np.random.default_rng(2)
    heads = tuple(
        replace(
            model.layers[0].heads[0],
            W_Q=rng.choice([-1.0, 2], (3, 3)),
            reach=Reach((ALL, p), (OWN, OWN)),
        )
        for p in (2, 0, 2, 0, 1)
    )
    made = replace(model, layers=(replace(model.layers[0], heads=heads),))
    made = replace(made, sizes=replace(made.sizes, K=5))
    with jax.enable_x64(True):
        [step], _ = sparse.cast(made, "float64")
    # Positions 2 and 0 have two heads each, position 1 has one.
    assert [group.members for group in step.groups] == [((0, 2), (1, 3)), ((4,),)]
    done = prepare("sparse", made)(h)
    for k, (head, p) in enumerate(zip(heads, (2, 0, 2, 0, 1), strict=True)):
        own = np.maximum(np.einsum("nr,nr->n", h @ head.W_Q, h @ head.W_K), 0)
        own[np.arange(6) % 3 != p] = 0
        assert done.attended[0, k].tolist() == own.tolist()


def test_units_act_where_their_part_says_and_read_the_layer_before_any_of_them():
    model, h = grid_of_three(3)
    rng = np.random.default_rng(4)
    counts, places = [2, 1, 3, 1, 2], [(ALL, 2), (ALL, ALL), (ALL, 0), (ALL, 2), (ALL, 1)]
    W_in, W_out = (rng.choice([-1.0, 1, 2], shape) for shape in ((3, 9), (9, 3)))
    mlp = replace(
        model.layers[0].mlp,
        W_in=W_in,
        W_out=W_out,
        parts=tuple(zip(counts, places, strict=True)),
    )
    idle = tuple(replace(head, W_Q=np.zeros((3, 3))) for head in model.layers[0].heads)
    made = replace(model, layers=(replace(model.layers[0], heads=idle, mlp=mlp),))
    fired = np.maximum(h @ W_in, 0)
    of_unit = np.repeat([-1 if p == ALL else p for _, p in places], counts)
    fired[(of_unit >= 0) & (of_unit != np.arange(6)[:, None] % 3)] = 0
    assert prepare("sparse", made)(h).stream.tolist() == (h + fired @ W_out).tolist()
    # 3 units at 2, 3 at 0 and 2 at 1 are filled up to 3.
    groups = {group.acts: [W.shape[1] for W in group.W_in] for group in unit_groups(mlp)}
    assert groups == {(ALL, (2, 0, 1)): [3, 3, 3], (ALL, ALL): [1]}


def test_the_program_is_as_long_for_many_homes_as_for_few():
    def lines(K: int) -> int:
        made = build(hinge_tasks(0, K, 2, alike=True), m=3, domain=Domain(3, 400, 1), scratch=K - 1)
        with jax.enable_x64(True):
            steps, weights = sparse.cast(made.transformer, "float64")
            grid = np.zeros((made.sizes.m + 1, made.sizes.length, made.sizes.D))
            go = jax.jit(lambda w, h: sparse.forward(w, h, steps, made.sizes.N, False))
            return go.lower(weights, grid).as_text().count("\n")

    assert lines(24) == lines(3)
