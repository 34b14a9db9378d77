"""ONNX: the graph as onnxruntime runs it, at every level of its optimisation."""

import json
import re
import subprocess
import sys
from fractions import Fraction as Q
from importlib import metadata

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnxruntime import GraphOptimizationLevel as Level

from construct import CheckFailed, ConstructError, Construction, mixture, prepare
from construct.interop import onnx_
from construct.interop.comparison import compare
from construct.interop.export import export
from construct.interop.inputs import numbers, rows
from construct.interop.onnx_.graph import model_of
from construct.reading import embedded
from exported import (
    CASES,
    RELU,
    answers_of,
    asked,
    assert_gives_the_mixture,
    assert_is_the_answer,
    in_proportion,
    of_vectors,
    of_words,
)
from share import tried
from softmax.cases import allowed_of_words, before, off, vector_cases, word_cases
from theorem.oracle import expected

LEVELS = list(Level.__members__.values())
ALL = CASES | RELU


def session(made: Construction, dtype: str, level: Level = Level.ORT_ENABLE_ALL):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = level
    options.intra_op_num_threads = 1
    model = model_of(made, dtype, {}).SerializeToString()
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def silent(*_) -> None:
    pass


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("case", ALL)
def test_every_design_gives_the_mixture_at_every_level_of_optimisation(case, dtype):
    made = ALL[case]()
    assert dtype in made.certified
    for level in LEVELS:
        assert_gives_the_mixture(
            made, onnx_.forward(made, session(made, dtype, level)), dtype, count=2
        )


@tried(15)
@given(case=word_cases(), dtype=st.sampled_from(["float64", "float32"]))
def test_any_tables_of_words(case, dtype):
    made, prompt = case.build(), case.prompt.astype(dtype)
    found = answers_of(made, onnx_.forward(made, session(made, dtype))(prompt))
    assert len(found) == len(case.examples) + 1
    for i, answer in enumerate(found):
        wanted = mixture(made.tasks, before(case.prompt, i)).answer
        assert off(answer, wanted) <= min(float(made.error[dtype]), allowed_of_words(case, dtype))


@pytest.mark.parametrize("design", ["decoder", "encoder"])
@tried(10)
@given(data=st.data(), dtype=st.sampled_from(["float64", "float32"]))
def test_any_tasks_on_vectors(design, data, dtype):
    case, prompt = data.draw(vector_cases(design, dtype))
    made = case.construction
    for i, answer in enumerate(onnx_.forward(made, session(made, dtype))(prompt)):
        asked = before(prompt, i) if design == "decoder" else prompt
        assert off(answer, expected(case, asked, dtype).answer) <= float(made.error[dtype])


@pytest.mark.parametrize("case", ALL)
def test_the_graph_is_well_formed_and_the_cost_is_what_its_weights_take(case):
    made = ALL[case]()
    model = model_of(made, "float32", {})
    onnx.checker.check_model(model, full_check=True)
    weights = [w for w in model.graph.initializer if len(w.dims) == 2]
    assert sum(4 * np.prod(w.dims) for w in weights) == onnx_.cost(made, "float32")
    assert onnx_.cost(made, "float64") == 2 * onnx_.cost(made, "float32")


@pytest.mark.parametrize("design", ["decoder", "encoder", "theorem"])
def test_the_cost_of_fewer_words_is_no_less_than_they_take(design):
    large, small = in_proportion(90, design), in_proportion(20, design)
    told = onnx_.cost(large, "float32", len(small.vocabulary))
    assert onnx_.cost(small, "float32") <= told < onnx_.cost(large, "float32")
    assert onnx_.cost(large, "float32", len(large.vocabulary)) == onnx_.cost(large, "float32")


@pytest.mark.parametrize("case", ALL)
def test_the_stream_after_each_layer_is_an_output(case):
    made = ALL[case]()
    prompt = _any(made)
    network, prompt = made.transformer, prompt.astype("float64")
    states = prepare("numpy", network, "float64")(embedded(made, [prompt])[0], trace=True).states
    runtime = session(made, "float64")
    names = [f"after_{layer.name}" for layer in network.layers]
    every = [one.name for one in runtime.get_outputs()]
    assert [name for name in every if name.startswith("after")] == names
    for state, found in zip(states[1:], runtime.run(names, onnx_.feeds(made, prompt)), strict=True):
        tokens = found.shape[1]
        assert np.allclose(found[0], state[:tokens], rtol=2**-40, atol=2**-40)


@pytest.mark.parametrize("case", ["words-decoder", "words-theorem"])
def test_the_weights_of_heads_are_an_output(case):
    made = ALL[case]()
    layer = "match" if case == "words-decoder" else "superpose"
    prompt = asked(made).astype("float64")
    feeds, name = onnx_.feeds(made, prompt), f"pattern_{layer}"
    [pattern] = session(made, "float64").run([name], feeds)
    attended = run_of(made, prompt).attended
    layers = [one.name for one in made.transformer.layers]
    ours = attended[layers.index(layer)]
    if case == "words-decoder":
        # What a token gives to the others; ours leaves out the sink.
        tokens = pattern.shape[-1]
        assert np.allclose(pattern[0, ..., 1:].sum(-1), ours[:, :tokens], rtol=0, atol=2**-40)
        assert np.allclose(pattern.sum(-1), 1, rtol=0, atol=2**-40)
    else:
        assert np.array_equal(pattern[0].sum(-1) * made.sizes.N, ours)


def run_of(made, prompt):
    return prepare("numpy", made.transformer, "float64")(embedded(made, [prompt])[0])


def _any(made: Construction):
    from construct.checking.sampling import random_prompts

    return random_prompts(made, 1)[0]


def test_a_batch_is_as_many_prompts_and_a_decoder_takes_any_number_of_tokens():
    made, runtime = of_words(), session(of_words(), "float64")
    one = numbers(made, asked(made))
    other = one.copy()
    other[1:3] = [made.vocabulary.words.index(word) for word in ("Japan", "yen")]
    [both] = runtime.run(["logits"], {"input_ids": np.stack([one, other])})
    for ids, logits in zip((one, other), both, strict=True):
        for tokens in (2, 5, len(ids)):
            [alone] = runtime.run(["logits"], {"input_ids": ids[None, :tokens]})
            assert np.allclose(alone[0], logits[:tokens], rtol=0, atol=2**-40)
    assert not np.allclose(both[0, -1], both[1, -1])


def test_the_rows_of_a_decoder_are_vectors_and_the_flag_of_bos():
    """The last column is the flag: of a decoder that of BOS, and so of its first token alone."""
    made = of_vectors()
    prompt = _any(made)
    given = rows(made, prompt)
    assert given.shape == (1 + 3 * len(prompt.X) + 2, 3)
    assert given[:, -1].tolist() == [1] + [0] * (len(given) - 1)
    assert given[0, :-1].tolist() == [0, 0]
    assert given[1:3, :-1].tolist() == prompt.X[0].tolist()


@pytest.mark.parametrize("case", ALL)
def test_rows_are_what_the_stream_is_made_of(case):
    made = ALL[case]()
    network, prompt = made.transformer, _any(made)
    given = rows(made, prompt.astype("float64"))
    stream = given @ network.W_E + network.W_pos[: len(given)]
    wanted = embedded(made, [prompt.astype("float64")])[0]
    assert np.array_equal(stream, wanted[: len(given)])
    assert not wanted[len(given) :].any()


def test_weights_beyond_two_gigabytes_stand_in_a_file_beside_the_graph(tmp_path, monkeypatch):
    monkeypatch.setattr(onnx_, "MOST", 1000)
    made = of_words(more=20)
    done = export(made, "onnx", tmp_path / "out", dtype="float64")
    names = {path.name for path in done.folder.iterdir()}
    assert {"model.onnx", "model.onnx.data", "construct.json"} <= names
    assert_gives_the_mixture(made, onnx_.load(made, done.folder, "float64"), "float64")
    modes = {(done.folder / name).stat().st_mode for name in names}
    assert len(modes) == 1
    sizes = [(done.folder / name).stat().st_size for name in ("model.onnx", "model.onnx.data")]
    assert sizes[1] > onnx_.cost(made, "float64") / 2 > sizes[0] / 8


def test_the_theorems_design_is_exported_and_compared(tmp_path):
    done = export(of_words("theorem"), "onnx", tmp_path / "out")
    assert done.comparison.worst <= done.comparison.allowed < Q(1, 1000)
    about = json.loads((done.folder / "construct.json").read_text())
    assert about["design"] == "theorem"


def test_a_weight_that_is_not_ours_is_found():
    made = of_words()
    model = model_of(made, "float64", {})
    [weight] = [w for w in model.graph.initializer if w.name == "count.W_O"]
    array = onnx.numpy_helper.to_array(weight).copy()
    array[array != 0] *= 2
    weight.CopyFrom(onnx.numpy_helper.from_array(array, weight.name))
    runtime = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    with pytest.raises(CheckFailed, match="differs by"):
        compare(made, onnx_.forward(made, runtime), "float64", silent)


@pytest.mark.parametrize("case", ALL)
def test_the_page_of_every_design_runs(case, tmp_path, monkeypatch, capsys):
    made = ALL[case]()
    done = export(made, "onnx", tmp_path / "out", dtype="float64")
    monkeypatch.chdir(done.folder)
    page = (done.folder / "README.md").read_text(encoding="utf-8")
    exec(page.split("```python\n")[1].split("```")[0], {})
    assert_is_the_answer(made, capsys.readouterr().out, "float64")


def test_what_is_too_large_is_refused_with_the_largest_vocabulary(tmp_path):
    made = in_proportion(90)
    with pytest.raises(ConstructError, match="vocabulary of about") as told:
        export(made, "onnx", tmp_path / "out", dtype="float64", limit=200_000)
    most = int(re.search(r"about (\d+) words", str(told.value))[1])
    assert onnx_.cost(in_proportion(most), "float64") <= 200_000 < onnx_.cost(made, "float64")
    assert not (tmp_path / "out").exists()


def test_a_library_that_is_missing_is_named_with_its_extra(tmp_path, monkeypatch):
    def missing(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", missing)
    with pytest.raises(ConstructError, match=r"needs the package onnx, .*\[onnx\]'$"):
        export(of_words(), "onnx", tmp_path / "out")


RECIPE = """
import json, sys
sys.modules["construct"] = sys.modules["onnx"] = None
import numpy as np, onnxruntime

session = onnxruntime.InferenceSession("out/model.onnx", providers=["CPUExecutionProvider"])
about = json.loads(session.get_modelmeta().custom_metadata_map["construct"])
words = about["words"]
prompt = "France Paris Japan yen Tokyo Japan yen euro Japan Tokyo France".split()
ids = np.array([[len(words), *map(words.index, prompt)]])
logits, stream = session.run(["logits", "after_match"], {"input_ids": ids})
shares = np.exp(logits[0, -1]) / np.exp(logits[0, -1]).sum()
vote = next(f for f in about["residual_stream"] if f["field"] == "vote")
votes = stream[0, :, vote["start"] : vote["start"] + vote["width"]].round()
print(json.dumps([dict(zip([*words, "none"], shares.tolist())), votes[2::2].tolist()]))
"""


def test_a_script_with_onnxruntime_alone(tmp_path):
    made = of_words()
    export(made, "onnx", tmp_path / "out", dtype="float32")
    done = subprocess.run(
        [sys.executable, "-c", RECIPE], cwd=tmp_path, capture_output=True, text=True
    )
    assert not done.stderr
    shares, votes = json.loads(done.stdout)
    # Japan -> Tokyo twice, yen; back once, which has nothing for France.
    wanted = mixture(made.tasks, asked(made))
    assert wanted.votes == (2, 1, 1)
    for word, share in zip(made.vocabulary.words, wanted.answer, strict=True):
        assert abs(shares[word] - float(share)) <= made.error["float32"]
    assert abs(shares["none"] - 0.25) <= made.error["float32"]
    assert votes == [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0], [1, 0, 0]]
