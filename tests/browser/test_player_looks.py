"""How the player looks and reads to everybody: axe, four kinds of colour blindness, light and dark."""

from __future__ import annotations

import base64
import re

import nets
import numpy as np
import pytest

import viz

DEFICIENCIES = ["protanopia", "deuteranopia", "tritanopia", "achromatopsia"]


def violations(page, axe):
    page.evaluate(axe)
    found = page.evaluate("axe.run()")
    return [
        (v["id"], [(n["html"][:120], n["any"][0]["message"] if n["any"] else "") for n in v["nodes"]])
        for v in found["violations"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(scheme, opened, axe):
    page = opened(viz.step(nets.layers()[0], "en").html, "#step=9", color_scheme=scheme)
    page.locator("#outline summary").click()
    page.locator("#all summary").click()
    assert violations(page, axe) == []
    for keys in (["End", "?"], ["Escape", "b", "p"], ["p", "Home", "/", "a", "f"]):
        for key in keys:
            page.keyboard.press(key)
        assert violations(page, axe) == [], keys
    page.keyboard.press("Escape")
    page.set_viewport_size({"width": 360, "height": 740})
    assert violations(page, axe) == []


@pytest.mark.parametrize("lang", ["zh", "ja"])
def test_axe_finds_nothing_in_other_languages(lang, opened, axe):
    assert violations(opened(viz.step(nets.diamond()[0], lang).html, "#step=7"), axe) == []


def test_axe_would_find_something(opened, axe):
    page = opened(viz.step(nets.diamond()[0]).html)
    page.evaluate("document.getElementById('next').removeAttribute('aria-label')")
    page.evaluate("document.getElementById('next').removeAttribute('title')")
    found = violations(page, axe)
    assert [name for name, _ in found] == ["button-name"], found


def test_brackets_in_formulas_stand_close(opened):
    page = opened(viz.step(nets.diamond()[0]).html, "#step=3")
    bracket = page.locator("#facts .rule mo", has_text="(").bounding_box()
    letter = page.locator("#facts .rule mi", has_text="\N{MATHEMATICAL ITALIC SMALL A}").or_(
        page.locator("#facts .rule mi", has_text=re.compile("^a$"))
    )
    assert bracket["width"] < letter.bounding_box()["width"], "room for a stretched one"


def test_only_the_cards_of_the_step_are_drawn_thick(opened):
    page = opened(viz.step(nets.diamond()[0]).html, "#step=1")
    width = "(bodies) => bodies.map((body) => parseFloat(getComputedStyle(body).strokeWidth))"
    current = page.locator("#graph .card.current .body").evaluate_all(width)
    others = page.locator("#graph .card:not(.current) .body").evaluate_all(width)
    assert current and others and min(current) > 2 > max(others)


def test_letters_are_told_below_the_rule(opened):
    page = opened(viz.step(nets.diamond()[0]).html, "#step=5")
    assert page.locator("#facts .rule small").inner_text() == "g = loss.grad, b = r"


def pixels(page, clip):
    """A part of the screen as an array (rows, columns, 3), decoded by the browser itself."""
    picture = base64.b64encode(page.screenshot(clip=clip)).decode()
    other = page.context.new_page()
    width, height, data = other.evaluate(
        """async (data) => {
            const image = new Image();
            image.src = "data:image/png;base64," + data;
            await image.decode();
            const { width, height } = image;
            const context = Object.assign(document.createElement("canvas"), { width, height }).getContext("2d");
            context.drawImage(image, 0, 0);
            const bytes = context.getImageData(0, 0, width, height).data;
            return [width, height, btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""))];
        }""",
        picture,
    )
    other.close()
    return np.frombuffer(base64.b64decode(data), np.uint8).reshape(height, width, 4)[..., :3].astype(float)


def lightness(colour):
    """L* of CIE 1976, from sRGB in 0..255."""
    linear = np.where(colour / 255 <= 0.04045, colour / 255 / 12.92, ((colour / 255 + 0.055) / 1.055) ** 2.4)
    y = linear @ [0.2126, 0.7152, 0.0722]
    return np.where(y > 0.008856, 116 * np.cbrt(y) - 16, 903.3 * y)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("deficiency", DEFICIENCIES)
def test_forward_and_backward_stay_apart(scheme, deficiency, opened):
    page = opened(viz.step(nets.diamond()[0]).html, "#step=11", color_scheme=scheme, reduced_motion="reduce")
    page.context.new_cdp_session(page).send("Emulation.setEmulatedVisionDeficiency", {"type": deficiency})
    edge = page.locator('[data-edge="3 4 0"]').bounding_box()  # p to q, both halves straight
    strip = {"x": edge["x"] + 12, "y": edge["y"] - 1, "width": edge["width"] - 26, "height": edge["height"] + 2}
    drawn = pixels(page, strip)
    paper = drawn[0, 0]
    contrast = np.abs(lightness(drawn) - lightness(paper))
    rows = contrast.max(axis=1)
    inked = np.flatnonzero(rows > 15)
    assert len(inked) >= 2, "both lines can be seen"
    upper, lower = contrast[inked[inked < inked.mean()]], contrast[inked[inked > inked.mean()]]
    forward, backward = (half[np.argmax(half.max(axis=1))] for half in (upper, lower))
    assert (forward > forward.max() / 2).all(), "forward is solid"
    gaps = backward < backward.max() / 3
    assert 0.2 < gaps.mean() < 0.7, "backward is dashed"
    assert np.count_nonzero(np.diff(gaps.astype(int))) >= 4


def test_light_and_dark_differ_and_the_frames_of_both_can_be_read(opened):
    shots = []
    for scheme in ("light", "dark"):
        page = opened(viz.step(nets.diamond()[0]).html, "#step=7", color_scheme=scheme)
        page.wait_for_timeout(300)
        shots.append(pixels(page, {"x": 0, "y": 60, "width": 300, "height": 300}))
    light, dark = shots
    assert lightness(light[5, 5]) > 90 > 20 > lightness(dark[5, 5])
    for shot in shots:
        assert np.abs(lightness(shot) - lightness(shot[5, 5])).max() > 60
