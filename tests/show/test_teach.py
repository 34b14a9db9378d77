"""The page to teach with, as a file: what it holds, and what it is made of."""

import json
import re
from functools import cache
from importlib.resources import files

import numpy as np
import pytest
from scipy.sparse import coo_array

import construct
from construct import ConstructError
from construct.show import teach

WORDS = construct.Vocabulary(["France", "Paris", "Europe", "Japan", "Tokyo", "Asia", "</script>"])
TABLES = {
    "capital": {"France": "Paris", "Japan": "Tokyo"},
    "continent": {"France": "Europe", "Japan": "Asia", "Paris": "Europe"},
}


@cache
def places(**options):
    tasks = [construct.lookup(name, table, vocabulary=WORDS) for name, table in TABLES.items()]
    return construct.build(tasks, vocabulary=WORDS, m=8, **options)


def data_in(text):
    [found] = re.findall(r'<script type="application/json" id="data">(.*?)</script>', text)
    return json.loads(found)


def test_the_page_holds_every_weight_that_is_not_zero():
    data = data_in(teach.page(places()))
    weights = places().transformer.weights()
    assert list(data["weights"]) == list(weights)
    for name, weight in weights.items():
        given = data["weights"][name]
        found = coo_array((given["values"], (given["at"], given["to"])), given["shape"])
        assert len(given["values"]) == weight.count_nonzero()
        assert np.array_equal(found.toarray(), weight.toarray())
    assert data["answer"] == places().transformer.answer


def test_the_page_says_what_stands_where():
    data = data_in(teach.page(places(), counts={"continent": 3}, query="Japan"))
    assert data["words"] == list(WORDS)
    assert [task["name"] for task in data["tasks"]] == list(TABLES)
    for task in data["tasks"]:
        pairs = {WORDS.words[x]: WORDS.words[y] for x, y in task["table"]}
        assert pairs == TABLES[task["name"]]
    # A query has an answer in every task.
    assert [WORDS.words[i] for i in data["queries"]] == ["France", "Japan"]
    assert data["start"]["counts"] == [0, 3, 0]
    assert WORDS.words[data["start"]["query"]] == "Japan"
    layers = places().transformer.layers
    assert [layer["name"] for layer in data["layers"]] == [layer.name for layer in layers]
    heads = [head.name for head in layers[data["votes"] - 1].heads]
    assert heads == list(TABLES)
    assert [field["name"] for field in data["fields"]] == [
        field.name for field in places().sizes.residual.fields
    ]


def test_the_page_is_one_file_that_names_no_other():
    text = teach.page(places())
    assert "default-src 'none'" in text
    assert not re.findall(r"https?:|//[a-z]|@import|url\(|<link|<img| src=", text)
    assert text.count("</script>") == 2
    assert all(place not in text for place in (teach.STYLE, teach.DATA, teach.SCRIPT))
    assert teach.page(places()) == text


def test_a_page_is_known_again(tmp_path):
    path = tmp_path / "teach.html"
    assert not teach.is_page(path)
    path.write_text(teach.page(places()), encoding="utf-8")
    assert teach.is_page(path)
    path.write_text("<!doctype html>")
    assert not teach.is_page(path)


def test_by_default_the_tasks_have_about_as_many_examples():
    assert data_in(teach.page(places()))["start"]["counts"] == [1, 2, 0]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"query": "Narnia"}, "'Narnia' is not in this vocabulary"),
        ({"query": "Paris"}, "the tasks have no answer for 'Paris'"),
        ({"query": 7}, "query is 7"),
        ({"counts": {"anthem": 1}}, r"cannot start with the examples \{'anthem': 1\}"),
        ({"counts": {"capital": 9}}, "at most 8 in all"),
        ({"counts": {"capital": -1}}, "whole numbers from 0"),
    ],
)
def test_what_it_cannot_start_with_is_said(options, said):
    with pytest.raises(ConstructError, match=said):
        teach.page(places(), **options)


def test_other_designs_and_other_tasks_are_refused():
    with pytest.raises(ConstructError, match="the design 'decoder' has softmax"):
        teach.page(places(design="decoder"))
    turn = construct.affine("turn", [[0, -1], [1, 0]])
    with pytest.raises(ConstructError, match=r"has to be a look-up .* \(not turn\)"):
        teach.page(construct.build([turn], m=2))
    pairs = construct.lookup("pair", [[["France", "Asia"], "Paris"]], vocabulary=WORDS)
    with pytest.raises(ConstructError, match=r"one word to one word \(not pair\)"):
        teach.page(construct.build([pairs], vocabulary=WORDS, m=2))


@pytest.mark.parametrize("name", [*teach.SCRIPTS, "page.css", "page.html"])
def test_its_parts_are_short(name):
    lines = (files("construct.show") / "teach" / name).read_text(encoding="utf-8").splitlines()
    assert 0 < len(lines) <= 400
    assert max(map(len, lines)) <= 100
