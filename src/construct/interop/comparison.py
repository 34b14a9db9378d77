"""Whether what a library computes from an export is what our own executor computes."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from construct.answer import Answer, predictions
from construct.checking.plausible import plausible_prompt
from construct.checking.promise import rounding_bound
from construct.checking.sampling import random_prompts
from construct.compiler import Construction
from construct.errors import CheckFailed
from construct.execute.registry import NUMPY
from construct.interop import Forward, Progress
from construct.reading import shares
from construct.spec.prompt import Prompt, exactly

# Prompts on which an export is compared; a decoder has an answer at each query of them.
PROMPTS = 12


@dataclass(frozen=True)
class Comparison:
    """How far the answers of an export are from ours.

    Attributes:
        prompts, queries: on how many they were compared.
        worst: the largest difference of an entry of an answer.
        allowed: twice the certified error: so far two can be apart that are both within it.
    """

    prompts: int
    queries: int
    worst: float
    allowed: Fraction


def sample(construction: Construction, count: int = PROMPTS) -> list[Prompt]:
    """A prompt as a person would write it, and random ones."""
    return [plausible_prompt(construction), *random_prompts(construction, count - 1, exact=True)]


def compare(
    construction: Construction, forward: Forward, dtype: str, progress: Progress
) -> Comparison:
    """Run sample prompts through an export and through our executor.

    Raises:
        CheckFailed: if an answer at some query differs by more than the certificate allows.
    """
    prompts, worst, queries, most = sample(construction), 0.0, 0, Fraction(0)
    for number, prompt in enumerate(prompts):
        progress("compare", number, len(prompts))
        prompt = prompt.astype(dtype)
        ours = predictions(construction, prompt, executor=NUMPY.name, dtype=dtype)
        theirs = answers(construction, forward(prompt))
        wanted = np.stack([answer.answer for answer in ours]).astype(np.float64)
        allowed = np.stack([_allowed(construction, prompt, answer, dtype) for answer in ours])
        same = theirs.shape == wanted.shape
        off = np.abs(theirs - wanted) if same else np.full(wanted.shape, np.inf)
        if not np.less_equal(off, allowed.astype(np.float64)).all():  # NaN is neither
            raise CheckFailed(
                f"the export differs by {off.max():.3g} from our own executor, and "
                f"{float(allowed.max()):.3g} is allowed in {dtype}: the library does not compute "
                "what its weights say; nothing was written."
            )
        worst, queries = max(worst, float(off.max())), queries + len(wanted)
        most = max(most, allowed.max())
    progress("compare", len(prompts), len(prompts))
    return Comparison(len(prompts), queries, worst, most)


def _allowed(construction: Construction, prompt: Prompt, answer: Answer, dtype: str) -> np.ndarray:
    """(d,): twice what rounding can do; of the theorem's design it depends on the votes."""
    return 2 * rounding_bound(construction, exactly(prompt.query), answer.votes, dtype)


def answers(construction: Construction, columns: np.ndarray) -> np.ndarray:
    """(queries, d): the answers that columns of W_U stand for."""
    columns, design = columns.astype(np.float64), construction.softmax
    return shares(columns)[:, :-1] if design is not None and design.logits else columns
