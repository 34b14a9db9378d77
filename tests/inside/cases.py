"""Constructions of all designs with prompts, and patches, drawn by the generators of `tests/`."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st

from construct import Construction, Prompt, Trace, trace
from general import general_cases
from generators import calling_the_package, cases, prompts, whole_cases
from softmax.cases import vector_cases, word_cases
from softmax.several import operand_cases

WHOLE, REAL, GENERAL = "theorem, whole numbers", "theorem, real numbers", "theorem, general"
WORDS, OPERANDS, VECTORS = "decoder, words", "decoder, operands", "decoder, vectors"
ENCODER, ENCODER_WORDS = "encoder, vectors", "encoder, words"
SORTS = (WHOLE, REAL, GENERAL, WORDS, OPERANDS, VECTORS, ENCODER, ENCODER_WORDS)


@dataclass(frozen=True, eq=False)
class Inside:
    """A construction, certified for float64, and a prompt of its domain."""

    sort: str
    construction: Construction
    prompt: Prompt

    def trace(self, executor: str = "numpy", dtype: str | None = None) -> Trace:
        return trace(self.construction, self.prompt, executor=executor, dtype=dtype)

    def __repr__(self) -> str:
        built, prompt = self.construction, self.prompt
        definitions = [dict(task.definition) for task in built.tasks]
        said = f"{definitions}, m={built.sizes.m}, {built.domain!r}, {built.design}"
        return f"Inside({self.sort}: {said}; {prompt.X}, {prompt.Y}, {prompt.query})"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))


@st.composite
@calling_the_package
def insides(draw, sorts: tuple[str, ...] = SORTS) -> Inside:
    sort = draw(st.sampled_from(sorts))
    if sort == WHOLE:
        made, prompt = draw(whole_cases()).build()
    elif sort == REAL:
        case = draw(cases("float64"))
        made, prompt = case.construction, draw(prompts(case, "float64"))
    elif sort == GENERAL:
        drawn = draw(general_cases())
        made, prompt = drawn.construction, drawn.prompt
    elif sort in (WORDS, ENCODER_WORDS):
        words = draw(word_cases())
        made, prompt = words.build(sort.split(",")[0]), words.prompt
    elif sort == OPERANDS:
        operands = draw(operand_cases())
        made, prompt = operands.build(), operands.prompt
    else:
        case, prompt = draw(vector_cases(sort.split(",")[0], "float64"))
        made = case.construction
    assume("float64" in made.certified)
    return Inside(sort, made, prompt)


@dataclass(frozen=True)
class Patch:
    """What `Trace.patched` takes."""

    name: str
    value: Any
    layer: int
    tokens: list[int] | None

    def on(self, done: Trace) -> Trace:
        return done.patched(self.name, self.value, layer=self.layer, tokens=self.tokens)

    def stream(self, state: np.ndarray, done: Trace) -> np.ndarray:
        """The same by hand: the stream after the layer with the field set."""
        found, field = state.copy(), done.construction.sizes.residual[self.name]
        tokens = range(len(state)) if self.tokens is None else self.tokens
        value = np.asarray(self.value, dtype=float)
        for row, token in enumerate(tokens):
            for i in range(field.width):
                held = value if value.ndim == 0 else value[row] if value.ndim == 2 else value
                found[token, field.start + i] = held if held.ndim == 0 else held[i]
        return found


# Whole numbers, as a person sets them.
NUMBERS = st.integers(-3, 3) | st.sampled_from([0, 1])


class Held:
    """A trace, which Hypothesis would print with all its weights."""

    def __init__(self, done: Trace) -> None:
        self.done = done

    def __repr__(self) -> str:
        return repr(self.done)


def patches(done: Trace, layers: tuple[int, ...] = ()) -> st.SearchStrategy[Patch]:
    """Any field, after any layer (or one of those given), at all or some tokens, in each form."""
    return _patches(Held(done), layers)


@st.composite
@calling_the_package
def _patches(draw, held: Held, layers: tuple[int, ...]) -> Patch:
    done = held.done
    N, field = done.states.shape[1], draw(st.sampled_from(done.fields))
    layer = draw(st.sampled_from(layers or range(len(done.layers) + 1)))
    some = st.lists(st.integers(0, N - 1), min_size=1, max_size=4, unique=True)
    tokens = draw(st.none() | some | some)
    count = N if tokens is None else len(tokens)
    forms: list[tuple[int, ...]] = [(), (field.width,), (count, field.width)]
    shape = draw(st.sampled_from(forms))
    size = int(np.prod(shape, dtype=int))
    values = draw(st.lists(NUMBERS, min_size=size, max_size=size))
    value = np.array(values, dtype=np.int64).reshape(shape)
    return Patch(field.name, value if shape else int(value), layer, tokens)


def shown(case: Inside) -> set[str]:
    """All that a case shows, for the test that each of it is drawn."""
    made, done = case.construction, case.trace()
    sizes: Any = made.sizes
    found = {case.sort, f"{case.sort}, {'some' if any(done.answer.votes) else 'no'} votes"}
    found |= {"scratch"} if getattr(sizes, "w", 0) else set()
    found |= {"operand slots"} if getattr(sizes, "S", 0) else set()
    if made.design == "theorem":
        found |= {"flat"} if made.margins.flat else {"equality"}
    found |= {"blanks"} if len(case.prompt.X) < sizes.m else {"full"}
    found |= {"no example"} if not len(case.prompt.X) else set()
    found |= {f"{made.design}, float32"} if "float32" in made.certified else set()
    return found | {token.kind for token in done.tokens}
