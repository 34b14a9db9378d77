"""A vocabulary: words, and the one-hot vector of each."""

import difflib
import heapq
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from construct.errors import ConstructError, brief, shown
from construct.rational import zeros


class Vocabulary:
    """Distinct words in a fixed order; word number i is the i-th unit vector.

    A word that is listed in two spellings (Unicode NFC and NFD) is one word, at its first place.

    Attributes:
        words: in Unicode NFC.
        longest: the most characters that a word has, in whatever spelling.

    Raises:
        ConstructError: naming the words that no line of a prompt can hold, or a word that is
            listed twice.
    """

    def __init__(self, words: Iterable[Any]) -> None:
        try:
            if isinstance(words, str | bytes):
                raise TypeError  # a text is not a list of words
            listed = list(words)
        except TypeError:
            raise ConstructError(f"a vocabulary is a list of words, not {shown(words)}.") from None
        if not listed:
            raise ConstructError("the vocabulary is empty; give at least one word.")
        faulty = [f"{shown(word)}, which {fault}" for word in listed if (fault := fault_of(word))]
        if faulty:
            raise ConstructError(f"the vocabulary holds {first_of(faulty)}; {A_WORD}.")
        spellings = dict.fromkeys(listed)
        if len(spellings) != len(listed):
            twice = next(word for word, count in Counter(listed).items() if count > 1)
            raise ConstructError(f"the vocabulary holds {twice!r} twice; list it once.")
        self.words = tuple(dict.fromkeys(map(one_spelling, spellings)))
        # Unicode: NFD has at most four times the characters of NFC.
        self.longest = 4 * max(map(len, self.words))
        self._index = {word: i for i, word in enumerate(self.words)}

    def __repr__(self) -> str:
        return f"Vocabulary({brief(list(self.words), 60)})"

    def __len__(self) -> int:
        return len(self.words)

    def __iter__(self) -> Iterator[str]:
        return iter(self.words)

    def __contains__(self, word: object) -> bool:
        return one_spelling(word) in self._index

    def find(self, word: str) -> int | None:
        """The number of `word`, from 0; None if it is not a word of the vocabulary."""
        return self._index.get(one_spelling(word))

    def numbers(self, words: Sequence[Any]) -> list[int] | None:
        """The numbers of words, from 0, if each stands there as the vocabulary spells it."""
        if set(map(type, words)) != {str}:
            return None
        found = [self._index.get(word) for word in words]
        return None if None in found else found  # type: ignore[return-value]

    def index(self, word: Any) -> int:
        """The number of `word`, from 0.

        Raises:
            ConstructError: if it is not a word of the vocabulary; names the nearest words that are.
        """
        if isinstance(word, str) and (found := self._index.get(word)) is not None:
            return found
        word = one_spelling(word)
        if isinstance(word, str) and word in self._index:
            return self._index[word]
        near = _nearest(word[:200], self.words) if isinstance(word, str) else []
        hint = f"; the nearest are: {', '.join(near)}" if near else ""
        raise ConstructError(f"{shown(word)} is not in this vocabulary of {len(self)} words{hint}.")

    def one_hot(self, word: Any) -> np.ndarray:
        """The unit vector of `word`, exact, of shape (d,)."""
        vector = zeros(len(self))
        vector[self.index(word)] = 1
        return vector


def one_spelling(word: Any) -> Any:
    """The spelling of a word: accents may be written in two ways (Unicode NFC)."""
    if not isinstance(word, str) or word.isascii():
        return word
    return unicodedata.normalize("NFC", word)


# The comparison of two words takes microseconds, and there may be 50,000 words.
MOST_COMPARED = 200


def _nearest(text: str, words: Sequence[str]) -> list[str]:
    """Up to three words like a text, among those that share most pairs of letters with it."""
    pairs = set(map("".join, pairwise(text)))
    if len(words) > MOST_COMPARED:

        def shared(word: str) -> tuple[int, int]:
            return sum(pair in word for pair in pairs), -abs(len(word) - len(text))

        words = heapq.nlargest(MOST_COMPARED, words, key=shared)
    return difflib.get_close_matches(text, words, n=3, cutoff=0.6)


# What a message says of words after it has said what is wrong with some.
A_WORD = (
    "a word is a printable text in one line, without invisible characters and lone "
    "surrogates, and without spaces at its ends"
)

# Control characters, separators of lines and paragraphs, halves of a pair (lone surrogates).
_UNWRITABLE = re.compile("[\0-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")

# Characters that cannot be seen and change no letter: words that differ by them look the same.
# U+200C and U+200D are not among them: in Persian and Hindi they change how letters join.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0"
    "\ufff9-\ufffb\U000e0001]"
)


def fault_of(word: Any) -> str | None:
    """Why no line of a prompt, in a file of UTF-8, can hold a word, as "holds ..."; else None."""
    word = one_spelling(word)
    if not isinstance(word, str):
        return "is no text"
    if not word:
        return "is empty"
    if word.isascii() and word.isprintable():
        found = None
    elif found := _UNWRITABLE.search(word):
        return f"holds {_named(found[0])}"
    elif found := _INVISIBLE.search(word):
        return f"holds {_named(found[0])}, which cannot be seen (remove it)"
    return "has a space at an end" if word != word.strip() else None


def _named(character: str) -> str:
    """A character by its number and its name: U+200B ZERO WIDTH SPACE."""
    name = unicodedata.name(character, "")
    return f"U+{ord(character):04X}{' ' * bool(name)}{name}"


def first_of(clauses: Sequence[str], most: int = 10) -> str:
    """A list for a message: at most so many clauses, and how many more there are."""
    more = len(clauses) - most
    return "; ".join(clauses[:most]) + (f"; and {more} more" if more > 0 else "")


def is_text(value: str) -> bool:
    """Whether UTF-8 can hold it: a text with a lone surrogate it cannot."""
    return value.isascii() or not any("\ud800" <= c <= "\udfff" for c in value)
