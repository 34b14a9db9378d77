"""Decoders of words with several inputs: in which formats whole numbers stay whole."""

from dataclasses import replace

import numpy as np
import pytest

from construct import (
    Construction,
    Prompt,
    Vocabulary,
    affine,
    build,
    lookup,
    mixture,
    prepare,
    relu_sum,
    retrieval,
)
from construct.answer import read_answers
from construct.certify.formats import FLOAT32, FLOAT64, FORMATS
from construct.certify.operands import applied, not_exact
from construct.designs.softmax.plan import Plan
from construct.execute.registry import EXECUTORS
from construct.reading import embedded
from softmax.cases import before, off

WORDS = Vocabulary(["a", "b", "c"])
TEXT = "a, b -> b\nc, b -> b\na, a -> b\nb, a -> c\nc, c -> a\nc, b ->"
BY = [one.name for one in EXECUTORS.values() if one.softmax and "float32" in one.formats]


def far(size: int, position: int = 1, n: int = 3) -> Construction:
    """A turn of words, a -> b -> c -> a, that adds up `size` and takes it away again."""
    A = np.zeros((3, 3), dtype=object)
    A[0] -= size
    A[1, 0] = A[2, 1] = 1
    A[0, 2] += 1
    tasks = [affine("far", {position: A}, [size, 0, 0]), retrieval("copy", n - 1, d=3)]
    return build(tasks, m=5, n=n, vocabulary=WORDS, design="decoder")


def worst(made: Construction, executor: str, dtype: str) -> float:
    """How far an answer is from the mixture, whether the format is certified or not."""
    prompt = made.prompt(TEXT).astype(dtype)
    done = prepare(executor, made.transformer, dtype)(embedded(made, [prompt])[0])
    found, distance = read_answers(made, done, len(prompt.X)), 0.0
    for i, got in enumerate(found):
        wanted = mixture(made.tasks, before(prompt, i))
        distance = max(distance, off(got.answer, wanted.answer), float(got.votes != wanted.votes))
    return distance


@pytest.mark.parametrize("executor", BY)
@pytest.mark.parametrize("bits", [0, 8, 14, 15, 20, 24])
def test_where_a_format_is_certified_answers_are_within_the_bound(executor, bits):
    made = far(2**bits + 1)
    assert made.certified == ("float32", "float64")[bits > 15 :]
    for fmt in FORMATS:
        if fmt.name in made.certified:
            assert worst(made, executor, fmt.name) <= made.error[fmt.name]


def test_float32_is_certified_where_votes_are_hardly_rounded():
    """How far beyond an answer is wrong depends on the order in which a library adds up."""
    late = far(2**17 + 1)
    assert late.certified == ("float64",)
    assert "votes are rounded by up to 0.125" in late.certificates["float32"][0]
    assert worst(far(2**21 + 1), "numpy", "float64") <= 2**-50


def test_float32_does_not_hold_whole_numbers_beyond_2_to_the_24():
    made = far(2**24 + 1)
    assert "float32 holds each whole number up to 16777216 alone" in made.certificates["float32"][0]
    assert worst(made, "numpy", "float32") == 1  # votes are wrong
    assert made.certified == ("float64",)
    assert far(2**49).certified == ()


def with_gamma(made: Construction, gamma: int) -> Plan:
    plan = made.plan
    return Plan(plan.sizes, plan.wiring, replace(plan.margins, gamma=gamma))


def test_a_gamma_that_is_too_small_is_found():
    made = far(1)
    for fmt, enough in ((FLOAT32, 32), (FLOAT64, 64)):
        assert not not_exact(fmt, with_gamma(made, enough))
        [why] = not_exact(fmt, with_gamma(made, enough // 2))
        assert why.startswith("what decisions leave to wrong tokens is up to")


def test_what_is_left_to_wrong_tokens_is_multiplied_by_the_numbers_of_a_task():
    """Of one that is linear, and of one made of ReLUs."""
    assert far(2**30).certificates["float64"][0].startswith("what decisions leave")
    turn = np.roll(np.eye(3, dtype=int), 1, axis=0)
    hinge = {"a": {2: [2**30] * 3}, "e": -(2**30)}  # 0 on words
    task = relu_sum("tall", [[hinge]], [[1], [0], [0]], {1: turn})
    made = build([task], m=5, vocabulary=WORDS, design="decoder")
    assert made.certificates["float64"][0].startswith("what decisions leave")


def test_what_applying_loses_grows_with_the_numbers_of_a_task_alone():
    few = lookup("pairs", {("a", "b"): "c"}, vocabulary=WORDS)
    many = lookup("more", {(x, y): "a" for x in "abc" for y in "bc" if x != y}, vocabulary=WORDS)
    one, other = (
        build([task], m=5, n=3, vocabulary=WORDS, design="decoder").plan for task in (few, many)
    )
    for plan in one, other:
        assert 2**-24 * 8 <= applied(FLOAT32, plan) <= 2**-24 * 9
    assert applied(FLOAT32, far(4).plan) == pytest.approx(2**-23 * 32, rel=1e-6)  # 5 + 1 + 8 * 12/2


def test_a_token_that_has_not_seen_all_operands_is_not_found():
    """At the first of three inputs `far`, of the second, is 2^16 at the word a, and the label a."""
    made = far(2**16, position=2, n=4)
    assert made.plan.wiring.images.most == 2**16
    prompt = Prompt.of_words([[1, 0, 1], [1, 2, 1]], [0, 0], [1, 0, 1], 3).astype("exact")
    done = prepare("exact", made.transformer, "exact")(embedded(made, [prompt])[0])
    match = [layer.name for layer in made.transformer.layers].index("match")
    given = done.attended[match][0].astype(float)
    label = made.sizes.place(1, 4)
    assert given[label] >= 1 - 2**-60  # a, from c
    assert (given[:label] <= 2**-60).all()
