"""The short form of the attack, and the attack's own checks."""

from dataclasses import replace
from fractions import Fraction as Q

import pytest

from attack import targets
from attack.campaign import ATTACKS, CHECKS, Campaign
from attack.domain import Domain
from attack.outcome import Finding
from attack.plants import PLANTS, SOURCE
from attack.reckoning import Reckoned, in_format, judge, meaning, read_prompt
from attack.shrink import shrink

# Cases of the first rounds; what needs other processes is below.
SHORT = {
    **{"full": 1, "mixtures": 3, "merged": 2, "tiny": 1, "claims": 1, "grids": 2, "limits": 2},
    **{"edges": 2, "sizes": 2, "words": 1, "samples": 1},
    **{"formulas": 3, "scratch": 2, "gates": 2},
    **{"word decoders": 2, "operand decoders": 2, "vector decoders": 2, "encoders": 2},
}


@pytest.mark.parametrize("name", SHORT)
def test_the_short_attack_finds_nothing(name):
    campaign = Campaign(seed=1, names=(name,))
    several = {"merged": 2, "grids": 2, "samples": 4, "formulas": 3, "scratch": 2, "gates": 2}
    several |= {"word decoders": 3, "operand decoders": 3, "vector decoders": 4, "encoders": 4}
    for _ in range(several.get(name, 1)):
        campaign.round(name, cases=SHORT[name])
    assert not campaign.outcome.findings, campaign.first
    assert campaign.outcome.counts[f"cases of {name}"]


@pytest.mark.parametrize("kind", ["interrupt", "kill"])
def test_an_interrupted_save_leaves_a_whole_artifact(kind):
    found = CHECKS["interrupts"]({"check": "interrupts", "kind": kind, "most": 25})
    assert not found.findings, found.findings
    assert found.counts[f"saves: {kind}"] >= 20


def test_the_long_attack_has_all_of_these():
    assert set(ATTACKS) == {*SHORT, "interrupts", "mesh"}


# --- The reckoning ---------------------------------------------------------------

FILE = {
    **{"d": 2, "n": 2, "domain": {"R": 8, "Ry": 32, "delta": 1}},
    "tasks": [
        {"name": "turn", "kind": "affine", "A": [[0, -1], [1, 0]]},
        {"name": "flip", "kind": "permutation", "permutation": [2, 1]},
    ],
}
PROMPT = {
    "examples": [[[1, 2], [-2, 1]], [[3, 1], [1, 3]], [[2, 5], [5, 2]], [[4, 4], [4, 4]]],
    "query": [[5, 7]],
}


def test_the_example_of_the_readme():
    verdict = judge(Reckoned.of(FILE, 8), read_prompt(PROMPT), "float64")
    assert (verdict.state, verdict.votes) == ("inside", (1, 3))
    assert verdict.answer == (Q(7, 2), Q(5))
    assert set(verdict.kinds) == {"blank slots"}


@pytest.mark.parametrize(
    ("task", "wanted"),
    [
        ({"kind": "shift", "by": ["1/3", 0], "position": 2}, [Q(10, 3), -4]),
        ({"kind": "shift", "by": 1, "modulo": 2}, [2, -1]),
        ({"kind": "sum", "positions": [1, 2]}, [2, -2]),
        ({"kind": "maximum"}, [3, 2]),
        ({"kind": "minimum", "positions": [2, 1]}, [-1, -4]),
        ({"kind": "absolute", "position": 2}, [3, 4]),
        ({"kind": "relu"}, [0, 2]),
        ({"kind": "clip", "low": "-1/2", "high": 1}, [Q(-1, 2), 1]),
        ({"kind": "permutation", "permutation": [2, 1], "signs": [1, -1]}, [2, 1]),
        ({"kind": "affine", "A": {"2": [[1, 1], [0, 2]]}, "b": [1, 0]}, [0, -8]),
        (
            {
                "kind": "relu-sum",
                "features": [[{"a": [0, 1], "e": -1, "c": 3}, {"a": {"2": [1, 0]}}]],
                "C": [["1/2"], [-1]],
            },
            [3, -6],
        ),
    ],
)
def test_what_each_kind_of_task_means(task, wanted):
    assert meaning(task, 2)([[Q(-1), Q(2)], [Q(3), Q(-4)]]) == wanted


@pytest.mark.parametrize(
    ("label", "dtype", "state"),
    [
        (Q(0), "exact", "inside"),
        (Q(1, 10**9), "exact", "outside"),
        (Q(1), "exact", "inside"),
        (1 - Q(1, 1 << 26), "exact", "outside"),
        (1 - Q(1, 1 << 26), "float64", "inside"),
        (1 - Q(1, 1 << 25), "float64", "outside"),
        (Q(1, 1 << 30), "float64", "inside"),
        (Q(1, 1 << 29), "float64", "outside"),
        (1 - Q(1, 1 << 12), "float32", "inside"),
        (Q(33), "float32", "outside"),
    ],
)
def test_where_the_domain_ends(label, dtype, state):
    file = {**FILE, "tasks": [{"name": "same", "kind": "retrieval", "position": 1}]}
    zero = [Q(0), Q(0)]
    prompt = {"examples": [[zero, [label, Q(0)]]], "query": [zero]}
    assert judge(Reckoned.of(file, 1), prompt, dtype).state == state


def test_a_grid_is_what_the_format_holds_of_it():
    thirds = Domain(R=Q(8), Ry=Q(8), delta=Q(1), grid=Q(1, 3))
    third = in_format({"examples": [], "query": [[Q(1, 3)]]}, "float32")["query"][0][0]
    assert third != Q(1, 3)
    assert thirds.admits(third, thirds.R, "float32")
    assert not thirds.admits(third, thirds.R, "exact")
    assert not thirds.admits(Q(1, 2), thirds.R, "float64")
    assert not thirds.held("float64")
    assert Domain(R=Q(8), Ry=Q(8), delta=Q(1), grid=Q(1, 4)).held("float32")


# --- The attack itself -----------------------------------------------------------


def test_a_wrong_vote_is_found_and_made_small(monkeypatch):
    def forgetful(made, prompt, **how):
        answer = targets_run(made, prompt, **how)
        votes = answer.votes if len(prompt.X) < 2 else (answer.votes[0] + 1, *answer.votes[1:])
        return replace(answer, votes=votes)

    targets_run = targets.run
    monkeypatch.setattr(targets, "run", forgetful)
    case = {
        **{"check": "prompts", "file": FILE, "m": 8, "executor": "numpy", "dtype": "float64"},
        "prompts": [{"examples": [], "query": [[0, 0]]}, PROMPT],
    }
    found = CHECKS["prompts"](case).findings
    assert [(f.kind, f.at) for f in found] == [("votes", 1)]
    small = shrink(case, found[0], CHECKS["prompts"], seconds=3600)
    [prompt] = small["prompts"]
    assert len(prompt["examples"]) == 2
    assert len(small["file"]["tasks"]) == 1
    assert (small["file"]["d"], small["m"]) == (2, 2)
    assert [f.kind for f in CHECKS["prompts"](small).findings] == ["votes"]


def test_an_answer_beyond_its_bound_and_a_bound_too_small_are_found(monkeypatch):
    case = {
        **{"check": "prompts", "file": FILE, "m": 8, "executor": "numpy", "dtype": "float64"},
        "prompts": [{"examples": PROMPT["examples"][:3], "query": [["1/3", "0.7"]]}],
    }
    assert not CHECKS["prompts"](case).findings
    monkeypatch.setattr(targets, "proved", lambda *_: [Q(1, 10**30)] * 2)
    assert {f.kind for f in CHECKS["prompts"](case).findings} == {"answer", "bound"}


def test_findings_say_what_and_where():
    assert str(Finding("votes", "one too many", 3)) == "votes: one too many"


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.name)
def test_the_plants_are_not_stale(plant):
    for file, old, new in plant.edits:
        assert (SOURCE / "construct" / file).read_text().count(old) == 1
        assert old != new
