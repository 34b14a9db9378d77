"""The lemmas of the encoder: fetch, superpose, average, pool."""

import math

import numpy as np
from hypothesis import given

from blocks import LEAK, ROUNDED, Blocks, near
from construct.designs.encoder import ENCODER
from generators import squares
from share import tried
from softmax.cases import allowed_of_vectors, vector_cases
from theorem.oracle import expected, fractions

CASES = vector_cases("encoder")


def matching(case, prompt, example: int, position: int) -> list[int]:
    """The tasks with this home that give the label of the example; none of the query."""
    if example >= len(prompt.X):
        return []
    distances = squares(case, fractions(prompt.X[example]), fractions(prompt.Y[example]))
    homes = case.construction.wiring.homes
    return [k for k, s in enumerate(distances) if s == 0 and homes[k] == position]


def values(case, prompt) -> np.ndarray:
    """f_k(X_q), (K, d)."""
    query = fractions(prompt.query)
    return np.array([one.meaning(query) for one in case.known], dtype=object)


def test_there_are_four_blocks():
    assert [block.__name__ for block in ENCODER.blocks] == ["fetch", "superpose", "average", "pool"]


@tried(25)
@given(CASES)
def test_fetch_gives_each_token_its_operands_its_label_and_the_query(drawn):
    case, prompt = drawn
    found = Blocks.of(case.construction, prompt)
    sizes, slots = found.sizes, case.construction.wiring.slots
    for token, example, position in found.tokens():
        for s, p in enumerate(slots, start=1):
            assert near(found.after("fetch", f"slot{s}")[token], found.inputs(example)[p - 1])
            assert near(found.after("fetch", f"qslot{s}")[token], prompt.query[p - 1])
        assert near(found.after("fetch", "lab")[token], found.holds(example, sizes.n))
        assert near(found.after("fetch", "qry")[token], found.holds(sizes.m, position))
    fields = {"lab", "qry", "gx", "gq"}
    fields |= {f"{q}slot{s}" for q in ("", "q") for s in range(1, len(slots) + 1)}
    found.assert_written("fetch", fields)
    assert near(found.state("average")[0].astype(float), found.states[0][0].astype(float))


@tried(25)
@given(CASES)
def test_superpose_adds_up_at_each_home_what_matches(drawn):
    case, prompt = drawn
    found, gamma = Blocks.of(case.construction, prompt), case.construction.plan.margins.gamma
    f, size = values(case, prompt), float(abs(values(case, prompt)).sum()) + 1
    for token, example, position in found.tokens():
        tasks = matching(case, prompt, example, position)
        cnt = len(tasks)
        assert near(found.after("superpose", "cnt")[token], [cnt])
        assert near(found.after("superpose", "out")[token], f[tasks].sum(axis=0), LEAK * size)
        log, odds = (found.after("superpose", name)[token] for name in ("log", "odds"))
        assert near(log, [math.log(cnt) if cnt else -2 * gamma], 64 * ROUNDED)
        assert near(odds, [math.log(cnt - 1) if cnt > 1 else -2 * gamma], 64 * ROUNDED)
    found.assert_written("superpose", {"out", "cnt", "log", "odds"})
    assert near(found.after("superpose", "log")[0], [-gamma])


@tried(25)
@given(CASES)
def test_average_leaves_the_mean_of_what_matched(drawn):
    case, prompt = drawn
    found, f = Blocks.of(case.construction, prompt), values(case, prompt)
    allowed = allowed_of_vectors(case, prompt, "exact")
    for token, example, position in found.tokens():
        tasks = matching(case, prompt, example, position)
        wanted = f[tasks].sum(axis=0) / max(len(tasks), 1) + 0 * f[0]
        got = found.after("average", "out")[token]
        assert (abs(got - wanted.astype(float)) <= allowed).all()
    found.assert_written("average", {"out"})


@tried(25)
@given(CASES)
def test_pool_writes_the_mixture_at_the_answer_token(drawn):
    case, prompt = drawn
    found = Blocks.of(case.construction, prompt)
    got = found.after("pool", "tok")[case.construction.transformer.answer]
    wanted = np.array(expected(case, prompt).answer, dtype=float)
    assert (abs(got - wanted) <= allowed_of_vectors(case, prompt, "exact")).all()
    found.assert_written("pool", {"tok"})
