"""Numbers at the ends of a format: either the format is not certified, or it is right.

Each case once gave wrong votes or NaN on a format that the build had certified.
"""

from dataclasses import replace
from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from construct import (
    ConstructError,
    Domain,
    OutsideDomain,
    Prompt,
    affine,
    build,
    check_domain,
    embed,
    mixture,
    prepare,
    relu_sum,
    run,
)
from construct.answer import read_answer
from construct.certify.formats import BY_NAME
from construct.checking.verification import compare, specification

ONE = affine("id", [[1]])


def tiny_power(k: int) -> Fraction:
    return Fraction(1, 2**k)


CASES = {
    "B underflows": (ONE, Domain(10**25, 10**25, 10**25), [(0, 10**25)], 0),
    "B is subnormal": (ONE, Domain(2**65, 2**65, 2**65), [(0, 2**65)], 0),
    "B is subnormal in float64": (ONE, Domain(2**512, 2**512, 2**512), [(0, 2**512)], 0),
    "B overflows": (ONE, Domain(*[tiny_power(70)] * 3), [(0, 0), (0, tiny_power(70))], 0),
    "copies overflow": (
        affine("f", [[tiny_power(100)]]),
        Domain(2**125, 2**25, 2**20),
        [(2**125, 2**25)],
        0,
    ),
    "an unread input overflows": (affine("f", [[0]], [1]), Domain(2**126, 2, 1), [(2**126, 1)], 0),
    "an unread input, float64": (affine("f", [[0]], [1]), Domain(10**308, 2, 1), [(10**308, 1)], 0),
    "B A is subnormal": (
        affine("f", [[tiny_power(110)]]),
        Domain(2**120, 2**10, 2**10),
        [(2**120, 2**10), (2**120, 0)],
        2**120,
    ),
    "a weight underflows": (
        affine("f", [[tiny_power(160)]]),
        Domain(2**120, 1, 1),
        [(2**120, 0)],
        2**120,
    ),
    "hinges of opposite scale": (
        relu_sum("f", [[{"c": 10**38, "a": [Fraction(1, 10**38)]}]], [[1]]),
        Domain(8, 8, 1),
        [(2, 2)],
        1,
    ),
    "hinges beyond float32": (
        relu_sum("f", [[{"c": 10**200, "a": [Fraction(1, 10**200)]}]], [[1]]),
        Domain(8, 8, 1),
        [(2, 2)],
        1,
    ),
    "a silent hinge overflows": (
        relu_sum("f", [[{"c": 0, "a": [10**308]}]], [[1]], A=[[1]]),
        Domain(8, 8, 1),
        [(2, 2)],
        1,
    ),
    "exact weights below float64": (
        relu_sum("f", [[{"c": "1e300", "a": ["1e-330"]}]], [["1e30"]]),
        Domain(8, 8, 1),
        [(2, 2)],
        1,
    ),
    "a rational gate": (affine("f", [["1e10"]]), Domain(10**6, 10**17, 1), [(1, 10**10)], 1),
}


# What is certified, and for each other format the margin that has no room.
LARGE, SMALL = "range: weights or intermediates pass 2^", "range: weights fall below 2^-"
UNCERTIFIED = {
    "B underflows": {"float32": LARGE},
    "B is subnormal": {"float32": LARGE},
    "B is subnormal in float64": {"float32": LARGE, "float64": LARGE},
    "B overflows": {"float32": LARGE},
    "copies overflow": {"float32": LARGE},
    "an unread input overflows": {"float32": LARGE},
    "an unread input, float64": {"float32": LARGE, "float64": LARGE},
    "B A is subnormal": {"float32": SMALL},
    "a weight underflows": {"float32": SMALL},
    "hinges of opposite scale": {"float32": LARGE},
    "hinges beyond float32": {
        "float32": LARGE,
        "float64": "label: rounding the prompt may take a label out of its match",
    },
    "a silent hinge overflows": {"float32": LARGE, "float64": LARGE},
    "exact weights below float64": {"float32": LARGE, "float64": SMALL},
    "a rational gate": dict.fromkeys(BY_NAME, "whole: the gate reaches about 2^181 > 2^"),
}
FLOATS = ("numpy", "jax", "sparse", "torch")
# Its label is 2^-40 off: a match for floats, and outside the domain in rationals.
NEARLY = "a weight underflows"
CERTIFIED = [
    (name, executor, dtype)
    for name, refused in UNCERTIFIED.items()
    for executor, dtype in [*product(FLOATS, BY_NAME), ("exact", "exact")]
    if dtype not in refused and (name, dtype) != (NEARLY, "exact")
]


@pytest.mark.parametrize("name", CASES)
def test_a_format_that_an_end_is_beyond_is_not_certified_and_the_margin_is_named(name):
    task, domain, _, _ = CASES[name]
    made = build([task], m=2, domain=domain)
    assert set(made.certificates) == set(BY_NAME)
    for dtype, reasons in made.certificates.items():
        wanted = UNCERTIFIED[name].get(dtype)
        assert (dtype in made.certified) == (not reasons) == (wanted is None)
        assert wanted is None or any(reason.startswith(wanted) for reason in reasons)


@pytest.mark.parametrize(("name", "executor", "dtype"), CERTIFIED)
def test_every_certified_format_votes_as_specified(name, executor, dtype):
    task, domain, pairs, query = CASES[name]
    made = build([task], m=2, domain=domain)
    prompt = Prompt.of([[[x], [y]] for x, y in pairs], [[query]]).astype(dtype)
    answer = run(made, prompt, executor=executor, dtype=dtype)
    assert answer.votes == mixture([task], prompt, delta=domain.delta).votes
    assert all(np.isfinite(float(x)) for x in answer.answer)


def test_a_label_that_floats_take_for_a_match_is_outside_the_domain_of_rationals():
    task, domain, [(x, y), *_], query = CASES[NEARLY]
    made, prompt = build([task], m=2, domain=domain), Prompt.of([[[x], [y]]], [[query]])
    assert abs(task([x])[0] - y) == tiny_power(40)
    with pytest.raises(OutsideDomain, match=r"distance 9\.09495e-13 from task 'f'"):
        run(made, prompt, executor="exact")


def test_ordinary_numbers_stay_certified():
    assert build([ONE], m=2, domain=Domain(100, 100, 1)).certified == ("float32", "float64")


def test_margins_beyond_float64_are_refused_in_one_sentence():
    with pytest.raises(ConstructError, match="beyond the range of float64"):
        build([affine("f", [["1e300"]])], m=2, domain=Domain(8, 10**301, 10**300))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_labels_about_the_tolerance_are_judged_alike_by_specification_and_network(dtype):
    """One third: computed and exact distances lie on either side of the tolerance."""
    third = affine("third", [["1/3"]])
    delta = min(d for d in (Fraction(1, 2**k) for k in range(40)) if dtype in certified(third, d))
    made = build([third], m=1, domain=Domain(1, 1, delta))
    bits = np.finfo(dtype).nmant + 1
    tolerance = float(delta) * 2.0 ** (-(bits + 7) / 2)
    rng = np.random.default_rng(0)
    forward = prepare("numpy", made.transformer, dtype)
    judged = []
    for x in rng.uniform(-0.9, 0.9, 300).astype(dtype):
        y = np.asarray(x / 3 + tolerance, dtype)
        for label in (np.nextafter(y, y.dtype.type(-1)), y, np.nextafter(y, y.dtype.type(1))):
            prompt = Prompt(x.reshape(1, 1, 1), label.reshape(1, 1), x.reshape(1, 1))
            try:
                check_domain(prompt, made.tasks, made.domain, m=1)
            except OutsideDomain:
                judged.append(None)
                continue
            got = read_answer(made, forward(embed(made.transformer, prompt)), 1)
            judged.append(got.votes[0])
            assert got.votes == mixture([third], prompt, delta=delta).votes
    # Both verdicts occur: the labels do lie about the tolerance.
    assert {None, 1} <= set(judged)


def certified(task, delta) -> tuple[str, ...]:
    return build([task], m=1, domain=Domain(1, 1, delta)).certified


@pytest.mark.parametrize("grid", ["1/10", "1/3", "2/3", "1/49"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_rounded_multiple_of_the_grid_is_in_the_domain(grid, dtype):
    step = Fraction(grid)
    made = build([ONE], m=8, domain=Domain(step * 40, step * 40, step, grid=step))
    assert dtype in made.certified
    steps = [-40, -13, -3, 0, 1, 3, 29, 40]
    prompt = Prompt.of([[[k * step], [k * step]] for k in steps], [[step]])
    assert run(made, prompt, executor="numpy", dtype=dtype).votes == (8,)


# --- Features that are written more than once --------------------------------

# What is certified is the map, whose equal features are one; what is specified is the sum
# as it is written, without rounding.
STEP = [{"a": [1]}]


def plus_positive_part(*C):
    """f(x) = x + (sum of C) max(x, 0), written with as many features."""
    return relu_sum("f", [STEP] * len(C), [list(C)], A=[[1]])


WRITTEN = {
    "cancelling at 1e17": (plus_positive_part(10**17, 1 - 10**17), 2),
    "cancelling at 1e8": (plus_positive_part(10**8, 1 - 10**8), 2),
    "cancelling at the end of float64": (
        plus_positive_part(17 * 10**307, 1 - 17 * 10**307),
        2,
    ),
    "3000 thirds of a thousandth": (plus_positive_part(*[Fraction(1, 3000)] * 3000), 2),
    "seven sevenths": (plus_positive_part(*[Fraction(1, 7)] * 7), 2),
    "50 and -49": (plus_positive_part(50, -49), 2),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_equal_features_are_certified_compiled_and_specified_as_one_map(name):
    task, slope = WRITTEN[name]
    made = build([task], m=6, domain=Domain(8, 32, 1))
    assert made.sizes.P == 1
    assert {"float32", "float64"} <= set(made.certified)
    x = [Fraction(3, 10), Fraction(-1, 3), 8, Fraction(7, 5), -8, 0]
    pairs = [(v, slope * v if v > 0 else v) for v in x]
    prompt = Prompt.of([[[v], [y]] for v, y in pairs], [["7/3"]])
    for executor, dtype in [*product(FLOATS, made.certified), ("exact", "exact")]:
        numbers = prompt.astype(dtype)
        answer = run(made, numbers, executor=executor, dtype=dtype)
        assert answer.votes == mixture([task], numbers).votes == (6,)
        _, wrong = compare(made, numbers, specification(made, numbers), answer, dtype)
        assert not wrong


@pytest.mark.parametrize("name", WRITTEN)
def test_an_answer_is_held_to_the_terms_that_the_network_adds_up(name):
    task, slope = WRITTEN[name]
    made = build([task], m=2, domain=Domain(8, 32, 1))
    prompt = Prompt.of([[[1], [slope]]], [[3]]).astype("float64")
    right = run(made, prompt, executor="numpy")
    wrong = replace(right, answer=right.answer * (1 + 1e-13))
    wanted = specification(made, prompt)
    assert not compare(made, prompt, wanted, right, "float64")[1]
    assert compare(made, prompt, wanted, wrong, "float64")[1]


@pytest.mark.parametrize("name", WRITTEN)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_label_off_a_task_of_equal_features_is_outside(name, dtype):
    task, _ = WRITTEN[name]
    made = build([task], m=1, domain=Domain(8, 32, 1))
    prompt = Prompt.of([[["3/10"], [0]]], [[1]])
    for executor in FLOATS:
        with pytest.raises(OutsideDomain, match=r"distance 0\.6"):
            run(made, prompt, executor=executor, dtype=dtype)


@pytest.mark.parametrize("name", WRITTEN)
def test_no_rounded_prompt_of_a_task_of_equal_features_is_refused_at_its_limit(name):
    task, _ = WRITTEN[name]
    made = build([task], m=64, domain=Domain(8, 32, 1))
    rng = np.random.default_rng(0)
    assert made.certified == ("float32", "float64")
    for dtype in made.certified:
        times = made.limits[dtype].times
        domain = Domain(8 * times, 32 * times, 1)
        largest = build([task], m=64, domain=domain)
        assert dtype in largest.certified
        steps = rng.integers(-(2**40), 2**40, 64).tolist()
        x = [Fraction(k, 3 * 2**40) * domain.R for k in steps]
        prompt = Prompt.of([[[v], task([v])] for v in x], [[1]]).astype(dtype)
        check_domain(prompt, [task], domain, 64)
        assert mixture([task], prompt).votes == (64,)


def test_seven_sevenths_on_a_grid_keep_every_prompt():
    task, _ = WRITTEN["seven sevenths"]
    made = build([task], m=33, domain=Domain(16, 32, 1, grid=1))
    prompt = Prompt.of([[[v], task([v])] for v in range(-16, 17)], [[1]])
    for dtype in ("float32", "float64"):
        assert run(made, prompt, executor="numpy", dtype=dtype).votes == (33,)


# --- What underflows ----------------------------------------------------------


@pytest.mark.parametrize("executor", FLOATS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_query_near_the_least_number_is_answered_in_full(executor, dtype):
    """1/N of it is below the least normal number; N is multiplied first."""
    made = build([ONE], m=31, domain=Domain(8, 32, 1))
    tiny = BY_NAME[dtype].tiny
    query = Fraction(7, 8) * made.sizes.N * tiny
    prompt = Prompt.of([[[v], [v]] for v in (1, 2)], [[query]]).astype(dtype)
    answer = run(made, prompt, executor=executor, dtype=dtype)
    _, wrong = compare(made, prompt, specification(made, prompt), answer, dtype)
    assert not wrong
    assert Fraction(float(answer.answer[0])) == query


def test_a_reason_of_thousands_of_digits_is_a_sentence():
    """Python writes no whole number of more than 4300 digits: it was a ValueError."""
    huge = relu_sum("f", [[{"a": [10**599], "c": 10**599}]], [[10**599]])
    with pytest.raises(ConstructError, match="beyond the range of float64"):
        build([huge], m=1, domain=Domain(10**599, 10**599, 1))
    made = build([affine("f", [[1]])], m=1, domain=Domain(10**200, 10**200, 10**60))
    [*reasons] = made.certificates["float32"]
    assert any(reason.startswith("whole: the gate reaches about 2^") for reason in reasons)
    assert max(map(len, reasons)) < 100
