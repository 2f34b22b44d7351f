"""reduce, accumulate, outer and reduceat of NumPy's ufuncs, for every ufunc in the table.

A ufunc whose reduction is an op uses that; any other does what the name says, one step after the other. There NumPy
itself is asked first whether the call is allowed, so errors, shapes and dtypes are its own.
"""

from __future__ import annotations

import math

import numpy as np

from ..tensor import CALLS, FUNCTIONS, as_array, unknown
from .constant import plain
from .fused import logsumexp
from .quantiles import flat
from .reduce import given, nanmax, nanmin

_SUMS = {np.add: np.sum, np.multiply: np.prod}
_EXTREMES = {np.maximum: np.max, np.minimum: np.min}
_RUNNING = {np.add: np.cumsum, np.multiply: np.cumprod}
_ALONG = {  # ops over the last axis, and what changes nothing there
    np.fmax: (nanmax, math.nan),
    np.fmin: (nanmin, math.nan),
    np.logaddexp: (logsumexp, -math.inf),
}


def _is_constant(ufunc):
    """True if its results have no derivative by nature; raises if the ufunc means nothing on Tensors."""
    return getattr(FUNCTIONS[ufunc] if ufunc in FUNCTIONS else unknown(ufunc), "kind", None) == "constant"


def _in(array, dtype):
    return array if dtype is None else array.astype(dtype)


def reduce(ufunc, array, axis=0, dtype=None, out=None, keepdims=False, initial=np._NoValue, where=True):
    """ufunc(ufunc(a[0], a[1]), a[2]) and so on."""
    where = plain(where)
    if _is_constant(ufunc):
        return ufunc.reduce(array.data, axis, dtype, None, keepdims, initial, where)
    if ufunc in _SUMS:
        return _SUMS[ufunc](array, axis, dtype, None, keepdims, initial, where)
    if ufunc in _EXTREMES:
        return _EXTREMES[ufunc](_in(array, dtype), axis, None, keepdims, initial, where)
    allowed = ufunc.reduce(array.data, axis, dtype, None, keepdims, initial, where)
    axis = axis if array.ndim else None  # NumPy lets a number have an axis here
    rows = flat(_in(array, allowed.dtype), axis)
    mask = True if where is True else flat(np.broadcast_to(where, array.shape), axis)
    return np.reshape(_fold(ufunc, rows, mask, initial), allowed.shape)


def _fold(ufunc, rows, mask, initial):
    """The reduction of the last axis."""
    n = rows.shape[-1]
    if n and ufunc in _ALONG:
        op, nothing = _ALONG[ufunc]
        y = op(rows if mask is True else np.where(mask, rows, nothing), axis=-1)
        return ufunc(y, y.dtype.type(initial)) if given(initial) else y
    first = initial if given(initial) else ufunc.identity
    if not n:
        return np.sum(rows, axis=-1) + rows.dtype.type(first)
    if mask is True and not given(initial):
        y, rest = rows[..., 0], range(1, n)
    else:
        y, rest = np.full(rows.shape[:-1], first, rows.dtype), range(n)
    for k in rest:
        step = ufunc(y, rows[..., k])
        y = step if mask is True else np.where(mask[..., k], step, y)
    return y


def accumulate(ufunc, array, axis=0, dtype=None, out=None):
    """The results of `reduce` after each step."""
    if _is_constant(ufunc):
        return ufunc.accumulate(array.data, axis, dtype)
    if ufunc in _RUNNING and array.ndim and axis is not None:
        return _RUNNING[ufunc](array, axis, dtype)
    allowed = ufunc.accumulate(array.data, axis, dtype)
    array = _in(array, allowed.dtype)
    axis = (axis or 0) % array.ndim
    parts = [array[(*(slice(None),) * axis, k)] for k in range(array.shape[axis])]
    for k in range(1, len(parts)):
        parts[k] = ufunc(parts[k - 1], parts[k])
    return np.stack(parts, axis) if parts else np.positive(array)


def outer(ufunc, a, b, /, **kwargs):
    """The ufunc of every element of a with every element of b."""
    if ufunc.nin != 2 or ufunc.signature is not None:
        return ufunc.outer(plain(a), plain(b))  # which NumPy refuses
    a, b = map(as_array, (a, b))
    return ufunc(np.reshape(a, a.shape + (1,) * b.ndim), b, **kwargs)


def reduceat(ufunc, array, indices, axis=0, dtype=None, out=None):
    """A reduction of each slice from one index up to the next; of one element where the next index is not larger."""
    indices = plain(indices)
    allowed = ufunc.reduceat(plain(array), indices, axis, dtype)
    if _is_constant(ufunc):
        return allowed
    array = _in(array, allowed.dtype)
    before = (slice(None),) * (axis % array.ndim)
    starts = np.asarray(indices).tolist()
    parts = [
        reduce(ufunc, array[(*before, slice(start, stop))], axis) if start < stop else array[(*before, start)]
        for start, stop in zip(starts, [*starts[1:], array.shape[axis]], strict=True)
    ]
    return np.stack(parts, axis) if parts else array[(*before, slice(0, 0))]


CALLS.update(reduce=reduce, accumulate=accumulate, outer=outer, reduceat=reduceat)
