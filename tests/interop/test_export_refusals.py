"""What an export refuses, in one sentence each, and that it leaves nothing behind."""

import importlib.metadata
from dataclasses import replace

import numpy as np
import pytest

from construct import CheckFailed, ConstructError, Vocabulary, build, lookup, random_tasks
from construct.interop import Library, comparison, huggingface, target
from construct.interop import export as exporting
from construct.interop.export import export
from construct.interop.huggingface import gpt2


def decoder(words: int = 6, m: int = 3):
    vocabulary = Vocabulary([f"w{i}" for i in range(words)])
    tasks = [
        lookup(
            f"t{k}", {f"w{i}": f"w{(i + k) % words}" for i in range(words)}, vocabulary=vocabulary
        )
        for k in (1, 2)
    ]
    return build(tasks, m=m, vocabulary=vocabulary, design="decoder")


@pytest.fixture(scope="module")
def made():
    return decoder()


def refused(made, folder, match: str, kind=ConstructError, **options) -> None:
    """It is refused, and nothing is left behind."""
    before = sorted(folder.parent.iterdir()) if folder.parent.exists() else []
    with pytest.raises(kind, match=match) as raised:
        export(made, "huggingface", folder, **options)
    assert raised.type is kind
    assert str(raised.value).count("\n") == 0
    assert (sorted(folder.parent.iterdir()) if folder.parent.exists() else []) == before


def test_the_theorems_design_is_refused(tmp_path):
    refused(build(random_tasks(2, 2, 0)), tmp_path / "x", "ReLU attention")


def test_an_unknown_target_is_refused(made, tmp_path):
    with pytest.raises(ConstructError, match=r"there is no target 'keras'.*: huggingface, onnx"):
        export(made, "keras", tmp_path / "x")


def test_what_exists_is_refused(made, tmp_path):
    taken = tmp_path / "taken"
    taken.mkdir()
    refused(made, taken, "taken exists; choose another folder")
    file = tmp_path / "file"
    file.write_text("")
    refused(made, file, "file exists")
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "nowhere")
    refused(made, link, "link exists")


def test_a_folder_below_a_file_is_refused(made, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConstructError, match=r"cannot write .*file/x: "):
        export(made, "huggingface", tmp_path / "file" / "x")


def test_folders_on_the_way_are_made(made, tmp_path):
    export(made, "huggingface", tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b" / "config.json").exists()


def test_each_stage_says_how_far_it_is(made, tmp_path):
    told = []
    export(made, "huggingface", tmp_path / "x", progress=lambda *done: told.append(done))
    stages = {stage: [done[1:] for done in told if done[0] == stage] for stage, _, _ in told}
    assert list(stages) == ["weights", "write", "compare"]
    for steps in stages.values():
        [total] = {total for _, total in steps}
        assert [done for done, _ in steps] == list(range(total + 1))


@pytest.mark.parametrize(
    "wrong", [{"to": 3}, {"folder": 3}, {"dtype": 32}, {"limit": 0}, {"progress": None}]
)
def test_arguments_of_other_types_are_refused(made, tmp_path, wrong):
    given = {"to": "huggingface", "folder": tmp_path / "x", **wrong}
    with pytest.raises(ConstructError, match=f"{next(iter(wrong))} is .*; it must be"):
        export(made, given.pop("to"), given.pop("folder"), **given)


def test_a_format_that_is_not_certified_is_refused(tmp_path):
    made = build(random_tasks(2, 2, 0), m=3, design="encoder")
    object.__setattr__(made, "certificates", {"float32": ["why"], "float64": []})
    refused(
        made,
        tmp_path / "x",
        "float32 is not certified for this artifact; export it in float64",
        dtype="float32",
    )
    assert exporting.format_of(made, None) == "float64"
    object.__setattr__(made, "certificates", {"float32": ["why"], "float64": ["why"]})
    refused(made, tmp_path / "x", "no float format is certified")


def test_a_missing_library_is_told_with_its_extra(made, tmp_path, monkeypatch):
    def missing(package):
        raise importlib.metadata.PackageNotFoundError(package)

    monkeypatch.setattr(importlib.metadata, "version", missing)
    refused(made, tmp_path / "x", r"needs the package transformers.*construct-icl\[huggingface\]'")


@pytest.mark.parametrize(
    ("version", "fits"), [("4.57.1", False), ("5.0.0", True), ("10.1rc1", True)]
)
def test_an_old_library_is_told_with_its_version(monkeypatch, version, fits):
    monkeypatch.setattr(huggingface, "LIBRARIES", (Library("transformers", "5.0"),))
    monkeypatch.setattr(importlib.metadata, "version", lambda package: version)
    if fits:
        assert target("huggingface") is huggingface
    else:
        with pytest.raises(
            ConstructError, match=r"transformers 5\.0 or newer, and 4\.57\.1 is installed"
        ):
            target("huggingface")


def test_a_large_export_is_refused_and_the_largest_vocabulary_named(tmp_path):
    made = decoder(words=60)
    limit = 200_000
    told = []
    refused(
        made,
        tmp_path / "x",
        r"takes [\d,]+ bytes, and the limit is 200,000; raise the limit with --limit, or build with"
        r" a vocabulary of about \d+ words in place of 60",
        limit=limit,
        announce=told.append,
    )
    assert told == [huggingface.cost(made, "float32")]
    sizes = [huggingface.cost(made, "float32", words) for words in range(1, 61)]
    assert sizes == sorted(sizes)
    fits = sum(size <= limit for size in sizes)
    refused(made, tmp_path / "x", f"about {fits} words", limit=limit)
    # A vocabulary of as many words is about as large as was said.
    assert huggingface.cost(decoder(words=fits), "float32") <= 1.2 * limit
    refused(made, tmp_path / "x", "export it in float32, or raise", limit=limit, dtype="float64")


def test_no_vocabulary_is_named_where_none_would_do(tmp_path):
    refused(decoder(), tmp_path / "x", r"the limit is 10; raise the limit with --limit\.", limit=10)
    vectors = build(random_tasks(2, 2, 0), m=3, design="decoder")
    refused(vectors, tmp_path / "x", r"the limit is 10; raise the limit with --limit\.", limit=10)


def test_what_is_beyond_memory_is_refused(made, tmp_path, monkeypatch):
    monkeypatch.setattr(exporting, "memory", lambda: 1000)
    refused(made, tmp_path / "x", "this machine has 1,000 of memory; export it on a larger machine")


@pytest.mark.parametrize("design", ["decoder", "encoder"])
def test_the_bytes_that_are_told_are_those_of_the_weights(design, tmp_path):
    made = build(random_tasks(3, 2, 0), m=3, design=design)
    for made_, name in ((made, "vectors"), (decoder(), "words")):
        export(made_, "huggingface", tmp_path / name)
        files = [p for p in (tmp_path / name).iterdir() if p.suffix == ".safetensors"]
        written = sum(path.stat().st_size for path in files)
        told = huggingface.cost(made_, "float32")
        assert told <= written <= told + 20_000  # the names of tensors


def test_an_export_that_answers_otherwise_fails_and_is_removed(made, tmp_path, monkeypatch):
    honest = gpt2.weights

    def changed(*arguments):
        state = honest(*arguments)
        state["transformer.h.1.attn.c_attn.weight"] *= 0.5
        return state

    monkeypatch.setattr(gpt2, "weights", changed)
    refused(made, tmp_path / "x", "the export differs by .* from our own executor", CheckFailed)


def test_nan_is_a_difference(made):
    def forward(prompt):
        return np.full((len(prompt.X) + 1, made.sizes.d + 1), np.nan)

    with pytest.raises(CheckFailed, match="differs by nan"):
        comparison.compare(made, forward, "float32", lambda *_: None)


def test_another_shape_is_a_difference(made):
    with pytest.raises(CheckFailed, match="differs by inf"):
        comparison.compare(made, lambda prompt: np.zeros((1, 7)), "float32", lambda *_: None)


def test_a_tokenizer_that_reads_otherwise_fails(made, tmp_path):
    other = replace(made, format="{1}: {y}")
    huggingface.write(made, tmp_path, "float32", lambda *_: None)
    forward = huggingface.load(other, tmp_path, "float32")
    with pytest.raises(Exception, match=r"UNK|does not read a prompt as construct does"):
        forward(other.prompt("w1: w2\nw2:"))
