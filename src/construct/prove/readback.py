"""What was written for Rocq, read back: are these the artifact's tasks?

The exporter writes the tasks by position, hinges in the order of the dictionary and
equal features as one. This reader knows none of that: it takes the text as `plan.v`,
`reader.v` and `tolerance.v` define it, makes tasks of it, and compares them with what the
artifact holds as functions (`spec.normal_form`), exactly; tau and each epsilon too. Homes, slots,
dictionary and margins are not compared: Rocq checks them.
"""

import re
from fractions import Fraction
from typing import Any

from construct.compiler import Construction
from construct.errors import CheckFailed
from construct.matrix import Matrix
from construct.rational import Rational, zeros
from construct.spec.hinge import Hinge
from construct.spec.normal_form import normal_form
from construct.spec.tasks import Task

TOKEN = re.compile(r"\s*(-?\d+|[A-Za-z_]\w*|%nat|%N|:=|[][();,.:])")

# The fields of `written_plan` in reader.v, in order.
SIZES, WIRING = ("d", "m", "n"), ("slots", "homes", "scratch", "dict", "reads")
OPTION = (":", "option", "(", "tolerance", "Q", ")", ":=")
FIELDS = (*SIZES, "tasks", *WIRING, "N", "B", "C", "s", "L", "R", "Ry", "delta")


def check(text: str, construction: Construction) -> None:
    """Compare the exported plan with the artifact.

    Args:
        text: `Definition w`, as `export.plan` writes it, and the numbers named before it.

    Raises:
        CheckFailed: naming the number or the task that is not the artifact's.
    """
    found = read(text)
    sizes, domain = construction.sizes, construction.domain
    wanted = {name: getattr(sizes, name) for name in (*SIZES, "N")}
    wanted |= {"R": domain.R, "Ry": domain.Ry, "delta": domain.delta, "tau": domain.tau}
    for name, value in wanted.items():
        if found[name] != value:
            raise CheckFailed(
                f"{name} = {found[name]} was handed to Rocq; the artifact's is {value}."
            )
    if len(found["tasks"]) != len(construction.held):
        raise CheckFailed(
            f"{len(found['tasks'])} tasks were handed to Rocq; the artifact has "
            f"{len(construction.held)}."
        )
    errors = found["errors"] or [0] * len(found["tasks"])
    if len(errors) != len(found["tasks"]):
        raise CheckFailed("Rocq was not handed one epsilon for each task.")
    for task, given, epsilon in zip(construction.held, found["tasks"], errors, strict=True):
        if epsilon != task.epsilon:
            raise CheckFailed(
                f"epsilon = {epsilon} was handed to Rocq for {task.name!r}; the artifact's is "
                f"{task.epsilon}."
            )
        if normal_form(_task(given, sizes.d)) != normal_form(task):
            raise CheckFailed(
                f"the task that was handed to Rocq as {task.name!r} is another function."
            )


def read(text: str) -> dict[str, Any]:
    """The fields of a plan: numbers, lists, tuples, and applications as tuples of words.

    Raises:
        CheckFailed: if the text is not a plan.
    """
    reader = _Reader(text)
    reader.expect("Definition")
    while (name := reader.next()) != "w":
        reader.expect(":", "Q", ":=")
        reader.names[name] = reader.atom()
        reader.expect(".", "Definition")
    reader.expect(":", "written_plan", ":=", "WrittenPlan")
    values = [reader.atom() for _ in FIELDS]
    reader.expect(".", "Definition", "p", ":", "plan", "Q", ":=", "read_plan", "w", ".")
    return dict(zip(FIELDS, values, strict=True)) | _tolerance(reader)


def _tolerance(reader: "_Reader") -> dict[str, Any]:
    """tau and the epsilons; without a tolerance tau is 0, and so is each of them."""
    found = {"a": 1, "tau": 0, "errors": []}
    reader.expect("Definition")
    if (name := reader.next()) == "bounds":
        reader.expect(":", "tolerance", "Q", ":=", "Tolerance")
        found = {name: reader.atom() for name in found}
        reader.expect(".", "Definition", "g", *OPTION, "Some", "bounds", ".")
    elif name == "g":
        reader.expect(*OPTION, "None", ".")
    else:
        raise CheckFailed(f"{name!r} was handed to Rocq where a plan would have 'g'.")
    return found


class _Reader:
    """Recursive descent over the few forms that the exporter writes."""

    def __init__(self, text: str) -> None:
        self.tokens = TOKEN.findall(text)
        if "".join(self.tokens) != re.sub(r"\s", "", text):
            raise CheckFailed("the plan that was handed to Rocq has characters that no plan has.")
        self.at = 0
        self.names: dict[str, Any] = {"no_terms": [], "no_entries": []}

    def next(self) -> str:
        if self.at == len(self.tokens):
            raise CheckFailed("the plan that was handed to Rocq ends too early.")
        self.at += 1
        return self.tokens[self.at - 1]

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def expect(self, *wanted: str) -> None:
        for token in wanted:
            if (found := self.next()) != token:
                raise CheckFailed(
                    f"{found!r} was handed to Rocq where a plan would have {token!r}."
                )

    def atom(self) -> Any:
        """A number, a list, a name, or anything in parentheses."""
        token = self.next()
        if token == "[":
            return self.items("]", ";")
        if token == "(":
            parts = self.items(")", ",")
            return parts[0] if len(parts) == 1 else tuple(parts)
        if re.fullmatch(r"-?\d+", token):
            if self.peek() in ("%nat", "%N"):
                self.next()
            return int(token)
        return self.names.get(token, token)

    def items(self, end: str, between: str) -> list[Any]:
        if self.peek() == end:
            self.next()
            return []
        items = [self.application()]
        while (token := self.next()) == between:
            items.append(self.application())
        if token != end:
            raise CheckFailed(f"{token!r} was handed to Rocq where a plan would have {end!r}.")
        return items

    def application(self) -> Any:
        """One atom; or a name with its arguments, of which fractions are made numbers."""
        words = [self.atom()]
        while self.peek() not in ("]", ")", ";", ",", ""):
            words.append(self.atom())
        if words[0] == "Qmake":
            return Fraction(words[1], words[2])
        return words[0] if len(words) == 1 else tuple(words)


def _task(given: Any, d: int) -> Task:
    """The task of `WrittenTask A C b g`: positions and entries count from 0 there."""
    name, rows, mixed, shifts, features = given
    if name != "WrittenTask" or not len(rows) == len(mixed) == len(shifts) == d:
        raise CheckFailed(f"a task that was handed to Rocq does not have {d} rows.")
    A: dict[int, Any] = {}
    C: list[tuple] = []
    b = zeros(d)
    for i in range(d):
        for p, u, value in rows[i]:
            A.setdefault(p + 1, []).append((i, u, value))
        C += [(i, v, value) for v, value in mixed[i]]
        b[i] = shifts[i]
    hinges = tuple(tuple(_hinge(hinge) for hinge in feature) for feature in features)
    matrices = {p: Matrix.from_entries((d, d), entries) for p, entries in A.items()}
    return Task("read", matrices, b, hinges, Matrix.from_entries((d, len(features)), C))


def _hinge(given: Any) -> Hinge:
    c, terms, e = given
    a: dict[int, dict[int, Rational]] = {}
    for p, u, value in terms:
        vector = a.setdefault(p + 1, {})
        vector[u] = vector.get(u, 0) + value
    return Hinge.of({p: tuple(vector.items()) for p, vector in a.items()}, e, c)
