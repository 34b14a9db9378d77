"""Do the properties of the whole theorem notice a fault? Each is planted, and on one prompt of a
fixed set the network then says something else than the mixture.

A fault is a wiring or margins that the compiler would not choose, from which the layers and the
embedding are emitted as always. Prompts are drawn with fixed seeds: nothing is left to luck.
"""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction as Q
from functools import cache

import numpy as np
import pytest

from construct import Construction, Domain, Prompt, build, check_domain, formula, mixture, run
from construct.designs.theorem import formulas
from construct.designs.theorem.embedding import embeddings
from construct.designs.theorem.plan import Margins
from construct.designs.theorem.wiring import Wiring
from construct.errors import CheckFailed
from hinges import R, hinge_tasks


@cache
def gated() -> Construction:
    """K = 4 ReLU tasks of two inputs in turn, with a home for each; matches are equal labels."""
    tasks = hinge_tasks(0, 4, 3, alike=True)
    return build(tasks, m=4, n=3, domain=Domain(R, 64, 1), scratch=3)


@cache
def flat() -> Construction:
    """Three ReLU tasks and a formula that is held within an error; labels match within 1/2."""
    tasks = [*hinge_tasks(1, 3, 3, alike=True), formula("sq", ["x[2, 1]^2", "7*x[2, 2] - 9"], n=3)]
    return build(tasks, m=4, n=3, domain=Domain(R, 64, 3, None, Q(1, 2)), scratch=3)


BUILDS = {"gated": gated, "flat": flat}


def prompts(made: Construction) -> list[Prompt]:
    """Labels of all tasks, at tau and at delta in each direction, and at the corners."""
    return [prompt_of(made, np.random.default_rng(seed)) for seed in range(12)]


def prompt_of(made: Construction, rng: np.random.Generator) -> Prompt:
    """A full prompt of whole inputs; labels too near to a task, and not near enough, are left."""
    domain, shape = made.domain, (made.sizes.n - 1, made.sizes.d)
    steps = [Q(0), Q(0), Q(domain.tau), Q(domain.delta)]
    examples: list[list] = []
    while len(examples) < made.sizes.m:
        x = rng.integers(-R, R + 1, shape).astype(object)
        values = [f(x) for f in made.tasks]
        y = values[rng.integers(len(values))].copy()
        y[rng.integers(shape[1])] += rng.choice([1, -1]) * steps[rng.integers(len(steps))]
        if rng.integers(4) == 0:
            y = int(domain.Ry) * rng.choice([1, -1], shape[1]).astype(object)
        squares = [sum((y - value) ** 2) for value in values]
        if all(s <= domain.tau**2 or s >= domain.delta**2 for s in squares):
            examples.append([*x.tolist(), y.tolist()])
    return Prompt.of(examples, rng.integers(-R, R + 1, shape).tolist())


def wrong(made: Construction, with_fault: Construction) -> list[str]:
    """What is wrong on the first prompt on which something is; [] if nothing is on any."""
    for prompt in prompts(made):
        check_domain(prompt, made.tasks, made.domain, made.sizes.m)
        wanted = mixture(made.tasks, prompt, delta=made.domain.delta, tau=made.domain.tau)
        answer = sum(
            Q(c, sum(wanted.votes) or 1) * g(prompt.query)
            for c, g in zip(wanted.votes, made.held, strict=True)
        )
        try:
            got = run(with_fault, prompt, executor="exact")
        except CheckFailed:
            return ["no votes"]
        found = ["votes"] * (got.votes != wanted.votes)
        if found := found + ["answer"] * bool(np.any(got.answer != answer)):
            return found
    return []


def planted(
    made: Construction, wiring: Wiring | None = None, margins: Margins | None = None
) -> Construction:
    """The network that this wiring and these margins give, in the place of the right one."""
    wiring, margins = wiring or made.wiring, margins or made.margins
    layers = tuple(layer.emit() for layer in formulas(made.sizes, wiring, margins))
    places = embeddings(made.sizes, wiring.scratch)
    return replace(made, transformer=replace(made.transformer, layers=layers, **places))


def another_source(made: Construction) -> Construction:
    """The first scratch token copies the other input."""
    first, *rest = made.wiring.scratch
    return planted(made, replace(made.wiring, scratch=(3 - first, *rest)))


def another_home(made: Construction) -> Construction:
    """One hinge of a scratch token acts at the next home."""
    wiring = made.wiring
    at = wiring.homes[-1]
    elsewhere = at + 1 if at + 1 < wiring.length else at - 1
    u, v = next(
        (u, v)
        for u, units in enumerate(wiring.dictionary)
        for v, unit in enumerate(units)
        if unit.at == at
    )
    units = list(wiring.dictionary[u])
    units[v] = units[v]._replace(at=elsewhere)
    changed = tuple(tuple(units) if i == u else own for i, own in enumerate(wiring.dictionary))
    return planted(made, replace(wiring, dictionary=changed))


def an_open_gate(made: Construction) -> Construction:
    """L is far below what hinges hold: they act at the homes of others too."""
    return planted(made, margins=replace(made.margins, L=2))


def half_of_B(made: Construction) -> Construction:
    """B is half of what a mismatch asks for: B (delta - epsilon)^2 = a / 2."""
    least = made.domain.delta - max(g.epsilon for g in made.held)
    return planted(made, margins=replace(made.margins, B=Q(made.margins.a) / 2 / Q(least) ** 2))


def too_small_a_C(made: Construction) -> Construction:
    """As if only what a match leaves of e_k had to be pushed below 0."""
    return planted(made, margins=replace(made.margins, C=1))


FAULTS = [another_source, another_home, an_open_gate, half_of_B, too_small_a_C]


@pytest.mark.parametrize("build", BUILDS)
def test_without_a_fault_nothing_is_wrong(build):
    made = BUILDS[build]()
    assert made.sizes.w == 3
    assert made.margins.flat == (build == "flat")
    assert wrong(made, made) == wrong(made, planted(made)) == []


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("build", BUILDS)
def test_each_fault_is_noticed_on_a_fixed_set_of_prompts(build, fault: Callable):
    made = BUILDS[build]()
    assert wrong(made, fault(made)) != []
