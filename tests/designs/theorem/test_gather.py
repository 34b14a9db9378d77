from itertools import product

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from tracing import Trace, slots_of

from construct import Sizes
from construct.certify import Margins
from construct.designs.theorem import gather
from construct.designs.theorem.embedding import embeddings
from construct.designs.theorem.plan import Plan
from construct.designs.theorem.wiring import Wiring
from generators import whole_cases
from share import tried


@given(whole_cases())
def test_slots_and_scratch_tokens_hold_operands_of_the_example_and_no_other_token_changes(case):
    trace = Trace.of(case)
    sizes = trace.construction.sizes
    for s, position in enumerate(slots_of(trace.construction.tasks), start=1):
        slot = trace.after("gather", f"slot{s}")
        for token, example, _ in trace.tokens():
            assert slot[token].tolist() == trace.inputs(example)[position - 1].tolist()
    wanted = [trace.operand(example, position) for _, example, position in trace.tokens()]
    assert trace.after("gather", "tok")[: sizes.tokens].tolist() == wanted
    slots = {f"slot{s}" for s in range(1, sizes.S + 1)}
    trace.assert_written("gather", slots | ({"tok"} if sizes.w else set()))


@given(whole_cases())
def test_each_token_attends_to_one_token_with_score_1_in_each_slot_head(case):
    trace = Trace.of(case)
    sizes = trace.construction.sizes
    scores = trace.scores("gather")
    assert (scores[: sizes.S, : sizes.tokens] == 1).all()
    assert not scores[:, sizes.tokens :].any()
    # Scratch tokens alone attend in the head that fills them, and idle heads score nothing.
    copying = [sizes.n <= position < sizes.length for _, _, position in trace.tokens()]
    wanted = np.zeros_like(scores[sizes.S :])
    if sizes.w:
        wanted[0, : sizes.tokens] = copying
    assert scores[sizes.S :].tolist() == wanted.tolist()


@tried(200)
@given(st.integers(2, 6), st.integers(1, 12), st.integers(1, 5), st.data())
def test_the_head_that_fills_scratch_tokens_scores_1_at_their_source_and_0_elsewhere(n, w, m, data):
    """Whatever is copied: sources of any kind, and score by score."""
    sources = tuple(data.draw(st.lists(st.integers(1, n - 1), min_size=w, max_size=w)))
    sizes = Sizes(K=1, d=1, m=m, n=n, w=w)
    wiring = Wiring((), (), (), (), (), (), sources, n + w)
    head = gather(Plan(sizes, wiring, Margins(1, 1, 1, sizes.N))).emit().heads[0]
    assert head.name == "copy"
    stream = embeddings(sizes, sources)["W_pos"].toarray()
    scores = np.maximum((stream @ head.W_Q) @ (stream @ head.W_K).T, 0)
    wanted = np.zeros_like(scores)
    for e, (i, source) in product(range(m + 1), enumerate(sources, start=n)):
        wanted[e * sizes.length + i - 1, e * sizes.length + source - 1] = 1
    assert scores.tolist() == wanted.tolist()
