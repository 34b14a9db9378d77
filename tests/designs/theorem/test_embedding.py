import tracemalloc
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given

from construct import ConstructError, Prompt, affine, build, embed, unembed
from construct.designs.theorem.embedding import embed_all
from construct.network.codes import code
from construct.spec.prompt import exactly
from generators import whole_cases


@given(whole_cases())
def test_each_token_starts_with_its_vector_its_codes_and_its_flags(case):
    construction, prompt = case.build()
    sizes, residual = construction.sizes, construction.sizes.residual
    scratch = construction.wiring.scratch
    assert len(scratch) == sizes.w
    stream = embed(construction.transformer, prompt)
    wanted = np.zeros((sizes.N, sizes.D), dtype=int)
    for token in range(sizes.tokens):
        example, position = divmod(token, sizes.length)
        row = wanted[token]
        row[residual["one"].at] = 1
        row[residual["pe"].at] = code(example, sizes.ell_e)
        row[residual["pt"].at] = code(position, sizes.ell_t)
        if example < len(prompt.X):
            row[residual["ctx"].at] = 1
            held = [*prompt.X[example], *[[0] * sizes.d] * sizes.w, prompt.Y[example]]
            row[residual["tok"].at] = held[position]
        elif example == sizes.m and position < sizes.n - 1:
            row[residual["tok"].at] = prompt.query[position]
        if sizes.w:
            # How far the token is from the last one of its example, or what it copies.
            copies = sizes.n - 1 <= position < sizes.length - 1
            u = sizes.length - scratch[position - sizes.n + 1] if copies else 0
            row[residual["sq"].at] = u
            row[residual["rec"].at] = (1 if copies else 0) - (u or sizes.length - 1 - position) ** 2
    assert stream.tolist() == wanted.tolist()
    assert embed(construction.transformer, prompt.astype("float64")).tolist() == wanted.tolist()


@given(whole_cases())
def test_no_two_tokens_have_the_same_codes(case):
    construction, _ = case.build()
    sizes, residual = construction.sizes, construction.sizes.residual
    places = construction.transformer.W_pos[: sizes.tokens]
    codes = np.hstack([places[:, residual["pe"].at], places[:, residual["pt"].at]])
    assert len(np.unique(codes, axis=0)) == sizes.tokens


@given(whole_cases())
def test_unembedding_reads_tok_of_the_answer_token(case):
    construction, _ = case.build()
    transformer, sizes = construction.transformer, construction.sizes
    assert transformer.answer == sizes.tokens - 1
    stream = np.arange(2.0 * sizes.N * sizes.D).reshape(2, sizes.N, sizes.D)
    wanted = stream[:, transformer.answer, sizes.residual["tok"].at]
    assert unembed(transformer, stream).tolist() == wanted.tolist()
    assert unembed(transformer, stream[0]).tolist() == wanted[0].tolist()


def test_several_prompts_are_embedded_one_by_one():
    transformer = build([affine("f", [[1]])], m=2).transformer
    prompts = [Prompt.of([], [[1]]), Prompt.of([[[2], [3]]], [[4]])]
    batch = embed_all(transformer, prompts)
    assert batch.tolist() == [embed(transformer, prompt).tolist() for prompt in prompts]


def test_an_exact_prompt_stays_exact_and_float32_is_embedded_without_rounding():
    transformer = build([affine("f", [[1]])], m=1).transformer
    prompt = Prompt.of([[["1/3"], ["2/3"]]], [["1/7"]])
    tok = transformer.sizes.residual["tok"].at
    found = embed(transformer, prompt)[:, tok].ravel().tolist()
    assert found == [Fraction(1, 3), Fraction(2, 3), Fraction(1, 7), 0]
    single = embed(transformer, prompt.astype("float32"))[:, tok].ravel()
    assert single.tolist() == [*np.array([1 / 3, 2 / 3, 1 / 7], np.float32).tolist(), 0]


def test_whole_numbers_are_embedded_exactly():
    transformer = build([affine("f", [[1, 0], [0, 1]])], m=2).transformer
    prompt = Prompt.of([[[1, 0], [0, 1]]], [[1, 1]])
    wanted = embed(transformer, prompt)
    small = replace(prompt)
    for name in ("X", "Y", "query"):
        # As they may come: Prompt itself may make rationals of them.
        object.__setattr__(small, name, getattr(prompt, name).astype(np.int8))
    found = embed(transformer, small)
    assert found.tolist() == wanted.tolist()
    assert found.dtype == object
    assert set(map(type, found.flat)) == {int}


def test_a_stream_has_the_format_of_its_prompt_where_no_weight_rounds():
    transformer = build([affine("f", [[1]])], m=1).transformer
    prompt = Prompt.of([[["1/3"], ["2/3"]]], [["1/7"]])
    assert embed(transformer, prompt.astype("float32")).dtype == np.float32
    assert embed(transformer, prompt.astype("float64")).dtype == np.float64
    thirds = replace(transformer, W_E=transformer.W_E / 3)
    one = embed(thirds, prompt.astype("float32"))
    assert one.dtype == np.float64
    tok = transformer.sizes.residual["tok"].start
    assert one[0, tok] == float(np.float32(1 / 3)) * (1 / 3)


@pytest.mark.parametrize("dtype", ["exact", "float64", "float32"])
def test_one_array_of_the_size_of_the_stream_is_made(dtype):
    d = 400
    eye = [[int(i == j) for j in range(d)] for i in range(d)]
    transformer = build([affine("f", eye)], m=15).transformer
    prompts = [Prompt.of([[eye[i], eye[i + 1]] for i in range(15)], [eye[0]]).astype(dtype)] * 2
    tracemalloc.start()
    try:
        streams = embed_all(transformer, prompts)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert streams.nbytes <= peak < 1.3 * streams.nbytes


def test_weights_become_the_rationals_that_they_are():
    weights = np.array([[0.1, 2.0], [0.0, -0.5]])
    exact = exactly(weights)
    assert exact.tolist() == [[Fraction(0.1), 2], [0, Fraction(-1, 2)]]
    assert type(exact[0, 1]) is int
    assert exactly(exact) is exact


@pytest.mark.parametrize(
    "examples",
    [
        ([[[1], [1]]] * 3, [[1]]),
        ([], [[1], [1]]),
        ([], [[1, 1]]),
    ],
    ids=["too many examples", "n", "d"],
)
def test_a_prompt_that_does_not_fit_is_refused(examples):
    transformer = build([affine("f", [[1]])], m=2).transformer
    with pytest.raises(ConstructError, match="takes at most m = 2 examples, n = 2, d = 1"):
        embed(transformer, Prompt.of(*examples))


def test_blank_slots_carry_nothing_whatever_the_other_slots_hold():
    transformer = build([affine("f", [[1]])], m=3).transformer
    one = Prompt.of([[[5], [6]]], [[7]])
    none = replace(one, X=one.X[:0], Y=one.Y[:0], lines=())
    assert embed(transformer, one)[2:].tolist() == embed(transformer, none)[2:].tolist()
