"""Random task definitions, constructions and prompts with whole-numbered entries.

Whole numbers keep every float64 score, sum and product exact, so that the tests
compare for equality. With delta = 1 any whole-numbered label is in the domain.
"""

from dataclasses import dataclass

from hypothesis import assume
from hypothesis import strategies as st

from construct import Construction, Domain, Prompt, build
from construct.designs.theorem.wiring import fewest_slots
from construct.spec.domain import task_bound
from construct.spec.kinds import from_definition
from construct.spec.normal_form import normal_form
from construct.spec.tasks import Task

R = 3
small = st.integers(-2, 2)


def vectors(d: int, entries=small):
    return st.lists(entries, min_size=d, max_size=d)


def matrices(rows: int, columns: int, entries=small):
    return st.lists(vectors(columns, entries), min_size=rows, max_size=rows)


@st.composite
def definitions(draw, d: int, inputs: int, entries=small) -> dict:
    """A definition without its name, of any kind but lookup, for inputs 1..inputs."""
    positions = st.integers(1, inputs)
    kinds = ["affine", "permutation", "retrieval", "shift", "rotation", "sum", "relu-sum"]
    kinds += ["absolute", "relu", "clip"] + (["maximum", "minimum"] if inputs > 1 else [])
    kind = draw(st.sampled_from(kinds))

    def blocks(block):
        return draw(st.dictionaries(positions.map(str), block, min_size=1, max_size=inputs))

    def distinct(least, most=inputs):
        return draw(st.lists(positions, min_size=least, max_size=most, unique=True))

    match kind:
        case "affine":
            square = matrices(d, d, entries)
            return {"kind": kind, "A": blocks(square), "b": draw(vectors(d, entries))}
        case "permutation":
            order = draw(st.permutations(range(1, d + 1)))
            signs = draw(vectors(d, st.sampled_from([-1, 1])))
            by = draw(vectors(d, entries))
            place = draw(positions)
            return {"kind": kind, "permutation": order, "signs": signs, "by": by, "position": place}
        case "shift":
            return {"kind": kind, "by": draw(vectors(d, entries)), "position": draw(positions)}
        case "rotation":
            by = draw(st.integers(-5, 5))
            return {"kind": "shift", "by": by, "modulo": d, "position": draw(positions)}
        case "sum":
            return {"kind": kind, "positions": distinct(1)}
        case "maximum" | "minimum":
            return {"kind": kind, "positions": distinct(2, 2)}
        case "clip":
            low = draw(entries)
            high = low + draw(st.integers(1, 3))
            return {"kind": kind, "low": low, "high": high, "position": draw(positions)}
        case "relu-sum":
            hinge = st.fixed_dictionaries(
                {
                    "c": entries,
                    "a": st.dictionaries(positions.map(str), vectors(d, entries), max_size=2),
                    "e": entries,
                }
            )
            features = draw(st.lists(st.lists(hinge, max_size=3), min_size=1, max_size=2))
            C = draw(matrices(d, len(features), entries))
            return {"kind": kind, "features": features, "C": C, "A": blocks(matrices(d, d))}
        case _:
            return {"kind": kind, "position": draw(positions)}


@dataclass(frozen=True)
class Case:
    """A construction and a prompt of its domain, as plain numbers.

    Hypothesis draws the numbers and the test builds from them: beartype draws from
    `random`, which a strategy must not.

    Attributes:
        definitions: the tasks' definitions, without names.
        m: slots for examples, at least len(examples).
        n: tokens of an example.
        examples: the inputs, and as label a vector, or the number of a task and what
            is added to its value: nothing, or a nudge to a distance of 1 or more.
        query: the query's inputs.
    """

    definitions: list[dict]
    m: int
    n: int
    examples: list[tuple[list, tuple[int, list] | list]]
    query: list

    def build(self) -> tuple[Construction, Prompt]:
        """Named t0, t1, ..., without the tasks that repeat an earlier one."""
        tasks = named(self.definitions, len(self.query[0]))
        assume(len(fewest_slots([set(task.positions) for task in tasks])) <= len(tasks))
        Ry = max(R, *(int(b) for task in tasks for b in task_bound(task, R)))
        construction = build(tasks, m=self.m, n=self.n, domain=Domain(R, Ry + 1, 1))
        examples = []
        for x, label in self.examples:
            if isinstance(label, tuple):
                label = (tasks[label[0] % len(tasks)](x) + label[1]).tolist()
            examples.append([*x, label])
        return construction, Prompt.of(examples, self.query)


def named(definitions: list[dict], d: int) -> list[Task]:
    """Tasks t0, t1, ... that are different maps."""
    found: dict[tuple, Task] = {}
    for definition in definitions:
        named_definition = {"name": f"t{len(found)}", **definition}
        task = from_definition(named_definition, d=d, vocabulary=None)
        found.setdefault(normal_form(task), task)
    return list(found.values())


@st.composite
def cases(draw) -> Case:
    """n in 2..4, small d and m, operand slots and dictionaries; ties, noise and blanks."""
    d, n, m = draw(st.integers(1, 3)), draw(st.integers(2, 4)), draw(st.integers(1, 4))
    inputs = matrices(n - 1, d, st.integers(-R, R))
    nudge = st.just([0] * d) | vectors(d, st.integers(-1, 1))
    label = st.tuples(st.integers(0, 3), nudge) | vectors(d, st.integers(-R, R))
    return Case(
        draw(st.lists(definitions(d, n - 1), min_size=1, max_size=4)),
        m,
        n,
        draw(st.lists(st.tuples(inputs, label), max_size=m)),
        draw(inputs),
    )
