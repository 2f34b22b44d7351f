"""The table of kinks, docs/kinks.md: every entry is a test, in both modes, and to second order where it says so."""

from __future__ import annotations

import math
import warnings
from pathlib import Path

import numpy as np
import pytest

from autograd import Tensor, elementwise_grad, grad, gradients, hessian, jacobian, jvp, vmap
from autograd.ops.elementwise import relu
from autograd.ops.fused import logsumexp
from autograd.ops.pooling import max_pool1d

INF, NAN = math.inf, math.nan


def derivative(f, x, order=1):
    """The derivative of an elementwise f at x; the same in both modes."""
    x = np.asarray(x, dtype=float)
    with np.errstate(all="ignore"):
        for _ in range(order - 1):
            f = elementwise_grad(f)
        reverse = elementwise_grad(f)(x)
        forward = jvp(f, x, np.ones_like(x))[1]
    np.testing.assert_array_equal(forward, reverse)
    return reverse


def partials(f, *xs):
    """The partial derivatives of f at scalars that all vary."""
    leaves = [Tensor(float(x), requires_grad=True) for x in xs]
    return [float(g) for g in gradients(f(*leaves), leaves)]


def gradient(f, x):
    """The gradient of the scalar f at an array; the same in both modes."""
    x = np.asarray(x, dtype=float)
    with np.errstate(all="ignore"):
        reverse = jacobian(f, mode="reverse")(x)
        np.testing.assert_array_equal(jacobian(f, mode="forward")(x), reverse)
    return reverse


# ---- one argument ----


@pytest.mark.parametrize(
    ("f", "x", "expected"),
    [
        (relu, 0, 0),
        (relu, -0.0, 0),
        (np.abs, 0, 0),
        (np.fabs, 0, 0),
        (np.sign, 0, 0),
        (lambda x: np.maximum(x, 0), 0, 0),
        (lambda x: np.maximum(0, x), 0, 0),
        (lambda x: np.minimum(x, 0), 0, 0),
        (lambda x: np.fmax(x, 0), 0, 0),
        (lambda x: np.fmin(x, 0), 0, 0),
        (lambda x: np.maximum(x, x), 2, 1),
        (lambda x: np.minimum(x, x), 2, 1),
        (lambda x: np.clip(x, -1, 1), 1, 0),
        (lambda x: np.clip(x, -1, 1), -1, 0),
        (lambda x: np.clip(x, -1, 1), 0, 1),
        (lambda x: np.clip(x, None, 1), 1, 0),
        (np.floor, 2, 0),
        (np.ceil, 2, 0),
        (np.trunc, 2, 0),
        (np.rint, 0.5, 0),
        (np.round, 0.5, 0),
        (lambda x: x % 1, 2, 1),
        (lambda x: x // 1, 2, 0),
        (lambda x: 2 // x, 1, 0),
        (lambda x: x**0, 0, 0),
        (lambda x: x**0.0, 0, 0),
        (lambda x: x**1, 0, 1),
        (lambda x: x**2, 0, 0),
        (lambda x: x**0.5, 0, INF),
        (lambda x: x**-1, 0, -INF),
        (np.sqrt, 0, INF),
        (np.cbrt, 0, INF),
        (np.log, 0, INF),
        (lambda x: 1 / x, 0, -INF),
        (np.reciprocal, 0, -INF),
        (np.arcsin, 1, INF),
        (np.arccos, 1, -INF),
        (np.arccosh, 1, INF),
        (np.sinc, 0, 0),
        (lambda x: np.interp(x, [0, 1, 2], [0, 3, 4]), 0, 3),
        (lambda x: np.interp(x, [0, 1, 2], [0, 3, 4]), 1, 1),
        (lambda x: np.interp(x, [0, 1, 2], [0, 3, 4]), 2, 1),
        (lambda x: np.interp(x, [0, 1, 2], [0, 3, 4]), 2.5, 0),
        (lambda x: np.unwrap(np.stack([0 * x, x]))[1], math.pi, 1),
        (lambda x: np.heaviside(x, 0.5), 0, 0),
        (lambda x: np.copysign(x, 1), 0, 0),
        (lambda x: np.copysign(x, -1), 0, 0),
        (lambda x: np.fmod(x, 1), 2, 1),
        (lambda x: np.modf(x)[0], 2, 1),
        (lambda x: np.modf(x)[1], 2, 0),
        (lambda x: np.frexp(x)[0], 2, 0.25),
        (np.nan_to_num, math.nan, 0),
        (np.nan_to_num, INF, 0),
        (lambda x: 0**x, 0, 0),
        (lambda x: 0.0**x, 2, 0),
        (lambda x: np.float_power(x, 0), 0, 0),
    ],
)
def test_first_derivative(f, x, expected):
    assert derivative(f, x) == expected


@pytest.mark.parametrize(
    ("f", "x", "order", "expected"),
    [
        (np.sinc, 0, 2, -(math.pi**2) / 3),
        (np.sinc, 0, 3, 0),
        (np.sinc, 0, 4, math.pi**4 / 5),
        (np.sinc, 1e-9, 2, -(math.pi**2) / 3),
        (lambda x: x**0, 0, 2, 0),
        (lambda x: x**1, 0, 2, 0),
        (lambda x: x**2, 0, 2, 2),
        (lambda x: x**2, 0, 3, 0),
        (lambda x: x**3, -2, 2, -12),
        (lambda x: x**3, -2, 4, 0),
        (relu, 0, 2, 0),
        (np.abs, 0, 2, 0),
        (np.fabs, 0, 2, 0),
        (np.sign, 0, 2, 0),
    ],
)
def test_higher_derivatives(f, x, order, expected):
    assert derivative(f, x, order) == pytest.approx(expected, rel=1e-12, abs=1e-15)


@pytest.mark.parametrize(
    ("f", "expected"),
    [
        (lambda x: np.sort(x, stable=True), [2, 1, 3]),
        (lambda x: np.sort(x, kind="stable"), [2, 1, 3]),
        (lambda x: np.partition(x, (0, 1)), [2, 1, 3]),
        (np.unique, [2, 1, 0]),
        (np.unique_values, [2, 1, 0]),
        (lambda x: np.union1d(x, x), [2, 1, 0]),
        (lambda x: np.setxor1d(x, []), [2, 1, 0]),
        (lambda x: np.piecewise(x, [x >= 1], [np.square, np.negative]), [2, -2, 6]),
    ],
)
def test_equal_elements_go_the_way_that_numpy_took(f, expected):
    def weighed(x):
        y = f(x)
        return np.sum(y * np.arange(1, len(y) + 1))

    assert gradient(weighed, [1.0, 0.0, 1.0]).tolist() == expected


# ---- two arguments ----


@pytest.mark.parametrize(
    ("f", "xs", "expected"),
    [
        (np.maximum, (0, 0), [0.5, 0.5]),
        (np.minimum, (1, 1), [0.5, 0.5]),
        (np.fmax, (1, 1), [0.5, 0.5]),
        (np.fmin, (1, 1), [0.5, 0.5]),
        (np.fmax, (math.nan, 1), [0, 1]),
        (np.fmin, (1, math.nan), [1, 0]),
        (np.clip, (1, 1, 2), [0, 1, 0]),
        (np.clip, (2, 1, 2), [0, 0, 1]),
        (np.clip, (1, 1, 1), [0, 0, 1]),
        (np.hypot, (0, 0), [0, 0]),
        (np.remainder, (4, 2), [1, -2]),
        (np.hypot, (3, 4), [0.6, 0.8]),
        (np.power, (0, 0), [0, 0]),
        (np.power, (0, 2), [0, 0]),
        (np.power, (0, 1), [1, 0]),
        (np.logaddexp, (0, 0), [0.5, 0.5]),
        (np.logaddexp, (1000, 0), [1, 0]),
        (np.logaddexp, (-INF, 0), [0, 1]),
        (np.logaddexp, (-INF, -INF), [0, 0]),
        (np.logaddexp2, (-INF, -INF), [0, 0]),
        (np.logaddexp, (INF, INF), [math.nan, math.nan]),
        (np.heaviside, (0, 0.5), [0, 1]),
        (np.fmod, (4, -2), [1, 2]),
        (np.copysign, (0, -1), [0, 0]),
    ],
)
def test_partial_derivatives(f, xs, expected):
    np.testing.assert_array_equal(partials(f, *xs), expected)


def test_abs_of_complex_zero():
    z = Tensor(np.zeros(2, complex), requires_grad=True)
    np.testing.assert_array_equal(gradients(np.sum(np.abs(z)), [z])[0], [0, 0])
    np.testing.assert_array_equal(jvp(np.abs, np.zeros(2, complex), np.ones(2, complex))[1], [0, 0])


def test_arctan2_of_large_numbers():
    (g,) = gradients(np.arctan2(a := Tensor(np.float16(300), requires_grad=True), np.float16(300)), [a])
    assert g == pytest.approx(1 / 600, rel=2e-3)


def test_arctan2_has_no_derivative_at_the_origin():
    assert all(map(math.isnan, partials(np.arctan2, 0, 0)))


# ---- reductions ----


@pytest.mark.parametrize(
    ("f", "x", "expected"),
    [
        (np.max, [1, 3, 3], [0, 0.5, 0.5]),
        (np.min, [1, 1, 1, 1], [0.25] * 4),
        (lambda x: np.sum(max_pool1d(x[None], 3)), [2, 1, 2, 7, 0, 4], [0.5, 0, 0.5, 1, 0, 0]),
        (np.linalg.norm, [0, 0], [0, 0]),
        (np.linalg.norm, [3, 4], [0.6, 0.8]),
        (lambda x: np.linalg.norm(x, ord=3), [0, 0], [0, 0]),
        *[(lambda x, p=p: np.linalg.norm(x, ord=p), [0, 0], [0, 0]) for p in (1, 1.5, 2, 7, INF)],
        (lambda x: np.linalg.norm(x, ord=1), [0, -2], [0, -1]),
        (lambda x: np.linalg.norm(x, ord=np.inf), [2, -2], [0.5, -0.5]),
        (np.std, [2, 2, 2], [0, 0, 0]),
        (np.var, [2, 2, 2], [0, 0, 0]),
        (np.prod, [2, 3, 5], [15, 10, 6]),
        (np.prod, [0, 3, 5], [15, 0, 0]),
        (np.prod, [0, 3, 0], [0, 0, 0]),
        (logsumexp, [-INF, 0], [0, 1]),
        (logsumexp, [-INF, -INF], [0, 0]),
        (np.ptp, [1, 1, 2], [-0.5, -0.5, 1]),
        (np.ptp, [1, 1], [0, 0]),
        (np.nanmax, [1, NAN, 1], [0.5, 0, 0.5]),
        (np.nanmin, [-INF, NAN, 1], [1, 0, 0]),
        (np.nansum, [NAN, 2], [0, 1]),
        (np.nanprod, [NAN, 2, 3], [0, 3, 2]),
        (np.nanprod, [NAN, 0, 0], [0, 0, 0]),
        (np.nanmean, [NAN, 2, 3], [0, 0.5, 0.5]),
        (np.nanstd, [NAN, 2], [0, 0]),
        (np.nanmedian, [NAN, 2, 3, 5], [0, 0, 1, 0]),
        (lambda x: np.nansum(np.sqrt(x)), [-1, 4], [0, 0.25]),
        (np.fmax.reduce, [2, NAN, 2], [0.5, 0, 0.5]),
        (np.maximum.reduce, [2, 2, 2, 2], [0.25] * 4),
        (lambda x: np.maximum.accumulate(x)[2], [2, 2, 1], [0.5, 0.5, 0]),
        (np.hypot.reduce, [0, 0], [0, 0]),
        (lambda x: np.max(x, initial=2.0), [2, 1], [0, 0]),
        (lambda x: np.max(x, initial=2.0), [3, 1], [1, 0]),
        (np.std, [2], [0]),
        (lambda x: np.std(x, where=[True, True, False]), [2, 2, 5], [0, 0, 0]),
        (np.median, [1, 1, 2], [0, 1, 0]),
        (np.median, [1, NAN, 2], [0, 0, 0]),
        (lambda x: np.quantile([1.0, 2, 4], x[0]), [0.5], [4]),
        (lambda x: np.quantile([1.0, 2, 4], x[0]), [1], [0]),
    ],
)
def test_reductions(f, x, expected):
    np.testing.assert_allclose(gradient(f, x), expected, rtol=1e-15)


def test_std_that_is_nan():
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert np.isnan(jacobian(lambda x: np.std(x, ddof=1))(np.array([2.0]))).all()


@pytest.mark.parametrize(
    "f", [np.nanmean, np.nanvar, np.nanmax, np.nanmin, np.nanmedian, lambda x: np.nanquantile(x, 0.3)]
)
def test_all_nan(f):
    """NumPy's result and its warning, and the gradient 0."""
    x = Tensor(np.full(3, NAN), requires_grad=True)
    with pytest.warns(RuntimeWarning):
        f(x.data)
    with pytest.warns(RuntimeWarning):
        y = f(x)
    assert np.isnan(y.item())
    np.testing.assert_array_equal(gradients(y, [x])[0], [0, 0, 0])


def test_logsumexp_beside_infinity():
    np.testing.assert_array_equal(jacobian(logsumexp, mode="reverse")(np.array([INF, 0])), [math.nan, 0])


@pytest.mark.parametrize(
    "f",
    [
        *[lambda x, p=p: np.linalg.norm(x, ord=p) for p in (None, 1, 1.5, 2, 3, INF)],
        lambda x: np.linalg.norm(np.diag(x)),
        np.linalg.vector_norm,
        np.std,
        np.nanstd,
        lambda x: np.hypot(x[0], x[1]),
        lambda x: np.sum(np.abs(x + 1j * x)),
    ],
)
def test_second_derivatives_of_a_length_of_zero(f):
    """They are infinite along some directions; as at the corner of `abs`, the answer is 0."""
    x = np.zeros(3)
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(hessian(f)(x), np.zeros((3, 3)))
        np.testing.assert_array_equal(jvp(grad(f), x, np.ones(3))[1], np.zeros(3))
        np.testing.assert_array_equal(jvp(lambda x: jvp(f, x, x + 1)[1], x, np.ones(3))[1], 0)


def test_second_derivatives_of_distances_between_equal_points():
    def f(x):
        return np.sum(np.linalg.norm(x[:, None] - x[None], axis=-1))

    apart = np.array([[0.0, 0.0], [3.0, 4.0]])
    together = np.array([[0.0, 0.0], [3.0, 4.0], [3.0, 4.0]])
    h = hessian(f)(together)
    np.testing.assert_allclose(h[0, :, 0], 2 * hessian(f)(apart)[0, :, 0], rtol=1e-14)
    np.testing.assert_allclose(h[1, :, 1], hessian(f)(apart)[1, :, 1], rtol=1e-14)
    np.testing.assert_array_equal(h[1, :, 2], 0)


@pytest.mark.parametrize("x", [[2, 3, 5, 7], [2, 0, 5, 7], [0, 3, 0, 7], [0, 0, 0, 7]])
def test_products_with_zeros_to_second_order(x):
    """The second derivative along i and j is the product of the others: no division, so zeros do no harm."""
    x = np.array(x, dtype=float)
    n = len(x)
    expected = [[0 if i == j else np.prod(np.delete(x, [i, j])) for j in range(n)] for i in range(n)]
    np.testing.assert_allclose(hessian(np.prod)(x), expected, atol=1e-13)
    for k in range(n):
        np.testing.assert_allclose(
            hessian(lambda v, k=k: np.cumprod(v)[k])(x)[: k + 1, : k + 1],
            [[0 if i == j else np.prod(np.delete(x[: k + 1], [i, j])) for j in range(k + 1)] for i in range(k + 1)],
            atol=1e-13,
        )


@pytest.mark.parametrize("x", [[2, 3, 5], [2, 0, 5], [0, 3, 0], [0, 0, 0]])
def test_cumprod_with_zeros(x):
    x = np.array(x, dtype=float)
    expected = [[np.prod(np.delete(x[: k + 1], i)) if i <= k else 0 for i in range(3)] for k in range(3)]
    np.testing.assert_allclose(gradient(np.cumprod, x), expected)


# ---- a branch that was not taken: exactly 0, also where it is infinite or nan ----

BRANCHES = {
    "sqrt": (lambda x: np.where(x > 0, np.sqrt(x), 0), [0, -1, 4], [0, 0, 0.25], [0, 0, -1 / 32]),
    "x log x": (lambda x: np.where(x == 0, 0, x * np.log(x)), [0, 1], [0, 1], [0, 1]),
    "1 / x": (lambda x: np.where(x == 0, 0, 1 / x), [0, 2], [0, -0.25], [0, 0.25]),
    "x / |x|": (lambda x: np.where(x == 0, 0, x / np.abs(x)), [0, 2], [0, 0], [0, 0]),
    "arccosh": (lambda x: np.where(x < 1, 0, np.arccosh(np.where(x < 1, 1, x))), [0, 1.25], [0, 4 / 3], [0, -80 / 27]),
    "power": (lambda x: np.where(x > 0, x**-0.5, 1), [0, -1, 4], [0, 0, -1 / 16], [0, 0, 3 / 128]),
    "x**1.5": (lambda x: np.where(x > 0, x**1.5, 0), [0, 4], [0, 3], [0, 0.375]),
    "x sqrt x": (lambda x: np.where(x > 0, x * np.sqrt(x), 0), [0, 4], [0, 3], [0, 0.375]),
    "maximum at 1.5": (lambda x: np.maximum(x**1.5, 1), [0, 4], [0, 3], [0, 0.375]),
    "maximum": (lambda x: np.maximum(np.log(x), 0), [0, 1, 2], [0, 0, 0.5], [0, 0, -0.25]),
    "minimum": (lambda x: np.minimum(1 / x, 1), [0, 2], [0, -0.25], [0, 0.25]),
    "relu": (lambda x: relu(np.log(x)), [0, 2], [0, 0.5], [0, -0.25]),
    "clip": (lambda x: np.clip(np.log(x), -1, 1), [0, 2], [0, 0.5], [0, -0.25]),
    "fmax": (lambda x: np.fmax(np.log(x), 0), [0, 2], [0, 0.5], [0, -0.25]),
}


@pytest.mark.parametrize("name", BRANCHES)
def test_branch_not_taken(name):
    f, x, first, second = BRANCHES[name]
    np.testing.assert_allclose(derivative(f, x), first, rtol=1e-14)
    np.testing.assert_allclose(derivative(f, x, 2), second, rtol=1e-14)
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(np.diag(hessian(lambda x: np.sum(f(x)))(np.array(x, float))), second, rtol=1e-14)


@pytest.mark.parametrize(
    "f",
    [np.prod, np.std, lambda x: x @ x, lambda x: np.outer(x, x) @ x, np.cumprod, lambda x: np.einsum("i,i,i", x, x, x)],
)
def test_branch_not_taken_as_a_whole(f):
    """A whole result that was not taken, infinite or nan, gives exactly 0 through any operation; so in a batch."""

    def taken(x):
        return np.sum(np.where(np.isinf(x[0]), 1, f(x)))

    x, fine = np.array([INF, 1.0, 2.0]), np.array([3.0, 1.0, 2.0])
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(grad(taken)(x), [0, 0, 0])
        np.testing.assert_array_equal(hessian(taken)(x), np.zeros((3, 3)))
        np.testing.assert_allclose(vmap(grad(taken))(np.stack([x, fine])), [[0, 0, 0], grad(taken)(fine)])


@pytest.mark.parametrize(
    ("f", "expected"),
    [
        (lambda x: np.sqrt(x)[1], [0, 0.25]),
        (lambda x: np.sum(np.sqrt(x)[1:]), [0, 0.25]),
        (lambda x: np.sum(np.sqrt(x)[np.array([1, 1])]), [0, 0.5]),
        (lambda x: np.sum(np.sqrt(x)[np.array([False, True])]), [0, 0.25]),
        (lambda x: np.max(np.sqrt(x)), [0, 0.25]),
        (lambda x: -np.min(-np.sqrt(x)), [0, 0.25]),
    ],
)
def test_elements_not_chosen(f, expected):
    """Indexing, max and min choose as well: an infinite derivative of the others stays out."""
    np.testing.assert_array_equal(gradient(f, [0, 4]), expected)
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(np.diag(hessian(f)(np.array([0.0, 4.0]))), [0, -expected[1] / 8], rtol=1e-14)


def test_a_branch_that_was_taken_keeps_its_infinity():
    assert derivative(lambda x: np.where(x >= 0, np.sqrt(x), 0), 0) == INF


# ---- no warnings of our own ----


@pytest.mark.parametrize("f", [np.sqrt, np.cbrt, lambda x: x**0.5, lambda x: np.linalg.norm(x[None]), np.abs])
def test_derivative_at_zero_warns_of_nothing(f):
    """The forward pass is silent at 0, so backward is as well."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        elementwise_grad(f)(np.float64(0))
        jvp(f, np.float64(0), np.float64(1))


# ---- the table of what the others answer ----

HERE = {
    "abs(x)": np.abs,
    "maximum(x, 0)": lambda x: np.maximum(x, 0),
    "maximum(a, b)": lambda x: np.maximum(x[0], x[1]),
    "clip(x, 0, 1)": lambda x: np.clip(x, 0, 1),
    "x**0.": lambda x: x**0.0,
    "0**x": lambda x: 0.0**x,
    "sinc(x)": np.sinc,
    "hypot(x, 0)": lambda x: np.hypot(x, 0),
    "arctan2(x, 0)": lambda x: np.arctan2(x, 0),
    "logaddexp(x, -inf)": lambda x: np.logaddexp(x, -INF),
    "copysign(x, 1)": lambda x: np.copysign(x, 1),
    "fmax(x, nan)": lambda x: np.fmax(x, NAN),
    "max(x)": np.max,
    "ptp(x)": np.ptp,
    "nanmax(x)": np.nanmax,
    "nansum(sqrt(x))": lambda x: np.nansum(np.sqrt(x)),
    "nanmean(x)": np.nanmean,
    "median(x)": np.median,
    "prod(x)": np.prod,
    "sum(cumprod(x))": lambda x: np.sum(np.cumprod(x)),
    "norm(x)": np.linalg.norm,
    "std(x)": np.std,
    "where(x > 0, sqrt(x), 0)": lambda x: np.sum(np.where(x > 0, np.sqrt(x), 0)),
    "where(x == 0, 0, x log(x))": lambda x: np.sum(np.where(x == 0, 0, x * np.log(x))),
    "where(x == 0, 0, 1 / x)": lambda x: np.sum(np.where(x == 0, 0, 1 / x)),
}
ANSWERS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (Path(__file__).parent.parent / "docs" / "kinks.md").read_text().splitlines()
    if line.startswith("| `") and line.count("|") == 8
]


@pytest.mark.filterwarnings("ignore:Mean of empty slice")
@pytest.mark.parametrize("row", ANSWERS, ids=lambda row: f"{row[0]} at {row[1]}")
def test_our_column_of_the_answers(row):
    function, at, here = row[0].strip("`"), row[1], row[2]
    x = np.array([float(n) for n in at.split(",")])
    x = x if x.size > 1 or function == "std(x)" else x[0]
    with np.errstate(all="ignore"):
        g = grad(HERE[function])(x)
    np.testing.assert_array_equal(np.ravel(g), [float(n) for n in here.split(",")])


def test_every_function_of_the_answers_is_tested():
    assert {row[0].strip("`") for row in ANSWERS} == HERE.keys()
