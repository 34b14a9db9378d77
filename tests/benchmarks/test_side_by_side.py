"""The benchmark of the designs: what it finds wrong, and what it leaves out."""

import importlib.util
from fractions import Fraction

import numpy as np
import pytest

import common
import designs
from construct import Domain, mixture, save
from construct.spec.domain import ONE_HOT, check_domain


@pytest.fixture(scope="module")
def words():
    case = designs.of_words(6, 2, 4)
    return case, case.build(design="decoder")


def test_prompts_of_words_are_of_the_domain_and_hold_noise():
    case = designs.of_words(20, 3, 200)
    prompt = case.prompt(3)
    check_domain(prompt, case.tasks, ONE_HOT, 200)
    wanted = mixture(case.tasks, prompt)
    assert 10 < len(wanted.unexplained) < 40
    assert min(wanted.votes) > 30


def test_each_design_is_there_with_scratch_tokens_where_they_are_narrower():
    domain = Domain(2, 64, 1)
    case = designs.of_numbers("ReLU", common.relu_tasks(2, 2), 7, domain)
    rows = [designs.row(case, name, made, prompts=6) for name, made in case.built()]
    names = ["theorem, plain", "theorem, scratch", "decoder", "encoder"]
    assert [row["design"] for row in rows] == names
    assert [row["layers"] for row in rows] == [7, 7, 4, 4]
    plain, scratch = rows[:2]
    assert scratch["width"] < plain["width"]
    assert scratch["context"] > plain["context"]
    for row in rows:
        assert row["non-zeros"] < row["parameters"]
        assert row["float64, error"] <= row["float64, certified"] < 1e-7
    assert max(row["float32, error"] for row in rows) > 1e-9  # the theorem's may be exact
    affine = designs.of_numbers("affine", common.paired_tasks(2, 4), 3, common.DOMAIN)
    assert [name for name, _ in affine.built()] == ["theorem", "decoder", "encoder"]


def test_an_answer_beyond_what_is_certified_ends_the_benchmark(words, monkeypatch):
    case, made = words
    assert designs.errors(made, case, "float32", 2)["float32, error"] > 0
    monkeypatch.setattr(designs, "error_bound", lambda *_: Fraction(1, 2**60))
    with pytest.raises(SystemExit, match=r"the design 'decoder' is off by .* is certified"):
        designs.errors(made, case, "float32", 2)


def test_wrong_votes_end_the_benchmark(words, monkeypatch):
    case, made = words
    right = designs.prepare

    def wrong(*arguments):
        run = right(*arguments)

        def go(stream):
            done = run(stream)
            done.attended[...] = 1 - done.attended
            return done

        return go

    monkeypatch.setattr(designs, "prepare", wrong)
    with pytest.raises(SystemExit, match="the answer is wrong"):
        designs.errors(made, case, "float64", 2)


def test_other_logits_of_a_library_end_the_benchmark(words):
    case, made = words
    prompt = case.prompt(0).astype("float32")
    share = mixture(case.tasks, prompt).answer.astype(float)
    logits = np.log(np.maximum(np.append(share, 1 - share.sum()), 1e-30))
    designs.refuse_other_answers(made, prompt, "it", logits + 3)
    for other in (np.roll(logits, 1), np.full(7, np.nan)):
        with pytest.raises(SystemExit, match="it is off by"):
            designs.refuse_other_answers(made, prompt, "it", other)


def test_what_cannot_be_exported_is_left_out_with_a_line(words, tmp_path):
    artifact = save(words[1], tmp_path / "made")
    assert designs.exported(artifact, "onnx") == tmp_path / "onnx"
    said = designs.exported(artifact, "onnx")
    assert "onnx is left out: construct: " in said  # the folder exists


def test_a_library_that_is_not_there_is_left_out_with_a_line(tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    said = designs.exported(tmp_path / "made", "huggingface")
    assert said == "huggingface is left out: the package transformers is not installed."
