"""Quantiles and medians. No function here has a rule: all are composed of ops.

A quantile is linear in the sorted data, with weights that depend on its position alone. So NumPy itself is asked
where it lies, as the quantile of 0, 1, 2, ..., which serves every method. The gradient goes to the elements that the
sort puts at that place; among equal ones that is the later in the array.
"""

from __future__ import annotations

import math

import numpy as np

from ..errors import NotDifferentiableError
from ..op import meaning
from ..tensor import Tensor, as_array
from . import elementwise as e
from .constant import plain
from .reduce import given, kept_shape, warn_if
from .shape import reshape, transpose

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
    return _quantiles(np.quantile, a, q, 1, axis, method, keepdims, weights)


@meaning(np.percentile)
def _percentile(a, q, axis=None, out=None, overwrite_input=False, method="linear", keepdims=False, *, weights=None):
    return _quantiles(np.percentile, a, q, 100, axis, method, keepdims, weights)


@meaning(np.nanquantile)
def _nanquantile(a, q, axis=None, out=None, overwrite_input=False, method="linear", keepdims=False, *, weights=None):
    return _quantiles(np.nanquantile, a, q, 1, axis, method, keepdims, weights)


@meaning(np.nanpercentile)
def _nanpercentile(a, q, axis=None, out=None, overwrite_input=False, method="linear", keepdims=False, *, weights=None):
    return _quantiles(np.nanpercentile, a, q, 100, axis, method, keepdims, weights)


def _quantiles(function, a, q, whole, axis, method, keepdims, weights):
    """One of NumPy's four functions; `whole` is the q of the largest element."""
    a, q = as_array(a), q if isinstance(q, Tensor) else np.asarray(q) if isinstance(q, list | tuple) else q
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
