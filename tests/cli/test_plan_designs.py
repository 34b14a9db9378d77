"""`construct plan --design`: what build would say, without building."""

import json
from pathlib import Path

import pytest
from test_plan import MACHINE, PLUS, plan

from construct.cost import machine, process

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(autouse=True)
def _no_processes(monkeypatch):
    monkeypatch.setattr(machine, "measured", lambda _: MACHINE)


@pytest.mark.parametrize("design", ["decoder", "encoder"])
@pytest.mark.parametrize(
    "arguments",
    [
        ("--K", "4", "--d", "16"),
        ("--K", "3", "--d", "2", "--m", "9", "--n", "5", "--seed", "7"),
        ("--tasks", "plus.json", "--m", "6"),
        ("--tasks", EXAMPLES / "capitals.json"),
        ("--tasks", EXAMPLES / "regression.json", "--m", "3"),
        ("--tasks", EXAMPLES / "digits.json", "--n", "3", "--m", "5"),
    ],
    ids=str,
)
def test_plan_says_what_build_says(command, design, arguments):
    Path("plus.json").write_text(json.dumps(PLUS))
    said = plan(command, *arguments, "--design", design)
    assert not list(Path().glob("construct-*"))
    done = command("build", *arguments, "--design", design, "--json", "--out", "a")
    made = json.loads(done.out)
    for name in made.keys() - {"artifact", "warnings"}:
        assert said[name] == made[name], name
    assert (said["design"], said["layers"]) == (design, made["layers"])
    model = Path("a/model.safetensors").read_bytes()
    assert said["artifact_bytes"] == len(model) - 8 - int.from_bytes(model[:8], "little")
    assert list(said["run"]) == ["dense"]
    assert "sparse" not in said


def test_the_table_says_what_the_design_is_and_what_it_takes(command):
    done = command("plan", "--tasks", EXAMPLES / "capitals.json", "--design", "decoder")
    for line in (
        "decoder of words: causal softmax attention",
        "2d + 2K + ceil(log2(m+1)) + 6",
        "float32, float64, exact (in balls)",
        "run, dense",
        "--executor jax",
    ):
        assert line in done.out
    assert "written to" not in done.out
    assert "sparse" not in done.out


@pytest.mark.parametrize("design", ["decoder", "encoder"])
@pytest.mark.parametrize("m", ["1", "500000000000", "1" + 70 * "0"])
def test_the_table_fits_80_columns_at_any_size(command, design, m):
    done = command("plan", "--K", "12", "--d", "5", "--m", m, "--design", design)
    assert done.code == 0, done.err
    assert max(map(len, done.out.splitlines())) <= 80


def test_powers_take_time(command, monkeypatch):
    """Softmax attention takes longer than its products: a power for each score."""
    arguments = ("--K", "2", "--d", "2", "--m", "10000", "--design", "encoder")
    said = plan(command, *arguments)
    scores = sum(said["heads_not_idle"]) * said["sizes"]["N"] ** 2
    monkeypatch.setattr(process, "POWER", 0)
    without = plan(command, *arguments)["dense"]
    assert without["flops"] == said["dense"]["flops"]
    more = said["dense"]["estimated_seconds"] - without["estimated_seconds"]
    assert more == pytest.approx(2 * 25 * scores / MACHINE.flops)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--devices", "2"], "--devices is 2, and softmax attention runs on one device"),
        (["--scratch", "1"], "the design 'decoder' has no scratch tokens"),
        (["--m", "1" + 99 * "0"], "choose a smaller --m or --n."),
        (["--n", "1"], "n is 1"),
    ],
)
def test_what_a_design_cannot_have_is_one_sentence(command, arguments, said):
    done = command("plan", "--K", "4", "--d", "2", "--design", "decoder", *arguments)
    assert done.code == 2
    assert said in done.err
    assert done.err.count("\n") == 1
