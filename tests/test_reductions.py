"""Reductions and statistics, where the table of samples says nothing: dtypes, odd calls, refusals, NumPy's errors."""

from __future__ import annotations

import numpy as np
import pytest

from autograd import NotDifferentiableError, Tensor, gradcheck, gradients, jacobian
from autograd.tensor import FUNCTIONS

X = np.random.default_rng(0).permutation(12).reshape(3, 4) / 8 + 0.3
REDUCTIONS = [
    *(np.sum, np.mean, np.prod, np.max, np.min, np.ptp, np.var, np.std, np.median, np.average),
    *(np.nansum, np.nanmean, np.nanprod, np.nanmax, np.nanmin, np.nanvar, np.nanstd, np.nanmedian),
]
by_name = {"ids": lambda f: f.__name__}


def leaf(x=X):
    return Tensor(np.array(x), requires_grad=True)


def outcome(f, x):
    """What f gives: shape, dtype and value, or which error."""
    try:
        with np.errstate(all="ignore"):
            y = f(x)
    except Exception as error:
        return type(error)
    y = y.data if isinstance(y, Tensor) else np.asarray(y)
    return y.shape, y.dtype, str(np.round(y, 9))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("f", REDUCTIONS, **by_name)
def test_odd_calls_are_numpys(f):
    """Also the error is, or one derived from it."""
    calls = [
        *(lambda x, axis=axis: f(x, axis=axis) for axis in (3, (0, 0), (), -2, np.int64(1), "a")),
        lambda x: f(x, unknown=1),
        lambda x: f(x[0, 0]),
        lambda x: f(x[0, 0], axis=0),
        lambda x: f(x[:0], axis=0),
        lambda x: f(np.transpose(x)[::-2], axis=0),
    ]
    for call in calls:
        expected, found = outcome(call, X), outcome(call, leaf())
        assert issubclass(found, expected) if isinstance(expected, type) else found == expected


@pytest.mark.parametrize("f", [np.sum, np.mean, np.prod, np.var, np.std, np.cumsum, np.cumprod, np.nansum], **by_name)
def test_in_another_dtype(f):
    x = X.astype(np.float32)
    t = leaf(x)
    y = f(t, axis=0, dtype=np.float64)
    assert y.dtype == np.float64
    np.testing.assert_allclose(y.data, f(x, axis=0, dtype=np.float64), rtol=1e-14)
    assert gradients(np.sum(y), [t])[0].dtype == np.float32


@pytest.mark.parametrize("f", [np.sum, np.mean, np.nanmean], **by_name)
def test_half_precision_is_summed_as_numpy_does(f):
    x = np.full(100_000, 0.1, np.float16)
    t = leaf(x)
    y = f(t)
    np.testing.assert_array_equal(y.data, f(x))
    assert gradients(y, [t])[0][0] == (1 if f is np.sum else pytest.approx(1e-5, rel=0.01))


def test_nothing_is_written_to():
    for f in (np.median, lambda x: np.median(x, overwrite_input=True), lambda x: np.quantile(x, 0.3), np.nanmax):
        x = np.array([3.0, 1.0, 2.0])
        f(Tensor(x, requires_grad=True))
        np.testing.assert_array_equal(x, [3, 1, 2])


# ---- statistics ----


@pytest.mark.parametrize("method", ["interpolated_inverted_cdf", "hazen", "weibull", "linear", "median_unbiased"])
def test_quantile_with_respect_to_q(method):
    q = np.array([0.23, 0.61])
    gradcheck(lambda x, q: np.quantile(x, q, axis=1, method=method), X, q)
    gradcheck(lambda q: np.percentile(X, q, method=method), 100 * q)
    gradcheck(lambda q: np.nanquantile(np.where(X > 0.5, X, np.nan), q, axis=1, method=method), q)
    np.testing.assert_allclose(
        np.quantile(X, leaf(q), axis=0, method=method).data, np.quantile(X, q, axis=0, method=method), rtol=1e-14
    )


def test_what_jumps_is_refused():
    for f in (
        lambda: np.quantile(X, leaf(0.3), method="lower"),
        lambda: np.quantile(leaf(), 0.3, method="inverted_cdf", weights=leaf()),
    ):
        with pytest.raises(NotDifferentiableError, match="jump"):
            f()


def test_covariance_with_respect_to_the_weights():
    w = np.array([0.5, 1.0, 2.0, 0.7])
    gradcheck(lambda x, w: np.cov(x, aweights=w), X, w)
    gradcheck(lambda w: np.cov(X, fweights=[1, 2, 1, 3], aweights=w, ddof=0), w)


def test_covariance_of_too_few():
    with pytest.warns(RuntimeWarning, match="Degrees of freedom"):
        y = np.cov(leaf(np.ones((2, 1))))
    assert np.isnan(y.data).all()


def test_a_variable_is_correlated_with_itself():
    np.testing.assert_allclose(jacobian(lambda x: np.diag(np.corrcoef(x)))(X), np.zeros((3, 3, 4)), atol=1e-15)


def test_histogram_between_the_extremes_of_the_data():
    gradcheck(lambda x: np.histogram(x, bins=3)[1], X)
    gradcheck(lambda x: np.histogram(x, bins=3, density=True)[0], X, order=1)
    counts, edges = np.histogram(leaf(), bins=[0, 1, 2])
    assert isinstance(counts, np.ndarray) and isinstance(edges, np.ndarray)


def test_weights_outside_the_bins_count_nothing():
    w = leaf([1.0, 2.0, 3.0, 4.0])
    counts, _ = np.histogram([-1.0, 0.0, 2.0, 5.0], bins=2, range=(0, 2), weights=w)
    assert counts.data.tolist() == [2, 3]
    assert gradients(counts.sum(), [w])[0].tolist() == [0, 1, 1, 0]


# ---- ufuncs ----


def test_every_ufunc_is_accounted_for():
    """Each has a meaning on Tensors, but for those that step from one float to the next, and those of dates."""
    known = {f for f in vars(np).values() if isinstance(f, np.ufunc)}
    refused = {np.nextafter, np.isnat}
    products = {getattr(np, f) for f in ("vecdot", "matvec", "vecmat") if hasattr(np, f)}
    assert known - FUNCTIONS.keys() - products == refused
    with pytest.raises(NotDifferentiableError, match="nextafter"):
        np.nextafter(leaf(), 1)


def test_ufuncs_of_integers_give_plain_arrays():
    n = np.array([6, 4, 9])
    for f in (np.gcd, np.lcm, np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.left_shift, np.right_shift):
        y = f(Tensor(n), 3)
        assert isinstance(y, np.ndarray)
        np.testing.assert_array_equal(y, f(n, 3))
        with pytest.raises(TypeError):
            f(leaf(), 3)


def test_nan_to_num_of_complex_numbers_and_in_place():
    z = np.array([complex(np.nan, 1), complex(2, np.inf), 3 + 4j])
    np.testing.assert_array_equal(np.nan_to_num(leaf(z)).data, np.nan_to_num(z))
    with pytest.raises(NotDifferentiableError, match="copy"):
        np.nan_to_num(leaf(), copy=False)


def test_real_if_close_drops_what_is_nearly_nothing():
    z = leaf(np.array([1 + 1e-16j, 2]))
    y = np.real_if_close(z)
    assert y.dtype == float
    assert gradients(np.sum(y), [z])[0].tolist() == [1, 1]
