import json
from fractions import Fraction
from pathlib import Path

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
    (
        {"tasks": [TURN], "scratch": -1},
        "is -1; it must be a whole number of tokens from 0 to",
    ),
    ({"tasks": [TURN], "scratch": 2}, "is 2; it must be a whole number of tokens from 0 to"),
    ({"tasks": [TURN], "scratch": True}, "is True; it must be a whole number of tokens"),
    ({"tasks": [TURN], "scratch": 0.5}, "it must be a whole number of tokens from 0"),
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
    (
        {"tasks": [CAPITAL], "vocabulary": ["France"]},
        "task 'capital' at 'France': 'Paris' is not in",
    ),
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


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ([{"input": "a", "output": "b"}], "table of task 'capital' is a list of 1 records; .*file"),
        ([["a", "b"]] * 3, "table of task 'capital' is a list of 3 records; .*construct tasks"),
        ({}, "table of task 'capital' is empty; it must be an object such as .* at least one pair"),
        (7, "table of task 'capital' is 7; it must be an object"),
    ],
    ids=["records", "pairs", "empty", "number"],
)
def test_what_is_no_table_is_told_what_is_one(table, said):
    """It was said of some that the task needs 'vocabulary' in the file."""
    with pytest.raises(ConstructError, match=said):
        parse_tasks(json.dumps({"tasks": [{**CAPITAL, "table": table}]}), "the file")


def test_all_bad_words_of_the_tables_are_named_with_task_and_key():
    """The first was named, without its task: one in a run."""
    tasks = [
        {**CAPITAL, "table": {"France": "Pa\u200bris", "Japan": "Tokyo", "Peru": 1}},
        {**UPPER, "table": {" a": "A"}},
    ]
    with pytest.raises(ConstructError) as error:
        parse_tasks(json.dumps({"tasks": tasks}), "the file")
    said = str(error.value)
    assert said.startswith("the file has 3 entries of tables that are no words: ")
    assert "task 'capital' at 'France': 'Pa\\u200bris' holds U+200B ZERO WIDTH SPACE" in said
    assert "task 'capital' at 'Peru': 1 is no text" in said
    assert "task 'upper' at ' a': ' a' has a space at an end" in said
    table = {f"{i}\x07": "b" for i in range(1000)}
    with pytest.raises(ConstructError, match=r"has 1000 entries .*; and 990 more; ") as error:
        parse_tasks(json.dumps({"tasks": [{**CAPITAL, "table": table}]}), "the file")
    assert len(str(error.value)) < 1500


FILES = {
    "capital.json": '{"France": "Paris", "Japan": "Tokyo"}',
    "records.json": '[{"input": "France", "output": "Paris"}, ["Japan", "Tokyo"]]',
    "pairs.jsonl": '["France", "Paris"]\n\n["Japan", "Tokyo"]\n',
    "capital.csv": "country,capital\r\nFrance,Paris\r\nJapan,Tokyo\r\n",
    "places.tsv": "\ufeffcountry\tnumber\tcapital\nFrance\t1\tParis\nJapan\t2\tTokyo\n",
}


@pytest.mark.parametrize("name", FILES)
def test_a_table_may_be_a_file_beside_the_task_file(tmp_path, name):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / name).write_text(FILES[name], encoding="utf-8", newline="")
    text = json.dumps({"tasks": [{**CAPITAL, "table": f"data/{name}"}]})
    read = parse_tasks(text, "the file", folder=tmp_path)
    assert read.tasks[0].definition["table"] == CAPITAL["table"]
    assert list(read.vocabulary) == ["France", "Paris", "Japan", "Tokyo"]
    with pytest.raises(ConstructError, match=r"is the name of a file, .* say with folder= where"):
        parse_tasks(text, "the file")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, r"cannot read .*t\.csv: No such file"),
        ("France,Paris\nJapan,Tokyo\n", r"t\.csv has no column 'capital'; .*'France', 'Paris'"),
        ("capital,country\nParis,France\n", r"column 'capital' of .*t\.csv is its inputs"),
        ("country,capital\nFrance\n", r"line 2 of .*t\.csv has 1 cells, the first line has 2"),
        (
            "country,capital\na,b\na,c\nd,e\nd,f\n",
            r"t\.csv: 2 inputs have several outputs \('a': b, c; 'd': e, f\); .*--on-duplicate all",
        ),
        ("country,capital\na,b\xadc\n", r"t\.csv has .* 'capital' of line 2 .* U\+00AD SOFT"),
        ("country,capital\n", r"t\.csv has 1 lines; it needs"),
    ],
    ids=["absent", "headless", "inputs", "ragged", "several", "invisible", "empty"],
)
def test_a_file_that_is_no_table_of_a_task_is_named(tmp_path, text, said):
    if text is not None:
        (tmp_path / "t.csv").write_text(text, encoding="utf-8")
    with pytest.raises(ConstructError, match=said):
        parse_tasks(json.dumps({"tasks": [{**CAPITAL, "table": "t.csv"}]}), folder=Path(tmp_path))


def test_a_format_is_read_and_a_text_that_is_none_is_refused():
    text = json.dumps({"tasks": [CAPITAL], "format": "Q: {1}\nA: {y}"})
    assert parse_tasks(text).format == "Q: {1}\nA: {y}"
    assert parse_tasks(json.dumps({"tasks": [CAPITAL]})).format is None
    for wrong in (1, "", "{1}", "{y} {1}", ["{1}", "{y}"]):
        with pytest.raises(ConstructError, match="the format is"):
            parse_tasks(json.dumps({"tasks": [CAPITAL], "format": wrong}))


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
