"""What stands at each place of the context of a prompt."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

import numpy as np

from construct.compiler import Construction
from construct.errors import brief
from construct.spec.prompt import Prompt

# "blank" is a token of a slot that the prompt leaves empty.
Kind = Literal["sink", "input", "scratch", "label", "answer", "blank", "padding"]


@dataclass(frozen=True)
class Token:
    """One place of the context.

    Attributes:
        index: from 0; what `Trace.field` and `Trace.scores` count.
        kind: what it is there for. "answer" is the token at which the answer is read, where it
            is none of the prompt's own: the place of the query's label.
        example: from 0, the example that it belongs to; None if to none, or to the query.
        query: whether it belongs to the query.
        position: from 1, in its example in the network; 0 if it belongs to nothing.
        text: what the prompt has there: a word, or numbers; "" if nothing.
    """

    index: int
    kind: Kind
    example: int | None = None
    query: bool = False
    position: int = 0
    text: str = ""

    @property
    def owner(self) -> str:
        """Whose it is: "example 3" (from 1, as messages count), "query", or "" for nobody's."""
        if self.query:
            return "query"
        return "" if self.example is None else f"example {self.example + 1}"

    @property
    def role(self) -> str:
        """What it is in its example: "input 1", "scratch 3", "label" or "answer"."""
        named = self.kind in ("input", "scratch")
        return f"{self.kind} {self.position}" if named else self.kind

    def __str__(self) -> str:
        place = f"{self.owner}, {self.role}" if self.owner else self.kind
        return f"{place}: {self.text}" if self.text else place


def tokens_of(construction: Construction, prompt: Prompt) -> tuple[Token, ...]:
    """The N tokens of a prompt's context, in order."""
    sizes: Any = construction.transformer.sizes
    softmax, e = construction.softmax, len(prompt.X)
    first = 0 if softmax is None else 1  # the sink
    causal = softmax is not None and softmax.attention.causal
    slot_of_query = e if causal else sizes.m
    found = [Token(0, "sink")] if first else []
    for index in range(first, sizes.N):
        slot, position = divmod(index - first, sizes.length)
        # A decoder answers at the query's last input: no token comes after it.
        no_token = causal and slot == e and position + 1 == sizes.length
        if slot < e or (slot == slot_of_query and not no_token):
            found.append(_token(construction, prompt, index, slot, position + 1))
        else:
            kind: Kind = "blank" if slot <= sizes.m else "padding"
            found.append(Token(index, kind))
    return tuple(found)


def _token(
    construction: Construction, prompt: Prompt, index: int, slot: int, position: int
) -> Token:
    """A token of an example, or of the query."""
    sizes: Any = construction.transformer.sizes
    query = slot >= len(prompt.X)
    kind: Kind
    if position == sizes.length:
        kind = "answer" if query else "label"
    else:
        kind = "input" if position < sizes.n else "scratch"
    if kind == "input":
        vector = (prompt.query if query else prompt.X[slot])[position - 1]
    else:
        vector = prompt.Y[slot] if kind == "label" else None
    text = "" if vector is None else written(construction, vector)
    return Token(index, kind, None if query else slot, query, position, text)


def written(construction: Construction, vector: np.ndarray) -> str:
    """A vector as the prompt has it: a word, or its numbers."""
    at = np.flatnonzero(vector)
    if construction.vocabulary is not None and len(at) == 1 and vector[at[0]] == 1:
        return construction.vocabulary.words[int(at[0])]
    return brief("(" + ", ".join(map(_number, vector.tolist())) + ")", 40)


def _number(x: int | float | Fraction) -> str:
    return str(x) if isinstance(x, int | Fraction) else f"{x:g}"
