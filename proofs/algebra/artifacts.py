"""The artifacts that the proofs are about, and how a proof reports.

They have no scratch tokens: those are proved in Rocq alone.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from fractions import Fraction

from symbolic import Unproved

from construct import (
    Construction,
    Domain,
    absolute,
    add,
    affine,
    build,
    clip,
    maximum,
    random_tasks,
    retrieval,
)


def affine_tasks() -> Construction:
    """K = 2, d = 2, m = 2, n = 2; weights that float64 does not hold, delta = 1/6."""
    turn = affine("turn", [[0, -1], [1, 0]])
    mix = affine("mix", [["1/3", 0], [1, 2]], [1, "-1/2"])
    return build([turn, mix], m=2)


def slot_tasks() -> Construction:
    """K = 2, d = 2, m = 2, n = 3, S = 1; labels bounded more tightly than the tasks are."""
    domain = Domain(R=3, Ry=4, delta=Fraction(1, 2))
    return build([add("sum", [1, 2], d=2), retrieval("second", 2, d=2)], m=2, domain=domain)


def dictionary_tasks() -> Construction:
    """K = 2, d = 1, m = 2, n = 2, P = 2."""
    return build([absolute("absolute", d=1), clip("clip", "-1/2", 2, d=1)], m=2, scratch=0)


def slot_and_dictionary_tasks() -> Construction:
    """K = 2, d = 2, m = 2, n = 3, S = 1, P = 2."""
    return build([maximum("maximum", d=2), retrieval("first", 1, d=2)], m=2, scratch=0)


def many_slots() -> Construction:
    """K = 4, d = 3, m = 4, n = 4, S = 2, P = 6; homes at three positions."""
    tasks = [
        add("sum", [1, 2, 3], d=3),
        retrieval("third", 3, d=3),
        maximum("maximum", [1, 3], d=3),
        absolute("absolute", 2, d=3),
    ]
    return build(tasks, m=4, scratch=0)


# Every proof is about these ...
SMALL = (affine_tasks, slot_tasks, dictionary_tasks, slot_and_dictionary_tasks)
# ... with --all about these too ...
LARGE = (
    lambda: build(random_tasks(3, 2), m=2),
    lambda: build(random_tasks(2, 4), m=2),
    lambda: build(random_tasks(2, 2), m=3),
    lambda: build(random_tasks(3, 3), m=3),
)
# ... and the lemmas, which are about all patterns of matches at once, about these.
WIDE = (many_slots, lambda: build(random_tasks(4, 4), m=8))


def sizes_of(made: Construction) -> str:
    """The sizes in one line."""
    z = made.sizes
    return f"K={z.K} d={z.d} m={z.m} n={z.n} S={z.S} P={z.P}"


def report(
    name: str,
    on_weights: Callable[[Construction], str],
    for_every_size: Callable[[], str] | None = None,
    large: Sequence[Callable[[], Construction]] = LARGE + WIDE,
) -> int:
    """Run a proof on the artifacts, print what it proved, and return the exit code.

    Args:
        on_weights: proves the lemma about an artifact; returns what to print.
        for_every_size: proves what holds for all sizes; returns what to print.
        large: the artifacts that --all adds.
    """
    parser = argparse.ArgumentParser(description=f"Prove {name} by computer algebra.")
    parser.add_argument("--all", action="store_true", help="also the larger artifacts")
    given = parser.parse_args()
    try:
        if for_every_size is not None:
            print(f"{name}: {for_every_size()}")
        for build_artifact in (*SMALL, *(large if given.all else ())):
            started, made = time.perf_counter(), build_artifact()
            said = on_weights(made)
            print(f"{name}, {sizes_of(made)}: {said} ({time.perf_counter() - started:.1f} s)")
    except Unproved as error:
        print(f"{name}: NOT PROVED. {error}", file=sys.stderr)
        return 1
    return 0
