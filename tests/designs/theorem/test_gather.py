from hypothesis import given
from tracing import Trace, slots_of

from generators import cases


@given(cases())
def test_slot_s_of_every_token_holds_the_operand_at_p_s_of_its_own_example(case):
    trace = Trace.of(case)
    for s, position in enumerate(slots_of(trace.construction.tasks), start=1):
        slot = trace.after("gather", f"slot{s}")
        for token, example, _ in trace.tokens():
            assert slot[token].tolist() == trace.inputs(example)[position - 1].tolist()


@given(cases())
def test_gather_writes_the_operand_slots_and_nothing_else(case):
    trace = Trace.of(case)
    slots = {f"slot{s}" for s in range(1, trace.construction.sizes.S + 1)}
    assert trace.written("gather") <= slots
    assert trace.padding_is_zero("gather")


@given(cases())
def test_every_token_attends_to_one_token_with_score_1_in_each_gathering_head(case):
    trace = Trace.of(case)
    sizes = trace.construction.sizes
    scores = trace.scores("gather")
    assert (scores[: sizes.S, : sizes.tokens] == 1).all()
    assert not scores[sizes.S :].any()
    assert not scores[:, sizes.tokens :].any()
