"""A decoder of words as a stock GPT-2: text in, the mixture out, by the library's own calls."""

import json
from fractions import Fraction as Q
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from safetensors.numpy import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from construct import build, mixture
from construct.interop import huggingface
from construct.interop.export import export
from construct.interop.huggingface import gpt2
from construct.interop.huggingface.stock import heads_of, merged
from construct.interop.inputs import numbers, queries
from construct.spec.taskfile import parse_tasks
from share import tried
from softmax.cases import WordCase, allowed_of_words, before, word_cases

EXAMPLES = Path(__file__).parents[2] / "examples"
TEXT = (EXAMPLES / "capitals-prompt.txt").read_text(encoding="utf-8")
ANSWER = {"Tokyo": 0.5, "Japon": 0.25, "Yen": 0.125, "Asia": 0.125}
FORMATS = ("float32", "float64")


@pytest.fixture(scope="module")
def capitals():
    text = (EXAMPLES / "capitals.json").read_text(encoding="utf-8")
    file = parse_tasks(text, "capitals.json", folder=EXAMPLES)
    return build(file.tasks, m=12, vocabulary=file.vocabulary, design="decoder")


@pytest.fixture(scope="module", params=FORMATS)
def folder(request, capitals, tmp_path_factory):
    """An export, and its number format."""
    place = tmp_path_factory.mktemp("words") / request.param
    export(capitals, "huggingface", place, dtype=request.param)
    return place, request.param


@pytest.fixture(scope="module")
def stock(folder):
    place, _ = folder
    model = AutoModelForCausalLM.from_pretrained(place, dtype="auto")
    return model, AutoTokenizer.from_pretrained(place)


@pytest.fixture(scope="module")
def allowed(folder, capitals):
    """How far a share may be off in the format of the export."""
    return float(capitals.error[folder[1]])


def shares(logits) -> np.ndarray:
    return logits.detach().double().softmax(-1).numpy()


def test_the_text_of_an_example_goes_in_and_its_softmax_is_the_mixture(stock, allowed):
    model, tokenizer = stock
    assert type(model).__name__ == "GPT2LMHeadModel"
    found = shares(model(**tokenizer(TEXT, return_tensors="pt")).logits[0, -1])
    said = {tokenizer.decode(i): found[i] for i in np.flatnonzero(found > allowed)}
    assert said == pytest.approx(ANSWER, abs=allowed)
    assert found.sum() == pytest.approx(1)


def test_every_input_has_the_mixture_of_the_examples_before_it(stock, capitals, allowed):
    model, tokenizer = stock
    prompt = capitals.prompt(TEXT)
    found = shares(model(**tokenizer(TEXT, return_tensors="pt")).logits[0])[1::2]
    for i, row in enumerate(found):
        wanted = mixture(capitals.tasks, before(prompt, i))
        assert row[: capitals.sizes.d] == pytest.approx(wanted.answer.astype(float), abs=allowed)
        assert row[tokenizer.bos_token_id] == pytest.approx(
            1 - float(sum(wanted.answer)), abs=allowed
        )


def test_eager_attention_says_the_same(folder, stock, allowed):
    model, tokenizer = stock
    eager = AutoModelForCausalLM.from_pretrained(
        folder[0], dtype="auto", attn_implementation="eager"
    )
    batch = tokenizer(TEXT, return_tensors="pt")
    pair = (shares(one(**batch).logits[0, 1::2]) for one in (eager, model))
    assert next(pair) == pytest.approx(next(pair), abs=allowed)


def test_generate_says_the_likeliest_word_and_stops(stock):
    model, tokenizer = stock
    tokens = model.generate(**tokenizer(TEXT, return_tensors="pt"))
    assert tokenizer.decode(tokens[0, -1]) == "Tokyo"
    assert tokens.shape[1] == 1 + 17 + 1  # BOS, eight examples and the query, the answer


def test_generate_draws_from_the_shares(stock):
    model, tokenizer = stock
    torch.manual_seed(0)
    batch = tokenizer(TEXT, return_tensors="pt")
    drawn = model.generate(**batch, do_sample=True, num_return_sequences=64)[:, -1]
    assert set(tokenizer.batch_decode(drawn[:, None])) == set(ANSWER)


# Of different lengths; the last has no example, and its answer is BOS.
TEXTS = [
    TEXT,
    "France -> Paris\nJapan ->",
    "India -> Rupee\nIndia -> Rupee\nEgypt ->",
    "Japan ->",
]


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_padded_batch_has_the_answers_of_single_prompts(stock, allowed, side):
    model, tokenizer = stock
    tokenizer.padding_side = side
    batch = tokenizer(TEXTS, padding=True, return_tensors="pt")
    places = (batch.attention_mask.cumsum(-1) - 1).clamp(min=0)
    logits = model(**batch, position_ids=places).logits
    last = batch.attention_mask.sum(-1) - 1 if side == "right" else [-1] * len(TEXTS)
    for row, end, text in zip(logits, last, TEXTS, strict=True):
        alone = model(**tokenizer(text, return_tensors="pt")).logits[0, -1]
        assert shares(row[end]) == pytest.approx(shares(alone), abs=allowed)


def test_padding_on_the_right_needs_no_places(stock, allowed):
    model, tokenizer = stock
    tokenizer.padding_side = "right"
    batch = tokenizer(TEXTS, padding=True, return_tensors="pt")
    places = (batch.attention_mask.cumsum(-1) - 1).clamp(min=0)
    plain, placed = model(**batch).logits, model(**batch, position_ids=places).logits
    for one, other, mask in zip(plain, placed, batch.attention_mask.bool(), strict=True):
        assert shares(one[mask]) == pytest.approx(shares(other[mask]), abs=allowed)


def test_generate_takes_a_batch_that_is_padded_on_the_left(stock):
    model, tokenizer = stock
    tokenizer.padding_side = "left"
    tokens = model.generate(**tokenizer(TEXTS, padding=True, return_tensors="pt"))
    said = tokenizer.batch_decode(tokens[:, -1:])
    assert said == ["Tokyo", "Tokyo", "Pound", tokenizer.bos_token]


def test_the_weights_are_stored_in_the_format_that_was_asked_for(folder, stock):
    place, dtype = folder
    assert {array.dtype.name for array in load_file(place / "model.safetensors").values()} == {
        dtype
    }
    assert str(stock[0].dtype) == f"torch.{dtype}"


def test_a_head_is_where_construct_json_says_and_the_field_holds_what_it_says(
    folder, stock, capitals
):
    place, _ = folder
    model, tokenizer = stock
    facts = json.loads((place / "construct.json").read_text(encoding="utf-8"))
    [vote] = [field for field in facts["residual_stream"] if field["field"] == "vote"]
    states = model(**tokenizer(TEXT, return_tensors="pt"), output_hidden_states=True).hidden_states
    found = states[1][0, 2::2, vote["start"] : vote["start"] + vote["width"]].detach().numpy()
    wanted = [[1, 0, 0, 0], [0, 0, 1, 0], [1, 0, 0, 0], [1, 0, 0, 1], [0, 1, 0, 0], [1, 0, 0, 0]]
    assert found[:6] == pytest.approx(np.array(wanted), abs=1e-6)
    assert [head["name"] for head in facts["layers"][0]["heads"]] == [
        t.name for t in capitals.tasks
    ]


def test_the_stream_adds_up_to_0_and_no_mean_can_be_read(capitals):
    sizes = gpt2.Sizes.of(capitals)
    state = gpt2.weights(capitals, sizes, "float64", lambda *_: None)
    writes = {k: w for k, w in state.items() if k.endswith(("c_proj.weight", "wte.weight"))}
    reads = [w for k, w in state.items() if k.endswith(("c_attn.weight", "c_fc.weight"))]
    assert len(writes) == 7
    assert len(reads) == 6
    assert all((w.sum(axis=0) == 0).all() for w in reads)
    # Logarithms are written by the last block and stand in places; all else are whole numbers.
    logs = writes.pop("transformer.h.2.mlp.c_proj.weight"), state["transformer.wpe.weight"]
    assert all((w.sum(axis=1) == 0).all() for w in writes.values())
    for w in logs:
        assert (abs(w.sum(axis=1)) <= 1e-15 * abs(w).sum(axis=1)).all()


def test_the_scores_of_fewer_columns_are_the_same(capitals):
    fewer = 0
    for head in heads_of(capitals):
        small = merged(head)
        old, new = ((h.W_Q @ h.W_K.T) for h in (head, small))
        assert (old == new).all()
        fewer += head.W_Q.shape[1] - small.W_Q.shape[1]
    assert fewer > 0


@pytest.mark.parametrize(("least", "power"), [(1, 1), (2, 4), (4, 4), (5, 16), (64, 64), (65, 256)])
def test_head_dimensions_are_powers_of_four(least, power):
    from construct.interop.huggingface.stock import power_of_four, root

    assert power_of_four(least) == power
    assert root(power) ** 2 == power


# --- Whatever the tables are -------------------------------------------------------


def assert_the_mixture(case: WordCase, dtype: str) -> None:
    """At every input the share of each word, and of none, is that of the specification."""
    made, prompt = case.build(), case.prompt
    model = huggingface.model(made, dtype)
    tokens = torch.from_numpy(numbers(made, prompt))
    found = shares(model(input_ids=tokens[None]).logits[0])[queries(made, prompt)]
    most = min(allowed_of_words(case, dtype), float(made.error[dtype]))
    assert len(found) == len(prompt.X) + 1
    for i, row in enumerate(found):
        wanted = mixture(made.tasks, before(prompt, i))
        off = max(abs(Q(g) - w) for g, w in zip(row[: case.d].tolist(), wanted.answer, strict=True))
        assert off <= most
        assert row[case.d] == pytest.approx(1 - float(sum(wanted.answer)), abs=case.d * most)


@pytest.mark.parametrize("dtype", FORMATS)
@tried(10)
@given(case=word_cases())
def test_whatever_the_tables_every_input_has_the_mixture(dtype, case):
    assert_the_mixture(case, dtype)


# Words 0 to 3; the second table lacks word 1; both send word 0 to word 1.
TABLES = ({0: 1, 1: 2, 2: 3, 3: 0}, {0: 1, 2: 0, 3: 3})
SPECIAL = {
    "no example": (),
    "a tie": ((1, 2), (2, 0)),
    "ambiguous": ((0, 1), (0, 1)),
    "noise alone": ((0, 0), (1, 1)),
    "a word that a table lacks": ((2, 0), (3, 3), (1, 2)),
}


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("examples", SPECIAL.values(), ids=SPECIAL)
def test_ties_noise_and_words_that_a_table_lacks(dtype, examples):
    assert_the_mixture(WordCase(4, TABLES, 3, examples, 1), dtype)


@pytest.mark.parametrize("dtype", FORMATS)
def test_one_task_and_one_word(dtype):
    assert_the_mixture(WordCase(1, ({0: 0},), 1, ((0, 0),), 0), dtype)
