"""The whole theorem, run: forced scratch tokens, ReLUs that differ, formulas, and all together.

On rationals votes are those of the tasks themselves, by their meanings; the answer is the mixture
of what the network holds, and within the sum of w_k epsilon_k of the mixture of the tasks.
"""

import functools
from fractions import Fraction as Q

from hypothesis import given

from construct import check_domain, mixture, run
from general import MODES, General, general_cases, shown
from generators import search
from near import square
from share import tried


@tried(30)
@given(general_cases())
def test_votes_are_those_of_the_tasks_and_the_answer_is_the_mixture_of_what_is_held(case):
    made, prompt, sizes = case.construction, case.prompt, case.construction.sizes
    check_domain(prompt, made.tasks, made.domain, sizes.m)
    wanted = mixture(made.tasks, prompt, delta=made.domain.delta, tau=made.domain.tau)
    got = run(made, prompt, executor="exact")
    assert got.votes == wanted.votes == case.votes
    assert got.unexplained == wanted.unexplained
    assert got.unexplained == tuple(i for i, row in enumerate(case.voters) if not any(row))
    assert got.ambiguous == wanted.ambiguous
    assert got.ambiguous == tuple(i for i, row in enumerate(case.voters) if sum(row) > 1)
    total, held, f, epsilon = sum(case.votes) or 1, [Q(0)] * sizes.d, [Q(0)] * sizes.d, Q(0)
    for c, g, one in zip(case.votes, made.held, case.known, strict=True):
        weight = Q(c, total)
        epsilon += weight * g.epsilon
        held = [a + weight * Q(v) for a, v in zip(held, g(prompt.query).tolist(), strict=True)]
        f = [a + weight * v for a, v in zip(f, one.meaning(prompt.query.tolist()), strict=True)]
    assert got.answer.tolist() == held
    assert square(held, f) <= epsilon**2
    if all(task.epsilon == 0 for task in made.held):
        assert got.answer.tolist() == f == wanted.answer.tolist()


@tried(30)
@given(general_cases())
def test_floats_have_the_votes_of_the_tasks_in_every_certified_format(case):
    for dtype in case.construction.certified:
        assert (
            run(case.construction, case.prompt, executor="numpy", dtype=dtype).votes == case.votes
        )


@tried(30)
@given(general_cases())
def test_scratch_tokens_are_as_many_as_are_forced_and_homes_share_the_features(case):
    sizes, wiring = case.construction.sizes, case.construction.wiring
    assert sizes.w == len(wiring.scratch)
    assert case.asked in (None, sizes.w)
    at_home = [{u for k, read in enumerate(wiring.reads) if wiring.homes[k] == p for u in read}
               for p in range(1, sizes.length)]  # fmt: skip
    if sizes.w:
        assert max(map(len, at_home)) == sizes.P
    if sizes.w == sizes.K - 1:
        # A home for each task: none needs more than d features, and the width is free of K.
        assert sizes.d >= sizes.P
        bits = sizes.m.bit_length() + (sizes.n + sizes.K - 2).bit_length()
        assert (6 + 2 * sizes.S) * sizes.d + bits + 6 >= sizes.D


WANTED = {*MODES, *(f"K {K}" for K in range(2, 7)), "d 1", "d 2", "d 3", "n 2", "n 3", "S 0", "S 1"}
WANTED |= {f"{mode}, {layout}" for mode in MODES for layout in ("scratch", "plain")}
WANTED |= {"w 0", "w between", "w K-1", "chosen", "chosen above 0", "slot and scratch"}
WANTED |= {"blank", "full", "no example", "tie", "noise", "at delta", "at tau"}
WANTED |= {
    f"vote of {form} at {at}"
    for form in ("relu", "affine", "formula")
    for at in ("input", "scratch")
}
WANTED |= {"vote of what is held within epsilon"}


@functools.cache
def found() -> set[str]:
    return search(general_cases(), shown, WANTED).keys()


def test_every_layout_mode_and_label_is_drawn():
    assert WANTED - found() == set()


def test_the_cases_are_what_they_say():
    def sorts(case: General) -> set[str]:
        made = case.construction
        assert made.margins.flat == (case.mode in ("flat", "tau"))
        return {case.mode}

    assert search(general_cases(), sorts, {*MODES}).keys() == {*MODES}
