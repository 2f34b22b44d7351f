"""Saved pictures: each format holds the true picture, needs what it says, and no name in it is more than text."""

from __future__ import annotations

import configparser
import io
import re
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from test_viz_picture import HOSTILE, SVG, expression, named, network, texts

import viz
from autograd import Tensor
from autograd.errors import GraphFreedError
from nn import optim
from viz.picture import film, raster
from viz.picture.cards import PAD, text_width
from viz.picture.mermaid import MOST_ARROWS, mermaid
from viz.picture.svg import COLOURS
from viz.texts.text import clean, number
from viz.tracing.moments import moments
from viz.tracing.reading import graph
from viz.tracing.taking import shown

PLAIN = {
    ".svg": "<svg ",
    ".html": "<!DOCTYPE html>",
    ".dot": "digraph {",
    ".mmd": "flowchart LR\n",
    ".md": "## Graph\n\n```mermaid\nflowchart LR\n",
    ".tex": "%",
    ".json": "{",
}
EXTRAS = {".png": b"\x89PNG\r\n", ".pdf": b"%PDF-", ".gif": b"GIF89a"}


def save(picture: viz.Picture, folder, suffix: str) -> bytes:
    return picture.save(folder / f"picture{suffix}").read_bytes()


def image(data: bytes):
    from PIL import Image

    return Image.open(io.BytesIO(data))


# ---- what each format needs ----


@pytest.fixture
def bare(monkeypatch):
    """A machine without the extras and without programs."""
    for module in ("typst", "PIL"):
        monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setenv("PATH", "")


def test_text_formats_need_nothing(tmp_path, bare):
    picture = viz.draw(network()[0])
    for suffix, start in PLAIN.items():
        assert save(picture, tmp_path, suffix).decode().startswith(start)


@pytest.mark.parametrize("suffix", EXTRAS)
def test_without_the_extra_one_line_says_what_to_install(tmp_path, bare, suffix):
    path = tmp_path / f"picture{suffix}"
    path.write_text("old")
    with pytest.raises(ImportError) as caught:
        viz.draw(network()[0]).save(path)
    assert f'pip install "seegrad[{suffix[1:]}]"' in str(caught.value)
    assert "\n" not in str(caught.value)
    assert [p.name for p in tmp_path.iterdir()] == [path.name] and path.read_text() == "old"


def test_the_extras_that_errors_name_exist():
    config = configparser.ConfigParser()
    config.read(Path(__file__).parent.parent / "setup.cfg")
    assert {suffix[1:] for suffix in EXTRAS} <= set(config["options.extras_require"])


@pytest.mark.parametrize("suffix", EXTRAS)
def test_formats_with_an_extra(tmp_path, suffix):
    assert save(viz.draw(expression()[0]), tmp_path, suffix).startswith(EXTRAS[suffix])


@pytest.mark.parametrize("suffix", [*PLAIN, *EXTRAS])
def test_files_are_the_same_every_time(tmp_path, suffix):
    out = expression()[0]
    assert save(viz.draw(out), tmp_path, suffix) == save(viz.draw(out), tmp_path, suffix)


def test_an_unknown_suffix_gets_the_list_of_known_ones(tmp_path):
    with pytest.raises(ValueError, match=r"\.svg, \.html, \.dot, \.mmd, .*\.json, \.png, \.pdf, \.gif"):
        viz.draw(network()[0]).save(tmp_path / "picture.bmp")


# ---- the steps behind a picture ----


def test_json_is_the_trace(tmp_path):
    out = expression()[0]
    assert save(viz.draw(out), tmp_path, ".json").decode() == viz.trace(out).to_json()
    record = viz.trace(out)
    assert save(viz.draw(record), tmp_path, ".json").decode() == record.to_json()


def test_markdown_and_latex_are_the_explained_steps(tmp_path):
    out = expression()[0]
    assert save(viz.draw(out), tmp_path, ".tex").decode() == viz.explain(out, form="latex")
    graph_part, _, steps = save(viz.draw(out), tmp_path, ".md").decode().partition("```\n\n")
    assert steps == viz.explain(out, form="markdown")
    assert graph_part == f"## Graph\n\n```mermaid\n{mermaid(shown(viz.trace(out)))}"


def test_a_large_graph_is_not_drawn_in_markdown(tmp_path):
    x = Tensor(1.0, requires_grad=True)
    y = x
    for _ in range(40):
        y = np.sin(y)
    assert save(viz.draw(y), tmp_path, ".md").decode() == viz.explain(y, form="markdown")


@pytest.mark.parametrize("suffix", [".json", ".md", ".tex", ".gif"])
def test_a_freed_graph_has_a_picture_but_no_steps(tmp_path, suffix):
    loss = network()[0]
    loss.backward()
    picture = viz.draw(loss)
    assert save(picture, tmp_path, ".svg")
    with pytest.raises(GraphFreedError, match=r"retain_graph=True.*viz\.record"):
        picture.save(tmp_path / f"steps{suffix}")


@pytest.mark.parametrize("suffix", [".json", ".md", ".tex", ".gif"])
def test_a_picture_of_no_one_pass_has_no_steps(tmp_path, suffix):
    picture = viz.Picture(graph(network()[0]))
    assert save(picture, tmp_path, ".svg")
    with pytest.raises(ValueError, match="no steps to tell"):
        picture.save(tmp_path / f"steps{suffix}")


def test_a_recorded_pass_keeps_its_steps(tmp_path):
    with viz.record() as tape:
        loss = network()[0]
        loss.backward()
    assert save(viz.draw(loss), tmp_path, ".json") == save(viz.draw(tape), tmp_path, ".json")


# ---- pixels and paper ----


def test_png_is_the_light_picture_at_two_pixels_a_unit(tmp_path):
    picture = viz.draw(expression()[0])
    width, height = raster.size(picture.svg)
    shot = image(save(picture, tmp_path, ".png")).convert("RGB")
    assert abs(shot.width - 2 * width) <= 1 and abs(shot.height - 2 * height) <= 1
    assert shot.getpixel((1, 1)) == (255, 255, 255)
    root = ElementTree.fromstring(picture.svg)
    shift = re.search(r"translate\(([\d.]+) ([\d.]+)\)", root.find(f"{SVG}g").get("transform"))
    dx, dy = float(shift[1]), float(shift[2])
    fills = {"card op": "f1f7fb", "card leaf": "e9f6f1", "card constant": "f4f4f4", "card op result": "f1f7fb"}
    for card in root.iter(f"{SVG}g"):
        if card.get("data-vertex"):
            box, title = card.find(f"{SVG}rect"), card.find(f"{SVG}text")
            x, y, w = (float(box.get(key)) + d for key, d in (("x", dx), ("y", dy), ("width", 0)))
            assert shot.getpixel((round(2 * (x + w - 6)), round(2 * (y + 12)))) == tuple(
                bytes.fromhex(fills[card.get("class")])
            )
            x, y = float(title.get("x")) + dx, float(title.get("y")) + dy
            letters = shot.crop((round(2 * x), round(2 * y - 18), round(2 * x + 14 * len(title.text)), round(2 * y)))
            assert min(letters.convert("L").tobytes()) < 60, f"{title.text} is not to be seen"


def test_a_huge_picture_becomes_a_png_that_fits_into_memory(monkeypatch):
    monkeypatch.setattr(raster, "LARGEST", 1e4)
    shot = image(raster.png(viz.draw(network()[0]).svg))
    assert 0.8e4 < shot.width * shot.height <= 1.1e4


def test_a_pdf_page_is_no_larger_than_readers_can_show(monkeypatch):
    monkeypatch.setattr(raster, "LONGEST", 500)
    picture = viz.draw(network()[0])
    width, height = raster.size(picture.svg)
    box = re.search(rb"/MediaBox\s*\[\s*0 0 ([\d.]+) ([\d.]+)", raster.pdf(picture.svg, ""))
    assert box is not None
    assert (float(box[1]), float(box[2])) == pytest.approx((500, 500 * height / width), abs=0.1)


def test_pdf_is_one_page_of_lines_and_text(tmp_path):
    picture = viz.draw(expression()[0])
    data = save(picture, tmp_path, ".pdf")
    width, height = raster.size(picture.svg)
    boxes = re.findall(rb"/MediaBox\s*\[\s*0 0 ([\d.]+) ([\d.]+)", data)
    assert [(float(w), float(h)) for w, h in boxes] == [pytest.approx((width, height), abs=0.1)]
    assert b"DejaVuSansMono" in data and b"/Subtype/Image" not in data.replace(b" ", b"")
    assert b"/CreationDate" not in data


@pytest.mark.parametrize("text", ["日本語の名前", '#panic("x")', "</svg>", "x" * 5000, *HOSTILE[:6]])
def test_names_are_only_text_to_the_typesetter(text):
    picture = viz.draw(named(text))
    assert raster.pdf(picture.svg, text).startswith(EXTRAS[".pdf"])
    assert raster.png(picture.svg).startswith(EXTRAS[".png"])


# ---- Mermaid ----

ROW = r"(?:[\w ,.=()\[\]+\-…]|#\d+;)+"
LINES = [
    r"flowchart LR",
    rf"  accTitle: {ROW}",
    rf" *subgraph m\d+\[\"{ROW}\"\]",
    r" *end",
    rf' +\d+(?:\(|\(\[|\[)"{ROW}(?:<br>{ROW})*"(?:\)|\]\)|\]):::(?:op|leaf|constant)',
    r"  class m\d+(?:,m\d+)* module",
    r"  \d+ (?:-->|<-\.->) \d+",
    r"  linkStyle default stroke:#0072b2",
    r"  linkStyle \d+(?:,\d+)* stroke:#d55e00,marker-end:none",
    r"  classDef \w+ fill:#\w{6},stroke:#\w{6},color:#\w{6}",
]


def read(label: str) -> str:
    return re.sub(r"#(\d+);", lambda m: chr(int(m[1])), label)


@pytest.mark.parametrize("text", [*HOSTILE, "1. item", "- x", "`code`", '"`**x**`"', "%%{init: {}}%%", 'style a:b"'])
def test_names_are_only_text_in_mermaid(text):
    source = mermaid(graph(named(text)))
    lines = source.splitlines()
    assert len(lines) == len(mermaid(graph(named("harmless"))).splitlines())
    for line in lines:
        assert any(re.fullmatch(pattern, line) for pattern in LINES), line
    labels = [read(label) for label in re.findall(r'"(.*?)(?:<br>.*)?"', source)]
    assert (clean(text, 30) or "\N{NO-BREAK SPACE}") in labels
    assert not any(re.match(r"\d+\. |[-+*] ", label) for label in re.findall(r'"(.*?)"', source))


def test_mermaid_has_every_operation_arrow_and_module():
    loss, leaves = network()
    source = mermaid(graph(loss))
    record = graph(loss)
    forward = re.findall(r"^  (\d+) --> (\d+)$", source, re.MULTILINE)
    backward = re.findall(r"^  (\d+) <-\.-> (\d+)$", source, re.MULTILINE)
    trained = [edge for edge in record.edges if record.vertices[edge.source].kind != "constant"]
    assert len(forward) == len(record.edges) and len(backward) == len(trained)
    assert set(backward) <= set(forward)
    dashed = re.search(r"linkStyle ([\d,]+) stroke:#d55e00", source)
    assert dashed is not None
    assert [int(k) for k in dashed[1].split(",")] == list(range(len(forward), len(forward) + len(backward)))
    assert re.findall(r'subgraph m\d+\["(.*)"\]', source) == ["Net", "0 Affine", "1 Tanh", "2 Affine"]
    assert source.count("subgraph") == len(re.findall(r"^ *end$", source, re.MULTILINE))
    assert source.count(":::leaf") == len(leaves)


def test_mermaid_folds_what_it_would_not_draw():
    x = Tensor(1.0, requires_grad=True)
    y = x
    for _ in range(MOST_ARROWS):
        y = y * x
    source = mermaid(graph(y))
    assert len(re.findall(r"^  \d+ (?:-->|<-\.->) \d+$", source, re.MULTILINE)) <= MOST_ARROWS
    assert ":::group" in source


def test_mermaid_refuses_what_it_could_not_draw(monkeypatch):
    monkeypatch.setattr("viz.picture.mermaid.MOST_CHARACTERS", 200)
    with pytest.raises(ValueError, match=r"at most 500 arrows and 200 characters.* \.svg or \.html"):
        mermaid(graph(network()[0]))


# ---- film ----


def trained() -> tuple[viz.Trace, Tensor, np.ndarray, np.ndarray]:
    """One step of learning, recorded; the weight, what it was, and its gradient."""
    w = Tensor(np.array([1.5, -2.0]), requires_grad=True)
    w.name = "w"
    before = w.data.copy()
    with viz.record() as tape:
        y = (w * w * np.array([1.0, 3.0])).sum()
        y.backward()
        optim.SGD([w], lr=0.1).step()
    return tape.traces[-1], w, before, np.asarray(w.grad)


def placed(root: ElementTree.Element) -> list[tuple[str, ...]]:
    return [tuple(box.get(key, "") for key in ("x", "y", "width", "height")) for box in root.iter(f"{SVG}rect")][1:]


def test_a_film_has_a_frame_for_each_moment(tmp_path):
    out = expression()[0]
    count = len(moments(viz.trace(out)))
    shot = image(save(viz.draw(out), tmp_path, ".gif"))
    assert shot.n_frames == count
    assert shot.width <= film.WIDEST and shot.height <= film.HIGHEST
    assert shot.info["loop"] == 0
    shown_for = []
    for k in range(count):
        shot.seek(k)
        shown_for.append(shot.info["duration"])
        assert shot.convert("RGB").getpixel((1, 1)) == (255, 255, 255)
    assert shown_for == [film.SHOWN] * (count - 1) + [film.LAST]


def test_a_film_has_the_colours_of_the_picture():
    painter = film.Painter()
    exact = [bytes.fromhex(colour[1:]) for _, _, colour, _ in COLOURS]
    shown = painter.palette[painter.numbers(np.array([list(map(list, exact))], np.uint8))]
    assert [bytes(colour) for colour in shown[0]] == exact
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (20, 30, 3)).astype(np.uint8)
    distance = np.abs(noise[..., None, :].astype(int) - painter.palette) ** 2
    assert np.array_equal(painter.numbers(noise), distance.sum(axis=-1).argmin(axis=-1))


def test_nothing_moves_in_a_film_and_every_text_fits():
    for record in (viz.trace(expression()[0]), trained()[0]):
        roots = [ElementTree.fromstring(frame) for frame in film.frames(record)]
        still = [[box for box in placed(root) if box[2] != "3"] for root in roots]  # all but the ticks beside numbers
        assert all(boxes == still[0] for boxes in still)
        for root in roots:
            width = float(root.get("width") or 0)
            assert all(text_width(e.text or "") * 14 / 12 <= width for e in root.iter() if e.get("class") == "sentence")
            for card in (e for e in root.iter(f"{SVG}g") if e.get("data-vertex")):
                room = float(card.find(f"{SVG}rect").get("width") or 0) - 2 * PAD
                assert all(text_width(e.text or "") <= room + 0.1 for e in card.iter(f"{SVG}text"))


def test_a_film_shows_what_has_happened_and_no_more():
    record, w, before, gradient = trained()
    found = [ElementTree.fromstring(frame) for frame in film.frames(record)]
    leaf = next(v.id for v in record.graph.vertices if v.name == "w")

    def rows(root: ElementTree.Element, vertex: int) -> set[str]:
        return {e.text or "" for g in root.iter(f"{SVG}g") if g.get("data-vertex") == str(vertex) for e in g if e.text}

    def vector(array: np.ndarray) -> str:
        return "[" + ", ".join(number(x) for x in array.tolist()) + "]"

    assert {"value " + vector(before), "grad not computed"} <= rows(found[0], leaf)
    assert {"value " + vector(w.data), "grad " + vector(gradient)} <= rows(found[-1], leaf)
    assert np.allclose(gradient, 2 * before * [1.0, 3.0]) and np.allclose(w.data, before - 0.1 * gradient)
    last_forward = sum(m.step.kind == "forward" for m in moments(record))
    root_id = record.graph.root.id
    assert not any(row.startswith("value") for row in rows(found[last_forward - 2], root_id))
    assert f"value {number(float((before**2 * [1.0, 3.0]).sum()))}" in rows(found[last_forward - 1], root_id)
    half = [e for root in found for e in rows(root, leaf) if e.startswith("grad [")]
    assert "grad " + vector(gradient / 2) in half  # w is used twice, and each use brings half


def test_each_frame_lights_its_edge():
    record = viz.trace(expression()[0])
    for frame, moment in zip(film.frames(record), moments(record), strict=True):
        lit = re.findall(r'\[data-edge="(\d+) (\d+) (\d+)"\] \.(\w+) \{ opacity: 1', frame)
        targets = {int(target) for _, target, _, _ in lit}
        assert targets == {moment.step.vertex}
        if moment.contribution is None:
            assert {half for *_, half in lit} == {"forward"}
        else:
            slot = moment.contribution.slot
            assert lit == [(str(moment.contribution.target), str(moment.step.vertex), str(slot), "backward")]


def test_a_long_film_leaves_out_the_forward_pass_and_a_longer_one_is_refused(monkeypatch):
    record = viz.trace(expression()[0])
    all_of_it = len(moments(record))
    backward = sum(m.contribution is not None for m in moments(record))
    monkeypatch.setattr(film, "MOST_FRAMES", all_of_it - 1)
    frames = film.frames(record)
    assert len(frames) == backward
    assert texts(ElementTree.fromstring(frames[0]), "sentence")[0].startswith(f"Step {all_of_it - backward + 1} of ")
    monkeypatch.setattr(film, "MOST_FRAMES", backward - 1)
    with pytest.raises(ValueError, match=r"viz\.step\(y\)\.save"):
        film.frames(record)


def test_a_leaf_alone_makes_no_film():
    with pytest.raises(ValueError, match="1 to"):
        film.frames(viz.trace(Tensor(1.0, requires_grad=True)))


@pytest.mark.parametrize("text", HOSTILE)
def test_names_are_only_text_in_a_film(text):
    frames, harmless = film.frames(viz.trace(named(text))), film.frames(viz.trace(named("harmless")))
    tags = [[e.tag for e in ElementTree.fromstring(frame).iter() if e.get("class") != "sentence"] for frame in frames]
    assert tags == [
        [e.tag for e in ElementTree.fromstring(frame).iter() if e.get("class") != "sentence"] for frame in harmless
    ]
