"""The backward pass as text: the rule, the numbers, the sums; exactly as a reader should see it."""

from __future__ import annotations

import re

import numpy as np

import viz
from autograd import Tensor
from viz.texts.explain import with_numbers


def without_places(text: str) -> str:
    """The text without file names and line numbers."""
    return re.sub(r"   \(\S+\.py:\d+\)", "", text)


def test_a_scalar_expression_step_by_step():
    x, y = Tensor(2.0, requires_grad=True), Tensor(-1.5, requires_grad=True)
    x.name, y.name = "x", "y"
    s = x * y
    z = s + x
    assert without_places(viz.explain(z)) == (
        "Backward from z, in 2 steps. No gradient exists before the first.\n"
        "\n"
        "Step 1 of 2: z = add(a=s, b=x)\n"
        "  g = z.grad = 1\n"
        "  to s: g\n"
        "    = 1\n"
        "    s.grad: 1, use 1 of 1\n"
        "  to x: g\n"
        "    = 1\n"
        "    x.grad: 1, use 1 of 2\n"
        "\n"
        "Step 2 of 2: s = multiply(a=x, b=y)\n"
        "  g = s.grad = 1\n"
        "  to x: g * b\n"
        "    = 1 * (-1.5)\n"
        "    = -1.5\n"
        "    x.grad: 1 + (-1.5) = -0.5, use 2 of 2\n"
        "  to y: g * a\n"
        "    = 1 * 2\n"
        "    = 2\n"
        "    y.grad: 2, use 1 of 1\n"
    )


def test_broadcast_axes_are_summed_in_a_line_of_their_own():
    X, b = Tensor(np.ones((3, 2)), requires_grad=True), Tensor(np.array([1.0, 2.0]), requires_grad=True)
    b.name = "b"
    text = viz.explain((X + b).sum())
    assert "b (2,) was stretched to (3, 2), so sum over axis 0: [3, 3]" in text
    assert "b.grad: [3, 3], use 1 of 1" in text


def test_every_accumulation_line_adds_up():
    x = Tensor(0.7, requires_grad=True)
    x.name = "x"
    text = viz.explain(x * x + np.sin(x) - 3.0 * x)
    sums = re.findall(r"x\.grad: \(?([-\d.e]+)\)? \+ \(?([-\d.e]+)\)? = ([-\d.e]+),", text)
    assert len(sums) == 3
    for before, added, after in sums:
        assert abs(float(before) + float(added) - float(after)) < 2e-3
    x.zero_grad()
    (x * x + np.sin(x) - 3.0 * x).backward()
    assert f"= {float(x.grad):.4g}, use 4 of 4" in text


def test_vertices_of_one_name_are_told_apart():
    h = Tensor(0.5, requires_grad=True)
    for _ in range(2):
        h = np.tanh(h)
    text = viz.explain(h)
    assert len(set(re.findall(r"to (h#\d+):", text))) == 2


def test_long_graphs_and_hostile_names_stay_in_their_lines():
    x = Tensor([1.0, 2.0], requires_grad=True)
    x.name = "evil\nStep 9 of 9: forged\x1b[31m"
    text = viz.explain((x * x).sum())
    assert len(re.findall(r"^Step", text, re.MULTILINE)) == 2
    assert "\x1b" not in text


def test_numbers_go_only_where_a_name_stands():
    names = {"x": -2.0, "g": 0.5, "axis": 0, "y": np.arange(20.0)}
    assert with_numbers("g * exp(x)", names) == "0.5 * exp((-2))"
    assert with_numbers("x.T @ g", names) == "(-2).T @ 0.5"
    assert with_numbers("x(g) + a.x", names) == "x(0.5) + a.x"
    assert with_numbers("sum(g, axis=axis)", names) == "sum(0.5, axis=0)"
    assert with_numbers("xx * y", names) == "xx * [0, 1, 2, …]"
    assert with_numbers("g", names) == "0.5"
