"""Homes at scratch tokens: who lives where, and how many tokens that takes."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from construct.designs.theorem.homes import by_entries, fewest_scratch, settle
from construct.designs.theorem.wiring import Wiring
from construct.network.codes import code_length
from construct.spec.kinds import absolute, relu_sum

# For each task the input that it reads at its home token, and its features.
tasks = st.lists(
    st.tuples(
        st.one_of(st.none(), st.integers(1, 3)),
        st.lists(st.sampled_from("abcdefgh"), unique=True, max_size=4).map(
            lambda f: list(map(tuple, f))
        ),
    ),
    min_size=1,
    max_size=6,
)


@given(tasks, st.integers(0, 7))
def test_each_task_lives_once_where_its_operand_is_and_finds_its_features(listed, w):
    sources, features = zip(*listed, strict=True)
    homes = settle(sources, features, 4, w)
    assert [home.position for home in homes] == list(range(1, 4 + w))
    assert [home.source for home in homes[:3]] == [1, 2, 3]
    assert sorted(k for home in homes for k in home.tasks) == list(range(len(listed)))
    for home in homes:
        assert 1 <= home.source <= 3
        for k in home.tasks:
            assert sources[k] in (None, home.source)
            assert set(features[k]) <= set(home.features)
        assert sorted(home.features.values()) == list(range(len(home.features)))


@given(tasks)
def test_with_a_home_for_each_task_no_home_needs_more_than_the_largest_task(listed):
    sources, features = zip(*listed, strict=True)
    homes = settle(sources, features, 4, len(listed))
    assert max(len(home.features) for home in homes) == max(map(len, features))


@given(st.integers(2, 9), st.lists(st.integers(0, 30), min_size=1, max_size=12))
def test_no_number_of_scratch_tokens_is_narrower_and_none_as_narrow_has_fewer(n, drops):
    # The features that are left with w = 0, 1, ... scratch tokens: they fall.
    left = (40 - np.cumsum(drops)).clip(1).tolist()
    P, most = 41, len(left) - 1
    widths = {0: 2 * P + code_length(n)}
    widths |= {w: 2 * left[w] + code_length(n + w) for w in range(1, most + 1)}
    found = fewest_scratch(P, most, n, lambda w: left[w], min(left))
    assert widths[found] == min(widths.values())
    assert found == min(w for w, width in widths.items() if width == widths[found])


@given(st.integers(0, 2**32))
def test_by_entries_is_the_same_map_with_at_most_d_features(seed):
    rng = np.random.default_rng(seed)
    features = [
        [{"c": int(c), "a": rng.integers(-2, 3, 2).tolist(), "e": int(e)} for c, e in pairs]
        for pairs in rng.integers(-2, 3, (5, 2, 2)).tolist()
    ]
    task = relu_sum("f", features, rng.integers(-2, 3, (2, 5)).tolist())
    fewer = by_entries(task)
    assert len(fewer.features) <= 2
    X = rng.integers(-9, 10, (20, 1, 2)).astype(object)
    assert (fewer(X) == task(X)).all()


def test_affine_tasks_and_equal_dictionaries_take_no_scratch_token():
    same = [absolute(f"f{k}", d=3) for k in range(3)]
    assert Wiring.of(same).fewest_scratch(2) == 0
