"""Runs within a time, on a clock that only the runs move."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from construct.checking.budget import LEAST, Budget, Campaign, Planned, on_paper, one_digit
from construct.designs.theorem.sizes import Sizes


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@dataclass(eq=False)
class Fake:
    """A run that takes `each` seconds for a prompt, and `extra` for the first batch."""

    clock: Clock
    executor: str
    each: float
    extra: float = 0.0
    wanted: int = 1000
    batch: int = 1
    dtype: str = "float64"
    done: int = 0

    def step(self) -> int:
        count = min(self.batch, self.wanted - self.done)
        assert count > 0
        self.clock.now += self.each * count + (0 if self.done else self.extra)
        self.done += count
        return count


def campaign(seconds, *fakes, kept=(), clock, guess=0.0):
    runs = [Planned(fake, guess, fake.executor in kept) for fake in fakes]
    made = Campaign(runs, Budget(seconds, clock))
    made.measure()
    made.finish()
    return made


def left_out(made):
    return {run.trial.executor: run.left_out for run in made.runs if run not in made.ran}


def test_where_time_is_left_all_prompts_are_run():
    clock = Clock()
    fakes = [Fake(clock, name, 0.01, batch=64) for name in ("numpy", "jax", "exact")]
    made = campaign(60, *fakes, clock=clock)
    assert [fake.done for fake in fakes] == [1000] * 3
    assert left_out(made) == {}
    assert clock.now - 100 == pytest.approx(30)


def test_time_is_divided_and_what_a_fast_run_leaves_goes_to_the_slow_ones():
    clock = Clock()
    fast, slow, slower = Fake(clock, "a", 0.001), Fake(clock, "b", 0.5), Fake(clock, "c", 1.0)
    made = campaign(61, fast, slow, slower, clock=clock)
    assert left_out(made) == {}
    assert fast.done == 1000
    # 30 seconds each.
    assert slow.done == pytest.approx(60, abs=2)
    assert slower.done == pytest.approx(30, abs=2)
    assert clock.now - 100 == pytest.approx(61, abs=1)


def test_what_cannot_do_five_prompts_is_left_out_with_what_these_take():
    clock = Clock()
    fast, slow = Fake(clock, "fast", 0.1), Fake(clock, "slow", 20.0, extra=3.0)
    made = campaign(60, fast, slow, clock=clock)
    assert left_out(made) == {"slow": pytest.approx(103)}
    assert made.runs[1].estimate == "about 200 s"
    assert slow.done < LEAST
    assert fast.done >= LEAST
    assert clock.now - 100 <= 60


def test_of_several_that_do_not_fit_together_the_longest_is_left_out_first():
    clock = Clock()
    fakes = [Fake(clock, name, each) for name, each in (("a", 2.0), ("b", 3.0), ("c", 5.0))]
    made = campaign(40, *fakes, clock=clock)
    assert left_out(made) == {"c": pytest.approx(25)}
    assert all(fake.done >= LEAST for fake in fakes[:2])
    assert clock.now - 100 <= 40


def test_what_was_asked_for_is_run_although_five_prompts_do_not_fit():
    clock = Clock()
    slow = Fake(clock, "slow", 50.0)
    made = campaign(60, slow, kept=("slow",), clock=clock)
    assert left_out(made) == {}
    assert slow.done == 2
    late = Fake(clock, "late", 70.0)
    campaign(60, late, kept=("late",), clock=clock)
    assert late.done == 1


def test_fewer_prompts_than_five_can_be_asked_for():
    clock = Clock()
    fake = Fake(clock, "exact", 10.0, wanted=2)
    made = campaign(25, fake, clock=clock)
    assert (fake.done, left_out(made)) == (2, {})


def test_compilation_is_not_taken_for_the_time_of_a_prompt():
    clock = Clock()
    fake = Fake(clock, "jax", 0.5, extra=20.0)
    made = campaign(60, fake, clock=clock)
    assert left_out(made) == {}
    assert fake.done == 80


def test_a_format_of_an_executor_that_was_measured_is_not_begun_if_it_does_not_fit():
    clock = Clock()
    first, second = Fake(clock, "jax", 4.0), Fake(clock, "jax", 4.0, dtype="float32")
    made = campaign(25, first, second, clock=clock)
    assert (first.done, second.done) == (6, 0)
    assert left_out(made) == {"jax": pytest.approx(20)}


def test_what_on_paper_does_not_fit_is_not_begun():
    clock = Clock()
    fakes = Fake(clock, "a", 0.1), Fake(clock, "b", 0.1)
    runs = [Planned(fakes[0], 0.05), Planned(fakes[1], 1.5)]
    made = Campaign(runs, Budget(10, clock))
    made.measure()
    # The one that was measured took twice what it takes on paper.
    assert left_out(made) == {"b": pytest.approx(15)}
    assert made.runs[1].estimate == "over 20 s"
    assert fakes[1].done == 0


def test_what_does_not_fit_in_memory_is_not_begun():
    clock = Clock()
    fake = Fake(clock, "a", 0.1)
    made = Campaign([Planned(fake, needs=7 * 10**9)], Budget(10, clock))
    made.measure()
    made.finish()
    assert (made.ran, fake.done) == ([], 0)
    assert made.runs[0].estimate == "over 7 GB"


@given(
    st.integers(1, 200),
    st.lists(
        st.tuples(
            st.floats(0.001, 100), st.floats(0, 30), st.integers(1, 1000), st.integers(1, 64)
        ),
        min_size=1,
        max_size=9,
    ),
)
def test_every_run_does_five_prompts_or_is_left_out(seconds, sizes):
    clock = Clock()
    fakes = [
        Fake(clock, str(i), each, extra, wanted, min(batch, wanted))
        for i, (each, extra, wanted, batch) in enumerate(sizes)
    ]
    made = campaign(seconds, *fakes, clock=clock)
    names = left_out(made)
    for fake in fakes:
        assert fake.done <= fake.wanted
        assert fake.executor in names or fake.done >= min(LEAST, fake.wanted)
    # Each run can be late by the two batches that told how long it takes.
    most = sum(2 * fake.batch * fake.each + fake.extra for fake in fakes)
    assert clock.now - 100 <= seconds + most + 1e-6


def test_progress_is_told_after_each_batch():
    clock, seen = Clock(), []
    fake = Fake(clock, "a", 0.1, wanted=10, batch=4)
    made = Campaign([Planned(fake)], Budget(60, clock), lambda run: seen.append(run.trial.done))
    made.measure()
    made.finish()
    assert seen == [4, 8, 10]


def test_a_budget_without_seconds_has_no_end():
    clock = Clock()
    budget = Budget(None, clock)
    clock.now += 1e12
    assert budget.left > 0
    assert budget.spent == 1e12


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.01, "1 s"),
        (4, "4 s"),
        (4.2, "5 s"),
        (60, "60 s"),
        (119, "200 s"),
        (121, "3 minutes"),
        (1199, "20 minutes"),
        (3 * 3600, "3 hours"),
        (10**7, "3,000 hours"),
    ],
)
def test_times_are_told_with_one_digit(seconds, said):
    assert one_digit(seconds) == said


def test_on_paper_dense_passes_of_long_contexts_take_longer_and_more_memory():
    short, long = Sizes(4, 16, 100, 2), Sizes(4, 16, 1_000_000, 2)
    for executor, dtype in (("numpy", "float64"), ("jax", "float32"), ("exact", "exact")):
        assert on_paper(executor, dtype, short)[0] < 1 < 1000 < on_paper(executor, dtype, long)[0]
    assert on_paper("sparse", "float64", long)[0] < 100
    assert on_paper("numpy", "float64", short)[1] is None
    assert on_paper("numpy", "float64", long)[1] > 1 << 40
    assert on_paper("jax", "float64", long)[1] is None
