"""Order statistics, averages, covariances, histograms. No function here has a rule: all are composed of ops.

A quantile is linear in the sorted data, with weights that depend on its position alone. So NumPy itself is asked
where it lies, as the quantile of 0, 1, 2, ..., which serves every method. The gradient goes to the elements that the
sort puts at that place; among equal ones that is the later in the array.
"""

from __future__ import annotations

import math
import warnings

import numpy as np

from ..errors import NotDifferentiableError
from ..op import meaning
from ..tensor import Tensor
from . import elementwise as e
from .constant import plain
from .matrix import diagonal, matmul
from .reduce import given, kept_shape, refuse_out, warn_if
from .shape import concatenate, reshape, scatter, transpose


def _array(value):
    return value if isinstance(value, Tensor) else np.asarray(value)


# ---- quantiles ----

# where q lies among n sorted elements is n q + a + q (1 - a - b) - 1 (Hyndman and Fan, 1996), by method: (a, b)
_CONTINUOUS = {
    "interpolated_inverted_cdf": (0.0, 1.0),
    "hazen": (0.5, 0.5),
    "weibull": (0.0, 0.0),
    "linear": (1.0, 1.0),
    "median_unbiased": (1 / 3, 1 / 3),
    "normal_unbiased": (3 / 8, 3 / 8),
}


def flat(a, axis):
    """a with the axes to reduce made into one, which comes last."""
    axes = range(a.ndim) if axis is None else np.lib.array_utils.normalize_axis_tuple(axis, a.ndim)
    others = [k for k in range(a.ndim) if k not in axes]
    n = math.prod(a.shape[k] for k in axes)
    return np.reshape(np.transpose(a, (*others, *axes)), (*(a.shape[k] for k in others), n))


def _pick(rows, index):
    """From the last axis the elements of these indices: the same for every row, or of an array for each row."""
    return rows[..., index] if np.ndim(index) == 1 else np.take_along_axis(rows, index, axis=-1)


def _sort(rows):
    return np.sort(rows, axis=-1, stable=True)


def _result_shape(a, axis, keepdims):
    if given(keepdims) and keepdims:
        return kept_shape(a.shape, axis)
    reduced = range(a.ndim) if axis is None else np.lib.array_utils.normalize_axis_tuple(axis, a.ndim)
    return tuple(n for k, n in enumerate(a.shape) if k not in reduced)


@meaning(np.median)
def _median(a, axis=None, out=None, overwrite_input=False, keepdims=False):
    """The middle one, or the mean of the two in the middle; nan, with the gradient 0, where an element is nan."""
    refuse_out(out)
    rows = flat(a, axis)
    n = rows.shape[-1]
    if n:
        rows = _sort(rows)
    y = np.mean(rows[..., (n - 1) // 2 : n // 2 + 1] if n else rows, axis=-1)
    if n and rows.dtype.kind in "fc":
        y = e.where(np.isnan(rows[..., -1]), math.nan, y)
    return reshape(y, shape=_result_shape(a, axis, keepdims))


@meaning(np.nanmedian)
def _nanmedian(a, axis=None, out=None, overwrite_input=False, keepdims=False):
    refuse_out(out)
    rows = flat(a, axis)
    if rows.shape[-1]:
        n = np.sum(~np.isnan(rows), axis=-1, keepdims=True)
        rows = _sort(rows)
        y = (_pick(rows, np.maximum(n - 1, 0) // 2) + _pick(rows, np.maximum(n, 1) // 2)) * 0.5
        y = _nan_where_empty(y, n == 0)
    else:
        y = np.mean(rows, axis=-1)
    return reshape(y, shape=_result_shape(a, axis, keepdims))


def _nan_where_empty(y, empty):
    warn_if(empty, "All-NaN slice encountered")
    return e.where(empty, math.nan, y)


@meaning(np.quantile)
def _quantile(a, q, axis=None, out=None, overwrite_input=False, method="linear", keepdims=False, *, weights=None):
    refuse_out(out)
    return _quantiles(np.quantile, a, q, 1, axis, method, keepdims, weights)


@meaning(np.percentile)
def _percentile(a, q, axis=None, out=None, overwrite_input=False, method="linear", keepdims=False, *, weights=None):
    refuse_out(out)
    return _quantiles(np.percentile, a, q, 100, axis, method, keepdims, weights)


@meaning(np.nanquantile)
def _nanquantile(a, q, axis=None, out=None, overwrite_input=False, method="linear", keepdims=False, *, weights=None):
    refuse_out(out)
    return _quantiles(np.nanquantile, a, q, 1, axis, method, keepdims, weights)


@meaning(np.nanpercentile)
def _nanpercentile(a, q, axis=None, out=None, overwrite_input=False, method="linear", keepdims=False, *, weights=None):
    refuse_out(out)
    return _quantiles(np.nanpercentile, a, q, 100, axis, method, keepdims, weights)


def _quantiles(function, a, q, whole, axis, method, keepdims, weights):
    """One of NumPy's four functions; `whole` is the q of the largest element."""
    a, q = _array(a), q if isinstance(q, Tensor) else np.asarray(q) if isinstance(q, list | tuple) else q
    if isinstance(weights, Tensor) and weights.node is not None:
        raise NotDifferentiableError(f"np.{function.__name__} jumps as its weights change; pass weights.data")
    skips_nan = function in (np.nanquantile, np.nanpercentile) and a.dtype.kind == "f"
    # NumPy's own checks of q and method, and its dtype
    dtype = function(np.zeros(1, a.dtype), plain(q), method=method, weights=None if weights is None else [1]).dtype
    rows = flat(a, axis)
    shape = (*np.shape(q), *_result_shape(a, axis, keepdims))
    if skips_nan and rows.shape[-1] == 0:
        return np.broadcast_to(np.reshape(np.mean(rows, axis=-1), shape[np.ndim(q) :]), shape)
    flat_q = np.reshape(q, (-1,)) / whole
    if weights is None:
        p = _positions(rows, flat_q, method, skips_nan)
    else:
        p = _weighted_positions(rows, flat_q, method, skips_nan, plain(weights), a, axis)
    ordered = _sort(rows)
    y = _between(ordered, p, dtype)
    if skips_nan:
        y = _nan_where_empty(y, np.all(np.isnan(rows), axis=-1, keepdims=True))
    elif rows.dtype.kind == "f":
        y = e.where(np.isnan(ordered[..., -1:]), math.nan, y)
    first = transpose(y, (y.ndim - 1, *range(y.ndim - 1)))
    return reshape(first, shape=shape)


def _positions(rows, q, method, skips_nan):
    """Where the quantiles lie among the sorted elements: 1.5 is half way from the second to the third."""
    if not skips_nan:
        return _position(rows.shape[-1], q, method)
    n = np.sum(~np.isnan(rows), axis=-1)
    p = np.zeros((*n.shape, q.shape[0]))
    if isinstance(q, Tensor) and q.node is not None:
        return _position(np.maximum(n, 1)[..., None], q, method) + p
    for m in np.unique(n[n > 0]):
        p[n == m] = _position(int(m), q, method)
    return p


def _position(n, q, method):
    if not isinstance(q, Tensor) or q.node is None:
        return np.quantile(np.arange(float(n)), np.asarray(plain(q), float), method=method)
    if method not in _CONTINUOUS:
        raise NotDifferentiableError(
            f"quantiles by method={method!r} jump as q changes; pass q as a plain array, or use a continuous method: "
            + ", ".join(_CONTINUOUS)
        )
    a, b = _CONTINUOUS[method]
    return np.clip(q.astype(float) * (n + 1 - a - b) + (a - 1), 0, n - 1)


def _weighted_positions(rows, q, method, skips_nan, weights, a, axis):
    """Which elements NumPy chooses, as the quantiles of their ranks."""
    data, weights = plain(rows), np.asarray(weights)
    if weights.shape == a.shape:
        weights = flat(weights, axis)
    ranks = np.argsort(np.argsort(data, axis=-1, kind="stable"), axis=-1).astype(float)
    ranks = np.where(np.isnan(data), np.nan if skips_nan else ranks, ranks)
    if skips_nan:
        ranks = np.where(np.all(np.isnan(data), axis=-1, keepdims=True), 0, ranks)
    find = np.nanquantile if skips_nan else np.quantile
    return np.moveaxis(find(ranks, plain(q), axis=-1, method=method, weights=weights), 0, -1)


def _between(ordered, p, dtype):
    """The elements at these positions; between two of them on the straight line. q varies upwards at a corner."""
    last = ordered.shape[-1] - 1
    low = np.floor(plain(p)).astype(int)
    high = np.minimum(low + 1, last) if isinstance(p, Tensor) else np.ceil(p).astype(int)
    a, b, t = _pick(ordered, low), _pick(ordered, high), (p - low).astype(dtype)
    return a * (1 - t) + b * t if isinstance(p, Tensor) else e.where(t == 0, a, a * (1 - t) + b * t)


# ---- averages and areas ----


@meaning(np.average)
def _average(a, axis=None, weights=None, returned=False, *, keepdims=False):
    a = _array(a)
    axis = axis if axis is None else np.lib.array_utils.normalize_axis_tuple(axis, a.ndim)
    if weights is None:
        y = np.mean(a, axis=axis, keepdims=given(keepdims) and keepdims)
        total = np.full(y.shape, a.size / max(y.size, 1), y.dtype)
        return (y, total) if returned else y
    w = _array(weights)
    dtype = np.result_type(a.dtype, w.dtype, *["f8"] * (a.dtype.kind in "iub"))
    w = _spread(w, a.shape, axis)
    keepdims = given(keepdims) and keepdims
    total = np.sum(w, axis=axis, dtype=dtype, keepdims=keepdims)
    if np.any(plain(total) == 0):
        raise ZeroDivisionError("the weights sum to zero, so there is no average")
    y = np.sum(np.multiply(a, w).astype(dtype), axis=axis, keepdims=keepdims) / total
    return (y, np.broadcast_to(total, y.shape)) if returned else y


def _spread(w, shape, axes):
    """Weights along some axes, in a shape that fits the array."""
    if w.shape == shape:
        return w
    if axes is None:
        raise TypeError("weights of another shape than the array need axis=")
    if w.shape != tuple(shape[k] for k in axes):
        raise ValueError(f"weights of shape {w.shape} do not fit an array of shape {shape} along the axes {axes}")
    full = np.transpose(w, np.argsort(axes))
    full = np.reshape(full, tuple(n if k in axes else 1 for k, n in enumerate(shape)))
    return np.broadcast_to(full, shape)


@meaning(np.trapezoid)
def _trapezoid(y, x=None, dx=1.0, axis=-1):
    y = _array(y)
    before = (slice(None),) * np.lib.array_utils.normalize_axis_index(axis, y.ndim)
    left, right = (*before, slice(None, -1)), (*before, slice(1, None))
    if x is not None:
        x = _array(x)
        if x.ndim == 1:
            x = np.reshape(x, (-1,) + (1,) * (y.ndim - len(before) - 1))
        beside = (slice(None),) * (x.ndim - y.ndim + len(before))
        dx = x[(*beside, slice(1, None))] - x[(*beside, slice(None, -1))]
    return np.sum(dx * (y[right] + y[left]) * 0.5, axis=axis)


# ---- covariance ----


@meaning(np.cov)
def _cov(m, y=None, rowvar=True, bias=False, ddof=None, fweights=None, aweights=None, *, dtype=None):
    x = _variables(m, rowvar)
    if y is not None:
        y = _array(y)
        y = np.reshape(y, (1, -1)) if y.ndim < 2 else y
        x = concatenate(x, y if rowvar or y.shape[0] == 1 else transpose(y), axis=0)
    x = x.astype(np.result_type(x.dtype, np.float64) if dtype is None else dtype)
    n = x.shape[1]
    ddof = (not bias) if ddof is None else ddof
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # NumPy's own checks of the weights, without its arithmetic
        np.cov(np.zeros((1, n)), fweights=plain(fweights), aweights=plain(aweights), ddof=ddof)
    w, total, freedom = _weights(x, ddof, fweights, aweights)
    if plain(freedom) > 0:
        per = 1 / freedom
    else:
        warnings.warn("Degrees of freedom <= 0 for slice", RuntimeWarning, stacklevel=3)
        per = math.inf
    away = x - np.sum(x * w, axis=1, keepdims=True) / total
    c = matmul(away, e.conj(transpose(away * w)))
    with np.errstate(invalid="ignore"):
        return np.squeeze(c * per)


def _variables(m, rowvar):
    m = _array(m)
    if m.ndim > 2:
        raise ValueError(f"np.cov takes 1 or 2 dimensions, not {m.ndim}")
    if m.ndim < 2:
        return np.reshape(m, (1, -1))
    return m if rowvar else np.transpose(m)


def _weights(x, ddof, fweights, aweights):
    """The weight of each observation, their sum, and what the sum of the products is divided by."""
    real = np.zeros((), x.dtype).real.dtype
    f = None if fweights is None else np.asarray(plain(fweights)).astype(real)
    a = None if aweights is None else _array(aweights).astype(real)
    if f is None and a is None:
        n = x.shape[1]
        return 1, n or math.nan, n - ddof
    w = a if f is None else f if a is None else f * a
    total = np.sum(w)
    if ddof == 0:
        return w, total, total
    return w, total, total - ddof * (1 if a is None else np.sum(w * a) / total)


@meaning(np.corrcoef)
def _corrcoef(x, y=None, rowvar=True, *, dtype=None):
    c = _cov(x, y, rowvar, dtype=dtype)
    if c.ndim == 0:
        return c / c
    d = diagonal(c)
    size = e.sqrt(e.real(d) if d.dtype.kind == "c" else d)
    c = c / size[:, None] / size[None, :]
    if c.dtype.kind == "c":
        return np.clip(e.real(c), -1, 1) + 1j * np.clip(e.imag(c), -1, 1)
    return np.clip(c, -1, 1)


# ---- histograms: the counts are whole numbers, so constants; they are linear in the weights ----


@meaning(np.bincount)
def _bincount(x, /, weights=None, minlength=0):
    x = np.asarray(plain(x))
    y = np.bincount(x, plain(weights), minlength)
    if not isinstance(weights, Tensor):
        return y
    return scatter(weights.astype(float), index=x, shape=y.shape)


@meaning(np.histogram_bin_edges)
def _histogram_bin_edges(a, bins=10, range=None, weights=None):
    """Edges that are not given go evenly from the least to the largest element."""
    edges = np.histogram_bin_edges(plain(a), plain(bins), range, plain(weights))
    if isinstance(bins, Tensor) and bins.ndim:
        return bins
    if not isinstance(a, Tensor) or a.size == 0 or range is not None or np.ndim(bins) == 1:
        return edges
    low, high = np.min(a), np.max(a)
    if low.data == high.data:
        low, high = low - 0.5, high + 0.5
    ramp = np.linspace(0, 1, edges.size, dtype=edges.dtype)
    return low * (1 - ramp) + high * ramp


@meaning(np.histogram)
def _histogram(a, bins=10, range=None, density=None, weights=None):
    counts, plain_edges = np.histogram(plain(a), plain(bins), range, None, plain(weights))
    edges = _histogram_bin_edges(a, bins, range, weights)
    if isinstance(weights, Tensor):
        place = np.searchsorted(plain_edges, np.ravel(plain(a)), side="right") - 1
        place[np.ravel(plain(a)) == plain_edges[-1]] -= 1  # the last bin has both of its edges
        inside = np.flatnonzero((place >= 0) & (place < counts.size))
        counts = scatter(np.reshape(weights, (-1,))[inside], index=place[inside], shape=counts.shape)
    if density:
        counts = counts / (edges[1:] - edges[:-1]) / np.sum(counts)
    return counts, edges
