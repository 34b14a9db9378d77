"""What a construction of a softmax design costs, counted without building it.

Heads and entries are those of the formulas of its blocks, and tables are counted by how many values
they have (`network.tables`).
"""

from dataclasses import dataclass, replace
from typing import Any

from construct.compiler.softmax import SoftmaxConstruction
from construct.cost.counts import Cost, LayerCost
from construct.cost.work import Emitted, Work, softmax_work
from construct.designs.softmax.design import Design
from construct.designs.softmax.plan import Plan
from construct.memory import EACH_WEIGHT, refuse_beyond_memory
from construct.network.attention import Attention
from construct.network.primitives import LayerFormula

# An MLP with more entries is looked at with fewer examples: a pass then is counted in proportion.
MOST_ENTRIES = 1 << 18


def cost_of(design: Design, plan: Plan) -> Cost:
    """Count, in a time that does not grow with m.

    Raises:
        ConstructError: if a weight is beyond the range of float64, or the heads of a block,
            whose size hardly depends on m, do not fit in memory.
    """
    layers = design.formulas(plan)
    counted = tuple(LayerCost.of(layer, plan.sizes) for layer in layers)
    work = Work()
    for i, (layer, one) in enumerate(zip(layers, counted, strict=True)):
        nonzeros = sum(entries.nonzeros for entries in one.weights.values())
        refuse_beyond_memory(nonzeros, EACH_WEIGHT, f"the heads of block {layer.name!r}")
        work += softmax_work(_emitted(design, plan, i, layer), plan.sizes)
    outer, places = design.outer(plan)
    return Cost(plan.sizes, counted, outer, places, work)


def _emitted(design: Design, plan: Plan, i: int, layer: LayerFormula) -> Emitted:
    """The i-th block, with an MLP that is not too large to look at."""
    sizes, entries = plan.sizes, layer.mlp.entries().nonzeros
    if entries <= MOST_ENTRIES:
        return Emitted.of(layer, layer)
    few = plan.with_examples(max(2, sizes.m * MOST_ENTRIES // entries))
    small = replace(layer, mlp=design.blocks[i](few).mlp)
    return Emitted.of(small, small).times(layer.mlp.units, small.mlp.units)


@dataclass(frozen=True)
class Sketch:
    """What is said of a transformer without its weights.

    Attributes:
        attention, layers, parameters, nonzeros: as `Transformer` has them, layers by their costs.
    """

    attention: Attention
    layers: tuple[LayerCost, ...]
    parameters: int
    nonzeros: int


@dataclass(frozen=True, eq=False, repr=False)
class OnPaper(SoftmaxConstruction):
    """A construction without its weights: what it would be, and what it would promise.

    Attributes:
        transformer: what is said of it.
    """

    transformer: Sketch  # type: ignore[assignment]

    @classmethod
    def of(cls, design: Design, plan: Plan, cost: Cost, **given: Any) -> "OnPaper":
        """Of a plan that has been counted.

        Args:
            given: tasks, held, domain and vocabulary.
        """
        counted = cost.parameters, cost.entries.nonzeros
        sketch = Sketch(design.attention, cost.layers, *counted)
        return cls(sketch, margins=plan.margins, plan=plan, **given)
