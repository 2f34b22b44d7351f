"""Sequences between two Tensors. All are composites: weights, which are constants, between the ends."""

from __future__ import annotations

import numpy as np

from ..op import meaning
from ..tensor import as_array


def _weights(start, stop, num, endpoint, dtype=float):
    """From 0 to 1 (without 1, unless `endpoint`), along a new first axis."""
    w = np.linspace(0, 1, num, endpoint=endpoint, dtype=dtype)
    return np.reshape(w, w.shape + (1,) * max(np.ndim(start), np.ndim(stop)))


def _finished(y, dtype, axis):
    if dtype is not None and np.dtype(dtype).kind in "iu":
        y = np.floor(y)
    return np.moveaxis(y if dtype is None else y.astype(dtype), 0, axis)


@meaning(np.linspace)
def linspace(start, stop, num=50, endpoint=True, retstep=False, dtype=None, axis=0, *, device=None):
    start, stop = as_array(start), as_array(stop)
    real = np.result_type(start, stop, 1.0).type(0).real.dtype
    y = _finished(start + _weights(start, stop, num, endpoint, real) * (stop - start), dtype, axis)
    parts = num - 1 if endpoint else num
    return (y, (stop - start) / parts if parts > 0 else np.nan) if retstep else y


@meaning(np.logspace)
def logspace(start, stop, num=50, endpoint=True, base=10.0, dtype=None, axis=0):
    y = np.linspace(start, stop, num, endpoint, axis=axis)
    y = np.power(np.expand_dims(base, axis) if np.ndim(base) else base, y)
    return _finished(y, dtype, 0)


@meaning(np.geomspace)
def geomspace(start, stop, num=50, endpoint=True, dtype=None, axis=0):
    start, stop = as_array(start), as_array(stop)
    if np.any(start == 0) or np.any(stop == 0):
        raise ValueError("a geometric sequence cannot contain zero")
    return _finished(start * np.power(stop / start, _weights(start, stop, num, endpoint)), dtype, axis)
