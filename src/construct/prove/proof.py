"""Is this artifact the construction that is proved?

`prove` asks Rocq for the theorem about the very weights of an artifact and, if the
theorem does not hold, for the first entry that differs from the construction.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from construct.compiler import Construction
from construct.designs.theorem.embedding import embed
from construct.errors import CheckFailed, ConstructError
from construct.execute.passes import prepare
from construct.execute.registry import EXACT, RATIONALS
from construct.network.transformer import Transformer
from construct.prove import export, readback, rocq
from construct.spec.domain import check_domain
from construct.spec.prompt import Prompt

# For tasks that are held exactly, and for those that are held within errors.
EXACTLY = """
Theorem proved : computes_the_mixture p E.
Proof.
refine (@quick_is_enough w e _).
"""
WITHIN = """
Theorem proved : computes_within p bounds E.
Proof.
refine (@quick_within_is_enough w bounds e _).
"""

THEOREM = """\
vm_cast_no_check (eq_refl true).
Qed.
Print Assumptions proved.
Theorem sizes : (K p, D (sizes_of p), N p, answer p, hidden_units p g) =
  ({K}%nat, {D}%nat, {N}%nat, {answer}%nat, {hidden}).
Proof.
refine (eq_trans (sizes_are w g) _).
vm_cast_no_check (eq_refl ({K}%nat, {D}%nat, {N}%nat, {answer}%nat, {hidden})).
Qed.
"""

DIFFERENCE = """
From construct Require Import mutations.
Eval vm_compute in (first_difference p g E).
"""

PASS = """
Definition tokens_ : list (list Q) := {tokens}.
Definition stream : list (list Q) := {stream}.
Definition same_rows (a b : list (list Q)) : bool :=
  (Nat.eqb (length a) (length b)) &&
  forallb (fun x => Nat.eqb (length (fst x)) (length (snd x)) &&
    forallb (fun y => Qeq_bool (fst y) (snd y)) (combine (fst x) (snd x))) (combine a b).
Lemma pass : same_rows (forward_list rat_ops (D (sizes_of p)) (N p) E tokens_) stream = true.
Proof. vm_cast_no_check (eq_refl true). Qed.
"""

CLOSED = "Closed under the global context"


@dataclass(frozen=True)
class Verdict:
    """What Rocq says of an artifact.

    Attributes:
        proved: whether the theorem holds for these weights.
        reason: empty, or the first difference in words.
    """

    proved: bool
    reason: str = ""


def prove(
    construction: Construction, progress: Callable[[str], None] = lambda file: None
) -> Verdict:
    """The theorem for this artifact's weights, or the first entry that differs.

    Raises:
        ConstructError: if Rocq is missing, or fails for another reason.
        CheckFailed: if the theorem rests on an axiom, a file that it imports has one, or
            other tasks were written for Rocq than the artifact's.
    """
    sizes, transformer = construction.sizes, construction.transformer
    if construction.softmax is not None:
        raise ConstructError(
            f"this artifact is of the design {construction.design!r}, and what Rocq proves is of "
            "the design 'theorem'; 'construct verify' tests it."
        )
    _refuse_unknown_shapes(construction)
    if transformer.answer != sizes.tokens - 1:
        answer = f"the answer token is {transformer.answer}"
        return Verdict(False, f"{answer}; the construction has {sizes.tokens - 1}")
    for name, (row, column) in wrongly_rounded(transformer):
        return Verdict(False, f"{name}[{row}, {column}] is not its exact value rounded to float64")
    plan = export.named(export.plan(construction), "a")
    readback.check(plan, construction)
    artifact = export.HEADER + plan + export.named(export.weights(transformer), "b")
    hidden = [f"{layer.mlp.sparse('W_in').shape[1]}%nat" for layer in transformer.layers]
    theorem = (WITHIN if construction.margins.flat else EXACTLY) + THEOREM.format(
        K=sizes.K,
        D=sizes.D,
        N=sizes.N,
        answer=int(transformer.answer),
        hidden=f"[{'; '.join(hidden)}]",
    )
    proved, said = rocq.run(artifact + theorem + rocq.assumptions(), progress)
    if proved:
        if said.strip() != CLOSED:
            assumed = " ".join(said.replace(CLOSED, "").split())
            raise CheckFailed(f"the proof in Rocq may rest on assumptions: {assumed}.")
        return Verdict(True)
    found, out = rocq.run(artifact + DIFFERENCE, progress)
    difference = re.search(r"= Some\s*\((.+\))\)\s*:", out, re.S) if found else None
    if difference is None:
        raise ConstructError(f"Rocq can neither prove nor refute this artifact: {said}")
    return Verdict(False, describe(construction, " ".join(difference.group(1).split())))


def agrees(construction: Construction, prompt: Prompt) -> bool:
    """Whether the forward pass in Rocq gives the stream of the exact executor.

    Raises:
        ConstructError: if the prompt does not fit the artifact.
    """
    exact, transformer = prompt.astype(RATIONALS), construction.transformer
    check_domain(exact, construction.tasks, construction.domain, construction.sizes.m)
    stream = prepare(EXACT.name, transformer, RATIONALS)(embed(transformer, exact)).stream
    text = export.HEADER + export.plan(construction) + export.weights(transformer)
    text += PASS.format(
        tokens=export.rows(token_rows(construction, exact)), stream=export.rows(stream)
    )
    return rocq.run(text)[0]


def token_rows(construction: Construction, prompt: Prompt) -> np.ndarray:
    """(N, d+1): what the embedding reads of a prompt, each vector with its flag."""
    sizes = construction.sizes
    rows = np.full((sizes.N, sizes.d + 1), 0, dtype=object)
    for e, (inputs, label) in enumerate(zip(prompt.X, prompt.Y, strict=True)):
        place = rows[e * sizes.length : (e + 1) * sizes.length]
        place[: sizes.n - 1, :-1], place[-1, :-1], place[:, -1] = inputs, label, 1
    start = sizes.m * sizes.length
    rows[start : start + sizes.n - 1, :-1] = prompt.query
    return rows


# --- Naming a difference -------------------------------------------------------

TENSORS = {
    "TensorE": "W_E",
    "TensorPos": "W_pos",
    "TensorU": "W_U",
    "TensorQ": "W_Q",
    "TensorK": "W_K",
    "TensorV": "W_V",
    "TensorO": "W_O",
    "TensorIn": "W_in",
    "TensorOut": "W_out",
}


def describe(construction: Construction, difference: str) -> str:
    """The difference that the checker found, as layer, head, entry and field."""
    kind = re.split(r"\W", difference, maxsplit=1)[0]
    numbers = [int(number) for number in re.findall(r"\b\d+", difference)]
    if kind == "Conditions":
        return (
            "sizes, margins or wiring do not meet the conditions of the theorem "
            "(plan.v, admissible)"
        )
    if kind == "Layers":
        return "there are not seven layers"
    if kind == "Heads":
        return f"{_layer(construction, numbers[0])} does not have K heads"
    name = next(tensor for rocq_name, tensor in TENSORS.items() if rocq_name in difference)
    count = {"W_E": 0, "W_pos": 0, "W_U": 0, "W_in": 1, "W_out": 1}.get(name, 2)
    where = _part(construction, numbers[:count])
    if kind == "Shape":
        return f"{where}{name} does not have the shape that it has in the construction"
    vector, place = numbers[count : count + 2]
    row, column = (place, vector) if name in export.COLUMNS else (vector, place)
    found = _value(construction, name, numbers[:count], row, column)
    wanted = re.search(r"\(?(-?\d+)\)?(?:%Z)?, (\d+)(?:%positive)?\)$", difference)
    assert wanted is not None, difference
    return (
        f"{where}{name}[{row}, {column}], at {_field(construction, place)} of the residual "
        f"stream, is {_short(found)}; the construction has "
        f"{_short(Fraction(int(wanted[1]), int(wanted[2])))}"
    )


def _short(x: Fraction) -> str:
    return str(x) if len(str(x)) <= 24 else f"about {float(x):.6g}"


def _layer(construction: Construction, index: int) -> str:
    return f"layer {index + 1} ({construction.transformer.layers[index].name})"


def _part(construction: Construction, numbers: list[int]) -> str:
    if not numbers:
        return ""
    where = _layer(construction, numbers[0])
    if len(numbers) == 1:
        return f"{where}, MLP, "
    head = construction.transformer.layers[numbers[0]].heads[numbers[1]]
    return f"{where}, head {numbers[1] + 1} ({head.name}), "


def _field(construction: Construction, place: int) -> str:
    for field in construction.sizes.residual.fields:
        if field.start <= place < field.start + field.width:
            inside = place - field.start
            return field.name if field.width == 1 else f"{field.name}[{inside}]"
    return f"place {place}, beyond the width"


def _value(
    construction: Construction, name: str, numbers: list[int], row: int, column: int
) -> Fraction:
    transformer = construction.transformer
    if not numbers:
        return Fraction(transformer.sparse(name)[row, column])
    layer = transformer.layers[numbers[0]]
    part = layer.mlp if len(numbers) == 1 else layer.heads[numbers[1]]
    exact = part.exact.get(name, {})
    return exact.get((row, column), Fraction(part.sparse(name)[row, column]))


def wrongly_rounded(transformer: Transformer) -> Iterator[tuple[str, tuple[int, int]]]:
    """Entries that float64 cannot hold, and whose float is not the nearest one.

    Rocq is given the exact value; the float executors read the float.
    """
    for prefix, part in transformer.parts():
        for name, entries in part.exact.items():
            tensor = part.sparse(name)
            for place, value in entries.items():
                if tensor[place] != float(value):
                    yield f"{prefix}.{name}", place


def _refuse_unknown_shapes(construction: Construction) -> None:
    """Refuse rows and columns that the checker would not see: it reads vectors of length D."""
    sizes, transformer = construction.sizes, construction.transformer
    for name, tensor in transformer.weights().items():
        if not np.isfinite(tensor.data).all():
            raise ConstructError(f"tensor {name} holds NaN or infinity; build the artifact anew.")
        along = tensor.shape[0 if name.split(".")[-1] in export.COLUMNS else 1]
        if along != sizes.D:
            raise ConstructError(
                f"tensor {name} is not of width D = {sizes.D}; build the artifact anew."
            )
