r"""How prompts of words are written: the text around the operands and the label of an example.

`"{1}, {2} -> {y}"` is the default for two operands, and "Q: {1}\nA: {y}" spans two lines. The
query is the same text up to {y}, or with the mark ? in its place.

A line is read by the vocabulary: of all ways to cut it at the text between two fields, the one
way whose fields are words is meant. Where there are two, the line is refused.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from string import Formatter
from typing import Any

from construct.errors import ConstructError, shown
from construct.spec.vocabulary import Vocabulary, is_text, one_spelling

# The field of the label, and what stands in its place in a query.
LABEL, MARK = "y", "?"


@dataclass(frozen=True)
class PromptFormat:
    """A text with the fields {1}, ..., {n-1} in any order, and {y} after them.

    Attributes:
        text: as it is given, also by a file, which may hold anything; {{ and }} are braces.

    Raises:
        ConstructError: if a field is missing, unknown or named twice, or {y} is not the last.
    """

    text: Any

    def __post_init__(self) -> None:
        names = [name for _, name in self.pieces if name is not None]
        operands = [str(p) for p in range(1, len(names))]
        if not operands or sorted(names[:-1], key=_rank) != operands or names[-1] != LABEL:
            raise self._malformed()

    @classmethod
    def default(cls, n: int) -> "PromptFormat":
        """The operands, separated by commas; an arrow; the label."""
        return cls(", ".join(f"{{{p}}}" for p in range(1, n)) + " -> {y}")

    @classmethod
    def of(cls, text: Any, n: int) -> "PromptFormat":
        """The format of a text, or else the default, for examples of n tokens.

        Raises:
            ConstructError: if it is not a format, or one of other than n-1 operands.
        """
        if text is None:
            return cls.default(n)
        found = cls(text)
        if found.operands != n - 1:
            raise ConstructError(
                f"the format {shown(text)} has {found.operands} operands, but an example of "
                f"n = {n} tokens has {n - 1}: write {_listed(n - 1)} and {{y}}."
            )
        return found

    @cached_property
    def pieces(self) -> list[tuple[str, str | None]]:
        """The text before each field, and the field; the last may have text alone."""
        try:
            if not isinstance(self.text, str) or not is_text(self.text):
                raise ValueError
            text = one_spelling("\n".join(self.text.splitlines()).strip())
            parsed = list(Formatter().parse(text))
        except ValueError:
            raise self._malformed() from None
        if any(spec or conversion for _, _, spec, conversion in parsed):
            raise self._malformed()
        pieces: list[tuple[str, str | None]] = []
        before = ""
        for literal, name, _, _ in parsed:
            # An escaped brace ends a literal early.
            before += literal
            if name is not None:
                pieces.append((before, name))
                before = ""
        return [*pieces, (before, None)]

    def _malformed(self) -> ConstructError:
        return ConstructError(
            f"the format is {shown(self.text)}; it must be a text with the operands {{1}}, {{2}}, "
            "... and after them the label {y}, each once, such as 'Q: {1} A: {y}' "
            "(braces that are meant as such are doubled: {{ and }})."
        )

    @property
    def operands(self) -> int:
        """How many inputs an example has: n-1."""
        return len(self.pieces) - 2

    @cached_property
    def example(self) -> "Pattern":
        """An example."""
        return Pattern(*zip(*self.pieces, strict=True))

    @cached_property
    def queries(self) -> tuple["Pattern", ...]:
        """A query: up to the label; or with the mark in its place, and what follows it or not."""
        (*inner, (before, _), (after, _)) = self.pieces
        marked = f"{before} {MARK}"
        ends = dict.fromkeys((before.rstrip(), marked, marked + after))
        return tuple(Pattern(*zip(*inner, (end, None), strict=True)) for end in ends)

    def written(self, inputs: Sequence[str], label: str | None = None) -> str:
        """An example in this format, or without a label the query."""
        words = {str(p): word for p, word in enumerate(inputs, 1)}
        if label is not None:
            return "".join(
                before + ("" if name is None else {**words, LABEL: label}[name])
                for before, name in self.pieces
            )
        (*inner, (before, _), _) = self.pieces
        return ("".join(b + words[str(name)] for b, name in inner) + before).rstrip()

    @property
    def shown_example(self) -> str:
        """How a message shows an example: 'input -> label'."""
        return shown(self.written(self._names(), "label"))

    @property
    def shown_query(self) -> str:
        """How a message shows a query."""
        return shown(self.written(self._names()))

    def _names(self) -> list[str]:
        if self.operands == 1:
            return ["input"]
        return [f"input {p}" for p in range(1, self.operands + 1)]

    @cached_property
    def lines(self) -> int:
        """How many lines an example has; empty ones do not count."""
        return len([line for line in self.text.splitlines() if line.strip()])

    @cached_property
    def bare(self) -> bool:
        """Whether two fields stand on two lines with nothing to tell them, nor an empty line."""
        between = [before for before, _ in self.pieces[1:-1]]
        return any("\n" in text and not text.strip() and text.count("\n") == 1 for text in between)

    def ends_a_query(self, text: str) -> bool:
        """Whether a text ends as a query does, where that is told by its end."""
        ends = [query.literals[-1].strip() for query in self.queries]
        return any(end and text.rstrip().endswith(end) for end in ends)


MOST_FIELDS = 20


@dataclass(frozen=True)
class Pattern:
    """Texts around fields: literals[0], field, literals[1], ..., field, literals[-1]."""

    literals: tuple[str, ...]
    fields: tuple[str | None, ...]

    @cached_property
    def _separators(self) -> list[re.Pattern[str]]:
        last = len(self.literals) - 1
        return [_separator(text, i == 0, i == last) for i, text in enumerate(self.literals)]

    @cached_property
    def _order(self) -> list[int]:
        """For each operand, from 1, and then the label: the number of its field."""
        names = [str(name) for name in self.fields[:-1]]
        return sorted(range(len(names)), key=lambda i: _rank(names[i]))

    def words(self, text: str, vocabulary: Vocabulary) -> list[tuple[int, ...]]:
        """The numbers of the words of a text: operands, then the label.

        Returns:
            No list where it cannot be read so, and two where it can be read in several ways.
        """
        most = vocabulary.longest
        return self._cuts(text, vocabulary.find, lambda cuts: list(dict.fromkeys(cuts))[:2], most)

    def likeliest(self, text: str, vocabulary: Vocabulary) -> tuple[str, ...] | None:
        """The way to cut a text that has the most known words; None if it does not fit.

        It is for a message, and none of many operands is looked for.
        """
        if len(self.fields) > MOST_FIELDS:
            return None

        def known(words: tuple[str, ...]) -> int:
            return sum(vocabulary.find(word) is not None for word in words)

        best = self._cuts(text, lambda word: word, lambda cuts: [max(cuts, key=known)], len(text))
        return best[0] if best else None

    def _cuts(
        self, text: str, of: Callable[[str], Any], keep: Callable[[list], list], most: int
    ) -> list[tuple]:
        """The ways to cut a text into fields, each what `of` makes of it, if that is not None.

        Args:
            text: lines without empty ones between, and without spaces at their ends.
            keep: which to go on with of several ways up to one place of the text.
            most: characters of a field.
        """
        start = self._separators[0].match(text)
        ways: dict[int, list[tuple]] = {start.end(1): [()]} if start else {}
        for separator in self._separators[1:]:
            longer: dict[int, list[tuple]] = {}
            for at, cuts in ways.items():
                for found in separator.finditer(text, at):
                    word = text[at : found.start(1)].strip()
                    if len(word) > most or "\n" in word:
                        break
                    if word and (field := of(word)) is not None:
                        more = [(*cut, field) for cut in cuts]
                        longer[found.end(1)] = keep(longer.get(found.end(1), []) + more)
            ways = longer
        ends = [cut for cuts in ways.values() for cut in cuts]
        return [tuple(cut[i] for i in self._order) for cut in (keep(ends) if ends else [])]


def _separator(literal: str, first: bool, last: bool) -> re.Pattern[str]:
    """A literal, as group 1, wherever it stands; spaces are free where that is unambiguous.

    There may be more of them, or none, except between letters or digits. Lines end where the
    literal says.
    """
    lines = literal.split("\n")
    # Empty lines are dropped from the prompt.
    kept = [line for i, line in enumerate(lines) if line.strip() or i in (0, len(lines) - 1)]
    core = r"\n".join(map(_in_a_line, kept))
    if not core and literal and not first and not last:
        core = r"(?<!\s)[^\S\n]+"
    if kept[0][:1].isspace() and kept[0].strip()[:1].isalnum() and not first:
        core = r"(?<=\s)" + core
    if kept[-1][-1:].isspace() and kept[-1].strip()[-1:].isalnum():
        core += r"(?=\s|\Z)"
    end = r"\s*\Z" if last else ""
    return re.compile(rf"({core})" if first else rf"(?=({core}){end})")


def _in_a_line(literal: str) -> str:
    """The regular expression of a text without its spaces at the ends."""
    parts = literal.split()
    core = re.escape(parts[0]) if parts else ""
    for before, part in pairwise(parts):
        least = "+" if before[-1].isalnum() and part[0].isalnum() else "*"
        core += rf"[^\S\n]{least}{re.escape(part)}"
    return core


def _rank(name: str) -> tuple[bool, int, str]:
    """The order of fields: the operands by their number, then what is none."""
    number = name.isascii() and name.isdecimal() and len(name) < 10
    return not number, int(name) if number else 0, name


def _listed(operands: int) -> str:
    return ", ".join(f"{{{p}}}" for p in range(1, min(operands, 8) + 1))
