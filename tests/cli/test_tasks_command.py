"""`construct tasks`: from the tables that people have to a task file that builds."""

import json
from pathlib import Path

import pytest

from construct import parse_tasks

PLACES = "country,capital,continent\nFrance,Paris,Europe\nJapan,Tokyo,Asia\nPeru,,America\n"
FRENCH = [["cat", "chat"], ["cat", "chatte"], ["dog", "chien"], ["cat", "chat"]]


def tables(text: str) -> dict[str, dict[str, str]]:
    return {task.name: dict(task.definition["table"]) for task in parse_tasks(text).tasks}


def test_each_column_of_outputs_is_a_task(command):
    Path("places.csv").write_text(PLACES)
    done = command("tasks", "places.csv", "-o", "t.json")
    assert done.code == 0, done.err
    assert "left out    1 empty cell\n" in done.out
    text = Path("t.json").read_text()
    assert tables(text) == {
        "capital": {"France": "Paris", "Japan": "Tokyo"},
        "continent": {"France": "Europe", "Japan": "Asia", "Peru": "America"},
    }
    # The order of appearance, whatever is hashed how.
    assert list(parse_tasks(text).vocabulary)[:4] == ["France", "Paris", "Japan", "Tokyo"]
    assert command("tasks", "places.csv").out == text
    done = command("tasks", "places.csv", "--out", "u.json", "--json")
    report = {"file": "u.json", "tasks": {"capital": 2, "continent": 3}, "words": 8, "left_out": 1}
    assert json.loads(done.out) == report
    assert Path("u.json").read_text() == text
    assert command("build", "--tasks", "t.json", "-o", "a").code == 0


def test_columns_and_the_name_are_chosen(command):
    Path("places.csv").write_text(PLACES)
    arguments = ("--input", "continent", "--output", "country", "--name", "where")
    assert tables(command("tasks", "places.csv", *arguments).out) == {
        "where": {"Europe": "France", "Asia": "Japan", "America": "Peru"}
    }
    both = command("tasks", "places.csv", "--output", "continent", "--output", "capital").out
    assert list(tables(both)) == ["continent", "capital"]


def test_a_task_without_a_name_of_its_own_has_that_of_its_file(command):
    Path("antonym.json").write_text('[{"input": "hot", "output": "cold"}]')
    Path("plural.jsonl").write_text('{"input": "cat", "output": "cats"}\n')
    assert tables(command("tasks", "antonym.json", "plural.jsonl").out) == {
        "antonym": {"hot": "cold"},
        "plural": {"cat": "cats"},
    }


def test_inputs_with_several_outputs_are_refused_and_named(command):
    Path("fr.json").write_text(json.dumps(FRENCH))
    done = command("tasks", "fr.json", "-o", "t.json")
    assert done.code == 2
    assert "task 'fr' of fr.json: 1 input has several outputs ('cat': chat, chatte)" in done.err
    assert "--on-duplicate first or all" in done.err
    assert not Path("t.json").exists()


def test_of_several_outputs_the_first_is_kept_or_each_is_a_task(command):
    Path("fr.json").write_text(json.dumps(FRENCH))
    first = command("tasks", "fr.json", "--on-duplicate", "first").out
    assert tables(first) == {"fr": {"cat": "chat", "dog": "chien"}}
    every = command("tasks", "fr.json", "--on-duplicate", "all").out
    assert tables(every) == {"fr-1": {"cat": "chat", "dog": "chien"}, "fr-2": {"cat": "chatte"}}
    # Where no input has several, the name stays.
    Path("one.json").write_text('{"a": "b"}')
    assert tables(command("tasks", "one.json", "--on-duplicate", "all").out) == {"one": {"a": "b"}}


def test_each_example_of_tasks_made_of_several_outputs_has_one_vote(command):
    Path("fr.json").write_text(json.dumps([*FRENCH, ["bird", "oiseau"], ["bird", "oiselle"]]))
    command("tasks", "fr.json", "--on-duplicate", "all", "-o", "t.json")
    assert command("build", "--tasks", "t.json", "--m", 4, "-o", "a").code == 0
    Path("p.txt").write_text("cat -> chat\ncat -> chatte\ndog -> chien\nbird ->\n")
    said = json.loads(command("run", "a", "p.txt", "--json", "--executor", "exact").out)
    assert said["votes"] == {"fr-1": 2, "fr-2": 1}
    assert said["distribution"] == {"oiseau": "2/3", "oiselle": "1/3"}


def test_the_format_of_prompts_goes_into_the_task_file(command):
    Path("a.json").write_text('{"a": "b"}')
    made = command("tasks", "a.json", "--format", r"Q: {1}\nA: {y}").out
    assert parse_tasks(made).format == "Q: {1}\nA: {y}"


def test_a_first_line_of_words_is_not_lost(command):
    Path("fr.tsv").write_text("cat\tchat\ndog\tchien\n")
    made = command("tasks", "fr.tsv", "--no-header").out
    assert tables(made) == {"fr": {"cat": "chat", "dog": "chien"}}


WRONG = {
    "absent.csv": "cannot read absent.csv",
    "places.csv --input city": "places.csv has no column 'city'",
    "places.csv --output city": "places.csv has no column 'city'",
    "places.csv --input capital --output capital": "name one of inputs and another one of outputs",
    "places.csv --name x": "--name x names one task, but there are several",
    "a.json b/a.json": "two tasks are named 'a', the second of b/a.json",
    "places.csv --from json": "places.csv is not valid JSON",
    "a.json --format {1}": "the format is '{1}'",
    "a.json --format {1}{2}{y}": "has 2 operands",
    "a.json --json": "name it with --out",
    "a.json -o b": "cannot write b: ",
    "invisible.json": "'output' of record 1 'b\\u200b' holds U+200B ZERO WIDTH SPACE",
    "": "Missing argument 'FILE...'",
}


@pytest.mark.parametrize("line", WRONG)
def test_bad_usage_is_one_sentence(command, line):
    Path("places.csv").write_text(PLACES)
    Path("b").mkdir()
    for name in ("a.json", "b/a.json"):
        Path(name).write_text('{"a": "b"}')
    Path("invisible.json").write_text('{"a": "b\\u200b"}')
    before = sorted(map(str, Path().rglob("*")))
    done = command("tasks", *line.split())
    assert done.code == 2
    assert WRONG[line] in done.err
    assert done.out == ""
    assert sorted(map(str, Path().rglob("*"))) == before


@pytest.mark.parametrize("out", ["places.csv", "./places.csv", "notes.txt"])
def test_a_file_that_is_not_a_task_file_is_never_written_over(command, out):
    Path("places.csv").write_text(PLACES)
    Path("notes.txt").write_text("mine")
    before = Path(out).read_text()
    done = command("tasks", "places.csv", "-o", out)
    assert done.code == 2
    assert f"{Path(out)} exists and is not a task file; choose another name." in done.err
    assert Path(out).read_text() == before


def test_a_task_file_is_written_anew(command):
    Path("places.csv").write_text(PLACES)
    for _ in range(2):
        assert command("tasks", "places.csv", "-o", "t.json").code == 0


def test_a_table_where_a_task_file_belongs_says_what_makes_one(command):
    Path("places.csv").write_text(PLACES)
    done = command("build", "--tasks", "places.csv")
    assert done.code == 2
    assert "'construct tasks FILE -o tasks.json' makes one" in done.err
