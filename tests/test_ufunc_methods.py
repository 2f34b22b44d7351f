"""reduce, accumulate, outer and reduceat of ufuncs on Tensors: NumPy's values and errors, and right derivatives."""

from __future__ import annotations

import numpy as np
import pytest

from autograd import NotDifferentiableError, Tensor, gradcheck, gradients

X = np.random.default_rng(0).permutation(24).reshape(2, 3, 4) / 8 + 0.3
MASK = np.random.default_rng(1).random((2, 3, 4)) < 0.6
FOLDS = [
    np.add,
    np.multiply,
    np.maximum,
    np.minimum,
    np.fmax,
    np.fmin,
    np.logaddexp,
    np.logaddexp2,
    np.hypot,
    np.subtract,
    np.divide,
    np.copysign,
]
REORDERABLE = FOLDS[:9]


def check(f, x=X):
    """The value is NumPy's, and the derivatives are right to second order in both modes."""
    y, expected = f(Tensor(x, requires_grad=True)), f(x)
    assert isinstance(y, Tensor) and y.requires_grad
    assert (y.shape, y.dtype) == (expected.shape, expected.dtype)
    np.testing.assert_allclose(y.data, expected, rtol=1e-13)
    gradcheck(f, x, order=2)


def same_error(f):
    with pytest.raises((ValueError, TypeError, IndexError)) as ours:
        f(Tensor(X, requires_grad=True))
    with pytest.raises(ours.type):
        f(X)


by_name = {"ids": lambda f: f.__name__}


@pytest.mark.parametrize("ufunc", FOLDS, **by_name)
def test_reduce(ufunc):
    check(lambda x: ufunc.reduce(x))
    check(lambda x: ufunc.reduce(x, axis=-1, keepdims=True))
    check(lambda x: ufunc.reduce(x, 1, initial=0.7))


@pytest.mark.parametrize("ufunc", REORDERABLE, **by_name)
def test_reduce_of_several_axes_and_of_some_elements(ufunc):
    check(lambda x: ufunc.reduce(x, axis=(0, -1)))
    check(lambda x: ufunc.reduce(x, axis=None))
    check(lambda x: ufunc.reduce(x, axis=(1, 2), where=MASK, initial=0.7, keepdims=True))


@pytest.mark.parametrize("ufunc", [np.add, np.multiply, np.logaddexp, np.hypot], **by_name)
def test_reduce_starts_from_the_identity(ufunc):
    check(lambda x: ufunc.reduce(x, axis=1, where=MASK))
    empty = ufunc.reduce(Tensor(np.ones((0, 3)), requires_grad=True))
    np.testing.assert_array_equal(empty.data, ufunc.reduce(np.ones((0, 3))))
    np.testing.assert_array_equal(ufunc.reduce(Tensor(2.0)).data, 2.0)


@pytest.mark.parametrize("ufunc", FOLDS, **by_name)
def test_accumulate(ufunc):
    check(lambda x: ufunc.accumulate(x))
    check(lambda x: ufunc.accumulate(x, axis=-1))


@pytest.mark.parametrize("ufunc", [*FOLDS, np.remainder, np.float_power], **by_name)
def test_outer(ufunc):
    a, b = X[0, 0] + 3, X[0, 1:3] + 0.05
    y = ufunc.outer(Tensor(a, requires_grad=True), Tensor(b, requires_grad=True))
    np.testing.assert_allclose(y.data, ufunc.outer(a, b), rtol=1e-14)
    gradcheck(lambda a, b: ufunc.outer(a, b), a, b)
    gradcheck(lambda b: ufunc.outer(a, b), b)
    gradcheck(lambda a: ufunc.outer(a, 2.5), a)


@pytest.mark.parametrize("ufunc", FOLDS, **by_name)
def test_reduceat(ufunc):
    check(lambda x: ufunc.reduceat(x, [0, 2, 1], axis=1))
    check(lambda x: ufunc.reduceat(x, np.array([3, 0]), axis=-1))


@pytest.mark.parametrize("ufunc", [np.power, np.arctan2, np.float_power], **by_name)
def test_reduce_is_one_step_after_the_other(ufunc):
    """Compared with a loop: some releases of NumPy reduce these wrongly, np.power.reduce([2., 3., 2.]) to 4."""
    x = np.array([2.0, 3.0, 0.7])
    y = ufunc.reduce(Tensor(x, requires_grad=True))
    assert y.item() == pytest.approx(ufunc(ufunc(2.0, 3.0), 0.7), rel=1e-14)
    gradcheck(lambda a, b, c: ufunc(ufunc(a, b), c), *x)


def test_another_dtype():
    x = X.astype(np.float32)
    for f in (
        lambda x: np.add.reduce(x, dtype=np.float64),
        lambda x: np.multiply.reduce(x, dtype=np.float64),
        lambda x: np.maximum.reduce(x, dtype=np.float64),
        lambda x: np.hypot.reduce(x, dtype=np.float64),
        lambda x: np.add.accumulate(x, dtype=np.float64),
        lambda x: np.logaddexp.accumulate(x, dtype=np.float64),
        lambda x: np.add.reduceat(x, [0, 1], dtype=np.float64),
    ):
        t = Tensor(x, requires_grad=True)
        y = f(t)
        assert y.dtype == np.float64
        np.testing.assert_array_equal(y.data, f(x))
        assert gradients(y.sum(), [t])[0].dtype == np.float32


def test_ties_are_split_evenly():
    for ufunc in (np.maximum, np.minimum, np.fmax, np.fmin):
        x = Tensor([2.0, 2, 2, 2], requires_grad=True)
        np.testing.assert_array_equal(gradients(ufunc.reduce(x), [x])[0], [0.25] * 4)


def test_fmax_gives_nan_exactly_zero():
    x = Tensor([np.nan, 3.0, 1.0], requires_grad=True)
    np.testing.assert_array_equal(gradients(np.fmax.reduce(x), [x])[0], [0, 1, 0])


def test_what_has_no_derivative_gives_plain_arrays():
    x = Tensor(X, requires_grad=True)
    for f in (
        lambda x: np.logical_and.reduce(x, axis=1),
        lambda x: np.logical_or.accumulate(x),
        lambda x: np.greater.outer(x, x),
        lambda x: np.logical_xor.reduceat(x, [0, 1]),
    ):
        y = f(x)
        assert isinstance(y, np.ndarray)
        np.testing.assert_array_equal(y, f(X))


def test_integers_stay_integers():
    n = np.arange(6).reshape(2, 3)
    for f in (np.add.reduce, np.multiply.accumulate, np.maximum.reduce, np.gcd.reduce, np.bitwise_or.reduce):
        y = f(Tensor(n))
        np.testing.assert_array_equal(y.data if isinstance(y, Tensor) else y, f(n))


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.sin.reduce(x),
        lambda x: np.sin.accumulate(x),
        lambda x: np.sin.outer(x, x),
        lambda x: np.matmul.outer(x, x),
        lambda x: np.subtract.reduce(x, axis=(0, 1)),
        lambda x: np.maximum.reduce(x, where=MASK),
        lambda x: np.maximum.reduce(x[:0]),
        lambda x: np.hypot.reduce(x, axis=3),
        lambda x: np.add.reduce(x, axis=3),
        lambda x: np.add.accumulate(x, axis=None),
        lambda x: np.add.accumulate(x[0, 0, 0]),
        lambda x: np.add.reduceat(x, [0, 9]),
        lambda x: np.gcd.reduce(x),
        lambda x: np.add.reduce(x, where=np.ones((5, 2, 3, 4), bool)),
    ],
)
def test_errors_are_numpys(f):
    same_error(f)


def test_what_is_not_supported_raises():
    x = Tensor(X, requires_grad=True)
    for f in (lambda: np.add.reduce(x, out=np.zeros((3, 4))), lambda: np.nextafter.reduce(x)):
        with pytest.raises(NotDifferentiableError):
            f()


def test_divmod_of_python():
    x = Tensor([5.5, -2.0], requires_grad=True)
    for pair, expected in ((divmod(x, 2), divmod(x.data, 2)), (divmod(7, x), divmod(7, x.data))):
        np.testing.assert_array_equal([p.data for p in pair], expected)
    assert gradients(divmod(x, 2)[1].sum(), [x])[0].tolist() == [1, 1]
