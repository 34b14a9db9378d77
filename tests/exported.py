"""Constructions that other libraries load, and what each of these has to give: the mixture."""

import ast
from collections.abc import Callable, Iterator
from functools import cache

import numpy as np

from construct import (
    Construction,
    Domain,
    Prompt,
    Vocabulary,
    add,
    affine,
    build,
    lookup,
    mixture,
    relu,
)
from construct.checking.plausible import plausible_prompt
from construct.checking.promise import error_bound
from construct.checking.sampling import random_prompts
from construct.spec.prompt import exactly
from softmax.cases import before

WORDS = ["France", "Paris", "euro", "Japan", "Tokyo", "yen"]
TABLES = {
    "capital": {"France": "Paris", "Japan": "Tokyo"},
    "money": {"France": "euro", "Japan": "yen"},
    "back": {"Paris": "France", "Tokyo": "Japan", "euro": "France", "yen": "Japan"},
}
PROMPT = ["France -> Paris", "Japan -> yen", "Tokyo -> Japan", "yen -> euro", "Japan -> Tokyo"]
ASKED = "France ->"


@cache
def of_words(design: str = "decoder", more: int = 0) -> Construction:
    """Three tables that lack words, and words that no table has."""
    words = Vocabulary([*WORDS, *(f"word{i}" for i in range(more))])
    tasks = [lookup(name, table, vocabulary=words) for name, table in TABLES.items()]
    return build(tasks, m=5, vocabulary=words, design=design)


@cache
def in_proportion(count: int, design: str = "decoder") -> Construction:
    """Two tables that have every word of so many."""
    listed = [f"word{i}" for i in range(count)]
    words = Vocabulary(listed)
    tasks = [
        lookup(f"by{by}", dict(zip(listed, [*listed[by:], *listed[:by]], strict=True)),
               vocabulary=words)
        for by in (1, 2)
    ]  # fmt: skip
    return build(tasks, m=5, vocabulary=words, design=design)


@cache
def of_vectors(design: str = "decoder", scratch: int | None = None) -> Construction:
    """Two operands; an affine task, hinges, and examples that are ambiguous."""
    tasks = [affine("f", [[1, 0], [0, 2]]), relu("g", d=2), add("p", [1, 2], d=2)]
    return build(tasks, m=4, n=3, domain=Domain(4, 16, 1), design=design, scratch=scratch)


@cache
def of_pairs() -> Construction:
    """A decoder of words whose examples have two inputs."""
    words = Vocabulary(["0", "1", "2", "3"])
    same = {word: word for word in words}
    tasks = [
        lookup("first", same, position=1, vocabulary=words),
        lookup("second", same, position=2, vocabulary=words),
        lookup("swap", {"0": "1", "1": "0"}, position=2, vocabulary=words),
    ]
    return build(tasks, m=4, n=3, vocabulary=words, design="decoder")


CASES = {
    "words-decoder": of_words,
    "pairs-decoder": of_pairs,
    "words-encoder": lambda: of_words("encoder"),
    "vectors-decoder": of_vectors,
    "vectors-encoder": lambda: of_vectors("encoder"),
}
RELU = {
    "words-theorem": lambda: of_words("theorem"),
    "vectors-theorem": lambda: of_vectors("theorem"),
    "scratch-theorem": lambda: of_vectors("theorem", scratch=1),
}


def asked(made: Construction) -> Prompt:
    """A prompt of words with each kind of example: for one task, for another, for none."""
    return made.prompt("\n".join([*PROMPT, ASKED]))


def answered(made: Construction, prompt: Prompt) -> Iterator[Prompt]:
    """The prompts that are answered on the way: of a decoder one for each query."""
    causal = made.transformer.attention.causal
    for i in range(len(prompt.X) + 1) if causal else [len(prompt.X)]:
        yield before(prompt, i)


def assert_gives_the_mixture(
    made: Construction, forward: Callable[[Prompt], np.ndarray], dtype: str, count: int = 4
) -> None:
    """Within the certified error, at every query of some prompts, the empty one with them.

    Args:
        forward: the columns of W_U at each query.
    """
    for prompt in [*random_prompts(made, count), *random_prompts(made, 1, most=0)]:
        given = prompt.astype(dtype)
        columns = forward(given)
        assert columns.dtype == dtype
        wanted = [
            mixture(made.tasks, one, delta=made.domain.delta, tau=made.domain.tau)
            for one in answered(made, given)
        ]
        assert len(columns) == len(wanted)
        for row, one in zip(answers_of(made, columns), wanted, strict=True):
            off = exactly(row) - exactly(one.answer)
            assert (off @ off) <= error_bound(made, given, one.votes, dtype) ** 2


def answers_of(made: Construction, columns: np.ndarray) -> np.ndarray:
    """The softmax of logits, but for that of BOS; of other designs the columns themselves."""
    columns = columns.astype(np.float64)
    if made.softmax is None or not made.softmax.logits:
        return columns
    powers = np.exp(columns - columns.max(axis=1, keepdims=True))
    return (powers / powers.sum(axis=1, keepdims=True))[:, :-1]


def assert_is_the_answer(made: Construction, printed: str, dtype: str) -> None:
    """Of the prompt of an exported folder's page, within what rounding can do."""
    found, prompt = ast.literal_eval(printed), plausible_prompt(made)
    got = [found[word] for word in made.vocabulary.words] if isinstance(found, dict) else found
    wanted = mixture(made.tasks, prompt, delta=made.domain.delta, tau=made.domain.tau)
    off = exactly(np.array(got)) - exactly(wanted.answer)
    assert (off @ off) <= error_bound(made, prompt, wanted.votes, dtype) ** 2
