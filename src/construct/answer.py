"""One forward pass on one prompt, read off the heads and the answer token."""

from dataclasses import dataclass
from fractions import Fraction
from weakref import WeakKeyDictionary

import numpy as np

from construct.arguments import checked, instance, optional, text
from construct.compiler import Construction
from construct.errors import CheckFailed, ConstructError, brief, brief_names
from construct.execute.passes import Pass, Run, prepare
from construct.execute.registry import EXACT, RATIONALS, Executor, chosen
from construct.network.transformer import Transformer
from construct.reading import embedded, least_share, readings
from construct.spec.domain import check_domain, check_words
from construct.spec.prompt import Prompt
from construct.spec.promptfile import of_sizes
from construct.spec.vocabulary import Vocabulary


@dataclass(frozen=True, eq=False)
class Answer:
    """What the transformer said; nothing here comes from the specification.

    Attributes:
        answer: the answer token's vector after layer 7, of shape (d,).
        votes: for each task what its head gave in layer 4, all tokens together: c_k. Of a flat
            gate it is what its heads in layers 3 and 4 gave, as the nearest whole number.
        explains: (K, e), what head k gave at its home token of each example: 1 or 0.
        tasks: the names of the K tasks.
        vocabulary: the words, if prompts are words.
        least: shares up to here stand for no vote (`reading.least_share`).
    """

    answer: np.ndarray
    votes: tuple[Fraction, ...]
    explains: np.ndarray
    tasks: tuple[str, ...] = ()
    vocabulary: Vocabulary | None = None
    least: Fraction | int = 0

    def __repr__(self) -> str:
        said = self.distribution if self.vocabulary is not None else self.answer.tolist()
        voted = zip(self.tasks or map(str, range(1, len(self.votes) + 1)), self.votes, strict=True)
        votes = brief_names((f"{brief(name, 20)} {c}" for name, c in voted if c), 34)
        return f"Answer({brief(said, 30)}; votes: {votes or 'none'})"

    @property
    def weights(self) -> tuple[Fraction, ...]:
        """c_k / sum c; all 0 if no example voted."""
        total = sum(self.votes)
        return tuple(c / total if total else Fraction(0) for c in self.votes)

    @property
    def by_task(self) -> dict[str, Fraction]:
        """The weight of each task, under its name.

        Raises:
            ConstructError: if the answer was made without the names.
        """
        if len(self.tasks) != len(self.votes):
            raise ConstructError("this answer has no names of tasks; construct.run gives them.")
        return dict(zip(self.tasks, self.weights, strict=True))

    @property
    def distribution(self) -> dict[str, Fraction | float]:
        """Word -> its probability, largest first; words of probability 0 are left out.

        Fractions where the executor is exact. They add up to 1 unless a task that has votes
        gives no word for the query, or no example voted.

        Raises:
            ConstructError: if the answer is numbers.
        """
        if self.vocabulary is None:
            raise ConstructError(
                "a distribution is over words, and these tasks have no vocabulary; read the "
                "numbers from the attribute 'answer'."
            )
        number = Fraction if self.answer.dtype == object else float
        pairs = zip(self.vocabulary, self.answer.tolist(), strict=True)
        shares = [(word, number(share)) for word, share in pairs if abs(share) > self.least]
        return dict(sorted(shares, key=lambda pair: -pair[1]))

    @property
    def unexplained(self) -> tuple[int, ...]:
        """Examples that no head matched, as indices from 0."""
        return self._examples_with(lambda voters: voters == 0)

    @property
    def ambiguous(self) -> tuple[int, ...]:
        """Examples that several heads matched, as indices from 0."""
        return self._examples_with(lambda voters: voters > 1)

    def _examples_with(self, rule) -> tuple[int, ...]:
        voters = (self.explains > 0).sum(axis=0)
        return tuple(int(i) for i in np.flatnonzero(rule(voters)))


@checked(
    construction=instance(Construction, "a construct.Construction"),
    prompt=instance(Prompt, "a construct.Prompt"),
    executor=optional(text),
    dtype=optional(text),
)
def run(
    construction: Construction,
    prompt: Prompt,
    *,
    executor: str | None = None,
    dtype: str | None = None,
) -> Answer:
    """Run one forward pass, after checking that the prompt is in the domain.

    Args:
        executor: one of `construct.execute.registry.EXECUTORS`; by default jax, which is
            dense, and sparse for prompts on which a dense pass would take long.
        dtype: a number format of the executor; by default its first.

    Raises:
        OutsideDomain: if the theorem makes no promise for this prompt.
        ConstructError: if the format is not certified for this artifact.
        CheckFailed: if the total of a head is not a number of votes.
    """
    return _answers(construction, prompt, executor, dtype, last=True)[-1]


@checked(
    construction=instance(Construction, "a construct.Construction"),
    prompt=instance(Prompt, "a construct.Prompt"),
    executor=optional(text),
    dtype=optional(text),
)
def predictions(
    construction: Construction,
    prompt: Prompt,
    *,
    executor: str | None = None,
    dtype: str | None = None,
) -> list[Answer]:
    """The answer at each query of the prompt: of a decoder, that at the last input of each example.

    The i-th, from 0, is the answer to example i's inputs as a query, after i examples; the last
    one is that of `run`. Any design but a decoder has that one alone.

    Args:
        executor, dtype: as in `run`.

    Raises:
        ConstructError: as `run`.
    """
    return _answers(construction, prompt, executor, dtype, last=False)


def _answers(
    construction: Construction,
    prompt: Prompt,
    executor: str | None,
    dtype: str | None,
    *,
    last: bool,
) -> list[Answer]:
    """One pass, read at each query or at the last alone."""
    forward, _, dtype = forward_of(construction, executor, dtype)
    numbers = fitting(construction, prompt, dtype)
    [stream] = embedded(construction, [numbers])
    found = read_answers(construction, forward(stream), len(prompt.X), last=last)
    for answer in found:
        refuse_what_are_no_votes(construction, answer, answer.explains.shape[1])
    return found


def forward_of(
    construction: Construction, executor: str | None, dtype: str | None
) -> tuple[Run, Executor, str]:
    """What runs the construction, by which executor and in which format.

    Raises:
        ConstructError: if there is no such executor, or the format is not certified.
    """
    sizes = construction.sizes
    by = chosen(executor, sizes.K, sizes.N, construction.softmax is not None)
    dtype = dtype or by.formats[0]
    failed = construction.certificates.get(dtype, [])
    if failed:
        exact = f"{RATIONALS} (with --executor {EXACT.name})"
        raise ConstructError(
            f"{dtype} is not certified for this artifact ({failed[0]}); use one of: "
            f"{', '.join([*construction.certified, exact])}."
        )
    return prepared(construction.transformer, by.name, dtype), by, dtype


def fitting(construction: Construction, prompt: Prompt, dtype: str) -> Prompt:
    """The prompt in the numbers of a format, if it is one that the theorem is about.

    Raises:
        ConstructError: if it has other sizes, or too many examples.
        OutsideDomain: if the theorem makes no promise for it.
    """
    sizes = construction.sizes
    numbers = of_sizes(prompt, sizes.d, sizes.n).astype(dtype)
    if construction.softmax is not None and construction.softmax.logits:
        check_words(numbers)
    check_domain(numbers, construction.tasks, construction.domain, sizes.m)
    return numbers


def refuse_what_are_no_votes(construction: Construction, answer: Answer, examples: int) -> None:
    """Refuse totals that are not whole numbers from 0 to the number of examples.

    In every certified format the heads give exactly 1 on a match and 0 elsewhere, or, where the
    gate is flat, what is nearest to them (`nearest`); this check finds other weights, and
    machines that do not compute as the certificate assumes.

    Raises:
        CheckFailed: naming the task and its total.
    """
    gave = answer.explains
    each = ((gave == 0) | (gave == 1)).all(axis=1).tolist()
    for task, votes, one_each in zip(construction.tasks, answer.votes, each, strict=True):
        if votes.denominator != 1 or not 0 <= votes <= examples or not one_each:
            raise CheckFailed(
                f"the head of task {task.name!r} gave {float(votes):.6g} votes in total for "
                f"{examples} examples, each of which gives it one vote or none: the weights are "
                "not what its tasks compile to, or this machine does not compute as the "
                "certificate assumes; check the artifact with 'construct verify'."
            )


# What was prepared is kept as long as its transformer lives: prompts come one by one.
_PREPARED: WeakKeyDictionary[Transformer, dict[tuple[str, str], Run]] = WeakKeyDictionary()


def prepared(transformer: Transformer, executor: str, dtype: str) -> Run:
    """The executor of that name, prepared once for each transformer and format."""
    known = _PREPARED.setdefault(transformer, {})
    if (executor, dtype) not in known:
        known[executor, dtype] = prepare(executor, transformer, dtype)
    return known[executor, dtype]


def read_answer(construction: Construction, done: Pass, examples: int) -> Answer:
    """Read answer and votes off a pass over one stream."""
    return read_answers(construction, done, examples, last=True)[-1]


def read_answers(
    construction: Construction, done: Pass, examples: int, *, last: bool = False
) -> list[Answer]:
    """The same at each query at which an answer stands, or at the last alone."""
    names, least = tuple(task.name for task in construction.tasks), least_share(construction)
    return [
        Answer(
            found.answer,
            tuple(Fraction(c) for c in found.totals.tolist()),
            found.given,
            names,
            construction.vocabulary,
            least,
        )
        for found in readings(construction, done, examples, last=last)
    ]
