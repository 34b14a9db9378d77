"""The lemmas of the decoder of vectors: fetch, match, count, apply."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from blocks import LEAK, ROUNDED, Blocks, near
from construct.designs.decoder.vectors import VECTORS
from share import tried
from softmax.cases import allowed_of_vectors, before, vector_cases
from theorem.oracle import expected

CASES = vector_cases("decoder")


def counts(case, prompt, labels: int) -> tuple[int, ...]:
    """c_k of the first labels."""
    return expected(case, before(prompt, labels)).votes


def test_there_are_four_blocks():
    assert [block.__name__ for block in VECTORS.blocks] == ["fetch", "match", "count", "apply"]


@tried(25)
@given(CASES)
def test_fetch_gives_each_token_the_inputs_before_it_and_the_dictionary(drawn):
    case, prompt = drawn
    found = Blocks.of(case.construction, prompt)
    wiring, sizes = case.construction.wiring, found.sizes
    for token, example, position in found.tokens():
        for p in wiring.positions:
            op = found.after("fetch", f"op{p}")[token]
            assert near(op, found.holds(example, p) if p <= position else np.zeros(sizes.d))
        if sizes.P and position >= sizes.n - 1:
            wanted = [_value(feature, found.inputs(example)) for feature in wiring.dictionary]
            assert near(found.after("fetch", "g")[token], wanted, 64 * LEAK)
    found.assert_written("fetch", {"g", *(f"op{p}" for p in wiring.positions)})


def _value(feature, X):
    hinges = (
        (h.c, sum(v * X[p - 1][i] for p, terms in h.a for i, v in terms) + h.e) for h in feature
    )
    return sum(c * max(value, 0) for c, value in hinges)


@tried(25)
@given(CASES)
def test_match_writes_at_a_label_1_for_each_task_that_gives_it_and_0_elsewhere(drawn):
    case, prompt = drawn
    found = Blocks.of(case.construction, prompt)
    vote = found.after("match", "vote")
    for token, example, position in found.tokens():
        if position == found.sizes.n:
            so_far = (counts(case, prompt, labels) for labels in (example, example + 1))
            assert near(vote[token], np.diff(np.array([*so_far]), axis=0)[0])
        else:
            assert near(vote[token], 0)
    found.assert_written("match", {"vote"})


@tried(25)
@given(CASES)
def test_count_adds_up_the_votes_so_far_and_makes_odds_of_them(drawn):
    case, prompt = drawn
    found, gamma = Blocks.of(case.construction, prompt), case.construction.plan.margins.gamma
    for token, example, position in found.tokens():
        votes = counts(case, prompt, example + (position == found.sizes.n))
        assert near(found.after("count", "count")[token], votes, ROUNDED)
        for c, odds in zip(votes, found.after("count", "odds")[token], strict=True):
            own = math.log(c) if c else -4 * gamma
            rest = math.log(sum(votes) - c) if sum(votes) > c else -2 * gamma
            assert near(odds, own - rest, 64 * ROUNDED)
    found.assert_written("count", {"count", "odds"})


@tried(25)
@given(CASES)
def test_apply_writes_the_mixture_at_the_last_input(drawn):
    case, prompt = drawn
    found = Blocks.of(case.construction, prompt)
    for token, example, position in found.tokens():
        if position == found.sizes.n - 1:
            asked = before(prompt, example)
            wanted, allowed = expected(case, asked).answer, allowed_of_vectors(case, asked, "exact")
            assert (
                abs(found.after("apply", "out")[token] - np.array(wanted, float)) <= allowed
            ).all()
    found.assert_written("apply", {"out"})


@given(st.integers(1, 40), st.integers(1, 9))
def test_a_share_is_the_logistic_of_the_odds(c, rest):
    odds = math.log(c) - math.log(rest)
    assert math.isclose(1 / (1 + math.exp(-odds)), c / (c + rest), rel_tol=1e-14)
