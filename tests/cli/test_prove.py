import json
import shutil

import pytest

from construct import artifact
from construct.prove import rocq
from construct.prove.proof import Verdict
from sabotage import with_entry

pytestmark = pytest.mark.usefixtures("rocq_development")
needs_rocq = pytest.mark.skipif(shutil.which("coqc") is None, reason="Rocq is not installed")


@pytest.fixture
def built(command):
    assert command("build", "--K", "2", "--d", "1", "--m", "2", "--out", "a").code == 0
    return command


@needs_rocq
def test_it_says_what_is_proved(built):
    sample = built("sample", "a").out
    with open("p.json", "w") as file:
        file.write(sample)
    done = built("prove", "a", "--prompt", "p.json")
    assert done.code == 0, done.err
    assert done.out.startswith("proved: for every prompt of the domain")
    assert "no axioms" in done.out
    assert "The forward pass in Rocq gives the stream of the exact executor." in done.out
    assert max(map(len, done.out.splitlines())) <= 80


@needs_rocq
def test_json(built):
    done = built("prove", "a", "--mutations", "--json")
    report = json.loads(done.out)
    assert report["proved"]
    assert report["votes_of"] == "the tasks"
    assert report["same_forward_pass"] is None
    assert report["mutations"]["accepted"] == 0
    assert report["mutations"]["tried"] > 1000


@pytest.fixture
def accepted(monkeypatch):
    """Rocq by itself is tested above."""
    monkeypatch.setattr(rocq, "development", lambda progress: None)
    monkeypatch.setattr("construct.prove.proof.prove", lambda made: Verdict(True, ""))


def test_each_task_comes_with_a_witness(built, accepted):
    done = built("prove", "a")
    assert "an example of the domain that votes for it" in done.out
    [first, second] = done.out.splitlines()[-2:]
    assert first.startswith("task1")
    assert " -> (" in second
    for one in json.loads(built("prove", "a", "--json").out)["witnesses"]:
        examples = [[*one["inputs"], one["label"]]]
        with open("w.json", "w") as file:
            json.dump({"examples": examples, "query": one["inputs"]}, file)
        done = built("run", "a", "w.json", "--check", "--json", "--executor", "exact")
        assert json.loads(done.out)["votes"][one["task"]] == 1


def test_tasks_without_a_witness_say_so_or_why(command, accepted):
    tasks = [
        {"name": "x", "kind": "affine", "A": [[1, 0], [0, 1]]},
        {"name": "moved", "kind": "shift", "by": ["1/10", 0]},
    ]
    domain = {"R": 8, "Ry": 32, "delta": 1}
    with open("t.json", "w") as file:
        json.dump({"tasks": tasks, "domain": domain}, file)
    assert command("build", "--tasks", "t.json", "--out", "a").code == 0
    done = command("prove", "a")
    assert done.code == 0
    assert "there is none: no example can vote for task" in done.out
    assert max(map(len, done.out.splitlines())) <= 80
    for one in json.loads(command("prove", "a", "--json").out)["witnesses"]:
        assert one["inputs"] is None
        assert "build with a delta of at most 1/10" in one["excluded"]


def test_words_are_their_own_witness(command, accepted):
    table = {"name": "capital", "kind": "lookup", "table": {"France": "Paris"}}
    with open("t.json", "w") as file:
        json.dump({"tasks": [table]}, file)
    assert command("build", "--tasks", "t.json", "--out", "a").code == 0
    assert "France -> Paris" in command("prove", "a").out
    [one] = json.loads(command("prove", "a", "--json").out)["witnesses"]
    assert (one["inputs"], one["label"]) == (["France"], "Paris")


def test_it_says_what_is_proved_of_formulas_and_what_is_not(command, accepted):
    tasks = [
        {"name": "square", "kind": "formula", "f": ["x[1]^2"], "epsilon": "1/4"},
        {"name": "double", "kind": "affine", "A": [[2]]},
    ]
    with open("t.json", "w") as file:
        json.dump({"tasks": tasks, "domain": {"R": 1, "Ry": 2, "delta": 1}}, file)
    assert command("build", "--tasks", "t.json", "--m", "1", "--out", "a").code == 0
    done = command("prove", "a")
    assert max(map(len, done.out.splitlines())) <= 80
    text = " ".join(done.out.split())
    assert "labels are within tau = 0 of f_k, or at least delta = 1 away" in text
    assert "within sum_k w_k epsilon_k of their mixture" in text
    assert "epsilon_k is 0, but for square (127/512)" in text
    assert "certified by interval arithmetic in the build, and is not proved in Rocq" in text
    report = json.loads(command("prove", "a", "--json").out)
    assert report["votes_of"] == "functions within epsilon"
    assert (report["tau"], report["delta"]) == (0, 1)
    assert report["epsilon"] == {"square": "127/512", "double": 0}


@needs_rocq
def test_a_changed_weight_is_named_and_exits_with_4(built, monkeypatch):
    intact = artifact.load

    def sabotaged(directory):
        return with_entry(intact(directory), "layers.4.heads.0.W_V", (0, 0), 3)

    monkeypatch.setattr(artifact, "load", sabotaged)
    done = built("prove", "a")
    assert done.code == 4
    assert "not proved: layer 5 (pool), head 1 (pool), W_V[0, 0], at tok of the" in done.err
    done = built("prove", "a", "--json")
    assert done.code == 4
    assert not json.loads(done.out)["proved"]


def test_an_artifact_too_large_for_mutations_is_refused_at_once(built):
    assert built("build", "--K", "4", "--d", "16", "--out", "large").code == 0
    done = built("prove", "large", "--mutations")
    assert done.code == 2
    assert "76,153 weights" in done.err


def test_without_rocq_the_error_says_what_to_install(built, monkeypatch):
    monkeypatch.setattr(rocq.shutil, "which", lambda name: None)
    done = built("prove", "a")
    assert done.code == 2
    assert "apt-get install" in done.err
