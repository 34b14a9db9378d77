import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from definitions import attention, feedforward

whole = st.integers(-3, 3)


def arrays(*shape: int):
    size = int(np.prod(shape))
    return st.lists(whole, min_size=size, max_size=size).map(
        lambda entries: np.array(entries, dtype=float).reshape(shape)
    )


square = arrays(3, 3)


@given(arrays(4, 3), square, square, square, st.permutations(range(4)))
def test_attention_does_not_depend_on_the_order_of_the_tokens(h, W_Q, W_K, W_V, order):
    head = (W_Q, W_K, W_V, np.eye(3))
    update, totals = attention(h, [head])
    moved, moved_totals = attention(h[order], [head])
    assert moved.tolist() == update[order].tolist()
    assert moved_totals.tolist() == totals[:, order].tolist()


@given(arrays(4, 3), st.lists(st.tuples(square, square, square, square), min_size=1, max_size=3))
def test_heads_add_up(h, heads):
    update, totals = attention(h, heads)
    alone = [attention(h, [head]) for head in heads]
    assert update.tolist() == sum(u for u, _ in alone).tolist()
    assert totals.tolist() == [t[0].tolist() for _, t in alone]


@given(arrays(4, 3), square, square)
def test_feedforward_acts_on_each_token_alone(h, W_in, W_out):
    together = feedforward(h, W_in, W_out)
    assert together.tolist() == [feedforward(token, W_in, W_out).tolist() for token in h]


@given(arrays(4, 3), square, square, square)
def test_a_padding_token_of_zeros_gives_nothing_and_takes_nothing(h, W_Q, W_K, W_V):
    head = (W_Q, W_K, W_V, np.eye(3))
    update, totals = attention(h, [head])
    padded, padded_totals = attention(np.vstack([h, np.zeros((4, 3))]), [head])
    # 1/N halves with twice as many tokens.
    assert (2 * padded[:4]).tolist() == update.tolist()
    assert padded_totals[:, :4].tolist() == totals.tolist()
    assert not padded[4:].any()
    assert not padded_totals[:, 4:].any()
