import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings

from construct import Domain, Prompt, Sizes, affine, build, check_domain, mixture, run
from construct.certify import Margins, choose_margins
from construct.certify.bounds import Bounds
from construct.certify.formats import FLOAT32, FLOAT64, FORMATS
from construct.certify.margins import failures
from construct.designs.theorem.wiring import Wiring
from generators import whole_cases

SIZES = Sizes(K=2, d=4, m=7, n=2)  # ell_e = 3, ell_t = 1
UNIT = Domain(R=1, Ry=1, delta=1)


def is_power_of_two(x) -> bool:
    x = Fraction(x)
    return all(part & (part - 1) == 0 for part in (x.numerator, x.denominator))


def failed(sizes=SIZES, domain=UNIT, fmt=FLOAT32, E2=4, terms=6, step=None, **others):
    """The names of the conditions that fail; all hold where nothing else is said."""
    ours = ("largest", "summed2", "closed")
    margins = {name: value for name, value in others.items() if name not in ours}
    B = margins.get("B", 2)
    numbers = {"B": B, "C": 16, "s": 16, "N": sizes.N, **margins}
    one = Fraction(1)
    bounds = Bounds(
        E2=Fraction(E2),
        summed2=Fraction(others.get("summed2", E2)),
        home2=Fraction(E2),
        moved2=Fraction(E2),
        largest=Fraction(others.get("largest", 2)),
        L=margins.get("L", 0),
        closed=others.get("closed", (Fraction(0), Fraction(0), 0)),
        terms=terms,
        operations=3 * terms,
        numbers=(one, one),
        inner=one,
        step=step,
    )
    found = failures(sizes, bounds, domain, Margins(**numbers), fmt)
    return {sentence.split(":")[0] for sentence in found}


# --- Each condition, at its threshold ----------------------------------------


def test_all_conditions_hold_in_the_base_case():
    assert failed() == set()


@pytest.mark.parametrize("delta", [1, Fraction(1, 2), 4])
def test_B_is_at_least_1_over_delta_squared(delta):
    domain = Domain(1, 1, delta)
    least = 1 / Fraction(delta) ** 2
    E2 = 4 * Fraction(delta) ** 2
    exact = {"domain": domain, "E2": E2, "largest": 1, "step": Fraction(1, 4)}
    assert "margins" not in failed(B=least, **exact)
    assert "margins" in failed(B=least * Fraction(999, 1000), **exact)


def test_2C_is_at_least_1_plus_B_E_squared():
    assert "margins" not in failed(B=2, E2=Fraction(15, 2), C=8)
    assert "margins" in failed(B=2, E2=Fraction(151, 20), C=8)


@pytest.mark.parametrize("fmt", FORMATS, ids=lambda f: f.name)
def test_whole_numbers_of_the_gate_are_at_most_2_to_the_p(fmt):
    # C (ell_e + 3 ell_t + 2) + 1 = 8 C + 1
    assert "whole" not in failed(fmt=fmt, C=(1 << fmt.p) // 16)
    assert "whole" in failed(fmt=fmt, C=(1 << fmt.p) // 8)


@pytest.mark.parametrize("fmt", FORMATS, ids=lambda f: f.name)
def test_whole_numbers_of_the_reciprocal_table_are_at_most_2_to_the_p(fmt):
    # 2 M^2 - 1 <= 2^p, M = m K
    largest = math.isqrt(((1 << fmt.p) + 1) // 2)
    for M, fails in ((largest, False), (largest + 1, True)):
        sizes = Sizes(K=1, d=4, m=M, n=2)
        assert ("whole" in failed(sizes, fmt=fmt, C=4, B=1, E2=1)) == fails


@pytest.mark.parametrize(("fmt", "longest"), [(FLOAT32, 2048), (FLOAT64, 47_453_132)])
def test_whole_numbers_of_the_head_that_fills_scratch_tokens_are_at_most_2_to_the_p(fmt, longest):
    # 4 (n + w - 1)^2 + 2 ell_e, here with ell_e = 1
    for length, fails in ((longest, False), (longest + 2, True)):
        sizes = Sizes(K=1, d=4, m=1, n=length - 1, w=1)
        assert (4 * (length - 1) ** 2 + 2 > 1 << fmt.p) == fails
        assert ("whole" in failed(sizes, fmt=fmt)) == fails
        assert "whole" not in failed(replace(sizes, n=length, w=0), fmt=fmt)


def test_nothing_overflows():
    assert failed(largest=Fraction(2) ** 100) == set()
    assert failed(largest=Fraction(2) ** 120) == {"range"}
    assert failed(largest=Fraction(2) ** 120, fmt=FLOAT64) == set()
    assert failed(largest=Fraction(2) ** 1020, fmt=FLOAT64) == {"range"}


def test_rounding_of_a_match_vanishes_beside_1():
    assert failed(terms=20_000) >= {"match"}
    assert failed(terms=20_000, fmt=FLOAT64) == set()


def test_a_match_needs_B_below_its_own_limit():
    # (1 + gamma) B (2^-(p+7)) 2^(p+1) <= 1 fails for B = 64.
    exact = {"E2": Fraction(1, 4), "C": 64}
    assert "match" in failed(B=64, **exact)
    assert "match" not in failed(B=16, **exact)


def test_a_mismatch_at_delta_needs_room_for_the_rounding_of_the_score():
    assert "mismatch" in failed(B=1)
    assert "mismatch" not in failed(B=2)


def test_rounding_off_target_needs_room_between_2C_and_1_plus_B_E_squared():
    # 2 C - 1 - B E^2 = 0 leaves no room.
    assert failed(B=2, E2=Fraction(31, 2), C=16) == {"off"}
    assert failed(B=2, E2=Fraction(31, 2), C=32) == set()


def test_off_target_the_summands_of_gates_are_rounded_though_they_cancel():
    # gamma^_6 is about 6 2^-24: beside E = 2 the rounding of 2^20 and more counts.
    assert failed(summed2=Fraction(2) ** 36) == set()
    assert failed(summed2=Fraction(2) ** 46) == {"off"}
    assert failed(summed2=Fraction(2) ** 46, fmt=FLOAT64) == set()


def test_a_gate_is_at_least_as_high_as_the_hinges_that_it_closes():
    held, summed = Fraction(4), Fraction(20)
    assert failed(L=8, closed=(held, summed, 9)) == set()
    assert failed(L=2, closed=(held, summed, 9)) == {"margins", "home"}


def test_a_closed_hinge_needs_room_for_its_rounding():
    # Of summands of 2^20 each 9 roundings take up to 9 2^-4.
    summed = Fraction(2) ** 20
    for held, fails in ((8 - 2, False), (8 - Fraction(1, 2), True)):
        found = failed(L=8, closed=(Fraction(held), summed, 9))
        assert found == ({"home"} if fails else set())
    assert failed(L=8, closed=(Fraction(15, 2), summed, 9), fmt=FLOAT64) == set()


def test_on_a_grid_everything_is_exact_and_rounding_needs_no_room():
    tight = {"B": 1, "E2": 31, "C": 16, "terms": 10**6}
    assert failed(**tight) >= {"match", "mismatch", "off"}
    assert failed(**tight, step=Fraction(1)) == set()
    assert failed(**tight, step=Fraction(1, 4)) == set()


def test_a_grid_is_exact_only_in_steps_of_powers_of_two_within_p_bits():
    tight = {"B": 1, "E2": 31, "C": 16, "terms": 10**6}
    assert failed(**tight, step=Fraction(1, 3)) != set()
    assert failed(**tight, step=Fraction(1, 2**12)) != set()
    assert failed(**tight, step=Fraction(1, 2**12), fmt=FLOAT64) == set()


# --- The choice --------------------------------------------------------------


@settings(max_examples=30)
@given(whole_cases())
def test_margins_are_powers_of_two_above_the_thresholds_of_exact_arithmetic(case):
    construction, _ = case.build()
    margins, sizes = construction.margins, construction.sizes
    E2 = Bounds.of(construction.wiring, construction.domain).E2
    assert all(map(is_power_of_two, (margins.B, margins.C, margins.s, margins.N)))
    assert margins.B * construction.domain.delta**2 >= 1
    assert 2 * margins.C >= 1 + margins.B * E2
    assert margins.s >= sizes.M > margins.s / 2
    assert margins.N == sizes.N


@pytest.mark.parametrize("delta", [Fraction(1, 100), Fraction(1, 3), Fraction(5, 2), 7])
def test_margins_are_powers_of_two_for_any_delta(delta):
    wiring = Wiring.of([affine("f", [[1]])])
    margins = choose_margins(Sizes(1, 1, 1, 2), wiring, Domain(1, 1, delta))
    assert is_power_of_two(margins.B)
    assert margins.B * delta**2 >= 1


def test_no_smaller_margins_are_certified():
    construction = build([affine("f", [["1/3", 0], [1, 1]]), affine("g", [[0, 1], [1, 0]])], m=8)
    sizes, margins = construction.sizes, construction.margins
    bounds = Bounds.of(construction.wiring, construction.domain)
    assert "float32" in construction.certified

    def holds(changed):
        return not list(failures(sizes, bounds, construction.domain, changed, FLOAT32))

    assert holds(margins)
    assert not holds(replace(margins, C=Fraction(margins.C) / 2))
    assert not holds(replace(margins, B=Fraction(margins.B) / 2))


# --- Certificates ------------------------------------------------------------


def test_float32_is_certified_for_a_small_domain_and_float64_for_a_wide_one():
    task = [affine("f", [[0, 1], [1, 0]])]
    wide = build(task, m=4, domain=Domain(1000, 1000, Fraction(1, 100)))
    small = build(task, m=4, domain=Domain(4, 4, 1))
    assert small.certified == ("float32", "float64")
    assert wide.certified == ("float64",)
    assert all(isinstance(reason, str) for reason in wide.certificates["float32"])


def test_nothing_is_certified_where_no_float_can_keep_delta():
    task = [affine("f", [[1]])]
    construction = build(task, m=1, domain=Domain(10**6, 10**6, Fraction(1, 10**12)))
    assert construction.certified == ()
    assert all(construction.certificates.values())


def test_one_hot_words_are_certified_for_float32_at_any_d():
    identity = np.eye(300, dtype=int)
    domain = Domain(1, 1, 1, grid=1)
    tasks = [affine("f", np.roll(identity, 1, axis=0)), affine("g", identity)]
    assert build(tasks, m=100, domain=domain).certified == ("float32", "float64")


def attacked(rng: np.random.Generator, d: int):
    """Dense tasks of entries that no float holds, at the least delta for float32."""
    A, b = rng.integers(-9, 10, (2, d, d)), rng.integers(-9, 10, (2, d))
    tasks = [affine(f"f{k}", A[k] * Fraction(1, 7), b[k] * Fraction(1, 7)) for k in range(2)]
    for exponent in range(-6, 8):
        delta = Fraction(2) ** exponent
        construction = build(tasks, m=16, domain=Domain(1, 16 + 2 * delta, delta))
        if "float32" in construction.certified:
            assert exponent > -6
            return construction
    raise AssertionError("float32 is certified for no delta")


@pytest.mark.parametrize("executor", ["numpy", "torch", "jax", "sparse"])
@pytest.mark.parametrize("d", [1, 3, 8])
def test_in_float32_labels_at_delta_never_vote_and_labels_of_a_task_always_do(executor, d):
    rng = np.random.default_rng(d)
    construction = attacked(rng, d)
    domain, tasks, m = construction.domain, construction.tasks, construction.sizes.m
    R, delta = float(domain.R), float(domain.delta)
    for _ in range(8):
        X = rng.choice([-R, R, *rng.uniform(-R, R, 3)], (m, 1, d))
        direction = rng.normal(size=(m, d))
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        at_delta = rng.random(m) < 0.5
        Y = tasks[0](X) + delta * at_delta[:, None] * direction
        # Labels of one task may come too near to the other; those are left out.
        gap = np.linalg.norm(tasks[1](X) - Y, axis=1)
        kept = gap > 1.01 * delta
        prompt = Prompt(X[kept], Y[kept], X[0]).astype("float32")
        check_domain(prompt, tasks, domain, m)
        votes = (int((kept & ~at_delta).sum()), 0)
        assert mixture(tasks, prompt, delta=domain.delta).votes == votes
        assert run(construction, prompt, executor=executor, dtype="float32").votes == votes


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_labels_off_by_as_much_as_a_match_allows_vote_in_full(dtype):
    rng = np.random.default_rng(0)
    construction = build([affine("f", [[1, 0], [0, 1]])], m=8, domain=Domain(1, 1, 1))
    p = np.finfo(dtype).nmant + 1
    X = np.zeros((8, 1, 2), dtype)
    direction = rng.normal(size=(8, 2))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    Y = (0.999 * 2.0 ** (-(p + 7) / 2) * direction).astype(dtype)
    prompt = Prompt(X, Y, X[0])
    assert mixture(construction.tasks, prompt).votes == (8,)
    assert run(construction, prompt, executor="numpy", dtype=dtype).votes == (8,)
