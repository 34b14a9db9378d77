"""Pictures are well-formed, keep to the theme, and their texts fit."""

import re
from functools import cache
from xml.etree import ElementTree as ET

import pytest
from drawn import SPACE, assert_nothing_overlaps, boxes, measured, texts
from hypothesis import given
from hypothesis import strategies as st
from test_picture_parts import built

import construct
from construct import build, random_tasks
from construct.checking.sampling import random_prompts
from construct.show.picture import diagram, stream
from construct.show.picture.svg import Picture, fitted, plain, theme, width, wrapped

DESIGNS = ["theorem", "decoder", "encoder"]
# Printable, and in the font that measures.
LATIN = st.text(st.characters(min_codepoint=32, max_codepoint=0x17F, exclude_categories=["C", "Z"]))
NASTY = ["<b>&amp;</b>", "a & b", "\"quoted'", "🙂🙃", "]]>", "-->", "naïve", "é" * 60]


@given(LATIN, st.booleans(), st.booleans())
def test_no_text_is_wider_than_it_is_taken_for(text, bold, mono):
    assert measured(text, 12, bold, mono) <= width(text, 12, bold=bold, mono=mono) + 1e-6


@given(st.text(), st.integers(5, 400))
def test_what_is_fitted_fits_and_starts_the_same(text, room):
    found = fitted(text, room + 20, 12)
    assert width(found, 12) <= room + 20
    assert found.isprintable()


@given(
    st.lists(st.text(st.characters(categories=["L"]), min_size=1), min_size=1), st.integers(1, 4)
)
def test_wrapped_lines_fit_and_keep_the_words(words, most):
    text = " ".join(words)
    lines = wrapped(text, 150, 12, most=most)
    assert len(lines) <= most
    assert all(width(line, 12) <= 150 for line in lines)
    if not any("…" in line for line in lines):
        assert " ".join(lines) == text


@cache
def drawn(name: str, design: str) -> tuple[str, str]:
    if name == "K64":
        made = build(random_tasks(64, 16), m=12, design=design)
    else:
        made = built(name, design, 12)
    trace = construct.trace(made, random_prompts(made, 1, seed=3)[0])
    return diagram(made), stream(trace)


NAMES = ["capitals", "operands", "relu", "regression", "retrieval", "K64"]


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("name", NAMES)
def test_texts_neither_leave_the_picture_nor_meet(name, design):
    for picture in drawn(name, design):
        assert_nothing_overlaps(picture)


def test_texts_that_meet_would_be_noticed():
    moved = re.sub(
        r'(<text class="bold" x=")16(" y="28")', r"\g<1>-1\2", drawn("K64", "theorem")[1]
    )
    with pytest.raises(AssertionError):
        assert_nothing_overlaps(moved)
    one, *_, last = boxes(drawn("K64", "theorem")[0])
    assert one.meets(one)
    assert not one.meets(last)


@pytest.mark.parametrize("design", DESIGNS)
def test_it_is_small_enough_for_a_page_and_asks_for_nothing(design):
    for picture in drawn("K64", design):
        root = ET.fromstring(picture)
        assert float(root.get("width", "")) <= 960
        assert root.get("role") == "img"
        named = {element.get("id") for element in root if element.get("id")}
        assert {*root.get("aria-labelledby", "").split()} == named
        assert all((root.find(f"{SPACE}{tag}").text or "").strip() for tag in ("title", "desc"))
        assert "url(" not in picture
        assert "href" not in picture
        assert picture.count("http") == 1  # the name of SVG


def test_the_colours_are_those_of_the_theme():
    light, dark = theme()
    for picture in drawn("capitals", "theorem"):
        style = ET.fromstring(picture).find(f"{SPACE}style").text
        day, night = style.split("@media (prefers-color-scheme: dark)")
        for rules, variables in ((day, light), (night, dark)):
            for colour in re.findall(r"#[0-9a-f]+", rules):
                assert colour in variables.values()
            for one in re.findall(r"rgb\(([^)]*)\)", rules):
                assert one.replace(",", "") in variables.values()
        classes = {
            name for e in ET.fromstring(picture).iter() for name in e.get("class", "").split()
        }
        for name in classes - {"construct"}:
            assert f".construct .{name} {{" in day
        # What is drawn has a colour from a class alone.
        assert not re.search(r'\b(fill|stroke|style)="', picture)


def test_names_and_words_of_any_kind_are_escaped():
    words = construct.Vocabulary([*NASTY, "x"])
    tasks = [
        construct.lookup(f"{name} {i}", {a: b}, vocabulary=words)
        for i, (name, a, b) in enumerate(zip(NASTY, NASTY, [*NASTY[1:], "x"], strict=True))
    ]
    made = build(tasks, m=10, vocabulary=words, design="decoder")
    prompt = made.prompt(
        [[a, b] for a, b in zip(NASTY, [*NASTY[1:], "x"], strict=True)], [NASTY[0]]
    )
    for picture in (diagram(made), stream(construct.trace(made, prompt))):
        found = texts(picture)
        assert all(text.isprintable() for text in found)
        assert any("<b>&amp;" in text for text in found)
        assert any("a & b" in text for text in found)


@given(st.text())
def test_any_text_makes_a_file_that_xml_reads(text):
    picture = Picture(text, text)
    picture.text(1, 2, text)
    picture.add("line", "line", said=text)
    root = ET.fromstring(picture.finished(10, 10).encode("utf-8"))
    assert (root.find(f"{SPACE}text").text or "").strip() == plain(text).strip()


def test_pictures_are_the_same_each_time():
    again = build(random_tasks(64, 16), m=12)
    assert diagram(again) == drawn("K64", "theorem")[0]
    trace = construct.trace(again, random_prompts(again, 1, seed=3)[0])
    assert stream(trace) == drawn("K64", "theorem")[1]


@pytest.mark.parametrize("draw", [diagram, stream])
def test_anything_else_is_refused_in_one_sentence(draw):
    with pytest.raises(construct.ConstructError, match=r"^[^.]*construct\.\w+"):
        draw("theorem")
