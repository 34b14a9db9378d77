"""What a diagram says is read and written, against what patches show of the pass."""

from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import construct
from construct import Construction, Prompt
from construct.checking.sampling import random_prompts
from construct.inside.trace import Trace
from construct.show.picture import diagram
from generators import cases, prompts
from share import tried
from softmax.cases import vector_cases, word_cases
from softmax.several import operand_cases

EXAMPLES = Path(__file__).parents[2] / "examples"
# Softmax is reckoned in balls, and the stream of each pass is rounded to multiples of 2^-192,
# which the weights of the next layer multiply: by 2^14 at most where it was looked at.
ROUNDED = Fraction(1, 2**128)
Flows = dict[int, tuple[set[str], set[str]]]


def said(picture: str) -> Flows:
    """Layer -> the fields that a diagram marks as read, and as written."""
    found: Flows = {}
    for element in ET.fromstring(picture).iter():
        for i, word in enumerate(("reads", "writes")):
            if name := element.get(f"data-{word}"):
                layer = int(element.get("data-layer", ""))
                found.setdefault(layer, (set(), set()))[i].add(name)
    return found


def at_random(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Fractions, in no pattern of a prompt's."""
    wide = rng.choice([1, 1, 8, 64], shape)
    return np.array(
        [[Fraction(int(x), 4) for x in row] for row in rng.integers(-9, 10, shape) * wide],
        dtype=object,
    )


def set_at_random(trace: Trace, names: set[str], layer: int, rng: np.random.Generator) -> Trace:
    for name in sorted(names):
        shape = trace.field(name, layer=layer).shape
        trace = trace.patched(name, at_random(rng, shape), layer=layer)
    return trace


def added(trace: Trace, layer: int) -> np.ndarray:
    """What a layer added to the stream."""
    return trace.states[layer] - trace.states[layer - 1]


def differ(trace: Trace, one: np.ndarray, other: np.ndarray | int) -> np.ndarray:
    """Where two streams differ by more than what rounds: nothing does where attention is ReLU."""
    softmax = trace.construction.transformer.attention.softmax
    return np.array(abs(one - other) > (ROUNDED if softmax else 0), dtype=bool)


def changed(trace: Trace, layer: int) -> set[str]:
    moved = differ(trace, added(trace, layer), 0).any(axis=0)
    return {field.name for field in trace.fields if moved[field.at].any()}


def assert_unread(trace: Trace, flows: Flows, seed: int = 0) -> None:
    """What a layer is not said to read changes nothing of what it adds; it adds nowhere else."""
    rng = np.random.default_rng(seed)
    names = {field.name for field in trace.fields}
    for layer in range(1, len(trace.layers) + 1):
        reads, writes = flows.get(layer, (set(), set()))
        patched = set_at_random(trace, names - reads, layer - 1, rng)
        assert not differ(trace, added(patched, layer), added(trace, layer)).any()
        assert changed(trace, layer) <= writes


def unseen(trace: Trace, flows: Flows, tries: int = 40, seed: int = 0) -> set[tuple]:
    """(layer, word, field) of what is said to be read or written, and no stream shows.

    The streams are that of the prompt, and those with some fields set at random.
    """
    rng, left = np.random.default_rng(seed), set()
    for layer in range(1, len(trace.layers) + 1):
        reads, writes = flows.get(layer, (set(), set()))
        rest = {"reads": set(reads), "writes": writes - changed(trace, layer)}
        for _ in range(tries):
            if not any(rest.values()):
                break
            some = {name for name in sorted(reads) if rng.random() < 0.5}
            one = set_at_random(trace, some, layer - 1, rng) if some else trace
            rest["writes"] -= changed(one, layer)
            for name in sorted(rest["reads"]):
                other = set_at_random(one, {name}, layer - 1, rng)
                if differ(trace, added(other, layer), added(one, layer)).any():
                    rest["reads"].discard(name)
        left |= {(layer, word, name) for word, names in rest.items() for name in names}
    return left


def traced(made: Construction, prompt: Prompt) -> Trace:
    return construct.trace(made, prompt.astype("exact"), executor="exact")


def built(name: str, design: str, m: int = 3) -> Construction:
    file = construct.parse_tasks((EXAMPLES / f"{name}.json").read_text(encoding="utf-8"), name)
    return construct.build(
        file.tasks, n=file.n, domain=file.domain, vocabulary=file.vocabulary, m=m, design=design
    )


@pytest.mark.parametrize("design", ["theorem", "decoder", "encoder"])
@pytest.mark.parametrize("name", ["capitals", "operands", "plus", "regression"])
def test_a_diagram_says_what_is_read_and_what_is_written(name, design):
    made = built(name, design)
    flows = said(diagram(made))
    trace = traced(made, random_prompts(made, 1, exact=True)[0])
    assert_unread(trace, flows)
    assert unseen(trace, flows) == set()


@given(cases(), st.data())
@tried(12)
def test_of_any_theorem_network(case, data):
    made = case.construction
    assert_unread(traced(made, data.draw(prompts(case))), said(diagram(made)))


@given(st.sampled_from(["decoder", "encoder"]).flatmap(vector_cases))
@tried(12)
def test_of_any_softmax_network_of_vectors(drawn):
    case, prompt = drawn
    assert_unread(traced(case.construction, prompt), said(diagram(case.construction)))


@given(st.one_of(word_cases(), operand_cases()))
@tried(12)
def test_of_any_decoder_of_words(case):
    made = case.build()
    assert_unread(traced(made, case.prompt), said(diagram(made)))


@pytest.mark.parametrize("word", [0, 1])
def test_a_mark_that_is_missing_is_noticed(word):
    made = built("operands", "theorem")
    flows = said(diagram(made))
    trace = traced(made, random_prompts(made, 1, exact=True)[0])
    for layer in (1, 4):
        name = sorted(flows[layer][word] & {"tok", "out", "slot1"})[0]
        flows[layer][word].discard(name)
        with pytest.raises(AssertionError):
            assert_unread(trace, flows)
        flows[layer][word].add(name)
    assert_unread(trace, flows)


@pytest.mark.parametrize("word", [0, 1])
def test_a_mark_too_many_is_noticed(word):
    made = built("operands", "theorem")
    flows = said(diagram(made))
    flows[2][word].add("rec")
    trace = traced(made, random_prompts(made, 1, exact=True)[0])
    assert unseen(trace, flows) == {(2, ("reads", "writes")[word], "rec")}


def test_embedding_and_unembedding_are_said():
    made = built("capitals", "theorem")
    flows = said(diagram(made))
    before = construct.trace(made, random_prompts(made, 1)[0]).states[0]
    there = {f.name for f in made.sizes.residual.fields if before[:, f.at].any()}
    assert flows[0] == (set(), there)
    assert flows[len(made.transformer.layers) + 1] == ({"tok"}, set())
