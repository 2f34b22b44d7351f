"""The record of a graph and of its backward pass: complete, true, and taken without touching anything."""

from __future__ import annotations

import itertools
import warnings

import numpy as np
import pytest
from samples import DIFFERENTIABLE

import nn
import viz
from autograd import Tensor, checkpoint, custom_vjp, gradients, no_grad, primitive, vmap
from autograd.errors import GraphFreedError, SavedArrayChangedError
from autograd.modes import Watcher, setting
from viz.tracing import probing
from viz.tracing.elements import terms
from viz.tracing.reading import graph
from viz.tracing.taking import take

FIRST = list({sample.name: sample for sample in reversed(DIFFERENTIABLE)}.values())


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


# ---- every operation of the table ----


class Results(Watcher):
    """The results of all operations, by the number of their node."""

    def __init__(self):
        self.of = {}

    def forward(self, node, y, inputs):
        self.of[node.number] = y


def same(a, b):
    if isinstance(a, tuple):
        return len(a) == len(b) and all(map(same, a, b))
    a, b = np.asarray(a), np.asarray(b)
    return a.dtype == b.dtype and a.shape == b.shape and np.array_equal(a, b, equal_nan=a.dtype.kind in "fc")


def loss_of(sample, dtype=float):
    """A scalar made of a sample, the leaves below it, and all results on the way."""
    f, xs = sample.problem(dtype)
    results = Results()
    with setting(watch=results), np.errstate(all="ignore"):
        leaves = [Tensor(x, requires_grad=True) for x in xs]
        y = f(*leaves)
        weights = np.random.default_rng(1).standard_normal(y.shape)
        loss = np.sum(np.real(y * weights) if y.dtype.kind == "c" else y * weights)
    return loss, leaves, results.of


def check_record(loss, leaves, results):
    """Every number of a trace against the engine's own."""
    record, ids = take(loss)
    vertices = record.graph.vertices
    totals = {}
    for step in record.backward:
        assert vertices[step.vertex].kind == "op"
        if step.vertex in totals:
            assert same(step.incoming, totals[step.vertex])
        for c in step.contributions:
            assert (c.before is None) == (c.target not in totals)
            if c.target in totals:
                assert same(c.before, totals[c.target])
                if not isinstance(c.value, tuple):
                    assert same(c.after, c.before + c.value)
            totals[c.target] = c.after
            check_parts(c)
    for node, k in ids.items():
        if node.number in results and vertices[k].value is not None:
            assert same(vertices[k].value, results[node.number])
    loss.backward()
    for x in leaves:
        if x.node in ids:
            assert same(totals.get(ids[x.node]), x.grad)
    return record


def check_parts(c):
    if isinstance(c.value, tuple):
        return
    if c.axes:
        np.testing.assert_allclose(np.sum(c.spread, axis=c.axes).reshape(c.value.shape), c.value, atol=1e-12)
    if c.local is not None:
        with np.errstate(all="ignore"):
            products = c.names["g"] * c.local
        products = np.real(products) if np.isrealobj(c.value) else products
        taken = ~((c.names["g"] == 0) & ~np.isfinite(c.local))
        np.testing.assert_allclose(c.spread[taken], np.asarray(products)[taken])


@pytest.mark.parametrize("sample", FIRST, ids=lambda sample: sample.name)
def test_the_record_of_every_operation_is_true(sample):
    loss, leaves, results = loss_of(sample)
    record = check_record(loss, leaves, results)
    for step in record.backward:
        if record.graph.vertices[step.vertex].shape is None:
            continue  # several results
        for c in step.contributions:
            for cell in list(np.ndindex(*np.shape(c.value)))[:3] if not isinstance(c.value, tuple) else []:
                found = terms(c, cell)
                if found is not None:
                    np.testing.assert_allclose(np.sum(found.products), c.value[cell], rtol=1e-7, atol=1e-9)
    record.to_json()


@pytest.mark.parametrize("dtype", [np.float32, complex])
def test_the_record_of_other_dtypes_is_true(dtype):
    checked = 0
    for sample in FIRST:
        try:
            made = loss_of(sample, dtype)
        except TypeError:  # NumPy does not take it either
            continue
        with np.errstate(all="ignore"):
            check_record(*made)
        checked += 1
    assert checked > 100


# ---- graphs of all kinds ----


def leaf(*values):
    return Tensor(np.array(values), requires_grad=True)


def several_results():
    a = Tensor(np.array([[2.0, 1.0], [0.5, 3.0]]), requires_grad=True)
    q, r = np.linalg.qr(a)
    _, log = np.linalg.slogdet(a)
    w, _ = np.linalg.eigh(a)
    return np.sum(q * r) + log + np.sum(w), [a]


def views_and_writes():
    x = leaf(1.0, 2.0, 3.0)
    y = x * 2
    part = y[1:]
    part *= x[:2]
    y[0] = part[0] + 1
    return np.sum(y**2), [x]


def a_checkpoint():
    x = leaf(1.0, 2.0)
    return checkpoint(lambda a: np.sum(np.sin(a) * a))(x), [x]


def a_rule_of_ones_own():
    x = leaf(1.0, 2.0)
    square = custom_vjp(lambda a: a * a, lambda a: (a * a, a), lambda a, g: (2 * a * g,))
    cube = primitive(lambda x: x**3, lambda x: 3 * x**2, kind="elementwise", name="cube")
    return np.sum(square(x) + cube(x)), [x]


def a_second_derivative():
    x = leaf(1.0, 2.0)
    (g,) = gradients(np.sum(x**3), [x], create_graph=True)
    return np.sum(g * g), [x]


def over_examples():
    x = leaf([1.0, 2.0], [3.0, 4.0])
    return np.sum(vmap(lambda a: np.sum(a * a) * a[0])(x)), [x]


def nothing_at_all():
    x = Tensor(np.zeros((0, 3)), requires_grad=True)
    return np.sum(x * np.ones(3)) + np.sum(np.sum(x, axis=0)), [x]


def branches_not_taken():
    x = leaf(1.0, 0.0)
    with np.errstate(all="ignore"):
        return np.sum(np.where(x.data > 0, np.log(x) @ np.ones(2) + np.log(x), 0.0)), [x]


def a_product_not_taken():
    m = Tensor(np.ones((1, 2, 2)), requires_grad=True)
    with np.errstate(all="ignore"):
        return np.sum(np.where(False, np.full((3, 2, 2), np.inf) @ m, 0.0)), [m]


def ties():
    x = leaf(1.0, 1.0, 0.0)
    return np.sum(np.maximum(x, 1.0)) + np.max(x) + np.sum(np.maximum(x, x * 1)), [x]


def half():
    x = Tensor(np.ones((2, 3), np.float16), requires_grad=True)
    return np.sum(nn.relu(x * 3 + np.ones(3, np.float16)), axis=0).sum(), [x]


KINDS = [
    several_results, views_and_writes, a_checkpoint, a_rule_of_ones_own, a_second_derivative, over_examples,
    nothing_at_all, branches_not_taken, a_product_not_taken, ties, half,
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_the_record_of_any_graph_is_true(kind):
    results = Results()
    with setting(watch=results):
        loss, leaves = kind()
    check_record(loss, leaves, results.of).to_json()


def test_what_rules_compute_together_is_not_kept(monkeypatch):
    monkeypatch.setattr(probing, "WORK", 0)
    double = primitive(
        lambda a, b: a + b,
        *(lambda g, twice: twice, lambda g, twice: twice),
        kind="general", broadcasts=True, shared={"twice": lambda g: 2 * g}, name="double",
    )  # fmt: skip
    a, b = leaf([1.0, 2.0], [3.0, 4.0]), leaf(1.0, 2.0)
    y = double(a, b)
    record = viz.trace(np.sum(y))
    assert [c.axes for c in record.backward[-1].contributions] == [(), (0,)]
    assert y.node.saved.values == {}


def test_missing_parts_of_a_gradient_are_zeros():
    a = Tensor(np.array([[2.0, 1.0], [0.0, 3.0]]), requires_grad=True)
    _, log = np.linalg.slogdet(a)
    steps = {record_op: step for step, record_op in with_ops(viz.trace(log * 2))}
    sign, g = steps["slogdet"].incoming
    assert (sign, g) == (0, 2)


def with_ops(record):
    return [(step, record.graph.vertices[step.vertex].op) for step in record.backward]


def test_an_input_without_a_rule_is_no_use():
    x = leaf(1.0, 2.0)
    h = x * 2
    y = np.sum(np.where(h, x * 3, 0.0))
    record = viz.trace(y)
    to_x = [c for step in record.backward for c in step.contributions if record.graph.vertices[c.target].kind == "leaf"]
    assert [(c.use, c.uses) for c in to_x] == [(1, 1)]
    y.backward()
    np.testing.assert_array_equal(to_x[0].after, x.grad)


def test_a_trace_is_the_same_where_nothing_is_recorded():
    x = leaf(1.0, 2.0)
    y = np.sum(np.cumsum(x) * nn.softmax(x))
    with no_grad():
        inside = viz.trace(y)
    assert inside.to_json() == viz.trace(y).to_json()


def test_the_start_may_be_a_tensor():
    x = leaf(1.0, 2.0)
    record = viz.trace(x * 3, Tensor(np.array([1.0, 10.0]), requires_grad=True))
    np.testing.assert_array_equal(record.backward[0].contributions[0].value, [3, 30])


def test_a_function_of_ones_own_may_return_numbers():
    total = primitive(lambda x: float(np.sum(x)), lambda g, x: g * np.ones_like(x), kind="general", name="total")
    x = leaf(1.0, 2.0)
    y = total(x) * x.sum()
    record = viz.trace(y)
    assert all(isinstance(v.value, np.ndarray) for v in record.graph.vertices)


def test_a_leaf_may_be_the_result():
    x = Tensor(3.0, requires_grad=True)
    record = viz.trace(x)
    assert (record.steps, record.graph.root.value) == ([], 3.0)


def test_inside_vmap_there_is_one_clear_error():
    seen = []

    def f(a):
        y = np.sum(a * a)
        with pytest.raises(TypeError, match="what vmap"):
            viz.trace(y)
        seen.append(1)
        return y

    vmap(f)(leaf([1.0, 2.0], [3.0, 4.0]))
    assert seen == [1]


def test_a_saved_array_that_was_changed_is_an_error():
    x = leaf(1.0, 2.0)
    y = np.sum(x * x)
    x.data += 1
    with pytest.raises(SavedArrayChangedError):
        viz.trace(y)


def test_a_result_that_was_changed_since_is_not_shown():
    x = leaf(1.0, 2.0)
    y = x + np.ones(2)
    with no_grad():
        y[0] = 7.0
    assert viz.trace(y, np.ones(2)).graph.root.value is None


def test_a_value_that_was_changed_since_is_not_shown():
    x, shared = leaf(1.0, 2.0), np.array([1.0, 2.0])
    z, other = Tensor(shared, requires_grad=True), Tensor(shared)
    y = np.sum((x + 1) * (z + 1))
    x.data = np.array([5.0, 6.0])
    other.data += 1  # the memory of z
    x.name, z.name = "x", "z"
    by_name = {v.name: v.value for v in viz.trace(y).graph.vertices}
    assert by_name["x"] is None and by_name["z"] is None


def test_a_leaf_that_was_changed_before_its_use_is_shown():
    x, z = leaf(1.0, 2.0), Tensor(2.0, requires_grad=True)
    x.name = "x"
    h = z * 1
    x.data = np.array([5.0, 6.0])
    by_name = {v.name: v.value for v in viz.trace(np.sum(x + h)).graph.vertices}
    np.testing.assert_array_equal(by_name["x"], [5, 6])


def test_a_warning_of_the_forward_pass_is_not_given_twice():
    z = Tensor(np.array([1 + 2j, 3]), requires_grad=True)
    x = Tensor(np.zeros((0, 2)), requires_grad=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        y = np.sum(z.astype(float) + 1) + np.sum(np.mean(x, axis=0) + 1)
    viz.trace(y)  # warnings are errors here


# ---- rules and their names ----


def names_of(y, op):
    return next(step for step, name in with_ops(viz.trace(y)) if name == op).contributions[0].names


def test_a_name_in_a_rule_is_known_where_the_graph_tells():
    x = Tensor(np.arange(6.0).reshape(2, 3), requires_grad=True)
    assert names_of(np.sum(np.mean(x, axis=1)), "mean")["n"] == "3"
    assert names_of(np.sum(np.reshape(x, (3, 2))), "reshape")["x_shape"] == "(2, 3)"
    assert names_of(nn.softmax_cross_entropy(x, np.array([0, 1])), "softmax_cross_entropy")["N"] == "2"
    found = names_of(np.sum(np.var(x, axis=0, ddof=1)), "var")
    assert (found["n"], found["ddof"]) == ("2", "1")
    np.testing.assert_array_equal(names_of(np.sum(np.max(x * 0, axis=1)), "max")["ties"], [[3], [3]])
    found = names_of(np.prod(x + 1), "prod")
    np.testing.assert_array_equal(found["x"], x.data + 1)
    assert found["y"] == 720


def test_a_name_that_is_not_known_is_absent():
    x = Tensor(np.ones((2, 2)), requires_grad=True)
    assert names_of(np.sum(np.linalg.det(x + np.eye(2))), "det").keys() == {"g", "x"}


def test_transposes_are_steps_of_their_own():
    x, w = Tensor(np.arange(6.0).reshape(2, 3), requires_grad=True), Tensor(np.ones((3, 2)), requires_grad=True)
    left, right = viz.trace(np.sum(x @ w)).backward[-1].contributions
    assert [part.text for part in left.parts] == ["transpose(b)", "g @ transpose(b)"]
    np.testing.assert_array_equal(right.parts[0].value, x.data.T)


def test_a_rule_that_is_nothing_but_a_transpose_is_one_step():
    x = Tensor(np.arange(24.0).reshape(2, 3, 4), requires_grad=True)
    (c,) = viz.trace(np.sum(np.transpose(x, (2, 0, 1)) ** 2)).backward[-1].contributions
    assert [part.what for part in c.parts] == ["rule"]
    np.testing.assert_array_equal(c.value, 2 * x.data)


@pytest.mark.parametrize(
    ("f", "local"),
    [
        (lambda x: x + 1, [1, 1]),
        (lambda x: 1 - x, [-1, -1]),
        (lambda x: x * 3, [3, 3]),
        (np.exp, np.exp([1, 2])),
        (lambda x: x + np.zeros((3, 2)), np.ones((3, 2))),
        (lambda x: x * np.arange(6.0).reshape(3, 2), np.arange(6.0).reshape(3, 2)),
        (lambda x: np.maximum(x, 1.5), [0, 1]),
        (np.floor, [0, 0]),
        (np.copy, [1, 1]),
    ],
)
def test_the_local_derivative(f, local):
    (c,) = viz.trace(np.sum(f(leaf(1.0, 2.0)))).backward[-1].contributions
    np.testing.assert_allclose(c.local, np.asarray(local, float))


# ---- large graphs ----


def test_a_long_chain():
    y = Tensor(1.0, requires_grad=True)
    for _ in range(12_000):
        y = y * 0.9999
    record = viz.trace(y)
    assert len(record.backward) == 12_000
    np.testing.assert_allclose(record.backward[-1].contributions[0].after, 0.9999**12_000, rtol=1e-9)
