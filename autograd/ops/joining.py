"""Joining, splitting and repeating arrays. `concatenate` and `stack` have rules; the rest is composed."""

from __future__ import annotations

import math
import operator

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..op import apply, linear, meaning
from ..tensor import as_array
from . import hidden
from .constant import plain
from .shape import broadcast_to, copy, plain_index, reshape, reshaped, to_dtype

# ---- joining and splitting ----


@linear(name="concatenate", formulas=("g[piece i]",), batch="axis")
def concatenate(*xs, axis=0):
    """The arrays one after the other along an axis."""
    return np.concatenate(xs, axis=axis)


@concatenate.rule
def _concatenate_rule(g, xs_shape, i, axis=0):
    if axis is None:
        start = sum(math.prod(s) for s in xs_shape[:i])
        return np.reshape(g[start : start + math.prod(xs_shape[i])], xs_shape[i])
    axis %= len(xs_shape[i])
    start = sum(s[axis] for s in xs_shape[:i])
    return g[(*(slice(None),) * axis, slice(start, start + xs_shape[i][axis]))]


@linear(name="stack", formulas=("g[i]",), batch=hidden.stack)
def stack(*xs, axis=0):
    """The arrays side by side along a new axis."""
    return np.stack(xs, axis=axis)


stack.rule(lambda g, xs_shape, i, axis=0: g[(*(slice(None),) * (axis % (len(xs_shape[i]) + 1)), i)])


def _cast(arrays, dtype, casting):
    """The arrays in the dtype of a result that was asked for."""
    if dtype is None or len(arrays) == 0:
        return arrays
    arrays = [as_array(a) for a in arrays]  # a list among them too
    found = np.result_type(*map(plain, arrays))
    if not np.can_cast(found, dtype, casting):
        raise TypeError(f"{found} cannot become {np.dtype(dtype)} with casting={casting!r}")
    return [to_dtype(a, dtype, copy=False) for a in arrays]


@meaning(np.concatenate)
def _concatenate(arrays, /, axis=0, out=None, *, dtype=None, casting="same_kind"):
    return apply(concatenate, tuple(_cast(arrays, dtype, casting)), {"axis": axis})


@meaning(np.stack)
def _stack(arrays, axis=0, out=None, *, dtype=None, casting="same_kind"):
    return apply(stack, tuple(_cast(arrays, dtype, casting)), {"axis": axis})


@meaning(np.vstack)
def _vstack(tup, *, dtype=None, casting="same_kind"):
    return np.concatenate([np.atleast_2d(a) for a in tup], axis=0, dtype=dtype, casting=casting)


@meaning(np.hstack)
def _hstack(tup, *, dtype=None, casting="same_kind"):
    arrays = [np.atleast_1d(a) for a in tup]
    return np.concatenate(arrays, axis=0 if arrays[0].ndim == 1 else 1, dtype=dtype, casting=casting)


@meaning(np.dstack)
def _dstack(tup):
    return np.concatenate([np.atleast_3d(a) for a in tup], axis=2)


@meaning(np.column_stack)
def _column_stack(tup):
    return np.concatenate([np.reshape(a, (-1, 1)) if np.ndim(a) < 2 else a for a in tup], axis=1)


@meaning(np.block)
def _block(arrays):
    """The innermost lists side by side along the last axis, the lists around them along the axis before it ..."""
    depth = _depth(arrays)
    ndim = max(depth, *map(np.ndim, _leaves(arrays)))

    def join(block, axis):
        if isinstance(block, list):
            return np.concatenate([join(b, axis + 1) for b in block], axis=axis)
        return np.reshape(block, (1,) * (ndim - np.ndim(block)) + np.shape(block))

    return join(arrays, -depth) if depth else copy(arrays)


def _depth(block):
    if isinstance(block, tuple):
        raise TypeError("np.block takes nested lists of arrays, no tuples")
    if not isinstance(block, list):
        return 0
    depths = {_depth(b) for b in block}
    if len(depths) != 1:
        raise ValueError("np.block takes lists that are not empty and are all nested equally deep")
    return 1 + depths.pop()


def _leaves(block):
    return [leaf for b in block for leaf in _leaves(b)] if isinstance(block, list) else [block]


@meaning(np.array_split)
def _array_split(ary, indices_or_sections, axis=0):
    return _split(ary, indices_or_sections, axis, np.array_split)


@meaning(np.split)
def _split(ary, indices_or_sections, axis=0, how=np.split):
    ary = as_array(ary)
    pieces = how(np.arange(ary.shape[axis]), plain_index(indices_or_sections))  # NumPy's own checks and sizes
    before = (slice(None),) * (axis % ary.ndim)
    starts = np.cumsum([0, *map(len, pieces)]).tolist()
    return [ary[(*before, slice(a, a + len(p)))] for a, p in zip(starts, pieces, strict=False)]


def _split_along(name, at_least, axis_of):
    def split(ary, indices_or_sections):
        ary = as_array(ary)
        if ary.ndim < at_least:
            raise ValueError(f"np.{name} takes an array of {at_least} or more axes, not {ary.ndim}")
        return np.split(ary, indices_or_sections, axis_of(ary.ndim))

    return split


meaning(np.hsplit)(_split_along("hsplit", 1, lambda ndim: 1 if ndim > 1 else 0))
meaning(np.vsplit)(_split_along("vsplit", 2, lambda ndim: 0))
meaning(np.dsplit)(_split_along("dsplit", 3, lambda ndim: 2))


def _unstack(x, /, *, axis=0):
    """The slices along an axis, as a tuple."""
    if x.ndim == 0:
        raise ValueError("np.unstack takes an array of one or more axes")
    return tuple(np.moveaxis(x, axis, 0))


if hasattr(np, "unstack"):  # from NumPy 2.1 on
    meaning(np.unstack)(_unstack)


# ---- repetition ----


@meaning(np.repeat)
def _repeat(a, repeats, axis=None):
    a = as_array(a)
    if axis is None or (a.ndim == 0 and axis in (0, -1)):
        a, axis = reshape(a, shape=(-1,)), 0
    axis = normalize_axis_index(axis, a.ndim)
    return a[(*(slice(None),) * axis, np.repeat(np.arange(a.shape[axis]), plain(repeats)))]


@meaning(np.tile)
def _tile(A, reps):
    A, reps = as_array(A), tuple(map(operator.index, np.atleast_1d(plain(reps))))
    n = max(len(reps), A.ndim)
    shape = (1,) * (n - A.ndim) + A.shape
    reps = (1,) * (n - len(reps)) + reps
    if all(r == 1 for r in reps):
        return copy(reshaped(A, shape))  # not a view, as in NumPy
    spread = [k for pair in zip(reps, shape, strict=True) for k in pair]
    ones = [k for s in shape for k in (1, s)]
    tiled = apply(broadcast_to, (reshaped(A, tuple(ones)),), {"shape": tuple(spread)})
    return reshaped(tiled, tuple(r * s for r, s in zip(reps, shape, strict=True)))
