"""Witnesses are judged by the specification, exclusions by trying everything on a grid."""

import itertools
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from construct import (
    Domain,
    Prompt,
    Vocabulary,
    absolute,
    add,
    affine,
    build,
    check_domain,
    lookup,
    mixture,
    parse_tasks,
    random_tasks,
    relu_sum,
    retrieval,
    shift,
)
from construct.checking.witness import Exclusion, Witness, survey, witnesses
from construct.matrix import Matrix
from construct.spec.normal_form import same_map

THIRD = Fraction(1, 3)


def votes(made, X, y) -> tuple[int, ...]:
    """The votes of one example, after the domain check."""
    prompt = Prompt(X[None], y[None], X)
    check_domain(prompt, made.tasks, made.domain, made.sizes.m)
    return mixture(made.tasks, prompt, delta=made.domain.delta).votes


def by_force(made) -> set[int]:
    """The tasks that some example of a small grid votes for: every example is tried."""
    domain, sizes = made.domain, made.sizes
    steps = int(domain.R // domain.grid)
    entries = [k * domain.grid for k in range(-steps, steps + 1)]
    voted = set()
    for numbers in itertools.product(entries, repeat=(sizes.n - 1) * sizes.d):
        X = np.array(numbers, dtype=object).reshape(sizes.n - 1, sizes.d)
        values = [task(X) for task in made.tasks]
        for y in values:
            squares = [((value - y) ** 2).sum() for value in values]
            label = max(abs(y)) <= domain.Ry and not (y % domain.grid).any()
            if label and all(s == 0 or s >= domain.delta**2 for s in squares):
                voted |= {k for k, s in enumerate(squares) if s == 0}
    return voted


def check(made) -> list:
    """Every witness votes, and what the build says is what the search says."""
    found = witnesses(made)
    for k, one in enumerate(found):
        if isinstance(one, Witness):
            assert votes(made, one.X, one.y)[k] == 1
    excluded = {name for e in survey(made).excluded for name in e.tasks}
    names = {t.name for t, one in zip(made.tasks, found, strict=True) if isinstance(one, Exclusion)}
    assert excluded == names
    return found


numbers = st.sampled_from([0, 0, 1, -1, 2, Fraction(1, 2), THIRD])


@st.composite
def cases(draw):
    """Numbers for a few tasks close to each other, in a small domain on a grid."""
    d = draw(st.integers(1, 2))
    vector = st.lists(numbers, min_size=d, max_size=d)
    matrix = st.lists(vector, min_size=d, max_size=d)
    chosen = draw(st.sets(st.sampled_from(["moved", "other", "bent", "abs"]), max_size=3))
    domain = (
        draw(st.sampled_from([1, 2, THIRD])),
        draw(st.sampled_from([Fraction(1, 4), 1, 5])),
        draw(st.sampled_from([Fraction(1, 10), 1, 2, 7])),
        draw(st.sampled_from([1, Fraction(1, 2), THIRD])),
    )
    return draw(matrix), draw(matrix), [draw(vector) for _ in range(4)], sorted(chosen), domain


def construction(case):
    """What the numbers describe; tasks that are one map are left out."""
    A, other, (b, moved, a, c), chosen, domain = case
    kinds = {
        "moved": affine("moved", A, moved),
        "other": affine("other", other, moved),
        "bent": relu_sum("bent", [[{"a": a, "e": c[0]}]], [[x] for x in c], A=A),
        "abs": absolute("abs", d=len(b)),
    }
    tasks = [affine("f", A, b)]
    for name in chosen:
        if not any(same_map(kinds[name], task) for task in tasks):
            tasks.append(kinds[name])
    return build(tasks, m=1, domain=Domain(*domain))


@given(cases())
def test_witnesses_vote_and_exclusions_hold_against_every_example(case):
    made = construction(case)
    voted = by_force(made)
    for k, found in enumerate(check(made)):
        if isinstance(found, Witness):
            assert k in voted
        if isinstance(found, Exclusion):
            assert k not in voted


# --- By hand -----------------------------------------------------------------


def pair(by, domain=None, d=1):
    tasks = [affine("x", Matrix.identity(d)), affine("moved", Matrix.identity(d), by)]
    return build(tasks, m=1, domain=domain or Domain(8, 32, 1))


def test_x_and_x_plus_a_tenth_exclude_each_other_and_are_named():
    tasks = [retrieval("x", 1, d=1), shift("x + 1/10", [Fraction(1, 10)])]
    made = build(tasks, m=1, domain=Domain(8, 32, 1))
    assert all(isinstance(found, Exclusion) for found in check(made))
    [warning] = survey(made).warnings()
    assert warning == (
        "no example can vote for task 'x' or 'x + 1/10': anywhere in the domain they are less "
        "than delta = 1 apart and never equal; build with a delta of at most 1/10."
    )
    advised = build(tasks, m=1, domain=Domain(8, 32, Fraction(1, 10)))
    assert all(isinstance(found, Witness) for found in check(advised))


@pytest.mark.parametrize(
    ("by", "delta", "excluded"),
    [
        (["3/5", "4/5"], 1, False),
        (["3/5", "4/5"], Fraction(10**9 + 1, 10**9), True),
        (["1/10", 0], Fraction(1, 10), False),
        ([0, "1/10"], Fraction(11, 100), True),
    ],
)
def test_two_entries_that_never_agree_are_close_up_to_their_distance(by, delta, excluded):
    for found in check(pair(by, Domain(8, 32, delta), d=2)):
        assert isinstance(found, Exclusion if excluded else Witness)


NEVER_EQUAL = {
    "bounded away from 0": (affine("f", [["101/100"]], ["1/5"]), None),
    "rows that contradict each other": (
        affine("f", [["101/100", 0], ["1/100", 1]], [0, "1/100"]),
        None,
    ),
    "a common point beyond R": (
        affine("f", [["101/100", "1/100"], ["1/100", "99/100"]], ["-1/10", "-8/100"]),
        None,
    ),
    "no point on the grid in a row": (affine("f", [["101/100"]], ["-1/200"]), 1),
    "a common point off the grid": (
        affine("f", [["101/100", "1/100"], ["1/100", "99/100"]], ["-1/100", 0]),
        1,
    ),
}


@pytest.mark.parametrize("name", NEVER_EQUAL)
def test_ways_never_to_be_equal(name):
    task, grid = NEVER_EQUAL[name]
    made = build([affine("x", Matrix.identity(task.d)), task], m=1, domain=Domain(8, 32, 1, grid))
    assert all(isinstance(found, Exclusion) for found in check(made))


MEET = {
    "at one point": affine("f", [["101/100"]], ["-3/100"]),
    "on a kink": relu_sum("f", [[{"a": ["1/100"], "e": "-1/50"}]], [[1]], A=[[1]]),
    "far away from each other somewhere": affine("f", [[2]], ["1/3"]),
}


@pytest.mark.parametrize("name", MEET)
def test_tasks_that_meet_or_part_somewhere_have_witnesses(name):
    made = build([affine("x", Matrix.identity(1)), MEET[name]], m=1, domain=Domain(8, 32, 1))
    assert all(isinstance(found, Witness) for found in check(made))


def test_three_tasks_meet_at_a_single_point():
    # delta is so large that a label has to match all three.
    tasks = [
        affine("f", [[1, 0], [0, 1]]),
        affine("g", [[0, 1], [1, 0]]),
        affine("h", [[2, 0], [0, 3]], [-1, "-2"]),
    ]
    made = build(tasks, m=1, domain=Domain(8, 32, 10**6))
    for found in check(made):
        assert isinstance(found, Witness)
        assert found.X.tolist() == [[1, 1]]


@pytest.mark.parametrize(
    ("task", "domain"),
    [
        (affine("f", [[1]], [100]), Domain(8, 32, 1)),
        (affine("f", [[1]], ["1/2"]), Domain(8, 32, 1, 1)),
        (affine("f", [[0]], [33]), Domain(8, 32, 1)),
    ],
)
def test_a_task_whose_values_are_no_labels_is_excluded_alone(task, domain):
    [found] = check(build([task], m=1, domain=domain))
    assert isinstance(found, Exclusion)
    assert found.tasks == ("f",)


@pytest.mark.parametrize("d", [1, 8])
def test_labels_in_a_corner_of_the_values_are_found(d):
    made = build(
        [affine("f", Matrix.identity(d), [7] * d)], m=1, domain=Domain(8, Fraction(1, 9), 1)
    )
    [found] = check(made)
    assert isinstance(found, Witness)


def test_where_three_exclude_each_other_only_together_none_is_found():
    # f and g meet at (0, 0), f and h at (1/2, 0), g and h where x_1 = 1.
    zero = affine("f", [[0, 0], [0, 0]])
    tasks = [zero, affine("g", Matrix.identity(2)), affine("h", [[2, 0], [0, 1]], [-1, 0])]
    made = build(tasks, m=1, domain=Domain(8, 32, 10**6))
    assert check(made) == [None] * 3
    assert survey(made).warnings() == []


def test_words_witness_look_ups():
    words = Vocabulary(list("abcdef"))
    tables = [
        lookup(name, dict(zip("abcdef", images, strict=True)), vocabulary=words)
        for name, images in (("next", "bcdefa"), ("swap", "badcfe"), ("one", "aaaaaa"))
    ]
    one = lookup("one word", {"e": "f"}, vocabulary=words)
    made = build([*tables, one], m=1, vocabulary=words)
    for found in check(made):
        tokens = np.concatenate([found.X, found.y[None]])
        assert set(tokens.ravel()) == {0, 1}
        assert (tokens.sum(axis=1) == 1).all()


EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.json"))


@pytest.mark.parametrize(
    "path", [p for p in EXAMPLES if "-prompt" not in p.stem], ids=lambda path: path.stem
)
def test_every_task_of_every_example_has_a_witness(path):
    file = parse_tasks(path.read_text(encoding="utf-8"), path.name)
    made = build(file.tasks, m=1, n=file.n, domain=file.domain, vocabulary=file.vocabulary)
    assert all(isinstance(found, Witness) for found in check(made))


def test_positions_that_nobody_reads_are_filled():
    made = build([add("sum", (1, 3), d=2), retrieval("second", 2, d=2)], m=1)
    for found in check(made):
        assert found.X.shape == (3, 2)
        assert len(found.prompt.X) == 1


@pytest.mark.parametrize(("K", "d"), [(64, 24), (500, 3)])
def test_many_tasks_are_surveyed_in_full(K, d):
    done = survey(build(random_tasks(K, d), m=1))
    assert (done.excluded, done.complete) == ((), True)


def test_a_pair_among_many_is_found():
    tasks = [*random_tasks(40, 2), affine("f", [[9, 0], [0, 1]]), *random_tasks(60, 2)[40:]]
    tasks.append(affine("g", [[9, 0], [0, 1]], ["1/10", 0]))
    made = build(tasks, m=1, domain=Domain(8, 90, 1))
    [warning] = survey(made).excluded
    assert warning.tasks == ("f", "g")


def test_too_many_pairs_are_said_to_be_too_many(monkeypatch):
    monkeypatch.setattr("construct.checking.witness.MOST_PAIRS", 0)
    made = pair(["1/10"])
    assert not survey(made).complete
    assert survey(made).warnings() == [
        "there are too many tasks to compare all pairs; 'construct prove' looks closer."
    ]
