"""Whether weights are those that the tasks compile to: the compiler is deterministic."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
from scipy.sparse import coo_array, csr_array

from construct.approximation.tasks import hold_tasks
from construct.compiler import Construction
from construct.compiler.softmax import SoftmaxConstruction, planned
from construct.designs.theorem import formulas
from construct.designs.theorem.embedding import embeddings
from construct.designs.theorem.sizes import Sizes
from construct.network.transformer import Entries, Part, Transformer
from construct.spec.normal_form import normal_form


def first_difference(construction: Construction) -> str | None:
    """The first weight that is not what the construction's tasks compile to.

    The tasks are compiled anew, for the construction's sizes and margins, one layer at a
    time; every entry is compared, and where float64 rounds it the exact value too, and
    what each layer says of itself: names, lemma, reach. Formulas are approximated anew, which
    proves their errors again.

    Returns:
        One sentence that names layer, head, matrix, place, the value found and the
        value wanted; None if there is no difference.
    """
    return next(_differences(construction), None)


def _differences(construction: Construction) -> Iterator[str]:
    yield from _held(construction)
    found, sizes = construction.transformer, construction.sizes
    implied, outer, layers, answer = _compiled(construction)
    if sizes != implied:
        yield f"the transformer has {sizes}; its tasks compile to {implied}."
        return
    yield from _outer(found, outer)
    if len(found.layers) != len(layers):
        yield f"the transformer has {len(found.layers)} layers; its tasks compile to {len(layers)}."
        return
    for i, (layer, formula) in enumerate(zip(found.layers, layers, strict=True), start=1):
        where, wanted = f"layer {i} ({formula.name})", formula.emit()
        yield from _claims(where, layer, wanted, ("name", "lemma"))
        if len(layer.heads) != len(wanted.heads):
            yield f"{where} has {len(layer.heads)} heads; its tasks compile to {len(wanted.heads)}."
            return
        for k, (head, other) in enumerate(zip(layer.heads, wanted.heads, strict=True), start=1):
            place = f"{where}, head {k} ({other.name})"
            yield from _claims(place, head, other, ("name", "purpose", "reach"))
            yield from _part(place, head, other)
        yield from _claims(f"{where}, MLP", layer.mlp, wanted.mlp, ("purpose", "acts", "parts"))
        yield from _part(f"{where}, MLP", layer.mlp, wanted.mlp)
    if found.answer != answer:
        yield f"the answer token is {found.answer}; its tasks compile to {answer}."


def _compiled(construction: Construction) -> tuple[Any, dict[str, csr_array], tuple, int]:
    """Sizes, embedding and unembedding, layers and answer token that follow from the tasks."""
    sizes = construction.sizes
    if isinstance(construction, SoftmaxConstruction):
        name, held, words = construction.design, construction.held, construction.vocabulary
        design, plan = planned(name, held, sizes.m, sizes.n, construction.domain, words)
        outer = design.embeddings(plan)
        return plan.sizes, outer, design.formulas(plan), plan.sizes.N - 1
    wiring = construction.wiring
    K, S, P = len(wiring.tasks), len(wiring.slots), len(wiring.dictionary)
    implied = Sizes(K, wiring.tasks[0].d, sizes.m, sizes.n, S, P, len(wiring.scratch))
    layers = formulas(implied, wiring, construction.margins)
    return implied, embeddings(implied, wiring.scratch), layers, implied.tokens - 1


def _held(construction: Construction) -> Iterator[str]:
    """Tasks that the construction does not hold as it would be built."""
    held, _ = hold_tasks(construction.tasks, construction.domain)
    for task, found, wanted in zip(construction.tasks, construction.held, held, strict=False):
        if found is wanted:
            continue
        if found.epsilon != wanted.epsilon:
            yield (
                f"task {task.name!r} is said to be held within {found.epsilon}; what is proved "
                f"is {wanted.epsilon}"
            )
        if normal_form(found) != normal_form(wanted):
            yield f"task {task.name!r} is held as another function"


def _claims(where: str, found: Any, wanted: Any, names: tuple[str, ...]) -> Iterator[str]:
    for name in names:
        one, other = getattr(found, name), getattr(wanted, name)
        if one != other:
            yield f"{where}: the {name} is {one!r}; its tasks compile to {other!r}."


def _outer(found: Transformer, wanted: dict[str, csr_array]) -> Iterator[str]:
    for name, weight in wanted.items():
        yield from _weight(name, found.sparse(name), weight, {}, {})


def _part(where: str, found: Part, wanted: Part) -> Iterator[str]:
    for name in wanted.WEIGHTS:
        exact = [part.exact.get(name, {}) for part in (found, wanted)]
        yield from _weight(
            f"{where}, {name}", found.sparse(name), wanted.sparse(name), exact[0], exact[1]
        )


def _weight(
    where: str, found: csr_array, wanted: csr_array, held: Any, meant: Any
) -> Iterator[str]:
    """Compare a weight and its exact values with those that the tasks compile to."""
    if found.shape != wanted.shape:
        yield f"{where} has the shape {found.shape}; its tasks compile to {wanted.shape}."
        return
    places = [*_places(found, wanted), *_exact_places(held, meant)]
    if places:
        i, j = min(places)
        one, other = _shown(found, held, (i, j)), _shown(wanted, meant, (i, j))
        yield f"{where}[{i}, {j}] is {one}; its tasks compile to {other}."


def _places(found: csr_array, wanted: csr_array) -> list[tuple[int, int]]:
    """Where the floats differ: at most the first place of the first such row."""
    if all(
        np.array_equal(getattr(found, name), getattr(wanted, name))
        for name in ("indptr", "indices", "data")
    ):
        return []
    # NaN differs from all numbers, and so from what is wanted.
    different = coo_array(found != wanted)
    where = np.flatnonzero(different.data)
    return sorted(zip(*(axis[where].tolist() for axis in different.coords), strict=True))[:1]


def _exact_places(held: Any, meant: Any) -> list[tuple[int, int]]:
    """Where the exact values differ, or stand on one side only."""
    one, other = Entries.of(held), Entries.of(meant)
    if all(
        np.array_equal(getattr(one, name), getattr(other, name))
        for name in ("at", "numerators", "denominators")
    ):
        return []
    return [place for place in {**one, **other} if one.get(place) != other.get(place)]


def _shown(weight: csr_array, exact: Any, place: tuple[int, int]) -> str:
    value = exact.get(place)
    if value is not None:
        return str(value)
    held = float(weight[place])
    return str(Fraction(held)) if held.is_integer() else repr(held)
