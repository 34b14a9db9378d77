"""`construct.matrix`: what a sparse exact matrix says is what the array of its entries says."""

import copy
import pickle
from fractions import Fraction as Q

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from construct.errors import ConstructError
from construct.matrix import Matrix
from construct.memory import refuse_beyond_memory
from construct.rational import is_float

# Zeros, floats, and numbers that float64 rounds, overflows and underflows.
ENTRIES = st.sampled_from(
    [0, 0, 0, 1, -1, 2, Q(1, 2), Q(-3, 4), Q(1, 3), Q(-7, 10), 2**53 + 1, Q(1, 2**1074 * 3)]
)
HUGE = st.sampled_from([10**400, -(10**400), Q(10**400, 3)])
SIZES = st.integers(1, 4)


def arrays(rows: int, columns: int, entries: st.SearchStrategy = ENTRIES) -> st.SearchStrategy:
    flat = st.lists(entries, min_size=rows * columns, max_size=rows * columns)

    def shaped(listed: list) -> np.ndarray:
        array = np.empty(len(listed), dtype=object)
        array[:] = listed
        return array.reshape(rows, columns)

    return flat.map(shaped)


@st.composite
def some(draw, entries: st.SearchStrategy = ENTRIES) -> np.ndarray:
    return draw(arrays(draw(SIZES), draw(SIZES), entries))


def of(array: np.ndarray) -> Matrix:
    return Matrix.of(array, (None, None), "a matrix")


@given(some(ENTRIES | HUGE))
def test_a_matrix_holds_the_entries_of_its_array(array):
    matrix = of(array)
    assert np.asarray(matrix).tolist() == matrix.tolist() == array.tolist()
    assert len(matrix) == np.count_nonzero(array)
    assert {type(value) for value in matrix.values} <= {int, Q}
    assert all(matrix[i, j] == value for (i, j), value in np.ndenumerate(array))
    assert [matrix[i].tolist() for i in range(len(array))] == array.tolist()
    assert list(matrix) == [(i, j, array[i, j]) for i, j in zip(*np.nonzero(array), strict=True)]


@given(some(ENTRIES | HUGE))
def test_floats_are_kept_as_floats_and_exact_values_only_where_float64_rounds(array):
    matrix = of(array)
    odd = [x for x in array.flat if x and not is_float(x)]
    assert sorted(matrix.exact) == sorted(odd)
    held = [x for x in array.flat if x and is_float(x)]
    own = np.delete(matrix.floats, matrix.rounded)
    assert sorted(own.tolist()) == sorted(map(float, held))


@given(some(), ENTRIES | HUGE, st.data())
def test_arithmetic_is_that_of_the_arrays(array, scale, data):
    matrix = of(array)
    other = data.draw(arrays(*array.shape))
    assert (scale * matrix).tolist() == (scale * array).tolist()
    assert (-matrix).tolist() == (-array).tolist()
    assert abs(matrix).tolist() == abs(array).tolist()
    assert matrix.T.tolist() == array.T.tolist()
    assert (matrix + of(other)).tolist() == (array + other).tolist()
    assert (matrix - of(other)).tolist() == (array - other).tolist()
    assert matrix.pattern.tolist() == (array != 0).astype(int).tolist()
    for axis in (0, 1):
        assert matrix.sums(axis).tolist() == array.sum(axis=axis).tolist()
        assert matrix.counts(axis).tolist() == (array != 0).sum(axis=axis).tolist()


@given(st.lists(st.integers(0, 4), max_size=6))
def test_what_is_chosen_are_rows_of_the_identity(places):
    chosen = Matrix.choosing(places, 5)
    assert chosen.shape == (len(places), 5)
    assert np.asarray(chosen).tolist() == [[int(i == place) for i in range(5)] for place in places]


@given(some(), st.data())
def test_columns_that_are_merged_are_added(array, data):
    width = data.draw(SIZES)
    places = data.draw(
        st.lists(st.integers(0, width - 1), min_size=array.shape[1], max_size=array.shape[1])
    )
    wanted = np.full((len(array), width), 0, dtype=object)
    for column, place in zip(array.T, places, strict=True):
        wanted[:, place] += column
    assert of(array).merged(places, width).tolist() == wanted.tolist()


@given(some(), st.data())
def test_the_product_of_rationals_is_exact(array, data):
    x = data.draw(arrays(data.draw(SIZES), array.shape[1]))
    assert of(array)(x).tolist() == (x @ array.T).tolist()


@given(some(st.integers(-3, 3)), st.data())
def test_the_product_of_whole_numbers_is_that_of_rationals(array, data):
    most = data.draw(st.sampled_from([1, 2**30, 2**62]))
    x = data.draw(arrays(2, array.shape[1], st.integers(-most, most)))
    product = of(array)(x.astype(np.int64))
    assert product.tolist() == (x @ array.T).tolist()
    assert product.dtype in (np.int64, object)


@given(some(st.sampled_from([0, 1, -2, Q(1, 2)])), st.data())
def test_the_product_of_floats_is_in_floats(array, data):
    x = data.draw(arrays(3, array.shape[1], st.sampled_from([0, 1, -1, Q(1, 4)])))
    product = of(array)(x.astype(float))
    assert product.dtype == np.float64
    assert product.tolist() == (x @ array.T).astype(float).tolist()


@given(some(), some())
def test_equal_matrices_have_equal_keys_and_others_have_not(one, other):
    same = one.shape == other.shape and one.tolist() == other.tolist()
    assert (of(one) == of(other)) == same
    assert of(one) == of(one)
    assert hash(of(one)) == hash(of(one.copy()))


@given(some(ENTRIES | HUGE))
def test_copies_and_pickles_are_equal(array):
    matrix = of(array)
    assert pickle.loads(pickle.dumps(matrix)) == matrix
    assert copy.deepcopy(matrix) == matrix


@given(some(), st.data())
def test_what_stands_at_one_place_twice_is_added_up(array, data):
    at = np.stack(np.nonzero(array))
    values = array[tuple(at)]
    twice = Matrix.from_sum(array.shape, np.hstack([at, at]), np.concatenate([values, values]))
    assert twice.tolist() == (2 * array).tolist()


@pytest.mark.parametrize("name", ["at", "floats", "rounded", "exact"])
def test_a_matrix_cannot_be_changed(name):
    array = getattr(of(np.array([[1, Q(1, 3)]], dtype=object)), name)
    with pytest.raises(ValueError, match="read-only"):
        array[...] = 0
    with pytest.raises(ValueError, match="WRITEABLE"):
        array.flags.writeable = True


def test_a_number_beyond_float64_has_no_matrix_of_floats():
    with pytest.raises(ConstructError, match="beyond the range of float64"):
        _ = of(np.array([[10**400]], dtype=object)).csr


@pytest.mark.parametrize("array", [[[1, 2], [3]], [1, 2], [[1, "a"]], [[float("nan")]]])
def test_what_is_no_matrix_is_refused_by_name(array):
    with pytest.raises(ConstructError, match="the matrix"):
        Matrix.of(array, (None, None), "the matrix")


@pytest.mark.parametrize("form", [lambda m: m, np.asarray, Matrix.tolist])
def test_another_shape_is_refused(form):
    with pytest.raises(ConstructError, match=r"^x has the shape \(3, 3\); it needs .*\(2, any\)"):
        Matrix.of(form(Matrix.identity(3)), (2, None), "x")


def test_a_matrix_of_50000_rows_costs_what_its_nonzeros_cost():
    matrix = Matrix.identity(50_000)
    assert matrix == (matrix + matrix - matrix).T
    assert matrix(np.ones(50_000)).sum() == 50_000
    assert matrix.distinct == {1: 50_000}


def test_what_does_not_fit_is_refused_in_nonzeros_and_bytes(monkeypatch):
    monkeypatch.setattr("construct.memory.memory", lambda: 10**6)
    refuse_beyond_memory(1000, 1000, "this")
    with pytest.raises(
        ConstructError, match=r"^this would take 1,001 numbers that are not 0, about"
    ):
        refuse_beyond_memory(1001, 1000, "this")
    with pytest.raises(ConstructError, match=r"would take 1.0e\+40 numbers"):
        refuse_beyond_memory(10**40, 8, "this")
    with pytest.raises(ConstructError, match=r"would take 1.0e\+400 numbers"):
        refuse_beyond_memory(10**400, 8, "this")
