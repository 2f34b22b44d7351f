"""Polynomials and the convolution of two sequences. `convolve` and `roots` have rules; the others are composed.

A polynomial is the array of its coefficients, the highest power first, as np.polyval and its family take it. Leading
zeros are dropped where NumPy drops them, but stay in the computation, so no gradient is lost with them.
"""

from __future__ import annotations

import warnings

import numpy as np

from ..errors import NotDifferentiableError
from ..op import elementwise, general, meaning, multilinear
from ..tensor import Tensor, as_array
from .conv import conv
from .elementwise import conj


def _array(x):
    if isinstance(x, np.poly1d):
        raise NotDifferentiableError("np.poly1d holds plain arrays; together with a Tensor use its coefficients, p.c")
    return x if isinstance(x, Tensor) else as_array(x)


def _sequence(x):
    x = _array(x)
    return x if x.ndim else np.reshape(x, (1,))


# ---- convolution ----


def _convolve_pairs(op, xs, kwargs):
    """One convolution of as many channels as there are pairs, with the shorter sequences as kernels, turned round."""
    a, v = sorted(xs, key=lambda x: -x.shape[1])
    n, k = v.shape
    around = 0 if kwargs["mode"] == "valid" else k - 1
    kernels, lines = np.reshape(np.flip(v, 1), (n, 1, k)), np.reshape(a, (1, *a.shape))
    y = conv(lines, kernels, stride=(1,), padding=((around, around),), dilation=(1,), groups=n)
    return np.reshape(y, y.shape[1:])


@multilinear(name="convolve", batch=_convolve_pairs, formulas=("convolve(g, flip(v))", "convolve(g, flip(a))"))
def convolve(a, v, *, mode):
    """The convolution of two sequences. mode: "full", or "valid" for the places where the longer covers the shorter."""
    return np.convolve(a, v, mode)


convolve.rule(lambda g, v, a_shape, mode: _convolve_back(g, v, a_shape, mode))
convolve.rule(lambda g, a, v_shape, mode: _convolve_back(g, a, v_shape, mode))


def _convolve_back(g, other, shape, mode):
    was_longer = mode == "valid" and shape[0] >= other.shape[0]
    return convolve(g, np.flip(other, 0), mode="full" if was_longer else "valid")


@meaning(np.convolve)
def _convolve(a, v, mode="full"):
    a, v = _sequence(a), _sequence(v)
    return _in_mode(a, v, mode, (min(len(a), len(v)) - 1) // 2)


@meaning(np.correlate)
def _correlate(a, v, mode="valid"):
    a, v = _array(a), _array(v)
    if not a.ndim or not v.ndim:
        raise ValueError("np.correlate takes sequences, not single numbers")
    first = (len(v) - 1) // 2 if len(a) >= len(v) else len(a) // 2
    return _in_mode(a, np.flip(conj(v)), mode, first)


def _in_mode(a, v, mode, first):
    """The convolution; mode "same" is the part of the full one, from `first`, that is as long as the longer."""
    if mode == "same":
        return convolve(a, v, mode="full")[first : first + max(len(a), len(v))]
    if mode not in ("full", "valid"):
        raise ValueError(f"mode must be one of 'valid', 'same', or 'full' (got {mode!r})")
    return convolve(a, v, mode=mode)


# ---- polynomials ----


@meaning(np.polyval)
def _polyval(p, x):
    p, x = _array(p), _array(x)
    y = np.zeros_like(x)
    for c in p:
        y = y * x + c
    return y


@meaning(np.polyadd)
def _polyadd(a1, a2):
    a1, a2 = _same_length(a1, a2)
    return a1 + a2


@meaning(np.polysub)
def _polysub(a1, a2):
    a1, a2 = _same_length(a1, a2)
    return a1 - a2


def _same_length(*ps):
    """Polynomials with zeros in front of the shorter ones."""
    ps = [_sequence(p) for p in ps]
    n = max(map(len, ps))
    return [p if len(p) == n else np.concatenate([np.zeros(n - len(p), p.dtype), p]) for p in ps]


@meaning(np.polymul)
def _polymul(a1, a2):
    a1, a2 = _sequence(a1), _sequence(a2)
    return convolve(a1, a2, mode="full")[_leading_zeros(a1) + _leading_zeros(a2) :]


def _leading_zeros(p):
    """How many of the first coefficients are 0, not counting the last coefficient."""
    others = np.flatnonzero(p)
    return int(others[0]) if len(others) else len(p) - 1


@meaning(np.polydiv)
def _polydiv(u, v):
    """The long division. Quotient and remainder, the remainder without its leading zeros."""
    u, v = _sequence(u) + 0.0, _sequence(v) + 0.0
    if u.ndim != 1 or v.ndim != 1:
        raise ValueError(f"polydiv takes two polynomials of one axis each, not of shapes {u.shape} and {v.shape}")
    r, n = u.astype(np.result_type(u, v)), len(v)
    scale, q = 1.0 / v[0], []
    for k in range(len(u) - n + 1):
        q.append(scale * r[k])
        r = np.concatenate([r[:k], r[k : k + n] - q[k] * v, r[k + n :]])
    while len(r) > 1 and np.allclose(r[0], 0, rtol=1e-14):
        r = r[1:]
    return np.stack(q) if q else np.zeros(1, r.dtype), r


@meaning(np.polyder)
def _polyder(p, m=1):
    if int(m) < 0:
        raise ValueError("Order of derivative must be positive (see polyint)")
    for _ in range(int(m)):
        p = p[:-1] * np.arange(len(p) - 1, 0, -1)
    return p


@meaning(np.polyint)
def _polyint(p, m=1, k=None):
    if int(m) < 0:
        raise ValueError("Order of integral must be positive (see polyder)")
    m, p = int(m), _array(p)
    k = _sequence(np.zeros(m) if k is None else k)
    if len(k) == 1 and m > 1:
        k = np.repeat(k, m)
    if len(k) < m:
        raise ValueError("k must be a scalar or a rank-1 array of length 1 or >m.")
    for j in range(m):
        p = np.concatenate([p / np.arange(len(p), 0, -1), k[j : j + 1]])
    return p


@meaning(np.vander)
def _vander(x, N=None, increasing=False):
    if x.ndim != 1:
        raise ValueError("x must be a one-dimensional array or sequence.")
    dtype, n = np.promote_types(x.dtype, int), len(x) if N is None else N
    if n < 0:
        raise ValueError("negative dimensions are not allowed")
    powers = np.arange(n) if increasing else np.arange(n - 1, -1, -1)
    return x.astype(dtype)[:, None] ** powers.astype(dtype)


# ---- roots ----


@meaning(np.poly)
def _poly(seq_of_zeros):
    """The polynomial with these roots, or the characteristic polynomial of a matrix."""
    zeros = _sequence(seq_of_zeros)
    if zeros.ndim == 2 and zeros.shape[0] == zeros.shape[1] != 0:
        zeros = np.linalg.eigvals(zeros)
    elif zeros.ndim != 1:
        raise ValueError("input must be 1d or non-empty square 2d array.")
    if len(zeros) == 0:
        return 1.0
    zeros = zeros.astype(np.mintypecode(zeros.dtype.char))
    a = np.ones(1, zeros.dtype)
    for zero in zeros:
        a = convolve(a, np.stack([np.ones((), zeros.dtype), -zero]), mode="full")
    if zeros.dtype.kind == "c" and _in_pairs(zeros.data):
        a = np.real(a)
    return a


def _in_pairs(zeros):
    """True if with each number its complex conjugate is there, so that the polynomial is real."""
    return bool(np.all(np.sort(zeros) == np.sort(np.conjugate(zeros))))


def _of_simple_roots(x):
    """x, the slopes of a polynomial at its roots. Raises NotDifferentiableError where one is 0."""
    if not np.all(x):
        raise NotDifferentiableError(
            "np.roots: the polynomial has a multiple root, which moves infinitely fast with the coefficients; "
            "perturb them, or divide the root out with np.polydiv"
        )
    return x


of_simple_roots = elementwise(_of_simple_roots, 1, name="of_simple_roots", inputs="x")


def _roots_rule(g, x, y):
    """From p(root) = 0: a coefficient counts by its power of the root, against the slope p'(root)."""
    n = x.shape[0] - 1
    powers = y[:, None] ** np.arange(n, -1, -1, dtype=y.dtype)
    slope = powers[:, 1:] @ (x[:-1] * np.arange(n, 0, -1, dtype=x.dtype))
    return -(g / of_simple_roots(slope)) @ powers


roots = general(np.roots, _roots_rule, formulas=("-g / polyval(polyder(x), y) @ vander(y, len(x))",))


# ---- fits ----


@meaning(np.polyfit)
def _polyfit(x, y, deg, rcond=None, full=False, w=None, cov=False):
    x, y = _array(x) + 0.0, _array(y) + 0.0
    _check_fit(x, y, deg, w)
    matrix = _vander(x, int(deg) + 1)
    if w is not None:
        w = _array(w) + 0.0
        matrix, y = w[:, None] * matrix, np.reshape(w, (-1,) + (1,) * (y.ndim - 1)) * y
    scale = np.sqrt(np.sum(matrix * matrix, axis=0))
    rcond = len(x) * np.finfo(x.dtype).eps if rcond is None else rcond
    c, residuals, rank, s = np.linalg.lstsq(matrix / scale, y, rcond)
    c = (c.T / scale).T
    if rank != int(deg) + 1 and not full:
        warnings.warn("np.polyfit: the points do not determine all coefficients", np.exceptions.RankWarning, 3)
    if full:
        return c, residuals, rank, s, rcond
    return (c, _covariance(matrix / scale, scale, residuals, y, cov)) if cov else c


def _covariance(matrix, scale, residuals, y, cov):
    """That of the coefficients: of the points' own spread, or "unscaled" for points of variance 1."""
    n, terms = matrix.shape
    base = np.linalg.inv(matrix.T @ matrix) / np.outer(scale, scale)
    if cov != "unscaled" and n <= terms:
        raise ValueError("the number of data points must exceed order to scale the covariance matrix")
    factor = 1 if cov == "unscaled" else residuals / (n - terms)
    return (base if y.ndim == 1 else base[:, :, None]) * factor


def _check_fit(x, y, deg, w):
    if deg < 0:
        raise ValueError("expected deg >= 0")
    if x.ndim != 1 or y.ndim not in (1, 2):
        raise TypeError(f"expected a vector for x and one or two axes for y, not {x.ndim} and {y.ndim}")
    if len(x) == 0 or len(x) != len(y):
        raise TypeError(f"expected x and y of the same length, at least 1, not {len(x)} and {len(y)}")
    if w is not None and np.shape(w) != x.shape:
        raise TypeError(f"expected a weight for each point, shape {x.shape}, not {np.shape(w)}")
