from fractions import Fraction

import numpy as np
import pytest

from construct import (
    Domain,
    Vocabulary,
    absolute,
    add,
    affine,
    build,
    check_domain,
    lookup,
    maximum,
    mixture,
    random_tasks,
    retrieval,
)
from construct.sampling import in_domain, random_prompts

WORDS = Vocabulary("abcdef")
TABLES = [
    lookup("next", dict(zip("abcdef", "bcdefa", strict=True)), vocabulary=WORDS),
    lookup("same", dict(zip("abcd", "abcd", strict=True)), vocabulary=WORDS),
    lookup("swap", dict(zip("abcdef", "badcfe", strict=True)), vocabulary=WORDS),
]
CONSTRUCTIONS = {
    "affine": build(random_tasks(4, 3), m=6),
    "operands": build(
        [add("sum", (1, 2), d=2), retrieval("op1", 1, d=2), maximum("max", d=2)], m=5
    ),
    "dictionary": build([absolute("abs", d=2), affine("third", [["1/3", 0], [0, 1]])], m=5),
    "grid": build(random_tasks(3, 2), m=5, domain=Domain(4, 8, 1, Fraction(1, 2))),
    "words": build(TABLES, m=5, vocabulary=WORDS),
}
named = pytest.mark.parametrize("construction", CONSTRUCTIONS.values(), ids=CONSTRUCTIONS)


@named
@pytest.mark.parametrize("dtype", ["float32", "float64", "exact"])
def test_every_prompt_is_in_the_domain_in_every_format(construction, dtype):
    for prompt in random_prompts(construction, 60, seed=1, exact=dtype == "exact"):
        numbers = prompt.astype(dtype)
        check_domain(numbers, construction.tasks, construction.domain, construction.sizes.m)


@named
@pytest.mark.parametrize("exact", [True, False])
def test_a_seed_gives_the_same_prompts_again_and_another_seed_others(construction, exact):
    first, again, other = (
        [
            [a.tolist() for a in (p.X, p.Y, p.query)]
            for p in random_prompts(construction, 5, s, exact=exact)
        ]
        for s in (3, 3, 4)
    )
    assert first == again
    assert first != other


@named
def test_prompts_hold_their_share_of_ties_noise_blanks_and_silence(construction):
    prompts, m = random_prompts(construction, 300, seed=0), construction.sizes.m
    delta = construction.domain.delta
    mixtures = [mixture(construction.tasks, prompt, delta=delta) for prompt in prompts]

    def share(holds) -> float:
        return sum(map(bool, holds)) / len(prompts)

    assert share(x.ambiguous for x in mixtures) >= 0.015
    assert share(x.unexplained for x in mixtures) >= 0.3
    assert share(len(p.X) < m for p in prompts) >= 0.3
    assert share(len(p.X) == m for p in prompts) >= 0.1
    assert share(not len(p.X) for p in prompts) >= 0.05
    assert share(len(x.unexplained) and not any(x.votes) for x in mixtures) >= 0.01
    assert share(sum(map(bool, x.votes)) > 1 for x in mixtures) >= 0.08
    # Every task is voted for, and no task always.
    for k in range(len(construction.tasks)):
        assert 0.1 <= share(x.votes[k] for x in mixtures) <= 0.95


@pytest.mark.parametrize("name", ["affine", "operands", "dictionary", "grid"])
def test_prompts_reach_the_bounds_and_labels_at_distance_delta(name):
    construction = CONSTRUCTIONS[name]
    domain = construction.domain
    prompts = random_prompts(construction, 200, seed=0, exact=True)
    assert max(abs(p.X).max() for p in prompts if len(p.X)) == domain.R
    assert max(abs(p.Y).max() for p in prompts if len(p.Y)) == domain.Ry
    squares = np.concatenate(
        [
            ((task(p.X) - p.Y) ** 2).sum(axis=-1).astype(object)
            for p in prompts
            for task in construction.tasks
        ]
    )
    assert sum(s == domain.delta**2 for s in squares) >= 20


@named
def test_labels_of_exact_prompts_are_exact(construction):
    for prompt in random_prompts(construction, 20, seed=2, exact=True):
        assert {prompt.X.dtype, prompt.Y.dtype, prompt.query.dtype} == {np.dtype(object)}
        assert {type(x) for a in (prompt.X, prompt.Y, prompt.query) for x in a.flat} <= {
            int,
            Fraction,
        }


def test_prompts_of_words_are_one_hot():
    for prompt in random_prompts(CONSTRUCTIONS["words"], 50, seed=0):
        tokens = np.concatenate([prompt.X.reshape(-1, 6), prompt.Y, prompt.query])
        assert set(tokens.ravel()) == {0, 1}
        assert (tokens.sum(axis=1) == 1).all()


@pytest.mark.parametrize(
    ("x", "y", "inside"),
    [
        (1, 1, True),
        (1, 2, True),
        (1, 1.5, False),
        (4.5, 4.5, False),
        (4, 9, False),
        (0.25, 0.25, True),
        (-4, 8, True),
    ],
)
def test_an_example_is_inside_if_bounded_and_clear_of_every_task(x, y, inside):
    tasks, domain = [retrieval("f", 1, d=1)], Domain(4, 8, 1)
    assert in_domain(np.array([[float(x)]]), np.array([float(y)]), tasks, domain) == inside
    exact = np.array([[Fraction(x)]], object), np.array([Fraction(y)], object)
    assert in_domain(*exact, tasks, domain) == inside
