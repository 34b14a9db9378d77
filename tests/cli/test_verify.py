import importlib.util
import json
from pathlib import Path

import pytest

from construct import artifact
from sabotage import with_weight


@pytest.fixture
def built(command):
    assert command("build", "--K", "3", "--d", "4", "--m", "6", "--out", "a").code == 0
    return command


def test_all_executors_agree_with_the_specification(built):
    done = built("verify", "a", "--prompts", "100", "--json")
    assert done.code == 0, done.err
    reports = json.loads(done.out)
    ran = {(r["executor"], r["dtype"]) for r in reports}
    floats = {(e, f"float{b}") for e in ("numpy", "jax", "sparse", "torch") for b in (32, 64)}
    assert ran == floats | {("exact", "exact")}
    assert all(r["passed"] and r["worst"] <= 4 for r in reports)
    assert all(r["worst"] == 0 for r in reports if r["dtype"] == "exact")
    assert all(r["prompts"] == (2 if r["dtype"] == "exact" else 100) for r in reports)


def test_the_table_says_what_the_prompts_were(built):
    done = built("verify", "a", "--prompts", "50", "--executor", "numpy")
    assert "numpy" in done.out
    assert "jax" not in done.out
    assert "Of 50 prompts" in done.out
    assert max(map(len, done.out.splitlines())) <= 80


def test_dense_executors_are_left_out_where_they_take_long(built, monkeypatch):
    for limit in ("MOST_SCORES", "MOST_EXACT_SCORES"):
        monkeypatch.setattr(f"construct.cli.verify.{limit}", 3 * 16**2 * 50 - 1)
    done = built("verify", "a", "--prompts", "50")
    assert done.code == 0, done.err
    assert "they would take too long: jax, numpy, torch. --executor" in " ".join(done.out.split())
    assert "sparse" in done.out


@pytest.fixture
def sabotaged(built, monkeypatch):
    """The command line, with one head's values off by a thousandth in every artifact."""
    intact = artifact.load
    change = "layers.4.heads.0.W_V", lambda W: 1.001 * W
    monkeypatch.setattr(artifact, "load", lambda directory: with_weight(intact(directory), *change))
    return built


def test_it_says_first_that_the_weights_are_those_of_the_tasks(built):
    done = built("verify", "a", "--prompts", "5", "--executor", "numpy")
    assert done.out.startswith("Every weight is what the tasks compile to.\n")


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_the_first_weight_that_is_not_of_the_tasks_is_named_and_exits_with_4(sabotaged, form):
    done = sabotaged("verify", "a", "--prompts", "20", "--executor", "numpy", *form)
    assert (done.code, done.out) == (4, "")
    said = "construct: the weights are not what the tasks compile to: layer 5 (pool), head 1 (pool)"
    assert done.err.startswith(said)


def test_a_wrong_answer_is_found_and_exits_with_4(sabotaged, monkeypatch):
    monkeypatch.setattr("construct.checking.provenance.first_difference", lambda made: None)
    done = sabotaged("verify", "a", "--prompts", "20", "--executor", "numpy")
    assert done.code == 4
    assert "DIFFER" in done.out
    assert "more than rounding can explain" in done.err


# --- Where there is nothing to run -------------------------------------------

NARROW = {"R": 10**40, "Ry": 10**41, "delta": 1}


@pytest.fixture
def uncertified(command):
    task = {"name": "id", "kind": "affine", "A": [[1]]}
    Path("t.json").write_text(json.dumps({"tasks": [task], "domain": NARROW}))
    assert command("build", "--tasks", "t.json", "--m", "3", "--out", "a").code == 0
    return command


def test_with_no_float_format_certified_the_exact_executor_runs(uncertified):
    done = uncertified("verify", "a", "--prompts", "50", "--json")
    assert done.code == 0, done.err
    assert [r["executor"] for r in json.loads(done.out)] == ["exact"]


@pytest.mark.parametrize("form", [(), ("--json",)])
@pytest.mark.parametrize("chosen", ["numpy", "jax", "sparse", "torch"])
def test_an_executor_without_a_certified_format_exits_with_2(uncertified, chosen, form):
    done = uncertified("verify", "a", "--executor", "exact", "--executor", chosen, *form)
    assert (done.code, done.out) == (2, "")
    assert f"no format of the executor {chosen!r} is certified for this artifact (" in done.err
    assert done.err.rstrip().endswith("use --executor exact.")


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_with_nothing_to_run_it_exits_with_2(uncertified, monkeypatch, form):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "flint" else found(name)
    )
    done = uncertified("verify", "a", *form)
    assert (done.code, done.out) == (2, "")
    assert "no float format is certified for this artifact (" in done.err
    assert "pip install python-flint" in done.err


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_where_all_takes_long_it_exits_with_2(uncertified, monkeypatch, form):
    monkeypatch.setattr("construct.cli.verify.MOST_EXACT_SCORES", 1)
    done = uncertified("verify", "a", *form)
    assert (done.code, done.out) == (2, "")
    assert "every executor that could run would take too long (exact)" in done.err
    assert "--executor exact" in done.err


@pytest.mark.parametrize("grid", ["1/3", "1/10", "1/7", "1/1000000000000000000000000000000"])
def test_grids_that_floats_do_not_hold_are_verified(command, grid):
    task = {"name": "id", "kind": "affine", "A": [[1]]}
    domain = {"R": 8, "Ry": 32, "delta": 1, "grid": grid}
    Path("t.json").write_text(json.dumps({"tasks": [task], "domain": domain}))
    assert command("build", "--tasks", "t.json", "--m", "3", "--out", "a").code == 0
    done = command("verify", "a", "--prompts", "50", "--executor", "numpy", "--executor", "exact")
    assert done.code == 0, done.err
