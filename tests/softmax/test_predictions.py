"""The promise of the softmax designs: the mixture, at every query, by every executor."""

from fractions import Fraction as Q

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from construct import (
    Domain,
    Prompt,
    Vocabulary,
    add,
    affine,
    build,
    lookup,
    mixture,
    predictions,
    relu,
    run,
    run_all,
)
from share import tried
from softmax.cases import (
    ALL,
    FAST,
    allowed_of_vectors,
    allowed_of_words,
    before,
    off,
    promised,
    unit,
    vector_cases,
    word_cases,
)
from theorem.oracle import expected


@pytest.mark.parametrize(("executor", "dtype"), FAST)
@tried(30)
@given(case=word_cases())
def test_a_decoder_gives_the_mixture_of_words_at_every_input(executor, dtype, case):
    made, prompt = case.build(), case.prompt.astype(dtype)
    found = predictions(made, prompt, executor=executor, dtype=dtype)
    assert len(found) == len(case.examples) + 1
    for i, got in enumerate(found):
        wanted = mixture(made.tasks, before(case.prompt, i))
        assert got.votes == wanted.votes
        assert (got.unexplained, got.ambiguous) == (wanted.unexplained, wanted.ambiguous)
        allowed = min(promised(made, dtype), allowed_of_words(case, dtype))
        assert off(got.answer, wanted.answer) <= allowed
        shares = {made.vocabulary.words[a]: Q(p) for a, p in enumerate(wanted.answer) if p}
        assert got.distribution.keys() == shares.keys()


@pytest.mark.parametrize(("executor", "dtype"), FAST)
@tried(30)
@given(data=st.data())
def test_a_decoder_gives_the_mixture_of_vectors_at_every_query(executor, dtype, data):
    case, prompt = data.draw(vector_cases("decoder", dtype))
    for i, got in enumerate(predictions(case.construction, prompt, executor=executor, dtype=dtype)):
        asked = before(prompt, i)
        wanted = expected(case, asked, dtype)
        assert got.votes == wanted.votes
        assert (got.unexplained, got.ambiguous) == (wanted.unexplained, wanted.ambiguous)
        allowed = allowed_of_vectors(case, asked, dtype)
        assert off(got.answer, wanted.answer) <= min(promised(case.construction, dtype), allowed)


@pytest.mark.parametrize(("executor", "dtype"), FAST)
@tried(30)
@given(data=st.data())
def test_an_encoder_gives_the_mixture(executor, dtype, data):
    case, prompt = data.draw(vector_cases("encoder", dtype))
    [got] = predictions(case.construction, prompt, executor=executor, dtype=dtype)
    wanted = expected(case, prompt, dtype)
    assert got.votes == wanted.votes
    assert (got.unexplained, got.ambiguous) == (wanted.unexplained, wanted.ambiguous)
    allowed = allowed_of_vectors(case, prompt, dtype)
    assert off(got.answer, wanted.answer) <= min(promised(case.construction, dtype), allowed)


@tried(20)
@given(case=word_cases())
def test_an_encoder_gives_the_mixture_of_words(case):
    made = case.build("encoder")
    got, wanted = run(made, case.prompt, executor="numpy"), mixture(made.tasks, case.prompt)
    assert got.votes == wanted.votes
    assert off(got.answer, wanted.answer) <= 256 * unit("float64")
    assert len(got.distribution) == np.count_nonzero(wanted.answer)


@tried(20)
@given(case=word_cases())
def test_the_last_prediction_is_that_of_run_and_later_examples_change_no_earlier_one(case):
    made, prompt = case.build(), case.prompt
    found = predictions(made, prompt, executor="numpy")
    last = run(made, prompt, executor="numpy")
    assert last.votes == found[-1].votes
    assert last.answer.tolist() == found[-1].answer.tolist()
    for i, got in enumerate(found):
        alone = run(made, before(prompt, i), executor="numpy")
        assert alone.votes == got.votes
        assert np.allclose(alone.answer, got.answer, rtol=0, atol=2**-40)


# --- Fixed prompts, by every executor ---------------------------------------------

TASKS = [affine("f", [[1, 0], [0, 2]]), relu("g", d=2), add("p", [1, 2], d=2)]
EXAMPLES = [
    [[1, 2], [0, 0], [1, 2]],  # g and p
    [[1, -2], [1, 1], [1, -4]],  # f
    [[3, 1], [1, 1], [3, 2]],  # f
    [[1, 1], [1, 1], [5, 5]],  # none
    [[0, 0], [3, 1], [3, 1]],  # p
]
PROMPT = Prompt.of(EXAMPLES, [[2, -3], [1, 1]])
COUNTRIES = ["France -> Paris", "Japan -> yen", "France -> euro", "yen -> Japan", "Japan ->"]


@pytest.mark.parametrize("design", ["decoder", "encoder"])
@pytest.mark.parametrize(("executor", "dtype"), ALL)
def test_vectors_by_every_executor(executor, dtype, design):
    made = build(TASKS, m=6, n=3, domain=Domain(4, 16, 1), design=design)
    found = predictions(made, PROMPT, executor=executor, dtype=dtype)
    assert found[-1].votes == (2, 1, 2)
    assert (found[-1].unexplained, found[-1].ambiguous) == ((3,), (0,))
    for i, got in enumerate(found):
        asked = before(PROMPT, i) if design == "decoder" else PROMPT
        wanted = mixture(made.tasks, asked)
        assert off(got.answer, wanted.answer) <= promised(made, dtype)
    last = run(made, PROMPT, executor=executor, dtype=dtype)
    assert last.answer.tolist() == found[-1].answer.tolist()
    several = run_all(made, [PROMPT, before(PROMPT, 2)], executor=executor, dtype=dtype)
    assert [one.votes for one in several] == [(2, 1, 2), (1, 1, 1)]


@pytest.mark.parametrize(("executor", "dtype"), ALL)
def test_words_by_every_executor(executor, dtype):
    words = Vocabulary(["France", "Paris", "euro", "Japan", "Tokyo", "yen"])
    capital = lookup("capital", {"France": "Paris", "Japan": "Tokyo"}, vocabulary=words)
    money = lookup("money", {"France": "euro", "Japan": "yen"}, vocabulary=words)
    made = build([capital, money], m=5, vocabulary=words, design="decoder")
    prompt = made.prompt("\n".join(COUNTRIES))
    wanted = [
        {},
        {"Tokyo": 1},
        {"Paris": Q(1, 2), "euro": Q(1, 2)},
        {},
        {"yen": Q(2, 3), "Tokyo": Q(1, 3)},
    ]
    found = predictions(made, prompt, executor=executor, dtype=dtype)
    for got, shares in zip(found, wanted, strict=True):
        assert got.distribution.keys() == shares.keys()
        for word, share in shares.items():
            assert abs(Q(got.distribution[word]) - share) <= promised(made, dtype)
    assert found[-1].by_task == {"capital": Q(1, 3), "money": Q(2, 3)}
    last = run(made, prompt, executor=executor, dtype=dtype)
    assert last.answer.tolist() == found[-1].answer.tolist()
    alone = run(made, before(prompt, 2), executor=executor, dtype=dtype)
    assert alone.votes == found[2].votes
    assert off(alone.answer, found[2].answer) <= promised(made, dtype)
    encoder = build([capital, money], m=5, vocabulary=words, design="encoder")
    got = run(encoder, prompt, executor=executor, dtype=dtype)
    assert got.votes == found[-1].votes
    assert off(got.answer, mixture(made.tasks, prompt).answer) <= promised(encoder, dtype)
