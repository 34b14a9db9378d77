import json
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from construct import ConstructError, Domain, parse_tasks
from generators import definitions

TURN = {"name": "turn", "kind": "permutation", "permutation": [2, 1]}
CAPITAL = {"name": "capital", "kind": "lookup", "table": {"France": "Paris", "Japan": "Tokyo"}}
UPPER = {"name": "upper", "kind": "lookup", "table": {"Paris": "PARIS"}}


@given(st.lists(definitions(2, 2), min_size=1, max_size=3))
def test_a_file_gives_its_tasks_in_order(listed):
    tasks = [{"name": f"t{k}", **definition} for k, definition in enumerate(listed)]
    read = parse_tasks(json.dumps({"d": 2, "n": 3, "tasks": tasks}))
    assert [task.name for task in read.tasks] == [task["name"] for task in tasks]
    assert read.n == 3
    assert read.domain is None
    assert read.vocabulary is None


def test_a_domain_is_read_exactly():
    text = json.dumps({"tasks": [TURN], "domain": {"R": 0.1, "Ry": 2, "delta": "1/3"}})
    assert parse_tasks(text).domain == Domain(Fraction(1, 10), 2, Fraction(1, 3))


def test_without_a_vocabulary_the_words_of_the_tables_are_it_in_order_of_appearance():
    read = parse_tasks(json.dumps({"tasks": [CAPITAL, UPPER]}))
    assert list(read.vocabulary) == ["France", "Paris", "Japan", "Tokyo", "PARIS"]
    assert {task.d for task in read.tasks} == {5}


def test_a_listed_vocabulary_keeps_its_order_and_sets_d():
    words = ["Tokyo", "Paris", "Japan", "France", "Rome"]
    read = parse_tasks(json.dumps({"tasks": [CAPITAL], "vocabulary": words}))
    assert list(read.vocabulary) == words
    assert read.tasks[0]([0, 0, 1, 0, 0]).tolist() == [1, 0, 0, 0, 0]


MALFORMED = [
    ([TURN], "must be an object"),
    ({}, 'with "tasks"'),
    ({"tasks": [TURN], "taks": []}, "unknown field 'taks'; known: d, n, tasks"),
    ({"tasks": []}, "at least one task"),
    ({"tasks": TURN}, "at least one task"),
    ({"tasks": [1]}, "a task is 1"),
    ({"tasks": [{**TURN, "kind": "turn"}]}, "the known kinds are"),
    ({"tasks": [TURN], "d": 3}, "has dimension 2, but the file says d = 3"),
    ({"tasks": [TURN], "d": 0}, "d in the file is 0"),
    ({"tasks": [TURN], "d": 2.5}, "d in the file is"),
    ({"tasks": [TURN], "d": True}, "d in the file is True"),
    ({"tasks": [TURN], "n": "2"}, "n in the file is '2'"),
    ({"tasks": [TURN], "n": -1}, "n in the file is -1"),
    ({"tasks": [TURN], "domain": 8}, "the domain is 8"),
    ({"tasks": [TURN], "domain": {"R": 1, "Ry": 1}}, "the domain is"),
    ({"tasks": [TURN], "domain": {"R": 0, "Ry": 1, "delta": 1}}, "R of the domain is 0"),
    ({"tasks": [CAPITAL], "vocabulary": []}, "must be a list of words"),
    ({"tasks": [CAPITAL], "vocabulary": "France"}, "must be a list of words"),
    ({"tasks": [CAPITAL], "vocabulary": ["France", "France"]}, "'France' twice"),
    ({"tasks": [CAPITAL], "vocabulary": ["France"]}, "'Paris' is not in this vocabulary"),
    ({"tasks": [CAPITAL], "vocabulary": [["France"]]}, "the vocabulary holds"),
    ({"tasks": [CAPITAL], "d": 3}, "says d = 3, but its vocabulary has 4 words"),
    ({"tasks": [{**CAPITAL, "table": {"France": 1}}]}, "must map words to words"),
    ({"tasks": [{**CAPITAL, "table": {"France": ["Paris"]}}]}, "must map words to words"),
    ({"tasks": [{"name": "f", "kind": "relu"}]}, "needs 'd' in the file"),
]


@pytest.mark.parametrize(("value", "said"), MALFORMED, ids=[said for _, said in MALFORMED])
def test_a_malformed_file_is_answered_with_what_is_wrong(value, said):
    with pytest.raises(ConstructError, match=said):
        parse_tasks(json.dumps(value), "the file")


def test_text_that_is_no_json_names_the_file():
    with pytest.raises(ConstructError, match=r"tasks.json is not valid JSON"):
        parse_tasks("{", "tasks.json")


NFC, NFD = "S\u00e3o Tom\u00e9", "Sa\u0303o Tome\u0301"


def table(**tables):
    tasks = [{"name": name, "kind": "lookup", "table": words} for name, words in tables.items()]
    return parse_tasks(json.dumps({"tasks": tasks}), "the file")


def test_a_word_spelt_in_two_ways_in_two_tables_is_one_word():
    """Accents may be one character or two (Unicode NFC, NFD): it was refused as being twice."""
    read = table(f={NFC: "a"}, g={NFD: "b"})
    assert list(read.vocabulary) == [NFC, "a", "b"]
    word = read.vocabulary.one_hot(NFD)
    assert [task(word).tolist() for task in read.tasks] == [[0, 1, 0], [0, 0, 1]]
    assert list(table(f={"a": NFC, "b": NFD}).vocabulary) == ["a", NFC, "b"]


def test_two_spellings_of_one_word_in_a_table_have_one_image_or_are_refused():
    """They gave (0, 1, 1): both images at once."""
    with pytest.raises(ConstructError, match=f"table of task 'f' maps '{NFD}' to two words"):
        table(f={NFC: "a", NFD: "b"})
    read = table(f={NFC: "a", NFD: "a"})
    assert read.tasks[0](read.vocabulary.one_hot(NFC)).tolist() == [0, 1]


def test_tasks_that_together_do_not_fit_in_memory_are_refused_before_the_first_is_made(monkeypatch):
    import construct.spec.taskfile

    monkeypatch.setattr(construct.spec.taskfile, "from_definition", None)
    monkeypatch.setattr("construct.memory.memory", lambda: 10**7)
    tasks = [{"name": f"t{k}", "kind": "retrieval", "position": 1} for k in range(100)]
    with pytest.raises(
        ConstructError, match="K = 100 tasks of d = 4000 would take 400,000 numbers"
    ):
        parse_tasks(json.dumps({"d": 4000, "tasks": tasks}))


def test_the_first_task_says_how_large_the_others_are(monkeypatch):
    monkeypatch.setattr("construct.memory.memory", lambda: 10**7)
    tasks = [{"name": f"t{k}", "kind": "shift", "by": 1, "modulo": 2000} for k in range(100)]
    with pytest.raises(
        ConstructError, match="K = 100 tasks of d = 2000 would take 200,000 numbers"
    ):
        parse_tasks(json.dumps({"tasks": tasks}))
