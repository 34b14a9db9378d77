import importlib.util
import json
from pathlib import Path

import pytest

from construct import artifact
from construct.checking.verification import Trial
from sabotage import with_weight

# What a test that wants all prompts gives: no machine takes so long.
AMPLE = ("--seconds", "1000000")


@pytest.fixture
def built(command):
    assert command("build", "--K", "3", "--d", "4", "--m", "6", "--out", "a").code == 0
    return command


def test_all_executors_agree_with_the_specification(built):
    done = built("verify", "a", "--prompts", "100", "--json", *AMPLE)
    assert done.code == 0, done.err
    reports = json.loads(done.out)
    ran = {(r["executor"], r["dtype"]) for r in reports}
    floats = {(e, f"float{b}") for e in ("numpy", "jax", "sparse", "torch") for b in (32, 64)}
    assert ran == floats | {("exact", "exact")}
    assert all(r["passed"] and r["worst"] <= 4 for r in reports)
    assert all(r["worst"] == 0 for r in reports if r["dtype"] == "exact")
    assert all(r["prompts"] == (5 if r["dtype"] == "exact" else 100) for r in reports)


def test_the_table_says_what_the_prompts_were(built):
    done = built("verify", "a", "--prompts", "50", "--executor", "numpy")
    assert "numpy" in done.out
    assert "jax" not in done.out
    assert "Of 50 prompts" in done.out
    assert max(map(len, done.out.splitlines())) <= 80


# Seconds of a prompt.
COSTS = {"sparse": 0.1, "jax": 0.2, "numpy": 1, "torch": 2, "exact": 5}


@pytest.fixture
def timed(monkeypatch):
    """A clock that only prompts move, one by one."""
    now = [0.0]
    intact = Trial.step

    def step(trial):
        count = intact(trial)
        now[0] += COSTS[trial.executor] * count
        return count

    monkeypatch.setattr(Trial, "step", step)
    monkeypatch.setattr(Trial, "MOST", 1)
    monkeypatch.setattr("construct.cli.verify.clock", lambda: now[0])
    return now


@pytest.mark.parametrize("seconds", [20, 80])
def test_every_executor_does_five_prompts_or_is_left_out_by_name(built, timed, seconds):
    done = built("verify", "a", "--prompts", "500", "--seconds", str(seconds), "--json")
    assert done.code == 0, done.err
    reports = json.loads(done.out)
    ran = {(r["executor"], r["dtype"]): r["prompts"] for r in reports if "left_out" not in r}
    out = {(r["executor"], r["dtype"]): r["left_out"] for r in reports if "left_out" in r}
    floats = {(e, f"float{b}") for e in ("numpy", "jax", "sparse", "torch") for b in (32, 64)}
    assert ran.keys() | out.keys() == floats | {("exact", "exact")}
    assert not ran.keys() & out.keys()
    assert 5 <= min(ran.values()) <= max(ran.values()) < 500
    assert all(why["seconds"] > 0 for why in out.values())
    assert {executor for executor, _ in out} == ({"torch", "exact"} if seconds == 20 else set())
    assert timed[0] <= seconds


def test_what_is_left_out_and_what_was_cut_short_is_said(built, timed):
    done = built("verify", "a", "--prompts", "500", "--seconds", "20")
    assert done.code == 0, done.err
    said = " ".join(done.out.split())
    assert "Fewer prompts than asked for fit into 20 s; --seconds gives more time." in said
    assert "Left out, because five prompts would take too long" in said
    assert "--executor runs one all the same" in said
    assert max(map(len, (done.out + done.err).splitlines())) <= 80


def test_what_would_not_fit_in_memory_is_left_out_by_name(built, monkeypatch):
    monkeypatch.setattr("construct.checking.budget.memory", lambda: 16 * 16**2)
    done = built("verify", "a", "--prompts", "20", *AMPLE)
    assert done.code == 0, done.err
    said = " ".join(done.out.split())
    assert "numpy float32: over 0 GB" in said
    assert "exact: over 0 GB" in said
    assert "jax" in done.out.split("Left out")[0]
    assert "torch" not in done.out.split("Left out")[0]


def test_an_executor_that_is_named_is_never_left_out(built, timed, monkeypatch):
    monkeypatch.setattr("construct.checking.budget.memory", lambda: 1)
    done = built("verify", "a", "--prompts", "500", "--seconds", "1", "--executor", "exact")
    assert done.code == 0, done.err
    assert "Left out" not in done.out
    assert "Of 1 prompts" in done.out


def test_it_says_first_what_it_will_do_and_how_far_it_is(built, timed):
    done = built("verify", "a", "--prompts", "90", "--seconds", "200", "--executor", "numpy")
    first, *rest = " ".join(done.err.split()).split(" numpy float32: ")
    assert first.startswith("Comparing every weight with what the tasks compile to; then running")
    assert "up to 90 prompts by numpy, all within about 200 s." in first
    assert len(rest) > 1
    assert all(" of 90 prompts" in line for line in rest)


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
    assert f"\n{said}" in done.err


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
    done = uncertified("verify", "a", "--prompts", "50", "--json", *AMPLE)
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
def test_where_all_takes_long_it_exits_with_2(uncertified, timed, form):
    done = uncertified("verify", "a", "--prompts", "500", "--seconds", "20", *form)
    assert (done.code, done.out) == (2, "")
    assert "every executor that could run would take too long for 20 s" in done.err
    assert "(exact: about 30 s)" in done.err
    assert done.err.rstrip().endswith("--executor exact.")


@pytest.mark.parametrize("grid", ["1/3", "1/10", "1/7", "1/1000000000000000000000000000000"])
def test_grids_that_floats_do_not_hold_are_verified(command, grid):
    task = {"name": "id", "kind": "affine", "A": [[1]]}
    domain = {"R": 8, "Ry": 32, "delta": 1, "grid": grid}
    Path("t.json").write_text(json.dumps({"tasks": [task], "domain": domain}))
    assert command("build", "--tasks", "t.json", "--m", "3", "--out", "a").code == 0
    done = command("verify", "a", "--prompts", "50", "--executor", "numpy", "--executor", "exact")
    assert done.code == 0, done.err
