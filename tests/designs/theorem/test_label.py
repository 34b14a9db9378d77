from hypothesis import given
from tracing import Trace

from generators import cases


@given(cases())
def test_lab_of_every_token_holds_the_label_of_its_own_example(case):
    trace = Trace.of(case)
    construction, prompt = trace.construction, trace.prompt
    lab = trace.after("label", "lab")
    for token, example, _ in trace.tokens():
        known = example < len(prompt.Y)
        label = prompt.Y[example].tolist() if known else [0] * construction.sizes.d
        assert lab[token].tolist() == label


@given(cases())
def test_label_writes_lab_and_nothing_else(case):
    trace = Trace.of(case)
    assert trace.written("label") <= {"lab"}
    assert trace.padding_is_zero("label")


@given(cases())
def test_every_token_attends_to_one_label_with_score_1(case):
    trace = Trace.of(case)
    tokens = trace.construction.sizes.tokens
    assert (trace.scores("label")[0, :tokens] == 1).all()
    assert not trace.scores("label")[0, tokens:].any()
    assert not trace.scores("label")[1:].any()
