import numpy as np
from hypothesis import given
from tracing import Trace, slots_of

from construct.designs.theorem.wiring import Wiring
from generators import cases


@given(cases())
def test_qry_holds_the_query_token_at_the_own_position(case):
    trace = Trace.of(case)
    construction, prompt = trace.construction, trace.prompt
    qry = trace.after("query", "qry")
    asked = [*prompt.query.tolist(), [0] * construction.sizes.d]
    for token, _, position in trace.tokens():
        assert qry[token].tolist() == asked[position - 1]


@given(cases())
def test_qslot_holds_the_operands_of_the_query(case):
    trace = Trace.of(case)
    construction, prompt = trace.construction, trace.prompt
    for s, position in enumerate(slots_of(construction.tasks), start=1):
        qslot = trace.after("query", f"qslot{s}")[: construction.sizes.tokens]
        assert (qslot == prompt.query[position - 1]).all()


def feature(units, operands) -> int:
    """Sum of c max(<a, operands> + e, 0), where operand 0 is the token itself."""
    return sum(
        c * max(sum(np.dot(vector, operands[s]) for s, vector in a) + e, 0) for c, a, e in units
    )


@given(cases())
def test_gx_and_gq_hold_the_dictionary_of_the_example_and_of_the_query(case):
    trace = Trace.of(case)
    construction, prompt = trace.construction, trace.prompt
    wiring = Wiring.of(construction.tasks)
    asked = [*prompt.query.tolist(), [0] * construction.sizes.d]
    for token, example, position in trace.tokens():
        if not construction.sizes.P:
            continue
        inputs = trace.inputs(example)
        own = [trace.after("query", "tok")[token], *(inputs[p - 1] for p in wiring.slots)]
        query = [asked[position - 1], *(prompt.query[p - 1] for p in wiring.slots)]
        for field, operands in (("gx", own), ("gq", query)):
            wanted = [feature(units, operands) for units in wiring.dictionary]
            assert trace.after("query", field)[token].tolist() == wanted


@given(cases())
def test_query_writes_qry_qslot_gx_gq_and_nothing_else(case):
    trace = Trace.of(case)
    qslots = {f"qslot{s}" for s in range(1, trace.construction.sizes.S + 1)}
    assert trace.written("query") <= {"qry", "gx", "gq"} | qslots
    assert trace.padding_is_zero("query")
