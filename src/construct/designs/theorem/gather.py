"""Layer 1, gather: operand slots and scratch tokens take operands of the token's own example.

score_s = 1 + (<pe_i, pe_j> - ell_e) + (<code(p_s), pt_j> - ell_t), value N tok.

Where there are scratch tokens, one more head fills them all. r = n + w - t says how far a
position t is from the end. A token starts with rec = -r^2 and sq = 0; a scratch token that
copies an input, for which r is u, starts with sq = u and rec = 1 - u^2 instead (`embedding`). Then

    score = (<pe_i, pe_j> - ell_e) + rec_i + 2 sq_i r_j + rec_j, value N tok,

is 1 - (u - r_j)^2 from a scratch token to an input or the label of its own example: 1 at the
input that it copies. To scratch tokens, which have r_j <= w < u, it is below 0; from tokens with
sq = 0 it is at most 0, and to other examples too.
"""

from construct.designs.theorem.addresses import from_the_end, own_example_at
from construct.designs.theorem.label import LEMMA as LABEL_LEMMA
from construct.designs.theorem.label import fetch_label
from construct.designs.theorem.plan import Plan
from construct.network.primitives import HeadFormula, LayerFormula, constant, layer, read
from construct.network.reach import ALL, EVERY, OWN, Reach

LEMMA = "At every token of every example, slot s holds the example's operand at p_s."
SCRATCH_LEMMA = f"{LEMMA} Each scratch token holds the operand that it copies."


def gather(plan: Plan) -> LayerFormula:
    """S heads, one for each operand slot, and one for all scratch tokens.

    For a single task with a flat gate, the label is fetched here too: there is no other layer
    for it (`fetch`).
    """
    sizes = plan.sizes
    heads = [
        HeadFormula(
            f"slot{s}",
            f"fetch the operand at position {position} of the token's own example",
            sizes,
            score=own_example_at(sizes, position),
            write={f"slot{s}": sizes.N * read("tok")},
            reach=Reach(EVERY, (OWN, position - 1)),
        )
        for s, position in enumerate(plan.wiring.slots, start=1)
    ]
    if plan.margins.flat and sizes.K == 1:
        return layer(sizes, "gather", LABEL_LEMMA, [*heads, fetch_label(sizes)])
    if not sizes.w:
        return layer(sizes, "gather", LEMMA, heads)
    return layer(sizes, "gather", SCRATCH_LEMMA, [*heads, _copy(plan)])


def _copy(plan: Plan) -> HeadFormula:
    sizes, sources = plan.sizes, plan.wiring.scratch
    asks = tuple(range(sizes.n - 1, sizes.length - 1))
    return HeadFormula(
        "copy",
        "fill each scratch token with the operand that it copies from its own example",
        sizes,
        score=[
            (read("pe"), read("pe")),
            (constant(1), read("rec") + constant(-sizes.ell_e)),
            (read("rec"), constant(1)),
            (2 * read("sq"), from_the_end(sizes)),
        ],
        write={"tok": sizes.N * read("tok")},
        reach=Reach((ALL, asks), (OWN, tuple(p - 1 for p in sources))),
    )
