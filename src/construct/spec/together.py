"""Tasks that are to be built together: what every design asks of them."""

from collections.abc import Sequence
from typing import Any

from construct.errors import ConstructError, shown
from construct.spec.formula import Formula
from construct.spec.normal_form import twins
from construct.spec.tasks import Task
from construct.spec.vocabulary import Vocabulary


def of_one_dimension(tasks: Sequence[Any]) -> Sequence[Task | Formula]:
    """The tasks, if there are any and all are maps on vectors of one dimension."""
    if not tasks:
        raise ConstructError("the list of tasks is empty; give at least one task.")
    for task in tasks:
        if not isinstance(task, Task | Formula):
            raise ConstructError(
                f"{shown(task)} is not a task; make one with construct.affine, for instance."
            )
        if task.d != tasks[0].d:
            raise ConstructError(
                f"task {task.name!r} has d = {task.d}, task {tasks[0].name!r} has "
                f"d = {tasks[0].d}; give all tasks the same d."
            )
    return tasks


def tokens_of_an_example(tasks: Sequence[Task | Formula], m: Any, n: Any) -> int:
    """n, by default what the tasks read, at least 2.

    Raises:
        ConstructError: if d, m or n is not a whole number, or too small.
    """
    reads = max((p for task in tasks for p in task.positions), default=1)
    n = max(reads + 1, 2) if n is None else n
    for name, value, least, why in (
        ("d", tasks[0].d, 1, "a vector needs an entry"),
        ("m", m, 1, "a prompt needs room for an example"),
        ("n", n, 2, "an example has an input and a label"),
    ):
        if type(value) is not int or value < least:
            raise ConstructError(
                f"{name} is {shown(value)}; it must be a whole number of at least {least} ({why})."
            )
    return n


def refuse_what_cannot_stand_together(
    tasks: Sequence[Task | Formula], n: int, vocabulary: Vocabulary | None
) -> None:
    """Refuse a vocabulary of another size, twins, and positions that an example does not have.

    Raises:
        ConstructError: naming what is wrong.
    """
    if vocabulary is not None:
        _refuse_other_words(vocabulary, tasks[0].d)
    _refuse_twins(tasks)
    for task in tasks:
        if task.positions and max(task.positions) >= n:
            raise ConstructError(
                f"task {task.name!r} reads position {max(task.positions)}, but an example of "
                f"n = {n} tokens has the inputs 1 to {n - 1}; choose a larger n."
            )


def _refuse_other_words(vocabulary: Vocabulary, d: int) -> None:
    """Refuse a vocabulary of another size."""
    if d != len(vocabulary):
        raise ConstructError(
            f"the tasks have d = {d}, but the vocabulary has {len(vocabulary)} words; "
            "give a word for each of the d entries."
        )


def _refuse_twins(tasks: Sequence[Task | Formula]) -> None:
    """Refuse two tasks of one name, or that are one map."""
    names: set[str] = set()
    for task in tasks:
        if task.name in names:
            raise ConstructError(f"two tasks are named {task.name!r}; rename one.")
        names.add(task.name)
    if found := twins(tasks):
        one, other = (task.name for task in found)
        raise ConstructError(f"tasks {one!r} and {other!r} are the same map; drop one.")
