"""From what the files hold to a construction: what follows from the tasks is derived."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any, cast

import numpy as np
from scipy.sparse import csr_array

from construct.artifact.config import CONFIG, MOST_DIGITS_HELD, margins_of
from construct.artifact.weights import Reader
from construct.certify import Margins
from construct.certify.bounds import Bounds
from construct.certify.margins import below_thresholds
from construct.compiler import Construction, validate
from construct.compiler.softmax import SoftmaxConstruction, planned
from construct.designs import THEOREM
from construct.designs.theorem import fetch, formulas, place, query, square, superpose
from construct.designs.theorem.embedding import embedding_shapes
from construct.designs.theorem.sizes import Sizes
from construct.errors import ConstructError
from construct.network.primitives import LayerFormula
from construct.network.transformer import Entries, Layer, Part, Transformer
from construct.rational import Rational, rational
from construct.spec.domain import Domain
from construct.spec.formula import Formula
from construct.spec.kinds import from_definition
from construct.spec.promptfile import refuse_other_formats
from construct.spec.taskfile import TaskFile, tasks_from_json
from construct.spec.tasks import Task


def restore(
    config: dict[str, Any], tensors: dict[str, np.ndarray], large: dict[str, Any]
) -> Construction:
    """Derive all but the weights from tasks, domain, m, n and margins; read nothing else.

    Of a softmax design the margins are derived too.
    """
    sizes, vocabulary = config["sizes"], config["vocabulary"]
    fields = {"tasks": config["tasks"], "d": sizes["d"], "vocabulary": vocabulary}
    tasks = tasks_from_json({k: v for k, v in fields.items() if v is not None}, CONFIG)
    scratch = sizes.get("w", 0)  # older artifacts have none
    held = _held(tasks.tasks, config.get("held", []), sizes["d"])
    m, n = sizes["m"], sizes["n"]
    reader = Reader(tensors, large, dense=config["storage"] == "dense")
    if config.get("design", THEOREM) != THEOREM:
        return _softmax(config, reader, tasks, held)
    wiring, sizes = validate(tasks.tasks, m, n, tasks.vocabulary, held=held, scratch=scratch)
    domain, margins = Domain.from_json(config["domain"]), _margins(config["margins"], sizes)
    layers = _layers(reader, formulas(sizes, wiring, margins))
    outer = _outer(reader, embedding_shapes(sizes))
    transformer = Transformer(sizes, layers, **outer, answer=sizes.tokens - 1)
    _refuse_other_margins(transformer, margins)
    form = config.get("prompt_format")  # older artifacts have none
    refuse_other_formats(form, sizes.n, tasks.vocabulary)
    construction = Construction(
        transformer, tasks.tasks, domain, margins, tasks.vocabulary, form, held
    )
    # The construction's own wiring, with which bounds are kept: the certificates need them too.
    bounds = Bounds.of(construction.wiring, domain)
    if margins.L != bounds.L:
        raise ConstructError(
            f"margin L in {CONFIG} is {margins.L}; the hinges of its tasks need {bounds.L}: build "
            "the artifact anew."
        )
    if below_thresholds(bounds, domain, margins):
        raise ConstructError(
            f"the margins B = {margins.B} and C = {margins.C} in {CONFIG} are too small for its "
            "tasks and its domain, and votes could be wrong; build the artifact anew."
        )
    return construction


def _held(
    tasks: Sequence[Task | Formula], listed: list[dict[str, Any]], d: int
) -> tuple[Task, ...]:
    """Each task as the network holds it: a formula as the file says."""
    found: list[Task] = []
    for task in tasks:
        if isinstance(task, Task):
            found.append(task)
            continue
        fields = dict(next(fields for fields in listed if fields["name"] == task.name))
        epsilon = rational(fields.pop("epsilon"), f"epsilon of task {task.name!r}")
        one = from_definition(fields, d=d, vocabulary=None)
        found.append(replace(cast(Task, one), epsilon=epsilon))
    return tuple(found)


def _softmax(
    config: dict[str, Any], reader: Reader, tasks: TaskFile, held: tuple[Task, ...]
) -> Construction:
    """A construction of a softmax design, with the weights of the file."""
    domain, words = Domain.from_json(config["domain"]), tasks.vocabulary
    m, n, form = config["sizes"]["m"], config["sizes"]["n"], config["prompt_format"]
    design, plan = planned(config["design"], held, m, n, domain, words)
    outer = {name: weight.shape for name, weight in design.embeddings(plan).items()}
    refuse_other_formats(form, n, words)
    construction = SoftmaxConstruction(
        design.transformer(plan, _layers(reader, design.formulas(plan)), _outer(reader, outer)),
        *(tasks.tasks, domain, plan.margins, words, form, held),
        plan=plan,
    )
    if margins_of(construction) != config["margins"]:
        raise ConstructError(
            f"the margins in {CONFIG} are not those of its tasks and its domain; build the "
            "artifact anew."
        )
    return construction


def _layers(reader: Reader, layers: Sequence[LayerFormula]) -> tuple[Layer, ...]:
    """The weights of the file in the layers that the tasks imply."""
    given = []
    for i, layer in enumerate(layers):
        heads = tuple(
            head.given(reader.part(f"layers.{i}.heads.{k}", head.shapes))
            for k, head in enumerate(layer.heads)
        )
        mlp = layer.mlp.given(reader.part(f"layers.{i}.mlp", layer.mlp.shapes))
        given.append(Layer(layer.name, layer.lemma, heads, mlp))
    return tuple(given)


def _outer(reader: Reader, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, csr_array]:
    """Embedding and unembedding, the last tensors of a file."""
    outer = {name: reader.weight(name, shape) for name, shape in shapes.items()}
    reader.close()
    return outer


def _margins(listed: dict[str, Any], sizes: Sizes) -> Margins:
    """Read B, C and s, which the build chose; the certificate is derived from them."""
    found = {}
    for name in "BCs":
        what = f"margin {name} in {CONFIG}"
        value = found[name] = rational(listed[name], what, digits=MOST_DIGITS_HELD)
        halves = value.numerator * value.denominator
        if value <= 0 or halves & (halves - 1) or (name == "s" and type(value) is not int):
            raise ConstructError(
                f"margin {name} in {CONFIG} is {value}; it must be a power of two"
                f"{', at least 1' if name == 's' else ''}; build the artifact anew."
            )
    a = rational(listed.get("a", 1), f"margin a in {CONFIG}", digits=MOST_DIGITS_HELD)
    L = rational(listed.get("L", 0), f"margin L in {CONFIG}", digits=MOST_DIGITS_HELD)
    return Margins(found["B"], found["C"], int(found["s"]), sizes.N, L, a)


def _refuse_other_margins(transformer: Transformer, margins: Margins) -> None:
    """Refuse margins that the weights do not hold: the certificate is derived from the margins."""
    residual, d, C = transformer.sizes.residual, transformer.sizes.d, margins.C
    layers = transformer.layers
    first = layers[place(margins, superpose)].heads[0]
    table = layers[place(margins, square)].mlp
    last = first.sparse("W_K").shape[1] - 1
    gate = C * (residual["pe"].width + 2 * residual["pt"].width + 2)
    # name: (part, weight, place, what it is to be multiplied with, and what is to be added)
    entries: dict[str, tuple[Part, str, tuple[int, int], int, Rational]] = {
        "B": (first, "W_Q", (residual["lab"].start, 0), 1, 0),  # of -B (f - lab)
        "C": (first, "W_Q", (residual["pe"].start, d), 1, 0),  # of C pe
        "s": (table, "W_out", (0, residual["rec"].start), 1, 0),  # of s/1
        "a": (first, "W_K", (residual["one"].start, last), 1, gate),  # of a - C (...)
    }
    if margins.L:
        dictionary = layers[place(margins, fetch if margins.flat else query)].mlp
        entries["L"] = (dictionary, "W_in", (residual["pt"].start, 0), 2, 0)  # of L/2 pt
    for name, (part, weight, at, times, more) in entries.items():
        held = _value(part, weight, at) * times + more
        held = abs(held) if name == "L" else held  # the bits of the code have signs
        if held != getattr(margins, name):
            raise ConstructError(
                f"margin {name} in {CONFIG} is {getattr(margins, name)}, but the weights hold "
                f"{held}; build the artifact anew."
            )


def _value(part: Part, weight: str, at: tuple[int, int]) -> Fraction:
    """An entry, exactly, without an index of the exact values: there may be millions."""
    exact = Entries.of(part.exact.get(weight, {}))
    for k in np.flatnonzero((exact.at == np.array([at]).T).all(axis=0)):
        return Fraction(exact.numerators[k], exact.denominators[k])
    return Fraction(float(part.sparse(weight)[at]))
