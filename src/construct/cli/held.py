"""What commands say of formulas: how near the network holds each, and by how many ReLUs."""

import math
from fractions import Fraction
from typing import Any


def as_json(made: Any) -> list[dict[str, Any]]:
    """For each formula its epsilon, its ReLUs, and what Proposition A.1 would ask for.

    That is C_l^2 log(1 + C_l/epsilon) / epsilon^2, without the factor C(k) that Bai et al.
    (2306.04637) leave open; null where a derivative has no bound.
    """
    from construct.cli.show import machine
    from construct.spec.formula import Formula

    return [
        {
            "name": task.name,
            "epsilon": machine(held.epsilon),
            "relus": sum(map(len, held.features)),
            "proposition_A1": _asked(task, held.epsilon, made.domain.R),
        }
        for task, held in zip(made.tasks, made.held, strict=True)
        if isinstance(task, Formula)
    ]


def _asked(formula: Any, epsilon: Any, R: Any) -> float | None:
    from construct.approximation.bai import formula_smoothness
    from construct.errors import ConstructError

    if not epsilon:
        return None
    try:
        units = formula_smoothness(formula, R).M(epsilon)
    except ConstructError:
        return None
    return units if math.isfinite(units) else None


def rows(listed: list[dict[str, Any]]) -> list[tuple[str, object]]:
    """The same as rows of a table."""
    found: list[tuple[str, object]] = []
    for one in listed:
        epsilon = float(Fraction(one["epsilon"]))
        near = f"within {epsilon:.3g}" if epsilon else "exactly"
        found.append((one["name"][:20], f"held {near}, by {one['relus']:,} ReLUs"))
        if one["proposition_A1"]:
            found.append(("", f"(Bai, Proposition A.1: C(k) times {one['proposition_A1']:.2g})"))
    return found
