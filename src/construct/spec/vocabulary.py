"""A vocabulary: words, and the one-hot vector of each."""

import difflib
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from construct.errors import ConstructError, brief, shown
from construct.rational import zeros


class Vocabulary:
    """Distinct words in a fixed order; word number i is the i-th unit vector."""

    def __init__(self, words: Iterable[Any]) -> None:
        try:
            if isinstance(words, str | bytes):
                raise TypeError  # a text is not a list of words
            listed = list(words)
        except TypeError:
            raise ConstructError(f"a vocabulary is a list of words, not {shown(words)}.") from None
        self.words = tuple(one_spelling(word) for word in listed)
        if not self.words:
            raise ConstructError("the vocabulary is empty; give at least one word.")
        for word in self.words:
            if not _writable(word):
                raise ConstructError(
                    f"the vocabulary holds {shown(word)}; a word is a printable text in one line, "
                    "without '->', U+FEFF and lone surrogates, and without spaces at its ends."
                )
        self._index = {word: i for i, word in enumerate(self.words)}
        if len(self._index) != len(self.words):
            twice = next(w for i, w in enumerate(self.words) if self._index[w] != i)
            raise ConstructError(f"the vocabulary holds {twice!r} twice; list it once.")

    def __repr__(self) -> str:
        return f"Vocabulary({brief(list(self.words), 60)})"

    def __len__(self) -> int:
        return len(self.words)

    def __iter__(self) -> Iterator[str]:
        return iter(self.words)

    def __contains__(self, word: object) -> bool:
        return word in self._index

    def index(self, word: Any) -> int:
        """The number of `word`, from 0.

        Raises:
            ConstructError: if it is not a word of the vocabulary; names the nearest words that are.
        """
        word = one_spelling(word)
        if isinstance(word, str) and word in self._index:
            return self._index[word]
        text = word[:200] if isinstance(word, str) else shown(word)
        near = difflib.get_close_matches(text, self.words, n=3, cutoff=0.6)
        hint = f"; the nearest are: {', '.join(near)}" if near else ""
        raise ConstructError(f"{shown(word)} is not in this vocabulary of {len(self)} words{hint}.")

    def one_hot(self, word: Any) -> np.ndarray:
        """The unit vector of `word`, exact, of shape (d,)."""
        vector = zeros(len(self))
        vector[self.index(word)] = 1
        return vector


def one_spelling(word: Any) -> Any:
    """The spelling of a word: accents may be written in two ways (Unicode NFC)."""
    return unicodedata.normalize("NFC", word) if isinstance(word, str) else word


# Control characters, line and paragraph separators, halves of a pair (lone surrogates).
_UNWRITABLE = ("Cc", "Zl", "Zp", "Cs")


def _writable(word: Any) -> bool:
    """Whether a line of a prompt can hold it, in a file of UTF-8."""
    return (
        isinstance(word, str)
        and bool(word)
        and word == word.strip()
        and "->" not in word
        # At the start of a file it is not part of the text.
        and "\ufeff" not in word
        and not any(unicodedata.category(c) in _UNWRITABLE for c in word)
    )


def is_text(value: str) -> bool:
    """Whether UTF-8 can hold it: a text with a lone surrogate it cannot."""
    return not any(unicodedata.category(c) == "Cs" for c in value)
