"""gamma, P, beta, top and C of the softmax designs, and what they leave to others."""

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from construct import ConstructError, Domain, Prompt, affine, build, prepare, retrieval, run
from construct.certify.softmax import choose_gamma, choose_margins
from construct.designs.encoder import ENCODER
from construct.designs.encoder.plan import EncoderSizes
from construct.designs.softmax.plan import Plan
from construct.reading import embedded

sizes = st.builds(
    EncoderSizes,
    *(st.integers(1, 10**4), st.integers(1, 9), st.integers(1, 10**5), st.integers(2, 40)),
)


@given(sizes)
def test_gamma_leaves_all_votes_together_2_to_the_minus_54(one):
    gamma = choose_gamma(one)
    total = one.K * one.m * one.tokens
    assert total * math.exp(-3 * gamma / 4) <= 2**-54
    # Half of it would not, or nearly not: a logarithm is rounded up to whole bits.
    assert 4 * total * math.exp(-3 * gamma / 8) > 2**-60


def test_gamma_is_64_where_people_build_and_128_where_hardly_anyone_does():
    small = EncoderSizes(K=4, d=3, m=32, n=2)
    assert choose_gamma(small) == 64
    assert choose_gamma(replace(small, K=64, m=4096)) == 128


@given(st.integers(1, 9), st.fractions(Fraction(1, 9), 4), st.fractions(0, Fraction(1, 10)))
def test_a_label_that_matches_scores_gamma_and_one_that_does_not_minus_gamma(R, delta, tau):
    one, tasks = EncoderSizes(2, 2, 5, 2), [affine("f", [[2, 0], [0, 1]]), retrieval("r", 1, d=2)]
    found = choose_margins(ENCODER, one, tasks, Domain(R, 2 * R, delta, tau=tau))
    assert found.top - found.beta * tau**2 >= found.gamma
    assert found.top - found.beta * delta**2 <= -found.gamma
    # |f| <= (4R, 2R) where a label stands in the place of an input, and the label another 2R.
    squared = Fraction(6 * R) ** 2 + Fraction(4 * R) ** 2
    assert 2 * found.far >= found.top + found.gamma + found.beta * squared


def worst_vote(gamma: int | None) -> float:
    """How far a vote of an encoder is from 0 or 1 where a label is exactly delta off."""
    tasks = [affine("f", [[1, 0], [0, 1]]), affine("g", [[-1, 0], [0, 1]])]
    made = build(tasks, m=3, domain=Domain(2, 4, 1), design="encoder")
    plan = made.plan
    if gamma is not None:
        scale = Fraction(gamma, plan.margins.gamma)
        changed = replace(plan.margins, gamma=gamma, beta=plan.margins.beta * scale, top=gamma)
        plan = Plan(plan.sizes, plan.wiring, changed)
    design = made.softmax
    layers = tuple(layer.emit() for layer in design.formulas(plan))
    transformer = design.transformer(plan, layers, design.embeddings(plan))
    examples = [[[1, 1], [1, 2]], [[2, -1], [2, -1]], [[2, 1], [-2, 1]]]
    prompt = Prompt.of(examples, [[1, 1]])
    [stream] = embedded(made, [prompt])
    done = prepare("exact", transformer, "exact")(stream)
    votes = design.votes(plan.sizes, done.attended, 3).astype(float)
    return float(abs(votes - np.rint(votes)).max())


def test_the_leak_is_as_promised_and_a_gamma_that_is_too_small_is_found():
    made = choose_gamma(EncoderSizes(2, 2, 3, 2))
    assert worst_vote(None) <= 9 * math.exp(-made) <= 2**-53
    for gamma in (16, 8):
        assert 2**-53 < worst_vote(gamma) <= 9 * math.exp(-gamma)


def test_a_format_is_refused_where_labels_are_too_close_for_it():
    task = [affine("f", [[2]])]
    near, far = (build(task, m=4, domain=Domain(R, 2 * R, 1), design="encoder") for R in (8, 4096))
    assert near.certified == ("float32", "float64")
    assert far.certified == ("float64",)
    # |2x| and the label that matches it, 8192 each.
    assert "E = 16384 delta" in far.certificates["float32"][0]
    with pytest.raises(ConstructError, match="float32 is not certified"):
        run(far, Prompt.of([], [[1]]), dtype="float32")
