import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from construct import ConstructError, Vocabulary

words = (
    st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1)
    .map(lambda text: unicodedata.normalize("NFC", text).strip())
    .filter(lambda word: word and "->" not in word)
)


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
    with pytest.raises(ConstructError, match="without spaces at its ends"):
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
    with pytest.raises(ConstructError, match=r"'Frence' is no token .* 3 words; near it: France"):
        vocabulary.index("Frence")
    with pytest.raises(ConstructError, match=r"'xyz' is no token of this vocabulary of 3 words.$"):
        vocabulary.one_hot("xyz")
    assert "Frence" not in vocabulary
