"""Layer 3, query: every token takes the query's token at its own position.

score = 1 + (<pt_i, pt_j> - ell_t) + (<code(q), pe_j> - ell_e), values N tok and
N slot. The MLP evaluates the shared dictionary g twice, at the token's example
and at the query: both are sums of ReLUs (Bai, Definition 12). With scratch tokens each hinge acts
at one home p alone: relu(<a, z> + e - (L/2)(ell_t - <code(p), pt>)), where L bounds <a, z> + e at
every token.
"""

from collections.abc import Iterator
from fractions import Fraction

from construct.designs.theorem.addresses import in_query
from construct.designs.theorem.plan import Plan
from construct.designs.theorem.sizes import Sizes
from construct.designs.theorem.wiring import Unit
from construct.matrix import Matrix
from construct.network.codes import code
from construct.network.count import Count
from construct.network.primitives import (
    HeadFormula,
    LayerFormula,
    MlpFormula,
    Rows,
    constant,
    layer,
    read,
)
from construct.network.reach import ALL, EVERY, OWN, Reach
from construct.rational import Rational

LEMMA = (
    "At every token of position p, qry and qslot hold the query's token at p and "
    "its operands; gx and gq hold the dictionary of (tok, slot) and (qry, qslot)."
)


def query(plan: Plan) -> LayerFormula:
    """One head; the MLP if there is a dictionary."""
    return layer(plan.sizes, "query", LEMMA, [fetch_query(plan.sizes)], dictionary(plan))


def fetch_query(sizes: Sizes) -> HeadFormula:
    """The head that fetches the query."""
    slots = range(1, sizes.S + 1)
    return HeadFormula(
        "query",
        "fetch the query's token at the token's own position, with its operands",
        sizes,
        score=[
            (read("pt"), read("pt")),
            (
                constant(1),
                in_query(sizes) + constant(1 - sizes.ell_t - sizes.ell_e),
            ),
        ],
        write={
            "qry": sizes.N * read("tok"),
            **{f"qslot{s}": sizes.N * read(f"slot{s}") for s in slots},
        },
        reach=Reach(EVERY, (sizes.m, OWN)),
    )


def dictionary(plan: Plan) -> MlpFormula | None:
    """Each hinge twice: over (tok, slot) into gx, over (qry, qslot) into gq."""
    places: dict[int | None, Hinges] = {}
    for u, feature in enumerate(plan.wiring.dictionary):
        for unit in feature:
            places.setdefault(unit.at, []).append((u, unit))
    if not places:
        return None
    homes = sorted(places.items(), key=lambda home: home[0] or 0)
    purpose = "the dictionary of the example and of the query"
    return MlpFormula(
        purpose,
        plan.sizes,
        units=2 * sum(map(len, places.values())),
        formula=lambda: _units(plan, [hinges for _, hinges in homes]),
        entries=lambda: 2 * Count.of(_numbers(plan, [h for _, own in homes for h in own])),
        parts=tuple((2 * len(own), (ALL, at - 1)) for at, own in homes if at is not None),
    )


# The feature that a unit adds to, and the unit.
Hinges = list[tuple[int, Unit]]


def _numbers(plan: Plan, hinges: Hinges) -> Iterator[Rational]:
    """What the weights hold of each hinge."""
    for _, unit in hinges:
        yield from (unit.c, *(number for _, terms in unit.a for _, number in terms))
        constant, along_pt = _gate(plan, unit)
        yield from (constant, *(value for _, value in along_pt))


def _gate(plan: Plan, unit: Unit) -> tuple[Rational, list[tuple[int, Rational]]]:
    """What a unit adds to <a, z>: a constant, and terms of pt.

    e, and where it acts at one position p alone, -(L/2)(ell_t - <code(p), pt>): 0 at p, and at
    most -L elsewhere.
    """
    if unit.at is None:
        return unit.e, []
    half, ell = Fraction(plan.margins.L, 2), plan.sizes.ell_t
    bits = code(unit.at - 1, ell).tolist()
    return unit.e - half * ell, [(i, half * bit) for i, bit in enumerate(bits)]


def _units(plan: Plan, homes: list[Hinges]) -> tuple[Rows, dict[str, Matrix]]:
    """The units home after home: those of the example, then those of the query."""
    sizes, wiring = plan.sizes, plan.wiring
    # field -> (row, column, value) of the non-zeros
    reads: dict[str, list] = {"one": []}
    writes: dict[str, list] = {"gx": [], "gq": []}
    count = 0
    for hinges in homes:
        for home, slot, into in (("tok", "slot", "gx"), ("qry", "qslot", "gq")):
            for v, (u, unit) in enumerate(hinges, start=count):
                for operand, terms in unit.a:
                    field = wiring.field(operand, home, slot)
                    reads.setdefault(field, []).extend((v, i, value) for i, value in terms)
                constant, along_pt = _gate(plan, unit)
                reads["one"].append((v, 0, constant))
                reads.setdefault("pt", []).extend((v, i, value) for i, value in along_pt)
                writes[into].append((u, v, unit.c))
            count += len(hinges)
    blocks = {
        field: Matrix.from_entries((count, sizes.residual[field].width), entries)
        for field, entries in reads.items()
        if entries or field == "one"
    }
    written = {into: Matrix.from_entries((sizes.P, count), own) for into, own in writes.items()}
    return Rows(blocks), written
