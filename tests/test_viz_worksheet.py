"""viz.worksheet: solvable, printable, a different one for each seed, and no answer on the sheet itself."""

from __future__ import annotations

import re
from html import unescape

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nn
import viz
from autograd import Tensor
from viz.study.worksheet import label, learning_rate
from viz.tracing.model import Update
from viz.tracing.moments import moments

NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?:e[+-]?\d+)?(?!\w)")


def leaf(value, name):
    return Tensor(value, requires_grad=True, name=name)


def mazur():
    """Matt Mazur's network with its update, which is published with all its numbers."""
    with viz.record() as tape:
        w = [leaf(v, f"w{k}") for k, v in enumerate([0.15, 0.2, 0.25, 0.3, 0.4, 0.45, 0.5, 0.55], 1)]
        h1 = nn.sigmoid(w[0] * 0.05 + w[1] * 0.1 + 0.35)
        h2 = nn.sigmoid(w[2] * 0.05 + w[3] * 0.1 + 0.35)
        o1 = nn.sigmoid(w[4] * h1 + w[5] * h2 + 0.6)
        o2 = nn.sigmoid(w[6] * h1 + w[7] * h2 + 0.6)
        E = 0.5 * (0.01 - o1) ** 2 + 0.5 * (0.99 - o2) ** 2
        E.backward()
        nn.optim.SGD(w, 0.5).step()
    return tape


def net(sizes=(4, 3, 2), n=5, seed=0):
    rng = np.random.default_rng(seed)
    layers = [nn.Affine(sizes[0], sizes[1], rng=rng), nn.Sigmoid(), nn.Affine(sizes[1], sizes[2], rng=rng)]
    with viz.record():
        return nn.softmax_cross_entropy(nn.Sequential(*layers)(rng.normal(size=(n, sizes[0]))), rng.integers(0, 2, n))


def front(page):
    """What can be read on an HTML sheet before its answer key."""
    text = re.sub(r"<style>.*?</style>", " ", page.split('<section class="key">')[0], flags=re.DOTALL)
    return unescape(re.sub(r"<[^>]*>", " ", text))


def forms_of(sheet):
    """The sheet without its key, in all three forms."""
    return str(sheet).split("\f")[0], sheet.markdown.split("## Answers")[0].replace("\\", ""), front(sheet.html)


RUNS = {"scalars": mazur, "arrays": net, "wide": lambda: net((30, 4, 3), 8), "deep": lambda: net((4, 16, 10), 1)}


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("seed", range(6))
def test_no_answer_stands_on_the_sheet(run, seed):
    sheet = viz.worksheet(RUNS[run](), seed=seed)
    assert sheet.tasks
    for text in forms_of(sheet):
        found = set(NUMBER.findall(text))
        for task in sheet.tasks:
            assert task.written.lstrip("-") not in found, task
            assert len(task.written.lstrip("-")) > 0


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("seed", range(4))
def test_the_answers_are_those_of_the_run(run, seed):
    """Each answer is found again in the trace, by its step and its kind alone."""
    y = RUNS[run]()
    record = viz.trace(y)
    steps = moments(record)
    gradients = {step.vertex: step.incoming for step in record.backward}
    gradients |= {c.target: c.after for step in record.backward for c in step.contributions}
    for task in viz.worksheet(y, seed=seed).tasks:
        moment = steps[task.step - 1]
        if task.blank is not None:
            kind, vertex, cell = task.blank
            source = record.graph.vertices[vertex].value if kind == "value" else gradients[vertex]
            assert task.answer == np.asarray(source)[cell]
        elif task.kind == "update":
            assert task.answer in np.asarray(moment.step.after)
        elif task.kind == "local":
            assert task.answer in np.asarray(moment.contribution.local)
        else:
            assert task.answer in np.asarray(moment.contribution.value)


@pytest.mark.parametrize("seed", range(10))
def test_the_ways_of_the_key_lead_to_the_answers(seed):
    for task in [*viz.worksheet(mazur(), seed=seed, tasks=20).tasks, *viz.worksheet(net(), seed=seed, tasks=20).tasks]:
        if task.way:
            assert not re.search(r"[·+-] -", task.way)
            total = 0.0
            for term in re.split(r" \+ (?![^(]*\))", task.way.replace(" - ", " + -1 · ")):
                total += np.prod([float(x.strip("() ")) for x in term.split("·")])
            assert total == pytest.approx(task.answer, rel=2e-2), task


def test_published_numbers():
    """dE/dw5 and w5 after the update, as in the published example."""
    found = {}
    for seed in range(40):
        for task in viz.worksheet(mazur(), seed=seed, tasks=12).tasks:
            found[task.kind, task.asks] = task.written
    assert found["update", "w5 after one step of gradient descent with the learning rate 0.5"] == "0.3589"
    assert "0.08217" in found.values()


def test_tasks_stand_in_the_order_of_the_run_and_every_kind_is_asked():
    sheet = viz.worksheet(mazur(), seed=3, tasks=12)
    steps = [task.step for task in sheet.tasks]
    assert steps == sorted(steps)
    assert {task.kind for task in sheet.tasks} == {"forward", "local", "contribution", "accumulated", "update"}


def test_the_same_seed_gives_the_same_sheet_and_another_one_another():
    assert viz.worksheet(net(), seed=4).html == viz.worksheet(net(), seed=4).html
    asked = {tuple(task.asks for task in viz.worksheet(net(), seed=seed).tasks) for seed in range(8)}
    assert len(asked) == 8


def test_blanks_stand_in_the_picture_and_in_the_arrays():
    sheet = viz.worksheet(net(), seed=1, tasks=12)
    page = sheet.html.split('<section class="key">')[0]
    for k, task in enumerate(sheet.tasks):
        places = page.count(label(k))
        assert places >= (2 if task.blank else 1)
    assert "(a)" in page
    assert "see below" in page


def test_every_number_on_the_sheet_is_the_trace_s():
    y = net()
    record = viz.trace(y)
    known = {f"{abs(x):.4g}" for v in record.graph.vertices if v.value is not None for x in np.ravel(v.value).tolist()}
    for step in record.backward:
        known |= {f"{abs(x):.4g}" for x in np.ravel(step.incoming).tolist()}
        known |= {f"{abs(x):.4g}" for c in step.contributions for x in np.ravel(c.after).tolist()}
    text = str(viz.worksheet(y)).split("Find")[0].split("The numbers")[1]
    shown = [n for line in text.splitlines() if line.startswith("    ") for n in NUMBER.findall(line)]
    assert len(shown) > 100
    assert set(shown) <= known


def test_large_arrays_bring_their_terms_along():
    sheet = viz.worksheet(net((300, 20, 10), 2), seed=0, tasks=30)
    given_ = [task for task in sheet.tasks if task.given]
    assert given_
    for task in given_:
        numbers = [float(x) for x in re.findall(r"= (-?[\d.e-]+)", task.given)]
        total = sum(a * b for a, b in zip(numbers[::2], numbers[1::2], strict=True))
        assert total == pytest.approx(task.answer, rel=2e-2)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.floats(-4, 4).filter(lambda x: abs(x) > 0.05), min_size=3, max_size=3, unique=True),
    st.integers(0, 99),
)
def test_any_small_run(numbers, seed):
    a, b, c = (leaf(x, name) for x, name in zip(numbers, "abc", strict=True))
    with viz.record():
        y = np.tanh(a * b + c) * a + np.sin(c * 1.37)
    try:
        sheet = viz.worksheet(y, seed=seed)
    except ValueError:
        return
    for text in forms_of(sheet):
        assert not {task.written.lstrip("-") for task in sheet.tasks} & set(NUMBER.findall(text))


def test_a_learning_rate_is_named_only_where_there_is_one():
    w, g = np.array([1.0, 2.0]), np.array([0.5, -0.25])
    assert learning_rate(Update(0, w, w - 0.1 * g), g) == 0.1
    assert learning_rate(Update(0, w, w - 0.1 * np.sign(g)), g) is None
    assert learning_rate(Update(0, w, w + 0.1 * g), g) is None
    assert learning_rate(Update(0, w, w), g * 0) is None
    assert learning_rate(Update(0, w, None), g) is None
    assert learning_rate(Update(0, np.float32(w), np.float32(w - 0.1 * g)), np.float32(g)) == pytest.approx(0.1)


def test_nothing_to_ask_for():
    big = leaf(np.random.default_rng(0).normal(size=1000), "x")
    with pytest.raises(ValueError, match="nothing to ask for"):
        viz.worksheet(viz.trace(np.sum(big * 0.0), budget=1))
    with pytest.raises(ValueError, match="at least one task"):
        viz.worksheet(net(), tasks=0)


def test_labels():
    assert [label(k) for k in (0, 25, 26, 51, 52, 701, 702)] == ["(a)", "(z)", "(aa)", "(az)", "(ba)", "(zz)", "(aaa)"]


# ---- files ----


def test_it_saves_in_three_forms(tmp_path):
    sheet = viz.worksheet(net())
    assert sheet.save(tmp_path / "a.html").read_text() == sheet.html
    assert sheet.save(tmp_path / "a.md").read_text() == sheet.markdown
    assert sheet.save(tmp_path / "a.txt").read_text() == str(sheet)
    with pytest.raises(ValueError, match=r"must end in \.html, \.md, \.txt"):
        sheet.save(tmp_path / "a.doc")
    assert not (tmp_path / "a.doc").exists()


def test_the_page_has_no_script_and_makes_no_request():
    page = viz.worksheet(net()).html
    assert "<script" not in page
    assert "default-src 'none'" in page
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", page)
    assert 'style="' not in page


def test_hostile_names_are_only_text():
    evil = "</style><script>alert(1)</script> [x](javascript:1) `|*\u202e"
    a, b = leaf(0.731, evil), leaf(1.37, "b")
    with viz.record():
        y = np.tanh(a * b) * a
    y.name = evil
    sheet = viz.worksheet(y, seed=2)
    assert "<script" not in sheet.html
    assert "\u202e" not in sheet.html + sheet.markdown + str(sheet)
    assert "](javascript" not in sheet.markdown.replace("\\](", "")


def test_what_is_infinite_is_not_asked_for():
    x = leaf(np.array([1.0, -2.0, 3.0, 5.0]), "x")
    with np.errstate(all="ignore"):
        y = (x * np.array([np.inf, -np.inf, np.nan, 7.0])).sum() + (x * x).sum()
        z = leaf(0.0, "z")
        y = y + z * np.inf + z * -np.inf
    found = viz.worksheet(y, tasks=100)
    assert found.tasks and np.all(np.isfinite([task.answer for task in found.tasks]))
