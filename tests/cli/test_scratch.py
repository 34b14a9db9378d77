"""--scratch, and what `build`, `plan` and `inspect` say of it."""

import json
import re
from pathlib import Path

import pytest
from test_plan import MACHINE

from construct import build
from construct.cost import machine
from hinges import hinge_tasks


@pytest.fixture(autouse=True)
def _files(command, monkeypatch):
    """t.json: three tasks that are narrower with two scratch tokens; measuring takes seconds."""
    monkeypatch.setattr(machine, "measured", lambda _: MACHINE)
    tasks = [task.as_json(words=False) for task in hinge_tasks(0, 3, alike=True)]
    domain = {"R": 3, "Ry": 400, "delta": 1}
    Path("t.json").write_text(json.dumps({"tasks": tasks, "domain": domain}))


def scores(scratch: int) -> int:
    file = json.loads(Path("t.json").read_text())
    made = build(hinge_tasks(0, 3, alike=True), m=2, domain=file["domain"], scratch=scratch)
    busy = [head for layer in made.transformer.layers for head in layer.heads if not head.idle]
    return len(busy) * made.sizes.N**2


SIZES = ("--tasks", "t.json", "--m", "2")
WITH = {"w": 2, "width": 8 + 4 + 2 + 2 + 6, "N": 16}
WITHOUT = {"w": 0, "width": 8 + 12 + 2 + 1 + 6, "N": 8}


def test_what_is_chosen_is_said_beside_the_plain_layout(command):
    wanted = {
        "chosen": WITH | {"dense_scores": scores(2)},
        "other": WITHOUT | {"dense_scores": scores(0)},
    }
    for name in ("build", "plan"):
        done = json.loads(command(name, *SIZES, "--json").out)
        assert done["scratch"] == wanted
        assert (done["width"], done["sizes"]["w"]) == (WITH["width"], 2)
    assert command("build", *SIZES, "--out", "made").code == 0
    assert json.loads(command("inspect", "made", "--json").out)["scratch"] == wanted
    for arguments in (("build", *SIZES), ("plan", *SIZES), ("inspect", "made")):
        said = command(*arguments).out
        assert "w = 2 tokens an example: width 22 instead of 29," in said
        assert "N = 16 tokens instead of 8," in said
        assert f"{scores(2):,} scores in a dense pass instead of {scores(0):,}" in said
        assert max(map(len, said.splitlines())) <= 80
        if arguments[0] != "inspect":
            assert "ceil(log2(n+w))" in said


def test_the_plain_layout_can_be_asked_for_and_the_narrower_one_is_named(command):
    for arguments in (("build", *SIZES), ("plan", *SIZES)):
        done = json.loads(command(*arguments, "--scratch", "0", "--json").out)
        assert (done["scratch"]["chosen"]["w"], done["scratch"]["other"]["w"]) == (0, 2)
        said = command(*arguments, "--scratch", "0").out
        assert "none; with w = 2 tokens an example: width 22 instead of 29," in said
        assert "ceil(log2 n)" in said


def test_where_the_plain_layout_is_the_narrowest_nothing_is_said(command):
    for name in ("build", "plan"):
        assert "scratch" not in command(name, "--K", "2", "--d", "3").out
        assert json.loads(command(name, "--K", "2", "--d", "3", "--json").out)["scratch"] is None
    assert "scratch" not in command("inspect", "construct-K2-d3").out


def test_the_file_may_say_it_and_the_command_line_must_not_say_otherwise(command):
    file = json.loads(Path("t.json").read_text())
    Path("one.json").write_text(json.dumps(file | {"scratch": 1}))
    for name in ("build", "plan"):
        for more in ((), ("--scratch", "1")):
            done = command(name, "--tasks", "one.json", *more, "--json")
            assert json.loads(done.out)["sizes"]["w"] == 1
        done = command(name, "--tasks", "one.json", "--scratch", "2")
        assert (done.code, done.out) == (2, "")
        assert "one.json has scratch = 1; leave out --scratch 2." in done.err


@pytest.mark.parametrize("scratch", ["-1", "4", "1.5", "many"])
def test_other_numbers_of_tokens_are_refused(command, scratch):
    for name in ("build", "plan"):
        done = command(name, *SIZES, "--scratch", scratch)
        assert (done.code, done.out) == (2, "")
        assert re.search("scratch", done.err)
    assert not Path("construct-K3-d2").exists()
