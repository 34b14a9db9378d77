"""The scores of all heads of a pass, by layer and head."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from construct.errors import ConstructError, shown
from construct.inside.scores import Pairs, pairs_of, works
from construct.network.transformer import Transformer


class Scores(Mapping[tuple[int, int], Pairs]):
    """What every head gave, pair by pair, computed when it is first asked for.

    `scores[4, "double"]` and `scores[4, 0]` are pairs (`Pairs`); iterating gives
    (layer, number) of the heads that are not idle.
    """

    def __init__(
        self,
        transformer: Transformer,
        states: np.ndarray,
        *,
        there: int,
        leak: Any,
        promised: int,
    ) -> None:
        """Of a pass with these states.

        Args:
            there: so many tokens are there.
            leak: softmax weights up to here are those of what was not to be attended to.
            promised: up to this layer no stream was patched, so that heads keep to their reach.
        """
        self._transformer, self._states = transformer, states
        self._there, self._promised = there, promised
        self._leak = leak if states.dtype == object else states.dtype.type(leak)
        self._known: dict[tuple[int, int], Pairs] = {}

    def __iter__(self) -> Iterator[tuple[int, int]]:
        attention = self._transformer.attention
        for number, layer in enumerate(self._transformer.layers, 1):
            for k, head in enumerate(layer.heads):
                if works(head, attention):
                    yield number, k

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, key: object) -> bool:
        try:
            self._place(key)
        except ConstructError:
            return False
        return True

    def get(self, key: Any, default: Any = None) -> Any:
        """The pairs of a head, or the default where there is no such layer or head."""
        try:
            return self[key]
        except ConstructError:
            return default

    def __getitem__(self, key: tuple[int, int | str]) -> Pairs:
        """The pairs of a head.

        Raises:
            ConstructError: if there is no such layer or head.
        """
        place = self._place(key)
        if place not in self._known:
            self._known[place] = self._pairs(*place)
        return self._known[place]

    def _place(self, key: Any) -> tuple[int, int]:
        """The numbers of a layer, from 1, and of a head of it, from 0."""
        if not isinstance(key, tuple) or len(key) != 2:
            raise ConstructError("scores are asked for as scores[layer, head].")
        layer = number_of_layer(key[0], 1, len(self._transformer.layers))
        return layer, self._head(layer, key[1])

    def _head(self, layer: int, head: Any) -> int:
        heads = self._transformer.layers[layer - 1].heads
        names = {
            one.name: k for k, one in enumerate(heads) if works(one, self._transformer.attention)
        }
        if isinstance(head, str) and head in names:
            return names[head]
        number = isinstance(head, int | np.integer) and not isinstance(head, bool)
        if number and 0 <= head < len(heads):
            return int(head)
        raise ConstructError(
            f"layer {layer} has no head {shown(head)}; give a number from 0 to {len(heads) - 1}, "
            f"or one of: {', '.join(names) or 'no name, all are idle'}."
        )

    def _pairs(self, layer: int, head: int) -> Pairs:
        transformer = self._transformer
        sizes, one = transformer.sizes, transformer.layers[layer - 1].heads[head]
        return pairs_of(
            one,
            transformer.attention,
            self._states[layer - 1],
            grid=(sizes.m + 1, sizes.length),
            there=self._there,
            leak=self._leak,
            reach=one.reach if layer <= self._promised else None,
        )


def number_of_layer(layer: Any, first: int, last: int) -> int:
    """The number of a layer.

    Raises:
        ConstructError: if there is none of that number.
    """
    number = isinstance(layer, int | np.integer) and not isinstance(layer, bool)
    if not number or not first <= layer <= last:
        raise ConstructError(
            f"there is no layer {shown(layer)}; give a whole number from {first} to {last}."
        )
    return int(layer)
