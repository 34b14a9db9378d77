"""What a picture of a stream shows is what the pass holds."""

import numpy as np
import pytest
from drawn import texts
from hypothesis import given
from hypothesis import strategies as st
from test_picture_parts import EXAMPLES, built

import construct
from construct import build, random_tasks
from construct.checking.sampling import random_prompts
from construct.show.picture import stream
from construct.show.picture.cells import Column, cell, short
from construct.show.picture.rows import rows_of, shown
from construct.show.picture.stream import panels_of
from construct.show.picture.svg import TIMES, width
from share import tried
from softmax.cases import vector_cases, word_cases

SPARE = 12  # rows above MOST that a picture may have


def capitals(design: str, times: int = 1) -> construct.inside.trace.Trace:
    made = built("capitals", design, 8 * times)
    lines = (EXAMPLES / "capitals-prompt.txt").read_text(encoding="utf-8").splitlines()
    return construct.trace(made, made.prompt("\n".join([*lines[:-1] * times, lines[-1]])))


@pytest.mark.parametrize("design", ["theorem", "decoder", "encoder"])
def test_the_capitals_show_answer_votes_and_words(design):
    picture = stream(capitals(design))
    found = texts(picture)
    assert "Answer: Tokyo 0.5, Japon 0.25, Asia 0.125, Yen 0.125" in found
    assert {"capital 4", "continent 1", "currency 1", "french 2"} <= {*found}
    assert {"France", "Paris", "Mexico", "Yen", "Japan"} <= {*found}
    assert {f"4{TIMES}Tokyo", f"0.5{TIMES}Tokyo"} & {*found}
    assert picture.count("a vote for ") == 8


@pytest.mark.parametrize("design", ["theorem", "decoder", "encoder"])
def test_each_panel_has_the_fields_that_the_layer_changed(design):
    trace = capitals(design)
    owned = [one.index for one in trace.tokens if one.owner]
    wanted = {}
    for layer in range(len(trace.layers) + 1):
        now = trace.states[layer][owned]
        before = trace.states[layer - 1][owned] if layer else 0 * now
        moved = (abs(now - before) > 1e-6).any(axis=0)
        if names := [f.name for f in trace.fields if moved[f.at].any()]:
            wanted[layer] = names
    found = {p.columns[0].layer: [c.field.name for c in p.columns] for p in panels_of(trace)}
    assert found == wanted
    assert all(
        panel.title.endswith(trace.layers[panel.columns[0].layer - 1].name)
        for panel in panels_of(trace)[1:]
    )


@pytest.mark.parametrize("times", [1, 2, 5, 40])
def test_every_token_stands_in_one_row_however_long_the_prompt_is(times):
    trace = capitals("theorem", times)
    rows = rows_of(trace)
    assert len(rows) <= 40 + SPARE
    places = [index for row in rows for index in row.tokens]
    assert places == [one.index for one in shown(trace)]
    assert [i for row in rows for i in row.ends] == list(range(8 * times))


def test_of_a_long_prompt_the_votes_of_its_middle_are_added_up():
    trace = capitals("theorem", 40)
    picture = stream(trace)
    assert {"capital 160", "continent 40", "currency 40", "french 80"} <= {*texts(picture)}
    votes = trace.answer.explains.astype(float)
    for row in rows_of(trace):
        if len(row.ends) > 1:
            first, last = row.ends[0], row.ends[-1]
            assert f"Σ {first + 1}–{last + 1}" in texts(picture)  # noqa: RUF001
            assert f"{votes[0, first : last + 1].sum():g} for capital" in picture


def test_an_example_with_many_tokens_is_short():
    made = build(random_tasks(12, 2), m=4, scratch=11)
    trace = construct.trace(made, random_prompts(made, 1)[0])
    assert trace.construction.sizes.length > 12
    rows = rows_of(trace)
    assert any("Σ" in row.role for row in rows)
    assert [i for row in rows for i in row.tokens] == [one.index for one in shown(trace)]


def test_a_prompt_without_examples_is_drawn():
    made = built("operands", "theorem")
    found = texts(stream(construct.trace(made, made.prompt([], [[1, 2], [3, 4]]))))
    assert "No example votes for a task" in found
    assert "query" in found


@given(st.one_of(vector_cases("decoder"), vector_cases("encoder")), st.booleans())
@tried(20)
def test_any_prompt_on_vectors_is_drawn(drawn, exact):
    case, prompt = drawn
    executor = "exact" if exact else "numpy"
    if not exact and not {"float64"} <= {*case.construction.certified}:
        return
    number = "exact" if exact else "float64"
    try:
        trace = construct.trace(case.construction, prompt.astype(number), executor=executor)
    except construct.ConstructError:  # rounded, it may be outside of the domain
        return
    found = texts(stream(trace))
    votes = trace.answer.explains.sum(axis=1)
    for task, count in zip(case.construction.tasks, votes.tolist(), strict=True):
        assert (f"{task.name} {float(count):.4g}" in found) == (count > 0)


@given(word_cases())
@tried(20)
def test_any_prompt_of_words_is_drawn(case):
    found = texts(stream(construct.trace(case.build(), case.prompt)))
    assert f"w{case.query}" in found


@given(st.floats(-1e9, 1e9), st.floats(20, 60))
def test_a_number_is_written_as_near_as_there_is_room(x, room):
    text = short(x, room)
    assert width(text, 10) <= room or text == "…"
    if text != "…" and x:
        assert float(text) == pytest.approx(x, rel=0.5)


def test_cells_of_words():
    made = built("capitals", "decoder")
    field = made.sizes.residual["tok"]
    names = tuple(made.vocabulary.words)

    def lines(values: dict[int, float], rest: float = 0.0, most: int = 6) -> tuple[str, ...]:
        value = np.full(field.width, float(rest))
        for at, x in values.items():
            value[at] = x
        return cell(Column(field, 1, 4.0, names), value, most).lines

    assert lines({2: 1}) == (names[2],)
    assert lines({2: 1, 5: 3}) == (f"3{TIMES}{names[5]}", f"1{TIMES}{names[2]}")
    assert lines({2: 1, 5: 3}, most=1) == (f"3{TIMES}{names[5]} +1",)
    assert lines({3: 0, 4: 0.693}, rest=-128) == (f"0.693{TIMES}{names[4]}", f"0{TIMES}{names[3]}")
    assert lines({}, rest=-128) == ("all -128",)
    assert lines({}) == ("0",)
    many = lines({i: i + 1 for i in range(9)})
    assert (len(many), many[-1]) == (6, "4 more")
