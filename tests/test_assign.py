"""Assignment, in-place operators and views: values as in NumPy, gradients as those of the same program on copies.

The programs that hypothesis makes run on ndarrays (the values, and finite differences of them) and on Tensors.
"""

from __future__ import annotations

import copy
import gc
import operator
import pickle
import sys
import threading
import tracemalloc
import warnings
import weakref
from contextlib import nullcontext

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd as ag
import viz
from autograd import NotDifferentiableError, SavedArrayChangedError, Tensor, gradients, no_grad
from autograd.node import Node
from autograd.sweep import reachable

A = np.array([[1.0, 2.0, 3.0], [0.5, -1.0, 0.25], [-0.3, 0.7, 1.1]])
V = np.array([0.9, -0.4, 1.3])


def leaf(array):
    return Tensor(np.array(array), requires_grad=True)


def fresh(array):
    """What the program writes into: a Tensor of its own where the array is one, else an ndarray."""
    return array.copy()


# ---- programs, each written once for arrays and Tensors ----


def item(y, v):
    y[0] = v


def number(y, v):
    y[1, 2] = v[0] * 2


def constant(y, v):
    y[0, 1:] = 7.0


def row_and_column(y, v):
    y[0] = v
    y[:, 1] = v * 2
    y[2, 2] = v[0]


def stretched(y, v):
    y[...] = v


def stretched_number(y, v):
    y[::2, 1:] = v[2]


def more_axes(y, v):
    y[0] = v.reshape(1, 1, 3)


def mask(y, v):
    y[A > 0.6] = v[1]


def mask_in_place(y, v):
    y[A > 0.6] += y[A > 0.6] * v[1]


def fancy(y, v):
    y[[0, 2], [1, 1]] = v[:2]


def repeated(y, v):
    y[[0, 0, 1]] = np.stack([v, v * 2, v * 3])


def repeated_grid(y, v):
    y[np.array([[0, 1], [1, 0]]), [[2, 2], [2, 2]]] = (y * y)[:2, :2]


def slices_in_place(y, v):
    y[1:3, ::2] *= v[:2]


def all_operators(y, v):
    y += v
    y *= v
    y -= y[0]
    y /= v + 3
    y **= 2
    y @= A


def overwritten(y, v):
    y[0] = v
    y[0] = v * v
    y[0, 1] = 3.0


def swap(y, v):
    y[0], y[1] = y[1], y[0]  # two views: NumPy gives row 1 twice
    y[2] = v


def shifted(y, v):
    y[1:] = y[:-1] * 1.0
    y[:, :-1] = y[:, 1:]


def into_itself(y, v):
    y[0] = y[1] * y[0]
    y[...] = y.T * y


def view(y, v):
    row = y[0]
    row += v
    row *= row
    y[1] = row


def nested_view(y, v):
    part = y[1:]
    corner = part[:, 1:]
    corner[0] = v[:2]
    part *= 2
    y[2, 2] += corner[0, 0]


def transposed(y, v):
    y.T[0] = v
    np.transpose(y)[1] *= v


def reshaped(y, v):
    y.reshape(-1)[3] = v[0]
    flat = y.ravel()
    flat[::2] *= flat[::2]
    y.reshape(3, 3, order="F")[1] = v  # a copy: y stays


def many_kinds_of_view(y, v):
    np.swapaxes(y, 0, 1)[0, 0] = v[0]
    np.moveaxis(y, 0, 1)[1] += v
    np.expand_dims(y, 0)[0, 2] *= v
    np.squeeze(y[None])[1] += 1
    np.flip(y, 0)[0] = v * v
    y.mT[1] *= 2
    np.atleast_1d(y)[0, 1] = v[1]
    np.split(y, 3)[1][...] += v
    np.array_split(y, 2, axis=1)[1][0] = v[2]
    y[::-1, None][0] *= v
    np.flipud(y)[1] += v
    np.atleast_2d(y) if isinstance(y, np.ndarray) else y
    y[..., 0][...] = v


def view_of_a_written_base(y, v):
    y[0] = v
    top, flat = y[:2], y.reshape(-1)
    top *= flat[1]
    flat[:4] = flat[1:5]
    y += top[1]


def copies_are_no_views(y, v):
    a, b, c = y.copy(), y[[0, 1]], y.flatten()
    a += 1
    b *= v
    c[0] = 5.0
    y[1] = a[0] + b[1] + c[:3]


def reading_the_old_value(y, v):
    old = y * y
    saved = np.sin(y)
    y[0] = v
    y += old
    y *= saved
    old[1] = y[0]
    y -= old


def loop(y, v):
    for i in range(2):
        y[i + 1] = np.sin(y[i]) * v


def recurrence_of_order_two(y, v):
    y[0], y[1] = v, v * v
    y[2] = y[1] * y[0] + y[-2]
    y[0] = y[2, 1]


def row_overwritten_in_part(y, v):
    y[0] = v
    y[0, 1] = v[0] * 5
    y[1] = y[0] * v
    y[1:] = y[:2] * 2
    y[2] = y[1]


def add_at(y, v):
    np.add.at(y, [0, 0, 2], v)
    np.add.at(y, ([0, 0], [1, 1]), v[:2])
    np.subtract.at(y, 1, v[0])


def multiply_at(y, v):
    np.multiply.at(y, [0, 0, 1], v)
    np.divide.at(y, ([1, 1, 1], [0, 0, 2]), v + 3)
    np.maximum.at(y, [2, 2], v[1])
    np.negative.at(y, [0, 0, 1])


def out(y, v):
    np.add(y, v, out=y)
    np.sum(np.multiply(y, y), axis=0, out=y[1])
    np.multiply(v, 2.0, out=y[:, 0])
    np.sum(y, 0, None, y[2])


def out_where(y, v):
    np.sin(y, where=A > 0.4, out=y)
    np.multiply(y, v, out=y, where=[True, False, True])


def out_dtype(y, v):
    np.add(y, v, out=y, dtype=np.float64, casting="same_kind")


def functions_that_write(y, v):
    np.copyto(y[0], v)
    np.copyto(y, v[0], where=A < 0.3)
    np.put(y, [1, -1, 4], v[:2])
    np.put(y, [1, 1, 9], v, mode="wrap")
    np.place(y, A > 1.05, v[:2])
    np.putmask(y, A > 0.9, y * y)
    np.fill_diagonal(y, v)
    np.put_along_axis(y, np.array([[1], [0], [2]]), v[:, None] * 3, axis=1)
    y.put([2], v[0] * v[1])
    y[1].fill(v[2])


PROGRAMS = [
    item, number, constant, row_and_column, stretched, stretched_number, more_axes, mask, mask_in_place, fancy,
    repeated, repeated_grid, slices_in_place, all_operators, overwritten, swap, shifted, into_itself, view, nested_view,
    transposed, reshaped, many_kinds_of_view, view_of_a_written_base, copies_are_no_views, reading_the_old_value, loop,
    recurrence_of_order_two, row_overwritten_in_part, add_at, multiply_at, out, out_where, out_dtype,
    functions_that_write,
]  # fmt: skip
STARTS_WITH_CONSTANTS = [constant, repeated_grid, swap, shifted, into_itself, view_of_a_written_base, out_where]
every_program = pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.__name__)


def result(program):
    """The program as a function of what it writes into and what it writes."""

    def f(x, v):
        y = fresh(x)
        program(y, v)
        return y

    return f


def on_argument(program):
    """The same on the argument itself, which the caller of a transform never sees changed."""

    def f(x, v):
        program(x, v)
        return x

    return f


def difference(f, xs, ts):
    """df along ts: the central difference of fourth order."""
    h = 1e-3

    def moved(k):
        return f(*[x + k * h * t for x, t in zip(xs, ts, strict=True)])

    return (8 * (moved(1) - moved(-1)) - (moved(2) - moved(-2))) / (12 * h)


@every_program
@pytest.mark.parametrize("how", [result, on_argument], ids=["copy", "argument"])
def test_values_and_derivatives(program, how):
    f, rng = result(program), np.random.default_rng(0)
    expected, ts = f(A, V), [rng.standard_normal(A.shape), rng.standard_normal(V.shape)]
    slope = difference(f, (A, V), ts)
    a, v = A.copy(), V.copy()
    y, pull = ag.vjp(how(program), a, v)
    np.testing.assert_allclose(y, expected, rtol=1e-13, atol=1e-14)
    g = rng.standard_normal(y.shape)
    pulled = sum(np.sum(p * t) for p, t in zip(pull(g), ts, strict=True))
    assert pulled == pytest.approx(np.sum(g * slope), rel=1e-7, abs=1e-8)
    np.testing.assert_allclose(ag.jvp(how(program), (a, v), tuple(ts))[1], slope, rtol=1e-6, atol=1e-7)
    assert np.array_equal(a, A) and np.array_equal(v, V)


@every_program
def test_higher_orders(program):
    ag.gradcheck(result(program), A, V, order=2)


@every_program
def test_what_is_recorded_is_what_no_grad_computes(program):
    x, v = Tensor(A.copy()), Tensor(V.copy())
    with no_grad():
        program(x, v)
    np.testing.assert_array_equal(x.data, result(program)(A, V))
    assert x.node is None
    y = leaf(A) * 1
    with no_grad():
        program(y, v)
    np.testing.assert_array_equal(y.data, x.data)
    assert y.node.op.name == "multiply"


@every_program
@pytest.mark.parametrize("order", ["C", "F", "strided"])
def test_into_a_constant_of_any_layout(program, order):
    """A plain Tensor takes a recorded value; the user's array stays as it was."""
    a = np.repeat(A, 2, axis=1)[:, ::2] if order == "strided" else np.array(A, order=order)
    twin, x, v = a.copy(order="K"), Tensor(a), leaf(V)  # which reshape is a view depends on the layout
    program(twin, V)
    program(x, v)
    np.testing.assert_allclose(x.data, twin, rtol=1e-13)
    if program not in STARTS_WITH_CONSTANTS:
        assert np.array_equal(a, A)
    if x.node is not None:
        g = np.cos(np.arange(9.0)).reshape(3, 3)
        t = np.array([0.3, -0.2, 0.5])
        slope = difference(lambda v: on_argument(program)(a.copy(order="K"), v), [V], [t])
        if program not in STARTS_WITH_CONSTANTS:
            assert np.sum(gradients(x, [v], grad=g)[0] * t) == pytest.approx(np.sum(g * slope), rel=1e-7, abs=1e-8)


def torch_operators(y, v):
    y += v
    y *= v
    y -= y[0].clone()
    y /= v + 3
    y **= 2
    y.copy_(y.clone() @ v.new_tensor(A))


def torch_mask(y, v):
    chosen = v.new_tensor(A) > 0.6
    y[chosen] += y[chosen] * v[1]


IN_TORCH = {all_operators: torch_operators, mask_in_place: torch_mask}


@pytest.mark.parametrize(
    "program", [item, mask_in_place, slices_in_place, all_operators, overwritten, nested_view]
)
def test_like_pytorch(program):
    torch = pytest.importorskip("torch")
    x, v = (torch.tensor(a, requires_grad=True) for a in (A, V))
    y = x.clone()
    if program in IN_TORCH:
        IN_TORCH[program](y, v)
    else:
        program(y, v)
    g = np.cos(np.arange(9.0)).reshape(3, 3)
    y.backward(torch.tensor(g))
    ours, pull = ag.vjp(result(program), A, V)
    np.testing.assert_allclose(ours, y.detach().numpy(), rtol=1e-13)
    for mine, theirs in zip(pull(g), (x.grad, v.grad), strict=True):
        np.testing.assert_allclose(mine, theirs.numpy(), rtol=1e-12, atol=1e-13)


# ---- random programs ----

PLACES = [
    0, -1, 2, slice(None), slice(1, None), slice(None, None, -1), (slice(None), 1), (0, slice(None, 2)), (1, 2), ...,
    [0, 0, 2], ([0, 1], [1, 1]), A > 0.6, (slice(None), [2, 0]), (None, 1),
]  # fmt: skip
VIEWS = [
    lambda t: t[0], lambda t: t[1:], lambda t: t.T, lambda t: t.reshape(-1), lambda t: t[..., ::-1], lambda t: t[None],
    lambda t: np.squeeze(t), lambda t: np.swapaxes(t, 0, -1), lambda t: t[()], lambda t: np.flip(t),
]  # fmt: skip
IN_PLACE = [operator.iadd, operator.imul, operator.isub]
numbers = st.integers(0, 9)
STEPS = st.one_of(
    st.tuples(st.just("write"), numbers, st.integers(0, len(PLACES) - 1), numbers),
    st.tuples(st.just("augment"), numbers, st.integers(0, len(PLACES) - 1), numbers),
    st.tuples(st.just("in place"), numbers, numbers, numbers),
    st.tuples(st.just("view"), numbers, numbers, numbers),
    st.tuples(st.just("compute"), numbers, numbers, numbers),
    st.tuples(st.just("copy"), numbers, numbers, numbers),
    st.tuples(st.just("forget"), numbers, numbers, numbers),
)


def run(steps, x, v, mode=nullcontext):
    """All arrays that the program makes. What NumPy refuses is refused, and changes nothing."""
    held, refused = [x.copy()], []
    for what, i, j, k in steps:
        with mode() if (i + j + k) % 3 == 0 else nullcontext():
            held = run_step(what, i, j, k, held, v, refused) or [x.copy()]
    return held, refused


def run_step(what, i, j, k, held, v, refused):
    t = held[i % len(held)]
    other = held[k % len(held)]
    scale = v[k % 3]
    try:
        if what == "write":
            t[PLACES[j]] = other if k % 2 else scale
        elif what == "augment":
            t[PLACES[j]] = t[PLACES[j]] * scale
        elif what == "in place":
            IN_PLACE[j % 3](t, other if k % 2 else scale)
        elif what == "view":
            held.append(VIEWS[j % len(VIEWS)](t))
        elif what == "compute":
            held.append(np.sin(t) * other)
        elif what == "copy":
            held.append(t.copy())
        elif len(held) > 1:
            held.pop(1 + i % (len(held) - 1))
    except NotDifferentiableError:
        raise
    except (ValueError, IndexError, TypeError) as error:
        refused.append(type(error))
    return [h for h in held if h.ndim]  # a number is a copy in NumPy, and no array


@settings(max_examples=8000, deadline=None)
@given(st.lists(STEPS, min_size=2, max_size=9))
def test_random_programs(steps):
    with np.errstate(all="ignore"):
        arrays, refused = run(steps, A, V)
        v = leaf(V)
        x = leaf(A)
        tensors, refused_too = run(steps, x, v)
    assert refused == refused_too
    assert len(arrays) == len(tensors)
    for array, t in zip(arrays, tensors, strict=True):
        np.testing.assert_allclose(t.data, array, rtol=1e-12, atol=1e-12)
    if not all(np.all(np.abs(a) < 1e3) for a in arrays):
        return

    def total(x, v):
        return sum(np.sum(np.cos(np.arange(t.size)).reshape(t.shape) * t) for t in run(steps, x, v)[0])

    rng = np.random.default_rng(1)
    ts = [rng.standard_normal(A.shape), rng.standard_normal(V.shape)]
    slope = total(A + 1e-30j * ts[0], V + 1e-30j * ts[1]).imag / 1e-30  # exact: the programs are analytic
    gx, gv = ag.grad(total, (0, 1))(A, V)
    size = 1 + max(np.max(np.abs(g)) for g in (gx, gv))
    assert np.sum(gx * ts[0]) + np.sum(gv * ts[1]) == pytest.approx(slope, rel=1e-9, abs=1e-10 * size)
    assert ag.jvp(total, (A, V), tuple(ts))[1] == pytest.approx(slope, rel=1e-9, abs=1e-10 * size)


@settings(max_examples=5000, deadline=None)
@given(st.lists(STEPS, min_size=2, max_size=9), st.booleans())
def test_random_programs_that_do_not_record_everything(steps, start_recorded):
    """Values are NumPy's; what is not recorded may make backward() raise."""
    with np.errstate(all="ignore"):
        arrays, refused = run(steps, A, V)
        x = leaf(A) if start_recorded else Tensor(A)
        try:
            tensors, refused_too = run(steps, x, leaf(V), no_grad)
        except NotDifferentiableError as error:
            assert "make the view again" in str(error)
            return
    assert refused == refused_too
    for array, t in zip(arrays, tensors, strict=True):
        np.testing.assert_allclose(t.data, array, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose((t * 1).data, array, rtol=1e-12, atol=1e-12)
