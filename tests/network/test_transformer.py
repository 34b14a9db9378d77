"""Weights: kept by their non-zeros, read dense, and not to be written to in vain."""

import copy
import pickle
from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import coo_array, csr_array

from construct import Head, Prompt, build, load, random_tasks, relu_sum, run, save
from construct.network.transformer import Transformer
from construct.spec.domain import Domain

DENSE = np.array([[0.0, 2.0, 0.0], [1.0, 0.0, 3.0]])


def head(W: object) -> Head:
    return Head("h", "", np.eye(2), np.eye(2), W, np.zeros((3, 2)))


@pytest.mark.parametrize(
    "given",
    [DENSE, csr_array(DENSE), csr_array(coo_array(DENSE)), DENSE.astype(np.float32)],
    ids=["dense", "csr", "coo", "float32"],
)
def test_a_weight_may_be_given_in_any_form(given):
    made = replace(head(DENSE), W_V=given)
    assert made.W_V.tolist() == DENSE.tolist()
    assert made.W_V.dtype == np.float64
    assert made.sparse("W_V").nnz == 3


def test_duplicates_are_summed_and_columns_sorted():
    W = csr_array((np.array([1.0, 2.0, 3.0]), np.array([2, 0, 2]), np.array([0, 3, 3])), (2, 3))
    made = head(W)
    assert made.W_V.tolist() == [[2, 0, 4], [0, 0, 0]]
    assert made.sparse("W_V").indices.tolist() == [0, 2]


def test_what_was_given_may_change_without_the_weight():
    W = csr_array(DENSE)
    made = head(W)
    W.data[:] = 9
    assert made.W_V.tolist() == DENSE.tolist()


def refuses_writing(part: Head | Transformer, name: str) -> None:
    with pytest.raises(ValueError, match="read-only"):
        getattr(part, name)[0, 0] = 1
    with pytest.raises(ValueError, match="WRITEABLE"):
        getattr(part, name).flags.writeable = True
    kept = part.sparse(name)
    for array in (kept.data, kept.indices, kept.indptr):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


def test_writing_to_what_is_read_is_refused():
    refuses_writing(head(DENSE), "W_V")
    refuses_writing(replace(head(DENSE), name="other"), "W_V")


def test_the_sparse_form_is_canonical_and_of_float64():
    W = csr_array((np.array([1.0, 2.0, 3.0]), np.array([2, 0, 1]), np.array([0, 2, 3])), (2, 3))
    for given in (W, W.toarray(), W.astype(np.float32)):
        kept = head(given).sparse("W_V")
        assert kept.format == "csr"
        assert kept.dtype == np.float64
        assert kept.has_canonical_format
        assert kept.indices.tolist() == [0, 2, 1]
        assert kept.data.tolist() == [2, 1, 3]


def test_a_part_made_from_another_has_its_weights_but_those_given():
    made = replace(head(DENSE), W_V=csr_array(2 * DENSE), W_O=np.ones((3, 2)))
    assert made.W_V.tolist() == (2 * DENSE).tolist()
    assert made.W_O.tolist() == np.ones((3, 2)).tolist()
    assert made.W_Q.tolist() == np.eye(2).tolist()


@pytest.mark.parametrize(
    "again", [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))]
)
def test_copies_are_equal_and_not_to_be_written_to_either(again):
    made = build(random_tasks(2, 2), m=2).transformer
    wanted = made.tensors()
    other = again(made)
    assert all((other.tensors()[name] == W).all() for name, W in wanted.items())
    assert {name: W.nnz for name, W in other.weights().items()} == {
        name: W.nnz for name, W in made.weights().items()
    }
    for part in (other, other.layers[3].heads[0]):
        refuses_writing(part, part.WEIGHTS[0])


@pytest.mark.parametrize("dense", [False, True])
def test_what_is_0_as_a_float_alone_is_kept_exactly(tmp_path, dense):
    task = relu_sum("g", [[{"a": ["1e-330"]}]], [["1e300"]])
    made = build([task], m=2, domain=Domain(4, 8, 1))
    prompt = Prompt.of([[[0], [0]]], [[4]])
    loaded = load(save(made, tmp_path / "artifact", dense=dense))
    answers = [run(c, prompt, executor="exact").answer.tolist() for c in (made, loaded)]
    assert answers[0] == answers[1] == task(prompt.query).tolist()
    assert answers[0] != [0]
    assert loaded.transformer.nonzeros == made.transformer.nonzeros
