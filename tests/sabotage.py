"""Constructions with other weights: what a broken compiler, or a vandal, would leave."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from construct import Construction
from theorem.mutations import with_tensor


def with_weight(
    made: Construction, name: str, change: Callable[[np.ndarray], np.ndarray]
) -> Construction:
    """A copy in which `change` was applied to the dense tensor of that name."""
    weight = change(made.transformer.tensors()[name].copy())
    return replace(made, transformer=with_tensor(made.transformer, name, weight))


def with_entry(made: Construction, name: str, place: tuple[int, int], value: float) -> Construction:
    """A copy with one other entry."""

    def change(weight: np.ndarray) -> np.ndarray:
        weight[place] = value
        return weight

    return with_weight(made, name, change)
