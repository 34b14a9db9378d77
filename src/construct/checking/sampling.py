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
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from construct.checking.pieces import Agreement, Rows, Stand, Vector, stand
from construct.compiler import Construction
from construct.errors import ConstructError
from construct.rational import Rational
from construct.spec.domain import Domain
from construct.spec.prompt import Prompt

# How an example's inputs and its label are drawn.
INPUTS = ("whole", "real", "corner", "sparse", "zero", "equal", "earlier", "tie")
LABELS = ("task", "task", "task", "at delta", "noise", "corner", "input")

# Draws of an example before it is left out.
TRIES = 50

Example = tuple[Vector, Vector]


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
        exact: rationals of few digits; else float64, where they have all of its bits.
        most: examples in a prompt, if fewer than m.

    Raises:
        ConstructError: if `count`, `seed` or `most` is not a whole number of at least 0.
    """
    for name, value in (("count", count), ("seed", seed), ("most", 0 if most is None else most)):
        if type(value) is not int or value < 0:
            raise ConstructError(f"{name} is {value!r}; it must be a whole number of at least 0.")
    sampler = _Sampler(construction, random.Random(seed), exact, most)
    prompts = [sampler.prompt() for _ in range(count)]
    return prompts if exact else [prompt.astype("float64") for prompt in prompts]


class Points:
    """Vectors with entries up to a bound, multiples of a grid if there is one."""

    def __init__(
        self, bound: Rational, grid: Rational | None, rng: random.Random, *, exact: bool
    ) -> None:
        self.rng = rng
        self.unit = 1 if grid is None else grid.numerator
        self.edge = bound if grid is None else bound // grid * grid
        least = min(Fraction(bound), Fraction(1))
        self.steps = [grid] if grid is not None else [least / 3, least / 10, least / 16]
        if grid is None and not exact:
            # As often as the others together: all bits of float64.
            self.steps += [_spacing(bound)] * len(self.steps)
        self.bound = bound

    def whole(self, size: int) -> Vector:
        """Vectors of whole numbers; zeros if the bound is below 1."""
        return self._multiples(self.unit, size)

    def real(self, size: int) -> Vector:
        """Vectors of numbers of the whole range, with more or fewer digits."""
        return self._multiples(self.rng.choice(self.steps), size)

    def corner(self, size: int) -> Vector:
        """Vectors of the largest entries that the domain admits, with signs."""
        signs = self.rng.choices((-1, 1), k=size)
        return Vector([s * self.edge.numerator for s in signs], self.edge.denominator)

    def _multiples(self, step: Rational, size: int) -> Vector:
        most = int(self.bound // step)
        if most < 1 << 31:
            steps = self.rng.choices(range(-most, most + 1), k=size)
        else:
            steps = [self.rng.randint(-most, most) for _ in range(size)]
        return Vector([k * step.numerator for k in steps], step.denominator)


def _spacing(bound: Rational) -> Fraction:
    """A power of two of which the bound is 2^52 to 2^54 times."""
    exponent = bound.numerator.bit_length() - bound.denominator.bit_length() - 53
    return Fraction(1 << max(exponent, 0), 1 << max(-exponent, 0))


class _Sampler:
    def __init__(
        self, construction: Construction, rng: random.Random, exact: bool, most: int | None
    ) -> None:
        sizes, self.domain, self.rng = construction.sizes, construction.domain, rng
        self.most = sizes.m if most is None else min(sizes.m, most)
        self.d, self.inputs = sizes.d, sizes.n - 1
        self.tasks = [Rows(task) for task in construction.tasks]
        self.x, self.y = (
            Points(bound, self.domain.grid, rng, exact=exact)
            for bound in (self.domain.R, self.domain.Ry)
        )
        self.one_hot = construction.vocabulary is not None and admits_words(self.domain)
        self.agreements: dict[tuple[Rows, Rows], Agreement] = {}

    def prompt(self) -> Prompt:
        """A prompt of 0 to m examples; full and nearly empty ones are frequent."""
        rng, most = self.rng, self.most
        e = rng.choice([0, min(1, most), most, *(rng.randint(0, most) for _ in range(5))])
        voting, others = (rng.choices(self.tasks, k=rng.randint(1, 3)) for _ in range(2))
        examples: list[Example] = []
        for _ in range(e):
            example = self._example(examples, voting, others)
            if example is None:
                break
            examples.append(example)
        again = examples and rng.random() < 0.2
        query = rng.choice(examples)[0] if again else self._inputs([], voting, others)
        return self._as_prompt(examples, query)

    def _as_prompt(self, examples: Sequence[Example], query: Vector) -> Prompt:
        X, Y = ([vectors[i] for vectors in examples] for i in range(2))
        shape = self.inputs, self.d
        return Prompt(
            _array(X, (len(X), *shape)), _array(Y, (len(Y), self.d)), _array([query], shape)
        )

    def _example(
        self, earlier: Sequence[Example], voting: list[Rows], others: list[Rows]
    ) -> Example | None:
        zero = Vector([0] * (self.inputs * self.d))
        for attempt in range(2 * TRIES):
            # Real inputs can leave no room between tasks; at zero there may be some.
            first = attempt < TRIES or self.one_hot
            x = self._inputs(earlier, voting, others) if first else zero
            y = self._label(x, voting if first else self.tasks)
            if self._inside(x, y):
                return x, y
        return None

    def _inside(self, x: Vector, y: Vector) -> bool:
        return (
            y.within(self.domain.Ry)
            and y.on_grid(self.domain.grid)
            and all(stand(f, x, y, self.domain.delta) != Stand.CLOSE for f in self.tasks)
        )

    # --- Inputs ---------------------------------------------------------------

    def _inputs(self, earlier: Sequence[Example], voting: list[Rows], others: list[Rows]) -> Vector:
        rng, size = self.rng, self.inputs * self.d
        kind = rng.choice(INPUTS)
        if kind == "earlier" and earlier:
            return rng.choice(earlier)[0]
        if self.one_hot:
            return self._words(equal=kind == "equal")
        if kind == "tie" and (tie := self._tie(rng.choice(voting), rng.choice(others))):
            return tie
        if kind == "zero":
            return Vector([0] * size)
        if kind == "corner":
            return self.x.corner(size)
        if kind == "equal":
            tops, bottom = self._drawn(self.x, self.d)
            return Vector(tops * self.inputs, bottom)
        tops, bottom = self.x.whole(size) if kind == "whole" else self.x.real(size)
        if kind == "sparse":
            tops = [top if rng.random() < 0.2 else 0 for top in tops]
        return Vector(tops, bottom)

    def _drawn(self, points: Points, size: int) -> Vector:
        return self.rng.choice((points.whole, points.real))(size)

    def _words(self, *, equal: bool) -> Vector:
        words = [self.rng.randrange(self.d) for _ in range(self.inputs)]
        words = words[:1] * self.inputs if equal else words
        return Vector([int(i == word) for word in words for i in range(self.d)])

    def _tie(self, f: Rows, g: Rows) -> Vector | None:
        """Inputs of the domain on which two tasks agree, where their pieces allow it."""
        if f is g:
            return None
        if (f, g) not in self.agreements:
            self.agreements[f, g] = Agreement(f, [g])
        size = self.inputs * self.d
        for start in (self._drawn(self.x, size), Vector([0] * size)):
            x = self.agreements[f, g].near(start)
            if x is not None and x.within(self.domain.R) and x.on_grid(self.domain.grid):
                return x
        return None

    # --- Labels ---------------------------------------------------------------

    def _label(self, x: Vector, tasks: Sequence[Rows]) -> Vector:
        rng, d = self.rng, self.d
        kind = rng.choice(LABELS)
        if self.one_hot:
            truth = rng.choice(tasks)(x) if kind == "task" else None
            return truth if truth is not None and is_word(truth.entries()) else self._words_label()
        if kind == "task":
            return rng.choice(tasks)(x)
        if kind == "at delta":
            return self._nudged(rng.choice(tasks)(x))
        if kind == "corner":
            return self.y.corner(d)
        if kind == "input":
            start = rng.randrange(self.inputs) * d
            return Vector(x.tops[start : start + d], x.bottom)
        return self._drawn(self.y, d)

    def _words_label(self) -> Vector:
        word = self.rng.randrange(self.d)
        return Vector([int(i == word) for i in range(self.d)])

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
        bottom, tops = y.bottom * finer, [top * finer for top in y.tops]
        for place, s in zip(places, step, strict=True):
            tops[place] += rng.choice((-1, 1)) * int(s * bottom)
        return Vector(tops, bottom)


def admits_words(domain: Domain) -> bool:
    """Whether one-hot vectors are in the domain, as inputs and as labels."""
    return min(domain.R, domain.Ry) >= 1 and (domain.grid is None or not 1 % domain.grid)


def is_word(entries: Sequence[Rational]) -> bool:
    """Whether this is a one-hot vector."""
    return sorted(entries) == [0] * (len(entries) - 1) + [1]


def _array(vectors: Sequence[Vector], shape: tuple[int, ...]) -> np.ndarray:
    """The rationals of several vectors, one after the other, in this shape."""
    entries = [entry for vector in vectors for entry in vector.entries()]
    return np.array(entries, dtype=object).reshape(shape)
