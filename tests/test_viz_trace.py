"""The record of a graph and of its backward pass: complete, true, and taken without touching anything."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import viz
from autograd import Tensor
from autograd.errors import GraphFreedError
from viz.tracing.reading import graph


def broadcast() -> tuple[Tensor, Tensor, Tensor]:
    X, b = Tensor(np.arange(6.0).reshape(3, 2), requires_grad=True), Tensor(np.array([1.0, 2.0]), requires_grad=True)
    X.name, b.name = "X", "b"
    y = ((X * b) ** 2).sum()
    return y, X, b


def test_vertices_stand_after_their_inputs_and_the_result_is_last():
    y, _, _ = broadcast()
    record = graph(y)
    assert [v.id for v in record.vertices] == list(range(len(record.vertices)))
    assert all(edge.source < edge.target for edge in record.edges)
    assert record.root.op == "sum"
    assert record.root.name == "y"


def test_a_vertex_says_where_it_comes_from():
    y, _, _ = broadcast()
    root = graph(y).root
    assert root.source.startswith("test_viz_trace.py:")
    assert root.code == "((X * b) ** 2).sum()"


def test_names_given_by_the_user_win_over_variables():
    x = Tensor(1.0, requires_grad=True)
    assert graph(x).root.name == "x"
    x.name = "weight"
    assert graph(x).root.name == "weight"


def test_values_are_known_where_the_graph_holds_them():
    y, X, b = broadcast()
    by_name = {v.name: v for v in graph(y).vertices}
    assert by_name["X"].value is X.data
    assert by_name["b"].value is b.data
    assert by_name["y"].value == y.item()


def test_constants_show_their_number_or_their_shape():
    x = Tensor(np.ones((2, 2)), requires_grad=True)
    record = graph(((x * np.full((2, 2), 3.0)) + 5).sum())
    constants = [v for v in record.vertices if v.kind == "constant"]
    assert [np.shape(v.value) for v in constants] == [(2, 2), ()]
    assert constants[1].value == 5


def test_gradients_are_none_until_they_exist():
    y, _, b = broadcast()
    assert all(v.gradient is None for v in graph(y).vertices)
    y.backward(retain_graph=True)
    assert {v.name: v for v in graph(y).vertices}["b"].gradient is b.grad


def test_static_arguments_are_recorded():
    x = Tensor(np.ones((2, 3)), requires_grad=True)
    record = graph(x.sum(axis=1).sum())
    assert [v.arguments.get("axis") for v in record.vertices if v.op == "sum"] == ["1", None]


def test_the_steps_add_up_to_the_gradients():
    y, X, b = broadcast()
    record = viz.trace(y)
    final = {part.target: part.after for step in record.backward for part in step.contributions}
    y.backward()
    by_name = {v.name: v.id for v in record.graph.vertices}
    np.testing.assert_array_equal(final[by_name["X"]], X.grad)
    np.testing.assert_array_equal(final[by_name["b"]], b.grad)


def test_every_accumulation_is_recorded():
    x = Tensor(0.5, requires_grad=True)
    record = viz.trace(x * x + np.sin(x))
    parts = [
        p for step in record.backward for p in step.contributions if record.graph.vertices[p.target].kind == "leaf"
    ]
    assert [(p.use, p.uses) for p in parts] == [(1, 3), (2, 3), (3, 3)]
    assert parts[0].before is None
    for last, part in itertools.pairwise(parts):
        assert part.before == last.after
        assert part.after == part.before + part.value


def test_the_sum_over_broadcast_axes_is_recorded():
    y, X, b = broadcast()
    record = viz.trace(y)
    parts = {record.graph.vertices[p.target].name: p for step in record.backward for p in step.contributions}
    assert parts["X"].axes == ()
    assert parts["b"].axes == (0,)
    np.testing.assert_allclose(parts["b"].spread, 2 * X.data**2 * b.data)
    np.testing.assert_allclose(parts["b"].spread.sum(axis=0), parts["b"].value)


@pytest.mark.parametrize(("shape", "axes"), [((2, 1, 3), (1,)), ((1,), (0, 1, 2)), ((), (0, 1, 2)), ((4, 3), (0,))])
def test_all_kinds_of_stretching(shape, axes):
    x, big = Tensor(np.ones(shape), requires_grad=True), np.ones((2, 4, 3))
    (part,) = viz.trace((x * big).sum()).backward[-1].contributions
    assert part.axes == axes
    assert part.value.shape == shape


def test_tracing_changes_no_gradient_and_frees_nothing():
    y, X, b = broadcast()
    viz.trace(y)
    assert X.grad is None and b.grad is None
    y.backward(retain_graph=True)
    before = X.grad.copy()
    viz.trace(y)
    viz.draw(y)
    np.testing.assert_array_equal(X.grad, before)
    y.backward()


def test_a_freed_graph_says_when_to_trace():
    y, _, _ = broadcast()
    y.backward()
    with pytest.raises(GraphFreedError, match="call this before backward"):
        viz.trace(y)
    with pytest.raises(GraphFreedError, match="retain_graph=True"):
        viz.explain(y)


def test_a_result_that_is_no_scalar_needs_a_gradient_to_start_from():
    x = Tensor(np.ones(3), requires_grad=True)
    y = x * x
    with pytest.raises(ValueError, match="grad="):
        viz.trace(y)
    (part, _) = viz.trace(y, np.array([1.0, 0.0, 2.0])).backward[0].contributions
    np.testing.assert_array_equal(part.value, [1.0, 0.0, 2.0])


def test_operations_with_several_results():
    a = Tensor(np.array([[2.0, 1.0], [0.0, 3.0]]), requires_grad=True)
    _, log = np.linalg.slogdet(a)
    y = log * 2.0
    assert "slogdet" in {v.op for v in graph(y).vertices}
    assert viz.draw(y).svg
    assert "slogdet" in viz.explain(y)


def test_deep_graphs_need_no_recursion():
    y = x = Tensor(1.0, requires_grad=True)
    for _ in range(3000):
        y = y * 0.999 + x
    assert len(viz.trace(y).backward) == 6000
