"""The attacks on formulas, scratch tokens and the flat gate, and the check of what is held."""

from collections.abc import Iterator
from fractions import Fraction as Q
from random import Random
from typing import Any

from attack import formulasets, near
from attack.attacks import FLOATS, at_the_limit, construction, prompt_cases
from attack.outcome import Case, Outcome
from attack.prompts import Prompts
from attack.reckoning import as_text
from attack.targets import builds, near_enough, reckoned

# Executors that run at once, and now and then one that compiles for seconds.
RARELY = 0.15


def formulas(rng: Random, number: int) -> Iterator[Case]:
    """Formulas, exact on grids and near elsewhere, alone and among other tasks."""
    file, m = formulasets.of_formulas(rng)
    yield {"check": "held", "file": file, "m": m, "count": 60, "seed": rng.randrange(1 << 16)}
    favour = rng.choice(["knot", "corner", "between knots", None])
    yield from prompt_cases(rng, file, m, 16, compiles=RARELY, favour=favour)


def scratch(rng: Random, number: int) -> Iterator[Case]:
    """ReLU tasks at scratch tokens, as many as are drawn; inputs at the corners."""
    file, m = formulasets.with_scratch(rng)
    favour = rng.choice(["corner", "corner", "whole", None])
    yield from prompt_cases(rng, file, m, 24, compiles=RARELY, favour=favour)


def gates(rng: Random, number: int) -> Iterator[Case]:
    """The flat gate where it is tightest: at the limit in R or in m, labels at its edges."""
    m = rng.choice([1, 2, 4])
    file = _of_a_gate(rng)
    made = construction(file, m)
    dtype = rng.choice(FLOATS)
    if made is not None and rng.random() < 0.7:
        if rng.random() < 0.5:
            m = max(1, min(made.limits[dtype].m, 40))
        elif not any(task["kind"] == "formula" for task in file["tasks"]):
            file = at_the_limit(file, m, dtype)
    yield from prompt_cases(rng, file, m, 12, compiles=RARELY, favour=rng.choice(["corner", None]))


def _of_a_gate(rng: Random) -> dict[str, Any]:
    """A few tasks of one entry, and tau and epsilon such that the gate has little room."""
    delta = rng.choice([Q(1), Q(1, 2), Q(3), Q(1, 1000)])
    tau = delta * rng.choice([Q(0), Q(1, 4), Q(1, 2), Q(15, 16)])
    R = rng.choice([Q(1), Q(2), delta, 4 * delta])
    tasks: list[dict[str, Any]] = []
    if rng.random() < 0.6 or not tau:
        text = rng.choice(["x[1]^2", "(1/2)*x[1]^2 + x[1]", "x[1]^3", "abs(x[1]) - x[1]^2"])
        # What is left of delta - tau, with no room at all or with some.
        share = rng.choice([Q(1, 4), Q(2, 5), Q(63, 128)])
        share = max(share, R / 300 / (delta - tau))
        epsilon = (delta - tau) * min(share, Q(127, 256))
        tasks.append({"name": "f", "kind": "formula", "f": [text], "epsilon": epsilon})
    for k in range(rng.randint(0 if tasks else 1, 2)):
        A = rng.choice([1, -1, 3, Q(1, 3)])
        tasks.append({"name": f"t{k}", "kind": "affine", "A": [[A]], "b": [k]})
    file = {"d": 1, "n": 2, "tasks": as_text(tasks)}
    Ry = formulasets.reached(rng, file, R) + delta
    domain = {"R": R, "Ry": Ry, "delta": delta, **({"tau": tau} if tau else {})}
    return {**file, "domain": as_text(domain)}


def check_held(case: Case) -> Outcome:
    """What is held of formulas, at many inputs: at knots, beside them and between."""
    out = Outcome()
    made = builds(case["file"], case["m"], out)
    if made is None:
        return out
    task_set = reckoned(case["file"], case["m"], made)
    rng = Random(case["seed"])
    source = Prompts(rng, task_set, "exact")
    kinds = (*near.INPUTS, *near.INPUTS, "corner", "real", "whole", "zero")
    for _ in range(case["count"]):
        near_enough(out, task_set, source.inputs_of(rng.choice(kinds)))
    return out
