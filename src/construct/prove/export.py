"""An artifact as a Rocq file: a float is a rational, so nothing is rounded.

It takes the tasks by position, equal features merged (`Task.merged`); `readback`
compares what was written with the artifact's tasks. That homes, slots and dictionary
read them so is checked in Rocq, as is every weight. The weights' numbers are trusted to
be handed over as they are.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

import numpy as np
from scipy.sparse import coo_array, csr_array

from construct.compiler import Construction
from construct.designs.theorem.wiring import Unit, Wiring
from construct.network.transformer import Head, Mlp, Transformer
from construct.rational import Rational
from construct.spec.hinge import Hinge, Terms, order
from construct.spec.prompt import exactly

HEADER = """\
From Coq Require Import QArith List.
From construct Require Import numbers residual spec plan stream matrices tolerance checker artifact.
From construct Require Import forward reader enough.
Import ListNotations.
"""


def plan(construction: Construction) -> str:
    """`Definition w` and the plan `p` that it means: tasks, wiring, sizes, margins and domain.

    After it, the optional tolerance `g`: with a flat gate, the top a, tau, and each task's epsilon.
    """
    sizes, margins, domain = construction.sizes, construction.margins, construction.domain
    wiring = construction.wiring
    tasks = [_task(k, wiring) for k in range(len(wiring.tasks))]
    numbers = (margins.B, margins.C, margins.s, margins.L, domain.R, domain.Ry, domain.delta)
    fields = [
        *(f"{size}%nat" for size in (sizes.d, sizes.m, sizes.n)),
        _list(tasks),
        _list(f"{p - 1}%N" for p in wiring.slots),
        _list(f"{p - 1}%N" for p in wiring.homes),
        _list(f"{p - 1}%N" for p in wiring.scratch),
        _list(_list(map(_unit, units)) for units in wiring.dictionary),
        _list(_list(f"{u}%N" for u in reads) for reads in wiring.reads),
        f"{sizes.N}%nat",
        *map(rational, numbers),
    ]
    written = "Definition w : written_plan := WrittenPlan\n  " + "\n  ".join(fields) + ".\n"
    return f"{written}Definition p : plan Q := read_plan w.\n{_tolerance(construction)}"


def _tolerance(construction: Construction) -> str:
    margins, domain = construction.margins, construction.domain
    if not margins.flat:
        return "Definition g : option (tolerance Q) := None.\n"
    errors = _list(rational(task.epsilon) for task in construction.held)
    numbers = f"{rational(margins.a)} {rational(domain.tau)} {errors}"
    return (
        f"Definition bounds : tolerance Q := Tolerance {numbers}.\n"
        "Definition g : option (tolerance Q) := Some bounds.\n"
    )


def weights(transformer: Transformer) -> str:
    """`Definition e`, and the weights `E` that it means: every tensor, as its vectors.

    Each tensor that is not 0 has a definition of its own, so that no term is all of them.
    """
    tensors: list[str] = []

    def tensor(vectors: list[Vector]) -> str:
        if not any(vectors):
            return _vectors(vectors)
        tensors.append(f"Definition t{len(tensors)} : list entries := {_vectors(vectors)}.\n")
        return f"t{len(tensors) - 1}"

    def part(part: Head | Mlp) -> str:
        exact = part.exact
        return " ".join(
            tensor(along_stream(name, part.sparse(name), exact.get(name, {})))
            for name in part.WEIGHTS
        )

    layers = [
        f"WrittenLayer {_list(f'WrittenHead {part(head)}' for head in layer.heads)} "
        f"{part(layer.mlp)}"
        for layer in transformer.layers
    ]
    ends = [
        tensor(along_stream(name, transformer.sparse(name), {})) for name in ("W_E", "W_pos", "W_U")
    ]
    written = f"Definition e : written := Written {' '.join(ends)} {_list(layers)}.\n"
    return "".join(tensors) + written + "Definition E : emitted Q := read_weights e.\n"


# A number that occurs as often as this gets a name: Rocq reads a name far faster.
OFTEN = 3
NUMBER = re.compile(r"\(Qmake \(-?\d+\) \d+\)")


def named(text: str, prefix: str) -> str:
    """The same text, with a definition before it for each number that it often has."""
    counts = Counter(NUMBER.findall(text))
    often = [number for number, times in counts.items() if times >= OFTEN]
    names = {number: f"{prefix}{i}" for i, number in enumerate(often)}
    definitions = "".join(f"Definition {names[x]} : Q := {x}.\n" for x in often)
    return definitions + NUMBER.sub(lambda found: names.get(found[0], found[0]), text)


# The tensors whose columns, not rows, run along the residual stream.
COLUMNS = ("W_Q", "W_K", "W_V", "W_in", "W_U")

# The non-zeros of one vector along the residual stream: place -> value.
Vector = dict[int, Fraction]


def along_stream(
    name: str, tensor: np.ndarray | csr_array, exact: Mapping[tuple[int, int], Fraction]
) -> list[Vector]:
    """The columns of W_Q, W_K, W_V, W_in and W_U, the rows of all others."""
    columns = name in COLUMNS
    vectors: list[Vector] = [{} for _ in range(tensor.shape[1 if columns else 0])]
    entries = coo_array(tensor)
    rows, columns_ = (axis.tolist() for axis in entries.coords)
    values = dict(zip(zip(rows, columns_, strict=True), map(Fraction, entries.data), strict=True))
    for (i, j), value in sorted((values | dict(exact)).items()):
        if not value:
            continue
        vector, place = (j, i) if columns else (i, j)
        vectors[vector][place] = value
    return vectors


def rows(array: np.ndarray) -> str:
    """A (rows, entries) array of exact numbers as a list of lists."""
    return _list(_list(rational(x) for x in row) for row in exactly(array).tolist())


def rational(x: Rational) -> str:
    """A rational as a Rocq literal of type Q."""
    x = Fraction(x)
    return f"(Qmake ({x.numerator}) {x.denominator})"


# --- Tasks -------------------------------------------------------------------


def _task(k: int, wiring: Wiring) -> str:
    task = wiring.tasks[k]
    rows = [
        _list(
            (
                _term(p - 1, u, value)
                for p, matrix in task.A.items()
                for u, value in matrix.terms(i)
            ),
            NO_TERMS,
        )
        for i in range(task.d)
    ]
    mixed = [
        _list(
            (f"({v}%N, {rational(value)})" for v, value in task.C.terms(i)),
            NO_ENTRIES,
        )
        for i in range(task.d)
    ]
    shifts = _list(map(rational, task.b))
    # The order of a sum: the one in which the dictionary has it.
    # With scratch tokens it reads what slots hold through slots, at whatever home; 0 is no input.
    source = wiring.sources[k]
    if wiring.scratch and source in wiring.slots:
        source = 0
    features = [
        _list(map(_hinge, sorted(feature, key=lambda h: order(*wiring.unit(h, source)[:3]))))
        for feature in task.features
    ]
    return f"WrittenTask {_list(rows)} {_list(mixed)} {shifts} {_list(features)}"


def _hinge(hinge: Hinge) -> str:
    a = ((p - 1, terms) for p, terms in hinge.a)
    return _three(hinge.c, a, hinge.e)


def _unit(unit: Unit) -> str:
    at = "None" if unit.at is None else f"Some {unit.at - 1}%N"
    return f"({at}, {_three(unit.c, unit.a, unit.e)})"


def _three(c: Rational, a: Iterable[tuple[int, Terms]], e: Rational) -> str:
    listed = _list((_term(p, u, v) for p, terms in a for u, v in terms), NO_TERMS)
    return f"({rational(c)}, {listed}, {rational(e)})"


def _term(place: int, entry: int, value: Rational) -> str:
    return f"({place}%N, {entry}%N, {rational(value)})"


# --- Weights -----------------------------------------------------------------


def _vectors(vectors: list[Vector]) -> str:
    return _list(
        _list((f"({place}%N, {rational(value)})" for place, value in vector.items()), NO_ENTRIES)
        for vector in vectors
    )


# Empty lists by name (reader.v): Rocq takes quadratic time to find the types of many `[]`.
NO_ENTRIES, NO_TERMS = "no_entries", "no_terms"


def _list(items: Iterable[Any], empty: str = "[]") -> str:
    listed = "; ".join(items)
    return f"[{listed}]" if listed else empty
