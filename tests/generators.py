"""What the tests are tested on: definitions, task sets, domains and prompts.

Every task comes with its *meaning*, a plain function on lists of fractions, from the formulas
of `attack.reckoning`, which share no code with the package. All numbers are drawn and judged
as fractions, a float being the fraction that it holds; nothing here reads
`construct.checking.sampling`.
"""

import functools
import itertools
import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction as Q
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, assume, given, seed, settings
from hypothesis import strategies as st

from construct import Construction, Domain, Prompt, Task, build
from construct.designs.theorem.slots import fewest_slots as slots_that_the_wiring_takes
from construct.spec.domain import task_bound
from construct.spec.kinds import from_definition
from construct.spec.normal_form import normal_form
from kinds import KINDS, NEED_WORDS, Shape, matrices, meaning, possible, small, vectors

Vector = Sequence[Q]
Meaning = Callable[[Sequence[Vector]], list[Q]]

BITS = {"float32": 24, "float64": 53}

WHOLE = st.sampled_from([0, 0, 1, -1, 2, -2, 3])
DYADIC = st.sampled_from([Q(0), Q(1), Q(1, 2), Q(-3, 4), Q(-2), Q(5, 4)])
BROKEN = st.sampled_from([Q(0), Q(1), Q(-1), Q(1, 3), Q(-2, 3), Q(7, 5)])


def definitions(d: int, inputs: int, entries: st.SearchStrategy = small) -> st.SearchStrategy:
    """A definition of any kind that needs no words, for inputs 1..inputs."""
    shape = Shape(d, inputs + 1, entries)
    kinds = [kind for kind in possible(shape) if kind not in NEED_WORDS]
    return st.one_of(*(KINDS[kind].draw(shape) for kind in kinds))


def reads(definition: Mapping) -> frozenset[int]:
    """The positions that a task reads, as it is written."""
    if definition["kind"] not in ("affine", "relu-sum"):
        return frozenset(definition.get("positions") or [definition["position"]])
    A = definition["A"]
    blocks = A if isinstance(A, Mapping) else {1: A}
    found = {int(p) for p, matrix in blocks.items() if any(map(any, matrix))}
    hinges = [hinge for feature in definition.get("features", ()) for hinge in feature]
    return frozenset(found | {int(p) for h in hinges for p, a in h["a"].items() if any(a)})


# --- Task sets and domains -----------------------------------------------------


@dataclass(frozen=True, eq=False)
class Known:
    """A task, the positions that it reads, and independently what it computes."""

    task: Task
    reads: frozenset[int]
    meaning: Meaning

    @classmethod
    def of(cls, name: str, definition: dict, shape: Shape) -> "Known":
        named = {"name": name, **definition}
        task = from_definition(named, d=shape.d, vocabulary=shape.vocabulary)
        return cls(task, reads(definition), meaning(definition, shape.d, shape.words))


@dataclass(frozen=True, eq=False)
class Case:
    """A construction with the meanings of its tasks."""

    construction: Construction
    known: tuple[Known, ...]
    shape: Shape

    def __repr__(self) -> str:
        built = self.construction
        definitions = [dict(task.definition) for task in built.tasks]
        return f"Case({definitions}, m={built.sizes.m}, n={self.shape.n}, {built.domain!r})"

    def _repr_pretty_(self, printer, cycle: bool) -> None:
        printer.text(repr(self))


def calling_the_package(strategy: Callable) -> Callable:
    """Leaves the `random` module as it was, as Hypothesis asks of a strategy.

    Where shapes are enforced, the type checks choose by it which entries of a tuple they
    look at.
    """

    @functools.wraps(strategy)
    def restoring(*args, **kwargs):
        state = random.getstate()
        try:
            return strategy(*args, **kwargs)
        finally:
            random.setstate(state)

    return restoring


@st.composite
def shapes(draw, lengths: Sequence[int] = (2, 2, 3, 3, 4)) -> Shape:
    d, n = draw(st.integers(1, 3)), draw(st.sampled_from(lengths))
    whole = st.integers(-1, 1)
    points = st.tuples(matrices(n - 1, d, whole), vectors(d, whole))
    numbers = draw(st.sampled_from([WHOLE, DYADIC, BROKEN]))
    return Shape(d, n, numbers, draw(st.one_of(st.none(), points, points)))


@st.composite
def task_sets(draw, shape: Shape, kinds: Sequence[str] = ()) -> tuple[Known, ...]:
    """1 to 5 distinct tasks (of the kinds given), and more where operand slots need heads."""
    K = draw(st.sampled_from([1, 2, 3, 3, 4, 5, 5]))
    kind = st.sampled_from([*possible(shape), "affine"])
    wanted = kinds or draw(st.lists(kind, min_size=K, max_size=K))
    found: dict[tuple, Known] = {}

    def keep(name: str, definition: dict) -> None:
        one = Known.of(name, definition, shape)
        found.setdefault(_on_probes(one, shape), one)

    for k, kind in enumerate(wanted):
        keep(f"{kind} {k}", draw(KINDS[kind].draw(shape)))
    while fewest_slots([one.reads for one in found.values()], shape.n) > len(found):
        by = [len(found) + 3] * shape.d
        keep(f"spare {len(found)}", {"kind": "shift", "by": by, "position": 1})
    return tuple(found.values())


def _on_probes(one: Known, shape: Shape) -> tuple:
    """Values at points in general position: the same for two tasks of one map."""
    rng = np.random.default_rng(0)
    probes = rng.integers(-(10**6), 10**6, (12, shape.n - 1, shape.d)).tolist()
    small = rng.integers(-30, 30, (40, shape.n - 1, shape.d)).tolist()
    thirds = [[[Q(x, 10) for x in v] for v in X] for X in small]
    return tuple(tuple(map(Q, one.meaning(X))) for X in (*probes, *thirds))


def fewest_slots(reads: Sequence[frozenset[int]], n: int) -> int:
    """S by brute force: the smallest T that leaves each task at most one other position."""
    sets = (T for size in range(n) for T in itertools.combinations(range(1, n), size))
    return next(len(T) for T in sets if all(len(r - set(T)) <= 1 for r in reads))


def domains(dtype: str) -> st.SearchStrategy:
    """None, for the one that the build chooses, or another; floats hold no thirds."""
    grids = [None, 1, Q(1, 2)] + [Q(1, 3)] * (dtype == "exact")
    explicit = st.builds(
        Domain,
        R=st.sampled_from([1, 2, Q(5, 2), 4]),
        Ry=st.sampled_from([2, 8, 64]),
        delta=st.sampled_from([1, Q(1, 2), Q(1, 3), 2]),
        grid=st.sampled_from(grids),
    )
    return st.none() | explicit


@st.composite
@calling_the_package
def cases(draw, dtype: str = "exact", kinds: Sequence[str] = ()) -> Case:
    """Any construction; where `dtype` is a float format, one that is certified for it."""
    shape = draw(shapes((3, 4)) if kinds else shapes())
    known = draw(task_sets(shape, kinds))
    m = draw(st.sampled_from([1, 2, 3, 4, 5, 6, 6, 7]))
    domain = draw(domains(dtype))
    words = shape.vocabulary if domain is None and draw(st.integers(0, 3)) == 0 else None

    def construct(domain: Domain | None) -> Construction:
        return build(
            [one.task for one in known], m=m, n=shape.n, domain=domain, vocabulary=words
        )  # fmt: skip

    built = construct(domain)
    if dtype != "exact" and dtype not in built.certified:
        built = construct(Domain(R=1, Ry=64, delta=4))
        assume(dtype in built.certified)
    return Case(built, known, shape)


# --- Prompts -------------------------------------------------------------------


def rounded(value: Q, dtype: str) -> Q:
    """`value` as `dtype` holds it."""
    if dtype == "exact":
        return Q(value)
    return Q(float(np.dtype(dtype).type(float(value))))


def thresholds(domain: Domain, dtype: str) -> tuple[Q, Q]:
    """Distance^2 up to which a label matches, and from which it does not."""
    square = Q(domain.delta) ** 2
    if dtype == "exact":
        return Q(0), square
    p = BITS[dtype]
    loss = Q(0) if domain.grid else Q(1, 2 ** (p // 2 + 1))
    return square / 2 ** (p + 7), square * (1 - loss) ** 2


def squares(case: Case, X: Sequence[Vector], y: Vector) -> list[Q]:
    """||f_k(X) - y||^2 for each task."""
    return [
        sum((Q(a) - b) ** 2 for a, b in zip(one.meaning(X), y, strict=True)) for one in case.known
    ]


def in_domain(case: Case, X: Sequence[Vector], y: Vector, dtype: str) -> bool:
    """Whether the theorem promises anything for this example."""
    domain = case.construction.domain
    match, separate = thresholds(domain, dtype)
    on_grid = domain.grid is None or all(Q(v) % domain.grid == 0 for v in y)
    return (
        on_grid
        and all(abs(v) <= domain.Ry for v in y)
        and all(s <= match or s >= separate for s in squares(case, X, y))
    )


def entries(bound: Q, grid: Q | None, dtype: str) -> st.SearchStrategy:
    """A number of at most `bound`, extremes included; a float is 0 or at least 2^-30."""
    whole = st.integers(-math.floor(bound), math.floor(bound)).map(Q)
    if grid is not None:
        steps = math.floor(bound / Q(grid))
        return st.integers(-steps, steps).map(lambda i: i * Q(grid))
    if dtype == "exact":
        twelfths = math.floor(bound * 12)
        return st.one_of(st.integers(-twelfths, twelfths).map(lambda i: Q(i, 12)), whole)
    width = 32 if dtype == "float32" else 64
    limit = float(np.dtype(dtype).type(float(bound)))
    floats = st.floats(-limit, limit, width=width, allow_subnormal=False)
    return st.one_of(floats.map(lambda x: Q(x) if abs(x) >= 2**-30 else Q(0)), whole)


def largest(bound: Q, grid: Q | None) -> Q:
    return Q(bound) if grid is None else bound // grid * Q(grid)


INPUTS = ("any", "corner", "zero", "equal", "sparse", "one-hot", "positive", "earlier")
INPUTS += ("meet", "meet")
LABELS = (
    "task",
    "task",
    "popular",
    "popular",
    "ulp",
    "at delta",
    "diagonal",
    "corner",
    "any",
    "input",
)


@st.composite
def inputs(draw, case: Case, dtype: str, earlier: Sequence = ()) -> list[list[Q]]:
    """The n-1 vectors of an example or of the query."""
    domain, d, count = case.construction.domain, case.shape.d, case.shape.n - 1
    number = entries(domain.R, domain.grid, dtype)
    vector = st.lists(number, min_size=d, max_size=d)
    kind = draw(st.sampled_from(INPUTS))
    if kind == "earlier" and earlier:
        return draw(st.sampled_from(earlier))
    if kind == "meet" and case.shape.meet and all(
        domain.grid is None or Q(v) % domain.grid == 0 for x in case.shape.meet[0] for v in x
    ):  # fmt: skip
        return [[Q(v) for v in x] for x in case.shape.meet[0]]
    if kind == "zero":
        return [[Q(0)] * d] * count
    if kind == "corner":
        R = largest(domain.R, domain.grid)
        return [[draw(st.sampled_from([R, -R])) for _ in range(d)] for _ in range(count)]
    if kind == "one-hot" and (domain.grid is None or 1 % Q(domain.grid) == 0):
        return [[Q(i == draw(st.integers(0, d - 1))) for i in range(d)] for _ in range(count)]
    if kind == "equal":
        return [draw(vector)] * count
    X = draw(st.lists(vector, min_size=count, max_size=count))
    if kind == "positive":
        return [[abs(v) for v in x] for x in X]
    if kind == "sparse":
        return [[v if draw(st.booleans()) else Q(0) for v in x] for x in X]
    return X


@st.composite
def labels(draw, case: Case, X: Sequence[Vector], dtype: str) -> list[Q]:
    """A label for X, of the kind drawn; not yet judged."""
    domain, d = case.construction.domain, case.shape.d
    kind = draw(st.sampled_from(LABELS))
    truth = [Q(v) for v in draw(st.sampled_from(case.known)).meaning(X)]
    i, sign = draw(st.integers(0, d - 1)), draw(st.sampled_from([1, -1]))
    if kind == "popular":
        truth = _most_common([[Q(v) for v in one.meaning(X)] for one in case.known])
    elif kind == "at delta":
        truth[i] += sign * Q(domain.delta)
    elif kind == "diagonal" and d > 1:
        truth[i] += sign * Q(3, 5) * domain.delta
        truth[i - 1] += Q(4, 5) * domain.delta
    elif kind == "corner":
        R = largest(domain.Ry, domain.grid)
        return [draw(st.sampled_from([R, -R])) for _ in range(d)]
    elif kind == "any":
        return [draw(entries(domain.Ry, domain.grid, dtype)) for _ in range(d)]
    elif kind == "input":
        return draw(st.sampled_from(X))
    elif kind == "ulp" and dtype != "exact":
        near = np.dtype(dtype).type(float(truth[i]))
        truth[i] = Q(float(np.nextafter(near, near.dtype.type(sign * np.inf))))
    return [rounded(v, dtype) for v in truth]


def _most_common(values: Sequence[list]) -> list:
    return max(values, key=values.count)


@st.composite
@calling_the_package
def prompts(draw, case: Case, dtype: str = "exact") -> Prompt:
    """A prompt of the domain in the numbers of `dtype`.

    An example whose label came too close to a task gets another label that is
    allowed; where there is none, its slot stays blank.
    """
    m, domain = case.construction.sizes.m, case.construction.domain
    examples: list[tuple[list, list]] = []
    for _ in range(draw(st.sampled_from([1, m, m, m, m, 0, *range(1, m + 1)]))):
        X = draw(inputs(case, dtype, [X for X, _ in examples]))
        R = largest(domain.Ry, domain.grid)
        others = [[rounded(v, dtype) for v in one.meaning(X)] for one in case.known]
        for y in (draw(labels(case, X, dtype)), *others, [R] * case.shape.d, [-R] * case.shape.d):
            if in_domain(case, X, y, dtype):
                examples.append((X, y))
                break
    query = draw(inputs(case, dtype, [X for X, _ in examples]))
    return Prompt.of([[*X, y] for X, y in examples], query).astype(dtype)


@st.composite
@calling_the_package
def cases_with_prompts(draw, dtype: str = "exact", count: int = 3) -> tuple[Case, list[Prompt]]:
    """A construction and at most `count` prompts for it."""
    case = draw(cases(dtype))
    return case, draw(st.lists(prompts(case, dtype), min_size=1, max_size=count))


# --- Whole numbers -------------------------------------------------------------

# Whole numbers keep every score, sum and product of float64 exact, so that tests compare for
# equality. With delta = 1 any whole-numbered label is in the domain.
R = 3

# None: as many scratch tokens as give the least width. Of 9 no task set here can have all.
SCRATCH = st.sampled_from([None, None, None, 0, 1, 2, 3, 9])


@dataclass(frozen=True)
class WholeCase:
    """A construction and a prompt of its domain, as plain whole numbers.

    Hypothesis draws the numbers, so that it can print them, and the test builds from them.

    Attributes:
        definitions: the tasks' definitions, without names.
        m: slots for examples, at least len(examples).
        n: tokens of an example.
        examples: the inputs, and as label a vector, or the number of a task and what
            is added to its value: nothing, or a nudge to a distance of 1 or more.
        query: the query's inputs.
        scratch: scratch tokens, as many as can be built at most; None for as many as give the
            least width.
    """

    definitions: list[dict]
    m: int
    n: int
    examples: list[tuple[list, tuple[int, list] | list]]
    query: list
    scratch: int | None = None

    def build(self) -> tuple[Construction, Prompt]:
        """Named t0, t1, ..., without the tasks that repeat an earlier one."""
        tasks = named(self.definitions, len(self.query[0]))
        slots = slots_that_the_wiring_takes([set(task.positions) for task in tasks])
        assume(len(slots) <= len(tasks))
        Ry = max(R, *(int(b) for task in tasks for b in task_bound(task, R)))
        scratch = possible_scratch(self.scratch, len(tasks), len(slots))
        domain = Domain(R, Ry + 1, 1)
        construction = build(tasks, m=self.m, n=self.n, domain=domain, scratch=scratch)
        examples = []
        for x, label in self.examples:
            if isinstance(label, tuple):
                label = (tasks[label[0] % len(tasks)](x) + label[1]).tolist()
            examples.append([*x, label])
        return construction, Prompt.of(examples, self.query)


def possible_scratch(scratch: int | None, K: int, S: int) -> int | None:
    """As many scratch tokens as are wanted, but no more than can be built."""
    return scratch and (min(scratch, K) if S < K else 0)


def named(definitions: list[dict], d: int) -> list[Task]:
    """Tasks t0, t1, ... that are different maps."""
    found: dict[tuple, Task] = {}
    for definition in definitions:
        named_definition = {"name": f"t{len(found)}", **definition}
        task = from_definition(named_definition, d=d, vocabulary=None)
        found.setdefault(normal_form(task), task)
    return list(found.values())


@st.composite
def whole_cases(draw) -> WholeCase:
    """n in 2..4, small d and m, operand slots and dictionaries; ties, noise and blanks."""
    d, n, m = draw(st.integers(1, 3)), draw(st.integers(2, 4)), draw(st.integers(1, 4))
    inputs = matrices(n - 1, d, st.integers(-R, R))
    nudge = st.sampled_from([[0] * d, [0] * d]) | vectors(d, st.integers(-1, 1))
    of_a_task = st.tuples(st.integers(0, 3), nudge)
    label = st.one_of(of_a_task, of_a_task, vectors(d, st.integers(-R, R)))
    return WholeCase(
        draw(st.lists(definitions(d, n - 1), min_size=1, max_size=4)),
        m,
        n,
        draw(st.lists(st.tuples(inputs, label), max_size=m)),
        draw(inputs),
        draw(SCRATCH),
    )


# --- Outside of properties -----------------------------------------------------


def run(strategy: st.SearchStrategy, count: int, number: int) -> list:
    """About `count` draws, the same ones for the same number."""
    drawn: list = []

    @seed(number)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        derandomize=False,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def collect(value) -> None:
        drawn.append(value)

    collect()
    return drawn


def sample(strategy: st.SearchStrategy, count: int, runs: int = 10) -> list:
    """About `count` draws from runs that know nothing of each other.

    Within a run Hypothesis varies what it has drawn before, so that one run is narrow.
    """
    return [x for number in range(runs) for x in run(strategy, -(-count // runs), number)]


def search(
    strategy: st.SearchStrategy, sorts: Callable[[Any], set], wanted: set, runs: int = 200
) -> dict:
    """The first draw of each wanted sort that is met with; a draw may be of several sorts.

    It goes on until there is one of each: what is rare takes longer, and is found all the
    same, whatever Hypothesis makes of a seed. What is not found in all runs is not drawn.
    """
    found: dict = {}
    for number in range(runs):
        for value in run(strategy, 12, number):
            found |= dict.fromkeys(sorts(value) & wanted - found.keys(), value)
        if found.keys() == wanted:
            break
    return found
