"""Decoders of words with several inputs, and prompts for them, as plain numbers.

What a task gives is a table of all combinations of words, whichever way the task is written.
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from construct import (
    Construction,
    Prompt,
    Task,
    Vocabulary,
    affine,
    build,
    lookup,
    retrieval,
    shift,
    word_sum,
)
from softmax.cases import unit

Words = tuple[int, ...]


@dataclass(frozen=True)
class Several:
    """A task on several words.

    Attributes:
        kind: how it is written, as below.
        positions: those that it reads.
        table: what it gives for the words there, where it gives a word.
        more: what else its kind takes.
    """

    kind: str
    positions: tuple[int, ...]
    table: Mapping[Words, int]
    more: tuple = ()

    def gives(self, X: Words) -> int | None:
        return self.table.get(tuple(X[p - 1] for p in self.positions))

    @property
    def by_position(self) -> tuple[list[int], dict[Words, int]]:
        """Positions rising, and the table with its operands in this order."""
        order = sorted(range(len(self.positions)), key=self.positions.__getitem__)
        table = {tuple(key[i] for i in order): y for key, y in self.table.items()}
        return sorted(self.positions), table

    def task(self, name: str, d: int) -> Task:
        words = names(d)
        vocabulary, [first, *_] = Vocabulary(words), self.positions
        if self.kind == "copy":
            return retrieval(name, first, d=d)
        if self.kind == "turn":
            return shift(name, *self.more, modulo=d, position=first)
        if self.kind == "sum":
            values, sums = ({words[w]: v for w, v in self.more[0]}, dict(self.more[1]))
            listed = {total: words[w] for total, w in sums.items()}
            return word_sum(name, values, listed, self.positions, vocabulary=vocabulary)
        if self.kind == "away":  # 0 on words, but where there is none
            A, [away] = np.zeros((d, d), dtype=object), self.more
            A[0] -= away
            for (x,), y in self.table.items():
                A[y, x] += 1
            return affine(name, {first: A}, [away, *[0] * (d - 1)])
        table = {tuple(words[w] for w in key): words[y] for key, y in self.table.items()}
        return lookup(name, table, positions=self.positions, vocabulary=vocabulary)


def names(d: int) -> list[str]:
    return [f"w{i}" for i in range(d)]


@dataclass(frozen=True)
class OperandCase:
    """A decoder and a prompt: words are 0..d-1.

    Attributes:
        d, n: words, and tokens of an example.
        tasks: no two with the same positions and table.
        m: slots for examples.
        examples: (inputs, label).
        query: its words.
    """

    d: int
    n: int
    tasks: tuple[Several, ...]
    m: int
    examples: tuple[tuple[Words, int], ...]
    query: Words

    def build(self, design: str = "decoder") -> Construction:
        tasks = [one.task(f"t{k}", self.d) for k, one in enumerate(self.tasks)]
        return build(tasks, m=self.m, n=self.n, vocabulary=Vocabulary(names(self.d)), design=design)

    @property
    def prompt(self) -> Prompt:
        X, Y = [x for x, _ in self.examples], [y for _, y in self.examples]
        return Prompt.of_words(X, Y, self.query, self.d)

    def inputs(self, query: int) -> Words:
        """The words that are asked about after so many examples."""
        return self.examples[query][0] if query < len(self.examples) else self.query

    def counts(self, labels: int) -> list[int]:
        """c_k of the first labels."""
        return [sum(t.gives(x) == y for x, y in self.examples[:labels]) for t in self.tasks]

    def votes(self, query: int) -> tuple[list[int], int]:
        """For each word its votes, and those of the tasks that give no word."""
        X, found, none = self.inputs(query), [0] * self.d, 0
        for task, c in zip(self.tasks, self.counts(query), strict=True):
            if (word := task.gives(X)) is None:
                none += c
            else:
                found[word] += c
        return found, none


@st.composite
def several(draw, d: int, n: int) -> Several:
    word, place = st.integers(0, d - 1), st.integers(1, n - 1)
    kind = draw(st.sampled_from(["table", "table", "copy", "turn", "sum", "away"]))
    if kind in ("copy", "turn", "away"):
        more = () if kind == "copy" else (draw(st.integers(1, 4)),)
        by = more[0] if kind == "turn" else 0
        table = {(x,): (x + by) % d for x in range(d)}
        if kind == "away":
            table = {(x,): y for x, y in draw(st.dictionaries(word, word)).items()}
        return Several(kind, (draw(place),), table, more)
    positions = draw(st.lists(place, min_size=1, max_size=3, unique=True).map(tuple))
    if kind == "table":
        key = st.tuples(*[word] * len(positions))
        return Several(kind, positions, draw(st.dictionaries(key, word, min_size=1, max_size=12)))
    values = draw(st.dictionaries(word, st.integers(-2, 3), min_size=1))
    keys = [*itertools.product(values, repeat=len(positions))]
    totals = sorted({sum(values[x] for x in key) for key in keys})
    sums = draw(st.dictionaries(st.sampled_from(totals), word, min_size=1))
    table = {key: sums[t] for key in keys if (t := sum(values[x] for x in key)) in sums}
    return Several(kind, positions, table, (tuple(values.items()), tuple(sums.items())))


@st.composite
def operand_cases(draw) -> OperandCase:
    """1 to 4 words, 2 or 3 inputs; labels of a task, and any other."""
    d, n, m = draw(st.integers(1, 4)), draw(st.integers(3, 4)), draw(st.integers(1, 5))
    tasks: list[Several] = []
    for task in draw(st.lists(several(d, n), min_size=1, max_size=4)):
        if all(task.by_position != one.by_position for one in tasks):
            tasks.append(task)
    word = st.integers(0, d - 1)

    def example() -> tuple[Words, int]:
        X = tuple(draw(word) for _ in range(n - 1))
        given = [y for task in tasks if (y := task.gives(X)) is not None]
        return X, draw(st.sampled_from(given) if given and draw(st.integers(0, 3)) else word)

    count = draw(st.sampled_from([m, m, 0, *range(1, m + 1)]))
    examples = tuple(example() for _ in range(count))
    return OperandCase(d, n, tuple(tasks), m, examples, tuple(draw(word) for _ in range(n - 1)))


def allowed_of_operands(case: OperandCase, dtype: str, numbers: int) -> float:
    """Of a share: that of words, and what whole numbers round that are added to a count.

    Args:
        numbers: all absolute numbers of an entry of a task, at most.
    """
    M = case.m * len(case.tasks)
    logits = 2 * (M + 8) * (1 + math.log(M)) + 4 * (2 * case.m + 8)
    return unit(dtype) * (logits + 16 * case.m * (numbers + 2))


def numbers_of(tasks: Sequence[Task]) -> int:
    """All absolute numbers that a task adds up for a combination of words, at most."""
    found = 0
    for task in tasks:
        matrices = [np.asarray(A) for A in task.A.values()]
        own = sum(abs(A).max() for A in matrices) + abs(task.b).max()
        for feature, weights in zip(task.features, abs(np.asarray(task.C)).T, strict=True):
            for hinge in feature:
                inner = sum(max(abs(v) for _, v in vector) for _, vector in hinge.a)
                own += weights.max() * abs(hinge.c) * (inner + abs(hinge.e))
        found = max(found, own)
    return int(found)
