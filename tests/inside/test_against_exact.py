"""The inside of a pass in floats, and what patches make of it, against the exact executor.

On whole numbers everything is equal. Elsewhere every number is within what rounding can do to it,
in any order of any sum (`rounding`).
"""

import functools
import random
from dataclasses import replace
from fractions import Fraction as Q

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from construct import (
    Construction,
    Domain,
    OutsideDomain,
    Trace,
    Vocabulary,
    absolute,
    add,
    affine,
    build,
    formula,
    lookup,
    random_tasks,
    retrieval,
    trace,
)
from construct.checking.sampling import random_prompts
from construct.network.transformer import Head
from generators import run, search
from inside.cases import SORTS, WHOLE, Patch, insides, patches, shown
from inside.exact import distance, rest_of_pass, scores_of
from inside.rounding import GRID, Rounding, bound_of_scores, bounds
from share import USUAL, tried


def agrees(done: Trace, layer: int = 0) -> None:
    """What comes after a layer is what the exact executor makes of the stream there, rounded."""
    transformer, start = done.construction.transformer, done.states[layer]
    wanted = rest_of_pass(transformer, layer, start)
    allowed = bounds(transformer, layer, start, done.dtype)
    within(distance(done.states[layer:], wanted.states), allowed.states)
    if layer < len(done.layers):
        within(distance(done.attended[layer:], wanted.attended), allowed.attended)
    for number in range(layer + 1, len(done.layers) + 1):
        for k, head in enumerate(done.layers[number - 1].heads):
            scores_agree(done, number, k, head)


def within(off: np.ndarray, allowed: np.ndarray) -> None:
    assert (off <= allowed).all(), (np.argwhere(off > allowed)[:5], off.max())


def scores_agree(done: Trace, layer: int, number: int, head: Head) -> None:
    """The pairs of a head are the exact scores of the stream before it, rounded."""
    made, stream = done.construction, done.states[layer - 1]
    pairs = done.scores[layer, number]
    if (layer, number) not in set(done.scores):
        assert not len(pairs)
        assert not done.attended[layer - 1, number].any()
        return
    asks = asking(done)
    given = pairs.dense()
    assert not np.delete(given, asks, axis=0).any()
    assert (pairs.values > 0).all()
    wanted = scores_of(made.transformer, head, stream)
    allowed = bound_of_scores(made.transformer, head, stream, done.dtype)
    leak = float(getattr(made, "leak", 0))
    dropped = np.where(given == 0, leak, 0)
    if made.softmax is not None:
        dropped[:, 0] = 1  # the sink is not listed
    within(distance(given[asks], wanted[asks]), (allowed + dropped)[asks])
    # And their sums are what each token gave.
    rounded = Rounding(done.dtype).gamma(2 * len(stream)) * given.sum(axis=1) + len(stream) * leak
    off = abs(given.sum(axis=1) - done.attended[layer - 1, number].astype(float))
    within(off[asks], rounded[asks] + allowed.sum(axis=1)[asks])


def asking(done: Trace) -> list[int]:
    """The tokens that ask: of softmax all that are there but the sink."""
    attention, N = done.construction.transformer.attention, done.states.shape[1]
    last = done.answer_token + 1 if attention.causal else N
    return [*range(int(attention.softmax), last)]


@tried(100)
@given(insides(), st.data())
def test_a_pass_and_its_patches_by_numpy_are_those_in_rationals_rounded(case, data):
    done = case.trace()
    agrees(done)
    first = data.draw(patches(done))
    once = first.on(done)
    assert (once.states[first.layer] == first.stream(done.states[first.layer], done)).all()
    before = slice(0, first.layer)
    assert (once.states[before] == done.states[before]).all()
    assert (once.attended[before] == done.attended[before]).all()
    agrees(once, first.layer)
    second = data.draw(patches(once))
    twice = second.on(once)
    assert (twice.states[second.layer] == second.stream(once.states[second.layer], once)).all()
    agrees(twice, second.layer)


@tried(25)
@given(insides((WHOLE,)), st.data())
def test_on_whole_numbers_all_but_the_division_is_equal(case, data):
    """Layer 6 makes s / tot, which floats round unless tot is a power of two."""
    exact = case.trace("exact")
    tot = int(sum(exact.answer.votes))
    last = len(exact.layers) if tot & (tot - 1) == 0 else 5
    for name, dtype in FORMATS:
        if dtype in case.construction.certified:
            equal(case.trace(name, dtype), exact, last)
    drawn = data.draw(patches(exact))
    equal(drawn.on(case.trace()), drawn.on(exact), 5)


# JAX compiles a program for each construction: it has a test of its own.
FORMATS = [("numpy", "float64"), ("numpy", "float32"), ("torch", "float64")]


def equal(done: Trace, exact: Trace, last: int) -> None:
    """Up to this layer, and to the scores of the next one."""
    assert (done.states[: last + 1] == exact.states[: last + 1]).all()
    assert (done.attended[: last + 1] == exact.attended[: last + 1]).all()
    for layer, head in exact.scores:
        if layer <= last + 1:
            got, wanted = done.scores[layer, head], exact.scores[layer, head]
            assert list(got) == list(wanted)
            assert got.closest == wanted.closest
            assert (got.dense().sum(axis=1) == done.attended[layer - 1, head]).all()


@tried(25)
@given(insides(), st.data())
def test_a_pass_in_rationals_is_that_of_the_exact_executor(case, data):
    """And its scores are the definition, with nothing left out but what leaks."""
    try:
        exact = case.trace("exact")
    except OutsideDomain:  # a label at delta, but for what floats make of it
        assume(False)
    for done in (exact, data.draw(patches(exact)).on(exact)):
        layer = 0 if done is exact else done.promised
        wanted = rest_of_pass(case.construction.transformer, layer, done.states[layer])
        off = distance(done.states[layer:], wanted.states)
        assert off.max() <= (GRID * (1 + off.max()) if case.construction.softmax else 0)
        for number, k in done.scores:
            head = done.layers[number - 1].heads[k]
            given = done.scores[number, k].dense()
            all_ = scores_of(case.construction.transformer, head, done.states[number - 1])
            if case.construction.softmax is None:
                assert (given == all_).all()
                assert (given.sum(axis=1) == done.attended[number - 1, k]).all()
            else:
                rows, leak = asking(done), case.construction.leak
                some, whole = given[rows][:, 1:], all_[rows][:, 1:]
                assert (abs(some - whole) <= np.where(some == 0, leak, 2 * Q(GRID))).all()


# --- JAX ---------------------------------------------------------------------------


NAMES = ["plain", "scratch", "flat", "tau", "encoder"]
NAMES += ["decoder, words", "decoder, operands", "decoder, vectors"]


@functools.cache
def constructions() -> dict[str, Construction]:
    """One of each design and layout: JAX compiles each once, and once after each layer."""
    words = Vocabulary([f"w{i}" for i in range(4)])
    tables = [{"w0": "w1", "w1": "w2", "w2": "w2"}, {"w0": "w3", "w1": "w2", "w3": "w3"}]
    tasks = [lookup(f"t{k}", table, vocabulary=words) for k, table in enumerate(tables)]
    several = lookup("several", {("w0", "w1"): "w1", ("w2", "w2"): "w0"}, vocabulary=words)
    on_two = [several, retrieval("copy", 1, d=4)]
    bent = [affine("f", [[1, 0], [0, 2]]), absolute("size", 2, d=2), add("sum", [1, 2], d=2)]
    of_words = {"m": 3, "vocabulary": words}
    found = {
        "plain": build(random_tasks(2, 2), m=3),
        "scratch": build(bent, m=3, n=3, scratch=2),
        "flat": build([formula("q", ["x[1]^2"], d=1), affine("f", [[3]])], **FLAT, scratch=1),
        "tau": build([formula("q", ["sin(x[1])"], d=1), affine("f", [[3]])], **TAU),
        "decoder, words": build(tasks, design="decoder", **of_words),
        "decoder, operands": build(on_two, n=3, design="decoder", **of_words),
        "decoder, vectors": build(random_tasks(2, 2), m=3, design="decoder"),
        "encoder": build(random_tasks(2, 2), m=3, design="encoder"),
    }
    assert found.keys() == {*NAMES}
    return found


FLAT = {"m": 3, "domain": Domain(2, 256, 3)}
TAU = {"m": 3, "domain": Domain(2, 256, 1, None, Q(1, 4))}


@pytest.mark.parametrize("name", NAMES)
def test_passes_and_patches_by_jax_are_those_in_rationals_rounded(name):
    made, rng = constructions()[name], random.Random(name)
    count = max(2, round(15 * settings.default.max_examples / USUAL))
    layers = (0, rng.randrange(1, len(made.transformer.layers)))
    for number, prompt in enumerate(random_prompts(made, count, seed=rng.randrange(1000))):
        done = trace(made, prompt, executor="jax")
        agrees(done)
        [patch] = run(patches(done, layers), 1, number)[:1]
        once = patch.on(done)
        agrees(once, patch.layer)
        again = Patch(patch.name, 1, layers[1], [0]).on(once)
        agrees(again, layers[1])


# --- That these tests can fail ---------------------------------------------------------


def test_every_sort_of_pass_is_drawn():
    wanted = {*SORTS, *(f"{sort}, some votes" for sort in SORTS), "scratch", "operand slots"}
    wanted |= {"flat", "equality", "blanks", "full", "no example"}
    wanted |= {f"{design}, float32" for design in ("theorem", "decoder", "encoder")}
    wanted |= {"sink", "input", "scratch", "label", "answer", "blank", "padding"}
    assert wanted - search(insides(), shown, wanted).keys() == set()


@pytest.mark.parametrize("name", NAMES)
def test_what_is_off_by_a_thousandth_is_noticed(name):
    """The bounds are not so wide that anything is within them."""
    made = constructions()[name]
    done = trace(made, random_prompts(made, 1, seed=5)[0])
    agrees(done)
    layers, token = len(done.layers), done.answer_token
    for layer in range(1, layers + 1):
        states = done.states.copy()
        states[layer, token, 0] += 1e-3 * (1 + abs(states[layer, token, 0]))
        with pytest.raises(AssertionError):
            agrees(replace(done, states=states))
    attended = done.attended.copy()
    attended[-1 if name != "decoder, words" else 1, 0, token] += 1e-3
    with pytest.raises(AssertionError):
        agrees(replace(done, attended=attended))
    for key in done.scores:
        pairs = done.scores[key]
        if len(pairs):
            less = replace(pairs, values=pairs.values * (1 - 1e-3))
            worse = replace(done)
            worse.scores._known[key] = less
            with pytest.raises(AssertionError):
                agrees(worse)
