"""`Cost` says, without building, what is counted here on built transformers."""

import math
from collections.abc import Iterable
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from construct import ConstructError, Domain, affine, build, embed, random_tasks, relu_sum
from construct.certify import choose_margins
from construct.compiler import validate
from construct.cost import Cost
from construct.designs.theorem.square import rounded_squares, rounded_wholes
from construct.execute.numpy_ import prepare
from construct.network.count import Count
from generators import cases, whole_cases


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
        assert {(head.W_Q.shape[1], head.W_V.shape[1]) for head in heads} <= {(one.q, one.v)}
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


@given(cases())
def test_dense_flops_and_memory_are_those_of_the_matrices(case):
    transformer, sizes = case.construction.transformer, case.construction.sizes
    cost, N, D = cost_of(case.construction), sizes.N, sizes.D
    flops, widest = 0, 0
    for layer in transformer.layers:
        for head in layer.heads:
            if nonzeros(head.W_Q):
                shapes = [getattr(head, name).shape for name in head.WEIGHTS]
                flops += sum(2 * N * rows * columns for rows, columns in shapes)
                flops += 2 * N * N * (shapes[1][1] + shapes[2][1])
                widest = max(widest, sum(columns for _, columns in shapes[:3]))
        if not layer.mlp.purpose.startswith("nothing"):
            flops += 2 * N * (math.prod(layer.mlp.W_in.shape) + math.prod(layer.mlp.W_out.shape))
    assert cost.dense_flops == flops
    assert cost.dense_numbers() == N * (D + widest)
    assert cost.dense_numbers(N) == D + widest
    assert cost.sparse_flops < cost.dense_flops
    assert cost.sparse_numbers(3) <= cost.sparse_numbers() <= cost.dense_numbers()


@given(whole_cases())
def test_no_score_beyond_reach_is_positive(case):
    construction, prompt = case.build()
    cost, transformer = cost_of(construction), construction.transformer
    states = prepare(transformer)(embed(transformer, prompt), trace=True).states
    for h, one, layer in zip(states, cost.layers, transformer.layers, strict=False):
        for head in layer.heads:
            positive = (h @ head.W_Q) @ (h @ head.W_K).T > 0
            found = positive.any(axis=1).sum(), positive.any(axis=0).sum(), positive.sum()
            reach = one.asks, one.reads, one.pairs
            assert np.all(found <= np.array(reach))
            if nonzeros(head.W_Q) and layer.name in ("gather", "label", "query", "pool"):
                assert found == reach


def test_a_sparse_pass_by_hand():
    """K = d = m = 1, n = 2: D = 12, T = 4, ell_e = ell_t = 1, and f(x) = x + 3."""
    cost = cost_of(build([affine("plus3", [[1]], [3])], m=1, domain=Domain(8, 16, 1)))
    label = 4 * (2 + 1) + 2 * (3 + 1) + 4 * (2 + 1)
    query = 4 * (2 + 1) + 2 * (3 + 1) + 4 * (2 + 1)
    superpose = 2 * ((3 + 2 + 1) + 2) + 2 * ((3 + 2 + 3) + 3) + 2 * (4 + 2)
    pool = 1 * (3 + 2) + 4 * (1 + 2) + 4 * (1 + 2)
    square = (1 + 1) + (1 + 1) + (1 + 1) + 3
    divide = 4 * (1 + 1) + 1 * (1 + 1) + 4 * (1 + 1)
    assert cost.sparse_flops == 2 * (label + query + superpose + pool + square + divide)
    # The stream of 4 tokens; superpose asks at 2 tokens and reads 2, with q = 4 and v = 2.
    assert cost.sparse_numbers() == 4 * 12 + 2 * 4 + 2 * (4 + 2)
    assert cost.sparse_numbers(2) == 2 * 12 + 1 * 4 + 1 * (4 + 2)
    assert cost.sparse_numbers(100) == 1 * 12 + 1 * 4 + 1 * (4 + 2)


def test_a_sparse_pass_is_linear_in_m_and_a_dense_one_quadratic():
    tasks = random_tasks(3, 4)

    def at(m: int) -> Cost:
        wiring, sizes = validate(tasks, m, 2, None, on_paper=True)
        return Cost.of(sizes, wiring, choose_margins(sizes, wiring, Domain(8, 16, 1)))

    # From 2^40 - 1 examples to twice as many and one there is a bit of address more.
    small, large = at((1 << 40) - 1), at((1 << 41) - 1)
    assert 1.99 < large.sparse_flops / small.sparse_flops < 2.2
    assert 3.99 < large.dense_flops / small.dense_flops < 4.2
