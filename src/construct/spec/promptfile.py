"""Prompt files: JSON or, with a vocabulary, a line for each example."""

from typing import Any

import numpy as np

from construct.arguments import checked, instance, optional, whole
from construct.errors import ConstructError, shown
from construct.rational import read_json
from construct.spec.prompt import Prompt
from construct.spec.vocabulary import Vocabulary


@checked(
    text=instance(str, "a text"),
    d=whole(1),
    n=whole(2),
    vocabulary=optional(instance(Vocabulary, "a construct.Vocabulary")),
)
def parse_prompt(text: str, *, d: int, n: int, vocabulary: Vocabulary | None = None) -> Prompt:
    """Read a prompt file: JSON or, with a vocabulary, a line for each example.

    Raises:
        ConstructError: naming the line or the example that is malformed.
    """
    stripped = text.strip()
    # A line of words may start with a brace, but the last one ends with an arrow.
    is_json = stripped.startswith("{") and (vocabulary is None or not stripped.endswith("->"))
    if is_json:
        prompt = _parse_json(text, vocabulary)
    elif vocabulary is not None:
        prompt = _parse_lines(text, n, vocabulary)
    else:
        raise ConstructError(
            "the prompt is not a JSON object; this artifact takes numbers: "
            '{"examples": [[x_1, ..., y], ...], "query": [x_1, ...]}.'
        )
    return of_sizes(prompt, d, n)


def prompt_of(
    examples: Any, query: Any, *, d: int, n: int, vocabulary: Vocabulary | None = None
) -> Prompt:
    """A prompt of [[x_1, ..., y], ...] and [x_1, ...], which may be words of the vocabulary.

    Raises:
        ConstructError: naming the example that is malformed.
    """
    lists = isinstance(examples, list | tuple) and isinstance(query, list | tuple)
    if vocabulary is not None and lists:
        query = _one_hot(query, vocabulary, "the query: ")
        examples = [_one_hot(e, vocabulary, f"example {i}: ") for i, e in enumerate(examples, 1)]
    return of_sizes(Prompt.of(examples, query), d, n)


def of_sizes(prompt: Prompt, d: int, n: int) -> Prompt:
    """The prompt, if it has the sizes of an artifact."""
    if (prompt.n, prompt.d) != (n, d):
        raise ConstructError(
            f"the prompt has n = {prompt.n} and d = {prompt.d}; the artifact needs "
            f"examples of n = {n} tokens (n-1 inputs and a label) of d = {d} numbers each."
        )
    return prompt


def _parse_json(text: str, vocabulary: Vocabulary | None) -> Prompt:
    value = read_json(text, "the prompt")
    if not isinstance(value, dict) or set(value) != {"examples", "query"}:
        raise ConstructError(
            'the prompt must be {"examples": [[x_1, ..., y], ...], "query": [x_1, ...]}.'
        )
    examples, query = value["examples"], value["query"]
    if not isinstance(examples, list) or not isinstance(query, list):
        raise ConstructError('"examples" and "query" of the prompt must be lists.')
    if vocabulary is not None:
        query = _one_hot(query, vocabulary, "the query: ")
        examples = [_one_hot(e, vocabulary, f"example {i}: ") for i, e in enumerate(examples, 1)]
    return Prompt.of(examples, query)


def _one_hot(tokens: Any, vocabulary: Vocabulary, whose: str) -> list:
    if not isinstance(tokens, list | tuple):
        raise ConstructError(f"{whose}it is {shown(tokens)}; it must be a list of words.")
    try:
        return [vocabulary.one_hot(t) if isinstance(t, str) else t for t in tokens]
    except ConstructError as error:
        raise ConstructError(f"{whose}{error}") from None


def _parse_lines(text: str, n: int, vocabulary: Vocabulary) -> Prompt:
    lines = [(i, line) for i, line in enumerate(text.splitlines(), 1) if line.strip()]
    if not lines:
        raise ConstructError("the prompt is empty; write at least the query, such as 'Japan ->'.")
    X, Y, numbers, query = [], [], [], None
    for number, line in lines:
        left, arrow, label = (part.strip() for part in line.rpartition("->"))
        last = number == lines[-1][0]
        if not arrow or bool(label) == last:
            form = "the query and end with '->'" if last else "an example, 'input -> label'"
            raise ConstructError(f"line {number} is {line.strip()!r}; it must be {form}.")
        # A single input may itself hold commas.
        words = [w.strip() for w in left.split(",")] if n > 2 else [left]
        if len(words) != n - 1:
            raise ConstructError(
                f"line {number} has {len(words)} inputs before '->'; it needs {n - 1}, "
                "separated by commas."
            )
        try:
            inputs = [vocabulary.one_hot(word) for word in words]
            if last:
                query = np.stack(inputs)
            else:
                X.append(inputs)
                Y.append(vocabulary.one_hot(label))
                numbers.append(number)
        except ConstructError as error:
            raise ConstructError(f"line {number}: {error}") from None
    assert query is not None
    d = len(vocabulary)
    inputs_array = np.array(X, dtype=object).reshape(len(X), n - 1, d)
    labels = np.array(Y, dtype=object).reshape(len(Y), d)
    return Prompt(inputs_array, labels, query, tuple(numbers))
