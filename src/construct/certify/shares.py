"""How far a float answer of a softmax design can be from the mixture.

Each function bounds what its name says; proofs/floats/softmax.md derives them under these names,
with what is assumed of an executor. Rounding is counted as in `certify.formats`: t rounded
operations take a number no further than gamma_t of its absolute value, in any order, fused or
not. Of a softmax it is assumed that scores come to exp less the largest of their row, that exp(0)
is 1 and any other power within `EXP` ulp.

A head that decides has weights 1 and below u / 2 in all: they add up to 1, and the target's weight
is 1, exactly. So votes are 1 or the leak. Counts have a relative error, and a table a slope of
log v - log(v - 1) below v, which is at most 2 log 2 / v. A share p of odds off by s, as a
logarithm, is off by p (1 - p) (e^s - 1) at most: errors of odds, over all shares, add up to that of
one. Nothing is left out: there is no "first order" here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from construct.certify import operands
from construct.certify.bounds import admitted, profile
from construct.certify.formats import Format
from construct.certify.softmax import LEFT, exp, wiring_of
from construct.designs.decoder.operands.plan import WordOperands
from construct.designs.decoder.words.count import threshold
from construct.designs.decoder.words.plan import most_votes
from construct.designs.encoder.plan import most_matches
from construct.designs.softmax.design import Design
from construct.designs.softmax.plan import Plan
from construct.network.tables import log
from construct.spec.domain import Domain, task_bound
from construct.spec.tasks import Task

# ulp by which exp may be off.
EXP = 4
# v (log v - log(v - 1)) is at most 2 log 2, for v = 2.
SLOPE = Fraction(7, 5)
# v times the slope of a table of log beside v is between 2/3 and `SLOPE`: half of the difference.
UNEVEN = Fraction(3, 8)


@dataclass(frozen=True, eq=False)
class Errors:
    """Bounds on errors in a float format, block by block.

    Attributes:
        fmt, plan: the format, and what the blocks are written with.
    """

    fmt: Format
    plan: Plan

    def gamma(self, t: int) -> Fraction:
        """Of a sum of products with t roundings, weights converted."""
        return self.fmt.error(t)

    @property
    def vote(self) -> Fraction:
        """Of a vote that is 0; one that is 1 is exact."""
        return leak(self.plan)

    @property
    def power(self) -> Fraction:
        """Of a power of e, in proportion to it; an ulp is two roundings at most."""
        return self.gamma(2 * EXP)

    @property
    def own(self) -> Fraction:
        """Of c_k >= 1 beside its denominator, in proportion to it.

        Powers, a division, a product with m + 1, and a sum of m terms that are nearly equal.
        """
        return self.gamma(2 * EXP + 3 + added(self.plan.sizes.m)) + self.stray

    @property
    def common(self) -> Fraction:
        """Of what all counts of a token are divided by, in proportion to it.

        The logarithm of the sink is rounded once; then come powers and a sum of m + 1 terms.
        """
        m = self.plan.sizes.m
        shift = grown(ln(m + 1) * self.gamma(1))
        return (1 + shift) * (1 + self.gamma(2 * EXP + added(m + 1) + 1)) - 1 + self.stray

    @property
    def count(self) -> Fraction:
        """Of c_k >= 1, in proportion to it."""
        return (1 + self.own) * (1 + 2 * self.common) - 1

    @property
    def stray(self) -> Fraction:
        """What tokens without a vote may add to a count, in all."""
        return 2 * (self.plan.sizes.m + self.plan.sizes.K + 1) * self.vote

    def logarithm(self, terms: int, size: Fraction) -> Fraction:
        """Of what tables of so many terms write, at whole numbers that are not 0.

        Args:
            size: what no partial sum is above.
        """
        return self.gamma(terms + 6) * size

    def zero(self, terms: int) -> Fraction:
        """The same where a table stands at log 0: its summands are 6 gamma and logarithms."""
        gamma = self.plan.margins.gamma
        size = 6 * gamma + 4 * ln(terms) + 4
        return self.gamma(terms + 6) * size + 9 * gamma * self.stray

    @property
    def applied(self) -> Fraction:
        """Of c_k beside T', in proportion to it: it is rounded as a number below 2T' is.

        Of several inputs: that of `certify.operands.applied`.
        """
        if isinstance(self.plan.wiring, WordOperands):
            return operands.applied(self.fmt, self.plan)
        return self.fmt.u * threshold(self.plan)

    @property
    def words(self) -> Fraction:
        """Of n_a >= 1, the sum of K counts at most, in proportion to it and beside `common`."""
        sums = self.gamma(self.plan.sizes.K - 1)
        return (1 + self.own) * (1 + self.applied) * (1 + sums) - 1

    @property
    def logit(self) -> Fraction:
        """Of log n_a, of a word with votes: half of what the difference of two is off by."""
        M = most_votes(self.plan)
        read = SLOPE * self.words * (1 + 2 * self.common) + UNEVEN * self.common
        return read + self.logarithm(M, ln(M))

    @property
    def odds(self) -> Fraction:
        """Of log c_k - log(c - c_k), where neither is 0: K counts are added up in each unit."""
        K, m = self.plan.sizes.K, self.plan.sizes.m
        M = m * max(K - 1, 1)
        read = 2 * SLOPE * self.own * (1 + 2 * self.common) + 2 * UNEVEN * self.common
        units = self.gamma(K - 1) * (ln(M) + 3)
        return read + units + self.logarithm(m + M, ln(M))

    @property
    def matches(self) -> Fraction:
        """Of log cnt and of log(cnt - 1), where they are not log 0: cnt is exact."""
        M = most_matches(self.plan)
        return self.logarithm(M, ln(M))

    def drift(self, design: Design) -> Fraction:
        """Of a score or a logit that is a logarithm, and of the power of e that is made of it."""
        if design.logits:
            return self.logit + self.gamma(1) * (ln(most_votes(self.plan)) + 1) + self.power
        if design.attention.causal:
            return self.odds + self.power
        return self.matches + self.gamma(1) * (ln(most_matches(self.plan)) + 1) + self.power

    def votes(self, design: Design) -> Fraction:
        """Of the whole numbers that tables read, in proportion to them."""
        if design.logits:
            return (1 + self.words) * (1 + 2 * self.common) - 1
        return self.count if design.attention.causal else Fraction(0)

    def tables(self, design: Design) -> Fraction:
        """The largest error of a table that stands at log 0."""
        if design.logits:
            return self.zero(most_votes(self.plan))
        if design.attention.causal:
            return self.zero(self.plan.sizes.m * self.plan.sizes.K)
        return self.zero(most_matches(self.plan))


def answer_error(
    fmt: Format, design: Design, plan: Plan, tasks: Sequence[Task], domain: Domain
) -> Fraction:
    """A bound on an entry of the answer: of a share where the answer is words of a decoder."""
    if design.logits:
        return mixed(fmt, design, plan)
    R = admitted(domain.R)
    F = max(max(task_bound(task, R), default=Fraction(1)) for task in tasks)
    return F * mixed(fmt, design, plan)


def mixed(fmt: Format, design: Design, plan: Plan) -> Fraction:
    """The same in proportion to F, the largest sum of absolute summands of an entry of a task."""
    errors = Errors(fmt, plan)
    if design.logits:
        return share_of_words(errors, design)
    # Operands are fetched, and each task applied.
    known = profile(wiring_of(plan))
    value = errors.gamma(max(int(row.roundings.max()) for row in known.rows)) + errors.vote
    parts = shares_of_vectors if design.attention.causal else means
    return parts(errors, design, value)


def leak(plan: Plan) -> Fraction:
    """What a decision leaves to all wrong tokens, of a weight of 1."""
    return plan.sizes.tokens * exp(-int(LEFT * plan.margins.gamma))


def share_of_words(errors: Errors, design: Design) -> Fraction:
    """Of a share: the logistic function moves by a quarter of what its argument does.

    That is the difference of two logits, and 2 drift at most. K + 1 powers are added up, and there
    is a division; words without a vote have e^(-3 gamma / 4) each.
    """
    plan = errors.plan
    rounded = errors.gamma(plan.sizes.K + 3)
    nothing = 4 * (plan.sizes.d + 1) * exp(-int(LEFT * plan.margins.gamma))
    return errors.drift(design) / 2 + rounded + nothing


def shares_of_vectors(errors: Errors, design: Design, value: Fraction) -> Fraction:
    """count and apply: of the answer in proportion to F, the largest sum of an entry's summands."""
    K, gamma = errors.plan.sizes.K, errors.plan.margins.gamma
    # Where a count is 0, or the only one, a share is off by e^(-3 gamma / 2) at most.
    shares = grown(errors.drift(design)) * (1 - Fraction(1, K)) + 2 * K * exp(-gamma)
    return (1 + shares) * (1 + value) * (1 + errors.gamma(K + 5)) - 1


def means(errors: Errors, design: Design, value: Fraction) -> Fraction:
    """superpose, average and pool: of the answer in proportion to F, as above.

    A mean of M values is their sum less (M - 1)/M of it; the pool adds up as many tokens as there
    are homes of examples.
    """
    plan = errors.plan
    M, K, gamma = most_matches(plan), plan.sizes.K, plan.margins.gamma
    voters = plan.sizes.m * len(set(plan.wiring.homes))
    drift = errors.drift(design)
    out = (1 + value) * (1 + errors.gamma(M)) - 1
    mean = (1 + out) * (1 + grown(drift) + errors.gamma(4) * M + errors.gamma(1)) - 1
    pooled = (1 + mean) * (1 + drift) * (1 + errors.gamma(2 * voters + 2)) - 1
    return pooled + 4 * K * M * (errors.vote + exp(-gamma))


def added(n: int) -> int:
    """Roundings of a sum of n terms as large as each other, or of one of 1 and n - 1 equal ones.

    Additions are off in proportion to partial sums: by half of n, with room for terms that differ.
    """
    return -(-5 * (n + 1) // 8)


def grown(s: Fraction) -> Fraction:
    """A bound on e^s - 1 for 0 <= s <= 1; where s is more the bound says nothing."""
    return s + s * s if s <= 1 else Fraction(1 << 64)


def ln(v: int) -> Fraction:
    """A bound on ln v, of which 50 digits are known; no less than that of 2."""
    return Fraction(log(max(v, 2))) + Fraction(1, 1 << 128)
