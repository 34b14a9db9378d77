"""The margins B, C, s, N, and the number formats in which they are safe.

Every margin is a power of two, and is derived: B and C are the least for which
the conditions of `failures` hold in float32, or else in float64. The conditions
are inequalities between rationals, evaluated exactly. Write u = 2^-p for the unit
roundoff of a format with p bits, and gamma_t = t u / (1 - t u) (Higham, Accuracy
and Stability of Numerical Algorithms, section 3.1: a sum or inner product of t
terms, in any order, fused or not, errs by at most gamma_t times the sum of the
absolute values of its terms).

Exact arithmetic needs, for the lemma of layer 4 (superpose):

    B >= 1/delta^2              a mismatch scores 1 - B ||e||^2 <= 0
    2C >= 1 + B E^2             off target a score is at most 1 + B E^2 - 2C <= 0

where E bounds ||e_k||_2 at every token. Floats need in addition:

    whole      every whole number that occurs is at most 2^p: C (ell_e + 3 ell_t + 2) + 1
               in the gate, 2 M^2 + 1 in the reciprocal table;
    range      no weight and no intermediate overflows or underflows; what underflows
               all the same (products of small numbers, flushed to 0) adds to eta;
    and either, if the domain has a grid,
    grid       every partial sum is a multiple of one power of two w, below 2^p w: all
               is exact;
    or         eta = gamma_t E + underflow, the error of e_k at a home token, is so small that
    label      a label that is f_k(X_i) is still a match when the prompt is rounded,
    match      a label that counts as a match scores exactly 1,
    mismatch   a distance >= delta scores <= 0 in spite of all rounding,
    off        and so does every pair off target.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from construct.certify.domain import Domain, is_dyadic
from construct.rational import Rational
from construct.residual import Sizes
from construct.wiring import Wiring


@dataclass(frozen=True)
class Format:
    """A binary floating-point format: p significant bits, largest exponent."""

    name: str
    p: int
    largest: int

    @property
    def tiny(self) -> Fraction:
        """The least normal number; smaller ones may be flushed to 0."""
        return Fraction(1, 1 << (self.largest - 1))

    @property
    def match(self) -> Fraction:
        """distance^2 / delta^2 up to which a label matches: 2^-(p+7).

        1 - t rounds to 1 for t <= 2^-(p+1): with B = 2/delta^2 a label may be off by
        that much, and the rounding of e_k itself by three times as much again.
        """
        return Fraction(1, 1 << (self.p + 7))

    @property
    def separation(self) -> Fraction:
        """Distance / delta from which a label is a mismatch: 1 - 2^-(p//2).

        A label at distance delta is still one when the prompt has been rounded.
        """
        return 1 - Fraction(1, 1 << (self.p // 2))


FORMATS = (Format("float32", 24, 127), Format("float64", 53, 1023))


@dataclass(frozen=True)
class Margins:
    """B: match. C: addresses. s: reciprocals. N: context length. Powers of two."""

    B: Rational
    C: Rational
    s: int
    N: int


@dataclass(frozen=True)
class Bounds:
    """What the tasks and the domain imply for ||e_k||, as sums of absolute values.

    Attributes:
        E2: bound on ||e_k||_2^2 for all tasks and tokens.
        home2: the same for home tokens, where tasks are tested.
        largest: bound on every entry of e_k and f_k.
        terms: roundings on the way to an entry of e_k.
        numbers: the least and the largest absolute value of the tasks' non-zero
            numbers, 1 included.
        inner: bound on every intermediate of a feature.
        step: a number of which every entry of e_k is a multiple, on a grid.
    """

    E2: Fraction
    home2: Fraction
    largest: Fraction
    terms: int
    numbers: tuple[Fraction, Fraction]
    inner: Fraction
    step: Fraction | None

    @classmethod
    def of(cls, wiring: Wiring, domain: Domain) -> "Bounds":
        """Derive them; the token itself may be a label, its slots are inputs."""
        # Where a task has its home at a label token it is not tested, but e_k there
        # enters scores that C has to push below 0.
        bound: dict[int, Rational] = {0: max(domain.R, domain.Ry)}
        bound |= dict.fromkeys(range(1, len(wiring.slots) + 1), domain.R)
        g: list[Rational] = []
        numbers, inner = {Fraction(1)}, Fraction(0)
        hinge_terms, denominators = 0, {1}
        for feature in wiring.dictionary:
            total = Fraction(0)
            for c, a, e in feature:
                weights = [(s, Fraction(v)) for s, vector in a for v in vector if v]
                reach = sum((abs(v) * bound[s] for s, v in weights), abs(Fraction(e)))
                total += abs(Fraction(c)) * reach
                inner = max(inner, reach, total)
                numbers.update(abs(Fraction(x)) for x in (c, e, *(v for _, v in weights)))
                hinge_terms = max(hinge_terms, len(weights) + 4)
                den = math.lcm(e.denominator, *(v.denominator for _, v in weights))
                denominators.add(c.denominator * den)
            g.append(total)
        widest = max((len(feature) for feature in wiring.dictionary), default=0)
        E2, home2, largest = Fraction(0), Fraction(0), Fraction(0)
        row_terms, entry_denominators = 0, {1}
        for k, task in enumerate(wiring.tasks):
            home = size = np.full(task.d, domain.Ry, dtype=object)
            count = np.ones(task.d, dtype=int)
            for field, block in wiring.f(k).matrices():
                slots = [domain.R] * task.d
                operands = {"gx": g, "one": [1], "tok": [bound[0]] * task.d}.get(field, slots)
                size = size + abs(block) @ np.array(operands, dtype=object)
                at_home = slots if field == "tok" else operands
                home = home + abs(block) @ np.array(at_home, dtype=object)
                count = count + (block != 0).sum(axis=1)
                entry_denominators.update(x.denominator for x in block.flat)
                numbers.update(abs(Fraction(x)) for x in set(block.flat))
            E2 = max(E2, Fraction(sum(size**2)))
            home2 = max(home2, Fraction(sum(home**2)))
            largest = max(largest, Fraction(max(size)))
            row_terms = max(row_terms, int(max(count)))
        # Per entry: conversion of the input (twice, where a decimal becomes float64
        # and then float32), of the weight, product, sums.
        terms = row_terms + 4 + (hinge_terms + widest + 2 if widest else 0)
        step = None
        if domain.grid is not None:
            hinge_denominator = math.lcm(*denominators) * domain.grid.denominator
            step = Fraction(1, math.lcm(*entry_denominators) * hinge_denominator)
        numbers.discard(Fraction(0))
        return cls(E2, home2, largest, terms, (min(numbers), max(numbers)), inner, step)


def failures(
    sizes: Sizes, bounds: Bounds, domain: Domain, margins: Margins, fmt: Format
) -> list[str]:
    """The conditions that fail in a number format; none means certified."""
    B, C, M, p = margins.B, margins.C, sizes.M, fmt.p
    limit = 1 << p
    ell_e, ell_t = sizes.ell_e, sizes.ell_t
    failed = []
    if B * domain.delta**2 < 1 or 2 * C < 1 + B * bounds.E2:
        failed.append("margins: below the thresholds of exact arithmetic")
    gate = C * (ell_e + 3 * ell_t + 2) + 1
    if gate > limit:
        failed.append(f"whole: the gate reaches {gate} > 2^{p}")
    if limit < 2 * M**2 + 1:
        failed.append(f"whole: the table of M = {M} reaches {2 * M**2 + 1} > 2^{p}")
    failed += _range_failures(sizes, bounds, domain, margins, fmt)
    off = C * (2 * ell_e + 4 * ell_t + 2) + 1
    if not _exact_on_grid(bounds, B, off, limit):
        failed += _rounding_failures(sizes, bounds, domain, margins, fmt, off)
    return failed


def _range_failures(
    sizes: Sizes, bounds: Bounds, domain: Domain, margins: Margins, fmt: Format
) -> Iterator[str]:
    """The condition range, for the weights, the stream, and the specification."""
    B, C, s, N, M = Fraction(margins.B), margins.C, margins.s, margins.N, sizes.M
    least, most = bounds.numbers
    factors = (Fraction(1), B, Fraction(N))
    weights = [f * x for f in factors for x in (least, most)] + [Fraction(N, s), Fraction(s, M)]
    reached = [
        N * Fraction(max(domain.R, domain.Ry)),
        N * bounds.inner * most,
        N * s * M**2 * bounds.largest,
        (1 + B) * (bounds.E2 + bounds.largest),
        Fraction(C * (3 * sizes.ell_e + 5 * sizes.ell_t + 4)),
    ]
    if max(weights + reached) * 4 >= 1 << fmt.largest:
        yield f"range: weights or intermediates pass 2^{fmt.largest}"
    if min(weights) < fmt.tiny:
        yield f"range: weights fall below 2^{1 - fmt.largest}"
    # The specification computes in float64, whatever the executor does.
    double, delta2 = FORMATS[-1], Fraction(domain.delta) ** 2
    if 1 << double.largest <= bounds.E2 * 4 or delta2 * fmt.match < double.tiny * 4:
        yield "range: squared distances pass the range of float64"


def _underflow(bounds: Bounds, B: Rational, fmt: Format) -> Fraction:
    """What flushing to 0 adds to the error of an entry of e_k.

    Each term loses at most a tiny number times the weights that still multiply it:
    an input those of a hinge and of its row, and the query side B once more.
    """
    most = bounds.numbers[1]
    return bounds.terms * fmt.tiny * (1 + most) ** 3 * (1 + 1 / Fraction(B))


def _exact_on_grid(bounds: Bounds, B: Rational, off: Rational, limit: int) -> bool:
    """Every partial sum of e_k and of its scores is exact."""
    step = bounds.step
    if step is None or not is_dyadic(step):
        return False
    unit = min(Fraction(1), B * step**2)
    return bounds.largest <= limit * step and B * bounds.E2 + off <= limit * unit


def _rounding_failures(
    sizes: Sizes,
    bounds: Bounds,
    domain: Domain,
    margins: Margins,
    fmt: Format,
    off: Rational,
) -> Iterator[str]:
    """The conditions label, match, mismatch and off, for real-valued prompts."""
    B, C, delta = margins.B, margins.C, Fraction(domain.delta)
    ell = sizes.ell_e + sizes.ell_t
    gamma_e = _gamma(bounds.terms, fmt.p)
    gamma = _gamma(sizes.d + ell + 1, fmt.p)
    E = _root_above(bounds.home2)
    eta = gamma_e * E + sizes.d * _underflow(bounds, B, fmt)
    tolerance = delta * _root_above(fmt.match)
    # The specification computes in float64.
    eta_spec = _gamma(bounds.terms, FORMATS[-1].p) * E
    if (_gamma(1, fmt.p) + _gamma(1, FORMATS[-1].p)) * E + eta_spec > tolerance:
        yield "label: rounding the prompt may take a label out of its match"
    reach = tolerance + eta_spec + eta
    if (1 + gamma) * B * reach**2 * (1 << (fmt.p + 1)) > 1:
        yield f"match: the rounding of e, {_about(eta)}, does not vanish beside 1"
    x = delta * fmt.separation - eta
    product = B * (x**2 - 2 * eta * x - eta**2)
    if x <= 0 or product - 1 < gamma * (2 * C * ell + 1 + B * (x + eta) ** 2):
        yield "mismatch: at distance delta a score may be rounded above 0"
    E2 = B * bounds.E2 * (1 + gamma_e) ** 2
    if gamma * (E2 + off) > 2 * C - 1 - E2:
        yield "off: a score off target may be rounded above 0"


def _gamma(t: int, p: int) -> Fraction:
    return Fraction(t, (1 << p) - t) if t < 1 << p else Fraction(1 << p)


def _root_above(square: Fraction) -> Fraction:
    """A rational >= the square root, by a factor of 1 + 2^-98 at most."""
    # Shift so that the integer square root has at least 100 bits.
    size = square.numerator.bit_length() - square.denominator.bit_length()
    shift = max(0, 101 - size // 2)
    return Fraction(math.isqrt(math.ceil(square * (1 << 2 * shift))) + 1, 1 << shift)


def _about(x: Fraction) -> str:
    """The order of magnitude of x > 0, also beyond any float's range."""
    return f"about 2^{x.numerator.bit_length() - x.denominator.bit_length()}"


def _power_of_two_above(x: Rational) -> Rational:
    """The least power of two >= x > 0; negative exponents included."""
    x = Fraction(x)
    if x >= 1:
        return 1 << (math.ceil(x) - 1).bit_length()
    return Fraction(1, 1 << ((x.denominator // x.numerator).bit_length() - 1))


def choose_margins(sizes: Sizes, wiring: Wiring, domain: Domain) -> Margins:
    """The least B, then the least C, that are certified for float32, or for float64.

    Where no float format can be certified, the thresholds of exact arithmetic.
    """
    bounds = Bounds.of(wiring, domain)
    s, N = int(_power_of_two_above(sizes.M)), sizes.N
    least_B = _power_of_two_above(1 / Fraction(domain.delta) ** 2)
    candidates = []
    for B in (least_B, 2 * least_B, 4 * least_B, 8 * least_B):
        least_C = _power_of_two_above(max(Fraction(1), (1 + B * bounds.E2) / 2))
        candidates += [Margins(B, C, s, N) for C in (least_C, 2 * least_C)]
    for fmt in FORMATS:
        for margins in candidates:
            if not failures(sizes, bounds, domain, margins, fmt):
                return margins
    return candidates[0]


def certify(sizes: Sizes, wiring: Wiring, domain: Domain, margins: Margins) -> dict[str, list[str]]:
    """For each float format the conditions that fail; an empty list is certified."""
    bounds = Bounds.of(wiring, domain)
    return {f.name: failures(sizes, bounds, domain, margins, f) for f in FORMATS}
