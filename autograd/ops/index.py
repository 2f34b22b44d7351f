"""Which element goes where: taking, choosing, sorting, inserting.

Everything here is composed: where an element comes from is found on plain arrays of places, often by NumPy's own
function run on 0, 1, 2, ...; `x[places]` then does the work, and its rule is the only one needed. Places that depend
on the values, as in sorting, are constants between the points where they jump.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..errors import NotDifferentiableError
from ..op import meaning
from ..tensor import Tensor, as_array
from .constant import plain
from .shape import scatter, stored, to_dtype


def integers(values):
    """Indices as an array of integers; TypeError for anything else."""
    places = as_array(plain(values))
    no_list = hasattr(values, "dtype") or places.size  # an empty list has no dtype of its own
    return places.astype(np.intp, casting="same_kind" if no_list else "unsafe")


def _along(x, places, axis):
    return x[(*(slice(None),) * axis, places)]


def _flat_or_axis(x, axis):
    """x and its axis; flattened, and 0, if axis is None."""
    x = as_array(x)
    return (np.ravel(x), 0) if axis is None else (x, normalize_axis_index(axis, x.ndim))


def _line_or_axis(x, axis):
    """The same where NumPy takes a number for an array of one axis."""
    return _flat_or_axis(x, None if np.ndim(x) == 0 and axis in (0, -1) else axis)


# ---- taking ----


def _within(places, n, mode):
    """Places in range, by the mode of NumPy's."""
    if mode == "clip":
        return np.clip(places, 0, n - 1)
    if mode == "wrap":
        return places % n if n else places
    if mode != "raise":
        raise ValueError(f"mode is 'raise', 'wrap' or 'clip', not {mode!r}")
    return places


@meaning(np.take)
def _take(a, indices, axis=None, out=None, mode="raise"):
    a, axis = _line_or_axis(a, axis)
    places = integers(indices)
    if places.size and not a.shape[axis]:
        raise IndexError("cannot take from an empty axis")
    return _along(a, _within(places, a.shape[axis], mode), axis)


@meaning(np.take_along_axis)
def _take_along_axis(arr, indices, axis=-1):
    indices = as_array(plain(indices))
    if axis is None and indices.ndim != 1:
        raise ValueError("np.take_along_axis with axis=None takes indices of one axis")
    arr, axis = _flat_or_axis(arr, axis)
    if indices.dtype.kind not in "iu":
        raise IndexError(f"indices are integers, not {indices.dtype}")
    if indices.ndim != arr.ndim:
        raise ValueError(f"the indices have {indices.ndim} axes, the array has {arr.ndim}")
    n = arr.ndim
    places = [np.reshape(np.arange(s), (1,) * k + (-1,) + (1,) * (n - 1 - k)) for k, s in enumerate(arr.shape)]
    places[axis] = indices
    return arr[tuple(places)]


@meaning(np.compress)
def _compress(condition, a, axis=None, out=None):
    condition = as_array(plain(condition))
    if condition.ndim != 1:
        raise ValueError("the condition of np.compress has one axis")
    a, axis = _line_or_axis(a, axis)
    return _along(a, np.flatnonzero(condition), axis)


@meaning(np.extract)
def _extract(condition, arr):
    return np.take(np.ravel(arr), np.flatnonzero(plain(condition)))


@meaning(np.trim_zeros)
def _trim_zeros(filt, trim="fb", axis=None):
    """The smallest box around what is not zero, in the axes asked for and at the ends asked for."""
    ends = trim.lower()
    if ends not in ("fb", "bf", "f", "b"):
        raise ValueError(f"trim is 'f', 'b' or 'fb', not {trim!r}")
    filt = as_array(filt)
    axes = range(filt.ndim) if axis is None else np.lib.array_utils.normalize_axis_tuple(axis, filt.ndim)
    box = [slice(None)] * filt.ndim
    for k, places in enumerate(np.argwhere(filt).T):
        if k in axes:
            start, stop = (
                (places.min(), places.max() + 1) if places.size else (0 if ends == "b" else filt.shape[k],) * 2
            )
            box[k] = slice(start if "f" in ends else None, stop if "b" in ends else None)
    return filt[tuple(box)]


@meaning(np.resize)
def _resize(a, new_shape):
    new_shape = (new_shape,) if isinstance(new_shape, int | np.integer) else tuple(new_shape)
    if any(n < 0 for n in new_shape):
        raise ValueError("np.resize: a length cannot be negative")
    a, n = np.ravel(a), int(np.prod(new_shape, dtype=np.intp))
    if not a.size:
        return np.reshape(np.pad(a, (0, n)), new_shape)
    return np.reshape(a[np.arange(n) % a.size], new_shape)


# ---- choosing ----


@meaning(np.choose)
def _choose(a, choices, out=None, mode="raise"):
    n = len(choices)
    which, *choices = np.broadcast_arrays(integers(a), *choices)
    if mode == "raise" and np.any((which < 0) | (which >= n)):
        raise ValueError(f"np.choose: there are {n} choices, and an entry is not one of 0 ... {n - 1}")
    return np.take_along_axis(np.stack(choices), _within(which, n, mode)[None], axis=0)[0]


@meaning(np.select)
def _select(condlist, choicelist, default=0):
    if len(condlist) != len(choicelist) or not condlist:
        raise ValueError(f"np.select: {len(condlist)} conditions for {len(choicelist)} choices")
    result = default
    for condition, choice in zip(reversed(plain(condlist)), reversed(choicelist), strict=True):
        if np.asarray(condition).dtype != bool:
            raise TypeError(f"np.select: a condition is boolean, not {np.asarray(condition).dtype}")
        result = np.where(condition, choice, result)
    return result


@meaning(np.piecewise)
def _piecewise(x, condlist, funclist, *args, **kw):
    """Each function is called on the elements where its condition holds; the last condition that holds counts."""
    x, conditions = as_array(x), _conditions(plain(condlist), np.ndim(x))
    if len(funclist) == len(conditions) + 1:
        conditions = [*conditions, ~np.any(conditions, axis=0)]
    if len(funclist) != len(conditions):
        raise ValueError(f"np.piecewise: {len(funclist)} functions for {len(conditions)} conditions")
    y = np.where(False, x, 0)
    for condition, piece in zip(conditions, funclist, strict=True):
        condition = np.broadcast_to(condition, x.shape)
        if not callable(piece):
            y = np.where(condition, stored(piece, x.dtype), y)
        elif np.any(condition):
            part = stored(piece(x[condition], *args, **kw), x.dtype)
            part = np.broadcast_to(part, (np.count_nonzero(condition),))
            y = np.where(condition, scatter(part, index=condition, shape=x.shape), y)
    return y


def _conditions(condlist, ndim):
    one = np.isscalar(condlist) or (not isinstance(condlist[0], list | np.ndarray) and ndim > 0)
    return list(np.asarray([condlist] if one else condlist, dtype=bool))


# ---- putting in and leaving out ----


@meaning(np.append)
def _append(arr, values, axis=None):
    if axis is None:
        arr, values, axis = np.ravel(arr), np.ravel(values), 0
    return np.concatenate((arr, values), axis=axis)


@meaning(np.delete)
def _delete(arr, obj, axis=None):
    arr, axis = _flat_or_axis(arr, axis)
    return _along(arr, np.delete(np.arange(arr.shape[axis]), plain(obj)), axis)


@meaning(np.insert)
def _insert(arr, obj, values, axis=None):
    arr, axis = _flat_or_axis(arr, axis)
    n = arr.shape[axis]
    values = stored(values, arr.dtype)
    values = np.reshape(values, (1,) * (arr.ndim - values.ndim) + values.shape)
    places = np.arange(*obj.indices(n)) if isinstance(obj, slice) else as_array(plain(obj))
    if places.dtype == bool:
        places = np.flatnonzero(places)
    if places.ndim == 0:  # the first axis of the values counts them, as in arr[:, 0] = values
        values = np.moveaxis(values, 0, axis)
    many = values.shape[axis] if places.size == 1 else places.size
    order = np.insert(np.arange(n), places if places.size else [], n + np.arange(many))
    values = np.broadcast_to(values, (*arr.shape[:axis], many, *arr.shape[axis + 1 :]))
    return _along(np.concatenate([arr, values], axis=axis), order, axis)


# ---- sorting; between equal elements the permutation is the one that NumPy took ----


@meaning(np.sort)
def _sort(a, axis=-1, kind=None, order=None, *, stable=None):
    a, axis = _flat_or_axis(a, axis)
    return np.take_along_axis(a, np.argsort(a, axis, kind, order, stable=stable), axis)


@meaning(np.partition)
def _partition(a, kth, axis=-1, kind="introselect", order=None):
    """The order that NumPy's result has, found by sorting both: `np.argpartition` may give another."""
    a, axis = _flat_or_axis(a, axis)
    x = plain(a)
    parted = np.partition(x, plain(kth), axis, kind, order)
    rank = np.argsort(np.argsort(parted, axis, stable=True), axis, stable=True)
    return np.take_along_axis(a, np.take_along_axis(np.argsort(x, axis, stable=True), rank, axis), axis)


@meaning(np.sort_complex)
def _sort_complex(a):
    a = np.sort(a)
    return to_dtype(a, np.sort_complex(np.zeros(0, a.dtype)).dtype, copy=False)


# ---- sets: of equal elements the first is taken ----


@meaning(np.unique)
def _unique(ar, return_index=False, return_inverse=False, return_counts=False, axis=None, *, equal_nan=True, **kw):
    wanted = {"return_inverse": return_inverse, "return_counts": return_counts, "axis": axis, "equal_nan": equal_nan}
    _, places, *others = np.unique(plain(ar), return_index=True, **wanted, **kw)
    values = np.take(ar, places, axis)
    results = (values, *([places] if return_index else []), *others)
    return results if len(results) > 1 else values


def _unique_as(function):
    """A function of the array API's, which returns a named tuple."""

    def unique(x):
        everything = np.unique_all(plain(x))
        result = function(plain(x))
        values = np.take(np.ravel(x), everything.indices)
        return result._replace(values=values) if isinstance(result, tuple) else values

    return meaning(function)(unique)


for _function in (np.unique_all, np.unique_counts, np.unique_inverse, np.unique_values):
    _unique_as(_function)


@meaning(np.union1d)
def _union1d(ar1, ar2):
    return np.unique(np.concatenate((ar1, ar2), axis=None))


@meaning(np.setdiff1d)
def _setdiff1d(ar1, ar2, assume_unique=False):
    ar1 = np.ravel(ar1) if assume_unique else np.unique(ar1)
    return ar1[np.isin(ar1, ar2, assume_unique=True, invert=True)]


@meaning(np.setxor1d)
def _setxor1d(ar1, ar2, assume_unique=False):
    if not assume_unique:
        ar1, ar2 = np.unique(ar1), np.unique(ar2)
    both = np.sort(np.concatenate((ar1, ar2), axis=None))
    x = plain(both)
    differs = x[1:] != x[:-1]
    alone = np.concatenate([[True], differs])[: x.size] & np.concatenate([differs, [True]])[: x.size]
    return both[alone]


@meaning(np.intersect1d)
def _intersect1d(ar1, ar2, assume_unique=False, return_indices=False):
    if any(isinstance(a, Tensor) and a.requires_grad for a in (ar1, ar2)):
        raise NotDifferentiableError(
            "what two arrays have in common has no derivative: any change of an element takes it away. Find the places "
            "with np.intersect1d(a.data, b.data, return_indices=True) and take them from the one that is meant"
        )
    return np.intersect1d(plain(ar1), plain(ar2), assume_unique, return_indices)


_intersect1d.kind = "refused"  # for the coverage table


# ---- a function applied to parts ----


@meaning(np.apply_along_axis)
def _apply_along_axis(func1d, axis, arr, *args, **kwargs):
    axis = normalize_axis_index(axis, arr.ndim)
    lines = np.moveaxis(arr, axis, -1)
    outer = lines.shape[:-1]
    if 0 in outer:
        raise ValueError("np.apply_along_axis: there is nothing to call the function on")
    results = np.stack(
        [func1d(line, *args, **kwargs) for line in np.reshape(lines, (math.prod(outer), arr.shape[axis]))]
    )
    inner = results.shape[1:]
    k = len(outer)
    order = (*range(axis), *range(k, k + len(inner)), *range(axis, k))
    return np.transpose(np.reshape(results, outer + inner), order)


@meaning(np.apply_over_axes)
def _apply_over_axes(func, a, axes):
    for axis in np.atleast_1d(axes).tolist():
        ndim = a.ndim
        a = func(a, axis)
        a = a if a.ndim == ndim else np.expand_dims(a, axis)
        if a.ndim != ndim:
            raise ValueError("np.apply_over_axes: the function returned an array of the wrong number of axes")
    return a
