"""An array that the graph saved and that was changed since: backward() raises, and nothing else does.

The errors name the operation, the line that recorded it and the line that changed the array.
"""

import re
import sys
import weakref

import numpy as np
import pytest

import autograd as ag
from autograd import AnomalyError, SavedArrayChangedError, Tensor, detect_anomaly, gradients, no_grad

HERE = "test_mutation_of_saved.py"


def leaf(*values):
    return Tensor(np.array(values or (1.0, 2.0, 3.0)), requires_grad=True)


def line_here():
    return sys._getframe(1).f_lineno


def refuses(y, op, recorded, changed=None):
    """backward() raises, naming the op with its line and, where it is known, the line of the change."""
    with pytest.raises(SavedArrayChangedError) as caught:
        y.backward()
    message = str(caught.value)
    assert re.match(rf"{op} \(\S*{HERE}:{recorded}\)", message), message
    if changed is not None:
        assert re.search(rf"changed since at \S*{HERE}:{changed}\b", message), message
    assert "copy" in message and "backward()" in message


# ---- routes of change ----


def replaced(t):
    t.data = t.data + 1.0


def added(t):
    t.data += 1.0


def assigned(t):
    with no_grad():
        t[0] = 7.0


def sliced(t):
    with no_grad():
        t[1:] = t[1:] * 2


def in_place(name):
    def change(t):
        with no_grad():
            exec(f"t {name} 2.0", {"t": t})

    return change


def through_a_view(t):
    with no_grad():
        t[0:2][0] = 5.0


def through_a_reshaped_view(t):
    with no_grad():
        view = t.reshape(-1, 1).T
        view *= 2.0


def through_detach(t):
    d = t.detach()
    d += 1.0


def through_detached_data(t):
    t.detach().data *= 3.0


def like_an_optimiser(t):
    t.grad = np.ones(t.shape)
    with no_grad():
        t.data = t.data - 0.1 * t.grad


ROUTES = {
    "t.data =": replaced,
    "t.data +=": added,
    "t[i] =": assigned,
    "t[i:j] =": sliced,
    **{f"t {name}": in_place(name) for name in ("+=", "-=", "*=", "/=", "**=", "//=", "%=")},
    "view[i] =": through_a_view,
    "view *=": through_a_reshaped_view,
    "detach() +=": through_detach,
    "detach().data *=": through_detached_data,
    "optimiser": like_an_optimiser,
}


@pytest.mark.parametrize("route", ROUTES.values(), ids=ROUTES.keys())
def test_a_changed_leaf(route):
    x = leaf()
    y, recorded = np.sum(x * x), line_here()
    route(x)
    refuses(y, "multiply", recorded)
    assert x.grad is None or route is like_an_optimiser


@pytest.mark.parametrize("route", list(ROUTES.values())[:-1], ids=list(ROUTES)[:-1])  # a constant has no gradient
def test_a_changed_constant(route):
    x, c = leaf(), Tensor(np.array([4.0, 5.0, 6.0]))
    y, recorded = np.sum(x * c), line_here()
    route(c)
    refuses(y, "multiply", recorded)


@pytest.mark.parametrize("route", [replaced, added, through_detach], ids=["=", "+=", "detach"])
def test_a_changed_result(route):
    x = leaf()
    h, recorded = np.exp(x), line_here()
    y = h.sum()
    route(h)
    refuses(y, "exp", recorded)


def test_in_place_matmul():
    x = Tensor(np.eye(2), requires_grad=True)
    y, recorded = np.sum(x @ x), line_here()
    with no_grad():
        x @= np.ones((2, 2))
        changed = line_here() - 1
    refuses(y, "matmul", recorded, changed)
    assert np.array_equal(x.data, np.ones((2, 2)))


def test_an_input_of_an_op_of_many_inputs():
    a, b, c = (Tensor(np.eye(2) + k, requires_grad=True) for k in range(3))
    for t in (a, b, c):
        for route in (replaced, added):
            y, recorded = np.sum(np.einsum("ij,jk,kl->il", a, b, c)), line_here()
            route(t)
            refuses(y, "einsum", recorded)


def test_a_result_of_an_op_of_several_results():
    both = ag.general(lambda x: (np.exp(x), x * 2), lambda g, y: g_first(g) * y[0], name="both", outputs=2)

    def g_first(g):
        first, _ = g
        return first

    x = leaf()
    (a, b), recorded = both(x), line_here()
    y = np.sum(a + b)
    a.data += 1
    refuses(y, "both", recorded)


def test_the_message_names_the_line_of_the_change():
    x = leaf()
    y, recorded = np.sum(np.sin(x)), line_here()
    x.data = x.data * 2
    refuses(y, "sin", recorded, line_here() - 1)

    y, recorded = np.sum(np.sin(x)), line_here()
    with no_grad():
        x += 1
        changed = line_here() - 1
    refuses(y, "sin", recorded, changed)

    y, recorded = np.sum(np.sin(x)), line_here()
    with no_grad():
        x[0] = 1
    refuses(y, "sin", recorded, line_here() - 1)


@pytest.mark.parametrize("route", [replaced, added], ids=["=", "+="])
def test_a_changed_number(route):
    x = Tensor(2.0, requires_grad=True)
    y, recorded = x * x, line_here()
    route(x)
    refuses(y, "multiply", recorded)
    assert x.item() == 3.0


@pytest.mark.parametrize("name", ["+=", "*=", "**="])
def test_a_changed_number_in_place(name):
    x = Tensor(3.0, requires_grad=True)
    y, recorded = x * x, line_here()
    in_place(name)(x)
    refuses(y, "multiply", recorded)


def test_a_number_that_was_assigned_into():
    x = Tensor(3.0, requires_grad=True)
    y, recorded = x * x, line_here()
    with no_grad():
        x[...] = 5.0
    refuses(y, "multiply", recorded)


def test_every_transform_notices_too():
    w = leaf()

    def f(x):
        y = np.sum(x * w)
        w.data = w.data + 1
        return y

    with pytest.raises(SavedArrayChangedError, match="multiply"):
        ag.grad(f)(np.ones(3))
    x = leaf()
    y = np.sum(x * x)
    x.data = x.data + 1
    with pytest.raises(SavedArrayChangedError, match="multiply"):
        gradients(y, [x])


def test_no_gradient_was_touched():
    a, b = leaf(), leaf()
    y = np.sum(a * 2) + np.sum(b * b)
    b.data = b.data + 1
    with pytest.raises(SavedArrayChangedError):
        y.backward()
    assert a.grad is None and b.grad is None


# ---- what is not affected ----


def test_an_op_that_did_not_save_the_array_still_works():
    x, w = leaf(), leaf()
    y = np.sum(x + w) + np.sum(3 * x) + np.sum(np.reshape(x, (3, 1)))
    x.data = x.data + 1
    w.data += 1
    y.backward()
    assert np.array_equal(x.grad, [5, 5, 5]) and np.array_equal(w.grad, [1, 1, 1])


def test_only_what_a_rule_needs_counts_as_saved():
    x, c = leaf(), Tensor(np.array([4.0, 5.0, 6.0]))
    y = np.sum(x * c)  # saves c, not x
    x.data = x.data + 1
    y.backward()
    assert np.array_equal(x.grad, c.data)


def test_a_graph_recorded_after_the_change_works():
    x = leaf()
    old = np.sum(x * x)
    x.data += 1
    new = np.sum(x * x)
    new.backward()
    assert np.array_equal(x.grad, 2 * x.data)
    with pytest.raises(SavedArrayChangedError):
        old.backward()


def test_a_part_recorded_before_and_a_part_after():
    x, w = leaf(), leaf()
    h = x * 2.0
    w.data = w.data + 1
    y = np.sum(h * w)
    y.backward()
    assert np.array_equal(x.grad, 2 * w.data)


def test_a_copy_may_be_changed():
    x = leaf()
    y = np.sum(x * x)
    for other in (x.detach().copy(), ag.tensor(x.data), Tensor(x.data.copy())):
        other += 1
        other.data = other.data + 1
    y.backward()
    assert np.array_equal(x.grad, [2, 4, 6])


def test_a_second_change_after_backward_is_fine():
    x = leaf()
    for _ in range(3):
        x.zero_grad()
        np.sum(x * x).backward()
        assert np.array_equal(x.grad, 2 * x.data)
        x.data += 1


@pytest.mark.parametrize("update", ["replace", "write", "in place", "assign"])
def test_an_ordinary_training_loop_raises_no_alarm(update):
    rng = np.random.default_rng(0)
    w, b = Tensor(rng.standard_normal((4, 2)), requires_grad=True), Tensor(np.zeros(2), requires_grad=True)
    running = Tensor(np.zeros(2))
    losses = []
    for _ in range(30):
        x = rng.standard_normal((8, 4))
        h = np.tanh(x @ w + b)
        running = 0.9 * running + 0.1 * h.detach().mean(axis=0)
        loss = np.mean((h - x[:, :2]) ** 2)
        loss.backward()
        losses.append(loss.item())
        for p in (w, b):
            step = 0.1 * p.grad
            if update == "replace":
                p.data = p.data - step
            elif update == "write":
                p.data -= step
            elif update == "in place":
                with no_grad():
                    p -= step
            else:
                with no_grad():
                    p[...] = p.data - step
            p.zero_grad()
    assert losses[-1] < losses[0]


def test_a_freed_array_whose_address_is_used_again_raises_no_alarm():
    for _ in range(200):
        t = Tensor(np.ones(16))
        t += 1.0
        x = Tensor(np.ones(16), requires_grad=True)
        y = np.sum(x * x)
        del t
        y.backward()


# ---- in-place operators on what is recorded ----


def test_in_place_on_a_leaf_while_recording_is_refused():
    x = leaf()
    with pytest.raises(ag.NotDifferentiableError, match=r"x = x \+ .*no_grad"):
        x += 1
    assert np.array_equal(x.data, [1, 2, 3])


def test_in_place_on_a_result_is_recorded():
    x = leaf()
    h = x * 2
    h += 1
    h *= 3
    h -= x
    h /= 2
    assert np.allclose(h.data, (3 * (x.data * 2 + 1) - x.data) / 2)
    h.sum().backward()
    assert np.allclose(x.grad, 2.5)


def test_in_place_on_a_constant_records_from_then_on():
    x, total = leaf(), Tensor(np.zeros(3))
    for k in range(3):
        total += k * x
    total.sum().backward()
    assert np.array_equal(x.grad, [3, 3, 3])


@pytest.mark.parametrize(
    ("change", "derivative"),
    [
        (lambda h, w: h.__imul__(w), lambda x, w: (2 * w, 2 * x)),
        (lambda h, w: h.__ipow__(2), lambda x, w: (8 * x, 0 * w)),
        (lambda h, w: h.__itruediv__(w), lambda x, w: (2 / w, -2 * x / w**2)),
        (lambda h, w: h.__imul__(h), lambda x, w: (8 * x, 0 * w)),
    ],
    ids=["*=", "**=", "/=", "*= itself"],
)
def test_in_place_may_need_what_was_there_before(change, derivative):
    x, w = leaf(), leaf(4.0, 5.0, 6.0)
    h = x * 2
    change(h, w)
    gx, gw = gradients(h.sum(), [x, w])
    true_x, true_w = derivative(x.data, w.data)
    assert np.allclose(gx, true_x) and np.allclose(gw, true_w)


def test_in_place_is_seen_by_views_but_not_by_arrays():
    """An ndarray taken out of a Tensor keeps its numbers: it could not follow the graph."""
    x = leaf()
    h = x * 1.0
    first, raw = h[:2], h.data
    h *= 3
    assert np.array_equal(first.data, 3 * x.data[:2]) and np.array_equal(raw, x.data)
    (g,) = gradients(first.sum(), [x])
    assert np.array_equal(g, [3, 3, 0])


def test_in_place_on_a_view_changes_what_it_looks_at():
    x = leaf()
    h = x * 1.0
    row = h[:2]
    row += x[0]
    assert np.array_equal(h.data, [2, 3, 3])
    (g,) = gradients(h.sum(), [x])
    assert np.array_equal(g, [3, 1, 1])


def test_a_tensor_around_a_view_of_the_users_array():
    """The user's array stays as it is where something is recorded; else it is written into."""
    buffer = np.zeros(4)
    part = Tensor(buffer[:3])
    part += leaf()
    assert np.array_equal(part.data, [1, 2, 3]) and np.array_equal(buffer, np.zeros(4))
    part = Tensor(buffer[:3])
    part += 1.0
    assert np.array_equal(buffer, [1, 1, 1, 0])


def test_in_place_on_a_constant_leaves_the_users_array():
    buffer = np.zeros(3)
    total = Tensor(buffer)
    total += leaf()
    assert np.array_equal(total.data, [1, 2, 3]) and np.array_equal(buffer, [0, 0, 0])


def test_a_failed_in_place_operation_changed_nothing():
    x = leaf()
    h = np.exp(x)
    y = h.sum()
    with pytest.raises(ValueError):
        h += np.ones((2, 3))
    y.backward()
    assert np.allclose(x.grad, np.exp(x.data))


def test_the_value_of_a_number_follows_its_changes():
    x = Tensor(3.0, requires_grad=True)
    with no_grad():
        x[...] = 5.0
        assert x.node.value == 5.0
        x += 1.0
        assert x.node.value == 6.0


def test_in_place_keeps_shape_and_dtype():
    x = Tensor(np.ones(2, np.float32), requires_grad=True)
    h = x * 2
    with pytest.raises(ValueError, match="shape"):
        h += np.ones((3, 2), np.float32)
    with pytest.raises(TypeError, match="complex"):
        h += 1j
    h += np.ones(2)
    assert h.dtype == np.float32
    h.sum().backward()
    assert x.grad.dtype == np.float32


def test_data_keeps_its_shape_and_dtype():
    x = leaf()
    for wrong in (np.ones(2), np.ones(3, np.float32), 1.0):
        with pytest.raises(ValueError, match="make a new Tensor"):
            x.data = wrong


# ---- detect_anomaly finds what happens behind the Tensor's back ----


def write_raw(a):
    a[0] = 9.0


def write_added(a):
    np.add.at(a, [0], 1.0)


def write_memory(a):
    memoryview(a).cast("B").cast("d")[0] = 9.0


def write_out(a):
    np.multiply(a, 2.0, out=a)


def write_filled(a):
    a.fill(3.0)


@pytest.mark.parametrize("write", [write_raw, write_added, write_memory, write_out, write_filled])
def test_detect_anomaly_catches_raw_writes(write):
    a = np.array([1.0, 2.0, 3.0])
    x = Tensor(a, requires_grad=True)
    with detect_anomaly():
        y, recorded = np.sum(np.sin(x)), line_here()
        write(a)
        with pytest.raises(SavedArrayChangedError, match=rf"sin \(\S*{HERE}:{recorded}\)"):
            y.backward()
    assert x.grad is None


@pytest.mark.parametrize(
    "array", [np.ones(()), np.ones((0, 3)), np.ones((3, 4))[:, ::2], np.ones(3, ">f4"), np.ones(2) * 1j]
)
def test_detect_anomaly_raises_no_false_alarm(array):
    x = Tensor(array, requires_grad=True)
    with detect_anomaly():
        y = np.sum(x * x * np.exp(x))
        y.backward(np.ones((), y.dtype))
    assert x.grad.shape == array.shape


@pytest.mark.parametrize("bad", [0.0, -1.0])
def test_the_first_nan_or_inf_of_the_forward_pass(bad):
    x = leaf(1.0, bad, 2.0)
    with detect_anomaly(), np.errstate(all="ignore"):
        safe = x * 2
        with pytest.raises(AnomalyError, match=r"index \(1,\)") as caught:
            np.log(safe)
        assert "log (" in str(caught.value) and f"{HERE}:{line_here() - 1}" in str(caught.value)


def test_the_first_nan_or_inf_of_the_backward_pass():
    x = leaf(4.0, 0.0)
    with detect_anomaly(), np.errstate(all="ignore"):
        y, recorded = np.sqrt(x), line_here()
        loss = np.sum(y * 3)
        with pytest.raises(AnomalyError, match=r"backward.*sqrt.*index \(1,\)") as caught:
            loss.backward()
    assert f"{HERE}:{recorded}" in str(caught.value)
    assert x.grad is None


def test_an_anomaly_in_a_number():
    x = Tensor(0.0, requires_grad=True)
    with detect_anomaly(), np.errstate(all="ignore"), pytest.raises(AnomalyError, match=r"divide.*inf"):
        1 / x


def test_detect_anomaly_looks_into_ops_of_many_inputs():
    a = np.eye(2)
    x = Tensor(a, requires_grad=True)
    with detect_anomaly():
        y = np.sum(np.einsum("ij,jk->ik", x, x))
        a[0, 0] = 5.0
        with pytest.raises(SavedArrayChangedError, match="einsum"):
            y.backward()


def test_detect_anomaly_with_several_results():
    x = Tensor(np.diag([2.0, 3.0]), requires_grad=True)
    with detect_anomaly():
        _sign, log = np.linalg.slogdet(x)
        log.backward()
        assert np.allclose(x.grad, np.diag([1 / 2, 1 / 3]))
        both = ag.general(lambda x: (x, np.log(x)), lambda g: sum(g), name="both", outputs=2)
        with pytest.raises(AnomalyError, match=r"both .*-inf"), np.errstate(all="ignore"):
            both(leaf(0.0))


def test_detect_anomaly_holds_no_graph():
    arrays = []
    with detect_anomaly():
        for _ in range(3):
            x = leaf()
            y = np.exp(x)
            arrays.append(weakref.ref(y.data))
            del x, y
        assert all(ref() is None for ref in arrays)
