"""The limits hold under attack, and past them something fails: see proofs/floats/limits.py."""

import itertools
from dataclasses import replace
from fractions import Fraction

import pytest
import torch
from attacks import all_votes, attack, noisiest, prompts, run_all
from families import families, flat, with_scratch
from hypothesis import given, settings
from hypothesis import strategies as st
from limits import FORMATS, IN_TURN, _succeeds, accuracy, tables
from orders import prepare as in_order

from construct import Domain, Sizes, affine, build, embed_all, load, retrieval, save
from construct.certify.formats import BY_NAME
from construct.certify.limits import certified, largest, limits, scaled
from construct.designs.theorem import votes
from construct.designs.theorem.wiring import Wiring


@pytest.fixture(autouse=True, scope="module")
def one_torch_thread():
    """These matrices are too small to share between threads."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


by_format = pytest.mark.parametrize("dtype", FORMATS)


def each(some):
    return pytest.mark.parametrize("family", some, ids=lambda f: ",".join(f.name.split(",")[:2]))


by_family = each(families())


# --- The search ----------------------------------------------------------------


@given(st.integers(0, 10**9))
def test_the_largest_size_that_holds_is_found(end):
    assert largest(lambda size: size <= end) == end


def test_the_search_ends_where_everything_holds():
    assert largest(lambda size: True, end=1000) >= 1000


SETS = {
    "real": ([affine("f", [["1/3", 1], [2, 0]])], Domain(8, 32, 1)),
    "whole": (
        [retrieval("f", 1, d=3), affine("g", [[-3, 0, 0], [0, 3, 0], [1, 0, 1]])],
        Domain(8, 32, 1, grid=1),
    ),
    "fine": ([retrieval("f", 1, d=2), retrieval("g", 2, d=2)], Domain(1, 1, Fraction(1, 100))),
}


@pytest.mark.parametrize("name", SETS)
def test_a_limit_is_certified_and_a_step_further_is_not(name):
    tasks, domain = SETS[name]
    made = build(tasks, m=5, domain=domain)
    assert set(made.limits) == set(BY_NAME)
    for dtype, limit in made.limits.items():
        at, past = (replace(made.sizes, m=limit.m + i) for i in (0, 1))
        assert dtype in certified(at, made.wiring, domain)
        assert dtype not in certified(past, made.wiring, domain)
        at, past = (scaled(domain, limit.times + Fraction(i, 16)) for i in (0, 1))
        assert dtype in build(tasks, m=5, domain=at).certified
        assert dtype not in build(tasks, m=5, domain=past).certified


@pytest.mark.parametrize("name", SETS)
def test_every_smaller_size_is_certified(name):
    tasks, domain = SETS[name]
    made = build(tasks, m=5, domain=domain)
    assert set(made.limits) == set(BY_NAME)
    for dtype, limit in made.limits.items():
        for share in range(1, 64):
            m = max(1, limit.m * share // 64)
            assert dtype in certified(replace(made.sizes, m=m), made.wiring, domain)
            smaller = scaled(domain, limit.times * Fraction(share, 64))
            assert dtype in certified(made.sizes, made.wiring, smaller)


@settings(max_examples=10)
@given(st.integers(1, 6), st.integers(1, 50), st.sampled_from([Fraction(1, 3), 1, 2]))
def test_more_bits_reach_further(m, R, delta):
    wiring = Wiring.of([affine("f", [["1/3"]])])
    found = limits(Sizes(1, 1, m, 2), wiring, Domain(R, R, delta))
    assert found["float32"].m <= found["float64"].m
    assert found["float32"].times < found["float64"].times


def test_a_larger_delta_reaches_further():
    wiring = Wiring.of([affine("f", [["1/3"]])])
    sizes, deltas = Sizes(1, 1, 8, 2), [Fraction(1, 4), Fraction(1, 2), 1, 2, 4]
    found = [limits(sizes, wiring, Domain(1, 1, delta))["float32"].times for delta in deltas]
    # All conditions but the range are those of R / delta, to a sixteenth.
    for earlier, later in itertools.pairwise(found):
        assert abs(later - 2 * earlier) <= Fraction(1, 8)


def test_tasks_that_are_not_certified_have_a_limit_too():
    made = build([retrieval("f", 1, d=1)], m=1, domain=Domain(1000, 1000, 1))
    assert made.certified == ("float64",)
    assert 0 < made.limits["float32"].times < 1
    assert made.limits["float32"].m == 0


def test_an_artifact_has_the_limits_and_the_accuracy_of_what_was_saved(tmp_path):
    made = build(*SETS["real"][:1], m=5, domain=SETS["real"][1])
    again = load(save(made, tmp_path / "a"))
    assert again.limits == made.limits
    for dtype in FORMATS:
        assert again.accuracy[dtype].ulps == made.accuracy[dtype].ulps


# --- Attacks -------------------------------------------------------------------


@by_format
@each([*families(), with_scratch()[1], *flat()[1:3]])
def test_at_the_limit_every_attack_fails(family, dtype):
    """R and R_y at their limit, labels at tau and at delta, all executors, all orders."""
    made = family.build(7, family.limit_R(dtype))
    verdict = attack(made, dtype, prompts(made, dtype, seed=1))
    assert verdict.sound, verdict
    assert verdict.worst <= made.accuracy[dtype].ulps


@by_family
def test_past_the_limit_of_float64_every_margin_fails(family):
    made = family.build(7, 16 * family.limit_R("float64"))
    aimed = prompts(made, "float64")
    assert _succeeds(made, "float64", aimed, ["library"], orders=())


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_no_certificate_of_float32_is_16_times_too_cautious_but_of_a_flat_gate():
    """On a coarse ladder; `make limits` climbs finer ones, in both formats."""
    rows = tables(quick=True)
    assert {row.direction for row in rows} == {"R", "R_y", "M"}
    assert {row.flat for row in rows} == {True, False}
    for row in rows:
        assert row.ratio > 1
        assert row.flat or row.ratio <= 16
        # Softmax designs are right in rounded numbers: what is refused, or rounded, fails first.
        if "coder: " not in row.tasks:
            assert row.flat or row.ratio <= row.library.ratio <= 16


@each(flat()[1:3])
def test_at_the_limit_in_votes_a_flat_gate_counts_all_of_them(family):
    """Also where its two layers are added up in different orders, which rounds them apart."""
    Ry = Fraction(8)
    m = min(family.limit_m("float32", Ry), 14)
    made, few = family.build(m, Ry), family.build(7, Ry)
    aimed = all_votes(made, "float32") | noisiest(few, "float32", m, 2)
    wrong, also, _ = run_all(made, "float32", aimed, orders=IN_TURN)
    assert not wrong + also


def test_in_different_orders_the_votes_of_a_flat_gate_are_rounded():
    """Else the attack on them would show nothing."""
    family = flat()[1]
    made = family.build(7, Fraction(4) * family.limit_R("float32"))
    aimed = noisiest(made, "float32", 7, 2)
    streams = embed_all(made.transformer, [*aimed.values()])
    for order in IN_TURN:
        done = in_order(made.transformer, "float32", order)(streams)
        given = [votes(made.margins, one) for one in done.attended]
        assert any((one != one.round()).any() for one in given)


@by_format
def test_long_sums_of_votes_stay_within_their_bound(dtype):
    found = accuracy(families()[2], dtype, m=31)
    assert 1 < found["one by one"] <= found["bound"]
    assert found["libraries"] <= found["bound"]


def test_all_votes_of_the_largest_m_are_counted_and_with_more_the_reciprocal_is_wrong():
    family = families()[0]
    limit = family.limit_m("float32", Fraction(2))
    for m, sound in ((limit, True), (1025, False)):
        made = family.build(m, Fraction(2))
        votes = all_votes(made, "float32")
        wrong, _, _ = run_all(made, "float32", votes, executors=("numpy",), orders=())
        assert (not wrong) == sound
