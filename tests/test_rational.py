import json
import math
import sys
from fractions import Fraction
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from construct import ConstructError
from construct.rational import (
    MOST_DIGITS,
    rational,
    rational_array,
    read_json,
    to_float,
    to_json,
    zeros,
)

fractions = st.fractions(max_denominator=10**6)
NO_NUMBERS = [True, None, "", "x", "1/0", "1/2/3", "nan", "inf", math.nan, math.inf, [1], {}, 1j]
NO_NUMBERS += ["1e999999999", "1/1e999999999", np.True_, np.float32("nan"), b"1"]


@given(fractions)
def test_a_number_is_the_same_written_as_fraction_text_or_json(x):
    for written in (x, str(x), f" {x.numerator} / {x.denominator} ", to_json(x)):
        assert rational(written) == x


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_is_the_rational_that_it_holds(x):
    assert rational(x) == rational(np.float64(x)) == Fraction(x)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=5))
def test_a_decimal_in_a_file_is_exact(x):
    assert read_json(f"[{x}]", "the file") == [Fraction(x)]


@given(st.integers(), st.integers(1, 100))
def test_whole_numbers_are_int_and_others_fractions(p, q):
    assert type(rational(Fraction(p, q))) is (int if p % q == 0 else Fraction)


@pytest.mark.parametrize("value", NO_NUMBERS, ids=repr)
def test_what_is_no_finite_number_is_named_and_refused(value):
    with pytest.raises(ConstructError, match=r"the bound is .*write a finite number"):
        rational(value, "the bound")


def test_extended_precision_is_exact_or_refused():
    with pytest.raises(ConstructError):
        rational(np.longdouble("nan"))


@given(st.lists(st.lists(fractions, min_size=2, max_size=2), min_size=1, max_size=3))
def test_an_array_keeps_shape_and_values(rows):
    array = rational_array([[str(x) for x in row] for row in rows], (None, 2), "A")
    assert array.dtype == object
    assert array.tolist() == rows
    assert rational_array(array, array.shape, "A").tolist() == rows


@pytest.mark.parametrize(
    ("value", "shape"),
    [
        ([1, 2], (3,)),
        ([[1, 2]], (2,)),
        ([[1], [1, 2]], (2, 2)),
        (1, (1,)),
        ([], (1,)),
        ("12", (2,)),
    ],
)
def test_a_wrong_shape_is_named_with_the_shape_wanted(value, shape):
    with pytest.raises(ConstructError, match=r"A (has the shape|is ragged).*it needs the shape"):
        rational_array(value, shape, "A")


def test_an_entry_that_is_no_number_names_its_array():
    with pytest.raises(ConstructError, match="b of task 'f' is None"):
        rational_array([1, None], (2,), "b of task 'f'")


def test_zeros_are_exact():
    assert zeros(1, 2).tolist() == [[0, 0]]
    assert {type(x) for x in zeros(3, 3).flat} == {int}


@given(fractions)
def test_to_float_rounds_to_nearest(x):
    assert to_float(np.array([x], dtype=object))[0] == x.numerator / x.denominator


def test_numbers_beyond_float64_are_refused():
    with pytest.raises(ConstructError, match="beyond the range of float64"):
        to_float(np.array([10**400], dtype=object))


@given(st.recursive(fractions | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)))
def test_json_of_nested_rationals_is_what_json_can_hold(value):
    assert json.loads(json.dumps(to_json(value))) == to_json(value)


@pytest.mark.parametrize(
    "text", ["", "{", "[1,]", "[NaN]", "[Infinity]", "[-Infinity]", "[1e9999]"]
)
def test_malformed_json_names_its_source(text):
    with pytest.raises(ConstructError, match="the prompt"):
        read_json(text, "the prompt")


@pytest.mark.parametrize("text", ["[" * 100_000, "[" + "1" * 5000 + "]"], ids=["deep", "long"])
def test_json_that_python_cannot_hold_is_refused(text):
    with pytest.raises(ConstructError, match="the prompt"):
        read_json(text, "the prompt")


digits = st.integers(1, MOST_DIGITS).flatmap(lambda n: st.integers(10 ** (n - 1), 10**n - 1))


@given(digits, digits, st.sampled_from([1, -1]))
def test_numbers_of_up_to_600_digits_are_the_same_written_in_any_form(p, q, sign):
    x = Fraction(sign * p, q)
    for written in (x, str(x), f"{sign * p}/{q}", to_json(x)):
        assert rational(written) == x
    for whole in (sign * p, str(sign * p), Fraction(sign * p)):
        assert rational(whole) == sign * p
    assert read_json(json.dumps([to_json(x), sign * p]), "the file")[1] == sign * p


@given(st.text("0123456789", min_size=1, max_size=MOST_DIGITS - 1))
def test_long_decimals_are_exact(decimals):
    wanted = Fraction(int(decimals), 10 ** len(decimals))
    assert rational(f"0.{decimals}") == wanted
    assert read_json(f"[-0.{decimals}]", "the file") == [-wanted]


LONG = "3" * (MOST_DIGITS + 1)
TOO_LONG = [int(LONG), -int(LONG), Fraction(1, int(LONG)), LONG, f"-{LONG}", f"1/{LONG}"]
TOO_LONG += [f"0.{LONG}", f"{LONG}/7", "7" * 5000, "0." + "3" * 5000, 10**5000]
TOO_LONG += [Fraction(1, 10**5000), f"1/{'9' * 5000}"]


@pytest.mark.parametrize("value", TOO_LONG, ids=lambda value: type(value).__name__)
def test_numbers_that_could_not_be_written_again_are_refused(value):
    with pytest.raises(ConstructError, match=r"^the bound is too long: .* 600 digits each"):
        rational(value, "the bound")
    with pytest.raises(ConstructError, match="the bound is too long"):
        rational_array([[value]], (1, 1), "the bound")


@pytest.mark.parametrize("number", [LONG, "9" * 5000, f"0.{LONG}", f"-0.{'3' * 5000}"], ids=len)
def test_long_numbers_of_a_file_are_refused_with_its_name(number):
    with pytest.raises(ConstructError, match=r"a number in tasks\.json is too long"):
        read_json(f"[{number}]", "tasks.json")


@pytest.mark.parametrize("digits", [640, sys.int_info.default_max_str_digits])
def test_a_message_shows_a_value_of_any_length(digits, request):
    # The command line lifts Python's limit, for the whole process.
    request.addfinalizer(partial(sys.set_int_max_str_digits, sys.get_int_max_str_digits()))
    sys.set_int_max_str_digits(digits)
    with pytest.raises(ConstructError, match=r"b is 'xxx.*\.\.\.; write a finite number") as error:
        rational("x" * 400, "b")
    assert len(str(error.value)) < 150
    with pytest.raises(ConstructError, match="b is a list with a number of thousands of digits"):
        rational([10**5000], "b")


END = 10**MOST_DIGITS
LONG_NUMBERS = [END, -END, Fraction(1, END), Fraction(END, 3), "1" + "0" * MOST_DIGITS]
LONG_NUMBERS += ["9" * 5000, "0." + "9" * 5000, "1/" + "9" * 5000, 10**5000, "-" + "9" * 100_000]


@pytest.mark.parametrize("value", LONG_NUMBERS, ids=range(len(LONG_NUMBERS)))
def test_a_number_of_too_many_digits_is_refused_and_never_printed(value):
    with pytest.raises(ConstructError) as error:
        rational(value, "A of task 'f'")
    assert str(error.value).startswith("A of task 'f' is too long: its numerator")
    assert len(str(error.value)) < 200


@pytest.mark.parametrize("value", [END - 1, 1 - END, Fraction(1, END - 1), "9" * MOST_DIGITS])
def test_numbers_of_as_many_digits_as_are_allowed_are_read_and_printed(value):
    assert Fraction(str(rational(value))) == Fraction(value)


@pytest.mark.parametrize("text", ["9" * 5000, "0." + "9" * 5000, '"' + "9" * 5000 + '"'])
def test_a_long_number_in_a_file_names_the_file_or_is_kept_as_text(text):
    if text.startswith('"'):
        assert read_json(f"[{text}]", "the prompt") == [text[1:-1]]
    else:
        with pytest.raises(ConstructError, match=r"^a number in the prompt is too long"):
            read_json(f"[{text}]", "the prompt")


@pytest.mark.parametrize("shape", [(10**20, 10**20), (10**10,), (1 << 15, 1 << 15)])
def test_an_array_that_no_memory_holds_is_refused_by_its_size(shape, monkeypatch):
    monkeypatch.setattr("construct.memory.memory", lambda: 1 << 32)
    with pytest.raises(ConstructError, match=f"^an array of {shape[0]}.* would take .* bytes"):
        zeros(*shape)
