import itertools
from fractions import Fraction as Q

import numpy as np
import pytest
from hypothesis import given

from construct import Domain, Prompt, affine, shift
from construct.designs.theorem import votes
from near import direction, field, layer_of, moved, near_cases, stand_in, states

TAU, EPSILON = Q(1, 4), Q(1, 8)


def one_task(delta, held=None, epsilon=EPSILON):
    """x -> x + 1 and x -> 2x + 50, the first held with its value off by epsilon."""
    tasks = [shift("next", [1, 1]), affine("far", [[2, 0], [0, 2]], b=[50, 50])]
    first = moved(tasks[0], direction(2, 0, 1), epsilon)
    domain = Domain(2, 64, delta, None, TAU)
    return stand_in(tasks, [first, tasks[1]], m=1, domain=domain)


@pytest.mark.parametrize("delta", [TAU + 2 * EPSILON + Q(1, 1000), Q(1), Q(3)])
def test_votes_are_whole_at_every_distance_that_the_domain_admits(delta):
    made = one_task(delta)
    B, a = made.margins.B, made.margins.a
    distances = [Q(0), TAU / 3, TAU, delta, 2 * delta]
    for distance, way in itertools.product(distances, [(0, 1), (0, -1), (1, 1), (2, 1), (2, -1)]):
        x = [Q(1, 2), Q(-3, 2)]
        y = [v + 1 + distance * w for v, w in zip(x, direction(2, *way), strict=True)]
        done = states(made, Prompt.of([[x, y]], [[1, 1]]))
        off = [g - v for g, v in zip(made.held[0](np.array([x], dtype=object)), y, strict=True)]
        square = sum(e**2 for e in off)
        # The head sees what is held: distances up to tau + epsilon, and from delta - epsilon on.
        assert square <= (TAU + EPSILON) ** 2 or square >= (delta - EPSILON) ** 2
        v = max(a - B * square, 0)
        assert field(made, done, "superpose", "cnt").sum() == v
        matches = distance <= TAU
        assert v >= 1 if matches else v == 0
        assert field(made, done, "level", "cnt").sum() == matches
        out = made.held[0](np.array([[1, 1]], dtype=object)) * int(matches)
        assert field(made, done, "level", "out").sum(axis=0).tolist() == out.tolist()
        assert votes(made.margins, done.attended).sum(axis=-1).tolist() == [matches, 0]


@given(near_cases())
def test_home_tokens_hold_v_after_superpose_and_one_for_each_vote_after_level(case):
    made, prompt = case.construction, case.prompt
    sizes, margins = made.sizes, made.margins
    done = states(made, prompt)
    start, whole = np.zeros((2, sizes.N), dtype=object)
    for i, (x, y) in enumerate(zip(prompt.X, prompt.Y, strict=True)):
        for g, one, home in zip(made.held, case.known, made.wiring.homes, strict=True):
            token = i * sizes.length + home - 1
            start[token] += max(margins.a - margins.B * sum((g(x) - y) ** 2), 0)
            gap = [a - b for a, b in zip(one.meaning(x.tolist()), y.tolist(), strict=True)]
            whole[token] += sum(e**2 for e in gap) <= made.domain.tau**2
    assert field(made, done, "superpose", "cnt")[:, 0].tolist() == start.tolist()
    assert field(made, done, "level", "cnt")[:, 0].tolist() == whole.tolist()
    before, after = done.states[layer_of(made, "level") :][:2]
    changed = np.flatnonzero((before != after).astype(bool).any(axis=0)).tolist()
    written = [*range(sizes.D)[sizes.residual["out"].at], *range(sizes.D)[sizes.residual["cnt"].at]]
    assert set(changed) <= set(written)
