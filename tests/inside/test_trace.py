"""What a trace says of itself: tokens, fields, heads by name, patches that change nothing."""

import sys
from fractions import Fraction
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from construct import (
    ConstructError,
    Construction,
    OutsideDomain,
    Prompt,
    Trace,
    Vocabulary,
    affine,
    build,
    lookup,
    mixture,
    run,
    trace,
)
from construct.checking.sampling import random_prompts
from inside.cases import insides, patches
from inside.exact import scores_of
from share import tried

WORDS = ["France", "Paris", "Europe", "Japan", "Tokyo", "Asia"]
TABLES = {
    "capital": {"France": "Paris", "Japan": "Tokyo"},
    "continent": {"France": "Europe", "Japan": "Asia"},
}


@cache
def places(design: str = "theorem") -> Construction:
    words = Vocabulary(WORDS)
    tasks = [lookup(name, table, vocabulary=words) for name, table in TABLES.items()]
    return build(tasks, m=3, vocabulary=words, design=design)


def inside(design: str = "theorem", **how: str) -> Trace:
    made = places(design)
    return trace(made, made.prompt("France -> Paris\nFrance -> Europe\nJapan ->"), **how)


# --- Tokens --------------------------------------------------------------------------


EXAMPLES = ["example 1, input 1: France", "example 1, label: Paris"]
EXAMPLES += ["example 2, input 1: France", "example 2, label: Europe"]
QUERY = ["query, input 1: Japan", "query, answer"]


@pytest.mark.parametrize(
    ("design", "said"),
    [
        ("theorem", [*EXAMPLES, "blank", "blank", *QUERY]),
        # Nothing comes after the last input of a decoder's query.
        ("decoder", ["sink", *EXAMPLES, QUERY[0], "blank", "blank"]),
        ("encoder", ["sink", *EXAMPLES, "blank", "blank", *QUERY]),
    ],
)
def test_tokens_are_what_the_prompt_has_there(design, said):
    done = inside(design)
    assert list(map(str, done.tokens)) == said
    assert [token.index for token in done.tokens] == list(range(len(said)))
    assert said[done.answer_token] == (QUERY[0] if design == "decoder" else "query, answer")
    assert str(done.tokens[done.token("query", 1)]) == QUERY[0]


@tried(30)
@given(insides())
def test_tokens_hold_what_was_embedded_and_are_found_by_their_place(case):
    done = case.trace()
    prompt, sizes = done.prompt, case.construction.sizes
    tok, seen = done.field("tok", layer=0), 0
    assert len(done.tokens) == len(tok)
    for token in done.tokens:
        if token.owner:
            assert done.token("query" if token.query else token.example, token.position) == (
                token.index
            )
        if token.kind == "input":
            row = (prompt.query if token.query else prompt.X[token.example])[token.position - 1]
        elif token.kind == "label":
            row = prompt.Y[token.example]
        else:
            row = np.zeros(sizes.d)
        seen += token.kind in ("input", "label")
        assert (tok[token.index] == row).all()
    assert seen == len(prompt.X) * sizes.n + sizes.n - 1
    query = {token.index for token in done.tokens if token.query}
    assert done.answer_token == max(query)


def test_a_token_that_is_not_there_is_refused_whatever_is_asked_for():
    done, decoder = inside(), inside("decoder")
    for example, position in (
        (2, 1),
        (-1, 1),
        (0, 3),
        (0, 0),
        ("query", "x"),
        (None, 1),
        (0, True),
    ):
        with pytest.raises(ConstructError, match="example from 0 to 1 or 'query'"):
            done.token(example, position)
    with pytest.raises(ConstructError, match="the query of a decoder has no label"):
        decoder.token("query", "label")
    assert done.token(np.int64(1), np.int64(1)) == 2
    made = places()
    alone = trace(made, made.prompt("Japan ->"))
    with pytest.raises(ConstructError, match="give the example 'query', and"):
        alone.token(0, 1)


# --- Fields and heads ----------------------------------------------------------------


def test_fields_are_views_that_nobody_writes_to():
    done = inside()
    assert {field.name for field in done.fields} >= {"tok", "lab", "cnt", "tot"}
    assert (done.field("cnt") == done.field("cnt", layer=7)).all()
    assert np.shares_memory(done.field("lab"), done.states)
    for array in (done.field("lab"), done.states, done.attended):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
    with pytest.raises(ConstructError, match=r"no field 'count'; choose one of: tok, lab, "):
        done.field("count")


def test_a_layer_that_is_none_is_refused_whatever_is_asked_for():
    done = inside()
    for layer in (-1, 8, 1.0, True, "4", None):
        with pytest.raises(ConstructError, match="whole number from 1 to 7"):
            done.scores[layer, 0]


def test_heads_are_found_by_number_and_by_name_whatever_is_asked_for():
    done = inside()
    assert done.scores[4, "continent"] is done.scores[4, 1] is done.scores[4, np.int64(1)]
    assert list(done.scores[4, "continent"]) == [(2, 2, 1.0)]
    assert len(done.scores) == len(set(done.scores)) == 7
    assert (4, "capital") in done.scores
    assert (4, "label") not in done.scores
    assert 4 not in done.scores
    assert done.scores.get((9, 0)) is None
    assert not len(done.scores[1, 0])  # idle
    with pytest.raises(ConstructError, match="or one of: capital, continent"):
        done.scores[4, "label"]
    with pytest.raises(ConstructError, match="no name, all are idle"):
        done.scores[1, "label"]
    with pytest.raises(ConstructError, match=r"scores\[layer, head\]"):
        done.scores[4]


@tried(20)
@given(insides())
def test_heads_that_do_something_are_those_with_pairs_to_ask_for(case):
    """Of softmax a head that scores nothing attends all the same, as far as it writes."""
    done = case.trace()
    busy = set(done.scores)
    for number, layer in enumerate(done.layers, 1):
        for k in range(len(layer.heads)):
            given = done.attended[number - 1, k].any()
            assert (number, k) in busy or not given


def test_the_closest_score_is_how_far_a_match_is_from_a_mismatch():
    """Labels at distance^2 2 from a word's: the score of a match is 1, and the next is -1."""
    done = inside()
    assert done.scores[4, "capital"].closest == (-1, 1)
    outside, least = inside("encoder").scores[2, "capital"].closest
    assert 0 <= outside < places("encoder").leak < least


# --- Passes -----------------------------------------------------------------------------


@tried(30)
@given(insides())
def test_a_trace_is_the_pass_of_run(case):
    done, said = case.trace(), run(case.construction, case.prompt, executor="numpy")
    assert done.answer.votes == said.votes
    assert (done.answer.answer == said.answer).all()
    assert (done.answer.explains == said.explains).all()
    assert repr(done).startswith(f"Trace({len(done.layers)} layers, ")


FORMATS = {"numpy": ["float64", "float32"], "jax": ["float32"], "torch": ["float32"]}
FORMATS["sparse"] = ["float64"]


def test_executors_and_formats_are_those_of_run():
    assert inside().executor == "numpy"
    for executor, formats in FORMATS.items():
        for dtype in formats:
            done = inside(executor=executor, dtype=dtype)
            assert (done.executor, done.dtype) == (executor, dtype)
            assert {done.states.dtype, done.attended.dtype} == {np.dtype(dtype)}
            assert {done.scores[key].values.dtype for key in done.scores} == {np.dtype(dtype)}
            assert done.answer.by_task == {"capital": 0.5, "continent": 0.5}
    with pytest.raises(ConstructError, match="no executor 'none'"):
        inside(executor="none")
    with pytest.raises(ConstructError, match="no softmax attention"):
        inside("decoder", executor="sparse")


def test_long_prompts_do_not_run_where_all_scores_are_held(monkeypatch):
    monkeypatch.setattr(sys.modules[Trace.__module__], "MOST_HELD", places().sizes.N ** 2 - 1)
    assert inside().executor == "jax"


def test_a_prompt_outside_the_domain_is_refused():
    made = build([affine("f", [[1]])], m=1)
    with pytest.raises(OutsideDomain):
        trace(made, Prompt.of([], [[1000]]))


# --- Patches ----------------------------------------------------------------------------


@tried(40)
@given(insides(), st.data())
def test_a_patch_with_what_is_there_changes_nothing(case, data):
    done = case.trace()
    patch = data.draw(patches(done))
    tokens = list(range(len(done.tokens))) if patch.tokens is None else patch.tokens
    there = done.field(patch.name, layer=patch.layer)[tokens]
    same = done.patched(patch.name, there, layer=patch.layer, tokens=patch.tokens)
    assert (same.states == done.states).all()
    assert (same.attended == done.attended).all()
    assert (same.answer.answer == done.answer.answer).all()


@tried(30)
@given(insides(), st.integers(-3, 3))
def test_a_patch_after_the_last_layer_is_what_is_read(case, value):
    done = case.trace()
    last = len(done.layers)
    for field in done.fields:
        done = done.patched(field.name, value, layer=last)
    assert (done.states[-1] == value).all()
    assert (done.states[:-1] == case.trace().states[:-1]).all()
    logits = case.construction.softmax is not None and case.construction.softmax.logits
    if not logits:
        assert (done.answer.answer == value).all()


@tried(20)
@given(insides(("theorem, whole numbers", "theorem, general")))
def test_votes_that_are_taken_away_before_they_are_pooled_are_not_in_the_answer(case):
    """Without what example i found, the answer is that of the prompt without the example."""
    made, prompt, done = case.construction, case.prompt, case.trace("exact")
    length = made.sizes.length
    for i in range(len(prompt.X)):
        own = [done.token(i, position) for position in range(1, length + 1)]
        less = done.patched("out", 0, layer=4, tokens=own).patched("cnt", 0, layer=4, tokens=own)
        X, Y = (np.delete(array, i, axis=0) for array in (prompt.X, prompt.Y))
        rest = mixture(made.held, Prompt(X, Y, prompt.query), **apart(made))
        if any(task.epsilon for task in made.held):
            total = less.field("tot")[less.answer_token, 0]
            assert total == sum(rest_of(done, i))
        else:
            assert less.answer.answer.tolist() == rest.answer.tolist()


def apart(made: Construction) -> dict:
    return {"delta": made.domain.delta, "tau": made.domain.tau}


def rest_of(done: Trace, example: int) -> list:
    return np.delete(done.answer.explains, example, axis=1).sum(axis=1).tolist()


def test_a_label_that_is_set_to_another_moves_the_answer():
    done = inside()
    first, second = done.token(0, 1), done.token(1, 1)
    moved = done.patched("lab", done.field("lab", layer=2)[second], layer=2, tokens=first)
    assert moved.answer.distribution == {"Asia": 1.0}
    assert done.answer.distribution == {"Tokyo": 0.5, "Asia": 0.5}
    # The trace of the pass itself is as it was.
    assert (done.states == inside().states).all()


@pytest.mark.parametrize("executor", ["numpy", "jax", "sparse", "exact"])
def test_after_a_patch_heads_may_reach_where_they_cannot_otherwise(executor):
    """A token with the code of another example reads that one's label; the sparse executor would
    not look there."""
    done = inside(executor=executor)
    first = done.token(0, 1)
    other = done.field("pe", layer=0)[done.token(1, 1)]
    moved = done.patched("pe", other, layer=1, tokens=[first])
    label = [(asks, reads) for asks, reads, _ in moved.scores[2, "label"]]
    assert (first, done.token(1, "label")) in label
    assert (first, done.token(0, "label")) not in label
    assert (moved.field("lab", layer=2)[first] == moved.field("lab", layer=2)[2]).all()
    assert moved.executor == ("jax" if executor == "sparse" else executor)
    for key in moved.scores:
        head = moved.layers[key[0] - 1].heads[key[1]]
        wanted = scores_of(places().transformer, head, moved.states[key[0] - 1])
        assert (moved.scores[key].dense() == wanted).all()


def test_each_form_of_a_value():
    done, tokens = inside(), [0, 2]
    assert done.patched("cnt", [5, 6], layer=3, tokens=tokens).states[3, 2, -4] == 6
    one = done.patched("lab", range(6), layer=3, tokens=tokens)
    assert (one.field("lab", layer=3)[tokens] == np.arange(6)).all()
    both = done.patched("lab", np.arange(12).reshape(2, 6), layer=3, tokens=tokens)
    assert both.field("lab", layer=3)[2].tolist() == [6, 7, 8, 9, 10, 11]
    third = inside(executor="exact").patched("cnt", Fraction(1, 3), layer=3, tokens=0)
    assert third.field("cnt", layer=3)[0, 0] == Fraction(1, 3)
    assert done.patched("cnt", Fraction(1, 4), layer=3).field("cnt", layer=3)[0, 0] == 0.25


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": "cnt2"}, "no field 'cnt2'"),
        ({"layer": 8}, "from 0 to 7"),
        ({"layer": -1}, "from 0 to 7"),
        ({"tokens": [8]}, "indices of tokens from 0 to 7"),
        ({"tokens": -1}, "indices of tokens"),
        ({"tokens": []}, "indices of tokens"),
        ({"tokens": [0.0]}, "indices of tokens"),
        ({"tokens": [[0]]}, "indices of tokens"),
        ({"tokens": [[0], [1, 2]]}, "indices of tokens"),
        ({"value": [1, 2]}, r"an array of shape \(1,\) or \(1, 1\)"),
        ({"value": [[1], [2, 3]]}, "does not fit"),
        ({"value": "one"}, "finite real numbers"),
        ({"value": None}, "finite real numbers"),
        ({"value": True}, "finite real numbers"),
        ({"value": float("nan")}, "finite real numbers"),
        ({"value": 10**400}, "beyond the range of float64"),
    ],
)
def test_a_patch_that_cannot_be_is_refused_in_a_sentence_whatever_it_is(change, said):
    patch = {"name": "cnt", "value": 1, "layer": 4, "tokens": [0], **change}
    with pytest.raises(ConstructError, match=said):
        inside().patched(patch.pop("name"), patch.pop("value"), **patch)


def test_a_number_beyond_float32_is_refused_there():
    with pytest.raises(ConstructError, match="beyond the range of float32"):
        inside(dtype="float32").patched("cnt", 1e39, layer=4)


# --- Arrays -----------------------------------------------------------------------------


@tried(20)
@given(insides())
def test_the_arrays_hold_the_whole_trace(case):
    done = case.trace()
    arrays = done.to_arrays()
    assert all(array.dtype.kind in "fiubU" for array in arrays.values())
    assert (arrays["states"] == done.states).all()
    rows = zip(
        *(arrays[f"score_{name}"].tolist() for name in ("layer", "head", "asks", "reads", "value")),
        strict=True,
    )
    wanted = [(*key, *pair) for key in done.scores for pair in done.scores[key]]
    assert list(rows) == wanted
    heads = zip(arrays["head_layer"], arrays["head_number"], arrays["head_name"], strict=True)
    for layer, number, name in heads:
        assert done.scores[int(layer), str(name)] is done.scores[int(layer), int(number)]
    for name, start, width in zip(
        *(arrays[f"field_{what}"] for what in ("name", "start", "width")), strict=True
    ):
        assert (done.states[..., start : start + width][-1] == done.field(str(name))).all()
    assert arrays["token_text"].tolist() == [token.text for token in done.tokens]


def test_rationals_are_texts():
    made = build([affine("f", [["1/3"]]), affine("g", [[2]])], m=3)
    prompt = random_prompts(made, 1, exact=True)[0]
    done = trace(made, prompt, executor="exact")
    arrays = done.to_arrays()
    assert arrays["states"].shape == done.states.shape
    again = [Fraction(text) for text in arrays["states"].ravel()]
    assert again == done.states.ravel().tolist()
    assert [Fraction(text) for text in arrays["votes"]] == list(done.answer.votes)
