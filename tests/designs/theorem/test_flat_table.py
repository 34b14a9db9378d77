from fractions import Fraction as Q

import numpy as np
import pytest
from hypothesis import given

from construct import Domain, build, shift
from definitions import attention, feedforward
from near import field, near_cases, states

# With a tau above 0 the table is flat.
MADE = build(
    [shift(f"by {i}", [4 * i]) for i in range(5)], m=5, domain=Domain(4, 32, 1, None, Q(1, 4))
)
SIZES, S = MADE.sizes, MADE.margins.s


def reciprocal(total, number):
    """What the flat table writes for a total, in the arithmetic of an array's dtype."""
    layer = next(layer for layer in MADE.transformer.layers if layer.name == "square")
    head, mlp, residual = layer.heads[0], layer.mlp, SIZES.residual

    def weights(part):
        return [_exact(part, name) if number is Q else getattr(part, name) for name in part.WEIGHTS]

    answer = SIZES.tokens - 1
    h = np.full((SIZES.N, SIZES.D), Q(0)) if number is Q else np.zeros((SIZES.N, SIZES.D))
    h[: SIZES.tokens, residual["one"].at] = 1
    h[answer, residual["tot"].at] = total
    h = (h + attention(h, [weights(head)])[0])[[answer]]
    h = h + feedforward(h, *weights(mlp))
    return h[0, residual["rec"].at][0]


def _exact(part, name):
    dense = np.vectorize(lambda x: Q(float(x)), otypes=[object])(getattr(part, name))
    for place, value in part.exact.get(name, {}).items():
        dense[place] = value
    return dense


@pytest.mark.parametrize("off", [Q(0), Q(1, 4), Q(-1, 4), Q(1, 7), Q(-1, 1000)])
def test_totals_off_by_up_to_a_quarter_have_the_reciprocal_of_the_whole_number(off):
    for total in range(SIZES.M + 1):
        wanted = Q(S, total) if total else 0
        assert reciprocal(total + off, Q) == wanted
        assert reciprocal(float(total + off), float) == pytest.approx(float(wanted), rel=1e-12)


def test_totals_off_by_more_have_another():
    assert all(reciprocal(v + Q(3, 10), Q) != Q(S, v) for v in (1, 2, SIZES.M))


@given(near_cases())
def test_the_answer_token_alone_is_changed_and_holds_the_square_and_the_reciprocal(case):
    """Scratch tokens hold sq and rec of their own, which no unit of the table sees."""
    made = case.construction
    done, answer, total = states(made, case.prompt), made.sizes.tokens - 1, sum(case.votes)
    for name, wanted in (("sq", total**2), ("rec", Q(made.margins.s, total or 1) * bool(total))):
        before, after = (field(made, done, layer, name)[:, 0] for layer in ("pool", "square"))
        assert before[answer] == 0
        assert after[answer] == wanted
        assert np.delete(after, answer).tolist() == np.delete(before, answer).tolist()
        assert any(before) == (made.sizes.w > 0)
