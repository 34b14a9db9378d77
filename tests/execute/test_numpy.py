import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from construct import build, lookup
from construct.checking.sampling import random_prompts
from construct.designs.theorem.embedding import embed_all
from construct.execute import numpy_
from construct.execute.layout import ALL
from construct.spec.vocabulary import Vocabulary
from definitions import attention, feedforward, forward

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


@given(arrays(2, 3, 4))
def test_busy_tokens_are_those_where_something_is_not_0(x):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(numpy_, "LOOKED_AT", 0)
        found = numpy_._busy(x)
    busy = [i for i in range(4) if x[..., i].any()]
    assert found is ALL if len(busy) >= 3 else found.tolist() == busy


def test_tokens_at_which_all_is_0_may_be_left_out(monkeypatch):
    """On words few tokens score, and the result is the same whether the others are looked at."""
    words = Vocabulary(list("abcdef"))
    made = build(
        [
            lookup("next", dict(zip("abcde", "bcdef", strict=True)), vocabulary=words),
            lookup("same", {w: w for w in "abcf"}, vocabulary=words),
        ],
        m=10,
        vocabulary=words,
    )
    streams = embed_all(made.transformer, random_prompts(made, 4, seed=1, most=3))
    states, attended = forward(made.transformer, streams)
    left_out = []
    busy = numpy_._busy
    monkeypatch.setattr(numpy_, "LOOKED_AT", 0)
    monkeypatch.setattr(numpy_, "_busy", lambda x: left_out.append(busy(x)) or left_out[-1])
    done = numpy_.prepare(made.transformer)(streams)
    assert done.stream.tolist() == states[-1].tolist()
    assert done.attended.tolist() == attended.tolist()
    assert any(found is not ALL for found in left_out)
    assert any(found is ALL for found in left_out)
