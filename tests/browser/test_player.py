"""The step player in Chromium: every number on screen, by keyboard alone, without a request, for every reader."""

from __future__ import annotations

import re
from functools import cache

import nets
import numpy as np
import pytest

import viz
from viz.player.words import UI
from viz.texts.sentences import Sentences
from viz.texts.words import called
from viz.tracing.moments import moments

NUMBER = r"[-−]?(?:nan|inf|\d+(?:\.\d+)?(?:e[-+]\d+)?)"


@cache
def program(name):
    found = getattr(nets, name)()
    return found, viz.step(found[0]).html


def numbers(text):
    """All numbers in a text, a Python repr of an array or a formula."""
    return [float(x.replace("−", "-")) for x in re.findall(rf"(?<![\w.]){NUMBER}", text)]


def agree(text, array, whole=None):
    """The numbers in a text are those of an array, as far as the text shows it, to the four digits that it shows."""
    shown, expected = numbers(text), np.ravel(array)
    assert shown, text
    if "…" in text:
        assert len(shown) < expected.size
        row = np.ravel(array if np.ndim(array) < 2 else np.asarray(array)[(0,) * (np.ndim(array) - 1)])
        assert len(shown) <= row.size
        expected = row[: len(shown)]
    assert len(shown) == len(expected), (text, array)
    np.testing.assert_allclose(shown, expected, rtol=6e-4, atol=1e-12, err_msg=text)


class Shown:
    """What a page shows at the moment."""

    def __init__(self, page):
        self.page = page

    def fact(self, kind):
        """One row of the panel, without its shape."""
        return self.page.evaluate(
            """(kind) => Array.from(document.querySelectorAll(`#facts .${kind} dd`), (row) => Array.from(row.childNodes)
                .filter((part) => part.localName !== "small").map((part) => part.textContent).join(""))[0]""",
            kind,
        )

    def sentence(self):
        return self.page.locator("#sentence").inner_text()

    def cards(self):
        """id -> (its title, its value's text or None, its gradient's text or None), as they can be seen."""
        return self.page.evaluate(
            """() => Object.fromEntries(Array.from(document.querySelectorAll("#graph [data-vertex]"), (card) => {
                const seen = (kind) => {
                    const row = card.querySelector("text." + kind);
                    return row && !row.classList.contains("hidden") ? row.textContent : null;
                };
                const title = card.querySelector("text.title").textContent;
                return [card.dataset.vertex, [title, seen("value"), seen("gradient")]];
            }))"""
        )


@pytest.mark.parametrize("name", ["diamond", "stretched", "layers"])
def test_every_number_on_screen_at_every_moment_is_numpys(name, opened):
    (record, values, into, *updates), html = program(name)
    every, said, page = moments(record), Sentences(record), opened(html)
    shown = Shown(page)
    vertices = record.graph.vertices
    named = {v.name: v.id for v in vertices if v.kind == "op" or name != "layers"}
    computed = {v.id for v in vertices if v.kind != "op"}
    gradients, arriving, moved, now = {}, iter(into), iter(*updates or [[]]), {}
    for i, moment in enumerate(every, 1):
        if i > 1:
            page.keyboard.press("ArrowRight")
        assert shown.sentence() == said.sentence(moment, i, len(every))
        vertex = moment.step.vertex
        if moment.step.kind == "forward":
            computed.add(vertex)
            agree(shown.fact("result"), values[vertices[vertex].name])
        elif moment.step.kind == "update":
            now[vertex] = next(moved)
            agree(shown.fact("result").split("→")[1], now[vertex])
        else:
            target = moment.contribution.target
            expected_name, value = next(arriving)
            assert vertices[target].name == expected_name
            agree(shown.fact("result"), value)
            if vertex not in gradients:
                gradients[vertex] = 1.0
            if moment.accumulates:
                before = gradients.get(target)
                gradients[target] = value if before is None else before + value
                text = shown.fact("sum").split(".grad: ")[1].rsplit(", ", 1)[0]
                terms = [value] if before is None else [before, value, gradients[target]]
                for part, term in zip(re.split(r" [+=] ", text), terms, strict=True):
                    agree(part, term)
                assert f"use {moment.contribution.use} of {moment.contribution.uses}" in shown.fact("sum")
        for id, (title, value, gradient) in shown.cards().items():
            id = int(id)
            if id in now:
                agree(value, now[id])
            elif id in computed and title.split(" = ")[0] in values and id in named.values():
                agree(value, values[title.split(" = ")[0]])
            elif id not in computed:
                assert value is None
            if id in gradients:
                agree(gradient, gradients[id])
            else:
                assert gradient in (None, "grad not computed"), title
    assert i == len(every) and next(arriving, None) is None


def test_the_numbers_in_the_rules_are_numpys(opened):
    _, html = program("diamond")
    page = opened(html)
    a, t = 2.0, np.tanh(2.0)
    asked = {"#step=5": [1, t], "#step=6": [1, 4], "#step=7": [4, t, t], "#step=10": [t, -3], "#step=11": [t, a]}
    for link, expected in asked.items():
        page.evaluate(f"location.hash = '{link}'")
        until(page, f"document.getElementById('scrub').value === '{link[6:]}'")
        found = numbers(Shown(page).fact("numbers"))
        assert set(np.round(expected, 3)) <= set(np.round(found, 3)), (link, found)


def test_nothing_moves_between_steps_and_no_gradient_is_ever_zero_before_it_exists(opened):
    (record, *_), html = program("layers")
    page = opened(html)
    places = """() => Array.from(document.querySelectorAll("#graph rect, #graph path, #graph text"), (e) =>
        ["x", "y", "width", "height", "d"].map((name) => e.getAttribute(name)).join())"""
    first = page.evaluate(places)
    gradients = [gradient for _, _, gradient in Shown(page).cards().values() if gradient is not None]
    assert gradients and set(gradients) == {"grad not computed"}
    for _ in moments(record):
        page.keyboard.press("ArrowRight")
        assert page.evaluate(places) == first
    overflowing = """() => Array.from(document.querySelectorAll("#graph [data-vertex]")).filter((card) => {
        const box = card.querySelector(".body").getBBox(), rows = Array.from(card.querySelectorAll("text"));
        return rows.some((row) => row.getBBox().x + row.getBBox().width > box.x + box.width);
    }).length"""
    assert page.evaluate(overflowing) == 0


def test_edges_are_future_then_current_then_done(opened):
    (record, *_), html = program("diamond")
    page = opened(html)
    half = page.locator('[data-edge="0 3 0"] .backward')
    states = []
    for _ in moments(record):
        states.append(half.get_attribute("class").split()[-1])
        page.keyboard.press("ArrowRight")
    assert states == ["future"] * 9 + ["current"] + ["done"]
    lit = page.locator("#graph .wire.current")
    assert lit.count() == 1 and "backward" in lit.get_attribute("class")
    assert page.locator("#graph .constant + .never").count() == 0


def until(page, condition):
    """Wait for a condition. (Playwright's own waiting evaluates text in the page, which the page's policy forbids.)"""
    for _ in range(200):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(20)
    pytest.fail(f"never: {condition}")


# ---- by keyboard ----


def focused(page):
    return page.evaluate(
        "document.activeElement.id || document.activeElement.className || document.activeElement.tagName"
    )


def at(page):
    return int(page.locator("#scrub").input_value())


def test_a_whole_lesson_by_keyboard_alone(opened):
    (record, *_), html = program("layers")
    every = moments(record)
    first_backward = next(i for i, m in enumerate(every, 1) if m.step.kind == "backward")
    page = opened(html)
    press = page.keyboard.press
    press("ArrowRight"), press("ArrowRight"), press("ArrowLeft")
    assert at(page) == 2
    press("End")
    assert at(page) == len(every)
    press("Home")
    assert at(page) == 1
    press("b")
    assert at(page) == first_backward
    press("Shift+ArrowRight")
    assert at(page) == first_backward + 1  # the next operation
    press("Shift+ArrowRight")
    assert at(page) == first_backward + 8 - 1
    press("Shift+ArrowLeft")
    assert at(page) == first_backward + 1
    press("g")
    assert focused(page) == "go"
    page.keyboard.type("9")
    press("Enter")
    assert at(page) == 9
    press("/")
    page.keyboard.type("sigmoid back")
    press("Tab")
    press("Enter")
    assert "sigmoid" in Shown(page).sentence() and every[at(page) - 1].step.kind == "backward"
    press("?")
    assert page.locator("#help[open] kbd").count() >= 12
    press("ArrowRight")  # belongs to the dialog
    press("Escape")
    assert page.locator("dialog[open]").count() == 0
    here = at(page)
    page.locator("#speed").focus()
    page.keyboard.type("4")
    press("Escape")
    press("Space")
    until(page, f"document.getElementById('scrub').value > {here}")
    press("Space")
    assert page.locator("#play").get_attribute("aria-pressed") == "false"
    here = at(page)
    page.wait_for_timeout(600)
    assert at(page) == here


def test_tab_reaches_everything_and_leaves_again(opened):
    page = opened(program("diamond")[1])
    seen = []
    for _ in range(60):
        page.keyboard.press("Tab")
        seen.append(focused(page))
        if page.evaluate("document.activeElement === document.body"):
            break
    else:
        pytest.fail(f"a trap: {seen}")
    wanted = {
        "graph",
        "back",
        "play",
        "next",
        "last",
        "to-backward",
        "elements",
        "predict",
        "speed",
        "go",
        "scrub",
        "theme",
    }
    assert wanted - {"back"} <= set(seen)
    page.locator("#graph").focus()
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none"


def test_arrows_in_the_graph_follow_the_edges(opened):
    page = opened(program("diamond")[1], "#step=9")
    page.locator("#graph").focus()
    for key, name in [
        ("ArrowLeft", "q"),
        ("ArrowLeft", "p"),
        ("ArrowLeft", "a"),
        ("ArrowDown", "b"),
        ("ArrowRight", "p"),
    ]:
        page.keyboard.press(key)
        assert page.locator("#said").inner_text().split(";")[0].startswith(name)
    assert at(page) == 9
    page.keyboard.press("Enter")
    assert at(page) == 8  # where the gradient of p is made
    page.keyboard.press("Escape")
    page.keyboard.press("ArrowRight")
    assert at(page) == 9


def test_prediction_by_keyboard_hides_the_answer_until_it_is_given(opened):
    page = opened(program("diamond")[1], "#step=7")
    page.keyboard.press("p")
    assert page.locator("#facts .sum").count() == 0 and "0.2826" not in page.locator("#panel").inner_text()
    answer = page.locator("#lens input[type=text]")
    answer.focus()
    page.keyboard.type("0.28")
    page.keyboard.press("Enter")
    assert "0.2826" in Shown(page).fact("result")
    assert page.locator(".predict-score").inner_text().startswith("1 of 1")
    page.keyboard.press("p")
    assert page.locator("#predict").get_attribute("aria-pressed") == "false"


def test_elements_one_by_one(opened):
    _, html = program("stretched")
    page = opened(html, "#step=4")
    page.keyboard.press("e")
    assert page.locator("#count").inner_text() == "element 1 of 6"
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    assert page.locator("#count").inner_text() == "element 6 of 6" and at(page) == 4
    page.keyboard.press("ArrowRight")
    assert at(page) == 5
    page.keyboard.press("ArrowLeft")
    assert at(page) == 4
    page.keyboard.press("e")
    assert page.locator("#count").inner_text() == ""


# ---- links, languages, sizes, paper ----


def test_deep_links_are_read_written_and_followed(opened):
    page = opened(program("diamond")[1], "#step=7")
    assert at(page) == 7
    page.keyboard.press("ArrowRight")
    assert page.url.endswith("#step=8")
    page.evaluate("location.hash = '#step=3'")
    until(page, "document.getElementById('scrub').value === '3'")
    for nonsense in ("#step=99", "#step=0", "#step=-1", "#step=<b>", "#step="):
        other = opened(program("diamond")[1], nonsense)
        assert at(other) in (1, 11)


@pytest.mark.parametrize(("locale", "lang"), [("en-US", "en"), ("zh-CN", "zh"), ("ja-JP", "ja"), ("fr-FR", "en")])
def test_the_browser_chooses_the_language(locale, lang, opened):
    (record, *_), html = program("diamond")
    page = opened(html, locale=locale)
    assert page.evaluate("document.documentElement.lang") == lang
    assert page.locator("#next").get_attribute("aria-label") == UI[lang]["next"]
    assert page.locator("h1").inner_text() == UI[lang]["title"].format(name="loss")
    assert all(text.strip() for text in page.locator("[data-word]").all_text_contents())
    every = moments(record)
    assert Shown(page).sentence() == Sentences(record).sentence(every[0], 1, len(every), lang)


def test_lang_overrides_the_browser(opened):
    (record, *_), _ = program("diamond")
    page = opened(viz.step(record, lang="ja").html)
    assert page.evaluate("document.documentElement.lang") == "ja"
    assert page.locator("#play").get_attribute("aria-label") == UI["ja"]["play"]


@pytest.mark.parametrize("size", [(360, 740), (640, 400), (1280, 800)])  # a phone; 200 % of a small screen; a screen
def test_no_sideways_scrolling_and_targets_of_24_pixels(size, opened):
    page = opened(program("layers")[1], "#step=8", viewport={"width": size[0], "height": size[1]})
    assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
    small = page.evaluate("""() => Array.from(document.querySelectorAll("button, input, select, summary"))
        .filter((e) => e.checkVisibility({ contentVisibilityAuto: true }))
        .filter((e) => e.offsetWidth < 24 || e.offsetHeight < 24).map((e) => e.outerHTML)""")
    assert small == []
    assert page.locator("#next").is_visible() and page.locator("#sentence").is_visible()


def test_reduced_motion(opened):
    html = program("diamond")[1]
    calm, lively = (opened(html, reduced_motion=wish) for wish in ("reduce", "no-preference"))
    for page, expected in ((calm, 0), (lively, 1)):
        page.keyboard.press("ArrowRight")
        assert (page.evaluate("document.getAnimations().length") > 0) == bool(expected)
        page.wait_for_timeout(300)
        assert page.locator("#play").get_attribute("aria-pressed") == "false"  # nothing plays by itself


def test_on_paper_there_are_all_steps_and_no_buttons(opened):
    (record, *_), html = program("diamond")
    page = opened(html, "#step=7", color_scheme="dark")
    page.emulate_media(media="print")
    assert page.locator("#transport").is_hidden() and page.locator("#sentence").is_visible()
    assert page.locator("#all li").count() == len(moments(record))
    assert page.locator("#all li").last.is_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") in (
        "rgb(255, 255, 255)",
        "rgba(0, 0, 0, 0)",
    )
    assert page.pdf()[:4] == b"%PDF"


def test_forced_colours_leave_every_state_visible(opened):
    page = opened(program("diamond")[1], "#step=7", forced_colors="active", reduced_motion="reduce")
    widths = page.evaluate("""() => ["current", "done"].map((state) =>
        parseFloat(getComputedStyle(document.querySelector("#graph .wire." + state)).strokeWidth))""")
    assert widths[0] > 2 * widths[1]


def test_the_graph_as_a_list_says_what_the_picture_shows(opened):
    (record, *_), html = program("layers")
    page = opened(html, "#step=7")
    page.locator("#outline summary").click()
    lines = page.locator("#outline button").all_inner_texts()
    cards = Shown(page).cards()
    assert {line.split(";")[0] for line in lines} == {*called(record.graph)}
    assert any("grad not computed" in line for line in lines)
    assert len(lines) >= len(cards)
    page.locator("#outline button", has_text="loss").first.click()
    assert at(page) == 5  # in the backward pass


def test_zoom_theme_and_a_click_on_a_card(opened):
    page = opened(program("diamond")[1], "#step=9")
    width = "parseFloat(document.querySelector('#graph svg').getAttribute('width'))"
    before = page.evaluate(width)
    page.keyboard.press("+")
    assert page.evaluate(width) > before
    page.keyboard.press("0")
    dark = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(dark)
    page.locator("#theme").click()
    assert page.evaluate(dark) != light
    page.locator('[data-vertex="4"]').first.click()
    assert at(page) == 5 or at(page) == 6


# ---- safety ----


def test_one_request_the_file_itself(opened):
    page = opened(program("layers")[1])
    page.keyboard.press("End")
    page.wait_for_timeout(100)
    assert page.requests == [page.url.split("#")[0]]


# ---- large graphs ----


def test_groups_open_follow_the_steps_and_show_each_repetition(opened):
    weight, h = nets.named("w", 0.9), nets.named("h", 0.3)
    truth = [0.3]
    for _ in range(200):
        h = np.tanh(h * weight)
        truth.append(np.tanh(truth[-1] * 0.9))
    page = opened(viz.step(h).html, "#step=100", reduced_motion="reduce")
    assert page.locator("#graph .group.current").count() == 1 and page.locator("#crumbs").is_hidden()
    page.locator("#graph .group").first.click()
    assert page.locator("#crumbs").is_visible() and page.locator("#graph .group").count() == 0
    k = int(page.locator("#crumbs output").inner_text().split(" of ")[0])
    for _ in range(6):
        assert page.locator("#graph .op.current").count() == 1
        result = numbers(Shown(page).fact("result"))[0]
        i = at(page)
        assert result == pytest.approx(truth[(i + 1) // 2] if i % 2 == 0 else truth[i // 2] * 0.9, rel=6e-4)
        value = page.locator("#graph .op.current text.value").text_content()
        assert numbers(value) == [result]
        page.keyboard.press("ArrowRight")
    assert int(page.locator("#crumbs output").inner_text().split(" of ")[0]) == k + 3
    slider = page.locator("#crumbs input")
    slider.focus()
    page.keyboard.press("Home")
    assert page.locator("#crumbs output").inner_text().startswith("1 of ")
    page.locator("#graph").focus()
    page.keyboard.press("Escape")
    assert page.locator("#crumbs").is_hidden()
    page.locator("#expand").click()
    assert page.locator("#graph .group").count() == 0 and page.locator("#graph .op").count() == 400 + 1
    page.keyboard.press("b")
    assert page.locator("#graph .wire.current").count() == 1
    page.locator("#expand").click()
    assert page.locator("#graph .group").count() >= 1


@pytest.mark.parametrize("lang", ["en", "zh", "ja"])
def test_a_graph_too_large_for_the_page_says_how_to_draw_it(opened, lang):
    y = nets.named("x", 0.5)
    for _ in range(1300):
        y = np.sin(y * y)
    page = opened(viz.step(y, lang=lang).html)
    expand, said = page.locator("#expand"), UI[lang]["too_large"]
    assert expand.is_visible() and said in expand.get_attribute("title")
    cards = page.locator("#graph .card").count()
    expand.click()
    assert page.locator("#said").text_content() == said
    assert page.locator("#graph .card").count() == cards


def test_the_legend_of_a_folded_page_says_how_groups_open(opened):
    y = nets.named("x", 0.5)
    for _ in range(200):
        y = np.sin(y * y)
    page = opened(viz.step(y).html)
    legend = page.locator("#graph .legend").text_content()
    assert "A click on a group opens it." in legend and "viz.draw" not in legend
    page.locator("#graph .group[data-vertex]").first.click()
    assert page.locator("#crumbs").is_visible()


def test_a_small_graph_has_nothing_to_expand(opened):
    page = opened(program("diamond")[1])
    assert page.locator("#expand").is_hidden() and page.locator("#crumbs").is_hidden()


@pytest.mark.parametrize("lang", ["en", "zh", "ja"])
def test_a_gradient_from_before_is_told_apart_from_that_of_the_pass(opened, lang):
    x = nets.named("x", 1.0)
    (x * x + x).backward()
    y = x * 3.0 + x * 2.0
    page = opened(viz.step(y, lang=lang).html)
    y.backward()
    shown, words = Shown(page), UI[lang]
    grad = page.locator('[data-vertex="0"] text.gradient').first
    assert grad.text_content() == "grad 3"
    page.locator("#last").click()
    agree(grad.text_content().removeprefix("grad"), x.grad)
    assert shown.fact("sum").startswith(f"{words['pass']}: 2 + 3 = 5")
    assert shown.fact("held") == f"{words['already'].format(name='x', held=3)} 3 + 5 = 8 {words['not_zeroed']}"
    assert "3 + 5 = 8" in shown.sentence()
    heats = page.eval_on_selector_all(".heat", "(heats) => heats.map((heat) => heat.dataset.name)")
    assert words["pass"] in heats and "x.grad" not in heats
    page.locator("#back").click()
    assert grad.text_content() == "grad 3"
    assert shown.fact("held") is None and "x.grad" not in shown.sentence()
    page.locator("#predict").click()
    page.locator("#next").click()
    assert "3 + 5" not in page.locator("#panel").inner_text()
    assert grad.text_content() == "grad 3"
