"""Every generic test, over every sample of the table: values, derivatives of both orders in both modes, dtypes, layouts.

The finite differences here stand on their own: they share no code with autograd.gradcheck.
"""

from __future__ import annotations

import gc
import inspect
import warnings
import weakref
from contextlib import contextmanager

import numpy as np
import pytest

import autograd.ops
from autograd import NotDifferentiableError, Tensor, gradcheck, gradients, jvp, no_grad, vjp
from autograd.node import Node
from autograd.op import Op
from autograd.sweep import reachable
from autograd.symbol import rule_symbol
from autograd.tensor import FUNCTIONS

from samples import DIFFERENTIABLE, ELEMENTWISE, ROWS, SAMPLES, Row, Sample, at

OPS = {op for module in autograd.ops.__all__ for op in vars(getattr(autograd.ops, module)).values() if isinstance(op, Op)}
OF_ROW = {name: [s for s in DIFFERENTIABLE if s.name == name] for name, row in ROWS.items() if not row.constant}

every_sample = pytest.mark.parametrize("sample", DIFFERENTIABLE, ids=str)
every_row = pytest.mark.parametrize("name", OF_ROW)
every_op = pytest.mark.parametrize("op", sorted(OPS, key=lambda op: op.name), ids=lambda op: op.name)


def leaf(x):
    return Tensor(x, requires_grad=True)


def recorded(sample, dtype=float):
    """The result of a sample, and the leaves below it."""
    f, xs = sample.problem(dtype)
    leaves = [leaf(x) for x in xs]
    return f(*leaves), leaves


def gradients_of(y, leaves):
    """The gradients of y for a cotangent that is the same whenever y is."""
    return gradients(y, leaves, grad=direction(y, np.random.default_rng(0)))


def direction(x, rng):
    v = rng.standard_normal(x.shape)
    return np.asarray(v + 1j * rng.standard_normal(x.shape) if x.dtype.kind == "c" else v).astype(x.dtype)


def inner(a, b):
    return float(np.real(np.sum(a * b)))


def refuses(sample, dtype):
    """True where NumPy does not take this dtype; then a Tensor must not take it either."""
    with np.errstate(all="ignore"):
        try:
            sample.expected(*sample.arrays(dtype))
        except TypeError:
            with pytest.raises(TypeError):
                recorded(sample, dtype)
            return True
    return False


def nodes_of(y):
    return [node for node in reachable([y.node]) if node.op is not None]


# ---- values and derivatives ----


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_value_is_numpys(sample):
    xs = sample.arrays()
    before = [x.copy() for x in xs]
    y = sample(*[leaf(x) if x.dtype.kind == "f" else x for x in xs])
    expected = sample.expected(*xs)
    assert isinstance(y, Tensor) != sample.row.constant
    np.testing.assert_equal(xs, before)
    if sample.row.constant:
        np.testing.assert_equal(y, expected)
        return
    assert (y.shape, y.dtype) == (np.shape(expected), expected.dtype)
    np.testing.assert_allclose(y.data, expected, rtol=1e-12, atol=1e-14)


def difference(f, xs, vs):
    """df along vs to about 1e-10: the central difference of fourth order."""
    h = 1e-3

    def moved(k):
        return f(*[x + k * h * v for x, v in zip(xs, vs, strict=True)])

    return (8 * (moved(1) - moved(-1)) - (moved(2) - moved(-2))) / (12 * h)


def check_against_difference(sample):
    f, xs = sample.problem()
    rng = np.random.default_rng(1)
    vs = [direction(x, rng) * 0.3 for x in xs]
    g = direction(f(*xs), rng)
    expected = difference(f, xs, vs)
    y, pull = vjp(f, *xs)
    pulled = pull(g) if len(xs) > 1 else (pull(g),)
    assert inner(g, expected) == pytest.approx(sum(map(inner, pulled, vs)), rel=1e-8, abs=1e-8)
    return vs, expected


@every_sample
def test_vjp_and_jvp_against_differences(sample):
    vs, expected = check_against_difference(sample)
    f, xs = sample.problem()
    np.testing.assert_allclose(jvp(f, tuple(xs), tuple(vs))[1], expected, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("dtype", [float, complex])
@every_sample
def test_second_order_by_recursion(sample, dtype):
    if not refuses(sample, dtype):
        f, xs = sample.problem(dtype)
        gradcheck(f, *xs, order=2)


@pytest.mark.parametrize("dtype", [float, complex])
@every_sample
def test_both_modes_are_each_others_transpose(sample, dtype):
    if refuses(sample, dtype):
        return
    f, xs = sample.problem(dtype)
    rng = np.random.default_rng(2)
    ts = [direction(x, rng) for x in xs]
    y, pull = vjp(f, *xs)
    g = direction(np.asarray(y), rng)
    pulled = pull(g) if len(xs) > 1 else (pull(g),)
    pushed = jvp(f, tuple(xs), tuple(ts))[1]
    size = float(np.sum(np.abs(g * pushed))) + 1
    assert inner(g, pushed) == pytest.approx(sum(map(inner, pulled, ts)), abs=1e-12 * size)


# ---- dtypes and shapes ----


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.complex64, np.complex128])
@every_sample
def test_dtype_and_shape_are_kept(sample, dtype):
    """The dtype of the result is NumPy's; a gradient has the dtype and shape of its input; no rule computes wider."""
    if refuses(sample, dtype):
        return
    with np.errstate(all="ignore"):
        y, leaves = recorded(sample, dtype)
        assert y.dtype == sample.expected(*sample.arrays(dtype)).dtype
        for x, g in zip(leaves, gradients(y, leaves, grad=np.ones(y.shape, y.dtype), retain_graph=True), strict=True):
            assert (g.shape, g.dtype) == (x.shape, x.dtype) == (x.shape, dtype)
        for node in nodes_of(y):
            assert width_of_rules(node) <= max(np.dtype(dtype).itemsize, node.dtype.itemsize if node.op.outputs == 1 else 0)


def width_of_rules(node):
    """The bytes per real number of the widest cotangent that a rule makes, before the engine casts it."""
    if node.op.outputs > 1 or node.op.name == "part":
        return 0
    g = np.ones(node.shape, node.dtype)[()]
    return max((width(pull(g, node.saved, node.kwargs, np.multiply).dtype, node) for _, pull in node.plan.pulls), default=0)


def width(dtype, node):
    real = node.dtype.kind != "c" or dtype.kind == "c"
    return dtype.itemsize if real else 2 * dtype.itemsize


@every_row
def test_layouts_give_the_same(name):
    """Strided, reversed, read-only, big-endian and Fortran-ordered inputs; to the bit for elementwise operations."""
    for sample in OF_ROW[name]:
        f, xs = sample.problem()
        y = f(*map(leaf, xs))
        for layout in LAYOUTS:
            again, leaves = f(*(others := [leaf(layout(x)) for x in xs])), others
            compare = np.testing.assert_array_equal if name in ELEMENTWISE else np.testing.assert_allclose
            tolerance = {} if name in ELEMENTWISE else {"rtol": 1e-10, "atol": 1e-12}
            compare(again.data, y.data, **tolerance)
            plain = [leaf(x) for x in xs]
            for g, expected in zip(gradients_of(again, leaves), gradients_of(f(*plain), plain), strict=True):
                compare(g, expected, **tolerance)


def strided(x):
    return np.repeat(x[..., None], 2, axis=-1)[..., 0]


def reversed_(x):
    back = (slice(None, None, -1),) * x.ndim
    return x[back].copy()[back]


def read_only(x):
    x = x.copy()
    x.setflags(write=False)
    return x


def big_endian(x):
    return x.astype(x.dtype.newbyteorder(">"))


LAYOUTS = [strided, reversed_, read_only, big_endian, np.asfortranarray]


# ---- what is recorded ----


@every_sample
def test_one_recorded_input_among_plain_ones(sample):
    """The gradient for one input is the same whether the others are recorded, Tensors without a graph or plain arrays."""
    y, leaves = recorded(sample)
    together = gradients_of(y, leaves)
    f, xs = sample.problem()
    for k, expected in enumerate(together):
        for plain in (lambda x: x, Tensor, lambda x: x.item() if x.ndim == 0 else x):
            mixed = [leaf(x) if j == k else plain(x) for j, x in enumerate(xs)]
            np.testing.assert_array_equal(gradients_of(f(*mixed), [mixed[k]])[0], expected)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_only_what_the_rules_name_is_kept(name):
    """With one input recorded, an array that its rule does not name is free to go."""
    sample = OF_ROW[name][0]
    for k in sample.moving():
        xs = [x.copy() for x in sample.arrays()]
        alive = [weakref.ref(x) for x in xs]
        y = sample(*[leaf(x) if j == k else x for j, x in enumerate(xs)])
        (node,) = nodes_of(y)
        del xs, y
        rule = node.op.rule_of(k)
        named = set(inspect.signature(rule).parameters) if callable(rule) else set()
        assert [ref() is not None for ref in alive] == [n in named for n in node.op.names]


@every_row
def test_a_dropped_graph_is_gone_without_the_collector(name):
    def live():
        return sum(isinstance(o, Node) for o in gc.get_objects())

    gc.disable()
    try:
        before = live()
        for sample in OF_ROW[name]:
            y, leaves = recorded(sample)
            gradients(y, leaves, grad=np.ones(y.shape), create_graph=True)
        del y, leaves
        assert live() == before
    finally:
        gc.enable()
