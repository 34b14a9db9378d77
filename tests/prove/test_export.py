"""What is handed to Rocq is the artifact: every entry, exactly."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import construct
from construct.prove import export
from construct.spec.prompt import exactly


def parsed(literal: str) -> Fraction:
    numerator, denominator = literal.removeprefix("(Qmake (").removesuffix(")").split(") ")
    return Fraction(int(numerator), int(denominator))


@given(st.fractions())
def test_a_rational_is_written_in_lowest_terms_with_a_positive_denominator(x):
    assert parsed(export.rational(x)) == x


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_is_the_rational_that_it_holds(x):
    assert float(parsed(export.rational(Fraction(x)))) == x


def made() -> construct.Construction:
    third = construct.affine("third", {1: [["1/3", 0], [0, 1]], 2: [[1, 0], [0, 0]]}, [0, "1/7"])
    kink = construct.relu("kink", d=2)
    return construct.build([third, kink], m=2, n=3)


def test_vectors_along_the_stream_hold_every_entry_and_no_other():
    transformer = made().transformer
    exact = {
        f"{prefix}.{name}": entries
        for prefix, part in transformer.parts()
        for name, entries in part.exact.items()
    }
    assert any(exact.values()), "no entry that float64 rounds: the test would be vacuous"
    for path, tensor in transformer.tensors().items():
        name, rounded = path.split(".")[-1], exact.get(path, {})
        vectors = export.along_stream(name, tensor, dict(rounded))
        rebuilt = np.zeros((len(vectors), transformer.sizes.D), dtype=object)
        for r, vector in enumerate(vectors):
            for place, value in vector.items():
                assert value
                rebuilt[r, place] = value
        rebuilt = rebuilt.T if name in export.COLUMNS else rebuilt
        wanted = exactly(tensor).copy()
        for place, value in rounded.items():
            wanted[place] = value
        assert (rebuilt == wanted).all(), path


def test_tasks_are_written_by_position_as_they_are_defined():
    text = export.plan(made())
    # third: row 1 is x_1[1]/3 + x_2[1]; positions and entries count from 0 in Rocq.
    assert "[(0%N, 0%N, (Qmake (1) 3)); (1%N, 0%N, (Qmake (1) 1))]" in text
    assert "(Qmake (1) 7)" in text


def test_the_hinges_of_a_feature_stand_in_the_order_of_the_dictionary():
    # |x| as it is defined has max(x, 0) before max(-x, 0); the dictionary sorts.
    built = construct.build([construct.absolute("abs", d=1)], m=1)
    [feature] = built.tasks[0].features
    assert [h.a for h in feature] == [((1, ((0, 1),)),), ((1, ((0, -1),)),)]
    text = export.plan(built)
    assert text.index("Qmake (-1) 1)") < text.index("0%N, 0%N, (Qmake (1) 1)")


def test_only_numbers_that_occur_often_get_names():
    often = "[(Qmake (1) 3); (Qmake (1) 3); (Qmake (-2) 1); (Qmake (1) 3); (Qmake (-2) 1)]"
    named = "[x0; x0; (Qmake (-2) 1); x0; (Qmake (-2) 1)]"
    assert export.named(often, "x") == f"Definition x0 : Q := (Qmake (1) 3).\n{named}"
    assert export.named("[(Qmake (1) 3)]", "x") == "[(Qmake (1) 3)]"


def test_many_empty_rows_are_written_by_name():
    # Rocq takes quadratic time to find the types of many `[]` in one list.
    words = construct.Vocabulary([f"w{i}" for i in range(40)])
    made = construct.build([construct.lookup("f", {"w1": "w2"}, vocabulary=words)], m=1)
    text = export.plan(made) + export.weights(made.transformer)
    assert "no_terms; no_terms" in text
    assert "no_entries; no_entries" in text
    assert "[]; []" not in text


def test_rows_of_numbers_are_lists_of_lists():
    assert export.rows(np.array([[1.0, 0.5]])) == "[[(Qmake (1) 1); (Qmake (1) 2)]]"


@pytest.mark.parametrize("name", ["W_Q", "W_K", "W_V", "W_in", "W_U"])
def test_columns_run_along_the_stream(name):
    assert export.along_stream(name, np.array([[0.0, 2.0]]), {}) == [{}, {0: 2}]
    assert export.along_stream("W_O", np.array([[0.0, 2.0]]), {}) == [{1: 2}]
