"""Sizes that all softmax designs have: a sink, and then the examples, token by token."""

from dataclasses import dataclass
from functools import cached_property

from construct.arguments import whole
from construct.network.codes import code_length
from construct.network.residual import Residual


@dataclass(frozen=True)
class Sizes:
    """The sizes of a construction, in the symbols of the paper.

    Attributes:
        K: tasks.
        d: dimension of a token's vector.
        m: slots for in-context examples.
        n: tokens of an example: n-1 inputs and a label.
    """

    K: int
    d: int
    m: int
    n: int

    def __post_init__(self) -> None:
        for name, least in (("K", 1), ("d", 1), ("m", 1), ("n", 2)):
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
    def ell_t(self) -> int:
        """Bits of the position in the example."""
        return code_length(self.n)

    @property
    def length(self) -> int:
        """Tokens of an example in the network."""
        return self.n

    @property
    def tokens(self) -> int:
        """Tokens that carry something: the sink, m examples, and the query's inputs."""
        return (self.m + 1) * self.n

    @property
    def N(self) -> int:
        """Context length: there is no padding."""
        return self.tokens

    def place(self, example: int, position: int) -> int:
        """Where a token stands in the context: example from 0, position from 1."""
        return example * self.n + position

    @property
    def terms(self) -> tuple[tuple[str, int], ...]:
        """The summands of the width: in the symbols of the paper, and in numbers."""
        raise NotImplementedError

    @property
    def D(self) -> int:
        """Width of the residual stream."""
        return sum(value for _, value in self.terms)

    @property
    def formula(self) -> str:
        """The width formula with the numbers filled in."""
        return f"{' + '.join(str(value) for _, value in self.terms)} = {self.D}"

    @property
    def width(self) -> str:
        """The width in the symbols of the paper, and in numbers."""
        return f"{' + '.join(symbols for symbols, _ in self.terms)}: {self.formula}"

    @cached_property
    def residual(self) -> Residual:
        """The named fields of a stream of these sizes."""
        return self.fields()

    def fields(self) -> Residual:
        """The same, made anew."""
        raise NotImplementedError
