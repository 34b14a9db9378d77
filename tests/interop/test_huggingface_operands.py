"""A decoder of words with several inputs as a stock GPT-2."""

import numpy as np
import pytest
import torch
from hypothesis import assume, given

from construct import ConstructError, Vocabulary, build, lookup
from construct.interop import huggingface
from construct.interop.export import export
from construct.interop.huggingface.tokenizer import tokenizer, written
from construct.interop.inputs import numbers, queries
from share import tried
from softmax.several import OperandCase, operand_cases


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@tried(10)
@given(case=operand_cases())
def test_every_query_has_the_mixture(dtype, case):
    made: OperandCase = case.build()
    assume(dtype in made.certified)
    model, prompt = huggingface.model(made, dtype), case.prompt
    tokens = torch.from_numpy(numbers(made, prompt))
    logits = model(input_ids=tokens[None]).logits[0].detach().double()
    found = logits.softmax(-1).numpy()[queries(made, prompt)]
    assert len(found) == len(case.examples) + 1
    for i, row in enumerate(found):
        words, none = case.votes(i)
        total = sum(words) + none
        wanted = np.array([*words, none]) / total if total else np.array([*words, 1])
        most = float(made.error[dtype])
        assert row[: case.d] == pytest.approx(wanted[:-1], abs=most)
        assert row[case.d] == pytest.approx(wanted[-1], abs=case.d * most)


WORDS = ("red", "pale blue", "green")


def of_two(format: str | None = None):
    """A table of two inputs, and a copy of the second."""
    vocabulary = Vocabulary(WORDS)
    table = {(a, b): WORDS[(i + j) % 3] for i, a in enumerate(WORDS) for j, b in enumerate(WORDS)}
    tasks = [
        lookup("add", table, positions=(1, 2), vocabulary=vocabulary),
        lookup("copy", {word: word for word in WORDS}, position=2, vocabulary=vocabulary),
    ]
    return build(tasks, m=4, n=3, vocabulary=vocabulary, design="decoder", format=format)


# Three examples of the sum, of which one is a copy too.
TEXT = "\n".join(
    [
        "red, pale blue -> pale blue",
        "pale blue, green -> red",
        "green, green -> pale blue",
        "green, pale blue ->",
    ]
)


def test_text_goes_in(tmp_path):
    made = of_two()
    done = export(made, "huggingface", tmp_path / "x", dtype="float64")
    assert done.comparison.worst <= done.comparison.allowed
    read, model = tokenizer(made), huggingface.model(made, "float64")
    batch = read(TEXT, return_tensors="pt")
    assert batch.input_ids[0].tolist() == numbers(made, made.prompt(TEXT)).tolist()
    shares = model(**batch).logits[0, -1].detach().softmax(-1).tolist()
    assert shares[:4] == pytest.approx([0.75, 0.25, 0, 0], abs=float(made.error["float64"]))
    assert read.decode(model.generate(**batch, max_new_tokens=1)[0, -1]) == "red"


@pytest.mark.parametrize("form", ["{1} + {2} = {y}", "a: {1}\nb: {2}\nc: {y}", "{1},{2},{y}"])
def test_other_formats(form):
    made = of_two(form)
    text = written(made, of_two().prompt(TEXT))
    prompt = made.prompt(text)
    assert prompt.X.tolist() == of_two().prompt(TEXT).X.tolist()
    assert tokenizer(made)(text).input_ids == numbers(made, prompt).tolist()


def test_operands_out_of_their_order_are_refused():
    with pytest.raises(ConstructError, match="in another order than"):
        tokenizer(of_two("{2} of {1} -> {y}"))
