"""Every task file in examples/ builds, passes verification, and its prompt is a mixture."""

import re
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from construct import build, mixture, parse_prompt, parse_tasks, run, verify

EXAMPLES = Path(__file__).parent.parent / "examples"
# name -> votes of its prompt by task, unexplained and ambiguous lines; counted by hand.
EXPECTED = {
    "affine": ({"quarter-turn": 2, "turn": 5, "shear": 3, "third": 1}, [8], [6]),
    "capitals": ({"capital": 4, "continent": 1, "currency": 1, "french": 2}, [7], [4]),
    "digits": ({"plus0": 1, "plus2": 5, "plus7": 3, "plus9": 1}, [], []),
    "operands": ({"op1": 3, "op2": 2, "op1+op2": 5, "op1-op2": 2}, [8], [5, 6]),
    "permutations": (
        {"copy": 1, "reverse": 4, "rotate": 1, "negate-pairs": 1, "rotate-plus-1": 2},
        [8],
        [3],
    ),
    "plus": ({"plus2": 5, "plus7": 2, "plus9": 1}, [5], []),
    "relu": ({"absolute": 3, "relu": 2, "clip": 1, "maximum": 4, "minimum": 1}, [8], [3, 5]),
    "retrieval": ({"ret1": 2, "ret3": 5, "ret6": 1, "ret8": 2}, [8], [5]),
}


@cache
def construction(name):
    file = parse_tasks((EXAMPLES / f"{name}.json").read_text(encoding="utf-8"), name)
    return build(file.tasks, n=file.n, domain=file.domain, vocabulary=file.vocabulary)


def example_prompt(name):
    built = construction(name)
    (path,) = EXAMPLES.glob(f"{name}-prompt.*")
    return parse_prompt(
        path.read_text(encoding="utf-8"),
        d=built.sizes.d,
        n=built.sizes.n,
        vocabulary=built.vocabulary,
    )


def test_every_file_is_tested_and_in_the_readme():
    files = {path.name for path in EXAMPLES.iterdir() if path.is_file()} - {"README.md"}
    task_files = {f"{name}.json" for name in EXPECTED}
    prompts = {name for name in files if "-prompt." in name}
    tables = {path.name for path in EXAMPLES.glob("*.csv")}
    assert files == task_files | prompts | tables
    readme = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\]\((\S+)\)", readme)) == task_files
    assert set(re.findall(r"construct tasks examples/(\S+)", readme)) == tables
    assert set(re.findall(r"construct run \S+ examples/(\S+-prompt\.\w+)", readme)) == prompts


@pytest.mark.parametrize("name", EXPECTED)
def test_float32_and_float64_are_certified(name):
    assert construction(name).certified == ("float32", "float64")


@pytest.mark.parametrize("name", EXPECTED)
@pytest.mark.parametrize(
    ("executor", "dtype", "prompts"),
    [("numpy", "float64", 8), ("numpy", "float32", 8), ("exact", "exact", 1)],
)
def test_random_prompts_come_out_as_specified(name, executor, dtype, prompts):
    report = verify(construction(name), executor, dtype, prompts, seed=1)
    assert report.prompts == prompts
    assert report.failures == ()


@pytest.mark.parametrize("name", EXPECTED)
def test_the_prompt_has_the_votes_that_it_shows(name):
    votes, unexplained, ambiguous = EXPECTED[name]
    built, prompt = construction(name), example_prompt(name)
    got = run(built, prompt, executor="exact")
    wanted = mixture(built.tasks, prompt)
    assert {t.name: c for t, c in zip(built.tasks, got.votes, strict=True) if c} == votes
    assert [prompt.lines[i] for i in got.unexplained] == unexplained
    assert [prompt.lines[i] for i in got.ambiguous] == ambiguous
    assert (got.votes, got.weights) == (wanted.votes, wanted.weights)
    assert got.answer.tolist() == wanted.answer.tolist()


@pytest.mark.parametrize("name", EXPECTED)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_floats_give_the_same_answer(name, dtype):
    built, prompt = construction(name), example_prompt(name)
    got, wanted = run(built, prompt, executor="numpy", dtype=dtype), mixture(built.tasks, prompt)
    assert got.votes == wanted.votes
    assert (got.unexplained, got.ambiguous) == (wanted.unexplained, wanted.ambiguous)
    close = 16 * np.finfo(dtype).eps
    np.testing.assert_allclose(got.answer, wanted.answer.astype(float), rtol=close, atol=close)
