"""Why an element of a gradient is what it is, and what really happens when an element is moved."""

from __future__ import annotations

import numpy as np
import pytest

import nn
import viz
from autograd import Tensor, checkpoint, numerical_gradient, primitive
from viz.tracing import probing
from viz.tracing.elements import terms
from viz.tracing.model import Contribution, Part, Probe, Trace

rng = np.random.default_rng(0)


def leaf(*shape, low=-1.0, high=1.0):
    return Tensor(rng.uniform(low, high, shape), requires_grad=True)


def contribution_to(x: Tensor, record: Trace, op: str = "") -> Contribution:
    """The contribution to a leaf, or that of an operation to its first input."""
    for step in record.backward:
        for c in step.contributions:
            target = record.graph.vertices[c.target]
            if record.graph.vertices[step.vertex].op == op or (not op and target.name == x.name):
                return c
    raise AssertionError(f"no contribution to {x.name}")


def cells_of(c: Contribution):
    return list(np.ndindex(*np.shape(c.value)))


# ---- the three ways to tell ----


def test_an_elementwise_rule_gives_one_term():
    x = leaf(2, 3)
    c = contribution_to(x, viz.trace(np.sum(np.sin(x) * np.arange(3.0))), "sin")
    found = terms(c, (1, 2))
    assert found.labels() == [("g[1, 2]", "local[1, 2]")]
    assert found.left == [2.0]
    np.testing.assert_allclose(found.right, [np.cos(x.data[1, 2])])
    assert found.total == c.value[1, 2]


def test_a_broadcast_input_has_a_term_for_each_copy():
    X, b = leaf(3, 2), leaf(2)
    b.name = "b"
    c = contribution_to(b, viz.trace(np.sum(X * b)))
    found = terms(c, (1,))
    assert found.right_at == [("local", (k, 1)) for k in range(3)]
    np.testing.assert_allclose(found.products, X.data[:, 1])


def test_stretching_of_axes_of_length_one():
    x = leaf(2, 1, 3)
    x.name = "x"
    big = rng.standard_normal((5, 2, 4, 3))
    c = contribution_to(x, viz.trace(np.sum(x * big)))
    for cell in cells_of(c):
        found = terms(c, cell)
        np.testing.assert_allclose(found.products, big[:, cell[0], :, cell[2]].ravel())
        assert found.total == c.value[cell]


def test_a_leading_axis_of_length_one_is_no_sum():
    x = leaf(3)
    x.name = "x"
    c = contribution_to(x, viz.trace(np.sum(x * np.ones((1, 3)) * 2)))
    assert c.axes == ()
    assert terms(c, (2,)).left_at == [("g", (0, 2))]


def test_a_product_of_matrices_is_row_times_column():
    x, w = leaf(4, 3), leaf(3, 2)
    x.name, w.name = "x", "w"
    scale = rng.standard_normal((4, 2))
    record = viz.trace(np.sum((x @ w) * scale))
    found = terms(contribution_to(w, record), (2, 1))  # transpose(a) @ g
    assert found.labels() == [(f"a[{k}, 2]", f"g[{k}, 1]") for k in range(4)]
    np.testing.assert_array_equal(found.left, x.data[:, 2])
    np.testing.assert_array_equal(found.right, scale[:, 1])
    np.testing.assert_allclose(found.total, x.data[:, 2] @ scale[:, 1])
    found = terms(contribution_to(x, record), (3, 0))  # g @ transpose(b)
    assert found.labels() == [(f"g[3, {k}]", f"b[0, {k}]") for k in range(2)]


def test_the_bias_of_a_layer_is_a_sum_over_the_batch():
    layer = nn.Affine(3, 2, rng=0)
    layer.b.name = "b"
    c = contribution_to(layer.b, viz.trace(np.sum(layer(np.ones((5, 3))) * rng.standard_normal((5, 2)))))
    assert c.axes == (0,)
    assert terms(c, (1,)).left_at == [("g", (k, 1)) for k in range(5)]


def test_a_branch_not_taken_counts_as_zero():
    x = Tensor(np.array([1.0, 0.0]), requires_grad=True)
    with np.errstate(all="ignore"):
        y = np.sum(np.where(x.data > 0, np.log(x), 0.0))
    c = contribution_to(x, viz.trace(y), "log")
    assert np.isinf(c.local[1])
    found = terms(c, (1,))
    assert found.total == 0 and list(found.products) == [0]


def test_a_text_that_promises_what_the_rule_does_not_is_not_believed():
    g, x = np.ones((2, 2)), np.arange(4.0).reshape(2, 2)
    lie = Contribution(0, 0, "g @ x", {"g": g, "x": x}, [Part("rule", "g @ x", g)], None, g, 1, 1)
    assert terms(lie, (0, 0)) is None
    true = Contribution(0, 0, "g @ x", {"g": g, "x": x}, [Part("rule", "g @ x", g @ x)], None, g, 1, 1)
    assert terms(true, (0, 1)).total == 4


def test_sizes_in_a_file_do_not_multiply():
    g, local = np.ones((1, 100_000), bool), np.ones((100_000, 1), bool)  # together 10 ** 10 places
    parts = [Part("rule", "g", g), Part("sum", "sum over axes 0, 1", np.ones(()), (0, 1))]
    assert terms(Contribution(0, 0, "g", {"g": g}, parts, None, None, 1, 1, local=local), ()) is None


@pytest.mark.parametrize("rule", ["-g @ x", "g @ x / 2", "f(g @ x)", "g @ x @ x", "g @ y"])
def test_only_a_plain_product_is_read(rule):
    g, x = np.ones((2, 2)), np.eye(2)
    c = Contribution(0, 0, rule, {"g": g, "x": x}, [Part("rule", rule, g @ x)], None, g, 1, 1)
    assert terms(c, (0, 0)) is None


def test_a_sum_without_terms():
    x = Tensor(np.ones((1, 3)), requires_grad=True)
    x.name = "x"
    c = contribution_to(x, viz.trace(np.sum(x * np.zeros((0, 3)))))
    assert terms(c, (0, 1)).total == 0


# ---- recorded probes ----


def pool(x):
    return nn.max_pool2d(x, 2)


LABELS = np.array([0, 2, 1])
PROBED = {
    "conv2d x": (lambda x: nn.conv2d(x, KERNEL, padding=1, stride=2), (1, 2, 4, 3)),
    "conv2d w": (lambda w: nn.conv2d(IMAGE, w, padding=1), (2, 2, 2, 3)),
    "max pooling": (pool, (1, 1, 4, 4)),
    "softmax cross-entropy": (lambda x: nn.softmax_cross_entropy(x, LABELS), (3, 4)),
    "softmax": (nn.softmax, (2, 4)),
    "log_softmax": (nn.log_softmax, (2, 4)),
    "norm": (np.linalg.norm, (2, 3)),
    "norm of rows": (lambda x: np.linalg.norm(x, axis=1), (2, 3)),
    "cumsum": (lambda x: np.cumsum(x, axis=1), (2, 4)),
    "cumprod": (lambda x: np.cumprod(x), (5,)),
    "fft": (lambda x: np.real(np.fft.fft(x) * (1 + 2j)), (5,)),
    "solve a": (lambda a: np.linalg.solve(a + 3 * np.eye(3), np.arange(3.0)), (3, 3)),
    "solve b": (lambda b: np.linalg.solve(3 * np.eye(3) + 1, b), (3, 2)),
    "inv": (lambda a: np.linalg.inv(a + 3 * np.eye(3)), (3, 3)),
    "max": (lambda x: np.max(x, axis=0), (3, 2)),
    "var": (lambda x: np.var(x, axis=0), (4, 2)),
    "mean": (lambda x: np.mean(x, axis=0), (4, 2)),
    "getitem": (lambda x: x[np.array([0, 0, 2])], (3, 2)),
    "einsum": (lambda x: np.einsum("ij,jk->k", x, IMAGE[0, 0]), (2, 3)),
    "matmul of stacks": (lambda x: x @ IMAGE[0], (3,)),
    "vector times matrix": (lambda x: x @ IMAGE[0, 0], (3,)),
    "concatenate": (lambda x: np.concatenate([x, x * 2]), (3,)),
}
KERNEL = rng.standard_normal((3, 2, 2, 3))
IMAGE = rng.standard_normal((2, 2, 3, 4))


@pytest.mark.parametrize("case", PROBED)
def test_every_element_is_the_sum_of_its_terms(case):
    f, shape = PROBED[case]
    x = leaf(*shape)
    y = f(x)
    record = viz.trace(np.sum(y * rng.standard_normal(y.shape)))
    for step in record.backward:
        for c in step.contributions:
            for cell in cells_of(c):
                found = terms(c, cell)
                assert found is not None, (case, c.rule, cell)
                total = np.sum(found.left * found.right)
                if np.isrealobj(c.value):
                    total = np.real(total)
                np.testing.assert_allclose(total, c.value[cell], rtol=1e-9, atol=1e-12)


COMPOSED = {"max pooling", "fft", "solve a", "inv", "concatenate", "einsum"}


@pytest.mark.parametrize("case", sorted(PROBED.keys() - COMPOSED))
def test_the_local_derivatives_are_those_of_finite_differences(case):
    f, shape = PROBED[case]
    x = leaf(*shape)
    y = f(x)
    (step,) = viz.trace(y, np.ones(y.shape)).backward
    (c,) = step.contributions
    assert c.probes
    for probe in c.probes:
        dense = np.zeros(y.shape)
        dense[tuple(probe.at.T)] = probe.local if y.ndim else np.sum(probe.local)
        around = []
        for eps in (1e-6, -1e-6):
            moved = x.data.copy()
            moved[probe.cell] += eps
            around.append(f(Tensor(moved)).data)
        np.testing.assert_allclose(dense, (around[0] - around[1]) / 2e-6, atol=1e-7)


def test_a_pixel_shows_its_patch():
    x = Tensor(np.zeros((1, 1, 5, 5)), requires_grad=True)
    w = rng.standard_normal((1, 1, 3, 3))
    record = viz.trace(np.sum(nn.conv2d(x, w, padding=1) * rng.standard_normal((1, 1, 5, 5))))
    c = next(c for step in record.backward for c in step.contributions if "conv" in c.rule)
    probe = next(p for p in c.probes if p.cell == (0, 0, 2, 2))
    assert sorted(map(tuple, probe.at[:, 2:].tolist())) == [(i, j) for i in (1, 2, 3) for j in (1, 2, 3)]
    np.testing.assert_array_equal(probe.local, w[0, 0, ::-1, ::-1].ravel())


def test_a_maximum_routes_to_one_place():
    x = Tensor(np.array([3.0, 7.0, 5.0]), requires_grad=True)
    c = contribution_to(x, viz.trace(np.max(x)), "max")
    assert {p.cell: p.local.tolist() for p in c.probes} == {(0,): [], (1,): [1.0], (2,): []}


def test_softmax_cross_entropy_shows_why():
    x = leaf(3, 4)
    c = contribution_to(x, viz.trace(nn.softmax_cross_entropy(x, LABELS)), "softmax_cross_entropy")
    e = np.exp(x.data - x.data.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    for probe in c.probes:
        assert probe.at.shape == (1, 0)
        np.testing.assert_allclose(probe.local, [(p[probe.cell] - (LABELS[probe.cell[0]] == probe.cell[1])) / 3])
    assert c.names["N"] == "3"


def test_nothing_is_recorded_that_the_values_tell():
    x, w = leaf(4, 3), leaf(3, 2)
    record = viz.trace(np.sum(np.tanh(x @ w) + np.ones(2)))
    assert [c.rule for s in record.backward for c in s.contributions if c.probes] == ["broadcast(g)"]


def test_of_a_large_contribution_a_few_elements_are_probed():
    x = leaf(40, 50)
    c = contribution_to(x, viz.trace(np.sum(np.cumsum(x, axis=1) * np.arange(50.0))), "cumsum")
    cells = [p.cell for p in c.probes]
    assert (0, 0) in cells and (20, 0) in cells and len(cells) <= 4
    assert np.unravel_index(np.argmin(c.value), c.value.shape) in cells
    assert cells == sorted(cells)


def test_there_is_a_limit_for_a_whole_trace(monkeypatch):
    monkeypatch.setattr(probing, "PROBES", 30)
    y = leaf(20)
    for _ in range(20):
        y = np.cumsum(y)
    record = viz.trace(np.sum(y))
    counts = [len(c.probes) for s in record.backward for c in s.contributions]
    assert sum(counts) == 30


def test_probes_are_the_same_every_time():
    x = leaf(3, 5)
    y = np.sum(nn.softmax(np.cumsum(x, axis=0)) * np.arange(5.0))
    assert viz.trace(y).to_json() == viz.trace(y).to_json()


def test_the_users_functions_are_not_run_again():
    calls = []

    def f(a):
        calls.append(1)
        return np.sum(np.sin(a))

    x = leaf(3)
    y = checkpoint(f)(x)
    before = len(calls)
    viz.trace(y)
    assert len(calls) == before + 1  # the backward pass of a checkpoint itself


def test_a_rule_that_takes_arrays_only_has_no_probes():
    f = primitive(lambda x: np.cumsum(x), lambda g: np.frombuffer(g.tobytes())[::-1].cumsum()[::-1], kind="general")
    x = leaf(3)
    y = np.sum(f(x))
    (c,) = viz.trace(y).backward[-1].contributions
    assert c.probes == []
    assert c.rule.startswith("<lambda>_rule(")


@pytest.mark.parametrize("f", [np.conjugate, lambda z: np.abs(z) ** 2, np.fft.fft])
def test_complex_terms_are_recorded_only_where_they_add_up(f):
    z = Tensor(rng.standard_normal(3) + 1j * rng.standard_normal(3), requires_grad=True)
    for step in viz.trace(np.sum(np.real(f(z) * (1 + 2j)))).backward:
        for c in step.contributions:
            for cell in cells_of(c):
                found = terms(c, cell)
                assert found is None or np.allclose(np.sum(found.products), c.value[cell])


@pytest.mark.parametrize(
    "bad",
    [
        {"probes": [Probe((0,), np.array([[5]]), np.array([3.0]), np.array([9.0]))]},
        {"probes": [Probe((0,), np.array([5]), np.array([1.0]), np.array([1.0]))]},
        {"probes": [Probe((0,), np.array([[5]]), np.array([1.0, 2.0]), np.array([1.0, 2.0, 3.0]))]},
        {"local": np.ones(5)},
        {"local": np.ones(0)},
        {"rule": "g @ x", "names": {"g": np.ones((2, 3)), "x": np.ones((2, 3))}},
    ],
)
@pytest.mark.parametrize("cell", [(0,), (9,), (0, 0), ()])
def test_a_record_that_contradicts_itself_tells_nothing(bad, cell):
    g = np.ones(2)
    fields = {"rule": "f(g)", "names": {"g": g}, **bad}
    c = Contribution(0, 0, parts=[Part("rule", "f(g)", g)], before=None, after=g, use=1, uses=1, **fields)
    assert terms(c, cell) is None


# ---- nudges ----


def loss_of(w, x):
    return np.sum(np.tanh(x @ w) ** 2)


def test_a_nudge_is_what_the_function_gives():
    w, x = leaf(3, 2), rng.standard_normal((4, 3))
    record = viz.trace(loss_of(w, x))
    vertex = next(v.id for v in record.graph.vertices if v.kind == "leaf")
    assert {n.cell for n in record.nudges} == set(np.ndindex(3, 2))
    for nudge in record.nudges:
        assert nudge.vertex == vertex
        np.testing.assert_allclose(nudge.offsets, -nudge.offsets[::-1], atol=1e-12)
        assert nudge.offsets[len(nudge.offsets) // 2] == 0
        assert np.all(np.diff(nudge.offsets) > 0)
        for offset, result in zip(nudge.offsets, nudge.results, strict=True):
            moved = w.data.copy()
            moved[nudge.cell] += offset
            assert result == pytest.approx(loss_of(moved, x), rel=1e-12)


def test_near_zero_a_nudge_follows_the_gradient():
    w, x = leaf(3, 2), rng.standard_normal((4, 3))
    slopes = numerical_gradient(lambda v: loss_of(v, x), w.data.copy())
    for nudge in viz.trace(loss_of(w, x)).nudges:
        curve = np.polynomial.Polynomial.fit(nudge.offsets, nudge.results, len(nudge.offsets) - 1)
        assert curve.deriv()(0) == pytest.approx(slopes[nudge.cell], rel=2e-2, abs=2e-2)


def test_of_a_large_leaf_the_steepest_elements_are_moved():
    w = leaf(30)
    scale = rng.permutation(30) - 15.0
    record = viz.trace(np.sum(w * scale))
    assert {n.cell[0] for n in record.nudges} == set(np.argsort(-np.abs(scale), kind="stable")[:4])


def test_offsets_are_those_that_the_dtype_can_make():
    x = Tensor(np.array([1.0], np.float16), requires_grad=True)
    for nudge in viz.trace(np.sum(x * x)).nudges:
        np.testing.assert_array_equal(nudge.offsets, np.float16(1 + nudge.offsets).astype(float) - 1)


def test_each_leaf_has_its_turn():
    leaves = [leaf(4) for _ in range(5)]
    record = viz.trace(sum(np.sum(x * x) for x in leaves))
    assert len({n.vertex for n in record.nudges}) == 5


def constant_unknown():
    x = leaf(3)
    return np.sum(np.concatenate([x, np.ones(2)]) ** 2)


def not_the_gradient_of_the_result():
    x = leaf(3)
    return np.sum(x * x), np.array(2.0)


@pytest.mark.parametrize(
    "case",
    [
        constant_unknown,
        not_the_gradient_of_the_result,
        lambda: (leaf(3) * 2, np.ones(3)),
        lambda: checkpoint(lambda a: np.sum(a * a))(leaf(2)),
        lambda: Tensor(3.0, requires_grad=True),
        lambda: np.sum(np.real(Tensor(np.ones(2) * 1j, requires_grad=True) * 2)),
    ],
)
def test_no_nudges_where_the_truth_is_not_known(case):
    made = case()
    y, grad = made if isinstance(made, tuple) else (made, None)
    assert viz.trace(y, grad).nudges == []


def test_a_long_graph_is_not_computed_again():
    y = x = Tensor(1.0, requires_grad=True)
    for _ in range(5000):
        y = y * 0.999 + x
    assert viz.trace(y).nudges == []


def test_nudges_leave_the_values_alone():
    w, x = leaf(3, 2), rng.standard_normal((4, 3))
    before = w.data.copy()
    y = loss_of(w, x)
    value = y.item()
    viz.trace(y)
    np.testing.assert_array_equal(w.data, before)
    assert y.item() == value
    y.backward()
