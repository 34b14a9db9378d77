"""The grammar of formulas: what Python means by the same text, and sentences for the rest."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import formulas
from construct import ConstructError
from construct.rational import rationals
from construct.spec.evaluation import evaluate
from construct.spec.expression import Call, Entry, Number, Power, Product, Quotient, Sum, written
from construct.spec.grammar import MOST_CHARACTERS, MOST_DEPTH, MOST_POWER, parse

X1, X2, X3 = (Entry(1, i) for i in (1, 2, 3))
EVERY = (*formulas.RATIONAL, *formulas.IRRATIONAL)


def tree(text: str, d: int = 3, n: int | None = 3):
    return parse(text, "entry 1 of task 'f'", d=d, n=n)


def refusal(text: str, **sizes) -> str:
    with pytest.raises(ConstructError) as caught:
        tree(text, **sizes)
    return str(caught.value)


@given(formulas.texts(2, 3, formulas.RATIONAL), formulas.points(2, 3))
def test_a_text_means_what_python_means_by_it(text, X):
    try:
        wanted = formulas.exact_value(text, X)
    except ZeroDivisionError:
        with pytest.raises(ConstructError, match="divides by"):
            evaluate(tree(text, d=2), np.array([X], dtype=object), "f")
        return
    found = evaluate(tree(text, d=2), np.array([X], dtype=object), "f")
    assert found.tolist() == [wanted]


@given(formulas.texts(2, 3, EVERY))
def test_a_tree_is_written_as_a_text_of_the_same_tree(text):
    try:
        found = tree(text, d=2)
    except ConstructError as error:
        said = str(error)
    else:
        assert tree(written(found), d=2) == found
        return
    assert "divides by 0" in said


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("x[1]", X1),
        ("x[2, 3]", Entry(2, 3)),
        (" x [ 1 ]\n", X1),
        ("0.25", Number(Fraction(1, 4))),
        ("2/4", Number(Fraction(1, 2))),
        ("1e-2", Number(Fraction(1, 100))),
        ("-x[1]^2", Product((Number(-1), Power(X1, 2)))),
        ("(-x[1])^2", Power(Product((Number(-1), X1)), 2)),
        ("2^3^2", Number(512)),
        ("2**-1", Number(Fraction(1, 2))),
        ("x[1]^-2", Quotient(Number(1), Power(X1, 2))),
        ("x[1] - x[2] + 1", Sum((X1, Product((Number(-1), X2)), Number(1)))),
        ("x[1]/x[2]*x[3]", Quotient(Product((X1, X3)), X2)),
        ("x[1]/(2*x[2])", Quotient(Product((Number(Fraction(1, 2)), X1)), X2)),
        ("max(x[1], 0, 1)", Call("max", (X1, Number(0), Number(1)))),
        ("x[1]^1 * x[2]^0", X1),
        ("0 * x[1]", Number(0)),
    ],
)
def test_trees(text, wanted):
    assert tree(text) == wanted


def test_what_has_no_value_is_not_folded_away():
    assert tree("0 * log(x[1])") == Product((Number(0), Call("log", (X1,))))
    assert tree("log(x[1])^0") == Power(Call("log", (X1,)), 0)
    assert tree("x[1]/x[1]") == Quotient(X1, X1)


def test_long_chains_are_flat():
    for sign in "+-*/":
        found = tree(f" {sign} ".join(["x[1]", "x[2]"] * 100))
        depth, inner = 0, [found]
        while inner:
            inner = [
                part
                for node in inner
                for part in getattr(node, "terms", getattr(node, "factors", ()))
                or (vars(node).get("above"), vars(node).get("below"))
                if part is not None
            ]
            depth += 1
        assert depth <= 5


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("x[4]", "reads entry 4 at character 1 of 'x[4]'; an input has 3 entries, from 1."),
        ("1 + x[0]", "reads entry 0 at character 5 of '1 + x[0]'; an input has 3"),
        ("x[3, 1]", "reads position 3 at character 1 of 'x[3, 1]'; positions go from 1 to 2"),
        ("x[0, 1]", "reads position 0 at character 1"),
        ("y + 1", "has the unknown name 'y' at character 1 of 'y + 1'; known are x[i], x[p, i]"),
        ("tan(x[1])", "has the unknown name 'tan' at character 1"),
        ("x", "has its end in place of '[' at character 2 of 'x'; write x[i] or x[p, i]"),
        ("x[-1]", "has '-' at character 3 of 'x[-1]'; write x[i] or x[p, i]"),
        ("x[1.5]", "has '1.5' at character 3"),
        ("x[1", "has its end in place of ']' at character 4"),
        ("2x[1]", "has 'x' at character 2 of '2x[1]'; write an operator (+ - * / ^) there"),
        ("x[1] x[2]", "has 'x' at character 6"),
        ("x[1] +", "has its end where a number, x[...], a function or a parenthesis must stand"),
        ("(x[1]", "has its end in place of ')' at character 6 of '(x[1]'; close the parenthesis"),
        ("x[1])", "has ')' at character 5"),
        ("sin x[1]", "has 'x' in place of '(' at character 5 of 'sin x[1]'; sin takes one"),
        ("sin(x[1], 2)", "gives sin 2 arguments at character 1"),
        ("max(x[1])", "gives max 1 arguments at character 1 of 'max(x[1])'; max takes two"),
        ("sin()", "has ')' where a number, x[...], a function or a parenthesis must stand"),
        ("x[1]^x[2]", "has a power that is no whole number at character 5"),
        ("x[1]^0.5", "has a power that is no whole number at character 5 of 'x[1]^0.5'; write "),
        ("x[1]/0", "divides by 0 at character 5 of 'x[1]/0'; divide by something else."),
        ("x[1]/(2 - 2)", "divides by 0 at character 5"),
        ("0^-1", "divides by 0 at character 2"),
        ("", "is ''; write a formula such as"),
        ("  ", "write a formula such as"),
        ("x[1] = 2", "has '=' at character 6"),
        ("x[\u0661]", "has '\u0661' at character 3"),
        ("\u00b2", "has '\u00b2' where a number"),
        ("1e999", "is '1e999'; write a finite number"),
    ],
)
def test_a_text_that_is_no_formula_is_refused_in_one_sentence(text, sentence):
    said = refusal(text)
    assert "entry 1 of task 'f'" in said
    assert sentence in said
    assert said.endswith(".")
    assert "\n" not in said


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('touch stolen')",
        "x.__class__.__mro__",
        "x[1].__class__",
        "().__class__",
        "lambda: 0",
        "[i for i in x]",
        "f'{x[1]}'",
        "x[__import__('os')]",
        "exec('1')",
        "x[1] if x[2] else x[3]",
        "x[1]; import os",
        "sin.__globals__",
        "(x := 1)",
        "x[1:2]",
        "'a' * 10**9",
        "max(*x)",
        "x[1]\\",
        "#",
        "x[1] # comment",
        "\0",
    ],
)
def test_a_task_file_is_data(text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert " at character " in refusal(text)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("9**9**9", f"has a power beyond {MOST_POWER}"),
        ("9**9**9**9**9", "has a power beyond"),
        ("(9^99)^99", "has a number of more than 600 digits"),
        ("*".join(["9^99"] * 90), "has a number of more than 600 digits"),
        ("1" * 700, "is too long"),
        ("x[1]" + "^1" * 60, "nested more than"),
        ("((x[1]^99)^99)^99", "has the degree 970299; it may be 256"),
        ("(" * 5000 + "x[1]" + ")" * 5000, "characters; a formula may have"),
        ("(" * 90 + "x[1]" + ")" * 90, f"is nested more than {MOST_DEPTH} deep"),
        ("sin(" * 90 + "x[1]" + ")" * 90, f"is nested more than {MOST_DEPTH} deep"),
        ("-" * 90 + "x[1]", f"has more than {MOST_DEPTH} signs in a row"),
        ("x[1]+" * 10**6 + "1", f"a formula may have {MOST_CHARACTERS}"),
        ("/".join(["x[1]"] * 400), "has the degree 400"),
        ("x[" + "9" * 50 + "]", "at character 3"),
        ("x[99999999999, 1]", "reads position 99999999999"),
    ],
)
def test_what_would_explode_is_refused_before_it_does(text, sentence):
    assert sentence in refusal(text, n=None)


def test_a_place_in_a_long_text_is_shown_with_what_stands_there():
    text = "x[1] + " * 300 + "y" + " + x[1]" * 300
    said = refusal(text)
    assert "at character 2101 of '... [1] + x[1] + x[1] + y + x[1] + x[1] + x[1 ...'" in said
    assert len(said) < 400


@given(st.text("x[]123.,+-*/^() sincoexpabmrelu_e\"'\\", max_size=30))
def test_any_text_is_a_formula_or_refused_in_one_sentence(text):
    try:
        found = tree(text)
    except ConstructError as error:
        said = str(error)
    else:
        assert tree(written(found)) == found
        return
    assert said.endswith(".")


def test_numbers_are_kept_as_they_are_written():
    values = [tree(text).value for text in ("0.1", "1/3", "12345678901234567890.5")]
    assert rationals(values).tolist() == [
        Fraction(1, 10),
        Fraction(1, 3),
        Fraction(24691357802469135781, 2),
    ]
