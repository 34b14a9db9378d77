"""Prompts that together reach every weight of an artifact on a whole-numbered grid.

* Totals 0..M, split over the slots in several ways: every unit of the reciprocal
  table. For that, examples that exactly v tasks explain, for every v in 1..K.
* Matches by every task in every slot, with 0..m examples: every code bit, every
  value, and blank slots, which a task with f(0) = 0 would match but for their flag.
* Labels at distance exactly delta, in each coordinate and direction, inputs inside
  and at the corners of the domain: every coefficient of e_k, since the score
  1 - B ||e_k||^2 is exactly 0 there and any change in the right direction a vote.
* Examples with e_k as large as can be and of opposite signs: the gates.

Queries have no zero entry, and no two tasks agree on them.
"""

import itertools
from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np

from construct import Construction, Prompt

Example = tuple[np.ndarray, np.ndarray]


def directed_prompts(construction: Construction) -> list[Prompt]:
    """Prompts on the grid of the domain that together reach every weight."""
    return _Director(construction).prompts()


class _Director:
    def __init__(self, construction: Construction) -> None:
        self.tasks, self.domain = construction.tasks, construction.domain
        self.sizes = construction.sizes
        self.rng = np.random.default_rng(0)
        sizes, grid = self.sizes, np.arange(-self.domain.R, self.domain.R + 1.0)
        flat = np.array(list(itertools.product(grid, repeat=(sizes.n - 1) * sizes.d)))
        # All inputs that there are, and what each task makes of them.
        self.inputs = flat.reshape(-1, sizes.n - 1, sizes.d)
        self.values = np.stack([task(self.inputs) for task in self.tasks])
        self.slots = range(sizes.m)

    def prompts(self) -> list[Prompt]:
        """All of them, shuffled: so each few hold something of everything."""
        lists = [
            *self.totals(),
            *self.matches(),
            *self.at_delta(),
            *self.opposites(),
        ]
        queries = itertools.cycle(self.queries())
        prompts = [self.prompt(examples, next(queries)) for examples in lists]
        return [prompts[i] for i in self.rng.permutation(len(prompts))]

    def prompt(self, examples: Sequence[Example], query: np.ndarray) -> Prompt:
        shape = (len(examples), self.sizes.n - 1, self.sizes.d)
        X = np.array([x for x, _ in examples]).reshape(shape)
        Y = np.array([y for _, y in examples]).reshape(len(examples), self.sizes.d)
        return Prompt(X, Y, query)

    def queries(self) -> np.ndarray:
        """Queries without a zero entry, on which all tasks differ and none is zero."""
        apart = np.array(
            [len(np.unique(f, axis=0)) == len(f) and f.all() for f in self.values.swapaxes(0, 1)]
        )
        return self.some(self.inputs[apart & self.inputs.all(axis=(1, 2))], 24)

    def totals(self) -> Iterator[list[Example]]:
        """Each total 0..M, split over the slots, first ones and last ones fullest."""
        K, m = self.sizes.K, self.sizes.m
        for total in range(self.sizes.M + 1):
            voters = [min(K, max(0, total - K * i)) for i in self.slots]
            for order in (voters, voters[::-1]):
                yield [self.explained_by(v) for v in order]
            # Unused slots are blank.
            yield [self.explained_by(v) for v in voters if v]
            even = [total // m + (i < total % m) for i in self.slots]
            yield [self.explained_by(v) for v in even]

    def explained_by(self, voters: int) -> Example:
        """An example that this many tasks explain."""
        if not voters:
            x = self.some(self.inputs, 1)[0]
            return x, self.unmatched(x)
        x, y = self.ties[voters][self.rng.integers(len(self.ties[voters]))]
        return x, y

    @cached_property
    def ties(self) -> dict[int, list[Example]]:
        """Number of tasks -> examples that exactly so many explain."""
        found: dict[int, list[Example]] = {v: [] for v in range(1, self.sizes.K + 1)}
        for x, values in zip(self.inputs, self.values.swapaxes(0, 1), strict=True):
            labels, voters = np.unique(values, axis=0, return_counts=True)
            for y, v in zip(labels, voters, strict=True):
                found[int(v)].append((x, y))
        return found

    def unmatched(self, x: np.ndarray) -> np.ndarray:
        """A label that no task gives."""
        values = np.stack([task(x) for task in self.tasks])
        for y in itertools.product(np.arange(-self.domain.Ry, 1.0), repeat=self.sizes.d):
            if (values != y).any(axis=1).all():
                return np.array(y)
        raise AssertionError("the domain leaves no room for a label")

    def matches(self) -> Iterator[list[Example]]:
        """0..m examples, each slot matched by each task, often."""
        for _ in range(8):
            for shift, used in itertools.product(range(self.sizes.K), range(self.sizes.m + 1)):
                chosen = self.some(np.arange(len(self.inputs)), used)
                yield [
                    (self.inputs[i], self.values[(shift + slot) % self.sizes.K, i])
                    for slot, i in enumerate(chosen)
                ]

    def at_delta(self) -> Iterator[list[Example]]:
        """Labels off by +-delta in one coordinate, for each task, also at corners."""
        corners = np.flatnonzero((abs(self.inputs) == self.domain.R).all(axis=(1, 2)))
        inside = np.flatnonzero(self.inputs.all(axis=(1, 2)))
        for k, row in itertools.product(range(self.sizes.K), range(self.sizes.d)):
            for pool in (corners, inside, inside, inside):
                chosen = self.some(pool, self.sizes.m)
                for sign in (-1, 1):
                    noise = sign * float(self.domain.delta) * np.eye(self.sizes.d)[row]
                    yield [(self.inputs[i], self.values[k, i] + noise) for i in chosen]

    def opposites(self) -> Iterator[list[Example]]:
        """Examples with e_k as large as can be and of opposite signs, in turn.

        <e_k(i), e_k(j)> is near its least there, and the score off target near its
        bound: only the gates keep the one example from voting through the other.
        """
        signs = np.array(list(itertools.product((-1.0, 1.0), repeat=self.sizes.d)))
        for values, sign in itertools.product(self.values, signs):
            along = values @ sign
            ends = (along.argmax(), -sign), (along.argmin(), sign)
            examples = [(self.inputs[i], float(self.domain.Ry) * s) for i, s in ends]
            yield [examples[slot % 2] for slot in self.slots]

    def some(self, pool: np.ndarray, count: int) -> np.ndarray:
        return pool[self.rng.integers(len(pool), size=count)]
