"""The step player as a file and in a notebook: what it holds, how large it is, what it says where it cannot play."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import stat
import zlib
from html import unescape
from string import Formatter

import numpy as np
import pytest

import nn
import viz
from autograd import Tensor
from viz.player.lens_words import WORDS
from viz.player.stage import views
from viz.player.words import UI
from viz.texts.phrases import PHRASES
from viz.tracing.moments import moments


def small() -> Tensor:
    x = Tensor(2.0, requires_grad=True)
    x.name = "x"
    y = x * x
    return y + x


def chain(length: int) -> Tensor:
    h = Tensor(0.3, requires_grad=True)
    w = Tensor(0.9, requires_grad=True)
    for _ in range(length // 2):
        h = np.tanh(h * w)
    return h


def data_of(html: str) -> dict:
    kind, text = re.search(r'<script type="(.*?)" id="data">(.*?)</script>', html, re.DOTALL).groups()
    return json.loads(text if kind == "application/json" else zlib.decompress(base64.b64decode(text)))


def test_the_page_is_complete_and_its_policy_names_its_two_inline_parts():
    html = viz.step(small()).html
    policy = re.search(r'Content-Security-Policy" content="(.*?)"', html)[1]
    style = re.search(r"<style>(.*?)</style>", html, re.DOTALL)[1]
    script = re.search(r"</script>\n<script>(.*?)</script>", html, re.DOTALL)[1]
    for part, text in (("style-src", style), ("script-src", script)):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{part} 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none';") and "unsafe" not in policy and "http" not in policy
    assert not re.search(r"\b(src|href)=(?!\"data:,)", html.replace(script, ""))
    assert not re.search(r"\{\{\w+\}\}", html)
    for banned in ("innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval(", "new Function"):
        assert banned not in script


def test_the_same_record_gives_the_same_page():
    record = viz.trace(small())
    assert viz.step(record).html == viz.step(record).html
    tape_page = viz.step(viz.trace(small())).html
    assert len(tape_page) == len(viz.step(record).html)


def test_a_record_from_a_file_plays_the_same(tmp_path):
    record = viz.trace(small())
    record.save(tmp_path / "trace.json")
    assert viz.step(viz.load(tmp_path / "trace.json")).html == viz.step(record).html


def test_the_13_002_parameters_with_every_value_and_gradient_fit_into_300_kilobytes():
    widths = (784, 16, 16, 10)
    layers = [nn.Affine(widths[k], widths[k + 1], rng=k) for k in range(3)]
    model = nn.Sequential(layers[0], nn.Sigmoid(), layers[1], nn.Sigmoid(), layers[2])
    with viz.record() as tape:
        x = Tensor(np.random.default_rng(0).random((1, 784)))
        nn.softmax_cross_entropy(model(x), np.array([3])).backward()
    html = viz.step(tape).html
    assert len(html.encode()) <= 300_000
    rows = data_of(html)["values"]

    def array(place):
        row = rows[place]
        if "planes" in row:
            raw = np.frombuffer(base64.b64decode(row["planes"]), np.uint8)
            return np.ascontiguousarray(raw.reshape(4, -1).T).view("<f4").reshape(row["shape"])
        return np.array(row["data"]).reshape(row["shape"])

    record = tape.traces[-1]
    data = data_of(html)
    after = {given["target"]: array(given["after"]) for step in data["backward"] for given in step["contributions"]}
    count = 0
    for vertex, raw in zip(record.graph.vertices, data["vertices"], strict=True):
        if vertex.name in ("W", "b"):
            np.testing.assert_allclose(array(raw["value"]), vertex.value, rtol=1e-6)
            layer = next(a for a in layers if a.W.shape == vertex.shape or a.b.shape == vertex.shape)
            assert after[vertex.id].shape == vertex.shape
            count += after[vertex.id].size
            if vertex.name == "W":
                np.testing.assert_allclose(after[vertex.id], layer.W.grad, rtol=1e-6)
    assert count == 13_002


@pytest.mark.parametrize("beyond", [1e300, 1e-300])
def test_large_values_that_single_precision_cannot_hold_stay_double(beyond):
    x = Tensor(np.r_[np.ones(49), beyond], requires_grad=True)
    x.name = "x"
    data = data_of(viz.step(np.sum(x)).html)
    row = data["values"][next(v for v in data["vertices"] if v.get("name") == "x")["value"]]
    assert row["dtype"] == "<f8"


def test_a_notebook_gets_a_frame_without_rights_a_picture_and_text():
    y = small()
    bundle = viz.step(y)._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "image/svg+xml", "text/html"}
    assert all(len(text.encode()) < 1_000_000 for text in bundle.values())
    frame = re.fullmatch(r'<iframe sandbox="allow-scripts" [^<>]*srcdoc="([^"]*)"></iframe>', bundle["text/html"])
    assert unescape(frame[1]) == viz.step(y).html
    assert bundle["image/svg+xml"].startswith("<svg") and "Step 1 of 6" in bundle["text/plain"]


def test_what_is_too_large_for_a_notebook_says_so_and_shows_the_picture():
    x = Tensor(np.random.default_rng(0).random(150_000), requires_grad=True)
    bundle = viz.step(np.sum(np.tanh(x)))._repr_mimebundle_()
    assert all(len(text.encode()) < 1_000_000 for text in bundle.values())
    assert "too many for a notebook" in bundle["text/html"] and "<svg" in bundle["text/html"]
    assert "<script" not in bundle["text/html"]


def test_saving_is_all_or_nothing(tmp_path, monkeypatch):
    player = viz.step(small())
    path = player.save(tmp_path / "steps.html")
    assert path.read_text("utf-8") == player.html
    with pytest.raises(ValueError, match=r"must end in \.html"):
        player.save(tmp_path / "steps.svg")
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError):
        viz.step(np.sin(small())).save(path)
    assert path.read_text("utf-8") == player.html
    assert [file.name for file in tmp_path.iterdir()] == ["steps.html"]


def test_show_opens_a_file_that_only_its_owner_can_read(monkeypatch):
    asked = []
    monkeypatch.setattr("webbrowser.open", asked.append)
    path = viz.step(small()).show()
    assert asked == [path.as_uri()]
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    path.unlink()
    path.parent.rmdir()


def test_languages():
    with pytest.raises(ValueError, match="en, zh, ja, not 'fr'"):
        viz.step(small(), lang="fr")
    assert '<html lang="ja">' in viz.step(small(), lang="ja").html
    assert set(data_of(viz.step(small(), lang="zh").html)["words"]) == {"zh"}
    tables = [{lang: UI[lang] | WORDS[lang] for lang in UI}, PHRASES]
    for table in tables:
        assert set(table) == {"en", "zh", "ja"}
        for lang in ("zh", "ja"):
            assert set(table[lang]) == set(table["en"])
            for key, text in table["en"].items():
                assert text and table[lang][key]
                fields = [{name for _, name, _, _ in Formatter().parse(t) if name} for t in (text, table[lang][key])]
                assert fields[0] == fields[1], (lang, key)


def test_it_plays_a_tensor_a_trace_and_a_tape_and_changes_nothing():
    y = small()
    viz.step(y)
    assert y.node is not None
    y.backward()
    with viz.record() as tape:
        small().backward()
    assert viz.step(tape).html.count("<svg") >= 1
    with pytest.raises(TypeError):
        viz.step(3.0)
    with pytest.raises(ValueError, match="no step to play"):
        viz.step(Tensor(1.0, requires_grad=True))


def neurons() -> Tensor:
    """A net of scalars in which nothing repeats: every weight and every value has digits of its own."""
    rng = np.random.default_rng(0)
    layer = list(rng.normal(size=40))
    for width in (62, 40, 1):
        layer = [np.tanh(sum(weight(rng) * v for v in layer)) for _ in range(width)]
    return layer[0]


def weight(rng: np.random.Generator) -> Tensor:
    return Tensor(0.3 * rng.normal(), requires_grad=True)


@pytest.mark.parametrize("graph", [lambda: chain(10_000), neurons])
def test_ten_thousand_operations_fit_into_two_megabytes(graph):
    record = viz.trace(graph())
    assert sum(v.kind == "op" for v in record.graph.vertices) >= 10_000
    html = viz.step(record).html
    assert len(html.encode()) < 2_000_000
    assert len(data_of(html)["moments"]) >= 25_000


@pytest.mark.parametrize("length", [10, 400])
def test_every_vertex_and_every_edge_has_its_place_in_the_pictures(length):
    record = viz.trace(chain(length))
    found = views(record)
    assert ("shown" in found[0]) == (length == 400)
    seen = set()
    for view in found:
        size = len(view.get("shown", record.graph.vertices))
        instances = view.get("instances") or [range(size)]
        for ids in instances:
            assert len(ids) == size
            seen |= set(ids)
        for card, about in enumerate(view.get("about", [])):
            assert about is None or view["shown"][about] == card
        for target, slot, place in view.get("arcs", []):
            assert slot >= 0 and view["shown"][target] == view["edges"][place][1]
        ids = set(map(int, re.findall(r'data-vertex="(\d+)"', view["svg"])))
        assert ids == set(view.get("shown", range(size)))
    assert seen == set(range(len(record.graph.vertices)))
    assert len(moments(record)) > length
