"""All tasks at once in int64, against the rows in fractions."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checking.test_pieces import HUGE, INPUTS, TASKS, D, arrays
from checking.test_pieces import points as wide
from checking.test_pieces import rationals as entries
from construct import affine, lookup
from construct.checking import together
from construct.checking.pieces import Rows, Stand, stand
from construct.checking.together import Together
from construct.checking.vectors import Vector
from construct.checking.words import one_hot
from construct.spec.vocabulary import Vocabulary

ROWS = [Rows(task) for task in TASKS]
ALL = Together(ROWS, INPUTS)
small = st.fractions(-6, 6, max_denominator=12)
points = st.one_of(wide, st.lists(small, min_size=D * INPUTS, max_size=D * INPUTS))
labels = st.one_of(*(st.lists(one, min_size=D, max_size=D) for one in (entries, small)))


@given(points)
def test_values_are_those_of_the_tasks(x):
    vector = Vector.of(x)
    for k, task in enumerate(TASKS):
        assert ALL.value(k, vector).entries() == task(arrays(x)).tolist()
        found = ALL.entries(k, vector, range(D))
        assert found == ALL.value(k, vector).entries()


@given(points, labels, entries)
def test_labels_stand_as_the_rows_say(x, y, delta):
    vector, label, delta = Vector.of(x), Vector.of(y), abs(delta) or 1
    assert ALL.stands(vector, label, delta) == [stand(f, vector, label, delta) for f in ROWS]


@given(points, st.integers(0, len(TASKS) - 1), st.sampled_from([0, 1, Fraction(HUGE - 1, HUGE)]))
def test_labels_at_delta_and_just_within_stand_as_the_rows_say(x, k, share):
    vector = Vector.of(x)
    y = [
        v + share * s
        for v, s in zip(TASKS[k](arrays(x)), (Fraction(3, 5), Fraction(4, 5)), strict=True)
    ]
    label = Vector.of(y)
    expected = {0: Stand.MATCH, 1: Stand.SEPARATE}.get(share, Stand.CLOSE)
    found = ALL.stands(vector, label, 1)
    assert found[k] == expected
    assert found == [stand(f, vector, label, 1) for f in ROWS]


@given(points, entries)
def test_tasks_are_apart_as_the_rows_say(x, delta):
    vector, delta = Vector.of(x), abs(delta) or 1
    for f in range(len(ROWS)):
        for g in range(len(ROWS)):
            square = ((TASKS[f](arrays(x)) - TASKS[g](arrays(x))) ** 2).sum()
            assert ALL.apart(f, g, vector, delta) == (square >= delta**2)


def test_small_numbers_are_in_int64_and_large_ones_are_not():
    assert ALL._tops(Vector([1, -2, 3, 4])) is not None
    assert ALL._tops(Vector([HUGE, 0, 0, 0])) is None
    beyond = Together([Rows(affine("large", [[HUGE, 0], [0, 1]]))], INPUTS)
    assert beyond._tops(Vector([1, 2, 3, 4])) is None
    assert beyond.value(0, Vector([1, 2, 3, 4])).entries() == [HUGE, 2]


@pytest.mark.parametrize("size", [1 << 58, 1 << 61, (1 << 62) - 1, 1 << 62, 1 << 63])
def test_at_the_end_of_int64_values_are_exact(size):
    for x in ([size] * 4, [-size, size, size, -size]):
        for k, task in enumerate(TASKS):
            assert ALL.value(k, Vector(x)).entries() == task(arrays(x)).tolist()
            found = ALL.stands(Vector(x), Vector(x[:2]), size)
            assert found == [stand(f, Vector(x), Vector(x[:2]), size) for f in ROWS]


def test_too_many_numbers_to_stack_are_taken_row_by_row(monkeypatch):
    monkeypatch.setattr(together, "MOST_STACKED", 1)
    rows = Together(ROWS, INPUTS)
    assert rows._tops(Vector([1, 2, 3, 4])) is None
    expected = TASKS[0](arrays([1, 2, 3, 4])).tolist()
    assert rows.value(0, Vector([1, 2, 3, 4])).entries() == expected


def test_tables_of_many_words_are_evaluated_as_they_are():
    words = Vocabulary(map(str, range(500)))
    tables = [
        lookup(f"times {k}", {str(i): str(i * k % 500) for i in range(0, 500, k)}, vocabulary=words)
        for k in (1, 2, 3)
    ]
    both = Together([Rows(table) for table in tables], 1)
    for i in range(500):
        x = one_hot([i], 500)
        for k, table in enumerate(tables):
            assert both.value(k, x).entries() == table(x.tops.astype(object)).tolist()


def test_rows_that_may_differ_are_all_that_do():
    for f, one in zip(ROWS, TASKS, strict=True):
        for g, other in zip(ROWS, TASKS, strict=True):
            same = set(range(D)) - set(f.differing(g))
            for x in ([1, 2, -3, Fraction(1, 5)], [-7, 0, 2, 5]):
                values = one(arrays(x)), other(arrays(x))
                assert all(values[0][j] == values[1][j] for j in same)
    assert ROWS[0].differing(ROWS[0]) == []
