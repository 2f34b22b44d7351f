"""Special functions: the rules of scipy.special. Formulas as in the NIST Digital Library of Mathematical Functions.

A ufunc of SciPy's dispatches on Tensors like one of NumPy's, so `scipy.special.erf(t)` records. The functions that are
no ufuncs (polygamma, logsumexp, softmax ...) are here under SciPy's names and signatures; `autograd.scipy.special` has
them all. Where SciPy puts a parameter first that has no rule (the order of a Bessel function), the op takes it last.
"""

from __future__ import annotations

import math

import numpy as np
import scipy.special as sp

from ...errors import NotDifferentiableError
from ...op import elementwise, meaning
from ...tensor import FUNCTIONS, Tensor
from .. import fused

TWO_BY_ROOT_PI, HALF_ROOT_PI, ROOT_TWO_PI = 2 / math.sqrt(math.pi), math.sqrt(math.pi) / 2, math.sqrt(2 * math.pi)


def _parameter_last(ufunc, rule, handles=()):
    """The op of a ufunc f(parameter, x): it takes (x, v), so that the one rule is that of x."""
    op = elementwise(lambda x, v: ufunc(v, x), rule, name=ufunc.__name__)
    for function in (ufunc, *handles):
        FUNCTIONS[function] = lambda v, x, **kwargs: op(x, v, **kwargs)
    return op


def _apart(y, x):
    """y, or 1 where x and y are both 0: there x / y is to be 0."""
    return y + (x == 0) * (y == 0)


# ---- the gamma function and its relatives ----

gamma = elementwise(sp.gamma, lambda x, y: y * sp.digamma(x))
gammaln = elementwise(sp.gammaln, lambda x: sp.digamma(x))
loggamma = elementwise(sp.loggamma, lambda x: sp.digamma(x))
gammasgn = elementwise(sp.gammasgn, 0)
psi = elementwise(sp.digamma, lambda x: polygamma(1, x), formulas=("g * polygamma(1, x)",))
beta = elementwise(
    sp.beta,
    lambda a, b, y: y * (sp.digamma(a) - sp.digamma(a + b)),
    lambda a, b, y: y * (sp.digamma(b) - sp.digamma(a + b)),
)
betaln = elementwise(
    sp.betaln,
    lambda a, b: sp.digamma(a) - sp.digamma(a + b),
    lambda a, b: sp.digamma(b) - sp.digamma(a + b),
)

# 1 / gamma is entire: left of 0, where digamma has poles, by reflection
rgamma = elementwise(
    sp.rgamma,
    lambda x, y: np.where(
        np.real(x) > 0.5,
        -y * sp.digamma(x),
        sp.gamma(1 - x) * (np.cos(math.pi * x) - sp.digamma(1 - x) * np.sin(math.pi * x) / math.pi),
    ),
    formulas=("-g * y * psi(x)",),
)


@elementwise(name="polygamma", formulas=("g * polygamma(v + 1, x)",))
def _polygamma(x, v):
    if x.dtype.kind == "c":
        return _complex_polygamma(x, v).astype(x.dtype)
    y = sp.polygamma(v, x)
    return y.astype(x.dtype) if x.dtype.kind == "f" else y


_polygamma.rule(lambda x, v: _polygamma(x, v + 1))


def polygamma(n, x):
    """The n-th derivative of digamma, for real and complex x."""
    return _polygamma(x, n)


def _complex_polygamma(x, v):
    """By the Euler-Maclaurin sum for n! zeta(n + 1, x), after a shift to where it converges fast."""
    v = np.asarray(v)
    if not np.all(v >= 1):
        raise ValueError("polygamma of complex numbers takes the orders from 1 on; digamma is order 0")
    s = v + 1.0
    left = np.nan_to_num(np.real(x).min(initial=0.0))
    shift = 20 + math.ceil(max(0, -left))
    z = x + shift
    total = sum(((x + k) ** -s for k in range(shift)), 0 * z)
    total = total + z ** (1 - s) / (s - 1) + z**-s / 2
    factor = s * z ** (-s - 1)
    for j, b in enumerate(sp.bernoulli(24)[2::2], start=1):
        total = total + b / math.factorial(2 * j) * factor
        factor = factor * (s + 2 * j - 1) * (s + 2 * j) / z**2
    return (-1.0) ** (v + 1) * sp.gamma(s) * total


def multigammaln(a, d):
    """The logarithm of the multivariate gamma function of dimension d."""
    if d != int(d) or d < 1:
        raise ValueError(f"d is a positive integer, not {d!r}")
    return sum((sp.gammaln(a - j / 2) for j in range(int(d))), d * (d - 1) / 4 * math.log(math.pi))


def factorial(n, exact=False):
    """gamma(n + 1), and 0 for negative n."""
    if exact or not isinstance(n, Tensor):
        return sp.factorial(n, exact=exact)
    return np.where(n < 0, 0, sp.gamma(np.where(n < 0, 0, n) + 1))


@elementwise(name="zeta", formulas=("-g * v * zeta(v + 1, q)",))
def _zeta(q, v):
    return sp.zeta(v, q)


_zeta.rule(lambda q, v: -v * _zeta(q, v + 1))


def zeta(x, q=None):
    """The Hurwitz zeta function; it has a derivative with respect to q."""
    if q is not None:
        return _zeta(q, x)
    if isinstance(x, Tensor):
        raise NotDifferentiableError("zeta(x) has no derivative rule for x; zeta(x, q) has one for q")
    return sp.zeta(x)


# ---- incomplete gamma and beta functions ----


def gamma_density(x, a):
    """x^(a - 1) exp(-x) / gamma(a). By way of logarithms, but not at 0, where those have no derivative."""
    far = np.exp(sp.xlogy(a - 1, x) - x - sp.gammaln(a))
    return np.where(x == 0, x ** (a - 1) * np.exp(-x - sp.gammaln(a)), far)


def beta_density(x, a, b):
    """x^(a - 1) (1 - x)^(b - 1) / beta(a, b), in the same way."""
    inside = np.exp(sp.xlog1py(b - 1, -x) + sp.xlogy(a - 1, x) - sp.betaln(a, b))
    return np.where((x == 0) | (x == 1), x ** (a - 1) * (1 - x) ** (b - 1) * np.exp(-sp.betaln(a, b)), inside)


gammainc = elementwise(
    lambda x, a: sp.gammainc(a, x),
    lambda x, a: gamma_density(x, a),
    lambda x, a: gammainc_derivative(x, a, order=1),
    name="gammainc",
    formulas=("g * x ** (a - 1) * exp(-x) / gamma(a)", "g * gammainc_derivative(x, a, order=1)"),
)
gammaincc = elementwise(
    lambda x, a: sp.gammaincc(a, x),
    lambda x, a: -gamma_density(x, a),
    lambda x, a: -gammainc_derivative(x, a, order=1),
    name="gammaincc",
    formulas=("-g * x ** (a - 1) * exp(-x) / gamma(a)", "-g * gammainc_derivative(x, a, order=1)"),
)
FUNCTIONS[sp.gammainc] = lambda a, x, **kwargs: gammainc(x, a, **kwargs)
FUNCTIONS[sp.gammaincc] = lambda a, x, **kwargs: gammaincc(x, a, **kwargs)


@elementwise(
    name="gammainc_derivative",
    formulas=("g * d^order/da^order (x ** (a - 1) * exp(-x) / gamma(a))", "g * gammainc_derivative(x, a, order + 1)"),
)
def gammainc_derivative(x, a, *, order):
    """The derivative of this order of gammainc(a, x) with respect to a, to about 1e-14 absolutely.

    Term by term from gammainc = sum over k of x^(a+k) exp(-x) / gamma(a+k+1).
    """
    dtype = sp.gammainc(a, x).dtype
    x, a = np.broadcast_arrays(np.asarray(x, float), np.asarray(a, float))
    inside = (x > 0) & (x < a + 40 * np.sqrt(np.abs(a)) + 800) & (a > 0)  # beyond it, 0 to every digit
    t, b = np.where(inside, x, 1.0), np.where(inside, a, 1.0)
    top = float(np.max(np.where(inside, x, 0), initial=0))
    total = np.zeros(t.shape)
    for k in range(math.ceil(top + 12 * math.sqrt(top) + 60)):
        total = total + _term_derivative(np.exp(sp.xlogy(b + k, t) - t - sp.gammaln(b + k + 1)), t, b + k + 1, order)
    return np.where(inside, total, np.where((x >= 0) & (a > 0), 0.0, np.nan)).astype(dtype)[()]


def _term_derivative(term, x, a, order):
    """d^order/da^order of term = c(x) x^a / gamma(a): it times a complete Bell polynomial."""
    h = [np.log(x) - sp.digamma(a), *(-polygamma(m, a) for m in range(1, order))]
    bell = [1.0]
    for n in range(order):
        bell.append(sum(math.comb(n, i) * bell[n - i] * h[i] for i in range(n + 1)))
    return term * bell[order]


gammainc_derivative.rule(lambda x, a, order: _term_derivative(gamma_density(x, a), x, a, order))
gammainc_derivative.rule(lambda x, a, order: gammainc_derivative(x, a, order=order + 1))

betainc = elementwise(
    lambda x, a, b: sp.betainc(a, b, x),
    lambda x, a, b: beta_density(x, a, b),
    name="betainc",
    formulas=("g * x ** (a - 1) * (1 - x) ** (b - 1) / beta(a, b)",),
)
FUNCTIONS[sp.betainc] = lambda a, b, x, **kwargs: betainc(x, a, b, **kwargs)
stdtr = _parameter_last(
    sp.stdtr,
    lambda x, v: (
        np.exp(sp.gammaln((v + 1) / 2) - sp.gammaln(v / 2) - (v + 1) / 2 * np.log1p(x * x / v)) / np.sqrt(v * math.pi)
    ),
)

# ---- the error function and the normal distribution ----

erf = elementwise(sp.erf, lambda x: TWO_BY_ROOT_PI * np.exp(-x * x))
erfc = elementwise(sp.erfc, lambda x: -TWO_BY_ROOT_PI * np.exp(-x * x))
erfi = elementwise(sp.erfi, lambda x: TWO_BY_ROOT_PI * np.exp(x * x))
erfcx = elementwise(sp.erfcx, lambda x, y: 2 * x * y - TWO_BY_ROOT_PI)
erfinv = elementwise(sp.erfinv, lambda y: HALF_ROOT_PI * np.exp(y * y))
erfcinv = elementwise(sp.erfcinv, lambda y: -HALF_ROOT_PI * np.exp(y * y))
dawsn = elementwise(sp.dawsn, lambda x, y: 1 - 2 * x * y)
ndtr = elementwise(sp.ndtr, lambda x: np.exp(-x * x / 2) / ROOT_TWO_PI)
log_ndtr = elementwise(  # density / ndtr(x), which is 0 / 0 far to the left
    sp.log_ndtr,
    lambda x: np.where(
        np.real(x) > 0, np.exp(-x * x / 2) / ROOT_TWO_PI / sp.ndtr(x), 2 / ROOT_TWO_PI / sp.erfcx(-x / math.sqrt(2))
    ),
    formulas=("g * exp(-x ** 2 / 2) / sqrt(2 * pi) / ndtr(x)",),
)
ndtri = elementwise(sp.ndtri, lambda y: ROOT_TWO_PI * np.exp(y * y / 2))

# ---- logistic function and entropies ----

expit = elementwise(sp.expit, lambda x, y: y * sp.expit(-x))
logit = elementwise(sp.logit, lambda x: 1 / x + 1 / (1 - x))
log_expit = elementwise(sp.log_expit, lambda x: sp.expit(-x))
# where the first argument is 0 they are 0 whatever the second is, and so is the derivative for the second
xlogy = elementwise(sp.xlogy, lambda b: np.log(b), lambda a, b: a / _apart(b, a), formulas=("g * log(b)", "g * a / b"))
xlog1py = elementwise(
    sp.xlog1py, lambda b: np.log1p(b), lambda a, b: a / _apart(1 + b, a), formulas=("g * log1p(b)", "g * a / (1 + b)")
)
entr = elementwise(sp.entr, lambda x: -np.log(x) - 1)
rel_entr = elementwise(
    sp.rel_entr,
    lambda a, b: np.log(a / _apart(b, a)) + 1,
    lambda a, b: -a / _apart(b, a),
    formulas=("g * (log(a / b) + 1)", "-g * a / b"),
)
kl_div = elementwise(
    sp.kl_div,
    lambda a, b: np.log(a / _apart(b, a)),
    lambda a, b: 1 - a / _apart(b, a),
    formulas=("g * log(a / b)", "g * (1 - a / b)"),
)

# ---- Bessel functions ----

j0 = elementwise(sp.j0, lambda x: -sp.j1(x))
j1 = elementwise(sp.j1, lambda x: (sp.j0(x) - sp.jv(2, x)) / 2)
y0 = elementwise(sp.y0, lambda x: -sp.y1(x))
y1 = elementwise(sp.y1, lambda x: (sp.y0(x) - sp.yv(2, x)) / 2)
i0 = elementwise(sp.i0, lambda x: sp.i1(x), name="special.i0")
i1 = elementwise(sp.i1, lambda x: (sp.i0(x) + sp.iv(2, x)) / 2)
k0 = elementwise(sp.k0, lambda x: -sp.k1(x))
k1 = elementwise(sp.k1, lambda x: -(sp.k0(x) + sp.kv(2, x)) / 2)
i0e = elementwise(sp.i0e, lambda x, y: sp.i1e(x) - np.sign(x) * y)
i1e = elementwise(sp.i1e, lambda x, y: (sp.i0e(x) + sp.ive(2, x)) / 2 - np.sign(x) * y)
k0e = elementwise(sp.k0e, lambda x, y: y - sp.k1e(x))
k1e = elementwise(sp.k1e, lambda x, y: y - (sp.k0e(x) + sp.kve(2, x)) / 2)
jv = _parameter_last(sp.jv, lambda x, v: (sp.jv(v - 1, x) - sp.jv(v + 1, x)) / 2, handles=(sp.jn,))
yv = _parameter_last(sp.yv, lambda x, v: (sp.yv(v - 1, x) - sp.yv(v + 1, x)) / 2)
yn = _parameter_last(sp.yn, lambda x, v: (sp.yn(v - 1, x) - sp.yn(v + 1, x)) / 2)
iv = _parameter_last(sp.iv, lambda x, v: (sp.iv(v - 1, x) + sp.iv(v + 1, x)) / 2)
kv = _parameter_last(sp.kv, lambda x, v: -(sp.kv(v - 1, x) + sp.kv(v + 1, x)) / 2)
kve = _parameter_last(sp.kve, lambda x, v, y: y - (sp.kve(v - 1, x) + sp.kve(v + 1, x)) / 2)
ive = _parameter_last(sp.ive, lambda x, v, y: (sp.ive(v - 1, x) + sp.ive(v + 1, x)) / 2 - np.sign(x) * y)


@meaning(sp.ive)
def _ive(v, z, **kwargs):
    if z.dtype.kind == "c":
        raise NotDifferentiableError(
            "ive of complex numbers has no derivative rule; write iv(v, z) * exp(-abs(real(z)))"
        )
    return ive(z, v, **kwargs)


# ---- integrals and small relatives of the exponential function ----

exp1 = elementwise(sp.exp1, lambda x: -np.exp(-x) / x)
expi = elementwise(sp.expi, lambda x: np.exp(x) / x)
sine_integral = elementwise(lambda x: sp.sici(x)[0], lambda x: np.sinc(x / math.pi), name="sine_integral")
cosine_integral = elementwise(lambda x: sp.sici(x)[1], lambda x: np.cos(x) / x, name="cosine_integral")
exp10 = elementwise(sp.exp10, lambda y: y * math.log(10))
cosm1 = elementwise(sp.cosm1, lambda x: -np.sin(x))
exp2 = elementwise(sp.exp2, lambda y: y * math.log(2), name="special.exp2")
expm1 = elementwise(sp.expm1, lambda y: y + 1, name="special.expm1")
log1p = elementwise(sp.log1p, lambda x: 1 / (x + 1), name="special.log1p")


@meaning(sp.sici)
def sici(x):
    return sine_integral(x), cosine_integral(x)


# ---- over an axis ----


def softmax(x, axis=None):
    """exp(x) / sum(exp(x)) over an axis, several, or (None) all elements."""
    return fused.softmax(_array(x), axis=axis)


def log_softmax(x, axis=None):
    """log(softmax(x)), without loss of digits."""
    return fused.log_softmax(_array(x), axis=axis)


def logsumexp(a, axis=None, b=None, keepdims=False, return_sign=False):
    """log(sum(b * exp(a))) without overflow; with return_sign the logarithm of the absolute value, and the sign.

    Elements with b = 0 add nothing, whatever a is. Where the sum is 0 the result is -inf with gradient 0.
    """
    a = _array(a)
    if b is None and not return_sign:
        return fused.logsumexp(a, axis=axis, keepdims=keepdims)
    b = 1 if b is None else _array(b)
    a = np.where(_values(b) == 0, -math.inf, a)
    top = np.max(_values(a), axis=axis, keepdims=True)
    top = np.where(np.isfinite(top), top, 0)
    total = np.sum(b * np.exp(a - top), axis=axis, keepdims=True)
    sign = np.sign(total if a.dtype.kind == "c" else _values(total))
    if not return_sign and a.dtype.kind != "c":
        total = np.where(_values(total) < 0, math.nan, total)
    none = _values(total) == 0
    size = np.abs(total) if a.dtype.kind != "c" or return_sign else total
    y = np.where(none, -math.inf, np.log(np.where(none, 1, size)) + top)
    if not keepdims:
        axes = tuple(range(y.ndim)) if axis is None else axis
        y, sign = np.squeeze(y, axis=axes), np.squeeze(sign, axis=axes)
    return (y, sign) if return_sign else y


def _array(x):
    return x if hasattr(x, "dtype") else np.asarray(x)


def _values(x):
    """x as a constant."""
    return x.detach() if isinstance(x, Tensor) else x
