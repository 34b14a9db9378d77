"""The whole public API with wrong arguments: one sentence each, and never another error."""

import json
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import api
import construct
from construct import ConstructError, Domain, Prompt, affine, build, mixture, retrieval, run

COVERED = sorted(api.table("."))


@pytest.fixture(scope="module")
def refusals() -> dict[str, list[str]]:
    done = subprocess.run(
        [sys.executable, Path(__file__).with_name("api.py")], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", COVERED)
def test_a_wrong_argument_is_one_sentence(refusals, name):
    assert refusals[name] == []


def test_no_public_name_is_left_out():
    assert {*COVERED, *api.RECORDS, *api.ERRORS} >= set(construct.__all__)
    assert {n.split(".")[0].removesuffix("()") for n in COVERED} <= set(construct.__all__)


@pytest.mark.parametrize("name", COVERED)
def test_the_right_arguments_are_right(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    construct.save(api.MADE, "made")
    call, right, _ = api.table(str(tmp_path))[name]
    if name in ("build", "parse_prompt"):  # of numbers
        right = {**right, "vocabulary": None, "format": None}
    call(**right)


def test_a_domain_may_be_given_in_its_json_form():
    made = build([affine("f", [[1]])], domain={"R": 4, "Ry": "9/2", "delta": 1})
    assert made.domain == Domain(4, Fraction(9, 2), 1)
    with pytest.raises(ConstructError, match=r"the domain is .* write"):
        build([affine("f", [[1]])], domain={"R": 4})


def test_objects_in_a_prompt_are_the_rationals_that_they_are():
    """Floats among them gave fractional votes in the exact executor."""
    x = np.array([[[0.5]]], dtype=object)
    prompt = Prompt(x, x[0], x[0])
    assert {type(v) for a in (prompt.X, prompt.Y, prompt.query) for v in a.flat} == {Fraction}
    made = build([affine("f", [[1]])], m=1)
    assert run(made, prompt, executor="exact").votes == (1,)
    with pytest.raises(ConstructError, match="X of the prompt is nan"):
        Prompt(x * np.nan, x[0], x[0])


def test_some_of_the_sentences():
    for call, sentence in (
        (lambda: retrieval("f", "2", d=1), "task 'f' reads position '2'; positions are whole"),
        (lambda: Prompt.of([], [[]]), "the shapes must be"),
        (lambda: mixture((), api.PROMPT), r"tasks is \(\); it must be a list of at least 1"),
        (lambda: build([api.FLIP], m=10**5000), "m is a int with a number of thousands"),
    ):
        with pytest.raises(ConstructError, match=sentence):
            call()
