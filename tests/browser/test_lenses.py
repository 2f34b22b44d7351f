"""The lenses of the player in Chromium: every number is compared with NumPy's or with viz's own."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import nn
import viz
from autograd import Tensor
from viz.player.data import page_data
from viz.player.lens_words import WORDS
from viz.player.page import SCRIPTS as PLAYER_SCRIPTS
from viz.player.words import UI
from viz.texts.text import values
from viz.tracing.budget import summary
from viz.tracing.elements import terms
from viz.tracing.file import Table
from viz.tracing.model import Nudge, Probe, Trace
from viz.tracing.moments import Moment, moments

PLAYER = Path(viz.__file__).parent / "player"
SCRIPTS = ("values.js", "heat.js", "probe.js", "predict.js", "nudge.js", "lenses.js")


def html(tail: str, style: str = "") -> str:
    """A page with the lenses' scripts in one scope, as strict as the player's."""
    code = "".join((PLAYER / name).read_text(encoding="utf-8") for name in SCRIPTS)
    script = f"(function () {{\n{code}\n{tail}\n}})();"
    allowed = " ".join(_hash(text) for text in (script, style))
    policy = f"default-src 'none'; script-src {allowed}; style-src {allowed}"
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Lenses</title>'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}"><style>{style}</style></head>'
        f'<body><main><h1>Lenses</h1><section id="lens"></section></main><script>{script}</script></body></html>'
    )


def lens_page(record: Trace, lang: str = "en") -> str:
    """A page with the lenses of a trace and nothing else; `window.page` leads to them."""
    data = json.dumps(page_data(record), allow_nan=False).replace("<", "\\u003c")
    tail = f"""
        const changed = () => lenses.update({{ number: lenses.moment.i }});
        const lenses = createLenses(document.getElementById("lens"), {data}, {json.dumps(WORDS[lang])}, changed);
        lenses.update({{ number: 1 }});
        window.page = {{ lenses, isRight, readNumber, readShape, questionAt, termsAt }};
    """
    return html(tail, "".join((PLAYER / name).read_text(encoding="utf-8") for name in ("player.css", "lens.css")))


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


# ---- values ----


def in_javascript(opened, kept: list) -> list[str]:
    """What JavaScript writes for values that went through a file."""
    table = Table()
    places = [table.place(value) for value in kept]
    tab = opened(html("window.shown = (rows, places) => places.map((k) => valueText(new Values(rows).get(k)));"))
    rows = json.loads(json.dumps(table.rows, allow_nan=False))
    return tab.evaluate("([rows, places]) => window.shown(rows, places)", [rows, places])


def numbers_of_all_kinds() -> list:
    rng = np.random.default_rng(0)
    found = [0.0, -0.0, np.nan, np.inf, -np.inf, 1e-4, 1e-5, 9999.5, 99995.0, 99985.0, 1e4, 1e22, 5e-324, 0.1, 1 / 3]
    found += (rng.normal(size=1500) * 10.0 ** rng.integers(-12, 12, 1500)).tolist()
    found += (rng.integers(-(10**6), 10**6, 500) / 32).tolist()  # many of these are ties
    found += rng.integers(0, 2**63, 500, dtype=np.uint64).view(np.float64).tolist()  # any bits at all
    return found


def test_numbers_read_as_in_python(opened):
    kept = [np.array(x) for x in numbers_of_all_kinds()]
    assert in_javascript(opened, kept) == [values(x) for x in kept]


def test_arrays_of_each_dtype_read_as_in_python(opened):
    rng = np.random.default_rng(1)
    shapes = [(), (1,), (3,), (7,), (2, 3), (9, 5), (2, 3, 4), (0,), (0, 3), (3, 0), (1, 1, 1, 8)]
    kept = []
    for dtype, shape in itertools.product("?bBhHiIlLefdFD", shapes):
        base = rng.normal(size=shape) * 30 + (1j * rng.normal(size=shape) if dtype in "FD" else 0)
        kept.append(np.asarray(abs(base) if dtype in "BHIL" else base).astype(dtype))
    kept += [np.tile(x, 20) for x in kept if x.ndim == 1]  # long enough to be written as bytes
    assert in_javascript(opened, kept) == [values(x) for x in kept]


def test_whole_numbers_beyond_2_to_the_53_keep_every_digit(opened):
    kept = [np.arange(2**62 + 1, 2**62 + 41), np.arange(2**63 + 1, 2**63 + 41, dtype=np.uint64)]
    assert in_javascript(opened, kept) == [values(x) for x in kept]


def test_special_elements_and_halves_survive_as_bytes(opened):
    special = np.array([np.nan, np.inf, -np.inf, -0.0, 6e-8, 65504.0, 1.5])
    kept = [np.tile(special[k:], 10).astype(dtype) for k in range(7) for dtype in (np.float16, np.float32, float)]
    assert in_javascript(opened, kept) == [values(x) for x in kept]


def test_tuples_and_summaries_read_as_in_python(opened):
    rng = np.random.default_rng(2)
    kept = [(np.ones(2), np.zeros((3, 3))), summary(rng.normal(size=(50, 60))), summary(rng.normal(size=999))]
    kept += [summary(np.arange(4000).reshape(1, 4, 1000)), summary(np.full((90, 90), np.nan))]
    assert in_javascript(opened, kept) == [values(x) for x in kept]


# ---- graphs to look at ----


def net() -> Trace:
    """Two layers with softmax and cross entropy, and true results around one weight."""
    rng = np.random.default_rng(0)
    X, labels = rng.normal(size=(4, 3)), np.array([0, 1, 0, 1])
    first, second = nn.Affine(3, 2, rng=0), nn.Affine(2, 2, rng=1)

    def loss(weight: np.ndarray) -> Tensor:
        return nn.softmax_cross_entropy(nn.Affine(weight, second.b.data)(nn.relu(first(X))), labels)

    W = second.W.data
    offsets = np.array([-2, -1, -0.5, -0.01, 0, 0.01, 0.5, 1, 2.0])
    results = np.array([loss(W + np.array([[offset, 0], [0, 0]])).item() for offset in offsets])
    record = viz.trace(nn.softmax_cross_entropy(second(nn.relu(first(X))), labels))
    leaf = next(v.id for v in record.graph.vertices if v.value is not None and np.array_equal(v.value, W))
    return replace(record, nudges=[Nudge(leaf, (0, 0), offsets, results)])


def broadcast() -> Trace:
    """A row that is stretched, used twice, and elements that are no numbers."""
    X = Tensor(np.array([[1, -2, np.nan], [np.inf, 0, -0.5]]), requires_grad=True)
    b = Tensor(np.array([1, -2, 0.5]), requires_grad=True)
    return viz.trace((X * b * np.exp(b)).sum())


def many() -> Trace:
    """A sum of more terms than are shown, in float32."""
    rng = np.random.default_rng(1)
    x = Tensor(rng.normal(size=(40, 20)).astype(np.float32), requires_grad=True)
    w = Tensor(rng.normal(size=(20, 3)).astype(np.float32), requires_grad=True)
    return viz.trace(np.sum(np.tanh(x @ w) ** 2))


def pictures() -> Trace:
    """A convolution and a maximum over windows: arrays of four axes."""
    rng = np.random.default_rng(2)
    x = Tensor(rng.normal(size=(2, 2, 4, 4)), requires_grad=True)
    w = Tensor(rng.normal(size=(3, 2, 3, 3)), requires_grad=True)
    return viz.trace(np.sum(nn.max_pool2d(nn.conv2d(x, w), 2)))


def complex_numbers() -> Trace:
    z = Tensor(np.array([1 + 2j, -0.5j, 3]), requires_grad=True)
    return viz.trace(np.sum(np.abs(z * np.array([2j, 1, 1 - 1j])) ** 2))


def guarded() -> Trace:
    """A branch that was not taken, with an infinite derivative: 0 * inf counts as 0."""
    x = Tensor(np.array([0.0, 4.0]), requires_grad=True)
    with np.errstate(divide="ignore"):
        return viz.trace(np.sum(np.where(np.array([False, True]), np.sqrt(x), x)))


def weighted() -> Trace:
    """Targets that are weights and not labels."""
    x = Tensor(np.array([[0.2, -1.0, 3.0], [1.5, 0.0, -2.0]]), requires_grad=True)
    return viz.trace(3 * nn.softmax_cross_entropy(x, np.array([[0.2, 0.3, 0.5], [1.0, 0, 0]])))


def stretched() -> Trace:
    """A row beside a matrix of one row: an axis is added, and nothing is summed over it."""
    x = Tensor(np.array([1.0, -2.0, 3.0]), requires_grad=True)
    return viz.trace(np.sum(x * np.array([[2.0, 0.5, -1.0]])))


TRACES = {f.__name__: f for f in (net, broadcast, many, pictures, complex_numbers, guarded, weighted, stretched)}
each_trace = pytest.mark.parametrize("name", TRACES)


def parsed(text: str) -> complex | float:
    """A number as the page shows it."""
    text = text.strip("()").replace("−", "-")
    return complex(text) if "j" in text else {"True": 1.0, "False": 0.0}.get(text) or float(text)


def shown_names(record: Trace, moment: Moment) -> dict[str, object]:
    """The values that a heatmap must show at a moment of the backward pass: its result, and what the rule names."""
    assert moment.contribution is not None and moment.part is not None
    found = {"result": moment.part.value}
    if moment.part.what == "rule":
        found |= {k: v for k, v in moment.contribution.names.items() if isinstance(v, np.ndarray)}
    return found


# ---- heatmaps ----


@each_trace
def test_every_number_in_a_heatmap_is_the_recorded_one(opened, name):
    record = TRACES[name]()
    tab = opened(lens_page(record))
    count = 0
    for i, moment in enumerate(moments(record), 1):
        if moment.part is None:
            continue
        tab.evaluate("(number) => window.page.lenses.update({ number })", i)
        figures = tab.evaluate(CELLS)
        for key, value in shown_names(record, moment).items():
            shown = figures[-1] if key == "result" and moment.contribution.uses == 1 else None
            shown = shown or next((f for f in figures if f["name"] == key), None)
            if shown is None or not shown["cells"]:
                continue
            matrix = np.reshape(value, (1, -1) if np.ndim(value) < 2 else np.shape(value))
            matrix = matrix[(0,) * (np.ndim(matrix) - 2)]
            assert len(shown["cells"]) == matrix.size
            for cell, x in zip(shown["cells"], matrix.ravel(), strict=True):
                assert cell["label"].endswith(f" = {values(x)}"), (cell, x)
                if cell["numbered"]:
                    assert cell["text"] == values(x)
                count += 1
    assert count > 3


CELLS = """() => [...document.querySelectorAll("#lens .heat")].map((figure) => ({
    name: figure.dataset.name,
    cells: [...figure.querySelectorAll("td")].map((cell) => ({
        label: cell.getAttribute("aria-label"),
        text: cell.textContent,
        classes: cell.className,
        numbered: cell.closest("table").className === "numbered",
        background: getComputedStyle(cell).backgroundColor,
        image: getComputedStyle(cell).backgroundImage,
        colour: getComputedStyle(cell).color,
    })),
}))"""


def heat_of(opened, array, **options):
    """The figures of one array: the operand of a sum."""
    x = Tensor(np.asarray(array), requires_grad=True)
    x.name = "x"
    with np.errstate(all="ignore"):
        tab = opened(lens_page(viz.trace(np.sum(x))), **options)
    return tab


def test_forward_steps_and_updates_show_what_goes_in_and_what_comes_out(opened):
    w = Tensor(np.array([0.5, -2.0, 0.0]), requires_grad=True)
    w.name = "w"
    with viz.record() as tape:
        y = np.sum(np.tanh(w))
        y.backward()
        nn.optim.SGD([w], 0.1).step()
    record, tanh = tape.traces[-1], np.tanh([0.5, -2.0, 0.0])
    tab = opened(lens_page(record))
    shown = [(f["name"], [cell["text"] for cell in f["cells"]]) for f in tab.evaluate(CELLS)]
    before = ["0.5", "-2", "0"]
    assert shown == [("w", before), (shown[1][0], [values(x) for x in tanh])]
    tab.evaluate("(number) => window.page.lenses.update({ number })", len(moments(record)))
    shown = [(f["name"], [cell["text"] for cell in f["cells"]]) for f in tab.evaluate(CELLS)]
    after = np.array([0.5, -2.0, 0.0]) - 0.1 * (1 - tanh**2)
    assert shown == [
        ("w", before),
        ("w.grad", [values(x) for x in 1 - tanh**2]),
        ("w", [values(x) for x in after]),
    ]


def rgb(text: str) -> np.ndarray:
    found = np.array([float(part) for part in re.findall(r"[\d.]+", text)][:3])
    return found * 255 if text.startswith("color(") else found


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_zero_is_neutral_and_both_signs_reach_equally_far(opened, scheme):
    tab = heat_of(opened, np.array([-4.0, -1.0, 0.0, 1.0, 2.0]), color_scheme=scheme)
    cells = tab.evaluate(CELLS)[0]["cells"]
    minus, low, zero, high, half = (rgb(cell["background"]) for cell in cells)
    assert np.ptp(zero) == 0, "neutral is a grey"
    full = {"light": ([0xD5, 0x5E, 0x00], [0x00, 0x72, 0xB2]), "dark": ([0xE6, 0x9F, 0x00], [0x56, 0xB4, 0xE9])}[scheme]
    assert np.allclose(minus, full[0], atol=1)
    assert np.allclose(low, zero + (full[0] - zero) / 4, atol=1.5)
    assert np.allclose(high, zero + (full[1] - zero) / 4, atol=1.5), "the limit is that of the other sign"
    assert np.allclose(half, zero + (full[1] - zero) / 2, atol=1.5)


def test_all_zeros_are_all_neutral(opened):
    cells = heat_of(opened, np.zeros((2, 3))).evaluate(CELLS)[0]["cells"]
    assert {cell["classes"] for cell in cells} == {"zero"}
    assert {cell["text"] for cell in cells} == {"0"}


def test_what_is_no_number_is_hatched_and_nothing_else_is(opened):
    cells = heat_of(opened, np.array([np.nan, np.inf, -np.inf, 0.0, 5e-324])).evaluate(CELLS)[0]["cells"]
    assert ["gradient" in cell["image"] for cell in cells] == [True, True, True, False, False]
    assert [cell["text"] for cell in cells] == ["nan", "inf", "-inf", "0", "4.941e-324"]


def luminance(colour: np.ndarray) -> float:
    c = colour / 255
    linear = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_in_a_cell_stands_out_from_every_colour(opened, scheme):
    cells = heat_of(opened, np.linspace(-1, 1, 401).reshape(-1, 1)[:, :], color_scheme=scheme).evaluate(CELLS)[0][
        "cells"
    ]
    assert len(cells) == 401
    for cell in cells:
        lights = sorted(luminance(rgb(cell[key])) + 0.05 for key in ("background", "colour"))
        assert lights[1] / lights[0] >= 4.5, cell


def test_signs_are_written_where_numbers_do_not_fit(opened):
    array = np.random.default_rng(3).normal(size=(12, 20))
    array[0, :3] = 0, np.nan, np.inf
    cells = heat_of(opened, array).evaluate(CELLS)[0]["cells"]
    marks = ["0", "n", "∞"] + ["+" if x > 0 else "−" for x in array.ravel()[3:]]
    assert [cell["text"] for cell in cells] == marks


def test_what_is_not_known_has_no_cells(opened):
    x = Tensor(np.ones(3), requires_grad=True)
    record = viz.trace(np.sum(x))
    vertices = [replace(v, value=None) if v.kind == "leaf" else v for v in record.graph.vertices]
    tab = opened(lens_page(replace(record, graph=replace(record.graph, vertices=vertices))))
    assert tab.evaluate(CELLS)[0]["cells"] == []
    assert tab.locator(".heat-unknown").all_text_contents() == ["not kept: run inside viz.record()"]


def test_a_large_array_is_a_canvas_with_the_same_colours(opened):
    rng = np.random.default_rng(4)
    array = rng.normal(size=(50, 60))
    array[2, 3] = np.nan
    tab = heat_of(opened, array)
    size = tab.evaluate("document.querySelector('#lens canvas').width") // 60
    pixels = """(places) => {
        const canvas = document.querySelector("#lens canvas");
        const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        return places.map(([x, y]) => [...data.slice(4 * (y * canvas.width + x), 4 * (y * canvas.width + x) + 3)]);
    }"""
    zero, plus, minus = np.array([0xF4] * 3), np.array([0x00, 0x72, 0xB2]), np.array([0xD5, 0x5E, 0x00])
    strength = (array / np.nanmax(np.abs(array)))[..., None]
    expected = zero + np.where(strength > 0, plus - zero, minus - zero) * np.abs(strength)
    places = [[c * size + 1, r * size + 1] for r, c in np.ndindex(*array.shape)]
    places += [[3 * size + k, 2 * size] for k in range(size)]
    found = np.array(tab.evaluate(pixels, places))
    found, odd = found[: array.size].reshape(expected.shape), found[array.size :]
    known = ~np.isnan(array)
    assert np.allclose(found[known], expected[known], atol=1.5)
    hatched = set(map(tuple, odd))
    assert len(hatched) == 2, "two colours: a hatch"


def test_a_cursor_reads_out_each_cell_of_a_canvas(opened):
    array = np.random.default_rng(5).normal(size=(50, 60)).astype(np.float32)
    tab = heat_of(opened, array)
    cursor = tab.locator("[role=gridcell]").first
    cursor.focus()
    for key, cell in [
        ("ArrowRight", (0, 1)),
        ("ArrowDown", (1, 1)),
        ("End", (1, 59)),
        ("ArrowRight", (1, 59)),
        ("PageDown", (49, 59)),
        ("Home", (49, 0)),
        ("ArrowLeft", (49, 0)),
        ("ArrowUp", (48, 0)),
    ]:
        tab.keyboard.press(key)
        label = f"x[{cell[0]}, {cell[1]}] = {values(array[cell])}"
        assert cursor.get_attribute("aria-label") == label
        assert tab.locator(".heat-readout").first.text_content() == label
        line = tab.locator("[role=row]").first
        assert (line.get_attribute("aria-rowindex"), cursor.get_attribute("aria-colindex")) == (
            str(cell[0] + 1),
            str(cell[1] + 1),
        )


def test_more_axes_are_seen_one_slice_at_a_time(opened):
    array = np.random.default_rng(6).normal(size=(2, 3, 4, 5))
    tab = heat_of(opened, array)
    picker = tab.locator(".heat-picker").first.locator("input")
    for slice_ in [(0, 0), (1, 0), (1, 2), (0, 2)]:
        for axis, k in enumerate(slice_):
            picker.nth(axis).fill(str(k))
            picker.nth(axis).press("Tab")
        cells = tab.evaluate(CELLS)[0]["cells"]
        assert [cell["text"] for cell in cells] == [values(x) for x in array[slice_].ravel()]
        assert cells[-1]["label"].startswith(f"x[{slice_[0]}, {slice_[1]}, 3, 4] = ")


def test_of_a_very_long_array_the_part_that_is_drawn_is_named(opened):
    array = np.random.default_rng(8).normal(size=100_000)
    tab = heat_of(opened, array)
    assert "the first 2048 rows and columns" in tab.locator(".heat-facts").first.text_content()
    tab.locator("[role=gridcell]").first.focus()
    tab.keyboard.press("End")
    label = tab.locator("[role=gridcell]").first.get_attribute("aria-label")
    assert label == f"x[2047] = {values(np.float32(array[2047]))}"


def test_of_a_summary_the_thumbnail_and_the_statistics_are_shown(opened):
    rng = np.random.default_rng(7)
    array = rng.normal(size=(128, 192))
    array[0, 5] = np.nan
    x = Tensor(array, requires_grad=True)
    x.name = "x"
    tab = opened(lens_page(viz.trace(np.sum(x), budget=100)))
    facts = tab.locator(".heat-statistics").first.text_content()
    good = array[np.isfinite(array)]
    for text in (f"mean {values(np.mean(good))}", f"norm {values(np.linalg.norm(good))}", "nan: 1"):
        assert text in facts
    assert f"[0, 0] = {values(array[0, 0])}" in facts
    tab.locator("[role=gridcell]").first.focus()
    tab.keyboard.press("ArrowDown")
    label = tab.locator("[role=gridcell]").first.get_attribute("aria-label")
    assert label.startswith("block [1, 0]: mean ")
    assert float(label.split()[-1]) == pytest.approx(np.mean(array[2:4, 0:3]), abs=0.02)


def test_cells_are_readable_where_colours_are_forced(opened):
    tab = heat_of(opened, np.linspace(-1, 1, 5), forced_colors="active")
    for cell in tab.evaluate(CELLS)[0]["cells"]:
        lights = sorted(luminance(rgb(cell[key])) + 0.05 for key in ("background", "colour"))
        assert lights[1] / lights[0] >= 7
        assert cell["text"]


def test_several_results_of_one_operation_have_a_heatmap_each(opened):
    x = Tensor(np.array([[2.0, 1.0], [1.0, 3.0]]), requires_grad=True)
    q, r = np.linalg.qr(x)
    record = viz.trace(np.sum(r) + 0 * np.sum(q))
    tab = opened(lens_page(record))
    seen = 0
    for i, moment in enumerate(moments(record), 1):
        tab.evaluate("(number) => window.page.lenses.update({ number })", i)
        if moment.part is None or not isinstance(moment.part.value, tuple):
            continue
        figures = [figure for figure in tab.evaluate(CELLS) if figure["name"].startswith("added to")]
        for figure, value in zip(figures, moment.part.value, strict=True):
            assert [cell["text"] for cell in figure["cells"]] == (
                [] if value is None else [values(x) for x in value.flat]
            )
            seen += 1
        assert tab.locator(".heat.probed").count() == 0
    assert seen == 4


def test_a_summary_is_not_dimmed_by_a_probe_beside_it(opened):
    rng = np.random.default_rng(9)
    x, w = Tensor(rng.normal(size=(128, 128)), requires_grad=True), Tensor(rng.normal(size=3), requires_grad=True)
    record = viz.trace(np.sum(x) * np.sum(w), budget=60)
    tab = opened(lens_page(record))
    for i in range(1, len(moments(record)) + 1):
        tab.evaluate("(number) => window.page.lenses.update({ number })", i)
        pixels = """() => [...document.querySelectorAll("#lens canvas")].map((c) => c.toDataURL())"""
        before = tab.evaluate(pixels)
        for cell in tab.evaluate("(number) => window.page.lenses.cells(number)", i)[:2]:
            tab.evaluate("(cell) => window.page.lenses.showCell(cell)", cell)
            assert tab.evaluate(pixels) == before


# ---- probes ----


TERMS = """([number, cell]) => {
    const { lenses, termsAt } = window.page;
    const found = termsAt(lenses.values, lenses.moments[number - 1], cell);
    const flat = (x) => (typeof x === "object" ? [x.re, x.im] : [Number(x), 0]).map(String);
    return found && {
        total: flat(found.total),
        terms: found.terms.map(({ left, right, product }) => ({
            left: [left.name, left.cell, flat(left.value)],
            right: right && [right.name, right.cell, flat(right.value)],
            product: flat(product),
        })),
    };
}"""


def number_of(pair: list[str]) -> complex:
    real, imaginary = (float(x.replace("Infinity", "inf").replace("NaN", "nan")) for x in pair)
    return complex(real, imaginary)


@each_trace
def test_the_terms_are_those_of_python_for_every_element(opened, name):
    record = TRACES[name]()
    tab = opened(lens_page(record))
    count = 0
    for i, moment in enumerate(moments(record), 1):
        if not moment.accumulates:
            continue
        cells = list(np.ndindex(*np.shape(moment.contribution.value)))
        found = tab.evaluate(
            f"([i, cells]) => cells.map((cell) => ({TERMS})([i, cell]))", [i, [list(c) for c in cells]]
        )
        for cell, here in zip(cells, found, strict=True):
            there = terms(moment.contribution, cell)
            if there is None:
                continue
            count += 1
            assert [(t["left"][0], tuple(t["left"][1])) for t in here["terms"]] == there.left_at
            assert [(t["right"][0], tuple(t["right"][1])) for t in here["terms"]] == there.right_at
            products = [number_of(t["product"]) for t in here["terms"]]
            assert np.allclose(products, there.products, rtol=1e-5, atol=1e-7, equal_nan=True)
            assert np.allclose(number_of(here["total"]), there.total, rtol=1e-6, equal_nan=True)
    assert count > 0


@each_trace
def test_the_terms_of_every_moment_add_up_to_the_element(opened, name):
    record = TRACES[name]()
    tab = opened(lens_page(record))
    count = 0
    for i, moment in enumerate(moments(record), 1):
        if moment.part is None:
            continue
        cells = list(np.ndindex(*np.shape(moment.part.value)))[:100]
        every = tab.evaluate(
            f"([i, cells]) => cells.map((cell) => ({TERMS})([i, cell]))", [i, [list(c) for c in cells]]
        )
        for cell, found in zip(cells, every, strict=True):
            if found is None:
                continue
            count += 1
            element = np.asarray(moment.part.value)[cell]
            assert np.allclose(number_of(found["total"]), element, rtol=1e-6, equal_nan=True)
            total = sum(number_of(t["product"]) for t in found["terms"])
            assert np.allclose(total, element, rtol=1e-3, atol=1e-6, equal_nan=True)
    assert count > 1


def test_a_probe_shows_its_terms_and_lights_row_and_column(opened):
    record = net()
    tab = opened(lens_page(record))
    at = next(i for i, m in enumerate(moments(record), 1) if m.part and m.part.text == "transpose(x) @ g")
    given = moments(record)[at - 1].contribution
    x, g, dW = given.names["x"], given.names["g"], given.value
    tab.evaluate("(number) => window.page.lenses.update({ number })", at)
    result = tab.locator(".heat.probed")
    result.locator("td").first.focus()
    for key in ("ArrowRight", "ArrowDown", "Enter"):
        tab.keyboard.press(key)
    rows = [row.locator("td").all_text_contents() for row in tab.locator(".terms tbody tr").all()]
    for n, (places, numbers, outcome) in enumerate(rows):
        assert places == f"x[{n}, 1] × g[{n}, 1]"
        assert [parsed(text) for text in numbers.removesuffix(" =").split(" × ")] == [
            parsed(values(x[n, 1])),
            parsed(values(g[n, 1])),
        ]
        assert outcome == values(x[n, 1] * g[n, 1])
    assert tab.locator(".terms tfoot td").all_text_contents() == ["sum of 4 terms", "", values(dW[1, 1])]
    assert tab.locator("#lens h2").text_content().endswith("grad[1, 1]")
    lit = tab.evaluate(
        "() => [...document.querySelectorAll('td.lit')].map((cell) => cell.getAttribute('aria-label').split(' =')[0])"
    )
    name = tab.locator("#lens h2").text_content()
    assert lit == [*(f"g[{n}, 1]" for n in range(4)), *(f"x[{n}, 1]" for n in range(4)), name]
    tab.keyboard.press("Escape")
    assert tab.locator("td.lit").count() == 0


def test_a_derivative_of_the_same_element_needs_no_index_of_its_own(opened):
    record = broadcast()
    tab = opened(lens_page(record))
    at = next(i for i, m in enumerate(moments(record), 1) if m.part and m.part.what == "sum")
    given = moments(record)[at - 1].contribution
    tab.evaluate("(number) => window.page.lenses.update({ number })", at)
    tab.evaluate("window.page.lenses.showCell([1])")
    g, local = given.names["g"], given.local
    rows = [row.locator("td").all_text_contents() for row in tab.locator(".terms tbody tr").all()]
    assert [row[0] for row in rows] == ["g[0, 1] × local", "g[1, 1] × local"]
    assert [row[2] for row in rows] == [values(g[k, 1] * local[k, 1]) for k in range(2)]


def test_of_many_terms_the_largest_are_shown_and_the_others_counted(opened):
    record = many()
    tab = opened(lens_page(record))
    at = next(i for i, m in enumerate(moments(record), 1) if m.part and m.part.text == "transpose(a) @ g")
    given = moments(record)[at - 1].contribution
    products = given.names["a"][:, 2] * given.names["g"][:, 1]
    tab.evaluate("(number) => window.page.lenses.update({ number })", at)
    tab.evaluate("window.page.lenses.showCell([2, 1])")
    rows = [row.locator("td").all_text_contents() for row in tab.locator(".terms tbody tr").all()]
    largest = sorted(np.argsort(-np.abs(products))[:10])
    assert [row[0] for row in rows] == [f"a[{k}, 2] × g[{k}, 1]" for k in largest] + ["and 30 more"]
    rest = np.delete(products.astype(float), largest)
    assert float(rows[-1][2]) == pytest.approx(np.sum(rest), rel=1e-3)
    assert tab.locator(".terms tfoot td").all_text_contents()[2] == values(given.value[2, 1])


@pytest.mark.parametrize(("trace", "scale"), [(net, 1.0), (weighted, 3.0)])
def test_softmax_with_cross_entropy_says_why_it_is_p_minus_t_over_n(opened, trace, scale):
    record = trace()
    tab = opened(lens_page(record))
    at = next(i for i, m in enumerate(moments(record), 1) if m.part and "softmax" in m.part.text)
    given = moments(record)[at - 1].contribution
    x, t = given.names["x"], given.names["t"]
    p = np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)
    target = np.eye(x.shape[1])[t] if t.ndim == 1 else t
    tab.evaluate("(number) => window.page.lenses.update({ number })", at)
    for cell in np.ndindex(*x.shape):
        tab.evaluate("(cell) => window.page.lenses.showCell(cell)", list(cell))
        lines = tab.locator(".softmax li").all_text_contents()
        assert lines[0].endswith(f"= {values(p[cell])}")
        assert f"t = {values(target[cell])}" in lines[1]
        assert lines[2] == f"N = {len(x)} rows"
        assert lines[3].startswith("" if scale == 1 else f"{values(scale)} × ")
        assert lines[3].endswith(
            f"({values(p[cell])} - {values(target[cell])}) / {len(x)} = {values(scale * (p - target)[cell] / len(x))}"
        )


def test_an_element_that_was_not_recorded_says_which_were(opened):
    record = pictures()
    given = next(c for step in record.backward for c in step.contributions if np.ndim(c.value) == 4)
    step = next(s for s in record.backward if given in s.contributions)
    cell = tuple(n - 1 for n in given.value.shape)
    at, ones = np.zeros((1, np.ndim(step.incoming)), int), np.ones(1)
    given.probes[:] = [Probe(cell, at, ones, ones)]
    tab = opened(lens_page(record))
    at = [i for i, m in enumerate(moments(record), 1) if m.contribution is given][-1]
    tab.evaluate("(number) => window.page.lenses.update({ number })", at)
    tab.evaluate("window.page.lenses.showCell([0, 0, 0, 0])")
    assert "not recorded" in tab.locator(".lens-probe").text_content()
    assert tab.locator(".lens-probe button").all_text_contents() == [str(list(cell))]
    tab.locator(".lens-probe button").click()
    assert tab.locator("#lens h2").text_content().endswith(str(list(cell)))


@each_trace
def test_the_cells_to_walk_through_can_all_be_explained(opened, name):
    record = TRACES[name]()
    tab = opened(lens_page(record))
    walked = 0
    for i, moment in enumerate(moments(record), 1):
        cells = tab.evaluate("(number) => window.page.lenses.cells(number)", i)
        assert moment.part is not None or cells == []
        for cell in cells[:5]:
            tab.evaluate(
                "([number, cell]) => (window.page.lenses.update({ number }), window.page.lenses.showCell(cell))",
                [i, cell],
            )
            assert tab.locator(".terms").count() == 1
            walked += 1
    assert walked > 0


# ---- predict mode ----


@pytest.mark.parametrize(
    ("form", "answer", "truth", "right"),
    [
        *(("value", text, 0.5, True) for text in ("1/2", "0.5", ".5", "5e-1", " 0.50 ", "+.5", "０．５", "0.505")),
        *(("value", text, 0.5, False) for text in ("0.52", "-0.5", "0", "1", "5", "nan", "inf")),
        *(("value", text, 0.5, None) for text in ("", "half", "0.5.", "1/0", "1/", "/2", "1/2/3", "0x1", "1e", "--1")),
        ("value", "0,5", 0.5, None),
        *(("value", text, -0.1385, True) for text in ("-0.1385", "−0.1385", "-.14", "–0.138", "-1.385e-1")),
        *(("value", text, 0.0, True) for text in ("0", "0.0", "-0", "0/3")),
        *(("value", text, 0.0, False) for text in ("0.001", "1e-9")),
        *(("value", text, float("inf"), True) for text in ("inf", "∞", "+Infinity")),
        *(("value", text, float("inf"), False) for text in ("-inf", "1e300", "nan")),
        ("value", "NaN", float("nan"), True),
        ("value", "0", float("nan"), False),
        *(("shape", text, [3, 2], True) for text in ("(3, 2)", "3x2", "3,2", "[3, 2]", "3 × 2", "3 2")),
        *(("shape", text, [3, 2], True) for text in ("（3，2）", "3, 2,", "(3,2)")),
        *(("shape", text, [3, 2], False) for text in ("(2, 3)", "3", "()", "3x2x1", "6")),
        *(("shape", text, [3, 2], None) for text in ("", "3;2", "3.0", "-3", "a", "(3, 2", "3,,2")),
        *(("shape", text, [3], True) for text in ("3", "(3,)", "(3)", "[3]")),
        *(("shape", text, [], True) for text in ("()", "[]", "( )")),
        *(("sign", text, -0.3, text == "minus") for text in ("plus", "zero", "minus")),
        *(("sign", text, 0.0, text == "zero") for text in ("plus", "zero", "minus")),
    ],
)  # fmt: skip
def test_an_answer_is_read_and_checked(checker, form, answer, truth, right):
    assert checker([form, answer, truth]) is right


@pytest.fixture(scope="module")
def checker(browser):
    context = browser.new_context()
    tab = context.new_page()
    tab.set_content(lens_page(net()))
    yield lambda given: tab.evaluate("(given) => window.page.isRight(...given) ?? null", given)
    context.close()


@pytest.mark.parametrize("digits", [1, 2, 3, 4, 6])
def test_rounded_answers_are_right_as_far_as_they_are_within_2_percent(checker, digits):
    for x in np.random.default_rng(digits).normal(size=60) * 10.0 ** np.arange(-30, 30):
        text = f"{x:.{digits}g}"
        assert checker(["value", text, x]) is bool(abs(float(text) - x) <= 0.02 * abs(x))


def question(tab) -> str:
    return tab.locator(".predict legend, .predict label").first.text_content().strip()


def test_a_whole_backward_pass_is_predicted_by_keyboard(opened):
    record = net()
    tab = opened(lens_page(record))
    every = moments(record)
    assert tab.evaluate("window.page.lenses.togglePredict()")
    asked, forms = 0, set()
    for i, moment in enumerate(every, 1):
        state = tab.evaluate("(number) => { const s = { number }; window.page.lenses.update(s); return s; }", i)
        if moment.part is None or not tab.locator(".predict form input").count():
            assert state["revealed"]
            continue
        assert not state["revealed"]
        assert tab.locator(".heat.probed").count() == 0, "the result is hidden"
        asked += 1
        text, value = question(tab), moment.part.value
        tab.locator(".predict form input").first.focus()
        cell = tuple(int(k) for k in re.findall(r"\d+", text[text.rindex("[") :])) if "[" in text else ()
        if "shape" in text:
            tab.keyboard.type(str(np.shape(value)))
            tab.keyboard.press("Enter")
            forms.add("shape")
        elif "sign" in text:
            tab.keyboard.press("Space")
            for _ in range(1 - int(np.sign(np.asarray(value)[cell]))):
                tab.keyboard.press("ArrowDown")
            tab.keyboard.press("Enter")
            forms.add("sign")
        else:
            tab.keyboard.type(values(np.asarray(value)[cell]))
            tab.keyboard.press("Enter")
            forms.add("value")
        assert tab.locator(".predict-feedback").text_content().startswith("Right: "), text
        assert tab.evaluate("window.page.lenses.revealed()")
        assert tab.locator(".heat.probed").count() == 1
    assert asked == 10 and forms == {"shape", "sign", "value"}
    assert (
        tab.locator(".predict-score").text_content()
        == f"The last step. Your score: {asked} of {asked} right, hints used: 0."
    )


def test_a_lesson_in_the_player_goes_by_keyboard(opened):
    record = net()
    tab = opened(viz.step(record, lang="en").html)
    for key in ("b", "p"):
        tab.keyboard.press(key)
    first = next(i for i, m in enumerate(moments(record), 1) if m.part)
    assert tab.url.endswith(f"#step={first}")
    assert "?" in tab.locator("#sentence").text_content()
    cell = tuple(int(k) for k in re.search(r"\[(\d+), (\d+)\]", question(tab)).groups())
    tab.keyboard.type(values(moments(record)[first - 1].part.value[cell]))  # the answer has the focus
    tab.keyboard.press("Enter")
    assert tab.locator(".predict-feedback").text_content().startswith("Right: ")
    assert "?" not in tab.locator("#sentence").text_content()
    tab.keyboard.press("ArrowRight")
    assert tab.url.endswith(f"#step={first + 1}")
    assert tab.locator(".predict-feedback").text_content() == ""


def test_hints_wrong_answers_and_skipping_are_counted(opened):
    record = net()
    tab = opened(lens_page(record))
    tab.evaluate("window.page.lenses.togglePredict()")
    at = [i for i, m in enumerate(moments(record), 1) if m.part]
    show = "(number) => window.page.lenses.update({ number })"
    tab.evaluate(show, at[0])
    tab.get_by_role("button", name="Hint").click()
    assert tab.locator(".predict-hint").text_content()
    tab.locator(".predict form input").first.focus()
    tab.keyboard.press("Enter")
    assert (
        "Write" in tab.locator(".predict-feedback").text_content()
        or "Choose" in tab.locator(".predict-feedback").text_content()
    )
    tab.get_by_role("button", name="Skip").click()
    assert tab.locator(".predict-feedback").text_content().startswith("Skipped: ")
    assert tab.locator(".predict-score").text_content() == "0 of 0 right, hints used: 1"
    for i in at[1:]:
        tab.evaluate(show, i)
        if "value" in (tab.locator(".predict-note").text_content() if tab.locator(".predict-note").count() else ""):
            break
        if tab.locator(".predict-note").count():
            tab.locator(".predict form input").fill("77 77 77")
            tab.keyboard.press("Enter")
            break
    assert tab.locator(".predict-feedback").text_content().startswith("Not quite: ")
    assert tab.locator(".predict-score").text_content() == "0 of 1 right, hints used: 1"


@each_trace
def test_questions_are_the_same_each_time_and_fair(opened, name):
    record = TRACES[name]()
    ask = """() => {
        const { lenses, questionAt } = window.page;
        return lenses.moments.map((moment) => questionAt(lenses.values, moment));
    }"""
    first, second = (opened(lens_page(record)).evaluate(ask) for _ in range(2))
    assert first == second
    for asked, moment in zip(first, moments(record), strict=True):
        if asked is None or asked["form"] == "shape":
            continue
        x = np.asarray(moment.part.value)[tuple(asked["cell"])]
        assert np.isfinite(x) and (x == 0 or abs(x) > 1e-12)


# ---- sensitivity ----


def test_the_predicted_change_stands_beside_the_true_one(opened):
    record = net()
    nudge = record.nudges[0]
    last = [c for step in record.backward for c in step.contributions if c.target == nudge.vertex][-1]
    g, base = last.after[nudge.cell], float(record.graph.root.value)
    tab = opened(lens_page(record))
    tab.locator("#lens summary").click()
    slider = tab.locator(".nudge input[type=range]")
    slider.focus()
    tab.keyboard.press("Home")
    for offset, result in zip(nudge.offsets, nudge.results, strict=True):
        shown = tab.locator(".nudge dd").all_text_contents()
        change, predicted = result - base, g * offset
        apart = abs(change - predicted) / max(abs(change), abs(predicted)) if change else 0
        assert float(shown[0].split(" = ")[1]) == float(values(result))
        assert [float(shown[1]), float(shown[2])] == [float(values(predicted)), float(values(change))]
        assert float(shown[3].removesuffix(" %")) == pytest.approx(100 * apart, rel=1e-3, abs=1e-6)
        assert values(offset) in slider.get_attribute("aria-valuetext")
        tab.keyboard.press("ArrowRight")
    differences = np.abs(nudge.results - base - g * nudge.offsets)
    fits = differences <= 0.1 * np.maximum(np.abs(nudge.results - base), np.abs(g * nudge.offsets))
    bad = nudge.offsets[~fits]
    nearest = [max(bad[bad < 0]), min(bad[bad > 0])]
    assert (
        tab.locator(".nudge-verdict")
        .text_content()
        .endswith(f"at {', '.join(f'+{values(x)}' if x > 0 else values(x) for x in nearest)}.")
    )


def test_what_rounding_leaves_is_no_sign_that_the_line_stops_fitting(opened):
    offsets = np.array([-1.0, 0.0, 1.0])
    x = Tensor(np.array([1.0, 2.0], np.float32), requires_grad=True)
    record = viz.trace(np.sum(x) * np.float32(1e-9) + np.float32(1))
    flat = Nudge(0, (0,), offsets, np.array([1, 1, 1 + 2.0**-23]))
    tab = opened(lens_page(replace(record, nudges=[flat])))
    assert "fits" in tab.locator(".nudge-verdict").text_content()
    steep = replace(flat, results=np.array([0.9, 1, 1.1]))
    tab = opened(lens_page(replace(record, nudges=[steep])))
    assert tab.locator(".nudge-verdict").text_content().endswith("at -1, +1.")


def test_recorded_sensitivities_are_those_of_the_leaf_of_the_step(opened):
    x = Tensor(np.array([0.5, -1.0]), requires_grad=True)
    x.name = "x"
    record = viz.trace(np.sum(np.sin(x) ** 2))
    tab = opened(lens_page(record))
    tab.locator("#lens summary").click()
    options = tab.locator(".nudge option").all_text_contents()
    assert options == [f"x[{nudge.cell[0]}]" for nudge in record.nudges] and len(options) == 2
    for k, nudge in enumerate(record.nudges):
        tab.locator(".nudge select").select_option(str(k))
        slider = tab.locator(".nudge input[type=range]")
        slider.press("End")
        moved = x.data.copy()
        moved[nudge.cell] += nudge.offsets[-1]
        change = np.sum(np.sin(moved) ** 2) - np.sum(np.sin(x.data) ** 2)
        shown = tab.locator(".nudge dd").all_text_contents()
        assert float(shown[1]) == pytest.approx(np.sin(2 * x.data[nudge.cell]) * nudge.offsets[-1], rel=1e-3)
        assert float(shown[2]) == pytest.approx(change, rel=1e-3)


def test_the_chart_draws_the_recorded_points_where_they_are(opened):
    nudge = net().nudges[0]
    tab = opened(lens_page(net()))
    places = (
        """() => [...document.querySelectorAll(".recorded")].map((c) => [c.cx.baseVal.value, c.cy.baseVal.value])"""
    )
    dots = tab.evaluate(places)
    x, y = np.array(dots).T
    assert len(dots) == len(nudge.offsets)
    assert np.allclose(np.corrcoef(x, nudge.offsets)[0, 1], 1)
    assert np.allclose(np.corrcoef(y, nudge.results)[0, 1], -1), "larger is higher up"


def test_where_nothing_was_recorded_it_is_said(opened):
    tab = opened(lens_page(replace(net(), nudges=[])))
    tab.locator("#lens summary").click()
    assert "not recorded" in tab.locator(".nudge").text_content()
    assert tab.locator(".nudge input").count() == 0


# ---- for everybody ----


@pytest.mark.parametrize(("scheme", "width"), [("light", 1200), ("dark", 1200), ("light", 320)])
@pytest.mark.parametrize("name", ["net", "many"])
def test_axe_finds_nothing(opened, name, scheme, width):
    package = pytest.importorskip("axe_playwright_python", reason="pip install axe-playwright-python")
    script = (Path(package.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
    record = TRACES[name]()
    tab = opened(lens_page(record), color_scheme=scheme, viewport={"width": width, "height": 800}, bypass_csp=True)
    tab.evaluate(script)
    tab.evaluate("document.querySelector('details').open = true")
    last = len(moments(record))
    for i in (last - 1, last):
        tab.evaluate("(number) => window.page.lenses.update({ number })", i)
        if i == last:
            tab.evaluate("window.page.lenses.togglePredict()")
        chosen = tab.locator(".probed [role=gridcell]").first
        if chosen.count():
            chosen.press("Enter")
        found = tab.evaluate("axe.run()")["violations"]
        assert [(v["id"], [node["html"] for node in v["nodes"]]) for v in found] == []


@pytest.mark.parametrize("name", ["net", "many", "pictures"])
def test_nothing_is_wider_than_a_phone(opened, name):
    record = TRACES[name]()
    tab = opened(lens_page(record), viewport={"width": 320, "height": 700})
    for i in range(1, len(moments(record)) + 1):
        tab.evaluate("(number) => window.page.lenses.update({ number })", i)
        assert tab.evaluate("document.documentElement.scrollWidth") <= 320


# ---- words and names ----


def test_every_language_has_the_same_phrases_with_the_same_slots():
    slots = {lang: {k: set(re.findall(r"\{(\w+)\}", v)) for k, v in table.items()} for lang, table in WORDS.items()}
    assert slots["zh"] == slots["ja"] == slots["en"]
    assert set(WORDS) == set(UI)


def test_every_phrase_is_used_and_every_used_phrase_exists():
    code = "".join((PLAYER / name).read_text(encoding="utf-8") for name in PLAYER_SCRIPTS)
    made = {f"lens_{kind}" for kind in ["sign", "value", "shape"]}
    used = set(re.findall(r"\blens_\w+\b", code)) - {"lens_"}
    stems = tuple(set(re.findall(r"`(lens_\w*)\$\{", code)))
    assert used <= {*WORDS["en"], *stems}
    assert all(key in used or key.startswith(stems) for key in WORDS["en"]), made


def test_no_name_is_declared_twice_in_the_one_scope():
    declared = [
        name
        for file in PLAYER_SCRIPTS
        for name in re.findall(
            r"^(?:async )?(?:function|const|let|class) (\w+)", (PLAYER / file).read_text(encoding="utf-8"), re.MULTILINE
        )
    ]
    assert sorted(declared) == sorted(set(declared))


@pytest.mark.parametrize("lang", sorted(WORDS))
def test_names_and_values_of_users_stay_text(opened, lang):
    hostile = "<img src=x onerror=alert(1)>{name}</script>"
    x = Tensor(np.array([1.0, 2.0]), requires_grad=True)
    x.name = hostile
    record = viz.trace(np.sum(x * x))
    tab = opened(lens_page(record, lang))
    for i in range(1, len(moments(record)) + 1):
        tab.evaluate("(number) => window.page.lenses.update({ number })", i)
    assert tab.locator("#lens img, #lens script").count() == 0
    assert hostile[:30] in tab.locator("#lens").text_content()
