"""`build(..., design=...)`: what each design is, what it cannot have, and what is kept of it."""

import re
from fractions import Fraction

import numpy as np
import pytest

from construct import (
    ConstructError,
    Domain,
    OutsideDomain,
    Prompt,
    Vocabulary,
    add,
    affine,
    build,
    formula,
    load,
    lookup,
    predictions,
    relu,
    relu_sum,
    retrieval,
    run,
    save,
    word_sum,
)
from construct.network.attention import CAUSAL_SOFTMAX, RELU, SOFTMAX

WORDS = Vocabulary(["France", "Paris", "Japan", "Tokyo", "1", "2", "3"])
CAPITALS = lookup("capital", {"France": "Paris", "Japan": "Tokyo"}, vocabulary=WORDS)
BACK = lookup("back", {"Paris": "France", "Tokyo": "Japan"}, vocabulary=WORDS)
PAIRS = lookup("pairs", {("1", "2"): "3", ("2", "1"): "3", ("1", "1"): "2"}, vocabulary=WORDS)
VECTORS = [affine("f", [[1, 0], [0, Fraction(1, 3)]]), relu("g", d=2), add("p", [1, 2], d=2)]

MADE = {
    "words": lambda: build([CAPITALS, BACK], m=3, vocabulary=WORDS, design="decoder"),
    "operands": lambda: build(
        [PAIRS, CAPITALS, retrieval("second", 2, d=7)], m=3, vocabulary=WORDS, design="decoder"
    ),
    "vectors": lambda: build(VECTORS, m=3, design="decoder"),
    "encoder": lambda: build(VECTORS, m=3, design="encoder"),
    "encoder of words": lambda: build([CAPITALS], m=3, vocabulary=WORDS, design="encoder"),
}


@pytest.mark.parametrize(
    ("which", "attention", "layers"),
    [
        ("words", CAUSAL_SOFTMAX, 3),
        ("operands", CAUSAL_SOFTMAX, 4),
        ("vectors", CAUSAL_SOFTMAX, 4),
        ("encoder", SOFTMAX, 4),
    ],
)
def test_a_design_has_its_attention_and_its_blocks(which, attention, layers):
    made = MADE[which]()
    assert made.design == ("encoder" if which == "encoder" else "decoder")
    assert made.transformer.attention == attention
    assert len(made.transformer.layers) == layers
    heads = {len(layer.heads) for layer in made.transformer.layers}
    assert heads == {made.transformer.sizes.heads}


def test_the_default_is_the_theorem():
    made = build(VECTORS, m=3)
    assert (made.design, made.softmax, made.transformer.attention) == ("theorem", None, RELU)


@pytest.mark.parametrize("K", [1, 4, 16])
def test_widths_are_those_of_the_formulas(K):
    """2d + 2K + 3 + 6, (2 + 1)d + 3K + 3 + 1 + 3 and 4d + 3 + 1 + 6, for m = 7 and n = 2."""
    words = [f"w{i}" for i in range(20)]
    vocabulary = Vocabulary(words)
    tables = [lookup(f"t{k}", {words[0]: words[k]}, vocabulary=vocabulary) for k in range(K)]
    decoder = build(tables, m=7, vocabulary=vocabulary, design="decoder").transformer
    assert decoder.sizes.D == decoder.W_pos.shape[1] == 2 * 20 + 2 * K + 3 + 6
    maps = [affine(f"f{k}", (k + 1) * np.eye(3, dtype=int)) for k in range(K)]
    vectors = build(maps, m=7, design="decoder").transformer
    assert vectors.sizes.D == vectors.W_pos.shape[1] == 3 * 3 + 3 * K + 3 + 1 + 3
    encoder = build(maps, m=7, design="encoder").transformer
    assert encoder.sizes.D == encoder.W_pos.shape[1] == 4 * 3 + 3 + 1 + 6
    assert encoder.sizes.width == (
        "(4+2S)d + 2P + ceil(log2(m+1)) + ceil(log2 n) + 6: 12 + 0 + 3 + 1 + 6 = 22"
    )


@pytest.mark.parametrize("n", [3, 5])
def test_words_with_several_inputs_cost_d_for_each_that_is_read_before_the_last(n):
    tables = [retrieval(f"r{p}", p, d=7) for p in range(1, n)]
    made = build([*tables, PAIRS], m=7, vocabulary=WORDS, design="decoder")
    bits = 2 if n == 3 else 3
    assert made.transformer.W_pos.shape[1] == made.sizes.D
    assert n * 7 + 2 + 2 * n + 3 + bits + 5 == made.sizes.D
    assert made.sizes.width.startswith("(2+p)d + P + 2K + ceil(log2(m+1)) + ceil(log2 n) + 5: ")
    # The last alone, which is the token that is asked, costs what it does for n = 2.
    alone = build([tables[-1]], m=7, vocabulary=WORDS, design="decoder")
    assert 2 * 7 + 2 + 3 + bits + 5 == alone.sizes.D


def test_an_encoder_needs_no_more_tasks_than_slots():
    """The theorem's network has a head for each task alone, and refuses this task by itself."""
    two = add("p", [1, 2], d=1), add("q", [2, 3], d=1)
    made = build([*two, add("r", [1, 3], d=1)], m=2, design="encoder")
    prompt = Prompt.of([[[1], [2], [4], [3]]], [[5], [7], [1]])
    assert run(made, prompt).answer == pytest.approx([12], abs=1e-12)
    assert build([add("p", [1, 2], d=1)], m=1, design="encoder").sizes.heads == 4


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"tasks": VECTORS, "design": "gpt"}, "there is no design 'gpt'"),
        (
            {"tasks": [add("both", [1, 2], d=7)], "vocabulary": WORDS, "design": "decoder"},
            "task 'both' gives for some words what is no word",
        ),
        (
            {
                "tasks": [affine("half", {2: Fraction(1, 2) * np.eye(7, dtype=int)})],
                "vocabulary": WORDS,
                "design": "decoder",
            },
            "task 'half' holds the number 1/2; a decoder of several words takes tasks of whole",
        ),
        (
            {
                "tasks": [relu_sum("huge", [[{"a": [1 << 51] * 7}] * 3], [[1]] * 7)],
                "vocabulary": WORDS,
                "n": 3,
                "design": "decoder",
            },
            "the sums of task 'huge' reach 2^52",
        ),
        (
            {
                "tasks": [add("both", [1, 2], d=1500)],
                "vocabulary": Vocabulary(map(str, range(1500))),
                "design": "decoder",
            },
            "there are 2,253,001 combinations of words that tasks differ on (both), too many",
        ),
        (
            {
                "tasks": [affine("f", 2 * np.eye(7, dtype=int))],
                "vocabulary": WORDS,
                "design": "decoder",
            },
            "task 'f' gives for some word what is no word",
        ),
        ({"tasks": VECTORS, "scratch": 1, "design": "encoder"}, "has no scratch tokens"),
        ({"tasks": [], "design": "decoder"}, "the list of tasks is empty"),
        ({"tasks": [VECTORS[0]] * 2, "design": "encoder"}, "two tasks are named 'f'"),
        (
            {
                "tasks": [formula("s", ["sin(x[1])"], epsilon="1/8")],
                "domain": Domain(2, 2, Fraction(1, 8)),
                "design": "decoder",
            },
            "these cannot be told apart",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_a_design_cannot_have_is_refused_in_one_sentence(arguments, said):
    with pytest.raises(ConstructError, match=re.escape(said)) as caught:
        build(**arguments)
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)


def test_any_task_that_gives_words_is_a_table():
    """Also one that is made of ReLUs, as long as each word gives a word, or none."""
    numbers = {word: int(word) for word in "123"}
    twice = word_sum("twice", numbers, {"2": "2"}, [1], [2], vocabulary=WORDS)
    assert twice.features
    made = build([twice, CAPITALS], m=3, vocabulary=WORDS, design="decoder")
    assert run(made, made.prompt("1 -> 2\n1 ->")).distribution == {"2": 1}
    turn = affine("turn", np.roll(np.eye(7, dtype=int), 1, axis=0))
    made = build([turn, CAPITALS], m=3, vocabulary=WORDS, design="decoder")
    assert run(made, made.prompt("1 -> 2\n2 ->")).distribution == {"3": 1}


def test_a_smooth_task_is_held_in_a_decoder_and_in_an_encoder():
    square = formula("square", ["x[1]^2"], epsilon="1/64")
    tasks = [square, retrieval("same", 1, d=1)]
    prompt = Prompt.of([[[2], [4]], [[2], [2]]], [[Fraction(1, 2)]])
    for design in ("decoder", "encoder"):
        made = build(tasks, m=2, domain=Domain(2, 4, 1), design=design)
        got = run(made, prompt)
        assert got.votes == (1, 1)
        assert got.answer == pytest.approx([3 / 8], abs=1 / 128)


def test_where_nothing_has_a_vote_a_decoder_says_no_word():
    made = MADE["words"]()
    empty, noise = (run(made, made.prompt(text)) for text in ("Japan ->", "1 -> 2\nJapan ->"))
    assert (empty.distribution, noise.distribution) == ({}, {})
    assert noise.unexplained == (0,)
    # A table with a vote that lacks the word: its share is no word's.
    half = run(made, made.prompt("France -> Paris\nTokyo -> Japan\nJapan ->"))
    assert half.distribution == {"Tokyo": pytest.approx(0.5)}


def test_predictions_of_other_designs_are_that_of_run_alone():
    prompt = Prompt.of([[[1, 3], [0, 0], [1, 1]]], [[2, 3], [1, 1]])
    for made in (MADE["encoder"](), build(VECTORS, m=3)):
        [got] = predictions(made, prompt)
        assert got.answer.tolist() == run(made, prompt).answer.tolist()


@pytest.mark.parametrize("which", MADE)
@pytest.mark.parametrize("dense", [False, True])
def test_an_artifact_is_loaded_as_it_was_saved(which, dense, tmp_path):
    made = MADE[which]()
    save(made, tmp_path / "one", dense=dense)
    again = load(tmp_path / "one")
    assert (again.design, again.domain, again.margins) == (made.design, made.domain, made.margins)
    assert again.transformer.attention == made.transformer.attention
    assert again.certificates == made.certificates
    for name, weight in made.transformer.weights().items():
        assert (weight != again.transformer.weights()[name]).nnz == 0, name
    save(again, tmp_path / "two", dense=dense)
    for name in ("config.json", "model.safetensors"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_margins_that_are_not_those_of_the_tasks_are_refused(tmp_path):
    import json

    from construct.artifact.config import checksum, written

    save(MADE["encoder"](), tmp_path / "made")
    path = tmp_path / "made" / "config.json"
    config = json.loads(path.read_text())
    config["margins"]["gamma"] //= 2
    config["checksums"]["config.json"] = checksum(config)
    path.write_text(written(config))
    with pytest.raises(ConstructError, match=r"the margins in config\.json are not those"):
        load(tmp_path / "made")


@pytest.mark.parametrize("n", [2, 3])
def test_a_decoder_of_words_takes_words_alone(n):
    """The encoder takes any vectors; a decoder's votes and logits are those of words."""
    tables = [CAPITALS, BACK] if n == 2 else [CAPITALS, retrieval("second", 2, d=7)]
    made = build(tables, m=3, vocabulary=WORDS, n=n, design="decoder")
    word, both, none = np.eye(7, dtype=int)[0], [1, 1, 0, 0, 0, 0, 0], [0] * 7
    negative, fine = [1, -1, 0, 0, 0, 0, 0], [word] * (n - 1)
    for other in (both, none, negative):
        for prompt, whose in (
            (Prompt.of([], [*fine[1:], other]), "the query"),
            (Prompt.of([[*fine, word], [*fine, other]], fine), "example 2"),
            (Prompt.of([[*fine[1:], other, word]], fine), "example 1"),
        ):
            for numbers in (prompt, prompt.astype("float64")):
                with pytest.raises(OutsideDomain, match=f"^{whose}: a token is no word"):
                    run(made, numbers)
    assert run(made, Prompt.of([], fine).astype("float32")).distribution == {}


@pytest.mark.parametrize(
    ("domain", "said"),
    [
        (Domain(Fraction(1, 2), 1, 1), "holds no words"),
        (Domain(2, 2, 1, grid=2), "holds no words"),
        (Domain(2, 2, 2, tau=1), "has tau = 1, so that a word matches none at all"),
    ],
    ids=["R", "grid", "tau"],
)
def test_a_decoder_of_words_refuses_a_domain_without_words(domain, said):
    with pytest.raises(ConstructError, match=said):
        build([CAPITALS], vocabulary=WORDS, domain=domain, design="decoder")
    assert (
        build([CAPITALS], vocabulary=WORDS, domain=Domain(2, 2, 1), design="decoder").sizes.d == 7
    )
