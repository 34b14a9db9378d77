"""The fewest operand slots: a smallest set of positions that leaves each task at most one."""

from collections.abc import Iterable, Sequence

from construct.errors import ConstructError

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
