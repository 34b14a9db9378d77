"""One pass with its inside: fields by name, scores by head, and patches."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Shaped

from construct.answer import Answer, fitting, forward_of, read_answer
from construct.arguments import checked, instance, optional, text
from construct.compiler import Construction
from construct.errors import ConstructError, shown
from construct.execute.passes import Pass
from construct.execute.registry import EXECUTORS, JAX, NUMPY
from construct.inside.arrays import arrays_of
from construct.inside.heads import Scores, number_of_layer
from construct.inside.patches import places_of, rest_of, values_of
from construct.inside.tokens import Token, tokens_of
from construct.network.residual import Field
from construct.network.transformer import Layer
from construct.reading import embedded
from construct.spec.prompt import Prompt

# Above so many scores of a head numpy, which holds them, is not the default.
MOST_HELD = 1 << 24

# What a trace's `promised` is before any patch: more layers than there are.
NEVER_PATCHED = sys.maxsize


@checked(
    construction=instance(Construction, "a construct.Construction"),
    prompt=instance(Prompt, "a construct.Prompt"),
    executor=optional(text),
    dtype=optional(text),
)
def trace(
    construction: Construction,
    prompt: Prompt,
    *,
    executor: str | None = None,
    dtype: str | None = None,
) -> "Trace":
    """Run one forward pass, after checking that the prompt is in the domain, and keep its inside.

    Args:
        executor: one of `construct.execute.registry.EXECUTORS`; by default numpy, and that of
            `construct.run` for long prompts.
        dtype: a number format of the executor; by default its first.

    Raises:
        OutsideDomain: if the theorem makes no promise for this prompt.
        ConstructError: if the format is not certified for this artifact.
    """
    if executor is None and construction.sizes.N**2 <= MOST_HELD:
        executor = NUMPY.name
    forward, by, dtype = forward_of(construction, executor, dtype)
    numbers = fitting(construction, prompt, dtype)
    [stream] = embedded(construction, [numbers])
    done = forward(stream, trace=True)
    assert done.states is not None
    return Trace(construction, numbers, by.name, dtype, done.states, done.attended)


@dataclass(frozen=True, eq=False)
class Trace:
    """The inside of a pass. Layers count from 1; layer 0 is the embedding.

    Attributes:
        construction: whose pass it is.
        prompt: in the numbers of the pass.
        executor, dtype: what ran it.
        states: (L+1, N, D), the residual stream before layer 1 and after each layer.
        attended: (L, heads, N), what each token gave in all to those that it reads
            (`Pass.attended`): the sums of `scores`, of softmax attention but for what leaks,
            and but for the sink and for what comes after the last token.
        promised: up to this layer the stream is one of the compiler's: none above it was
            patched.
    """

    construction: Construction
    prompt: Prompt
    executor: str
    dtype: str
    states: Shaped[np.ndarray, "states N D"]
    attended: Shaped[np.ndarray, "L heads N"]
    promised: int = NEVER_PATCHED

    def __post_init__(self) -> None:
        for name in ("states", "attended"):
            kept = getattr(self, name).view()
            kept.flags.writeable = False  # fields are views: a patch is made by `patched`
            object.__setattr__(self, name, kept)

    def __repr__(self) -> str:
        layers, N, D = len(self.layers), *self.states.shape[1:]
        return f"Trace({layers} layers, {N} tokens, width {D}; {self.executor}, {self.dtype})"

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The L layers; the first one is layer 1."""
        return self.construction.transformer.layers

    @property
    def fields(self) -> tuple[Field, ...]:
        """The named ranges of the residual stream's coordinates, in order."""
        return self.construction.sizes.residual.fields

    @cached_property
    def tokens(self) -> tuple[Token, ...]:
        """What stands at each of the N places of the context."""
        return tokens_of(self.construction, self.prompt)

    @cached_property
    def answer(self) -> Answer:
        """What is read off this pass; after a patch votes need not be whole numbers."""
        done = Pass(self.states[-1], self.attended)
        return read_answer(self.construction, done, len(self.prompt.X))

    @property
    def answer_token(self) -> int:
        """The index of the token at which the answer is read."""
        transformer = self.construction.transformer
        if not transformer.attention.causal:
            return transformer.answer
        return next(token.index for token in reversed(self.tokens) if token.query)

    def token(self, example: int | str, position: int | str) -> int:
        """The index of a token.

        Args:
            example: from 0, or "query".
            position: from 1 in its example in the network, or "label", its last token.

        Raises:
            ConstructError: if the prompt has no such token.
        """
        length = self.construction.sizes.length
        last = length if isinstance(position, str) and position == "label" else position
        if _number_or_text(example) and _number_or_text(last):
            for token in self.tokens:
                owner = "query" if token.query else token.example
                if owner is not None and owner == example and token.position == last:
                    return token.index
        e = len(self.prompt.X)
        which = f"an example from 0 to {e - 1} or 'query'" if e else "the example 'query'"
        raise ConstructError(
            f"the prompt has no token {shown(position)} of example {shown(example)}; give {which}, "
            f"and a position from 1 to {length} or 'label' (the query of a decoder has no label)."
        )

    def field(self, name: str, *, layer: int | None = None) -> Shaped[np.ndarray, "N width"]:
        """A field of the residual stream after a layer, token by token: a view.

        Args:
            name: one of the names of `fields`.
            layer: from 0, before layer 1; by default the last.

        Raises:
            ConstructError: if there is no such field or layer.
        """
        number = len(self.layers) if layer is None else number_of_layer(layer, 0, len(self.layers))
        return self.states[number][:, self._field(name).at]

    @cached_property
    def scores(self) -> Scores:
        """`scores[layer, head]`: the pairs of tokens that score, head by number or by name."""
        transformer = self.construction.transformer
        sizes: Any = transformer.sizes
        causal = transformer.attention.causal
        return Scores(
            transformer,
            self.states,
            there=self.answer_token + 1 if causal else sizes.N,
            leak=getattr(self.construction, "leak", 0),
            promised=self.promised,
        )

    def to_arrays(self) -> dict[str, np.ndarray]:
        """All of it as plain arrays, for `numpy.savez` (`inside.arrays`)."""
        return arrays_of(self)

    def patched(
        self,
        name: str,
        value: Any,
        *,
        layer: int,
        tokens: int | Sequence[int] | None = None,
    ) -> "Trace":
        """Set a field after a layer and run on from there.

        Args:
            name: of the field.
            value: what it holds then: a number, an array (width,), or one (tokens, width); of
                a field of one coordinate also (tokens,).
            layer: after which it is set; 0 is the embedding.
            tokens: where; by default at all tokens.

        Returns:
            The pass that this gives. What was before the layer is as it was; nothing is
            promised of the answer, and a further patch goes on from this one. The sparse
            executor relies on what the compiler promises of a stream: jax goes on for it.

        Raises:
            ConstructError: if there is no such field, layer or token, the value does not fit,
                or an earlier patch led to numbers beyond the range of the format.
        """
        number, field = number_of_layer(layer, 0, len(self.layers)), self._field(name)
        N, executor = self.states.shape[1], self.executor
        at = np.arange(N) if tokens is None else places_of(tokens, N)
        stream = self.states[number].copy()
        stream[at, field.at] = values_of(value, (len(at), field.width), stream.dtype)
        if EXECUTORS[executor].scores == "in reach":
            executor = JAX.name
        rest = rest_of(self.construction.transformer, number, executor, self.dtype)
        done = rest(stream, trace=True)
        assert done.states is not None
        attended = done.attended.reshape(-1, *self.attended.shape[1:])
        return replace(
            self,
            executor=executor,
            states=np.concatenate([self.states[:number], done.states]),
            attended=np.concatenate([self.attended[:number], attended]),
            promised=min(self.promised, number),
        )

    def _field(self, name: Any) -> Field:
        residual = self.construction.sizes.residual
        if not isinstance(name, str) or name not in residual:
            names = ", ".join(field.name for field in residual.fields)
            raise ConstructError(f"there is no field {shown(name)}; choose one of: {names}.")
        return residual[name]


def _number_or_text(value: Any) -> bool:
    return isinstance(value, str | int | np.integer) and not isinstance(value, bool)
