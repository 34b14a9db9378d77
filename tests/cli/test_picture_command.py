import json
import os
from pathlib import Path

import pytest

import construct
from construct.show.picture import diagram, stream


@pytest.fixture
def words(command):
    tasks = [{"name": "next", "kind": "lookup", "table": {"a": "b", "b": "c"}}]
    Path("t.json").write_text(json.dumps({"vocabulary": ["a", "b", "c"], "tasks": tasks}))
    Path("p.txt").write_text("a -> b\nb ->\n")
    assert command("build", "--tasks", "t.json", "--m", "3", "--out", "words").code == 0
    return construct.load("words")


def test_the_file_is_what_the_function_draws(command, words):
    done = command("inspect", "words", "--picture", "layers.svg")
    assert (done.code, done.err) == (0, "")
    assert "layers.svg" in done.out
    assert Path("layers.svg").read_bytes() == diagram(words).encode()


def test_with_a_prompt_it_is_the_stream(command, words):
    done = command("inspect", "words", "--prompt", "p.txt", "--picture", "stream.svg")
    assert (done.code, done.err) == (0, "")
    prompt = words.prompt(Path("p.txt").read_text())
    assert Path("stream.svg").read_text("utf-8") == stream(construct.trace(words, prompt))


def test_json_is_printed_beside_it(command, words):
    plain = command("inspect", "words", "--json").out
    assert command("inspect", "words", "--json", "--picture", "l.svg").out == plain
    plain = command("inspect", "words", "--prompt", "p.txt", "--json").out
    beside = command("inspect", "words", "--prompt", "p.txt", "--json", "--picture", "s.svg")
    assert beside.out == plain
    assert Path("s.svg").exists()


def test_a_picture_is_drawn_over_a_picture_and_over_nothing_else(command, words):
    assert command("inspect", "words", "--picture", "x.svg").code == 0
    assert command("inspect", "words", "--prompt", "p.txt", "--picture", "x.svg").code == 0
    Path("y.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    done = command("inspect", "words", "--picture", "y.svg")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "y.svg exists and is not a picture" in done.err
    assert Path("y.svg").read_text().startswith("<svg xmlns='")
    Path("z.svg").mkdir()
    assert command("inspect", "words", "--picture", "z.svg").code == 2


@pytest.mark.parametrize("name", ["x.png", "svg", "", "x.svg.txt", "no/such/folder/x.svg"])
def test_a_file_that_cannot_be_is_refused_in_one_sentence(command, words, name):
    done = command("inspect", "words", "--picture", name)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert not {"x.png", "svg", "x.svg.txt"} & {*os.listdir()}
