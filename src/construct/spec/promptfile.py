"""Prompt files: JSON or, with a vocabulary, examples as text in the format of the tasks."""

import json
import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from construct.arguments import checked, instance, optional, whole
from construct.errors import ConstructError, shown
from construct.rational import read_json, to_json, zeros
from construct.spec.format import MARK, Pattern, PromptFormat
from construct.spec.prompt import Prompt
from construct.spec.vocabulary import Vocabulary, one_spelling


@checked(
    text=instance(str, "a text"),
    d=whole(1),
    n=whole(2),
    vocabulary=optional(instance(Vocabulary, "a construct.Vocabulary")),
    format=optional(instance(str, "a text such as 'Q: {1} A: {y}'")),
)
def parse_prompt(
    text: str,
    *,
    d: int,
    n: int,
    vocabulary: Vocabulary | None = None,
    format: str | None = None,
) -> Prompt:
    """Read a prompt file: JSON or, with a vocabulary, examples as text.

    Args:
        format: how an example is written (`construct.spec.format`); by default "{1} -> {y}",
            and with more operands "{1}, {2} -> {y}" and so on.

    Raises:
        ConstructError: naming the line or the example that is malformed.
    """
    refuse_other_formats(format, n, vocabulary)
    if vocabulary is not None and not _is_json(text, n, format):
        return of_sizes(_parse_lines(text, vocabulary, PromptFormat.of(format, n)), d, n)
    if not text.lstrip().startswith("{"):
        raise ConstructError(
            "the prompt is not a JSON object; this artifact takes numbers: "
            '{"examples": [[x_1, ..., y], ...], "query": [x_1, ...]}.'
        )
    return prompt_of_json(read_json(text, "the prompt"), d=d, n=n, vocabulary=vocabulary)


def prompt_of_json(value: Any, *, d: int, n: int, vocabulary: Vocabulary | None = None) -> Prompt:
    """The prompt of a JSON object {"examples": [[x_1, ..., y], ...], "query": [x_1, ...]}.

    Raises:
        ConstructError: naming the example that is malformed.
    """
    if not isinstance(value, dict) or set(value) != {"examples", "query"}:
        raise ConstructError(
            'the prompt must be {"examples": [[x_1, ..., y], ...], "query": [x_1, ...]}.'
        )
    examples, query = value["examples"], value["query"]
    if not isinstance(examples, list) or not isinstance(query, list):
        raise ConstructError('"examples" and "query" of the prompt must be lists.')
    return prompt_of(examples, query, d=d, n=n, vocabulary=vocabulary)


def prompt_of(
    examples: Any, query: Any, *, d: int, n: int, vocabulary: Vocabulary | None = None
) -> Prompt:
    """A prompt of [[x_1, ..., y], ...] and [x_1, ...], which may be words of the vocabulary.

    Raises:
        ConstructError: naming the example that is malformed.
    """
    lists = isinstance(examples, list | tuple) and isinstance(query, list | tuple)
    if vocabulary is not None and lists:
        query = _numbered(query, vocabulary, "the query", n - 1)
        examples = [_numbered(e, vocabulary, f"example {i}", n) for i, e in enumerate(examples, 1)]
        tokens = [token for row in (query, *examples) for token in row]
        if all(type(token) is int for token in tokens):
            X, Y = [row[:-1] for row in examples], [row[-1] for row in examples]
            return of_sizes(Prompt.of_words(X, Y, query, len(vocabulary)), d, n)
        query = [_vector(token, vocabulary) for token in query]
        examples = [[_vector(token, vocabulary) for token in row] for row in examples]
    return of_sizes(Prompt.of(examples, query), d, n)


def of_sizes(prompt: Prompt, d: int, n: int) -> Prompt:
    """The prompt, if it has the sizes of an artifact."""
    if (prompt.n, prompt.d) != (n, d):
        raise ConstructError(
            f"the prompt has n = {prompt.n} and d = {prompt.d}; the artifact needs "
            f"examples of n = {n} tokens (n-1 inputs and a label) of d = {d} numbers each."
        )
    return prompt


def refuse_other_formats(format: Any, n: int, vocabulary: Vocabulary | None) -> None:
    """Refuse a format of other than n-1 operands, and any where there are no words.

    Raises:
        ConstructError: saying what it must be.
    """
    if format is None:
        return
    PromptFormat.of(format, n)
    if vocabulary is None:
        raise ConstructError(
            "a format says how examples of words are written, and these tasks have no words; "
            "leave the format out."
        )


def _numbered(tokens: Any, vocabulary: Vocabulary, whose: str, count: int) -> list:
    """The tokens of an example or a query, with the number of each word in its place."""
    if not isinstance(tokens, list | tuple):
        raise ConstructError(f"{whose}: it is {shown(tokens)}; it must be a list of words.")
    d, word = len(vocabulary), json.dumps(vocabulary.words[0], ensure_ascii=False)
    for token in tokens:
        if isinstance(token, int | float | Fraction) and type(token) is not bool:
            number = shown(to_json(token))
            known = vocabulary.find(number) is not None
            right = f'it as the word "{number}"' if known else f"words, such as {word}"
            raise ConstructError(
                f"{whose} holds the number {number}, but this artifact takes words: write {right}."
            )
        if isinstance(token, list | tuple) and len(token) != d:
            raise ConstructError(
                f"{whose} holds a vector of {len(token)} numbers, but this artifact takes words: "
                f"write words, such as {word} (or one-hot vectors of d = {d} numbers)."
            )
    if len(tokens) != count:
        raise ConstructError(
            f"{whose} has {len(tokens)} words; it must have {count}: an example is n-1 inputs "
            "and a label, a query n-1 inputs."
        )
    try:
        return [vocabulary.index(t) if isinstance(t, str) else t for t in tokens]
    except ConstructError as error:
        raise ConstructError(f"{whose}: {error}") from None


def _vector(token: Any, vocabulary: Vocabulary) -> Any:
    if type(token) is not int:
        return token
    vector = zeros(len(vocabulary))
    vector[token] = 1
    return vector


def _is_json(text: str, n: int, format: str | None) -> bool:
    """Whether a prompt for words is JSON: a line of words may start with a brace too."""
    stripped = text.strip()
    if not stripped.startswith("{"):
        return False
    if PromptFormat.of(format, n).ends_a_query(stripped):
        return False
    return stripped.endswith("}") or bool(re.match(r'\{\s*"', stripped))


def _parse_lines(text: str, vocabulary: Vocabulary, form: PromptFormat) -> Prompt:
    lines = [(i, s) for i, line in enumerate(text.splitlines(), 1) if (s := line.strip())]
    if not lines:
        query = form.written([vocabulary.words[0]] * form.operands)
        raise ConstructError(f"the prompt is empty; write at least the query, such as {query!r}.")
    parts = [lines[at : at + form.lines] for at in range(0, len(lines), form.lines)]
    *examples, asked = (_read(part, vocabulary, form, last=part is parts[-1]) for part in parts)
    X, Y = [words[:-1] for words in examples], [words[-1] for words in examples]
    numbers = tuple(part[0][0] for part in parts[:-1])
    return Prompt.of_words(X, Y, asked, len(vocabulary), numbers)


def _read(
    lines: Sequence[tuple[int, str]], vocabulary: Vocabulary, form: PromptFormat, *, last: bool
) -> tuple[int, ...]:
    """The numbers of the words of an example or, in the last lines, of the query.

    Raises:
        ConstructError: naming the lines, and what they should be.
    """
    patterns: Sequence[Pattern] = (form.example,)
    if last:
        # The mark stands for the label that is asked for, unless it is a word.
        patterns = form.queries[: 1 if MARK in vocabulary else None]
    (first, _), (end, _) = lines[0], lines[-1]
    text = "\n".join(line for _, line in lines)
    where, is_ = (f"line {first}", "is") if first == end else (f"lines {first} to {end}", "are")
    if form.bare and end - first >= len(lines):
        raise ConstructError(
            f"{where} have an empty line within an example, {shown(text)}; put empty lines between "
            "examples alone."
        )
    # The text of the format may be in another spelling, but no sign is to merge with a word.
    for spelling in dict.fromkeys((text, one_spelling(text))):
        found = list(dict.fromkeys(w for one in patterns for w in one.words(spelling, vocabulary)))
        if len(found) == 1:
            return found[0]
        if found:
            one, other = ([vocabulary.words[i] for i in words] for words in found[:2])
            raise ConstructError(
                f"{where}, {shown(text)}, can be read as {shown(one)} and as {shown(other)}; "
                "write the prompt in another format, or as JSON."
            )
    try:
        _refuse_unknown(one_spelling(text), patterns, vocabulary)
    except ConstructError as error:
        raise ConstructError(f"{where}: {error}") from None
    form_of = f"the query, {form.shown_query}" if last else f"an example, {form.shown_example}"
    raise ConstructError(f"{where} {is_} {shown(text)}; it must be {form_of}.")


def _refuse_unknown(text: str, patterns: Sequence[Pattern], vocabulary: Vocabulary) -> None:
    """Refuse the first word that is not in the vocabulary, where a text fits a pattern.

    Raises:
        ConstructError: naming the nearest words that are.
    """
    cuts = (one.likeliest(text, vocabulary) for one in patterns)
    for word in next((cut for cut in cuts if cut is not None), ()):
        vocabulary.index(word)
