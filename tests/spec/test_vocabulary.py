import difflib
import json
import unicodedata

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from construct import ConstructError, Prompt, Vocabulary, parse_prompt
from share import tried

words = (
    st.text(st.characters(exclude_categories=["Cc", "Cf", "Cs", "Zl", "Zp"]), min_size=1)
    .map(lambda text: unicodedata.normalize("NFC", text).strip())
    # The last three cannot be seen either.
    .filter(lambda word: word and not set(word) & set("\u034f\u3164\uffa0"))
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


def parsed(text: str, vocabulary: Vocabulary, n: int) -> Prompt | None:
    """None where the text can be read in two ways: of words such as "a" and "a -> a"."""
    try:
        return parse_prompt(text, d=len(vocabulary), n=n, vocabulary=vocabulary)
    except ConstructError as error:
        if "can be read as" in str(error):
            return None
        raise


@tried(300)
@given(anything, anything, st.integers(2, 3), st.booleans())
def test_every_word_of_a_vocabulary_can_be_written_in_a_prompt_file(one, other, n, ascii_only):
    vocabulary = accepted([one, other]) or accepted([one]) or accepted([other])
    assume(vocabulary is not None)
    for i, word in enumerate(vocabulary):
        inputs = [word] * (n - 1)
        line = ", ".join(inputs)
        written = {"examples": [[*inputs, word]], "query": inputs}
        texts = json.dumps(written, ensure_ascii=ascii_only), f"{line} -> {word}\n{line} ->\n"
        for text in texts:
            prompt = parsed(text.encode().decode("utf-8-sig"), vocabulary, n)  # as of a file
            if prompt is None:
                assert text is texts[1]
                assert len(vocabulary) > 1
                continue
            unit = vocabulary.one_hot(word).tolist()
            assert prompt.X.tolist() == [[unit] * (n - 1)]
            assert prompt.Y.tolist() == [unit]
            assert prompt.query.tolist() == [unit] * (n - 1)
            assert unit[i] == 1


@pytest.mark.parametrize(
    "word", ["{", "{a", "-", ">", "a-", "->", "a -> b", ",", "\u0338", '"', "é", "?"]
)
def test_unusual_words_are_words(word):
    assert word in Vocabulary([word])


@pytest.mark.parametrize(
    "word", ["a\u2028b", "a\u2029b", "a\x85b", "\ufeffa", "\ud800", "a\udc00b", "a\x1cb"]
)
def test_a_word_that_no_line_of_a_file_can_hold_is_refused(word):
    with pytest.raises(ConstructError, match="in one line, without"):
        Vocabulary([word])


INVISIBLE = {
    "\u00ad": "U+00AD SOFT HYPHEN",
    "\u061c": "U+061C ARABIC LETTER MARK",
    "\u200b": "U+200B ZERO WIDTH SPACE",
    "\u200e": "U+200E LEFT-TO-RIGHT MARK",
    "\u202e": "U+202E RIGHT-TO-LEFT OVERRIDE",
    "\u2060": "U+2060 WORD JOINER",
    "\ufeff": "U+FEFF ZERO WIDTH NO-BREAK SPACE",
}


@pytest.mark.parametrize("character", INVISIBLE, ids=INVISIBLE.values())
@pytest.mark.parametrize("place", ["a{}b", "{}ab", "ab{}"])
def test_a_character_that_cannot_be_seen_is_refused_by_its_name(character, place):
    """Two words that look the same were two words."""
    word = place.format(character)
    with pytest.raises(ConstructError) as error:
        Vocabulary(["ab", word])
    assert f"{word!r}, which holds {INVISIBLE[character]}" in str(error.value)
    assert "remove it" in str(error.value)


@pytest.mark.parametrize(
    "word",
    [
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "\u0915\u094d\u200d\u0937",
        "\u2764\ufe0f",
    ],
    ids=["Persian", "Hindi", "heart"],
)
def test_joiners_and_variants_that_change_letters_are_theirs(word):
    assert Vocabulary([word, word.replace("\u200c", "").replace("\u200d", "")[:1]]).index(word) == 0


def test_all_words_that_are_none_are_named_up_to_ten():
    listed = [f"{i}\u200b" for i in range(12)]
    with pytest.raises(ConstructError, match="and 2 more") as error:
        Vocabulary([*listed, "a"])
    assert [repr(word) in str(error.value) for word in listed] == [True] * 10 + [False] * 2


@given(st.permutations(["caf\u00e9", "cafe\u0301", "the\u0301"]))
def test_two_spellings_of_a_word_are_one_word_at_its_first_place(listed):
    """It was refused: the vocabulary holds 'café' twice."""
    vocabulary = Vocabulary(listed)
    assert len(vocabulary) == 2
    assert list(vocabulary) == list(dict.fromkeys(unicodedata.normalize("NFC", w) for w in listed))
    assert vocabulary.index(listed[0]) == 0
    assert all(word in vocabulary for word in listed)
    assert vocabulary.index("caf\u00e9") == vocabulary.index("cafe\u0301")


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


def test_the_nearest_words_are_compared_with_few_of_a_large_vocabulary(monkeypatch):
    """Each comparison costs microseconds, so that 50,000 words took seconds."""
    compared = []
    matcher = difflib.SequenceMatcher

    class Counting(matcher):
        def set_seq1(self, a):
            compared.append(a)
            super().set_seq1(a)

    monkeypatch.setattr(difflib, "SequenceMatcher", Counting)
    vocabulary = Vocabulary([f"word{i}" for i in range(3000)] + ["Luxembourg"])
    with pytest.raises(ConstructError, match=r"3001 words; the nearest are: Luxembourg\.$"):
        vocabulary.index("Luxemburg")
    assert 0 < len(compared) <= 300


def test_an_unknown_word_is_answered_with_the_nearest_ones():
    vocabulary = Vocabulary(["France", "Japan", "Paris"])
    with pytest.raises(
        ConstructError, match=r"'Frence' is not in .* 3 words; the nearest are: France"
    ):
        vocabulary.index("Frence")
    with pytest.raises(ConstructError, match=r"'xyz' is not in this vocabulary of 3 words\.$"):
        vocabulary.one_hot("xyz")
    assert "Frence" not in vocabulary
