"""The certificate of the softmax designs: its assumptions, its names, its limits under attack."""

import ast
import inspect
import math
import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from answers import answers
from attacks import attack, prompts
from families import with_softmax
from hypothesis import given
from hypothesis import strategies as st
from limits import FORMATS
from orders import ORDERS

from construct import Domain, Prompt, affine, build, lookup, prepare
from construct.certify import decisions, shares
from construct.certify.formats import BY_NAME
from construct.certify.shares import EXP, SLOPE, UNEVEN, added, grown, ln
from construct.certify.softmax import exp
from construct.network.tables import log as logarithm
from construct.network.tables import table
from construct.reading import embedded
from construct.spec.vocabulary import Vocabulary

by_format = pytest.mark.parametrize("dtype", FORMATS)
PROOF = (Path(__file__).parents[2] / "proofs" / "floats" / "softmax.md").read_text()


# --- Names --------------------------------------------------------------------


def named(section: str) -> list[str]:
    """What is bold in a section, in order: the names that are proved, or defined, there."""
    text = PROOF.split(f"\n## {section}\n")[1].split("\n## ")[0]
    return [n for bold in re.findall(r"\*\*([\w, ]+?)\.?\*\*", text) for n in bold.split(", ")]


def test_each_condition_is_proved_under_its_name():
    listed = re.findall(r"^    (\w+)  +\w", inspect.getdoc(decisions), re.MULTILINE)
    assert listed == ["tables", "range", "label", "match", "mismatch", "elsewhere"]
    assert [name for name in named("The decisions") if name in listed] == listed
    said = re.findall(r'f?"(\w+): ', inspect.getsource(decisions))
    assert set(said) == set(listed)


def test_each_bound_is_derived_under_its_name():
    tree = ast.parse(inspect.getsource(shares))
    [errors] = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    functions = {
        n.name for part in (tree, errors) for n in part.body if isinstance(n, ast.FunctionDef)
    }
    assert {*named("The answer")} - {"UNEVEN", "SLOPE"} == functions - {"gamma"}


# --- What is assumed, and what is known of numbers -------------------------------


def powers(x: np.ndarray) -> dict[str, np.ndarray]:
    """exp by each library that runs softmax designs, of the weights that it makes."""
    import jax
    from jax import nn

    rows = np.stack([x, np.zeros_like(x)], axis=-1)
    with jax.enable_x64(x.dtype == np.float64):
        found = {"jax": np.asarray(jax.jit(jax.numpy.exp)(x))}
        two = np.asarray(nn.softmax(rows, axis=-1))
    torched = torch.softmax(torch.from_numpy(rows), dim=-1).numpy()
    # p / (1 + p) and 1 / (1 + p): their quotient is p up to two roundings.
    quotients = {name: w[:, 0] / w[:, 1] for name, w in (("jax softmax", two), ("torch", torched))}
    return {
        **found,
        **quotients,
        "numpy": np.exp(x),
        "torch exp": torch.exp(torch.tensor(x)).numpy(),
    }


@by_format
def test_powers_of_e_are_as_near_as_is_assumed(dtype):
    from flint import arb

    rng = np.random.default_rng(0)
    x = np.concatenate(
        [-rng.uniform(0, 12, 4000), -np.log(np.arange(1, 200)), -rng.uniform(0, 80, 500)]
    )
    x = x.astype(dtype)
    true = [Fraction(*map(int, _quotient(arb(float(one)).exp()))) for one in x]
    u = BY_NAME[dtype].u
    for name, found in powers(x).items():
        room = 2 if "softmax" in name or name == "torch" else 0
        off = max(abs(Fraction(float(p)) / t - 1) for p, t in zip(found, true, strict=True))
        assert off <= (2 * EXP + 3 * (room > 0)) * u, name
        assert off <= (EXP + 3 * (room > 0)) * u, (name, "half of what is assumed, as is said")
    zero = np.zeros(1, dtype)
    assert all(found[0] == 1 for found in powers(zero).values())


def _quotient(ball) -> tuple:
    """The midpoint of a ball as a quotient."""
    mantissa, exponent = ball.mid().man_exp()
    mantissa, exponent = int(mantissa), int(exponent)
    return (mantissa << exponent, 1) if exponent >= 0 else (mantissa, 1 << -exponent)


@given(st.integers(2, 10**6))
def test_logarithms_and_powers_are_bounded(v):
    assert math.log(v) <= ln(v) * (1 + Fraction(1, 1 << 50))
    assert ln(v) <= math.log(v) * (1 + 1e-12)
    assert math.exp(-(v % 600)) <= float(exp(-(v % 600))) * (1 + 1e-12)
    s = Fraction(1, v)
    assert math.expm1(float(s)) <= float(grown(s)) * (1 + 1e-12)
    assert math.expm1(1) <= grown(Fraction(1))


def test_the_power_of_any_margin_is_bounded():
    assert all(exp(-n) >= Fraction(math.exp(-n)) for n in range(1, 700))


@given(st.integers(1, 300), st.integers(0, 2**32))
def test_a_sum_of_nearly_equal_terms_is_off_by_what_is_said(n, seed):
    rng, u = np.random.default_rng(seed), BY_NAME["float32"].u
    equal = (rng.uniform(0.5, 1) * (1 + rng.uniform(-0.01, 0.01, n))).astype(np.float32)
    led = np.concatenate([[1], equal[1:] / equal[0] / (1 + rng.integers(n))]).astype(np.float32)
    for terms in (equal, led):
        found = np.float32(0)
        for term in terms:
            found = found + term
        exact = sum(map(Fraction, terms.tolist()))
        assert abs(Fraction(float(found)) - exact) <= BY_NAME["float32"].gamma(added(n)) * exact
    assert added(n) * u < Fraction(1, 16)


@given(st.integers(2, 400), st.data())
def test_chords_of_a_table_are_as_steep_as_is_said(M, data):
    known = table(M, logarithm, at_zero=-8)
    (slopes, constants), writes = known.reads, known.writes

    def value(x: float) -> float:
        return known.last + float(writes @ np.maximum(slopes * x + constants, 0))

    k = data.draw(st.integers(1, M))
    x = k + data.draw(st.floats(0, 0.99)) * (k < M)
    move = x * data.draw(st.floats(1e-3, 0.125)) * data.draw(st.sampled_from([-1, 1]))
    if x + move <= M:
        steep = x * (value(x + move) - value(x)) / move
        assert steep <= SLOPE + 1e-9
        assert steep >= float(SLOPE - 2 * UNEVEN) - 1e-9 or x != k
    assert Fraction(2, 3) >= SLOPE - 2 * UNEVEN


# --- Decisions ------------------------------------------------------------------


@pytest.mark.parametrize("design", ["decoder", "encoder"])
def test_the_score_of_a_match_is_not_rounded_by_penalties(design):
    """Penalties of 2^50 and more beside a score of some hundred, in float32."""
    made = build([affine("f", [[2]])], m=5, domain=Domain(2**20, 2**21, 1, grid=1), design=design)
    assert "float32" in made.certified
    assert made.margins.far >= 2**50
    examples = [[[x], [2 * x]] for x in (2**20, -(2**20) + 1, 3, 0, 77)]
    prompt = Prompt.of(examples, [[1]]).astype("float32")
    for executor in ("numpy", "torch"):
        done = prepare(executor, made.transformer, "float32")(embedded(made, [prompt])[0])
        assert (made.softmax.votes(made.plan.sizes, done.attended, 5) == 1).all()


def test_the_sink_of_an_encoder_stays_alone_whatever_a_fetch_leaves_there():
    """With -gamma it did not: what is left of 2^52, times beta E, is above gamma."""
    R = 2**52
    made = build([affine("f", [[1]])], m=3, domain=Domain(R, R, 1, grid=1), design="encoder")
    assert "float64" in made.certified
    prompt = Prompt.of([[[R], [R]], [[-R], [-R]], [[R - 1], [R]]], [[R]]).astype("float64")
    done = prepare("numpy", made.transformer)(embedded(made, [prompt])[0], trace=True)
    assert done.states[2][0, made.plan.sizes.residual["cnt"].at] == 0


@given(
    st.fractions(Fraction(1, 99), 9),
    st.fractions(0, Fraction(999, 1000)),
    st.integers(1, 99),
)
def test_the_edge_lies_between_a_match_and_a_mismatch(delta, share, R):
    made = build(
        [affine("f", [[1]])], m=2, domain=Domain(R, R, delta, tau=share * delta), design="decoder"
    )
    margins, tau = made.margins, share * delta
    assert margins.top - margins.beta * tau**2 >= margins.gamma
    assert margins.beta * delta**2 - margins.top >= margins.gamma
    assert 16 * 2 * margins.gamma <= margins.beta * (delta**2 - tau**2) <= 32 * 2 * margins.gamma


# --- Limits ---------------------------------------------------------------------


@pytest.mark.parametrize("design", ["decoder", "encoder"])
def test_a_limit_is_certified_and_a_step_further_is_not(design):
    tasks, domain = [affine("f", [["1/3", 1], [2, 0]])], Domain(2, 8, 1)
    made = build(tasks, m=3, domain=domain, design=design)
    for dtype, limit in made.limits.items():
        for i, certified in ((0, True), (1, False)):
            times = limit.times + Fraction(i, 16)
            scaled = replace(domain, R=domain.R * times, Ry=domain.Ry * times)
            found = build(tasks, m=3, domain=scaled, design=design)
            assert (dtype in found.certified) == certified
        assert limit.m > 1000


def test_so_many_votes_that_their_logarithms_are_rounded_away_are_refused():
    words = Vocabulary(["a", "b"])
    tasks = [lookup("t", {"a": "b"}, vocabulary=words), lookup("s", {"b": "a"}, vocabulary=words)]
    made = build(tasks, m=3, vocabulary=words, design="decoder")
    limit = made.limits["float32"]
    assert limit.times == 1
    for m, failed in ((limit.m, []), (limit.m + 1, ["tables"])):
        plan = replace(made.plan, sizes=replace(made.plan.sizes, m=m))
        found = decisions.certify(made.softmax, plan, made.held, made.domain)
        assert [why.split(":")[0] for why in found["float32"]][:1] == failed


def test_a_domain_beyond_the_range_of_float32_is_refused():
    made = build([affine("f", [[1]])], m=2, domain=Domain(10**25, 10**25, 10**24), design="encoder")
    assert made.certificates["float32"][0].startswith("range: ")
    assert made.certified == ("float64",)


@by_format
@pytest.mark.parametrize("family", with_softmax()[::3], ids=lambda f: f.name.split(", K")[0])
def test_at_the_limit_every_attack_on_a_design_fails(family, dtype):
    """R at its limit, labels at tau and at delta; `make limits` has every design and order."""
    made = family.build(7, family.limit_R(dtype))
    verdict = attack(made, dtype, prompts(made, dtype, seed=1), orders=ORDERS[4::4])
    assert verdict.sound, verdict


@pytest.mark.parametrize("design", ["words", "vectors", "encoder"])
def test_answers_are_within_their_bound_in_any_order(design):
    found = answers(design, 3, 6, "float32", prompts=10)
    assert 0 < found.libraries <= found.bound
    assert 0 < found.orders <= found.bound
    assert found.bound < 200
