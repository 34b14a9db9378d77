"""The named forms of a task: each kind is one constructor, and one name in a task file."""

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ParamSpec

import numpy as np

from construct.arguments import bound
from construct.errors import ConstructError, shown
from construct.frozen import frozen
from construct.matrix import Matrix
from construct.memory import refuse_beyond_memory
from construct.rational import (
    rational,
    rational_array,
    to_json,
    zeros,
)
from construct.spec.fields import (
    by_position,
    different_places,
    holds_matrix,
    operand_places,
    pair_of,
    plain,
    sequence,
    vector_of,
)
from construct.spec.formula import Formula, formula
from construct.spec.hinge import Hinge, Terms
from construct.spec.lookups import (
    entries_of,
    images_of,
    numbers_by_word,
    sum_task,
    table_task,
    words_by_number,
)
from construct.spec.tasks import Task, as_position, refuse_tasks_beyond_memory, task_name
from construct.spec.vocabulary import Vocabulary

KINDS: dict[str, Callable[..., Task]] = {}

Fields = ParamSpec("Fields")


def _kind(kind: str) -> Callable[[Callable[Fields, Task]], Callable[Fields, Task]]:
    """Register a constructor under its JSON name; record each task's definition."""

    def register(constructor: Callable[Fields, Task]) -> Callable[Fields, Task]:
        signature = inspect.signature(constructor)

        @functools.wraps(constructor)
        def construct(*args: Fields.args, **kwargs: Fields.kwargs) -> Task:
            given = bound(constructor, signature, args, kwargs)
            name = task_name(given["name"])
            _check_context(name, given)
            task = constructor(*args, **kwargs)
            fields = {k: v for k, v in given.items() if k not in _CONTEXT}
            if not any(map(holds_matrix, fields.values())):
                definition = {"name": name, "kind": kind, **to_json(plain(fields))}
                object.__setattr__(task, "definition", frozen(definition))
            return task

        KINDS[kind] = construct
        return construct

    return register


# Arguments that the task file as a whole supplies, not the single task.
_CONTEXT = ("name", "d", "vocabulary", "n")


def _check_context(name: str, given: Mapping[str, Any]) -> None:
    d = given.get("d", 1)
    if type(d) is not int or d < 1:
        raise ConstructError(
            f"task {name!r} is given d = {shown(d)}; it must be a whole number of at least 1."
        )
    refuse_tasks_beyond_memory(1, d)
    if "vocabulary" in given and not isinstance(given["vocabulary"], Vocabulary):
        raise ConstructError(
            f"task {name!r} is given the vocabulary {shown(given['vocabulary'])}; "
            "make one with construct.Vocabulary."
        )


@_kind("affine")
def affine(name: str, A: Any, b: Any = None) -> Task:
    """f(X) = sum_p A_p x_p + b.

    Args:
        A: a (d, d) matrix for position 1, or a mapping of positions to matrices.
        b: a (d,) vector; zero if it is left out.
    """
    blocks = A if isinstance(A, Mapping) else {1: A}
    if not blocks:
        raise ConstructError(
            f"A of task {name!r} is empty; give a matrix for at least one position."
        )
    first = next(iter(blocks.values()))
    if not isinstance(first, Matrix):
        first = np.atleast_1d(np.array(first, dtype=object))
    d = first.shape[0]
    matrices = {
        p: Matrix.of(matrix, (d, d), f"A of task {name!r}")
        for p, matrix in by_position(blocks, name).items()
    }
    return Task(name, matrices, vector_of(b, d, f"b of task {name!r}"))


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
    order = list(sequence(permutation, f"permutation of task {name!r}"))
    d = len(order)
    if sorted(map(_key, order)) != list(range(1, d + 1)):
        raise ConstructError(
            f"permutation of task {name!r} is {shown(order)}; it must hold 1 to {d}, each once."
        )
    sign = vector_of([1] * d if signs is None else signs, d, f"signs of task {name!r}")
    if any(abs(s) != 1 for s in sign):
        raise ConstructError(f"signs of task {name!r} must each be 1 or -1.")
    at = np.array([range(d), [entry - 1 for entry in order]])
    matrix = Matrix.from_places((d, d), at, sign)
    return Task(
        name, {as_position(position, name): matrix}, vector_of(by, d, f"by of task {name!r}")
    )


@_kind("retrieval")
def retrieval(name: str, position: Any, *, d: int) -> Task:
    """f(X) = x_position (the paper's ret1 .. ret8 at n = 9; op1, op2 at n = 3)."""
    return Task(name, {as_position(position, name): Matrix.identity(d)}, zeros(d))


@_kind("shift")
def shift(name: str, by: Any, modulo: Any = None, position: Any = 1) -> Task:
    """f(X) = x_position + by (the paper's plus0 .. plus9).

    Args:
        by: a (d,) vector; or, with `modulo`, one integer.
        modulo: read x as the one-hot code of a digit 0..modulo-1, d = modulo,
            and add modulo that number: a cyclic permutation of the entries.
    """
    place = as_position(position, name)
    if modulo is None:
        vector = vector_of(sequence(by, f"by of task {name!r}"), None, f"by of task {name!r}")
        return Task(name, {place: Matrix.identity(len(vector))}, vector)
    if type(modulo) is not int or modulo < 1 or type(by) is not int:
        raise ConstructError(
            f"task {name!r}: with modulo, both by and modulo are whole numbers, "
            "and modulo is at least 1."
        )
    refuse_tasks_beyond_memory(1, modulo)
    turn = int(rational(by, f"by of task {name!r}")) % modulo
    digits = np.arange(modulo)
    at = np.stack([(digits + turn) % modulo, digits])
    matrix = Matrix.from_places((modulo, modulo), at, np.ones(modulo))
    return Task(name, {place: matrix}, zeros(modulo))


@_kind("sum")
def add(name: str, positions: Any, *, d: int) -> Task:
    """f(X) = the sum of the inputs at `positions` (the paper's op1+op2)."""
    places = different_places(positions, name)
    return Task(name, {p: Matrix.identity(d) for p in places}, zeros(d))


@_kind("lookup")
def lookup(
    name: str,
    table: Any,
    position: Any = 1,
    positions: Any = None,
    *,
    vocabulary: Vocabulary,
) -> Task:
    """f(X) = the word that `table` gives for the word x_position, or for several words.

    A word, or words, that the table does not list are mapped to the zero vector: a label
    never matches it, and it adds nothing to the answer.

    On one operand f is a matrix. On k operands the words of each image are split into boxes
    W_1 x ... x W_k, and f(X) = sum of image * max(sum_i sum_{w in W_i} x_{p_i}[w] - (k-1), 0)
    over all boxes; also where X is not one-hot.

    Args:
        table: word -> word; for several operands [[word, ...], word] in a list, or in Python
            a mapping of tuples.
        positions: those of several operands, by default 1 to their number.
    """
    images = images_of(entries_of(table, name), name, vocabulary)
    places = operand_places(position, positions, len(next(iter(images))), name)
    return table_task(name, images, places, len(vocabulary))


@_kind("word-sum")
def word_sum(
    name: str,
    values: Any,
    words: Any,
    positions: Any = (1, 2),
    coefficients: Any = None,
    *,
    vocabulary: Vocabulary,
) -> Task:
    """f(X) = the word for a sum of numbers that are words: "12" and "30" give "forty-two".

    The zero vector where an operand has no value, or the sum no word. It costs a ReLU for
    each sum, shared by tasks with the same values, positions and coefficients. Off one-hot
    vectors it is the sum of ReLUs that `sum_task` (construct.spec.lookups) describes.

    Args:
        values: word -> the number that it is.
        words: sum -> the word that it is; sums that cannot occur are left out.
        positions: those that are added up.
        coefficients: a number for each position, [1, -1] for a difference; by default all 1.
    """
    places = different_places(positions, name)
    factors = [1] * len(places) if coefficients is None else coefficients
    factors = vector_of(factors, len(places), f"coefficients of task {name!r}")
    if not all(factors):
        raise ConstructError(
            f"coefficients of task {name!r} hold a 0; leave this coefficient and its position out."
        )
    by_word = numbers_by_word(values, name, vocabulary)
    by_sum = words_by_number(words, name, vocabulary)
    by_place = dict(zip(places, factors, strict=True))
    return sum_task(name, by_word, by_sum, by_place, len(vocabulary))


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
    rows = sequence(C, f"C of task {name!r}")
    d = len(rows)
    parsed = tuple(
        tuple(_parse_hinge(hinge, d, name) for hinge in sequence(feature, f"features of {name!r}"))
        for feature in sequence(features, f"features of task {name!r}")
    )
    matrix = Matrix.of(C, (d, len(parsed)), f"C of task {name!r}")
    linear = affine(name, Matrix.zero(d, d) if A is None else A, [0] * d if b is None else b)
    if linear.d != d:
        raise ConstructError(f"A of task {name!r} has {linear.d} rows; C has {d}.")
    return Task(name, linear.A, linear.b, parsed, matrix)


@_kind("absolute")
def absolute(name: str, position: Any = 1, *, d: int) -> Task:
    """f(X) = |x_position|, entry by entry."""
    p = as_position(position, name)
    return _entrywise(name, d, {}, lambda i: ({p: i(1)}, {p: i(-1)}))


@_kind("relu")
def relu(name: str, position: Any = 1, *, d: int) -> Task:
    """f(X) = max(x_position, 0), entry by entry."""
    p = as_position(position, name)
    return _entrywise(name, d, {}, lambda i: ({p: i(1)},))


@_kind("maximum")
def maximum(name: str, positions: Any = (1, 2), *, d: int) -> Task:
    """f(X) = max(x_p, x_q), entry by entry: x_p + max(x_q - x_p, 0)."""
    p, q = pair_of(positions, name)
    return _entrywise(name, d, {p: Matrix.identity(d)}, lambda i: ({q: i(1), p: i(-1)},))


@_kind("minimum")
def minimum(name: str, positions: Any = (1, 2), *, d: int) -> Task:
    """f(X) = min(x_p, x_q), entry by entry: x_p - max(x_p - x_q, 0)."""
    p, q = pair_of(positions, name)
    return _entrywise(name, d, {p: Matrix.identity(d)}, lambda i: ({p: i(1), q: i(-1)},), -1)


@_kind("clip")
def clip(name: str, low: Any, high: Any, position: Any = 1, *, d: int) -> Task:
    """f(X) = min(max(x_position, low), high), entry by entry."""
    p = as_position(position, name)
    bottom, top = rational(low, f"low of task {name!r}"), rational(high, f"high of {name!r}")
    if bottom >= top:
        raise ConstructError(
            f"task {name!r}: low is {bottom} and high {top}; low must be below high."
        )
    features = tuple(
        (Hinge.of({p: unit(1)}, -bottom), Hinge.of({p: unit(1)}, -top, -1)) for unit in _units(d)
    )
    return Task(name, {}, np.full(d, bottom, dtype=object), features, Matrix.identity(d))


# Entry i of a vector, as the vector that holds a value there and zeros elsewhere.
Unit = Callable[[int], Terms]


# Bytes of a hinge.
EACH_HINGE = 600


def _units(d: int) -> list[Unit]:
    refuse_beyond_memory(d, EACH_HINGE, f"a hinge for each of d = {shown(d)} entries")
    return [lambda value, i=i: ((i, value),) for i in range(d)]  # type: ignore[misc]


def _entrywise(
    name: str,
    d: int,
    A: Mapping[int, Matrix],
    hinges: Callable[[Unit], Sequence[Mapping[int, Terms]]],
    sign: int = 1,
) -> Task:
    """A + sign * g, where feature i is the sum of the hinges of entry i."""
    features = tuple(tuple(Hinge.of(a) for a in hinges(unit)) for unit in _units(d))
    return Task(name, A, zeros(d), features, sign * Matrix.identity(d))


def _parse_hinge(hinge: Any, d: int, name: str) -> Hinge:
    what = f"a hinge of task {name!r}"
    if not isinstance(hinge, Mapping) or not {"a"} <= set(hinge) <= {"c", "a", "e"}:
        raise ConstructError(f'{what} is {shown(hinge)}; write {{"c": 1, "a": [...], "e": 0}}.')
    a = hinge["a"] if isinstance(hinge["a"], Mapping) else {1: hinge["a"]}
    vectors = {p: rational_array(v, (d,), f"a of {what}") for p, v in by_position(a, name).items()}
    c, e = (
        rational(hinge.get(k, default), f"{k} of {what}") for k, default in (("c", 1), ("e", 0))
    )
    return Hinge.of(vectors, e, c)


def _key(entry: Any) -> Any:
    return entry if type(entry) is int else -1


# A formula is a task, too, but no `Task`: the network holds another map, near it.
ALL_KINDS: dict[str, Callable[..., Task | Formula]] = {**KINDS, "formula": formula}


def from_definition(
    definition: Any, *, d: int | None, vocabulary: Vocabulary | None, n: int | None = None
) -> Task | Formula:
    """The task of a JSON object {"name": ..., "kind": ..., ...}.

    Args:
        d, vocabulary, n: what the file as a whole says, or None.

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
    if not isinstance(kind, str) or kind not in ALL_KINDS:
        raise ConstructError(
            f"task {name!r} has the kind {shown(kind)}; the known kinds are: "
            f"{', '.join(sorted(ALL_KINDS))}."
        )
    parameters = inspect.signature(ALL_KINDS[kind]).parameters
    own = [p for p in parameters if p not in _CONTEXT]
    unknown = sorted(set(fields) - set(own))
    missing = [p for p in own if parameters[p].default is parameters[p].empty and p not in fields]
    if unknown or missing:
        wrong = f"has the unknown field {shown(unknown[0])}" if unknown else f"lacks {missing[0]!r}"
        raise ConstructError(f"task {name!r} {wrong}; {kind!r} takes: {', '.join(own)}.")
    for key, value in (("d", d), ("vocabulary", vocabulary), ("n", n)):
        if key in parameters and value is None and parameters[key].default is parameters[key].empty:
            raise ConstructError(f"task {name!r} of kind {kind!r} needs {key!r} in the file.")
        if key in parameters:
            fields[key] = value
    task = ALL_KINDS[kind](name, **fields)
    if d is not None and task.d != d:
        raise ConstructError(
            f"task {name!r} has dimension {task.d}, but the file says d = {d}; make them equal."
        )
    return task
