"""The lenses of the player in Chromium: every number is compared with NumPy's or with viz's own."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

import viz
from viz.player.lens_words import WORDS
from viz.texts.words import called
from viz.texts.text import number, values
from viz.tracing.budget import summary
from viz.tracing.file import Table
from viz.tracing.model import Trace

sync_api = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
CHROMIUM = Path("/usr/bin/chromium")
if not CHROMIUM.exists():
    pytest.skip("no /usr/bin/chromium: apt-get install chromium", allow_module_level=True)

PLAYER = Path(viz.__file__).parent / "player"
SCRIPTS = ("values", "heat", "probe", "predict", "nudge", "lenses")
BODY = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 1rem; background: #fff; color: #1a1a1a; color-scheme: light dark; }
@media (prefers-color-scheme: dark) { body { background: #121212; color: #f2f2f2; } }
"""


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=flags)
        yield chromium
        chromium.close()


def html(tail: str, style: str = "") -> str:
    """A page with the lenses' scripts in one scope, as strict as the player's."""
    code = "".join((PLAYER / f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS)
    script = f"(function () {{\n{code}\n{tail}\n}})();"
    allowed = " ".join(_hash(text) for text in (script, style))
    policy = f"default-src 'none'; script-src {allowed}; style-src {allowed}"
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Lenses</title>'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}"><style>{style}</style></head>'
        f'<body><main><h1>Lenses</h1><div id="lens"></div></main><script>{script}</script></body></html>'
    )


def lens_page(record: Trace, lang: str = "en") -> str:
    """A page with the lenses of a trace and nothing else; `window.page` leads to them."""
    content = json.loads(record.to_json())
    content["texts"] = called(record.graph)
    content["called"] = list(range(len(content["texts"])))
    tail = f"""
        const data = {json.dumps(content).replace("<", chr(92) + "u003c")};
        const words = {json.dumps(WORDS[lang])};
        const lenses = createLenses(document.getElementById("lens"), data, words);
        lenses.update({{ number: 1 }});
        window.page = {{ lenses, isRight, readNumber, readShape, questionAt, termsAt, moments: lenses.moments }};
    """
    return html(tail, (PLAYER / "lens.css").read_text(encoding="utf-8") + BODY)


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@pytest.fixture
def page(browser, tmp_path):
    """A function that opens a page and fails the test on any error in it."""
    context, errors = browser.new_context(), []

    def opened(text: str):
        file = tmp_path / "page.html"
        file.write_text(text, encoding="utf-8")
        tab = context.new_page()
        tab.on("pageerror", lambda error: errors.append(str(error)))
        tab.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        tab.goto(file.as_uri())
        return tab

    yield opened
    context.close()
    assert errors == []


# ---- values ----


def in_javascript(page, kept: list) -> list[str]:
    """What JavaScript writes for values that went through a file."""
    table = Table()
    places = [table.place(value) for value in kept]
    tab = page(html("window.shown = (rows, places) => places.map((k) => valueText(new Values(rows).get(k)));"))
    rows = json.loads(json.dumps(table.rows, allow_nan=False))
    return tab.evaluate("([rows, places]) => window.shown(rows, places)", [rows, places])


def numbers_of_all_kinds() -> list:
    rng = np.random.default_rng(0)
    found = [0.0, -0.0, np.nan, np.inf, -np.inf, 1e-4, 1e-5, 9999.5, 99995.0, 99985.0, 1e4, 1e22, 5e-324, 0.1, 1 / 3]
    found += (rng.normal(size=1500) * 10.0 ** rng.integers(-12, 12, 1500)).tolist()
    found += (rng.integers(-(10**6), 10**6, 500) / 32).tolist()  # many of these are ties
    found += rng.integers(0, 2**63, 500, dtype=np.uint64).view(np.float64).tolist()  # any bits at all
    return found


def test_numbers_read_as_in_python(page):
    kept = [np.array(x) for x in numbers_of_all_kinds()]
    assert in_javascript(page, kept) == [values(x) for x in kept]


@pytest.mark.parametrize("dtype", "? b B h H i I l L e f d F D".split())
def test_arrays_of_each_dtype_read_as_in_python(page, dtype):
    rng = np.random.default_rng(1)
    kept = []
    for shape in [(), (1,), (3,), (7,), (2, 3), (9, 5), (2, 3, 4), (0,), (0, 3), (3, 0), (1, 1, 1, 8)]:
        base = rng.normal(size=shape) * 100 + (1j * rng.normal(size=shape) if dtype in "FD" else 0)
        with np.errstate(invalid="ignore"):
            kept.append(np.asarray(abs(base) if dtype in "BHIL" else base).astype(dtype))
    kept += [np.tile(x, 20) for x in kept if x.ndim == 1]  # long enough to be written as bytes
    assert in_javascript(page, kept) == [values(x) for x in kept]


def test_whole_numbers_beyond_2_to_the_53_keep_every_digit(page):
    kept = [np.arange(2**62 + 1, 2**62 + 41), np.arange(2**63 + 1, 2**63 + 41, dtype=np.uint64)]
    assert in_javascript(page, kept) == [values(x) for x in kept]


def test_special_elements_and_halves_survive_as_bytes(page):
    special = np.array([np.nan, np.inf, -np.inf, -0.0, 6e-8, 65504.0, 1.5])
    kept = [np.tile(special[k:], 10).astype(dtype) for k in range(7) for dtype in (np.float16, np.float32, float)]
    assert in_javascript(page, kept) == [values(x) for x in kept]


def test_tuples_and_summaries_read_as_in_python(page):
    rng = np.random.default_rng(2)
    kept = [(np.ones(2), np.zeros((3, 3))), summary(rng.normal(size=(50, 60))), summary(rng.normal(size=999))]
    kept += [summary(np.arange(4000).reshape(1, 4, 1000)), summary(np.full((90, 90), np.nan))]
    assert in_javascript(page, kept) == [values(x) for x in kept]
