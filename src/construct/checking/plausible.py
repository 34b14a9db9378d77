"""A prompt as a person would write it: what `construct sample` prints.

A few examples of up to three of the construction's own tasks, each explained by one task where
there is such an example, in small whole numbers or in words that the tasks know. In rationals,
by Python's own generator, as all of `sampling`.
"""

import itertools
import random
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from construct.checking.near import short
from construct.checking.pieces import Stand
from construct.checking.promise import is_near
from construct.checking.sampling import Example, as_prompt, exact_array, together
from construct.checking.vectors import Vector, drawn
from construct.checking.words import Words, admits_words, one_hot, word_array
from construct.compiler import Construction
from construct.rational import Rational, rationals
from construct.spec.domain import Domain
from construct.spec.matching import MATCH, SEPARATE, judged
from construct.spec.prompt import Prompt

EXAMPLES, VOTERS = 8, 3
# The entries of inputs, in steps; how the tasks that vote share the examples.
LARGEST, SHARES = 5, (4, 2, 1)
# Draws of an example; from half of them on, inputs grow tenfold every other time.
TRIES = 60


def plausible_prompt(construction: Construction, seed: int = 0) -> Prompt:
    """A prompt of the construction's domain, the same for the same seed.

    An example for which no room is found in the domain is left out. Labels of formulas that are
    irrational have as few digits as tau allows.
    """
    kind = _NearDrawing if is_near(construction) else _Drawing
    drawing, rng = kind(construction, random.Random(seed)), random.Random(seed)
    count = min(construction.sizes.m, EXAMPLES)
    every = range(construction.sizes.K)
    voters = rng.sample(every, k=min(VOTERS, count, len(every)))
    rest = rng.choices(voters, weights=SHARES[: len(voters)], k=count - len(voters))
    turns = [*voters, *rest]
    rng.shuffle(turns)
    examples: list[Example] = []
    for task in turns:
        if (example := drawing.example(task, examples)) is not None:
            examples.append(example)
    array = word_array if drawing.words else exact_array
    return as_prompt(examples, drawing.query(voters), construction.sizes.d, array)


class _Drawing:
    def __init__(self, construction: Construction, rng: random.Random) -> None:
        self.domain, self.rng = construction.domain, rng
        self.d, self.inputs = construction.sizes.d, construction.sizes.n - 1
        self.tasks = together(construction)
        self.words = construction.vocabulary is not None and admits_words(self.domain)
        self.by_number = Words(construction.held, self.inputs, rng)
        self.step = _step(self.domain)

    def example(self, task: int, earlier: Sequence[Example]) -> Example | None:
        """One that the task explains: by choice a new one, and no other task explains it."""
        second = None
        for attempt in range(TRIES):
            x = self._drawn([task], attempt)
            y = self._value(task, x)
            stands = self._stands(x, y)
            if stands is None:
                continue
            alone = Stand.MATCH not in stands[:task] + stands[task + 1 :]
            if alone and not any(x.same(known) for known, _ in earlier):
                return x, self._label(y)
            second = second or (x, self._label(y))
        if second is None:  # real inputs can leave no room between tasks
            zero = Vector([0] * (self.inputs * self.d))
            y = self._value(task, zero)
            second = (zero, self._label(y)) if self._stands(zero, y) is not None else None
        return second

    def query(self, voters: Sequence[int]) -> Vector:
        """Inputs for which, in words, all tasks that vote give a word, if there are some."""
        first = self._drawn(voters, 0)
        others = (self._drawn(voters, 0) for _ in range(TRIES - 1 if self.words else 0))
        for x in itertools.chain([first], others):
            if all(self._value(k, x).is_word() for k in voters):
                return x
        return first

    def _value(self, task: int, x: Vector) -> Vector:
        """The label of these inputs."""
        return self.tasks.value(task, x)

    def _label(self, y: Vector) -> Vector:
        return one_hot([int(y.tops.argmax())], self.d) if self.words else y

    def _stands(self, x: Vector, y: Vector) -> list[Stand] | None:
        """How a label stands to the tasks; None if the example is not in the domain."""
        domain = self.domain
        if self.words and not y.is_word():
            return None
        if not (y.within(domain.Ry) and y.on_grid(domain.grid)):
            return None
        stands = self._judged(x, y)
        return None if Stand.CLOSE in stands else stands

    def _judged(self, x: Vector, y: Vector) -> list[Stand]:
        return self.tasks.stands(x, y, self.domain.delta)

    def _drawn(self, tasks: Sequence[int], attempt: int) -> Vector:
        if self.words:
            return one_hot(self.by_number.read(tasks), self.d)
        late = max(attempt - TRIES // 2, 0) // 2
        most = int(self.domain.R // self.step)
        scale = min(10**late, max(most // LARGEST, 1))
        largest = min(LARGEST, most)
        steps = Vector(drawn(self.rng, 2 * largest + 1, self.inputs * self.d) - largest)
        return Vector(steps.scaled(scale * self.step.numerator), self.step.denominator)


class _NearDrawing(_Drawing):
    """The same of formulas, judged by the specification, which may let labels be off by tau."""

    def __init__(self, construction: Construction, rng: random.Random) -> None:
        super().__init__(construction, rng)
        self.specified = construction.tasks

    def _value(self, task: int, x: Vector) -> Vector:
        value = self.specified[task](self._inputs(x)).astype(object)
        return Vector.of(short(value, self.specified[task], self.domain))

    def _judged(self, x: Vector, y: Vector) -> list[Stand]:
        prompt = Prompt(self._inputs(x)[None], rationals(y.entries())[None], self._inputs(x))
        delta, tau = Fraction(self.domain.delta), Fraction(self.domain.tau)
        found = judged(self.specified, prompt, tau**2, delta**2)[:, 0]
        named = {MATCH: Stand.MATCH, SEPARATE: Stand.SEPARATE}
        return [named.get(stand, Stand.CLOSE) for stand in found.tolist()]

    def _inputs(self, x: Vector) -> np.ndarray:
        return rationals(x.entries()).reshape(self.inputs, self.d)


def _step(domain: Domain) -> Rational:
    """A whole number of which inputs are multiples; in a domain without one, a small part."""
    if domain.grid is not None:
        whole = domain.grid.numerator
        return whole if whole <= domain.R else domain.grid
    step = Fraction(1)
    while step > domain.R:
        step /= 10
    return step
