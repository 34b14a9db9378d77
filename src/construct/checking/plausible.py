"""A prompt as a person would write it: what `construct sample` prints.

A few examples of up to three of the construction's own tasks, each explained by one task where
there is such an example, in small whole numbers or in words that the tasks know. In rationals,
by Python's own generator, as all of `sampling`.
"""

import random
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from construct.checking.pieces import Rows, Stand, Vector, stand
from construct.checking.sampling import admits_words, is_word
from construct.compiler import Construction
from construct.rational import Rational
from construct.spec.domain import Domain
from construct.spec.prompt import Prompt

EXAMPLES, VOTERS = 8, 3
# The entries of inputs, in steps; how the tasks that vote share the examples.
LARGEST, SHARES = 5, (4, 2, 1)
# Draws of an example; from half of them on, inputs grow tenfold every other time.
TRIES = 60

Example = tuple[Vector, Vector]


def plausible_prompt(construction: Construction, seed: int = 0) -> Prompt:
    """A prompt of the construction's domain, the same for the same seed.

    An example for which no room is found in the domain is left out.
    """
    drawing, rng = _Drawing(construction, random.Random(seed)), random.Random(seed)
    count = min(construction.sizes.m, EXAMPLES)
    voters = rng.sample(drawing.tasks, k=min(VOTERS, count, len(drawing.tasks)))
    rest = rng.choices(voters, weights=SHARES[: len(voters)], k=count - len(voters))
    turns = [*voters, *rest]
    rng.shuffle(turns)
    examples: list[Example] = []
    for task in turns:
        if (example := drawing.example(task, examples)) is not None:
            examples.append(example)
    shape = construction.sizes.n - 1, construction.sizes.d
    X, Y, query = [x for x, _ in examples], [y for _, y in examples], drawing.query(voters)
    inputs, labels = (
        np.array([v.entries() for v in vectors], dtype=object).reshape(len(examples), *own)
        for vectors, own in ((X, shape), (Y, shape[1:]))
    )
    return Prompt(inputs, labels, np.array(query.entries(), dtype=object).reshape(shape))


class _Drawing:
    def __init__(self, construction: Construction, rng: random.Random) -> None:
        self.domain, self.rng = construction.domain, rng
        self.d, self.inputs = construction.sizes.d, construction.sizes.n - 1
        self.tasks = [Rows(task) for task in construction.tasks]
        self.words = construction.vocabulary is not None and admits_words(self.domain)
        self.step = _step(self.domain)

    def example(self, task: Rows, earlier: Sequence[Example]) -> Example | None:
        """One that the task explains: by choice a new one, and no other task explains it."""
        known, second = [x for x, _ in earlier], None
        for attempt in range(TRIES):
            x = self._drawn([task], attempt)
            y = task(x)
            if not self._inside(x, y):
                continue
            alone = not any(
                stand(f, x, y, self.domain.delta) == Stand.MATCH
                for f in self.tasks
                if f is not task
            )
            if alone and x not in known:
                return x, y
            second = second or (x, y)
        if second is None:  # real inputs can leave no room between tasks
            zero = Vector([0] * (self.inputs * self.d))
            second = (zero, task(zero)) if self._inside(zero, task(zero)) else None
        return second

    def query(self, voters: Sequence[Rows]) -> Vector:
        """Inputs for which, in words, all tasks that vote give a word, if there are some."""
        drawn = [self._drawn(voters, 0) for _ in range(TRIES if self.words else 1)]
        if not self.words:
            return drawn[0]
        return next((x for x in drawn if all(is_word(f(x).entries()) for f in voters)), drawn[0])

    def _inside(self, x: Vector, y: Vector) -> bool:
        domain = self.domain
        if self.words and not is_word(y.entries()):
            return False
        return (
            y.within(domain.Ry)
            and y.on_grid(domain.grid)
            and all(stand(f, x, y, domain.delta) != Stand.CLOSE for f in self.tasks)
        )

    def _drawn(self, tasks: Sequence[Rows], attempt: int) -> Vector:
        if self.words:
            places = [self.rng.choice(self._known(tasks, p)) for p in range(1, self.inputs + 1)]
            return Vector([int(i == place) for place in places for i in range(self.d)])
        late = max(attempt - TRIES // 2, 0) // 2
        most = int(self.domain.R // self.step)
        scale = min(10**late, max(most // LARGEST, 1))
        largest = min(LARGEST, most)
        tops = [self.rng.randint(-largest, largest) for _ in range(self.inputs * self.d)]
        return Vector([top * scale * self.step.numerator for top in tops], self.step.denominator)

    def _known(self, tasks: Sequence[Rows], position: int) -> list[int]:
        """The words that all of the tasks read there; any, if they have none in common."""
        common = set(range(self.d))
        for matrix in (f.task.A.get(position) for f in tasks):
            if matrix is not None:
                common &= set(matrix.at[1].tolist())
        return sorted(common) or list(range(self.d))


def _step(domain: Domain) -> Rational:
    """A whole number of which inputs are multiples; in a domain without one, a small part."""
    if domain.grid is not None:
        whole = domain.grid.numerator
        return whole if whole <= domain.R else domain.grid
    step = Fraction(1)
    while step > domain.R:
        step /= 10
    return step
