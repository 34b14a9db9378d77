"""The compiler: tasks, sizes and a domain become explicit weights.

wiring      where each task is tested, which operand slots it needs
domain      the prompts that the build answers for
margins     B, C, s, N, derived and certified
seven layers, embedding, unembedding
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, cast

import numpy as np

from construct.approximation.tasks import hold_tasks
from construct.arguments import checked, instance, optional, text, whole
from construct.certify import Margins, certify, choose_domain, choose_margins
from construct.certify.accuracy import Accuracy
from construct.certify.formats import FORMATS
from construct.certify.limits import Limit, limits
from construct.designs import THEOREM
from construct.designs.softmax.design import Design
from construct.designs.theorem import formulas
from construct.designs.theorem.embedding import embedding_entries, embeddings
from construct.designs.theorem.sizes import Sizes
from construct.designs.theorem.wiring import Wiring
from construct.errors import ConstructError, brief_names, shown
from construct.memory import EACH_WEIGHT, refuse_beyond_memory
from construct.network.transformer import Transformer
from construct.rational import rational
from construct.spec.domain import ONE_HOT, Domain
from construct.spec.formula import Formula
from construct.spec.kinds import permutation
from construct.spec.normal_form import normal_form
from construct.spec.prompt import Prompt
from construct.spec.promptfile import parse_prompt, prompt_of, refuse_other_formats
from construct.spec.tasks import Task, refuse_tasks_beyond_memory
from construct.spec.together import (
    of_one_dimension,
    refuse_what_cannot_stand_together,
    tokens_of_an_example,
)
from construct.spec.vocabulary import Vocabulary


@dataclass(frozen=True, eq=False)
class Construction:
    """A transformer with what it was built from and what it promises.

    Attributes:
        transformer: the weights.
        tasks: the K tasks, in the order of the heads of layer 4.
        domain: the prompts on which the theorem holds.
        margins: B, C, s, N.
        vocabulary: the words, if prompts are words.
        format: how an example of words is written, if not in the default way.
        held: the tasks as the network holds them: sums of ReLUs near the formulas, each other
            task itself.
    """

    transformer: Transformer
    tasks: tuple[Task | Formula, ...]
    domain: Domain
    margins: Margins
    vocabulary: Vocabulary | None = None
    format: str | None = None
    held: tuple[Task, ...] = ()

    def __post_init__(self) -> None:
        if not self.held:
            object.__setattr__(self, "held", self.tasks)

    def __repr__(self) -> str:
        s = self.sizes
        unit = " words" if self.vocabulary is not None else ""
        sizes = f"d = {s.d}{unit}, m = {s.m}, n = {s.n}, D = {s.D}"
        sizes += f", {self.design}" if self.softmax is not None else ""
        start = f"Construction(K = {s.K}: "
        names = brief_names((task.name for task in self.tasks), 77 - len(start) - len(sizes))
        return f"{start}{names}; {sizes})"

    def prompt(self, examples: Any, query: Any = None) -> Prompt:
        r"""A prompt of this construction's n, d and words.

            made.prompt("France -> Paris\nJapan ->")
            made.prompt('{"examples": [[[1, 2], [2, 1]]], "query": [[3, 4]]}')
            made.prompt([[[1, 2], [2, 1]]], [[3, 4]])

        Args:
            examples: [[x_1, ..., x_{n-1}, y], ...], each token a vector or, where there is a
                vocabulary, a word; or the whole prompt as the text of a prompt file.
            query: [x_1, ..., x_{n-1}]; left out where `examples` is a text.

        Raises:
            ConstructError: naming the line or the example that is malformed.
        """
        d, n, words = self.sizes.d, self.sizes.n, self.vocabulary
        if not isinstance(examples, str):
            return prompt_of(examples, query, d=d, n=n, vocabulary=words)
        if query is not None:
            raise ConstructError(
                f"the query is {shown(query)}; leave it out, the text of a prompt ends with it."
            )
        return parse_prompt(examples, d=d, n=n, vocabulary=words, format=self.format)

    @property
    def definitions(self) -> list[dict[str, Any]]:
        """The tasks as a task file has them."""
        return [task.as_json(words=self.vocabulary is not None) for task in self.tasks]

    @property
    def design(self) -> str:
        """The design that it was built by."""
        return THEOREM

    @property
    def softmax(self) -> Design | None:
        """The same as a description, if its attention is softmax."""
        return None

    @property
    def sizes(self) -> Sizes:
        """K, d, m, n, S, P and what follows from them."""
        return cast(Sizes, self.transformer.sizes)

    @cached_property
    def certificates(self) -> dict[str, list[str]]:
        """Number format -> why it is not certified; empty if it is."""
        return certify(self.sizes, self.wiring, self.domain, self.margins)

    @property
    def certified(self) -> tuple[str, ...]:
        """The number formats in which every decision is proved exact."""
        return tuple(name for name, failed in self.certificates.items() if not failed)

    @cached_property
    def wiring(self) -> Wiring:
        """Where each task is tested, which operand slots it needs."""
        return Wiring.of(self.held, self.sizes.n, self.sizes.w)

    @cached_property
    def accuracy(self) -> dict[str, Accuracy]:
        """For each float format how far rounding can take an answer."""
        promised = (self.sizes, self.wiring, self.domain, self.margins)
        return {fmt.name: Accuracy.of(*promised, fmt) for fmt in FORMATS}

    @cached_property
    def limits(self) -> dict[str, Limit]:
        """For each float format the largest sizes at which these tasks are certified."""
        return limits(self.sizes, self.wiring, self.domain)


def refuse_if_too_large(sizes: Sizes) -> None:
    """Refuse sizes that do not fit in memory whatever the tasks are, before any work is done.

    Raises:
        ConstructError: with the weights that are not 0, their bytes, and the sizes to reduce.
    """
    table, tasks = 4 * sizes.M, 2 * sizes.K * sizes.d
    refuse_weights(sizes, table + tasks + embedding_entries(sizes))


def refuse_weights(sizes: Any, nonzeros: int) -> None:
    """Refuse so many weights that are not 0 if they do not fit in memory."""
    parts = ((name, getattr(sizes, name)) for name in ("K", "d", "m", "n"))
    whose = "the weights for " + ", ".join(f"{name} = {shown(value)}" for name, value in parts)
    remedy = "choose smaller ones ('construct plan' counts any m and n on paper)"
    refuse_beyond_memory(nonzeros, EACH_WEIGHT, whose, remedy)


@checked(
    tasks=instance(list | tuple, "a list of tasks"),
    domain=optional(instance(Domain | Mapping, "a construct.Domain, or its JSON form")),
    vocabulary=optional(instance(Vocabulary, "a construct.Vocabulary")),
    format=optional(instance(str, "a text such as 'Q: {1} A: {y}'")),
    design=text,
)
def build(
    tasks: Sequence[Any],
    *,
    m: int = 32,
    n: int | None = None,
    domain: Domain | Mapping[str, Any] | None = None,
    vocabulary: Vocabulary | None = None,
    format: str | None = None,
    scratch: int | None = None,
    design: str = THEOREM,
) -> Construction:
    """Compile K tasks into a transformer: by default the theorem's, of seven layers of K heads.

    Args:
        tasks: K different maps on vectors of one dimension d.
        m: slots for in-context examples.
        n: tokens of an example; by default what the tasks read, at least 2.
        domain: the prompts to answer for, or its JSON form {"R": 8, ...}; by default one is chosen
            (`certify.choose_domain`), for a vocabulary all one-hot prompts.
        vocabulary: the d words, if prompts are words.
        format: how an example of words is written (`construct.spec.format`), such as
            "Q: {1} A: {y}".
        scratch: the scratch tokens of each example; by default as many as give the least
            width, and none where the layout without them has it.
        design: "theorem" (ReLU attention divided by N), "decoder" (causal softmax, an answer at
            every query of a prompt) or "encoder" (softmax).

    Raises:
        ConstructError: on sizes below 1, two tasks with one name or one map,
            tasks of different dimensions, a position that an example does not
            have, or more operand slots than heads; if a design cannot have these tasks.
    """
    if domain is not None:
        domain = domain if isinstance(domain, Domain) else Domain.from_json(domain)
        for name in ("R", "Ry", "delta", "grid", "tau"):
            rational(getattr(domain, name) or 1, f"{name} of the domain")  # or it is too long
    if design == THEOREM:
        return _build_theorem(tasks, m, n, domain, vocabulary, format, scratch)
    from construct.compiler.softmax import build_softmax

    return build_softmax(design, tasks, m, n, domain, vocabulary, format, scratch)


def _build_theorem(
    tasks: Sequence[Any],
    m: int,
    n: int | None,
    domain: Domain | None,
    vocabulary: Vocabulary | None,
    format: str | None,
    scratch: int | None,
) -> Construction:
    """The seven layers."""
    held, domain = hold(tasks, domain, vocabulary)
    wiring, sizes = validate(tasks, m, n, vocabulary, held=held, scratch=scratch)
    refuse_other_formats(format, sizes.n, vocabulary)
    if domain is None:
        domain = default_domain(sizes, wiring, vocabulary)
    margins = choose_margins(sizes, wiring, domain)
    layers_ = formulas(sizes, wiring, margins)
    refuse_weights(sizes, sum(layer.nonzeros for layer in layers_) + embedding_entries(sizes))
    layers = tuple(layer.emit() for layer in layers_)
    transformer = Transformer(
        sizes, layers, **embeddings(sizes, wiring.scratch), answer=sizes.tokens - 1
    )
    refuse_long(transformer)
    return Construction(transformer, tuple(tasks), domain, margins, vocabulary, format, held)


def hold(
    tasks: Sequence[Any], domain: Domain | None, vocabulary: Vocabulary | None
) -> tuple[tuple[Task, ...], Domain | None]:
    """The tasks as the network holds them, and the domain if they need one.

    Raises:
        ConstructError: as `hold_tasks`; if there is no task, or something else.
    """
    words = ONE_HOT if vocabulary is not None else None
    return hold_tasks(of_one_dimension(tasks), domain or words)


# Digits of a weight's numerator and denominator: Python reads and writes 4300.
MOST_WEIGHT_DIGITS = 4000


def refuse_long(transformer: Transformer) -> None:
    """Refuse weights with too many digits: files hold exact values as text."""
    end = 10**MOST_WEIGHT_DIGITS
    for name, entries in transformer.exact_entries().items():
        if max(abs(entries.numerators).max(), entries.denominators.max()) >= end:
            raise ConstructError(
                f"weight {name} is a fraction of more than {MOST_WEIGHT_DIGITS} digits; round "
                "the numbers of the tasks or of the domain."
            )


def default_domain(sizes: Sizes, wiring: Wiring, vocabulary: Vocabulary | None) -> Domain:
    """The domain of tasks that come without one."""

    def certified_at(candidate: Domain) -> list[str]:
        margins = choose_margins(sizes, wiring, candidate)
        failed = certify(sizes, wiring, candidate, margins)
        return [name for name in failed if not failed[name]]

    return ONE_HOT if vocabulary is not None else choose_domain(wiring.tasks, certified_at)


def validate(
    tasks: Sequence[Any],
    m: int,
    n: int | None,
    vocabulary: Vocabulary | None,
    *,
    held: Sequence[Task] | None = None,
    scratch: int | None = None,
    on_paper: bool = False,
) -> tuple[Wiring, Sizes]:
    """Wiring and sizes of a construction of these tasks.

    Args:
        held: the tasks as the network holds them, by default themselves.
        scratch: scratch tokens, by default as many as give the least width.
        on_paper: admit sizes that are too large to build.

    Raises:
        ConstructError: as `build`.
    """
    tasks = of_one_dimension(tasks)
    sizes = Sizes(len(tasks), tasks[0].d, m, tokens_of_an_example(tasks, m, n))
    if not on_paper:
        refuse_if_too_large(sizes)
    refuse_what_cannot_stand_together(tasks, sizes.n, vocabulary)
    held = tasks if held is None else held  # type: ignore[assignment]
    plain = Wiring.of(held)  # type: ignore[arg-type]
    K, S = len(tasks), len(plain.slots)
    if S > K:
        raise ConstructError(
            f"these tasks need S = {S} operand slots, each a head of layer 1, but a layer has one "
            f"for each task, here K = {K}; build them together with {S - K} more, such as one of "
            "the kind 'retrieval', that copies an operand."
        )
    w = plain.fewest_scratch(sizes.n) if scratch is None else scratch
    _refuse_other_scratch(w, K, S)
    wiring = Wiring.of(plain.tasks, sizes.n, w) if w else plain
    return wiring, replace(sizes, S=S, P=len(wiring.dictionary), w=w)


def _refuse_other_scratch(w: Any, K: int, S: int) -> None:
    if type(w) is not int or not 0 <= w <= K:
        raise ConstructError(
            f"scratch is {shown(w)}; it must be a whole number of tokens from 0 to K = {K}: no "
            "task needs more than one."
        )
    if w and S >= K:
        raise ConstructError(
            f"scratch is {w}, but scratch tokens take a head of layer 1, and the S = {S} operand "
            f"slots take all K = {K}; leave scratch out, or build one task more."
        )


@checked(seed=whole(0))
def random_tasks(K: int, d: int, seed: int = 0) -> list[Task]:
    """K distinct signed permutations plus whole-numbered shifts of R^d.

    Raises:
        ConstructError: if K or d is not a whole number of at least 1.
    """
    for name, value in (("K", K), ("d", d)):
        if type(value) is not int or value < 1:
            raise ConstructError(
                f"{name} is {shown(value)}; it must be a whole number of at least 1."
            )
    refuse_tasks_beyond_memory(K, d)
    rng = np.random.default_rng(seed)
    # Shifts in -reach..reach, with room for twice as many maps as are wanted.
    reach = 2
    while (2 * (2 * reach + 1)) ** d * math.factorial(min(d, 20)) < 2 * K:
        reach += 1
    found: dict[tuple, Task] = {}
    while len(found) < K:
        task = permutation(
            f"task{len(found) + 1}",
            permutation=(rng.permutation(d) + 1).tolist(),
            signs=rng.choice([-1, 1], d).tolist(),
            by=rng.integers(-reach, reach, d, endpoint=True).tolist(),
        )
        found.setdefault(normal_form(task), task)
    return list(found.values())
