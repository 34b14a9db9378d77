"""Decoders of words with several inputs, exported: the text of a prompt goes in as it is."""

import pytest

from construct import ConstructError, Vocabulary, build, lookup, predictions, retrieval
from construct.interop.huggingface import tokenizer as text
from construct.interop.inputs import numbers
from construct.spec.promptfile import prompt_of

WORDS = ("a", "b c", "d", "is")
FORMATS = [
    None,
    "{1} and {2} make {y}",
    "Q: {1}\n{2}\nA: {y}",
    "[{1}|{2}] = {y};",
    "{1}, {2}\t{y}.",
]


def made(format=None):
    vocabulary = Vocabulary(WORDS)
    pairs = lookup("pairs", {("a", "b c"): "d", ("d", "a"): "is"}, vocabulary=vocabulary)
    tasks = [pairs, retrieval("second", 2, d=4)]
    return build(tasks, m=3, vocabulary=vocabulary, design="decoder", format=format)


@pytest.mark.parametrize("form", FORMATS)
def test_texts_are_read_as_construct_reads_them(form):
    construction = made(form)
    read = text.tokenizer(construction)
    examples, query = [["a", "b c", "d"], ["d", "is", "is"]], ["is", "b c"]
    prompt = prompt_of(examples, query, d=4, n=3, vocabulary=construction.vocabulary)
    written = text.written(construction, prompt)
    assert construction.prompt(written).X.tolist() == prompt.X.tolist()
    assert read(written).input_ids == numbers(construction, prompt).tolist()
    assert read(written).input_ids == [4, 0, 1, 2, 2, 3, 3, 3, 1]


def test_a_format_with_inputs_in_another_order_is_refused():
    with pytest.raises(ConstructError, match="names the inputs in another order"):
        text.tokenizer(made("{2} from {1} is {y}"))


def test_a_stock_model_answers_a_text_of_pairs(tmp_path):
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from construct.interop.export import export

    construction = made()
    export(construction, "huggingface", tmp_path / "out", dtype="float64")
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "out", dtype="auto")
    read = AutoTokenizer.from_pretrained(tmp_path / "out")
    said = "a, b c -> d\nd, is -> is\na, b c -> b c\na, b c ->"
    with torch.no_grad():
        logits = model(**read(said, return_tensors="pt")).logits[0, :, :5]
    found = predictions(construction, construction.prompt(said))
    for i, answer in enumerate(found):
        shares = logits[2 + 3 * i].softmax(-1)[:-1].tolist()
        assert shares == pytest.approx(answer.answer.tolist(), abs=1e-6)
    assert found[-1].distribution == pytest.approx({"b c": 2 / 3, "d": 1 / 3})
