"""Proved limits of the float formats, and what really fails first past them.

    python proofs/floats/limits.py            the tables of proofs/floats/floats.md, some minutes
    python proofs/floats/limits.py --quick    float32, fewer sets, a coarse ladder, no whole pass
    python proofs/floats/limits.py --json     for machines

Task sets without scratch tokens and with them, and some with a flat gate (families.py), in
two directions:

    R    inputs up to R, labels up to what the tasks make of them, at delta = 1;
    R_y  for a flat gate: labels up to R_y, inputs up to 2;
    M    the votes M = mK that the table of reciprocals has to tell apart, or that rounding may
         not take from a whole number.

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

import torch
from answers import SHAPES, Answers, answers
from attacks import (
    EXECUTORS,
    all_votes,
    attack,
    first_confused,
    is_flat,
    long_sums,
    noisiest,
    prompts,
    run_all,
)
from families import EXAMPLES, Family, Flat, families, flat, with_scratch, with_softmax
from orders import ORDERS, Order
from orders import prepare as in_order

from construct import Construction, Prompt, prepare
from construct.certify.bounds import Bounds
from construct.certify.margins import Margins, gates
from construct.designs.theorem import formulas

FORMATS = ("float32", "float64")
# At a limit all orders are tried, past it those that go furthest from the others.
FEW = [o for o in ORDERS if o.name in ("one by one", "shuffled", "positive first, fused")]
FEW += [o for o in ORDERS if o.name in ("positive first", "negative first")]
# Those in which the two layers of a flat gate differ.
IN_TURN = [o for o in ORDERS if o.second is not None]
# Tokens of an entire pass; half as many in an order of choice.
MOST_TOKENS = 1024
# Totals that the table of reciprocals is asked to tell apart at a time.
WINDOW = 32
# Attacks stop at this multiple of a limit; more would call the certificate vacuous.
FARTHEST = 64
# What a certificate may be too cautious by; that of the flat gate is not so sharp.
MOST = 16


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
        flat: whether the gate is flat.
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
    flat: bool = False

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
    # A short form tries few orders here too: tests/certify/test_limits.py tries all of them.
    few = steps == 1 and made.softmax is None
    verdict = attack(made, dtype, orders=orders if few else ORDERS)
    assert verdict.sound, (family.name, dtype, verdict)
    row = Row(family.name, dtype, family.direction, float(limit), flat=is_flat(made))
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
        # A softmax design may be right in its rounded numbers for ever: a short form stops there.
        if row.library or (steps == 1 and made.softmax is not None and row.ratio):
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
    of them says too much if one of them is safe. A softmax design has one choice of margins.
    """
    found = dict.fromkeys(kinds, "")
    if made.softmax is not None:
        verdict = attack(made, dtype, aimed, orders=orders if "order" in found else ())
        results = dict(
            zip(KINDS, (verdict.refused, verdict.orders, verdict.libraries), strict=True)
        )
        return {kind: results[kind][0] for kind in kinds if results[kind]}
    bounds = Bounds.of(made.wiring, made.domain)
    for B, a in gates(bounds, made.domain):
        C = 1
        while a + B * bounds.E2 > 2 * C:
            C *= 2
        margins = replace(made.margins, B=B, C=C, a=a)
        if not found:
            break
        some = orders if "order" in found else ()
        verdict = attack(_with(made, margins), dtype, aimed, orders=some)
        results = (verdict.refused, verdict.orders, verdict.libraries)
        by_kind = dict(zip(KINDS, results, strict=True))
        found = {kind: how or by_kind[kind][0] for kind, how in found.items() if by_kind[kind]}
    return found


def _with(made: Construction, margins: Margins) -> Construction:
    layers = formulas(made.sizes, made.wiring, margins)
    transformer = replace(made.transformer, layers=tuple(layer.emit() for layer in layers))
    return replace(made, transformer=transformer, margins=margins)


# --- Direction M ----------------------------------------------------------------


def confused(dtype: str, limit: int, *, flat: bool = False) -> dict[str, tuple[str, int]]:
    """By an order and by a library, the least total past the limit that is misread.

    Raises:
        AssertionError: if a total up to the limit is misread.
    """
    orders = {order.name: partial(in_order, order=order) for order in ORDERS}
    libraries = {name: partial(prepare, name) for name in EXECUTORS}
    found = {}
    for kind, makers in (("order", orders), ("library", libraries)):
        firsts = {name: _first_total(dtype, limit, make, flat) for name, make in makers.items()}
        found[kind] = min((total, name) for name, total in firsts.items() if total)[::-1]
    return found


def _first_total(dtype: str, limit: int, make: Callable, flat: bool) -> int | None:
    """By climbing in windows of totals, then bisecting between the last two."""

    def misread(start: int) -> int | None:
        return first_confused(range(start, start + WINDOW), dtype, make, flat=flat)

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


def flat_totals(family: Family, dtype: str, firsts: dict, *, whole: bool) -> Row:
    """The limit in votes of a flat gate: of the table, and of entire passes where they fit.

    Raises:
        AssertionError: if a pass with all votes is wrong at the limit.
    """
    Ry = Fraction(8)
    row = totals(family, dtype, firsts, Ry)
    row.flat = True
    if not whole:
        return row
    m, K = int(row.limit) // len(family.tasks), len(family.tasks)
    few = family.build(EXAMPLES, Ry)
    for ratio in (Fraction(1), *_ladder(2)):
        slots = int(m * ratio)
        tokens = (slots + 1) * few.sizes.length
        if tokens > MOST_TOKENS:
            break
        made = family.build(slots, Ry)
        aimed = all_votes(made, dtype) | noisiest(few, dtype, slots)
        orders = IN_TURN if 2 * tokens <= MOST_TOKENS else ()
        wrong, also, _ = run_all(made, dtype, aimed, EXECUTORS, orders)
        assert ratio > 1 or not wrong + also, (family.name, slots, wrong, also)
        for kind, said in (("library", wrong), ("order", also)):
            known = getattr(row, kind)
            if said and known.size > slots * K:
                setattr(row, kind, Failure(slots * K, float(ratio), f"{said[0]}, whole pass"))
        if also:
            break
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


def by_design(quick: bool = False) -> list[Answers]:
    """How far answers of the softmax designs are off."""
    shapes = SHAPES[::3] if quick else SHAPES
    formats = FORMATS[: 1 if quick else 2]
    return [answers(*shape, dtype, 20 if quick else 60) for shape in shapes for dtype in formats]


def sums(quick: bool = False) -> list[dict]:
    """How far answers of many votes are off."""
    formats, m = FORMATS[: 1 if quick else 2], 15 if quick else 63
    return [accuracy(family, dtype, m) for dtype in formats for family in families()]


def tables(quick: bool = False) -> list[Row]:
    """All rows of the limits."""
    rows = []
    for dtype in FORMATS[: 1 if quick else 2]:
        limit = families()[0].limit_m(dtype, Fraction(2)) * 4
        firsts = confused(dtype, limit)
        for family in families():
            rows.append(_climbed(family, dtype, quick))
            # The table of float64 is beyond any memory.
            whole = EXECUTORS if dtype == "float32" and not quick else ()
            rows.append(totals(family, dtype, firsts, Fraction(2), whole))
        rows += [_climbed(family, dtype, quick) for family in with_scratch()[quick:]]
        rows += [_climbed(family, dtype, quick) for family in with_softmax()[:: 1 + 3 * quick]]
        limit = flat()[0].limit_m(dtype, Fraction(8)) * 2
        firsts = confused(dtype, limit, flat=True)
        for family in flat()[1:3] if quick else flat():
            rows.append(_climbed(family, dtype, quick))
            whole = dtype == "float32" and not quick
            rows.append(flat_totals(family, dtype, firsts, whole=whole))
    return rows


def _climbed(family: Family, dtype: str, quick: bool) -> Row:
    orders = [*FEW, *IN_TURN] if isinstance(family, Flat) else FEW
    if quick:
        return climb(family, dtype, steps=1, orders=orders[-2:])
    return climb(family, dtype, steps=4, orders=orders)


def _print(rows: list[Row], found: list[dict], designs: list[Answers]) -> None:
    for row in rows:
        print(f"{row.tasks}, {row.dtype}: certified to {row.direction} = {row.limit:.12g}")
        for kind in (*KINDS, "built"):
            failure = getattr(row, kind)
            if failure:
                print(f"    {failure.ratio:6.3f} x  {failure.size:.12g}  {kind}, {failure.how}")
        for note in row.notes:
            print(f"    {note}")
        if row.ratio is None or row.ratio > MOST:
            print(f"    more than {MOST} times too cautious")
    print()
    for row in found:
        print(
            f"{row['tasks']}, {row['dtype']}, {row['votes']} votes: bound {row['bound']} ulp, "
            f"worst {row['one by one']:.3g} one by one, {row['libraries']:.3g} in a library"
        )
    for one in designs:
        orders = "" if one.orders is None else f", {one.orders:.3g} in some order"
        print(
            f"{one.design}, K = {one.K}, m = {one.m}, {one.dtype}: bound {one.bound:.0f} u, "
            f"worst {one.libraries:.3g} in a library{orders}"
        )


def main() -> None:
    """Print the tables; exit 1 if a certificate is wrong or, of a plain gate, too cautious."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="float32 alone, coarser")
    parser.add_argument("--json", action="store_true", help="print JSON for machines")
    options = parser.parse_args()
    # These matrices are too small to share between threads.
    torch.set_num_threads(1)
    rows, found = tables(options.quick), sums(options.quick)
    designs = by_design(options.quick)
    if options.json:
        print(
            json.dumps(
                {
                    "limits": [{**asdict(r), "ratio": r.ratio} for r in rows],
                    "answers": found,
                    "designs": [{**asdict(one), "ratio": one.ratio} for one in designs],
                }
            )
        )
    else:
        _print(rows, found, designs)
    far = [row for row in rows if row.ratio is None or row.ratio > MOST]
    if any(not row.flat or row.ratio is None for row in far):
        raise SystemExit(f"a certificate is more than {MOST} times too cautious")


if __name__ == "__main__":
    warnings.simplefilter("ignore", RuntimeWarning)
    main()
