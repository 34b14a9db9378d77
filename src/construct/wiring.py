"""Where each task is tested and how it reads its operands.

Task k has a *home* position; it is tested at the home token of each example. Its
other operands come through *operand slots*, shared by all tasks: slot s of every
token holds the operand at one fixed position of the same example. So the slots T
must cover all positions of each task but at most one, and S = |T| is the least.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from construct.primitives import Rows
from construct.rational import Rational, zeros
from construct.tasks import Hinge, Task

# A hinge as a token sees it: c * max(sum of <vector, operand> + e, 0), where
# operand 0 is the token itself and operand s is slot s.
Unit = tuple[Rational, tuple[tuple[int, tuple[Rational, ...]], ...], Rational]


@dataclass(frozen=True, eq=False)
class Wiring:
    """Homes, slots and the shared dictionary of a set of tasks.

    Attributes:
        tasks: the K tasks, equal features of each merged (`Task.merged`).
        slots: the position that each operand slot holds.
        homes: the home position of each task.
        dictionary: the P distinct features, each a sum of hinges.
        reads: for each task, the dictionary entry of each of its features.
    """

    tasks: tuple[Task, ...]
    slots: tuple[int, ...]
    homes: tuple[int, ...]
    dictionary: tuple[tuple[Unit, ...], ...]
    reads: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, tasks: Sequence[Task]) -> "Wiring":
        """The wiring with the fewest slots."""
        tasks = [task.merged for task in tasks]
        slots = tuple(sorted(fewest_slots([set(task.positions) for task in tasks])))
        homes, reads = [], []
        dictionary: dict[tuple[Unit, ...], int] = {}
        for task in tasks:
            outside = [p for p in task.positions if p not in slots]
            home = (outside or [*task.positions, 1])[0]
            homes.append(home)
            units = [
                tuple(sorted(_unit(hinge, home, slots) for hinge in feature))
                for feature in task.features
            ]
            reads.append(tuple(dictionary.setdefault(u, len(dictionary)) for u in units))
        return cls(tuple(tasks), slots, tuple(homes), tuple(dictionary), tuple(reads))

    def unit(self, hinge: Hinge, home: int) -> Unit:
        """The hinge as a token at position `home` sees it."""
        return _unit(hinge, home, self.slots)

    def f(self, k: int, home: str = "tok", slot: str = "slot", g: str = "gx") -> Rows:
        """f_k as functionals of its home token, over the fields named here.

        On `tok`, `slot`, `gx` it is f_k of the token's example; on `qry`, `qslot`,
        `gq` it is f_k of the query.
        """
        task = self.tasks[k]
        blocks: dict[str, np.ndarray | Rational] = {"one": task.b[:, None]}
        for position, matrix in task.A.items():
            operand = _operand(position, self.homes[k], self.slots)
            blocks[self.field(operand, home, slot)] = matrix
        if task.features:
            C = zeros(task.d, len(self.dictionary))
            C[:, self.reads[k]] = task.C
            blocks[g] = C
        return Rows(blocks)

    @staticmethod
    def field(operand: int, home: str, slot: str) -> str:
        """The field of operand 0 (the token itself) or of slot s."""
        return f"{slot}{operand}" if operand else home


def _unit(hinge: Hinge, home: int, slots: tuple[int, ...]) -> Unit:
    return hinge.c, tuple((_operand(p, home, slots), v) for p, v in hinge.a), hinge.e


def _operand(position: int, home: int, slots: tuple[int, ...]) -> int:
    return 0 if position == home else 1 + slots.index(position)


def fewest_slots(reads: Sequence[set[int]]) -> set[int]:
    """A smallest set T of positions with |R - T| <= 1 for every R in `reads`.

    Of two positions that a task reads outside T, one must join T: branch on that,
    to a depth that grows until it suffices.
    """

    def cover(chosen: set[int], budget: int) -> set[int] | None:
        open_reads = [r - chosen for r in reads if len(r - chosen) > 1]
        if not open_reads:
            return chosen
        widest = max(open_reads, key=len)
        if len(widest) - 1 > budget:
            return None
        for position in sorted(widest)[-2:][::-1]:
            found = cover(chosen | {position}, budget - 1)
            if found is not None:
                return found
        return None

    for budget in range(sum(map(len, reads)) + 1):
        found = cover(set(), budget)
        if found is not None:
            return found
    raise AssertionError("taking every position covers every task")
