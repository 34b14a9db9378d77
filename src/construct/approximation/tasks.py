"""What the network holds of each task: itself, or sums of ReLUs near a formula."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from construct.spec.domain import Domain
from construct.spec.formula import Formula
from construct.spec.tasks import Task

# tau over delta where none is given and some f(X) is irrational: no label can be equal to it.
SHARE = Fraction(1, 64)


def hold_tasks(
    tasks: Sequence[Task | Formula], domain: Domain | None
) -> tuple[tuple[Task, ...], Domain | None]:
    """The tasks as the network holds them, and the domain with the tau that they need.

    Raises:
        ConstructError: if a formula needs a domain and there is none, or cannot be held in it.
    """
    if not any(isinstance(task, Formula) for task in tasks):
        return tuple(tasks), domain  # type: ignore[arg-type]
    from construct.approximation.hold import hold  # SymPy takes long to import

    irrational = any(isinstance(task, Formula) and not task.rational for task in tasks)
    if domain is not None and not domain.tau and irrational:
        domain = replace(domain, tau=domain.delta * SHARE)
    held = (hold(task, domain) if isinstance(task, Formula) else task for task in tasks)
    return tuple(held), domain
