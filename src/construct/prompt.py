"""Examples and a query: their text and JSON forms, and the domain check.

Numbers of a file stay exact; `Prompt.astype` rounds them to a float format.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import MAX_EMAX, MIN_EMIN, Decimal, localcontext
from fractions import Fraction
from typing import Any

import numpy as np
from jaxtyping import Bool, Int, Shaped

from construct.arguments import checked, function, instance, listed, optional, whole, wrong
from construct.errors import ConstructError, OutsideDomain, shown
from construct.rational import (
    Rational,
    is_dyadic,
    is_float,
    rational,
    rational_array,
    read_json,
    to_float,
    zeros,
)
from construct.vocabulary import Vocabulary


@dataclass(frozen=True, eq=False)
class Prompt:
    """e examples of n-1 inputs and a label, and the query's n-1 inputs.

    The arrays are those that are given, not copies: a prompt may be large, and nothing that
    is kept is computed from it.

    Attributes:
        X: inputs; dtype object (exact), float32 or float64, as are the others.
        Y: labels.
        query: the query's inputs.
        lines: the line or the number of each example in its file, from 1.
    """

    X: Shaped[np.ndarray, "e inputs d"]
    Y: Shaped[np.ndarray, "e d"]
    query: Shaped[np.ndarray, "inputs d"]
    lines: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        for name in ("X", "Y", "query"):
            array = getattr(self, name)
            if not isinstance(array, np.ndarray):
                raise wrong(array, f"{name} of the prompt", "an array (Prompt.of takes lists)")
            object.__setattr__(self, name, _numbers(array, f"{name} of the prompt"))
        shape = self.query.shape
        whole = len(shape) == 2 and 0 not in shape
        if not whole or self.X.shape[1:] != shape or self.Y.shape != (len(self.X), shape[1]):
            raise ConstructError(
                f"a prompt has X {self.X.shape}, Y {self.Y.shape} and query {shape}; "
                "the shapes must be (e, n-1, d), (e, d) and (n-1, d)."
            )
        if self.X.dtype != self.Y.dtype:
            raise ConstructError(
                f"X of the prompt is {self.X.dtype}, Y is {self.Y.dtype}; give both as one."
            )
        lines = self.lines
        whole = isinstance(lines, tuple) and all(type(line) is int for line in lines)
        if not whole or len(lines) not in (0, len(self.X)):
            raise wrong(lines, "lines of the prompt", f"a tuple of {len(self.X)} whole numbers")
        if not lines:
            object.__setattr__(self, "lines", tuple(range(1, len(self.X) + 1)))

    @classmethod
    def of(cls, examples: Any, query: Any) -> "Prompt":
        """From [[x_1, ..., x_{n-1}, y], ...] and [x_1, ..., x_{n-1}], exactly."""
        for value, what, right in (
            (examples, "examples", "a list of [x_1, ..., x_{n-1}, y]"),
            (query, "the query", "a list of n-1 vectors"),
        ):
            array = isinstance(value, np.ndarray) and value.ndim > 0
            if not array and not isinstance(value, list | tuple):
                raise wrong(value, what, right)
        if not len(query):
            raise ConstructError("the query must be a list of n-1 vectors.")
        q = rational_array(query, (None, None), "the query")
        n, d = len(q) + 1, q.shape[1]
        rows = [rational_array(e, (n, d), f"example {i}") for i, e in enumerate(examples, 1)]
        table = np.stack(rows) if rows else zeros(0, n, d)
        return cls(table[:, :-1], table[:, -1], q)

    @property
    def d(self) -> int:
        """The dimension of every vector."""
        return self.query.shape[1]

    @property
    def n(self) -> int:
        """Tokens of an example."""
        return len(self.query) + 1

    def astype(self, dtype: str) -> "Prompt":
        """The prompt in "float32" or "float64", or in "exact" rationals."""
        if not isinstance(dtype, str) or dtype not in ("exact", "float64", "float32"):
            raise ConstructError(
                f"a prompt has no format {shown(dtype)}; it has: float64, float32, exact."
            )
        if dtype == "exact":
            arrays = [exactly(a) for a in (self.X, self.Y, self.query)]
        else:
            arrays = [_rounded(a, dtype) for a in (self.X, self.Y, self.query)]
        return replace(self, X=arrays[0], Y=arrays[1], query=arrays[2])


def _numbers(array: np.ndarray, what: str) -> np.ndarray:
    """The array as it is, of float32, float64 or rationals; any other one in rationals."""
    if array.dtype in (np.float32, np.float64):
        if not np.isfinite(array).all():
            raise ConstructError(f"{what} holds NaN or infinity.")
        return array
    if array.dtype == object and set(map(type, array.flat)) <= {int, Fraction}:
        return array
    return rational_array(array, array.shape, what)


def exactly(array: np.ndarray) -> np.ndarray:
    """The rationals that the numbers of an array are."""
    if array.dtype == object:
        return array
    result = zeros(*array.shape)
    for index in zip(*np.nonzero(array), strict=True):
        result[index] = rational(array[index])
    return result


def _rounded(array: np.ndarray, dtype: str) -> np.ndarray:
    if array.dtype == object:
        array = to_float(array)
    with np.errstate(over="ignore"):  # infinity is refused by Prompt
        return array.astype(dtype)


# --- File forms --------------------------------------------------------------


@checked(
    text=instance(str, "a text"),
    d=whole(1),
    n=whole(2),
    vocabulary=optional(instance(Vocabulary, "a construct.Vocabulary")),
)
def parse_prompt(text: str, *, d: int, n: int, vocabulary: Vocabulary | None = None) -> Prompt:
    """A prompt file: JSON, or with a vocabulary a line an example.

    Raises:
        ConstructError: naming the line or the example that is malformed.
    """
    stripped = text.strip()
    # A line of words may start with a brace, but the last one ends with an arrow.
    is_json = stripped.startswith("{") and (vocabulary is None or not stripped.endswith("->"))
    if is_json:
        prompt = _parse_json(text, vocabulary)
    elif vocabulary is not None:
        prompt = _parse_lines(text, n, vocabulary)
    else:
        raise ConstructError(
            "the prompt is no JSON object; this artifact takes numbers: "
            '{"examples": [[x_1, ..., y], ...], "query": [x_1, ...]}.'
        )
    if (prompt.n, prompt.d) != (n, d):
        raise ConstructError(
            f"the prompt has n = {prompt.n} and d = {prompt.d}; the artifact needs "
            f"n = {n} tokens an example (n-1 inputs and a label) of d = {d} numbers."
        )
    return prompt


def _parse_json(text: str, vocabulary: Vocabulary | None) -> Prompt:
    value = read_json(text, "the prompt")
    if not isinstance(value, dict) or set(value) != {"examples", "query"}:
        raise ConstructError(
            'the prompt must be {"examples": [[x_1, ..., y], ...], "query": [x_1, ...]}.'
        )
    examples, query = value["examples"], value["query"]
    if not isinstance(examples, list) or not isinstance(query, list):
        raise ConstructError('"examples" and "query" of the prompt must be lists.')
    if vocabulary is not None:
        query = _one_hot(query, vocabulary, "the query: ")
        examples = [_one_hot(e, vocabulary, f"example {i}: ") for i, e in enumerate(examples, 1)]
    return Prompt.of(examples, query)


def _one_hot(tokens: Any, vocabulary: Vocabulary, whose: str) -> list:
    if not isinstance(tokens, list):
        raise ConstructError(f"{whose}it is {tokens!r}; it must be a list of words.")
    try:
        return [vocabulary.one_hot(t) if isinstance(t, str) else t for t in tokens]
    except ConstructError as error:
        raise ConstructError(f"{whose}{error}") from None


def _parse_lines(text: str, n: int, vocabulary: Vocabulary) -> Prompt:
    lines = [(i, line) for i, line in enumerate(text.splitlines(), 1) if line.strip()]
    if not lines:
        raise ConstructError("the prompt is empty; its last line is the query: 'Japan ->'.")
    X, Y, numbers, query = [], [], [], None
    for number, line in lines:
        left, arrow, label = (part.strip() for part in line.rpartition("->"))
        last = number == lines[-1][0]
        if not arrow or bool(label) == last:
            form = "the query and end with '->'" if last else "an example, 'input -> label'"
            raise ConstructError(f"line {number} is {line.strip()!r}; it must be {form}.")
        # A single input may itself hold commas.
        words = [w.strip() for w in left.split(",")] if n > 2 else [left]
        if len(words) != n - 1:
            raise ConstructError(
                f"line {number} has {len(words)} inputs before '->'; it needs {n - 1}, "
                "separated by commas."
            )
        try:
            inputs = [vocabulary.one_hot(word) for word in words]
            if last:
                query = np.stack(inputs)
            else:
                X.append(inputs)
                Y.append(vocabulary.one_hot(label))
                numbers.append(number)
        except ConstructError as error:
            raise ConstructError(f"line {number}: {error}") from None
    assert query is not None
    d = len(vocabulary)
    inputs_array = np.array(X, dtype=object).reshape(len(X), n - 1, d)
    labels = np.array(Y, dtype=object).reshape(len(Y), d)
    return Prompt(inputs_array, labels, query, tuple(numbers))


# --- Distances ---------------------------------------------------------------

# What a label is to a task.
MATCH, BETWEEN, SEPARATE = 0, 1, 2


def match_limit(prompt: Prompt, delta: Any) -> Rational:
    """The squared distance up to which a label matches a task.

    On rationals that is 0. On floats with p bits it is delta^2 2^-(p+7), so small that
    B distance^2 vanishes beside 1: a label that was rounded, or computed in another order of
    summation, is a match.
    """
    if prompt.Y.dtype == object:
        return 0
    return Fraction(delta) ** 2 / (1 << (np.finfo(prompt.Y.dtype).nmant + 8))


def matches(f: Callable, prompt: Prompt, delta: Any) -> Bool[np.ndarray, " e"]:
    """Which examples f explains, decided without rounding."""
    limit = match_limit(prompt, delta)
    return judge(f, prompt, limit, limit) == MATCH


def judge(
    f: Callable, prompt: Prompt, match: Rational, separate: Rational
) -> Int[np.ndarray, " e"]:
    """MATCH where ||f(X_i) - y_i||^2 <= match, SEPARATE where it is >= separate, or BETWEEN.

    Floats are the rationals that they hold, and f is evaluated as it is written: no
    distance is rounded. Most are so far from the limits that an enclosure tells.
    """
    if prompt.X.dtype == object:
        return _compare(squared_distances(f, prompt), match, separate)
    low, high = _enclosure(f, prompt)
    verdict = np.full(len(low), BETWEEN)
    verdict[low > _nearby(separate, np.inf)] = SEPARATE
    verdict[high < _nearby(match, 0.0)] = MATCH
    open_ = verdict == BETWEEN
    if open_.any():
        some = replace(prompt, X=prompt.X[open_], Y=prompt.Y[open_], lines=())
        verdict[open_] = _compare(squared_distances(f, some), match, separate)
    return verdict


def squared_distances(f: Callable, prompt: Prompt) -> Shaped[np.ndarray, " e"]:
    """||f(X_i) - y_i||^2 for each example, exactly: of the numbers that the prompt holds."""
    gap = f(exactly(prompt.X)) - exactly(prompt.Y)
    return (gap**2).sum(axis=-1)


def _compare(
    squares: Shaped[np.ndarray, " e"], match: Rational, separate: Rational
) -> Int[np.ndarray, " e"]:
    far = np.where(np.array(squares >= separate, dtype=bool), SEPARATE, BETWEEN)
    return np.where(np.array(squares <= match, dtype=bool), MATCH, far)


def _enclosure(f: Callable, prompt: Prompt) -> tuple[np.ndarray, np.ndarray]:
    """Floats below and above each squared distance; NaN where there are none.

    With the gauge (a, b, t) of a task an entry of f(X) - y meets 2t + 7 roundings at most,
    so that it is off by less than 2 (t + 8) 2^-53 (a |X| + b + |y|); and what underflows
    meets weights below 2^200 in all.
    """
    count, gauge = len(prompt.X), getattr(f, "gauge", None)
    if gauge is None:
        return np.full(count, np.nan), np.full(count, np.nan)
    a, b, t = float(gauge[0]), float(gauge[1]), gauge[2]
    X, Y = prompt.X.astype(np.float64), prompt.Y.astype(np.float64)
    with np.errstate(all="ignore"):
        gap = abs(f(X) - Y)
        x, y = abs(X).max(axis=(1, 2)), abs(Y).max(axis=1)
        off = (t + 8) * (2.0**-52 * (a * x + b + y) + 2.0**-800)[:, None]
        low, high = np.maximum(gap - off, 0), gap + off
        slack, lost = (prompt.d + 8) * 2.0**-52, prompt.d * 2.0**-1000
        return (
            (low**2).sum(axis=1) * (1 - slack) - lost,
            (high**2).sum(axis=1) * (1 + slack) + lost,
        )


def _nearby(limit: Rational, towards: float) -> float:
    """A float beside a limit, on the side of `towards`."""
    try:
        return float(np.nextafter(float(limit), towards))
    except OverflowError:
        return np.inf if towards else 2.0**1023


# --- The domain check --------------------------------------------------------


@checked(
    prompt=instance(Prompt, "a construct.Prompt"),
    tasks=listed(function, "function X -> f(X)", least=0),
    m=whole(1),
)
def check_domain(prompt: Prompt, tasks: Sequence, domain: Any, m: int) -> None:
    """Refuse a prompt on which the theorem makes no promise.

    Distances are those of the numbers that the prompt holds, without rounding. On floats
    with p bits a label counts as a match as in `mixture`, and as separate from
    delta (1 - 2^-(p//2)) on: a label at distance delta stays separate when it is rounded.
    On a grid of which the format holds every multiple, as on rationals, both are exact.

    Args:
        tasks: callables with a `name`, each X -> f(X).
        domain: R, Ry, delta and grid, as in `certify.Domain`.
        m: slots for examples.

    Raises:
        ConstructError: if there are more than m examples.
        OutsideDomain: naming the example, the task and the distance.
    """
    for name in ("R", "Ry", "delta", "grid"):
        if not hasattr(domain, name):
            raise wrong(domain, "domain", "a construct.Domain")
    if len(prompt.X) > m:
        raise ConstructError(
            f"the prompt has {len(prompt.X)} examples; this artifact holds at most "
            f"m = {m}: leave some out, or build with --m {len(prompt.X)}."
        )
    _check_entries(prompt, domain)
    if not len(prompt.X):
        return
    match, separate = match_limit(prompt, domain.delta), Fraction(domain.delta) ** 2
    if prompt.X.dtype != object and not _holds(prompt.X.dtype, domain):
        p = np.finfo(prompt.Y.dtype).nmant + 1
        separate *= (1 - Fraction(1, 2 ** (p // 2))) ** 2
    for task in tasks:
        for i in np.flatnonzero(judge(task, prompt, match, separate) == BETWEEN)[:1]:
            one = replace(prompt, X=prompt.X[[i]], Y=prompt.Y[[i]], lines=())
            raise OutsideDomain(
                f"example {prompt.lines[i]}: its label is at distance "
                f"{_root(squared_distances(task, one)[0])} from task {task.name!r}; the artifact "
                f"is certified for a match or a distance of at least delta = {domain.delta}."
            )


def _root(square: Rational) -> str:
    """The square root in six digits, also beyond any float's range."""
    with localcontext(prec=20, Emax=MAX_EMAX, Emin=MIN_EMIN):
        root = (Decimal(square.numerator) / Decimal(square.denominator)).sqrt()
    return f"{float(root):.6g}" if abs(root.adjusted()) < 300 else f"{root:.6e}"


def _check_entries(prompt: Prompt, domain: Any) -> None:
    for array, bound, kind in (
        (prompt.X, domain.R, "an input"),
        (prompt.Y, domain.Ry, "the label"),
        (prompt.query, domain.R, "an input"),
    ):
        rules = [(abs(array) > _in_format(bound, array), f"|entry| <= {bound}")]
        if domain.grid is not None:
            rules.append((_off_grid(array, domain.grid), f"multiples of {domain.grid}"))
        for outside, rule in rules:
            for place in np.argwhere(outside)[:1]:
                inside = array is not prompt.query
                whose = f"example {prompt.lines[place[0]]}" if inside else "the query"
                raise OutsideDomain(
                    f"{whose}: {kind} has the entry {array[tuple(place)]}; the artifact is "
                    f'certified for {rule} ("domain" in the task file).'
                )


def _in_format(bound: Any, array: np.ndarray) -> Any:
    """The bound, rounded as an entry that is equal to it has been."""
    if array.dtype == object:
        return bound
    with np.errstate(over="ignore"):
        try:
            return np.float64(bound).astype(array.dtype)
        except OverflowError:
            return array.dtype.type(np.inf)


def _holds(dtype: np.dtype, domain: Any) -> bool:
    """Whether the entries of a domain are multiples of a grid that a float format holds."""
    grid, limits = domain.grid, np.finfo(dtype)
    if grid is None or not is_dyadic(grid) or grid.denominator * Fraction(float(limits.tiny)) > 1:
        return False
    return max(domain.R, domain.Ry) * grid.denominator <= 2 ** (limits.nmant + 1)


def _off_grid(array: np.ndarray, grid: Rational) -> np.ndarray:
    """Where an entry is no multiple of the grid, rounded to the array's format."""
    if array.dtype == object:
        return array % grid != 0
    off = np.ones(array.shape, dtype=bool)
    if is_float(grid):
        # The remainder of two floats is a float: these are multiples themselves.
        off = np.fmod(array.astype(np.float64), float(grid)) != 0
    values, places = np.unique(array[off], return_inverse=True)
    off[off] = np.array([_no_multiple(value, grid) for value in values], dtype=bool)[places]
    return off


def _no_multiple(value: np.floating, grid: Rational) -> bool:
    """Whether neither multiple beside a float is rounded to it."""
    below = Fraction(float(value)) // grid
    beside = np.array([below * grid, (below + 1) * grid], dtype=object)
    return bool((_rounded(beside, value.dtype.name) != value).all())
