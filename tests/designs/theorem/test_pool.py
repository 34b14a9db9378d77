from hypothesis import given
from tracing import Trace

from construct import mixture
from generators import whole_cases


@given(whole_cases())
def test_answer_token_holds_the_votes_and_their_sum_of_f_k_of_the_query(case):
    trace = Trace.of(case)
    construction, prompt = trace.construction, trace.prompt
    sizes, answer = construction.sizes, construction.transformer.answer
    votes = mixture(construction.tasks, prompt).votes
    found = [c * task(prompt.query) for c, task in zip(votes, construction.tasks, strict=True)]
    assert trace.after("pool", "out")[answer].tolist() == sum(found).tolist()
    assert trace.after("pool", "tot")[answer].tolist() == [sum(votes)]
    trace.assert_written("pool", {"out", "tot"})
    # No other token is changed: the answer token alone attends, to all tokens alike.
    changed = (trace.states[4] != trace.states[5]).any(axis=1)
    changed[answer] = False
    assert not changed.any()
    wanted = [[0] * sizes.N for _ in range(sizes.K)]
    wanted[0][answer] = sizes.tokens
    assert trace.scores("pool").tolist() == wanted
