"""Constructions with softmax attention and prompts for them, and how far rounding may take them.

Tables of words are drawn here, as plain numbers; task sets, domains and prompts on vectors are
those of `generators`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction as Q

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st

from construct import Construction, Domain, Prompt, Vocabulary, build, lookup
from construct.execute.registry import EXECUTORS
from generators import BITS, Case, calling_the_package, domains, prompts, shapes, task_sets
from theorem.oracle import _entry, fractions


@dataclass(frozen=True)
class WordCase:
    """A decoder of words and a prompt, as plain numbers: words are 0..d-1.

    Attributes:
        d: words.
        tables: word -> word, for some words.
        m: slots for examples.
        examples: (input, label).
        query: the query's word.
    """

    d: int
    tables: tuple[dict[int, int], ...]
    m: int
    examples: tuple[tuple[int, int], ...]
    query: int

    def build(self, design: str = "decoder") -> Construction:
        """Tables that are given twice are left out."""
        words = [f"w{i}" for i in range(self.d)]
        vocabulary, known = Vocabulary(words), []
        for table in self.tables:
            if table not in known:
                known.append(table)
        tasks = [
            lookup(f"t{k}", {words[x]: words[y] for x, y in table.items()}, vocabulary=vocabulary)
            for k, table in enumerate(known)
        ]
        return build(tasks, m=self.m, vocabulary=vocabulary, design=design)

    @property
    def prompt(self) -> Prompt:
        X, Y = [[x] for x, _ in self.examples], [y for _, y in self.examples]
        return Prompt.of_words(X, Y, [self.query], self.d)


@st.composite
def word_cases(draw) -> WordCase:
    """1 to 5 words and tables that lack some; labels of a table, and any other."""
    d, m = draw(st.integers(1, 5)), draw(st.integers(1, 6))
    word = st.integers(0, d - 1)
    table = st.dictionaries(word, word, min_size=1)
    tables = tuple(draw(st.lists(table, min_size=1, max_size=4)))

    def example() -> tuple[int, int]:
        x, own = draw(word), draw(st.sampled_from(tables))
        return x, own[x] if x in own and draw(st.integers(0, 3)) else draw(word)

    count = draw(st.sampled_from([m, m, m, 0, *range(1, m + 1)]))
    return WordCase(d, tables, m, tuple(example() for _ in range(count)), draw(word))


@st.composite
@calling_the_package
def vector_cases(draw, design: str, dtype: str = "exact") -> tuple[Case, Prompt]:
    """A construction of that design, certified for a float format, and a prompt for it."""
    shape = draw(shapes())
    known = draw(task_sets(shape))
    m, domain = draw(st.integers(1, 5)), draw(domains(dtype))

    def construct(domain: Domain | None) -> Construction:
        tasks = [one.task for one in known]
        return build(tasks, m=m, n=shape.n, domain=domain, design=design)

    built = construct(domain)
    if dtype != "exact" and dtype not in built.certified:
        built = construct(Domain(R=1, Ry=64, delta=4))
        assume(dtype in built.certified)
    case = Case(built, known, shape)
    return case, draw(prompts(case, dtype))


def before(prompt: Prompt, query: int) -> Prompt:
    """The prompt that a decoder answers at its query of that number, from 0."""
    asked = prompt.X[query] if query < len(prompt.X) else prompt.query
    return Prompt(prompt.X[:query], prompt.Y[:query], asked, prompt.lines[:query])


# --- How far rounding may take an answer -----------------------------------------


def unit(dtype: str) -> float:
    """u of a format; the exact executor has the logarithms of float64."""
    return 2.0 ** -BITS.get(dtype, 53)


def allowed_of_words(case: WordCase, dtype: str) -> float:
    """Of a share: that of the logits' tables, each a sum of M terms of ln M in all.

    A count is a sum of 2m + 2 products, and the logarithm of it has a slope of 1 at most.
    """
    M = case.m * len(case.tables)
    return unit(dtype) * (2 * (M + 8) * (1 + math.log(M)) + 4 * (2 * case.m + 8))


def allowed_of_vectors(case: Case, prompt: Prompt, dtype: str) -> float:
    """Of an entry of the answer: the shares' error times the summands of every f_k(X_q).

    A share is the logistic of odds, of which tables of M terms of ln M in all round: its slope is
    1/4 at most.
    """
    sizes = case.construction.plan.sizes
    M = sizes.m * sizes.K
    share = 4 * (M + 8) * (1 + math.log(M))
    return unit(dtype) * sizes.K * (share + 4 * sizes.tokens + 64) * float(summands(case, prompt))


def summands(case: Case, prompt: Prompt) -> Q:
    """The largest sum of absolute summands of an entry of a task at the query, at least 1."""
    query = fractions(prompt.query)
    entries = (
        _entry(task, i, query, "float64", (Q(0), 0))[1]
        for task in case.construction.held
        for i in range(case.shape.d)
    )
    return max(entries, default=Q(1)) + 1


def off(got: np.ndarray, wanted: Sequence) -> float:
    """The largest distance of two entries."""
    pairs = zip(fractions(got), fractions(np.asarray(wanted)), strict=True)
    return float(max(abs(a - b) for a, b in pairs))


# Each executor of softmax attention with each of its formats.
SOFTMAX = [one for one in EXECUTORS.values() if one.softmax]
ALL = [(one.name, dtype) for one in SOFTMAX for dtype in one.formats]
# JAX compiles a program for each construction: seconds.
FAST = [(name, dtype) for name, dtype in ALL if name != "jax"]


def promised(made: Construction, dtype: str) -> float:
    """What the certificate says of the answer; the exact executor has logarithms of float64."""
    return float(made.error["float64" if dtype == "exact" else dtype])
