"""Random prompts over a whole domain: what `construct verify` runs on.

Ties, noise, fewer than m examples and none, the extremes of the domain, equal
tokens, zero vectors, labels at distance exactly delta.

All is drawn and judged in rationals, by Python's own generator: labels are f_k(X), a seed
gives the same prompts on every machine, and each is in the domain whatever its numbers. Float
prompts are these, rounded at the end. Without a grid most of their inputs, drawn as whole
numbers or to 53 bits, are floats as they stand; thirds, tenths, ties and labels may be rounded,
and the certificate promises that they stay in the domain.
"""

import math
import random
from collections.abc import Callable, Sequence
from fractions import Fraction
from weakref import WeakKeyDictionary

import numpy as np

from construct.checking.near import NearSampler
from construct.checking.pieces import Agreement, Rows, Stand
from construct.checking.promise import is_near
from construct.checking.together import Together
from construct.checking.vectors import Points, Vector
from construct.checking.words import Words, admits_words, one_hot, word_array
from construct.compiler import Construction
from construct.errors import ConstructError
from construct.matrix import MOST_SUM
from construct.rational import rationals
from construct.spec.prompt import Prompt

# How an example's inputs and its label are drawn.
INPUTS = ("whole", "real", "corner", "sparse", "zero", "equal", "earlier", "tie")
LABELS = ("task", "task", "task", "at delta", "noise", "corner", "input")

# Draws of an example before it is left out.
TRIES = 50

Example = tuple[Vector, Vector]
Array = Callable[[Sequence[Vector]], np.ndarray]


def random_prompts(
    construction: Construction,
    count: int,
    seed: int = 0,
    *,
    exact: bool = False,
    most: int | None = None,
) -> list[Prompt]:
    """`count` prompts of the construction's domain.

    Where no room is found between the tasks for an example, the prompt ends before it.

    Args:
        exact: rationals of few digits, or whole numbers; else float64, where they have all
            of its bits.
        most: examples in a prompt, if fewer than m.

    Raises:
        ConstructError: if `count`, `seed` or `most` is not a whole number of at least 0.
    """
    for name, value in (("count", count), ("seed", seed), ("most", 0 if most is None else most)):
        if type(value) is not int or value < 0:
            raise ConstructError(f"{name} is {value!r}; it must be a whole number of at least 0.")
    prompts = Drawn(construction, seed, exact=exact, most=most)
    found = [prompts[i] for i in range(count)]
    return found if exact else [prompt.astype("float64") for prompt in found]


class Drawn:
    """The random prompts of a seed, each drawn by itself: `drawn[i]`.

    Words are whole numbers in int8, numbers float64, or rationals where `exact` asks for them.
    """

    def __init__(
        self,
        construction: Construction,
        seed: int = 0,
        *,
        exact: bool = False,
        most: int | None = None,
    ) -> None:
        kind = NearSampler if is_near(construction) else _Sampler
        self._sampler = kind(construction, exact, most)
        self._seed = seed

    def __getitem__(self, i: int) -> Prompt:
        return self._sampler.prompt(f"{self._seed}/{i}")


_TOGETHER: WeakKeyDictionary[Construction, Together] = WeakKeyDictionary()


def together(construction: Construction) -> Together:
    """The tasks of a construction as it holds them, made ready once."""
    if construction not in _TOGETHER:
        rows = [Rows(task) for task in construction.held]
        _TOGETHER[construction] = Together(rows, construction.sizes.n - 1)
    return _TOGETHER[construction]


class _Sampler:
    def __init__(self, construction: Construction, exact: bool, most: int | None) -> None:
        sizes, self.domain, self.rng = construction.sizes, construction.domain, random.Random()
        self.most = sizes.m if most is None else min(sizes.m, most)
        self.d, self.inputs = sizes.d, sizes.n - 1
        self.tasks = together(construction)
        self.x, self.y = (
            Points(bound, self.domain.grid, self.rng, exact=exact)
            for bound in (self.domain.R, self.domain.Ry)
        )
        self.one_hot = construction.vocabulary is not None and admits_words(self.domain)
        numbers = exact_array if exact else float_array
        self.array = word_array if self.one_hot else numbers
        self.words = Words(construction.held, self.inputs, self.rng)
        self.agreements: dict[tuple[int, int], Agreement] = {}

    def prompt(self, seed: str) -> Prompt:
        """A prompt of 0 to m examples; full and nearly empty ones are frequent."""
        rng, most = self.rng, self.most
        rng.seed(seed)
        e = rng.choice([0, min(1, most), most, *(rng.randint(0, most) for _ in range(5))])
        every = range(len(self.tasks.tasks))
        voting, others = (rng.choices(every, k=rng.randint(1, 3)) for _ in range(2))
        examples: list[Example] = []
        for _ in range(e):
            example = self._example(examples, voting, others)
            if example is None:
                break
            examples.append(example)
        again = examples and rng.random() < 0.2
        query = rng.choice(examples)[0] if again else self._inputs([], voting, others)
        return as_prompt(examples, query, self.d, self.array)

    def _example(
        self, earlier: Sequence[Example], voting: list[int], others: list[int]
    ) -> Example | None:
        zero = Vector(np.zeros(self.inputs * self.d, dtype=np.int64))
        for attempt in range(2 * TRIES):
            # Real inputs can leave no room between tasks; at zero there may be some.
            first = attempt < TRIES or self.one_hot
            x = self._inputs(earlier, voting, others) if first else zero
            y = self._label(x, voting if first else range(len(self.tasks.tasks)))
            if self._inside(x, y):
                return x, y
        return None

    def _inside(self, x: Vector, y: Vector) -> bool:
        return (
            y.within(self.domain.Ry)
            and y.on_grid(self.domain.grid)
            and Stand.CLOSE not in self.tasks.stands(x, y, self.domain.delta)
        )

    # --- Inputs ---------------------------------------------------------------

    def _inputs(self, earlier: Sequence[Example], voting: list[int], others: list[int]) -> Vector:
        rng, size = self.rng, self.inputs * self.d
        kind = rng.choice(INPUTS)
        if kind == "earlier" and earlier:
            return rng.choice(earlier)[0]
        if self.one_hot:
            return self._words(kind, rng.choice(voting), rng.choice(others))
        if kind == "tie" and (tie := self._tie(rng.choice(voting), rng.choice(others))):
            return tie
        if kind == "zero":
            return Vector(np.zeros(size, dtype=np.int64))
        if kind == "corner":
            return self.x.corner(size)
        if kind == "equal":
            one = self.x.either(self.d)
            return Vector(np.tile(one.tops, self.inputs), one.bottom)
        if kind == "sparse":
            return self.x.sparse(size)
        return self.x.whole(size) if kind == "whole" else self.x.real(size)

    def _words(self, kind: str, f: int, g: int) -> Vector:
        """Any words, those that a task reads, or such as two tasks give the same word for."""
        places = self.words.any()
        if kind in ("real", "sparse"):
            places = self.words.read([f])
        elif kind == "tie" and f != g:
            places = self.words.agreeing(f, g)
        elif kind == "equal":
            places = places[:1] * self.inputs
        return one_hot(places, self.d)

    def _tie(self, f: int, g: int) -> Vector | None:
        """Inputs of the domain on which two tasks agree, where their pieces allow it."""
        if f == g:
            return None
        if (f, g) not in self.agreements:
            rows = self.tasks.tasks
            self.agreements[f, g] = Agreement(rows[f], [rows[g]])
        size = self.inputs * self.d
        for start in (self.x.either(size), Vector(np.zeros(size, dtype=np.int64))):
            x = self.agreements[f, g].near(start)
            if x is not None and x.within(self.domain.R) and x.on_grid(self.domain.grid):
                return x
        return None

    # --- Labels ---------------------------------------------------------------

    def _label(self, x: Vector, tasks: Sequence[int]) -> Vector:
        rng, d = self.rng, self.d
        kind = rng.choice(LABELS)
        if self.one_hot:
            truth = self.tasks.value(rng.choice(tasks), x) if kind == "task" else None
            if truth is not None and truth.is_word():
                return one_hot([int(truth.tops.argmax())], d)
            return one_hot([rng.randrange(d)], d)
        if kind == "task":
            return self.tasks.value(rng.choice(tasks), x)
        if kind == "at delta":
            return self._nudged(self.tasks.value(rng.choice(tasks), x))
        if kind == "corner":
            return self.y.corner(d)
        if kind == "input":
            start = rng.randrange(self.inputs) * d
            return Vector(x.tops[start : start + d], x.bottom)
        return self.y.either(d)

    def _nudged(self, y: Vector) -> Vector:
        """At distance delta from y; on a grid that has no such point, at the next multiple."""
        rng, delta, grid = self.rng, Fraction(self.domain.delta), self.domain.grid
        # 3, 4, 5: the least right-angled triangle with whole sides.
        steps = [[delta], [delta * 3 / 5, delta * 4 / 5]][: self.d]
        if grid is not None:
            on_grid = [step for step in steps if not any(s % grid for s in step)]
            steps = on_grid or [[-(-delta // grid) * Fraction(grid)]]
        step = rng.choice(steps)
        places = rng.sample(range(self.d), k=len(step))
        finer = math.lcm(*(s.denominator for s in step))
        bottom, tops = y.bottom * finer, y.scaled(finer)
        moves = [rng.choice((-1, 1)) * int(s * bottom) for s in step]
        if max(map(abs, moves)) >= MOST_SUM:
            tops = tops.astype(object)
        tops[places] += np.array(moves, dtype=tops.dtype)
        return Vector(tops, bottom)


def as_prompt(examples: Sequence[Example], query: Vector, d: int, array: Array) -> Prompt:
    """Examples and a query as a prompt.

    Args:
        array: makes an array of vectors, one after the other.
    """
    X, Y = ([example[i] for example in examples] for i in range(2))
    shape = len(query.tops) // d, d
    return Prompt(
        array(X).reshape(len(X), *shape),
        array(Y).reshape(len(Y), d),
        array([query]).reshape(shape),
    )


def exact_array(vectors: Sequence[Vector]) -> np.ndarray:
    """Vectors one after the other, as rationals."""
    return rationals([entry for vector in vectors for entry in vector.entries()])


def float_array(vectors: Sequence[Vector]) -> np.ndarray:
    """Vectors one after the other, rounded to float64."""
    return np.concatenate([np.zeros(0), *(vector.floats() for vector in vectors)])
