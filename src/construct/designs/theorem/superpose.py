"""Layer 4, superpose: head k tests task k on an example and applies it to the query.

With e_k(i) = f_k(X_i) - lab as the home token of example i sees it,

    score_k(i, j) = 1 - B <e_k(i), e_k(j)> + C (<pe_i, pe_j> - ell_e)
        + C (<pt_i, pt_j> - ell_t) + C (<code(p_k), pt_j> - ell_t) + 2C (ctx_j - 1).

At the home token of a real example and j = i this is 1 - B ||e_k||^2: exactly 1 on
a match, <= 0 on a mismatch, since B >= 1/delta^2. Everywhere else one of the last
four terms is at most -2C, and 2C >= 1 + B E^2 with ||e_k|| <= E on the domain. The
value is N f_k(query) for out and N for cnt.

Where the gate is flat (`level`), the 1 at the top of a score is a > 1, and 2C >= a + B E^2. Then a
head gives max(a - B ||e_k||^2, 0), of which the next layer takes away what is above 1.
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
from construct.rational import Rational

LEMMA = (
    "At the home token p of example i, out holds the sum of f_k(X_q) and cnt the "
    "number of the tasks k with home p and f_k(X_i) = y_i; both are 0 elsewhere."
)


FLAT_LEMMA = (
    "At the home token p of example i, out holds the sum of v f_k(X_q) and cnt that of v, over "
    "the tasks k with home p, where v = max(a - B ||f_k(X_i) - y_i||^2, 0); both are 0 elsewhere."
)


def superpose(plan: Plan) -> LayerFormula:
    """K heads, one for each task."""
    heads = [
        gate(plan, k, plan.margins.a, 1, "test", "apply it to the query")
        for k in range(plan.sizes.K)
    ]
    lemma = FLAT_LEMMA if plan.margins.flat else LEMMA
    return layer(plan.sizes, "superpose", lemma, heads)


def gate(plan: Plan, k: int, top: Rational, sign: int, does: str, then: str) -> HeadFormula:
    """The head of task k whose score is top - B ||e_k||^2 at a home token, else at most 0.

    Args:
        sign: of the value.
        does, then: what the head does to the task, and what with it.
    """
    sizes, wiring = plan.sizes, plan.wiring
    B, C = plan.margins.B, plan.margins.C
    name, home = wiring.tasks[k].name, wiring.homes[k]
    e = wiring.f(k) - read("lab")
    at_home = (
        constant(top - C * (sizes.ell_e + 2 * sizes.ell_t + 2))
        + C * at_position(sizes, home)
        + 2 * C * read("ctx")
    )
    return HeadFormula(
        name,
        f"{does} {name} at position {home} of each example; {then}",
        sizes,
        score=[
            (-B * e, e),
            (C * read("pe"), read("pe")),
            (C * read("pt"), read("pt")),
            (constant(1), at_home),
        ],
        write={
            "out": sign * sizes.N * wiring.f(k, home="qry", slot="qslot", g="gq"),
            "cnt": sign * sizes.N * read("one"),
        },
        reach=Reach((ALL, home - 1), (OWN, OWN)),
    )
