"""Decoders of vectors as a stock Llama, encoders as a stock T5 encoder, by embeddings."""

import ast
import contextlib
import io
import json
import re
import tempfile
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load_file

from construct import ConstructError, build, lookup, mixture, random_tasks
from construct import Vocabulary as Words
from construct.interop import huggingface
from construct.interop.export import export
from construct.spec.taskfile import parse_tasks
from exported import assert_gives_the_mixture, assert_is_the_answer
from share import tried
from softmax.cases import before, off, vector_cases
from theorem.oracle import expected

ENCODERS = [("encoder", dtype) for dtype in ("float32", "float64")]
EXAMPLES = Path(__file__).parents[2] / "examples"


def answers(made, prompt, dtype: str) -> np.ndarray:
    """At each query what the stock class says that was written and loaded."""
    with tempfile.TemporaryDirectory() as name:
        huggingface.write(made, Path(name), dtype, lambda *_: None)
        return huggingface.load(made, Path(name), dtype)(prompt)


def assert_the_mixture(case, prompt, dtype: str) -> None:
    made = case.construction
    found = answers(made, prompt, dtype)
    causal = made.design == "decoder"
    asked = [before(prompt, i) for i in range(len(prompt.X) + 1)] if causal else [prompt]
    assert found.dtype.name == dtype
    for got, one in zip(found, asked, strict=True):
        assert off(got, expected(case, one, dtype).answer) <= float(made.error[dtype])


@tried(6)
@given(data=st.data())
def test_a_llama_gives_the_mixture_at_every_query(data):
    assert_the_mixture(*data.draw(vector_cases("decoder", "float32")), "float32")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@tried(6)
@given(data=st.data())
def test_a_t5_encoder_gives_the_mixture(dtype, data):
    assert_the_mixture(*data.draw(vector_cases("encoder", dtype)), dtype)


@pytest.mark.parametrize(("design", "dtype"), [("decoder", "float32"), *ENCODERS])
def test_shares_of_many_examples_are_those_of_the_format(design, dtype, tmp_path):
    """Thirds and fifths: a softmax in float32 would be far from them in float64."""
    made = build(random_tasks(3, 2, 0), m=8, design=design)
    huggingface.write(made, tmp_path, dtype, lambda *_: None)
    assert_gives_the_mixture(made, huggingface.load(made, tmp_path, dtype), dtype, count=12)


def test_an_encoder_takes_words_with_several_operands():
    words = Words(["a", "b", "c"])
    tasks = [
        lookup("same", {w: w for w in words}, vocabulary=words),
        lookup("next", {"a": "b", "b": "c"}, vocabulary=words, position=2),
    ]
    made = build(tasks, m=3, n=3, vocabulary=words, design="encoder")
    prompt = made.prompt("a, b -> a\nb, a -> b\nc, c -> c\na, b ->").astype("float32")
    [found] = answers(made, prompt, "float32")
    wanted = mixture(made.tasks, prompt).answer.astype(float)
    assert found == pytest.approx(wanted, abs=float(made.error["float32"]))


def test_a_llama_in_float64_is_refused_for_its_norms_compute_in_float32(tmp_path):
    made = build(random_tasks(2, 2, 0), m=3, design="decoder")
    with pytest.raises(ConstructError, match="whose norms compute in float32"):
        export(made, "huggingface", tmp_path / "x", dtype="float64")


# --- The model card: its code runs in the folder, its fields are where it says -----------


def constructed(design: str, tasks: str, form: str | None = None):
    file = parse_tasks((EXAMPLES / tasks).read_text(encoding="utf-8"), tasks, folder=EXAMPLES)
    made = {"vocabulary": file.vocabulary, "domain": file.domain, "format": form or file.format}
    return build(file.tasks, m=6, n=file.n, design=design, **made)


CARDS = {
    "GPT2LMHeadModel": ("decoder", "capitals.json"),
    "GPT2LMHeadModel, lines": ("decoder", "capitals.json", "Q: {1}\nA:\n{y}"),
    "LlamaForCausalLM": ("decoder", "plus.json"),
    "T5EncoderModel": ("encoder", "retrieval.json"),
    "T5EncoderModel, words": ("encoder", "capitals.json"),
}


def ran(folder: Path, monkeypatch) -> tuple[dict, str]:
    """The names that the code of a card has made in its folder, and what it printed."""
    card = (folder / "README.md").read_text(encoding="utf-8")
    monkeypatch.chdir(folder)
    names: dict = {}
    with contextlib.redirect_stdout(io.StringIO()) as said:
        for block in re.findall(r"```python\n(.*?)```", card, re.DOTALL):
            exec(compile(block, "README.md", "exec"), names)
    return names, said.getvalue()


@pytest.mark.parametrize("case", CARDS)
def test_the_code_of_the_model_card_runs_in_its_folder(case, tmp_path, monkeypatch):
    made, stock = constructed(*CARDS[case]), case.split(",")[0]
    done = export(made, "huggingface", tmp_path / "model")
    assert done.comparison.worst <= done.comparison.allowed
    names, said = ran(tmp_path / "model", monkeypatch)
    assert type(names["model"]).__name__ == stock
    if stock == "GPT2LMHeadModel":
        assert_is_the_answer(made, str(first_of(made, names)), "float32")
        *_, both = said.splitlines()
        assert ast.literal_eval(both)[1] == names["tokenizer"].bos_token
    else:
        assert_is_the_answer(made, said, "float32")


def first_of(made, names: dict) -> dict[str, float]:
    """Of the last batch of the code of a card the shares of the first text, word by word."""
    shares = names["logits"][0].double().softmax(-1).tolist()
    return dict(zip(made.vocabulary.words, shares, strict=False))


@pytest.mark.parametrize("stock", CARDS)
def test_the_card_and_construct_json_name_fields_heads_and_tasks(stock, tmp_path):
    made, stock = constructed(*CARDS[stock]), stock.split(",")[0]
    huggingface.write(made, tmp_path, "float32", lambda *_: None)
    card = (tmp_path / "README.md").read_text(encoding="utf-8")
    facts = json.loads((tmp_path / "construct.json").read_text(encoding="utf-8"))
    assert facts["model"] == stock
    for field in made.sizes.residual.fields:
        assert f"| `{field.name}` | {field.start} to {field.start + field.width - 1} |" in card
    for task in made.tasks:
        assert f"| {task.name} |" in card
    assert f"at most {made.sizes.m} examples" in card
    named = [head["name"] for layer in facts["layers"] for head in layer["heads"]]
    ours = [h.name for n in made.transformer.layers for h in n.heads if not h.silent]
    assert named == ours
    error = made.error["float32"]
    assert (
        error <= Fraction(facts["certificate"]["answer_error"]) <= error * (1 + Fraction(1, 2**50))
    )


def test_the_embedding_beside_the_model_is_that_of_the_network(tmp_path):
    made = build(random_tasks(2, 3, 1), m=4, design="encoder")
    huggingface.write(made, tmp_path, "float64", lambda *_: None)
    found = load_file(tmp_path / "embedding.safetensors")
    for name in ("W_E", "W_pos", "W_U"):
        assert (found[name] == getattr(made.transformer, name)).all()
