"""The flat gate: its thresholds, and what rounding does to it."""

from dataclasses import replace
from fractions import Fraction as Q

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from construct import ConstructError, Domain, build, embed, prepare, shift
from construct.certify.bounds import Bounds
from construct.certify.formats import FORMATS
from construct.certify.margins import Noise, below_thresholds, gates
from construct.designs.theorem import votes
from near import direction, moved, near_cases, stand_in

sizes_of = st.fractions(0, 4, max_denominator=50)


def is_power_of_two(x) -> bool:
    return all(part & (part - 1) == 0 for part in Q(x).as_integer_ratio())


def bounds_of(epsilon, domain):
    """Those of one task that is held within epsilon."""
    task = shift("next", [1, 0])
    held = moved(task, direction(2, 0, 1), epsilon)
    return Bounds.of(stand_in([task], [held], m=2, domain=domain).wiring, domain)


@given(sizes_of, sizes_of, st.fractions(Q(1, 1000), 4, max_denominator=1000))
def test_every_gate_gives_one_whole_vote_up_to_tau_and_none_from_delta_on(tau, epsilon, room):
    domain = Domain(2, 8, tau + 2 * epsilon + room, None, tau)
    found = list(gates(bounds_of(epsilon, domain), domain))
    assert found
    for B, a in found:
        assert is_power_of_two(B)
        assert B * (tau + epsilon) ** 2 <= a - 1
        assert B * (domain.delta - epsilon) ** 2 >= a
        # a is 1 where nothing is off, and has few bits elsewhere.
        assert (a == 1) == (tau + epsilon == 0)
        assert is_power_of_two(Q(a).denominator)


@given(sizes_of, st.fractions(Q(1, 50), 4, max_denominator=50), st.fractions(0, 1))
def test_there_is_no_gate_where_delta_is_not_above_tau_and_twice_epsilon(tau, epsilon, share):
    delta = tau + 2 * epsilon * share
    wide = Domain(2, 8, tau + 3 * epsilon, None, tau)
    bounds = bounds_of(epsilon, wide)
    with pytest.raises(
        ConstructError, match=r"is not above tau \+ 2 epsilon = .* choose a smaller"
    ):
        next(gates(bounds, Domain(2, 8, max(delta, tau + epsilon / 1000), None, tau)))


@given(near_cases())
def test_a_gate_below_its_thresholds_is_found(case):
    made = case.construction
    domain, margins = made.domain, made.margins
    bounds = Bounds.of(made.wiring, domain)
    match, mismatch = (domain.tau + bounds.epsilon) ** 2, (domain.delta - bounds.epsilon) ** 2
    assert not below_thresholds(bounds, domain, margins)
    B, a = Q(margins.B), Q(margins.a)
    exact = {"a": 1 + B * match}, {"a": B * mismatch}, {"B": (a - 1) / match}, {"B": a / mismatch}
    for edge in exact:
        one = replace(margins, C=margins.C * 64, **edge)
        assert not below_thresholds(bounds, domain, one)
    for beyond in (
        {"a": 1 + B * match * Q(999, 1000)},
        {"a": B * mismatch * Q(1001, 1000)},
        {"B": (a - 1) / match * Q(1001, 1000)},
        {"B": a / mismatch * Q(999, 1000)},
        {"C": (a + B * bounds.E2) / 2 * Q(999, 1000)},
    ):
        assert below_thresholds(bounds, domain, replace(margins, **{"C": margins.C * 64, **beyond}))


@given(near_cases(rooms=(Q(1, 2), Q(1)), part=7))
def test_rounding_takes_scores_and_votes_no_farther_than_is_certified(case):
    """Labels at tau and at delta, of inputs in sevenths, none of which a float holds."""
    made = case.construction
    sizes, domain = made.sizes, made.domain
    bounds = Bounds.of(made.wiring, domain)
    for fmt in FORMATS:
        if fmt.name not in made.certified:
            continue
        noise = Noise.of(sizes, bounds, domain, made.margins, fmt)
        prompt = case.prompt.astype(fmt.name)
        done, true = (
            prepare(executor, made.transformer, dtype)(
                embed(made.transformer, prompt.astype(dtype))
            )
            for executor, dtype in (("numpy", fmt.name), ("exact", "exact"))
        )
        given, wanted = (votes(made.margins, one.attended) for one in (done, true))
        # Of the numbers that the prompt holds, votes are whole, but for what tau is rounded by.
        off = abs(given.astype(object) - wanted)
        assert off.max() <= 2 * noise.score
        total = sum(Q(float(vote)) for vote in given.flat)
        assert abs(total - sum(case.votes)) <= noise.total
        assert noise.total <= Q(1, 4)
        silent = np.array(wanted == 0, dtype=bool)
        assert not given[silent].any()


def test_where_all_is_exact_there_is_no_noise():
    made = build([shift("next", [1])], m=2, domain=Domain(4, 8, 1, Q(1, 4), Q(1, 4)))
    bounds = Bounds.of(made.wiring, made.domain)
    for fmt in FORMATS:
        noise = Noise.of(made.sizes, bounds, made.domain, made.margins, fmt)
        assert noise == Noise(Q(0), Q(0), Q(0))
