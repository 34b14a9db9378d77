import json
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from construct import (
    ConstructError,
    Domain,
    OutsideDomain,
    Prompt,
    affine,
    build,
    check_domain,
    relu_sum,
    retrieval,
)
from construct.certify import choose_domain
from construct.spec.domain import ONE_HOT, task_bound
from construct.spec.kinds import from_definition
from generators import definitions

positive = st.fractions(Fraction(1, 50), 50)


@given(positive, positive, positive, st.none() | positive)
def test_a_domain_survives_json(R, Ry, delta, grid):
    domain = Domain(R, Ry, delta, grid)
    assert Domain.from_json(json.loads(json.dumps(domain.to_json()))) == domain


@pytest.mark.parametrize("name", ["R", "Ry", "delta", "grid"])
@pytest.mark.parametrize("bad", [0, -1, "-1/2", "x", True, [1], float("nan")], ids=repr)
def test_each_bound_is_a_positive_number_and_is_named(name, bad):
    with pytest.raises(ConstructError, match=f"^{name} of the domain is"):
        Domain.from_json({"R": 1, "Ry": 1, "delta": 1, name: bad})


@pytest.mark.parametrize(
    "value", [None, 1, [], {}, {"R": 1, "Ry": 1}, {"R": 1, "Ry": 1, "delta": 1, "x": 1}], ids=str
)
def test_missing_and_unknown_names_are_refused(value):
    with pytest.raises(ConstructError, match=r"the domain is .*; write"):
        Domain.from_json(value)


def test_a_domain_says_its_bounds():
    assert str(Domain(1, 2, Fraction(1, 3))) == "entries of x up to 1, of y up to 2; delta = 1/3"
    assert str(ONE_HOT).endswith("multiples of 1")


@given(st.integers(1, 2), st.integers(1, 3), st.integers(1, 5), st.data())
def test_no_value_of_a_task_passes_its_bound(d, inputs, R, data):
    definition = {"name": "f", **data.draw(definitions(d, inputs))}
    task = from_definition(definition, d=d, vocabulary=None)
    vector = st.lists(st.integers(-R, R), min_size=d, max_size=d)
    X = data.draw(st.lists(vector, min_size=inputs, max_size=inputs))
    assert (abs(task(X)) <= np.array(task_bound(task, R), dtype=object)).all()


@given(st.lists(st.integers(-3, 3), min_size=3, max_size=3), st.integers(-3, 3))
def test_the_bound_of_an_affine_map_is_attained(row, b):
    task = affine("f", [row, [0] * 3, [0] * 3], [b, 0, 0])
    corner = [4 if a * (b or 1) >= 0 else -4 for a in row]
    assert abs(task(corner)[0]) == task_bound(task, 4)[0]


def certified_everywhere(domain):
    return ["float32", "float64"]


def test_delta_is_what_separates_whole_numbered_prompts():
    tasks = [affine("f", [["1/6"]]), relu_sum("g", [[{"a": [1]}]], [["1/4"]])]
    assert choose_domain(tasks, certified_everywhere).delta == Fraction(1, 12)
    assert choose_domain([retrieval("f", 1, d=1)], certified_everywhere).delta == 1


@pytest.mark.parametrize(
    ("largest", "name"), [(8, "float32"), (4, "float32"), *((R, "float64") for R in (8, 4, 2, 1))]
)
def test_R_is_the_largest_at_which_a_format_is_certified(largest, name):
    domain = choose_domain(
        [retrieval("f", 1, d=1)], lambda domain: [name] if largest >= domain.R else []
    )
    assert largest == domain.R


@pytest.mark.parametrize(("largest", "chosen"), [(8, 8), (4, 4), (2, 8)])
def test_float32_is_worth_half_of_R_but_no_more(largest, chosen):
    def certified_at(domain):
        return ["float64", *["float32"] * (largest >= domain.R)]

    assert chosen == choose_domain([retrieval("f", 1, d=1)], certified_at).R


def test_delta_is_1_where_no_format_keeps_the_tasks_own_separation():
    task = affine("f", [["1/1000003"]])
    domain = choose_domain([task], lambda domain: ["float32"] if domain.delta == 1 else [])
    assert domain.delta == 1


def test_without_any_certificate_there_is_still_a_domain():
    assert choose_domain([affine("f", [["1/3"]])], lambda domain: []) == Domain(8, 8, 1)


@given(st.integers(1, 2), st.integers(1, 2), st.data())
def test_labels_of_the_chosen_domain_have_room_for_every_value(d, inputs, data):
    definition = {"name": "f", **data.draw(definitions(d, inputs))}
    task = from_definition(definition, d=d, vocabulary=None)
    domain = choose_domain([task], certified_everywhere)
    corners = st.lists(st.sampled_from([-8, 8]), min_size=d, max_size=d)
    X = data.draw(st.lists(corners, min_size=inputs, max_size=inputs))
    assert abs(task(X)).max() <= domain.Ry
    assert domain.Ry >= domain.R
    assert domain.Ry & (domain.Ry - 1) == 0


def test_build_takes_the_domain_given_else_one_hot_for_words_else_the_chosen_one():
    given_domain = Domain(2, 3, 1)
    assert build([retrieval("f", 1, d=2)], m=1, domain=given_domain).domain is given_domain
    assert build([retrieval("f", 1, d=2)], m=1).domain == Domain(8, 8, 1)


# --- Labels that were rounded ------------------------------------------------

THIRDS = affine("thirds", [["1/3", 0], [0, "5/7"]], ["1/7", 100])
ROUNDED = "its numbers seem to be rounded to float32: give those of float64, or exact ones"


def refused(prompt):
    with pytest.raises(OutsideDomain) as said:
        check_domain(prompt, [THIRDS], Domain(8, 128, 1), 4)
    return str(said.value)


@pytest.mark.parametrize("dtype", ["float64", "exact"])
@pytest.mark.parametrize("inputs", ["float32", "float64"])
def test_labels_rounded_to_float32_are_told(dtype, inputs):
    x = np.array([[[1.1, 2.3]], [[0.5, 4]]]).astype(inputs).astype(float)
    y = THIRDS(np.array([[[1.1, 2.3]], [[0.5, 4]]])).astype(np.float32).astype(float)
    prompt = Prompt(x, y, x[0])
    said = refused(prompt.astype(dtype))
    assert said.endswith(f"{ROUNDED}, or run in float32.")
    assert said.startswith("example 1: its label is at distance ")
    check_domain(prompt.astype("float32"), [THIRDS], Domain(8, 128, 1), 4)


def test_in_float32_no_other_format_is_named():
    # 64 labels' units in the last place from a match, where delta makes these too many.
    x, domain = np.array([[[0.0, 0.0]]], np.float32), Domain(8, 128, Fraction(1, 1000))
    y = THIRDS(x).astype(np.float32) + np.array([[0, 2.0**-17]], np.float32)
    with pytest.raises(OutsideDomain, match=r"rounded to float32: .* exact ones\.$"):
        check_domain(Prompt(x, y, x[0]), [THIRDS], domain, 4)


@pytest.mark.parametrize("off", [1e-4, 0.5])
def test_labels_that_are_wrong_otherwise_are_to_be_corrected(off):
    x = np.array([[[1.0, 2.0]]])
    assert refused(Prompt(x, THIRDS(x) + off, x[0])).endswith(
        "correct the label, or leave the example out."
    )
