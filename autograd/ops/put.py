"""NumPy's functions that write into their first argument: each is an assignment, at an index that is found out here."""

from __future__ import annotations

import functools

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..op import meaning
from ..tensor import Tensor
from .assign import refuse_array
from .constant import plain


def _into_tensor(function):
    """Refuse an ndarray to write into: it can take no gradient."""

    def register(own):
        @functools.wraps(own)
        def checked(target, *args, **kwargs):
            if not isinstance(target, Tensor):
                values = [v for v in (*args, *kwargs.values()) if isinstance(v, Tensor)]
                refuse_array(target, f"np.{function.__name__}", values)
                return function(target, *map(plain, args), **{k: plain(v) for k, v in kwargs.items()})
            return own(target, *args, **kwargs)

        return meaning(function)(checked)

    return register


@_into_tensor(np.copyto)
def _copyto(dst, src, casting="same_kind", where=True):
    src = src if isinstance(src, Tensor) else np.asarray(src)
    if not np.can_cast(src.dtype, dst.dtype, casting):
        raise TypeError(f"cannot copy {src.dtype} into {dst.dtype} with casting={casting!r}")
    where = plain(where)
    if getattr(where, "dtype", np.dtype(bool)).kind != "b":
        raise TypeError(f"where is an array of booleans, not of {where.dtype}")
    where = np.asarray(where, bool)
    if where.ndim == 0 and where:
        dst[...] = src
    else:
        mask = np.broadcast_to(where, dst.shape)
        dst[mask] = np.broadcast_to(src, dst.shape)[mask]


@_into_tensor(np.put)
def _put(a, ind, v, mode="raise"):
    places = np.array(plain(ind)).reshape(-1)
    if mode == "raise":
        if np.any((places < -a.size) | (places >= a.size)):
            raise IndexError(f"an index of np.put is out of bounds for a Tensor of {a.size} elements")
        places = places % max(a.size, 1)
    _put_in_turn(
        a, np.unravel_index(places, a.shape, "C") if mode == "raise" else _within(places, a, mode), _flat(v, a)
    )


def _within(places, a, mode):
    if mode not in ("wrap", "clip"):
        raise ValueError(f"mode is 'raise', 'wrap' or 'clip', not {mode!r}")
    places = places % a.size if mode == "wrap" else np.clip(places, 0, a.size - 1)
    return np.unravel_index(places, a.shape)


def _flat(values, a, casting="unsafe"):
    """The values in one row, as something to write into a."""
    if not np.can_cast(getattr(values, "dtype", a.dtype), a.dtype, casting):
        raise TypeError(f"cannot put numbers of {values.dtype} into an array of {a.dtype}: the cast is not {casting}")
    return np.ravel(values if isinstance(values, Tensor) else np.asarray(values))


def _put_in_turn(a, places, values):
    """Write the values one after the other to these places, from the start again when they run out."""
    n = len(places[0]) if places else 1
    if n and values.size:
        a[places] = values[np.arange(n) % values.size] if values.size != 1 else values[0]


@_into_tensor(np.place)
def _place(arr, mask, vals):
    mask = np.asarray(plain(mask), bool)
    if mask.size != arr.size:
        raise ValueError("place: mask and data must be the same size")
    vals = _flat(vals, arr, "safe")
    if vals.size == 0 and np.any(mask):
        raise ValueError("np.place cannot insert from an empty array")
    _put_in_turn(arr, np.nonzero(mask.reshape(arr.shape)), vals)


@_into_tensor(np.putmask)
def _putmask(a, mask, values):
    mask = np.asarray(plain(mask), bool)
    if mask.size != a.size:
        raise ValueError("putmask: mask and data must be the same size")
    values, places = _flat(values, a, "safe"), np.flatnonzero(mask)
    if values.size:
        a[np.unravel_index(places, a.shape)] = values[places % values.size]


@_into_tensor(np.fill_diagonal)
def _fill_diagonal(a, val, wrap=False):
    mask = np.zeros(a.shape, bool)
    np.fill_diagonal(mask, True, wrap)
    _put_in_turn(a, np.nonzero(mask), _flat(val, a))


@_into_tensor(np.put_along_axis)
def _put_along_axis(arr, indices, values, axis=-1):
    indices = np.array(plain(indices))
    if axis is None:
        if indices.ndim != 1:
            raise ValueError("with axis=None the indices have one axis")
        arr[np.unravel_index(np.arange(arr.size)[indices], arr.shape)] = values
        return
    if indices.ndim != arr.ndim:
        raise ValueError(f"the indices have {indices.ndim} axes, the Tensor has {arr.ndim}")
    axis = normalize_axis_index(axis, arr.ndim)
    ranges = list(np.ogrid[tuple(slice(n) for n in arr.shape)])
    ranges[axis] = indices
    arr[tuple(ranges)] = values
