import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

KINDS = pytest.mark.parametrize("kind", [(), ("--adversarial",)], ids=["plausible", "adversarial"])


@KINDS
@pytest.mark.parametrize("seed", range(3))
def test_a_sampled_prompt_runs_with_several_tasks_at_once(command, seed, kind):
    command("build", "--K", "3", "--d", "4", "--out", "a")
    Path("p.json").write_text(command("sample", "a", "--seed", seed, *kind).out)
    for executor in ("numpy", "exact"):
        done = command("run", "a", "p.json", "--check", "--json", "--executor", executor)
        assert done.code == 0, done.err
        assert sum(votes > 0 for votes in json.loads(done.out)["votes"].values()) > 1


def test_words_come_as_lines(command):
    table = {"a": "b", "b": "c", "c": "a"}
    tasks = [
        {"name": "next", "kind": "lookup", "table": table},
        {"name": "second", "kind": "lookup", "table": dict.fromkeys(table, "b"), "position": 2},
    ]
    Path("t.json").write_text(json.dumps({"tasks": tasks}))
    command("build", "--tasks", "t.json", "--m", "6", "--out", "a")
    Path("p.txt").write_text(command("sample", "a").out)
    assert Path("p.txt").read_text().rstrip().endswith("->")
    assert command("run", "a", "p.txt", "--check").code == 0


@pytest.mark.parametrize("format", ["Q: {1}\nA: {y}", "{1}{y}"])
def test_a_sample_is_in_the_artifacts_format_or_else_in_json(command, format):
    """Without text between them, some words can be cut in two ways."""
    table = {"a": "bc", "ab": "c", "c": "a", "bc": "ab"}
    file = {"tasks": [{"name": "f", "kind": "lookup", "table": table}], "format": format}
    Path("t.json").write_text(json.dumps(file))
    assert command("build", "--tasks", "t.json", "--m", "6", "-o", "a").code == 0
    for seed in range(4):
        for kind in ([], ["--adversarial"]):
            Path("p.txt").write_text(command("sample", "a", "--seed", seed, *kind).out)
            text = Path("p.txt").read_text()
            assert text.startswith("Q: ") or format == "{1}{y}"
            assert "\n\nQ: " in text or format == "{1}{y}" or "A:\n" not in text
            done = command("run", "a", "p.txt", "--check", "--executor", "numpy")
            assert done.code == 0, done.err


DOMAINS = {
    "grid 1/3": {"R": 8, "Ry": 32, "delta": 1, "grid": "1/3"},
    "a tiny grid": {"R": 8, "Ry": 32, "delta": 1, "grid": "1/1000000000000000000000000000000"},
    "R that is no float": {"R": 10**18 + 65, "Ry": 4 * 10**18, "delta": 10**15},
    "R = 1e40": {"R": 10**40, "Ry": 10**41, "delta": 1},
    "no room for noise": {"R": "1/10", "Ry": "1/10", "delta": 1},
    "no room at all": {"R": "1/10", "Ry": "1/10", "delta": 1, "grid": 1},
}


@KINDS
@pytest.mark.parametrize("name", DOMAINS)
@pytest.mark.parametrize("seed", range(2))
def test_a_sample_of_any_domain_runs(command, name, seed, kind):
    task = {"name": "f", "kind": "affine", "A": [["1/3"]]}
    Path("t.json").write_text(json.dumps({"tasks": [task], "domain": DOMAINS[name]}))
    assert command("build", "--tasks", "t.json", "--m", "3", "--out", "a").code == 0
    Path("p.json").write_text(command("sample", "a", "--seed", seed, *kind).out)
    done = command("run", "a", "p.json", "--check", "--executor", "exact")
    assert done.code == 0, done.err


@pytest.mark.parametrize("bound", ["R", "Ry"])
def test_where_the_domain_excludes_words_numbers_come(command, bound):
    tasks = [{"name": "next", "kind": "lookup", "table": {"a": "b", "b": "a"}}]
    domain = {"R": 1, "Ry": 1, "delta": 1, bound: "1/2"}
    Path("t.json").write_text(json.dumps({"tasks": tasks, "domain": domain}))
    assert command("build", "--tasks", "t.json", "--m", "3", "--out", "a").code == 0
    Path("p.json").write_text(command("sample", "a").out)
    done = command("run", "a", "p.json", "--check")
    assert done.code == 0, done.err


EXAMPLES = sorted(Path(__file__).parents[2].glob("examples/*[a-z].json"))


@pytest.mark.parametrize(
    "path", [p for p in EXAMPLES if "-prompt" not in p.name], ids=lambda p: p.stem
)
def test_a_plausible_prompt_is_small_and_wholly_explained(command, path):
    assert command("build", "--tasks", path, "--m", "8", "--out", "a").code == 0
    for seed in range(3):
        sampled = command("sample", "a", "--seed", seed).out
        Path("p").write_text(sampled)
        if sampled.startswith("{"):
            entries = np.array(json.loads(sampled)["query"], dtype=object).ravel()
            assert all(abs(Fraction(entry)) <= 8 for entry in entries)
        else:
            assert sampled.rstrip().endswith("->")
        done = command("run", "a", "p", "--json", "--executor", "exact")
        said = json.loads(done.out)
        assert said["explained"] == 8
        assert not said["unexplained"]
        assert sum(votes > 0 for votes in said["votes"].values()) > 1
        if "distribution" in said:
            assert sum(Fraction(p) for p in said["distribution"].values()) > 0
