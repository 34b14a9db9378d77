"""From what the files hold to a construction: what follows from the tasks is derived."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from construct.artifact.config import CONFIG, MOST_DIGITS_HELD
from construct.artifact.weights import Reader
from construct.certify import Margins
from construct.certify.bounds import Bounds
from construct.certify.margins import below_thresholds
from construct.compiler import Construction, validate
from construct.designs.theorem import formulas
from construct.designs.theorem.embedding import embedding_shapes
from construct.designs.theorem.sizes import Sizes
from construct.errors import ConstructError
from construct.network.primitives import LayerFormula
from construct.network.transformer import Entries, Layer, Part, Transformer
from construct.rational import rational
from construct.spec.domain import Domain
from construct.spec.promptfile import refuse_other_formats
from construct.spec.taskfile import tasks_from_json


def restore(
    config: dict[str, Any], tensors: dict[str, np.ndarray], large: dict[str, Any]
) -> Construction:
    """Derive all but the weights from tasks, domain, m, n and margins; read nothing else."""
    sizes, vocabulary = config["sizes"], config["vocabulary"]
    fields = {"tasks": config["tasks"], "d": sizes["d"], "vocabulary": vocabulary}
    tasks = tasks_from_json({k: v for k, v in fields.items() if v is not None}, CONFIG)
    wiring, sizes = validate(tasks.tasks, sizes["m"], sizes["n"], tasks.vocabulary)
    domain, margins = Domain.from_json(config["domain"]), _margins(config["margins"], sizes)
    reader = Reader(tensors, large, dense=config["storage"] == "dense")
    transformer = _transformer(reader, sizes, formulas(sizes, wiring, margins))
    _refuse_other_margins(transformer, margins)
    form = config.get("prompt_format")  # older artifacts have none
    refuse_other_formats(form, sizes.n, tasks.vocabulary)
    construction = Construction(transformer, tasks.tasks, domain, margins, tasks.vocabulary, form)
    # The construction's own wiring, with which bounds are kept: the certificates need them too.
    if below_thresholds(Bounds.of(construction.wiring, domain), domain, margins):
        raise ConstructError(
            f"the margins B = {margins.B} and C = {margins.C} in {CONFIG} are too small for its "
            "tasks and its domain, and votes could be wrong; build the artifact anew."
        )
    return construction


def _transformer(reader: Reader, sizes: Sizes, layers: Sequence[LayerFormula]) -> Transformer:
    """The weights of the file in the layers that the tasks imply."""
    given = []
    for i, layer in enumerate(layers):
        heads = tuple(
            head.given(reader.part(f"layers.{i}.heads.{k}", head.shapes))
            for k, head in enumerate(layer.heads)
        )
        mlp = layer.mlp.given(reader.part(f"layers.{i}.mlp", layer.mlp.shapes))
        given.append(Layer(layer.name, layer.lemma, heads, mlp))
    outer = {name: reader.weight(name, shape) for name, shape in embedding_shapes(sizes).items()}
    reader.close()
    return Transformer(sizes, tuple(given), **outer, answer=sizes.tokens - 1)


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
    return Margins(B=found["B"], C=found["C"], s=int(found["s"]), N=sizes.N)


def _refuse_other_margins(transformer: Transformer, margins: Margins) -> None:
    """Refuse margins that the weights do not hold: the certificate is derived from the margins."""
    residual, d = transformer.sizes.residual, transformer.sizes.d
    first, table = transformer.layers[3].heads[0], transformer.layers[5].mlp
    entries: dict[str, tuple[Part, str, tuple[int, int]]] = {
        "B": (first, "W_Q", (residual["lab"].start, 0)),  # of -B (f - lab)
        "C": (first, "W_Q", (residual["pe"].start, d)),  # of C pe
        "s": (table, "W_out", (0, residual["rec"].start)),  # of s/1
    }
    for name, (part, weight, at) in entries.items():
        held = _value(part, weight, at)
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
