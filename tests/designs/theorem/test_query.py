import numpy as np
from hypothesis import assume, given
from tracing import Trace, feature

from generators import whole_cases


@given(whole_cases())
def test_every_token_holds_the_query_its_operands_and_the_dictionary_of_both(case):
    trace = Trace.of(case)
    construction, prompt = trace.construction, trace.prompt
    sizes, wiring = construction.sizes, construction.wiring
    qry, tok = trace.after("query", "qry"), trace.after("query", "tok")
    for token, example, position in trace.tokens():
        asked = trace.operand(sizes.m, position)
        assert qry[token].tolist() == asked
        inputs = trace.inputs(example)
        own = [tok[token], *(inputs[p - 1] for p in wiring.slots)]
        query = [asked, *(prompt.query[p - 1] for p in wiring.slots)]
        for field, operands in (("gx", own), ("gq", query)) if sizes.P else ():
            wanted = [feature(units, operands, position) for units in wiring.dictionary]
            assert trace.after("query", field)[token].tolist() == wanted
    for s, position in enumerate(wiring.slots, start=1):
        qslot = trace.after("query", f"qslot{s}")[: sizes.tokens]
        assert (qslot == prompt.query[position - 1]).all()
    qslots = {f"qslot{s}" for s in range(1, sizes.S + 1)}
    trace.assert_written("query", {"qry", "gx", "gq"} | qslots)


@given(whole_cases())
def test_features_of_a_home_are_those_of_its_tasks_and_0_where_none_lives(case):
    trace = Trace.of(case)
    wiring, sizes = trace.construction.wiring, trace.construction.sizes
    assume(sizes.w and sizes.P)
    homes = {unit.at for units in wiring.dictionary for unit in units}
    assert homes <= set(wiring.homes)
    for token, _, position in trace.tokens():
        reads = [wiring.reads[k] for k, home in enumerate(wiring.homes) if home == position]
        own = {u for read in reads for u in read}
        for field in ("gx", "gq"):
            found = np.flatnonzero(trace.after("query", field)[token])
            assert set(found.tolist()) <= own
