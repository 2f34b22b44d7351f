"""How operations that move, join or multiply arrays take one more axis in front: what their rows name in `batch=`.

Each gets the op, its arrays and its static arguments, and returns the result with the hidden axis in front. The arrays
all have that axis, unless the function asks for `batched`, which says which of them do.
"""

from __future__ import annotations

import math

import numpy as np

from ..batched import Varying, align, aligned, behind, call, size_of, stretch
from ..errors import NotBatchedError

# ---- shape ----


def reshape(op, xs, kwargs):
    (x,) = xs
    shape = _resolved(kwargs["shape"], x.shape[1:])
    if kwargs.get("order") == "F":  # there the slowest axis is the last
        y = call(op, [np.moveaxis(x, 0, -1)], {"shape": (*shape, x.shape[0]), "order": "F"})
        return np.moveaxis(y, -1, 0)
    return call(op, xs, {"shape": (x.shape[0], *shape)})


def _resolved(shape, old):
    """The shape with -1 replaced; it cannot be left to NumPy where there are no examples."""
    shape = tuple(shape) if isinstance(shape, tuple | list) else (shape,)
    size, known = math.prod(old), math.prod(n for n in shape if n != -1)
    if shape.count(-1) == 1 and known and size % known == 0:
        return tuple([size // known if n == -1 else n for n in shape])
    if known != size or -1 in shape:
        raise ValueError(f"cannot reshape array of size {size} into shape {shape}")
    return shape


def transpose(op, xs, kwargs):
    (x,) = xs
    n, axes = x.ndim - 1, kwargs.get("axes")
    if axes is not None and len(axes) != n:
        raise ValueError("axes don't match array")
    return call(op, xs, {"axes": (0, *(range(n, 0, -1) if axes is None else behind(axes, n)))})


def swapaxes(op, xs, kwargs):
    return call(op, xs, {name: behind(kwargs[name], xs[0].ndim - 1) for name in ("axis1", "axis2")})


def moveaxis(op, xs, kwargs):
    return call(op, xs, {name: behind(kwargs[name], xs[0].ndim - 1) for name in ("source", "destination")})


def expand_dims(op, xs, kwargs):
    axis = kwargs["axis"]
    new = len(axis) if isinstance(axis, tuple | list) else 1
    return call(op, xs, {"axis": behind(axis, xs[0].ndim - 1 + new)})


def squeeze(op, xs, kwargs):
    (x,) = xs
    axis = kwargs.get("axis")
    if axis is None:
        axis = tuple([k for k, n in enumerate(x.shape[1:]) if n == 1])
    return call(op, xs, {"axis": behind(axis, x.ndim - 1)})


def broadcast_to(op, xs, kwargs):
    (x,) = xs
    shape = kwargs["shape"]
    shape = tuple(shape) if isinstance(shape, tuple | list) else (shape,)
    if len(shape) < x.ndim - 1:
        raise ValueError("input operand has more dimensions than allowed by the axis remapping")
    return call(op, [align(x, len(shape))], {"shape": (x.shape[0], *shape)})


def flip(op, xs, kwargs):
    n, axis = xs[0].ndim - 1, kwargs.get("axis")
    return call(op, xs, {"axis": tuple(range(1, n + 1)) if axis is None else behind(axis, n)})


def roll(op, xs, kwargs):
    (x,) = xs
    if kwargs.get("axis") is not None:
        return call(op, xs, {**kwargs, "axis": behind(kwargs["axis"], x.ndim - 1)})
    flat = x.reshape((x.shape[0], math.prod(x.shape[1:])))
    return call(op, [flat], {**kwargs, "axis": 1}).reshape(x.shape)


def stack(op, xs, kwargs):
    return call(op, xs, {"axis": behind(kwargs["axis"], xs[0].ndim)})


# ---- selection ----

_ALL = slice(None)
_BASIC = (slice, int)


def getitem(op, xs, kwargs, batched):
    (x,), index = xs, kwargs["index"]
    parts = index if index.__class__ is tuple else (index,)
    if all(p is None or p is Ellipsis or p.__class__ in _BASIC for p in parts):  # the commonest by far
        return call(op, xs, {"index": (_ALL, *parts)})
    size, index = size_of(xs, batched, kwargs), _Index(index, x.ndim - batched[0])
    if not index.varies:
        y = call(op, xs, {"index": (_ALL, *index.parts)})
        return np.moveaxis(y, index.width, 0) if index.separated else y
    y = call(op, xs, {"index": index.with_rows(size, batched[0])})
    if batched[0]:  # the examples are chosen by an index too, so NumPy puts all chosen axes first
        return np.moveaxis(y, range(1, index.width + 1), range(index.place + 1, index.place + index.width + 1))
    return np.moveaxis(y, index.place, 0)


def scatter(op, xs, kwargs, batched):
    size, shape = size_of(xs, batched, kwargs), kwargs["shape"]
    x, index = xs[0], _Index(kwargs["index"], len(shape))
    x = x if batched[0] else stretch(x, size)
    if not index.varies:
        x = np.moveaxis(x, 0, index.width) if index.separated else x
        return call(op, [x], {"index": (_ALL, *index.parts), "shape": (size, *shape)})
    x = np.moveaxis(x, range(index.place + 1, index.place + index.width + 1), range(1, index.width + 1))
    return call(op, [x], {"index": index.with_rows(size, True), "shape": (size, *shape)})


getitem.takes_batched_statics = scatter.takes_batched_statics = True


class _Index:
    """An index of an example of n axes, taken apart.

    parts      its entries without an Ellipsis
    varies     one of them differs from example to example
    width      the number of axes that its arrays make together
    separated  there is something between its arrays, so that NumPy puts these axes first
    place      where in the result these axes are
    """

    def __init__(self, index, n):
        parts = list(index) if isinstance(index, tuple) else [index]
        parts = [np.asarray(p) if isinstance(p, list) else p for p in parts]
        self.varies = any(p.__class__ is Varying for p in parts)
        if self.varies:
            parts = [q for p in parts for q in (np.nonzero(p) if _is_mask(p) else (p,))]
        self.parts = _without_ellipsis(parts, n)
        chosen = [k for k, p in enumerate(self.parts) if _chooses(p)]
        widths = [1 if _is_mask(self.parts[k]) else getattr(self.parts[k], "ndim", 0) for k in chosen]
        self.width = max(widths, default=0)
        if not self.width and not self.varies:
            chosen = []  # integers alone choose no axes
        self.separated = bool(chosen) and len(chosen) <= chosen[-1] - chosen[0]
        self.place = 0 if self.separated or not chosen else chosen[0]
        self.chosen = chosen

    def with_rows(self, size, rows):
        """The index of the whole batch; `rows`: with an array in front that chooses the example."""
        parts = list(self.parts)
        for k in self.chosen:
            if parts[k].__class__ is Varying:
                parts[k] = align(parts[k].inner, self.width)
        first = np.arange(size).reshape((size,) + (1,) * self.width)
        return (first, *parts) if rows else tuple(parts)


def _is_mask(p):
    if p.__class__ is Varying and p.dtype == bool:
        raise NotBatchedError(
            "a boolean index that differs from example to example chooses a different number of elements in each; "
            "use np.where(mask, x, 0)"
        )
    return isinstance(p, bool | np.bool_) or getattr(getattr(p, "dtype", None), "kind", "") == "b"


def _chooses(p):
    return not (p is None or isinstance(p, slice))


def _without_ellipsis(parts, n):
    used = sum(getattr(p, "ndim", 0) if _is_mask(p) else p is not None and p is not Ellipsis for p in parts)
    for k, p in enumerate(parts):
        if p is Ellipsis:
            return [*parts[:k], *[slice(None)] * (n - used), *parts[k + 1 :]]
    return parts


# ---- products ----


def matmul(op, xs, kwargs, batched):
    """A stack of products, or one large product where one of the two matrices is the same for every example."""
    (a, b), (in_a, in_b) = xs, batched
    if np.ndim(a) == in_a or np.ndim(b) == in_b:
        raise ValueError("matmul: an input has no axes; use multiply")
    if in_a and not in_b and b.ndim <= 2 and a.ndim > 1:
        return _rows_times(op, a, b)
    if in_b and not in_a and a.ndim == 2 and b.ndim in (2, 3):
        if b.ndim == 2:
            return call(op, [b, a.mT])
        return _rows_times(op, b.mT, a.mT).mT
    row, column = a.ndim - in_a == 1, b.ndim - in_b == 1
    a, b = a[..., None, :] if row else a, b[..., None] if column else b
    y = call(op, aligned([a, b], batched))
    if row and column:
        return y[..., 0, 0]
    return y[..., 0, :] if row else y[..., 0] if column else y


def _rows_times(op, a, b):
    """a @ b with all rows of a in one matrix."""
    if a.ndim == 2:
        return call(op, [a, b])
    y = call(op, [a.reshape((math.prod(a.shape[:-1]), a.shape[-1])), b])
    return y.reshape((*a.shape[:-1], *b.shape[1:]))


def affine(op, xs, kwargs, batched):
    x, W, b = xs
    if batched == [True, False, False] and x.ndim == 2:
        return call(op, xs)
    y = matmul(np.matmul, [x, W], {}, batched[:2])
    return np.add(*aligned([y, b], [batched[0] or batched[1], batched[2]]))
