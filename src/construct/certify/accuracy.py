"""How far rounding can take an answer whose votes are exact.

With V votes, the answer is (sum of V computed f_k(X_q)) * (computed 1/V). For an entry
of it, in a format with unit roundoff u (proofs/floats/floats.md, "The answer"):

    f_k         gamma_t F_k, F_k the sum of its absolute summands, t roundings each;
    the sum     u/(1 - V u) (V(V+1)/2 - 1) times the largest |f_k| that is added: an
                addition errs by u of what it adds up, and in no order of summation do
                V terms pass through more than V(V+1)/2 - 1 additions together;
    1/V         a reciprocal, rounded twice on its way to float32, and a product; both
                are exact if V is a power of two.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from construct.certify.bounds import Bounds, Profile, profile
from construct.certify.formats import Format
from construct.certify.margins import Noise
from construct.designs.theorem.plan import Margins
from construct.designs.theorem.sizes import Sizes
from construct.designs.theorem.wiring import Wiring
from construct.rational import Rational, is_dyadic, rationals, zeros
from construct.spec.domain import Domain
from construct.spec.tasks import Task


@dataclass(frozen=True, eq=False)
class Accuracy:
    """The error of answers in one format.

    Attributes:
        votes: the most that there can be, M.
        exact_sums: on a grid where f_k(X_q) and every sum of votes is exact.
        flushed: what numbers that underflow can add.
        L: of gates, whose summands cancel and are rounded all the same.
        half: L/2 times the bits of a position, the constant of a gate.
        noise: what rounding does to votes; None where they are whole numbers by themselves.
        top: a, the top of the gate.
    """

    fmt: Format
    tasks: tuple[Task, ...]
    profile: Profile
    votes: int
    exact_sums: bool
    flushed: Fraction
    L: Rational
    half: Fraction
    noise: Noise | None = None
    top: Rational = 1

    @classmethod
    def of(
        cls, sizes: Sizes, wiring: Wiring, domain: Domain, margins: Margins, fmt: Format
    ) -> "Accuracy":
        """For the answers of a construction in a format that is certified for it."""
        bounds, tasks = Bounds.of(wiring, domain), profile(wiring)
        step = bounds.step
        exact = False
        if step is not None and is_dyadic(step) and not margins.flat:
            exact = sizes.M * bounds.largest <= step / fmt.u
        weights = bounds.operations * (1 + bounds.numbers[1]) ** 3
        flushed = 2 * fmt.tiny * (weights + Fraction(margins.s, margins.N) + 5)
        if exact and step is not None and step >= fmt.tiny * margins.s * margins.N * sizes.M:
            flushed = Fraction(0)  # every number on the way is a multiple of a normal one
        noise = Noise.of(sizes, bounds, domain, margins, fmt) if margins.flat else None
        half = Fraction(bounds.L * sizes.ell_t, 2)
        parts = (fmt, wiring.tasks, tasks, sizes.M, exact, flushed, bounds.L, half)
        return cls(*parts, noise, margins.a)

    def error(
        self,
        votes: Sequence[int],
        absolute: Mapping[int, np.ndarray],
        values: Mapping[int, np.ndarray],
    ) -> np.ndarray:
        """The most that each entry of an answer can be off.

        Args:
            votes: c_k for each task.
            absolute: F_k, the sums of the absolute summands of f_k(X_q), where c_k > 0.
            values: f_k(X_q) there.
        """
        total = sum(votes)
        voted = [k for k, c in enumerate(votes) if c]
        found = zeros(self.tasks[0].d)
        if not voted:
            return found
        found[:] = self.flushed
        # Where nothing is added up, nothing is rounded.
        some = np.zeros(len(found), dtype=bool)
        for k in voted:
            some |= (absolute[k] + self._gates(k) != 0).astype(bool)
        own = {k: self._own(k, some) * (absolute[k] + self._gates(k))[some] for k in voted}
        sizes = [abs(values[k][some]) + own[k] for k in voted]
        before = self._sum(total) * np.max(sizes, axis=0)
        before = before + sum(Fraction(votes[k], total) * own[k] for k in voted)
        mean = abs(sum(Fraction(votes[k], total) * values[k][some] for k in voted))
        after = self._reciprocal(total)
        found[some] += before * (1 + after) + after * mean
        return found

    @property
    def ulps(self) -> int:
        """What `error` is at most, underflow aside, in ulp of the largest term.

        Of |f_k(X_q)| and its summands, for the tasks that voted: as `verify` measures it.
        """
        own = max(
            self._gamma(roundings) * summands
            for k, task in enumerate(self.tasks)
            for roundings, summands in _kinds(
                self.profile.rows[k].roundings, _summands(task, bool(self.L))
            )
        )
        total = self._sum(self.votes)
        after = max(self._reciprocal(v) for v in range(1, min(self.votes, 3) + 1))
        return math.ceil(((own + total * (1 + own)) * (1 + after) + after) / self.fmt.u)

    def largest_gate(self, k: int) -> Fraction:
        """The largest term of a gate on the way to an entry of f_k: a constant."""
        if not self.L:
            return Fraction(0)
        task = self.tasks[k]
        tops = [max((abs(Fraction(h.c)) for h in g), default=Fraction(0)) for g in task.features]
        weights = (abs(Fraction(c)) * tops[u] for _, u, c in task.C)
        return max(weights, default=Fraction(0)) * self.half

    def _gates(self, k: int) -> np.ndarray:
        """What the gates that f_k reads add to its absolute summands, as they are rounded."""
        row = self.profile.rows[k]
        return row.lost(self.L, row.roundings)

    def _own(self, k: int, entries: np.ndarray) -> np.ndarray:
        """gamma_t for these entries of f_k."""
        counts, places = np.unique(self.profile.rows[k].roundings[entries], return_inverse=True)
        return rationals([self._gamma(t) for t in counts.tolist()])[places]

    def _gamma(self, roundings: int) -> Fraction:
        """gamma_t, for an entry of some f_k; 0 where sums are exact."""
        return Fraction(0) if self.exact_sums else self.fmt.error(roundings)

    def _sum(self, votes: int) -> Fraction:
        """The error of a sum of votes, as a share of votes times the largest."""
        if self.exact_sums:
            return Fraction(0)
        if self.noise is not None:
            # Two terms for each vote, products of a score below a that is off itself.
            each = self.top + self.noise.score
            return 2 * self.noise.score + 2 * each * self.fmt.gamma(2 * votes + 2)
        most = Fraction(votes + 1, 2) - Fraction(1, votes)
        return self.fmt.gamma(votes) / votes * most

    def _reciprocal(self, votes: int) -> Rational:
        """The relative error of rec / s, a weight through float64, and of its product."""
        exact = votes & (votes - 1) == 0
        if self.noise is None or (exact and not self.noise.table):
            return 0 if exact else self.fmt.error(2)
        return 2 * self.noise.table + self.fmt.error(6)


def _kinds(*counts: np.ndarray) -> set[tuple[int, ...]]:
    """The combinations that occur: an entry of a large table is like most others."""
    return set(zip(*(count.tolist() for count in counts), strict=True))


def _summands(task: Task, gated: bool) -> np.ndarray:
    """How many summands each entry of f(X) has.

    Those of a gate add up to twice its largest.
    """
    count = (task.b != 0) + sum(matrix.counts(1) for matrix in task.A.values())
    if task.features:
        inside = [
            sum(
                (hinge.e != 0) + sum(len(terms) for _, terms in hinge.a) + 2 * gated
                for hinge in feature
                if hinge.c
            )
            for feature in task.features
        ]
        count = count + task.C.pattern(np.array(inside))
    return count
