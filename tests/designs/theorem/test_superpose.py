import numpy as np
from hypothesis import given
from tracing import Trace

from construct.designs.theorem.wiring import Wiring
from generators import cases


@given(cases())
def test_home_tokens_hold_what_the_matching_tasks_say_of_the_query_and_how_many_match(case):
    trace = Trace.of(case)
    construction, prompt = trace.construction, trace.prompt
    sizes, homes = construction.sizes, Wiring.of(construction.tasks).homes
    out, cnt = np.zeros((sizes.N, sizes.d)), np.zeros((sizes.N, 1))
    for i, (x, y) in enumerate(zip(prompt.X, prompt.Y, strict=True)):
        for task, home in zip(construction.tasks, homes, strict=True):
            if task(x).tolist() == y.tolist():
                out[i * sizes.n + home - 1] += task(prompt.query).astype(float)
                cnt[i * sizes.n + home - 1] += 1
    assert trace.after("superpose", "out").tolist() == out.tolist()
    assert trace.after("superpose", "cnt").tolist() == cnt.tolist()


@given(cases())
def test_head_k_scores_1_on_a_match_at_home_and_0_everywhere_else(case):
    trace = Trace.of(case)
    construction, prompt = trace.construction, trace.prompt
    sizes, homes = construction.sizes, Wiring.of(construction.tasks).homes
    wanted = np.zeros((sizes.K, sizes.N))
    for k, (task, home) in enumerate(zip(construction.tasks, homes, strict=True)):
        for i, (x, y) in enumerate(zip(prompt.X, prompt.Y, strict=True)):
            wanted[k, i * sizes.n + home - 1] = task(x).tolist() == y.tolist()
    assert trace.scores("superpose").tolist() == wanted.tolist()


@given(cases())
def test_superpose_writes_out_and_cnt_and_nothing_else(case):
    trace = Trace.of(case)
    assert trace.written("superpose") <= {"out", "cnt"}
    assert trace.padding_is_zero("superpose")
