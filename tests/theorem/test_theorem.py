"""Theorem 1, run: the transformer says the mixture, exactly where numbers are exact.

Xiong et al. (2410.05603), Theorem 1, in its strict reading: the answer is equal to
sum_k c_k f_k(X_q) / sum_k c_k; floats differ by roundings that can be counted.

`make attack` tries the same on random artifacts and prompts for as long as it is asked to.
"""

import functools
import itertools
from dataclasses import replace
from fractions import Fraction as Q

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import construct
from construct import Domain, Prompt, build, mixture, run
from construct.answer import read_answer
from construct.designs.theorem.embedding import embed_all
from construct.execute import registry
from construct.execute.passes import Pass, prepare
from generators import (
    WHOLE,
    Case,
    Known,
    Shape,
    cases,
    cases_with_prompts,
    prompts,
    sample,
)
from kinds import KINDS
from theorem.oracle import check, expected, fractions


@pytest.fixture(autouse=True, scope="module")
def one_torch_thread():
    """These matrices are too small to share between threads."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


FORMATS = ("float64", "float32")
EXECUTORS = [(one.name, dtype) for one in registry.EXECUTORS.values() for dtype in one.formats]


@settings(max_examples=100)
@given(cases_with_prompts())
def test_exact_executor_equals_the_mixture(given_):
    case, given_prompts = given_
    for prompt in given_prompts:
        delta = case.construction.domain.delta
        stated = mixture(case.construction.tasks, prompt, delta=delta)
        got = run(case.construction, prompt, executor="exact")
        assert got.votes == stated.votes
        assert got.weights == stated.weights
        assert got.unexplained == stated.unexplained
        assert got.ambiguous == stated.ambiguous
        assert (got.answer == stated.answer).all()


@settings(max_examples=75)
@given(cases_with_prompts())
def test_mixture_is_what_the_definition_says(given_):
    """The specification, against counting with fractions and what each task means."""
    case, given_prompts = given_
    for prompt in given_prompts:
        stated = mixture(case.construction.tasks, prompt, delta=case.construction.domain.delta)
        wanted = expected(case, prompt)
        assert stated.votes == wanted.votes
        assert fractions(stated.answer) == wanted.answer
        assert (stated.unexplained, stated.ambiguous) == (wanted.unexplained, wanted.ambiguous)


@pytest.mark.parametrize("executor", ["numpy", "torch"])
@pytest.mark.parametrize("dtype", FORMATS)
def test_float_executor_differs_by_counted_roundings(executor, dtype):
    @settings(max_examples=75)
    @given(cases_with_prompts(dtype))
    def holds(given_):
        case, given_prompts = given_
        for prompt in given_prompts:
            check(
                case, prompt, run(case.construction, prompt, executor=executor, dtype=dtype), dtype
            )

    holds()


@settings(max_examples=100)
@given(cases_with_prompts())
def test_rounding_a_rational_prompt_keeps_it_in_the_domain_with_its_votes(given_):
    """Matches stay matches and mismatches mismatches, in every certified format."""
    case, given_prompts = given_
    assume(case.construction.certified)
    for prompt, dtype in itertools.product(given_prompts, case.construction.certified):
        got = run(case.construction, prompt, executor="numpy", dtype=dtype)
        assert got.votes == expected(case, prompt).votes


# Compiling for a new shape takes JAX a second: few task sets, with all kinds in them.
JAX_SETS = [
    ("affine", "permutation", "retrieval"),
    ("lookup", "shift", "sum", "affine"),
    ("relu-sum", "absolute"),
    ("maximum", "minimum", "relu", "clip"),
]
# And those that came later.
if others := tuple(KINDS.keys() - set(itertools.chain(*JAX_SETS))):
    JAX_SETS.append(tuple(sorted(others)))
BATCH = 8


def richness(case: Case) -> tuple:
    """Which task set leaves most to go wrong."""
    sizes, domain = case.construction.sizes, case.construction.domain
    return len(case.known), domain.grid is None, sizes.d, sizes.S, sizes.m


@functools.cache
def richest(dtype: str, kinds: tuple[str, ...]) -> Case:
    return max(sample(cases(dtype, kinds), 40), key=richness)


@pytest.mark.parametrize("kinds", JAX_SETS, ids=" ".join)
@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("executor", ["jax", "sparse"])
def test_jax_differs_by_counted_roundings(executor, kinds, dtype):
    case = richest(dtype, kinds)
    forward = prepare(executor, case.construction.transformer, dtype)
    blank = Prompt.of([], [[0] * case.shape.d] * (case.shape.n - 1)).astype(dtype)

    @settings(max_examples=20)
    @given(st.lists(prompts(case, dtype), min_size=1, max_size=BATCH))
    def holds(batch):
        padded = batch + [blank] * (BATCH - len(batch))
        done = forward(embed_all(case.construction.transformer, padded))
        for prompt, stream, attended in zip(padded, done.stream, done.attended, strict=True):
            got = read_answer(case.construction, Pass(stream, attended), len(prompt.X))
            check(case, prompt, got, dtype)

    holds()


@pytest.mark.parametrize("dtype", FORMATS)
def test_mixture_of_floats_has_the_votes_of_the_definition(dtype):
    @settings(max_examples=50)
    @given(cases_with_prompts(dtype))
    def holds(given_):
        case, given_prompts = given_
        for prompt in given_prompts:
            exact_query = replace(prompt, query=prompt.astype("exact").query)
            delta = case.construction.domain.delta
            stated = mixture(case.construction.tasks, exact_query, delta=delta)
            wanted = expected(case, prompt, dtype)
            assert stated.votes == wanted.votes
            assert fractions(stated.answer) == wanted.answer

    holds()


# --- Attacks -------------------------------------------------------------------


def linear_set(K: int, d: int) -> tuple[Known, ...]:
    """K multiples of the identity: all agree at zero, and are whole numbers apart."""
    shape, one = Shape(d, 2, WHOLE), np.eye(d, dtype=int)
    return tuple(
        Known.of(f"times {k}", {"kind": "affine", "A": (k * one).tolist()}, shape)
        for k in range(1, K + 1)
    )


def attack_case(known: tuple[Known, ...], m: int, domain: Domain | None = None) -> Case:
    d = known[0].task.d
    built = build([one.task for one in known], m=m, n=2, domain=domain)
    return Case(built, known, Shape(d, 2, WHOLE))


def attack(case: Case, examples: list, query: list, executor: str, dtype: str):
    prompt = Prompt.of(examples, query).astype(dtype)
    got = run(case.construction, prompt, executor=executor, dtype=dtype)
    check(case, prompt, got, dtype)
    return got


@pytest.mark.parametrize(("executor", "dtype"), EXECUTORS)
def test_label_at_exactly_delta_at_the_extremes_is_no_match(executor, dtype):
    R, delta = 8, 1
    case = attack_case(linear_set(2, 4), m=16, domain=Domain(R, 32, delta))
    examples = []
    for signs in itertools.product([R, -R], repeat=4):
        y = [2 * x for x in signs]
        y[len(examples) % 4] += delta if len(examples) % 2 else -delta
        examples.append([list(signs), y])
    got = attack(case, examples, [[R, -R, R, R]], executor, dtype)
    assert got.votes == (0, 0)
    assert got.unexplained == tuple(range(16))
    assert not got.answer.any()


@pytest.mark.parametrize(
    ("task", "domain", "example", "votes"),
    [
        # f(1) = -2/3 + 5/3 = 1 exactly, and a little less in float64.
        (construct.clip("c", Q(-2, 3), 1, d=1), Domain(2, 4, 1, grid=1), [[1], [0]], (0,)),
        # No float is a third: a format is certified only if it holds the grid.
        (
            construct.retrieval("r", 1, d=1),
            Domain(2, 2, 1, grid=Q(1, 3)),
            [[Q(5, 3)], [Q(5, 3)]],
            (1,),
        ),
    ],
    ids=["thirds in a task", "thirds in the grid"],
)
def test_grid_prompt_is_in_the_domain_of_every_certified_format(task, domain, example, votes):
    built, prompt = build([task], m=1, domain=domain), Prompt.of([example], [[0]])
    assert run(built, prompt, executor="exact").votes == votes
    assert set(built.certified) == set(FORMATS)
    for dtype in built.certified:
        assert run(built, prompt, executor="numpy", dtype=dtype).votes == votes


@pytest.mark.parametrize(("executor", "dtype"), EXECUTORS)
def test_match_at_the_extremes_beside_labels_at_delta_counts_once(executor, dtype):
    R, delta = 8, 1
    case = attack_case(linear_set(2, 4), m=3, domain=Domain(R, 32, delta))
    x, y = [R, -R, R, -R], [2 * R, -2 * R, 2 * R, -2 * R]
    near = [[x, [*y[:3], y[3] + sign * delta]] for sign in (1, -1)]
    got = attack(case, [near[0], [x, y], near[1]], [x], executor, dtype)
    assert got.votes == (0, 1)
    assert got.answer.tolist() == y


@pytest.mark.parametrize(("executor", "dtype"), EXECUTORS)
def test_every_example_may_vote_for_every_task(executor, dtype):
    K, m, d = 7, 31, 2
    case = attack_case(linear_set(K, d), m=m, domain=Domain(R=2, Ry=16, delta=1))
    got = attack(case, [[[0] * d, [0] * d]] * m, [[2, Q(1, 3)]], executor, dtype)
    assert got.votes == (m,) * K
    assert sum(got.votes) == case.construction.sizes.M
    assert got.ambiguous == tuple(range(m))


@pytest.mark.parametrize(("executor", "dtype"), EXECUTORS)
def test_smallest_construction(executor, dtype):
    """One task, one slot, one dimension, one input."""
    third = {"kind": "affine", "A": [[Q(1, 3)]], "b": [1]}
    known = Known.of("third", third, Shape(1, 2, WHOLE))
    case = attack_case((known,), m=1, domain=Domain(R=4, Ry=4, delta=Q(1, 4)))
    assert attack(case, [[[3], [2]]], [[-4]], executor, dtype).votes == (1,)
    assert attack(case, [[[3], [Q(9, 4)]]], [[-4]], executor, dtype).votes == (0,)
    assert attack(case, [], [[4]], executor, dtype).votes == (0,)


@pytest.mark.parametrize(("executor", "dtype"), EXECUTORS)
def test_subnormal_numbers_neither_vote_wrongly_nor_spread(executor, dtype):
    """Far below delta the zero label is a match; an answer may flush to zero, no more."""
    case = attack_case(linear_set(3, 1), m=2)
    tiny = Q(5, 10**324) if dtype == "exact" else Q(float(np.finfo(dtype).smallest_subnormal))
    smallest = Q(0) if dtype == "exact" else Q(float(np.finfo(dtype).tiny))
    prompt = Prompt.of([[[1], [2]]], [[tiny]]).astype(dtype)
    got = run(case.construction, prompt, executor=executor, dtype=dtype)
    assert got.votes == (0, 1, 0)
    assert abs(fractions(got.answer)[0] - 2 * tiny) <= smallest
