"""What a task is: f_k(X) = sum_p A_p x_p + C g(X) + b, and its named forms.

X = (x_1, ..., x_{n-1}) are the inputs of one example, each a vector of R^d; g is a
list of features, each a sum of ReLUs (Bai et al. 2306.04637, Definition 12, with
error 0). All numbers are exact rationals. Positions and entries count from 1.

A task is evaluated by calling it: `task(X)`, exactly where X is exact. Nothing here
knows of transformers.
"""

import functools
import inspect
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np
from jaxtyping import Shaped

from construct.arguments import wrong
from construct.errors import ConstructError, shown
from construct.frozen import FrozenDict, frozen
from construct.rational import (
    MOST_DIGITS,
    Rational,
    identity,
    rational,
    rational_array,
    to_float,
    to_json,
    zeros,
)
from construct.vocabulary import Vocabulary, is_text


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
        name = f"of task {_name(self.name)!r}"
        if not isinstance(self.A, Mapping):
            raise wrong(self.A, f"A {name}", "a mapping of positions to matrices")
        if not isinstance(self.features, list | tuple) or not all(map(_is_feature, self.features)):
            raise wrong(self.features, f"features {name}", "a list of lists of construct.Hinge")
        d = np.shape(self.b)[0] if np.ndim(self.b) == 1 else None
        b = _rationals(self.b, (d,), f"b {name}")
        nonzero = {
            _position(p, self.name): matrix
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
            ConstructError: if X has another shape, or holds what is no number.
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
    """Matrix @ x over the last axis."""
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
    """A task as it was copied or pickled: frozen too."""
    task = Task(*fields[:-1])
    object.__setattr__(task, "definition", fields[-1])
    return task


# --- The named forms ---------------------------------------------------------

KINDS: dict[str, Callable[..., Task]] = {}


def _kind(kind: str) -> Callable[[Callable[..., Task]], Callable[..., Task]]:
    """Register a constructor under its JSON name; record each task's definition."""

    def register(constructor: Callable[..., Task]) -> Callable[..., Task]:
        signature = inspect.signature(constructor)

        @functools.wraps(constructor)
        def construct(*args: Any, **kwargs: Any) -> Task:
            given = signature.bind(*args, **kwargs).arguments
            name = _name(given["name"])
            _check_context(name, given)
            task = constructor(*args, **kwargs)
            fields = {k: v for k, v in given.items() if k not in _CONTEXT}
            definition = {"name": name, "kind": kind, **to_json(_plain(fields))}
            object.__setattr__(task, "definition", frozen(definition))
            return task

        KINDS[kind] = construct
        return construct

    return register


# Positions count the tokens of an example.
MOST_POSITION = 10**9

# Arguments that the task file as a whole supplies, not the single task.
_CONTEXT = ("name", "d", "vocabulary")


def _name(name: Any) -> str:
    """A task's name: what UTF-8 and a message can hold."""
    if not isinstance(name, str) or not name or not is_text(name):
        raise ConstructError(
            f"a task is named {shown(name)}; a name is a text of at least one character, "
            "without lone surrogates."
        )
    return name


def _check_context(name: str, given: Mapping[str, Any]) -> None:
    d = given.get("d", 1)
    if type(d) is not int or d < 1:
        raise ConstructError(
            f"task {name!r} is given d = {shown(d)}; it must be a whole number of at least 1."
        )
    if "vocabulary" in given and not isinstance(given["vocabulary"], Vocabulary):
        raise ConstructError(
            f"task {name!r} is given the vocabulary {shown(given['vocabulary'])}; "
            "make one with construct.Vocabulary."
        )


def _plain(value: Any) -> Any:
    """Floats and NumPy numbers, at any depth, as rationals."""
    if isinstance(value, Mapping):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return rational(value) if isinstance(value, float | np.generic) else value


@_kind("affine")
def affine(name: str, A: Any, b: Any = None) -> Task:
    """f(X) = sum_p A_p x_p + b.

    Args:
        A: a (d, d) matrix for position 1, or a mapping of positions to matrices.
        b: a (d,) vector; zero if it is left out.
    """
    blocks = A if isinstance(A, Mapping) else {1: A}
    if not blocks:
        raise ConstructError(f"task {name!r} has an empty A; give it a matrix.")
    d = len(np.atleast_1d(np.array(next(iter(blocks.values())), dtype=object)))
    matrices = {
        p: rational_array(matrix, (d, d), f"A of task {name!r}")
        for p, matrix in _by_position(blocks, name).items()
    }
    return Task(name, matrices, _vector(b, d, f"b of task {name!r}"))


@_kind("permutation")
def permutation(
    name: str, permutation: Any, signs: Any = None, by: Any = None, position: Any = 1
) -> Task:
    """f(X)_i = signs_i * x_{permutation_i} + by_i, with x = x_position.

    Args:
        permutation: the entries 1..d in some order.
        signs: +1 or -1 for each entry; all +1 if left out.
        by: a (d,) vector that is added; zero if left out.
    """
    order = list(_sequence(permutation, f"permutation of task {name!r}"))
    d = len(order)
    if sorted(map(_key, order)) != list(range(1, d + 1)):
        raise ConstructError(
            f"permutation of task {name!r} is {shown(order)}; it must hold 1 to {d}, each once."
        )
    sign = _vector([1] * d if signs is None else signs, d, f"signs of task {name!r}")
    if any(abs(s) != 1 for s in sign):
        raise ConstructError(f"signs of task {name!r} must each be 1 or -1.")
    matrix = zeros(d, d)
    matrix[range(d), [entry - 1 for entry in order]] = sign
    return Task(name, {_position(position, name): matrix}, _vector(by, d, f"by of task {name!r}"))


@_kind("retrieval")
def retrieval(name: str, position: Any, *, d: int) -> Task:
    """f(X) = x_position (the paper's ret1 .. ret8 at n = 9; op1, op2 at n = 3)."""
    return Task(name, {_position(position, name): identity(d)}, zeros(d))


@_kind("shift")
def shift(name: str, by: Any, modulo: Any = None, position: Any = 1) -> Task:
    """f(X) = x_position + by (the paper's plus0 .. plus9).

    Args:
        by: a (d,) vector; or, with `modulo`, one integer.
        modulo: read x as the one-hot code of a digit 0..modulo-1, d = modulo,
            and add modulo that number: a cyclic permutation of the entries.
    """
    place = _position(position, name)
    if modulo is None:
        vector = _vector(_sequence(by, f"by of task {name!r}"), None, f"by of task {name!r}")
        return Task(name, {place: identity(len(vector))}, vector)
    if type(modulo) is not int or modulo < 1 or type(by) is not int:
        raise ConstructError(
            f"task {name!r}: with modulo, both by and modulo are whole numbers, "
            "and modulo is at least 1."
        )
    turn = int(rational(by, f"by of task {name!r}")) % modulo
    return Task(name, {place: np.roll(identity(modulo), turn, axis=0)}, zeros(modulo))


@_kind("sum")
def add(name: str, positions: Any, *, d: int) -> Task:
    """f(X) = the sum of the inputs at `positions` (the paper's op1+op2)."""
    places = [_position(p, name) for p in _sequence(positions, f"positions of {name!r}")]
    if not places or len(set(places)) != len(places):
        raise ConstructError(
            f"positions of task {name!r} are {places}; name at least one, each once."
        )
    return Task(name, {p: identity(d) for p in places}, zeros(d))


@_kind("lookup")
def lookup(name: str, table: Any, position: Any = 1, *, vocabulary: Vocabulary) -> Task:
    """f(X) = the word that `table` gives for the word x_position, both one-hot.

    A word that the table does not list is mapped to the zero vector: a label
    never matches it, and it adds nothing to the answer.
    """
    if not isinstance(table, Mapping) or not table:
        raise ConstructError(
            f'table of task {name!r} must be an object such as {{"France": "Paris"}}.'
        )
    images: dict[int, int] = {}
    for word, image in table.items():
        # Two spellings (Unicode) of one word are one word.
        source, target = vocabulary.index(word), vocabulary.index(image)
        if images.setdefault(source, target) != target:
            raise ConstructError(
                f"table of task {name!r} maps {word!r} to two words, in two spellings; keep one."
            )
    matrix = zeros(len(vocabulary), len(vocabulary))
    matrix[[*images.values()], [*images]] = 1
    return Task(name, {_position(position, name): matrix}, zeros(len(vocabulary)))


@_kind("relu-sum")
def relu_sum(name: str, features: Any, C: Any, A: Any = None, b: Any = None) -> Task:
    """f(X) = sum_p A_p x_p + C g(X) + b, with g_u(X) = sum_v c max(<a, X> + e, 0).

    Args:
        features: for each feature a list of hinges {"c": 1, "a": vector, "e": 0};
            `a` is a (d,) vector for position 1 or a mapping of positions to
            vectors; `c` is 1 and `e` is 0 where left out.
        C: (d, number of features) matrix.
        A, b: as in `affine`; zero where left out.
    """
    rows = _sequence(C, f"C of task {name!r}")
    d = len(rows)
    parsed = tuple(
        tuple(_parse_hinge(hinge, d, name) for hinge in _sequence(feature, f"features of {name!r}"))
        for feature in _sequence(features, f"features of task {name!r}")
    )
    matrix = rational_array(C, (d, len(parsed)), f"C of task {name!r}")
    linear = affine(name, zeros(d, d) if A is None else A, [0] * d if b is None else b)
    if linear.d != d:
        raise ConstructError(f"A of task {name!r} has {linear.d} rows; C has {d}.")
    return Task(name, linear.A, linear.b, parsed, matrix)


@_kind("absolute")
def absolute(name: str, position: Any = 1, *, d: int) -> Task:
    """f(X) = |x_position|, entry by entry."""
    p = _position(position, name)
    return _entrywise(name, d, {}, lambda unit: ({p: unit}, {p: -unit}))


@_kind("relu")
def relu(name: str, position: Any = 1, *, d: int) -> Task:
    """f(X) = max(x_position, 0), entry by entry."""
    p = _position(position, name)
    return _entrywise(name, d, {}, lambda unit: ({p: unit},))


@_kind("maximum")
def maximum(name: str, positions: Any = (1, 2), *, d: int) -> Task:
    """f(X) = max(x_p, x_q), entry by entry: x_p + max(x_q - x_p, 0)."""
    p, q = _pair(positions, name)
    return _entrywise(name, d, {p: identity(d)}, lambda unit: ({q: unit, p: -unit},))


@_kind("minimum")
def minimum(name: str, positions: Any = (1, 2), *, d: int) -> Task:
    """f(X) = min(x_p, x_q), entry by entry: x_p - max(x_p - x_q, 0)."""
    p, q = _pair(positions, name)
    return _entrywise(name, d, {p: identity(d)}, lambda unit: ({p: unit, q: -unit},), sign=-1)


@_kind("clip")
def clip(name: str, low: Any, high: Any, position: Any = 1, *, d: int) -> Task:
    """f(X) = min(max(x_position, low), high), entry by entry."""
    p = _position(position, name)
    bottom, top = rational(low, f"low of task {name!r}"), rational(high, f"high of {name!r}")
    if bottom >= top:
        raise ConstructError(
            f"task {name!r}: low is {bottom} and high {top}; low must be below high."
        )
    features = tuple(
        (Hinge.of({p: unit}, -bottom), Hinge.of({p: unit}, -top, -1)) for unit in identity(d)
    )
    return Task(name, {}, np.full(d, bottom, dtype=object), features, identity(d))


def _entrywise(
    name: str,
    d: int,
    A: Mapping[int, np.ndarray],
    hinges: Callable[[np.ndarray], Sequence[Mapping[int, np.ndarray]]],
    sign: int = 1,
) -> Task:
    """A + sign * g, where feature u is the sum of the hinges of unit vector u."""
    features = tuple(tuple(Hinge.of(a) for a in hinges(unit)) for unit in identity(d))
    return Task(name, A, zeros(d), features, sign * identity(d))


def _parse_hinge(hinge: Any, d: int, name: str) -> Hinge:
    what = f"a hinge of task {name!r}"
    if not isinstance(hinge, Mapping) or not {"a"} <= set(hinge) <= {"c", "a", "e"}:
        raise ConstructError(f'{what} is {shown(hinge)}; write {{"c": 1, "a": [...], "e": 0}}.')
    a = hinge["a"] if isinstance(hinge["a"], Mapping) else {1: hinge["a"]}
    vectors = {p: rational_array(v, (d,), f"a of {what}") for p, v in _by_position(a, name).items()}
    c, e = (
        rational(hinge.get(k, default), f"{k} of {what}") for k, default in (("c", 1), ("e", 0))
    )
    return Hinge.of(vectors, e, c)


def _key(entry: Any) -> Any:
    return entry if type(entry) is int else -1


def _sequence(value: Any, what: str) -> Sequence:
    if isinstance(value, np.ndarray):
        return value.tolist() if value.ndim else [value]
    if not isinstance(value, list | tuple):
        raise ConstructError(f"{what} is {shown(value)}; it must be a list.")
    return value


def _vector(value: Any, d: int | None, what: str) -> np.ndarray:
    return zeros(d or 0) if value is None else rational_array(value, (d,), what)


def _position(value: Any, name: str) -> int:
    if type(value) is not int or not 1 <= value <= MOST_POSITION:
        raise ConstructError(
            f"task {name!r} reads position {shown(value)}; positions are whole numbers "
            "from 1 to 10^9."
        )
    return value


def _position_key(value: Any, name: str) -> int:
    """A position as the key of a mapping: JSON has texts there."""
    if isinstance(value, str) and value.isdecimal() and len(value) < MOST_DIGITS:
        value = int(value)
    return _position(value, name)


def _by_position(blocks: Mapping[Any, Any], name: str) -> dict[int, Any]:
    """The blocks under their positions as numbers: "1" and "01" are the same."""
    result = {_position_key(p, name): block for p, block in blocks.items()}
    if len(result) != len(blocks):
        raise ConstructError(
            f"task {name!r} names a position twice: {', '.join(map(str, blocks))}."
        )
    return result


def _pair(value: Any, name: str) -> tuple[int, int]:
    places = [_position(p, name) for p in _sequence(value, f"positions of task {name!r}")]
    if len(places) != 2 or places[0] == places[1]:
        raise ConstructError(f"task {name!r} needs two different positions, not {places}.")
    return places[0], places[1]


# --- Reading a definition, and telling tasks apart ---------------------------


def from_definition(definition: Any, *, d: int | None, vocabulary: Vocabulary | None) -> Task:
    """The task of a JSON object {"name": ..., "kind": ..., ...}.

    Raises:
        ConstructError: on an unknown kind, a missing or unknown field, a value
            of the wrong form.
    """
    if not isinstance(definition, Mapping):
        raise ConstructError(f"a task is {shown(definition)}; it must be a JSON object.")
    fields = dict(definition)
    name, kind = fields.pop("name", None), fields.pop("kind", None)
    if not isinstance(name, str) or not name:
        raise ConstructError(f'the task {shown(definition)} lacks a name; add "name": "...".')
    if not isinstance(kind, str) or kind not in KINDS:
        raise ConstructError(
            f"task {name!r} has the kind {shown(kind)}; known kinds: {', '.join(sorted(KINDS))}."
        )
    parameters = inspect.signature(KINDS[kind]).parameters
    own = [p for p in parameters if p not in _CONTEXT]
    unknown = sorted(set(fields) - set(own))
    missing = [p for p in own if parameters[p].default is parameters[p].empty and p not in fields]
    if unknown or missing:
        wrong = f"has the unknown field {shown(unknown[0])}" if unknown else f"lacks {missing[0]!r}"
        raise ConstructError(f"task {name!r} {wrong}; {kind!r} takes: {', '.join(own)}.")
    for key, value in (("d", d), ("vocabulary", vocabulary)):
        if key in parameters and value is None:
            raise ConstructError(f"task {name!r} of kind {kind!r} needs {key!r} in the file.")
        if key in parameters:
            fields[key] = value
    task = KINDS[kind](name, **fields)
    if d is not None and task.d != d:
        raise ConstructError(f"task {name!r} has dimension {task.d}; the file says d = {d}.")
    return task


def same_map(one: Task, other: Task) -> bool:
    """Whether two tasks are the same function on all of R^d, decided exactly."""
    return one.d == other.d and normal_form(one) == normal_form(other)


def normal_form(task: Task) -> tuple:
    """Affine part and kinks of f, hashable; equal exactly if the functions are.

    max(-t, 0) = max(t, 0) - t turns every hinge so that its first coefficient is
    1; hinges with different hyperplanes are linearly independent modulo affine
    maps, since each has its kink where the others are smooth.
    """
    linear: dict[tuple[int, int, int], Rational] = defaultdict(int)
    constant = task.b.copy()
    kinks: dict[tuple, np.ndarray] = defaultdict(lambda: zeros(task.d))
    for p, matrix in task.A.items():
        for row, column in np.argwhere(matrix).tolist():
            linear[p, column, row] += matrix[row, column]
    for u, feature in enumerate(task.features):
        for hinge in feature:
            weight = hinge.c * task.C[:, u]
            a = {(p, i): v for p, vector in hinge.a for i, v in enumerate(vector) if v}
            if not a:
                constant = constant + weight * max(hinge.e, 0)
                continue
            lead = Fraction(next(iter(a.values())))
            plane = (tuple((key, v / lead) for key, v in a.items()), hinge.e / lead)
            kinks[plane] = kinks[plane] + weight * abs(lead)
            if lead < 0:
                # c max(t, 0) = c max(-t, 0) + c t, and -t has the lead above.
                for (p, column), value in a.items():
                    for row in np.flatnonzero(weight).tolist():
                        linear[p, column, row] += weight[row] * value
                constant = constant + weight * hinge.e
    return (
        frozenset((key, v) for key, v in linear.items() if v),
        tuple(constant),
        frozenset((key, tuple(v)) for key, v in kinks.items() if v.any()),
    )
