"""The residual stream of a softmax design, block by block, in balls: each lemma has its test."""

from dataclasses import dataclass

import numpy as np

from construct import Construction, Prompt, prepare
from construct.reading import embedded

# What a head that decides leaves to others, times anything that is added up here.
LEAK = 2.0**-44
# Tables and denominators are made of float64 logarithms.
ROUNDED = 2.0**-44


@dataclass(frozen=True, eq=False)
class Blocks:
    """States before the first block and after each.

    Attributes:
        states: (blocks + 1, N, D), exact.
    """

    made: Construction
    prompt: Prompt
    states: np.ndarray

    @classmethod
    def of(cls, made: Construction, prompt: Prompt) -> "Blocks":
        prompt = prompt.astype("exact")
        done = prepare("exact", made.transformer, "exact")(embedded(made, [prompt])[0], trace=True)
        return cls(made, prompt, done.states)

    @property
    def sizes(self):
        return self.made.transformer.sizes

    def after(self, block: str, field: str) -> np.ndarray:
        """A field after a block, (N, width), as floats."""
        return self.state(block)[:, self.sizes.residual[field].at].astype(float)

    def state(self, block: str) -> np.ndarray:
        """All of the stream after a block, (N, D)."""
        return self.states[self._number(block)]

    def _number(self, block: str) -> int:
        return 1 + [layer.name for layer in self.made.transformer.layers].index(block)

    def assert_written(self, block: str, fields: set[str]) -> None:
        """A block changes these fields and nothing else."""
        i = self._number(block)
        changed = (self.states[i] != self.states[i - 1]).any(axis=0)
        residual = self.sizes.residual
        assert {field.name for field in residual.fields if changed[field.at].any()} <= fields

    def tokens(self) -> list[tuple[int, int, int]]:
        """(token, example from 0, position from 1) of each token that a prompt has.

        The query's example is len(X) of a decoder and m of an encoder.
        """
        n, e = self.sizes.n, len(self.prompt.X)
        causal = self.made.transformer.attention.causal
        query = e if causal else self.sizes.m
        places = [(i, p) for i in range(e) for p in range(1, n + 1)]
        places += [(query, p) for p in range(1, n + (not causal))]
        return [(self.sizes.place(i, p), i, p) for i, p in places]

    def inputs(self, example: int) -> np.ndarray:
        """The inputs of an example, or of the query."""
        return self.prompt.X[example] if example < len(self.prompt.X) else self.prompt.query

    def holds(self, example: int, position: int) -> np.ndarray:
        """What stands at a position of an example: an input, or the label (0 of the query)."""
        if position < self.sizes.n:
            return self.inputs(example)[position - 1]
        real = example < len(self.prompt.Y)
        return self.prompt.Y[example] if real else np.zeros(self.sizes.d, dtype=object)


def near(got, wanted, off: float = LEAK) -> bool:
    """Whether two arrays differ by at most so much, relative to what is above 1."""
    got, wanted = np.asarray(got, dtype=float), np.asarray(wanted, dtype=float)
    return bool((abs(got - wanted) <= off * np.maximum(1, abs(wanted))).all())
