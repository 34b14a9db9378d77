from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from tracing import Trace

from construct import Sizes, mixture
from construct.certify import Margins
from construct.designs.theorem import square
from construct.designs.theorem.plan import Plan
from construct.designs.theorem.wiring import Wiring
from definitions import attention, feedforward
from generators import whole_cases


@given(whole_cases())
def test_answer_token_holds_tot_squared_and_the_scaled_reciprocal_of_tot(case):
    trace = Trace.of(case)
    construction, prompt = trace.construction, trace.prompt
    answer, s = construction.transformer.answer, construction.margins.s
    total = sum(mixture(construction.tasks, prompt).votes)
    sq, rec = trace.after("square", "sq"), trace.after("square", "rec")
    assert sq[answer] == total**2
    assert rec[answer] == (float(Fraction(s, total)) if total else 0)
    # No other token is changed: with scratch tokens some hold what layer 1 read.
    for field, found in (("sq", sq), ("rec", rec)):
        before = trace.after("pool", field)
        assert before[answer] == 0
        assert np.delete(found, answer).tolist() == np.delete(before, answer).tolist()
        assert before.any() == (trace.construction.sizes.w > 0)
    trace.assert_written("square", {"sq", "rec"})


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_reciprocal_of_every_possible_total_is_correctly_rounded(dtype):
    sizes = Sizes(K=20, d=1, m=50, n=2)
    s = 1024
    layer = square(Plan(sizes, Wiring((), (), (), (), (), ()), Margins(1, 1, s, sizes.N))).emit()
    head, mlp = layer.heads[0], layer.mlp
    residual, answer = sizes.residual, sizes.tokens - 1
    weights = [getattr(head, name).astype(dtype) for name in head.WEIGHTS]
    W_in, W_out = mlp.W_in.astype(dtype), mlp.W_out.astype(dtype)
    for total in range(sizes.M + 1):
        h = np.zeros((sizes.N, sizes.D), dtype)
        h[: sizes.tokens, residual["one"].at] = 1
        h[answer, residual["tot"].at] = total
        h = (h + attention(h, [weights])[0])[[answer]]
        # The MLP acts on each token by itself.
        h = h + feedforward(h, W_in, W_out)
        assert h[0, residual["rec"].at] == (np.array(s / total if total else 0, dtype))
