"""Many prompts, in batches: one forward pass for each batch."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import numpy as np

from construct.answer import (
    Answer,
    fitting,
    forward_of,
    read_answer,
    refuse_what_are_no_votes,
)
from construct.arguments import checked, instance, listed, optional, text
from construct.compiler import Construction
from construct.errors import ConstructError
from construct.execute.passes import Pass, Run
from construct.execute.registry import Executor
from construct.reading import embedded
from construct.spec.prompt import Prompt


@checked(
    construction=instance(Construction, "a construct.Construction"),
    prompts=listed(instance(Prompt, "a construct.Prompt"), "construct.Prompt", least=0),
    executor=optional(text),
    dtype=optional(text),
)
def run_all(
    construction: Construction,
    prompts: Sequence[Prompt],
    *,
    executor: str | None = None,
    dtype: str | None = None,
) -> list[Answer]:
    """Run many prompts: as `run` on each, with one forward pass for a batch of them.

    Args:
        executor, dtype: as in `run`.

    Raises:
        ConstructError: as `run`, naming the first prompt that is refused, from 1; the error
            is of the class that `run` raises.
    """
    found: list[Answer] = []
    for number, answer in enumerate(answers(construction, prompts, executor, dtype), 1):
        if isinstance(answer, ConstructError):
            raise type(answer)(f"prompt {number}: {answer}")
        found.append(answer)
    return found


def answers(
    construction: Construction,
    prompts: Iterable[Prompt | ConstructError],
    executor: str | None = None,
    dtype: str | None = None,
) -> Iterator[Answer | ConstructError]:
    """The answer to each prompt, in order, or why it is refused; they are taken as needed.

    Args:
        prompts: in the place of one that could not be read, the error; it comes back.

    Raises:
        ConstructError: if the executor or the format is none for this artifact.
    """
    forward, by, dtype = forward_of(construction, executor, dtype)
    size = batch_size(construction, by)
    rest, first = iter(prompts), True
    while batch := [_checked(construction, one, dtype) for one in islice(rest, size)]:
        # A program is compiled for each size of a batch: the last one is filled up.
        fill = size if by.takes_mesh and not (first and len(batch) < size) else 0
        yield from _run(construction, forward, batch, fill)
        first = False


def _checked(
    construction: Construction, prompt: Prompt | ConstructError, dtype: str
) -> Prompt | ConstructError:
    try:
        return fitting(construction, prompt, dtype) if isinstance(prompt, Prompt) else prompt
    except ConstructError as error:
        return error


def _run(
    construction: Construction, forward: Run, batch: Sequence[Prompt | ConstructError], fill: int
) -> Iterator[Answer | ConstructError]:
    """Run those of a batch that are prompts in one pass, filled up to at least `fill` streams."""
    prompts = [prompt for prompt in batch if isinstance(prompt, Prompt)]
    if not prompts:
        yield from (error for error in batch if isinstance(error, ConstructError))
        return
    streams = embedded(construction, prompts)
    if len(streams) < fill:
        more = np.repeat(streams[-1:], fill - len(streams), axis=0)
        streams = np.concatenate([streams, more])
    done = forward(streams)
    passes = iter(zip(done.stream, done.attended, strict=True))
    for prompt in batch:
        if isinstance(prompt, ConstructError):
            yield prompt
        else:
            yield _read(construction, Pass(*next(passes)), len(prompt.X))


def _read(construction: Construction, done: Pass, examples: int) -> Answer | ConstructError:
    try:
        answer = read_answer(construction, done, examples)
        refuse_what_are_no_votes(construction, answer, examples)
    except ConstructError as error:
        return error
    return answer


def batch_size(
    construction: Construction, executor: Executor, most: int = 64, numbers: int = 1 << 24
) -> int:
    """How many prompts go through an executor at once, at most `most`.

    What a layer holds, of scores or of the stream, should stay near so many numbers, of which
    those given by default are a hundred megabytes.
    """
    sizes = construction.sizes
    held = sizes.N * max(sizes.D, sizes.K * sizes.N if executor.scores == "held" else 0)
    return max(1, min(most, numbers // held))
