"""The margins B, C, s, N, and the number formats in which they are safe.

Every margin is a power of two, and is derived: B and C are the least for which
the conditions of `failures` hold in float32, or else in float64. The conditions
are inequalities between rationals, evaluated exactly; proofs/floats/floats.md proves that
they suffice, for sums in any order, fused or not.

Exact arithmetic needs, for the lemma of layer 4 (superpose):

    B >= 1/delta^2              a mismatch scores 1 - B ||e||^2 <= 0
    2C >= 1 + B E^2             off target a score is at most 1 + B E^2 - 2C <= 0

where E bounds ||e_k||_2 at every token. Floats need in addition:

    whole      every whole number that occurs is at most 2^p: C (ell_e + 3 ell_t + 2) + 1
               in the gate, 2 M^2 - 1 in the reciprocal table;
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
from fractions import Fraction

from construct.certify.bounds import Bounds
from construct.certify.formats import FORMATS, Format
from construct.designs.theorem.plan import Margins
from construct.designs.theorem.sizes import Sizes
from construct.designs.theorem.wiring import Wiring
from construct.rational import Rational, is_dyadic
from construct.spec.domain import Domain


def below_thresholds(bounds: Bounds, domain: Domain, margins: Margins) -> bool:
    """Whether the lemma of layer 4 does not hold for these margins, even in exact arithmetic."""
    B, C = margins.B, margins.C
    return B * domain.delta**2 < 1 or 2 * C < 1 + B * bounds.E2


def failures(
    sizes: Sizes, bounds: Bounds, domain: Domain, margins: Margins, fmt: Format
) -> Iterator[str]:
    """The conditions that fail in a number format; if there are none, it is certified."""
    B, C, M, p = margins.B, margins.C, sizes.M, fmt.p
    limit = 1 << p
    ell_e, ell_t = sizes.ell_e, sizes.ell_t
    if below_thresholds(bounds, domain, margins):
        yield "margins: below the thresholds of exact arithmetic"
    gate = C * (ell_e + 3 * ell_t + 2) + 1
    if gate > limit:
        yield f"whole: the gate reaches {_written(gate)} > 2^{p}"
    table = 2 * M**2 - 1
    if table > limit:
        yield f"whole: the table of M = {M} reaches {table} > 2^{p}"
    yield from _range_failures(sizes, bounds, domain, margins, fmt)
    off = C * (2 * ell_e + 4 * ell_t + 2) + 1
    if not _exact_on_grid(bounds, domain, B, off, fmt):
        yield from _rounding_failures(sizes, bounds, domain, margins, fmt, off)


def _range_failures(
    sizes: Sizes, bounds: Bounds, domain: Domain, margins: Margins, fmt: Format
) -> Iterator[str]:
    """The condition `range`, for the weights and the stream."""
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


def _underflow(bounds: Bounds, B: Rational, fmt: Format) -> Fraction:
    """What flushing to 0 adds to the error of an entry of e_k.

    Each operation loses at most a tiny number times the weights that still multiply
    it: an input those of a hinge and of its row, and the query side B once more.
    """
    most = bounds.numbers[1]
    return bounds.operations * fmt.tiny * (1 + most) ** 3 * (1 + 1 / Fraction(B))


def _exact_on_grid(bounds: Bounds, domain: Domain, B: Rational, off: Rational, fmt: Format) -> bool:
    """No entry is rounded, and every partial sum of e_k and of its scores is exact."""
    step, limit = bounds.step, 1 << fmt.p
    if step is None or not is_dyadic(step):
        return False
    unit = min(Fraction(1), B * step**2)
    if min(step, B * step, unit) < fmt.tiny:
        return False
    digits = max(domain.R, domain.Ry) * (domain.grid or Fraction(1)).denominator
    return max(digits, bounds.largest / step, (B * bounds.E2 + off) / unit) <= limit


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
    d, ell = sizes.d, sizes.ell_e + sizes.ell_t
    E, gamma_e, gamma = root_above(bounds.home2), fmt.error(bounds.terms), fmt.gamma(d + ell)
    flushed = d * _underflow(bounds, B, fmt)
    # The d products of a score, and the additions, may each be flushed to 0.
    lost = 2 * (d + ell) * fmt.tiny
    moved = fmt.error(1) * E + flushed
    if moved**2 > delta**2 * fmt.match:
        yield "label: rounding the prompt may take a label out of its match"
    # e_k of a label that matches, and what the network makes of it.
    close = delta * root_above(fmt.match)
    eta = gamma_e * (E + close) + flushed
    if (1 + fmt.gamma(d)) * (B * (close + eta) ** 2 + lost) * (1 << (fmt.p + 1)) > 1:
        yield f"match: the rounding of e, {_about(eta)}, does not vanish beside 1"
    least = delta * fmt.separation
    eta = gamma_e * (E + least) + flushed
    room = B * (least**2 - 2 * eta * least - eta**2) - 1 - lost
    partial = C * ell + B * (least + eta) ** 2
    if 8 * max(eta / least, gamma, gamma_e) > 1 or room < gamma * partial:
        yield "mismatch: at distance delta a score may be rounded above 0"
    far = B * (root_above(bounds.E2) * (1 + gamma_e) + flushed) ** 2
    if gamma * (far + off) > 2 * C - 1 - far - lost:
        yield "off: a score off target may be rounded above 0"


def root_above(square: Fraction) -> Fraction:
    """A rational >= the square root, by a factor of 1 + 2^-98 at most."""
    # Shift so that the integer square root has at least 100 bits.
    size = square.numerator.bit_length() - square.denominator.bit_length()
    shift = max(0, 101 - size // 2)
    return Fraction(math.isqrt(math.ceil(square * (1 << 2 * shift))) + 1, 1 << shift)


def _written(x: Rational) -> str:
    """A number as text, or its order of magnitude where it is too long for a sentence."""
    return str(x) if x < 1 << 100 else _about(Fraction(x))


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
            if next(failures(sizes, bounds, domain, margins, fmt), None) is None:
                return margins
    return candidates[0]


def certify(sizes: Sizes, wiring: Wiring, domain: Domain, margins: Margins) -> dict[str, list[str]]:
    """For each float format the conditions that fail; an empty list is certified."""
    bounds = Bounds.of(wiring, domain)
    return {f.name: list(failures(sizes, bounds, domain, margins, f)) for f in FORMATS}
