"""The operators and methods of a Tensor are those of an ndarray: the same values and dtypes, and recorded."""

from __future__ import annotations

import operator

import numpy as np
import pytest
from rows import Sample, at
from samples import ELEMENTWISE, ROWS
from test_table import OF_ROW, leaf

from autograd import Tensor, gradients, no_grad

OPERATORS = {
    operator.add: np.add,
    operator.sub: np.subtract,
    operator.mul: np.multiply,
    operator.truediv: np.divide,
    operator.floordiv: np.floor_divide,
    operator.mod: np.remainder,
    operator.pow: np.power,
    operator.matmul: np.matmul,
}
A = np.array([[1.25, 0.5, 2.0], [3.0, 0.25, 1.5], [0.75, 2.5, 1.0]])
B = np.array([[0.5, 1.75, 1.25], [2.25, 0.5, 1.0], [1.5, 0.25, 3.0]])


def same_gradients(y, z, xs):
    np.testing.assert_array_equal(y.data, z.data)
    for a, b in zip(gradients(y, xs, A, retain_graph=True), gradients(z, xs, A), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("f", OPERATORS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("kinds", ["TT", "TA", "AT", "TC", "CT", "TL", "LT"])
def test_operators(f, kinds):
    """With a Tensor, an array, a constant Tensor or a list on the other side: recorded as the function is."""
    wrap = {"T": leaf, "A": np.asarray, "C": Tensor, "L": lambda x: x.tolist()}
    xs = [wrap[kind](x) for kind, x in zip(kinds, (A, B), strict=True)]
    varied = [x for x, kind in zip(xs, kinds, strict=True) if kind == "T"]
    y, z = f(*xs), OPERATORS[f](*xs)
    assert y.node.op is z.node.op
    same_gradients(y, z, varied)


@pytest.mark.parametrize("f", [f for f in OPERATORS if f is not operator.matmul], ids=lambda f: f.__name__)
@pytest.mark.parametrize("number", [2, 0.5, True, np.float64(1.5), np.int64(3)], ids=repr)
def test_operators_with_numbers(f, number):
    x = leaf(A)
    same_gradients(f(x, number), OPERATORS[f](x, number), [x])
    same_gradients(f(number, x), OPERATORS[f](number, x), [x])


@pytest.mark.parametrize("f", [operator.neg, operator.pos, operator.abs])
def test_signs(f):
    x = leaf(A)
    np.testing.assert_array_equal(f(x).data, f(A))
    assert f(x).node.inputs == (x.node,)


@pytest.mark.parametrize("f", [operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne])
@pytest.mark.parametrize(
    "other", [B, leaf(B), Tensor(B), 1, A.tolist()], ids=["array", "leaf", "constant", "number", "list"]
)
def test_comparisons_give_plain_arrays(f, other):
    plain = other.data if isinstance(other, Tensor) else other
    for y, expected in ((f(leaf(A), other), f(A, plain)), (f(other, leaf(A)), f(plain, A))):
        assert type(y) is np.ndarray
        np.testing.assert_array_equal(y, expected)


METHODS = {
    "sum": [{}, {"axis": 0}, {"axis": 1, "keepdims": True}],
    "mean": [{}, {"axis": 0}],
    "prod": [{}, {"axis": 0}],
    "max": [{}, {"axis": 0}],
    "min": [{}, {"axis": 0}],
    "var": [{}, {"axis": 0, "ddof": 1}],
    "std": [{}, {"axis": 0, "ddof": 1}],
    "cumsum": [{}, {"axis": 1}],
    "cumprod": [{}, {"axis": 1}],
    "repeat": [{"repeats": 2}, {"repeats": 2, "axis": 0}],
    "round": [{}, {"decimals": 1}],
    "clip": [{"min": 0.5, "max": 1.0}, {"max": 1.0}],
    "trace": [{}, {"offset": 1}],
    "diagonal": [{}, {"offset": 1}],
    "ravel": [{}, {"order": "F"}],
    "flatten": [{}, {"order": "F"}],
    "squeeze": [{}],
    "copy": [{}],
    "conj": [{}],
    "astype": [{"dtype": np.float32}, {"dtype": complex}],
}


@pytest.mark.parametrize(("name", "kwargs"), [(name, kwargs) for name, calls in METHODS.items() for kwargs in calls])
def test_methods(name, kwargs):
    y, expected = getattr(leaf(A), name)(**kwargs), getattr(A, name)(**kwargs)
    assert y.node is not None
    assert (y.shape, y.dtype) == (expected.shape, expected.dtype)
    np.testing.assert_allclose(y.data, expected, rtol=1e-15)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x.T,
        lambda x: x.mT,
        lambda x: x.real,
        lambda x: x.imag,
        lambda x: x.reshape(9),
        lambda x: x.reshape(-1),
        lambda x: x.reshape(1, 9),
        lambda x: x.reshape((9, 1)),
        lambda x: x.reshape(9, order="F"),
        lambda x: x.transpose(),
        lambda x: x.transpose(1, 0),
        lambda x: x.transpose((1, 0)),
        lambda x: x.transpose(None),
        lambda x: x.swapaxes(0, 1),
        lambda x: x.sum(0),
        lambda x: x.max(1),
        lambda x: x.dot(B),
        lambda x: x[1],
        lambda x: x[x > 1],
        lambda x: next(iter(x)),
    ],
)
def test_methods_with_positional_arguments(f):
    y = f(leaf(A))
    assert y.node is not None
    np.testing.assert_array_equal(y.data, f(A))


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x.argmax(),
        lambda x: x.argmin(axis=0),
        lambda x: x.argsort(),
        lambda x: x.all(),
        lambda x: x.any(axis=1),
        lambda x: x.nonzero(),
        lambda x: x[0].searchsorted(1.0),
        lambda x: x.tolist(),
        lambda x: x.astype(int) if isinstance(x, np.ndarray) else x.astype(int).data,
        lambda x: x[0, 0].item(),
        lambda x: len(x),
        lambda x: (*x.shape, x.ndim, x.size, x.nbytes, x.itemsize, x.dtype),
    ],
)
def test_methods_that_give_plain_values(f):
    np.testing.assert_equal(f(leaf(A)), f(A))


def test_nothing_is_recorded_under_no_grad():
    x = leaf(A)
    with no_grad():
        assert all(f(x, x).node is None for f in OPERATORS)
        assert np.sin(x).node is None and x.sum().node is None and x[0].node is None


# ---- dtypes side by side ----

PAIRS = [name for name in OF_ROW if len(OF_ROW[name][0].moving()) > 1]


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("dtypes", [("f4", "f8"), ("f8", "f4"), ("f4", "c16"), ("f2", "f4")], ids="-".join)
def test_mixed_dtypes(name, dtypes):
    """The result is as wide as NumPy makes it, each gradient as wide as its input."""
    sample = OF_ROW[name][0]
    xs = [sample.arrays(dtypes[min(k, 1)])[k] for k in range(len(sample.case.shapes))]
    try:
        expected = sample.expected(*xs)
    except (TypeError, np.exceptions.ComplexWarning):
        with pytest.raises((TypeError, np.exceptions.ComplexWarning)):
            sample(*map(leaf, xs))
        return
    leaves = [leaf(x) if x.dtype.kind in "fc" else x for x in xs]
    y = sample(*leaves)
    assert y.dtype == expected.dtype
    varied = [x for x in leaves if isinstance(x, Tensor)]
    for x, g in zip(varied, gradients(y, varied, np.ones(y.shape)), strict=True):
        assert (g.shape, g.dtype) == (x.shape, x.dtype)


@pytest.mark.parametrize("name", [name for name in PAIRS if name in ELEMENTWISE])
@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_python_numbers_do_not_widen(name, dtype):
    sample = Sample(name, ROWS[name], at(*[(3,), *[()] * (len(OF_ROW[name][0].case.shapes) - 1)]))
    for k in sample.moving():
        xs = sample.arrays(dtype)
        xs = [np.full(3, x.ravel()[0]) if j == k else x.ravel()[0].item() for j, x in enumerate(xs)]
        x = leaf(xs[k])
        y = sample(*xs[:k], x, *xs[k + 1 :])
        (g,) = gradients(y, [x], np.ones(y.shape))
        assert y.dtype == sample.expected(*xs).dtype
        assert g.dtype == dtype


# ---- what NumPy refuses, and what has no rule, is refused ----


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.einsum("...i->i", x),
        lambda x: np.einsum("ij->k", x),
        lambda x: np.einsum("ij->ii", x),
        lambda x: np.einsum("ij,jk", x),
        lambda x: np.linalg.norm(x, axis=(0, 0)),
        lambda x: np.linalg.norm(x, ord=3),
        lambda x: np.linalg.norm(x[0], ord="fro"),
        lambda x: np.linalg.norm(x[None], ord=1),
        lambda x: np.pad(x, 1, end_values=3),
        lambda x: np.pad(x, -1),
        lambda x: np.split(x, 2),
        lambda x: np.split(x, x),
        lambda x: np.diag(x[None]),
        lambda x: np.tensordot(x, x, axes=3),
        lambda x: np.tensordot(x, x[0:2]),
        lambda x: np.max(x, where=A > 1),
        lambda x: np.add(x, 1, out=np.zeros((3, 3))),
        lambda x: np.sin(x, where=A > 1),
        lambda x: np.add(np.zeros((3, 3)), 1, out=x),
        lambda x: operator.iadd(np.zeros((3, 3)), x),
        lambda x: np.where(A > 1, x),
        lambda x: np.concatenate([x, x[0]]),
        lambda x: x.sort(),
        lambda x: x["a"],
        lambda x: x * "a",
        lambda x: x + None,
        lambda x: pow(x, 2, 3),
    ],
)
def test_refused(f):
    with pytest.raises((TypeError, ValueError, IndexError)):
        f(leaf(A))
