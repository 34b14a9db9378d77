"""Tables on several operands, and sums of numbers that are words, against plain Python."""

import json
from collections import Counter
from fractions import Fraction as Q
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from construct import (
    ConstructError,
    Prompt,
    Vocabulary,
    build,
    lookup,
    mixture,
    parse_tasks,
    retrieval,
    run,
    word_sum,
)
from construct.artifact import load, save
from construct.spec.kinds import from_definition
from construct.spec.lookups import boxes_of, fewest_boxes
from construct.spec.normal_form import same_map

NAMES = ["nil", "one", "two", "three", "four"]
WORDS = Vocabulary(NAMES)
words = st.sampled_from(NAMES)
keys = st.integers(1, 3).flatmap(
    lambda k: st.sets(st.tuples(*[st.integers(0, 3)] * k), min_size=1, max_size=30)
)


def one_hot(*operands):
    return [WORDS.one_hot(word).tolist() for word in operands]


def word_at(task, *operands):
    """The word that a task gives; None for the zero vector."""
    y = task(one_hot(*operands)).tolist()
    assert sorted(y) in ([0] * len(y), [0] * (len(y) - 1) + [1])
    return NAMES[y.index(1)] if any(y) else None


# --- Boxes ----------------------------------------------------------------------


@given(keys, st.sampled_from([boxes_of, fewest_boxes]))
def test_boxes_hold_the_keys_each_once_and_no_others(found, split):
    held = Counter(key for box in split(sorted(found)) for key in product(*box))
    assert held == Counter(found)


@given(keys)
def test_there_are_no_more_boxes_than_lines_of_keys_along_any_operand(found):
    for axis in range(len(min(found))):
        lines = {key[:axis] + key[axis + 1 :] for key in found}
        first = {key[axis] for key in found}
        assert len(fewest_boxes(sorted(found))) <= max(len(lines), len(first))


@given(st.lists(st.sets(st.integers(0, 5), min_size=1), min_size=1, max_size=3))
def test_a_product_of_sets_is_one_box(sets):
    assert fewest_boxes(list(product(*sets))) == [tuple(tuple(sorted(own)) for own in sets)]


# --- Tables ---------------------------------------------------------------------


@st.composite
def tables(draw):
    count = draw(st.integers(1, 3))
    table = draw(st.dictionaries(st.tuples(*[words] * count), words, min_size=1, max_size=20))
    return count, table


@given(tables())
def test_a_table_gives_the_word_of_its_operands_and_nothing_for_others(case):
    count, table = case
    task = lookup("f", table, vocabulary=WORDS)
    for operands in product(NAMES, repeat=count):
        assert word_at(task, *operands) == table.get(operands)


@given(tables(), st.permutations([1, 2, 3, 4]))
def test_operands_are_read_at_the_positions_given(case, order):
    count, table = case
    places = order[:count]
    task = lookup("f", table, positions=places, vocabulary=WORDS)
    for operands, image in table.items():
        inputs = ["nil"] * 4
        for place, word in zip(places, operands, strict=True):
            inputs[place - 1] = word
        assert word_at(task, *inputs) == image


@given(tables())
def test_a_mapping_of_tuples_is_the_list_that_json_has(case):
    _, table = case
    listed = [[list(operands), image] for operands, image in table.items()]
    one, other = (lookup("f", form, vocabulary=WORDS) for form in (table, listed))
    again = from_definition(json.loads(json.dumps(one.definition)), d=5, vocabulary=WORDS)
    assert one.definition == other.definition == again.definition
    assert same_map(one, other)
    assert same_map(one, again)


def test_an_output_that_depends_on_one_operand_costs_a_relu_for_each_of_its_words():
    pairs = list(product(NAMES, NAMES))
    for place in range(2):
        task = lookup("f", {pair: pair[place] for pair in pairs}, vocabulary=WORDS)
        assert [len(feature) for feature in task.features] == [1] * 5


def test_tasks_that_differ_in_their_words_alone_share_their_features():
    pairs = list(product(NAMES[:3], NAMES[:3]))
    other = dict(zip(NAMES, NAMES[::-1], strict=True))
    add = {(a, b): NAMES[NAMES.index(a) + NAMES.index(b)] for a, b in pairs}
    made = build(
        [
            lookup("add", add, vocabulary=WORDS),
            lookup("add, renamed", {pair: other[w] for pair, w in add.items()}, vocabulary=WORDS),
        ],
        m=2,
        vocabulary=WORDS,
    )
    assert made.sizes.P == len(set(add.values())) == 5


def test_two_spellings_of_a_word_in_a_table_are_one_word():
    accents = Vocabulary(["caf\u00e9", "a", "b"])
    both = {("caf\u00e9", "a"): "a", ("cafe\u0301", "a"): "b"}
    with pytest.raises(ConstructError, match="to two words, 'a' and 'b'; keep one"):
        lookup("f", both, vocabulary=accents)


BAD_TABLES = {
    "other lengths": ([[["one"], "two"], [["one", "two"], "two"]], "1 and of 2 operands"),
    "no operand": ({(): "one"}, "0 operands"),
    "texts and tuples": ({"one": "two", ("one", "two"): "two"}, "must be an object"),
    "pairs of texts": ([["one", "two"]], "must be an object"),
    "a number": ([[["one", 1], "two"]], "1 is not in this vocabulary"),
    "another word": ([[["one", "five"], "two"]], "'five' is not in this vocabulary"),
    "two images": ([[["one", "one"], "two"], [["one", "one"], "nil"]], "keep one"),
}


@pytest.mark.parametrize("bad", BAD_TABLES)
def test_what_is_wrong_with_a_table_is_said(bad):
    table, message = BAD_TABLES[bad]
    with pytest.raises(ConstructError, match=message):
        lookup("f", table, vocabulary=WORDS)


@pytest.mark.parametrize(
    "fields",
    [{"positions": [1]}, {"positions": [1, 1]}, {"position": 2}, {"positions": 1}],
    ids=str,
)
def test_positions_are_as_many_as_the_operands(fields):
    with pytest.raises(ConstructError, match="positions"):
        lookup("f", {("one", "two"): "two"}, **fields, vocabulary=WORDS)


# --- Sums -----------------------------------------------------------------------

numbers = st.fractions(-3, 3, max_denominator=3)


@st.composite
def sums(draw):
    count = draw(st.integers(1, 3))
    values = draw(st.dictionaries(words, numbers, min_size=1))
    factors = draw(st.lists(numbers.filter(bool), min_size=count, max_size=count))
    reached = {
        sum((c * v for c, v in zip(factors, chosen, strict=True)), Q(0))
        for chosen in product(values.values(), repeat=count)
    }
    some = st.one_of(st.sampled_from(sorted(reached)), numbers)
    named = draw(st.dictionaries(some, words, max_size=5)) | {max(reached): draw(words)}
    return values, named, factors


@given(sums())
def test_a_word_sum_gives_the_word_of_the_sum_and_nothing_where_a_value_lacks(case):
    values, named, factors = case
    places = list(range(1, len(factors) + 1))
    task = word_sum("f", values, named, places, factors, vocabulary=WORDS)
    for operands in product(NAMES, repeat=len(factors)):
        found = None
        if set(operands) <= set(values):
            found = sum((c * values[w] for c, w in zip(factors, operands, strict=True)), Q(0))
        assert word_at(task, *operands) == named.get(found)


@given(sums())
def test_all_numbers_of_a_word_sum_are_whole(case):
    """So that every sum is exact in float64, whatever the values are."""
    values, named, factors = case
    places = list(range(1, len(factors) + 1))
    task = word_sum("f", values, named, places, factors, vocabulary=WORDS)
    assert {type(number) for number in task.numbers()} == {int}


@given(sums())
def test_the_definition_of_a_word_sum_survives_json(case):
    values, named, factors = case
    places = list(range(1, len(factors) + 1))
    task = word_sum("f", values, named, places, factors, vocabulary=WORDS)
    again = from_definition(json.loads(json.dumps(task.definition)), d=5, vocabulary=WORDS)
    assert again.definition == task.definition
    assert same_map(task, again)


def test_decimals_and_floats_as_values_and_sums_are_exact():
    texts = word_sum("f", {"one": "0.1", "two": "0.2"}, {"0.3": "three"}, vocabulary=WORDS)
    assert word_at(texts, "one", "two") == "three"
    floats = word_sum("f", {"one": 0.5}, {1.0: "two"}, vocabulary=WORDS)
    assert word_at(floats, "one", "one") == "two"
    again = from_definition(json.loads(json.dumps(floats.definition)), d=5, vocabulary=WORDS)
    assert same_map(floats, again)


def test_languages_share_the_dictionary_which_has_a_feature_for_each_sum():
    digits = [str(i) for i in range(10)]
    sums_of = {name: [f"{name}{s}" for s in range(19)] for name in ("en", "fr")}
    known = Vocabulary([*digits, *sums_of["en"], *sums_of["fr"]])
    values = {word: int(word) for word in digits}
    tasks = [
        word_sum(name, values, dict(enumerate(listed)), vocabulary=known)
        for name, listed in sums_of.items()
    ]
    made = build(tasks, m=2, vocabulary=known, scratch=0)
    assert made.sizes.P == 19 + 2  # the sums, and a knot on either side
    assert "float64" in made.certified
    # With a home for each language neither needs the knots of the other.
    assert build(tasks, m=2, vocabulary=known).sizes.P == 19


def test_one_word_for_all_sums_costs_no_feature_between_them():
    values = dict(zip(NAMES, range(5), strict=True))
    task = word_sum("f", values, dict.fromkeys(range(9), "one"), vocabulary=WORDS)
    assert len(task.features) == 4  # a step up, and a step down


def test_relus_that_no_memory_holds_are_refused_before_they_are_made(monkeypatch):
    monkeypatch.setattr("construct.memory.memory", lambda: 3999)
    with pytest.raises(ConstructError, match=r"the ReLUs of task 'f' .*; list fewer values"):
        word_sum("f", {"one": 1, "two": 2}, {2: "one", 3: "two", 4: "two"}, vocabulary=WORDS)


BAD_SUMS = {
    "no values": ({"values": {}}, "write the number that each word is"),
    "a list of values": ({"values": [1]}, "write the number that each word is"),
    "no words": ({"words": {}}, "write the word that each sum is"),
    "a value of text": ({"values": {"one": "many"}}, "the value of 'one' in task 'f'"),
    "a sum of text": ({"words": {"many": "one"}}, "a sum in words of task 'f'"),
    "another word": ({"values": {"five": 1}}, "'five' is not in this vocabulary"),
    "another image": ({"words": {"2": "five"}}, "'five' is not in this vocabulary"),
    "two words": ({"words": {"2": "one", "2.0": "two"}}, "has two words for 2; keep one"),
    "out of reach": ({"words": {"7": "one"}}, "never finds a word: .* from 2 to 4 in steps of 1"),
    "no position": ({"positions": []}, "name at least one"),
    "one position twice": ({"positions": [1, 1]}, "each once"),
    "too few coefficients": ({"coefficients": [1]}, "coefficients"),
    "a coefficient of 0": ({"coefficients": [1, 0]}, "leave this coefficient"),
}


@pytest.mark.parametrize("bad", BAD_SUMS)
def test_what_is_wrong_with_a_word_sum_is_said(bad):
    changed, message = BAD_SUMS[bad]
    fields = {"values": {"one": 1, "two": 2}, "words": {"2": "two", "3": "three"}, **changed}
    with pytest.raises(ConstructError, match=message):
        word_sum("f", **fields, vocabulary=WORDS)


# --- Files, artifacts, networks -----------------------------------------------------

FILE = {
    "tasks": [
        {"name": "table", "kind": "lookup", "table": [[["a", "b"], "c"], [["b", "b"], "a"]]},
        {
            "name": "sum",
            "kind": "word-sum",
            "values": {"a": 1, "b": 2},
            "words": {"2": "ii", "3": "iii"},
        },
    ]
}


def test_a_file_collects_the_words_of_both_forms():
    file = parse_tasks(json.dumps(FILE))
    assert file.vocabulary is not None
    assert list(file.vocabulary) == ["a", "b", "c", "ii", "iii"]


def test_an_artifact_holds_both_forms(tmp_path):
    file = parse_tasks(json.dumps(FILE))
    made = build(file.tasks, m=2, vocabulary=file.vocabulary)
    save(made, tmp_path / "made")
    again = load(tmp_path / "made")
    assert again.definitions == made.definitions
    assert [task.definition["kind"] for task in again.tasks] == ["lookup", "word-sum"]


def test_without_a_vocabulary_an_artifact_holds_them_as_the_relus_that_they_are(tmp_path):
    file = parse_tasks(json.dumps(FILE))
    made = build(file.tasks, m=2)
    save(made, tmp_path / "made")
    again = load(tmp_path / "made")
    assert all(same_map(a, b) for a, b in zip(made.tasks, again.tasks, strict=True))


@pytest.mark.parametrize(
    ("executor", "dtype"), [("numpy", "float64"), ("exact", "exact"), ("jax", "float64")]
)
def test_the_network_is_the_specification_also_off_one_hot_vectors(executor, dtype):
    file = parse_tasks(json.dumps(FILE))
    made = build(file.tasks, m=2, domain={"R": 2, "Ry": 8, "delta": 1, "grid": 1})
    rng = np.random.default_rng(5)
    for _ in range(6):
        X = rng.integers(-2, 3, (3, 2, 5))
        Y = [made.tasks[k](X[k].astype(object)) for k in range(2)]
        examples = [[*X[k].tolist(), Y[k].tolist()] for k in range(2)]
        prompt = Prompt.of(examples, X[2].tolist())
        got, wanted = run(made, prompt, executor=executor, dtype=dtype), mixture(made.tasks, prompt)
        assert got.votes == wanted.votes
        assert got.answer.tolist() == wanted.answer.tolist()


def test_a_table_on_three_operands_needs_a_second_task():
    three = lookup("f", {("one", "two", "one"): "two"}, vocabulary=WORDS)
    with pytest.raises(ConstructError, match=r"S = 2 .* K = 1; build them together with 1 more"):
        build([three], vocabulary=WORDS)
    made = build([three, retrieval("copy", 1, d=5)], vocabulary=WORDS)
    assert made.sizes.S == 2
