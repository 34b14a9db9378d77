"""Pages in headless Chromium (`make browser`): nothing is fetched, and nothing goes wrong."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
# Screenshots to look at: wide and narrow, light and dark.
SHOTS = Path(os.environ.get("SHOTS", "build/shots"))


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ["CONSTRUCT_BROWSER"], args=ARGUMENTS
        )
        yield browser
        browser.close()


@pytest.fixture
def opened(chromium) -> Iterator[Callable[..., Page]]:
    """Opens a file; at the end no page has said an error or asked for anything but its file."""
    wrong: list[str] = []
    contexts = []

    def open_page(path: Path, width: int = 1280, height: int = 900, **context) -> Page:
        contexts.append(
            chromium.new_context(viewport={"width": width, "height": height}, **context)
        )
        page = contexts[-1].new_page()
        page.on("console", lambda said: said.type == "error" and wrong.append(said.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on(
            "request",
            lambda asked: asked.url != path.resolve().as_uri() and wrong.append(asked.url),
        )
        page.goto(path.resolve().as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert wrong == []


@pytest.fixture(scope="session")
def shots() -> Path:
    SHOTS.mkdir(parents=True, exist_ok=True)
    return SHOTS
