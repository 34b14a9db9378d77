"""The sizes of the weights: width (4+2S)d + 2P + ceil(log2(m+1)) + ceil(log2 n) + 6."""

import math

import numpy as np
import pytest
from hypothesis import given, settings

from construct import (
    absolute,
    add,
    affine,
    build,
    clip,
    maximum,
    random_tasks,
    relu_sum,
    retrieval,
)
from generators import cases, fewest_slots


def width(d: int, m: int, n: int, S: int = 0, P: int = 0) -> int:
    return (4 + 2 * S) * d + 2 * P + math.ceil(math.log2(m + 1)) + math.ceil(math.log2(n)) + 6


def widths(transformer) -> set[int]:
    """The width of the stream, as each weight matrix has it."""
    found = {transformer.W_E.shape[1], transformer.W_pos.shape[1], transformer.W_U.shape[0]}
    for layer in transformer.layers:
        for head in layer.heads:
            found |= {head.W_Q.shape[0], head.W_K.shape[0], head.W_V.shape[0], head.W_O.shape[1]}
        found |= {layer.mlp.W_in.shape[0], layer.mlp.W_out.shape[1]}
    return found


@pytest.mark.parametrize("K", [4, 64])
def test_paper_sizes_give_77_whatever_K_is(K):
    transformer = build(random_tasks(K, 16), m=32, n=2).transformer
    assert widths(transformer) == {77} == {width(16, 32, 2)}


@pytest.mark.parametrize(("K", "wanted"), [(2, 43), (4, 59), (8, 91), (16, 155)])
def test_tasks_with_features_of_their_own_widen_the_stream_with_K(K, wanted):
    """The formula reads K by P: each of K different clips has 2 hinges for each entry.

    With scratch tokens they share the coordinates of one.
    """
    clips = [clip(f"clip{k}", -k, k, d=4) for k in range(1, K + 1)]
    plain = build(clips, m=8, scratch=0).transformer
    assert widths(plain) == {wanted} == {width(4, 8, 2, P=4 * K)}
    assert widths(build(clips, m=8).transformer) == {width(4, 8, 2 + K - 1, P=4)}


def test_width_is_logarithmic_in_m_and_n():
    for m, n in [(1, 2), (3, 2), (4, 3), (7, 5), (8, 9), (100, 17)]:
        assert widths(build(random_tasks(2, 3), m=m, n=n).transformer) == {width(3, m, n)}


@pytest.mark.parametrize(
    ("tasks", "S", "P"),
    [
        ([retrieval("a", 3, d=2), retrieval("b", 1, d=2)], 0, 0),
        ([add("a", [1, 3], d=2)], 1, 0),
        ([add("a", [1, 2], d=2), add("b", [2, 3], d=2)], 1, 0),
        ([add("a", [1, 2], d=2), add("b", [2, 3], d=2), add("c", [1, 3], d=2)], 2, 0),
        ([absolute("a", d=2)], 0, 2),
        ([absolute("a", 1, d=2), absolute("b", 2, d=2)], 0, 2),
        ([maximum("a", [1, 2], d=2), absolute("b", d=2)], 1, 4),
        ([relu_sum("a", [[{"a": [1, 0]}, {"a": [1, 2], "c": 3}]], [[1], [2]])], 0, 1),
    ],
    ids=["no slot", "one", "shared", "two", "features", "shared features", "both", "one feature"],
)
def test_slots_and_features_widen_the_stream_by_their_terms(tasks, S, P):
    assert widths(build(tasks, m=5, n=4, scratch=0).transformer) == {width(2, 5, 4, S, P)}


@settings(max_examples=150)
@given(cases())
def test_every_construction_has_the_sizes_of_the_theorem(case):
    transformer, sizes = case.construction.transformer, case.construction.sizes
    K = len(case.known)
    S = fewest_slots([one.reads for one in case.known], case.shape.n)
    length = case.shape.n + sizes.w
    assert widths(transformer) == {width(case.shape.d, sizes.m, length, S, sizes.P)}
    assert [len(layer.heads) for layer in transformer.layers] == [K] * 7
    assert _busy_heads(transformer) == [S + (sizes.w > 0), 1, 1, K, 1, 1, 1]
    assert all(np.isfinite(tensor).all() for tensor in transformer.tensors().values())


def _busy_heads(transformer) -> list[int]:
    """In each layer the heads whose score and whose output are not both always zero."""
    return [
        sum(all(getattr(head, w).any() for w in head.WEIGHTS) for head in layer.heads)
        for layer in transformer.layers
    ]


def test_features_are_as_many_as_the_tasks_differ_in():
    """P does not grow with tasks that read the features that are there."""
    shared = [relu_sum(f"a{k}", [[{"a": [1, -1]}]], [[k], [1]]) for k in range(1, 9)]
    assert widths(build(shared, m=3).transformer) == {width(2, 3, 2, 0, 1)}


def test_width_does_not_change_with_the_number_of_tasks():
    times = [affine(f"times {k}", [[k, 0], [0, 1]]) for k in range(1, 41)]
    found = [widths(build(times[:K], m=9).transformer) for K in (1, 2, 7, 40)]
    assert found == [{width(2, 9, 2)}] * 4
