"""The residual stream of one prompt, layer by layer, by the reference executor."""

from dataclasses import dataclass

import numpy as np

from construct import Construction, Prompt, embed, prepare
from construct.designs.theorem.wiring import Wiring
from generators import WholeCase

LAYERS = ("gather", "label", "query", "superpose", "pool", "square", "divide")


@dataclass(frozen=True)
class Trace:
    """States before layer 1 and after each layer, read by field."""

    construction: Construction
    prompt: Prompt
    states: np.ndarray
    attended: np.ndarray

    @classmethod
    def of(cls, case: WholeCase) -> "Trace":
        construction, prompt = case.build()
        stream = embed(construction.transformer, prompt.astype("float64"))
        done = prepare("numpy", construction.transformer)(stream, trace=True)
        return cls(construction, prompt, done.states, done.attended)

    def after(self, layer: str, field: str) -> np.ndarray:
        """A field after a layer, of shape (N, width)."""
        residual = self.construction.sizes.residual
        return self.states[LAYERS.index(layer) + 1][:, residual[field].at]

    def scores(self, layer: str) -> np.ndarray:
        """The total score that each token gave, of shape (K, N)."""
        return self.attended[LAYERS.index(layer)]

    def assert_written(self, layer: str, fields: set[str]) -> None:
        """A layer changes these fields and nothing else, and leaves padding zero."""
        i = LAYERS.index(layer)
        changed = (self.states[i] != self.states[i + 1]).any(axis=0)
        residual = self.construction.sizes.residual
        assert {field.name for field in residual.fields if changed[field.at].any()} <= fields
        assert not self.states[i + 1][self.construction.sizes.tokens :].any()

    def tokens(self) -> list[tuple[int, int, int]]:
        """(token, example, position from 1) of each token that is not padding."""
        sizes = self.construction.sizes
        return [(i, i // sizes.length, i % sizes.length + 1) for i in range(sizes.tokens)]

    def inputs(self, example: int) -> np.ndarray:
        """The n-1 inputs of an example, of a blank one (zero), or of the query."""
        sizes = self.construction.sizes
        if example == sizes.m:
            return self.prompt.query
        blank = np.zeros((sizes.n - 1, sizes.d))
        return self.prompt.X[example] if example < len(self.prompt.X) else blank

    def operand(self, example: int, position: int) -> list:
        """What the token at a position holds after layer 1: an input, a copy of one, or a label."""
        scratch, count = self.construction.wiring.scratch, self.construction.sizes.n - 1
        if position <= count + len(scratch):
            source = position if position <= count else scratch[position - count - 1]
            return self.inputs(example)[source - 1].tolist()
        labelled = example < len(self.prompt.Y)
        return self.prompt.Y[example].tolist() if labelled else [0] * self.construction.sizes.d


def feature(units, operands, position: int) -> int:
    """Sum of c max(<a, operands> + e, 0) over the units that act at a position.

    Operand 0 is the token itself.
    """
    return sum(
        c * max(sum(v * operands[s][i] for s, terms in a for i, v in terms) + e, 0)
        for c, a, e, at in units
        if at in (None, position)
    )


def slots_of(tasks) -> tuple[int, ...]:
    """The position that each operand slot holds."""
    return Wiring.of(tasks).slots
