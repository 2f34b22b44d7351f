"""Distributions, under scipy.stats's names and signatures, composed of special functions: no rule of their own.

A distribution is its standard form on its support; `loc` and `scale`, what lies outside, and the relations between
pdf, cdf, sf and their logarithms are written once. On plain arrays SciPy itself computes, and so it does what is not
here (rvs, fit, moments ...). Derivatives: for x, loc, scale and every shape parameter of a density; those of a cdf for
a parameter that stands in an incomplete beta function (beta, t, binom's n) raise.
"""

from __future__ import annotations

import math

import numpy as np
import scipy.special as sp
import scipy.stats as st

from ...errors import NotDifferentiableError
from ...tensor import Tensor
from . import special

LOG_TWO_PI = math.log(2 * math.pi)
ABOVE_ZERO = math.ulp(0.0)  # the lower end of a support that leaves 0 out


def _is_plain(values):
    return all(isinstance(v, np.ndarray | np.generic | int | float | complex | list | tuple | None) for v in values)


class _Distribution:
    """One of SciPy's distributions with formulas for Tensors: functions of the standardised x and the shapes."""

    locations = ("loc",)

    def __init__(self, scipys, low=-math.inf, high=math.inf, inside=0.5, **formulas):
        self.scipys = scipys
        self.low, self.high, self.inside = low, high, inside  # the support, and a point in it
        self.formulas = formulas
        self.shapes = tuple(scipys.shapes.split(", ")) if scipys.shapes else ()

    def __call__(self, *args, **kwargs):
        if not _is_plain((*args, *kwargs.values())):
            raise NotDifferentiableError(f"write {self.scipys.name}.pdf(x, ...) instead of freezing parameters")
        return self.scipys(*args, **kwargs)

    def __getattr__(self, name):
        return getattr(self.scipys, name)

    def _bind(self, args, kwargs):
        """loc, scale and the shapes, which SciPy takes by place or by name."""
        names = (*self.shapes, *self.locations)
        if len(args) > len(names) or kwargs.keys() - set(names[len(args) :]):
            raise TypeError(f"{self.scipys.name} takes the parameters {', '.join(names)}")
        given = {"loc": 0, "scale": 1, **dict(zip(names, args, strict=False)), **kwargs}
        if missing := [name for name in self.shapes if name not in given]:
            raise TypeError(f"{self.scipys.name} needs its parameter {missing[0]!r}")
        return [given[name] for name in ("loc", "scale", *self.shapes)]

    def _evaluate(self, method, formula, outside, x, args, kwargs):
        """formula(z, scale, *shapes) inside the support; below and above it the two numbers `outside`."""
        if _is_plain((x, *args, *kwargs.values())):
            return getattr(self.scipys, method)(x, *args, **kwargs)
        x, loc, scale, *shapes = _same_dtype(x, *self._bind(args, kwargs))
        z = self._standard(x, loc, scale)
        low, high = (end(*shapes) if callable(end) else end for end in (self.low, self.high))
        values = special._values(z)
        below, above = values < low, values > high
        z = np.where(below | above, self.inside, z)
        valid = special._values(scale) > 0
        for p in shapes:
            valid = valid & (special._values(p) >= 0)
        with np.errstate(all="ignore"):
            y = formula(z, scale, *shapes)
        y = np.where(below, outside[0], np.where(above, outside[1], y))
        return np.where(valid, y, math.nan)


def _same_dtype(*values):
    """Numbers and lists as arrays of the dtype that the arrays among the values have."""
    dtype = np.result_type(np.float16, *[v.dtype for v in values if hasattr(v, "dtype")])
    return [v if hasattr(v, "dtype") else np.asarray(v, dtype) for v in values]


def _method(name, outside):
    """The method of this name: its own formula, or what follows from the others."""

    def method(self, x, *args, **kwargs):
        return self._evaluate(name, getattr(self, f"_{name}"), outside, x, args, kwargs)

    method.__name__ = name
    method.__doc__ = f"scipy.stats's {name}(x, *shapes, loc, scale), differentiable."
    return method


class Continuous(_Distribution):
    """A distribution with a density."""

    locations = ("loc", "scale")
    pdf = _method("pdf", (0, 0))
    logpdf = _method("logpdf", (-math.inf, -math.inf))
    cdf = _method("cdf", (0, 1))
    logcdf = _method("logcdf", (-math.inf, 0))
    sf = _method("sf", (1, 0))
    logsf = _method("logsf", (0, -math.inf))

    def _standard(self, x, loc, scale):
        return (x - loc) / scale

    def _logpdf(self, z, scale, *shapes):
        return self.formulas["logpdf"](z, *shapes) - np.log(scale)

    def _pdf(self, z, scale, *shapes):
        if "pdf" in self.formulas:
            return self.formulas["pdf"](z, *shapes) / scale
        return np.exp(self._logpdf(z, scale, *shapes))

    def _cdf(self, z, scale, *shapes):
        return self.formulas["cdf"](z, *shapes)

    def _sf(self, z, scale, *shapes):
        return self.formulas["sf"](z, *shapes) if "sf" in self.formulas else 1 - self._cdf(z, scale, *shapes)

    def _logcdf(self, z, scale, *shapes):
        return (
            self.formulas["logcdf"](z, *shapes) if "logcdf" in self.formulas else np.log(self._cdf(z, scale, *shapes))
        )

    def _logsf(self, z, scale, *shapes):
        return self.formulas["logsf"](z, *shapes) if "logsf" in self.formulas else np.log(self._sf(z, scale, *shapes))

    def entropy(self, *args, **kwargs):
        """The differential entropy."""
        if _is_plain((*args, *kwargs.values())) or "entropy" not in self.formulas:
            return self.scipys.entropy(*args, **kwargs)
        loc, scale, *shapes = _same_dtype(*self._bind(args, kwargs))
        return self.formulas["entropy"](*shapes) + np.log(scale) + 0 * loc


class Discrete(_Distribution):
    """A distribution on whole numbers k; no derivative with respect to k."""

    pmf = _method("pmf", (0, 0))
    logpmf = _method("logpmf", (-math.inf, -math.inf))
    cdf = _method("cdf", (0, 1))
    logcdf = _method("logcdf", (-math.inf, 0))
    sf = _method("sf", (1, 0))
    logsf = _method("logsf", (0, -math.inf))

    def _standard(self, k, loc, scale):
        for value, name in ((k, "k"), (loc, "loc")):
            if isinstance(value, Tensor) and value.node is not None:
                raise NotDifferentiableError(f"{self.scipys.name} is on whole numbers: pass {name}.data")
        return special._values(k - loc)

    def _logpmf(self, k, scale, *shapes):
        return np.where(k == np.floor(k), self.formulas["logpmf"](np.floor(k), *shapes), -math.inf)

    def _pmf(self, k, scale, *shapes):
        return np.exp(self._logpmf(k, scale, *shapes))

    def _cdf(self, k, scale, *shapes):
        return self.formulas["cdf"](np.floor(k), *shapes)

    def _sf(self, k, scale, *shapes):
        return self.formulas["sf"](np.floor(k), *shapes)

    def _logcdf(self, k, scale, *shapes):
        return np.log(self._cdf(k, scale, *shapes))

    def _logsf(self, k, scale, *shapes):
        return np.log(self._sf(k, scale, *shapes))


norm = Continuous(
    st.norm,
    logpdf=lambda z: -z * z / 2 - LOG_TWO_PI / 2,
    cdf=lambda z: sp.ndtr(z),
    sf=lambda z: sp.ndtr(-z),
    logcdf=lambda z: sp.log_ndtr(z),
    logsf=lambda z: sp.log_ndtr(-z),
    entropy=lambda: (LOG_TWO_PI + 1) / 2,
)
t = Continuous(
    st.t,
    logpdf=lambda z, df: -sp.betaln(df / 2, np.float16(0.5)) - np.log(df) / 2 - (df + 1) / 2 * np.log1p(z * z / df),
    cdf=lambda z, df: sp.stdtr(df, z),
    sf=lambda z, df: sp.stdtr(df, -z),
    entropy=lambda df: (
        (df + 1) / 2 * (sp.digamma((df + 1) / 2) - sp.digamma(df / 2))
        + np.log(df) / 2
        + sp.betaln(df / 2, np.float16(0.5))
    ),
)
gamma = Continuous(
    st.gamma,
    low=0,
    pdf=lambda z, a: special.gamma_density(z, a),
    logpdf=lambda z, a: sp.xlogy(a - 1, z) - z - sp.gammaln(a),
    cdf=lambda z, a: sp.gammainc(a, z),
    sf=lambda z, a: sp.gammaincc(a, z),
    entropy=lambda a: a + sp.gammaln(a) + (1 - a) * sp.digamma(a),
)
beta = Continuous(
    st.beta,
    low=0,
    high=1,
    pdf=lambda z, a, b: special.beta_density(z, a, b),
    logpdf=lambda z, a, b: sp.xlog1py(b - 1, -z) + sp.xlogy(a - 1, z) - sp.betaln(a, b),
    cdf=lambda z, a, b: sp.betainc(a, b, z),
    sf=lambda z, a, b: sp.betainc(b, a, 1 - z),
    entropy=lambda a, b: (
        sp.betaln(a, b) - (a - 1) * sp.digamma(a) - (b - 1) * sp.digamma(b) + (a + b - 2) * sp.digamma(a + b)
    ),
)
chi2 = Continuous(
    st.chi2,
    low=0,
    pdf=lambda z, df: special.gamma_density(z / 2, df / 2) / 2,
    logpdf=lambda z, df: sp.xlogy(df / 2 - 1, z) - z / 2 - sp.gammaln(df / 2) - df * (math.log(2) / 2),
    cdf=lambda z, df: sp.gammainc(df / 2, z / 2),
    sf=lambda z, df: sp.gammaincc(df / 2, z / 2),
    entropy=lambda df: df / 2 + math.log(2) + sp.gammaln(df / 2) + (1 - df / 2) * sp.digamma(df / 2),
)
expon = Continuous(
    st.expon,
    low=0,
    logpdf=lambda z: -z,
    cdf=lambda z: -np.expm1(-z),
    sf=lambda z: np.exp(-z),
    logsf=lambda z: -z,
    entropy=lambda: 1.0,
)
uniform = Continuous(
    st.uniform, low=0, high=1, logpdf=lambda z: 0 * z, cdf=lambda z: z, sf=lambda z: 1 - z, entropy=lambda: 0.0
)
laplace = Continuous(
    st.laplace,
    logpdf=lambda z: -np.abs(z) - math.log(2),
    cdf=lambda z: np.where(z > 0, 1 - np.exp(-np.abs(z)) / 2, np.exp(-np.abs(z)) / 2),
    sf=lambda z: np.where(z > 0, np.exp(-np.abs(z)) / 2, 1 - np.exp(-np.abs(z)) / 2),
    entropy=lambda: math.log(2) + 1,
)
logistic = Continuous(
    st.logistic,
    logpdf=lambda z: sp.log_expit(z) + sp.log_expit(-z),
    cdf=lambda z: sp.expit(z),
    sf=lambda z: sp.expit(-z),
    logcdf=lambda z: sp.log_expit(z),
    logsf=lambda z: sp.log_expit(-z),
    entropy=lambda: 2.0,
)
cauchy = Continuous(
    st.cauchy,
    logpdf=lambda z: -np.log1p(z * z) - math.log(math.pi),
    cdf=lambda z: np.arctan2(1, -z) / math.pi,
    sf=lambda z: np.arctan2(1, z) / math.pi,
    entropy=lambda: math.log(4 * math.pi),
)
lognorm = Continuous(
    st.lognorm,
    low=ABOVE_ZERO,
    logpdf=lambda z, s: -((np.log(z) / s) ** 2) / 2 - np.log(s) - np.log(z) - LOG_TWO_PI / 2,
    cdf=lambda z, s: sp.ndtr(np.log(z) / s),
    sf=lambda z, s: sp.ndtr(-np.log(z) / s),
    logcdf=lambda z, s: sp.log_ndtr(np.log(z) / s),
    logsf=lambda z, s: sp.log_ndtr(-np.log(z) / s),
    entropy=lambda s: np.log(s) + (LOG_TWO_PI + 1) / 2,
)
poisson = Discrete(
    st.poisson,
    low=0,
    inside=0,
    logpmf=lambda k, mu: sp.xlogy(k, mu) - sp.gammaln(k + 1) - mu,
    cdf=lambda k, mu: sp.gammaincc(k + 1, mu),
    sf=lambda k, mu: sp.gammainc(k + 1, mu),
)
bernoulli = Discrete(
    st.bernoulli,
    low=0,
    high=1,
    inside=0,
    logpmf=lambda k, p: sp.xlogy(k, p) + sp.xlog1py(1 - k, -p),
    cdf=lambda k, p: np.where(k == 0, 1 - p, 1),
    sf=lambda k, p: np.where(k == 0, p, 0),
)
binom = Discrete(
    st.binom,
    low=0,
    high=lambda n, p: n,
    inside=0,
    logpmf=lambda k, n, p: (
        sp.gammaln(n + 1) - sp.gammaln(k + 1) - sp.gammaln(n - k + 1) + sp.xlogy(k, p) + sp.xlog1py(n - k, -p)
    ),
    cdf=lambda k, n, p: np.where(k == n, 1, sp.betainc(np.where(k == n, 1, n - k), k + 1, 1 - p)),
    sf=lambda k, n, p: np.where(k == n, 0, sp.betainc(k + 1, np.where(k == n, 1, n - k), p)),
)


class _Multivariate:
    """A distribution of vectors: what has no formula here is SciPy's."""

    scipys = None

    def __call__(self, *args, **kwargs):
        return self.scipys(*args, **kwargs)

    def __getattr__(self, name):
        return getattr(self.scipys, name)

    def pdf(self, x, *args, **kwargs):
        """The density."""
        return np.exp(self.logpdf(x, *args, **kwargs))


class _Dirichlet(_Multivariate):
    scipys = st.dirichlet

    def logpdf(self, x, alpha):
        """x: points of the simplex along the first axis, as in SciPy; its last element may be left out."""
        if _is_plain((x, alpha)):
            return st.dirichlet.logpdf(x, alpha)
        x, alpha = special._array(x), special._array(alpha)
        if x.shape[0] == alpha.shape[0] - 1:
            x = np.concatenate([x, 1 - np.sum(x, axis=0, keepdims=True)])
        if alpha.ndim != 1 or x.shape[0] != alpha.shape[0]:
            raise ValueError(f"alpha is a vector as long as x or one longer; got {alpha.shape} and {x.shape}")
        powers = np.reshape(alpha - 1, (-1, *[1] * (x.ndim - 1)))
        return np.sum(sp.xlogy(powers, x), axis=0) + sp.gammaln(np.sum(alpha)) - np.sum(sp.gammaln(alpha))

    def entropy(self, alpha):
        """The differential entropy."""
        if _is_plain((alpha,)):
            return st.dirichlet.entropy(alpha)
        total, k = np.sum(alpha), alpha.shape[0]
        normaliser = np.sum(sp.gammaln(alpha)) - sp.gammaln(total)
        return normaliser + (total - k) * sp.digamma(total) - np.sum((alpha - 1) * sp.digamma(alpha))


class _MultivariateNormal(_Multivariate):
    scipys = st.multivariate_normal

    def logpdf(self, x, mean=None, cov=1, allow_singular=False):
        """x: (..., k); mean: (k,); cov: (k, k), or its diagonal, or a number. The gradient for cov is symmetric."""
        if _is_plain((x, mean, cov)):
            return st.multivariate_normal.logpdf(x, mean, cov, allow_singular)
        x, mean, cov = _points(x, mean, cov)
        d = x - mean
        k = d.shape[-1]
        if allow_singular:
            return _singular_logpdf(d, cov)
        rows = np.reshape(d, (-1, k))
        distance = np.reshape(np.sum(rows * np.linalg.solve(cov, rows.T).T, axis=-1), d.shape[:-1])
        y = -(distance + k * LOG_TWO_PI + np.linalg.slogdet(cov)[1]) / 2
        return _squeezed(y)

    def entropy(self, mean=None, cov=1):
        """The differential entropy."""
        if _is_plain((mean, cov)):
            return st.multivariate_normal.entropy(mean, cov)
        _, mean, cov = _points(np.zeros(cov.shape[-1:] or 1), mean, cov)
        return (mean.shape[-1] * (LOG_TWO_PI + 1) + np.linalg.slogdet(cov)[1]) / 2


def _squeezed(y):
    """Without the axes of one element, as SciPy does."""
    return np.reshape(y, tuple(n for n in y.shape if n != 1))


def _singular_logpdf(d, cov):
    """The density on the range of a constant covariance matrix, by its eigenvectors; -inf beside the range."""
    if isinstance(cov, Tensor) and cov.node is not None:
        raise NotDifferentiableError("a singular covariance matrix has no derivative; leave out allow_singular")
    sizes, vectors = np.linalg.eigh(special._values(cov).data if isinstance(cov, Tensor) else cov)
    smallest = 1e6 * np.finfo(sizes.dtype).eps * np.max(np.abs(sizes))  # SciPy's bounds
    kept = sizes > smallest
    distance = np.sum((d @ (vectors[:, kept] / np.sqrt(sizes[kept]))) ** 2, axis=-1)
    beside = special._values(np.sum(np.abs(d @ vectors[:, ~kept]) ** 2, axis=-1)) >= (1e3 * smallest) ** 2
    normaliser = np.sum(kept) * LOG_TWO_PI + np.sum(np.log(sizes[kept]))
    return _squeezed(np.where(beside, -math.inf, -(distance + normaliser) / 2))


def _points(x, mean, cov):
    """The points as (..., k), the mean as (k,), the covariance as (k, k)."""
    x, cov = special._array(x), special._array(cov)
    k = (
        cov.shape[-1]
        if cov.ndim
        else np.size(special._values(mean))
        if mean is not None
        else max(x.shape[-1:], default=1)
    )
    mean = np.zeros(k) if mean is None else np.reshape(mean, (k,))
    if cov.ndim < 2:
        cov = cov * np.eye(k)
    if cov.shape != (k, k):
        raise ValueError(f"the covariance of vectors of {k} is a {k} x {k} matrix, not {cov.shape}")
    if x.ndim == 0 or (x.ndim == 1 and k == 1):
        x = x[..., None]
    return x, mean, cov


dirichlet = _Dirichlet()
multivariate_normal = _MultivariateNormal()
