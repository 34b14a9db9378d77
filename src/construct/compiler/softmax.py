"""The compiler for the designs with softmax attention: decoder and encoder.

As in the theorem's design: a wiring of the tasks, a domain, margins; then blocks, embedding and
unembedding, emitted by their non-zeros.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Any

from construct.certify.choice import choose_domain
from construct.certify.decisions import certify
from construct.certify.formats import FORMATS
from construct.certify.limits import Limit, softmax_limits
from construct.certify.shares import answer_error, leak
from construct.certify.softmax import choose_margins
from construct.compiler import Construction, hold, refuse_long, refuse_weights
from construct.designs import DESIGNS, THEOREM
from construct.designs.decoder.operands import OPERANDS
from construct.designs.decoder.vectors import VECTORS
from construct.designs.decoder.words import WORDS
from construct.designs.encoder import ENCODER
from construct.designs.softmax.design import Design
from construct.designs.softmax.plan import Margins, Plan
from construct.designs.softmax.sizes import Sizes
from construct.errors import ConstructError, shown
from construct.spec.domain import ONE_HOT, Domain, refuse_other_than_words
from construct.spec.promptfile import refuse_other_formats
from construct.spec.tasks import Task
from construct.spec.together import refuse_what_cannot_stand_together, tokens_of_an_example
from construct.spec.vocabulary import Vocabulary


@dataclass(frozen=True, eq=False, repr=False)
class SoftmaxConstruction(Construction):
    """A transformer with softmax attention, and what it was built from.

    Attributes:
        margins: gamma, P, beta, top, C.
        plan: sizes, wiring and margins, as its blocks were written with them.
    """

    margins: Margins  # type: ignore[assignment]
    plan: Plan = field(kw_only=True)

    @property
    def design(self) -> str:
        """One of `DESIGNS`."""
        return self.softmax.name

    @cached_property
    def softmax(self) -> Design:
        """The design itself."""
        causal = self.transformer.attention.causal
        return chosen_design("decoder" if causal else "encoder", self.vocabulary, self.sizes.n)

    @property
    def sizes(self) -> Sizes:  # type: ignore[override]
        """K, d, m, n, and what follows from them."""
        return self.plan.sizes

    @property
    def wiring(self) -> Any:
        """How the tasks are read."""
        return self.plan.wiring

    @cached_property
    def certificates(self) -> dict[str, list[str]]:
        """Number format -> why it is not certified; empty if it is."""
        return certify(self.softmax, self.plan, self.held, self.domain)

    @property
    def leak(self) -> Fraction:
        """How far all votes together can be off by what decisions leave to wrong tokens."""
        sizes = self.plan.sizes
        return sizes.K * sizes.m * leak(self.plan)

    @cached_property
    def error(self) -> dict[str, Fraction]:
        """For each float format a bound on an entry of the answer, formulas aside.

        What formulas are held within comes on top: the sum of their epsilon times their shares.
        """
        given = self.softmax, self.plan, self.held, self.domain
        return {fmt.name: answer_error(fmt, *given) for fmt in FORMATS}

    @cached_property
    def answer_error(self) -> dict[str, Fraction]:
        """For each float format a bound on an entry of the answer, formulas included.

        Shares add up to 1, so that no more comes on top of `error` than the largest epsilon
        within which a task is held.
        """
        epsilon = Fraction(max(task.epsilon for task in self.held))
        return {name: error + epsilon for name, error in self.error.items()}

    @property
    def accuracy(self) -> Any:
        """Not known in this form: see `error`."""
        raise _of_the_theorem("the accuracy in ulp", self.design)

    @cached_property
    def limits(self) -> dict[str, Limit]:
        """For each float format how far it is certified."""
        return softmax_limits(self.softmax, self.plan, self.held, self.domain)


def _of_the_theorem(what: str, design: str) -> ConstructError:
    return ConstructError(
        f"{what} is told of the design {THEOREM!r} alone, and this is of {design!r}; its attribute "
        "'error' bounds an answer."
    )


def chosen_design(name: str, vocabulary: Vocabulary | None, n: int = 2) -> Design:
    """The design of that name; decoders of a word, of several words and of vectors are three.

    Raises:
        ConstructError: naming those that there are.
    """
    if name not in (WORDS.name, ENCODER.name):
        raise ConstructError(
            f"there is no design {shown(name)}; choose one of: {', '.join(DESIGNS)}."
        )
    if name == ENCODER.name:
        return ENCODER
    if vocabulary is None:
        return VECTORS
    return WORDS if n == 2 else OPERANDS


def build_softmax(
    name: str,
    tasks: Sequence[Any],
    m: int,
    n: int | None,
    domain: Domain | None,
    vocabulary: Vocabulary | None,
    format: str | None,
    scratch: int | None,
) -> SoftmaxConstruction:
    """As `compiler.build`, which hands these over."""
    chosen_design(name, vocabulary)  # or there is none of that name
    held, domain = hold(tasks, domain, vocabulary)
    design, plan, domain = on_paper(name, tasks, m, n, held, domain, vocabulary, scratch)
    refuse_other_formats(format, plan.sizes.n, vocabulary)
    formulas = design.formulas(plan)
    _, outer = design.outer(plan)
    refuse_weights(plan.sizes, outer.nonzeros + sum(layer.nonzeros for layer in formulas))
    layers = tuple(layer.emit() for layer in formulas)
    transformer = design.transformer(plan, layers, design.embeddings(plan))
    refuse_long(transformer)
    return SoftmaxConstruction(
        *(transformer, tuple(tasks), domain, plan.margins, vocabulary, format, held),
        plan=plan,
    )


def on_paper(
    name: str,
    tasks: Sequence[Any],
    m: int,
    n: int | None,
    held: Sequence[Task],
    domain: Domain | None,
    vocabulary: Vocabulary | None,
    scratch: int | None,
) -> tuple[Design, Plan, Domain]:
    """All that is fixed before any weight is written: the design, its plan, and the domain.

    Args:
        held: the tasks as the network holds them.

    Raises:
        ConstructError: as `build`.
    """
    if scratch:
        raise ConstructError(
            f"scratch is {shown(scratch)}, and the design {name!r} has no scratch tokens; leave "
            "it out."
        )
    n = tokens_of_an_example(tasks, m, n)
    refuse_what_cannot_stand_together(tasks, n, vocabulary)
    if domain is None:
        domain = ONE_HOT if vocabulary is not None else _default_domain(name, held, m, n)
    return *planned(name, held, m, n, domain, vocabulary), domain


def planned(
    name: str,
    held: Sequence[Task],
    m: int,
    n: int,
    domain: Domain,
    vocabulary: Vocabulary | None,
) -> tuple[Design, Plan]:
    """The design and its plan: all that follows from tasks, sizes and domain.

    Raises:
        ConstructError: if the design cannot have these tasks, or this domain.
    """
    design = chosen_design(name, vocabulary, n)
    if design.logits:
        refuse_other_than_words(domain)
    wiring = design.wiring(held, n)
    sizes = design.sizes(wiring, len(held), held[0].d, m, n)
    margins = choose_margins(design, sizes, held, domain)
    return design, Plan(sizes, wiring, margins)


def _default_domain(name: str, held: Sequence[Task], m: int, n: int) -> Domain:
    """The domain of tasks on vectors that come without one."""

    def certified_at(candidate: Domain) -> list[str]:
        design, plan = planned(name, held, m, n, candidate, None)
        failed = certify(design, plan, held, candidate)
        return [name for name in failed if not failed[name]]

    return choose_domain(held, certified_at)
