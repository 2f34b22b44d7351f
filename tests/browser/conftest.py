"""Chromium for the tests of pages: one browser for each file, and a page that reports whatever it should not do."""

from __future__ import annotations

import os
import shutil
from importlib import resources

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def _missing(what: str, how: str) -> None:
    """Say what is missing. Where every check must run, that is a failure."""
    reason = f"tests in a browser need {what}: {how}"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="module")  # not longer: while Playwright runs, no test of this process can use asyncio.run
def browser():
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        _missing("Playwright for Python", "pip install playwright (it needs no browser of its own)")
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        _missing(f"a Chromium on the path ({', '.join(NAMES)})", "apt-get install chromium, or install Chrome")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def opened(browser, tmp_path):
    """A function that opens the text of a page, with options of a browser context.

    `page.requests` are the addresses that the page asked for. An error in it, or a dialog, fails the test.
    """
    contexts, trouble = [], []

    def open_page(text: str, link: str = "", **options):
        context = browser.new_context(**{"locale": "en-GB", "viewport": {"width": 1280, "height": 800}, **options})
        contexts.append(context)
        page = context.new_page()
        page.requests = []
        page.on("request", lambda request: page.requests.append(request.url))
        page.on("pageerror", lambda error: trouble.append(f"error: {error}"))
        page.on("console", lambda message: trouble.append(f"console: {message.text}"))
        page.on("dialog", lambda dialog: (trouble.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.trouble = trouble
        file = tmp_path / f"page{len(contexts)}.html"
        file.write_text(text, encoding="utf-8")
        page.goto(file.as_uri() + link)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert trouble == []


@pytest.fixture(scope="session")
def axe():
    """The source of axe-core."""
    try:
        import axe_playwright_python as package
    except ImportError:
        _missing("axe", "pip install axe-playwright-python")
    return (resources.files(package) / "axe.min.js").read_text(encoding="utf-8")
