"""Random prompts over a whole domain: what `construct verify` runs on.

Ties, noise, fewer than m examples and none, the extremes of the domain, equal
tokens, zero vectors, labels at distance exactly delta.
"""

from collections.abc import Sequence

import numpy as np

from construct.certify import Domain
from construct.compiler import Construction
from construct.prompt import Prompt
from construct.rational import rational_array
from construct.tasks import Task

# How an example's inputs and its label are drawn.
INPUTS = ("whole", "real", "corner", "sparse", "zero", "equal", "earlier", "tie")
LABELS = ("task", "task", "task", "at delta", "noise", "corner", "input")


def random_prompts(
    construction: Construction,
    count: int,
    seed: int = 0,
    *,
    exact: bool = False,
    most: int | None = None,
) -> list[Prompt]:
    """`count` prompts of the construction's domain.

    Args:
        exact: rationals, with labels that are exactly f_k(X); else float64.
        most: examples in a prompt, if fewer than m.
    """
    sampler = _Sampler(construction, np.random.default_rng(seed), exact, most)
    return [sampler.prompt() for _ in range(count)]


class _Sampler:
    def __init__(
        self,
        construction: Construction,
        rng: np.random.Generator,
        exact: bool,
        most: int | None,
    ) -> None:
        self.exact = exact
        self.most = min(construction.sizes.m, most or construction.sizes.m)
        self.sizes, self.domain = construction.sizes, construction.domain
        self.tasks, self.rng = construction.tasks, rng
        self.one_hot = construction.vocabulary is not None
        self.R, self.Ry = float(self.domain.R), float(self.domain.Ry)

    def prompt(self) -> Prompt:
        """A prompt of 0 to m examples; full and nearly empty ones are frequent."""
        rng, sizes = self.rng, self.sizes
        e = int(rng.choice([0, 1, self.most, *rng.integers(0, self.most + 1, 5)]))
        some = rng.choice(len(self.tasks), size=rng.integers(1, 4))
        dtype = object if self.exact else np.float64
        X = np.zeros((e, sizes.n - 1, sizes.d), dtype)
        Y = np.zeros((e, sizes.d), dtype)
        for i in range(e):
            X[i], Y[i] = self._example(X[:i], [self.tasks[k] for k in some])
        again = e and rng.random() < 0.2
        query = X[rng.integers(e)] if again else self._number(self._inputs(X[:0], []))
        return Prompt(X, Y, query)

    def _number(self, x: np.ndarray) -> np.ndarray:
        """Where prompts are exact: the nearest sixteenth towards zero."""
        return rational_array(np.trunc(x * 16) / 16, x.shape, "x") if self.exact else x

    def _example(self, earlier: np.ndarray, tasks: list[Task]) -> tuple[np.ndarray, np.ndarray]:
        for _ in range(50):
            x = self._number(self._inputs(earlier, tasks))
            y = self._label(x, tasks)
            if self._inside(x, y):
                return x, y
        # Real inputs can leave no room between tasks; at zero a far label is safe.
        return self._unexplained()

    def _inputs(self, earlier: np.ndarray, tasks: list[Task]) -> np.ndarray:
        rng, shape = self.rng, (self.sizes.n - 1, self.sizes.d)
        if self.one_hot:
            x = np.eye(shape[1])[rng.integers(shape[1], size=shape[0])]
            return x[[0] * shape[0]] if rng.random() < 0.2 else x
        kind = rng.choice(INPUTS)
        if kind == "tie":
            return self._tie(tasks)
        if kind == "earlier" and len(earlier):
            return earlier[rng.integers(len(earlier))].astype(np.float64)
        x = self._on_grid(rng.uniform(-self.R, self.R, shape))
        if kind == "whole":
            x = np.round(x) if np.abs(np.round(x)).max() <= self.R else np.trunc(x)
        elif kind == "corner":
            x = self._on_grid(rng.choice([-self.R, self.R], shape))
        elif kind == "sparse":
            x = x * (rng.random(shape) < 0.2)
        elif kind == "zero":
            x = np.zeros(shape)
        elif kind == "equal":
            x = x[[0] * shape[0]]
        return self._on_grid(x)

    def _tie(self, tasks: list[Task]) -> np.ndarray:
        """Inputs on which two tasks agree, where their affine parts can."""
        rng, shape = self.rng, (self.sizes.n - 1, self.sizes.d)
        x = self._on_grid(rng.uniform(-self.R, self.R, shape) / 2)
        everyone = self.tasks
        f = tasks[0] if tasks else everyone[0]
        g = everyone[rng.integers(len(everyone))]
        # The derivative of f - g at x: its columns are directional differences.
        units = np.eye(x.size).reshape(-1, *shape)
        gap = f(x) - g(x)
        slope = (f(x + units) - g(x + units) - gap).T
        step = np.linalg.lstsq(slope, gap, rcond=None)[0]
        return self._on_grid(np.clip(x - step.reshape(shape), -self.R, self.R))

    def _label(self, x: np.ndarray, tasks: list[Task]) -> np.ndarray:
        """A label for x, in the numbers of x."""
        rng, d = self.rng, self.sizes.d
        kind = rng.choice(LABELS)
        truth = tasks[rng.integers(len(tasks))](x)
        if self.one_hot:
            word = self._number(np.eye(d)[rng.integers(d)])
            return truth if kind == "task" and truth.any() else word
        if kind == "task":
            return truth
        if kind == "at delta":
            nudge = np.zeros(d, dtype=object)
            nudge[rng.integers(d)] = int(rng.choice([-1, 1])) * self.domain.delta
            return truth + (nudge if self.exact else nudge.astype(np.float64))
        if kind == "corner":
            return self._number(self._on_grid(rng.choice([-self.Ry, self.Ry], d)))
        if kind == "input":
            return x[rng.integers(len(x))]
        return self._number(self._on_grid(rng.uniform(-self.Ry, self.Ry, d)))

    def _unexplained(self) -> tuple[np.ndarray, np.ndarray]:
        x = np.zeros((self.sizes.n - 1, self.sizes.d))
        if self.one_hot:
            x[:, 0] = 1
        x = self._number(x)
        for _ in range(1000):
            y = self._label(x, list(self.tasks))
            if self._inside(x, y):
                return x, y
        raise AssertionError("the domain leaves no room for a label")

    def _on_grid(self, x: np.ndarray) -> np.ndarray:
        grid = self.domain.grid
        return x if grid is None else np.trunc(x / float(grid)) * float(grid)

    def _inside(self, x: np.ndarray, y: np.ndarray) -> bool:
        return in_domain(x, y, self.tasks, self.domain)


def in_domain(x: np.ndarray, y: np.ndarray, tasks: Sequence[Task], domain: Domain) -> bool:
    """Whether an example is bounded, and clear of every task that it does not match.

    A match is taken at a tenth of the float64 tolerance: rounding to float32 must
    not lift a label out of it.
    """
    if abs(x).max() > domain.R or abs(y).max() > domain.Ry:
        return False
    if domain.grid is not None and (y.astype(object) % domain.grid).any():
        return False
    squares = [((task(x) - y) ** 2).sum() for task in tasks]
    matched, separate = (0, 1) if x.dtype == object else (1e-20, 1 - 2**-50)
    delta2 = domain.delta**2
    return all(s <= matched * delta2 or s >= separate * delta2 for s in squares)
