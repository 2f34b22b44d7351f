"""viz.compare: the right partners, and every difference between them, and no other."""

from __future__ import annotations

import re
import time
import xml.etree.ElementTree as ET
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nn
import viz
from autograd import Tensor
from autograd.sweep import reachable
from viz.study.align import align, common
from viz.study.compare import numbers


def net(activation=nn.ReLU, batch=5, scale=1.0, residual=False):
    rng = np.random.default_rng(0)
    model = nn.Sequential(nn.Affine(4, 3, rng=rng), activation(), nn.Affine(3, 2, rng=rng))
    x = rng.normal(size=(7, 4))[:batch] * scale
    with viz.record():
        h = model(x)
        if residual:
            h = h + np.tanh(h)
        return nn.softmax_cross_entropy(h, np.arange(batch) % 2)


# ---- alignment ----


def longest(a, b):
    """The length of the longest common subsequence, by the textbook's table."""
    table = np.zeros((len(a) + 1, len(b) + 1), int)
    for i in range(len(a)):
        for j in range(len(b)):
            table[i + 1, j + 1] = table[i, j] + 1 if a[i] == b[j] else max(table[i, j + 1], table[i + 1, j])
    return table[-1, -1]


def is_alignment(pairs, a, b):
    increasing = all(p[0] < q[0] and p[1] < q[1] for p, q in pairwise(pairs))
    return increasing and all(a[i] == b[j] for i, j in pairs)


@settings(max_examples=300, deadline=None)
@given(st.text("abcd", max_size=14), st.text("abcde", max_size=14))
def test_the_common_subsequence_is_the_longest(a, b):
    pairs = common(a, b)
    assert is_alignment(pairs, a, b)
    assert len(pairs) == longest(a, b)


@pytest.mark.parametrize("letters", [3, 100, 3000])
def test_long_and_different_sequences_take_no_quadratic_time(letters):
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, letters, (2, 6000)).tolist()
    start = time.perf_counter()
    pairs = common(a, b)
    assert time.perf_counter() - start < 5
    assert is_alignment(pairs, a, b)
    assert pairs


def test_sequences_with_nothing_in_common_cost_nothing():
    start = time.perf_counter()
    assert common([*range(30_000)], [*range(30_000, 60_000)]) == []
    assert time.perf_counter() - start < 2


def test_a_looser_level_fills_the_gaps_of_a_stricter_one():
    a, b = ["x1", "y1", "z1"], ["x1", "y2", "z1", "w1"]
    loose = [t[0] for t in a], [t[0] for t in b]
    assert align([(a, b)]) == [(0, 0), (2, 2)]
    assert align([(a, b), loose]) == [(0, 0), (1, 1), (2, 2)]


# ---- what is the same ----


def test_a_graph_is_the_same_as_itself_built_again():
    result = viz.compare(net(), net())
    assert result.same
    assert result.forward is result.backward is None
    assert "Nothing differs" in str(result)
    assert all(row.value.status == "equal" for row in result.rows)


def test_rounding_is_no_difference():
    def f(order):
        x = Tensor(np.array([0.1, 0.2, 0.3]), requires_grad=True, name="x")
        parts = [x[k] for k in order]
        return parts[0] + parts[1] + parts[2]

    result = viz.compare(f([0, 1, 2]), f([0, 1, 2]) * (1 + 2**-52))
    statuses = {row.value.status for row in result.rows}
    assert "differs" not in statuses
    a = Tensor(np.array([1.0, 1e-3]), requires_grad=True, name="a")
    b = Tensor(np.array([1.0, 1e-3 * (1 + 1e-15)]), requires_grad=True, name="a")
    rows = viz.compare(np.sum(a * a), np.sum(b * b)).rows
    assert rows[0].value.status == "equal within rounding"


# ---- what differs ----


def test_another_activation():
    result = viz.compare(net(), net(nn.Sigmoid))
    changed = [row for row in result.rows if row.changed]
    assert [row.changed for row in changed] == [{"op": ("relu", "sigmoid")}]
    assert result.forward is changed[0]
    assert result.backward.a.op == "affine"
    assert result.backward.a.scope[-1] == "2 Affine"
    assert not any(row.alone for row in result.rows)


def test_operations_on_one_side_only():
    result = viz.compare(net(), net(residual=True))
    assert [row.b.op for row in result.rows if row.a is None] == ["tanh", "add"]
    assert not any(row.b is None for row in result.rows)
    assert result.forward.b.op == "tanh"
    back = viz.compare(net(residual=True), net())
    assert [row.a.op for row in back.rows if row.b is None] == ["tanh", "add"]
    assert "only in a" in str(back)


def test_another_batch_size_changes_shapes_and_keeps_the_partners():
    result = viz.compare(net(batch=5), net(batch=6))
    assert not any(row.alone for row in result.rows)
    assert {"shape": ("(5, 3)", "(6, 3)")} in [row.changed for row in result.rows]


def test_the_numbers_are_numpy_s():
    result = viz.compare(net(), net(scale=1.5))
    for row in result.rows:
        if row.value.status == "differs":
            off = np.abs(row.a.value - row.b.value)
            assert row.value.error == pytest.approx(off.max())
            assert off[row.value.cell] == off.max()
            assert (row.value.a, row.value.b) == (row.a.value[row.value.cell], row.b.value[row.value.cell])
    sides = []
    for loss in (net(), net(scale=1.5)):
        leaves = [node for node in reachable([loss.node]) if node.op is None]
        loss.backward()
        sides.append([leaf.grad for leaf in leaves])
    rows = [row for row in result.rows if row.a.kind == "leaf"]
    for row, g, h in zip(rows, *sides, strict=True):
        np.testing.assert_allclose(row.gradient.error, np.abs(g - h).max())
        np.testing.assert_allclose((row.gradient.a, row.gradient.b), (g[row.gradient.cell], h[row.gradient.cell]))
    assert result.forward.a.kind == "constant"


def test_another_argument():
    x = Tensor(np.ones((2, 2)), requires_grad=True, name="x")
    result = viz.compare(np.sum(np.sum(x, axis=0)), np.sum(np.sum(x, axis=1)))
    assert [row.changed for row in result.rows if row.changed] == [{"axis": ("0", "1")}]
    assert "axis 0 / 1" in str(result)


def test_only_the_gradient_differs():
    x = Tensor(np.array([1.0, 2.0]), requires_grad=True, name="x")
    a, b = (viz.trace(x * x, grad) for grad in (np.array([1.0, 1.0]), np.array([1.0, 2.0])))
    result = viz.compare(a, b)
    assert result.forward is None
    assert result.backward.a.op == "multiply"
    assert result.backward.gradient.cell == (1,)


def test_a_leaf_used_twice_has_one_partner():
    def f(k):
        w = Tensor(np.array(2.0), requires_grad=True, name="w")
        return (w * 3.0 + w) * k

    rows = viz.compare(f(1.0), f(2.0)).rows
    assert [(row.a.name, row.b.name) for row in rows if row.a.kind == "leaf"] == [("w", "w")]
    ids = [row.b.id for row in rows]
    assert sorted(ids) == sorted(set(ids))


def test_two_leaves_do_not_share_a_partner():
    u, v, w = (Tensor(np.array(2.0), requires_grad=True, name=name) for name in "uvw")
    rows = viz.compare(u * v, w * w).rows
    assert [(row.a.name, row.b and row.b.name) for row in rows if row.a.kind == "leaf"] == [("u", "w"), ("v", None)]


def test_operations_with_nothing_in_common_are_no_partners():
    x = Tensor(np.ones((2, 3)), requires_grad=True, name="x")
    rows = viz.compare(np.sum(np.tanh(x)), np.sum(np.reshape(x, (3, 2)))).rows
    assert [(row.a and row.a.op, row.b and row.b.op) for row in rows if row.alone] == [
        ("tanh", None),
        (None, "reshape"),
    ]
    assert next((row.a.name, row.b.name) for row in rows if not row.alone) == ("x", "x")


def test_a_gradient_counts_on_the_way_back_when_it_is_complete():
    def f(k):
        w = Tensor(np.array(0.3), requires_grad=True, name="w")
        h = np.tanh(w * k)
        return h + w * 3.0  # w gets this contribution first, and it is the same for every k

    assert viz.compare(f(1.0), f(2.0)).backward.a.op == "multiply"


def test_every_vertex_has_one_row_and_both_sides_stand_in_order():
    a, b = net(), net(residual=True)
    result = viz.compare(a, b)
    left = [row.a.id for row in result.rows if row.a is not None]
    right = [row.b.id for row in result.rows if row.b is not None]
    assert sorted(left) == list(range(len(viz.trace(a).graph.vertices)))
    assert sorted(right) == list(range(len(viz.trace(b).graph.vertices)))
    assert left == sorted(left)


# ---- records ----


def test_a_loaded_trace_compares_like_the_one_that_was_saved(tmp_path):
    record = viz.trace(net())
    loaded = viz.load(record.save(tmp_path / "a.json"))
    assert viz.compare(record, loaded).same
    assert str(viz.compare(loaded, net(nn.Sigmoid))) == str(viz.compare(net(), net(nn.Sigmoid)))


def test_arrays_too_large_to_keep_are_compared_by_their_statistics():
    def f(k):
        x = Tensor(np.arange(1000.0), requires_grad=True, name="x")
        return viz.trace(np.sum(x * k), budget=10)

    assert viz.compare(f(2.0), f(2.0)).same
    result = viz.compare(f(2.0), f(3.0))
    row = next(row for row in result.rows if row.a.op == "multiply")
    assert row.value.status == "differs"
    assert row.value.summed
    assert "too large to keep" in str(result)


def test_a_record_without_a_backward_pass_has_unknown_gradients():
    record = viz.trace(net())
    result = viz.compare(record, replace(record, backward=[]))
    assert result.same
    assert {row.gradient.status for row in result.rows} == {"not known"}


def test_what_is_kept_as_text_is_compared_as_text():
    array = np.ones(2)
    assert numbers(("None", array), ("None", array)).status == "equal"
    assert numbers(("None", array), ("None", array + 1)).status == "differs"
    assert numbers("one text", "another").status == "not known"


def test_five_thousand_operations():
    def chain(count, skip):
        x = Tensor(np.array(0.5), requires_grad=True, name="x")
        y = x
        for k in range(count):
            y = np.tanh(y) if k % 2 else y * 1.001
            if k == skip:
                y = y + 0.25
        return y

    a, b = viz.trace(chain(5000, 1000)), viz.trace(chain(5000, 4000))
    start = time.perf_counter()
    result = viz.compare(a, b)
    str(result)
    assert time.perf_counter() - start < 10
    assert [row.a.op for row in result.rows if row.b is None and row.a.kind == "op"] == ["add"]
    assert [row.b.op for row in result.rows if row.a is None and row.b.kind == "op"] == ["add"]
    assert result.forward.b is None


# ---- how it shows ----


def test_text_counts_runs_of_equal_rows():
    text = str(viz.compare(net(), net()))
    assert re.search(r"\.\.\. \d+ more, all equal", text)
    rows = len(viz.compare(net(), net()).rows)
    assert int(re.search(r"\.\.\. (\d+) more", text)[1]) == rows - 1


def test_the_picture_shows_both_graphs_and_says_what_differs():
    svg = viz.compare(net(), net(nn.Sigmoid, residual=True)).draw().svg
    root = ET.fromstring(svg)
    inner = root.findall("{http://www.w3.org/2000/svg}svg")
    assert len(inner) == 2
    heights = [float(picture.get("height")) for picture in inner]
    assert float(root.get("height")) == pytest.approx(sum(heights))
    assert float(inner[1].get("y")) == heights[0]
    assert "≠ op relu / sigmoid" in svg
    assert svg.count("+ only in b") == 2


def test_the_picture_saves(tmp_path):
    picture = viz.compare(net(), net(nn.Sigmoid)).draw()
    page = picture.save(tmp_path / "pair.html").read_text()
    assert page.count("<svg ") == 3
    assert "<script" not in page
    assert picture.save(tmp_path / "pair.svg").read_text() == picture.svg


def test_hostile_names_are_only_text():
    evil = "</text><script>alert(1)</script>|\n[x](javascript:1)\u202e"

    def f(k):
        x = Tensor(np.array([1.0, k]), requires_grad=True, name=evil)
        return np.sum(x * x)

    result = viz.compare(f(2.0), f(3.0))
    assert "<script" not in result.draw().svg + result.markdown
    assert "\u202e" not in result.draw().svg + result.markdown + str(result)
    ET.fromstring(result.draw().svg)
    table = [line for line in result.markdown.splitlines() if line.startswith("|")]
    assert len(table) == 2 + len(result.rows)


def test_the_same_comparison_prints_the_same():
    assert str(viz.compare(net(), net(nn.Sigmoid))) == str(viz.compare(net(), net(nn.Sigmoid)))
    first, second = (viz.compare(net(), net(nn.Sigmoid)).draw().svg for _ in range(2))
    assert first == second
