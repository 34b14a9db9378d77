"""Every task file in examples/ builds, passes verification, and its prompt is a mixture."""

import re
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from construct import build, mixture, parse_prompt, parse_tasks, run, verify
from construct.checking.promise import error_bound

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
    "regression": ({"square": 4, "double": 1, "line": 3, "wave": 2}, [], [1]),
    "retrieval": ({"ret1": 2, "ret3": 5, "ret6": 1, "ret8": 2}, [8], [5]),
}

# Tasks that the network holds within an error.
NEAR = {"regression"}


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
    """float32 not where tasks are held within an error: the gate asks for more digits."""
    wanted = ("float64",) if name in NEAR else ("float32", "float64")
    assert construction(name).certified == wanted


@pytest.mark.parametrize("name", EXPECTED)
@pytest.mark.parametrize(
    ("executor", "dtype", "prompts"),
    [("numpy", "float64", 8), ("numpy", "float32", 8), ("exact", "exact", 1)],
)
def test_random_prompts_come_out_as_specified(name, executor, dtype, prompts):
    if dtype not in (*construction(name).certified, "exact"):
        pytest.skip("not certified")
    report = verify(construction(name), executor, dtype, prompts, seed=1)
    assert report.prompts == prompts
    assert report.failures == ()


@pytest.mark.parametrize("name", EXPECTED)
def test_the_prompt_has_the_votes_that_it_shows(name):
    votes, unexplained, ambiguous = EXPECTED[name]
    built, prompt = construction(name), example_prompt(name)
    got = run(built, prompt, executor="exact")
    domain = built.domain
    wanted = mixture(built.tasks, prompt, delta=domain.delta, tau=domain.tau)
    assert {t.name: c for t, c in zip(built.tasks, got.votes, strict=True) if c} == votes
    assert [prompt.lines[i] for i in got.unexplained] == unexplained
    assert [prompt.lines[i] for i in got.ambiguous] == ambiguous
    assert (got.votes, got.weights) == (wanted.votes, wanted.weights)
    off = float(((got.answer - wanted.answer) ** 2).sum()) ** 0.5
    assert off <= error_bound(built, prompt, got.votes, "exact")
    assert (off > 0) == (name in NEAR)


@pytest.mark.parametrize("name", EXPECTED)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_floats_give_the_same_answer(name, dtype):
    built, prompt = construction(name), example_prompt(name)
    if dtype not in built.certified:
        pytest.skip("not certified")
    got = run(built, prompt, executor="numpy", dtype=dtype)
    wanted = mixture(built.tasks, prompt, delta=built.domain.delta, tau=built.domain.tau)
    assert got.votes == wanted.votes
    assert (got.unexplained, got.ambiguous) == (wanted.unexplained, wanted.ambiguous)
    close = 16 * np.finfo(dtype).eps
    if name in NEAR:
        close = float(error_bound(built, prompt, got.votes, dtype))
    np.testing.assert_allclose(got.answer, wanted.answer.astype(float), rtol=close, atol=close)
