"""The specification: what the transformer's output must equal.

Plain NumPy, independent of the compiler: votes c_k, weights c_k / sum c, and the
answer sum_k c_k f_k(X_q) / sum_k c_k. An example that several tasks explain votes
for each of them; one that no task explains has no vote; with no vote at all the
answer is 0. All is exact: floats are the rationals that they hold, and each task is
evaluated as it is written; a formula that is not rational, to 2^-200 (`construct.spec.formula`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from construct.arguments import checked, distance, function, instance, listed, number, wrong
from construct.errors import brief
from construct.rational import rational, to_float, zeros
from construct.spec.matching import matched
from construct.spec.prompt import Prompt, exactly, is_exact


@dataclass(frozen=True, eq=False)
class Mixture:
    """The mixture of the tasks on a prompt.

    Attributes:
        votes: c_k, for each task the examples that it explains.
        weights: c_k / sum c, exactly; all 0 if there is no vote.
        answer: sum_k weights_k f_k(X_q), of shape (d,); for a query of floats rounded
            once, to float64.
        unexplained: examples that no task explains, as indices from 0.
        ambiguous: examples that several tasks explain, as indices from 0.
    """

    votes: tuple[int, ...]
    weights: tuple[Fraction, ...]
    answer: np.ndarray
    unexplained: tuple[int, ...]
    ambiguous: tuple[int, ...]

    def __repr__(self) -> str:
        return f"Mixture({brief(self.answer.tolist(), 36)}; votes {brief(self.votes, 24)})"


@checked(
    tasks=listed(function, "function X -> f(X)"),
    prompt=instance(Prompt, "a construct.Prompt"),
    delta=number,
    tau=distance,
)
def mixture(
    tasks: Sequence[Callable],
    prompt: Prompt,
    *,
    delta: Fraction | int = 1,
    tau: Fraction | int = 0,
) -> Mixture:
    """The mixture of `tasks` on `prompt`.

    Args:
        tasks: each maps inputs (..., n-1, d) to (..., d).
        delta: the domain's separation; it sets what counts as a match on floats
            (`matching.matched`). On exact prompts f(X) = y is equality.
        tau: labels match within this distance, below delta.
    """
    if rational(tau) >= rational(delta):
        raise wrong(tau, "tau", f"below delta = {delta}")
    explains = matched(tasks, prompt, delta, tau)
    votes = tuple(int(c) for c in explains.sum(axis=1))
    total = sum(votes)
    weights = tuple(Fraction(c, total) if total else Fraction(0) for c in votes)
    query = exactly(prompt.query)
    answer = zeros(prompt.d)
    for weight, f in zip(weights, tasks, strict=True):
        if weight:
            value = f(query)
            some = np.flatnonzero(value)
            answer[some] += weight * value[some].astype(object)
    voters = explains.sum(axis=0)
    return Mixture(
        votes,
        weights,
        answer if is_exact(prompt.query) else to_float(answer),
        unexplained=tuple(int(i) for i in np.flatnonzero(voters == 0)),
        ambiguous=tuple(int(i) for i in np.flatnonzero(voters > 1)),
    )
