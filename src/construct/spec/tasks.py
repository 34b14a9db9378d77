"""What a task is: f_k(X) = sum_p A_p x_p + C g(X) + b, and its named forms.

X = (x_1, ..., x_{n-1}) are the inputs of one example, each a vector of R^d; g is a
list of features, each a sum of ReLUs (Bai et al. 2306.04637, Definition 12, with
error 0). All numbers are exact rationals. Positions and entries count from 1.

A task is evaluated by calling it: `task(X)`, exactly where X is exact. Nothing here
knows of transformers.
"""

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np
from jaxtyping import Shaped

from construct.arguments import wrong
from construct.errors import ConstructError, brief, brief_names, shown
from construct.frozen import FrozenDict, frozen
from construct.rational import (
    MOST_NUMBERS,
    Rational,
    rational,
    rational_array,
    to_float,
    to_json,
    zeros,
)
from construct.spec.vocabulary import is_text


@dataclass(frozen=True)
class Hinge:
    """c * max(<a, X> + e, 0), with <a, X> = sum_p <a_p, x_p>.

    `a` lists (position, vector) pairs by rising position, zero vectors left out.
    """

    c: Rational
    a: tuple[tuple[int, tuple[Rational, ...]], ...]
    e: Rational = 0

    def __post_init__(self) -> None:
        for name in ("c", "e"):
            object.__setattr__(self, name, rational(getattr(self, name), f"{name} of a hinge"))
        pairs = isinstance(self.a, list | tuple) and all(map(_is_pair, self.a))
        if not pairs:
            raise wrong(self.a, "a of a hinge", "pairs of a position and a vector of rationals")
        object.__setattr__(self, "a", frozen(self.a))

    @classmethod
    def of(cls, a: Mapping[int, Iterable[Rational]], e: Rational = 0, c: Rational = 1) -> "Hinge":
        """A hinge from a mapping of positions to vectors."""
        pairs = ((p, tuple(vector)) for p, vector in sorted(a.items()))
        return cls(c, tuple((p, vector) for p, vector in pairs if any(vector)), e)


def _is_pair(pair: Any) -> bool:
    """(position, vector)."""
    return (
        isinstance(pair, list | tuple)
        and len(pair) == 2
        and type(pair[0]) is int
        and pair[0] > 0
        and isinstance(pair[1], list | tuple)
        and set(map(type, pair[1])) <= {int, Fraction}
    )


# A feature g_u is a sum of hinges.
Feature = tuple[Hinge, ...]


@dataclass(frozen=True, eq=False)
class Task:
    """A map f from the n-1 inputs of an example to R^d.

    Attributes:
        name: unique among the tasks that are built together.
        A: position -> (d, d) matrix; zero matrices are dropped.
        b: (d,) vector.
        features: the P_k features that the task reads.
        C: (d, P_k) matrix.
        definition: the JSON form that `from_definition` turns into this task; empty
            if it was not made by one of the constructors below, so also after
            `dataclasses.replace`.

    A task cannot be changed: a transformer that was built from it would not change
    with it. Arrays are copies that cannot be written to, mappings are frozen.
    """

    name: str
    A: Mapping[int, np.ndarray]
    b: np.ndarray
    features: tuple[Feature, ...] = ()
    C: np.ndarray = field(default_factory=lambda: zeros(1, 0))
    definition: Mapping[str, Any] = field(default_factory=FrozenDict, init=False)

    def __post_init__(self) -> None:
        name = f"of task {task_name(self.name)!r}"
        if not isinstance(self.A, Mapping):
            raise wrong(self.A, f"A {name}", "a mapping of positions to matrices")
        if not isinstance(self.features, list | tuple) or not all(map(_is_feature, self.features)):
            raise wrong(self.features, f"features {name}", "a list of lists of construct.Hinge")
        d = np.shape(self.b)[0] if np.ndim(self.b) == 1 else None
        b = _rationals(self.b, (d,), f"b {name}")
        nonzero = {
            as_position(p, self.name): matrix
            for p, block in self.A.items()
            if (matrix := _rationals(block, (d, d), f"A {name}")).any()
        }
        nothing = not self.features and np.size(self.C) == 0
        C = None if nothing else _rationals(self.C, (d, len(self.features)), f"C {name}")
        object.__setattr__(self, "A", frozen(nonzero))
        object.__setattr__(self, "b", frozen(b))
        object.__setattr__(self, "features", frozen(self.features))
        object.__setattr__(self, "C", frozen(zeros(len(b), 0) if C is None else C))
        lengths = {len(v) for feature in self.features for hinge in feature for _, v in hinge.a}
        if not lengths <= {d}:
            raise ConstructError(f"features {name} have vectors of {lengths} entries; d is {d}.")

    def __repr__(self) -> str:
        start = f"Task({brief(self.name, 24)}: "
        return f"{start}{self.described(79 - len(start))})"

    def described(self, most: int = 60) -> str:
        """Kind and parameters as one line of at most `most` characters: "affine, A = [[2]]"."""
        fields = {key: x for key, x in self.definition.items() if key != "name" and x is not None}
        if not fields:
            read = brief_names(map(str, self.positions), 20) or "none"
            line = f"d = {self.d}, positions read: {read}, {len(self.features)} features"
            return brief(line, most)
        line = fields.pop("kind")
        for key, value in fields.items():
            line += f", {key} = {brief(value, most)}"
        return brief(line, most)

    def __reduce__(self) -> tuple:
        return _again, (self.name, self.A, self.b, self.features, self.C, self.definition)

    def numbers(self) -> Iterator[Rational]:
        """Every number that the task is made of, zeros included."""
        for array in (*self.A.values(), self.b, self.C):
            yield from array.flat
        for hinge in (hinge for feature in self.features for hinge in feature):
            yield from (hinge.c, hinge.e, *(v for _, vector in hinge.a for v in vector))

    def as_json(self, *, words: bool) -> dict[str, Any]:
        """The definition; the general one, "relu-sum", where none was given.

        Args:
            words: whether the file lists a vocabulary; where it does not, a look-up is
                written as the matrix that it is.
        """
        if self.definition and (words or self.definition["kind"] != "lookup"):
            return dict(self.definition)
        features = [
            [{"c": hinge.c, "a": dict(hinge.a), "e": hinge.e} for hinge in feature]
            for feature in self.features
        ]
        fields = {"features": features, "C": self.C, "A": self.A or None, "b": self.b}
        return {"name": self.name, "kind": "relu-sum", **to_json(fields)}

    @property
    def d(self) -> int:
        """The dimension of each input and of the output."""
        return len(self.b)

    @functools.cached_property
    def positions(self) -> tuple[int, ...]:
        """The positions that the task reads, rising."""
        read = set(self.A)
        for feature in self.features:
            read.update(p for hinge in feature for p, _ in hinge.a)
        return tuple(sorted(read))

    @functools.cached_property
    def merged(self) -> "Task":
        """The same map with equal features made one, their columns of C added up.

        This is the form of a task that the compiler, the certificate and the proof read:
        what the weights hold. The specification evaluates the task as it is written.
        """
        first: dict[Feature, Feature] = {}
        known = [first.setdefault(_sorted(feature), feature) for feature in self.features]
        if len(first) == len(known):
            return self
        place = {feature: v for v, feature in enumerate(first.values())}
        C = zeros(self.d, len(place))
        for u, feature in enumerate(known):
            C[:, place[feature]] += self.C[:, u]
        return replace(self, features=tuple(place), C=C)

    @functools.cached_property
    def gauge(self) -> tuple[Rational, Rational, int] | None:
        """(a, b, t): an entry of f, as written, adds up t terms, in all a |X| + b at most.

        |X| is the largest absolute entry; what evaluation in floats can be off follows.
        None if a number that is not 0 is above 2^100 or below 2^-100 in absolute value.
        """
        if not all(1 <= abs(Fraction(x)) * 2**100 <= 2**200 for x in self.numbers() if x):
            return None
        own, rest, terms = zeros(self.d), abs(self.b), np.ones(self.d, dtype=int)
        for matrix in self.A.values():
            own = own + abs(matrix).sum(axis=1)
            terms = terms + (matrix != 0).sum(axis=1)
        for u, feature in enumerate(self.features):
            for hinge in feature:
                weight = abs(self.C[:, u] * hinge.c)
                inside = [abs(Fraction(v)) for _, vector in hinge.a for v in vector if v]
                own, rest = own + weight * sum(inside), rest + weight * abs(hinge.e)
                terms = terms + len(inside) + 1
        return own.max(), rest.max(), int(terms.max())

    def __call__(self, X: Any) -> Shaped[np.ndarray, "... d"]:
        """f(X).

        Args:
            X: the inputs, of shape (..., n-1, d); a single vector (d,) where the
                task reads position 1 alone. Integers and fractions are exact,
                floats are evaluated in float64.

        Returns:
            f(X), of shape (..., d): dtype object where X is exact, else float64.

        Raises:
            ConstructError: if X has another shape, or holds anything but numbers.
        """
        try:
            x = _inputs(X)
        except ValueError:
            raise ConstructError(f"task {self.name!r} was given a ragged X.") from None
        if x.ndim == 1:
            x = x[None, :]
        last = max(self.positions, default=1)
        if x.ndim < 2 or x.shape[-1] != self.d or x.shape[-2] < last:
            raise ConstructError(
                f"task {self.name!r} was given an X of shape {np.shape(X)}; it needs "
                f"(..., n-1, {self.d}) with n-1 at least {last}."
            )
        if x.dtype == object and not set(map(type, x.flat)) <= {int, Fraction}:
            raise ConstructError(
                f"task {self.name!r} was given an X of {np.asarray(X).dtype} that holds other "
                "things than int and Fraction; give these, or an array of floats."
            )
        b, A, features = self._exact if x.dtype == object else self._floats
        y = np.broadcast_to(b, (*x.shape[:-2], self.d)).copy()
        for position, matrix in A:
            y += matrix(x[..., position - 1, :])
        for column, hinges in features:
            for c, a, e in hinges:
                t = sum((vector(x[..., p - 1, :]) for p, vector in a), start=e)
                y += c * np.maximum(t, 0) * column
        return y

    @functools.cached_property
    def _exact(self) -> tuple:
        """b, A and the features with C, as `__call__` takes them: in rationals."""
        return self._evaluated(lambda array: array, _over_nonzeros)

    @functools.cached_property
    def _floats(self) -> tuple:
        """The same, rounded to float64."""
        return self._evaluated(to_float, lambda matrix: partial(_product, to_float(matrix)))

    def _evaluated(self, cast: Callable, linear: Callable) -> tuple:
        A = [(position, linear(matrix)) for position, matrix in self.A.items()]
        features = []
        for u, feature in enumerate(self.features):
            hinges = [
                (
                    cast(np.array(hinge.c, dtype=object))[()],
                    [(p, linear(np.array([vector], dtype=object))) for p, vector in hinge.a],
                    cast(np.array([hinge.e], dtype=object)),
                )
                for hinge in feature
            ]
            features.append((cast(self.C[:, u]), hinges))
        return cast(self.b), A, features


def _sorted(feature: Feature) -> Feature:
    return tuple(sorted(feature, key=lambda hinge: (hinge.c, hinge.a, hinge.e)))


def _inputs(X: Any) -> np.ndarray:
    """An array of float64 if any entry is a float, else of objects."""
    x = np.asarray(X)
    if x.dtype.kind == "f" and not isinstance(X, np.ndarray):
        # NumPy makes floats of whole numbers too, where there are some beyond 2^63.
        entries = np.array(X, dtype=object)
        if not any(isinstance(entry, float | np.floating) for entry in entries.flat):
            return entries
    return x.astype(np.float64 if x.dtype.kind == "f" else object)


def _product(matrix: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The product matrix @ x over the last axis."""
    return x @ matrix.T


def _over_nonzeros(matrix: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """The same for exact numbers, which only touch the non-zeros."""
    rows, columns = np.nonzero(matrix)
    entries = list(zip(rows.tolist(), columns.tolist(), matrix[rows, columns], strict=True))

    def apply(x: np.ndarray) -> np.ndarray:
        y = zeros(*x.shape[:-1], len(matrix))
        for row, column, value in entries:
            y[..., row] += value * x[..., column]
        return y

    return apply


def _is_feature(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(h, Hinge) for h in value)


def _rationals(array: Any, shape: tuple[int | None, ...], what: str) -> np.ndarray:
    """`rational_array`, which looks at each entry, where that is not seen at a glance."""
    plain = isinstance(array, np.ndarray) and array.dtype == object
    if plain and array.shape == shape and set(map(type, array.flat)) <= {int, Fraction}:
        return array
    return rational_array(array, shape, what)


def _again(*fields: Any) -> Task:
    """Make a copied or unpickled task anew, so that it is frozen too."""
    task = Task(*fields[:-1])
    object.__setattr__(task, "definition", fields[-1])
    return task


# Positions count the tokens of an example.
MOST_POSITION = 10**9


def task_name(name: Any) -> str:
    """A task's name, if UTF-8 and a message can hold it."""
    if not isinstance(name, str) or not name or not is_text(name):
        raise ConstructError(
            f"a task is named {shown(name)}; a name is a text of at least one character, "
            "without lone surrogates."
        )
    return name


def as_position(value: Any, name: str) -> int:
    """A position that the task of that name reads."""
    if type(value) is not int or not 1 <= value <= MOST_POSITION:
        raise ConstructError(
            f"task {name!r} reads position {shown(value)}; positions are whole numbers "
            "from 1 to 10^9."
        )
    return value


def refuse_if_tasks_too_large(K: int, d: int) -> None:
    """Refuse tasks that are too large, before any work is done.

    Their own matrices take about 10 bytes for each of (K+3)(d+16)^2 numbers.

    Raises:
        ConstructError: naming K and d.
    """
    if (K + 3) * (d + 16) ** 2 > MOST_NUMBERS:
        raise ConstructError(
            f"tasks of K = {shown(K)} and d = {shown(d)} do not fit in memory: (K+3) (d+16)^2 "
            f"may be at most {MOST_NUMBERS}; choose a smaller K or d."
        )
