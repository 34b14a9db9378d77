"""The report in headless Chromium: its numbers, steps and words, for everybody, at any size."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe

import construct
from construct.designs import DESIGNS
from construct.show.report import page as page_of

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = {"words": ("capitals", "txt"), "numbers": ("relu", "json")}
HOSTILE = [
    "<script>alert(1)</script>",
    "</script>",
    "\"'\\",
    "שלום",
    "🎉",
    "<b>x</b>",
    "&amp;",
    "12",
]
WIDE, NARROW = (1280, 900), (390, 844)


@dataclass(frozen=True)
class Case:
    """An artifact, a prompt, what the command wrote, and what `run --json` printed."""

    path: Path
    said: dict
    trace: construct.inside.trace.Trace


@pytest.fixture(scope="module", params=[(d, g) for d in DESIGNS for g in EXAMPLES], ids="-".join)
def case(request, tmp_path_factory) -> Case:
    design, given = request.param
    name, ending = EXAMPLES[given]
    folder = tmp_path_factory.mktemp(f"{design}-{given}")
    file = construct.parse_tasks((ROOT / f"examples/{name}.json").read_text(encoding="utf-8"))
    made = construct.build(
        file.tasks, n=file.n, domain=file.domain, vocabulary=file.vocabulary, design=design
    )
    construct.save(made, folder / "artifact")
    prompt = ROOT / f"examples/{name}-prompt.{ending}"
    ran = ["artifact", str(prompt), "--executor", "numpy"]
    said = json.loads(commanded(folder, "run", *ran, "--json"))
    commanded(folder, "report", *ran)
    text = prompt.read_text(encoding="utf-8")
    traced = construct.trace(made, made.prompt(text), executor="numpy")
    return Case(folder / "report.html", said, traced)


def commanded(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "construct", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    )
    return done.stdout


def layer_of(page) -> int:
    return int(page.locator("#stepper [aria-current]").get_attribute("data-layer"))


def floats(page, where: str) -> list[float]:
    return [float(x) for x in page.locator(where).evaluate_all("all => all.map(x => x.value)")]


def test_the_answer_is_that_of_run(case, opened):
    page = opened(case.path)
    first, second = (f"#answer table:has(caption:text-is('{caption}'))" for caption in CAPTIONS)
    shares = case.said.get("distribution")
    wanted = case.said["answer"] if shares is None else [*shares.values()]
    assert floats(page, f"{first} data") == wanted
    if shares is not None:
        assert page.locator(f"{first} tbody th").all_inner_texts() == [*shares]
    names = page.locator(f"{second} tbody th").all_inner_texts()
    votes = dict(zip(names, floats(page, f"{second} data"), strict=True))
    assert votes == case.said["votes"]


CAPTIONS = "The answer", "The votes of the examples"


def numbers_shown(page, trace) -> np.ndarray:
    """The vector of the chosen token, read off the table of its numbers."""
    found = np.zeros(trace.states.shape[2])
    for row in page.locator("#numbers table").first.locator("tbody tr").all():
        field = trace.fields[int(row.locator("[data-field]").get_attribute("data-field"))]
        for entry in row.locator("data").evaluate_all(
            "all => all.map(x => [+x.dataset.from, +x.dataset.many, x.textContent])"
        ):
            start, many, text = entry
            found[field.start + start : field.start + start + many] = float(text)
    return found


@pytest.mark.parametrize("by", ["keys", "buttons", "names"])
def test_it_steps_through_all_layers(case, opened, by):
    page, trace = opened(case.path), case.trace
    last, token = len(trace.layers), page.evaluate("DATA.answer_token")
    step = {
        "keys": lambda to: page.keyboard.press("ArrowRight" if to else "ArrowLeft"),
        "buttons": lambda to: page.locator(f"[data-step='{1 if to else -1}']").click(force=True),
        "names": lambda to: page.locator(f"[data-layer='{layer_of(page) + to}']").click(),
    }[by]
    if by == "names":
        page.locator("[data-layer='0']").click()
    else:
        for _ in range(last + 1):  # once more than there are layers
            step(0)
    for layer in range(last + 1):
        assert layer_of(page) == layer
        heading = page.locator("#now h2").inner_text()
        assert trace.layers[layer - 1].name in heading if layer else "embedding" in heading
        assert (numbers_shown(page, trace) == trace.states[layer, token]).all()
        if layer < last:
            step(1)
    if by != "names":
        step(1)
    assert layer_of(page) == last


def test_every_token_can_be_chosen_by_the_keyboard(case, opened):
    page, trace = opened(case.path), case.trace
    buttons = page.locator("#map tbody th button")
    count = buttons.count()
    assert count == min(page.evaluate("FILLED.length"), 40)
    for i in range(0, count, 5):
        buttons.nth(i).focus()
        page.keyboard.press("Enter")
        token = int(buttons.nth(i).get_attribute("data-token"))
        assert buttons.nth(i).get_attribute("aria-pressed") == "true"
        assert page.evaluate("document.activeElement.dataset.token") == str(token)
        wanted = trace.states[layer_of(page), token]
        assert (numbers_shown(page, trace) == wanted).all()


def test_heads_of_each_layer_are_there(case, opened):
    page, trace = opened(case.path), case.trace
    for layer in range(1, len(trace.layers) + 1):
        page.locator(f"[data-layer='{layer}']").click()
        scored = [
            k for number, k in trace.scores if number == layer and len(trace.scores[layer, k])
        ]
        heads = trace.layers[layer - 1].heads
        shown = page.locator("#heads .card h3").all_inner_texts()
        assert shown == [f"Head {heads[k].name}" for k in scored][:12]
        painted = page.locator("#heads canvas").evaluate_all(
            "all => all.map(x => x.getContext('2d').getImageData(0, 0, x.width, x.height)"
            ".data.some(v => v > 0))"
        )
        assert painted == [True] * len(shown)
        idle = sum((layer, k) not in set(trace.scores) for k in range(len(heads)))
        assert ("idle" in page.locator("#heads").inner_text()) == (idle > 0)


OPEN = "document.querySelectorAll('details').forEach(x => x.open = true)"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_nothing_keeps_anybody_out(case, opened, scheme, size, shots):
    page = opened(case.path, *size, color_scheme=scheme)
    for layer in (1, len(case.trace.layers)):
        page.locator(f"[data-layer='{layer}']").click()
        for state in ("closed", "open"):
            if state == "open":
                page.evaluate(OPEN)
                page.wait_for_timeout(50)
            found = Axe().run(page)
            assert found.violations_count == 0, found.generate_report()
            assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    page.evaluate("step_to(DATA.vote_layer)")
    name = f"report-{case.path.parent.name[:-1]}-{size[0]}-{scheme}.png"
    page.screenshot(path=shots / name, full_page=True)


def made_of(tables: dict, prompt: str, design: str, tmp_path: Path, **options) -> Path:
    """A page about tables of words."""
    names = dict.fromkeys(w for table in tables.values() for pair in table.items() for w in pair)
    vocabulary = construct.Vocabulary([*names])
    tasks = [construct.lookup(k, t, vocabulary=vocabulary) for k, t in tables.items()]
    made = construct.build(tasks, vocabulary=vocabulary, design=design, **options)
    path = tmp_path / "page.html"
    path.write_text(page_of(construct.trace(made, made.prompt(prompt))), encoding="utf-8")
    return path


def stepped(page) -> None:
    """Through all layers, all details open."""
    for layer in range(page.evaluate("LAST") + 1):
        page.locator(f"[data-layer='{layer}']").click()
        page.evaluate(OPEN)
        page.wait_for_timeout(20)
        assert layer_of(page) == layer


@pytest.mark.parametrize("design", DESIGNS)
def test_words_of_a_prompt_stay_words(design, opened, tmp_path):
    tables = {"<i>a</i>": dict(zip(HOSTILE, HOSTILE[1:] + HOSTILE[:1], strict=True))}
    lines = [f"{a} -> {b}" for a, b in tables["<i>a</i>"].items()]
    page = opened(made_of(tables, "\n".join([*lines, f"{HOSTILE[0]} ->"]), design, tmp_path, m=8))
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    stepped(page)
    assert page.locator("script").count() == 2
    assert page.locator("b:text-is('x')").count() == page.locator("i").count() == 0
    shown = page.locator("#prompt").inner_text()
    assert all(word in shown for word in HOSTILE)
    assert page.locator("#answer bdi").first.inner_text() == HOSTILE[1]


@pytest.mark.parametrize("prompt", ["Japan ->", "France -> Tokyo\nJapan -> France\nJapan ->"])
@pytest.mark.parametrize("design", DESIGNS)
def test_a_prompt_without_votes_has_a_page(design, prompt, opened, tmp_path):
    tables = {"capital": {"France": "Paris", "Japan": "Tokyo"}, "same": {"Japan": "Japan"}}
    page = opened(made_of(tables, prompt, design, tmp_path), *NARROW)
    stepped(page)
    assert "No example is explained" in page.locator("#answer-says").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW[0]
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("design", DESIGNS)
def test_five_thousand_tokens_and_five_hundred_words(design, opened, tmp_path, shots):
    names = [f"word{i}" for i in range(500)]
    rng = np.random.default_rng(5)
    tables = {
        f"task{k}": dict(zip(names, rng.permutation(names).tolist(), strict=True)) for k in range(4)
    }
    asked = rng.integers(0, 500, 2500)
    by = rng.choice(["task0", "task1", "task2", "task3", ""], 2500, p=[0.4, 0.3, 0.2, 0.08, 0.02])
    lines = [
        f"{names[x]} -> {tables[k][names[x]] if k else names[rng.integers(500)]}"
        for x, k in zip(asked.tolist(), by.tolist(), strict=True)
    ]
    path = made_of(tables, "\n".join([*lines, "word7 ->"]), design, tmp_path, m=2500, n=2)
    assert path.stat().st_size < 20_000_000
    page = opened(path, *NARROW, color_scheme="dark")
    for _ in range(page.evaluate("LAST") + 1):
        page.keyboard.press("ArrowLeft")
    for layer in range(page.evaluate("LAST") + 1):
        assert layer_of(page) == layer
        page.keyboard.press("ArrowRight")
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW[0]
    page.locator("#example").fill("1234")
    page.keyboard.press("Enter")
    assert "example 1234" in page.locator("#numbers-says").inner_text()
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    page.evaluate("step_to(DATA.vote_layer)")
    page.screenshot(path=shots / f"report-large-{design}-390-dark.png", full_page=True)


def test_pictures_for_the_documents(case, opened, shots):
    """`SHOTS=docs make browser TESTS="-k pictures_for_the_documents"` writes those of docs/."""
    if case.trace.construction.design != "theorem" or "distribution" not in case.said:
        return
    page = opened(case.path, 1280, 4000, color_scheme="light")
    boxes = {
        "wide-light": ("body", "#now"),
        "stream-light": ("#stepper", "#stream"),
    }
    for name, (first, last) in boxes.items():
        top, bottom = (page.locator(where).bounding_box() for where in (first, last))
        height = bottom["y"] + bottom["height"] - top["y"] + 12
        clip = {"x": 0, "y": top["y"], "width": 1280, "height": height}
        page.screenshot(path=shots / f"report-{name}.png", clip=clip)
    page = opened(case.path, *NARROW, color_scheme="dark")
    page.evaluate("scrollTo(0, document.getElementById('h-votes').offsetTop - 12)")
    page.screenshot(path=shots / "report-narrow-dark.png")
    for name in (*boxes, "narrow-dark"):
        assert (shots / f"report-{name}.png").stat().st_size < 300_000
