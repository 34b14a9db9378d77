"""Weight mutations: change any single weight, and the suite's check notices.

Checked, on three small artifacts with K, d, m >= 2 and all margins tight: each
non-zero weight of every tensor is negated, zeroed, doubled and raised by 1/1000, one
at a time; at least 95 % of these mutations must be killed by `verification.compare`
on directed prompts, and each of the others must be proved equivalent.

A survivor counts as equivalent if exact interval arithmetic over the whole domain
(`mutation_proofs`) shows that its head's scores are unchanged, or that another token
does the answer token's work with the same result. No proof, no excuse: it fails.
"""

from functools import cache
from itertools import product

import numpy as np
import pytest

from construct import Construction, Prompt
from construct.certify.margins import Bounds
from construct.checking.sampling import random_prompts
from construct.designs.theorem.wiring import Wiring
from construct.spec.domain import check_domain
from theorem.mutation_prompts import directed_prompts
from theorem.mutation_proofs import Prover
from theorem.mutations import ARTIFACTS, KINDS, Check, mutations, prove, survey

pytestmark = pytest.mark.parametrize("name", ARTIFACTS)


@cache
def artifact(name: str) -> Construction:
    return ARTIFACTS[name]()


@cache
def prompts(name: str) -> list[Prompt]:
    return directed_prompts(artifact(name))


@cache
def check(name: str) -> Check:
    return Check(artifact(name), prompts(name))


def test_every_mutation_is_killed_or_proved_equivalent(name):
    """One survey, which takes seconds: no killed mutation has a proof, and no survivor is noticed
    on prompts that nobody directed."""
    found = survey(artifact(name), prompts(name))
    print(found.table())
    weights = artifact(name).transformer.tensors().values()
    assert len(found.outcomes) == len(KINDS) * sum(map(np.count_nonzero, weights))
    assert len(found.killed) >= 0.95 * len(found.outcomes)
    assert found.unexplained == []
    prover = Prover(artifact(name))
    assert [m for m in found.killed if prove(prover, m)] == []
    random = Check(artifact(name), random_prompts(artifact(name), 200))
    for survivor in found.survivors:
        assert random.objections(survivor.mutation) == []


def test_check_has_no_objection_to_the_original(name):
    whole, transformer = check(name), artifact(name).transformer
    for i in range(len(prompts(name))):
        assert whole.judge(transformer, whole.original, i) == []


def test_boxes_of_the_proofs_hold_every_stream(name):
    """Up to layer 6: all is exact there, in float64 too."""
    whole, boxes = check(name), Prover(artifact(name)).boxes
    for states, box in zip(whole.original.states[:-1], boxes[:-1], strict=True):
        assert (box.low <= states).all()
        assert (states <= box.high).all()


def test_prompts_without_examples_leave_survivors_unexplained(name):
    blind = [Prompt(p.X[:0], p.Y[:0], p.query) for p in prompts(name)[:2]]
    seen, tried = Check(artifact(name), blind), [*mutations(artifact(name).transformer)][::3]
    survivors = [m for m in tried if not seen.objections(m)]
    # Without a vote, no weight of the dictionary or of a value matters.
    assert len(survivors) > 0.5 * len(tried)
    prover = Prover(artifact(name))
    assert any(prove(prover, m) is None for m in survivors if m.tensor.endswith("W_V"))


def test_margins_are_tight(name):
    construction = artifact(name)
    sizes, margins, domain = construction.sizes, construction.margins, construction.domain
    E2 = Bounds.of(Wiring.of(construction.tasks), domain).E2
    assert min(sizes.K, sizes.d, sizes.m) >= 2
    assert margins.B * domain.delta**2 == 1
    assert margins.C < 1 + margins.B * E2 <= 2 * margins.C


def test_artifacts_cover_slots_and_dictionary(name):
    """Together: a plain one, and one with an operand slot and ReLUs."""
    sizes = artifact(name).sizes
    assert (sizes.n, sizes.S > 0, sizes.P > 0) == {
        "affine": (2, False, False),
        "operand": (3, True, True),
        "slots": (4, True, False),
    }[name]


def test_idle_heads_have_nothing_to_mutate(name):
    transformer = artifact(name).transformer
    idle = {
        (i, k)
        for i, layer in enumerate(transformer.layers)
        for k, head in enumerate(layer.heads)
        if head.name == "idle"
    }
    assert idle
    heads = {m.place for m in mutations(transformer) if ".heads." in m.tensor}
    everywhere = set(product(range(len(transformer.layers)), range(artifact(name).sizes.K)))
    assert heads == everywhere - idle


# --- What the prompts reach --------------------------------------------------


def test_prompts_are_in_the_domain(name):
    construction = artifact(name)
    for prompt in prompts(name):
        check_domain(prompt, construction.tasks, construction.domain, construction.sizes.m)


def test_prompts_reach_every_total_and_every_slot(name):
    sizes, tasks = artifact(name).sizes, artifact(name).tasks
    assert {sum(w.votes) for w in check(name).wanted} == set(range(sizes.M + 1))
    assert {len(prompt.X) for prompt in prompts(name)} == set(range(sizes.m + 1))
    voted = {
        (k, i)
        for prompt in prompts(name)
        for k, task in enumerate(tasks)
        for i in np.flatnonzero((task(prompt.X) == prompt.Y).all(axis=-1))
    }
    assert voted == set(product(range(sizes.K), range(sizes.m)))


def test_prompts_reach_distance_delta_in_every_direction(name):
    """For each task k, entry r of the label and sign, at inputs of both signs."""
    construction = artifact(name)
    sizes, delta = construction.sizes, float(construction.domain.delta)
    reached = set()
    for prompt, (k, task) in product(prompts(name), enumerate(construction.tasks)):
        for x, noise in zip(prompt.X, prompt.Y - task(prompt.X), strict=True):
            if np.count_nonzero(noise) == 1 and abs(noise).max() == delta:
                r = int(np.flatnonzero(noise)[0])
                places = [(p, c, x[p, c] > 0) for p, c in np.argwhere(x).tolist()]
                reached |= {(k, r, noise[r] > 0, *place) for place in places}
    d, sides = range(sizes.d), (False, True)
    wanted = product(range(sizes.K), d, sides, range(sizes.n - 1), d, sides)
    assert reached == set(wanted)


def test_prompts_reach_opposite_extremes_of_every_task(name):
    """Two examples whose product -B <e_i, e_j> is more than half of the bound B E^2."""
    construction = artifact(name)
    for task in construction.tasks:
        size = np.abs([task(x) for x in corners(construction)]).max(axis=0)
        bound = sum((size + float(construction.domain.Ry)) ** 2)
        errors = [task(prompt.X) - prompt.Y for prompt in prompts(name) if len(prompt.X)]
        assert max((-e @ e.T).max() for e in errors) > 0.5 * bound


def test_prompts_reach_both_sides_of_every_hinge(name):
    """In examples and in queries; queries have no zero entry."""
    examples = np.concatenate([prompt.X for prompt in prompts(name)])
    queries = np.stack([prompt.query for prompt in prompts(name)])
    assert queries.all()
    hinges = [h for task in artifact(name).tasks for f in task.features for h in f]
    for hinge, inputs in product(hinges, (examples, queries)):
        inner = sum(inputs[:, p - 1, i] * float(v) for p, a in hinge.a for i, v in a)
        assert {-1, 1} <= set(np.sign(inner + float(hinge.e)))


def corners(construction: Construction) -> np.ndarray:
    """All inputs with entries +-R."""
    sizes, R = construction.sizes, float(construction.domain.R)
    signs = np.array(list(product((-R, R), repeat=(sizes.n - 1) * sizes.d)))
    return signs.reshape(-1, sizes.n - 1, sizes.d)
