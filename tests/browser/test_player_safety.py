"""Nobody's words become code: hostile names, code, scopes, files and values in the player, and pages around it."""

from __future__ import annotations

import re
from html import escape

import nets
import numpy as np
import pytest

import viz
from viz.tracing.model import (
    CONSTANT,
    LEAF,
    OP,
    Backward,
    Contribution,
    Edge,
    Graph,
    Part,
    Trace,
    Update,
    Vertex,
)

ALERT = "alert(1)"
PAYLOADS = [
    f"<script>{ALERT}</script>",
    f"</script><script>{ALERT}</script>",
    f"<!--<script>{ALERT}//-->",
    f"<SCRIPT SRC=//evil.example/x.js></SCRIPT>{ALERT}",
    f"<img src=x onerror={ALERT}>",
    f'"><img src=x onerror={ALERT}>',
    f"'><img src=x onerror={ALERT}>",
    f"<svg onload={ALERT}>",
    f"</svg><script>{ALERT}</script>",
    f"<svg><script>{ALERT}</script></svg>",
    f"</text><script>{ALERT}</script>",
    f"</title><script>{ALERT}</script>",
    f"</style><script>{ALERT}</script>",
    f"<iframe src=javascript:{ALERT}>",
    f"<iframe srcdoc='<script>{ALERT}</script>'>",
    f"javascript:{ALERT}",
    f"data:text/html,<script>{ALERT}</script>",
    f"<a href=javascript:{ALERT}>x</a>",
    f"<math><mi xlink:href='javascript:{ALERT}'>x</mi></math>",
    f"<math><maction actiontype='statusline#http://evil.example' xlink:href='javascript:{ALERT}'>x</maction></math>",
    f"<math><annotation-xml encoding='text/html'><script>{ALERT}</script></annotation-xml></math>",
    f"<mtext></mtext><script>{ALERT}</script>",
    f"]]><script>{ALERT}</script>",
    f"<![CDATA[<script>{ALERT}</script>]]>",
    f"<?xml version='1.0'?><script>{ALERT}</script>",
    "<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>&e;",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
    "&quot; onmouseover=&quot;alert(1)",
    f'" onfocus="{ALERT}" autofocus="',
    f"' onmouseover='{ALERT}",
    f"`;{ALERT};`",
    f"${{{ALERT}}}",
    f"{{{{constructor.constructor('{ALERT}')()}}}}",
    "{{data}}{{script}}{{picture}}{{policy}}",
    "{i}{n}{name}{equation}{0}{__class__}",
    "\\u003cscript\\u003ealert(1)\\u003c/script\\u003e",
    "\\x3cscript\\x3ealert(1)\\x3c/script\\x3e",
    f"\u2028{ALERT}\u2029",
    f"\n{ALERT}\r\n//",
    f"\0<script>{ALERT}</script>",
    "\u202eevil\u202c",
    "\ud800",
    "__proto__",
    "constructor",
    "hasOwnProperty",
    "toString",
    f"-->{ALERT}<!--",
    f"<base href=//evil.example><script>{ALERT}</script>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "<style>@import '//evil.example/x.css';*{background:url(//evil.example/x)}</style>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "<object data=//evil.example/x><embed src=//evil.example/x>",
    f"<form action=javascript:{ALERT}><input type=submit autofocus onfocus={ALERT}>",
    f"<details open ontoggle={ALERT}><summary>x</summary></details>",
    f"<video><source onerror={ALERT}></video>",
    "url(//evil.example/x)",
    f"expression({ALERT})",
    f"\"'><svg/onload={ALERT}//" * 30,
    "𝕏" * 500,
]


def hostile() -> Trace:
    """A record in which every text that a file may set is a payload, each of them in every role."""
    assert len(set(PAYLOADS)) >= 50
    vertices, edges, backward = [], [], []
    for k, payload in enumerate(PAYLOADS):
        other = PAYLOADS[(k + 7) % len(PAYLOADS)]
        place = {"scope": (payload, other), "source": payload, "code": payload}
        leaf = Vertex(2 * k, (LEAF, CONSTANT)[k % 2], "", payload, (), payload, np.array(0.5), None, {}, **place)
        op = Vertex(2 * k + 1, OP, payload, other, (2,), payload, np.ones(2), None, {payload: other}, **place)
        vertices += [leaf, op]
        edges.append(Edge(2 * k, 2 * k + 1, 0, payload))
        if k:
            edges.append(Edge(2 * k - 1, 2 * k + 1, 1, other))
    for k in reversed(range(1, len(PAYLOADS))):
        payload = PAYLOADS[k]
        parts = [Part("transpose", f"transpose({payload})", np.ones(2)), Part("rule", payload, np.ones(2), ())]
        names = {"g": np.ones(2), payload: payload}
        given = Contribution(1, 2 * k - 1, payload, names, parts, None, np.ones(2), 1, 1)
        backward.append(Backward(2 * k + 1, np.ones(2), [given]))
    updates = [Update(0, np.array(0.5), np.array(0.25), payload, payload) for payload in PAYLOADS]
    return Trace(Graph(vertices, edges), backward, updates)


def test_hostile_words_stay_words(opened):
    record = hostile()
    player = viz.step(record)
    html = player.html
    assert len(re.findall(r"<script\b", html)) == 2  # the data, and the one script
    page = opened(html)
    for key in (
        "ArrowRight",
        "b",
        "ArrowRight",
        "e",
        "ArrowRight",
        "e",
        "p",
        "Escape",
        "p",
        "Shift+ArrowRight",
        "End",
        "ArrowLeft",
    ):
        page.keyboard.press(key)
    if page.locator("#predict").get_attribute("aria-pressed") == "true":  # search is closed while it asks
        page.locator("#predict").click()
    for step in range(1, 200, 13):
        page.evaluate(f"location.hash = '#step={step}'")
        page.wait_for_timeout(5)
    page.locator("#outline summary").click()
    page.keyboard.press("Home")
    page.keyboard.press("/")
    page.keyboard.type("script")
    page.locator("#found button").nth(5).wait_for()
    page.keyboard.press("Escape")
    page.locator("#graph").focus()
    page.keyboard.press("ArrowLeft")
    found = page.evaluate("""() => {
        const all = Array.from(document.querySelectorAll("*"));
        const names = new Set(all.map((e) => e.localName));
        const ours = /^(flex-grow: [\\d.]+|--[a-z]+: [\\d.]+%);?$|^data:,$/;
        const may = (a) => /^on|href|^src|^action|^style$/.test(a.name) && !ours.test(a.value);
        const acts = (e) => Array.from(e.attributes).some(may);
        return [Array.from(names), all.filter(acts).map((e) => e.cloneNode().outerHTML)];
    }""")
    elements, acting = found
    assert {"iframe", "img", "object", "embed", "base", "a", "video", "annotation-xml", "maction"}.isdisjoint(elements)
    assert acting == []
    assert page.requests == [page.url.split("#")[0]]


def test_a_hostile_record_from_a_file_is_as_harmless(tmp_path, opened):
    record = hostile()
    frame = viz.step(record)._repr_mimebundle_()["text/html"]
    assert len(re.findall(r"<(?!/)", frame)) == 1 or "<svg" in frame  # one element: the frame


def test_the_policy_forbids_everything_else(opened):
    page = opened(nets_page())
    refused = page.evaluate("""async () => {
        const failed = [];
        await fetch("https://example.org").catch(() => failed.push("fetch"));
        try { new WebSocket("wss://example.org"); } catch { failed.push("socket"); }
        const script = document.createElement("script");
        script.textContent = "window.ran = true";
        document.body.append(script);
        const style = document.createElement("style");
        style.textContent = "body { color: rgb(1, 2, 3) }";
        document.body.append(style);
        if (getComputedStyle(document.body).color !== "rgb(1, 2, 3)") failed.push("style");
        if (!window.ran) failed.push("script");
        return failed;
    }""")
    assert set(refused) >= {"fetch", "style", "script"}
    page.trouble.clear()  # the policy's own reports of the above
    assert page.requests == [page.url.split("#")[0]]


def nets_page() -> str:
    return viz.step(nets.diamond()[0]).html


# ---- inside other pages ----


def around(policy: str) -> str:
    frame = viz.step(nets.diamond()[0])._repr_mimebundle_()["text/html"]
    meta = f'<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">' if policy else ""
    head = f'<meta charset="utf-8">{meta}<title>a notebook</title>'
    return f'<!DOCTYPE html><html lang="en"><head>{head}</head><body>{frame}</body></html>'


@pytest.mark.parametrize(
    "policy", ["", "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:"]
)
def test_the_frame_plays_inside_a_page(policy, opened):
    page = opened(around(policy))
    frame = page.frames[1]
    frame.locator("#next").click()
    assert frame.locator("#sentence").inner_text().startswith("Step 2 of 11")
    page.keyboard.press("ArrowRight")
    assert frame.locator("#sentence").inner_text().startswith("Step 3 of 11")
    assert page.requests == [page.url] or set(page.requests) == {page.url, "about:srcdoc"}
    assert page.locator("iframe").get_attribute("sandbox") == "allow-scripts"
    frame.locator("#all summary").click()
    frame.locator("#all button").last.click()
    assert frame.locator("#sentence").inner_text().startswith("Step 11 of 11")
    frame.locator("#to-backward").click()
    page.keyboard.press("p")
    answer = frame.locator("#lens input[type=text]")
    answer.fill("1")
    answer.press("Enter")
    assert frame.locator(".predict-score").text_content().startswith("0 of 1")
    assert len(page.frames) == 2


@pytest.mark.parametrize("policy", ["default-src 'self'", "script-src 'none'; style-src 'unsafe-inline'"])
def test_where_scripts_are_blocked_there_is_the_picture_and_the_text(policy, opened):
    page = opened(around(policy))
    frame = page.frames[1]
    assert frame.locator("#graph svg").is_visible()
    assert frame.locator("#all li").first.is_visible()
    assert frame.locator("#all li").count() == 11
    assert "grad" in frame.locator("#graph svg").text_content()
    assert frame.locator("#transport").is_hidden() and frame.locator(".still").is_visible()
    assert page.trouble and all("Content Security Policy" in text for text in page.trouble)
    page.trouble.clear()
