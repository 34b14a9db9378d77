"""Examples and a query: their text and JSON forms, and the domain check.

Numbers of a file stay exact; `Prompt.astype` rounds them to a float format.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
from jaxtyping import Shaped

from construct.errors import ConstructError, OutsideDomain
from construct.rational import rational, rational_array, read_json, to_float, zeros
from construct.vocabulary import Vocabulary


@dataclass(frozen=True, eq=False)
class Prompt:
    """e examples of n-1 inputs and a label, and the query's n-1 inputs.

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
        shape = self.query.shape
        if (
            len(shape) != 2
            or self.X.shape[1:] != shape
            or self.Y.shape
            != (
                len(self.X),
                shape[1],
            )
        ):
            raise ConstructError(
                f"a prompt has X {self.X.shape}, Y {self.Y.shape} and query {shape}; "
                "the shapes must be (e, n-1, d), (e, d) and (n-1, d)."
            )
        for name in ("X", "Y", "query"):
            array = getattr(self, name)
            if array.dtype.kind not in "fO":
                object.__setattr__(self, name, rational_array(array, array.shape, name))
            elif array.dtype != object and not np.isfinite(array).all():
                raise ConstructError(f"{name} of the prompt holds NaN or infinity.")
        if self.X.dtype != self.Y.dtype:
            raise ConstructError(
                f"X of the prompt is {self.X.dtype}, Y is {self.Y.dtype}; give both as one."
            )
        if not self.lines:
            object.__setattr__(self, "lines", tuple(range(1, len(self.X) + 1)))

    @classmethod
    def of(cls, examples: Any, query: Any) -> "Prompt":
        """From [[x_1, ..., x_{n-1}, y], ...] and [x_1, ..., x_{n-1}], exactly."""
        if not isinstance(query, list | tuple | np.ndarray) or len(query) == 0:
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
        if dtype == "exact":
            arrays = [exactly(a) for a in (self.X, self.Y, self.query)]
        else:
            arrays = [_rounded(a, dtype) for a in (self.X, self.Y, self.query)]
        return replace(self, X=arrays[0], Y=arrays[1], query=arrays[2])


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


def parse_prompt(text: str, *, d: int, n: int, vocabulary: Vocabulary | None = None) -> Prompt:
    """A prompt file: JSON, or with a vocabulary a line an example.

    Raises:
        ConstructError: naming the line or the example that is malformed.
    """
    if vocabulary is not None and not text.lstrip().startswith("{"):
        prompt = _parse_lines(text, n, vocabulary)
    elif text.lstrip().startswith("{"):
        prompt = _parse_json(text, vocabulary)
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


def squared_distances(task: Callable, prompt: Prompt) -> Shaped[np.ndarray, " e"]:
    """||f(X_i) - y_i||^2 for each example: exact on rationals, in float64 on floats."""
    labels = prompt.Y if prompt.Y.dtype == object else prompt.Y.astype(np.float64)
    return ((task(prompt.X) - labels) ** 2).sum(axis=-1)


def matches(
    squares: Shaped[np.ndarray, " e"], prompt: Prompt, delta: Any
) -> Shaped[np.ndarray, " e"]:
    """Which squared distances count as a match.

    On rationals that is 0. On floats with p bits it is distance^2 / delta^2 <=
    2^-(p+7), so small that B distance^2 vanishes beside 1: a label computed in another
    order of summation is a match.
    """
    if prompt.Y.dtype == object:
        return np.asarray(squares == 0, dtype=bool)
    p = np.finfo(prompt.Y.dtype).nmant + 1
    return squares <= float(delta) ** 2 * 2.0 ** -(p + 7)


# --- The domain check --------------------------------------------------------


def check_domain(prompt: Prompt, tasks: Sequence, domain: Any, m: int) -> None:
    """Refuse a prompt on which the theorem makes no promise.

    Distances are those of the prompt's own numbers. On floats with p bits a label
    counts as a match as in `mixture`, and as separate from delta (1 - 2^-(p//2)) on:
    a label at distance delta stays separate when it is rounded. On a grid, as on
    rationals, both are exact.

    Args:
        tasks: callables with a `name`, each X -> f(X).
        domain: R, Ry, delta and grid, as in `certify.Domain`.
        m: slots for examples.

    Raises:
        ConstructError: if there are more than m examples.
        OutsideDomain: naming the example, the task and the distance.
    """
    if len(prompt.X) > m:
        raise ConstructError(
            f"the prompt has {len(prompt.X)} examples; this artifact holds at most "
            f"m = {m}: leave some out, or build with --m {len(prompt.X)}."
        )
    _check_entries(prompt, domain)
    if not len(prompt.X):
        return
    exact = prompt.X.dtype == object
    separate = Fraction(domain.delta) ** 2
    if not exact and not domain.binary:
        separate *= (1 - Fraction(1, 2 ** ((np.finfo(prompt.Y.dtype).nmant + 1) // 2))) ** 2
    for task in tasks:
        squares = squared_distances(task, prompt)
        close = ~matches(squares, prompt, domain.delta) & (squares < 2 * separate)
        for i in np.flatnonzero(close):
            # Whether it is as far as delta is decided without rounding.
            gap = task(exactly(prompt.X[i])) - exactly(prompt.Y[i])
            if (gap**2).sum() < separate:
                raise OutsideDomain(
                    f"example {prompt.lines[i]}: its label is at distance "
                    f"{float(squares[i]) ** 0.5:.6g} from task {task.name!r}; the artifact is "
                    f"certified for a match or a distance of at least delta = {domain.delta}."
                )


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
    return bound if array.dtype == object else array.dtype.type(float(bound))


def _off_grid(array: np.ndarray, grid: Any) -> np.ndarray:
    """Where an entry is no multiple of the grid, rounded to the array's format."""
    if array.dtype == object:
        return array % grid != 0
    steps = np.round(array.astype(np.float64) / float(grid))
    nearest = np.vectorize(int, otypes=[object])(steps) * grid if array.size else steps
    return _rounded(nearest, str(array.dtype)) != array
