"""Artifacts of formulas and of flat gates: what is held, a, L and tau come back."""

import json
from fractions import Fraction as Q

import pytest

from construct import ConstructError, Domain, build, formula, load, relu_sum, run, save, shift
from construct.artifact.config import checksum
from construct.checking.provenance import first_difference
from construct.checking.sampling import random_prompts
from construct.spec.normal_form import same_map

TASKS = [
    formula("xy", ["x[1]*x[2]", "x[1]"]),
    formula("wave", ["sin(x[1])", "x[2]^2"], epsilon="1/50"),
    relu_sum("bent", [[{"a": [1, "1/3"], "e": -1}]], [[1], [0]]),
    shift("next", [1, 1]),
]
DOMAIN = Domain(4, 32, Q(1, 4), None, Q(1, 32))


def built(**said):
    return build(TASKS, m=3, domain=DOMAIN, **said)


@pytest.mark.parametrize("scratch", [0, 2])
def test_what_is_held_the_gate_and_tau_come_back_and_answers_are_the_same(tmp_path, scratch):
    made = built(scratch=scratch)
    again = load(save(made, tmp_path / "a"))
    assert again.domain == made.domain
    assert again.domain.tau == Q(1, 32)
    assert again.margins == made.margins
    assert again.margins.a > 1
    assert (again.margins.L > 0) == bool(scratch)
    assert again.sizes == made.sizes
    assert again.sizes.w == scratch
    assert again.definitions == made.definitions
    assert [task.epsilon for task in again.held] == [task.epsilon for task in made.held]
    assert again.held[1].epsilon <= Q(1, 50)
    assert all(same_map(a, b) for a, b in zip(again.held, made.held, strict=True))
    assert again.certificates == made.certificates
    assert first_difference(again) is None
    for prompt in random_prompts(made, 6, exact=True):
        one, other = (run(m, prompt, executor="exact") for m in (made, again))
        assert (one.votes, one.answer.tolist()) == (other.votes, other.answer.tolist())


def test_a_held_error_that_delta_does_not_admit_is_refused(tmp_path):
    path = save(built(scratch=0), tmp_path / "a")
    file = path / "config.json"
    config = json.loads(file.read_text())
    for held in config["held"]:
        held["epsilon"] = "1/4"
    config["checksums"]["config.json"] = checksum(config)
    file.write_text(json.dumps(config))
    with pytest.raises(ConstructError, match="votes could be wrong; build the artifact anew"):
        load(path)


def test_artifacts_of_tasks_that_are_held_as_they_are_say_nothing_of_it(tmp_path):
    path = save(build(TASKS[3:], m=2, domain=Domain(4, 8, 1)), tmp_path / "a")
    config = json.loads((path / "config.json").read_text())
    assert "held" not in config
    assert set(config["margins"]) == {"B", "C", "s", "N"}
    assert "tau" not in config["domain"]
