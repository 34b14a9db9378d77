"""Proved limits of the float formats, and what really fails first past them.

    python proofs/floats/limits.py            the tables of proofs/floats/floats.md, a minute or two
    python proofs/floats/limits.py --quick    float32, a coarse ladder, two orders, no whole pass
    python proofs/floats/limits.py --json     for machines

Three task sets, two directions:

    R    inputs up to R, labels up to what the tasks make of them, at delta = 1;
    M    the votes M = mK that the table of reciprocals has to tell apart.

The limit is the largest size that `construct build` certifies. From there the size
climbs until an attack succeeds (attacks.py): a prompt of the domain is refused once it
is rounded, or a vote or the answer is wrong with sums in some order, or in a library.
"""

import argparse
import json
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from fractions import Fraction
from functools import partial

import numpy as np
import torch
from attacks import EXECUTORS, all_votes, attack, first_confused, long_sums, prompts, run_all
from orders import ORDERS, Order
from orders import prepare as in_order

from construct import Construction, Domain, Prompt, Sizes, build, prepare
from construct.certify.bounds import Bounds
from construct.certify.limits import certified, largest
from construct.certify.margins import Margins
from construct.designs.theorem import LAYERS
from construct.designs.theorem.plan import Plan
from construct.designs.theorem.wiring import Wiring
from construct.spec import kinds
from construct.spec.domain import task_bound
from construct.spec.tasks import Task

FORMATS = ("float32", "float64")
# At a limit all orders are tried, past it those that go furthest from the others.
FEW = [o for o in ORDERS if o.name in ("one by one", "shuffled", "positive first, fused")]
FEW += [o for o in ORDERS if o.name in ("positive first", "negative first")]
# Slots for examples in the direction R: with n = 2 or 4 the context is full.
EXAMPLES = 7
# Totals that the table of reciprocals is asked to tell apart at a time.
WINDOW = 32
# Attacks stop at this multiple of a limit; more would call the certificate vacuous.
FARTHEST = 32


@dataclass(frozen=True, eq=False)
class Family:
    """A task set, and the domain that goes with a bound on its inputs."""

    name: str
    tasks: tuple[Task, ...]
    grid: int | None = None

    def domain(self, R: Fraction) -> Domain:
        """Labels have room for every f_k(X), and no more."""
        Ry = max(max(task_bound(task, R)) for task in self.tasks)
        return Domain(R, max(Ry, R), 1, self.grid)

    def build(self, m: int, R: Fraction) -> Construction:
        """What `construct build --scratch 0` makes of it."""
        return build(self.tasks, m=m, domain=self.domain(R), scratch=0)

    def limit_R(self, dtype: str) -> Fraction:
        """The largest R that is certified: in sixteenths, or whole on a grid."""
        step = Fraction(1, 16) if self.grid is None else Fraction(self.grid)
        sizes, wiring = self._shape()
        return step * largest(lambda i: dtype in certified(sizes, wiring, self.domain(step * i)))

    def limit_m(self, dtype: str, R: Fraction) -> int:
        """The largest m that is certified at R."""
        sizes, wiring = self._shape()
        domain = self.domain(R)
        return largest(lambda m: dtype in certified(replace(sizes, m=m), wiring, domain))

    def _shape(self) -> tuple[Sizes, Wiring]:
        made = self.build(EXAMPLES, Fraction(1))
        return made.sizes, made.wiring


def families() -> list[Family]:
    """In each set all tasks agree on inputs 0, so that a prompt can have all votes."""
    rng = np.random.default_rng(0)
    permutations = [
        kinds.permutation(f"p{k}", (rng.permutation(16) + 1).tolist(), rng.choice([-1, 1], 16))
        for k in range(4)
    ]
    dense = [kinds.affine(f"f{k}", rng.integers(-9, 10, (4, 4)) * Fraction(1, 7)) for k in range(3)]
    operands = [
        *(kinds.retrieval(f"ret{p}", p, d=4) for p in (1, 2, 3)),
        kinds.add("op1+op2", [1, 2], d=4),
        kinds.maximum("max", [1, 3], d=4),
        kinds.absolute("abs", 2, d=4),
    ]
    return [
        Family("signed permutations, whole numbers, K=4 d=16 n=2", tuple(permutations), grid=1),
        Family("dense linear maps, real numbers, K=3 d=4 n=2", tuple(dense)),
        Family("retrieval, sum, max, abs, real numbers, K=6 d=4 n=4", tuple(operands)),
    ]


@dataclass(frozen=True)
class Failure:
    """The first size at which an attack succeeded, as a multiple of the limit."""

    size: float
    ratio: float
    how: str


@dataclass
class Row:
    """One task set, format and direction.

    Attributes:
        refused, order, library: the first failure of each kind, if there was one: the
            rounded prompt, sums in some order, a library. In the direction R such a size
            fails with all margins that `build` considers.
        built: the first failure of a library on what `build` emits past the limit.
    """

    tasks: str
    dtype: str
    direction: str
    limit: float
    refused: Failure | None = None
    order: Failure | None = None
    library: Failure | None = None
    built: Failure | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def ratio(self) -> float | None:
        """Of the first failure, whatever the margins."""
        found = [f.ratio for f in (self.refused, self.order, self.library) if f]
        return min(found, default=None)


# --- Direction R ----------------------------------------------------------------

KINDS = ("refused", "order", "library")


def climb(family: Family, dtype: str, steps: int, orders: Sequence[Order] = FEW) -> Row:
    """From the limit upwards, `steps` sizes to each doubling, until a library errs.

    Raises:
        AssertionError: if an attack succeeds at the limit itself.
    """
    limit = family.limit_R(dtype)
    made = family.build(EXAMPLES, limit)
    assert dtype in made.certified
    verdict = attack(made, dtype)
    assert verdict.sound, (family.name, dtype, verdict)
    row = Row(family.name, dtype, "R", float(limit))
    for ratio in _ladder(steps):
        R = limit * ratio if family.grid is None else Fraction(int(limit * ratio))
        wanted = [kind for kind in KINDS if getattr(row, kind) is None]
        made = family.build(EXAMPLES, R)
        aimed = prompts(made, dtype)
        found = _succeeds(made, dtype, aimed, wanted, orders)
        if not row.built and (built := attack(made, dtype, aimed, orders=()).libraries):
            found["built"] = built[0]
        for kind, how in found.items():
            setattr(row, kind, Failure(float(R), float(R / limit), how))
        if row.library:
            break
    return row


def _ladder(steps: int) -> Iterator[Fraction]:
    ratio = Fraction(1)
    while ratio < FARTHEST:
        for i in range(1, steps + 1):
            yield ratio * (1 + Fraction(i, steps))
        ratio *= 2


def _succeeds(
    made: Construction,
    dtype: str,
    aimed: dict[str, Prompt],
    kinds: Sequence[str],
    orders: Sequence[Order],
) -> dict[str, str]:
    """The kinds of attack that succeed, whichever margins are chosen.

    `build` tries four margins B, each with the C that it needs. That it certifies none
    of them says too much if one of them is safe.
    """
    E2 = Bounds.of(made.wiring, made.domain).E2
    found = dict.fromkeys(kinds, "")
    for B in (2, 4, 8, 1):
        C = 1
        while 1 + B * E2 > 2 * C:
            C *= 2
        margins = replace(made.margins, B=B, C=C)
        if not found:
            break
        some = orders if "order" in found else ()
        verdict = attack(_with(made, margins), dtype, aimed, orders=some)
        results = (verdict.refused, verdict.orders, verdict.libraries)
        by_kind = dict(zip(KINDS, results, strict=True))
        found = {kind: how or by_kind[kind][0] for kind, how in found.items() if by_kind[kind]}
    return found


def _with(made: Construction, margins: Margins) -> Construction:
    plan = Plan(made.sizes, made.wiring, margins)
    transformer = replace(made.transformer, layers=tuple(layer(plan).emit() for layer in LAYERS))
    return replace(made, transformer=transformer, margins=margins)


# --- Direction M ----------------------------------------------------------------


def confused(dtype: str, limit: int) -> dict[str, tuple[str, int]]:
    """By an order and by a library, the least total past the limit that is misread.

    Raises:
        AssertionError: if a total up to the limit is misread.
    """
    orders = {order.name: partial(in_order, order=order) for order in ORDERS}
    libraries = {name: partial(prepare, name) for name in EXECUTORS}
    found = {}
    for kind, makers in (("order", orders), ("library", libraries)):
        firsts = {name: _first_total(dtype, limit, make) for name, make in makers.items()}
        found[kind] = min((total, name) for name, total in firsts.items() if total)[::-1]
    return found


def _first_total(dtype: str, limit: int, make: Callable) -> int | None:
    """By climbing in windows of totals, then bisecting between the last two."""

    def misread(start: int) -> int | None:
        return first_confused(range(start, start + WINDOW), dtype, make)

    assert misread(limit + 1 - WINDOW) is None
    sound = limit + 1 - WINDOW
    starts = (int(limit * ratio) for ratio in _ladder(8))
    failed = next((start for start in (limit + 1, *starts) if misread(start) is not None), None)
    if failed is None:
        return None
    while failed - sound > 1:
        middle = (sound + failed) // 2
        sound, failed = (sound, middle) if misread(middle) is not None else (middle, failed)
    return misread(failed)


def totals(family: Family, dtype: str, firsts: dict, R: Fraction, whole: Sequence[str] = ()) -> Row:
    """The limit in votes; entire passes at it and past it in the executors `whole`."""
    m, K = family.limit_m(dtype, R), len(family.tasks)
    row = Row(family.name, dtype, "M", m * K)
    for kind, (name, total) in firsts.items():
        failure = Failure(total, total / (m * K), f"{name}: the reciprocal of {total} votes")
        setattr(row, kind, failure)
    if whole:
        first = firsts["library"][1] // K + 1
        for slots, sound in ((m, True), (first, False)):
            made = family.build(slots, R)
            wrong, _, _ = run_all(made, dtype, all_votes(made, dtype), whole, ())
            assert sound == (not wrong), (family.name, slots, wrong)
            said = "all right" if sound else "; ".join(wrong)
            row.notes.append(f"whole pass, m = {slots}, {slots * K} votes: {said}")
    return row


# --- The answer -----------------------------------------------------------------


def accuracy(family: Family, dtype: str, m: int) -> dict:
    """The bound on an answer's error for m votes, and the worst that was found."""
    made = family.build(m, min(family.limit_R(dtype), Fraction(1 << 12)))
    sums = long_sums(made, dtype)
    wrong, _, by_library = run_all(made, dtype, sums, orders=())
    also_wrong, _, by_order = run_all(made, dtype, sums, executors=(), orders=ORDERS[:1])
    assert not wrong, wrong
    assert not also_wrong, also_wrong
    bound = replace(made.accuracy[dtype], votes=m).ulps
    return {
        "tasks": family.name,
        "dtype": dtype,
        "votes": m,
        "bound": bound,
        "one by one": by_order,
        "libraries": by_library,
    }


# --- The tables -----------------------------------------------------------------


def tables(quick: bool = False) -> tuple[list[Row], list[dict]]:
    """All rows of both tables."""
    rows, answers = [], []
    for dtype in FORMATS[: 1 if quick else 2]:
        limit = families()[0].limit_m(dtype, Fraction(2)) * 4
        firsts = confused(dtype, limit)
        for family in families():
            if quick:
                rows.append(climb(family, dtype, steps=1, orders=FEW[-2:]))
            else:
                rows.append(climb(family, dtype, steps=4))
            # The table of float64 is beyond any memory.
            whole = EXECUTORS if dtype == "float32" and not quick else ()
            rows.append(totals(family, dtype, firsts, Fraction(2), whole))
            answers.append(accuracy(family, dtype, m=15 if quick else 63))
    return rows, answers


def _print(rows: list[Row], answers: list[dict]) -> None:
    for row in rows:
        print(f"{row.tasks}, {row.dtype}: certified to {row.direction} = {row.limit:.12g}")
        for kind in (*KINDS, "built"):
            failure = getattr(row, kind)
            if failure:
                print(f"    {failure.ratio:6.3f} x  {failure.size:.12g}  {kind}, {failure.how}")
        for note in row.notes:
            print(f"    {note}")
    print()
    for row in answers:
        print(
            f"{row['tasks']}, {row['dtype']}, {row['votes']} votes: bound {row['bound']} ulp, "
            f"worst {row['one by one']:.3g} one by one, {row['libraries']:.3g} in a library"
        )


def main() -> None:
    """Print the tables; exit 1 if a certificate is wrong or 16 times too cautious."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="float32 alone, coarser")
    parser.add_argument("--json", action="store_true", help="print JSON for machines")
    options = parser.parse_args()
    # These matrices are too small to share between threads.
    torch.set_num_threads(1)
    rows, answers = tables(options.quick)
    if options.json:
        print(
            json.dumps(
                {"limits": [{**asdict(r), "ratio": r.ratio} for r in rows], "answers": answers}
            )
        )
    else:
        _print(rows, answers)
    if any(row.ratio is None or row.ratio > 16 for row in rows):
        raise SystemExit("a certificate is more than 16 times too cautious")


if __name__ == "__main__":
    warnings.simplefilter("ignore", RuntimeWarning)
    main()
