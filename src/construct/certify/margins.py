"""The margins B, C, s, N and L, and the number formats in which they are safe.

Every margin but L is a power of two, and is derived: B and C are the least for which
the conditions of `failures` hold in float32, or else in float64. The conditions
are inequalities between rationals, evaluated exactly; proofs/floats/floats.md proves that
they suffice, for sums in any order, fused or not.

Exact arithmetic needs, for the lemma of layer 4 (superpose):

    B >= 1/delta^2              a mismatch scores 1 - B ||e||^2 <= 0
    2C >= 1 + B E^2             off target a score is at most 1 + B E^2 - 2C <= 0

where E bounds ||e_k||_2 at every token; and, for hinges that act at one position (layer 3),
L >= <a, z> + e at every token. Floats need in addition:

    whole      every whole number that occurs is at most 2^p: C (ell_e + 3 ell_t + 2) + 1
               in the gate, 2 M^2 - 1 in the reciprocal table, and where there are scratch tokens
               4 (n + w - 1)^2 + 2 ell_e in the scores of the head that fills them;
    range      no weight and no intermediate overflows or underflows; what underflows
               all the same (products of small numbers, flushed to 0) adds to eta;
    and either, if the domain has a grid,
    grid       every partial sum is a multiple of one power of two w, below 2^p w: all
               is exact;
    or         eta = gamma_t E + underflow, the error of e_k at a home token, is so small that
    label      a label that is f_k(X_i) is still a match when the prompt is rounded,
    match      a label that counts as a match scores exactly 1,
    mismatch   a distance >= delta scores <= 0 in spite of all rounding,
    off        and so does every pair off target;
    home       a hinge that acts at one position is 0 at every other.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from construct.certify.bounds import Bounds
from construct.certify.formats import FORMATS, Format
from construct.designs.theorem.plan import Margins
from construct.designs.theorem.sizes import Sizes
from construct.designs.theorem.wiring import Wiring
from construct.errors import ConstructError
from construct.rational import Rational, is_dyadic
from construct.spec.domain import Domain


def is_flat(bounds: Bounds, domain: Domain) -> bool:
    """Whether labels that match may leave ||e_k|| > 0."""
    return bounds.epsilon + domain.tau > 0


def below_thresholds(bounds: Bounds, domain: Domain, margins: Margins) -> bool:
    """Whether the lemmas do not hold for these margins, even in exact arithmetic."""
    B, C, a = margins.B, margins.C, margins.a
    match, mismatch = domain.tau + bounds.epsilon, domain.delta - bounds.epsilon
    gate = mismatch <= 0 or B * match**2 > a - 1 or B * mismatch**2 < a
    return gate or a + B * bounds.E2 > 2 * C or bounds.closed[0] > margins.L


def failures(
    sizes: Sizes, bounds: Bounds, domain: Domain, margins: Margins, fmt: Format
) -> Iterator[str]:
    """The conditions that fail in a number format; if there are none, it is certified."""
    C, M, a, p = margins.C, sizes.M, margins.a, fmt.p
    limit = 1 << p
    ell_e, ell_t = sizes.ell_e, sizes.ell_t
    if below_thresholds(bounds, domain, margins):
        yield "margins: below the thresholds of exact arithmetic"
    # In steps of a, which is 1 where the gate is not flat.
    gate = (C * (ell_e + 3 * ell_t + 2) + a) * a.denominator
    if gate > limit:
        yield f"whole: the gate reaches {_written(gate)} > 2^{p}"
    # A flat table counts in eighths, and has twice the steepness.
    table = 8 * (4 * M**2 + 2) if margins.flat else 2 * M**2 - 1
    if table > limit:
        yield f"whole: the table of M = {M} reaches {table} > 2^{p}"
    copy = 4 * (sizes.length - 1) ** 2 + 2 * ell_e if sizes.w else 0
    if copy > limit:
        yield f"whole: filling the scratch tokens reaches {copy} > 2^{p}"
    yield from _range_failures(sizes, bounds, domain, margins, fmt)
    if margins.flat and margins.B * largest_match(bounds, domain, fmt) ** 2 > a - 1:
        yield "match: a label that matches when it is rounded may give less than one vote"
    if exact_on_grid(sizes, bounds, domain, margins, fmt):
        return
    if margins.flat:
        yield from flat_failures(sizes, bounds, domain, margins, fmt)
    else:
        yield from _rounding_failures(sizes, bounds, domain, margins, fmt)


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


def exact_on_grid(
    sizes: Sizes, bounds: Bounds, domain: Domain, margins: Margins, fmt: Format
) -> bool:
    """No entry is rounded, and every partial sum of e_k and of its scores is exact."""
    step, limit, B = bounds.step, 1 << fmt.p, margins.B
    if step is None or not is_dyadic(step):
        return False
    unit = min(Fraction(1, margins.a.denominator), B * step**2)
    off = _off_target(sizes, margins)
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
) -> Iterator[str]:
    """The conditions label, match, mismatch and off, for real-valued prompts."""
    B, C, delta = margins.B, margins.C, Fraction(domain.delta)
    d, ell = sizes.d, sizes.ell_e + sizes.ell_t
    E, gamma_e, gamma = root_above(bounds.home2), fmt.error(bounds.terms), fmt.gamma(d + ell)
    flushed = d * _underflow(bounds, B, fmt)
    # The d products of a score, and the additions, may each be flushed to 0.
    lost = 2 * (d + ell) * fmt.tiny
    moved = fmt.error(1) * root_above(bounds.moved2) + flushed
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
    yield from _elsewhere_failures(sizes, bounds, margins, fmt, gamma)


def _off_target(sizes: Sizes, margins: Margins) -> Rational:
    """What the absolute summands of a score add up to, those of B ||e||^2 aside."""
    return margins.C * (2 * sizes.ell_e + 4 * sizes.ell_t + 2) + margins.a


def _elsewhere_failures(
    sizes: Sizes, bounds: Bounds, margins: Margins, fmt: Format, gamma: Fraction
) -> Iterator[str]:
    """The conditions off and home."""
    B, C, gamma_e = margins.B, margins.C, fmt.error(bounds.terms)
    flushed = sizes.d * _underflow(bounds, B, fmt)
    lost = 2 * (sizes.d + sizes.ell_e + sizes.ell_t) * fmt.tiny
    far = root_above(bounds.E2) + gamma_e * root_above(bounds.summed2) + flushed
    far = B * far**2
    if gamma * (far + _off_target(sizes, margins)) > 2 * C - margins.a - far - lost:
        yield "off: a score off target may be rounded above 0"
    held, summed, roundings = bounds.closed
    if margins.L and fmt.error(roundings) * summed + _underflow(bounds, B, fmt) > margins.L - held:
        yield "home: a hinge may be rounded above 0 where it has no home"


@dataclass(frozen=True)
class Noise:
    """What rounding does where the gate is flat (proofs/floats/floats.md, "The flat gate").

    Attributes:
        score: how far the score of a match may be off.
        total: how far the sum of all votes may be off.
        table: how far a sum in the table of reciprocals may be off.
    """

    score: Fraction
    total: Fraction
    table: Fraction

    @classmethod
    def of(
        cls, sizes: Sizes, bounds: Bounds, domain: Domain, margins: Margins, fmt: Format
    ) -> "Noise":
        """All 0 where sums are exact, on a grid."""
        if exact_on_grid(sizes, bounds, domain, margins, fmt):
            return cls(Fraction(0), Fraction(0), Fraction(0))
        a, B, M = margins.a, margins.B, sizes.M
        ell = sizes.ell_e + sizes.ell_t
        D, eta = largest_match(bounds, domain, fmt), _eta(sizes, bounds, B, fmt)
        off = eta(D)
        score = B * (2 * off * D + off**2) + 2 * (sizes.d + ell) * fmt.tiny
        score += added_up(sizes.d, ell, margins, B * (D + off) ** 2, fmt)
        total = 2 * M * (score + fmt.gamma(2 * M + 2) * (a + score))
        return cls(score, total, fmt.error(6) * 8 * (M + 1) ** 2)


def added_up(d: int, ell: int, margins: Margins, products: Fraction, fmt: Format) -> Fraction:
    """What the additions of a score on target lose, in any order (floats.md, "additions").

    Args:
        products: what the absolute values of the d products of B e' and e'' add up to.
    """
    partial = margins.C * ell + margins.a + products
    gamma = fmt.gamma(d + ell + 1)
    # No number that is rounded is above top: a spacing at most that of all whole terms.
    top = Fraction(_power_of_two_above((1 + gamma) * partial))
    if fmt.u * top * margins.a.denominator > 1:
        return gamma * partial
    return min(gamma * partial, fmt.u * (d * top + products))


def largest_match(bounds: Bounds, domain: Domain, fmt: Format) -> Fraction:
    """The largest ||e_k|| of a label that matches, in this format."""
    delta, tau = Fraction(domain.delta), Fraction(domain.tau)
    rounded = tau * (1 + Fraction(1, 1 << (fmt.p // 2)))
    return bounds.epsilon + max(rounded, delta * root_above(fmt.match))


def _eta(sizes: Sizes, bounds: Bounds, B: Rational, fmt: Format) -> Callable[[Fraction], Fraction]:
    """How far e_k is off in the network, for a label at a distance."""
    E, gamma_e = root_above(bounds.home2), fmt.error(bounds.terms)
    flushed = sizes.d * _underflow(bounds, B, fmt)
    return lambda distance: gamma_e * (E + distance) + flushed


def flat_failures(
    sizes: Sizes, bounds: Bounds, domain: Domain, margins: Margins, fmt: Format
) -> Iterator[str]:
    """The conditions mismatch, votes, off and home, where the gate is flat."""
    B, C, a = margins.B, margins.C, margins.a
    ell, M = sizes.ell_e + sizes.ell_t, sizes.M
    gamma, gamma_e = fmt.gamma(sizes.d + ell + 1), fmt.error(bounds.terms)
    lost = 2 * (sizes.d + ell) * fmt.tiny
    noise = Noise.of(sizes, bounds, domain, margins, fmt)
    least = domain.delta * fmt.separation - bounds.epsilon
    eta = _eta(sizes, bounds, B, fmt)(least)
    room = B * (least**2 - 2 * eta * least - eta**2) - a - lost
    partial = C * ell + B * (least + eta) ** 2
    if least <= 0 or 8 * max(eta / least, gamma, gamma_e) > 1 or room < gamma * partial:
        yield "mismatch: at distance delta a score may be rounded above 0"
    if noise.total + noise.table / 3 > Fraction(1, 4):
        yield f"votes: rounding may take {M} votes {_about(noise.total)} from a whole number"
    yield from _elsewhere_failures(sizes, bounds, margins, fmt, gamma)


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

    Raises:
        ConstructError: if no margins decide votes, or only with more heads than there are.
    """
    bounds = Bounds.of(wiring, domain)
    if is_flat(bounds, domain):
        _refuse_one_task_with_two_heads(sizes)
    s, N, L = int(_power_of_two_above(sizes.M)), sizes.N, bounds.L
    candidates = []
    for B, a in gates(bounds, domain):
        least_C = _power_of_two_above(max(Fraction(1), (a + B * bounds.E2) / 2))
        candidates += [Margins(B, C, s, N, L, a) for C in (least_C, 2 * least_C)]
    for fmt in FORMATS:
        for margins in candidates:
            if next(failures(sizes, bounds, domain, margins, fmt), None) is None:
                return margins
    return candidates[0]


def _refuse_one_task_with_two_heads(sizes: Sizes) -> None:
    if sizes.K == 1 and sizes.S + sizes.w:
        whose = "reads two positions" if sizes.S else f"is to have scratch = {sizes.w}"
        remedy = "" if sizes.S else "leave scratch out, or "
        raise ConstructError(
            f"a single task that {whose} and is held within an error needs eight layers of one "
            f"head; {remedy}build it together with a second task, such as a 'retrieval'."
        )


def gates(bounds: Bounds, domain: Domain) -> Iterator[tuple[Rational, Rational]]:
    """B and a that decide votes in exact arithmetic, the least B first.

    Raises:
        ConstructError: if there are none, since delta <= tau + 2 epsilon.
    """
    tau, delta, epsilon = domain.tau, Fraction(domain.delta), bounds.epsilon
    if delta <= tau + 2 * epsilon:
        raise ConstructError(
            f"delta = {delta} is not above tau + 2 epsilon = {tau + 2 * epsilon}: a label that "
            "matches cannot be told from one that does not; choose a smaller epsilon or tau, or a "
            "larger delta."
        )
    match, mismatch = (tau + epsilon) ** 2, (delta - epsilon) ** 2
    least = _power_of_two_above(1 / (mismatch - match))
    for B in (least, 2 * least, 4 * least, 8 * least):
        room = B * (mismatch - match) - 1
        if not is_flat(bounds, domain):
            yield B, 1
        elif room:
            # A little above 1 + B match, in few bits.
            step = _power_of_two_above(room / 8) / Fraction(2)
            yield B, 1 + math.ceil((B * match + room / 8) / step) * step


def certify(sizes: Sizes, wiring: Wiring, domain: Domain, margins: Margins) -> dict[str, list[str]]:
    """For each float format the conditions that fail; an empty list is certified."""
    bounds = Bounds.of(wiring, domain)
    return {f.name: list(failures(sizes, bounds, domain, margins, f)) for f in FORMATS}
