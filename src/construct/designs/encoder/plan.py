"""The sizes of the encoder and its fields.

D = (4+2S)d + 2P + ceil(log2(m+1)) + ceil(log2 n) + 6: at fixed S and P free of K.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from construct.designs.softmax.plan import Plan
from construct.designs.softmax.sizes import Sizes
from construct.designs.theorem.wiring import Wiring
from construct.network.residual import Residual
from construct.spec.tasks import Task


@dataclass(frozen=True)
class EncoderSizes(Sizes):
    """The sizes of an encoder.

    Attributes:
        S: operand slots.
        P: features in the shared dictionary of ReLU sums.
    """

    S: int = 0
    P: int = 0

    @property
    def heads(self) -> int:
        """Heads in each layer: one for each task, or for what is fetched."""
        return max(self.K, 2 * self.S + 2)

    @property
    def tokens(self) -> int:
        """The sink, and m+1 examples: the query's label is where the answer will be."""
        return 1 + (self.m + 1) * self.n

    @property
    def terms(self) -> tuple[tuple[str, int], ...]:
        """The summands of the width."""
        return (
            ("(4+2S)d", (4 + 2 * self.S) * self.d),
            ("2P", 2 * self.P),
            ("ceil(log2(m+1))", self.ell_e),
            ("ceil(log2 n)", self.ell_t),
            ("6", 6),
        )

    def fields(self) -> Residual:
        """The residual stream of the four blocks."""
        s, d = range(1, self.S + 1), self.d
        return Residual.of(
            [
                ("tok", d, "the token's vector; at the end the answer"),
                *((f"slot{i}", d, f"operand {i} of the token's example") for i in s),
                ("lab", d, "the label of the token's example"),
                ("qry", d, "the query's token at this position"),
                *((f"qslot{i}", d, f"operand {i} of the query") for i in s),
                ("gx", self.P, "dictionary features of the example"),
                ("gq", self.P, "dictionary features of the query"),
                ("out", d, "the mean of the f_k(query) that voted here"),
                ("pe", self.ell_e, "code of the example index, +1/-1"),
                ("pt", self.ell_t, "code of the position in the example, +1/-1"),
                ("one", 1, "1 on every token but the sink"),
                ("sink", 1, "1 on the sink"),
                ("ctx", 1, "1 on tokens of real examples"),
                ("cnt", 1, "matches found at this token"),
                ("log", 1, "log cnt; of the sink -gamma"),
                ("odds", 1, "log(cnt - 1)"),
            ]
        )


EncoderPlan = Plan[EncoderSizes, Wiring]


def wiring_of(tasks: Sequence[Task], n: int) -> Wiring:
    """Homes, operand slots and the dictionary of these tasks."""
    return Wiring.of(tasks)


def most_matches(plan: EncoderPlan) -> int:
    """The most matches that one token can find: the tasks that have their home there."""
    return max(Counter(plan.wiring.homes).values())
