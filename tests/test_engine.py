"""backward() and gradients(): what accumulates, what is freed, what is shared, and how far it scales."""

import gc
import re
import threading
import tracemalloc

import numpy as np
import pytest

import autograd as ag
from autograd import GraphFreedError, ShapeError, Tensor, gradients, no_grad
from autograd.node import Node


def leaf(*values, dtype=float):
    return Tensor(np.array(values, dtype=dtype), requires_grad=True)


def nodes_alive():
    return sum(type(thing) is Node for thing in gc.get_objects())


# ---- accumulation ----


def test_gradient_is_none_before_and_an_array_after():
    x = leaf(1.0, 2.0, 3.0)
    assert x.grad is None
    (x * x).sum().backward()
    assert type(x.grad) is np.ndarray and x.grad.dtype == x.dtype
    assert np.array_equal(x.grad, [2.0, 4.0, 6.0])


def test_gradients_of_two_losses_add_up():
    x = leaf(1.0, 2.0)
    (3 * x).sum().backward()
    (x * x).sum().backward()
    assert np.array_equal(x.grad, [3 + 2, 3 + 4])


def test_accumulation_replaces_the_array_and_leaves_the_old_one():
    x = leaf(1.0, 2.0)
    x.sum().backward()
    first = x.grad
    x.sum().backward()
    assert np.array_equal(first, [1, 1]) and np.array_equal(x.grad, [2, 2])


def test_the_gradient_of_a_number_is_an_array_also_when_accumulated():
    x = Tensor(2.0, requires_grad=True)
    for k in (1, 2):
        (x * x).backward()
        assert type(x.grad) is np.ndarray and x.grad.shape == () and x.grad == 4.0 * k


def test_zero_grad_forgets():
    x = leaf(1.0, 2.0)
    x.sum().backward()
    x.zero_grad()
    assert x.grad is None
    x.sum().backward()
    assert np.array_equal(x.grad, [1, 1])


def test_second_backward_with_retain_graph_doubles_exactly():
    x = leaf(0.1, 0.2, 0.3)
    y = np.sum(np.exp(np.sin(x) * x) / 3)
    y.backward(retain_graph=True)
    once = x.grad
    y.backward()
    assert np.array_equal(x.grad, once + once)


@pytest.mark.parametrize(
    "f",
    [lambda x: x * x, lambda x: x + 1, lambda x: -x, lambda x: x.reshape(2, 1), lambda x: x.sum(), np.exp],
    ids=["multiply", "add", "negative", "reshape", "sum", "exp"],
)
def test_second_backward_without_retain_graph_raises_whatever_was_saved(f):
    x = leaf(1.0, 2.0)
    y = f(x).sum()
    y.backward()
    grad = x.grad
    with pytest.raises(GraphFreedError, match="retain_graph=True") as caught:
        y.backward()
    assert re.search(r"test_engine\.py:\d+", str(caught.value))
    assert x.grad is grad


def test_a_freed_part_makes_a_second_loss_raise():
    x = leaf(1.0, 2.0)
    shared = x * 2
    a, b = shared.sum(), (shared + 1).sum()
    a.backward()
    with pytest.raises(GraphFreedError, match="multiply"):
        b.backward()
    assert np.array_equal(x.grad, [2, 2])


def test_structure_and_gradients_stay_readable_after_backward():
    x = leaf(1.0, 2.0)
    y = (x * x).sum()
    y.backward()
    assert y.node.op.name == "sum" and y.node.inputs[0].op.name == "multiply"
    assert y.node.inputs[0].shape == (2,) and y.node.inputs[0].inputs == (x.node, x.node)
    with pytest.raises(GraphFreedError):
        y.node.inputs[0].values()


# ---- where to start ----


def test_non_scalar_needs_grad():
    x = leaf(1.0, 2.0)
    with pytest.raises(ShapeError, match="grad="):
        (x * x).backward()
    (x * x).backward(np.array([1.0, 10.0]))
    assert np.array_equal(x.grad, [2.0, 40.0])


def test_one_element_in_any_shape_is_a_scalar():
    x = Tensor(np.array([[3.0]]), requires_grad=True)
    (x * x).backward()
    assert np.array_equal(x.grad, [[6.0]])


def test_grad_of_the_wrong_shape_raises():
    x = leaf(1.0, 2.0)
    for wrong in (1.0, np.ones(1), np.ones(3), np.ones((1, 2))):
        with pytest.raises(ShapeError, match=r"has shape \(2,\)"):
            (x * x).backward(wrong)
    assert x.grad is None


def test_complex_grad_for_a_real_result_raises():
    x = leaf(1.0, 2.0)
    with pytest.raises(TypeError, match="complex128"):
        (x * x).backward(np.ones(2) * 1j)


def test_grad_is_cast_to_the_dtype_of_the_result():
    x = leaf(1.0, 2.0, dtype=np.float32)
    (x * x).backward([1, 2])
    assert x.grad.dtype == np.float32 and np.array_equal(x.grad, [2, 8])
    x.zero_grad()
    (x * x).backward(Tensor(np.ones(2)))
    assert x.grad.dtype == np.float32


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@pytest.mark.parametrize("base", [2, 2.5, np.float16(2)])
def test_the_rule_for_an_exponent_computes_in_its_dtype(dtype, base):
    x = leaf(1.0, 2.0, dtype=dtype)
    node = (base**x).node
    ((_, pull),) = node.plan.pulls
    assert pull(np.ones(2, dtype), node.saved, node.kwargs, np.multiply).dtype == dtype


@pytest.mark.parametrize("base", [-2, -2.0, np.array([-2.0, 3.0]), -2 + 1j])
def test_a_power_of_a_negative_base_in_complex_numbers(base):
    z = np.array([1 + 2j, 0.5 - 1j])
    ag.gradcheck(lambda z: base**z, z)
    np.testing.assert_allclose(ag.jvp(lambda z: base**z, z, np.ones(2))[1], base**z * np.log(base + 0j), rtol=1e-14)


def test_backward_on_a_leaf_gives_one():
    x = Tensor(3.0, requires_grad=True)
    x.backward()
    x.backward()
    assert x.grad == 2.0


def test_backward_on_a_constant_raises():
    for constant in (Tensor(1.0), Tensor(1.0) * 2, leaf(1.0).detach()):
        with pytest.raises(RuntimeError, match="requires_grad=True"):
            constant.backward()
    with no_grad():
        y = leaf(1.0) * 2
    with pytest.raises(RuntimeError, match="no_grad"):
        y.backward()


# ---- intermediate results ----


def test_retain_grad_fills_the_gradient_of_an_intermediate_result():
    x = leaf(1.0, 2.0)
    h = x * 3
    assert not h.is_leaf
    h.retain_grad()
    (h * h).sum().backward(retain_graph=True)
    assert np.array_equal(h.grad, 2 * h.data) and np.array_equal(x.grad, 6 * h.data)
    (h * h).sum().backward()
    assert np.array_equal(h.grad, 4 * h.data)


def test_without_retain_grad_an_intermediate_result_keeps_none():
    h = leaf(1.0) * 3
    h.backward()
    assert h.grad is None


def test_the_result_itself_can_retain_its_gradient():
    y = leaf(1.0) * 3
    y.retain_grad()
    y.backward()
    assert np.array_equal(y.grad, [1.0])


def test_retain_grad_of_a_constant_raises():
    with pytest.raises(RuntimeError, match="constant"):
        Tensor(1.0).retain_grad()


# ---- gradients share no memory ----

ALIASES = {
    "add": lambda a, b: a + b,
    "add twice": lambda a, b: (a + b) + (a + b),
    "positive": lambda a, b: +a + +b,
    "reshape": lambda a, b: a.reshape(3, 2).reshape(2, 3) + b,
    "T": lambda a, b: a.T.T + b.T.T,
    "getitem": lambda a, b: a[:] + b[...],
    "broadcast": lambda a, b: np.broadcast_to(a, (2, 3)) + b,
    "multiply": lambda a, b: a * b,
    "exp": lambda a, b: np.exp(a) + b,
    "swapaxes": lambda a, b: np.swapaxes(np.swapaxes(a, 0, 1), 0, 1) + b,
    "concatenate": lambda a, b: np.concatenate([a, b])[:2] + np.concatenate([a, b])[2:],
    "stack": lambda a, b: np.stack([a, b])[0] + np.stack([a, b])[1],
    "where": lambda a, b: np.where(np.ones((2, 3), bool), a, 0) + b,
}


def saved_arrays(y):
    from autograd.sweep import reachable

    for node in reachable([y.node]):
        for value in node.values().values():
            if isinstance(value, np.ndarray):
                yield value


@pytest.mark.parametrize("reduced", [False, True], ids=["grad=", "sum"])
@pytest.mark.parametrize("f", ALIASES.values(), ids=ALIASES.keys())
def test_gradients_are_writable_and_share_no_memory(f, reduced):
    a, b = (Tensor(np.ones((2, 3)) * k, requires_grad=True) for k in (2.0, 3.0))
    y = f(a, b)
    y.retain_grad()
    given = np.ones(y.shape)
    if reduced:
        y.sum().backward(retain_graph=True)
    else:
        y.backward(given, retain_graph=True)
    others = [given, a.data, b.data, *saved_arrays(y)]
    grads = [a.grad, b.grad, y.grad]
    for k, g in enumerate(grads):
        assert g.flags.writeable and g.flags.owndata
        for other in others + grads[:k]:
            assert not np.shares_memory(g, other)


def test_the_grad_argument_is_not_changed_by_later_accumulation():
    x = leaf(1.0, 2.0)
    given = np.array([1.0, 2.0])
    (x + 0.0).backward(given)
    (x + 0.0).backward(given)
    x.grad[:] = 7
    assert np.array_equal(given, [1, 2])


# ---- all or nothing ----


def failing(when):
    """The identity, whose rule raises when `when` says so."""

    def rule(g):
        if when():
            raise ZeroDivisionError("on purpose")
        return g

    return ag.linear(lambda x: x + 0, rule, name="failing")


def test_an_exception_in_a_rule_leaves_every_gradient_as_it_was():
    a, b = leaf(1.0), leaf(2.0)
    (a * b).backward()
    before = a.grad, b.grad
    op = failing(lambda: True)
    y = op(a) * 2 + b * b
    with pytest.raises(ZeroDivisionError):
        y.backward()
    assert a.grad is before[0] and b.grad is before[1]


def test_after_an_exception_with_retain_graph_the_graph_still_works():
    broken = [True]
    a = leaf(3.0)
    y = failing(lambda: broken[0])(a) * a
    with pytest.raises(ZeroDivisionError):
        y.backward(retain_graph=True)
    assert a.grad is None
    broken[0] = False
    y.backward()
    assert np.array_equal(a.grad, [6.0])


def test_backward_inside_a_rule():
    inner = leaf(2.0)

    def rule(g):
        z = leaf(5.0)
        (z * z * inner).backward()
        return g * z.grad

    x = leaf(1.0)
    ag.linear(lambda x: x * 20, rule, name="nested")(x).backward()
    assert np.array_equal(x.grad, [20.0]) and np.array_equal(inner.grad, [25.0])


def test_every_sweep_inside_a_rule():
    """A rule may record and sweep a graph of its own, whoever runs the rule."""

    def rule(g):
        z = Tensor(5.0, requires_grad=True)
        (z * z).backward()
        (slope,) = gradients(z**3, [z])
        return g * (z.grad + slope + ag.grad(lambda v: v * v)(1.0))

    op = ag.linear(lambda x: x * 87, rule, name="nested")
    assert ag.grad(op)(1.0) == 87.0
    x = leaf(1.0)
    assert gradients(op(x), [x])[0] == 87.0
    op(x).backward()
    assert x.grad == 87.0


def test_a_rule_that_closes_over_a_recorded_tensor():
    scale = leaf(3.0)
    op = ag.linear(lambda x: x * 3, lambda g: g * scale, name="scaled")
    x = leaf(1.0)
    op(x).backward()
    (g,) = gradients(op(x), [x])
    assert type(x.grad) is np.ndarray and x.grad == 3.0
    assert type(g) is np.ndarray and g == 3.0


# ---- gradients() ----


def test_gradients_touch_no_grad_attribute():
    x, w = leaf(1.0, 2.0), leaf(3.0, 4.0)
    gx, gw = gradients((x * w).sum(), [x, w])
    assert np.array_equal(gx, w.data) and np.array_equal(gw, x.data)
    assert type(gx) is np.ndarray and x.grad is None and w.grad is None


def test_gradients_of_intermediate_results_and_of_targets_above_one_another():
    x = leaf(2.0)
    h = x * x
    y = h * h
    gy, gh, gx = gradients(y, [y, h, x])
    assert (gy, gh, gx) == (1.0, 2 * 4.0, 4 * 8.0)


def test_gradients_stop_at_nothing_that_was_asked_for():
    """A target that is also above another one passes its cotangent on."""
    x = leaf(2.0)
    h = x * 3
    gh, gx = gradients(h * x, [h, x])
    assert gh == 2.0 and gx == 2 * 3 * 2.0


def test_unused_targets_get_zeros():
    x, unused = leaf(1.0, 2.0), leaf(1.0, 2.0, 3.0, dtype=np.float32)
    gx, gu = gradients(x.sum(), [x, unused])
    assert np.array_equal(gx, [1, 1])
    assert np.array_equal(gu, [0, 0, 0]) and gu.dtype == np.float32


def test_a_target_given_twice_gets_its_gradient_twice():
    x = leaf(2.0)
    assert [g.item() for g in gradients(x * x, [x, x])] == [4.0, 4.0]


def test_gradients_take_a_cotangent():
    x = leaf(1.0, 2.0)
    (g,) = gradients(x * x, [x], grad=[1.0, 10.0])
    assert np.array_equal(g, [2.0, 40.0])


def test_gradients_free_the_graph_unless_told_otherwise():
    x = leaf(1.0, 2.0)
    y = (x * x).sum()
    gradients(y, [x], retain_graph=True)
    gradients(y, [x])
    with pytest.raises(GraphFreedError):
        gradients(y, [x])


def test_create_graph_gives_gradients_of_gradients():
    x = leaf(2.0)
    y = x**3 * np.sin(x)
    (g1,) = gradients(y, [x], create_graph=True)
    (g2,) = gradients(g1, [x], create_graph=True)
    (g3,) = gradients(g2, [x])
    v = 2.0
    s, c = np.sin(v), np.cos(v)
    assert isinstance(g1, Tensor) and isinstance(g2, Tensor) and type(g3) is np.ndarray
    assert np.isclose(g1.data, 3 * v**2 * s + v**3 * c)
    assert np.isclose(g2.data, 6 * v * s + 6 * v**2 * c - v**3 * s)
    assert np.isclose(g3, 6 * s + 18 * v * c - 9 * v**2 * s - v**3 * c)


def test_create_graph_through_a_penalty_on_the_gradient():
    x, w = leaf(1.0, 2.0), leaf(3.0, 4.0)
    (gx,) = gradients((w * x * x).sum(), [x], create_graph=True)
    np.sum(gx * gx).backward()  # sum (2 w x)^2
    assert np.allclose(w.grad, 8 * w.data * x.data**2)
    assert np.allclose(x.grad, 8 * w.data**2 * x.data)


def test_create_graph_gives_a_constant_tensor_for_an_unused_target():
    x, unused = leaf(1.0), leaf(1.0, 2.0)
    _, g = gradients(x * x, [x, unused], create_graph=True)
    assert isinstance(g, Tensor) and np.array_equal(g.data, [0, 0])


def test_gradients_refuse_what_is_not_recorded():
    x = leaf(1.0)
    with pytest.raises(TypeError, match="Tensor to differentiate first"):
        gradients(1.0, [x])
    for wrong in (Tensor(1.0), 1.0):
        with pytest.raises(TypeError, match="requires_grad=True"):
            gradients(x * x, [wrong])
    with pytest.raises(RuntimeError, match="nothing was recorded"):
        gradients(Tensor(1.0), [x])


# ---- operations with several results ----


@ag.general(name="halves", outputs=2)
def halves(x):
    """The first and the second half of x, doubled and tripled."""
    n = x.shape[0] // 2
    return x[:n] * 2, x[n:] * 3


@halves.rule
def _halves_rule(g):
    first, second = g
    return np.concatenate([first * 2, second * 3])


def test_an_unused_result_counts_as_zero():
    x = leaf(1.0, 2.0, 3.0, 4.0)
    a, b = halves(x)
    a.sum().backward()
    assert np.array_equal(x.grad, [2, 2, 0, 0])
    a, b = halves(x)
    (gx,) = gradients((b * b).sum(), [x])
    assert np.array_equal(gx, [0, 0, 54, 72])


def test_both_results_used_more_than_once():
    x = leaf(1.0, 2.0, 3.0, 4.0)
    a, b = halves(x)
    ((a + a) * b + b).sum().backward()
    assert np.array_equal(x.grad, [36, 48, 2 * 2 * 3 + 3, 2 * 4 * 3 + 3])


def test_results_of_a_tuple_can_retain_gradients_and_be_differentiated_twice():
    x = leaf(1.0, 2.0, 3.0, 4.0)
    a, b = halves(x)
    (gx,) = gradients((a * a * b).sum(), [x], create_graph=True)
    (gxx,) = gradients(gx[0], [x])
    assert np.array_equal(gx.data[:2], 2 * (2 * x.data[:2]) * 2 * 3 * x.data[2:])
    assert np.array_equal(gxx, [24 * 3, 0, 24, 0])


# ---- memory ----


def test_saved_arrays_are_freed_by_backward():
    size = 1_000_000
    x = Tensor(np.ones(size // 8), requires_grad=True)
    tracemalloc.start()
    try:
        y = x
        for _ in range(10):
            y = np.exp(y) * 0.1
        loss = y.sum()
        held, _ = tracemalloc.get_traced_memory()
        y = None
        loss.backward()
        left, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held > 10 * size
    assert left < 1.2 * size  # the gradient


def test_a_sum_of_many_saves_no_array():
    x = Tensor(np.ones(100_000), requires_grad=True)
    w = np.ones(100_000)
    tracemalloc.start()
    try:
        parts = [(x + 1.0).sum() for _ in range(10)]
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < w.nbytes and len(parts) == 10


@pytest.fixture
def no_collector():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def every_kind_of_graph():
    x = Tensor(np.arange(1.0, 5.0).reshape(2, 2), requires_grad=True)
    a, b = halves(x)
    y = np.sum(np.exp(x) @ x.T + np.linalg.inv(x)) + np.concatenate([a, b]).sum()
    y.backward(retain_graph=True)
    (g,) = gradients(y, [x], create_graph=True)
    gradients((g * g).sum(), [x])
    ag.hessian(lambda v: np.sum(v**3))(np.ones(3))
    ag.jvp(lambda v: np.sum(np.tanh(v) * v), np.ones(3), np.ones(3))
    with ag.detect_anomaly():
        np.sum(x * x).backward()


def test_nothing_survives_del_with_the_collector_off(no_collector):
    every_kind_of_graph()  # fills caches
    before = nodes_alive()
    for _ in range(3):
        every_kind_of_graph()
    assert nodes_alive() == before


def test_nothing_survives_an_error_in_a_rule(no_collector):
    op = failing(lambda: True)

    def run():
        with pytest.raises(ZeroDivisionError) as caught:
            (op(leaf(1.0)) * 2).backward()
        caught.value.__traceback__ = None

    run()
    gc.collect()
    before = nodes_alive()
    run()
    gc.collect()  # the exception and its frames are a cycle of Python's own
    assert nodes_alive() == before


def test_a_thousand_training_steps_with_the_collector_off_do_not_grow(no_collector):
    rng = np.random.default_rng(0)
    w = Tensor(rng.standard_normal((20, 10)), requires_grad=True)
    x, t = rng.standard_normal((8, 20)), rng.standard_normal((8, 10))

    def train(steps):
        for _ in range(steps):
            w.zero_grad()
            np.mean((np.tanh(x @ w) - t) ** 2).backward()
            w.data = w.data - 0.1 * w.grad

    train(10)
    nodes = nodes_alive()
    tracemalloc.start()
    try:
        train(1000)  # also fills the free lists of Python and NumPy
        before, _ = tracemalloc.get_traced_memory()
        train(1000)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert nodes_alive() == nodes
    assert after - before < 5_000


# ---- far and wide ----


def chain(n):
    x = Tensor(1.0, requires_grad=True)
    y = x
    for _ in range(n):
        y = y * 1.0000001
    return x, y


def test_a_node_takes_less_than_a_kilobyte():
    n = 100_000
    tracemalloc.start()
    try:
        x, y = chain(n)
        built, _ = tracemalloc.get_traced_memory()
        y.backward()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert built <= 1024 * n and peak <= 1024 * n
    assert np.isclose(x.grad, 1.0000001**n)


@pytest.mark.timeout(120)
def test_a_chain_of_a_million_nodes():
    x, y = chain(1_000_000)
    y.backward()
    assert np.isclose(x.grad, 1.0000001**1_000_000)
    del y  # frees the chain without recursion


@pytest.mark.timeout(60)
def test_a_long_chain_in_a_thread_with_a_small_stack():
    done = []

    def work():
        x, y = chain(200_000)
        y.backward(retain_graph=True)
        (g,) = gradients(y, [x], create_graph=True)
        done.append((x.grad, g.item()))
        del y, g

    before = threading.stack_size(512 * 1024)
    try:
        thread = threading.Thread(target=work)
        thread.start()
    finally:
        threading.stack_size(before)
    thread.join()
    assert np.allclose(done, 1.0000001**200_000)


@pytest.mark.timeout(60)
def test_a_chain_of_views_and_tuples_is_freed_without_recursion():
    x = leaf(1.0, 2.0)
    y = x
    for _ in range(10_000):
        a, b = halves(y)
        y = np.concatenate([a / 2, b / 3]).reshape(2, 1).T.reshape(2)
    del a, b, y


@pytest.mark.timeout(10)
def test_two_to_the_thousand_paths_call_each_rule_once():
    calls = []

    def rule(g):
        calls.append(1)
        return g

    double = ag.linear(lambda a, b: (a + b) / 2, lambda g: rule(g) / 2, lambda g: rule(g) / 2, name="average")
    x = Tensor(3.0, requires_grad=True)
    y = x
    for _ in range(1000):
        y = double(y, y)
    y.backward()
    assert x.grad == 1.0
    assert len(calls) == 2 * 1000


@pytest.mark.timeout(60)
def test_one_leaf_used_a_hundred_thousand_times():
    x = Tensor(1.0, requires_grad=True)
    total = x * 1
    for _ in range(100_000):
        total = total + x
    total.backward()
    assert x.grad == 100_001.0


def test_a_sweep_visits_only_what_lies_between():
    x = leaf(1.0)
    calls = []
    op = ag.linear(lambda x: x + 0, lambda g: calls.append(1) or g, name="counted")
    a, b = op(x), op(x)
    gradients(a * 2 + b * 3, [a], retain_graph=True)
    assert calls == []
