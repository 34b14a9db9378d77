"""Random prompts of tasks that are formulas, or of domains whose labels match within tau.

Inputs at the ends of the box and at the knots of what the network holds; labels that are
f_k(X), at a distance up to tau, exactly at tau, exactly at delta, far away, or explained by
several tasks. f_k is the specification: what the network holds in its place says where its
knots are, and on which side of f_k(X) a label is hardest to judge. Each example is put to the
specification before it is used, in rationals and, for prompts of floats, in every format that
is certified.

As in `sampling`, all is drawn in rationals by Python's own generator.
"""

import random
from collections.abc import Sequence
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from construct.checking.knots import Knots, Point, toward_zero
from construct.checking.pieces import Agreement, Rows
from construct.checking.vectors import Points, Vector
from construct.checking.words import admits_words, one_hot
from construct.compiler import Construction
from construct.errors import ConstructError
from construct.rational import Rational, rational, rationals, zeros
from construct.spec.domain import Domain, check_domain
from construct.spec.formula import Formula
from construct.spec.prompt import Prompt

# How an example's inputs and its label are drawn.
INPUTS = ("whole", "real", "corner", "sparse", "small", "equal", "earlier", "knot", "knot", "tie")
MATCHES = ("value", "value", "within", "at tau", "at tau", "both")
LABELS = (*MATCHES, *MATCHES, "at delta", "at delta", "beyond", "noise", "corner", "input")

# A task, and the kinds of labels from which one is drawn.
Turn = tuple[int, Sequence[str]]

# Rounds of drawing what is missing of a prompt, and small inputs among which ties are looked for.
ROUNDS, SMALL = 6, 48

# Directions of which the length is rational: entries, and their length.
DIRECTIONS = (((1,), 1), ((3, 4), 5), ((1, 2, 2), 3))


class NearSampler:
    """The random prompts of a construction, one for each seed."""

    def __init__(self, construction: Construction, exact: bool, most: int | None) -> None:
        sizes, self.made, self.exact = construction.sizes, construction, exact
        self.domain, self.rng = construction.domain, random.Random()
        self.most = sizes.m if most is None else min(sizes.m, most)
        self.d, self.inputs, self.tasks = sizes.d, sizes.n - 1, construction.tasks
        self.x, self.y = (
            Points(bound, self.domain.grid, self.rng, exact=exact)
            for bound in (self.domain.R, self.domain.Ry)
        )
        self.rows = [Rows(task) for task in construction.held]
        self.words = construction.vocabulary is not None and admits_words(self.domain)
        self.agreements: dict[tuple[int, int], Agreement] = {}

    def prompt(self, seed: str) -> Prompt:
        """A prompt of 0 to m examples; most have votes for two tasks or three."""
        rng, most = self.rng, self.most
        rng.seed(seed)
        several = [rng.randint(min(2, most), most) for _ in range(6)]
        e = rng.choice([0, min(1, most), most, most, *several])
        K = len(self.tasks)
        voting = rng.sample(range(K), k=min(K, rng.choice([1, 2, 2, 2, 3, 3])))
        X, Y = self._examples(e, voting)
        again = len(X) and rng.random() < 0.2
        query = X[rng.randrange(len(X))] if again else self._points([self._input([], voting)])[0]
        found = Prompt(X, Y, query)
        return found if self.exact else found.astype("float64")

    def match(self, k: int) -> tuple[np.ndarray, np.ndarray] | None:
        """An example that votes for a task: of small numbers, if there is one among them."""
        self.rng.seed(f"match {k}")
        turns: list[Turn] = [(k, ("value",))] * len(self.small)
        X, Y = zeros(0, self.inputs, self.d), zeros(0, self.d)
        if not self.words:
            X, Y = self._labelled(self._points(self.small), turns)
        for _ in range(ROUNDS):
            if len(X):
                return X[0], Y[0]
            X, Y = self._draw(turns, X)
        return None

    def _examples(self, e: int, voting: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """Up to e examples; the first ones are, as a rule, of the tasks that are to vote."""
        X, Y = zeros(0, self.inputs, self.d), zeros(0, self.d)
        first = list(voting) if self.rng.random() < 0.8 else []
        for _ in range(ROUNDS):
            missing = e - len(X)
            if not missing:
                break
            turns: list[Turn] = [(k, MATCHES) for k in first]
            turns += [(self.rng.choice(voting), LABELS) for _ in range(2 * missing)]
            some = self._draw(turns, X)
            X, Y = (np.concatenate(pair)[:e] for pair in zip((X, Y), some, strict=True))
        return X, Y

    def _draw(self, turns: Sequence[Turn], earlier: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """An example for each turn, without those that the domain does not admit."""
        known: list[Point] = [x.ravel().tolist() for x in earlier]
        for k, _ in turns:
            known.append(self._input(known, [k]))
        return self._labelled(self._points(known[len(earlier) :]), turns)

    def _labelled(self, X: np.ndarray, turns: Sequence[Turn]) -> tuple[np.ndarray, np.ndarray]:
        """Inputs with labels, those that the domain admits."""
        labels = [self._label(x, k, kinds) for x, (k, kinds) in zip(X, turns, strict=True)]
        Y = rationals([v for y in labels for v in y]).reshape(len(X), self.d)
        keep = self.admitted(X, Y)
        return X[keep], Y[keep]

    def _points(self, points: Sequence[Point]) -> np.ndarray:
        """(count, n-1, d)."""
        return rationals([v for x in points for v in x]).reshape(-1, self.inputs, self.d)

    def admitted(self, X: np.ndarray, Y: np.ndarray) -> np.ndarray:
        """Which examples the domain admits, as the specification sees them."""
        if not len(X):
            return np.zeros(0, dtype=bool)
        if self._admits(Prompt(X, Y, X[0])):
            return np.ones(len(X), dtype=bool)
        one_by_one = (self._admits(Prompt(X[[i]], Y[[i]], X[i])) for i in range(len(X)))
        return np.array([*one_by_one], dtype=bool)

    def _admits(self, prompt: Prompt) -> bool:
        formats = ("exact",) if self.exact else ("exact", "float64", *self.made.certified)
        try:
            for dtype in dict.fromkeys(formats):
                check_domain(prompt.astype(dtype), self.tasks, self.domain, len(prompt.X))
        except ConstructError:
            return False
        return True

    # --- Inputs ---------------------------------------------------------------

    def _input(self, earlier: Sequence[Point], voting: Sequence[int]) -> Point:
        rng, size = self.rng, self.inputs * self.d
        if self.words:
            return one_hot([rng.randrange(self.d) for _ in range(self.inputs)], self.d).entries()
        kind = rng.choice(INPUTS)
        if kind == "earlier" and earlier:
            return list(rng.choice(earlier))
        if kind == "knot":
            start = rng.choice((self.x.either, self.x.corner))(size)
            if found := self.knots.near(start.entries()):
                return found
        if kind == "tie" and (tie := self._tie(rng.choice(voting))):
            return tie
        if kind == "small":
            return list(rng.choice(self.small))
        if kind == "equal":
            return self.x.either(self.d).entries() * self.inputs
        draw = {"corner": self.x.corner, "sparse": self.x.sparse, "whole": self.x.whole}
        return draw.get(kind, self.x.real)(size).entries()

    @cached_property
    def knots(self) -> Knots:
        """The knots of what the network holds."""
        return Knots(self.rows, self.domain, self.rng)

    @cached_property
    def small(self) -> list[Point]:
        """Inputs of a few small numbers, 0 among them: there, formulas are often equal."""
        rng, size = random.Random("small"), self.inputs * self.d
        step = min(Fraction(1), Fraction(self.x.edge) / 2)
        if self.domain.grid is not None:
            step = Fraction(max(toward_zero(step, self.domain.grid), self.domain.grid))
        entries = [i * step for i in (-2, -1, 0, 0, 1, 1, 2) if abs(i * step) <= self.domain.R]
        found: list[Point] = [[Fraction(0)] * size]
        for _ in range(SMALL // 2):
            found.append([rng.choice(entries)] * size)
            found.append([rng.choice(entries) for _ in range(size)])
        return found

    def _tie(self, f: int) -> Point | None:
        """Inputs on which a task agrees with another, or on which what is held of them does."""
        others = [g for g in range(len(self.tasks)) if g != f]
        if not others:
            return None
        g, half = self.rng.choice(others), self.rng.random() < 0.5
        if half and (same := self._equal(f, g)):
            return list(self.rng.choice(same))
        if (f, g) not in self.agreements:
            self.agreements[f, g] = Agreement(self.rows[f], [self.rows[g]])
        x = self.agreements[f, g].near(self.x.either(self.inputs * self.d))
        inside = x is not None and x.within(self.domain.R) and x.on_grid(self.domain.grid)
        return x.entries() if x is not None and inside else None

    def _equal(self, f: int, g: int) -> list[Point]:
        """The small inputs on which a label matches both tasks."""
        gaps = self._small_values[f] - self._small_values[g]
        near = np.array((gaps**2).sum(axis=-1) <= 4 * Fraction(self.domain.tau) ** 2, dtype=bool)
        return [self.small[i] for i in np.flatnonzero(near).tolist()]

    @cached_property
    def _small_values(self) -> list[np.ndarray]:
        return [self._values(task, self._points(self.small)) for task in self.tasks]

    # --- Labels ---------------------------------------------------------------

    @staticmethod
    def _values(task: Any, x: np.ndarray) -> np.ndarray:
        """f(x), without rounding: of whole numbers too."""
        return task(x).astype(object)

    def _label(self, x: np.ndarray, k: int, kinds: Sequence[str]) -> list[Rational]:
        rng, kind, tau = self.rng, self.rng.choice(kinds), Fraction(self.domain.tau)
        if kind in ("noise", "corner"):
            return self._any_label(kind)
        if kind == "input":
            return [rational(v) for v in x[rng.randrange(self.inputs)].tolist()]
        value = self._values(self.tasks[k], x)
        if self.words:
            return self._word(value)
        if kind == "both" and len(self.tasks) > 1:
            other = rng.choice([g for g in range(len(self.tasks)) if g != k])
            value = (value + self._values(self.tasks[other], x)) / 2
        if kind in ("value", "both") or (not tau and kind in MATCHES):
            return short(value, self.tasks[k], self.domain)
        delta = Fraction(self.domain.delta)
        share = Fraction(rng.randrange(1, 64), 64)
        length = {
            "at tau": tau,
            "within": tau * share,
            "at delta": delta,
            "beyond": delta * (1 + share),
        }[kind]
        inward = kind in MATCHES
        off = self._values(self.made.held[k], x) - value
        return self._moved(value, self._step(-off if inward else off) * length, inward=inward)

    def _any_label(self, kind: str) -> list[Rational]:
        if self.words:
            return one_hot([self.rng.randrange(self.d)], self.d).entries()
        return (self.y.corner(self.d) if kind == "corner" else self.y.either(self.d)).entries()

    def _word(self, value: np.ndarray) -> list[Rational]:
        """The word that a value is, or any."""
        word = Vector.of(value.tolist()).is_word()
        return value.tolist() if word else self._any_label("noise")

    def _step(self, worst: np.ndarray) -> np.ndarray:
        """A direction of length 1: any, or the entry in which a vector is longest."""
        step, places = zeros(self.d), np.flatnonzero(worst).tolist()
        if places and self.rng.random() < 0.5:
            place = max(places, key=lambda i: abs(worst[i]))
            step[place] = 1 if worst[place] > 0 else -1
            return step
        entries, norm = self.rng.choice([way for way in DIRECTIONS if len(way[0]) <= self.d])
        for place, entry in zip(self.rng.sample(range(self.d), len(entries)), entries, strict=True):
            step[place] = Fraction(self.rng.choice((-1, 1)) * entry, norm)
        return step

    def _moved(self, value: np.ndarray, step: np.ndarray, *, inward: bool) -> list[Rational]:
        """A value moved by a step; where a grid has no such label, by less or by more."""
        grid = self.domain.grid
        if grid is None:
            return list(value + step)
        start = nearest(value, grid)
        ends = []
        for s in map(Fraction, step.tolist()):
            end = toward_zero(s, grid)
            short_of = 0 if inward or end == s else grid if s > 0 else -grid
            ends.append(end + short_of)
        return [a + e for a, e in zip(start, ends, strict=True)]


def short(value: np.ndarray, task: Any, domain: Domain) -> list[Rational]:
    """A value of a task as a label of few digits.

    On a grid it is the multiple next to it; where it is irrational, a number within tau of it.
    """
    tau = Fraction(domain.tau)
    if domain.grid is not None:
        return nearest(value, domain.grid)
    if not tau or not isinstance(task, Formula) or task.rational:
        return [rational(v) for v in value.tolist()]
    step = Fraction(1)
    while step * len(value) > tau:
        step /= 10
    return nearest(value, step)


def nearest(value: np.ndarray, step: Rational) -> list[Rational]:
    """The multiples of a step next to some entries."""
    return [round(Fraction(v) / step) * step for v in value.tolist()]
