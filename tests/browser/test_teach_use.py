"""The page to teach with as people use it: sliders, keys, addresses, readers of the screen."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

import construct
from construct.cli.countries import country_tasks, telling_query
from construct.show import teach
from teaching import COUNTS, SAID, countries, written

MINUS = "\N{MINUS SIGN}"
SCHEMES = ("light", "dark")
WIDE, NARROW = (1280, 900), (390, 844)


@pytest.fixture
def page(opened, tmp_path) -> Page:
    return opened(written(tmp_path))


def trace_of(page: Page) -> construct.Trace:
    made = countries()
    return construct.trace(made, made.prompt(page.text_content("#text") or ""), dtype="float64")


def shown(x: float) -> str:
    """A number as the page writes it: six digits."""
    return f"{x:.6g}"


def holds(trace: construct.Trace, token: int, name: str, layer: int) -> str:
    """What a cell of the map says."""
    values = trace.field(name, layer=layer)[token].tolist()
    if not any(values):
        return "0"
    if len(values) == trace.construction.sizes.d:
        words = list(trace.construction.vocabulary or ())
        held = sorted(
            ((x, w) for x, w in zip(values, words, strict=True) if x), key=lambda p: -p[0]
        )
        return " + ".join(w if x == 1 else f"{shown(x)}·{w}" for x, w in held)
    if len(values) > 1:
        return "".join("+" if x > 0 else MINUS for x in values)
    return shown(values[0])


def test_it_starts_with_the_demos_counts_and_query(page):
    assert page.locator("#sliders output").all_text_contents() == [
        *map(str, COUNTS.values()),
        "0",
    ]
    query = telling_query(country_tasks())
    assert page.text_content("#h-answer") == f"The answer for {query}"
    total = sum(COUNTS.values())
    shares = [f"{100 * count / total:.4g} %" for count in COUNTS.values()]
    assert page.locator("#bars .share").all_text_contents() == shares
    whys = [f"{name}: {count} of {total} votes" for name, count in COUNTS.items()]
    assert page.locator("#bars .why").all_text_contents() == whys


def test_the_map_has_what_numpy_has_after_every_layer(page):
    trace, e = trace_of(page), sum(COUNTS.values())
    length, m = countries().sizes.length, countries().sizes.m
    tokens = [m * length, m * length + 1, *range(e * length)]
    for layer in range(len(trace.layers) + 1):
        page.locator("#steps button").nth(layer).click()
        expect(page.locator("#steps button").nth(layer)).to_have_attribute("aria-current", "true")
        rows = page.evaluate(
            """[...document.querySelectorAll("#map tbody tr")].map(
                row => [...row.cells].slice(1).map(cell => cell.firstChild.textContent))"""
        )
        names = [field.name for field in trace.fields]
        assert rows == [[holds(trace, t, name, layer) for name in names] for t in tokens]
        marked = page.evaluate(
            """[...document.querySelectorAll("#map tbody tr")].map(
                row => [...row.cells].slice(1).map(cell => cell.classList.contains("changed")))"""
        )
        before = trace.states[max(layer - 1, 0)] != trace.states[layer]
        assert marked == [[bool(before[t, f.at].any()) for f in trace.fields] for t in tokens]


def test_the_sentences_and_the_formula_have_the_numbers_of_the_prompt(page):
    for i, said in enumerate(
        [
            f"{sum(COUNTS.values())} examples of two tokens",
            "all heads of this layer are idle",
            "label of its own example",
            telling_query(country_tasks()),
            ", ".join(f"{name} {count}" for name, count in COUNTS.items()),
            f"{sum(COUNTS.values())} votes",
            f"{countries().sizes.N} / {sum(COUNTS.values())} = ",
            "40 % Berlin".replace("Berlin", tables()["capital"]),
        ]
    ):
        page.locator("#steps button").nth(i).click()
        expect(page.locator("#sentence")).to_contain_text(said)
    formula = page.inner_text("#formula")
    assert " + ".join(f"{c}·{tables()[name]}" for name, c in COUNTS.items()) in formula
    assert f"{' + '.join(map(str, COUNTS.values()))} = {sum(COUNTS.values())}" in formula


def tables() -> dict[str, str]:
    """What each task answers to the query."""
    query = telling_query(country_tasks())
    return {task["name"]: task["table"][query] for task in country_tasks()["tasks"]}


def test_without_a_vote_the_answer_is_0_and_that_is_said(page):
    for k in range(len(COUNTS) + 1):
        page.fill(f"#slider-{k}", "0")
    expect(page.locator("#note")).to_contain_text("No example votes")
    assert set(page.locator("#bars .share").all_text_contents()) == {"0 %"}
    page.fill(f"#slider-{len(COUNTS)}", "3")
    expect(page.locator("#note")).to_contain_text("3 examples fit no task: no vote.")
    assert page.locator("#prompt .found").all_text_contents() == ["no task"] * 3


def test_examples_of_several_tasks_vote_for_each(page):
    page.check("#several")
    expect(page.locator("#note")).to_contain_text("more than one task")
    several = [len(tasks) for tasks in page.evaluate("construct.shown().voters")]
    assert max(several) > 1
    total = sum(several)
    assert total > sum(COUNTS.values())
    expect(page.locator("#bars .why").first).to_contain_text(f"of {total} votes")


def test_sliders_by_keyboard_and_their_limit(page):
    slider = page.locator("#slider-1")
    slider.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#sliders output").nth(1)).to_have_text("3")
    assert slider.get_attribute("aria-valuetext") == "3 examples"
    page.keyboard.press("End")
    room = countries().sizes.m - sum(COUNTS.values()) + COUNTS["continent"]
    expect(page.locator("#sliders output").nth(1)).to_have_text(str(room))
    expect(page.locator("#room")).to_contain_text("takes no more")
    assert slider.input_value() == str(room)
    # The keys of a slider do not step through the layers.
    expect(page.locator("#steps button").first).to_have_attribute("aria-current", "true")


def test_layers_and_the_map_by_keyboard(page):
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#layer-name")).to_have_text("Layer 2: label")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#layer-name")).to_have_text("Layer 1: gather")
    page.locator("#map td[tabindex='0']").focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowRight"):
        page.keyboard.press(key)
    # Still the same layer: here the arrows move in the map.
    expect(page.locator("#layer-name")).to_have_text("Layer 1: gather")
    expect(page.locator("#numbers h3")).to_have_text("Example 1, label")
    focused = page.evaluate(
        "[...'row column'.split(' ')].map(x => document.activeElement.dataset[x])"
    )
    assert focused == ["3", "1"]
    assert page.locator("#map td[tabindex='0']").count() == 1
    assert page.locator("#map td[aria-selected='true']").count() == 1
    page.locator("#next").click()
    expect(page.locator("#numbers")).to_contain_text("after layer 2, label")
    expect(page.locator("#numbers")).to_contain_text("Head label read")


def test_the_address_keeps_the_setting(page, opened, tmp_path):
    page.fill("#slider-0", "5")
    page.select_option("#query", label="Sweden")
    page.click("#others")
    page.fill("#slider-4", "2")
    page.check("#several")
    page.locator("#steps button").nth(6).click()
    expect(page).to_have_url(re.compile("seed=2&several=1&layer=6$"))
    said, layer = page.evaluate(SAID), page.text_content("#layer-name")
    address = page.evaluate("location.hash")
    other = opened(tmp_path / "teach.html")
    assert other.evaluate(SAID) != said
    other.evaluate("hash => { location.hash = hash; }", address)
    expect(other.locator("#layer-name")).to_have_text(layer or "")
    assert other.evaluate(SAID) == said


@pytest.mark.parametrize(
    "address",
    [
        "#c=99,0,0,0,0",
        "#c=20,20,0,0,0",
        "#c=1,2",
        "#c=a,b,c,d,e",
        "#query=Narnia",
        "#layer=8&seed=x",
    ],
)
def test_an_address_that_fits_nothing_is_left_out(page, address):
    said = page.evaluate(SAID)
    page.evaluate("hash => { location.hash = hash; }", address)
    page.wait_for_timeout(50)
    assert page.evaluate(SAID) == said


def test_a_weight_changed_in_the_page_shows(page):
    answer = page.locator("#bars .share").all_text_contents()
    page.evaluate(
        """() => {
            const { network, show } = construct;
            const { to, starts } = network.weights["layers.4.heads.0.W_K"];
            const row = starts.findIndex((start, i) => starts[i + 1] > start);
            network.change("layers.4.heads.0.W_K", row, to[starts[row]], 0);
            show();
        }"""
    )
    assert page.locator("#bars .share").all_text_contents() != answer


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_nothing_bars_anyone(size, scheme, opened, tmp_path, shots):
    page = opened(written(tmp_path), *size, color_scheme=scheme, reduced_motion="reduce")
    for layer in (0, 4, 7):
        page.locator("#steps button").nth(layer).click()
        for summary in page.locator("summary").all():
            if layer == 7:
                summary.click()
        expect(page.locator("#steps button").nth(layer)).to_have_attribute("aria-current", "true")
        assert page.evaluate("document.documentElement.scrollWidth") == size[0]
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        name = f"teach-{'wide' if size == WIDE else 'narrow'}-{scheme}-{layer}.png"
        page.screenshot(path=shots / name, full_page=True)


def test_every_control_has_a_name(page):
    for control in page.locator("button, select, input").all():
        name = control.evaluate("x => x.textContent.trim() || x.labels?.[0]?.textContent.trim()")
        assert re.search(r"\w", name or "")


@pytest.mark.parametrize(
    ("name", "size", "scheme"),
    [("teach-wide-light", (1280, 1600), "light"), ("teach-narrow-dark", (390, 1560), "dark")],
)
def test_pictures_for_the_documents(name, size, scheme, opened, tmp_path, shots):
    """docs/teach-wide-light.png and docs/teach-narrow-dark.png are copies of these."""
    page = opened(written(tmp_path), *size, color_scheme=scheme, reduced_motion="reduce")
    page.evaluate("location.hash = '#c=4,1,3,2,0&layer=4'")
    expect(page.locator("#layer-name")).to_have_text("Layer 4: superpose")
    page.locator("#map td[data-row='2'][data-column='3']").click()
    expect(page.locator("#numbers h3")).to_have_text("Example 1, input")
    page.evaluate("scrollTo(0, 0)")
    page.screenshot(path=shots / f"{name}.png")
    assert (shots / f"{name}.png").stat().st_size < 300_000


def test_a_small_table_has_no_more_examples_than_entries(opened, tmp_path):
    words = construct.Vocabulary(["France", "Paris", "Europe", "Japan", "Tokyo", "Asia"])
    tables = {
        "capital": {"France": "Paris", "Japan": "Tokyo"},
        "continent": {"France": "Europe", "Japan": "Asia", "Paris": "Europe"},
    }
    tasks = [construct.lookup(name, table, vocabulary=words) for name, table in tables.items()]
    path = tmp_path / "small.html"
    path.write_text(teach.page(construct.build(tasks, vocabulary=words, m=8)), encoding="utf-8")
    page = opened(path)
    page.evaluate("location.hash = '#c=5,3,0&query=Japan'")
    expect(page.locator("#h-answer")).to_have_text("The answer for Japan")
    # Each table has one entry for the query, which is no example.
    expect(page.locator("#sliders output")).to_have_text(["1", "2", "0"])
    assert page.locator("#prompt li").count() == 3
    for k, most in enumerate(["1", "2", "8"]):
        assert page.locator(f"#slider-{k}").get_attribute("max") == most
    expect(page.locator("#bars .why")).to_have_text(
        ["capital: 1 of 3 votes", "continent: 2 of 3 votes"]
    )
