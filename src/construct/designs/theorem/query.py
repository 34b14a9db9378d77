"""Layer 3, query: every token takes the query's token at its own position.

score = 1 + (<pt_i, pt_j> - ell_t) + (<code(q), pe_j> - ell_e), values N tok and
N slot. The MLP evaluates the shared dictionary g twice, at the token's example
and at the query: both are sums of ReLUs (Bai, Definition 12).
"""

from collections.abc import Iterator

from construct.designs.theorem.addresses import in_query
from construct.designs.theorem.plan import Plan
from construct.matrix import Matrix
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
from construct.network.reach import EVERY, OWN, Reach
from construct.rational import Rational

LEMMA = (
    "At every token of position p, qry and qslot hold the query's token at p and "
    "its operands; gx and gq hold the dictionary of (tok, slot) and (qry, qslot)."
)


def query(plan: Plan) -> LayerFormula:
    """One head; the MLP if there is a dictionary."""
    sizes = plan.sizes
    slots = range(1, sizes.S + 1)
    fetch = HeadFormula(
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
    return layer(sizes, "query", LEMMA, [fetch], _dictionary(plan))


def _dictionary(plan: Plan) -> MlpFormula | None:
    """Each hinge twice: over (tok, slot) into gx, over (qry, qslot) into gq."""
    hinges = [(u, *unit) for u, feature in enumerate(plan.wiring.dictionary) for unit in feature]
    if not hinges:
        return None
    purpose = "the dictionary of the example and of the query"
    return MlpFormula(
        purpose,
        plan.sizes,
        units=2 * len(hinges),
        formula=lambda: _units(plan, hinges),
        entries=lambda: 2 * Count.of(_numbers(hinges)),
    )


def _numbers(hinges: list) -> Iterator[Rational]:
    """What the weights hold of each hinge."""
    for _, c, a, e in hinges:
        yield from (c, e, *(number for _, terms in a for _, number in terms))


def _units(plan: Plan, hinges: list) -> tuple[Rows, dict[str, Matrix]]:
    sizes, wiring, count = plan.sizes, plan.wiring, len(hinges)
    # field -> (row, column, value) of the non-zeros
    reads: dict[str, list] = {"one": []}
    writes: dict[str, list] = {}
    copies = (("tok", "slot", "gx"), ("qry", "qslot", "gq"))
    for copy, (home, slot, into) in enumerate(copies):
        for v, (_, _, a, e) in enumerate(hinges, start=copy * count):
            for operand, terms in a:
                field = wiring.field(operand, home, slot)
                reads.setdefault(field, []).extend((v, i, value) for i, value in terms)
            reads["one"].append((v, 0, e))
        writes[into] = [(u, v, c) for v, (u, c, _, _) in enumerate(hinges, start=copy * count)]
    widths = {"one": 1}
    blocks = {
        field: Matrix.from_entries((2 * count, widths.get(field, sizes.d)), entries)
        for field, entries in reads.items()
    }
    written = {into: Matrix.from_entries((sizes.P, 2 * count), own) for into, own in writes.items()}
    return Rows(blocks), written
