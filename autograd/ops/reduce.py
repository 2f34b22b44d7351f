"""Reductions and cumulative operations: a gradient of the small result is spread over the large input.

The rows hold the rules. What NumPy's functions mean with all their keywords stands below the rows: `where=` puts a
number that changes nothing in place of what is left out, `initial=` is one more step at the end, and the functions
that skip nan leave it out in the same way, so that it gets the gradient 0.
"""

from __future__ import annotations

import builtins
import math
import warnings

import numpy as np

from ..op import apply, general, linear, meaning
from . import elementwise as e
from .elementwise import conj
from .joining import concatenate
from .shape import reshape


def kept_shape(x_shape, axis):
    """The shape of x after a reduction over `axis` with keepdims=True."""
    if axis is None:
        return (1,) * len(x_shape)
    axes = {a % builtins.max(len(x_shape), 1) for a in (axis if isinstance(axis, tuple | list) else (axis,))}
    return tuple(1 if k in axes else n for k, n in enumerate(x_shape))


def kept(g, x_shape, axis):
    """A reduced result in the shape that it would have with keepdims=True."""
    return np.reshape(g, kept_shape(x_shape, axis))


def count(x_shape, axis):
    """The number of elements that a reduction over `axis` puts together."""
    return math.prod(n for n, k in zip(x_shape, kept_shape(x_shape, axis), strict=True) if k == 1)


def _inverse(n):
    """1 / n as a factor: n itself may be beyond the largest number of float16."""
    return 1 / n if n > 0 else math.inf


# ---- rules ----

sum = linear(
    np.sum,
    lambda g, x_shape, axis=None: np.broadcast_to(kept(g, x_shape, axis), x_shape),
    accepts="keepdims dtype",
    batch="axis",
    formulas=("broadcast(g)",),
)
mean = linear(
    np.mean,
    lambda g, x_shape, axis=None: np.broadcast_to(kept(g * _inverse(count(x_shape, axis)), x_shape, axis), x_shape),
    accepts="keepdims dtype",
    batch="axis",
    formulas=("broadcast(g) / n",),
)


def _extremum_rule(g, x, y, axis=None):
    chosen = x == kept(y, x.shape, axis)
    ties = np.sum(chosen, axis=axis, keepdims=True, dtype=g.dtype)
    return np.where(chosen, kept(g, x.shape, axis) / ties, 0)


def _extremum(forward, handles=()):
    return general(
        forward,
        _extremum_rule,
        handles=handles,
        accepts="keepdims",
        selects=True,
        batch="axis",
        formulas=("g * (x == y) / ties",),
    )


max = _extremum(np.max, handles=np.amax)
min = _extremum(np.min, handles=np.amin)


@_extremum
def nanmax(x, *, axis=None, keepdims=False):
    """The largest of the numbers that are not nan; nan is equal to none, so the rule of max gives it 0."""
    return np.fmax.reduce(x, axis=axis, keepdims=keepdims)


@_extremum
def nanmin(x, *, axis=None, keepdims=False):
    """The smallest of the numbers that are not nan."""
    return np.fmin.reduce(x, axis=axis, keepdims=keepdims)


def _centred(x, axis):
    return x - np.mean(x, axis=axis, keepdims=True)


var = general(
    np.var,
    lambda g, x, axis=None, ddof=0: (
        kept(g, x.shape, axis) * (conj(_centred(x, axis)) * (2 * _inverse(count(x.shape, axis) - ddof)))
    ),
    accepts="keepdims",
    batch="axis",
    formulas=("g * 2 * (x - mean(x)) / (n - ddof)",),
)
# 0 where all elements are equal: the subgradient of least norm
std = general(
    np.std,
    lambda g, x, y, axis=None, ddof=0: (
        kept(g * (y != 0) / (y + (y == 0)), x.shape, axis)
        * (conj(_centred(x, axis)) * _inverse(count(x.shape, axis) - ddof))
    ),
    accepts="keepdims",
    batch="axis",
    formulas=("g * (x - mean(x)) / ((n - ddof) * y)",),
)

cumsum = linear(
    np.cumsum,
    lambda g, x_shape, axis=None: (
        np.reshape(_from_the_end(np.cumsum, g, 0), x_shape) if axis is None else _from_the_end(np.cumsum, g, axis)
    ),
    accepts="dtype",
    batch="axis",
    formulas=("reverse_cumsum(g)",),
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


def _cumprod_rule(g, x, axis):
    """Right for any number of zeros: dx[k] = (product before k) * R[k] with R[k] = g[k] + x[k + 1] R[k + 1].

    The recurrence is solved by doubling, in log2(n) vectorised passes.
    """
    axis %= len(x.shape)
    before = np.cumprod(_shifted(x, axis, 1, 1), axis=axis)
    r, a, step = g, _shifted(x, axis, -1, 0), 1
    while step < x.shape[axis]:
        r = r + a * _shifted(r, axis, -step, 0)
        a = a * _shifted(a, axis, -step, 0)
        step *= 2
    return before * r


cumprod = general(np.cumprod, _cumprod_rule, batch="axis", formulas=("sum(g * y / x)",))


def _prod_rule(g, x, axis=None):
    """g times the product of the other elements, which is right for any number of zeros."""
    axes = range(len(x.shape)) if axis is None or not x.shape else axis if isinstance(axis, tuple) else (axis,)
    axes = [a % len(x.shape) for a in axes]
    others = [a for a in range(len(x.shape)) if a not in axes]
    flat = np.reshape(np.transpose(x, (*others, *axes)), (*(x.shape[a] for a in others), count(x.shape, tuple(axes))))
    last = len(others)
    before = np.cumprod(_shifted(flat, last, 1, 1), axis=last)
    after = _from_the_end(np.cumprod, _shifted(flat, last, -1, 1), last)
    product = np.reshape(before * after, (*(x.shape[a] for a in others), *(x.shape[a] for a in axes)))
    return kept(g, x.shape, tuple(axes)) * np.transpose(product, np.argsort((*others, *axes)))


prod = general(np.prod, _prod_rule, accepts="keepdims", batch="axis", formulas=("g * y / x",))


# ---- NumPy's functions, with all their keywords ----


def given(value):
    """True unless it is None or NumPy's mark for an argument that was left out."""
    return value is not None and value is not np._NoValue


def _reduce(op, a, axis, out, keepdims, **statics):
    """Apply an op of this file; what was left out is not recorded."""
    if given(axis):
        statics["axis"] = axis
    if given(keepdims) and keepdims:
        statics["keepdims"] = True
    return apply(op, (a,), {k: v for k, v in statics.items() if given(v)})


def _only(a, mask, fill):
    """a where the mask of a reduction, its argument `where`, is True; the number `fill` elsewhere."""
    return a if mask is True or mask is np._NoValue else e.where(_mask(a, mask), a, fill)


def _mask(a, mask):
    mask = mask if hasattr(mask, "dtype") else np.asarray(mask)
    return np.broadcast_to(mask if mask.dtype == bool else mask.astype(bool), a.shape)


def warn_if(found, message):
    """Warn as NumPy does where an element of `found` is True; in a batch nobody is told."""
    if np.any(found) is np.True_:
        warnings.warn(message, RuntimeWarning, stacklevel=4)


def _in(a, dtype):
    return a.astype(dtype) if given(dtype) and a.dtype != dtype else a


def _with(step, y, initial):
    """The step that puts `initial=` before the others; all of them may change places."""
    return step(y, y.dtype.type(initial)) if given(initial) else y


@sum.with_keywords
def _sum(a, axis=None, dtype=None, out=None, keepdims=False, initial=None, where=True):
    return _with(e.add, _reduce(sum, _only(a, where, 0), axis, out, keepdims, dtype=dtype), initial)


@prod.with_keywords
def _prod(a, axis=None, dtype=None, out=None, keepdims=False, initial=None, where=True):
    return _with(e.multiply, _reduce(prod, _in(_only(a, where, 1), dtype), axis, out, keepdims), initial)


def _extreme(op, step, a, axis, out, keepdims, initial, where):
    if not given(initial):
        if where is not True and where is not np._NoValue:
            raise ValueError(f"np.{op.name} with where= needs initial=, which is the result where nothing is chosen")
        return _reduce(op, a, axis, out, keepdims)
    a = _only(a, where, a.dtype.type(initial))
    if a.size == 0:
        return _sum(a, axis, None, out, keepdims, initial)
    return _with(step, _reduce(op, a, axis, out, keepdims), initial)


@max.with_keywords
def _max(a, axis=None, out=None, keepdims=False, initial=None, where=True):
    return _extreme(max, e.maximum, a, axis, out, keepdims, initial, where)


@min.with_keywords
def _min(a, axis=None, out=None, keepdims=False, initial=None, where=True):
    return _extreme(min, e.minimum, a, axis, out, keepdims, initial, where)


@meaning(np.ptp)
def _ptp(a, axis=None, out=None, keepdims=False):
    return _max(a, axis, out, keepdims) - _min(a, axis, out, keepdims)


@mean.with_keywords
def _mean(a, axis=None, dtype=None, out=None, keepdims=False, *, where=True):
    if where is True or where is np._NoValue:
        return _reduce(mean, a, axis, out, keepdims, dtype=dtype)
    if a.dtype == np.float16 and not given(dtype):  # as NumPy does
        return _mean_of_some(a, axis, np.float32, out, keepdims, where).astype(a.dtype)
    return _mean_of_some(a, axis, dtype, out, keepdims, where)


def _mean_of_some(a, axis, dtype, out, keepdims, where):
    total = _sum(a, axis, dtype, out, keepdims, where=where)
    n = _number(a, axis, keepdims, where)
    warn_if(n == 0, "Mean of empty slice")
    return _per(total, n)


def _number(a, axis, keepdims, where):
    """How many elements each mean is over."""
    return np.sum(_mask(a, where), axis=axis, keepdims=given(keepdims) and keepdims)


def _per(total, n):
    """total / n in the dtype of the total, which need not hold n itself; nan for 0 / 0 without a warning."""
    with np.errstate(invalid="ignore", divide="ignore"):
        y = total / n
    return _in(y, total.dtype if total.dtype.kind in "fc" else None)


@var.with_keywords
def _var(a, axis=None, dtype=None, out=None, ddof=0, keepdims=False, *, where=True, mean=None, correction=np._NoValue):
    ddof = _degrees(ddof, correction)
    if (where is True or where is np._NoValue) and not given(mean):
        return _reduce(var, _in(a, dtype), axis, out, keepdims, ddof=ddof or None)
    x = _in(_only(a, where, 0), dtype)
    where = np.True_ if where is np._NoValue else where
    away = x - (mean if given(mean) else _mean(x, axis, keepdims=True, where=where))
    squares = e.real(away * e.conjugate(away)) if away.dtype.kind == "c" else away * away
    total = _sum(squares, axis, None, out, keepdims, where=where)
    n = np.maximum(_number(a, axis, keepdims, where) - ddof, 0)
    warn_if(n == 0, "Degrees of freedom <= 0 for slice")
    return _per(total, n)


def _degrees(ddof, correction):
    if correction is np._NoValue:
        return ddof
    if ddof != 0:
        raise ValueError("ddof and correction mean the same; give one of them")
    return correction


@std.with_keywords
def _std(a, axis=None, dtype=None, out=None, ddof=0, keepdims=False, *, where=True, mean=None, correction=np._NoValue):
    if (where is True or where is np._NoValue) and not given(mean):
        return _reduce(std, _in(a, dtype), axis, out, keepdims, ddof=_degrees(ddof, correction) or None)
    variance = _var(a, axis, dtype, out, ddof, keepdims, where=where, mean=mean, correction=correction)
    zero = variance.data == 0  # at 0 the root has an infinite derivative, and the standard deviation 0
    return e.where(zero, 0, e.sqrt(e.where(zero, 1, variance)))


# the functions that skip nan


@meaning(np.nansum)
def _nansum(a, axis=None, dtype=None, out=None, keepdims=False, initial=None, where=True):
    return _sum(_only(a, ~np.isnan(a), 0), axis, dtype, out, keepdims, initial, where)


@meaning(np.nanprod)
def _nanprod(a, axis=None, dtype=None, out=None, keepdims=False, initial=None, where=True):
    return _prod(_only(a, ~np.isnan(a), 1), axis, dtype, out, keepdims, initial, where)


@meaning(np.nanmean)
def _nanmean(a, axis=None, dtype=None, out=None, keepdims=False, *, where=True):
    return _mean_of_some(a, axis, dtype, out, keepdims, _numbers(a, where))


@meaning(np.nanvar)
def _nanvar(
    a, axis=None, dtype=None, out=None, ddof=0, keepdims=False, *, where=True, mean=None, correction=np._NoValue
):
    options = {"where": _numbers(a, where), "mean": mean, "correction": correction}
    return _var(a, axis, dtype, out, ddof, keepdims, **options)


@meaning(np.nanstd)
def _nanstd(
    a, axis=None, dtype=None, out=None, ddof=0, keepdims=False, *, where=True, mean=None, correction=np._NoValue
):
    options = {"where": _numbers(a, where), "mean": mean, "correction": correction}
    return _std(a, axis, dtype, out, ddof, keepdims, **options)


def _numbers(a, where):
    return ~np.isnan(a) & (True if where is np._NoValue else where)


@meaning(np.nanmax)
def _nanmax(a, axis=None, out=None, keepdims=False, initial=None, where=True):
    return _nan_extreme(nanmax, e.maximum, a, axis, out, keepdims, initial, where)


@meaning(np.nanmin)
def _nanmin(a, axis=None, out=None, keepdims=False, initial=None, where=True):
    return _nan_extreme(nanmin, e.minimum, a, axis, out, keepdims, initial, where)


def _nan_extreme(op, step, a, axis, out, keepdims, initial, where):
    if given(initial):
        a = _only(a, ~np.isnan(a), a.dtype.type(initial))
    y = _extreme(op, step, a, axis, out, keepdims, initial, where)
    warn_if(np.isnan(y), "All-NaN slice encountered")
    return y


# running sums and products


def _running(op, a, axis, dtype, out):
    if axis is None and op is cumprod:
        a, axis = a if a.ndim == 1 else reshape(a, shape=(-1,)), 0
    return apply(op, (_in(a, dtype),), {"axis": axis})


@meaning(np.cumsum)
def _cumsum(a, axis=None, dtype=None, out=None):
    return _running(cumsum, a, axis, dtype, out)


@meaning(np.cumprod)
def _cumprod(a, axis=None, dtype=None, out=None):
    return _running(cumprod, a, axis, dtype, out)


@meaning(np.nancumsum)
def _nancumsum(a, axis=None, dtype=None, out=None):
    return _running(cumsum, _only(a, ~np.isnan(a), 0), axis, dtype, out)


@meaning(np.nancumprod)
def _nancumprod(a, axis=None, dtype=None, out=None):
    return _running(cumprod, _only(a, ~np.isnan(a), 1), axis, dtype, out)


def _cumulative(op, start, x, axis, dtype, out, include_initial):
    if axis is None and x.ndim > 1:
        raise ValueError(f"np.cumulative_{op.name[3:]} of {x.ndim} dimensions needs axis=")
    y = _running(op, x, axis, dtype, out)
    if not include_initial:
        return y
    axis = 0 if axis is None else axis % x.ndim
    return concatenate(np.full((*y.shape[:axis], 1, *y.shape[axis + 1 :]), start, y.dtype), y, axis=axis)


if hasattr(np, "cumulative_sum"):  # from NumPy 2.1 on

    @meaning(np.cumulative_sum)
    def _cumulative_sum(x, /, *, axis=None, dtype=None, out=None, include_initial=False):
        return _cumulative(cumsum, 0, x, axis, dtype, out, include_initial)

    @meaning(np.cumulative_prod)
    def _cumulative_prod(x, /, *, axis=None, dtype=None, out=None, include_initial=False):
        return _cumulative(cumprod, 1, x, axis, dtype, out, include_initial)
