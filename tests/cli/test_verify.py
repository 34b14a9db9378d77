import json

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
    assert "Left out, for they take long: jax, numpy, torch; --executor" in done.out
    assert "sparse" in done.out


def test_a_changed_weight_is_found_and_exits_with_4(built, monkeypatch):
    intact = artifact.load

    def sabotaged(directory):
        return with_weight(intact(directory), "layers.4.heads.0.W_V", lambda W: 1.001 * W)

    monkeypatch.setattr(artifact, "load", sabotaged)
    done = built("verify", "a", "--prompts", "20", "--executor", "numpy")
    assert done.code == 4
    assert "DIFFER" in done.out
    assert "more than rounding explains" in done.err
