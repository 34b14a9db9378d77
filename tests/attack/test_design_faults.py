"""The short form of the plants of softmax designs: faults that the check finds on fixed prompts."""

from dataclasses import replace
from fractions import Fraction
from importlib import import_module

import pytest

from attack import softmax
from attack.softmax import check_predictions

# Modules, of which the packages export functions of the same names.
words, match, superpose = (
    import_module(f"construct.designs.{name}")
    for name in ("decoder.words", "decoder.words.match", "encoder.superpose")
)
A, B, C = ([int(i == hot) for i in range(3)] for hot in range(3))
# Both tables say b of a; one says c of b.
WORDS = {
    "file": {
        **{"n": 2, "vocabulary": ["a", "b", "c"]},
        "tasks": [
            {"name": "s", "kind": "lookup", "table": {"a": "b", "b": "c"}},
            {"name": "t", "kind": "lookup", "table": {"a": "b", "b": "a"}},
        ],
    },
    **{"check": "predictions", "design": "decoder", "m": 8, "executor": "numpy"},
    "prompts": [
        {"examples": [[A, B]] * 7 + [[B, C]], "query": [B]},
        {"examples": [], "query": [A]},
    ],
}
# Labels of f, of g, of both, and delta beside f.
VECTORS = {
    "file": {
        **{"d": 1, "n": 2, "domain": {"R": 8, "Ry": 32, "delta": 1}},
        "tasks": [
            {"name": "f", "kind": "affine", "A": [[1]]},
            {"name": "g", "kind": "affine", "A": [[3]]},
        ],
    },
    **{"check": "predictions", "design": "encoder", "m": 5, "executor": "numpy"},
    "prompts": [
        {
            "examples": [[[2], [2]], [[1], [3]], [[0], [0]], [[5], [6]], [[3], [3]]],
            "query": [["1/7"]],
        }
    ],
}


@pytest.fixture(autouse=True)
def built_anew():
    """What was built with a fault is not kept, nor taken from before."""
    softmax._designed.cache_clear()
    yield
    softmax._designed.cache_clear()


def found(case: dict, dtype: str) -> set[str]:
    """The kinds of findings."""
    findings = check_predictions({**case, "dtype": dtype}).findings
    assert not [str(finding) for finding in findings if finding.kind == "crash"]
    return {finding.kind for finding in findings}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", [WORDS, VECTORS], ids=["words", "vectors"])
def test_nothing_is_found_without_a_fault(case, dtype):
    assert found(case, dtype) == set()
    assert found({**case, "executor": "exact"}, "exact") == set()


def test_a_leak_by_half_of_gamma_is_found(monkeypatch):
    def halved(margins, parts):
        return deciding(replace(margins, gamma=margins.gamma // 2), parts)

    deciding = match.deciding
    monkeypatch.setattr(match, "deciding", halved)
    assert found({**WORDS, "executor": "exact"}, "exact") == {"leak"}


def test_a_margin_that_is_chosen_as_a_half_is_found(monkeypatch):
    from construct.certify import softmax as margins

    monkeypatch.setattr(margins, "LEFT", Fraction(3, 2))
    assert "leak" in found(VECTORS, "float64")


def test_a_test_of_labels_that_is_too_flat_is_found(monkeypatch):
    def flat(sizes, margins, e):
        return test(sizes, replace(margins, beta=margins.beta * Fraction(1, 8)), e)

    test = superpose.test
    monkeypatch.setattr(superpose, "test", flat)
    assert found(VECTORS, "float64") == {"votes"}


def test_a_denominator_that_is_off_by_one_is_found(monkeypatch):
    def more(sizes):
        return denominators(replace(sizes, m=sizes.m + 1))[: sizes.N]

    denominators = words.denominators
    monkeypatch.setattr(words, "denominators", more)
    assert "answer" in found(WORDS, "float64")


def test_a_bound_that_is_too_small_is_found(monkeypatch):
    from construct.compiler import softmax as compiler

    monkeypatch.setattr(compiler, "answer_error", lambda *_: Fraction(1, 1 << 60))
    assert found(WORDS, "float32") == {"answer"}
    assert found(VECTORS, "float32") == {"answer"}
