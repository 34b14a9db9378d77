"""The formats in which the decisions of a softmax design are certified.

Scores by addresses and by words are sums of whole multiples of gamma: no order rounds them. Where
labels are tested by distance the penalties C of other tokens are 0, term by term, at the token
that is meant (`designs.softmax.scores`). What is rounded there is e_k = f_k - label itself, and
top - beta ||e_k||^2 of it. A format is certified where these conditions hold: inequalities between
rationals, evaluated exactly. proofs/floats/softmax.md proves that they suffice, in any order of
summation, fused or not. With eta = gamma_t (F + ||e_k||) for the error of e_k:

    tables     sums of the tables of logarithms are off by gamma / 8 at most, counts,
               logarithms and the answer by a sixteenth;
    range      no weight and no intermediate overflows or underflows;
    label      a label that is f_k(X_i) is still a match when the prompt is rounded;
    match      a label that matches scores at least 3 gamma / 4 + 1;
    mismatch   a label at a distance >= delta scores at most -3 gamma / 4 - 1;
    elsewhere  and so does any other token, and any token that does not test.

On a grid of which the format holds every multiple, and where no e_k is rounded, eta is 0.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from construct.certify.bounds import Bounds, admitted, profile
from construct.certify.formats import FORMATS, Format
from construct.certify.margins import largest_match, root_above
from construct.certify.operands import not_exact
from construct.certify.shares import Errors, leak, mixed
from construct.certify.softmax import FAR_OFF, LEFT, squared_error, wiring_of
from construct.designs.decoder.operands.plan import WordOperands
from construct.designs.softmax.design import Design
from construct.designs.softmax.plan import Plan
from construct.rational import is_dyadic
from construct.spec.domain import Domain
from construct.spec.tasks import Task

# What a share of rounding may be at most: then no distance is worse than the least.
SMALL = Fraction(1, 64)


def certify(
    design: Design, plan: Plan, tasks: Sequence[Task], domain: Domain
) -> dict[str, list[str]]:
    """Number format -> the conditions that fail; empty if it is certified."""
    known = None if design.logits else Distances.of(design, plan, tasks, domain)
    found = {}
    for fmt in FORMATS:
        # The first is what a refusal names: numbers of a task are a reason of their own.
        failed = not_exact(fmt, plan) if isinstance(plan.wiring, WordOperands) else []
        failed += table_failures(fmt, design, plan)
        found[fmt.name] = failed + (list(known.failures(fmt)) if known else [])
    return found


def table_failures(fmt: Format, design: Design, plan: Plan) -> Iterator[str]:
    """The condition `tables`."""
    errors = Errors(fmt, plan)
    if errors.tables(design) > Fraction(plan.margins.gamma, 8):
        yield "tables: at log 0 they are rounded by more than gamma / 8; choose a smaller m or K"
    if max(errors.votes(design), errors.drift(design), mixed(fmt, design, plan)) > FAR_OFF:
        yield "tables: so many votes are rounded by more than a sixteenth; choose a smaller m or K"


@dataclass(frozen=True, eq=False)
class Distances:
    """What tasks, domain and margins imply for the scores that test labels.

    Attributes:
        plan, domain: what the test is written with.
        bounds: of e_k at the token that tests, as `certify.bounds` derives them.
        anywhere: E, a bound on ||e_k|| at every token.
        summed: F, a bound on the length of the sums of absolute summands of an f_k there.
        entry: a bound on an entry of e_k there.
    """

    plan: Plan
    domain: Domain
    bounds: Bounds
    anywhere: Fraction
    summed: Fraction
    entry: Fraction

    @classmethod
    def of(cls, design: Design, plan: Plan, tasks: Sequence[Task], domain: Domain) -> "Distances":
        """Derived from the tasks, as they are held."""
        wiring = wiring_of(plan)
        R, Ry = admitted(domain.R), admitted(domain.Ry)
        values = [(row.reach(R, R), times) for row, times in profile(wiring).alike]
        summed = root_above(max(Fraction((F**2 * times).sum()) for F, times in values))
        entry = max(Fraction(F.max()) for F, _ in values) + Ry
        anywhere = root_above(Fraction(squared_error(design, tasks, replace(domain, R=R, Ry=Ry))))
        return cls(plan, domain, Bounds.of(wiring, domain), anywhere, summed, entry)

    def failures(self, fmt: Format) -> Iterator[str]:
        """The conditions from `range` on that fail in a format."""
        yield from self._range(fmt)
        delta, gamma = Fraction(self.domain.delta), self.plan.margins.gamma
        bounds, top = self.bounds, self.plan.margins.top
        held, least = self.held(fmt), gamma * LEFT + 1
        flat = self.domain.tau + bounds.epsilon > 0
        moved = fmt.error(1) * root_above(bounds.moved2) + self.flushed(fmt)
        if not held and not flat and moved**2 > delta**2 * fmt.match:
            yield (
                "label: rounding a prompt may take a label out of its match; it is up to E = "
                f"{float(root_above(bounds.moved2) / delta):.6g} delta large"
            )
        far = largest_match(bounds, self.domain, fmt)
        if top - self.square(fmt, far, 1) - self.lost(fmt, far) < least:
            yield f"match: a label that matches may score less than {float(least)}"
        near = delta * (1 if held else fmt.separation) - bounds.epsilon
        close = 2 * self.eta(fmt, near) <= near and self.small(fmt)
        if not close or self.square(fmt, near, -1) - top - self.lost(fmt, near) < least:
            yield f"mismatch: a label at distance delta may score more than -{float(least)}"
        if self.elsewhere(fmt) > -least:
            yield "elsewhere: a token that is not meant may score more than the sink"

    @property
    def terms(self) -> int:
        """The summands of a score at its own token that are not 0, and a product's roundings."""
        return self.plan.sizes.d + 3

    def held(self, fmt: Format) -> bool:
        """Whether every entry of a prompt and of e_k is a multiple of a step, and held."""
        step, grid = self.bounds.step, self.domain.grid
        if step is None or grid is None or not is_dyadic(step) or step < fmt.tiny:
            return False
        digits = max(self.domain.R, self.domain.Ry) * Fraction(grid).denominator
        return max(digits, self.entry / step) <= 1 << fmt.p

    def eta(self, fmt: Format, distance: Fraction) -> Fraction:
        """How far e_k is off in the network, for a label at a distance.

        No partial sum of f_k - label is above F + distance, nor is a summand.
        """
        if self.held(fmt):
            return self.left
        size = self.summed + distance
        return fmt.error(self.bounds.terms) * size + self.flushed(fmt) + self.left

    @property
    def left(self) -> Fraction:
        """What wrong tokens leave in e_k, where operands and labels are fetched."""
        return 2 * leak(self.plan) * self.anywhere

    def small(self, fmt: Format) -> bool:
        """Whether no distance is worse than the least: what is rounded grows slower than it."""
        return max(fmt.error(self.terms), fmt.error(self.bounds.terms)) <= SMALL

    def square(self, fmt: Format, distance: Fraction, sign: int) -> Fraction:
        """beta <e', e''> of what the network makes of e_k, at most (sign 1) or at least (-1)."""
        eta = self.eta(fmt, distance)
        return self.plan.margins.beta * (distance**2 + sign * 2 * eta * distance + sign * eta**2)

    def lost(self, fmt: Format, distance: Fraction) -> Fraction:
        """What the products and the additions of a score at its own token are rounded by."""
        margins = self.plan.margins
        summands = margins.top + margins.beta * (distance + self.eta(fmt, distance)) ** 2
        return fmt.error(self.terms) * summands + 2 * self.terms * fmt.tiny

    def elsewhere(self, fmt: Format) -> Fraction:
        """The most that a token scores that is not meant."""
        sizes, margins = self.plan.sizes, self.plan.margins
        rounded = fmt.error(self.terms + 2 * sizes.ell_e + 4 * sizes.ell_t + 8)
        if rounded > SMALL:
            return Fraction(0)
        off = fmt.error(self.bounds.terms) * self.anywhere + self.flushed(fmt) + self.left
        above = margins.top + margins.beta * (self.anywhere + off) ** 2
        return above * (1 + rounded) - 2 * margins.far * (1 - rounded) + self.terms * fmt.tiny

    def flushed(self, fmt: Format) -> Fraction:
        """What flushing small numbers to 0 may take from e_k, on the query side too."""
        most = self.bounds.numbers[1]
        each = self.bounds.operations * fmt.tiny * (1 + most) ** 3
        return self.plan.sizes.d * each * (1 + 1 / Fraction(self.plan.margins.beta))

    def _range(self, fmt: Format) -> Iterator[str]:
        """The condition `range`, for the weights and the stream."""
        sizes, margins, bounds = self.plan.sizes, self.plan.margins, self.bounds
        beta, (least, most) = Fraction(margins.beta), bounds.numbers
        weights = [f * x for f in (Fraction(1), beta) for x in (least, most)]
        weights += [Fraction(margins.far) / 2, Fraction(margins.top)]
        reached = [
            Fraction(max(self.domain.R, self.domain.Ry)),
            bounds.inner * most,
            sizes.K * bounds.largest,
            (1 + beta) * ((self.anywhere + 1) ** 2 + bounds.largest),
            Fraction(margins.far * 4 * (sizes.ell_e + 2 * sizes.ell_t + 2)),
        ]
        if max(weights + reached) * 4 >= 1 << fmt.largest:
            yield f"range: weights or intermediates pass 2^{fmt.largest}"
        if min(weights) < fmt.tiny:
            yield f"range: weights fall below 2^{1 - fmt.largest}"
