"""What the benchmarks stand on; times are not tested."""

import numpy as np
import pytest

import common
from construct import Prompt, build, embed, mixture, prepare
from construct.spec.domain import check_domain

TASKS = common.paired_tasks(5, 16)


@pytest.mark.parametrize("n", [2, 4])
def test_prompts_are_of_the_domain_and_hold_noise_and_ties(n):
    prompt = common.random_prompt(TASKS, 2000, n=n, noise=0.25)
    check_domain(prompt, TASKS, common.DOMAIN, 2000)
    wanted = mixture(TASKS, prompt)
    assert 400 <= len(wanted.unexplained) <= 600
    assert 30 <= len(wanted.ambiguous) <= 200
    assert sum(wanted.votes) == 2000 - len(wanted.unexplained) + len(wanted.ambiguous)
    assert np.array_equal(prompt.X, np.round(prompt.X))


def test_without_noise_every_example_has_a_vote():
    wanted = mixture(TASKS, common.random_prompt(TASKS, 300, seed=1))
    assert not wanted.unexplained
    assert sum(c > 0 for c in wanted.votes) > 1


def test_two_and_two_tasks_differ_in_the_sign_of_one_entry():
    for one, other in zip(TASKS[0:4:2], TASKS[1:4:2], strict=True):
        assert np.count_nonzero(one.A[1] != other.A[1]) == 1
        assert (one.b == other.b).all()


def test_a_wrong_answer_ends_the_benchmark():
    made = build(TASKS, m=8, domain=common.DOMAIN)
    prompt = common.random_prompt(TASKS, 8, noise=0.25)
    done = prepare("numpy", made.transformer)(embed(made.transformer, prompt))
    assert common.check(made, prompt, done, "float64") < 4
    other = Prompt(prompt.X, prompt.Y + 1, prompt.query)
    with pytest.raises(SystemExit, match="the answer is wrong"):
        common.check(made, other, done, "float64")


def test_slope_is_the_power_of_a_power_law():
    sizes = [2, 8, 64]
    assert common.slope(sizes, [3 * size**1.5 for size in sizes]) == pytest.approx(1.5)


def test_side_by_side_takes_turns_after_a_round_to_warm_up():
    turns: list[str] = []
    works = {name: lambda name=name: turns.append(name) for name in "ab"}
    assert set(common.side_by_side(works, 2)) == {"a", "b"}
    assert turns == list("ababab")


def test_peak_memory_counts_what_is_held():
    before, held = common.peak_memory(), np.ones(1 << 24)
    assert held.nbytes < common.peak_memory() < 1 << 40
    assert common.peak_memory() >= before
