"""What is counted before any pass: which weights are held by their non-zeros, and how."""

from itertools import pairwise

import hand
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from construct import Head
from construct.execute.weights import (
    AT_ONCE,
    Heads,
    Terms,
    columns_of,
    mostly_empty,
    nonzeros,
    places,
    rows_of,
    runs,
    units,
)


def sums(h: np.ndarray, at: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return (h[:, at] * weights).sum(axis=-1)


def product(h: np.ndarray, terms: Terms, i: int) -> np.ndarray:
    """h times the i-th weight, as `Terms` has it."""
    first, above = sums(h, terms.at[i], terms.weights[i]), h
    for at, weights in terms.tree:
        above = sums(above, at[i], weights[i])
    return first if terms.where is None else first + above[:, terms.where[i]]


@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(1, 3),
    rows=st.integers(1, 70),
    columns=st.integers(1, 20),
    share=st.sampled_from([0.0, 0.02, 0.2, 1.0]),
    hub=st.booleans(),
)
def test_terms_give_the_product(seed, count, rows, columns, share, hub):
    rng = np.random.default_rng(seed)
    weights = rng.integers(-3, 4, (count, rows, columns)) * (rng.random((rows, columns)) < share)
    weights[0, :, 0] += hub
    terms, h = Terms.of([csr_array(W * 1.0) for W in weights]), rng.integers(-4, 5, (2, rows))
    for i, W in enumerate(weights):
        assert product(h, terms, i).tolist() == (h @ W).tolist()
    # No sum is longer than a few terms, and there are not many more than there are entries.
    assert all(at.shape[-1] <= AT_ONCE for at, _ in ((terms.at, None), *terms.tree))
    longest = max(int((W != 0).sum(axis=0).max()) for W in weights)
    assert len(terms.tree) <= 1 + np.log2(max(longest, 1))


def test_the_cost_of_terms_is_about_that_of_the_entries():
    d = 1000
    shifted = csr_array((np.ones(d), (np.arange(d), np.arange(d))), (2 * d, d))
    hub = csr_array((np.ones(d), (np.arange(d), np.zeros(d, int))), (2 * d, d))
    assert Terms.of([shifted]).cost == d
    assert Terms.of([shifted + hub]).cost <= 4 * d
    assert Terms.of([hub]).cost <= 4 * d


def test_a_weight_is_mostly_empty_by_its_entries_and_its_size():
    assert mostly_empty(1, 64)
    assert not mostly_empty(1, 63)
    assert not mostly_empty(10, 10)


@given(st.sets(st.integers(0, 12)))
def test_runs_cover_what_is_given_and_nothing_else(found):
    at = np.array(sorted(found), dtype=int)
    spans = runs(at)
    assert [i for start, stop in spans for i in range(start, stop)] == sorted(found)
    assert all(stop < start for (_, stop), (start, _) in pairwise(spans))
    assert np.arange(13)[places(at)].tolist() == sorted(found)
    assert isinstance(places(at), slice) == (len(spans) == 1)


def test_stored_zeros_are_no_entries():
    W = csr_array(([1.0, 0.0, 0.0], ([0, 0, 2], [1, 2, 0])), (3, 3))
    assert nonzeros(W).nnz == 1
    assert W.nnz == 3


def head(W_Q, W_K, W_V, W_O) -> Head:
    return Head("h", "", *(np.array(W, dtype=float) for W in (W_Q, W_K, W_V, W_O)))


def test_an_output_that_only_places_is_one_with_the_values():
    [[V], W_O, writes] = of(head([[1], [1]], [[1], [1]], [[0.1, 3], [0, 0]], [[0, 1], [1, 0]]))
    assert (V.toarray().tolist(), W_O, writes.tolist()) == ([[3, 0.1], [0, 0]], None, [0, 1])
    # What is read nowhere is not written, though W_O names it.
    [[V], W_O, writes] = of(head([[1], [1]], [[1], [1]], [[0, 3], [0, 0]], [[0, 1], [1, 0]]))
    assert (V.toarray().tolist(), W_O, writes.tolist()) == ([[3], [0]], None, [0])


@pytest.mark.parametrize("W_O", [[[0, 2], [1, 0]], [[0, 1], [0, 1]]], ids=["scales", "adds"])
def test_an_output_that_does_more_stays_a_product_of_its_own(W_O):
    [[V], outputs, writes] = of(head([[1], [1]], [[1], [1]], [[0.1, 3], [0, 0]], W_O))
    assert V.toarray().tolist() == [[0.1, 3], [0, 0]]
    assert outputs[0].toarray().tolist() == np.array(W_O)[:, writes].tolist()


def of(one: Head) -> tuple:
    found = Heads.of([one])
    return found.V, found.W_O, found.writes


def test_columns_that_score_nothing_are_left_out():
    one = head([[1, 1, 0], [0, 1, 0]], [[0, 2, 3], [0, 0, 1]], [[1], [1]], [[1, 1]])
    found = Heads.of([one])
    assert [W.toarray().tolist() for W in (*found.W_Q, *found.W_K)] == [[[1], [1]], [[2], [0]]]


def test_units_that_read_or_write_nothing_are_left_out():
    model, _ = hand.mostly_empty(0)
    mlp = model.layers[0].mlp
    W_in, W_out, writes = units(mlp)
    h = np.random.default_rng(0).integers(-3, 4, (4, W_in.shape[0]))
    wanted = np.maximum(h @ mlp.W_in, 0) @ mlp.W_out
    assert (np.maximum(h @ W_in.toarray(), 0) @ W_out.toarray() == wanted[:, writes]).all()
    assert not np.delete(wanted, writes, axis=1).any()
    assert columns_of([W_in]).tolist() == rows_of([W_out]).tolist() == list(range(W_in.shape[1]))
