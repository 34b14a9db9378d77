"""Where each task is tested and how it reads its operands.

Task k has a *home* position; it is tested at the home token of each example. Its
other operands come through *operand slots*, shared by all tasks: slot s of every
token holds the operand at one fixed position of the same example. So the slots T
must cover all positions of each task but at most one, and S = |T| is the least.

In the plain layout homes are inputs, and the dictionary holds the features of all tasks at
every token. With w scratch tokens a task may live at a scratch token, which holds a copy of
the operand that the task reads, and each home has features of its own (`homes`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np

from construct.designs.theorem.homes import Home, by_entries, fewest_scratch, settle
from construct.designs.theorem.slots import fewest_slots
from construct.matrix import Matrix
from construct.network.primitives import Rows
from construct.rational import Rational
from construct.spec.hinge import Hinge, Terms, order
from construct.spec.tasks import Task


class Unit(NamedTuple):
    """A hinge as a token sees it: c * max(sum of <vector, operand> + e, 0).

    Attributes:
        a: (operand, vector): operand 0 is the token itself and operand s is slot s.
        at: the position at which alone the unit acts; None if it acts at every token.
    """

    c: Rational
    a: tuple[tuple[int, Terms], ...]
    e: Rational
    at: int | None = None


@dataclass(frozen=True, eq=False)
class Wiring:
    """Homes, slots and the shared dictionary of a set of tasks.

    Attributes:
        tasks: the K tasks, equal features of each merged (`Task.merged`).
        slots: the position that each operand slot holds.
        homes: the home position of each task.
        dictionary: the P features, each a sum of hinges; with scratch tokens those of all
            homes, each hinge acting at one.
        reads: for each task, the dictionary entry of each of its features.
        sources: for each task the input position of which its home token holds the operand.
        scratch: for each scratch token the input position that it copies.
        length: tokens of an example in the network; 0 in the plain layout, which fits any.
    """

    tasks: tuple[Task, ...]
    slots: tuple[int, ...]
    homes: tuple[int, ...]
    dictionary: tuple[tuple[Unit, ...], ...]
    reads: tuple[tuple[int, ...], ...]
    sources: tuple[int, ...]
    scratch: tuple[int, ...] = ()
    length: int = 0

    @classmethod
    def of(cls, tasks: Sequence[Task], n: int = 0, w: int = 0) -> "Wiring":
        """The wiring with the fewest slots.

        Args:
            n: tokens of an example; it is needed where there are scratch tokens.
            w: scratch tokens; without any the layout is the plain one.
        """
        tasks = tuple(task.merged for task in tasks)
        slots = tuple(sorted(fewest_slots([set(task.positions) for task in tasks])))
        return _with_scratch(tasks, slots, n, w) if w else _plain(tasks, slots)

    @classmethod
    def through(cls, tasks: Sequence[Task], slots: Sequence[int]) -> "Wiring":
        """The plain layout with these slots, however many they are."""
        return _plain(tuple(task.merged for task in tasks), tuple(slots))

    def fewest_scratch(self, n: int) -> int:
        """The fewest scratch tokens that give these tasks, in examples of n, the least width."""
        K, P, S = len(self.tasks), len(self.dictionary), len(self.slots)
        least = max(len(by_entries(task).features) for task in self.tasks) if P else 0
        if S >= K or least == P:
            return 0

        @cache
        def features_with(w: int) -> int:
            return len(_with_scratch(self.tasks, self.slots, n, w).dictionary)

        return fewest_scratch(P, K - 1, n, features_with, least)

    def unit(self, hinge: Hinge, source: int) -> Unit:
        """The hinge as a token that holds the operand at `source` sees it."""
        return _unit(hinge, source, self.slots)

    def f(self, k: int, home: str = "tok", slot: str = "slot", g: str = "gx") -> Rows:
        """f_k as functionals of its home token, over the fields named here.

        On `tok`, `slot`, `gx` it is f_k of the token's example; on `qry`, `qslot`,
        `gq` it is f_k of the query.
        """
        task = self.tasks[k]
        blocks: dict[str, Matrix | np.ndarray | Rational] = {"one": task.b[:, None]}
        for position, matrix in task.A.items():
            operand = _operand(position, self.sources[k], self.slots)
            blocks[self.field(operand, home, slot)] = matrix
        if task.features:
            blocks[g] = task.C.merged(self.reads[k], len(self.dictionary))
        return Rows(blocks)

    @staticmethod
    def field(operand: int, home: str, slot: str) -> str:
        """The field of operand 0 (the token itself) or of slot s."""
        return f"{slot}{operand}" if operand else home


def _plain(tasks: tuple[Task, ...], slots: tuple[int, ...]) -> Wiring:
    """Homes are inputs; the dictionary holds each feature of any task once."""
    homes, reads = [], []
    dictionary: dict[tuple[Unit, ...], int] = {}
    for task in tasks:
        home = _own_position(task, slots) or [*task.positions, 1][0]
        homes.append(home)
        units = [_feature(feature, home, slots) for feature in task.features]
        reads.append(tuple(dictionary.setdefault(u, len(dictionary)) for u in units))
    return Wiring(tasks, slots, tuple(homes), tuple(dictionary), tuple(reads), tuple(homes))


def _with_scratch(tasks: tuple[Task, ...], slots: tuple[int, ...], n: int, w: int) -> Wiring:
    """Homes are inputs and scratch tokens, and each has features of its own."""
    tasks = tuple(map(by_entries, tasks))
    own = [_own_position(task, slots) for task in tasks]
    features = [
        [_feature(f, source, slots) for f in task.features]
        for task, source in zip(tasks, own, strict=True)
    ]
    places: list[Home] = settle(own, features, n, w)
    chosen = {k: home for home in places for k in home.tasks}
    homes = tuple(chosen[k].position for k in range(len(tasks)))
    sources = tuple(chosen[k].source for k in range(len(tasks)))
    reads = tuple(tuple(chosen[k].features[u] for u in own) for k, own in enumerate(features))
    P = max(len(home.features) for home in places)
    dictionary: list[list[Unit]] = [[] for _ in range(P)]
    for home in places:
        for units, place in home.features.items():
            dictionary[place] += [unit._replace(at=home.position) for unit in units]
    scratch = tuple(home.source for home in places if home.position >= n)
    entries = tuple(map(tuple, dictionary))
    return Wiring(tasks, slots, homes, entries, reads, sources, scratch, n + w)


def _own_position(task: Task, slots: tuple[int, ...]) -> int | None:
    """The position that the task reads at its home token; None if all are in slots."""
    return next((p for p in task.positions if p not in slots), None)


def _feature(feature: Sequence[Hinge], source: int | None, slots: tuple[int, ...]) -> tuple:
    units = (_unit(hinge, source, slots) for hinge in feature)
    return tuple(sorted(units, key=lambda unit: order(unit.c, unit.a, unit.e)))


def _unit(hinge: Hinge, source: int | None, slots: tuple[int, ...]) -> Unit:
    return Unit(hinge.c, tuple((_operand(p, source, slots), v) for p, v in hinge.a), hinge.e)


def _operand(position: int, source: int | None, slots: tuple[int, ...]) -> int:
    return 0 if position == source else 1 + slots.index(position)
