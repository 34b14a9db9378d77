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
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Shaped

from construct.arguments import wrong
from construct.errors import ConstructError, brief, brief_names, shown
from construct.frozen import FrozenDict, frozen
from construct.matrix import MOST_SUM, Matrix
from construct.memory import refuse_beyond_memory
from construct.rational import (
    Rational,
    largest,
    rational_array,
    rationals,
    to_float,
    to_json,
    zeros,
)
from construct.spec.hinge import Feature, feature_gauge, in_order, is_feature
from construct.spec.vocabulary import is_text

# Given either way, kept by the non-zeros.
if TYPE_CHECKING:
    Entries = Matrix
else:
    Entries = Matrix | np.ndarray | list

# Kinds whose definition says nothing without a vocabulary.
WORD_KINDS = ("lookup", "word-sum")


@dataclass(frozen=True, eq=False)
class Task:
    """A map f from the n-1 inputs of an example to R^d.

    Attributes:
        name: unique among the tasks that are built together.
        A: position -> (d, d) matrix, by its non-zeros; zero matrices are dropped.
        b: (d,) vector.
        features: the P_k features that the task reads.
        C: (d, P_k) matrix, by its non-zeros.
        epsilon: where it stands for another map, how far in length their values may be apart
            in the domain that it was made for.
        definition: the JSON form that `from_definition` turns into this task; empty
            if it was not made by one of the constructors, or of a `Matrix`, and after
            `dataclasses.replace`.

    A task cannot be changed: a transformer that was built from it would not change
    with it. Arrays are copies that cannot be written to, mappings are frozen.
    """

    name: str
    A: Mapping[int, Entries]
    b: np.ndarray
    features: tuple[Feature, ...] = ()
    C: Entries = field(default_factory=lambda: Matrix.zero(1, 0))
    epsilon: Rational = 0
    definition: Mapping[str, Any] = field(default_factory=FrozenDict, init=False)

    def __post_init__(self) -> None:
        name = f"of task {task_name(self.name)!r}"
        if not isinstance(self.A, Mapping):
            raise wrong(self.A, f"A {name}", "a mapping of positions to matrices")
        if not isinstance(self.features, list | tuple) or not all(map(is_feature, self.features)):
            raise wrong(self.features, f"features {name}", "a list of lists of construct.Hinge")
        d = np.shape(self.b)[0] if np.ndim(self.b) == 1 else None
        b = _rationals(self.b, (d,), f"b {name}")
        nonzero = {
            as_position(p, self.name): matrix
            for p, block in self.A.items()
            if len(matrix := Matrix.of(block, (d, d), f"A {name}"))
        }
        nothing = not self.features and (self.C is None or 0 in np.shape(self.C))
        C = None if nothing else Matrix.of(self.C, (d, len(self.features)), f"C {name}")
        object.__setattr__(self, "A", frozen(nonzero))
        object.__setattr__(self, "b", frozen(b))
        object.__setattr__(self, "features", frozen(self.features))
        object.__setattr__(self, "C", Matrix.zero(len(b), 0) if C is None else C)
        hinges = [hinge for feature in self.features for hinge in feature]
        lengths = {hinge.d for hinge in hinges} - {None}
        lengths |= {i + 1 for hinge in hinges for _, v in hinge.a for i, _ in v if i >= len(b)}
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
        parts = (self.name, self.A, self.b, self.features, self.C, self.epsilon)
        return _again, (*parts, self.definition)

    def numbers(self) -> Iterator[Rational]:
        """Every number that the task is made of, zeros aside; each value of a matrix once."""
        for matrix in (*self.A.values(), self.C):
            yield from matrix.distinct
        yield from filter(None, self.b)
        for hinge in (hinge for feature in self.features for hinge in feature):
            yield from (hinge.c, hinge.e, *(v for _, vector in hinge.a for _, v in vector))

    def as_json(self, *, words: bool) -> dict[str, Any]:
        """The definition; the general one, "relu-sum", where none was given.

        Args:
            words: whether the file lists a vocabulary; where it does not, a task on words
                is written as the matrices and ReLUs that it is.
        """
        if self.definition and (words or self.definition["kind"] not in WORD_KINDS):
            return dict(self.definition)
        features = [
            [{"c": hinge.c, "a": hinge.vectors(self.d), "e": hinge.e} for hinge in feature]
            for feature in self.features
        ]
        A = {p: matrix.tolist() for p, matrix in self.A.items()}
        fields = {"features": features, "C": self.C.tolist(), "A": A or None, "b": self.b}
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
        known = [first.setdefault(in_order(feature), feature) for feature in self.features]
        if len(first) == len(known):
            return self
        place = {feature: v for v, feature in enumerate(first.values())}
        C = self.C.merged([place[feature] for feature in known], len(place))
        return replace(self, features=tuple(place), C=C)

    @functools.cached_property
    def gauge(self) -> tuple[Rational, Rational, int] | None:
        """(a, b, t): an entry of f, as written, adds up t terms, in all a |X| + b at most.

        |X| is the largest absolute entry; what evaluation in floats can be off follows.
        None if a number that is not 0 is above 2^100 or below 2^-100 in absolute value.
        """
        if not all(1 <= abs(Fraction(x)) * 2**100 <= 2**200 for x in set(self.numbers()) if x):
            return None
        own, rest, terms = zeros(self.d), abs(self.b), np.ones(self.d, dtype=int)
        for matrix in self.A.values():
            own = own + abs(matrix).sums(1)
            terms = terms + matrix.counts(1)
        if self.features:
            # Each feature: its largest slope and constant, and how many terms it adds up.
            sizes = zip(*map(feature_gauge, self.features), strict=True)
            slopes, constants, counts = map(rationals, sizes)
            C = abs(self.C)
            own, rest = own + C(slopes), rest + C(constants)
            terms = terms + self.C.pattern(counts.astype(int))
        return own.max(), rest.max(), int(terms.max())

    def __call__(self, X: Any) -> Shaped[np.ndarray, "... d"]:
        """f(X).

        Args:
            X: the inputs, of shape (..., n-1, d); a single vector (d,) where the
                task reads position 1 alone. Integers and fractions are exact,
                floats are evaluated in float64.

        Returns:
            f(X), of shape (..., d): float64 where X is floats; where X is exact, dtype object,
            or int64 where X is an array of whole numbers and all of f(X) fits.

        Raises:
            ConstructError: if X has another shape, or holds anything but numbers.
        """
        try:
            x = _inputs(X)
        except ValueError:
            raise ConstructError(f"task {self.name!r} was given a ragged X.") from None
        x = shaped(x, self.name, self.d, self.positions)
        if x.dtype.kind == "i" and not self._stays_whole(x):
            x = x.astype(object)
        if x.dtype == object and not set(map(type, x.flat)) <= {int, Fraction}:
            raise ConstructError(
                f"task {self.name!r} was given an X of {np.asarray(X).dtype} that holds other "
                "things than int and Fraction; give these, or an array of floats."
            )
        b, dictionary = self._floats if x.dtype == np.float64 else self._exact
        b = b.astype(np.int64) if x.dtype.kind == "i" else b
        y = np.broadcast_to(b, (*x.shape[:-2], self.d)).copy()
        parts = [matrix(x[..., position - 1, :]) for position, matrix in self.A.items()]
        for part in parts if dictionary is None else [*parts, dictionary(x)]:
            # A matrix beyond 2^53 makes objects also of whole numbers that fit.
            y = np.add(y, part, out=y if part.dtype == y.dtype else None)
        return y.astype(np.int64, copy=False) if x.dtype.kind == "i" else y

    def _stays_whole(self, x: np.ndarray) -> bool:
        """Whether f(x) of whole numbers, and all on the way to it, is whole and fits in int64."""
        if self.gauge is None or not all(type(number) is int for number in self.numbers()):
            return False
        return self.gauge[0] * largest(x) + self.gauge[1] < MOST_SUM

    @functools.cached_property
    def _exact(self) -> tuple:
        """b and the features with C, as `__call__` takes them: in rationals."""
        return self.b, self._dictionary(exact=True)

    @functools.cached_property
    def _floats(self) -> tuple:
        """The same, rounded to float64."""
        return to_float(self.b), self._dictionary(exact=False)

    def _dictionary(self, *, exact: bool) -> Callable[[np.ndarray], np.ndarray] | None:
        """X -> C g(X): all hinges side by side, then all features."""
        hinges = [(u, hinge) for u, feature in enumerate(self.features) for hinge in feature]
        if not hinges:
            return None
        inner: dict[int, list[tuple[int, int, Rational]]] = {}
        for row, (_, hinge) in enumerate(hinges):
            for p, terms in hinge.a:
                inner.setdefault(p, []).extend((row, i, v) for i, v in terms)
        a = {p: Matrix.from_entries((len(hinges), self.d), own) for p, own in inner.items()}
        e = rationals([hinge.e for _, hinge in hinges])
        weights = ((u, row, hinge.c) for row, (u, hinge) in enumerate(hinges))
        outer = Matrix.from_entries((len(self.features), len(hinges)), weights)
        e = e if exact else to_float(e)

        def evaluate(x: np.ndarray) -> np.ndarray:
            start = e.astype(np.int64) if x.dtype.kind == "i" else e
            t = sum((matrix(x[..., p - 1, :]) for p, matrix in a.items()), start=start)
            return self.C(outer(np.maximum(t, 0)))

        return evaluate


def shaped(x: np.ndarray, name: str, d: int, positions: Iterable[int]) -> np.ndarray:
    """x as (..., n-1, d); one vector is the input of n = 2.

    Raises:
        ConstructError: if X has another shape, or lacks a position that the task reads.
    """
    given = x.shape
    if x.ndim == 1:
        x = x[None, :]
    last = max(positions, default=1)
    if x.ndim < 2 or x.shape[-1] != d or x.shape[-2] < last:
        raise ConstructError(
            f"task {name!r} was given an X of shape {given}; it needs "
            f"(..., n-1, {d}) with n-1 at least {last}."
        )
    return x


def _inputs(X: Any) -> np.ndarray:
    """An array of float64 if any entry is a float, whole numbers as given, else objects."""
    x = np.asarray(X)
    if x.dtype.kind == "f" and not isinstance(X, np.ndarray):
        # NumPy makes floats of whole numbers too, where there are some beyond 2^63.
        entries = np.array(X, dtype=object)
        if not any(isinstance(entry, float | np.floating) for entry in entries.flat):
            return entries
    if x.dtype.kind == "i" and isinstance(X, np.ndarray):
        return x
    return x.astype(np.float64 if x.dtype.kind == "f" else object)


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


# Bytes of an entry of a vector of rationals, and of a non-zero of a matrix while it is made.
EACH = 64


def refuse_tasks_beyond_memory(K: int, d: int) -> None:
    """Refuse K tasks that do not fit, if each only has a number that is not 0 in each entry.

    Raises:
        ConstructError: with the bytes that they would take.
    """
    whose = f"K = {shown(K)} tasks of d = {shown(d)}" if K > 1 else f"a task of d = {shown(d)}"
    refuse_beyond_memory(K * d, EACH, whose)
