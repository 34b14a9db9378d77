"""`Cost` says, without building, what is counted here on built transformers."""

import math
from collections.abc import Iterable
from fractions import Fraction

import jax
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from construct import (
    ConstructError,
    Domain,
    Vocabulary,
    affine,
    build,
    embed,
    lookup,
    memory,
    random_tasks,
    relu_sum,
)
from construct.certify import choose_margins
from construct.compiler import validate
from construct.cost import Cost, work
from construct.designs.theorem.square import rounded_squares, rounded_wholes
from construct.execute import jax_
from construct.execute.numpy_ import prepare
from construct.execute.products import Dense
from construct.execute.sparse import grid, schedule
from construct.network.count import Count
from construct.network.reach import EVERY, Reach
from generators import cases, whole_cases
from hinges import hinge_tasks
from share import tried


def counted(tensors: Iterable) -> tuple[int, int]:
    """All entries and non-zero entries of weights, dense or sparse."""
    tensors = list(tensors)
    size = sum(math.prod(tensor.shape) for tensor in tensors)
    return size, sum(int((tensor != 0).sum()) for tensor in tensors)


def nonzeros(tensor) -> int:
    return counted([tensor])[1]


def cost_of(made) -> Cost:
    return Cost.of(made.sizes, made.wiring, made.margins)


def assert_counts(made) -> None:
    cost, transformer = cost_of(made), made.transformer
    size, busy = counted(transformer.tensors().values())
    assert (cost.parameters, cost.entries.nonzeros) == (size, busy)
    exact = sum(len(entries) for _, part in transformer.parts() for entries in part.exact.values())
    assert cost.entries.rounded == exact
    assert cost.dense_bytes == 8 * size
    assert cost.artifact_bytes == 16 * busy + 24 * exact
    places = transformer.W_E, transformer.W_pos, transformer.W_U
    assert cost.places == Count(counted(places)[1])
    for one, layer in zip(cost.layers, transformer.layers, strict=True):
        heads = [head for head in layer.heads if nonzeros(head.W_Q)]
        assert len(heads) == one.heads
        reaches = [head.reach.counts(made.sizes.m, made.sizes.length) for head in heads]
        assert list(one.reaches) == reaches
        for name in ("W_Q", "W_K", "W_V", "W_O"):
            entries = [getattr(head, name) for head in heads]
            assert one.weights[name].nonzeros == counted(entries)[1]
            rounded = sum(len(head.exact.get(name, ())) for head in heads)
            assert one.weights[name].rounded == rounded
        assert one.mlp.nonzeros == counted([layer.mlp.W_in, layer.mlp.W_out])[1]
        assert one.mlp.rounded == sum(map(len, layer.mlp.exact.values()))


@given(whole_cases())
def test_counts_are_those_of_whole_numbered_constructions(case):
    assert_counts(case.build()[0])


@given(cases())
def test_counts_are_those_of_constructions_with_fractions(case):
    assert_counts(case.construction)


@pytest.mark.parametrize(
    ("K", "d", "m", "n"), [(1, 1, 1, 2), (4, 16, 32, 2), (3, 5, 63, 4), (9, 2, 64, 5)]
)
def test_counts_are_those_of_random_tasks(K, d, m, n):
    assert_counts(build(random_tasks(K, d), m=m, n=n))


TINY = Fraction(1, 2**1074)
ZERO = {"a": [0, 0]}
# B = 1/delta^2 is less than float64 holds.
FAR = Domain(8, 32, 2**540)
SMALL = Domain(Fraction(1, 2), 1, Fraction(1, 64))


@pytest.mark.parametrize(
    "task",
    [
        affine("nothing", [[0, 0], [0, 0]]),
        affine("underflows", [[TINY / 2**60, TINY], [3 * TINY / 4, Fraction(1, 3**640)]]),
        affine("underflows only with B", [[TINY, 3 * TINY], [1, 0]], [5 * TINY, 0]),
        affine("53 bits and 54", [[2**53 - 1, 2**53 + 1], [2**54 + 2, 2**54 + 4]]),
        relu_sum("no hinge", [[], []], [[1, 2], [3, 0]]),
        relu_sum("no sum", [[ZERO], [{**ZERO, "c": 0}]], [[0, 0], [0, 0]]),
        relu_sum("cancels", [[{"a": [1, 2]}], [{"a": [1, 2]}]], [[1, -1], [2, "1/3"]]),
        relu_sum("thirds", [[{"a": ["1/3", 0], "e": "1/5", "c": "1/7"}]], [["1/3"], [1]]),
    ],
    ids=lambda task: task.name,
)
@pytest.mark.parametrize("domain", [None, Domain(2**40, 2**40, 16), FAR, SMALL])
def test_counts_of_entries_that_vanish_or_are_rounded(task, domain):
    assert_counts(build([task], m=5, domain=domain))


def test_a_weight_beyond_float64_is_refused_as_by_build():
    task = affine("large", [[2**1020]])
    wiring, sizes = validate([task], 32, 2, None)
    margins = choose_margins(sizes, wiring, Domain(1, 1, 1))
    with pytest.raises(ConstructError, match="range of float64"):
        Cost.of(sizes, wiring, margins)
    with pytest.raises(ConstructError, match="range of float64"):
        build([task], m=32, domain=Domain(1, 1, 1))


def test_heads_that_do_not_fit_in_memory_are_refused_with_their_bytes(monkeypatch):
    wiring, sizes = validate(random_tasks(2, 40), 3, 2, None, on_paper=True)
    margins = choose_margins(sizes, wiring, Domain(8, 16, 1))
    superpose = sum(
        count.nonzeros for count in Cost.of(sizes, wiring, margins).layers[3].weights.values()
    )
    monkeypatch.setattr(memory, "memory", lambda: 64 * superpose)
    Cost.of(sizes, wiring, margins)
    monkeypatch.setattr(memory, "memory", lambda: 64 * superpose - 1)
    with pytest.raises(ConstructError, match=f"'superpose' would take {superpose:,} .*K or d"):
        Cost.of(sizes, wiring, margins)


wholes = st.integers(2, 1 << 90) | st.tuples(st.integers(2, 90), st.integers(-3, 3)).map(
    lambda power: max(2, (1 << power[0]) + power[1])
)


@given(wholes | st.integers(0, 40).map(lambda a: math.isqrt(1 << (54 + a)) + a % 3))
def test_the_table_counts_what_float64_rounds(v):
    square, whole = 1 - v**2, 2 * v
    assert rounded_squares(v) - rounded_squares(v - 1) == (float(square) != square)
    assert rounded_wholes(v) - rounded_wholes(v - 1) == (float(whole) != whole)


@given(st.integers(1, 3000), st.integers(2, 12))
def test_the_table_counts_what_p_bits_do_not_hold(M, p):
    def bits(x: int) -> int:
        return (x // (x & -x)).bit_length() if x else 0

    assert rounded_squares(M, p) == sum(bits(v**2 - 1) > p for v in range(1, M + 1))
    assert rounded_wholes(M, p) == sum(bits(v) > p for v in range(1, M + 1))


def of_one_token(*weights, several: int = 1) -> tuple[int, int]:
    """What prepared weights take of a token: terms gathered, and entries of dense rows.

    Args:
        several: tokens that have a weight each, one beside the other.
    """
    terms = dense = 0
    for W in weights:
        if isinstance(W, Dense):
            dense += W.W.size
        elif W is not None:
            terms += W.at.size + sum(at.size for at, _ in W.tree)
            terms += 0 if W.where is None else W.where.size
    assert terms % several == dense % several == 0
    return terms // several, dense // several


def assert_dense_work(made) -> None:
    cost, N, D = cost_of(made), made.sizes.N, made.sizes.D
    terms = dense = widest = 0
    with jax.enable_x64(True):
        numbers, prepared = jax_.cast(made.transformer, "float64")
    for (groups, mlp), stacks in zip(prepared, numbers, strict=True):
        for (weights, writes), members in zip(groups, stacks, strict=True):
            gathered, entries = of_one_token(*weights)
            r, c = weights[0].width, weights[2].width
            scores = len(members) * N * (r + c + (N**2 > jax_.QUERIES * jax_.KEYS))
            terms, dense = terms + N * gathered, dense + N * (entries + scores)
            copies = 1 + (N**2 > jax_.QUERIES * jax_.KEYS)
            widest = max(widest, copies * (2 * r + c) + writes.count)
        if mlp is not None:
            W_in, W_out, writes = mlp
            gathered, entries = of_one_token(W_in, W_out)
            terms, dense = terms + N * gathered, dense + N * entries
            widest = max(widest, writes.count + (W_in.width if gathered else 0))
    assert (cost.dense.terms, cost.dense.dense) == (terms, dense)
    assert cost.dense_flops == 2 * (terms + dense)
    assert cost.dense_numbers() == N * (D + widest)
    assert cost.dense_numbers(N) == D + widest


def assert_sparse_work(made) -> None:
    cost, sizes = cost_of(made), made.sizes
    terms = dense = 0
    with jax.enable_x64(True):
        steps, prepared = schedule.cast(made.transformer, "float64")
    for step, (heads, mlp) in zip(steps, prepared, strict=True):
        for group, weights in zip(step.groups, heads, strict=True):
            asks, reads, pairs = group.reach.counts(sizes.m, sizes.length)
            width = weights.W_K.width + weights.V.width
            asked, read = [weights.W_Q, weights.W_O], [weights.W_K, weights.V]
            if group.reach.reads != EVERY:
                terms += pairs * width
            elif group.selects:
                asked, read = asked + read, []
                dense += 2 * pairs * group.heads * sizes.D
            else:
                dense += pairs * width
            for tokens, some in ((asks, asked), (reads, read)):
                gathered, entries = of_one_token(*some, several=len(group.members))
                terms, dense = terms + tokens * gathered, dense + tokens * entries
        for tokens, units in zip(step.acts, mlp, strict=True):
            acts = Reach(tokens, EVERY).counts(sizes.m, sizes.length)[0]
            several = len(tokens[1]) if isinstance(tokens[1], tuple) else 1
            gathered, entries = of_one_token(units.W_in, units.W_out, several=several)
            terms, dense = terms + acts * gathered, dense + acts * entries
    assert (cost.sparse.terms, cost.sparse.dense) == (terms, dense)
    assert cost.sparse_numbers(3) <= cost.sparse_numbers()


@given(cases())
def test_a_pass_is_counted_as_the_executors_prepare_it(case):
    assert_dense_work(case.construction)
    assert_sparse_work(case.construction)


@tried(20)
@given(
    seed=st.integers(0, 2**32 - 1), K=st.integers(2, 6), n=st.integers(2, 4), slots=st.booleans()
)
def test_scratch_tokens_are_counted_as_they_are_built_and_prepared(seed, K, n, slots):
    tasks = hinge_tasks(seed, K, n, several=slots)
    made = build(tasks, m=3, n=n, domain=Domain(3, 400, 1), scratch=1 + seed % K)
    assert_counts(made)
    assert_dense_work(made)
    assert_sparse_work(made)
    # Each hinge is evaluated at its home alone, in each example, for it and for the query.
    [query] = (x for x in cost_of(made).layers if x.units and x.acts != x.units)
    hinges = sum(map(len, made.wiring.dictionary))
    assert (query.units, query.acts) == (2 * hinges, 2 * hinges * (made.sizes.m + 1))


def one_hot(d: int, pairs: int) -> list:
    rng = np.random.default_rng(0)
    names = [f"w{i}" for i in range(d)]
    keys = [names[i] for i in rng.permutation(d)[:pairs]]
    # Some words are the value of many: their columns are summed in a tree.
    values = [names[i] for i in rng.integers(0, max(1, d // 9), pairs)]
    table = dict(zip(keys, values, strict=True))
    inverse = dict(zip(keys, reversed(values), strict=True))
    words = Vocabulary(names)
    return [lookup(name, t, vocabulary=words) for name, t in (("a", table), ("b", inverse))]


@pytest.mark.parametrize(("d", "pairs", "m"), [(200, 90, 3), (700, 650, 2), (300, 20, 600)])
def test_words_are_counted_by_their_terms_as_the_executors_prepare_them(d, pairs, m):
    made = build(one_hot(d, pairs), m=m, domain=Domain(1, 1, 1))
    assert cost_of(made).dense.terms
    assert_dense_work(made)
    assert_sparse_work(made)


def test_the_blocks_are_those_of_the_executors():
    assert jax_.QUERIES * jax_.KEYS == work.SCORES
    assert grid.NUMBERS == work.NUMBERS


@given(whole_cases())
def test_no_score_beyond_reach_is_positive(case):
    construction, prompt = case.build()
    cost, transformer = cost_of(construction), construction.transformer
    states = prepare(transformer)(embed(transformer, prompt), trace=True).states
    for h, one, layer in zip(states, cost.layers, transformer.layers, strict=False):
        busy = [head for head in layer.heads if nonzeros(head.W_Q)]
        for head, reach in zip(busy, one.reaches, strict=True):
            positive = (h @ head.W_Q) @ (h @ head.W_K).T > 0
            found = positive.any(axis=1).sum(), positive.any(axis=0).sum(), positive.sum()
            assert np.all(found <= np.array(reach))
            if layer.name in ("gather", "label", "query", "pool"):
                assert found == reach


def test_a_sparse_pass_by_hand():
    """K = d = m = 1, n = 2: D = 12, T = 4, ell_e = ell_t = 1, and f(x) = x + 3."""
    cost = cost_of(build([affine("plus3", [[1]], [3])], m=1, domain=Domain(8, 16, 1)))
    # W_Q at the tokens that ask, W_K and V (what W_V and W_O make together) at those that are
    # read, as dense matrices of the rows that are not 0 in one of W_Q and W_K, or in V; then
    # scores and values.
    label = 4 * 3 * 2 + 2 * (3 * 2 + 1) + 4 * (2 + 1)
    query = 4 * 3 * 2 + 2 * (3 * 2 + 1) + 4 * (2 + 1)
    superpose = 2 * 6 * 4 + 2 * (6 * 4 + 2 * 2) + 2 * (4 + 2)
    # The weights go to the one token that asks: all tokens of width 12, twice.
    pool = 3 + (3 + 2 * 2) + 2 * 4 * 12
    square = 1 + (1 + 1) + (1 + 1) + (2 + 1)
    divide = 4 * 2 + 1 * (2 + 1) + 4 * (1 + 1)
    assert cost.sparse_flops == 2 * (label + query + superpose + pool + square + divide)
    # The stream of 4 tokens; queries, keys and values of 4 numbers for an example.
    assert cost.sparse_numbers() == 4 * 12 + 3 * 2 * 4
    assert cost.sparse_numbers(2) == 2 * 12 + 3 * 4
    assert cost.sparse_numbers(100) == 2 * 12 + 3 * 4


def test_a_sparse_pass_is_linear_in_m_and_a_dense_one_quadratic():
    tasks = random_tasks(3, 4)

    def at(m: int) -> Cost:
        wiring, sizes = validate(tasks, m, 2, None, on_paper=True)
        return Cost.of(sizes, wiring, choose_margins(sizes, wiring, Domain(8, 16, 1)))

    # From 2^40 - 1 examples to twice as many and one there is a bit of address more.
    small, large = at((1 << 40) - 1), at((1 << 41) - 1)
    assert 1.99 < large.sparse_flops / small.sparse_flops < 2.2
    assert 3.99 < large.dense_flops / small.dense_flops < 4.2
