"""Examples and a query: their text and JSON forms, and the domain check.

Numbers of a file stay exact; `Prompt.astype` rounds them to a float format.
"""

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
from jaxtyping import Shaped

from construct.arguments import whole, wrong
from construct.errors import ConstructError, brief, shown
from construct.rational import (
    fits,
    rational,
    rational_array,
    rationals,
    to_float,
    written_shape,
    zeros,
)


@dataclass(frozen=True, eq=False)
class Prompt:
    """e examples of n-1 inputs and a label, and the query's n-1 inputs.

    The arrays are those that are given, not copies: a prompt may be large, and nothing that
    is kept is computed from it.

    Attributes:
        X: inputs, as are the others: float32, float64, or exact, that is of dtype object or of
            signed integers (words are one-hot in int8).
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
        if self.X.dtype != self.Y.dtype and not (is_exact(self.X) and is_exact(self.Y)):
            raise ConstructError(
                f"X of the prompt is {self.X.dtype}, Y is {self.Y.dtype}; give both the same dtype."
            )
        lines = self.lines
        whole = isinstance(lines, tuple) and all(type(line) is int for line in lines)
        if not whole or len(lines) not in (0, len(self.X)):
            raise wrong(lines, "lines of the prompt", f"a tuple of {len(self.X)} whole numbers")
        if not lines:
            object.__setattr__(self, "lines", tuple(range(1, len(self.X) + 1)))

    def __repr__(self) -> str:
        kind = "exact" if is_exact(self.X) else self.X.dtype.name
        start = f"Prompt({len(self.X)} examples, n = {self.n}, d = {self.d}, {kind}; query "
        return f"{start}{brief(self.query.tolist(), max(79 - len(start), 20))})"

    @classmethod
    def of(cls, examples: Any, query: Any) -> "Prompt":
        """Make one of [[x_1, ..., x_{n-1}, y], ...] and [x_1, ..., x_{n-1}], exactly."""
        for value, what, right in (
            (examples, "examples", "a list of [x_1, ..., x_{n-1}, y]"),
            (query, "the query", "a list of n-1 vectors, such as [[5, 7]]"),
        ):
            array = isinstance(value, np.ndarray) and value.ndim > 0
            if not array and not isinstance(value, list | tuple):
                raise wrong(value, what, right)
        if not len(query):
            raise ConstructError("the query is empty; it must be a list of n-1 vectors.")
        for i, tokens in enumerate([query, *examples]):
            _refuse_words(tokens, f"example {i}" if i else "the query")
        if not any(isinstance(vector, list | tuple | np.ndarray) for vector in query):
            raise wrong(query, "the query", "a list of n-1 vectors, such as [[5, 7]]")
        q = rational_array(query, (None, None), "the query")
        n, d = len(q) + 1, q.shape[1]
        rows = [rational_array(e, (n, d), f"example {i}") for i, e in enumerate(examples, 1)]
        table = np.stack(rows) if rows else zeros(0, n, d)
        return cls(table[:, :-1], table[:, -1], q)

    @classmethod
    def of_words(cls, X: Any, Y: Any, query: Any, d: int, lines: tuple[int, ...] = ()) -> "Prompt":
        """Make one of one-hot vectors.

        Args:
            X: (e, n-1) numbers of words, from 0.
            Y: (e,) those of the labels.
            query: (n-1,).
            d: how many words there are.
            lines: as in the class.

        Raises:
            ConstructError: if d is no whole number of at least 1, or what is given are not
                numbers of words in these shapes.
        """
        whole(1)(d, "d")
        asked = _word_numbers(query, (None,), d, "query")
        none = np.zeros((0, len(asked)), dtype=np.int64)
        empty = isinstance(X, list | tuple) and not X
        found = _word_numbers(none if empty else X, (None, len(asked)), d, "X")
        labels = _word_numbers(Y, (len(found),), d, "Y")
        return cls(_one_hot(found, d), _one_hot(labels, d), _one_hot(asked, d), lines)

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
                f"a prompt has no format {shown(dtype)}; choose one of: float64, float32, exact."
            )
        if {array.dtype.name for array in (self.X, self.Y, self.query)} == {dtype}:
            return self
        if dtype == "exact":
            arrays = [exactly(a) for a in (self.X, self.Y, self.query)]
        else:
            arrays = [rounded(a, dtype) for a in (self.X, self.Y, self.query)]
        return replace(self, X=arrays[0], Y=arrays[1], query=arrays[2])


def _word_numbers(value: Any, shape: tuple[int | None, ...], d: int, what: str) -> np.ndarray:
    """Numbers of words, from 0 to d - 1, as an array of this shape.

    Raises:
        ConstructError: if they are others.
    """
    try:
        array = np.asarray(value)
    except ValueError:
        array = np.zeros(())  # ragged
    array = array.astype(np.int64) if not array.size and array.ndim else array
    inside = array.dtype.kind in "iu" and not ((array < 0) | (array >= d)).any()
    nothing = 0 in array.shape[1:] or (what == "query" and not array.size)
    if not fits(array.shape, shape) or not inside or nothing:
        raise ConstructError(
            f"{what} of the prompt is {shown(value)}; it must hold numbers of words from 0 to "
            f"{d - 1}, in the shape {written_shape(shape)}."
        )
    return array.astype(np.int64)


def _one_hot(words: np.ndarray, d: int) -> np.ndarray:
    vectors = np.zeros((*words.shape, d), dtype=np.int8)
    np.put_along_axis(vectors, words[..., None], 1, axis=-1)
    return vectors


def _refuse_words(tokens: Any, what: str) -> None:
    """Words stand where vectors must: say how words are given."""
    words = [t for t in tokens if isinstance(t, str)] if isinstance(tokens, list | tuple) else []
    if words:
        raise ConstructError(
            f"{what} holds {shown(words[0])} where a vector of numbers must stand; for words, "
            r'use the prompt method of the construction: made.prompt("France -> Paris\nJapan ->").'
        )


def _numbers(array: np.ndarray, what: str) -> np.ndarray:
    """The array as it is, of float32, float64 or rationals; any other one in rationals."""
    if array.dtype in (np.float32, np.float64):
        if not np.isfinite(array).all():
            raise ConstructError(f"{what} holds NaN or infinity.")
        return array
    if array.dtype.kind == "i":
        return array
    if array.dtype == object and set(map(type, array.flat)) <= {int, Fraction}:
        return array
    return rational_array(array, array.shape, what)


def is_exact(array: np.ndarray) -> bool:
    """Whether these are rationals or whole numbers, and not floats."""
    return array.dtype.kind != "f"


def exactly(array: np.ndarray) -> np.ndarray:
    """The rationals that the numbers of an array are."""
    if is_exact(array):
        return array
    result, at = zeros(*array.shape), np.nonzero(array)
    result[at] = rationals([rational(x) for x in array[at].tolist()])
    return result


def rounded(array: np.ndarray, dtype: str) -> np.ndarray:
    """The numbers of an array, each the nearest one of a float format."""
    if array.dtype == object:
        array = to_float(array)
    with np.errstate(over="ignore"):  # infinity is refused by Prompt
        return array.astype(dtype)
