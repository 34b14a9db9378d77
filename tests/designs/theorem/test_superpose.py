import numpy as np
from hypothesis import given
from tracing import Trace

from generators import whole_cases


@given(whole_cases())
def test_home_tokens_hold_what_the_matching_tasks_say_of_the_query_and_how_many_match(case):
    trace = Trace.of(case)
    construction, prompt = trace.construction, trace.prompt
    sizes, homes = construction.sizes, construction.wiring.homes
    out, cnt = np.zeros((sizes.N, sizes.d)), np.zeros((sizes.N, 1))
    scores = np.zeros((sizes.K, sizes.N))
    for i, (x, y) in enumerate(zip(prompt.X, prompt.Y, strict=True)):
        for k, (task, home) in enumerate(zip(construction.tasks, homes, strict=True)):
            if task(x).tolist() == y.tolist():
                out[i * sizes.length + home - 1] += task(prompt.query).astype(float)
                cnt[i * sizes.length + home - 1] += 1
                scores[k, i * sizes.length + home - 1] = 1
    assert trace.after("superpose", "out").tolist() == out.tolist()
    assert trace.after("superpose", "cnt").tolist() == cnt.tolist()
    # Head k scores 1 on a match at home, and 0 everywhere else.
    assert trace.scores("superpose").tolist() == scores.tolist()
    trace.assert_written("superpose", {"out", "cnt"})
