"""What the theorem is tested on: task sets of every kind, domains, and prompts.

Every task comes with its *meaning*: a plain function on lists of fractions that
shares no code with the package. All numbers are drawn and judged as fractions, a
float being the fraction that it holds; nothing here reads `construct.checking.sampling`.
"""

import functools
import itertools
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction as Q

import numpy as np
from hypothesis import HealthCheck, Phase, assume, given, seed, settings
from hypothesis import strategies as st

import construct
from construct import Construction, Domain, Prompt, Task, Vocabulary, build

Vector = Sequence[Q]
Meaning = Callable[[Sequence[Vector]], list[Q]]

BITS = {"float32": 24, "float64": 53}

WHOLE = st.sampled_from([0, 0, 1, -1, 2, -2, 3])
DYADIC = st.sampled_from([Q(0), Q(1), Q(1, 2), Q(-3, 4), Q(-2), Q(5, 4)])
BROKEN = st.sampled_from([Q(0), Q(1), Q(-1), Q(1, 3), Q(-2, 3), Q(7, 5)])


@dataclass(frozen=True, eq=False)
class Known:
    """A task, the positions that it reads, and independently what it computes."""

    task: Task
    reads: frozenset[int]
    meaning: Meaning


@dataclass(frozen=True, eq=False)
class Shape:
    """What the tasks of one set share; all affine ones map meet[0] to meet[1]."""

    d: int
    n: int
    numbers: st.SearchStrategy
    meet: tuple[list[list[int]], list[int]] | None = None

    @property
    def vocabulary(self) -> Vocabulary:
        return Vocabulary(f"word{i}" for i in range(self.d))


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

    The type checks of the tests choose by it which entries of a tuple they look at.
    """

    @functools.wraps(strategy)
    def restoring(*args, **kwargs):
        state = random.getstate()
        try:
            return strategy(*args, **kwargs)
        finally:
            random.setstate(state)

    return restoring


# --- Tasks, a strategy for each kind -------------------------------------------


def vectors(shape: Shape) -> st.SearchStrategy:
    return st.lists(shape.numbers, min_size=shape.d, max_size=shape.d)


def matrices(shape: Shape, columns: int) -> st.SearchStrategy:
    row = st.lists(shape.numbers, min_size=columns, max_size=columns)
    return st.lists(row, min_size=shape.d, max_size=shape.d)


def places(shape: Shape) -> st.SearchStrategy:
    return st.integers(1, shape.n - 1)


def several_places(shape: Shape) -> st.SearchStrategy:
    return st.lists(places(shape), min_size=1, max_size=3, unique=True)


def dot(a: Vector, x: Vector) -> Q:
    return sum((u * v for u, v in zip(a, x, strict=True)), Q(0))


def linear(A: dict, b: Vector) -> Meaning:
    return lambda X: [
        dot([1], [b[i]]) + sum(dot(matrix[i], X[p - 1]) for p, matrix in A.items())
        for i in range(len(b))
    ]


def entrywise(p: int, f: Callable[[Q], Q]) -> Meaning:
    return lambda X: [f(x) for x in X[p - 1]]


@st.composite
def affine(draw, name: str, shape: Shape) -> Known:
    A = {p: draw(matrices(shape, shape.d)) for p in draw(several_places(shape))}
    b = draw(vectors(shape))
    if shape.meet:
        X, y = shape.meet
        away = linear(A, [0] * shape.d)(X)
        b = [target - got for target, got in zip(y, away, strict=True)]
    reads = frozenset(p for p, matrix in A.items() if any(map(any, matrix)))
    plain = A[1] if set(A) == {1} else A
    return Known(construct.affine(name, plain, b), reads, linear(A, b))


@st.composite
def permutation(draw, name: str, shape: Shape) -> Known:
    order = draw(st.permutations(range(1, shape.d + 1)))
    signs = draw(st.lists(st.sampled_from([1, -1]), min_size=shape.d, max_size=shape.d))
    by, p = draw(vectors(shape)), draw(places(shape))
    task = construct.permutation(name, order, signs, by, p)
    return Known(
        task,
        frozenset({p}),
        lambda X: [
            s * X[p - 1][i - 1] + a for s, i, a in zip(signs, order, by, strict=True)
        ],
    )  # fmt: skip


@st.composite
def retrieval(draw, name: str, shape: Shape) -> Known:
    p = draw(places(shape))
    return Known(construct.retrieval(name, p, d=shape.d), frozenset({p}), entrywise(p, lambda x: x))


@st.composite
def shift(draw, name: str, shape: Shape) -> Known:
    p = draw(places(shape))
    if draw(st.booleans()):
        by = draw(st.integers(-2 * shape.d, 2 * shape.d))
        task = construct.shift(name, by, modulo=shape.d, position=p)
        cycle = lambda X: [X[p - 1][(i - by) % shape.d] for i in range(shape.d)]  # noqa: E731
        return Known(task, frozenset({p}), cycle)
    by = draw(vectors(shape))
    return Known(
        construct.shift(name, by, position=p),
        frozenset({p}),
        lambda X: [x + a for x, a in zip(X[p - 1], by, strict=True)],
    )


@st.composite
def add(draw, name: str, shape: Shape) -> Known:
    where = draw(several_places(shape))
    return Known(
        construct.add(name, where, d=shape.d),
        frozenset(where),
        lambda X: [sum(X[p - 1][i] for p in where) for i in range(shape.d)],
    )


@st.composite
def lookup(draw, name: str, shape: Shape) -> Known:
    number = st.integers(0, shape.d - 1)
    images = draw(st.dictionaries(number, number, min_size=1))
    p = draw(places(shape))
    table = {f"word{word}": f"word{image}" for word, image in images.items()}
    task = construct.lookup(name, table, p, vocabulary=shape.vocabulary)
    return Known(
        task,
        frozenset({p}),
        lambda X: [
            sum((X[p - 1][w] for w, image in images.items() if image == i), Q(0))
            for i in range(shape.d)
        ],
    )


@st.composite
def relu_sum(draw, name: str, shape: Shape) -> Known:
    hinge = st.fixed_dictionaries(
        {"c": shape.numbers, "e": shape.numbers},
        optional={"a": st.dictionaries(places(shape), vectors(shape), max_size=2)},
    ).map(lambda h: {"a": {}, **h})
    features = draw(st.lists(st.lists(hinge, min_size=1, max_size=2), min_size=1, max_size=2))
    C = draw(matrices(shape, len(features)))
    A = {p: draw(matrices(shape, shape.d)) for p in draw(several_places(shape))}
    b = draw(vectors(shape))

    def meaning(X: Sequence[Vector]) -> list[Q]:
        g = [
            sum(
                h["c"] * max(h["e"] + sum(dot(a, X[p - 1]) for p, a in h["a"].items()), 0)
                for h in feature
            )
            for feature in features
        ]
        return [y + dot(row, g) for y, row in zip(linear(A, b)(X), C, strict=True)]

    reads = {p for p, matrix in A.items() if any(map(any, matrix))}
    reads |= {p for feature in features for h in feature for p, a in h["a"].items() if any(a)}
    return Known(construct.relu_sum(name, features, C, A, b), frozenset(reads), meaning)


@st.composite
def absolute(draw, name: str, shape: Shape) -> Known:
    p = draw(places(shape))
    return Known(construct.absolute(name, p, d=shape.d), frozenset({p}), entrywise(p, abs))


@st.composite
def relu(draw, name: str, shape: Shape) -> Known:
    p = draw(places(shape))
    task = construct.relu(name, p, d=shape.d)
    return Known(task, frozenset({p}), entrywise(p, lambda x: max(x, Q(0))))


@st.composite
def clip(draw, name: str, shape: Shape) -> Known:
    low, high = sorted(draw(st.lists(shape.numbers, min_size=2, max_size=2, unique=True)))
    p = draw(places(shape))
    task = construct.clip(name, low, high, p, d=shape.d)
    return Known(task, frozenset({p}), entrywise(p, lambda x: min(max(x, low), high)))


def extremum(make: Callable[..., Task], choose: Callable) -> Callable:
    @st.composite
    def strategy(draw, name: str, shape: Shape) -> Known:
        p, q = draw(st.lists(places(shape), min_size=2, max_size=2, unique=True))
        task = make(name, [p, q], d=shape.d)
        both = lambda X: [choose(x, y) for x, y in zip(X[p - 1], X[q - 1], strict=True)]  # noqa: E731
        return Known(task, frozenset({p, q}), both)

    return strategy


MAKERS = {
    "affine": affine,
    "permutation": permutation,
    "retrieval": retrieval,
    "shift": shift,
    "sum": add,
    "lookup": lookup,
    "relu-sum": relu_sum,
    "absolute": absolute,
    "relu": relu,
    "clip": clip,
    "maximum": extremum(construct.maximum, max),
    "minimum": extremum(construct.minimum, min),
}
NEED_TWO_INPUTS = {"maximum", "minimum"}


# --- Task sets and domains -----------------------------------------------------


@st.composite
def shapes(draw, lengths: Sequence[int] = (2, 2, 3, 3, 4)) -> Shape:
    d, n = draw(st.integers(1, 3)), draw(st.sampled_from(lengths))
    whole = st.integers(-1, 1)
    vector = st.lists(whole, min_size=d, max_size=d)
    points = st.tuples(st.lists(vector, min_size=n - 1, max_size=n - 1), vector)
    numbers = draw(st.sampled_from([WHOLE, DYADIC, BROKEN]))
    return Shape(d, n, numbers, draw(st.one_of(st.none(), points, points)))


@st.composite
def task_sets(draw, shape: Shape, kinds: Sequence[str] = ()) -> tuple[Known, ...]:
    """1 to 5 distinct tasks (of the kinds given), and more where operand slots need heads."""
    possible = sorted(MAKERS if shape.n > 2 else set(MAKERS) - NEED_TWO_INPUTS)
    possible.append("affine")
    K = draw(st.sampled_from([1, 2, 3, 3, 4, 5, 5]))
    wanted = kinds or draw(st.lists(st.sampled_from(possible), min_size=K, max_size=K))
    found: dict[tuple, Known] = {}
    for k, kind in enumerate(wanted):
        one = draw(MAKERS[kind](f"{kind} {k}", shape))
        found.setdefault(_on_probes(one, shape), one)
    while fewest_slots([one.reads for one in found.values()], shape.n) > len(found):
        by = [len(found) + 3] * shape.d
        one = Known(
            construct.shift(f"spare {len(found)}", by),
            frozenset({1}),
            lambda X, by=by: [x + a for x, a in zip(X[0], by, strict=True)],
        )
        found.setdefault(_on_probes(one, shape), one)
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


# --- Outside of properties -----------------------------------------------------


RUNS = 10


def sample(strategy: st.SearchStrategy, count: int) -> list:
    """About `count` draws, always the same ones, from runs that know nothing of each other.

    Within a run Hypothesis varies what it has drawn before, so that one run is narrow.
    """
    drawn: list = []
    for run in range(RUNS):

        @seed(run)
        @settings(
            max_examples=-(-count // RUNS),
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
