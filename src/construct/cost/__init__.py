"""What a construction costs, on paper: counts, what a pass does, and seconds and bytes."""

from construct.cost.counts import Cost, LayerCost

__all__ = ["Cost", "LayerCost"]
