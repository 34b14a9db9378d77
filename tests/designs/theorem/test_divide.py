from hypothesis import given
from tracing import Trace

from construct import embed, mixture, prepare, unembed
from generators import whole_cases
from share import tried


@tried(25)
@given(whole_cases())
def test_tok_of_the_answer_token_is_the_mixture_exactly(case):
    construction, prompt = case.build()
    done = prepare("exact", construction.transformer, "exact")(
        embed(construction.transformer, prompt)
    )
    found = unembed(construction.transformer, done.stream)
    assert found.tolist() == mixture(construction.tasks, prompt).answer.tolist()


@given(whole_cases())
def test_the_quotient_is_rounded_once_after_the_reciprocal(case):
    trace = Trace.of(case)
    construction = trace.construction
    answer, s = construction.transformer.answer, construction.margins.s
    rec, out = trace.after("square", "rec")[answer], trace.after("square", "out")[answer]
    assert trace.after("divide", "tok")[answer].tolist() == (rec / s * out).tolist()
    trace.assert_written("divide", {"tok"})
