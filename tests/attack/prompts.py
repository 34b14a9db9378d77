"""Prompts at every edge of a domain, in Fractions.

An edge is where some decision changes: an input at R, a label at delta or at the largest
distance of a match, a number that rounds badly, one that underflows on the way, a blank
slot, all votes at once. Most prompts are kept inside the domain; the others must be refused.
"""

from fractions import Fraction as Q
from math import isqrt
from random import Random

from attack import near
from attack.domain import BITS, TINY, rounded
from attack.reckoning import Prompt, Reckoned, Vector, state

INPUTS = (
    *("whole", "real", "corner", "one corner", "zero", "sparse", "equal", "earlier"),
    *("badly rounded", "tiny", "beyond", "off grid"),
)
# Those that leave the domain are rare.
RARE = ("beyond", "off grid")
LABELS = (
    *("task", "task", "task", "at delta", "just separate", "edge of match", "noise"),
    *("corner", "opposed", "input", "zero", "between"),
)


class Prompts:
    """Draws prompts for a task set, at the edges of a format."""

    def __init__(
        self,
        rng: Random,
        task_set: Reckoned,
        dtype: str,
        *,
        one_hot: bool = False,
        favour: str | None = None,
        most: int | None = None,
    ) -> None:
        self.rng, self.set, self.dtype = rng, task_set, dtype
        self.one_hot, self.favour = one_hot, favour
        self.most = min(most or task_set.m, task_set.m)
        self.domain = task_set.domain
        self.format = dtype if dtype in BITS else "float64"
        self.inputs, self.labels = INPUTS, LABELS
        if task_set.near or any(task_set.held):
            self.inputs, self.labels = INPUTS + near.INPUTS, LABELS + near.LABELS
        self.knots = near.knots(task_set)

    def draw(self) -> Prompt:
        """A prompt; four in five have no example that is outside."""
        rng, m = self.rng, self.most
        count = rng.choice([0, 1, m, m, rng.randint(0, m), rng.randint(0, m)])
        if rng.random() < 0.01:
            count = self.set.m + 1
        inside = rng.random() < 0.8
        kind = self.favour if rng.random() < 0.5 else None
        kind = kind or (rng.choice(self.inputs) if rng.random() < 0.3 else None)
        examples: list[list[Vector]] = []
        for _ in range(count):
            examples.append(self._example(examples, inside, kind))
        if examples and rng.random() < 0.2:
            query = rng.choice(examples)[:-1]
        else:
            query = self._inputs([], kind or rng.choice(self.inputs), inside)
        return {"examples": examples, "query": query}

    def inputs_of(self, kind: str) -> list[Vector]:
        """Inputs of one kind, in the domain."""
        return self._inputs([], kind, True)

    def unanimous(self) -> Prompt:
        """m examples alike, which the most tasks explain; the query rounds badly."""
        zero = [[Q(0)] * self.set.d] * (self.set.n - 1)
        drawn = [zero, *(self._inputs([], "whole", True) for _ in range(6))]
        candidates = [[*X, self._match(f(X))] for X in drawn for f in self.set.maps]
        match = self.domain.match2(self.dtype)
        best = max(candidates, key=lambda one: sum(s <= match for s in self.set.distances2(one)))
        return {"examples": [best] * self.set.m, "query": self._inputs([], "badly rounded", True)}

    def _example(self, earlier: list, inside: bool, kind: str | None) -> list[Vector]:
        example: list[Vector] = []
        for _ in range(12 if inside else 1):
            X = self._inputs(earlier, kind or self.rng.choice(self.inputs), inside)
            # At the corners f_k(X) - y is as long as it can be.
            often = {"corner": "opposed", "badly rounded": "task"}.get(kind or "")
            example = [*X, self._label(X, often if self.rng.random() < 0.6 else None)]
            if self._inside(example):
                return example
        for _ in range(20 if inside else 0):
            # A label far from every task, or that of a task, where it is inside at all.
            example[-1] = self._label(example[:-1], self.rng.choice(["task", "corner", "zero"]))
            if self._inside(example):
                break
        return example

    def _inside(self, example: list[Vector]) -> bool:
        """Whether the example is inside as rationals, or as they are rounded."""
        prompt = {"examples": [example], "query": example[:-1]}
        return any(state(self.set, prompt, f)[0] == "inside" for f in ("exact", self.dtype))

    # --- Inputs ------------------------------------------------------------------

    def _inputs(self, earlier: list, kind: str, inside: bool) -> list[Vector]:
        rng, d = self.rng, self.set.d
        count = self.set.n - 1
        if self.one_hot:
            hot = [rng.randrange(d) for _ in range(count)]
            return [[Q(int(i == h)) for i in range(d)] for h in hot]
        if inside and kind in RARE:
            kind = "real"
        if kind == "earlier" and earlier:
            return [list(v) for v in rng.choice(earlier)[:-1]]
        if kind in near.INPUTS:
            start = self._inputs(earlier, rng.choice(("whole", "real", "corner")), inside)
            moved = near.at_a_knot(rng, self.knots, start, self.domain.R, kind)
            return [[self._snap(x) for x in v] for v in moved]
        X = [[self._snap(self._entry(kind)) for _ in range(d)] for _ in range(count)]
        if kind == "equal":
            X = [list(X[0]) for _ in X]
        if kind == "sparse":
            X = [[x * (rng.random() < 0.3) for x in v] for v in X]
        if kind == "off grid" and self.domain.grid is not None:
            X[0][0] += self.domain.grid / rng.choice([2, 3, 1000])
        if kind == "beyond":
            beyond = rng.choice([Q(1, 1 << 10), Q(1, 1 << BITS[self.format] - 1), Q(1)])
            X[-1][-1] = rng.choice([-1, 1]) * self.domain.R * (1 + beyond)
        return X

    def _entry(self, kind: str) -> Q:
        rng, R = self.rng, self.domain.R
        sign = rng.choice([-1, 1])
        if kind in ("corner", "one corner", "beyond"):
            return sign * R if kind == "corner" or rng.random() < 0.5 else self._uniform(R)
        if kind == "whole":
            most = min(int(R), rng.choice([1, 3, 10**6]))
            return Q(rng.randint(-most, most)) if most else self._uniform(R)
        if kind == "zero":
            return Q(0)
        if kind == "badly rounded":
            return sign * self._between_floats(R)
        if kind == "tiny":
            scale = rng.choice([1, self._N(), self._N(), 2 * self._N(), 1 << 30])
            return sign * min(R, TINY[self.format] * scale * rng.choice(EIGHTHS))
        return self._uniform(R)

    def _N(self) -> int:
        tokens = (self.set.m + 1) * self.set.n
        return 1 << (tokens - 1).bit_length()

    def _uniform(self, bound: Q) -> Q:
        """A rational with as many bits as float64 has, or a few."""
        bits = self.rng.choice([4, 20, 53])
        return bound * self.rng.randint(-(1 << bits), 1 << bits) / (1 << bits)

    def _between_floats(self, bound: Q) -> Q:
        """Half a unit in the last place from a float, just below the bound."""
        size = bound.numerator.bit_length() - bound.denominator.bit_length()
        ulp = Q(2) ** (size - BITS[self.format])
        if bound >= Q(2) ** size:
            ulp *= 2
        steps = self.rng.choice([1, 2, self.rng.randint(1, 1000)])
        half = self.rng.choice([Q(1023, 2048), Q(-1023, 2048), Q(1, 3)])
        found = (bound // ulp - steps + half) * ulp
        return found if 0 < found <= bound else bound

    def _snap(self, x: Q) -> Q:
        """The multiple of the grid towards zero."""
        grid = self.domain.grid
        if grid is None:
            return x
        return int(x / grid) * grid

    # --- Labels ------------------------------------------------------------------

    def _label(self, X: list[Vector], kind: str | None = None) -> Vector:
        rng, d, Ry = self.rng, self.set.d, self.domain.Ry
        kind = kind or rng.choice(self.labels)
        k = rng.randrange(len(self.set.maps))
        truth = self.set.maps[k](X)
        if self.one_hot:
            hot = rng.randrange(d)
            return truth if kind == "task" else [Q(int(i == hot)) for i in range(d)]
        if kind == "task":
            return self._match(truth)
        if kind in near.LABELS:
            return near.label(rng, self.set, k, X, truth, kind, self.dtype)
        if kind in ("noise", "corner"):
            sizes = [Ry if kind == "corner" else self._uniform(Ry) for _ in range(d)]
            return [self._snap(rng.choice([-1, 1]) * size) for size in sizes]
        if kind == "opposed":
            return [self._snap(-Ry if y > 0 else Ry) for y in truth]
        if kind == "zero":
            return [Q(0)] * d
        if kind == "input":
            return list(rng.choice(X))
        return self._beside(truth, kind)

    def _match(self, truth: Vector) -> Vector:
        """A label that is as near to a value as it can be: on the grid, if labels may be off."""
        grid = self.domain.grid
        if grid is None or not self.domain.tau:
            return truth
        return [round(y / grid) * grid for y in truth]

    def _beside(self, truth: Vector, kind: str) -> Vector:
        """The label of a task, moved along an axis or, at delta, sideways."""
        rng, d, delta = self.rng, len(truth), self.domain.delta
        sign, i = rng.choice([-1, 1]), rng.randrange(d)
        if kind == "at delta" and d > 1 and rng.random() < 0.3:
            # (3, 4, 5): at delta in two coordinates.
            j = (i + 1) % d
            steps = {i: sign * delta * 3 / 5, j: delta * 4 / 5}
            return [y + steps.get(k, 0) for k, y in enumerate(truth)]
        bits = BITS[self.format]
        gap = Q(1, 1 << rng.choice([bits, bits, *BITS.values()]) // 2)
        edge = root(Q(1, 1 << bits + 7), bits) * rng.choice([Q(9, 10), Q(1), Q(1001, 1000), Q(2)])
        share = {
            "at delta": Q(1),
            "just separate": 1 - gap + Q(rng.choice([0, 1]), 1 << bits),
            "edge of match": edge,
            "between": Q(rng.randint(1, 99), 100),
        }[kind]
        moved = [y + sign * delta * share * (k == i) for k, y in enumerate(truth)]
        if kind == "just separate" and self.dtype != "exact":
            moved = [self._outwards(y, t) for y, t in zip(moved, truth, strict=True)]
        return moved

    def _outwards(self, y: Q, truth: Q) -> Q:
        """Keep a label that rounding would take within the separation."""
        held = rounded(y, self.dtype)
        if held is None or abs(held - truth) >= abs(y - truth):
            return y
        return y + (y - truth) / (1 << BITS[self.format] - 4)


EIGHTHS = (Q(1), Q(7, 8), Q(9, 8), Q(3, 4), Q(1, 2), Q(1, 8), Q(3))


def root(x: Q, bits: int) -> Q:
    """The square root, to twice as many bits."""
    shift = 4 * bits
    return Q(isqrt(int(x * (1 << 2 * shift))), 1 << shift)
