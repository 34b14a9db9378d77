"""An artifact of ReLU tasks from before there were scratch tokens."""

import json
from fractions import Fraction
from pathlib import Path

from construct import build, load, run, save
from construct.checking.provenance import first_difference

HERE, EXAMPLES = Path(__file__).parent, Path(__file__).parents[2] / "examples"
BEFORE = HERE / "before" / "relu"

# What `construct run --executor exact --json` printed when the artifact was built.
ANSWER = json.loads((HERE / "before" / "answer.json").read_text())


def prompt_of(made):
    return made.prompt((EXAMPLES / "relu-prompt.json").read_text())


def test_it_loads_and_answers_as_before():
    made = load(BEFORE)
    assert (made.sizes.w, made.sizes.D) == (0, 44)
    got = run(made, prompt_of(made), executor="exact")
    assert [str(x) for x in got.answer] == [str(Fraction(x)) for x in ANSWER["answer"]]
    assert dict(zip(got.tasks, got.votes, strict=True)) == ANSWER["votes"]


def test_every_weight_is_what_its_tasks_compile_to_without_scratch_tokens():
    assert first_difference(load(BEFORE)) is None


def test_the_same_bytes_are_built_without_scratch_tokens(tmp_path):
    made = load(BEFORE)
    again = build(made.tasks, m=made.sizes.m, n=made.sizes.n, domain=made.domain, scratch=0)
    save(again, tmp_path / "again")
    for name in ("config.json", "model.safetensors"):
        assert (tmp_path / "again" / name).read_bytes() == (BEFORE / name).read_bytes()
