"""`construct export`: what it prints, writes and refuses."""

import json
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def words(command):
    """A decoder of words in the folder `words`."""
    arguments = "--design", "decoder", "--m", "8", "--out", "words"
    assert command("build", "--tasks", EXAMPLES / "capitals.json", *arguments).code == 0


def test_it_says_what_it_will_write_and_what_it_compared(command, words):
    done = command("export", "words", "--to", "huggingface")
    assert done.code == 0, done.err
    first, *rest = done.out.splitlines()
    assert first.startswith("huggingface in float32: ")
    assert first.endswith(" bytes to write")
    assert rest[0].startswith("compared")
    assert "written to  words-huggingface" in rest[-1]
    assert all(len(line) <= 80 for line in done.out.splitlines())
    names = {path.name for path in Path("words-huggingface").iterdir()}
    assert names >= {"config.json", "model.safetensors", "tokenizer.json", "README.md"}
    assert names >= {"construct.json", "generation_config.json"}
    assert not [path for path in Path().iterdir() if path.name.startswith(".")]


def test_json(command, words):
    arguments = "--dtype", "float64", "-o", "there/hf", "--json"
    done = command("export", "words", "--to", "huggingface", *arguments)
    report = json.loads(done.out)
    assert (report["folder"], report["to"], report["dtype"]) == (
        "there/hf",
        "huggingface",
        "float64",
    )
    assert report["bytes"] == sum(path.stat().st_size for path in Path("there/hf").iterdir())
    assert set(report["files"]) == {path.name for path in Path("there/hf").iterdir()}
    found = report["comparison"]
    assert found["queries"] > found["prompts"] > 1
    assert 0 <= found["worst"] <= found["allowed"] < 1e-6
    assert "bytes to write" in done.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--to", "keras"), "'keras' is not one of 'huggingface', 'onnx', 'transformerlens'"),
        ((), "Missing option '--to'"),
        (("--to", "huggingface", "-o", "words"), "words exists; choose another folder"),
        (("--to", "huggingface", "--limit", "0"), "0 is not in the range x>=1"),
    ],
)
def test_what_is_refused(command, words, arguments, said):
    done = command("export", "words", *arguments)
    assert done.code == 2
    assert said in " ".join(done.err.split())


def test_the_theorems_design_is_refused_before_anything_is_said(command):
    assert command("build", "--K", "2", "--d", "2", "--out", "relu").code == 0
    done = command("export", "relu", "--to", "huggingface")
    assert (done.code, done.out) == (2, "")
    assert "build its tasks with --design decoder or --design encoder" in done.err


def test_vectors_in_float64_are_refused(command):
    arguments = "--design", "decoder", "--out", "vectors"
    assert command("build", "--K", "2", "--d", "2", "--m", "3", *arguments).code == 0
    done = command("export", "vectors", "--to", "huggingface", "--dtype", "float64")
    assert done.code == 2
    assert "norms compute in float32" in done.err
