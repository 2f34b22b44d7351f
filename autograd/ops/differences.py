"""Differences of neighbours, and what lies between two ends or given points: composed of slices and products."""

from __future__ import annotations

import math
import operator

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from ..op import general, meaning
from ..tensor import as_array
from .constant import plain
from .shape import to_dtype

# the jumps that it takes out are constants between the points where they change
unwrap = general(np.unwrap, lambda g: g, inputs="p", accepts="discont axis period", batch="axis")


def _cut(x, axis, start, stop=None):
    return x[(*(slice(None),) * axis, slice(start, stop))]


@meaning(np.diff)
def _diff(a, n=1, axis=-1, prepend=np._NoValue, append=np._NoValue):
    a = as_array(a)
    if n < 0:
        raise ValueError(f"np.diff: n is not negative, unlike {n}")
    if n == 0:
        return a
    if a.ndim == 0:
        raise ValueError("np.diff takes an array of one or more axes")
    axis = normalize_axis_index(axis, a.ndim)
    ends = [_slab(end, a, axis) for end in (prepend, append)]
    if any(end is not None for end in ends):
        a = np.concatenate([part for part in (ends[0], a, ends[1]) if part is not None], axis=axis)
    for _ in range(n):
        a = (np.not_equal if a.dtype == bool else np.subtract)(_cut(a, axis, 1), _cut(a, axis, 0, -1))
    return a


def _slab(end, a, axis):
    """What comes before or after `a`; a number stands for a slab of thickness one."""
    if end is np._NoValue:
        return None
    return end if np.ndim(end) else np.broadcast_to(end, (*a.shape[:axis], 1, *a.shape[axis + 1 :]))


@meaning(np.ediff1d)
def _ediff1d(ary, to_end=None, to_begin=None):
    ary = np.ravel(ary)
    parts = [to_begin, ary[1:] - ary[:-1], to_end]
    for end in (to_begin, to_end):
        if end is not None and not np.can_cast(as_array(end).dtype, ary.dtype, "same_kind"):
            raise TypeError(f"np.ediff1d: {as_array(end).dtype} does not fit beside {ary.dtype}")
    return np.concatenate([to_dtype(np.ravel(p), ary.dtype, copy=False) for p in parts if p is not None])


# ---- np.gradient ----


@meaning(np.gradient)
def _gradient(f, *varargs, axis=None, edge_order=1):
    f = as_array(f)
    axes = tuple(range(f.ndim)) if axis is None else normalize_axis_tuple(axis, f.ndim)
    if edge_order not in (1, 2):
        raise ValueError(f"np.gradient: edge_order is 1 or 2, not {edge_order}")
    if len(varargs) not in (0, 1, len(axes)):
        raise TypeError(f"np.gradient: {len(varargs)} spacings for {len(axes)} axes")
    if len(varargs) == 1 and np.ndim(varargs[0]) == 0:
        varargs *= len(axes)
    if f.dtype.kind in "biu":
        f = to_dtype(f, float)
    spacings = [_spacing(v, f, k) for v, k in zip(varargs or (1.0,) * len(axes), axes, strict=True)]
    results = [to_dtype(_slope(f, k, h, edge_order), f.dtype, copy=False) for k, h in zip(axes, spacings, strict=True)]
    return results[0] if len(axes) == 1 else tuple(results)


def _spacing(values, f, axis):
    """A number, or the distances between neighbours in a shape that stretches along the other axes of f."""
    if np.ndim(values) == 0:
        return values
    if np.ndim(values) != 1 or np.shape(values)[0] != f.shape[axis]:
        raise ValueError(f"np.gradient: the coordinates of axis {axis} are {f.shape[axis]} numbers, or one spacing")
    values = as_array(values)
    values = to_dtype(values, float) if values.dtype.kind in "iu" else values
    return np.reshape(np.diff(values), (-1, *(1,) * (f.ndim - axis - 1)))


def _slope(f, axis, h, edge_order):
    """Inside, both slopes, each weighed by the other's distance; at the ends the one slope, or a parabola's."""
    n = f.shape[axis]
    if n < edge_order + 1:
        raise ValueError(f"np.gradient needs {edge_order + 1} elements along axis {axis}, there are {n}")
    slopes = (_cut(f, axis, 1) - _cut(f, axis, 0, -1)) / h
    left, right = _cut(slopes, axis, 0, -1), _cut(slopes, axis, 1)
    if np.ndim(h):
        share = h[:-1] / (h[:-1] + h[1:])
    else:
        share = np.full((n - 2, *(1,) * (f.ndim - axis - 1)), 0.5, np.float16)  # exact, and never widens f
    inside = left + (right - left) * share
    first, last = _cut(slopes, axis, 0, 1), _cut(slopes, axis, -1)
    if edge_order == 2:
        first = first - (_cut(right, axis, 0, 1) - first) * share[:1]
        last = last + (last - _cut(left, axis, -1)) * (1 - share[-1:])
    return np.concatenate([first, inside, last], axis=axis)


# ---- interpolation ----


@meaning(np.interp)
def _interp(x, xp, fp, left=None, right=None, period=None):
    """Straight lines between the points. The slope at a point is that to its right, at the last that to its left."""
    x, xp = (to_dtype(_real(v), float, copy=False) for v in (x, xp))
    fp = as_array(fp)
    fp = to_dtype(fp, complex if fp.dtype.kind == "c" else float, copy=False)
    if xp.ndim != 1 or fp.shape != xp.shape or not xp.size:
        raise ValueError(
            f"np.interp: xp and fp are as many numbers, at least one; their shapes are {xp.shape}, {fp.shape}"
        )
    if period is not None:
        x, xp, fp = _one_period(x, xp, fp, period)
        left = right = None
    start, stop = xp[0], xp[-1]
    if xp.size == 1:
        y = np.where(False, x - xp[0], fp[0])
    else:
        k = np.clip(np.searchsorted(plain(xp), plain(x), "right") - 1, 0, xp.size - 2)
        width = xp[k + 1] - xp[k]
        at_end = width == 0  # the last two points are one
        part = np.where(at_end, 1, (x - xp[k]) / np.where(at_end, 1, width))
        with np.errstate(invalid="ignore"):  # beside an infinite neighbour a point has its own value
            y = fp[k] + part * (fp[k + 1] - fp[k])
        y = np.where((x == xp[k]) & ~np.isfinite(y), np.where(at_end, fp[k + 1], fp[k]), y)
    y = np.where(x < start, fp[0] if left is None else left, y)
    return np.where(x > stop, fp[-1] if right is None else right, y)


def _real(values):
    values = as_array(values)
    if values.dtype.kind == "c":
        raise TypeError("np.interp takes real x and xp")
    return values


def _one_period(x, xp, fp, period):
    """x and the points within one period, with the last point before them and the first after them."""
    if period == 0:
        raise ValueError("np.interp: the period cannot be 0")
    period = abs(period)
    x, xp = x % period, xp % period
    order = np.argsort(xp)
    xp, fp = xp[order], fp[order]
    return x, np.concatenate([xp[-1:] - period, xp, xp[:1] + period]), np.concatenate([fp[-1:], fp, fp[:1]])


# ---- ranges between two ends ----


@meaning(np.linspace)
def _linspace(start, stop, num=50, endpoint=True, retstep=False, dtype=None, axis=0, *, device=None):
    num = operator.index(num)
    if num < 0:
        raise ValueError(f"num is not negative, unlike {num}")
    start, stop = as_array(start) * 1.0, as_array(stop) * 1.0
    found = np.result_type(start, stop, float(num))
    steps = num - 1 if endpoint else num
    part = np.arange(num) / max(steps, 1)
    part = np.reshape(part, (-1, *(1,) * np.ndim(stop - start))).astype(np.zeros(0, found).real.dtype)
    y = start + part * (stop - start)
    if endpoint and num > 1:
        y = np.where(part == 1, stop, y)  # without a rounding error
    y = np.floor(y) if dtype is not None and np.dtype(dtype).kind in "iu" else y
    y = to_dtype(np.moveaxis(y, 0, axis), found if dtype is None else dtype, copy=False)
    return (y, (stop - start) / (steps or math.nan)) if retstep else y


@meaning(np.logspace)
def _logspace(start, stop, num=50, endpoint=True, base=10.0, dtype=None, axis=0):
    if np.ndim(base):  # a base for each sequence
        start, stop, base = np.broadcast_arrays(start, stop, base)
        base = np.expand_dims(base, axis)
    y = np.linspace(start, stop, num, endpoint, axis=axis)
    if isinstance(base, int | float | complex):
        base = to_dtype(as_array(base), y.dtype)
    y = np.power(base, y)
    return y if dtype is None else to_dtype(y, dtype, copy=False)


@meaning(np.geomspace)
def _geomspace(start, stop, num=50, endpoint=True, dtype=None, axis=0):
    start, stop = as_array(start), as_array(stop)
    found = np.result_type(start, stop, np.zeros((), dtype), float(num))  # float64 unless another dtype is asked for
    start, stop = (to_dtype(end, found, copy=False) for end in (start, stop))
    if np.any(start == 0) or np.any(stop == 0):
        raise ValueError("np.geomspace cannot go through 0")
    start, stop = np.broadcast_arrays(start, stop)
    turn = np.sign(start)  # what is left of start is positive
    y = turn * np.logspace(np.log10(start / turn), np.log10(stop / turn), num, endpoint)
    place = np.reshape(np.arange(y.shape[0]), (-1, *(1,) * start.ndim))
    y = np.where(place == 0, start, y)
    if endpoint and num > 1:
        y = np.where(place == num - 1, stop, y)
    return np.moveaxis(y if dtype is None else to_dtype(y, dtype, copy=False), 0, axis)
