"""The tasks that Rocq is given, read back, are the artifact's; another one is noticed."""

import re

import pytest
from hypothesis import given, settings

import construct
from construct.errors import CheckFailed
from construct.prove import export, readback
from construct.spec.domain import Domain
from generators import cases


def bent(C=((50, -49),)):
    same = [{"a": {"1": [1], "2": ["1/3"]}, "e": 1}]
    task = construct.relu_sum("f", [same, same], [list(row) for row in C], A=[[1]])
    return construct.build([task, construct.retrieval("g", 2, d=1)], m=3, n=3)


@given(cases())
@settings(max_examples=60)
def test_tasks_sizes_and_domain_of_any_artifact_are_read_back(case):
    readback.check(export.plan(case.construction), case.construction)


@pytest.mark.parametrize("kind", [construct.maximum, construct.minimum])
def test_named_kinds_are_read_back(kind):
    made = construct.build([kind("f", d=2), construct.clip("g", "-1/3", 2, 2, d=2)], n=3)
    readback.check(export.plan(made), made)


def test_equal_features_are_written_as_one_with_the_sum_of_their_columns():
    made = bent()
    [row] = readback.read(export.plan(made))["tasks"][0][2]
    assert row == [(0, 1)]
    readback.check(export.plan(made), made)


def test_numbers_that_have_names_are_read_back():
    made = bent()
    text, named = export.plan(made), export.named(export.plan(made), "a")
    assert named.startswith("Definition a0 : Q := (Qmake (1) 1).\n")
    assert readback.read(named) == readback.read(text)
    readback.check(named, made)
    with pytest.raises(CheckFailed, match="was handed to Rocq"):
        readback.check(named.replace("a0 : Q := (Qmake (1) 1)", "a0 : Q := (Qmake (2) 1)"), made)


NUMBER = re.compile(r"\(Qmake \((-?\d+)\) (\d+)\)")


def test_every_number_of_the_tasks_matters():
    made = bent()
    text = export.plan(made)
    start, end = text.index("WrittenTask"), text.index("\n  [0%N")
    places = [m.span() for m in NUMBER.finditer(text) if start < m.start() < end]
    assert len(places) >= 8
    for first, last in places:
        numerator, denominator = NUMBER.fullmatch(text[first:last]).groups()
        other = f"(Qmake ({int(numerator) + 1}) {denominator})"
        with pytest.raises(CheckFailed, match="is another function"):
            readback.check(text[:first] + other + text[last:], made)


@pytest.mark.parametrize(
    ("what", "old", "new"),
    [
        (
            "Rocq as 'f' is another function",
            "(1%N, 0%N, (Qmake (1) 3))",
            "(0%N, 0%N, (Qmake (1) 3))",
        ),
        ("d = 2 was handed", "1%nat\n  3%nat", "2%nat\n  3%nat"),
        ("m = 4 was handed", "1%nat\n  3%nat", "1%nat\n  4%nat"),
        ("3 tasks were handed", "; WrittenTask", "; WrittenTask [[]] [[]] [0] []; WrittenTask"),
        ("characters that no plan has", "WrittenTask", "WrittenTask ?"),
        ("where a plan would have 'WrittenPlan'", "WrittenPlan\n", "WrittenPla\n"),
        ("ends too early", ".\n", "\n"),
    ],
)
def test_what_is_not_the_artifacts_is_named(what, old, new):
    made = bent()
    text = export.plan(made)
    assert old in text
    with pytest.raises(CheckFailed, match=what):
        readback.check(text.replace(old, new, 1) if old != ".\n" else text[:-2] + new, made)


def test_another_domain_is_named():
    made = construct.build([construct.affine("f", [[1]])], domain=Domain(7, 13, 1))
    text = export.plan(made)
    for name, value in (("R", 7), ("Ry", 13)):
        other = text.replace(f"(Qmake ({value}) 1)", "(Qmake (11) 1)")
        with pytest.raises(CheckFailed, match=f"{name} = 11 was handed to Rocq.* is {value}"):
            readback.check(other, made)
