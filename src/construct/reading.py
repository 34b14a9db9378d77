"""What goes into a pass and what is read off it, whichever design a construction is of.

embedded   prompts -> streams
readings   a pass -> at each query that has an answer, the vector and the votes so far
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from construct.compiler import Construction
from construct.designs.softmax import embedding as softmax
from construct.designs.softmax.design import Design
from construct.designs.theorem import embedding as theorem
from construct.designs.theorem import votes as votes_of
from construct.errors import CheckFailed, ConstructError
from construct.execute.passes import Pass
from construct.spec.prompt import Prompt


@dataclass(frozen=True, eq=False)
class Reading:
    """What a transformer says at one query.

    Attributes:
        answer: (d,), the mixture.
        given: (K, e), what head k gave for each example before the query.
        totals: (K,), what it gave in all.
    """

    answer: np.ndarray
    given: np.ndarray
    totals: np.ndarray


def embedded(construction: Construction, prompts: Sequence[Prompt]) -> np.ndarray:
    """The streams of prompts that fit, (batch, N, D)."""
    if construction.softmax is None:
        return theorem.embed_all(construction.transformer, prompts)
    for prompt in prompts:
        _refuse_misfit(construction, prompt)
    return softmax.embed_all(construction.transformer, prompts)


def readings(
    construction: Construction, done: Pass, examples: int, *, last: bool = False
) -> list[Reading]:
    """One for each query at which an answer stands; the last is that of the prompt's query.

    Args:
        last: whether to read that one alone.

    Raises:
        CheckFailed: if what the heads gave is NaN or infinite.
    """
    design = construction.softmax
    if design is None:
        return [_theorem(construction, done, examples)]
    return _softmax(construction, design, done, examples, last)


def _theorem(construction: Construction, done: Pass, examples: int) -> Reading:
    """The answer at the answer token; votes are given at home tokens."""
    transformer, sizes = construction.transformer, construction.sizes
    margins = construction.margins
    given = votes_of(margins, done.attended)
    _refuse_infinite(given)
    # (K, m+1, n+w) -> for each example the token that gave: the home token.
    by_example = given[:, : sizes.tokens].reshape(sizes.K, sizes.m + 1, sizes.length).sum(axis=-1)
    totals = given.sum(axis=-1)
    if margins.flat:
        by_example, totals = nearest(by_example), nearest(totals)
    answer = theorem.unembed(transformer, done.stream)
    return Reading(answer, by_example[:, :examples], totals)


def _softmax(
    construction: Construction, design: Design, done: Pass, examples: int, last: bool
) -> list[Reading]:
    """A decoder answers at each query, from the votes before it; an encoder at the end."""
    sizes: Any = construction.transformer.sizes
    before = range(examples + 1) if design.attention.causal else range(examples, examples + 1)
    places = design.queries(sizes, examples)
    if last:
        before, places = before[-1:], places[-1:]
    votes = design.votes(sizes, done.attended, examples)
    _refuse_infinite(votes)
    votes = nearest(votes)
    rows = softmax.unembed(construction.transformer, done.stream[places])
    answers = shares(rows)[:, :-1] if design.logits else rows
    return [
        Reading(answer, votes[:, :i], votes[:, :i].sum(axis=1))
        for answer, i in zip(answers, before, strict=True)
    ]


def shares(logits: np.ndarray) -> np.ndarray:
    """The softmax of each row; of rationals to 2^-191."""
    if logits.dtype == object:
        from construct.execute.balls import softmax as in_balls

        return np.stack([in_balls(row) for row in logits])
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


def least_share(construction: Construction) -> Fraction | int:
    """Half of the least share that a vote can have; what is below it has none.

    Softmax gives every word some share, e^-gamma where there is no vote.
    """
    if construction.softmax is None:
        return 0
    return Fraction(1, 2 * construction.sizes.m * construction.sizes.K)


def nearest(votes: np.ndarray) -> np.ndarray:
    """Votes as the whole numbers that they are near; others are left as they are.

    Those of a flat gate, and of softmax, are near one: in a certified format within a quarter.
    """
    if votes.dtype.kind == "f":
        whole = np.rint(votes)
    else:
        whole = np.array([round(v) for v in votes.flat], dtype=object).reshape(votes.shape)
    with np.errstate(invalid="ignore"):  # infinity less infinity
        near = np.array(4 * abs(votes - whole) <= 1, dtype=bool)
    return np.where(near, whole, votes)


def _refuse_infinite(given: np.ndarray) -> None:
    if not np.isfinite(given.astype(np.float64)).all():
        raise CheckFailed(
            "the heads gave NaN or infinity: a number is beyond the range of the format; use the "
            "exact executor."
        )


def _refuse_misfit(construction: Construction, prompt: Prompt) -> None:
    sizes = construction.sizes
    if (prompt.n, prompt.d) != (sizes.n, sizes.d) or len(prompt.X) > sizes.m:
        raise ConstructError(
            f"the prompt has {len(prompt.X)} examples, n = {prompt.n}, d = {prompt.d}; this "
            f"transformer takes at most m = {sizes.m} examples, n = {sizes.n}, d = {sizes.d}."
        )
