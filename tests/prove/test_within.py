"""Rocq accepts artifacts of tasks that are held within errors, and nothing else."""

import re
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

import construct
from construct.checking.sampling import random_prompts
from construct.errors import CheckFailed
from construct.prove import export, proof, readback
from construct.prove.mutations import survivors
from construct.spec.domain import Domain
from marks import needs_rocq
from near import moved, stand_in
from sabotage import with_entry

pytestmark = pytest.mark.usefixtures("rocq_development")


def square(epsilon="1/4") -> construct.Formula:
    return construct.formula("square", ["x[1]^2"], epsilon=epsilon)


def single() -> construct.Construction:
    """One head in each layer: the label is fetched in the first."""
    return construct.build([square()], m=1, domain=Domain(1, 2, 1))


def beside_exact_tasks() -> construct.Construction:
    """A formula and tasks of error 0, one of which reads a slot; labels match up to tau."""
    tasks = [
        construct.formula("wave", ["sin(x[2, 1])"], n=3, epsilon="1/8"),
        construct.add("sum", [1, 2], d=1),
    ]
    return construct.build(tasks, m=2, n=3, domain=Domain(1, 2, 1, None, Fraction(1, 16)))


def with_scratch_tokens() -> construct.Construction:
    return construct.build(
        [square(), construct.formula("wave", ["cos(x[1])"], epsilon="1/8"), *kinked()],
        m=1,
        domain=Domain(1, 4, 1),
        scratch=1,
    )


def kinked() -> list[construct.Task]:
    return [construct.relu_sum("kink", [[{"a": [1], "e": "-1/3"}]], [[2]], [[1]], [0])]


@needs_rocq
@pytest.mark.parametrize("make", [single, beside_exact_tasks, with_scratch_tokens])
def test_tasks_within_errors_are_proved(make):
    made = make()
    assert made.margins.flat
    assert proof.prove(made) == proof.Verdict(True)


@needs_rocq
def test_labels_that_match_up_to_tau_are_proved_though_no_task_has_an_error():
    task = construct.affine("double", [[2]])
    made = construct.build([task], m=1, domain=Domain(1, 2, 1, None, Fraction(1, 4)))
    assert proof.prove(made).proved


@needs_rocq
def test_the_forward_pass_is_that_of_the_exact_executor():
    made = with_scratch_tokens()
    assert made.sizes.w == 1
    assert proof.agrees(made, random_prompts(made, 1, seed=0, exact=True)[0])


@needs_rocq
def test_every_change_of_a_weight_is_rejected_by_name():
    made = single()
    tried, accepted = survivors(made)
    tensors = made.transformer.tensors().values()
    assert tried == sum(t.size + np.count_nonzero(t) for t in tensors)
    assert accepted == 0


@needs_rocq
def test_a_changed_weight_is_named():
    made = single()
    name = "layers.3.heads.0.W_Q"
    row, column = np.argwhere(made.transformer.tensors()[name])[0]
    value = made.transformer.tensors()[name][row, column] * 2
    verdict = proof.prove(with_entry(made, name, (row, column), value))
    assert re.match(r"layer 4 \(level\), head 1 \(square\), W_Q\[\d+, \d+\], ", verdict.reason)


def held_within(made, epsilon):
    """The same weights, of tasks that are held within another error."""
    return replace(made, held=tuple(replace(task, epsilon=epsilon) for task in made.held))


@needs_rocq
@pytest.mark.parametrize(
    "change",
    [
        lambda made: held_within(made, Fraction(2, 5)),
        lambda made: held_within(made, Fraction(-1, 5)),
        lambda made: replace(made, domain=replace(made.domain, tau=Fraction(1, 2))),
        lambda made: replace(made, margins=replace(made.margins, a=Fraction(65, 64))),
    ],
)
def test_a_gate_that_does_not_hold_is_rejected(change):
    assert "do not meet the conditions" in proof.prove(change(single())).reason


def test_errors_and_tau_are_read_back():
    task = construct.affine("double", [[2]])
    domain = Domain(1, 4, 1, None, Fraction(1, 16))
    held = moved(task, [1], Fraction(1, 8))
    made = stand_in([task, construct.retrieval("same", 1, d=1)], [held, kinked()[0]], domain=domain)
    text = export.plan(made)
    found = readback.read(text)
    assert (found["tau"], found["errors"]) == (Fraction(1, 16), [Fraction(1, 8), 0])
    readback.check(text, made)
    for old, what in [("8", "epsilon = 1/9 was handed to Rocq for 'double'"), ("16", "tau = 1/9")]:
        other = text.replace(f"(Qmake (1) {old})", "(Qmake (1) 9)")
        with pytest.raises(CheckFailed, match=what):
            readback.check(other, made)
    with pytest.raises(CheckFailed, match="one epsilon for each task"):
        readback.check(text.replace("; (Qmake (0) 1)].\nDefinition g", "].\nDefinition g"), made)


def test_an_error_without_a_flat_gate_is_refused():
    # The theorem for exact tasks says nothing of the functions that they are near.
    made = construct.build([construct.affine("double", [[2]])], m=1)
    with pytest.raises(CheckFailed, match="epsilon = 0 was handed to Rocq for 'double'"):
        proof.prove(held_within(made, Fraction(1, 8)))
    wider = replace(made, domain=replace(made.domain, tau=Fraction(1, 8)))
    with pytest.raises(CheckFailed, match=r"tau = 0 was handed to Rocq.* is 1/8"):
        proof.prove(wider)


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("Some bounds", "None", "'None' was handed to Rocq where a plan would have 'Some'"),
        ("Definition bounds", "Definition other", "'other' was handed .* would have 'g'"),
    ],
)
def test_what_is_no_tolerance_is_named(old, new, what):
    made = single()
    with pytest.raises(CheckFailed, match=what):
        readback.check(export.plan(made).replace(old, new), made)
