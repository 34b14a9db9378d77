"""What an export says of itself is true: its bound, its weights, its page."""

import json
import stat
from dataclasses import replace
from fractions import Fraction

import pytest

from construct import CheckFailed, Domain, Vocabulary, build, formula, lookup
from construct.interop.export import export


def formulas(design):
    tasks = [
        formula("sin", ["sin(x[1])"], epsilon=Fraction(1, 100)),
        formula("square", ["x[1]^2 + 5"], epsilon=Fraction(1, 20)),
    ]
    return build(tasks, m=2, domain=Domain(R=2, Ry=16, delta=1), design=design)


@pytest.mark.parametrize("to", ["onnx", "transformerlens", "huggingface"])
@pytest.mark.parametrize("design", ["decoder", "encoder"])
def test_the_bound_has_the_errors_within_which_formulas_are_held(to, design, tmp_path):
    made = formulas(design)
    dtype = made.certified[0]
    export(made, to, tmp_path / "x", dtype=dtype)
    about = json.loads((tmp_path / "x" / "construct.json").read_text())
    most = max(task.epsilon for task in made.held)
    assert about["certificate"]["answer_error"] >= most + made.error[dtype] > Fraction(1, 50)
    assert made.answer_error[dtype] == most + made.error[dtype]


def tables():
    words = Vocabulary(["yes", "no"])
    task = lookup("other", {"yes": "no", "no": "yes"}, vocabulary=words)
    return build([task], m=1, vocabulary=words, design="decoder")


@pytest.mark.parametrize("to", ["onnx", "transformerlens", "huggingface"])
def test_weights_that_the_tasks_do_not_compile_to_are_refused(to, tmp_path):
    made = tables()
    layer = made.transformer.layers[0]
    other = replace(layer, lemma="Something else.")
    layers = (other, *made.transformer.layers[1:])
    made = replace(made, transformer=replace(made.transformer, layers=layers))
    with pytest.raises(CheckFailed, match="not what the tasks compile to"):
        export(made, to, tmp_path / "x")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("to", ["onnx", "transformerlens", "huggingface"])
def test_all_files_may_be_read_by_whom_one_of_them_may(to, tmp_path):
    export(tables(), to, tmp_path / "x")
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "x").rglob("*.*")}
    assert len(modes) == 1


def test_the_page_of_two_words_runs(tmp_path, monkeypatch, capsys):
    import torch

    export(tables(), "huggingface", tmp_path / "x")
    monkeypatch.chdir(tmp_path / "x")
    page = (tmp_path / "x" / "README.md").read_text()
    exec(page.split("```python\n")[1].split("```")[0], {})
    torch.set_grad_enabled(True)
    first = capsys.readouterr().out.splitlines()[0]
    assert first.split()[0] in ("yes", "no")


def test_a_page_of_several_inputs_says_where_its_answers_stand(tmp_path):
    words = Vocabulary(["a", "b"])
    task = lookup("pair", {("a", "b"): "a"}, vocabulary=words)
    made = build([task], m=1, vocabulary=words, design="decoder")
    export(made, "huggingface", tmp_path / "x")
    page = (tmp_path / "x" / "README.md").read_text()
    assert "at the last input of every example and of the query" in page
    assert "at every input" not in page
