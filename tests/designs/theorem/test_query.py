from hypothesis import given
from tracing import Trace

from construct.designs.theorem.wiring import Wiring
from generators import whole_cases


def feature(units, operands) -> int:
    """Sum of c max(<a, operands> + e, 0), where operand 0 is the token itself."""
    return sum(
        c * max(sum(v * operands[s][i] for s, terms in a for i, v in terms) + e, 0)
        for c, a, e in units
    )


@given(whole_cases())
def test_every_token_holds_the_query_its_operands_and_the_dictionary_of_both(case):
    trace = Trace.of(case)
    construction, prompt = trace.construction, trace.prompt
    sizes, wiring = construction.sizes, Wiring.of(construction.tasks)
    asked = [*prompt.query.tolist(), [0] * sizes.d]
    qry, tok = trace.after("query", "qry"), trace.after("query", "tok")
    for token, example, position in trace.tokens():
        assert qry[token].tolist() == asked[position - 1]
        inputs = trace.inputs(example)
        own = [tok[token], *(inputs[p - 1] for p in wiring.slots)]
        query = [asked[position - 1], *(prompt.query[p - 1] for p in wiring.slots)]
        for field, operands in (("gx", own), ("gq", query)) if sizes.P else ():
            wanted = [feature(units, operands) for units in wiring.dictionary]
            assert trace.after("query", field)[token].tolist() == wanted
    for s, position in enumerate(wiring.slots, start=1):
        qslot = trace.after("query", f"qslot{s}")[: sizes.tokens]
        assert (qslot == prompt.query[position - 1]).all()
    qslots = {f"qslot{s}" for s in range(1, sizes.S + 1)}
    trace.assert_written("query", {"qry", "gx", "gq"} | qslots)
