"""The stock tokenizer reads the text of a prompt as construct does, or is refused."""

import pytest

from construct import ConstructError, Vocabulary, build, lookup
from construct.interop.huggingface.tokenizer import tokenizer, written
from construct.interop.inputs import numbers
from construct.spec.promptfile import prompt_of

WORDS = ("Paris", "South America", "Bras\u00edlia", "rock'n'roll", "1.5 %", "<bos", "is")


def made(words=WORDS, format=None):
    vocabulary = Vocabulary(words)
    table = dict(zip(words, [*words[1:], words[0]], strict=True))
    task = lookup("next", table, vocabulary=vocabulary)
    return build([task], m=4, vocabulary=vocabulary, design="decoder", format=format)


FORMATS = [None, "Q: {1}\nA: {y}", "{1}\t{y}.", "[{1} | {y}]", "- {1} => {y};", "the {1} is: {y}"]


@pytest.mark.parametrize("form", FORMATS)
def test_texts_are_read_as_construct_reads_them(form):
    construction = made(format=form)
    read = tokenizer(construction)
    for x, y, query in zip(WORDS, WORDS[1:], WORDS[2:], strict=False):
        prompt = prompt_of([[x, y], [query, x]], [query], d=7, n=2, vocabulary=Vocabulary(WORDS))
        text = written(construction, prompt)
        assert construction.prompt(text).X.tolist() == prompt.X.tolist()
        assert read(text).input_ids == numbers(construction, prompt).tolist()
        assert read(text).input_ids[0] == read.bos_token_id == len(WORDS)


@pytest.mark.parametrize(
    "text",
    [
        "Paris->South America\nis ->",
        "  Paris   ->   South America  \r\n\r\n  is ->  ",
        "Paris -> South America\nis -> ?",
        "\nParis -> South America\n\n\nis->?\n",
    ],
)
def test_spaces_empty_lines_and_the_mark_of_a_query_are_free(text):
    construction = made()
    prompt = construction.prompt(text)
    assert tokenizer(construction)(text).input_ids == numbers(construction, prompt).tolist()


def test_there_are_no_types_of_tokens():
    """GPT-2 takes them for tokens, and adds their embedding."""
    read = tokenizer(made())
    assert read.model_input_names == ["input_ids", "attention_mask"]
    assert set(read("is ->")) == {"input_ids", "attention_mask"}


def test_accents_may_be_written_in_two_ways():
    read = tokenizer(made())
    assert read("Bras\u00edlia ->").input_ids == read("Brasi\u0301lia ->").input_ids == [7, 2]


def test_a_mark_that_is_a_word_is_that_word():
    read = tokenizer(made(("a", "?")))
    assert read("a -> ?\na ->").input_ids == [2, 0, 1, 0]
    assert read("a -> ?").input_ids == [2, 0, 1]


def test_an_unknown_word_is_an_error():
    with pytest.raises(Exception, match=r"Missing \[UNK\] token"):
        tokenizer(made())("Oslo -> Paris\nis ->")


def test_tokens_are_words_and_the_names_of_others_are_free():
    read = tokenizer(made(("<bos>", "a <pad> b")))
    assert [read.decode([i]) for i in range(4)] == ["<bos>", "a <pad> b", "<<bos>>", "<<pad>>"]
    assert read("<bos> -> a <pad> b\n<bos> ->").input_ids == [2, 0, 1, 0]


@pytest.mark.parametrize(
    ("words", "form"),
    [(("a -> b", "c"), None), (("a b", "c"), "{1} {y}"), (("x A: z", "y"), "Q: {1} A: {y}")],
)
def test_words_that_hold_what_stands_around_words_are_refused(words, form):
    with pytest.raises(ConstructError, match="holds what stands around words in a prompt"):
        tokenizer(made(words, form))
