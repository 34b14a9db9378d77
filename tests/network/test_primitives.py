from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from construct import Sizes, affine, build
from construct.designs.theorem.addresses import own_example_at
from construct.matrix import Matrix
from construct.network.primitives import HeadFormula, MlpFormula, Rows, along, constant, layer, read
from generators import calling_the_package

SIZES = Sizes(K=3, d=2, m=4, n=3)
RESIDUAL = SIZES.residual
whole = st.integers(-3, 3)
streams = st.lists(st.lists(whole, min_size=SIZES.D, max_size=SIZES.D), min_size=2, max_size=2).map(
    lambda rows: np.array(rows, dtype=float)
)


def vector(length: int):
    return st.lists(whole, min_size=length, max_size=length).map(
        lambda v: np.array(v, dtype=object)
    )


@st.composite
@calling_the_package
def rows_of_one(draw):
    """A functional as Rows, and as a plain vector over the whole stream."""
    field = draw(st.sampled_from(RESIDUAL.fields))
    a, c = draw(vector(field.width)), draw(whole)
    plain = np.zeros(SIZES.D)
    plain[field.at] = a
    plain[RESIDUAL["one"].at] += c
    return along(field.name, a) + constant(c), plain


def applied(rows: Rows, h: np.ndarray) -> np.ndarray:
    """The values of the functionals on a token, straight from their blocks."""
    return sum(
        np.asarray(block) @ h[RESIDUAL[field].at]
        if isinstance(block, Matrix)
        else block * h[RESIDUAL[field].at]
        for field, block in rows.blocks.items()
    )


@given(rows_of_one(), rows_of_one(), whole, streams)
def test_functionals_add_and_scale_as_vectors_do(one, other, c, stream):
    (f, a), (g, b) = one, other
    h = stream[0]
    assert applied(f, h) == a @ h
    assert applied(f + g, h) == (a + b) @ h
    assert applied(f - g, h) == (a - b) @ h
    assert applied(c * f, h) == c * (a @ h)
    assert applied(-f, h) == -(a @ h)


@given(st.lists(st.tuples(rows_of_one(), rows_of_one()), min_size=1, max_size=3), streams)
def test_score_of_a_head_is_the_sum_of_its_inner_products(pairs, stream):
    score = [(q, k) for (q, _), (k, _) in pairs] + [(read("pe"), 2 * read("pe"))]
    made = HeadFormula("h", "test", SIZES, score, {"tot": constant(1)}).emit()
    h_i, h_j = stream
    pe = RESIDUAL["pe"].at
    wanted = sum((q @ h_i) * (k @ h_j) for (_, q), (_, k) in pairs) + 2 * h_i[pe] @ h_j[pe]
    assert (h_i @ made.W_Q) @ (h_j @ made.W_K) == wanted


@given(rows_of_one(), whole, streams)
def test_a_head_writes_its_values_to_the_fields_named_and_nowhere_else(one, c, stream):
    rows, plain = one
    made = HeadFormula("h", "test", SIZES, [], {"cnt": rows, "out": c * read("lab")}).emit()
    h = stream[0]
    wanted = np.zeros(SIZES.D)
    wanted[RESIDUAL["cnt"].at] = plain @ h
    wanted[RESIDUAL["out"].at] = c * h[RESIDUAL["lab"].at]
    assert (h @ made.W_V @ made.W_O).tolist() == wanted.tolist()


@given(rows_of_one(), rows_of_one(), vector(2), streams)
def test_an_mlp_writes_its_hidden_units_times_its_matrix(one, other, column, stream):
    (f, a), (g, b) = one, other
    hidden = Rows(dict((f + g).blocks))
    write = {
        "out": Matrix.of(column[:, None], (2, 1), "out"),
        "rec": Matrix.of([[5]], (1, 1), "rec"),
    }
    made = MlpFormula("test", SIZES, 1, lambda: (hidden, write)).emit()
    h = stream[0]
    unit = max((a + b) @ h, 0)
    wanted = np.zeros(SIZES.D)
    wanted[RESIDUAL["out"].at] = column * unit
    wanted[RESIDUAL["rec"].at] = 5 * unit
    assert (np.maximum(h @ made.W_in, 0) @ made.W_out).tolist() == wanted.tolist()


@given(st.integers(2, 5), st.integers(1, 6), st.data())
def test_own_example_at_is_1_at_the_own_example_and_position_and_at_most_minus_1_elsewhere(
    n, m, data
):
    position = data.draw(st.integers(1, n))
    places = build([affine("f", [[1]])], m=m, n=n).transformer
    sizes, stream = places.sizes, places.W_pos
    made = HeadFormula(
        "h", "test", sizes, own_example_at(sizes, position), {"tot": constant(1)}
    ).emit()
    scores = (stream @ made.W_Q) @ (stream @ made.W_K).T
    for i in range(sizes.tokens):
        for j in range(sizes.tokens):
            if j == i // n * n + position - 1:
                assert scores[i, j] == 1
            else:
                assert scores[i, j] <= -1
    assert not scores[sizes.tokens :].any()
    assert not scores[:, sizes.tokens :].any()


def test_an_entry_that_float64_rounds_stands_exactly_beside_the_weights():
    third = np.array([[Fraction(1, 3), Fraction(1, 2)]], dtype=object)
    score = [(constant(1), Rows({"tok": third}))]
    made = HeadFormula("h", "test", SIZES, score, {"tot": constant(1)}).emit()
    assert made.W_K[:2, 0].tolist() == [1 / 3, 0.5]
    assert made.exact == {"W_K": {(0, 0): Fraction(1, 3)}}
    assert HeadFormula("h", "test", SIZES, [], {"tot": constant(1)}).emit().exact == {}


@pytest.mark.parametrize("given_heads", [0, 1, 3])
def test_a_layer_has_K_heads_and_the_idle_ones_are_zero(given_heads):
    one = HeadFormula("h", "test", SIZES, [], {"tot": constant(1)})
    made = layer(SIZES, "test", "lemma", [one] * given_heads).emit()
    assert [h.name for h in made.heads] == ["h"] * given_heads + ["idle"] * (3 - given_heads)
    described = layer(SIZES, "test", "lemma", [one] * given_heads)
    for formula, emitted in zip(
        (*described.heads, described.mlp), (*made.heads, made.mlp), strict=True
    ):
        assert {n: emitted.sparse(n).shape for n in emitted.WEIGHTS} == formula.shapes
    for idle in made.heads[given_heads:]:
        assert not any(getattr(idle, name).any() for name in idle.WEIGHTS)
    assert not made.mlp.W_in.any()
    assert not made.mlp.W_out.any()
