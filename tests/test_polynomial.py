"""Polynomials and convolution: where NumPy trims, what it refuses, closed forms, and evaluation in other bases."""

import numpy as np
import pytest

from autograd import NotDifferentiableError, Tensor, grad, gradcheck, gradients, jacobian
from autograd.ops.polynomial import convolve

rng = np.random.default_rng(0)
BASES = np.polynomial
VALUES = [
    BASES.polynomial.polyval,
    BASES.chebyshev.chebval,
    BASES.legendre.legval,
    BASES.hermite.hermval,
    BASES.hermite_e.hermeval,
    BASES.laguerre.lagval,
]


def leaf(x):
    return Tensor(x, requires_grad=True)


# ---- convolution ----


@pytest.mark.parametrize("f", [np.convolve, np.correlate], ids=lambda f: f.__name__)
@pytest.mark.parametrize("mode", ["full", "same", "valid"])
def test_every_pair_of_lengths(f, mode):
    for n in range(1, 6):
        for k in range(1, 6):
            a, v = rng.standard_normal(n) + 1j * rng.standard_normal(n), rng.standard_normal(k) * (1 + 0.5j)
            x, y = leaf(a), leaf(v)
            np.testing.assert_allclose(f(x, y, mode).data, f(a, v, mode), rtol=1e-12, atol=1e-14)
            found = jacobian(lambda a, v=v.real: f(a, v, mode))(a.real)
            columns = np.stack([f(e, v.real, mode) for e in np.eye(n)], axis=1)
            np.testing.assert_allclose(found, columns, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    ("f", "arrays", "options"),
    [
        (np.convolve, (np.ones(3), np.ones(2)), {"mode": "half"}),
        (np.convolve, (np.ones((2, 2)), np.ones(2)), {}),
        (np.convolve, (np.ones(3), np.ones(0)), {}),
        (np.correlate, (np.float64(1), np.ones(2)), {}),
        (np.polyder, (np.ones(3),), {"m": -1}),
        (np.polyint, (np.ones(3),), {"m": -1}),
        (np.polyint, (np.ones(3),), {"m": 3, "k": [1.0, 2.0]}),
        (np.polydiv, (np.ones((2, 2)), np.ones(2)), {}),
        (np.polyval, (np.float64(1), np.ones(2)), {}),
        (np.vander, (np.ones((2, 2)),), {}),
        (np.vander, (np.ones(2),), {"N": -1}),
        (np.poly, (np.ones((2, 3)),), {}),
        (np.roots, (np.ones((2, 2)),), {}),
        (np.polyfit, (np.ones(3), np.ones(3)), {"deg": -1}),
        (np.polyfit, (np.ones((3, 1)), np.ones(3)), {"deg": 1}),
        (np.polyfit, (np.ones(3), np.ones(2)), {"deg": 1}),
        (np.polyfit, (np.ones(0), np.ones(0)), {"deg": 1}),
        (np.polyfit, (np.ones(3), np.ones(3)), {"deg": 1, "w": np.ones(2)}),
        (np.polyfit, (np.arange(2.0), np.ones(2)), {"deg": 1, "cov": True}),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_what_numpy_refuses_is_refused(f, arrays, options):
    with pytest.raises((TypeError, ValueError)) as refused:
        f(*arrays, **options)
    with pytest.raises(refused.type):
        f(*map(leaf, arrays), **options)


@pytest.mark.parametrize("mode", ["full", "valid"])
@pytest.mark.parametrize("lengths", [(5, 3), (2, 4)])
def test_a_hidden_axis(lengths, mode):
    """What vmap does with an axis in front is the loop over it."""
    a, v = (rng.standard_normal((6, n)) for n in lengths)
    loop = np.stack([np.convolve(*pair, mode) for pair in zip(a, v, strict=True)])
    np.testing.assert_allclose(convolve.batch(convolve, [a, v], {"mode": mode}), loop, rtol=1e-12, atol=1e-14)


# ---- what NumPy trims ----


def test_a_product_is_without_leading_zeros_and_they_still_have_a_gradient():
    a, b = np.array([0.0, 1, 2]), np.array([3.0, 4])
    y = np.polymul(leaf(a), b)
    np.testing.assert_array_equal(y.data, np.polymul(a, b))
    # (e x^2 + x + 2) (3 x + 4): e is in the coefficients of x^3, which is not there, and of x^2
    np.testing.assert_array_equal(jacobian(lambda a: np.polymul(a, b))(a), [[4, 3, 0], [0, 4, 3], [0, 0, 4]])
    np.testing.assert_array_equal(np.polymul(leaf(np.zeros(3)), b).data, np.polymul(np.zeros(3), b))


def test_division_gives_back_the_factor():
    u, v = np.array([1.0, 2, 3]), np.array([2.0, 1])
    q, r = np.polydiv(leaf(np.polymul(u, v)), v)
    np.testing.assert_allclose(q.data, u)
    assert r.shape == (1,)
    q, r = np.polydiv(leaf(v), u)
    np.testing.assert_array_equal(q, [0])
    np.testing.assert_array_equal(r.data, v)


# ---- closed forms ----


def test_sum_and_product_of_roots():
    """x^3 + a x^2 + b x + c: the roots add up to -a, their product is -c (Vieta)."""
    p = np.array([1.0, -6.5, 13, -8])
    np.testing.assert_allclose(grad(lambda p: np.sum(np.real(np.roots(p))))(p), [-6.5, -1, 0, 0], atol=1e-10)
    np.testing.assert_allclose(grad(lambda p: np.real(np.prod(np.roots(p))))(p), [-8, 0, 0, -1], atol=1e-10)


def test_roots_and_poly_undo_each_other():
    def there_and_back(zeros):
        return np.roots(np.poly(zeros))

    zeros = np.array([3.0, -2, 0.5])
    np.testing.assert_allclose(jacobian(there_and_back)(zeros), np.eye(3), atol=1e-12)
    gradcheck(there_and_back, zeros, order=3)


def test_roots_of_a_polynomial_with_zeros_at_both_ends():
    p = np.array([0.0, 1, -3, 2, 0])
    np.testing.assert_allclose(leaf_roots := np.roots(leaf(p)).data, np.roots(p))
    j = jacobian(np.roots)(p)
    for zero, row in zip(leaf_roots, j, strict=True):
        np.testing.assert_allclose(row, -(zero ** np.arange(4, -1, -1.0)) / np.polyval(np.polyder(p), zero), atol=1e-12)


def test_a_double_root_has_no_derivative():
    p = leaf(np.array([1.0, 0, 0]))
    with pytest.raises(NotDifferentiableError, match="multiple root"):
        gradients(np.sum(np.roots(p)), [p])


def test_complex_roots_of_a_real_polynomial_make_it_real():
    zeros = np.array([1 + 2j, 1 - 2j, 3])
    y = np.poly(leaf(zeros))
    assert y.dtype == float
    np.testing.assert_allclose(y.data, [1, -5, 11, -15])


def test_the_characteristic_polynomial_ends_in_the_determinant():
    a = rng.standard_normal((3, 3))
    np.testing.assert_allclose(grad(lambda a: -np.poly(a)[-1])(a), np.linalg.det(a) * np.linalg.inv(a).T, atol=1e-12)


# ---- fits ----


def test_a_fit_through_all_points_is_the_polynomial():
    x, c = np.array([-1.0, 0, 0.5, 2]), np.array([1.0, -2, 3])
    np.testing.assert_allclose(jacobian(lambda c: np.polyfit(x, np.polyval(c, x), 2))(c), np.eye(3), atol=1e-12)


def test_a_full_fit_gives_all_that_numpys_does():
    x, y = np.arange(5.0), rng.standard_normal(5)
    for ours, numpys in zip(np.polyfit(x, leaf(y), 1, full=True), np.polyfit(x, y, 1, full=True), strict=True):
        np.testing.assert_allclose(getattr(ours, "data", ours), numpys)
    residual = grad(lambda y: np.sum(np.polyfit(x, y, 1, full=True)[1]))(y)
    np.testing.assert_allclose(residual, 2 * (y - np.polyval(np.polyfit(x, y, 1), x)))


def test_points_that_do_not_determine_the_coefficients():
    with pytest.warns(np.exceptions.RankWarning):
        np.polyfit(np.ones(3), leaf(np.arange(3.0)), 1)


# ---- np.polynomial, np.poly1d: plain Python that a Tensor goes through by its operators ----


@pytest.mark.parametrize("f", VALUES, ids=lambda f: f.__name__)
def test_evaluation_in_other_bases(f):
    c = rng.standard_normal(5)
    x = rng.uniform(-0.9, 0.9, 3)
    np.testing.assert_allclose(f(leaf(x), c).data, f(x, c), rtol=1e-14)
    gradcheck(lambda x: f(x, c), x, order=2)
    with pytest.raises(TypeError, match="would lose its gradient"):
        f(x, leaf(c))


def test_poly1d():
    p, x = np.poly1d([1.0, 2, 3]), np.array([0.5, 2])
    np.testing.assert_allclose(grad(lambda x: np.sum(p(x)))(x), 2 * x + 2)
    for f in (np.polyadd, np.polymul, np.polyval):
        with pytest.raises(NotDifferentiableError, match="coefficients"):
            f(leaf(x), p)
