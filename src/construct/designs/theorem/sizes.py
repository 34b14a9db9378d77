"""The sizes of the construction, the fields of its residual stream, and its width.

D = (4+2S)d + 2P + ceil(log2(m+1)) + ceil(log2(n+w)) + 6. At fixed S and P it does not
depend on K, but for the logarithm of the w < K scratch tokens. Without scratch tokens P can
grow with K, as it does where each task has ReLUs of its own; with them it need not (`homes`).
"""

from dataclasses import dataclass
from functools import cached_property

from construct.arguments import whole
from construct.network.codes import code_length
from construct.network.reach import Tokens
from construct.network.residual import Residual

# The width D in the symbols of the paper: without scratch tokens, and with them.
WIDTH_FORMULA = "(4+2S)d + 2P + ceil(log2(m+1)) + ceil(log2 n) + 6"
SCRATCH_FORMULA = WIDTH_FORMULA.replace("log2 n", "log2(n+w)")


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
        w: scratch tokens, which each example has in the network between its inputs and its
            label.
    """

    K: int
    d: int
    m: int
    n: int
    S: int = 0
    P: int = 0
    w: int = 0

    def __post_init__(self) -> None:
        for name, least in (("K", 1), ("d", 1), ("m", 0), ("n", 2), ("S", 0), ("P", 0), ("w", 0)):
            whole(least)(getattr(self, name), name)

    @property
    def heads(self) -> int:
        """Heads in each layer."""
        return self.K

    @property
    def ell_e(self) -> int:
        """Bits of the example index: m examples and the query."""
        return code_length(self.m + 1)

    @property
    def length(self) -> int:
        """Tokens of an example in the network: its n, and w scratch tokens."""
        return self.n + self.w

    @property
    def ell_t(self) -> int:
        """Bits of the position in the example."""
        return code_length(self.length)

    @property
    def tokens(self) -> int:
        """Tokens that carry something: (m+1)(n+w)."""
        return (self.m + 1) * self.length

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
        """Width of the residual stream; K enters by S and P alone."""
        return (4 + 2 * self.S) * self.d + 2 * self.P + self.ell_e + self.ell_t + 6

    @property
    def answer(self) -> Tokens:
        """(example, position) of the answer token: the last one of the query's example."""
        return self.m, self.length - 1

    @property
    def width(self) -> str:
        """The width in the symbols of the paper, and in numbers."""
        return f"{SCRATCH_FORMULA if self.w else WIDTH_FORMULA}: {self.formula}"

    @property
    def formula(self) -> str:
        """The width formula with the numbers filled in."""
        return f"(4+2*{self.S})*{self.d} + 2*{self.P} + {self.ell_e} + {self.ell_t} + 6 = {self.D}"

    @cached_property
    def residual(self) -> Residual:
        """The named fields of a stream of these sizes."""
        return fields(self)


def fields(sizes: Sizes) -> Residual:
    """The residual stream of the seven layers (proofs/README.md, "The lemmas").

    `pe` is the code of the example and `pt` that of the position in it: an address, not what
    is known as a positional encoding.
    """
    s, d = range(1, sizes.S + 1), sizes.d
    # With scratch tokens both coordinates serve a second time, before (`embedding`, `gather`).
    before = "in layer 1 which input a scratch token copies; in the end " if sizes.w else ""
    return Residual.of(
        [
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
            ("sq", 1, f"{before}tot squared"),
            ("rec", 1, f"{before}s / tot"),
        ]
    )
