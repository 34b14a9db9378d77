"""Tables of words in the forms in which people have them."""

import json

import pytest

from construct import ConstructError
from construct.spec.tables import form_of, gathered, read_table, refuse_several

PAIRS = [("France", "Paris"), ("Japan", "Tokyo")]
SAME = {
    "a.json": '{"France": "Paris", "Japan": "Tokyo"}',
    "b.json": '[{"input": "France", "output": "Paris"}, {"output": "Tokyo", "input": "Japan"}]',
    "c.json": '[["France", "Paris"], ["Japan", "Tokyo"]]',
    "d.jsonl": '{"input": "France", "output": "Paris"}\r\n \r\n["Japan", "Tokyo"]\n',
    "e.ndjson": '["France", "Paris"]\n["Japan", "Tokyo"]',
    "f.csv": "input,output\nFrance,Paris\n\nJapan,Tokyo",
    "g.csv": 'input;output\n"France";Paris\nJapan;Tokyo\n',
    "h.tsv": "input\toutput\r\nFrance\tParis\r\nJapan\tTokyo\r\n",
    "i.csv": "input,output\n France , Paris\nJapan,Tokyo\n",
    "j.json": '{"input": "France", "output": "Paris"}\n{"input": "Japan", "output": "Tokyo"}\n',
}


@pytest.mark.parametrize("name", SAME)
@pytest.mark.parametrize("anonymous", [False, True], ids=["by name", "by text"])
def test_all_forms_hold_the_same_pairs(name, anonymous):
    if anonymous and name.startswith("e"):
        assert form_of(SAME[name], "-") == "jsonl"
    table = read_table(SAME[name], "-" if anonymous else name)
    assert table.pairs(table.input, *table.outputs) == (PAIRS, 0)


def test_columns_have_the_names_of_the_first_line_or_of_the_fields():
    csv = read_table("country,capital,continent\nPeru,Lima,America\n", "places.csv")
    record = {"country": "Peru", "capital": "Lima", "continent": "America"}
    lines = read_table(json.dumps(record), "places.jsonl")
    for table in (csv, lines):
        assert (table.input, table.outputs) == ("country", ["capital", "continent"])
        assert table.pairs("continent", "country") == ([("America", "Peru")], 0)
        with pytest.raises(ConstructError, match=r"has no column 'city'; .*'country', 'capital'"):
            table.column("city")


def test_fields_beside_input_and_output_are_no_tasks():
    table = read_table('[{"id": 7, "input": "a", "output": "b"}]', "t.json")
    assert (table.input, table.outputs) == ("input", ["output"])


def test_without_a_header_the_first_line_is_words_too():
    table = read_table("France,Paris\nJapan,Tokyo\n", "t.csv", header=False)
    assert table.pairs("input", "output") == (PAIRS, 0)
    with pytest.raises(ConstructError, match=r"line 1 of t.csv has 3 cells"):
        read_table("a,b,c\n", "t.csv", header=False)


def test_a_list_in_place_of_an_output_is_several_and_a_number_its_digits():
    table = read_table('{"cat": ["chat", "chatte"], "two": 2}', "t.json")
    assert table.pairs("input", "output")[0] == [("cat", "chat"), ("cat", "chatte"), ("two", "2")]


def test_an_empty_cell_of_outputs_is_no_pair_and_is_counted():
    csv = read_table("a,b,c\nx,y,\nz,,w\n", "t.csv")
    assert csv.pairs("a", "b") == ([("x", "y")], 1)
    assert csv.pairs("a", "c") == ([("z", "w")], 1)
    records = read_table(
        '[{"input": "x", "output": null}, {"input": "y", "output": "z"}]', "t.json"
    )
    assert records.pairs("input", "output") == ([("y", "z")], 1)
    with pytest.raises(ConstructError, match=r"t.json has no word in its column 'output'"):
        read_table('[{"input": "x", "output": ""}]', "t.json").pairs("input", "output")


MALFORMED = {
    "": ("t.json", "t.json is not valid JSON"),
    "[]": ("t.json", "t.json is empty"),
    "{}": ("t.json", "t.json is empty"),
    "7": ("t.json", "record 1 of t.json is 7; it must be a record"),
    '[["a"]]': ("t.json", r"record 1 of t.json is \['a'\]; it must be a record"),
    '["a", "b"]': ("t.json", "record 1 of t.json is 'a'"),
    '[{"a": "b"}, {}]': ("t.json", "record 2 of t.json is {}"),
    '[{"a": "b", "a": "c"}]': ("t.json", "record 1 of t.json has a field twice"),
    '{"a": "b"': ("t.json", "t.json is not valid JSON"),
    '{"tasks": []}': ("t.json", "t.json is a task file already"),
    "[" * 100000: ("t.json", "t.json cannot be read"),
    '{"a": "b"}\n{"a": \n': ("t.jsonl", "line 2 of t.jsonl is not valid JSON"),
    "a\nb\n": ("t.csv", r"the first line of t.csv is \['a'\]; it must name at least two columns"),
    "a,a\nb,c\n": ("t.csv", "each in its own way"),
    "a,b\nc,d,e\n": ("t.csv", "line 2 of t.csv has 3 cells, the first line has 2; quote"),
    'a,b\n"c"x,d\n': ("t.csv", "line 2 of t.csv: "),
    "a\tb\n": ("t.tsv", "it needs a first line"),
}


@pytest.mark.parametrize("text", MALFORMED, ids=range(len(MALFORMED)))
def test_what_is_no_table_is_one_sentence(text):
    name, said = MALFORMED[text]
    with pytest.raises(ConstructError, match=said) as error:
        read_table(text, name)
    assert str(error.value).endswith(".")
    assert len(str(error.value)) < 400


def test_all_cells_that_are_no_words_are_named_up_to_ten():
    table = read_table(
        '[{"input": "a", "output": 1.5}, {"input": " b", "output": "c\\u200b"}]', "t"
    )
    with pytest.raises(ConstructError) as error:
        table.pairs("input", "output")
    for part in (
        "'output' of record 1 is 1.5",
        "'input' of record 2 ' b' has a space at an end",
        "'output' of record 2 'c\\u200b' holds U+200B ZERO WIDTH SPACE",
    ):
        assert part in str(error.value)
    many = read_table("a,b\n" + "x\u00ady,z\n" * 50, "t.csv")
    with pytest.raises(ConstructError, match="; and 40 more; a word is") as error:
        many.pairs("a", "b")
    assert str(error.value).count("SOFT HYPHEN") == 10


def test_inputs_with_several_outputs_are_counted_and_ten_are_named():
    images = gathered([(f"w{i % 12}", f"v{i}") for i in range(24)] + [("one", "a"), ("one", "a")])
    assert images["one"] == ["a"]
    assert images["w3"] == ["v3", "v15"]
    with pytest.raises(
        ConstructError, match=r"^it: 12 inputs have several .*; and 2 more\); mend\.$"
    ):
        refuse_several(images, "it", "mend")
    assert gathered([("caf\u00e9", "a"), ("cafe\u0301", "b")]) == {"caf\u00e9": ["a", "b"]}
