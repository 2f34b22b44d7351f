"""A leaf whose `.grad` held something before the pass: every view says what `.grad` really ends with."""

from __future__ import annotations

import re

import numpy as np
import pytest
from test_viz_explain import named

import viz
from viz.picture.film import instants
from viz.player.data import page_data
from viz.player.stage import views
from viz.texts.sentences import sentences
from viz.texts.terminal import Stepper
from viz.tracing.taking import shown


def forgotten(x):
    """The trace of a second pass without zero_grad() before it, which then has run."""
    (x * x + x).backward()
    y = x * 3.0 + x * 2.0
    record = viz.trace(y)
    y.backward()
    return record


def test_the_sentence_tells_the_gradient_that_was_there():
    x = named("x", 1.0)
    record = forgotten(x)
    assert x.grad == 8.0
    first, last = sentences(record)[-2:]
    assert first.endswith("; this pass: 2, use 1 of 2.")
    assert last.endswith(
        "; this pass: 2 + 3 = 5, use 2 of 2; x.grad already held 3 from before: 3 + 5 = 8 (zero_grad() was not called)."
    )
    for lang in ("zh", "ja"):
        assert "3 + 5 = 8" in sentences(record, lang)[-1]
        assert "x.grad" not in sentences(record, lang)[-2]


def test_after_a_backward_that_retains_the_graph_the_steps_are_those_of_that_pass():
    x = named("x", 1.0)
    y = x * 3.0 + x * 2.0
    before = viz.explain(y)
    y.backward(retain_graph=True)
    assert viz.explain(y) == before
    y.backward(retain_graph=True)
    assert "x.grad already held 10 from before: 10 + 5 = 15" in viz.explain(y)
    with viz.record():
        z = x * 1.0
        x.grad = np.array(1.0)
        z.backward()
    assert "already held 1 from before: 1 + 1 = 2" in viz.explain(z)


def test_one_pass_or_zeros_are_told_as_ever():
    x = named("x", 1.0)
    before = sentences(viz.trace(x * 3.0))
    x.grad = np.zeros(())
    assert sentences(viz.trace(x * 3.0))[1] == before[1]
    assert "x.grad is 3, use 1 of 1." in before[1]


@pytest.mark.parametrize("form", ["text", "markdown", "latex"])
def test_explain_tells_it(form):
    text = viz.explain(forgotten(named("x", 1.0)), form=form)
    assert "already held" in text and "3 + 5" in text
    assert "No gradient exists" not in text
    grad = {"text": "x.grad", "markdown": "`x.grad`", "latex": r"\texttt{x.grad}"}[form]
    assert text.count(grad) == 1
    assert r"\texttt{zero\_grad()}" in text or form != "latex"


def test_the_terminal_tells_it():
    stepper = Stepper(forgotten(named("x", 1.0)))
    start = stepper.screen().splitlines()
    first, last = stepper.answer("g 6"), stepper.answer("n")
    assert "this pass = 2, use 1 of 2" in first and "x.grad =" not in first
    assert "x.grad already held 3 from before: 3 + 5 = 8" in " ".join(last.split())
    rows = [
        next(line for line in text if re.search(r"^.* 0  x ", line))
        for text in (start, first.splitlines(), last.splitlines())
    ]
    assert [row.split()[-1] for row in rows] == ["3", "3", "8"]
    element = stepper.answer("e x")
    assert "added to x.grad, use 2 of 2" in element and "x.grad so far" not in element
    assert "this pass so far: 5\nx.grad already held 3 from before: 3 + 5 = 8 (zero_grad() was not called)" in element


def test_pictures_of_a_trace_and_of_the_tensor_after_it_agree():
    x = named("x", np.arange(12.0).reshape(3, 4))
    (x * x + x).sum().backward()
    y = (x * 3.0 + x * 2.0).sum()
    record = viz.trace(y)
    y.backward()
    assert np.array_equal(shown(record).vertices[0].gradient, x.grad)
    assert "grad [[6, 8, 10, …], …]" in viz.draw(record).svg


def test_where_only_a_summary_is_kept_its_elements_are_added():
    x = named("x", np.arange(5000.0).reshape(50, 100))
    (x * x).sum().backward()
    y = (x * 3.0).sum()
    record = viz.trace(y, budget=100)
    y.backward()
    ended = shown(record).vertices[0].gradient
    assert {(0, 0), (0, 1), (0, 2)} <= ended.cells.keys()
    assert all(found == x.grad[cell] for cell, found in ended.cells.items())
    assert "[[0, 2, 4, …], …] + [[3, 3, 3, …], …] = [[3, 5, 7, …], …]" in sentences(record)[-1]


def test_film_and_player_cards_keep_what_was_there_until_the_end():
    record = forgotten(named("x", 1.0))
    assert [float(now.gradients[0]) for now in instants(record)] == [3, 3, 3, 3, 3, 3, 8]
    data = page_data(record)
    assert data["texts"][data["cards"][0][2]] == "3" and all(len(card) == 2 for card in data["cards"][1:])
    assert ">grad 8<" in views(record)[0]["svg"]
