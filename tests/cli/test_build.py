import json
from pathlib import Path

import pytest

from construct import ConstructError, load
from construct.artifact.config import checksum
from construct.rational import rational


def test_K_4_d_16_has_width_77_seven_layers_and_four_heads(command):
    done = command("build", "--K", "4", "--d", "16")
    assert done.code == 0
    assert "(4+2*0)*16 + 2*0 + 6 + 1 + 6 = 77" in done.out
    made = load("construct-K4-d16")
    assert made.transformer.W_E.shape[1] == 77
    assert [len(layer.heads) for layer in made.transformer.layers] == [4] * 7
    assert (made.sizes.m, made.sizes.n) == (32, 2)


def test_with_64_tasks_the_width_is_the_same(command):
    done = command("build", "--K", "64", "--d", "16", "--json")
    facts = json.loads(done.out)
    assert (facts["width"], facts["heads"], facts["layers"]) == (77, 64, 7)


def test_json_counts_what_is_in_the_artifact(command):
    facts = json.loads(command("build", "--K", "2", "--d", "3", "--json", "--out", "a").out)
    tensors = load("a").transformer.tensors().values()
    assert facts["artifact"] == "a"
    assert facts["parameters"] == sum(t.size for t in tensors)
    assert facts["nonzeros"] == sum((t != 0).sum() for t in tensors)
    assert facts["certified"] == ["float32", "float64"]


def test_the_accuracy_and_the_limits_of_each_format_are_printed(command):
    done = command("build", "--K", "4", "--d", "16", "--out", "a")
    made = load("a")
    ulps, limit = made.accuracy["float32"].ulps, made.limits["float32"]
    assert f"float32: within {ulps} ulp of its largest term" in done.out
    assert f"float32: m up to {limit.m}, or R and R_y up to {float(limit.times)} times" in done.out
    facts = json.loads(command("build", "--K", "4", "--d", "16", "--json", "--out", "b").out)
    assert facts["answer_ulp"] == {name: made.accuracy[name].ulps for name in made.certified}
    assert facts["limits"]["float32"] == {"m": limit.m, "times": str(limit.times)}


def test_the_table_fits_80_columns_and_has_no_colours_in_a_file(command):
    done = command("build", "--K", "12", "--d", "5")
    assert max(map(len, done.out.splitlines())) <= 80
    assert "\x1b" not in done.out


def test_the_seed_decides_the_tasks(command):
    for seed, out in ((1, "a"), (1, "b"), (2, "c")):
        command("build", "--K", "3", "--d", "4", "--seed", seed, "--out", out)
    tasks = [[t.definition for t in load(name).tasks] for name in ("a", "b", "c")]
    assert tasks[0] == tasks[1]
    assert tasks[0] != tasks[2]


def test_a_task_file_gives_its_own_sizes(command):
    Path("t.json").write_text(
        json.dumps(
            {
                "d": 1,
                "n": 3,
                "tasks": [
                    {"name": "op1", "kind": "retrieval", "position": 1},
                    {"name": "sum", "kind": "affine", "A": {"1": [[1]], "2": [[1]]}, "b": [0]},
                ],
                "domain": {"R": 8, "Ry": 32, "delta": 1},
            }
        )
    )
    assert command("build", "--tasks", "t.json", "--m", "5", "--out", "a").code == 0
    made = load("a")
    assert (made.sizes.K, made.sizes.d, made.sizes.m, made.sizes.n, made.sizes.S) == (2, 1, 5, 3, 1)
    assert made.domain.Ry == 32


WORDS = {"tasks": [{"name": "t", "kind": "lookup", "table": {"a": "b"}}]}
SHIFTS = [{"name": "p1", "kind": "shift", "by": [1]}, {"name": "p2", "kind": "shift", "by": [2]}]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--K", "0", "--d", "4"], "--K"),
        (["--K", "4", "--d", "0"], "--d"),
        (["--K", "2.5", "--d", "4"], "--K"),
        (["--K", "4", "--d", "4", "--m", "0"], "--m"),
        (["--K", "4", "--d", "4", "--n", "1"], "n is 1"),
        (["--K", "4"], "--K and --d"),
        ([], "--K and --d"),
        (["--tasks", "absent.json"], "absent.json"),
        (["--tasks", "t.json", "--K", "3"], "K = 2"),
        (["--tasks", "t.json", "--d", "3"], "d = 1"),
        (["--tasks", "words.json", "--n", "1"], "n is 1"),
        (["--K", "99999999999999999999", "--d", "2"], "choose a smaller K or d"),
        (["--K", "2", "--d", "1000000000000"], "choose a smaller K or d"),
        (["--K", "2", "--d", "2", "--m", "1000000000000"], "numbers that are not 0, about"),
        (["--tasks", "twice.json"], "holds 'a' twice"),
        (["--tasks", "control.json"], "printable"),
        (["--tasks", "nameless.json"], "lacks a name"),
        (["--tasks", "huge.json"], "beyond the range of float64"),
        (["--tasks", "nan.json"], "NaN"),
        (["--tasks", "infinity.json"], "infinity.json"),
        (["--tasks", "broken.json"], "not valid JSON"),
        (["--tasks", "twins.json"], "same map"),
        (["--tasks", "names.json"], "two tasks are named"),
        (["--tasks", "binary.json"], "UTF-8"),
        (["--tasks", "t.json", "--out", "file"], "file"),
        (["--tasks", "t.json", "--out", "file/under"], "file/under"),
        (["--tasks", "t.json", "--out", "folder"], "not an artifact"),
    ],
)
def test_bad_input_is_one_sentence_and_leaves_nothing(command, arguments, said):
    shift = {"name": "p1", "kind": "shift"}
    Path("t.json").write_text(json.dumps({"tasks": SHIFTS}))
    Path("words.json").write_text(json.dumps(WORDS))
    Path("nan.json").write_text('{"tasks": [{"name": "p", "kind": "shift", "by": [NaN]}]}')
    Path("infinity.json").write_text('{"tasks": [{"name": "p", "kind": "shift", "by": [1e999]}]}')
    Path("twice.json").write_text(
        '{"tasks": [{"name": "t", "kind": "lookup", "table": {"a": "b", "a": "c"}}]}'
    )
    lookup = {"name": "t", "kind": "lookup"}
    Path("control.json").write_text(json.dumps({"tasks": [{**lookup, "table": {"a\x1b": "b"}}]}))
    Path("nameless.json").write_text(json.dumps({"tasks": [{"kind": "shift", "by": [1]}]}))
    Path("huge.json").write_text('{"tasks": [{"name": "s", "kind": "shift", "by": [1e400]}]}')
    Path("broken.json").write_text('{"tasks": [')
    Path("twins.json").write_text(
        json.dumps({"tasks": [SHIFTS[0], {**SHIFTS[0], "name": "again"}]})
    )
    Path("names.json").write_text(json.dumps({"tasks": [SHIFTS[0], {**shift, "by": [5]}]}))
    Path("binary.json").write_bytes(b"\xff\xfe\x00")
    Path("file").write_text("mine")
    Path("folder").mkdir()
    Path("folder/mine.txt").write_text("mine")
    before = sorted(map(str, Path().rglob("*")))
    done = command("build", *arguments)
    assert done.code == 2
    assert said in done.err
    assert "Traceback" not in done.err
    assert sorted(map(str, Path().rglob("*"))) == before
    assert Path("file").read_text() == Path("folder/mine.txt").read_text() == "mine"


def test_a_domain_at_the_ends_of_float64_is_built_and_printed(command):
    """A math domain error came after the artifact was written."""
    extremes = ((10**300, 10**300, 0), ("1e-300", "1e-300", 2), (10**300, 1, 2), (8, 10**300, 0))
    for k, (R, delta, code) in enumerate(extremes):
        domain = {"R": R, "Ry": R, "delta": delta}
        task = {"name": "f", "kind": "affine", "A": [[1]]}
        Path("t.json").write_text(json.dumps({"tasks": [task], "domain": domain}))
        for form in ([], ["--json"]):
            out = f"a{k}{len(form)}"
            done = command("build", "--tasks", "t.json", "--m", 1, "--out", out, *form)
            assert done.code == code
            assert "Traceback" not in done.err
            assert Path(out).exists() == (code == 0)
            if not code:
                assert load(out).domain.delta == rational(delta)
            if not code and not form:
                assert max(map(len, done.out.splitlines())) <= 80


@pytest.mark.parametrize("form", [[], ["--json"]], ids=["table", "json"])
def test_what_fails_in_the_report_fails_before_the_artifact_is_written(command, monkeypatch, form):
    def fail(*args):
        raise ConstructError("no limits today.")

    monkeypatch.setattr("construct.compiler.limits", fail)
    done = command("build", "--K", 1, "--d", 1, "--out", "a", *form)
    assert done.code == 2
    assert not Path("a").exists()


LONG = [
    '{"tasks": [{"name": "f", "kind": "affine", "A": [[%s]]}]}' % ("7" * 5000),
    '{"tasks": [{"name": "f", "kind": "affine", "A": [[0.%s]]}]}' % ("7" * 5000),
    '{"tasks": [{"name": "f", "kind": "affine", "A": [["1/%s"]]}]}' % ("7" * 5000),
    '{"tasks": [{"name": "f", "kind": "shift", "by": 1%s, "modulo": 3}]}' % ("0" * 700),
    '{"tasks": [{"name": "f", "kind": "affine", "A": {"%s": [[1]]}}]}' % ("1" * 5000),
    '{"tasks": [{"name": "f", "kind": "affine", "A": [[1]]}], "domain": '
    '{"R": 1, "Ry": 1, "delta": 1%s}}' % ("0" * 700),
]


@pytest.mark.parametrize("text", LONG, ids=range(len(LONG)))
def test_numbers_of_thousands_of_digits_are_one_sentence(command, text):
    Path("t.json").write_text(text)
    done = command("build", "--tasks", "t.json", "--out", "a")
    assert done.code == 2
    assert "600 digits" in done.err or "whole numbers from 1" in done.err
    assert len(done.err) < 300
    assert not Path("a").exists()


TENTH = {
    "tasks": [
        {"name": "x", "kind": "retrieval", "position": 1},
        {"name": "x + 1/10", "kind": "shift", "by": ["1/10"]},
        {"name": "far", "kind": "affine", "A": [[-1]], "b": [5]},
    ],
    "d": 1,
    "domain": {"R": 8, "Ry": 32, "delta": 1},
}


def test_the_format_of_prompts_is_kept_with_the_artifact(command):
    Path("t.json").write_text(json.dumps({**WORDS, "format": "{1} = {y}"}))
    assert command("build", "--tasks", "t.json", "-o", "a").code == 0
    made = load("a")
    assert made.format == "{1} = {y}"
    unit = [[0, 1]]
    assert (
        made.prompt("a = b\nb =").query.tolist()
        == made.prompt("a = b\nb = ?").query.tolist()
        == unit
    )
    Path("t.json").write_text(json.dumps(WORDS))
    assert command("build", "--tasks", "t.json", "-o", "a").code == 0
    assert load("a").format is None
    # An artifact of before there were formats.
    config = json.loads(Path("a/config.json").read_text())
    del config["prompt_format"]
    config["checksums"]["config.json"] = checksum(config)
    Path("a/config.json").write_text(json.dumps(config))
    assert load("a").prompt("a -> b\nb ->").query.tolist() == unit


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ("{1} {2} = {y}", "has 2 operands"),
        ("= {y}", "the format is '= {y}'"),
        (7, "the format is 7"),
    ],
)
def test_a_format_that_does_not_fit_leaves_nothing(command, form, said):
    Path("t.json").write_text(json.dumps({**WORDS, "format": form}))
    done = command("build", "--tasks", "t.json", "-o", "a")
    assert (done.code, Path("a").exists()) == (2, False)
    assert said in done.err
    Path("t.json").write_text(json.dumps({"tasks": SHIFTS, "format": "{1} = {y}"}))
    assert "these tasks have no words" in command("build", "--tasks", "t.json", "-o", "a").err


def test_a_table_beside_the_task_file_is_stored_as_the_table_itself(command):
    Path("data").mkdir()
    Path("data/t.csv").write_text("word,t\na,b\nb,a\n")
    task = {"name": "t", "kind": "lookup", "table": "t.csv"}
    Path("data/t.json").write_text(json.dumps({"tasks": [task]}))
    assert command("build", "--tasks", "data/t.json", "-o", "a").code == 0
    Path("data/t.csv").unlink()
    assert load("a").definitions == [{**task, "table": {"a": "b", "b": "a"}, "position": 1}] or (
        load("a").definitions == [{**task, "table": {"a": "b", "b": "a"}}]
    )
    assert "cannot read data/t.csv" in command("build", "--tasks", "data/t.json", "-o", "b").err


def test_tasks_that_exclude_each_other_are_named_in_a_warning(command):
    Path("t.json").write_text(json.dumps(TENTH))
    done = command("build", "--tasks", "t.json", "--out", "a")
    assert done.code == 0
    assert done.err == (
        "construct: warning: no example can vote for task 'x' or 'x + 1/10': anywhere in the "
        "domain they are less than delta = 1 apart and never equal; build with a delta of at "
        "most 1/10.\n"
    )
    done = command("build", "--tasks", "t.json", "--out", "b", "--json")
    assert done.err == ""
    [warning] = json.loads(done.out)["warnings"]
    assert "'x' or 'x + 1/10'" in warning


def test_a_build_of_tasks_that_all_can_have_votes_warns_of_nothing(command):
    done = command("build", "--K", "3", "--d", "4", "--json")
    assert done.err == ""
    assert json.loads(done.out)["warnings"] == []
