"""Block 1, fetch: each token takes the operands and the label of its own example, and the query.

Each head decides for one token: that of slot s for the token at p_s of the own example, that
of the query's slot for the one at p_s of the query, `label` for the token at n of the own example,
`query` for the query's token at the own position. The sink, which would ask with nothing, stays
alone. They all read tok, so that one block is enough. The
MLP evaluates the dictionary twice, on the example and on the query.
"""

from construct.designs.encoder.plan import EncoderPlan
from construct.designs.softmax.scores import (
    alone,
    always,
    at_position,
    deciding,
    in_example,
    same_example,
    same_position,
)
from construct.designs.theorem.wiring import Wiring
from construct.matrix import Matrix
from construct.network.primitives import (
    HeadFormula,
    LayerFormula,
    MlpFormula,
    Score,
    layer,
    read,
)
from construct.network.tables import Units

LEMMA = (
    "At every token of position p of example i, slot s holds the example's operand at p_s, lab its "
    "label, qry and qslot the query's token at p and its operands; gx and gq hold the dictionary "
    "of (tok, slot) and (qry, qslot)."
)


def fetch(plan: EncoderPlan) -> LayerFormula:
    """2S + 2 heads."""
    sizes, slots = plan.sizes, list(enumerate(plan.wiring.slots, start=1))
    own, query = same_example(sizes), always(in_example(sizes, sizes.m))

    def head(name: str, into: str, what: str, *parts: Score) -> HeadFormula:
        score = [*deciding(plan.margins, parts), *alone(plan.margins.gamma)]
        return HeadFormula(name, f"fetch {what}", sizes, score, {into: read("tok")})

    def at(position: int) -> Score:
        return always(at_position(sizes, position))

    heads = [
        *(
            head(f"slot{s}", f"slot{s}", f"the example's input at {p}", own, at(p))
            for s, p in slots
        ),
        *(
            head(f"qslot{s}", f"qslot{s}", f"the query's input at {p}", query, at(p))
            for s, p in slots
        ),
        head("label", "lab", "the label of the token's own example", own, at(sizes.n)),
        head("query", "qry", "the query's token at the own position", query, same_position(sizes)),
    ]
    return layer(sizes, "fetch", LEMMA, heads, _dictionary(plan))


def _dictionary(plan: EncoderPlan) -> MlpFormula | None:
    """Each hinge twice: over (tok, slot) into gx, over (qry, qslot) into gq."""
    sizes, wiring = plan.sizes, plan.wiring
    if not wiring.dictionary:
        return None
    example = _hinges(sizes.d, wiring, "tok", "slot", "gx")
    query = _hinges(sizes.d, wiring, "qry", "qslot", "gq")
    return Units.join([example, query]).mlp("the dictionary of the example and of the query", sizes)


def _hinges(d: int, wiring: Wiring, home: str, slot: str, into: str) -> Units:
    """A unit for each hinge, over the fields named here."""
    units = [(u, unit) for u, feature in enumerate(wiring.dictionary) for unit in feature]
    count = len(units)
    reads: dict[str, list] = {}
    for v, (_, unit) in enumerate(units):
        for operand, terms in unit.a:
            field = wiring.field(operand, home, slot)
            reads.setdefault(field, []).extend((v, i, value) for i, value in terms)
    blocks = {field: Matrix.from_entries((count, d), entries) for field, entries in reads.items()}
    blocks["one"] = Matrix.from_entries(
        (count, 1), ((v, 0, unit.e) for v, (_, unit) in enumerate(units))
    )
    written = ((u, v, unit.c) for v, (u, unit) in enumerate(units))
    to = {into: Matrix.from_entries((len(wiring.dictionary), count), written)}
    return Units(count, blocks, to)
