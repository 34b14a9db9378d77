import json
from dataclasses import replace
from pathlib import Path

import pytest

from construct import ConstructError, load
from construct.cli.plan import _about_bytes, _about_time
from construct.cost import machine, process
from construct.cost.machine import Command, Machine

PLUS = {
    "d": 2,
    "tasks": [
        {"name": "sum", "kind": "sum", "positions": [1, 2]},
        {"name": "size", "kind": "absolute"},
        {"name": "third", "kind": "affine", "A": [["1/3", 0], [0, 1]]},
    ],
}

RATES = ("flops", "terms", "fresh", "objects")
MACHINE = Machine(
    flops=5e10,
    terms=3e8,
    fresh=2e9,
    objects=2e6,
    build=Command(0.4, 60_000_000),
    run={"dense": Command(1.8, 290_000_000), "sparse": Command(2.0, 320_000_000)},
)


@pytest.fixture(autouse=True)
def _no_processes(request, monkeypatch):
    """A machine that is given; measuring takes seconds."""
    if "measured" not in request.node.name:
        monkeypatch.setattr(machine, "measured", lambda _: MACHINE)


def plan(command, *arguments) -> dict:
    done = command("plan", *arguments, "--json")
    assert done.code == 0, done.err
    return json.loads(done.out)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--K", "4", "--d", "16"),
        ("--K", "3", "--d", "2", "--m", "9", "--n", "5", "--seed", "7"),
        ("--tasks", "plus.json", "--m", "6"),
        ("--tasks", "words.json"),
    ],
)
def test_plan_says_what_build_makes(command, arguments):
    Path("plus.json").write_text(json.dumps(PLUS))
    table = {"a": "b", "b": "c"}
    words = {"tasks": [{"name": "t", "kind": "lookup", "table": table}]}
    Path("words.json").write_text(json.dumps(words))
    said = plan(command, *arguments)
    assert not list(Path().glob("construct-*"))
    made = json.loads(command("build", *arguments, "--json", "--out", "a").out)
    same = ("sizes", "layers", "heads", "width", "formula", "parameters", "nonzeros", "tasks")
    for name in (*same, "certified", "not_certified"):
        assert said[name] == made[name], name
    rounded = [e for _, part in load("a").transformer.parts() for e in part.exact.values()]
    assert said["rounded"] == sum(map(len, rounded))
    model = Path("a/model.safetensors").read_bytes()
    header = 8 + int.from_bytes(model[:8], "little")
    assert said["artifact_bytes"] == len(model) - header


def test_memory_is_by_dtype_and_devices(command):
    wide = plan(command, "--K", "4", "--d", "8")
    half = plan(command, "--K", "4", "--d", "8", "--dtype", "float32", "--devices", "2")
    assert (half["dtype"], half["devices"]) == ("float32", 2)
    for way in ("dense", "sparse"):
        found = wide[way]
        assert 0 < found["estimated_seconds"] < wide["run"][way]["seconds"]
        assert found["peak_bytes_per_device"] == found["peak_bytes"] == 2 * half[way]["peak_bytes"]
    assert 2 * half["dense"]["peak_bytes_per_device"] == half["dense"]["peak_bytes"]
    assert half["sparse"]["peak_bytes_per_device"] < half["sparse"]["peak_bytes"]


def commands(said: dict) -> list[dict]:
    return [said["build"], *said["run"].values()]


def test_estimates_are_of_whole_processes_by_what_the_machine_does(command, monkeypatch):
    def said_by(times: float) -> list[dict]:
        """With a machine that is so many times as fast, the start aside."""
        rates = {name: times * getattr(MACHINE, name) for name in RATES}
        monkeypatch.setattr(machine, "measured", lambda _: replace(MACHINE, **rates))
        return commands(plan(command, "--K", "4", "--d", "8", "--m", "99"))

    small = [MACHINE.build, *MACHINE.run.values()]
    once, twice, at_once = said_by(1), said_by(2), said_by(2**70)
    for start, one, two, least in zip(small, once, twice, at_once, strict=True):
        assert one["bytes"] == two["bytes"] > start.bytes
        assert one["seconds"] - start.seconds == pytest.approx(2 * (two["seconds"] - start.seconds))
        assert one["seconds"] > start.seconds == pytest.approx(least["seconds"])


def test_formulas_take_what_it_takes_to_hold_them(command, tmp_path):
    """Each hinge takes time and room; a build takes SymPy too, and the time that holding took."""

    def said_of(epsilon: str) -> list[dict]:
        tasks = [{"name": "wave", "kind": "formula", "f": ["sin(x[1])"], "epsilon": epsilon}]
        domain = {"R": 4, "Ry": 4, "delta": 1}
        path = tmp_path / "tasks.json"
        path.write_text(json.dumps({"tasks": tasks, "domain": domain}))
        return commands(plan(command, "--tasks", str(path)))

    few, more = said_of("1/10"), said_of("1/1000")
    assert all(one["bytes"] < other["bytes"] for one, other in zip(few, more, strict=True))
    # The seconds of a build are those that holding has taken here, and differ each time.
    runs = zip(few[1:], more[1:], strict=True)
    assert all(one["seconds"] < other["seconds"] for one, other in runs)
    least = process.Load(words=9, heads=9, weights=9, prompt=9, hinges=9)
    formulas = replace(least, holding=5.0, formulas=True)
    one, other = (process.build(own, MACHINE) for own in (least, formulas))
    assert other.seconds == pytest.approx(one.seconds + 5)
    assert other.bytes > one.bytes + (1 << 25)


def test_what_build_refuses_plan_refuses_in_the_same_sentence(command, tmp_path):
    """A task of two positions within an error, alone: its layer 1 has one head."""
    task = {"name": "f", "kind": "formula", "f": ["sin(x[1, 1]) + x[2, 1]"], "epsilon": "1/50"}
    file = tmp_path / "one.json"
    file.write_text(json.dumps({"tasks": [task], "domain": {"R": 2, "Ry": 4, "delta": "1/4"}}))
    said = command("plan", "--tasks", str(file))
    built = command("build", "--tasks", str(file), "-o", str(tmp_path / "made"))
    assert (said.code, built.code) == (2, 2)
    assert "eight layers" in said.err
    assert said.err == built.err


def test_more_tables_and_slots_take_more(command):
    few, more = (
        commands(plan(command, "--K", *sizes))
        for sizes in (("4", "--d", "8"), ("8", "--d", "80", "--m", "99"))
    )
    for one, other in zip(few, more, strict=True):
        assert one["seconds"] < other["seconds"]
        assert one["bytes"] < other["bytes"]


def test_a_machine_is_measured_in_processes_of_their_own():
    found = machine.measured("float32")
    assert min(getattr(found, name) for name in RATES) > 0
    assert list(found.run) == ["dense", "sparse"]
    for one in (found.build, *found.run.values()):
        assert one.seconds > 0
        # Python, NumPy and SciPy alone are more.
        assert one.bytes > 10**7
    with pytest.raises(ConstructError, match=r"'construct run' failed .*nowhere"):
        machine.command("run", "nowhere", "prompt")


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.00094, "0.0009 s"),
        (0.36, "0.4 s"),
        (14.9, "10 s"),
        (61, "1 min"),
        (3 * 3600, "3 hours"),
        (1.2 * 86400, "1 day"),
        (4.2e10 * 31557600, "4e+10 years"),
    ],
)
def test_times_have_one_digit(seconds, said):
    assert _about_time(seconds) == said


@pytest.mark.parametrize(
    ("count", "said"),
    [(8, "8 bytes"), (61e6, "60 MB"), (0.49e9, "0.5 GB"), (2.2e9, "2 GB"), (1e40, "1e+22 EB")],
)
def test_bytes_have_one_digit(count, said):
    assert _about_bytes(count) == said


@pytest.mark.parametrize("m", ["1", "500000000000", "1" + 70 * "0"])
def test_the_table_fits_80_columns_at_any_size(command, m):
    done = command("plan", "--K", "12", "--d", "5", "--m", m, "--devices", "1024")
    assert done.code == 0
    assert max(map(len, done.out.splitlines())) <= 80
    assert "estimates of whole processes" in done.out
    assert "on each of 1,024 devices" in done.out


def test_on_paper_mn_may_be_a_million_million(command):
    said = plan(command, "--K", "64", "--d", "256", "--m", "500000000000", "--n", "2")
    assert said["width"] == 6 * 256 - 2 * 256 + 39 + 1 + 6
    assert said["sizes"]["N"] == 1 << 40
    assert said["heads_not_idle"] == [0, 1, 1, 64, 1, 1, 1]
    assert "float64" in said["not_certified"]
    assert said["sparse"]["flops"] < said["dense"]["flops"] / 10**9
    assert said["run"]["sparse"]["seconds"] < said["run"]["dense"]["seconds"] / 10**6
    assert said["run"]["dense"]["executor"] == "jax"


def test_the_worked_example_is_printed(command):
    done = command("plan", "--K", "4", "--d", "16")
    assert "(4+2*0)*16 + 2*0 + 6 + 1 + 6 = 77" in done.out
    assert "0 + 1 + 1 + 4 + 1 + 1 + 1 = 9" in done.out
    assert "float32, float64, exact rationals" in done.out
    assert "about 2 s, 0.3 GB (--executor jax)" in done.out
    assert not list(Path().iterdir())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--K", "4"], "--K and --d"),
        (["--K", "4", "--d", "4", "--n", "1"], "n is 1"),
        (["--K", "4", "--d", "4", "--devices", "0"], "--devices"),
        (["--K", "4", "--d", "4", "--dtype", "float16"], "--dtype"),
        (["--K", "99999999999999999999", "--d", "2"], "smaller K or d"),
        (["--K", "2", "--d", "1000000000000"], "smaller K or d"),
        (["--K", "2", "--d", "2", "--m", "1" + 99 * "0"], "smaller --m or --n"),
        (["--tasks", "plus.json", "--K", "2"], "K = 3"),
        (["--tasks", "plus.json", "--n", "2"], "reads position 2"),
        (["--tasks", "far.json"], "from 1 to 10^9"),
        (["--tasks", "huge.json"], "beyond the range of float64"),
    ],
)
def test_bad_input_is_one_sentence(command, arguments, said):
    Path("plus.json").write_text(json.dumps(PLUS))
    far = {"name": "far", "kind": "retrieval", "position": 10**100}
    Path("far.json").write_text(json.dumps({"d": 1, "tasks": [far]}))
    Path("huge.json").write_text('{"tasks": [{"name": "s", "kind": "shift", "by": [1e400]}]}')
    done = command("plan", *arguments)
    assert done.code == 2
    assert said in done.err
    assert "Traceback" not in done.err
