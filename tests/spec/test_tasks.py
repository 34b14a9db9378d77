import copy
import dataclasses
import json
import pickle
import tracemalloc
from collections import Counter
from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from construct import (
    ConstructError,
    Domain,
    Hinge,
    Task,
    Vocabulary,
    absolute,
    add,
    affine,
    build,
    clip,
    lookup,
    maximum,
    minimum,
    permutation,
    relu,
    relu_sum,
    retrieval,
    shift,
)
from construct.rational import rational
from construct.spec.kinds import from_definition
from construct.spec.normal_form import normal_form, same_map, twins
from generators import definitions, matrices, vectors
from kinds import meaning

thirds = st.integers(-6, 6).map(lambda p: Fraction(p, 3))
WORDS = Vocabulary(["one", "two", "three"])


def read(definition, d=2, name="f", vocabulary=WORDS):
    return from_definition({"name": name, **definition}, d=d, vocabulary=vocabulary)


@st.composite
def defined_tasks(draw, numbers=thirds):
    """A definition, its dimension, and two inputs X."""
    d, inputs = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    vector = st.lists(numbers, min_size=d, max_size=d)
    X = st.lists(vector, min_size=inputs, max_size=inputs)
    return draw(definitions(d, inputs)), d, [draw(X), draw(X)]


@given(defined_tasks())
def test_every_kind_is_its_formula_exactly(case):
    definition, d, batch = case
    task = read(definition, d)
    for X in batch:
        assert task(X).tolist() == meaning(definition, d)(X)


@given(defined_tasks())
def test_a_batch_is_evaluated_example_by_example(case):
    definition, d, batch = case
    task = read(definition, d)
    assert task(batch).tolist() == [task(X).tolist() for X in batch]
    assert task(np.array(batch, dtype=object)[:0]).shape == (0, d)


@given(defined_tasks(st.integers(-1024, 1024).map(lambda p: p / 64)))
def test_floats_give_the_same_as_rationals_where_nothing_rounds(case):
    definition, d, batch = case
    task = read(definition, d)
    found = task(np.array(batch))
    assert found.dtype == np.float64
    exact = [[[rational(t) for t in x] for x in X] for X in batch]
    assert found.tolist() == [[float(t) for t in y] for y in task(exact)]


@given(defined_tasks())
def test_a_definition_survives_json(case):
    definition, d, batch = case
    task = read(definition, d)
    again = from_definition(json.loads(json.dumps(task.definition)), d=d, vocabulary=WORDS)
    assert same_map(task, again)
    assert again.name == task.name
    assert again.definition == task.definition
    assert again(batch[0]).tolist() == task(batch[0]).tolist()


@given(st.permutations(list(WORDS)), st.integers(1, 3), st.integers(1, 2))
def test_lookup_maps_listed_words_as_its_table_and_others_to_zero(images, listed, position):
    table = dict(zip(list(WORDS)[:listed], images, strict=False))
    task = lookup("f", table, position, vocabulary=WORDS)
    for word in WORDS:
        X = [WORDS.one_hot("one").tolist()] * (position - 1) + [WORDS.one_hot(word).tolist()]
        image = WORDS.one_hot(table[word]).tolist() if word in table else [0, 0, 0]
        assert task(X).tolist() == image


def test_fractions_decimals_and_floats_name_the_same_map():
    written = ([["1/2"]], [[0.5]], np.array([[0.5]]), {1: [[Fraction(1, 2)]]}, {"1": [["0.5"]]})
    tasks = [affine("half", A) for A in written]
    assert all(same_map(tasks[0], task) for task in tasks)
    assert tasks[0]([3]).tolist() == [Fraction(3, 2)]


def test_exact_evaluation_keeps_a_third_and_float_evaluation_rounds_it():
    third = affine("third", [["1/3"]])
    assert third([[1]]).tolist() == [Fraction(1, 3)]
    assert third([[1.0]]).tolist() == [1 / 3]
    assert third(np.array([[1.0]], np.float32)).dtype == np.float64


def test_positions_are_those_read_zero_matrices_and_zero_vectors_aside():
    hinge = {"a": {2: [0, 1], 3: [0, 0]}}
    task = relu_sum("f", [[hinge]], [[1], [1]], {1: [[0, 0], [0, 0]], 4: [[1, 0], [0, 0]]})
    assert task.positions == (2, 4)


@pytest.mark.parametrize("X", [[[1, 2, 3]], [[1, 2]], [1, 2], 1, [[[1]]]], ids=repr)
def test_inputs_of_another_shape_are_refused_with_the_shape_needed(X):
    with pytest.raises(ConstructError, match=r"'f' was given an X of shape .* n-1 at least 2"):
        add("f", (1, 2), d=2)(X)


# --- Telling tasks apart -----------------------------------------------------


def test_the_same_map_written_in_other_ways_is_the_same():
    d = 2
    eye, negative = [[1, 0], [0, 1]], [[-1, 0], [0, -1]]
    doubled = [[{"c": 2, "a": row}] for row in eye]
    assert same_map(absolute("f", d=d), relu_sum("g", doubled, eye, negative))
    assert same_map(maximum("f", d=d), maximum("g", (2, 1), d=d))
    assert same_map(minimum("f", d=d), minimum("g", (2, 1), d=d))
    assert same_map(shift("f", 1, 3), permutation("g", [3, 1, 2]))
    assert same_map(retrieval("f", 2, d=d), add("g", (2,), d=d))
    flipped = [[{"a": [-1, 0]}], [{"a": [0, -1]}]]
    assert same_map(relu("f", d=d), relu_sum("g", flipped, eye, eye))
    up, down = {"a": [1], "e": 0}, {"c": -1, "a": [1], "e": -1}
    assert same_map(clip("f", 0, 1, d=1), relu_sum("g", [[up], [down]], [[1, 1]]))
    assert same_map(affine("f", [[1]], [2]), relu_sum("g", [[{"a": [0], "e": 2}]], [[1]], [[1]]))


def test_maps_of_different_dimension_or_position_differ():
    assert not same_map(retrieval("f", 1, d=1), retrieval("f", 1, d=2))
    assert not same_map(retrieval("f", 1, d=1), retrieval("f", 2, d=1))
    assert not same_map(maximum("f", d=1), minimum("f", d=1))


one_hinge = st.tuples(*[st.integers(-2, 2)] * 3)


@st.composite
def piecewise_linear_maps_of_a_line(draw):
    """(A, b, hinges (c, a, e)) for f(x) = A x + b + sum c max(a x + e, 0)."""
    small = st.integers(-2, 2)
    return draw(small), draw(small), draw(st.lists(one_hinge, max_size=3))


def on_a_line(A, b, hinges):
    features = [[{"c": c, "a": [a], "e": e}] for c, a, e in hinges]
    return relu_sum("f", features, [[1] * len(hinges)], [[A]], [b])


@given(piecewise_linear_maps_of_a_line(), piecewise_linear_maps_of_a_line())
def test_on_a_line_two_maps_are_the_same_if_they_agree_at_kinks_and_beyond(one, other):
    kinks = {Fraction(-e, a) for _, _, hinges in (one, other) for _, a, e in hinges if a} | {0}
    points = [*kinks, min(kinks) - 1, max(kinks) + 1]
    f, g = on_a_line(*one), on_a_line(*other)
    agree = all(f([x]).tolist() == g([x]).tolist() for x in points)
    assert same_map(f, g) == agree


@given(piecewise_linear_maps_of_a_line(), st.lists(st.booleans(), min_size=3, max_size=3))
def test_turning_hinges_around_and_splitting_them_keeps_the_map(written, turned):
    A, b, hinges = written
    linear, constant, rewritten = A, b, []
    for (c, a, e), turn in zip(hinges, turned, strict=False):
        if turn:  # c max(t, 0) = c t + c max(-t, 0)
            linear, constant = linear + c * a, constant + c * e
            rewritten.append((c, -a, -e))
        else:  # c max(t, 0) = (c - 1) max(t, 0) + max(2 t, 0) / 2
            rewritten += [(c - 1, a, e), (Fraction(1, 2), 2 * a, 2 * e)]
    f, g = on_a_line(*written), on_a_line(linear, constant, rewritten[::-1])
    assert same_map(f, g)
    assert hash(normal_form(f)) == hash(normal_form(g))


# --- Malformed definitions ---------------------------------------------------

SQUARE = [[1, 0], [0, 1]]
HINGE = {"a": [1, 0]}
MALFORMED = [
    {},
    {"kind": None},
    {"kind": "cube"},
    {"kind": ["affine"]},
    {"kind": {}},
    {"kind": "affine"},
    {"kind": "affine", "A": SQUARE, "colour": 1},
    {"kind": "affine", "A": {}},
    {"kind": "affine", "A": []},
    {"kind": "affine", "A": None},
    {"kind": "affine", "A": 1},
    {"kind": "affine", "A": "ab"},
    {"kind": "affine", "A": [[1, 0], [0]]},
    {"kind": "affine", "A": [[1, 0], [0, "x"]]},
    {"kind": "affine", "A": [[1, 0], [0, True]]},
    {"kind": "affine", "A": [[1, 0], [0, {}]]},
    {"kind": "affine", "A": [[1]]},
    {"kind": "affine", "A": [[1, 0]]},
    {"kind": "affine", "A": {"0": SQUARE}},
    {"kind": "affine", "A": {"-1": SQUARE}},
    {"kind": "affine", "A": {"x": SQUARE}},
    {"kind": "affine", "A": {"1": SQUARE, "2": [[1]]}},
    {"kind": "affine", "A": {"1": SQUARE, "01": SQUARE}},
    {"kind": "affine", "A": SQUARE, "b": [1]},
    {"kind": "affine", "A": SQUARE, "b": 1},
    {"kind": "affine", "A": SQUARE, "b": "ab"},
    {"kind": "permutation", "permutation": [1, 1]},
    {"kind": "permutation", "permutation": [0, 1]},
    {"kind": "permutation", "permutation": [1, 3]},
    {"kind": "permutation", "permutation": [1, "2"]},
    {"kind": "permutation", "permutation": [1, [2]]},
    {"kind": "permutation", "permutation": 2},
    {"kind": "permutation", "permutation": "12"},
    {"kind": "permutation", "permutation": []},
    {"kind": "permutation", "permutation": [1, 2, 3]},
    {"kind": "permutation", "permutation": [2, 1], "signs": [1, 2]},
    {"kind": "permutation", "permutation": [2, 1], "signs": [1]},
    {"kind": "permutation", "permutation": [2, 1], "signs": "+-"},
    {"kind": "permutation", "permutation": [2, 1], "by": [1]},
    {"kind": "permutation", "permutation": [2, 1], "position": 0},
    {"kind": "retrieval"},
    {"kind": "retrieval", "position": 0},
    {"kind": "retrieval", "position": 1.5},
    {"kind": "retrieval", "position": True},
    {"kind": "retrieval", "position": None},
    {"kind": "retrieval", "position": [1]},
    {"kind": "retrieval", "position": "first"},
    {"kind": "shift"},
    {"kind": "shift", "by": 1},
    {"kind": "shift", "by": None},
    {"kind": "shift", "by": [1]},
    {"kind": "shift", "by": []},
    {"kind": "shift", "by": [1, "x"]},
    {"kind": "shift", "by": [1, 1], "modulo": 2},
    {"kind": "shift", "by": 1.5, "modulo": 2},
    {"kind": "shift", "by": 1, "modulo": 0},
    {"kind": "shift", "by": 1, "modulo": 3},
    {"kind": "shift", "by": 1, "modulo": "2"},
    {"kind": "shift", "by": 1, "modulo": [2]},
    {"kind": "sum", "positions": []},
    {"kind": "sum", "positions": [1, 1]},
    {"kind": "sum", "positions": 1},
    {"kind": "sum", "positions": [1, None]},
    {"kind": "sum", "positions": {"1": 1}},
    {"kind": "maximum", "positions": [1]},
    {"kind": "maximum", "positions": [1, 1]},
    {"kind": "maximum", "positions": [1, 2, 3]},
    {"kind": "minimum", "positions": 12},
    {"kind": "minimum", "positions": [2, 2]},
    {"kind": "clip", "low": 0},
    {"kind": "clip", "low": 1, "high": 1},
    {"kind": "clip", "low": "x", "high": 1},
    {"kind": "clip", "low": 0, "high": [1]},
    {"kind": "clip", "low": 0, "high": 1, "position": 0},
    {"kind": "absolute", "position": 0},
    {"kind": "relu", "position": "x"},
    {"kind": "lookup", "table": {}},
    {"kind": "lookup", "table": []},
    {"kind": "lookup", "table": {"one": "four"}},
    {"kind": "lookup", "table": {"four": "one"}},
    {"kind": "lookup", "table": {"one": 1}},
    {"kind": "lookup", "table": {"one": None}},
    {"kind": "lookup", "table": {"one": ["two"]}},
    {"kind": "lookup", "table": {"one": "two"}, "position": 0},
    {"kind": "relu-sum", "features": [[HINGE]]},
    {"kind": "relu-sum", "C": [[1], [1]]},
    {"kind": "relu-sum", "features": 1, "C": [[1], [1]]},
    {"kind": "relu-sum", "features": [1], "C": [[1], [1]]},
    {"kind": "relu-sum", "features": [[1]], "C": [[1], [1]]},
    {"kind": "relu-sum", "features": [[{}]], "C": [[1], [1]]},
    {"kind": "relu-sum", "features": [[{**HINGE, "d": 1}]], "C": [[1], [1]]},
    {"kind": "relu-sum", "features": [[{"a": [1]}]], "C": [[1], [1]]},
    {"kind": "relu-sum", "features": [[{"a": None}]], "C": [[1], [1]]},
    {"kind": "relu-sum", "features": [[{"a": {"0": [1, 0]}}]], "C": [[1], [1]]},
    {"kind": "relu-sum", "features": [[{**HINGE, "c": "x"}]], "C": [[1], [1]]},
    {"kind": "relu-sum", "features": [[{**HINGE, "e": None}]], "C": [[1], [1]]},
    {"kind": "relu-sum", "features": [[HINGE]], "C": 1},
    {"kind": "relu-sum", "features": [[HINGE]], "C": [[1, 1], [1, 1]]},
    {"kind": "relu-sum", "features": [[HINGE]], "C": [1, 1]},
    {"kind": "relu-sum", "features": [[HINGE]], "C": [[1], [1]], "A": [[1]]},
    {"kind": "relu-sum", "features": [[HINGE]], "C": [[1], [1]], "b": [1]},
]


@pytest.mark.parametrize("definition", MALFORMED, ids=str)
def test_a_malformed_definition_is_a_construct_error(definition):
    d = 3 if definition.get("kind") == "lookup" else 2
    with pytest.raises(ConstructError):
        read(definition, d)


@pytest.mark.parametrize("definition", [None, 1, "affine", [], [{"kind": "relu"}]], ids=str)
def test_what_is_no_object_is_no_task(definition):
    with pytest.raises(ConstructError, match="must be a JSON object"):
        from_definition(definition, d=1, vocabulary=None)


@pytest.mark.parametrize("name", [None, "", 1, ["f"], {}], ids=repr)
def test_a_task_has_a_text_for_a_name(name):
    with pytest.raises(ConstructError, match="a name"):
        from_definition({"name": name, "kind": "relu"}, d=1, vocabulary=None)


@pytest.mark.parametrize(
    ("definition", "needed"),
    [({"kind": "relu"}, "'d'"), ({"kind": "lookup", "table": {"one": "two"}}, "'vocabulary'")],
)
def test_what_the_file_must_say_for_a_kind_is_named(definition, needed):
    with pytest.raises(ConstructError, match=f"needs {needed} in the file"):
        from_definition({"name": "f", **definition}, d=None, vocabulary=None)


def test_unknown_and_missing_fields_are_named_with_those_that_the_kind_takes():
    with pytest.raises(ConstructError, match="unknown field 'bee'; 'affine' takes: A, b"):
        read({"kind": "affine", "A": SQUARE, "bee": 1})
    with pytest.raises(ConstructError, match="lacks 'A'; 'affine' takes: A, b"):
        read({"kind": "affine"})


def attempts(task):
    """Every way into a task's parts that changes a list, an array or a mapping of one's own."""
    definition = task.definition
    return {
        "an entry of A": lambda: task.A[1].__setitem__((0, 0), 7),
        "a flag of A": lambda: setattr(task.A[1].flags, "writeable", True),
        "a matrix of A": lambda: task.A.__setitem__(1, task.A[1]),
        "an entry of b": lambda: task.b.__setitem__(0, 7),
        "an entry of C": lambda: task.C.__setitem__((0, 0), 7),
        "a hinge": lambda: task.features[0].__setitem__(0, 7),
        "a vector of a hinge": lambda: task.features[0][0].a[0][1].__setitem__(0, 7),
        "b by name": lambda: setattr(task, "b", task.b),
        "the definition": lambda: definition.update(kind="affine"),
        "a row of the definition": lambda: definition["C"][0].__setitem__(0, 7),
        "a vector of the definition": lambda: definition["features"][0][0]["a"].__setitem__(1, 7),
    }


def changeable() -> tuple:
    """Arguments that the caller can change, and the task of them."""
    A, b, C = np.eye(2).astype(object), np.array([1, 2], object), np.array([[1], [2]], object)
    vector = np.array([1, 1], object)
    features = [[{"a": {"1": vector}, "c": 1, "e": 0}]]
    return (A, b, C, vector), relu_sum("f", features, C, {1: A}, b)


@pytest.mark.parametrize("name", attempts(changeable()[1]))
def test_a_task_cannot_be_changed(name):
    task = changeable()[1]
    before = normal_form(task)
    with pytest.raises((TypeError, ValueError, AttributeError)):
        attempts(task)[name]()
    assert normal_form(task) == before


def test_a_task_is_of_copies():
    given, task = changeable()
    before, definition = normal_form(task), json.dumps(task.definition)
    for array in given:
        array[...] = 9
    assert (normal_form(task), json.dumps(task.definition)) == (before, definition)


def test_a_task_made_directly_is_of_copies_too():
    A, b, C = {1: np.eye(2).astype(object)}, np.array([1, 2], object), np.array([[1], [2]], object)
    task = Task("f", A, b, ((Hinge.of({1: [1, 1]}),),), C)
    before = normal_form(task)
    A[1][...], b[...], C[...] = 9, 9, 9
    A[2] = A[1]
    assert normal_form(task) == before


@pytest.mark.parametrize(
    "again", [copy.deepcopy, copy.copy, lambda t: pickle.loads(pickle.dumps(t))]
)
def test_a_copy_of_a_task_is_frozen_too(again):
    task = changeable()[1]
    other = again(task)
    assert normal_form(other) == normal_form(task)
    assert other.definition == task.definition
    with pytest.raises(ValueError, match="read-only"):
        other.b[0] = 7


def test_another_map_does_not_keep_the_definition_of_the_first():
    task = permutation("f", [2, 1])
    other = dataclasses.replace(task, b=task.b + 1)
    assert other.definition == {}
    again = from_definition(other.as_json(words=False), d=2, vocabulary=None)
    assert same_map(again, other)


# --- Equal features -----------------------------------------------------------


@st.composite
def repeated(draw):
    """Features, C and A of a relu-sum that writes some features twice, in other orders."""
    small = st.integers(-2, 2)
    hinge = st.fixed_dictionaries(
        {
            "c": small,
            "a": st.dictionaries(st.sampled_from("12"), vectors(2), max_size=2),
            "e": small,
        }
    )
    features = draw(st.lists(st.lists(hinge, max_size=2), min_size=1, max_size=2))
    features = [draw(st.permutations(f)) for f in features * draw(st.integers(1, 3))]
    C = draw(matrices(2, len(features)))
    return features, C, draw(matrices(2, 2))


@given(repeated(), matrices(2, 2, st.fractions(-4, 4, max_denominator=4)))
def test_merged_is_the_same_map_with_every_feature_once(fields, x):
    task = relu_sum("f", *fields)
    merged = task.merged
    assert merged(x).tolist() == task(x).tolist()
    assert same_map(merged, task)
    multisets = [Counter(feature) for feature in merged.features]
    assert all(a != b for a, b in combinations(multisets, 2))
    assert merged.merged is merged
    assert (task.merged is task) == (len(task.features) == len(merged.features))


def test_columns_of_equal_features_add_up():
    feature = [{"a": [1]}, {"a": [2], "e": -1}]
    task = relu_sum("f", [feature, [{"a": [3]}], feature[::-1]], [[5, 7, -4]])
    assert len(task.merged.features) == 2
    assert task.merged.C.tolist() == [[1, 7]]


@given(repeated(), matrices(2, 2, st.floats(-4, 4, width=16)))
def test_the_gauge_bounds_terms_and_what_evaluation_in_floats_is_off(fields, x):
    task = relu_sum("f", *fields)
    a, b, t = task.gauge
    exact = [[Fraction(v) for v in row] for row in x]
    size = max(abs(v) for row in exact for v in row)
    assert max(abs(task(exact))) <= a * size + b
    for in_floats, wanted in zip(task(np.array(x)), task(exact), strict=True):
        off = (t + 8) * (Fraction(1, 2**52) * (a * size + b) + Fraction(1, 2**800))
        assert abs(Fraction(float(in_floats)) - wanted) <= off


@pytest.mark.parametrize("number", [2**101, Fraction(1, 2**101), 10**400])
def test_numbers_that_floats_may_lose_have_no_gauge(number):
    assert affine("f", [[1]]).gauge == (1, 0, 2)
    assert affine("f", [[number]]).gauge is None


@pytest.mark.parametrize("keys", [("1", "01"), (1, "1"), ("2", "\uff12")], ids=str)
def test_a_position_named_twice_in_one_mapping_is_refused(keys):
    """The first was lost, without a word."""
    vectors = {keys[0]: [1], keys[1]: [2]}
    with pytest.raises(ConstructError, match="names a position twice"):
        relu_sum("f", [[{"a": vectors}]], [[1]])
    matrices = {key: [vector] for key, vector in vectors.items()}
    for make in (affine, lambda name, A: relu_sum(name, [[]], [[1]], A=A)):
        with pytest.raises(ConstructError, match="names a position twice"):
            make("f", matrices)


NO_POSITIONS = [10**10, "9" * 5000, 10**5000, 0, "-1", "x", 1.0, True]


@pytest.mark.parametrize("position", NO_POSITIONS, ids=range(len(NO_POSITIONS)))
def test_a_position_that_no_example_has_is_refused(position):
    with pytest.raises(ConstructError, match=r"positions are whole numbers from 1 to 10\^9"):
        retrieval("f", position, d=1)


BIG = [2**63, -1]


@pytest.mark.parametrize(
    "task",
    [
        affine("f", [BIG, [-5, 2**70]], BIG),
        permutation("f", [2, 1], by=BIG),
        shift("f", BIG),
        clip("f", -1, 2**63, d=2),
        relu_sum("f", [[{"a": BIG, "e": 2**63, "c": -1}, {"a": [-3, 2**64]}]], [[2**63], [-1]]),
    ],
    ids=lambda task: task.definition["kind"],
)
def test_whole_numbers_beyond_2_to_the_63_beside_negative_ones_stay_exact(task):
    """NumPy makes floats of them where it is not told to keep objects."""
    for X in ([BIG], [[[BIG]]], [[1, -1]], np.array([BIG], dtype=object)):
        value = task(X)
        assert value.dtype == object
        assert {type(x) for x in value.flat} <= {int, Fraction}
    held = build([task], m=1, domain=Domain(1, 1, 1)).transformer.exact_entries()
    assert all(type(x) is int for e in held.values() for x in e.numerators)


def test_floats_in_a_list_are_evaluated_as_floats():
    assert affine("f", [[2]])([0.5]).dtype == np.float64
    assert affine("f", [[2, 0], [0, 1]])([0.5, 2**63]).dtype == np.float64
    assert affine("f", [[2, 0], [0, 1]])([np.float32(0.5), 1]).dtype == np.float64


@pytest.mark.parametrize(
    "key", ["9" * 101, "9" * 5000, "0" * 5000 + "1", 10**9 + 1, 10**5000], ids=range(5)
)
def test_a_position_of_too_many_digits_is_refused(key):
    for make in (
        lambda: affine("f", {key: [[1]]}),
        lambda: retrieval("f", key, d=1),
        lambda: relu_sum("f", [[{"a": {key: [1]}}]], [[1]]),
    ):
        with pytest.raises(ConstructError, match=r"^task 'f' reads position .* from 1 to 10"):
            make()


def test_positions_are_texts_as_keys_alone():
    assert affine("f", {"2": [[1]]}).positions == (2,)
    for make in (
        lambda: retrieval("f", "2", d=1),
        lambda: add("f", ["1", "2"], d=1),
        lambda: maximum("f", ("1", "2"), d=1),
        lambda: from_definition(
            {"name": "f", "kind": "retrieval", "position": "2"}, d=1, vocabulary=None
        ),
    ):
        with pytest.raises(ConstructError, match=r"task 'f' reads position '[12]'; positions are"):
            make()


HUGE = [
    lambda d: shift("f", 1, d),
    lambda d: retrieval("f", 1, d=d),
    lambda d: add("f", [1, 2], d=d),
    lambda d: absolute("f", d=d),
    lambda d: relu("f", d=d),
    lambda d: maximum("f", d=d),
    lambda d: minimum("f", d=d),
    lambda d: clip("f", 0, 1, d=d),
]


@pytest.mark.parametrize("d", [10**5, 10**10, 10**20])
@pytest.mark.parametrize("make", HUGE)
def test_a_dimension_that_no_memory_holds_is_refused_by_its_size(make, d, monkeypatch):
    monkeypatch.setattr("construct.memory.memory", lambda: 10**6)
    with pytest.raises(ConstructError, match=f"d = {d}.* would take .* bytes, and this machine"):
        make(d)


@pytest.mark.parametrize("make", HUGE)
def test_a_task_costs_what_its_nonzeros_cost(make):
    """A matrix of 2,000 x 2,000 numbers would take 32 megabytes."""
    tracemalloc.start()
    task = make(2_000)
    assert tracemalloc.get_traced_memory()[1] < 8_000_000
    tracemalloc.stop()
    assert task.d == 2_000


@pytest.mark.parametrize("name", ["", None, 1, "\ud800", "a\udfffb"])
def test_a_name_is_a_text_that_a_file_can_hold(name):
    with pytest.raises(ConstructError, match=r"^a task is named .* a name is a text"):
        retrieval(name, 1, d=1)


@given(st.lists(defined_tasks(), min_size=2, max_size=2), st.booleans())
def test_twins_are_tasks_of_one_normal_form(cases, again):
    (one, d, _), (other, e, _) = cases
    tasks = [read(one, d, "one"), read(one if again or d != e else other, d, "other")]
    same = normal_form(tasks[0]) == normal_form(tasks[1])
    assert twins(tasks) == (tuple(tasks) if same else None)


def test_tasks_that_agree_on_small_numbers_alone_are_no_twins():
    low, high = (clip(f"to {top}", -1000, top, d=1) for top in (1000, 2000))
    again = clip("again", -1000, 1000, d=1)
    assert twins([low, high]) is None
    assert twins([low, high, again]) == (low, again)


def test_twins_may_read_positions_that_no_array_reaches():
    far, near = retrieval("far", 10**9, d=1), retrieval("near", 1, d=1)
    again = retrieval("again", 10**9, d=1)
    assert twins([far, near]) is None
    assert twins([far, near, again]) == (far, again)


@pytest.mark.parametrize("scale", [2**55, 2**53 + 1])
def test_whole_numbers_that_floats_lose_are_exact_on_arrays_of_whole_numbers(scale):
    f = affine("f", [[scale]])
    g = relu_sum("g", [[{"a": [scale]}]], [[1]], [[1]])
    for task, wanted in ((f, 3 * scale), (g, 3 * scale + 3)):
        found = task(np.array([[3]]))
        assert found.tolist() == [wanted]
        assert found.dtype == np.int64
