"""Operations that move elements about. All are linear: the transpose moves them back."""

from __future__ import annotations

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..errors import NotDifferentiableError
from ..op import apply, elementwise, linear, meaning
from ..tensor import Tensor, as_array, as_constant
from ..view import view_of
from . import hidden
from .constant import plain

astype = linear(lambda x, *, dtype: x.astype(dtype), lambda g: g, name="astype", formulas=("g",), batch="elementwise")
copy = elementwise(lambda x, *, order="K": np.array(x, order=order), 1, name="copy")

meaning(np.copy)(lambda a, order="K", subok=False: copy(a, order=order))


@meaning(np.astype)
def to_dtype(x, dtype, /, *, copy=True, device=None):
    """x in another dtype; recorded if that is a float or complex one."""
    dtype = np.dtype(dtype)
    if x.dtype == dtype and not copy:
        return x
    if dtype.kind in "fc":
        return apply(astype, (x,), {"dtype": dtype})
    y = plain(x).astype(dtype)
    return as_constant(y) if isinstance(x, Tensor) else y


def stored(values, dtype):
    """Values in the dtype of the array that they go into. Raises if that would cut recorded floats to integers."""
    values = as_array(values)
    if np.dtype(dtype).kind not in "fc" and getattr(values, "node", None) is not None:
        raise NotDifferentiableError(
            f"recorded values of dtype {values.dtype} would lose their gradient in an array of dtype {dtype}; "
            "convert the array first, with .astype(float)"
        )
    return to_dtype(values, dtype, copy=False)


# ---- another shape, the same elements ----

reshape = linear(
    lambda x, *, shape, order="C": np.reshape(x, shape, order=order),
    lambda g, x_shape, order="C": np.reshape(g, x_shape, order=order),
    name="reshape",
    formulas=("reshape(g, x_shape)",),
    view=True,
    batch=hidden.reshape,
)
transpose = linear(
    np.transpose,
    lambda g, axes=None: np.transpose(g, None if axes is None else np.argsort([a % len(axes) for a in axes])),
    formulas=("transpose(g)",),
    batch=hidden.transpose,
    view=True,
)
matrix_transpose = linear(
    lambda x: x.mT, lambda g: g.mT, name="matrix_transpose", handles=np.matrix_transpose, batch="stack", view=True
)
swapaxes = linear(
    np.swapaxes,
    lambda g, axis1, axis2: np.swapaxes(g, axis1, axis2),
    formulas=("swapaxes(g, axis1, axis2)",),
    view=True,
    batch=hidden.swapaxes,
)
moveaxis = linear(
    np.moveaxis,
    lambda g, source, destination: np.moveaxis(g, destination, source),
    formulas=("moveaxis(g, destination, source)",),
    view=True,
    batch=hidden.moveaxis,
)
expand_dims = linear(
    np.expand_dims,
    lambda g, x_shape: np.reshape(g, x_shape),
    accepts="axis",
    formulas=("reshape(g, x_shape)",),
    batch=hidden.expand_dims,
    view=True,
)
squeeze = linear(
    np.squeeze,
    lambda g, x_shape: np.reshape(g, x_shape),
    accepts="axis",
    formulas=("reshape(g, x_shape)",),
    batch=hidden.squeeze,
    view=True,
)
broadcast_to = linear(
    np.broadcast_to,
    lambda g: g,
    accepts="shape",
    broadcasts=True,
    formulas=("sum_to(g, x_shape)",),
    batch=hidden.broadcast_to,
    view=True,
)


@meaning(np.reshape)
def _reshape(a, shape=None, order="C", *, newshape=None, copy=None):
    shape = newshape if shape is None else shape
    if copy is False:
        np.reshape(plain(a), shape, order=order, copy=False)  # raises where the elements would have to move
    order = _settled(a, order)
    return reshape(np.copy(a) if copy else a, shape=shape, order=order)


def reshaped(x, shape):
    """`reshape` inside a composite, where nobody can write through the result and it need be no view."""
    return x if x.shape == shape else apply(reshape, (x,), {"shape": shape})


@meaning(np.ravel)
def _ravel(a, order="C"):
    if order == "K":  # as they lie in memory: the axis with the longest step first
        steps = np.abs(getattr(plain(a), "strides", range(np.ndim(a), 0, -1)))
        a, order = transpose(a, np.argsort(-steps, kind="stable").tolist()), "C"
    return reshape(a, shape=(-1,), order=_settled(a, order))


def _settled(a, order):
    """The order of reading that "A" means for this array. A cotangent may lie in memory in another way."""
    return order if order != "A" else "F" if plain(a).flags.fnc else "C"


def _at_least(reshaped):
    """One array, or the tuple of several, each with the shape that `reshaped(its shape)` says."""

    def at_least(*arys):
        arrays = map(as_array, arys)
        results = tuple([np.reshape(a, reshaped(a.shape)) for a in arrays])
        return results[0] if len(results) == 1 else results

    return at_least


meaning(np.atleast_1d)(_at_least(lambda s: s or (1,)))
meaning(np.atleast_2d)(_at_least(lambda s: (1,) * (2 - len(s)) + s))
meaning(np.atleast_3d)(_at_least(lambda s: s if len(s) > 2 else (*s, 1) if len(s) == 2 else (1, *(s or (1,)), 1)))


@meaning(np.rollaxis)
def _rollaxis(a, axis, start=0):
    axis = normalize_axis_index(axis, a.ndim)
    start = normalize_axis_index(start + a.ndim if start < 0 else start, a.ndim + 1)  # NumPy: AxisError too
    return moveaxis(a, axis, start - (axis < start))


@meaning(np.broadcast_arrays)
def _broadcast_arrays(*args, subok=False):
    arrays = [as_array(a) for a in args]
    shape = np.broadcast_shapes(*(a.shape for a in arrays))
    return tuple([np.broadcast_to(a, shape) for a in arrays])


@meaning(np.meshgrid)
def _meshgrid(*xi, copy=True, sparse=False, indexing="xy"):
    if indexing not in ("xy", "ij"):
        raise ValueError(f"np.meshgrid takes indexing='xy' or 'ij', not {indexing!r}")
    n = len(xi)
    places = [1, 0, *range(2, n)] if indexing == "xy" and n > 1 else range(n)
    grids = [np.reshape(x, (1,) * k + (-1,) + (1,) * (n - 1 - k)) for x, k in zip(xi, places, strict=True)]
    grids = grids if sparse else np.broadcast_arrays(*grids)
    return tuple([np.copy(x) for x in grids] if copy else grids)


@meaning(np.full_like)
def _full_like(a, fill_value, dtype=None, order="K", subok=True, shape=None, *, device=None):
    """Filled with a Tensor it is one; else a plain array, as from `np.zeros_like`."""
    like = np.empty_like(a, dtype, order, subok, shape)
    return np.copy(np.broadcast_to(stored(fill_value, like.dtype), like.shape))


# ---- other spellings of the same array: NumPy asks a Tensor for them with like= ----


@meaning(np.array)
def _array(object, dtype=None, *, copy=True, order="K", subok=False, ndmin=0):
    """A Tensor of a Tensor, or of a nested list of them."""
    a = _stacked(object)
    a = to_dtype(a, a.dtype if dtype is None else dtype, copy=False)
    a = np.copy(a, order) if copy else a
    return np.reshape(a, (1,) * (ndmin - a.ndim) + a.shape)


meaning(np.asarray, np.asanyarray)(
    lambda a, dtype=None, order="K", *, device=None, copy=False: _array(a, dtype, copy=copy)
)
meaning(np.asfortranarray)(lambda a, dtype=None: _array(a, dtype, order="F", ndmin=1))
meaning(np.ascontiguousarray)(lambda a, dtype=None: _array(a, dtype, order="C", ndmin=1))


def _stacked(values):
    if isinstance(values, list | tuple):
        return np.stack([_stacked(v) for v in values]) if values else as_constant(np.asarray(values))
    return values if isinstance(values, Tensor) else as_constant(as_array(values))


# ---- order ----

flip = linear(np.flip, lambda g, axis=None: np.flip(g, axis), formulas=("flip(g)",), batch=hidden.flip, view=True)
roll = linear(
    np.roll,
    lambda g, shift, axis=None: np.roll(g, np.negative(shift), axis),
    formulas=("roll(g, -shift)",),
    batch=hidden.roll,
)

meaning(np.fliplr)(lambda m: flip(m, 1))
meaning(np.flipud)(lambda m: flip(m, 0))


@meaning(np.rot90)
def _rot90(m, k=1, axes=(0, 1)):
    axes = tuple(axes)
    if len(axes) != 2 or not all(-m.ndim <= a < m.ndim for a in axes) or (axes[0] - axes[1]) % m.ndim == 0:
        raise ValueError(f"np.rot90 turns the plane of two different axes; axes={axes} for an array of {m.ndim} axes")
    quarters = k % 4
    if quarters % 2 == 0:
        return flip(m, axes) if quarters else copy(m)
    first, second = axes if quarters == 1 else axes[::-1]
    return swapaxes(flip(m, second), first, second)


# ---- selection ----


@linear(name="getitem", selects=True, formulas=("scatter(g, index)",), batch=hidden.getitem, view=True)
def getitem(x, *, index):
    """x[index]: any index that NumPy takes."""
    return x[index]


@linear(name="scatter", formulas=("g[index]",), batch=hidden.scatter)
def scatter(x, *, index, shape):
    """Zeros of this shape with x added at `index`, also where an index occurs more than once: undoes `getitem`."""
    out = np.zeros(shape, x.dtype)
    if is_basic(index):
        out[index] = x
    else:
        np.add.at(out, index, x)
    return out


getitem.rule(lambda g, x_shape, index: scatter(g, index=index, shape=x_shape))
scatter.rule(lambda g, index: g[index])


def is_basic(index):
    """True if no element can be named twice: slices, integers, None, Ellipsis, and boolean masks."""
    for part in index if isinstance(index, tuple) else (index,):
        if isinstance(part, list) or (isinstance(part, np.ndarray) and part.dtype != bool):
            return False
    return True


def plain_index(index):
    """The index without Tensors, its arrays copied, so that changing them later does not change the gradient."""
    if isinstance(index, tuple):
        return tuple([plain_index(p) for p in index])
    if isinstance(index, Tensor):
        index = index.data
    return np.array(index) if isinstance(index, np.ndarray | list) else index


def select(x, index):
    """`x[index]` on a Tensor."""
    if isinstance(x, Tensor):
        return view_of(x, getitem, {"index": plain_index(index)})
    return apply(getitem, (x,), {"index": plain_index(index)})


# ---- windows ----


@linear(name="sliding_window_view", view=True, formulas=("overlap_add(g)",))
def sliding_window_view(x, *, window_shape, axis=None):
    """Every window of this shape that fits into x, with the places in the window along new last axes: a view."""
    return np.lib.stride_tricks.sliding_window_view(x, window_shape, axis)


@linear(name="overlap_add", formulas=("sliding_window_view(g)",))
def overlap_add(x, *, shape, window_shape, axis=None):
    """Zeros of this shape, with every window added at its place: undoes `sliding_window_view`."""
    out = np.zeros(shape, x.dtype)
    windows = np.lib.stride_tricks.sliding_window_view(out, window_shape, axis, writeable=True)
    for place in np.ndindex(windows.shape[len(shape) :]):  # no two windows share an element at one place
        windows[(..., *place)] += x[(..., *place)]
    return out


@sliding_window_view.rule
def _sliding_window_view_rule(g, x_shape, window_shape, axis=None):
    return overlap_add(g, shape=x_shape, window_shape=window_shape, axis=axis)


@overlap_add.rule
def _overlap_add_rule(g, window_shape, axis=None):
    return sliding_window_view(g, window_shape=window_shape, axis=axis)


@meaning(np.lib.stride_tricks.sliding_window_view)
def _sliding_window_view(x, window_shape, axis=None, *, subok=False, writeable=False):
    if writeable:
        raise NotDifferentiableError("a window into a Tensor cannot be written to; leave out writeable=True")
    return sliding_window_view(x, window_shape=window_shape, axis=axis)
