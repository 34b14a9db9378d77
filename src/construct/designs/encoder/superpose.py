"""Block 2, superpose: head k tests task k on an example and applies it to the query.

With e_k(i) = f_k(X_i) - lab as the home token of example i sees it,

    score_k(i, j) = top - beta <e_k(i), e_k(j)> + C (<pe_i, pe_j> - ell_e)
        + C (<pt_i, pt_j> - ell_t) + C (<code(p_k), pt_j> - ell_t) + 2C (ctx_j - 1).

At the home token of a real example and j = i this is top - beta ||e_k||^2: at least gamma on a
match, at most -gamma on a mismatch. Everywhere else one of the last four terms is at most -2C, and
2C >= top + gamma + beta E^2 with ||e_k|| <= E on the domain. The sink has 0, and the value 0; from
it everyone else has -C, so that it stays alone. The value is f_k(query) for out and 1 for cnt.

The MLP makes log cnt and log(cnt - 1), each with -2 gamma for log 0.
"""

from construct.designs.encoder.plan import EncoderPlan, most_matches
from construct.designs.softmax.scores import alone, always, at_position, test, times
from construct.matrix import Matrix
from construct.network.primitives import HeadFormula, LayerFormula, constant, layer, read
from construct.network.tables import Units, log, table

LEMMA = (
    "At the home token p of example i, out holds the sum of f_k(X_q) and cnt the number of the "
    "tasks k with home p and f_k(X_i) = y_i; both are 0 elsewhere. log and odds hold the "
    "logarithms of cnt and cnt - 1, -2 gamma for that of 0."
)


def superpose(plan: EncoderPlan) -> LayerFormula:
    """K heads, one for each task, and two tables."""
    heads = [_test(plan, k) for k in range(plan.sizes.K)]
    tables = _tables(plan).mlp("log cnt and log(cnt - 1)", plan.sizes)
    return layer(plan.sizes, "superpose", LEMMA, heads, tables)


def _test(plan: EncoderPlan, k: int) -> HeadFormula:
    sizes, wiring, C = plan.sizes, plan.wiring, plan.margins.far
    name, home = wiring.tasks[k].name, wiring.homes[k]
    at_home = always(at_position(sizes, home) + 2 * (read("ctx") - constant(1)))
    return HeadFormula(
        name,
        f"test {name} at position {home} of each example; apply it to the query",
        sizes,
        score=[
            *test(sizes, plan.margins, wiring.f(k) - read("lab")),
            *times(C, at_home),
            *alone(C),
        ],
        write={"out": wiring.f(k, home="qry", slot="qslot", g="gq"), "cnt": read("one")},
    )


def _tables(plan: EncoderPlan) -> Units:
    M, nothing = most_matches(plan), -2 * plan.margins.gamma
    logs = table(M, log, at_zero=nothing)
    odds = table(M, lambda v: log(v - 1) if v > 1 else nothing, at_zero=nothing)
    reads = {"cnt": Matrix.identity(1)}
    return Units.join(
        [
            Units.of_tables(logs, reads, "log", [0], 1),
            Units.of_tables(odds, reads, "odds", [0], 1),
            Units.constants({"log": [logs.last], "odds": [odds.last]}),
        ]
    )
