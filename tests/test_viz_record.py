"""viz.record(): every value, a trace of each backward pass, the updates after it; and nothing left behind."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from contextlib import nullcontext

import numpy as np
import pytest

import autograd
import nn
import viz
from autograd import Tensor, checkpoint, detect_anomaly, gradients, no_grad, vmap
from autograd.errors import AnomalyError
from autograd.modes import MODE
from viz.tracing.reading import graph

rng = np.random.default_rng(0)
X, LABELS = rng.standard_normal((5, 3)), np.array([0, 1, 1, 0, 1])


def a_net():
    return nn.Sequential(nn.Affine(3, 4, rng=0), nn.ReLU(), nn.Affine(4, 2, rng=1))


def loss_of_two():
    w = Tensor(np.array([1.0, 2.0]), requires_grad=True)
    w.name = "w"
    return w, np.sum((w * 3 + 1) ** 2)


def missing(record):
    return [v.op or v.kind for v in record.graph.vertices if v.value is None]


# ---- values ----


def test_every_value_is_there_after_backward():
    with viz.record():
        loss = nn.softmax_cross_entropy(a_net()(X), LABELS)
        loss.backward()
    record = viz.trace(loss)
    assert missing(record) == []
    assert len(record.backward) == 4
    assert "not known" not in viz.explain(loss)
    assert all(v.value is not None for v in graph(loss).vertices)


def test_constants_that_no_rule_needs_are_kept_too():
    x, c = Tensor(np.ones(2), requires_grad=True), np.array([3.0, 4.0])
    y = np.sum(np.concatenate([x, c]) + 1)
    assert "constant" in missing(viz.trace(y))
    with viz.record():
        y = np.sum(np.concatenate([x, c]) + 1)
    assert missing(viz.trace(y)) == []


def test_values_are_kept_for_a_graph_that_is_used_after_the_block():
    x = Tensor(np.ones(2), requires_grad=True)
    with viz.record():
        h = x + np.ones(2)
        y = np.sum(h)
    y.backward()
    assert [v.value is None for v in graph(y).vertices] == [False] * 4


def test_the_values_of_an_assignment():
    x = Tensor(np.array([1.0, 2.0]), requires_grad=True)
    with viz.record():
        y = Tensor(np.zeros(4))
        y[1:3] = x * 2
        y[0] = 5.0
        y *= 2
        part = y[:2]
        part += 1
        total = np.sum(y)
        total.backward()
    record = viz.trace(total)
    assert missing(record) == []
    values = [v.value.tolist() for v in record.graph.vertices if v.op == "assign"]
    assert values[0] == [0, 2, 4, 0]
    assert values[-1] == [11, 5, 8, 0]
    np.testing.assert_array_equal(x.grad, [4, 4])


def test_writing_under_a_tape_gives_the_same_numbers():
    def run():
        x = Tensor(np.array([1.0, 2.0]), requires_grad=True)
        y = Tensor(np.zeros((3, 2)))
        for k in range(3):
            y[k] = x * k
        y[1, 0] = x[1]
        loss = np.sum(y**2)
        loss.backward()
        return loss.item(), x.grad

    plain = run()
    with viz.record():
        recorded = run()
    assert plain[0] == recorded[0]
    np.testing.assert_array_equal(plain[1], recorded[1])


def test_a_kept_array_that_was_written_into_is_no_longer_known():
    w, loss = None, None
    with viz.record():
        w, loss = loss_of_two()
        loss.backward()
        w.data -= 0.1 * w.grad
    by_name = {v.name: v.value for v in graph(loss).vertices}
    assert by_name["w"] is None
    assert {v.name: v.value.tolist() for v in viz.trace(loss).graph.vertices if v.name == "w"} == {"w": [1, 2]}


@pytest.mark.parametrize("block", [viz.record, nullcontext])
def test_a_leaf_that_changes_between_its_uses_has_no_one_value(block):
    x = Tensor(np.array([1.0, 2.0]), requires_grad=True)
    x.name = "x"
    with block():
        y = np.sum(x + 1)
        x.data = np.array([5.0, 6.0])
        y = y + np.sum(x + 2)
    assert {v.name: v.value for v in viz.trace(y).graph.vertices}["x"] is None


# ---- traces and updates ----


def test_one_trace_for_each_backward_with_its_updates():
    net = a_net()
    optimiser = nn.optim.SGD(net.parameters(), lr=0.1)
    before, after = [], []
    with viz.record() as tape:
        for _ in range(3):
            optimiser.zero_grad()
            loss = nn.softmax_cross_entropy(net(X), LABELS)
            loss.backward()
            before.append([p.data.copy() for p in net.parameters()])
            optimiser.step()
            after.append([p.data.copy() for p in net.parameters()])
    assert len(tape.traces) == 3
    assert viz.trace(loss) is tape.traces[-1]
    assert viz.trace(tape) is tape.traces[-1]
    for record, old, new in zip(tape.traces, before, after, strict=True):
        assert [u.code for u in record.updates] == ["optimiser.step()"] * 4
        for update, p, q in zip(record.updates, old, new, strict=True):
            np.testing.assert_array_equal(update.before, p)
            np.testing.assert_array_equal(update.after, q)
            np.testing.assert_array_equal(record.graph.vertices[update.vertex].value, p)
            gradient = [c for s in record.backward for c in s.contributions if c.target == update.vertex][-1].after
            np.testing.assert_allclose(update.before - 0.1 * gradient, update.after)


def replace_data(w, step):
    w.data = w.data - step


def change_data(w, step):
    w.data -= step


def change_in_place(w, step):
    with no_grad():
        w -= step


def assign_in_place(w, step):
    with no_grad():
        w[...] = w.data - step


@pytest.mark.parametrize("update", [replace_data, change_data, change_in_place, assign_in_place])
@pytest.mark.parametrize("start", [1.5, [1.0, 2.0]])
def test_updates_by_hand(update, start):
    w = Tensor(np.array(start) if isinstance(start, list) else start, requires_grad=True)
    old = np.array(start)
    with viz.record() as tape:
        loss = np.sum((w * 3 + 1) ** 2)
        loss.backward()
        update(w, 0.1 * w.grad)
        update(w, 0.1 * w.grad)
    first, second = tape.traces[0].updates
    np.testing.assert_array_equal(first.before, old)
    np.testing.assert_array_equal(first.after, second.before)
    np.testing.assert_allclose(second.after, old - 0.2 * w.grad)
    np.testing.assert_array_equal(second.after, w.data)
    assert "step" in first.code and first.source.startswith("test_viz_record.py:")


def test_an_update_belongs_to_the_trace_of_its_leaf():
    a, b = (Tensor(np.ones(2), requires_grad=True) for _ in range(2))
    with viz.record() as tape:
        np.sum(a * a).backward()
        np.sum(b * b).backward()
        a.data = a.data - 0.1 * a.grad
    assert [len(record.updates) for record in tape.traces] == [1, 0]


def test_what_is_no_part_of_a_trace_is_no_update():
    other = Tensor(np.ones(2), requires_grad=True)
    constant = Tensor(np.ones(2))
    with viz.record() as tape:
        _, loss = loss_of_two()
        loss.backward()
        other.data = np.zeros(2)
        constant.data = np.zeros(2)
        constant[0] = 3.0
    assert tape.traces[0].updates == []


def test_backward_twice_through_a_retained_graph():
    with viz.record() as tape:
        _, loss = loss_of_two()
        loss.backward(retain_graph=True)
        loss.backward()
    assert len(tape.traces) == 2
    assert viz.trace(loss) is tape.traces[1]
    first, second = tape.traces
    assert [v.gradient is None for v in first.graph.vertices if v.kind == "leaf"] == [True]
    (leaf,) = (v for v in second.graph.vertices if v.kind == "leaf")  # what .grad held before
    np.testing.assert_array_equal(leaf.gradient, first.backward[-1].contributions[0].after)


def test_one_of_several_results_has_its_trace():
    a = Tensor(np.array([[2.0, 1.0], [0.0, 3.0]]), requires_grad=True)
    with viz.record() as tape:
        _, log = np.linalg.slogdet(a)
        log.backward()
    assert viz.trace(log) is tape.traces[0]
    assert missing(tape.traces[0]) == []


def test_a_gradient_to_start_from_is_recorded():
    x = Tensor(np.ones(3), requires_grad=True)
    with viz.record() as tape:
        (x * 2).backward(np.array([1.0, 2.0, 3.0]))
    np.testing.assert_array_equal(tape.traces[0].backward[0].incoming, [1, 2, 3])


def test_a_tape_without_a_trace_says_what_to_do():
    with viz.record() as tape:
        pass
    with pytest.raises(ValueError, match="backward"):
        viz.trace(tape)


# ---- beside other blocks ----


def test_nested_blocks_both_record():
    x = Tensor(np.ones(2), requires_grad=True)
    with viz.record() as outer:
        with viz.record() as inner, detect_anomaly():
            y = np.sum(x * x)
        y.backward()
    assert (len(outer.traces), len(inner.traces)) == (1, 0)
    assert viz.trace(y) is outer.traces[0]


def test_an_anomaly_is_still_found():
    x = Tensor(np.zeros(2), requires_grad=True)
    with viz.record(), detect_anomaly(), np.errstate(all="ignore"), pytest.raises(AnomalyError):
        np.sum(np.log(x))


def test_an_error_in_the_block_ends_the_recording():
    with pytest.raises(ZeroDivisionError), viz.record():
        raise ZeroDivisionError
    assert MODE.get().watchers is None


def test_other_ways_to_differentiate_leave_no_trace():
    x = Tensor(np.ones(2), requires_grad=True)
    with viz.record() as tape:
        (g,) = gradients(np.sum(x**3), [x], create_graph=True)
        np.testing.assert_array_equal(autograd.grad(lambda a: np.sum(a * a))(np.ones(2)), [2, 2])
        np.testing.assert_array_equal(autograd.hessian(lambda a: np.sum(a**3))(np.ones(2)), 6 * np.eye(2))
        np.testing.assert_array_equal(vmap(lambda a: np.sum(a * a))(np.ones((3, 2))), [2, 2, 2])
        assert tape.traces == []
        np.sum(g).backward()
    assert len(tape.traces) == 1
    np.testing.assert_array_equal(x.grad, [6, 6])


def test_backward_inside_vmap_is_left_alone():
    def gradient(a):
        x = Tensor(a, requires_grad=True)
        np.sum(x * x).backward()
        return x.grad

    with viz.record() as tape:
        np.testing.assert_array_equal(vmap(gradient)(np.ones((2, 3))), np.full((2, 3), 2.0))
    assert tape.traces == []


def test_a_checkpoint_under_a_tape():
    x = Tensor(np.ones(2), requires_grad=True)
    with viz.record() as tape:
        checkpoint(lambda a: np.sum(np.sin(a) * a))(x).backward()
    assert len(tape.traces) == 1
    np.testing.assert_allclose(x.grad, np.cos(1) + np.sin(1))


def test_a_thread_has_its_own_tape():
    seen = []

    def work():
        seen.append(MODE.get().watchers)

    with viz.record():
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert seen == [None]


def test_tasks_have_their_own_tapes():
    async def one(k):
        with viz.record() as tape:
            y = np.sum(Tensor(np.ones(k), requires_grad=True) * 2)
            await asyncio.sleep(0)
            y.backward()
            await asyncio.sleep(0)
        return [len(record.backward) for record in tape.traces]

    async def all_of_them():
        return await asyncio.gather(*(one(k) for k in (1, 2, 3)))

    assert asyncio.run(all_of_them()) == [[2]] * 3


# ---- memory ----


def test_a_tape_holds_no_graph_and_a_graph_goes_with_its_last_reference():
    gc.disable()
    try:
        with viz.record() as tape:
            w = Tensor(np.ones(1000), requires_grad=True)
            h = w * 2
            loss = np.sum(h * h)
            arrays = [weakref.ref(w.data), weakref.ref(h.data)]
            loss.backward()
            w.data = w.data - 1
        del w, h, loss
        assert [ref() for ref in arrays] == [None, None]
        assert len(tape.traces) == 1
        gone = weakref.ref(tape)
        del tape
        assert gone() is None
    finally:
        gc.enable()


def test_a_deep_graph_is_freed_without_recursion():
    with viz.record():
        y = Tensor(1.0, requires_grad=True)
        for _ in range(100_000):
            y = y * 0.9999
    del y


def test_nothing_is_kept_outside_a_block():
    _, loss = loss_of_two()
    assert loss.node.inputs[0].value is None
