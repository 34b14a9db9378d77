"""What is counted on paper of a softmax design is what is counted here on one that is built."""

import math

import jax
import pytest
from hypothesis import given

from construct import ConstructError, Vocabulary, build, lookup, memory, random_tasks
from construct.compiler.softmax import on_paper
from construct.cost import softmax, work
from construct.cost.softmax import cost_of
from construct.execute import jax_, weights
from softmax.cases import vector_cases, word_cases
from test_cost import counted, of_one_token


def assert_counts(made) -> None:
    cost, transformer = cost_of(made.softmax, made.plan), made.transformer
    size, busy = counted(transformer.tensors().values())
    assert (cost.parameters, cost.entries.nonzeros) == (size, busy)
    exact = sum(len(entries) for _, part in transformer.parts() for entries in part.exact.values())
    assert cost.entries.rounded == exact
    places = transformer.W_E, transformer.W_pos, transformer.W_U
    assert (cost.outer, cost.places.nonzeros) == counted(places)
    for one, layer in zip(cost.layers, transformer.layers, strict=True):
        heads = [head for head in layer.heads if not head.idle]
        assert len(heads) == one.heads
        for name in ("W_Q", "W_K", "W_V", "W_O"):
            found = counted(head.sparse(name) for head in heads)[1]
            assert one.weights[name].nonzeros == found
        assert one.mlp.nonzeros == counted([layer.mlp.W_in, layer.mlp.W_out])[1]
        # One whose hinges have the factor 0 has units, and is idle.
        assert one.units == layer.mlp.sparse("W_in").shape[1] or layer.mlp.idle


def assert_work(made) -> None:
    """What JAX holds is what is multiplied: terms that are gathered, dense entries, scores."""
    cost, N = cost_of(made.softmax, made.plan), made.sizes.N
    terms = dense = powers = 0
    with jax.enable_x64(True):
        numbers, prepared = jax_.cast(made.transformer, "float64")
    for (groups, mlp), stacks in zip(prepared, numbers, strict=True):
        for (some, _), members in zip(groups, stacks, strict=True):
            gathered, entries = of_one_token(*some)
            scores = len(members) * N * (some[0].width + some[2].width)
            terms, dense = terms + N * gathered, dense + N * (entries + scores)
            powers += len(members) * N**2
        if mlp is not None:
            gathered, entries = of_one_token(*mlp[:2])
            terms, dense = terms + N * gathered, dense + N * entries
    assert (cost.dense.terms, cost.dense.dense, cost.dense.powers) == (terms, dense, powers)


@given(word_cases())
def test_a_decoder_of_words_is_counted_as_it_is_built_and_prepared(case):
    made = case.build()
    assert_counts(made)
    assert_work(made)


@pytest.mark.parametrize("design", ["decoder", "encoder"])
def test_designs_on_vectors_are_counted_as_they_are_built_and_prepared(design):
    @given(vector_cases(design))
    def counts(case):
        made = case[0].construction
        assert_counts(made)
        assert_work(made)

    counts()


def words(d: int, m: int, K: int = 2, design: str = "decoder"):
    listed = [f"w{i}" for i in range(d)]
    vocabulary = Vocabulary(listed)
    turned = [listed[k + 1 :] + listed[: k + 1] for k in range(K)]
    tables = [dict(zip(listed, one, strict=True)) for one in turned]
    tasks = [lookup(f"t{k}", table, vocabulary=vocabulary) for k, table in enumerate(tables)]
    return build(tasks, m=m, vocabulary=vocabulary, design=design)


@pytest.mark.parametrize("m", [1, 2, 63, 64, 65, 300])
def test_long_tables_are_counted_by_their_values(m):
    for made in (
        words(5, m),
        build(random_tasks(3, 2), m=m, design="decoder"),
        build(random_tasks(3, 2), m=m, design="encoder"),
    ):
        assert_counts(made)
        assert_work(made)


@pytest.mark.parametrize("d", [7, 400])
def test_a_table_that_is_too_large_to_look_at_is_counted_in_proportion(d, monkeypatch):
    """Whether its weights are held dense or by their non-zeros."""
    made = words(d, 40)
    whole = cost_of(made.softmax, made.plan)
    assert bool(whole.dense.terms) == (d > 7)
    monkeypatch.setattr(softmax, "MOST_ENTRIES", 20 * d)
    some = cost_of(made.softmax, made.plan)
    assert (some.entries, some.parameters) == (whole.entries, whole.parameters)
    assert some.dense_flops == pytest.approx(whole.dense_flops, rel=0.05)
    assert some.dense_flops != whole.dense_flops or d == 7


def test_memory_of_a_pass_does_not_grow_with_the_square_of_the_prompt():
    def numbers(m: int) -> int:
        tasks = random_tasks(3, 4)
        design, plan, _ = on_paper("decoder", tasks, m, None, tasks, None, None, None)
        return cost_of(design, plan).dense_numbers()

    assert 1.9 < numbers(1 << 41) / numbers(1 << 40) < 2.1
    assert jax_.QUERIES * jax_.KEYS == work.SCORES
    assert work.UNITS == weights.UNITS == jax_.UNITS


@pytest.mark.parametrize("design", ["decoder", "encoder"])
def test_any_number_of_examples_is_counted(design):
    tasks = random_tasks(2, 3)
    small, large = (
        cost_of(*on_paper(design, tasks, m, None, tasks, None, None, None)[:2])
        for m in ((1 << 60) - 1, (1 << 61) - 1)
    )
    # There is a bit of address more.
    assert 2 < large.entries.nonzeros / small.entries.nonzeros < 2.2
    assert 3.9 < large.dense_flops / small.dense_flops < 4.2
    assert math.log2(large.parameters) > 61


@pytest.mark.parametrize("design", ["decoder", "encoder"])
def test_a_build_of_too_many_examples_is_refused_before_anything_is_made(design):
    with pytest.raises(ConstructError, match=r"m = 1000000000000, n = 2 would take .* bytes"):
        build(random_tasks(4, 4), m=10**12, design=design)


def test_heads_that_do_not_fit_in_memory_are_refused(monkeypatch):
    made = words(9, 3)
    monkeypatch.setattr(memory, "memory", lambda: 64)
    with pytest.raises(ConstructError, match="the heads of block 'match' would take"):
        cost_of(made.softmax, made.plan)
