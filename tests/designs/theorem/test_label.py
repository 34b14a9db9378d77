from hypothesis import given
from tracing import Trace

from generators import whole_cases


@given(whole_cases())
def test_lab_of_every_token_holds_the_label_of_its_own_example(case):
    trace = Trace.of(case)
    sizes, prompt = trace.construction.sizes, trace.prompt
    lab = trace.after("label", "lab")
    for token, example, _ in trace.tokens():
        known = example < len(prompt.Y)
        assert lab[token].tolist() == (prompt.Y[example].tolist() if known else [0] * sizes.d)
    trace.assert_written("label", {"lab"})
    # Each token attends to one label, with score 1.
    assert (trace.scores("label")[0, : sizes.tokens] == 1).all()
    assert not trace.scores("label")[0, sizes.tokens :].any()
    assert not trace.scores("label")[1:].any()
