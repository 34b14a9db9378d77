"""The artifacts that the proofs are about, and how a proof reports.

Together they have operand slots, ReLUs, scratch tokens, and flat gates: labels that match within
tau, and tasks that are held within an epsilon.
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
    formula,
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


def scratch_tasks() -> Construction:
    """K = 2, d = 1, m = 2, n = 2, w = 1, P = 1: a home for each task, and hinges behind gates."""
    return build([absolute("absolute", d=1), clip("clip", "-1/2", 2, d=1)], m=2, scratch=1)


def slot_and_scratch_tasks() -> Construction:
    """K = 3, d = 1, m = 1, n = 3, S = 1, w = 2: three copies in an example, and one slot."""
    tasks = [maximum("maximum", d=1), absolute("absolute", 1, d=1), clip("clip", 0, 2, 2, d=1)]
    return build(tasks, m=1, scratch=2)


def tau_tasks() -> Construction:
    """K = 2, d = 2, m = 1, n = 2; labels match within 1/4."""
    turn = affine("turn", [[0, -1], [1, 0]])
    mix = affine("mix", [["1/3", 0], [1, 2]], [1, "-1/2"])
    return build([turn, mix], m=1, domain=Domain(R=2, Ry=8, delta=1, tau=Fraction(1, 4)))


def near_tasks() -> Construction:
    """K = 2, d = 1, m = 1, n = 2, w = 1: a polynomial that is held within an epsilon."""
    tasks = [formula("square", ["x[1]^2 + x[1]"]), clip("clip", -1, "1/2", d=1)]
    return build(tasks, m=1, domain=Domain(R=1, Ry=4, delta=1), scratch=1)


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
SMALL = (
    affine_tasks,
    slot_tasks,
    dictionary_tasks,
    slot_and_dictionary_tasks,
    scratch_tasks,
    slot_and_scratch_tasks,
    tau_tasks,
    near_tasks,
)
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
    flat = f" a={made.margins.a}" if made.margins.flat else ""
    return f"K={z.K} d={z.d} m={z.m} n={z.n} S={z.S} P={z.P} w={z.w}{flat}"


def either(made: Construction) -> bool:
    """Any artifact: the layer is in all of them."""
    return True


def plain(made: Construction) -> bool:
    """Each task has one head that tests it."""
    return not made.margins.flat


def flat(made: Construction) -> bool:
    """Each task has two heads that test it."""
    return made.margins.flat


def report(
    name: str,
    on_weights: Callable[[Construction], str],
    for_every_size: Callable[[], str] | None = None,
    large: Sequence[Callable[[], Construction]] = LARGE + WIDE,
    of: Callable[[Construction], bool] = either,
) -> int:
    """Run a proof on the artifacts, print what it proved, and return the exit code.

    Args:
        on_weights: proves the lemma about an artifact; returns what to print.
        for_every_size: proves what holds for all sizes; returns what to print.
        large: the artifacts that --all adds.
        of: the artifacts that have what it proves.
    """
    parser = argparse.ArgumentParser(description=f"Prove {name} by computer algebra.")
    parser.add_argument("--all", action="store_true", help="also the larger artifacts")
    given = parser.parse_args()
    try:
        if for_every_size is not None:
            print(f"{name}: {for_every_size()}")
        for build_artifact in (*SMALL, *(large if given.all else ())):
            started, made = time.perf_counter(), build_artifact()
            if not of(made):
                continue
            said = on_weights(made)
            print(f"{name}, {sizes_of(made)}: {said} ({time.perf_counter() - started:.1f} s)")
    except Unproved as error:
        print(f"{name}: NOT PROVED. {error}", file=sys.stderr)
        return 1
    return 0
