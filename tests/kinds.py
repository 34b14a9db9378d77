"""The kinds of tasks, as the tests know them: the one place that a new kind needs here.

What a kind means is written from docs/files.md, on lists of fractions: no line of construct is
used, but for a vocabulary.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction as Q
from typing import Any

from hypothesis import strategies as st

from construct import Vocabulary

Vector = list[Q]
Meaning = Callable[[list[Vector]], Vector]
Words = Sequence[str] | None

small = st.integers(-2, 2)


def vectors(d: int, entries: st.SearchStrategy = small) -> st.SearchStrategy:
    return st.lists(entries, min_size=d, max_size=d)


def matrices(rows: int, columns: int, entries: st.SearchStrategy = small) -> st.SearchStrategy:
    return st.lists(vectors(columns, entries), min_size=rows, max_size=rows)


@dataclass(frozen=True, eq=False)
class Shape:
    """What the tasks of one set share; all affine ones map meet[0] to meet[1]."""

    d: int
    n: int
    numbers: st.SearchStrategy
    meet: tuple[list[list[int]], list[int]] | None = None

    @property
    def vocabulary(self) -> Vocabulary:
        return Vocabulary(self.words)

    @property
    def words(self) -> list[str]:
        return [f"word{i}" for i in range(self.d)]

    @property
    def vectors(self) -> st.SearchStrategy:
        return vectors(self.d, self.numbers)

    @property
    def places(self) -> st.SearchStrategy:
        return st.integers(1, self.n - 1)

    @property
    def matrices(self) -> st.SearchStrategy:
        """A matrix for each of one to three positions."""
        square = matrices(self.d, self.d, self.numbers)
        return st.dictionaries(self.places.map(str), square, min_size=1, max_size=3)


# --- A definition without its name, a strategy for each kind -------------------


@st.composite
def draw_affine(draw, shape: Shape) -> dict:
    A, b = draw(shape.matrices), draw(shape.vectors)
    if draw(st.integers(0, 9)) == 9:
        A = {"1": [[0] * shape.d] * shape.d}
    if shape.meet:
        X, y = shape.meet
        away = linear(A, [Q(0)] * shape.d)(X)
        b = [target - got for target, got in zip(y, away, strict=True)]
    plain = set(A) == {"1"} and draw(st.booleans())
    return {"kind": "affine", "A": A["1"] if plain else A, "b": b}


@st.composite
def draw_permutation(draw, shape: Shape) -> dict:
    return {
        "kind": "permutation",
        "permutation": draw(st.permutations(range(1, shape.d + 1))),
        "signs": draw(vectors(shape.d, st.sampled_from([1, -1]))),
        "by": draw(shape.vectors),
        "position": draw(shape.places),
    }


@st.composite
def draw_shift(draw, shape: Shape) -> dict:
    if draw(st.booleans()):
        by = draw(st.integers(-2 * shape.d, 2 * shape.d))
        return {"kind": "shift", "by": by, "modulo": shape.d, "position": draw(shape.places)}
    return {"kind": "shift", "by": draw(shape.vectors), "position": draw(shape.places)}


@st.composite
def draw_add(draw, shape: Shape) -> dict:
    several = st.lists(shape.places, min_size=1, max_size=3, unique=True)
    return {"kind": "sum", "positions": draw(several)}


@st.composite
def draw_lookup(draw, shape: Shape) -> dict:
    word, several = st.sampled_from(shape.words), draw(st.booleans())
    if not several:
        table = draw(st.dictionaries(word, word, min_size=1))
        return {"kind": "lookup", "table": table, "position": draw(shape.places)}
    places = draw(st.lists(shape.places, min_size=1, max_size=3, unique=True))
    operands = st.tuples(*[word] * len(places))
    table = draw(st.dictionaries(operands, word, min_size=1, max_size=12))
    listed = [[list(key), image] for key, image in table.items()]
    return {"kind": "lookup", "table": listed, "positions": places}


@st.composite
def draw_word_sum(draw, shape: Shape) -> dict:
    word = st.sampled_from(shape.words)
    values = draw(st.dictionaries(word, shape.numbers, min_size=1))
    places = draw(st.lists(shape.places, min_size=1, max_size=3, unique=True))
    factors = draw(vectors(len(places), st.sampled_from([1, 1, -1, 2, "1/2"])))
    found = [draw(st.sampled_from(list(values.values()))) for _ in places]
    reached = sum((number(c) * Q(v) for c, v in zip(factors, found, strict=True)), Q(0))
    sums = draw(st.dictionaries(shape.numbers.map(str), word)) | {str(reached): draw(word)}
    return {
        "kind": "word-sum",
        "values": values,
        "words": sums,
        "positions": places,
        "coefficients": factors,
    }


@st.composite
def draw_relu_sum(draw, shape: Shape) -> dict:
    read = st.dictionaries(shape.places.map(str), shape.vectors, max_size=2)
    hinge = st.fixed_dictionaries({"c": shape.numbers, "a": read, "e": shape.numbers})
    features = draw(st.lists(st.lists(hinge, max_size=3), min_size=1, max_size=2))
    C = draw(matrices(shape.d, len(features), shape.numbers))
    A, b = draw(shape.matrices), draw(shape.vectors)
    return {"kind": "relu-sum", "features": features, "C": C, "A": A, "b": b}


@st.composite
def draw_clip(draw, shape: Shape) -> dict:
    low, high = sorted(draw(st.lists(shape.numbers, min_size=2, max_size=2, unique=True)))
    return {"kind": "clip", "low": low, "high": high, "position": draw(shape.places)}


def draw_of_one(kind: str) -> Callable[[Shape], st.SearchStrategy]:
    """A kind that is a function of one position."""
    return lambda shape: shape.places.map(lambda p: {"kind": kind, "position": p})


def draw_of_two(kind: str) -> Callable[[Shape], st.SearchStrategy]:
    """A kind that is a function of two positions."""
    return lambda shape: st.lists(shape.places, min_size=2, max_size=2, unique=True).map(
        lambda pair: {"kind": kind, "positions": pair}
    )


# --- What each means, on lists of fractions -------------------------------------


def number(value: Any) -> Q:
    """A number as a file writes it: 2, "1/3", "0.5"."""
    if isinstance(value, str) and "/" in value:
        above, below = value.split("/")
        return Q(above) / Q(below)
    return Q(value if isinstance(value, int | Q) else str(value))


def vector(values: list) -> Vector:
    return [number(v) for v in values]


def dot(a: Vector, x: Vector) -> Q:
    return sum((u * v for u, v in zip(a, x, strict=True) if u and v), Q(0))


def blocks(A: Any) -> dict[int, list[Vector]]:
    by_position = A if isinstance(A, dict) else {1: A}
    return {int(p): [vector(row) for row in rows] for p, rows in by_position.items()}


def linear(A: Any, b: Vector) -> Meaning:
    matrices = blocks(A)

    def f(X: list[Vector]) -> Vector:
        return [
            b[i] + sum((dot(rows[i], X[p - 1]) for p, rows in matrices.items()), Q(0))
            for i in range(len(b))
        ]

    return f


def relu_sum_of(task: dict, d: int, words: Words) -> Meaning:
    rest = linear(task.get("A") or {}, vector(task.get("b") or [0] * d))
    C = [vector(row) for row in task["C"]]
    features = [
        [
            (
                number(hinge.get("c", 1)),
                {p: rows[0] for p, rows in blocks(_rows(hinge["a"])).items()},
                number(hinge.get("e", 0)),
            )
            for hinge in feature
        ]
        for feature in task["features"]
    ]

    def f(X: list[Vector]) -> Vector:
        g = []
        for feature in features:
            sums = [(c, sum((dot(a[p], X[p - 1]) for p in a), e)) for c, a, e in feature]
            g.append(sum((c * max(s, Q(0)) for c, s in sums), Q(0)))
        return [y + dot(row, g) for y, row in zip(rest(X), C, strict=True)]

    return f


def _rows(a: Any) -> dict:
    return {p: [v] for p, v in (a if isinstance(a, dict) else {1: a}).items()}


def affine_of(task: dict, d: int, words: Words) -> Meaning:
    return linear(task["A"], vector(task.get("b") or [0] * d))


def permutation_of(task: dict, d: int, words: Words) -> Meaning:
    signs, by = (vector(task.get(k) or [v] * d) for k, v in (("signs", 1), ("by", 0)))
    order, p = [entry - 1 for entry in task["permutation"]], place(task)
    return lambda X: [s * X[p][o] + v for s, o, v in zip(signs, order, by, strict=True)]


def shift_of(task: dict, d: int, words: Words) -> Meaning:
    p = place(task)
    if "modulo" in task:
        return lambda X: [X[p][(i - task["by"]) % task["modulo"]] for i in range(d)]
    return lambda X: [x + v for x, v in zip(X[p], vector(task["by"]), strict=True)]


def lookup_of(task: dict, d: int, words: Words) -> Meaning:
    assert words is not None
    if isinstance(task["table"], list) and len(task["table"][0][0]) > 1:
        return several_of(task, d, words)
    rows = task["table"].items() if isinstance(task["table"], dict) else task["table"]
    pairs = [(words.index(a if isinstance(a, str) else a[0]), words.index(b)) for a, b in rows]
    p = (task.get("positions") or [task.get("position", 1)])[0] - 1
    return lambda X: [sum((X[p][a] for a, b in pairs if b == i), Q(0)) for i in range(d)]


def several_of(task: dict, d: int, words: Sequence[str]) -> Meaning:
    """Each image with the boxes of operands that it stands for."""
    keys: dict[int, list[list[int]]] = {}
    for operands, image in task["table"]:
        keys.setdefault(words.index(image), []).append([words.index(w) for w in operands])
    read = task.get("positions") or range(1, len(task["table"][0][0]) + 1)

    def f(X: list[Vector]) -> Vector:
        def holds(box: list[set[int]]) -> Q:
            counts = [sum(X[p - 1][w] for w in own) for p, own in zip(read, box, strict=True)]
            return max(sum(counts) - len(box) + 1, Q(0))

        return [sum(map(holds, boxes(keys[i])), Q(0)) if i in keys else Q(0) for i in range(d)]

    return f


def boxes(keys: list[list[int]]) -> list[list[set[int]]]:
    """The fewest boxes that grouping gives, whichever operand comes first."""
    ways = []
    for first in range(len(keys[0])):
        split = grouped([key[first:] + key[:first] for key in keys])
        back = len(keys[0]) - first
        ways.append([box[back:] + box[:back] for box in split])
    return min(ways, key=len)


def grouped(keys: list[list[int]]) -> list[list[set[int]]]:
    """Words with the same continuations stand together."""
    if keys == [[]]:
        return [[]]
    after = {w: [key[1:] for key in keys if key[0] == w] for w in {key[0] for key in keys}}
    found = []
    for rest in {tuple(sorted(map(tuple, own))) for own in after.values()}:
        same = {w for w, own in after.items() if tuple(sorted(map(tuple, own))) == rest}
        found += [[same, *box] for box in grouped([list(key) for key in rest])]
    return found


def word_sum_of(task: dict, d: int, words: Words) -> Meaning:
    """A tent over each sum: 1 there, 0 from the next possible sum on."""
    assert words is not None
    factors = vector(task.get("coefficients") or [1] * len(task["positions"]))
    values = {words.index(w): number(v) for w, v in task["values"].items()}
    own = [{w: c * v for w, v in values.items()} for c in factors]
    least = [min(products.values()) for products in own]
    step = Q(0)
    for products, low in zip(own, least, strict=True):
        for v in products.values():
            step = common(step, v - low)
    step = step or Q(1)
    steps = [
        {w: (v - low) / step for w, v in one.items()} for one, low in zip(own, least, strict=True)
    ]
    spans = [max(one.values()) for one in steps]
    high = sum(spans) - min(spans) + 1
    peaks = [((number(t) - sum(least)) / step, words.index(w)) for t, w in task["words"].items()]
    peaks = [(t, w) for t, w in peaks if t.denominator == 1 and 0 <= t <= sum(spans)]

    def f(X: list[Vector]) -> Vector:
        reads = zip(task["positions"], steps, strict=True)
        s = sum((high + t) * X[p - 1][w] for p, one in reads for w, t in one.items())
        at = s - high * len(steps)
        return [
            sum((max(1 - abs(at - t), Q(0)) for t, w in peaks if w == i), Q(0)) for i in range(d)
        ]

    return f


def common(a: Q, b: Q) -> Q:
    """The largest number of which both are multiples (Euclid)."""
    while b:
        a, b = b, a % b
    return abs(a)


def clip_of(task: dict, d: int, words: Words) -> Meaning:
    low, high, p = number(task["low"]), number(task["high"]), place(task)
    return lambda X: [min(max(x, low), high) for x in X[p]]


def of_one(function: Callable[[Q], Q]) -> Callable[[dict, int, Words], Meaning]:
    """A function of the entries of one position."""
    return lambda task, d, words: lambda X: [function(x) for x in X[place(task)]]


def of_several(function: Callable[[list[Q]], Q]) -> Callable[[dict, int, Words], Meaning]:
    """A function of the entries of several positions."""

    def of(task: dict, d: int, words: Words) -> Meaning:
        read = [int(q) - 1 for q in task.get("positions", (1, 2))]
        return lambda X: [function([X[q][i] for q in read]) for i in range(d)]

    return of


def place(task: dict) -> int:
    """The position that a task reads, counted from 0."""
    return int(task.get("position", 1)) - 1


# --- The table -------------------------------------------------------------------


@dataclass(frozen=True)
class Kind:
    """A kind of task.

    Attributes:
        draw: its definition without a name, as Hypothesis draws it.
        meaning: (definition, d, words) -> the map on lists of fractions.
        example: d -> the fields of some definition; every field that there is, once.
        fine: for each argument the values of `api.WRONG` that are right for it.
        inputs: how many inputs it needs.
        words: whether it needs a vocabulary.
    """

    draw: Callable[[Shape], st.SearchStrategy]
    meaning: Callable[[dict, int, Words], Meaning]
    example: Callable[[int], dict[str, Any]]
    fine: Mapping[str, list[str]] = field(default_factory=dict)
    inputs: int = 1
    words: bool = False


def unit(d: int) -> list[list[int]]:
    return [[int(i == j) for j in range(d)] for i in range(d)]


def at_one(d: int) -> dict[str, Any]:
    return {"position": 1}


def at_two(d: int) -> dict[str, Any]:
    return {"positions": [1, 2]}


NUMBERS = ["-1", "0", "1.5"]
KINDS = {
    "affine": Kind(draw_affine, affine_of, lambda d: {"A": unit(d), "b": [0] * d}, {"b": ["None"]}),
    "permutation": Kind(
        draw_permutation,
        permutation_of,
        lambda d: {
            "permutation": [*range(2, d + 1), 1],
            "signs": [1] * d,
            "by": [0] * d,
            "position": 1,
        },
        {"signs": ["None"], "by": ["None"]},
    ),
    "retrieval": Kind(draw_of_one("retrieval"), of_one(Q), at_one),
    "shift": Kind(
        draw_shift,
        shift_of,
        lambda d: {"by": 1, "modulo": d, "position": 1},
        {"by": ["-1", "0"], "modulo": []},
    ),
    "sum": Kind(draw_add, of_several(sum), at_two),
    "lookup": Kind(
        draw_lookup,
        lookup_of,
        lambda d: {"table": {"a": "b"}, "position": 1, "positions": [1]},
        {"positions": ["None"]},
        words=True,
    ),
    "word-sum": Kind(
        draw_word_sum,
        word_sum_of,
        lambda d: {
            "values": {"a": 1, "b": 2},
            "words": {"2": "a", "3": "b"},
            "positions": [1, 2],
            "coefficients": [1, 1],
        },
        {"coefficients": ["None"]},
        words=True,
    ),
    "relu-sum": Kind(
        draw_relu_sum,
        relu_sum_of,
        lambda d: {
            "features": [[{"a": [1] * d}]],
            "C": [[1]] * d,
            "A": unit(d),
            "b": [0] * d,
        },
        {"A": ["None"], "b": ["None"]},
    ),
    "absolute": Kind(draw_of_one("absolute"), of_one(abs), at_one),
    "relu": Kind(draw_of_one("relu"), of_one(lambda x: max(x, Q(0))), at_one),
    "clip": Kind(
        draw_clip,
        clip_of,
        lambda d: {"low": -2, "high": 2, "position": 1},
        {"low": NUMBERS, "high": NUMBERS},
    ),
    "maximum": Kind(draw_of_two("maximum"), of_several(max), at_two, inputs=2),
    "minimum": Kind(draw_of_two("minimum"), of_several(min), at_two, inputs=2),
}
NEED_WORDS = {name for name, kind in KINDS.items() if kind.words}
NEED_TWO_INPUTS = {name for name, kind in KINDS.items() if kind.inputs == 2}


def meaning(task: dict, d: int, words: Words = None) -> Meaning:
    """The function that a task's JSON object names."""
    return KINDS[task["kind"]].meaning(task, d, words)


def possible(shape: Shape) -> list[str]:
    """The kinds that there are for so many inputs."""
    return sorted(KINDS if shape.n > 2 else set(KINDS) - NEED_TWO_INPUTS)
