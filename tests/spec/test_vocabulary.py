import json
import unicodedata

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from construct import ConstructError, Vocabulary, parse_prompt

words = (
    st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1)
    .map(lambda text: unicodedata.normalize("NFC", text).strip())
    .filter(lambda word: word and "->" not in word and "\ufeff" not in word)
)

# Any text at all, rich in what a file of prompts could take for something else.
TRAPS = ["{", "}", "->", "-", ">", ",", "\u2028", "\u2029", "\x85", "\ufeff", "\ud800", "\udc00"]
TRAPS += ["\n", "\r", "\x1c", "\u0338", "\xa0", "\u200b", '"', "\\", "#", "a", "a\u0301"]
anything = st.lists(st.sampled_from(TRAPS) | st.characters(), max_size=5).map("".join)


def accepted(listed: list[str]) -> Vocabulary | None:
    try:
        return Vocabulary(listed)
    except ConstructError:
        return None


@settings(max_examples=300)
@given(anything, anything, st.integers(2, 3), st.booleans())
def test_every_word_of_a_vocabulary_can_be_written_in_a_prompt_file(one, other, n, ascii_only):
    vocabulary = accepted([one, other]) or accepted([one]) or accepted([other])
    assume(vocabulary is not None)
    # With n > 2 commas separate inputs: a build refuses such words.
    assume(n == 2 or not any("," in word for word in vocabulary))
    for i, word in enumerate(vocabulary):
        inputs = [word] * (n - 1)
        line = ", ".join(inputs)
        written = {"examples": [[*inputs, word]], "query": inputs}
        texts = f"{line} -> {word}\n{line} ->\n", json.dumps(written, ensure_ascii=ascii_only)
        for text in texts:
            read = text.encode().decode("utf-8-sig")  # as read from a file
            prompt = parse_prompt(read, d=len(vocabulary), n=n, vocabulary=vocabulary)
            unit = vocabulary.one_hot(word).tolist()
            assert prompt.X.tolist() == [[unit] * (n - 1)]
            assert prompt.Y.tolist() == [unit]
            assert prompt.query.tolist() == [unit] * (n - 1)
            assert unit[i] == 1


@pytest.mark.parametrize("word", ["{", "{a", "-", ">", "a-", "\u0338", "a\u200bb", '"', "é"])
def test_unusual_words_are_words(word):
    assert word in Vocabulary([word])


@pytest.mark.parametrize(
    "word", ["a\u2028b", "a\u2029b", "a\x85b", "\ufeffa", "a\ufeff", "\ud800", "a\udc00b", "a\x1cb"]
)
def test_a_word_that_no_line_of_a_file_can_hold_is_refused(word):
    with pytest.raises(ConstructError, match="in one line, without"):
        Vocabulary([word])


def test_an_empty_vocabulary_is_refused():
    with pytest.raises(ConstructError, match="at least one word"):
        Vocabulary([])


@given(st.lists(words, min_size=1, unique=True))
def test_word_i_is_unit_vector_i(listed):
    vocabulary = Vocabulary(listed)
    assert list(vocabulary) == listed
    assert len(vocabulary) == len(listed)
    for i, word in enumerate(listed):
        assert word in vocabulary
        assert vocabulary.index(word) == i
        assert vocabulary.one_hot(word).tolist() == [int(i == j) for j in range(len(listed))]


@pytest.mark.parametrize("listed", [["a", ""], [" a"], ["a\n"], ["a", 1], [None]], ids=repr)
def test_a_word_is_a_non_empty_text_without_spaces_at_its_ends(listed):
    with pytest.raises(ConstructError, match="at its ends"):
        Vocabulary(listed)


def test_an_entry_that_cannot_be_hashed_is_no_word():
    with pytest.raises(ConstructError, match="the vocabulary holds"):
        Vocabulary([["a"]])


@given(st.lists(words, min_size=1, unique=True), st.data())
def test_a_repeated_word_is_named(listed, data):
    twice = data.draw(st.sampled_from(listed))
    with pytest.raises(ConstructError, match="twice") as error:
        Vocabulary([*listed, twice])
    assert repr(twice) in str(error.value)


def test_an_unknown_word_is_answered_with_the_nearest_ones():
    vocabulary = Vocabulary(["France", "Japan", "Paris"])
    with pytest.raises(
        ConstructError, match=r"'Frence' is not in .* 3 words; the nearest are: France"
    ):
        vocabulary.index("Frence")
    with pytest.raises(ConstructError, match=r"'xyz' is not in this vocabulary of 3 words\.$"):
        vocabulary.one_hot("xyz")
    assert "Frence" not in vocabulary
