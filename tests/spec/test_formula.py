"""Formulas as tasks: values against mpmath and fractions, and what is refused."""

import copy
import pickle
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import construct
import formulas
from construct import ConstructError, Formula, formula, parse_tasks
from construct.spec.expression import OF_ONE, Call, Entry
from construct.spec.kinds import from_definition

EVERY = (*formulas.RATIONAL, *formulas.IRRATIONAL)
WAVE = formula("wave", ["sin(x[1]) + x[2]*x[3]", "x[1]^2", "0"], d=3, epsilon="1/1000")


def test_the_tests_know_every_function():
    assert set(EVERY) == set(OF_ONE)


# --- Values -----------------------------------------------------------------------


@given(st.lists(formulas.texts(2, 3, formulas.RATIONAL), min_size=2, max_size=2), st.data())
def test_rational_formulas_are_evaluated_exactly(texts, data):
    X = data.draw(st.lists(formulas.points(2, 3), min_size=1, max_size=4))
    try:
        f = formula("f", texts)
        wanted = [[formulas.exact_value(text, x) for text in texts] for x in X]
    except (ConstructError, ZeroDivisionError):
        return
    assert f.rational
    found = f(np.array(X, dtype=object))
    assert found.tolist() == wanted
    assert set(map(type, found.flat)) <= {int, Fraction}


@given(formulas.texts(2, 3, EVERY), formulas.points(2, 3))
def test_other_formulas_are_evaluated_to_200_bits(text, X):
    wanted = formulas.real_value(text, X)
    try:
        found = formula("f", [text, "0"])(np.array(X, dtype=object))[0]
    except ConstructError as error:
        said = str(error)
    else:
        if wanted is not None:
            assert formulas.off_by(found, wanted) < mpmath.mpf(2) ** -200
        return
    ends = ("divides by 0", "divides by", "it takes the", "cannot be told", "is beyond 2^4096")
    assert any(end in said for end in ends)


@pytest.mark.parametrize("name", formulas.IRRATIONAL)
@pytest.mark.parametrize("t", ["1/3", "7", "100", "1/1000000000"])
def test_each_function(name, t):
    f = formula("f", [f"{name}(x[1])"])
    wanted = formulas.real_value(f"{name}(x[1])", [[Fraction(t)]])
    assert not f.rational
    assert formulas.off_by(f([Fraction(t)])[0], wanted) < mpmath.mpf(2) ** -200


@pytest.mark.parametrize(
    ("text", "t", "value"),
    [
        ("sigmoid(x[1])", -(10**30), 0),
        ("sigmoid(x[1])", 10**30, 1),
        ("tanh(x[1])", -(10**30), -1),
        ("exp(-x[1])", 10**30, 0),
        ("softplus(x[1])", 10**30, 10**30),
        ("softplus(x[1])", -(10**30), 0),
        ("exp(x[1])", 0, 1),
        ("log(x[1])", 1, 0),
        ("sqrt(x[1])", 0, 0),
        ("sqrt(x[1])", Fraction(9, 4), Fraction(3, 2)),
        ("sin(pi*x[1])^2 + cos(pi*x[1])^2", 5, 1),
        ("exp(x[1]) - exp(x[1])", 300, 0),
        ("(1 + exp(-x[1])) - 1", 400, 0),
    ],
)
def test_the_ends_and_what_is_exact(text, t, value):
    assert abs(formula("f", [text])([t])[0] - value) <= Fraction(max(1, abs(value)), 1 << 200)


def test_bits_are_added_until_the_value_is_told():
    """What cancels 600 digits, and a sine far out, need more than the first bits."""
    f = formula("f", ["exp(x[1]) - exp(x[1] - 1/10^100)*exp(1/10^100) + sin(10^99*x[1])"])
    wanted = formulas.real_value("sin(10^99*x[1])", [[Fraction(1, 3)]])
    assert formulas.off_by(f([Fraction(1, 3)])[0], wanted) < mpmath.mpf(2) ** -200


def test_shapes_are_those_of_a_task():
    f = formula("f", ["x[2, 1]", "x[1] + x[2]"])
    X = np.arange(24).reshape(2, 3, 2, 2)
    assert (
        f(X).tolist()
        == construct.affine("g", {1: [[0, 0], [1, 1]], 2: [[1, 0], [0, 0]]})(X).tolist()
    )
    assert f(X).shape == (2, 3, 2)
    assert f(np.zeros((0, 2, 2))).shape == (0, 2)
    assert WAVE([0, 2, 3]).tolist() == [6, 0, 0]
    assert (f.d, f.positions, WAVE.positions) == (2, (1, 2), (1,))
    assert formula("f", ["1"]).positions == ()


@pytest.mark.parametrize("dtype", ["float64", "float32", "int8", "uint8", "object"])
def test_floats_are_the_rationals_that_they_hold(dtype):
    f = formula("f", ["x[1]*x[2]", "x[1]/3"])
    X = np.array([[[100, 100]], [[7, 3]]], dtype=dtype)
    if X.dtype.kind == "f":
        X += np.array(0.1, dtype=dtype)
    exact = [[Fraction(float(v)) for v in x[0]] for x in X]
    assert f(X).tolist() == [[a * b, a / 3] for a, b in exact]
    assert f(X).dtype == object


@pytest.mark.parametrize(
    ("X", "sentence"),
    [
        ([1, 2], r"given an X of shape \(2,\); it needs \(..., n-1, 3\) with n-1 at least 1"),
        ([[1, 2, 3], [4]], "a number such as"),
        ([1, 2, None], "is None; write a finite number"),
        (np.array([1, np.nan, 2]), "is nan; write a finite number"),
        (np.array([1, np.inf, 2]), "is inf; write a finite number"),
        (5, "given an X of shape"),
        ("text", "write a finite number"),
    ],
)
def test_wrong_inputs_are_refused(X, sentence):
    with pytest.raises(ConstructError, match=sentence.replace("a number", "a finite number")):
        WAVE(X)


@pytest.mark.parametrize(
    ("text", "X", "sentence"),
    [
        ("log(x[1])", [-1, 0], "entry 2 of task 'f' has no value at x[1] = -1: it takes the "),
        ("log(x[1])", [-1, 0], "logarithm of x[1], which is at most 0 there; change the formula"),
        ("log(x[1] - x[1])", [-1, 0], "logarithm of x[1] - x[1], which is at most 0"),
        ("sqrt(x[2] - 1)", [4, 0], "at x[2] = 0: it takes the square root of x[2] - 1, which is "),
        ("x[1]/(x[2] - 1)", [4, 1], "at x[2] = 1: it divides by x[2] - 1, which is 0 there"),
        ("x[1]/x[1]", [0, 1], "at x[1] = 0: it divides by x[1], which is 0 there"),
        ("exp(x[2])/x[1]", [0, 1], "at x[1] = 0: it divides by x[1], which is 0 there"),
        ("1/sin(x[1])", [0, 1], "at x[1] = 0: it divides by sin(x[1]), which is 0 there"),
        ("0*log(x[1])", [-1, 0], "logarithm of x[1]"),
        ("log(x[1])^0", [-1, 0], "logarithm of x[1]"),
        ("exp(exp(x[1]))", [50, 0], "at x[1] = 50: exp(exp(x[1])) is beyond 2^4096 there"),
        ("log(sin(pi))", [0, 0], "cannot be told to 2^-200"),
        ("sqrt(x[1])", [Fraction(-1, 10**40), 0], "at x[1] = about -1e-40"),
    ],
)
def test_a_place_without_a_value_is_named(text, X, sentence):
    f = formula("f", ["0", text])
    with pytest.raises(ConstructError) as caught:
        f(np.array([[[1, 2]], [X]], dtype=object))
    assert sentence in str(caught.value)
    assert str(caught.value).endswith(".")


def test_what_is_kept_does_not_change_what_is_said():
    f = formula("f", ["exp(x[1])", "x[2]"])
    X = [[Fraction(i % 3, 7), i] for i in range(8)]
    first = f(np.array(X, dtype=object)[:, None]).tolist()
    assert [f(x).tolist() for x in X] == first
    assert len({value for value, _ in first}) == 3


# --- Definitions ------------------------------------------------------------------


def test_the_definition_says_what_was_given():
    given = {
        "name": "wave",
        "kind": "formula",
        "f": ["sin(x[1]) + x[2]*x[3]", "x[1]^2", "0"],
        "epsilon": "1/1000",
    }
    assert WAVE.as_json(words=False) == WAVE.as_json(words=True) == given
    again = from_definition(given, d=3, vocabulary=None)
    assert isinstance(again, Formula)
    assert (again.entries, again.epsilon) == (WAVE.entries, Fraction(1, 1000))
    assert "epsilon" not in formula("f", ["x[1]"]).as_json()
    assert formula("f", ["x[1]"]).epsilon is None
    assert formula("f", ["x[1]"], epsilon=2).as_json()["epsilon"] == 2
    assert WAVE.described(60).startswith("formula, epsilon = 1/1000, f = [sin(x[1]) + ")
    assert len(repr(WAVE)) <= 80
    made = Formula("g", (Call("sin", (Entry(1, 1),)),))
    assert made.as_json() == {"name": "g", "kind": "formula", "f": ["sin(x[1])"]}


def test_a_formula_is_copied_and_stored_as_it_is():
    for again in (pickle.loads(pickle.dumps(WAVE)), copy.deepcopy(WAVE)):
        assert again.as_json() == WAVE.as_json()
        assert again([1, 2, 3]).tolist() == WAVE([1, 2, 3]).tolist()


def test_a_task_file_may_hold_formulas():
    text = """{"d": 2, "n": 3, "tasks": [
        {"name": "wave", "kind": "formula", "f": ["sin(x[1])*2", "x[2, 2]^2"], "epsilon": 0.01},
        {"name": "flip", "kind": "permutation", "permutation": [2, 1]}]}"""
    wave, flip = parse_tasks(text).tasks
    assert isinstance(wave, Formula)
    assert (wave.epsilon, wave.d, flip.d) == (Fraction(1, 100), 2, 2)
    without_d = text.replace('"d": 2, ', "")
    assert parse_tasks(without_d).tasks[0].d == 2
    with pytest.raises(ConstructError, match=r"reads position 3 at character 1 .* to 2 \(n = 3\)"):
        parse_tasks(text.replace("x[2, 2]", "x[3, 2]"))
    with pytest.raises(ConstructError, match=r"has 2 formulas; write 3 \(d = 3\), one for each"):
        parse_tasks(text.replace('"d": 2', '"d": 3'))


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"f": []}, "task 'f' has 0 formulas; write one for each entry of f(X)."),
        ({"f": ["x[1]"], "d": 2}, "task 'f' has 1 formulas; write 2 (d = 2), one for each entry"),
        ({"f": "x[1]"}, "f of task 'f' is 'x[1]'; it must be a list."),
        ({"f": [3]}, "entry 1 of task 'f' is 3; write a formula such as 'x[1]^2 + 1'."),
        ({"f": ["1", None]}, "entry 2 of task 'f' is None; write a formula"),
        ({"f": ["1", "x[3]"]}, "entry 2 of task 'f' reads entry 3 at character 1 of 'x[3]'; an "),
        ({"f": ["x[2, 1]"], "n": 2}, "positions go from 1 to 1 (n = 2)."),
        ({"f": ["1"], "epsilon": 0}, "epsilon of task 'f' is 0; it must be above 0, or left out."),
        ({"f": ["1"], "epsilon": "-1/2"}, "epsilon of task 'f' is -1/2; it must be above 0"),
        ({"f": ["1"], "epsilon": "small"}, "epsilon of task 'f' is 'small'; write a finite number"),
        ({"f": ["1"], "d": 0}, "given d = 0; it must be a whole number of at least 1"),
        ({"f": ["1"], "n": 1}, "given n = 1; it must be a whole number of at least 2"),
        ({"f": ["1"], "name": ""}, "a name is a text of at least one character"),
    ],
)
def test_what_is_no_task_is_refused(fields, sentence):
    with pytest.raises(ConstructError) as caught:
        formula(**{"name": "f", **fields})
    assert sentence in str(caught.value)


def test_unknown_fields_are_refused():
    with pytest.raises(ConstructError, match="unknown field 'eps'; 'formula' takes: f, epsilon"):
        from_definition(
            {"name": "f", "kind": "formula", "f": ["1"], "eps": 1}, d=1, vocabulary=None
        )
    with pytest.raises(ConstructError, match="lacks 'f'"):
        from_definition({"name": "f", "kind": "formula"}, d=1, vocabulary=None)
    with pytest.raises(ConstructError, match=r"the known kinds are: .*formula"):
        from_definition({"name": "f", "kind": "formulas"}, d=1, vocabulary=None)
