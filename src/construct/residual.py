"""The residual stream: its named fields, their order, and the width formula.

Width D = (4+2S)d + 2P + ceil(log2(m+1)) + ceil(log2 n) + 6, whatever K is.
"""

from dataclasses import dataclass
from functools import cached_property

from construct.arguments import whole
from construct.codes import code_length
from construct.errors import ConstructError, shown
from construct.rational import MOST_NUMBERS


def refuse_if_tasks_too_large(K: int, d: int) -> None:
    """Say so before any work is done.

    Their own matrices take about 10 bytes for each of (K+3)(d+16)^2 numbers.

    Raises:
        ConstructError: naming K and d.
    """
    if (K + 3) * (d + 16) ** 2 > MOST_NUMBERS:
        raise ConstructError(
            f"tasks of K = {shown(K)} and d = {shown(d)} do not fit in memory: (K+3) (d+16)^2 "
            f"may be at most {MOST_NUMBERS}; choose a smaller K or d."
        )


@dataclass(frozen=True)
class Sizes:
    """The sizes of a construction, in the symbols of the paper.

    Attributes:
        K: tasks, and heads in each attention layer.
        d: dimension of a token's vector.
        m: slots for in-context examples.
        n: tokens of an example: n-1 inputs and a label.
        S: operand slots.
        P: features in the shared dictionary of ReLU sums.
    """

    K: int
    d: int
    m: int
    n: int
    S: int = 0
    P: int = 0

    def __post_init__(self) -> None:
        for name, least in (("K", 1), ("d", 1), ("m", 0), ("n", 2), ("S", 0), ("P", 0)):
            whole(least)(getattr(self, name), name)

    @property
    def ell_e(self) -> int:
        """Bits of the example index: m examples and the query."""
        return code_length(self.m + 1)

    @property
    def ell_t(self) -> int:
        """Bits of the position in the example."""
        return code_length(self.n)

    @property
    def tokens(self) -> int:
        """Tokens that carry something: (m+1)n."""
        return (self.m + 1) * self.n

    @property
    def N(self) -> int:
        """Context length: `tokens`, padded to a power of two (1/N is exact)."""
        return 1 << (self.tokens - 1).bit_length()

    @property
    def M(self) -> int:
        """The most votes that there can be: mK."""
        return self.m * self.K

    @property
    def D(self) -> int:
        """Width of the residual stream; K does not occur in it."""
        return (4 + 2 * self.S) * self.d + 2 * self.P + self.ell_e + self.ell_t + 6

    @property
    def formula(self) -> str:
        """The width formula with the numbers filled in."""
        return f"(4+2*{self.S})*{self.d} + 2*{self.P} + {self.ell_e} + {self.ell_t} + 6 = {self.D}"

    @cached_property
    def residual(self) -> "Residual":
        """The named fields of a stream of these sizes."""
        return Residual.of(self)


@dataclass(frozen=True)
class Field:
    """A named range of coordinates."""

    name: str
    start: int
    width: int
    holds: str

    @property
    def at(self) -> slice:
        """The coordinates, for indexing the last axis of a stream."""
        return slice(self.start, self.start + self.width)


@dataclass(frozen=True)
class Residual:
    """All fields, in order, without gap or overlap."""

    fields: tuple[Field, ...]

    @classmethod
    def of(cls, sizes: Sizes) -> "Residual":
        """The layout of construction.md, section 3."""
        s, d = range(1, sizes.S + 1), sizes.d
        table = [
            ("tok", d, "the token's vector; at the end the answer"),
            *((f"slot{i}", d, f"operand {i} of the token's example") for i in s),
            ("lab", d, "the label of the token's example"),
            ("qry", d, "the query's token at this position"),
            *((f"qslot{i}", d, f"operand {i} of the query") for i in s),
            ("gx", sizes.P, "dictionary features of the example"),
            ("gq", sizes.P, "dictionary features of the query"),
            ("out", d, "what the heads found: sum of the f_k(query) that voted"),
            ("pe", sizes.ell_e, "code of the example index, +1/-1"),
            ("pt", sizes.ell_t, "code of the position in the example, +1/-1"),
            ("one", 1, "1 on every token but padding"),
            ("ctx", 1, "1 on tokens of real examples"),
            ("cnt", 1, "matches found at this token"),
            ("tot", 1, "all matches, at the answer token"),
            ("sq", 1, "tot squared"),
            ("rec", 1, "s / tot"),
        ]
        fields, start = [], 0
        for name, width, holds in table:
            if width:
                fields.append(Field(name, start, width, holds))
            start += width
        return cls(tuple(fields))

    @cached_property
    def _by_name(self) -> dict[str, Field]:
        return {field.name: field for field in self.fields}

    def __getitem__(self, name: str) -> Field:
        return self._by_name[name]

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    @property
    def width(self) -> int:
        """D, the sum of all widths."""
        return self.fields[-1].start + self.fields[-1].width
