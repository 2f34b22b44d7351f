"""Averages, areas, covariances, histograms. No function here has a rule: all are composed of ops."""

from __future__ import annotations

import math
import warnings

import numpy as np

from ..op import meaning
from ..tensor import Tensor, as_array
from . import elementwise as e
from .constant import plain
from .joining import concatenate
from .matrix import diagonal, matmul
from .reduce import given
from .shape import scatter, transpose

# ---- averages and areas ----


@meaning(np.average)
def _average(a, axis=None, weights=None, returned=False, *, keepdims=False):
    a = as_array(a)
    axis = axis if axis is None else np.lib.array_utils.normalize_axis_tuple(axis, a.ndim)
    if weights is None:
        y = np.mean(a, axis=axis, keepdims=given(keepdims) and keepdims)
        total = np.full(y.shape, a.size / max(y.size, 1), y.dtype)
        return (y, total) if returned else y
    w = as_array(weights)
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
    y = as_array(y)
    before = (slice(None),) * np.lib.array_utils.normalize_axis_index(axis, y.ndim)
    left, right = (*before, slice(None, -1)), (*before, slice(1, None))
    if x is not None:
        x = as_array(x)
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
        y = as_array(y)
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
    m = as_array(m)
    if m.ndim > 2:
        raise ValueError(f"np.cov takes 1 or 2 dimensions, not {m.ndim}")
    if m.ndim < 2:
        return np.reshape(m, (1, -1))
    return m if rowvar else np.transpose(m)


def _weights(x, ddof, fweights, aweights):
    """The weight of each observation, their sum, and what the sum of the products is divided by."""
    real = np.zeros((), x.dtype).real.dtype
    f = None if fweights is None else np.asarray(plain(fweights)).astype(real)
    a = None if aweights is None else as_array(aweights).astype(real)
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
