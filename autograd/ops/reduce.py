"""Reductions and cumulative operations: a gradient of the small result is spread over the large input."""

from __future__ import annotations

import builtins
import math

import numpy as np

from ..op import general, linear
from .elementwise import conj


def kept_shape(x_shape, axis):
    """The shape of x after a reduction over `axis` with keepdims=True."""
    if axis is None:
        return (1,) * len(x_shape)
    axes = {a % len(x_shape) for a in (axis if isinstance(axis, tuple | list) else (axis,))}
    return tuple(1 if k in axes else n for k, n in enumerate(x_shape))


def kept(g, x_shape, axis):
    """A reduced result in the shape that it would have with keepdims=True."""
    return np.reshape(g, kept_shape(x_shape, axis))


def count(x_shape, axis):
    """The number of elements that a reduction over `axis` puts together."""
    return math.prod(n for n, k in zip(x_shape, kept_shape(x_shape, axis), strict=True) if k == 1)


sum = linear(
    np.sum,
    lambda g, x_shape, axis=None: np.broadcast_to(kept(g, x_shape, axis), x_shape),
    accepts="keepdims dtype",
    formulas=("broadcast(g)",),
    batch="axis",
)
mean = linear(
    np.mean,
    lambda g, x_shape, axis=None: np.broadcast_to(kept(g / count(x_shape, axis), x_shape, axis), x_shape),
    accepts="keepdims dtype",
    formulas=("broadcast(g) / n",),
    batch="axis",
)


def _extremum_rule(g, x, y, axis=None):
    chosen = x == kept(y, x.shape, axis)
    ties = np.sum(chosen, axis=axis, keepdims=True, dtype=g.dtype)
    return np.where(chosen, kept(g, x.shape, axis) / ties, 0)


max = general(
    np.max,
    _extremum_rule,
    handles=np.amax,
    accepts="keepdims",
    selects=True,
    formulas=("g * (x == y) / ties",),
    batch="axis",
)
min = general(
    np.min,
    _extremum_rule,
    handles=np.amin,
    accepts="keepdims",
    selects=True,
    formulas=("g * (x == y) / ties",),
    batch="axis",
)


def _centred(x, axis):
    return x - np.mean(x, axis=axis, keepdims=True)


var = general(
    np.var,
    lambda g, x, axis=None, ddof=0: (
        kept(g, x.shape, axis) * (2 * conj(_centred(x, axis)) / (count(x.shape, axis) - ddof))
    ),
    accepts="keepdims",
    formulas=("g * 2 * (x - mean(x)) / (n - ddof)",),
    batch="axis",
)
# 0 where all elements are equal: the subgradient of least norm
std = general(
    np.std,
    lambda g, x, y, axis=None, ddof=0: (
        kept(g / (y + (y == 0)), x.shape, axis) * (conj(_centred(x, axis)) / (count(x.shape, axis) - ddof))
    ),
    accepts="keepdims",
    formulas=("g * (x - mean(x)) / ((n - ddof) * y)",),
    batch="axis",
)

cumsum = linear(
    np.cumsum,
    lambda g, x_shape, axis=None: np.reshape(_from_the_end(np.cumsum, g, 0 if axis is None else axis), x_shape),
    accepts="dtype",
    formulas=("reverse_cumsum(g)",),
    batch="axis",
)


def _from_the_end(f, g, axis):
    return np.flip(f(np.flip(g, axis), axis=axis), axis)


def _shifted(x, axis, by, fill):
    """x moved by `by` places along an axis, with `fill` in the places that become free."""
    n = x.shape[axis]
    by_n = builtins.min(abs(by), n)
    free = np.full((*x.shape[:axis], by_n, *x.shape[axis + 1 :]), fill, x.dtype)
    before = (slice(None),) * axis
    if by > 0:
        return np.concatenate([free, x[(*before, slice(0, n - by_n))]], axis=axis)
    return np.concatenate([x[(*before, slice(by_n, n))], free], axis=axis)


def _cumprod_rule(g, x, axis=None):
    """Right for any number of zeros: dx[k] = (product before k) * R[k] with R[k] = g[k] + x[k + 1] R[k + 1].

    The recurrence is solved by doubling, in log2(n) vectorised passes.
    """
    shape = x.shape
    if axis is None:
        x, axis = np.reshape(x, (-1,)), 0
    axis %= len(x.shape)
    before = np.cumprod(_shifted(x, axis, 1, 1), axis=axis)
    r, a, step = g, _shifted(x, axis, -1, 0), 1
    while step < x.shape[axis]:
        r = r + a * _shifted(r, axis, -step, 0)
        a = a * _shifted(a, axis, -step, 0)
        step *= 2
    return np.reshape(before * r, shape)


cumprod = general(np.cumprod, _cumprod_rule, formulas=("sum(g * y / x)",), batch="axis")


def _prod_rule(g, x, axis=None):
    """g times the product of the other elements, which is right for any number of zeros."""
    axes = range(len(x.shape)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    axes = [a % len(x.shape) for a in axes]
    others = [a for a in range(len(x.shape)) if a not in axes]
    flat = np.reshape(np.transpose(x, (*others, *axes)), (*(x.shape[a] for a in others), count(x.shape, tuple(axes))))
    last = len(others)
    before = np.cumprod(_shifted(flat, last, 1, 1), axis=last)
    after = _from_the_end(np.cumprod, _shifted(flat, last, -1, 1), last)
    product = np.reshape(before * after, (*(x.shape[a] for a in others), *(x.shape[a] for a in axes)))
    return kept(g, x.shape, tuple(axes)) * np.transpose(product, np.argsort((*others, *axes)))


prod = general(np.prod, _prod_rule, accepts="keepdims", formulas=("g * y / x",), batch="axis")
