"""The pictures: true numbers, nothing overlapping, readable without eyes, harmless whatever a name contains."""

from __future__ import annotations

import base64
import gc
import hashlib
import itertools
import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from xml.etree import ElementTree

import numpy as np
import pytest

import nn
import viz
from autograd import Tensor
from autograd.modes import in_scope
from viz.picture.mermaid import escaped, mermaid
from viz.picture.scene import compose
from viz.picture.svg import COLOURS
from viz.texts.text import clean, values
from viz.texts.text import number as written
from viz.texts.words import called
from viz.tracing.taking import shown

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = [
    "<script>alert(1)</script>",
    "</text><script>alert(1)</script>",
    "]]></style><img src=x onerror=alert(1)>",
    "<b>bold</b>",
    "<>",
    "<<TABLE><TR><TD HREF='http://x'>x</TD></TR></TABLE>>",
    "&amp;&lt;&#x3c;&bogus;&",
    '"quoted"',
    "'single'",
    '" onload="alert(1)',
    "trailing\\",
    'slash quote \\"',
    "\\N \\G \\E \\l \\r \\n",
    "port:n",
    "a -> b; c",
    "{record|fields}",
    "line\nbreak\r\ttab",
    "nul\x00bell\x07escape\x1b[31m",
    "\u202eright to left",
    "half \ud800 character",
    "\ufffe\uffff",
    "\U0001f600 emoji",
    "日本語の名前",
    "e\u0301 combining",
    "javascript:alert(1)",
    "url(http://example.com/x)",
    "--><!--",
    "%s {0} {name} $x",
    " ",
    "x" * 5000,
]


def expression() -> tuple[Tensor, dict[str, Tensor]]:
    """A scalar expression in which s feeds three operations."""
    x, y = Tensor(2.0, requires_grad=True), Tensor(-1.25, requires_grad=True)
    x.name, y.name = "x", "y"
    s = x + y
    p = s * x
    out = p * p + np.sin(s) ** 2.0 - s
    return out, {"x": x, "y": y, "s": s, "p": p, "out": out}


def network() -> tuple[Tensor, list[Tensor]]:
    """Two layers in module scopes."""
    rng = np.random.default_rng(0)
    shapes = {"W1": (4, 3), "b1": (3,), "W2": (3, 2), "b2": (2,)}
    W1, b1, W2, b2 = leaves = [Tensor(rng.normal(size=s), requires_grad=True) for s in shapes.values()]
    for leaf, name in zip(leaves, shapes, strict=True):
        leaf.name = name
    with in_scope("Net"):
        with in_scope("0 Affine"):
            h = rng.normal(size=(5, 4)) @ W1 + b1
        with in_scope("1 Tanh"):
            h = np.tanh(h)
        with in_scope("2 Affine"):
            h = h @ W2 + b2
    loss = (h * h).sum()
    return loss, leaves


def recurrent(steps: int) -> Tensor:
    """An unrolled net whose weights are used in every step."""
    W, U = (Tensor(np.full((2, 2), 0.1), requires_grad=True) for _ in "WU")
    h, total = np.zeros((1, 2)), 0.0
    for _ in range(steps):
        h = np.tanh(h @ W + np.ones((1, 2)) @ U)
        total = total + h.sum()
    return total


def parsed(picture: viz.Picture) -> ElementTree.Element:
    return ElementTree.fromstring(picture.svg)


def texts(root: ElementTree.Element, kind: str) -> list[str]:
    return [e.text or "" for e in root.iter(f"{SVG}text") if e.get("class") == kind]


def cards(root: ElementTree.Element) -> list[tuple[float, float, float, float]]:
    """x0, y0, x1, y1 of every card."""
    found = []
    for group in root.iter(f"{SVG}g"):
        body = group.find(f"{SVG}rect[@class='body']")
        if (group.get("class") or "").startswith("card") and body is not None and body.get("x"):
            x, y, width, height = (float(body.get(key) or 0) for key in ("x", "y", "width", "height"))
            found.append((x, y, x + width, y + height))
    return found


# ---- what it shows ----


def test_values_and_gradients_are_the_real_ones():
    out, named = expression()
    out.backward(retain_graph=True)
    root = parsed(viz.draw(out))
    titles = texts(root, "title")
    values = [float(text.removeprefix("value ")) for text in texts(root, "value")]
    s, p = -1.25 + 2.0, (-1.25 + 2.0) * 2.0
    computed = [s, p, p * p, np.sin(s), np.sin(s) ** 2, p * p + np.sin(s) ** 2, p * p + np.sin(s) ** 2 - s]
    assert sorted(values) == sorted(float(f"{v:.4g}") for v in [*computed, 2.0, 2.0, -1.25])
    assert {"s = add", "p = multiply", "x", "y", "2"} <= set(titles)
    assert set(called(viz.trace(out).graph)) <= {title.split(" = ")[0] for title in titles}
    gradients = {float(text.removeprefix("grad ")) for text in texts(root, "gradient")}
    assert gradients == {float(f"{float(named[name].grad):.4g}") for name in "xy"}


def test_a_gradient_that_does_not_exist_is_not_zero():
    loss, leaves = network()
    root = parsed(viz.draw(loss))
    assert texts(root, "missing") == ["grad not computed"] * len(leaves)
    assert texts(root, "gradient") == []
    loss.backward()
    root = parsed(viz.draw(loss))
    assert texts(root, "missing") == []
    assert len(texts(root, "gradient")) == len(leaves)


def test_shapes_dtypes_names_and_scopes_are_there():
    loss, _ = network()
    root = parsed(viz.draw(loss))
    assert {"W1", "b1", "W2", "b2"} <= set(texts(root, "title"))
    assert {"(4, 3) float64", "(5, 3) float64", "(5, 4) float64", "float64"} <= set(texts(root, "note"))
    assert Counter(texts(root, "caption")) == Counter(["Net", "0 Affine", "1 Tanh", "2 Affine"])


def test_the_layers_of_nn_are_framed():
    model, head = nn.Sequential(nn.Affine(4, 3), nn.ReLU(), nn.Affine(3, 2)), nn.SoftmaxWithLoss()
    loss = head(model(np.ones((5, 4))), np.zeros(5, int))
    root = parsed(viz.draw(loss))
    assert Counter(texts(root, "caption")) == Counter(
        ["Sequential", "0 Affine", "1 ReLU", "2 Affine", "SoftmaxWithLoss"]
    )
    assert "loss = softmax_cross_entropy" in texts(root, "title")


def test_numbers_are_never_cut():
    x = Tensor(np.array([[-1.2345e-20, 2.5e20, 1 / 3] * 5] * 2), requires_grad=True)
    (text,) = texts(parsed(viz.draw((x * x).sum())), "value")[:1]
    for figure in re.findall(r"-?\d[\d.e+-]*", text):
        assert any(np.isclose(float(figure), v, rtol=1e-3) for v in [*x.data.ravel(), (x.data**2).sum()])


def test_a_leaf_is_drawn_once_for_each_use():
    out, _ = expression()
    root = parsed(viz.draw(out))
    assert texts(root, "title").count("x") == 2
    assert {"use 1 of 2", "use 2 of 2"} <= set(texts(root, "note"))


def test_forward_wires_are_solid_and_constants_get_no_gradient():
    x = Tensor(3.0, requires_grad=True)
    root = parsed(viz.draw(x * 2.0))
    wires = Counter(g.get("class") for e in root.iter(f"{SVG}g") if e.get("class") == "edge" for g in e)
    assert wires == {"wire forward": 2, "wire backward": 1}
    style = root.findtext(f"{SVG}style") or ""
    assert ".backward .line { stroke-dasharray" in style
    assert ".forward .line" not in style


def test_a_leaf_alone_has_a_picture():
    x = Tensor([1.0, 2.0], requires_grad=True)
    x.name = "x"
    assert "x" in texts(parsed(viz.draw(x)), "title")


def test_a_freed_graph_has_a_picture():
    loss, _ = network()
    loss.backward()
    assert len(texts(parsed(viz.draw(loss)), "gradient")) == 4


def test_a_changed_leaf_shows_no_value_that_the_graph_did_not_use():
    x = Tensor(np.array([1.0, 2.0]), requires_grad=True)
    y = (x * x).sum()
    x.data = np.array([7.0, 7.0])
    assert all("7" not in text for text in texts(parsed(viz.draw(y)), "value"))


@pytest.mark.parametrize("make", [expression, network, lambda: (recurrent(12), None)])
def test_cards_do_not_overlap_and_lie_inside(make):
    root = parsed(viz.draw(make()[0]))
    width, height = float(root.get("width") or 0), float(root.get("height") or 0)
    boxes = cards(root)
    assert len(boxes) > 5
    for a, b in itertools.combinations(boxes, 2):
        assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
    assert all(x0 >= 0 and y0 >= 0 and x1 <= width and y1 <= height for x0, y0, x1, y1 in boxes)


def test_frames_hold_the_operations_of_their_module_and_no_others():
    picture = viz.draw(network()[0])
    scene = compose(picture.graph)
    scopes = {}
    for edge in [drop.edge for drop in scene.drops]:
        scopes[edge.source] = picture.graph.vertices[edge.target].scope
    for frame, card in itertools.product(scene.frames, scene.cards):
        inside = frame.x <= card.x and card.x + card.width <= frame.x + frame.width
        inside = inside and frame.y <= card.y and card.y + card.height <= frame.y + frame.height
        scope = card.vertex.scope if card.vertex.kind == "op" else scopes[card.vertex.id]
        assert inside == (frame.name in scope), (frame, card.vertex)


def test_deep_graphs_need_no_recursion():
    assert viz.draw(recurrent(1000), expand=True).svg.count('<g class="card op') > 4000


# ---- for every reader ----


def test_screen_readers_get_a_title_and_a_description():
    out, named = expression()
    out.backward(retain_graph=True)
    root = parsed(viz.draw(out))
    assert root.get("role") == "img"
    assert [child.tag for child in root][:2] == [f"{SVG}title", f"{SVG}desc"]
    assert root.findtext(f"{SVG}title") == "Computational graph of out: 7 operations"
    description = root.findtext(f"{SVG}desc") or ""
    assert "p = multiply of s, x: a single number, value 1.5." in description
    assert f"Leaf y: a single number, value -1.25, gradient {float(named['y'].grad):.4g}." in description


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))


def contrast(a: str, b: str) -> float:
    bright, dim = sorted((luminance(a), luminance(b)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


@pytest.mark.parametrize("theme", [2, 3], ids=["light", "dark"])
def test_colours_pass_wcag(theme):
    """Text 4.5 to 1 on every background, lines and marks 3 to 1."""
    colour = {(row[0], row[1]): row[theme] for row in COLOURS}
    backgrounds = [c for (where, what), c in colour.items() if what == "fill" and where.split()[0] in PLACES]
    inks = [c for (where, what), c in colour.items() if what == "fill" and ("text" in where or "note" in where)]
    lines = [c for (where, what), c in colour.items() if what == "stroke"]
    assert len(backgrounds) == 5 and len(inks) == 2 and len(lines) == 6
    assert min(contrast(a, b) for a in inks for b in backgrounds) >= 4.5
    assert min(contrast(a, b) for a in lines for b in backgrounds) >= 3


PLACES = (".paper", ".op", ".leaf", ".constant", ".frame")


def test_the_picture_turns_dark_by_itself():
    style = viz.draw(expression()[0]).svg
    dark = style.split("@media (prefers-color-scheme: dark)")[1]
    assert ".seegrad .paper { fill: #121212; }" in dark


def test_notebooks_get_svg_and_text():
    picture = viz.draw(expression()[0])
    bundle = picture._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "image/svg+xml"}
    assert bundle["image/svg+xml"] == picture._repr_svg_() == picture.svg
    assert bundle["text/plain"] == repr(picture)


# ---- hostile text ----


def named(text: str) -> Tensor:
    x = Tensor([1.0, 2.0], requires_grad=True)
    x.name = text
    with in_scope(text):
        y = x * x
        y.name = text
        return y.sum()


@pytest.mark.parametrize("text", HOSTILE)
def test_names_are_only_text_in_svg(text):
    picture, harmless = viz.draw(named(text)), viz.draw(named("harmless"))
    root = parsed(picture)
    shape = [(e.tag, sorted(e.attrib)) for e in root.iter() if e.tag != f"{SVG}style"]
    assert Counter(map(str, shape)) == Counter(
        str((e.tag, sorted(e.attrib))) for e in parsed(harmless).iter() if e.tag != f"{SVG}style"
    )
    tips = [e.text or "" for e in root.iter(f"{SVG}title")]
    assert any(clean(text, 200) in tip for tip in tips)
    assert not re.search(r"[\x00-\x08\x0b-\x1f\u202e\ufffe\uffff]", picture.svg)
    picture.svg.encode()


@pytest.mark.parametrize("text", HOSTILE)
def test_pictures_refer_to_nothing(text):
    for markup in (viz.draw(named(text)).svg, viz.draw(named(text)).html):
        tags = re.findall(r"<[^!/][^>]*>", markup)
        assert not any(re.search(r"\b(href|src|on\w+|style)\s*=|<script|<image|<foreignObject|<use", t) for t in tags)
        style = "".join(re.findall(r"<style>(.*?)</style>", markup, re.DOTALL))
        assert "url(" not in style and "@import" not in style


@pytest.mark.parametrize("text", HOSTILE)
def test_names_of_groups_are_only_text(text):
    """The module becomes a card, with its name as the title."""
    picture, harmless = (viz.draw(named(name) + 1.0, visible=3) for name in (text, "harmless"))
    root = parsed(picture)
    assert [e.tag for e in root.iter()] == [e.tag for e in parsed(harmless).iter()]
    assert clean(text, 24) in texts(root, "title")
    assert "<" not in re.sub(r'"(?:[^"\\]|\\.)*"', "", viz.dot(named(text) + 1.0, visible=3).source)


@pytest.mark.parametrize("text", HOSTILE)
def test_names_are_only_text_in_dot(text):
    source = viz.dot(named(text)).source
    strings = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
    skeleton = strings.sub('""', source)
    assert "<" not in skeleton and "URL" not in skeleton and "href" not in skeleton
    assert re.findall(r"^\s*(\w+) \[label", skeleton, re.MULTILINE) != []
    assert all(node.isdigit() for node in re.findall(r"^\s*(\w+) \[label", skeleton, re.MULTILINE))
    assert all(re.fullmatch(r"\d+ -> \d+.*", line.strip()) for line in skeleton.splitlines() if "->" in line)


@pytest.mark.skipif(shutil.which("dot") is None, reason="needs Graphviz's program dot")
@pytest.mark.parametrize("text", HOSTILE)
def test_dot_shows_names_as_they_are(text):
    source = viz.dot(named(text)).source
    run = subprocess.run(["dot", "-Tjson"], input=source.encode(), capture_output=True, check=True)
    drawn = json.loads(run.stdout)
    shown = [piece["text"] for item in drawn["objects"] for piece in item.get("_ldraw_", []) if piece["op"] == "T"]
    assert clean(text, 30) in shown or not clean(text)
    assert not any(key.lower() in ("url", "href", "image") for item in drawn["objects"] for key in item)


# ---- files ----


def test_svg_html_and_dot_need_no_program(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")
    picture = viz.draw(network()[0])
    for suffix, start in {".svg": "<svg ", ".html": "<!DOCTYPE html>", ".dot": "digraph {"}.items():
        path = picture.save(tmp_path / f"picture{suffix}")
        assert path.read_text(encoding="utf-8").startswith(start)


def test_a_failed_save_keeps_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "picture.svg"
    path.write_text("old")

    def fail(*_):
        raise OSError(28, "disk full")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(OSError, match="disk full"):
        viz.draw(network()[0]).save(path)
    assert [p.name for p in tmp_path.iterdir()] == ["picture.svg"]
    assert path.read_text() == "old"


def test_the_page_forbids_everything_but_its_own_styles():
    page = viz.draw(network()[0]).html
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    assert policy[1].startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy[1] and "<script" not in page
    for style in re.findall(r"<style>(.*?)</style>", page, re.DOTALL):
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy[1]


def test_pictures_are_the_same_every_time():
    loss, _ = network()
    assert viz.draw(loss).svg == viz.draw(loss).svg
    assert viz.dot(loss).source == viz.dot(loss).source


def test_the_garbage_collector_is_left_as_it_was():
    for enabled in (True, False):
        (gc.enable if enabled else gc.disable)()
        try:
            viz.draw(expression()[0])
            with pytest.raises(TypeError):
                viz.draw(None)
            assert gc.isenabled() == enabled
        finally:
            gc.enable()


def test_a_picture_makes_no_reference_cycle():
    gc.collect()
    gc.disable()
    try:
        viz.draw(network()[0])
        assert gc.collect() == 0
    finally:
        gc.enable()


# ---- arguments and imports ----


def test_what_has_no_graph_gets_one_clear_error():
    with pytest.raises(TypeError, match="graph of a Tensor, a Trace or a Tape, not of ndarray"):
        viz.draw(np.ones(3))
    with pytest.raises(ValueError, match="requires_grad=True"):
        viz.draw(Tensor([1.0]) + 1)


def test_importing_viz_does_not_import_graphviz():
    code = "import sys, viz; print('graphviz' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"


def test_a_foreign_autograd_gets_one_clear_error(tmp_path):
    """As with HIPS autograd: another package of that name comes first on the path."""
    (tmp_path / "autograd").mkdir()
    (tmp_path / "autograd" / "__init__.py").write_text("")
    root = re.sub(r"viz.__init__\.py$", "", viz.__file__)
    code = f"import sys; sys.path[:0] = [{str(tmp_path)!r}, {root!r}]; import viz"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    last = run.stderr.strip().splitlines()[-1]
    assert last.startswith("ImportError: viz belongs to 'seegrad', but 'import autograd' finds the package of")
    assert "pip uninstall" in last


def test_an_operation_without_a_name_is_called_on_its_card_as_in_the_text():
    x = Tensor(np.array([0.5, -1.0]), requires_grad=True)
    y = np.tanh(np.exp(x) + np.exp(x * 2.0)).sum()
    record = viz.trace(y)
    vertices = record.graph.vertices
    names = [name for v, name in zip(vertices, called(record.graph), strict=True) if v.op and not v.name]
    assert len(names) == 5 and all(re.fullmatch(r"[a-z]+#[0-9]+", name) for name in names)
    said = viz.explain(record)
    drawn = texts(parsed(viz.draw(record)), "title")
    for name in names:
        assert name in said and name in drawn
        assert name in viz.dot(record).source
        assert escaped(name) in mermaid(record.graph)


def test_a_folded_picture_keeps_the_numbers_of_the_whole():
    x = Tensor(np.array(0.5), requires_grad=True)
    y = x
    for _ in range(40):
        y = np.sin(y * y)
    y = np.tanh(y)
    drawn = texts(parsed(viz.draw(y, visible=6)), "title")
    assert "y#81 = tanh" in drawn
    assert "y#81 = tanh" in texts(parsed(viz.draw(y)), "title")


def test_of_a_trace_the_gradients_are_those_after_the_last_use():
    x = Tensor(2.0, requires_grad=True, name="x")
    found = shown(viz.trace(x * 3 + x * 4)).vertices
    assert [v.gradient for v in found if v.kind == "leaf"] == [7.0]


@pytest.mark.parametrize("zero", [-0.0, np.float32(-0.0), complex(-0.0, -0.0), np.array(-0.0).item()])
def test_zero_has_no_sign(zero):
    assert written(zero) == values(np.array(zero)) == "0"
    assert written(-1e-320) == "-1e-320"
