"""The decomposition of a formula is the formula, and what is outside is refused by name."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import formulas
from construct import ConstructError, formula
from construct.approximation.forms import Form, ridge_of
from construct.approximation.pieces import pieces
from construct.approximation.terms import Kink, Ridge, Terms, decomposed
from construct.spec.evaluation import evaluate
from construct.spec.expression import (
    Call,
    Entry,
    Expression,
    Number,
    T,
    nodes,
    number,
    power,
    product,
    substituted,
    total,
    written,
)
from construct.spec.grammar import parse

D, N = 2, 3
X1, X2, Y1 = Entry(1, 1), Entry(1, 2), Entry(2, 1)


def terms(text: str, d: int = 3) -> Terms:
    return decomposed(formula("f", [text, *["0"] * (d - 1)]))[0]


def tree_of(form: Form) -> Expression:
    return total([product([number(c), entry]) for entry, c in form.terms])


def at(phi: Expression, form: Form) -> Expression:
    """phi(form) as an expression in entries."""
    return substituted(phi, lambda leaf: tree_of(form) if leaf == T else leaf)


def together(found: Terms) -> Expression:
    """The decomposition as one expression."""
    return total(
        [
            number(found.constant),
            *(product([number(c), entry]) for entry, c in found.affine.items()),
            *(at(ridge.phi, ridge.form) for ridge in found.ridges),
            *(
                product([number(k.c), Call("relu", (total([tree_of(k.form), number(k.e)]),))])
                for k in found.kinks
            ),
            *(
                product([number(c), *(power(entry, p) for entry, p in monomial)])
                for monomial, c in found.polynomial.items()
            ),
        ]
    )


# --- Formulas that are inside -----------------------------------------------------


def linear(d: int = D, n: int = N) -> st.SearchStrategy[str]:
    """The text of an affine form."""
    coefficient = st.sampled_from(["1", "2", "-1", "1/2", "-3", "0"])
    term = st.tuples(coefficient, formulas.entries(d, n)).map(lambda t: "({})*{}".format(*t))
    constant = st.sampled_from(["0", "1", "-1/3", "2"])
    return st.tuples(st.lists(term, min_size=1, max_size=3), constant).map(
        lambda parts: "(" + " + ".join([*parts[0], parts[1]]) + ")"
    )


def of_one_form() -> st.SearchStrategy[str]:
    """A function of one form, and of multiples of it."""

    def longer(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        return st.one_of(
            *(inner.map((name + "({})").format) for name in ("sin", "exp", "tanh", "softplus")),
            st.tuples(inner, st.sampled_from([" + ", " - ", "*"]), inner)
            .map("".join)
            .map("({})".format),
            inner.map("{}^2".format),
            inner.map("(1/(1 + ({})^2))".format),
        )

    bent = [f"{name}(t)" for name in ("abs", "relu")]
    leaf = st.sampled_from(["t", "(2*t - 1)", "(t/3)", "0.5", *bent, "max(t, 1 - t, 2*t)"])
    phi = st.recursive(leaf, longer, max_leaves=4)
    return st.tuples(phi, linear()).map(
        # The letter t stands in function names, too.
        lambda pair: "".join(
            pair[1]
            if c == "t"
            and not pair[0][i - 1 : i].isalpha()
            and not pair[0][i + 1 : i + 2].isalpha()
            else c
            for i, c in enumerate(pair[0])
        )
    )


def of_two_forms() -> st.SearchStrategy[str]:
    names = st.sampled_from(["max", "min"])
    return st.tuples(names, linear(), linear()).map(lambda t: "{}({}, {})".format(*t))


def polynomials() -> st.SearchStrategy[str]:
    factor = st.one_of(formulas.entries(D, N), linear())
    powers = st.tuples(factor, st.integers(1, 3)).map(lambda t: "{}^{}".format(*t))
    return st.lists(powers, min_size=1, max_size=3).map("*".join)


INSIDE = st.lists(
    st.tuples(
        st.sampled_from([" + ", " - ", " + 3*", " - 1/2*"]),
        st.one_of(of_one_form(), of_two_forms(), polynomials(), linear()),
    ).map("".join),
    min_size=1,
    max_size=4,
).map(lambda parts: "0" + "".join(parts))


@given(INSIDE, formulas.points(D, N))
def test_the_decomposition_is_the_formula(text, point):
    """None is refused, and at rational points the values agree: exactly, or to 2^-190."""
    f = formula("f", [text, "x[2]"])
    found = decomposed(f)
    X = np.array([point], dtype=object)
    try:
        value = f(X)[0, 0]
    except ConstructError as error:
        said = str(error)
    else:
        said = ""
    if said:
        assert "beyond 2^4096" in said or "cannot be told to 2^-200" in said
        return
    again = evaluate(together(found[0]), X, "the sum")[0]
    assert abs(again - value) <= (0 if f.rational else Fraction(1 + abs(value), 1 << 190))
    assert found[1] == Terms({X2: 1}, 0, (), (), {})


@given(INSIDE, formulas.points(D, N))
def test_what_is_found_is_in_normal_form(text, point):
    found = decomposed(formula("f", [text, "0"]))[0]
    forms = [ridge.form for ridge in found.ridges]
    assert len(set(forms)) == len(forms)
    planes = [(kink.form, kink.e) for kink in found.kinks]
    assert len(set(planes)) == len(planes)
    for form in {*forms, *(kink.form for kink in found.kinks)}:
        coefficients = [c for _, c in form.terms]
        assert all(type(c) is int for c in coefficients)
        assert coefficients[0] > 0
        assert np.gcd.reduce(coefficients) == 1
    for ridge in found.ridges:
        assert not any(isinstance(node, Entry) for node in nodes(ridge.phi))
        bent = ("abs", "relu", "max", "min")
        for piece in ridge.pieces:
            assert not any(isinstance(n, Call) and n.function in bent for n in nodes(piece.phi))
    assert all(sum(p for _, p in monomial) > 1 for monomial in found.polynomial)
    assert all([*found.affine.values(), *found.polynomial.values()])
    assert all(kink.c for kink in found.kinks)


@given(of_one_form(), formulas.points(D, N))
def test_a_piece_has_the_value_of_the_whole(text, point):
    tree = parse(text, "f", d=D, n=N)
    ridge = ridge_of(tree)
    assert ridge is not None
    form, phi = ridge
    found = pieces(phi)
    assert found is not None
    ends = [piece.low for piece in found] + [found[-1].high]
    assert ends[0] is None
    assert ends[-1] is None
    assert ends[1:-1] == [piece.high for piece in found[:-1]] == sorted(set(ends[1:-1]))
    X = np.array([point], dtype=object)
    t = evaluate(tree_of(form), X, "t")[0]
    try:
        value = evaluate(tree, X, "f")[0]
    except ConstructError:
        return
    for piece in found:
        if (piece.low is None or piece.low <= t) and (piece.high is None or t <= piece.high):
            own = evaluate(at(piece.phi, form), X, "a piece")[0]
            assert abs(own - value) <= Fraction(1 + abs(value), 1 << 190)


# --- By hand ----------------------------------------------------------------------


def ridges(text: str) -> list[tuple[str, str]]:
    return [(written(r.phi), written(tree_of(r.form))) for r in terms(text).ridges]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("exp(-(x[1] + x[2])^2)", [("exp(-t^2)", "x[1] + x[2]")]),
        ("1/x[1]", [("1/t", "x[1]")]),
        ("sin(x[1])*exp(x[1])", [("sin(t)*exp(t)", "x[1]")]),
        ("sin(x[1] - x[2]) + cos(3*x[2] - 3*x[1])", [("sin(t) + cos(-3*t)", "x[1] - x[2]")]),
        ("exp(x[1])*exp(x[2])/exp(x[3])", [("exp(t)", "x[1] + x[2] - x[3]")]),
        ("exp(x[1]^2 + 2*x[1]*x[2] + x[2]^2)", [("exp(t^2)", "x[1] + x[2]")]),
        ("x[1]^2/3", [("1/3*t^2", "x[1]")]),
        ("4*x[1]^2 + 4*x[1]*x[2] + x[2]^2", [("t^2", "2*x[1] + x[2]")]),
        ("(x[1] + x[2])^2 + (x[1] - x[2])^2", [("2*t^2", "x[1]"), ("2*t^2", "x[2]")]),
        ("(x[1] + x[2] + x[3])^40", [("t^40", "x[1] + x[2] + x[3]")]),
        ("x[1]*(sin(x[1]) + 1)", [("t*(sin(t) + 1)", "x[1]")]),
        ("(sin(x[1]) + 1)*3 + x[2]", [("3*sin(t)", "x[1]")]),
        ("pi", [("pi", "x[1]")]),
        ("pi + sin(x[2])", [("pi + sin(t)", "x[2]")]),
        ("sin(x[1]) - sin(x[1])", []),
        ("log(x[1]) - log(x[1])", [("0*log(t)", "x[1]")]),
        ("x[1]/x[1]", [("t/t", "x[1]")]),
        ("sin(abs(x[1]))", [("sin(abs(t))", "x[1]")]),
    ],
)
def test_ridges(text, found):
    assert ridges(text) == found


def test_kinks():
    one, both = Form(((X1, 1),)), Form(((X1, 1), (X2, -1)))
    assert terms("max(x[1], x[2])").kinks == (Kink(1, both, 0),)
    assert terms("min(x[1], x[2])").kinks == (Kink(-1, both, 0),)
    assert terms("abs(2*x[1] - 1)").kinks == (Kink(4, one, Fraction(-1, 2)),)
    assert terms("relu(-x[1]) - abs(x[1])").affine == {}
    clipped = terms("min(max(x[1], -1), 1)")
    assert clipped.kinks == (Kink(1, one, 1), Kink(-1, one, -1))
    assert (clipped.affine, clipped.constant, clipped.ridges) == ({}, -1, ())
    assert terms("max(x[2], x[2] + x[1], x[2] - x[1])").kinks == (Kink(2, one, 0),)
    assert terms("relu(abs(x[1]) - 1)").kinks == (Kink(1, one, 1), Kink(1, one, -1))
    assert terms("abs(x[1]) - relu(x[1]) - relu(-x[1])") == Terms({}, 0, (), (), {})


def test_polynomials():
    found = terms("(x[1] + x[2])*(x[1] - 2*x[2]) + x[3]^3 + x[1] + 5")
    assert found.polynomial == {
        ((X1, 2),): 1,
        ((X1, 1), (X2, 1)): -1,
        ((X2, 2),): -2,
    }
    assert (found.affine, found.constant) == ({X1: 1}, 5)
    assert found.ridges == (Ridge(Form(((Entry(1, 3), 1),)), power(T, 3)),)
    assert terms("x[1]*x[2] - x[2]*x[1] + 3") == Terms({}, 3, (), (), {})
    mixed = decomposed(formula("f", ["x[1]*x[2, 1]"]))[0]
    assert mixed.polynomial == {((X1, 1), (Y1, 1)): 1}


def test_pieces_know_their_kinks():
    (ridge,) = terms("sin(abs(x[1] - 1))").ridges
    assert [(p.low, p.high, written(p.phi)) for p in ridge.pieces] == [
        (None, 1, "sin(-(t - 1))"),
        (1, None, "sin(t - 1)"),
    ]


# --- What is outside --------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "x[1] + sin(x[1])*sin(x[2])",
            "entry 1 of task 'f' has the part sin(x[1])*sin(x[2]), a product of functions of "
            "different linear forms; write it as a sum of functions of one linear form each, by "
            "sin(a)*sin(b) = (cos(a - b) - cos(a + b))/2.",
        ),
        ("cos(x[1])*cos(x[2])", "by cos(a)*cos(b) = (cos(a - b) + cos(a + b))/2."),
        ("cos(x[1])*sin(x[2])", "by sin(a)*cos(b) = (sin(a + b) + sin(a - b))/2."),
        ("(sin(x[1]) + x[2])^2", "has the part x[2]*sin(x[1]), a product of functions"),
        ("x[1]/x[2]", "a product of functions of different linear forms"),
        ("exp(x[1])*x[2]", "has the part exp(x[1])*x[2], a product"),
        ("sqrt(x[1]*x[2])", "and x[1]*x[2] depends on more than one linear form; take sqrt of "),
        ("sin(sin(x[1]) + x[2])", "take sin of one linear form such as"),
        ("max(x[1], x[2], x[3])", "which is no sum of ReLUs of linear forms; take abs and relu "),
        ("relu(x[1]*x[2])", "has the part relu(x[1]*x[2]), which is no sum of ReLUs"),
        ("max(sin(x[1]), 0)", "which is no sum of ReLUs"),
        ("relu(x[1] - pi)", "which is no sum of ReLUs"),
        ("relu(relu(x[1]) + x[2])", "which is no sum of ReLUs"),
        ("pi*x[1]*x[2]", "a polynomial with a coefficient that is irrational; write a rational"),
        ("(x[1] + x[2]*x[3] + 1)^99", "a polynomial of up to 5050 monomials; write one of at most"),
        ("sin(x[1])^2*exp(x[2])", "each."),
    ],
)
def test_what_is_outside_is_refused_with_the_part(text, sentence):
    with pytest.raises(ConstructError) as caught:
        terms(text)
    assert sentence in str(caught.value)
    assert str(caught.value).endswith(".")


def test_formulas_that_explode_are_refused_before_they_do():
    nine = "+".join(f"x[{i}]" for i in range(1, 10))
    assert len(terms(f"({nine})^40", 9).ridges) == 1
    for text, sentence in (
        (f"({nine} + x[1]*x[2])^40", "a polynomial of up to"),
        (f"({nine})^20*({nine} + x[1])^20", "a polynomial of up to"),
        (f"(exp({nine}) + x[1])^40", "a product of functions"),
        ("*".join(f"(exp({i}*x[1]) + exp(x[2]))" for i in range(12)), "too many sums"),
    ):
        with pytest.raises(ConstructError, match=sentence):
            terms(text, 9)


def test_kinks_that_double_are_refused_before_they_explode():
    text = "abs(x[1])"
    for k in range(30):
        text = f"abs({text} - 1/{2 ** (k + 1)})"
    with pytest.raises(ConstructError, match=r"no sum of ReLUs|too many kinks"):
        terms(text)


def test_a_part_that_is_nowhere_defined_stays_so():
    (ridge,) = terms("1/(x[1] - x[1])").ridges
    with pytest.raises(ConstructError, match="divides by 0"):
        evaluate(at(ridge.phi, ridge.form), np.array([[[1, 2, 3]]], dtype=object), "f")
    assert Number(0) in nodes(ridge.phi)
