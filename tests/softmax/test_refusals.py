"""What the softmax designs refuse to read."""

import numpy as np
import pytest

from construct import OutsideDomain, Prompt, Vocabulary, build, lookup, predictions, run


@pytest.fixture(scope="module")
def made():
    words = Vocabulary(["a", "b"])
    return build(
        [lookup("t", {"a": "b"}, vocabulary=words)], m=2, vocabulary=words, design="decoder"
    )


def prompt(x: list, y: list, query: list) -> Prompt:
    return Prompt(np.array([[x]]), np.array([y]), np.array([query]))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("tokens", "whose"),
    [
        (([0, 0], [0, 1], [1, 0]), "example 1"),
        # The table lacks b: its value there is 0, which is no word, and a decoder has no vote for.
        (([0, 1], [0, 0], [1, 0]), "example 1"),
        (([1, 0], [0, 1], [1, 1]), "the query"),
    ],
)
def test_a_decoder_of_words_refuses_vectors_that_are_no_words(made, tokens, whose, dtype):
    for ask in (run, predictions):
        with pytest.raises(OutsideDomain, match=f"^{whose}: a token is no word"):
            ask(made, prompt(*tokens), dtype=dtype, executor="numpy")


def test_it_reads_words(made):
    assert run(made, prompt([1, 0], [0, 1], [1, 0])).votes == (1,)
