"""autograd.scipy: values are SciPy's, derivatives are those of SciPy's values; and the edges."""

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("scipy", reason="the extra scipy is not installed")

import scipy.special as sp
import scipy.stats

from autograd import NotDifferentiableError, Tensor, grad, gradcheck, jvp
from autograd.scipy import special, stats

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
    with pytest.raises(NotDifferentiableError, match="singular"):
        ours(leaf(x), allow_singular=True)


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
