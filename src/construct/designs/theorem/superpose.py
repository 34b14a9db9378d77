"""Layer 4, superpose: head k tests task k on an example and applies it to the query.

With e_k(i) = f_k(X_i) - lab as the home token of example i sees it,

    score_k(i, j) = 1 - B <e_k(i), e_k(j)> + C (<pe_i, pe_j> - ell_e)
        + C (<pt_i, pt_j> - ell_t) + C (<code(p_k), pt_j> - ell_t) + 2C (ctx_j - 1).

At the home token of a real example and j = i this is 1 - B ||e_k||^2: exactly 1 on
a match, <= 0 on a mismatch, since B >= 1/delta^2. Everywhere else one of the last
four terms is at most -2C, and 2C >= 1 + B E^2 with ||e_k|| <= E on the domain. The
value is N f_k(query) for out and N for cnt.
"""

from construct.designs.theorem.addresses import at_position
from construct.designs.theorem.plan import Plan
from construct.network.primitives import (
    HeadFormula,
    LayerFormula,
    constant,
    layer,
    read,
)
from construct.network.reach import ALL, OWN, Reach

LEMMA = (
    "At the home token p of example i, out holds the sum of f_k(X_q) and cnt the "
    "number of the tasks k with home p and f_k(X_i) = y_i; both are 0 elsewhere."
)


def superpose(plan: Plan) -> LayerFormula:
    """K heads, one for each task."""
    heads = [_test_and_apply(plan, k) for k in range(plan.sizes.K)]
    return layer(plan.sizes, "superpose", LEMMA, heads)


def _test_and_apply(plan: Plan, k: int) -> HeadFormula:
    sizes, wiring = plan.sizes, plan.wiring
    B, C = plan.margins.B, plan.margins.C
    name, home = wiring.tasks[k].name, wiring.homes[k]
    e = wiring.f(k) - read("lab")
    gate = (
        constant(1 - C * (sizes.ell_e + 2 * sizes.ell_t + 2))
        + C * at_position(sizes, home)
        + 2 * C * read("ctx")
    )
    return HeadFormula(
        name,
        f"test {name} at position {home} of each example; apply it to the query",
        sizes,
        score=[
            (-B * e, e),
            (C * read("pe"), read("pe")),
            (C * read("pt"), read("pt")),
            (constant(1), gate),
        ],
        write={
            "out": sizes.N * wiring.f(k, home="qry", slot="qslot", g="gq"),
            "cnt": sizes.N * read("one"),
        },
        reach=Reach((ALL, home - 1), (OWN, OWN)),
    )
