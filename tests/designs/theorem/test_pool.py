from hypothesis import given
from tracing import Trace

from construct import mixture
from generators import cases


@given(cases())
def test_answer_token_holds_the_votes_and_their_sum_of_f_k_of_the_query(case):
    trace = Trace.of(case)
    construction, prompt = trace.construction, trace.prompt
    answer = construction.transformer.answer
    votes = mixture(construction.tasks, prompt).votes
    found = [c * task(prompt.query) for c, task in zip(votes, construction.tasks, strict=True)]
    assert trace.after("pool", "out")[answer].tolist() == sum(found).tolist()
    assert trace.after("pool", "tot")[answer].tolist() == [sum(votes)]


@given(cases())
def test_pool_changes_out_and_tot_at_the_answer_token_and_nothing_else(case):
    trace = Trace.of(case)
    assert trace.written("pool") <= {"out", "tot"}
    changed = (trace.states[4] != trace.states[5]).any(axis=1)
    changed[trace.construction.transformer.answer] = False
    assert not changed.any()


@given(cases())
def test_answer_token_attends_to_all_tokens_alike_and_no_other_token_attends(case):
    trace = Trace.of(case)
    sizes = trace.construction.sizes
    wanted = [[0] * sizes.N for _ in range(sizes.K)]
    wanted[0][trace.construction.transformer.answer] = sizes.tokens
    assert trace.scores("pool").tolist() == wanted
