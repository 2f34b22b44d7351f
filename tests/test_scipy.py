"""autograd.scipy: values are SciPy's, derivatives are those of SciPy's values; and the edges."""

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("scipy", reason="the extra scipy is not installed")

import scipy.integrate
import scipy.interpolate
import scipy.linalg
import scipy.signal
import scipy.special as sp
import scipy.stats

from autograd import NotDifferentiableError, Tensor, grad, gradcheck, jacobian, jvp
from autograd.scipy import integrate, interpolate, linalg, signal, special, stats

RNG = np.random.default_rng(0)


def leaf(x):
    return Tensor(np.asarray(x, float), requires_grad=True)


def check(ours, plain, *xs, order=2):
    """The value on Tensors is SciPy's on arrays; the derivatives are those of SciPy's values by differences."""
    y = ours(*[leaf(x) for x in xs])
    np.testing.assert_allclose(y.data, plain(*xs), rtol=1e-10, atol=1e-12)
    gradcheck(ours, *[np.asarray(x, float) for x in xs], order=order)


# ---- special ----

A = RNG.uniform(-2, 2, (3, 4))
MIXED_WEIGHTS = np.array([[1.0, -0.5, 0.0, 2.0], [3.0, 1.0, 1.0, -0.1], [-0.2, 0.1, -1.0, 0.5]])


@pytest.mark.parametrize(
    ("name", "kwargs", "xs"),
    [
        ("logsumexp", {}, [A]),
        ("logsumexp", {"axis": 0}, [A]),
        ("logsumexp", {"axis": (0, 1), "keepdims": True}, [A]),
        ("softmax", {}, [A]),
        ("softmax", {"axis": (0, 1)}, [A]),
        ("log_softmax", {}, [A]),
        ("log_softmax", {"axis": 1}, [A]),
        ("multigammaln", {"d": 3}, [np.abs(A) + 1.5]),
        ("factorial", {}, [np.abs(A)]),
    ],
)
def test_functions_that_are_no_ufuncs(name, kwargs, xs):
    check(lambda x: getattr(special, name)(x, **kwargs), lambda x: getattr(sp, name)(x, **kwargs), *xs)


def test_polygamma_and_zeta():
    x = np.array([0.5, 1.5])
    check(lambda x: special.polygamma(2, x), lambda x: sp.polygamma(2, x), x)
    check(lambda q: special.zeta(3, q), lambda q: sp.zeta(3, q), x)
    assert special.zeta(2.0) == sp.zeta(2.0)
    with pytest.raises(NotDifferentiableError, match="zeta"):
        special.zeta(leaf(2.0))


@pytest.mark.parametrize("axis", [None, 0, 1])
def test_logsumexp_with_weights(axis):
    check(
        lambda a, b: special.logsumexp(a, axis=axis, b=b),
        lambda a, b: sp.logsumexp(a, axis=axis, b=b),
        A,
        np.abs(A) + 0.1,
    )
    y, sign = special.logsumexp(leaf(A), axis=axis, b=MIXED_WEIGHTS, return_sign=True)
    expected, plain_sign = sp.logsumexp(A, axis=axis, b=MIXED_WEIGHTS, return_sign=True)
    np.testing.assert_allclose(y.data, expected, rtol=1e-13)
    np.testing.assert_array_equal(sign, plain_sign)
    gradcheck(lambda a: special.logsumexp(a, axis=axis, b=MIXED_WEIGHTS, return_sign=True)[0], A)


def test_logsumexp_at_infinity():
    x = np.array([-math.inf, 1.0, 2.0])
    assert grad(special.logsumexp)(x)[0] == 0
    assert np.all(grad(special.logsumexp)(np.full(3, -math.inf)) == 0)
    assert np.all(grad(lambda a: special.logsumexp(a, b=np.ones(3)))(np.full(3, -math.inf)) == 0)
    # weight 0 wins over an infinite element, as in SciPy
    y = special.logsumexp(leaf([math.inf, 1.0]), b=np.array([0.0, 1.0]))
    assert y.item() == 1
    assert np.isnan(special.logsumexp(leaf([1.0, 0.0]), b=np.array([-1.0, 1.0])).item())


@pytest.mark.parametrize(
    ("f", "x", "first"),
    [
        (lambda x: sp.xlogy(x, 3.0), 0.0, math.log(3)),
        (lambda x: sp.xlogy(0.0, x), 0.0, 0.0),
        (lambda x: sp.xlog1py(0.0, x), -1.0, 0.0),
        (lambda x: sp.rel_entr(0.0, x), 0.0, 0.0),
        (lambda x: sp.kl_div(0.0, x), 0.0, 1.0),
        (sp.entr, 0.0, math.inf),
        (sp.log_ndtr, -1e4, 1e4),
        (sp.log_ndtr, 50.0, 0.0),
        (sp.erfinv, 1.0, math.inf),
        (sp.erfinv, -1.0, math.inf),
        (sp.ndtri, 0.0, math.inf),
        (sp.expit, 1e4, 0.0),
        (sp.expit, -1e4, 0.0),
        (sp.expit, 40.0, math.exp(-40)),
        (sp.log_expit, -1e4, 1.0),
        (sp.logit, 0.0, math.inf),
        (sp.rgamma, 0.0, 1.0),
        (sp.rgamma, -2.0, 2.0),
        (sp.j1, 0.0, 0.5),
        (sp.i1, 0.0, 0.5),
        (lambda x: sp.sici(x)[0], 0.0, 1.0),
        (lambda x: sp.gammainc(2.0, x), 0.0, 0.0),
        (lambda a: sp.gammainc(a, 0.0), 2.0, 0.0),
    ],
)
def test_edges(f, x, first):
    with np.errstate(all="ignore"):
        assert grad(f)(x) == pytest.approx(first, rel=1e-7, abs=1e-300)
        assert jvp(f, x, 1.0)[1] == pytest.approx(first, rel=1e-7, abs=1e-300)
        second = grad(grad(f))(x)
    assert not np.isnan(second)


def test_log_ndtr_far_to_the_left():
    """-x - 1/x + 2/x^3 for large -x."""
    for x in (-30.0, -1e3, -1e5):
        assert grad(sp.log_ndtr)(x) == pytest.approx(-x - 1 / x + 2 / x**3, rel=1e-7)


def test_gammainc_and_its_parameter_in_the_tails():
    """The recurrence P(a, x) - P(a + 1, x) = x^a exp(-x) / gamma(a + 1), differentiated by a."""
    for a, x in ((0.3, 1e-5), (1.0, 30.0), (50.0, 20.0), (200.0, 240.0), (2.0, 2000.0)):
        d = grad(lambda a, x=x: sp.gammainc(a, x) - sp.gammainc(a + 1, x))(a)
        expected = math.exp(a * math.log(x) - x - math.lgamma(a + 1)) * (math.log(x) - sp.digamma(a + 1))
        assert d == pytest.approx(expected, rel=1e-8, abs=1e-13)


def test_a_ufunc_of_scipys_needs_no_import_of_ours():
    code = "import scipy.special as sp, autograd as a; print(a.grad(sp.erf)(0.0), a.grad(a.grad(sp.gammaln))(1.0))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    first, second = map(float, run.stdout.split())
    assert (first, second) == (pytest.approx(2 / math.sqrt(math.pi)), pytest.approx(math.pi**2 / 6))


ROOT = Path(__file__).parent.parent


def test_what_has_no_rule_raises():
    for f in (
        lambda x: sp.wofz(x),
        lambda x: sp.jv(x, 2.0),
        lambda x: sp.betainc(x, 2.0, 0.5),
        lambda x: sp.ellipk(x),
        lambda x: sp.erf(x, out=np.zeros(())),
    ):
        with pytest.raises(TypeError):
            f(leaf(0.5))
    with pytest.raises(NotDifferentiableError, match=r"scipy\.special\.ellipk"):
        sp.ellipk(leaf(0.5))


# ---- stats ----

X = np.array([0.3, 0.8, 1.7])
CONTINUOUS = {
    "norm": (),
    "t": (3.5,),
    "gamma": (2.5,),
    "beta": (2.5, 1.5),
    "chi2": (3.0,),
    "expon": (),
    "uniform": (),
    "laplace": (),
    "logistic": (),
    "cauchy": (),
    "lognorm": (0.7,),
}
METHODS = ["pdf", "logpdf", "cdf", "logcdf", "sf", "logsf"]
REFUSED = {("t", 0), ("beta", 0), ("beta", 1)}  # shapes inside an incomplete beta function


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", CONTINUOUS)
def test_continuous_distributions(name, method):
    ours, plain = (getattr(getattr(module, name), method) for module in (stats, scipy.stats))
    shapes = CONTINUOUS[name]
    z = X / 2 if name in ("beta", "uniform") else X
    if method in ("pdf", "logpdf") or not any((name, k) in REFUSED for k in range(len(shapes))):
        check(ours, plain, z * 1.3 + 0.1, *map(np.array, (*shapes, 0.1, 1.3)))
        return
    check(
        lambda x, loc, scale: ours(x, *shapes, loc, scale),
        lambda x, *p: plain(x, *shapes, *p),
        z,
        *map(np.array, (-0.1, 1.3)),
    )
    with pytest.raises(NotDifferentiableError):
        ours(z, leaf(shapes[0]), *shapes[1:])


@pytest.mark.parametrize("name", CONTINUOUS)
def test_outside_the_support(name):
    shapes = CONTINUOUS[name]
    x = np.array([-0.5, 0.0, 0.5, 1.0, 1.5, np.nan])
    for method in METHODS:
        with np.errstate(all="ignore"):
            y = getattr(getattr(stats, name), method)(leaf(x), *shapes)
            np.testing.assert_allclose(
                y.data, getattr(getattr(scipy.stats, name), method)(x, *shapes), rtol=1e-10, atol=1e-15
            )
            g = grad(lambda x, method=method: np.sum(getattr(getattr(stats, name), method)(x, *shapes)[[0, 2]]))(x)
        assert np.all(np.isfinite(g[[0, 2]]))
        if getattr(scipy.stats, name)(*shapes).support()[0] == 0:
            assert g[0] == 0


@pytest.mark.parametrize("name", list(CONTINUOUS))
def test_entropies(name):
    ours, plain = getattr(stats, name).entropy, getattr(scipy.stats, name).entropy
    check(ours, plain, *map(np.array, (*CONTINUOUS[name], 0.3, 1.7)))


@pytest.mark.parametrize(
    ("name", "k", "whole", "p"),
    [("poisson", [0, 1, 4], (), 2.3), ("bernoulli", [0, 1, 1], (), 0.3), ("binom", [0, 2, 5], (5,), 0.4)],
)
@pytest.mark.parametrize("method", ["pmf", "logpmf", "cdf", "logcdf", "sf", "logsf"])
def test_discrete_distributions(name, k, whole, p, method):
    k = np.array(k if not method.startswith("log") or "sf" not in method else k[:1] * 2)
    ours, plain = (getattr(getattr(module, name), method) for module in (stats, scipy.stats))
    check(lambda p: ours(k, *whole, p), lambda p: plain(k, *whole, p), np.array(p))
    outside = np.array([-1, 0.5, 99])
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(ours(outside, *whole, leaf(p)).data, plain(outside, *whole, p), rtol=1e-10)
    with pytest.raises(NotDifferentiableError, match="whole numbers"):
        ours(leaf(1.0), *whole, p)


def test_densities_at_the_ends_of_the_support():
    """There the logarithm of the density has no derivative, while the density may have one."""
    for a, slope, curvature in ((2.0, 1.0, -2.0), (3.0, 0.0, 1.0), (1.0, -1.0, 1.0)):
        with np.errstate(all="ignore"):
            f = lambda x, a=a: stats.gamma.pdf(x, a)
            assert grad(f)(0.0) == pytest.approx(slope)
            assert grad(grad(f))(0.0) == pytest.approx(curvature)
            assert grad(lambda x, a=a: stats.chi2.pdf(x, 2 * a))(0.0) == pytest.approx(slope / 4)
    with np.errstate(all="ignore"):
        assert grad(lambda x: stats.beta.pdf(x, 2.0, 3.0))(0.0) == pytest.approx(12)
        assert grad(lambda x: stats.beta.pdf(x, 2.0, 3.0))(1.0) == pytest.approx(0)


def test_invalid_parameters_give_nan():
    assert np.isnan(stats.norm.logpdf(0.0, 0.0, leaf(-1.0)).item())
    assert np.isnan(stats.gamma.pdf(1.0, leaf(-1.0)).item())
    with pytest.raises(TypeError, match="loc"):
        stats.norm.pdf(leaf(0.0), mean=2)
    with pytest.raises(TypeError, match="'a'"):
        stats.gamma.pdf(leaf(0.0))


def test_dirichlet():
    alpha = np.array([1.5, 2.0, 3.0])
    raw = RNG.uniform(0.2, 1, (3, 2))

    def with_(module):
        return lambda raw, alpha: module.dirichlet.logpdf(raw / np.sum(raw, axis=0), alpha)

    check(with_(stats), with_(scipy.stats), raw, alpha)
    short = np.array([0.2, 0.3])
    for method in ("logpdf", "pdf"):
        ours, plain = (getattr(module.dirichlet, method) for module in (stats, scipy.stats))
        check(ours, plain, short, alpha)
    check(stats.dirichlet.entropy, scipy.stats.dirichlet.entropy, alpha)
    with pytest.raises(ValueError, match="alpha"):
        stats.dirichlet.logpdf(leaf(short), np.ones(5))


@pytest.mark.parametrize("shape", [(3,), (4, 3), (2, 4, 3)])
def test_multivariate_normal(shape):
    x, mean, root = RNG.normal(size=shape), RNG.normal(size=3), RNG.normal(size=(3, 3))

    def with_(module, method):
        return lambda x, mean, root: getattr(module.multivariate_normal, method)(x, mean, root @ root.T + np.eye(3))

    for method in ("logpdf", "pdf"):
        check(with_(stats, method), with_(scipy.stats, method), x, mean, root)


def test_multivariate_normal_in_other_forms():
    x = RNG.normal(size=(4, 3))
    ours, plain = (module.multivariate_normal.logpdf for module in (stats, scipy.stats))

    check(lambda x, d: ours(x, np.ones(3), d), lambda x, d: plain(x, np.ones(3), d), x, np.array([1.0, 2.0, 0.5]))
    check(lambda x, c: ours(x, np.zeros(3), c), lambda x, c: plain(x, np.zeros(3), c), x, np.array(2.0))
    check(lambda x, m, c: ours(x, m, c), lambda x, m, c: plain(x, m, c), x[:, 0], np.array(0.3), np.array(2.0))
    cov = np.diag([1.0, 2.0, 0.5]) + 0.1
    entropy, plain_entropy = (module.multivariate_normal.entropy for module in (stats, scipy.stats))
    check(lambda c: entropy(None, (c + c.T) / 2), lambda c: plain_entropy(None, (c + c.T) / 2), cov)
    g = grad(lambda c: np.sum(ours(x, None, c)))(cov)
    np.testing.assert_allclose(g, g.T, atol=1e-12)
    thin = np.array([[2.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
    flat = x * np.array([1.0, 1.0, 0.0])
    to_plane = lambda x: x * np.array([1.0, 1.0, 0.0])
    check(lambda x: ours(to_plane(x), None, thin, True), lambda x: plain(to_plane(x), None, thin, True), flat)
    np.testing.assert_array_equal(ours(leaf(x), None, thin, True).data, plain(x, None, thin, True))  # -inf
    with pytest.raises(NotDifferentiableError, match="singular"):
        ours(flat, None, leaf(thin), allow_singular=True)


def test_distributions_as_modules_and_what_scipy_has_besides():
    code = (
        "import autograd.scipy.stats.norm as norm, autograd.scipy.stats.multivariate_normal as mvn\n"
        "from autograd.scipy.stats import t\n"
        "print(norm.pdf(0.0), norm.ppf(0.5), mvn.logpdf([0.0], [0.0], [[1.0]]), t.pdf(0.0, 1.0))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    np.testing.assert_allclose(
        [float(v) for v in run.stdout.split()], [0.39894228, 0, -0.91893853, 1 / math.pi], rtol=1e-7
    )
    assert stats.norm(1.0, 2.0).mean() == 1
    with pytest.raises(NotDifferentiableError, match="freezing"):
        stats.norm(leaf(1.0))
    with pytest.raises(TypeError):
        stats.norm.ppf(leaf(0.5))


def test_float32_is_kept():
    x = Tensor(np.float32([0.5, 1.5]), requires_grad=True)
    for f in (stats.norm.logpdf, stats.norm.cdf, stats.laplace.pdf, lambda x: stats.gamma.logpdf(x, 2.0)):
        assert f(x).dtype == np.float32


# ---- linalg ----

SQUARE = RNG.normal(size=(4, 4)) + 3 * np.eye(4)
POSITIVE = SQUARE @ SQUARE.T
VECTOR, MATRIX = RNG.normal(size=4), RNG.normal(size=(4, 2))


@pytest.mark.parametrize("b", [VECTOR, MATRIX], ids=["vector", "matrix"])
def test_solutions_by_factors(b):
    for trans in (0, 1):
        check(
            lambda a, b, trans=trans: linalg.lu_solve(linalg.lu_factor(a), b, trans),
            lambda a, b, trans=trans: scipy.linalg.lu_solve(scipy.linalg.lu_factor(a), b, trans),
            SQUARE[::-1],
            b,
        )
    for lower in (False, True):
        check(
            lambda r, b, lower=lower: linalg.cho_solve(linalg.cho_factor(r @ r.T, lower), b),
            lambda r, b: np.linalg.solve(r @ r.T, b),
            SQUARE,
            b,
        )
    check(linalg.solve, scipy.linalg.solve, SQUARE, b)


@pytest.mark.parametrize("trans", [0, 1, 2, "N", "T", "C"])
def test_complex_solutions(trans):
    """All through the conjugates: against the dense solution with NumPy's solve."""
    a, b = SQUARE + 1j * RNG.normal(size=(4, 4)), VECTOR + 1j * VECTOR[::-1]
    turned = {0: lambda a: a, "N": lambda a: a, 1: lambda a: a.T, "T": lambda a: a.T}.get(trans, lambda a: np.conj(a.T))

    def loss(f):
        return lambda a, b: np.sum(np.abs(f(a, b)) ** 2)

    dense = loss(lambda a, b: np.linalg.solve(turned(np.tril(a)), b))
    ours = loss(lambda a, b: linalg.solve_triangular(a, b, trans, lower=True))
    for k in (0, 1):
        np.testing.assert_allclose(grad(ours, k)(a, b), grad(dense, k)(a, b), rtol=1e-9, atol=1e-12)
    if trans in (0, 1, 2):
        dense = loss(lambda a, b: np.linalg.solve(turned(a), b))
        ours = loss(lambda a, b: linalg.lu_solve(linalg.lu_factor(a), b, trans))
        for k in (0, 1):
            np.testing.assert_allclose(grad(ours, k)(a, b), grad(dense, k)(a, b), rtol=1e-8, atol=1e-12)
        h = a @ a.conj().T
        ours = loss(lambda a, b: linalg.cho_solve(linalg.cho_factor(a @ np.conj(a.T)), b))
        dense = loss(lambda a, b: np.linalg.solve(a @ np.conj(a.T), b))
        assert np.allclose(linalg.cho_solve(linalg.cho_factor(h), b), np.linalg.solve(h, b))
        for k in (0, 1):
            np.testing.assert_allclose(grad(ours, k)(a, b), grad(dense, k)(a, b), rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("lower", [False, True])
def test_cholesky(lower):
    check(lambda r: linalg.cholesky(r @ r.T, lower), lambda r: scipy.linalg.cholesky(r @ r.T, lower), SQUARE)
    one_sided = np.tril(POSITIVE) if lower else np.triu(POSITIVE)  # the other triangle is not looked at
    np.testing.assert_allclose(linalg.cholesky(leaf(one_sided), lower).data, scipy.linalg.cholesky(POSITIVE, lower))


def test_equations_of_lyapunov():
    a, q = SQUARE / 8, POSITIVE
    for name in ("solve_continuous_lyapunov", "solve_discrete_lyapunov"):
        check(getattr(linalg, name), getattr(scipy.linalg, name), a, q)
    c = a + 0.1j * a.T
    for name in ("solve_continuous_lyapunov", "solve_discrete_lyapunov"):
        y = getattr(linalg, name)(Tensor(c), q.astype(complex))
        np.testing.assert_allclose(y.data, getattr(scipy.linalg, name)(c, q.astype(complex)), rtol=1e-9)


def test_matrices_made_of_others():
    check(linalg.block_diag, scipy.linalg.block_diag, SQUARE, VECTOR, MATRIX, np.array(2.0))
    check(linalg.toeplitz, scipy.linalg.toeplitz, VECTOR, VECTOR[:3] * 2)
    check(linalg.toeplitz, scipy.linalg.toeplitz, VECTOR)
    with pytest.raises(ValueError, match="matrices"):
        linalg.block_diag(leaf(np.ones((2, 2, 2))))


def test_banded_as_dense():
    ab = RNG.normal(size=(4, 5))
    ab[1] += 5
    i, j = np.indices((5, 5))
    inside = (i - j <= 2) & (j - i <= 1)

    def dense(ab, b):
        return np.linalg.solve(np.where(inside, ab[np.clip(1 + i - j, 0, 3), j], 0), b)

    b = RNG.normal(size=5)
    np.testing.assert_allclose(linalg.solve_banded((2, 1), leaf(ab), b).data, dense(ab, b))
    for k in (0, 1):
        ours = jacobian(lambda ab, b: linalg.solve_banded((2, 1), ab, b), k)(ab, b)
        np.testing.assert_allclose(ours, jacobian(dense, k)(ab, b), rtol=1e-9, atol=1e-12)


def test_a_square_root_that_turns_complex():
    x = np.array([[1.0, 2.0], [0.5, -3.0]])
    y = linalg.sqrtm(leaf(x))
    np.testing.assert_allclose((y @ y).data, x, atol=1e-12)
    f = lambda x: np.sum(np.abs(linalg.sqrtm(x)) ** 2)
    gradcheck(f, x)


def test_expm_is_the_flow_to_third_order():
    """expm(t a) by t: a, a^2, a^3 times expm."""
    a = SQUARE / 5
    f = lambda t: linalg.expm(t * a)[0, 1]
    for k in range(4):
        assert f(0.7) == pytest.approx((np.linalg.matrix_power(a, k) @ scipy.linalg.expm(0.7 * a))[0, 1])
        f = grad(f)


def test_wrong_shapes_in_linalg():
    for f in (
        lambda: linalg.solve_triangular(leaf(np.ones((2, 3, 3))), np.ones(3)),
        lambda: linalg.solve_triangular(leaf(np.eye(3)), np.ones(3), trans=5),
        lambda: linalg.lu_factor(leaf(np.ones((2, 3)))),
    ):
        with pytest.raises(ValueError):
            f()


# ---- signal ----


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize("shapes", [((7,), (3,)), ((3,), (6,)), ((4,), (4,)), ((4, 5), (2, 3)), ((2, 3), (4, 3))])
def test_convolutions(shapes, mode):
    a, b = (RNG.normal(size=s) for s in shapes)
    for name in ("convolve", "fftconvolve", "correlate"):
        ours, plain = getattr(signal, name), getattr(scipy.signal, name)
        check(lambda a, b, f=ours: f(a, b, mode=mode), lambda a, b, f=plain: f(a, b, mode=mode), a, b)
    np.testing.assert_allclose(signal.convolve(a, b, mode), scipy.signal.convolve(a, b, mode))


def test_convolution_as_a_layer_of_a_network():
    """HIPS autograd's axes and dot_axes: images (n, channels, h, w), filters (channels, out, h, w)."""
    images, filters = RNG.normal(size=(2, 3, 5, 6)), RNG.normal(size=(3, 4, 2, 3))

    def layer(images, filters):
        return signal.convolve(images, filters, axes=([2, 3], [2, 3]), dot_axes=([1], [0]), mode="valid")

    def by_hand(images, filters):
        return np.stack(
            [
                [sum(scipy.signal.convolve(x[c], filters[c, o], "valid") for c in range(3)) for o in range(4)]
                for x in images
            ]
        )

    assert layer(images, filters).shape == (2, 4, 4, 4)
    check(layer, by_hand, images, filters)


def test_long_convolutions_by_fourier_transform():
    a, b = RNG.normal(size=2000), RNG.normal(size=900)
    for x, y in ((a, b), (a + 1j * a[::-1], b)):
        np.testing.assert_allclose(signal.convolve(Tensor(x), y).data, np.convolve(x, y), atol=1e-10)
    g = grad(lambda b: np.sum(signal.convolve(a, b, mode="valid") ** 2))(b)
    expected = 2 * np.correlate(a, np.convolve(a, b, "valid"), "valid")
    np.testing.assert_allclose(g, expected[::-1], rtol=1e-9)


def test_wrong_convolutions():
    x = leaf(np.ones((3, 4)))
    for f in (
        lambda: signal.convolve(x, np.ones((4, 3)), mode="valid"),
        lambda: signal.convolve(x, np.ones(3)),
        lambda: signal.convolve(x, np.ones((2, 2)), mode="half"),
        lambda: signal.convolve(x, np.ones((2, 2)), method="slow"),
        lambda: signal.convolve(x, np.ones((0, 2))),
    ):
        with pytest.raises(ValueError):
            f()
    with pytest.raises(TypeError, match="axes"):
        signal.fftconvolve(x, np.ones((3, 4)), axes=0)
    assert signal.convolve(leaf(2.0), leaf(3.0)).item() == 6


# ---- integrate ----

TIMES = np.array([0.1, 0.5, 1.0])
TIGHT = {"rtol": 1e-11, "atol": 1e-11}


def pendulum(y, t, k, drive):
    return np.stack([y[1], -k[0] * np.sin(y[0]) - k[1] * y[1] + drive["w"] * np.sin(t)])


PENDULUM = [np.array([1.0, 0.5]), TIMES, np.array([0.7, 0.4]), np.array(0.3)]


def by_odeint(y0, t, k, w):
    return integrate.odeint(pendulum, y0, t, (k, {"w": w}), **TIGHT)


def by_solve_ivp(y0, t, k, w, method="RK45"):
    fun = lambda t, y, *args: pendulum(y, t, *args)
    return integrate.solve_ivp(fun, (t[0], t[-1]), y0, method, t_eval=t, args=(k, {"w": w}), **TIGHT).y.T


@pytest.mark.parametrize("solve", [by_odeint, by_solve_ivp])
def test_ode_by_everything(solve):
    np.testing.assert_allclose(
        solve(*PENDULUM),
        scipy.integrate.odeint(pendulum, PENDULUM[0], TIMES, (PENDULUM[2], {"w": 0.3}), **TIGHT),
        rtol=1e-8,
    )
    gradcheck(by_odeint, *PENDULUM, order=1)
    if solve is by_solve_ivp:  # the ends move with t, so differences of t_eval alone leave the span
        gradcheck(
            lambda y0, t, k, w: solve(y0, np.concatenate([[0.1], t, [1.0]]), k, w),
            PENDULUM[0],
            TIMES[1:2],
            *PENDULUM[2:],
            order=1,
        )


def test_ode_to_second_order():
    y0, t, k, w = PENDULUM
    gradcheck(lambda y0, k: by_odeint(y0, t[:2], k, w)[-1], y0, k, order=2, rtol=1e-5, atol=1e-5)


def test_linear_ode_is_expm():
    a, y0 = SQUARE / 4, VECTOR

    def ours(a, y0, t):
        return integrate.odeint(lambda y, t, a: a @ y, y0, np.stack([0.0 * t, t]), (a,), **TIGHT)[1]

    def closed(a, y0, t):
        return linalg.expm(t * a) @ y0

    for k in (0, 1, 2):
        np.testing.assert_allclose(jacobian(ours, k)(a, y0, 0.8), jacobian(closed, k)(a, y0, 0.8), rtol=1e-7, atol=1e-8)


def test_solve_ivp_without_times_and_backwards():
    f = lambda k: integrate.solve_ivp(lambda t, y, k: -k * y, (0.0, 2.0), [1.0], args=(k,), **TIGHT)
    assert f(0.5).y[0, -1] == pytest.approx(math.exp(-1))
    assert grad(lambda k: f(k).y[0, -1])(0.5) == pytest.approx(-2 * math.exp(-1))
    end = lambda t: integrate.solve_ivp(lambda t, y: -y, (0.0, t), [1.0], **TIGHT).y[0, -1]
    assert grad(end)(1.0) == pytest.approx(-math.exp(-1))
    back = lambda y: integrate.solve_ivp(lambda t, y: -y, (1.0, 0.0), [y], t_eval=[1.0, 0.5, 0.0], **TIGHT).y[0]
    np.testing.assert_allclose(jacobian(back)(2.0), np.exp([0, 0.5, 1]), rtol=1e-8)
    with pytest.raises(ValueError, match="t_span"):
        integrate.solve_ivp(lambda t, y: -y, (0, 1), leaf([1.0]), t_eval=[2.0])


def test_odeint_tfirst_and_plain_arrays():
    y = integrate.odeint(lambda t, y: -y, 1.0, [0.0, 1.0], tfirst=True)
    np.testing.assert_allclose(y, scipy.integrate.odeint(lambda y, t: -y, 1.0, [0.0, 1.0]))
    g = grad(lambda k: integrate.odeint(lambda t, y, k: -k * y, 1.0, [0.0, 1.0], k, tfirst=True)[1, 0])(1.0)
    assert g == pytest.approx(-math.exp(-1), rel=1e-6)


def test_integrals():
    def plain(a, b, k):
        return scipy.integrate.quad(lambda x: np.exp(-k[0] * x) * np.cos(k[1] * x), a, b, epsabs=1e-12, epsrel=1e-12)[0]

    def ours(a, b, k):
        f = lambda x, k: np.exp(-k[0] * x) * np.cos(k[1] * x)
        return integrate.quad(f, a, b, (k,), epsabs=1e-12, epsrel=1e-12)[0]

    check(ours, plain, np.array(0.1), np.array(1.3), np.array([0.7, 2.0]))
    gaussian = lambda s: integrate.quad(lambda x, s: np.exp(-s * x * x), -math.inf, math.inf, s)[0]
    assert gaussian(2.0) == pytest.approx(math.sqrt(math.pi / 2))
    assert grad(gaussian)(2.0) == pytest.approx(-math.sqrt(math.pi / 2) / 4)
    assert grad(grad(gaussian))(2.0) == pytest.approx(math.sqrt(math.pi) * 0.75 * 2**-2.5)


def test_what_integrate_refuses():
    k = leaf(1.0)
    for f, match in (
        (lambda: integrate.odeint(lambda y, t: -k * y, leaf([1.0]), [0, 1]), "args"),
        (lambda: integrate.odeint(lambda y, t: -k * y, [1.0], [0, 1]), "args"),
        (lambda: integrate.odeint(lambda y, t: -y, leaf([1.0]), [0, 1], full_output=True), "full_output"),
        (lambda: integrate.solve_ivp(lambda t, y: -k * y, (0, 1), [1.0]), "args"),
        (lambda: integrate.solve_ivp(lambda t, y: -y, (0, 1), leaf([1.0]), events=[]), "events"),
        (lambda: integrate.solve_ivp(lambda t, y: -y, (0, 1), leaf([1.0]), jac=None), "jac"),
        (lambda: integrate.quad(lambda x: k * x, 0, 1), "args"),
        (lambda: integrate.quad(lambda x, k: k * x, 0, 1, k, weight="cos"), "weight"),
    ):
        with pytest.raises(NotDifferentiableError, match=match):
            f()
    with pytest.raises(ValueError, match="one number"):
        integrate.quad(lambda x, k: np.stack([k, k]), 0, 1, k)


# ---- interpolate ----

KNOTS = np.linspace(0, 3, 7)
DATA = {"1d": np.cos(KNOTS), "2d": RNG.normal(size=(7, 2)), "last": RNG.normal(size=(2, 7))}
AT = np.array([[0.3, 1.2], [2.9, 1.7]])


@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize(
    "make",
    [
        lambda m, y, axis: m.CubicSpline(KNOTS, y, axis),
        lambda m, y, axis: m.CubicSpline(KNOTS, y, axis, bc_type="natural"),
        lambda m, y, axis: m.make_interp_spline(KNOTS, y, 3, axis=axis),
        lambda m, y, axis: m.interp1d(KNOTS, y, "cubic", axis),
        lambda m, y, axis: m.interp1d(KNOTS[::-1], y, axis=axis),
    ],
    ids=["cubic", "natural", "bspline", "interp1d", "linear"],
)
def test_interpolation_by_data_and_place(make, data):
    axis = 1 if data == "last" else 0
    check(lambda y, x: make(interpolate, y, axis)(x), lambda y, x: make(scipy.interpolate, y, axis)(x), DATA[data], AT)
    check(lambda x: make(interpolate, DATA[data], axis)(x), lambda x: make(scipy.interpolate, DATA[data], axis)(x), AT)


@pytest.mark.parametrize("name", ["PchipInterpolator", "Akima1DInterpolator"])
def test_curves_that_are_not_linear_in_their_data(name):
    y = DATA["1d"]
    check(
        lambda x: getattr(interpolate, name)(KNOTS, y)(x), lambda x: getattr(scipy.interpolate, name)(KNOTS, y)(x), AT
    )
    with pytest.raises(NotDifferentiableError, match="linear"):
        getattr(interpolate, name)(KNOTS, leaf(y))


def test_derivatives_of_curves_and_their_ends():
    y = DATA["1d"]
    curve, plain = (m.CubicSpline(KNOTS, y) for m in (interpolate, scipy.interpolate))
    np.testing.assert_allclose(curve.derivative()(AT), plain(AT, 1))
    np.testing.assert_allclose(grad(lambda x: np.sum(curve(x)))(AT), plain(AT, 1))
    with pytest.raises(ValueError, match="outside"):
        interpolate.interp1d(KNOTS, leaf(y))(9.0)
    assert np.isnan(interpolate.interp1d(KNOTS, y, bounds_error=False)(leaf(9.0)).item())
    beyond = interpolate.interp1d(KNOTS, leaf(y), fill_value="extrapolate")(3.5)
    assert beyond.item() == pytest.approx(scipy.interpolate.interp1d(KNOTS, y, fill_value="extrapolate")(3.5))
    for f in (
        lambda: interpolate.interp1d(KNOTS, leaf(y), "nearest"),
        lambda: interpolate.interp1d(KNOTS, leaf(y), fill_value=0.0),
        lambda: interpolate.CubicSpline(KNOTS, leaf(y), bc_type=((1, 0.5), (1, 0.0))),
    ):
        with pytest.raises(NotDifferentiableError):
            f()


# ---- JAX ----

JAX = {
    "digamma": ("special.digamma", [(0.5, 3)]),
    "gammaln": ("special.gammaln", [(0.5, 3)]),
    "erfinv": ("special.erfinv", [(-0.9, 0.9)]),
    "logit": ("special.logit", [(0.1, 0.9)]),
    "log_ndtr": ("special.log_ndtr", [(-6, 3)]),
    "ndtri": ("special.ndtri", [(0.1, 0.9)]),
    "i0e": ("special.i0e", [(0.1, 3)]),
    "i1e": ("special.i1e", [(0.1, 3)]),
    "expi": ("special.expi", [(0.5, 3)]),
    "gammainc": ("special.gammainc", [(0.5, 3), (0.5, 3)]),
    "gammaincc": ("special.gammaincc", [(0.5, 3), (0.5, 3)]),
    "betaln": ("special.betaln", [(0.5, 3), (0.5, 3)]),
    "xlogy": ("special.xlogy", [(0.5, 3), (0.5, 3)]),
    "rel_entr": ("special.rel_entr", [(0.5, 3), (0.5, 3)]),
    "kl_div": ("special.kl_div", [(0.5, 3), (0.5, 3)]),
    "entr": ("special.entr", [(0.5, 3)]),
    "norm": ("stats.norm.logcdf", [(-3, 3), (-1, 1), (0.5, 2)]),
    "t": ("stats.t.logpdf", [(-3, 3), (1, 5), (-1, 1), (0.5, 2)]),
    "gamma": ("stats.gamma.logpdf", [(1, 3), (0.5, 5), (-1, 0), (0.5, 2)]),
    "gamma cdf": ("stats.gamma.cdf", [(1, 3), (0.5, 5), (-1, 0), (0.5, 2)]),
    "chi2": ("stats.chi2.logpdf", [(1, 3), (0.5, 5), (-1, 0), (0.5, 2)]),
    "beta": ("stats.beta.logpdf", [(0.2, 0.7), (0.5, 5), (0.5, 5)]),
    "logistic": ("stats.logistic.logpdf", [(-2, 2)]),
}


@pytest.mark.parametrize("case", JAX)
def test_against_jax(case):
    jax = pytest.importorskip("jax")
    path, domains = JAX[case]
    ours, theirs = special if path.startswith("special") else stats, jax.scipy
    for name in path.split(".")[1:]:
        ours = getattr(ours, name)
    for name in path.split("."):
        theirs = getattr(theirs, name)
    xs = [RNG.uniform(*d, 5) for d in domains]
    numbers = tuple(range(len(xs)))
    with jax.enable_x64(True) if hasattr(jax, "enable_x64") else jax.experimental.enable_x64():
        expected = jax.grad(lambda *xs: theirs(*xs).sum(), numbers)(*xs)
        for g, e in zip(grad(lambda *xs: np.sum(ours(*xs)), numbers)(*xs), expected, strict=True):
            np.testing.assert_allclose(g, e, rtol=1e-8, atol=1e-10)
