from dataclasses import replace
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
    absolute,
    add,
    affine,
    build,
    retrieval,
    run,
    verify,
)
from construct.answers import batch_size
from construct.checking.sampling import random_prompts
from construct.checking.verification import (
    Cases,
    Trial,
    absolute_sums,
    compare,
    largest_term,
    specification,
    ulp,
)
from construct.execute.registry import EXECUTORS
from construct.matrix import Matrix

# All seven layers do something: an operand slot and a dictionary.
CONSTRUCTION = build(
    [
        add("sum", (1, 2), d=2),
        absolute("abs", 2, d=2),
        affine("f", {1: [[1, 2], [0, -1]]}, ["1/2", 0]),
    ],
    m=4,
    domain=Domain(2, 8, Fraction(1, 2)),
)
FORMATS = [("numpy", "float64"), ("numpy", "float32"), ("jax", "float32"), ("torch", "float64")]


def sabotage(layer: int, part: str, scale: float):
    """The construction with a part of one layer scaled: a head's name or "mlp"."""
    transformer = CONSTRUCTION.transformer
    old = transformer.layers[layer]
    heads = tuple(replace(h, W_V=scale * h.W_V) if h.name == part else h for h in old.heads)
    mlp = replace(old.mlp, W_out=scale * old.mlp.W_out) if part == "mlp" else old.mlp
    layers = list(transformer.layers)
    layers[layer] = replace(old, heads=heads, mlp=mlp)
    return replace(CONSTRUCTION, transformer=replace(transformer, layers=tuple(layers)))


PARTS = [
    (i, name)
    for i, layer in enumerate(CONSTRUCTION.transformer.layers)
    for name in [
        *(h.name for h in layer.heads if h.W_V.any()),
        *["mlp"] * bool(layer.mlp.W_in.any()),
    ]
]


@pytest.mark.parametrize(("executor", "dtype"), [*FORMATS, ("exact", "exact")])
def test_a_sound_transformer_passes_in_every_format(executor, dtype):
    count = 10 if dtype == "exact" else 100
    report = verify(CONSTRUCTION, executor, dtype, count)
    assert report.passed
    assert report.failures == ()
    assert (report.executor, report.dtype, report.prompts) == (executor, dtype, count)
    assert report.worst == 0 if dtype == "exact" else 0 < report.worst < 8


@pytest.mark.parametrize(("layer", "part"), PARTS)
@pytest.mark.parametrize("scale", [0, 1.01])
def test_damage_to_any_part_in_use_is_reported(layer, part, scale):
    report = verify(sabotage(layer, part, scale), "numpy", "float64", 60)
    assert not report.passed
    assert all(sentence.startswith("prompt ") for sentence in report.failures)


def test_all_seven_layers_are_in_use():
    assert {i for i, _ in PARTS} == set(range(7))


@pytest.mark.parametrize(
    ("executor", "dtype", "bits"), [("numpy", "float64", 53), ("exact",) * 2 + (0,)]
)
def test_an_answer_off_by_more_than_rounding_is_reported(executor, dtype, bits):
    factor = 1 + 2.0**-40
    report = verify(sabotage(6, "divide", factor), executor, dtype, 15)
    assert any("the answer" in sentence for sentence in report.failures)


def test_the_exact_executor_must_be_equal():
    # A relative error of 2^-52 is nothing in float32 and an error on rationals.
    slightly = sabotage(6, "divide", 1 + 2.0**-52)
    assert verify(slightly, "numpy", "float32", 60).passed
    assert not verify(slightly, "exact", "exact", 15).passed


def test_an_answer_that_is_not_finite_is_reported():
    transformer = CONSTRUCTION.transformer
    broken = replace(transformer, W_U=transformer.W_U * np.nan)
    broken = replace(CONSTRUCTION, transformer=broken)
    report = verify(broken, "numpy", "float64", [Prompt.of([], [[1, 1], [1, 1]])])
    assert report.worst == float("inf")
    assert "not finite" in report.failures[0]


def test_a_report_counts_what_the_prompts_hold():
    x, y = [[0, 1], [0, 1]], [0, 2]
    tie, noise = [*x[:1], [0, 0], [0, 1]], [*x, [7, 7]]
    # On x = (0, 1), (0, 0) sum gives (0, 1); abs gives (0, 0); f gives (5/2, -1).
    prompts = [
        Prompt.of([[*x, y]] * 4, x),
        Prompt.of([noise, [*x, y]], x),
        Prompt.of([noise], x),
        Prompt.of([], x),
        Prompt.of([[[0, 0], [0, 0], [0, 0]]] * 4, x),
        Prompt.of([tie] * 4, x),
    ]
    report = verify(CONSTRUCTION, "numpy", "float64", prompts)
    assert report.passed
    assert report.prompts == 6
    assert (report.ties, report.noisy, report.partial, report.empty) == (1, 2, 3, 2)


def test_a_number_of_prompts_means_that_many_random_ones_and_progress_counts_them():
    done = []
    drawn = verify(CONSTRUCTION, "numpy", "float64", 70, seed=5, progress=done.append)
    prompts = random_prompts(CONSTRUCTION, 70, seed=5)
    assert drawn == verify(CONSTRUCTION, "numpy", "float64", prompts)
    assert sum(done) == 70
    assert len(done) > 1


def test_a_prompt_outside_the_domain_is_refused():
    prompt = Prompt.of([], [[3, 0], [0, 0]])
    with pytest.raises(OutsideDomain):
        verify(CONSTRUCTION, "numpy", "float64", [prompt])


@pytest.mark.parametrize("prompts", [-1, 0, True, 1.5, "3", [], None, [1]])
def test_prompts_that_are_none_are_refused(prompts):
    with pytest.raises(ConstructError, match=r"^prompts.* is .*; it must be "):
        verify(CONSTRUCTION, "numpy", "float64", prompts)


def test_an_unknown_executor_is_refused():
    with pytest.raises(ConstructError, match="no executor"):
        verify(CONSTRUCTION, "abacus", "float64", 1)


@pytest.mark.parametrize("change", [-1, 1])
def test_a_vote_lost_or_won_is_reported_although_the_answer_is_right(change):
    prompt = Prompt.of([[[0, 1], [0, 1], [0, 2]]] * 2, [[0, 1], [0, 1]]).astype("float64")
    wanted = specification(CONSTRUCTION, prompt)
    right = run(CONSTRUCTION, prompt, executor="numpy")
    assert compare(CONSTRUCTION, prompt, wanted, right, "float64") == (0, [])
    wrong = replace(right, votes=(right.votes[0] + change, *right.votes[1:]))
    said = compare(CONSTRUCTION, prompt, wanted, wrong, "float64")[1]
    assert said == [f"task 'sum' has {2 + change} votes by the heads and 2 by the specification"]


@pytest.mark.parametrize("explains", [0, 1])
def test_examples_listed_wrongly_are_reported_although_the_answer_is_right(explains):
    prompt = Prompt.of([[[0, 1], [0, 1], [0, 2]]], [[0, 1], [0, 1]]).astype("float64")
    right = run(CONSTRUCTION, prompt, executor="numpy")
    wrong = replace(right, explains=np.full_like(right.explains, explains))
    wanted = specification(CONSTRUCTION, prompt)
    (said,) = compare(CONSTRUCTION, prompt, wanted, wrong, "float64")[1]
    kind = "ambiguous" if explains else "unexplained"
    assert said == f"the {kind} examples are (0,) by the heads and () by the specification"


WIDE = build(
    [affine("wide", Matrix.identity(5000)), affine("twice", 2 * Matrix.identity(5000))], m=8
)


@pytest.mark.parametrize("executor", EXECUTORS.values(), ids=lambda one: one.name)
def test_a_batch_holds_neither_too_many_scores_nor_too_wide_a_stream(executor):
    dtype = executor.formats[0]
    for made, least in ((CONSTRUCTION, 1 if dtype == "exact" else 64), (WIDE, 1)):
        trial, size = (
            Trial(Cases(made, []), executor.name, dtype, 1000),
            made.sizes.N * made.sizes.D,
        )
        assert least <= trial.batch
        assert trial.batch * size <= 1 << 22
        assert batch_size(made, executor) * size <= 1 << 24


def test_a_verification_ends_when_its_time_is_up_and_says_how_many_were_run():
    report = verify(CONSTRUCTION, "numpy", "float64", 1 << 39, seconds=Fraction(1, 10**9))
    assert report.passed
    assert 1 <= report.prompts <= 64
    assert verify(CONSTRUCTION, "numpy", "float64", 70, seconds=10**9).prompts == 70


@pytest.mark.parametrize("seconds", [0, -1, "x", True, float("nan"), []])
def test_a_time_that_is_none_is_refused(seconds):
    with pytest.raises(ConstructError, match=r"^seconds is"):
        verify(CONSTRUCTION, "numpy", "float64", 1, seconds=seconds)


# --- Units in the last place -------------------------------------------------


@given(st.floats(1e-300, 1e300))
def test_ulp_is_the_spacing_of_float64(x):
    assert ulp(Fraction(x), 53) == Fraction(float(np.spacing(x)))


@given(st.floats(2.0**-120, 2.0**120, width=32))
def test_ulp_is_the_spacing_of_float32(x):
    assert ulp(Fraction(x), 24) == Fraction(float(np.spacing(np.float32(x))))


@given(st.fractions(Fraction(1, 1000), 1000), st.integers(2, 60))
def test_a_rational_has_the_ulp_of_its_binade(x, bits):
    unit = ulp(x, bits)
    assert 2 ** (bits - 1) <= x / unit < 2**bits
    assert unit.numerator & (unit.numerator - 1) == unit.denominator & (unit.denominator - 1) == 0


def test_ulp_at_0_is_2_to_minus_bits():
    assert ulp(Fraction(0), 53) == Fraction(1, 2**53)


def test_terms_of_a_task_are_its_absolute_sums():
    task = affine("f", [[2, -3], [1, 0]], [-5, 0])
    query = np.array([[4, -1]], dtype=object)
    assert absolute_sums(task, query).tolist() == [8 + 3 + 5, 4]
    # A x has 8, 3, 4; b has -5; f(x) = (6, 4).
    assert largest_term(task, query) == 8
    assert absolute_sums(retrieval("g", 1, d=2), query).tolist() == [4, 1]
