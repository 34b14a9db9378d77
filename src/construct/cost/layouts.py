"""The layout of a construction beside the other one: with scratch tokens, and without.

Scratch tokens make the stream narrower, and the context longer: which costs what is said
where one is chosen.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from construct.designs.theorem import formulas
from construct.designs.theorem.plan import Margins
from construct.designs.theorem.sizes import Sizes
from construct.designs.theorem.wiring import Wiring

MarginsFor = Callable[[Sizes, Wiring], Margins]


@dataclass(frozen=True)
class Layout:
    """What a layout needs.

    Attributes:
        w: scratch tokens of each example.
        width: D.
        N: the context length.
        dense_scores: what a dense pass mostly computes: N^2 for each head that is not idle.
    """

    w: int
    width: int
    N: int
    dense_scores: int

    @classmethod
    def of(cls, sizes: Sizes, wiring: Wiring, margins: MarginsFor) -> "Layout":
        """Count it on paper: no weight is emitted."""
        layers = formulas(sizes, wiring, margins(sizes, wiring))
        heads = sum(len(layer.busy) for layer in layers)
        return cls(sizes.w, sizes.D, sizes.N, heads * sizes.N**2)


def layouts(
    plain: Wiring, sizes: Sizes, wiring: Wiring, margins: MarginsFor
) -> tuple[Layout, Layout] | None:
    """The layout that was chosen and the other one; None where the plain one is the narrowest.

    Args:
        plain: the wiring of the tasks without scratch tokens.
        sizes, wiring: of the construction.
        margins: what a layout needs: each has margins of its own.
    """
    w = 0 if sizes.w else plain.fewest_scratch(sizes.n)
    if w == sizes.w:
        return None
    other = Wiring.of(plain.tasks, sizes.n, w) if w else plain
    others = replace(sizes, P=len(other.dictionary), w=w)
    return Layout.of(sizes, wiring, margins), Layout.of(others, other, margins)
