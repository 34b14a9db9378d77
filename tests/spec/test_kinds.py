"""Whoever adds a kind of task and forgets a place is told here; CONTRIBUTING.md lists them."""

import inspect
from pathlib import Path

import pytest

import construct
import kinds
from construct.spec.kinds import KINDS, from_definition
from construct.spec.tasks import WORD_KINDS

ROCQ = Path(__file__).parents[2] / "proofs" / "rocq" / "instances.v"
WORDS = construct.Vocabulary(["a", "b"])


def test_the_tests_know_every_kind():
    assert set(kinds.KINDS) == set(KINDS)


def test_the_kinds_that_need_words_are_known():
    """Their definitions say nothing where an artifact has no vocabulary (`Task.as_json`)."""
    need = {kind for kind, f in KINDS.items() if "vocabulary" in inspect.signature(f).parameters}
    assert set(WORD_KINDS) == kinds.NEED_WORDS == need


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_public(kind):
    assert getattr(construct, KINDS[kind].__name__) is KINDS[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_an_instance_in_rocq(kind):
    """`every_kind_has_an_instance` proves a vote of each; here is that none is left out."""
    assert f'{KINDS[kind].__name__}("f", ' in ROCQ.read_text()


@pytest.mark.parametrize("kind", KINDS)
def test_the_example_of_a_kind_is_one(kind):
    fields = kinds.KINDS[kind].example(2)
    definition = {"name": "f", "kind": kind, **fields}
    task = from_definition(definition, d=2, vocabulary=WORDS)
    X = [[3, -1], [2, 5]]
    assert task(X).tolist() == kinds.meaning(definition, 2, list(WORDS))(X)
    assert task.definition["kind"] == kind
