"""Where each task is tested and how it reads its operands.

Task k has a *home* position; it is tested at the home token of each example. Its
other operands come through *operand slots*, shared by all tasks: slot s of every
token holds the operand at one fixed position of the same example. So the slots T
must cover all positions of each task but at most one, and S = |T| is the least.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from construct.errors import ConstructError
from construct.matrix import Matrix
from construct.network.primitives import Rows
from construct.rational import Rational
from construct.spec.hinge import Hinge, Terms, order
from construct.spec.tasks import Task

# A hinge as a token sees it: c * max(sum of <vector, operand> + e, 0), where
# operand 0 is the token itself and operand s is slot s.
Unit = tuple[Rational, tuple[tuple[int, Terms], ...], Rational]


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
                tuple(sorted((_unit(h, home, slots) for h in feature), key=lambda u: order(*u)))
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
        blocks: dict[str, Matrix | np.ndarray | Rational] = {"one": task.b[:, None]}
        for position, matrix in task.A.items():
            operand = _operand(position, self.homes[k], self.slots)
            blocks[self.field(operand, home, slot)] = matrix
        if task.features:
            blocks[g] = task.C.merged(self.reads[k], len(self.dictionary))
        return Rows(blocks)

    @staticmethod
    def field(operand: int, home: str, slot: str) -> str:
        """The field of operand 0 (the token itself) or of slot s."""
        return f"{slot}{operand}" if operand else home


def _unit(hinge: Hinge, home: int, slots: tuple[int, ...]) -> Unit:
    return hinge.c, tuple((_operand(p, home, slots), v) for p, v in hinge.a), hinge.e


def _operand(position: int, home: int, slots: tuple[int, ...]) -> int:
    return 0 if position == home else 1 + slots.index(position)


# What may be asked of `_fewest`: an answer takes milliseconds.
MOST_STEPS = 4096

Reads = frozenset[frozenset[int]]


def fewest_slots(reads: Sequence[set[int]]) -> set[int]:
    """A smallest set T of positions with |R - T| <= 1 for every R in `reads`.

    Of two positions that a task reads outside T, one must join T: the later one, unless
    only the other is of a smallest T.

    Raises:
        ConstructError: if that cannot be told in `MOST_STEPS` steps. To find a smallest T is
            to find a smallest vertex cover, and that is NP-hard.
    """
    known: dict[Reads, int] = {}
    listed = [frozenset(r) for r in reads]
    chosen: set[int] = set()
    for part in _parts(_open(listed)):
        chosen |= _smallest([r for r in listed if r in part], known)
    return chosen


def _smallest(reads: Sequence[frozenset[int]], known: dict[Reads, int]) -> set[int]:
    chosen: set[int] = set()
    still = _fewest(_open(reads), known)
    while left := [r - chosen for r in reads if len(r - chosen) > 1]:
        widest = max(left, key=lambda r: len(r))
        one, other = sorted(widest)[-2:]
        still -= 1
        chosen.add(other if _fewest(_without(left, {other}), known) == still else one)
    return chosen


def _fewest(reads: Reads, known: dict[Reads, int]) -> int:
    """How many positions a smallest T has; `known` holds the answers found so far."""
    if len(reads) < 2:
        return sum(len(r) - 1 for r in reads)
    if reads not in known:
        if len(known) >= MOST_STEPS:
            raise ConstructError(
                "the tasks read too many combinations of positions for the fewest operand slots "
                "to be found; build fewer tasks of several positions together."
            )
        known[reads] = 0  # counts as a step
        if implied := _implied(reads):
            known[reads] = len(implied) + _fewest(_without(reads, implied), known)
        elif len(parts := _parts(reads)) > 1:
            known[reads] = sum(_fewest(part, known) for part in parts)
        else:
            together = {
                p: frozenset().union(*(r for r in reads if p in r)) for r in reads for p in r
            }
            busiest = max(sorted(together), key=lambda p: len(together[p]))
            # It joins T, or all that are read together with it do.
            choices = {busiest}, together[busiest] - {busiest}
            known[reads] = min(len(c) + _fewest(_without(reads, c), known) for c in choices)
    return known[reads]


def _implied(reads: Reads) -> set[int]:
    """Positions that some smallest T holds.

    If q is read wherever p is, then q can stand in T for p. Of those that are read by
    the same tasks the first is left out.
    """
    readers: dict[int, frozenset] = {
        p: frozenset(r for r in reads if p in r) for p in set().union(*reads)
    }
    return {
        q
        for p, of_p in readers.items()
        for q in min(of_p, key=len)
        if of_p < readers[q] or (of_p == readers[q] and p < q)
    }


def _without(reads: Iterable[frozenset[int]], positions: Iterable[int]) -> Reads:
    return _open(r.difference(positions) for r in reads)


def _open(reads: Iterable[frozenset[int]]) -> Reads:
    """The reads of two positions or more: the others need no position in T."""
    return frozenset(r for r in reads if len(r) > 1)


def _parts(reads: Reads) -> list[Reads]:
    """The reads in groups that have no position in common."""
    parts: list[tuple[frozenset[int], Reads]] = []
    for read in reads:
        touching = [part for part in parts if part[0] & read]
        parts = [part for part in parts if not part[0] & read]
        parts.append(
            (
                read.union(*(p for p, _ in touching)),
                frozenset({read}).union(*(r for _, r in touching)),
            )
        )
    return [part for _, part in parts]
