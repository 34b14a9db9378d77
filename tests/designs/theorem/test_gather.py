from hypothesis import given
from tracing import Trace, slots_of

from generators import whole_cases


@given(whole_cases())
def test_slot_s_of_every_token_holds_the_operand_at_p_s_of_its_own_example(case):
    trace = Trace.of(case)
    sizes = trace.construction.sizes
    for s, position in enumerate(slots_of(trace.construction.tasks), start=1):
        slot = trace.after("gather", f"slot{s}")
        for token, example, _ in trace.tokens():
            assert slot[token].tolist() == trace.inputs(example)[position - 1].tolist()
    trace.assert_written("gather", {f"slot{s}" for s in range(1, sizes.S + 1)})
    # Each token attends to one token, with score 1, in each gathering head.
    scores = trace.scores("gather")
    assert (scores[: sizes.S, : sizes.tokens] == 1).all()
    assert not scores[sizes.S :].any()
    assert not scores[:, sizes.tokens :].any()
