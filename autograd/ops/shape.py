"""Operations that move elements about. All are linear: the transpose moves them back."""

from __future__ import annotations

import math

import numpy as np

from ..errors import NotDifferentiableError
from ..op import linear, meaning
from ..tensor import Tensor
from ..view import view_of

astype = linear(lambda x, *, dtype: x.astype(dtype), lambda g: g, name="astype", formulas=("g",))


# ---- another shape, the same elements ----

reshape = linear(
    lambda x, *, shape, order="C": np.reshape(x, shape, order=order),
    lambda g, x_shape, order="C": np.reshape(g, x_shape, order=order),
    name="reshape",
    formulas=("reshape(g, x_shape)",),
    view=True,
)
transpose = linear(
    np.transpose,
    lambda g, axes=None: np.transpose(g, None if axes is None else np.argsort([a % len(axes) for a in axes])),
    formulas=("transpose(g)",),
    view=True,
)
matrix_transpose = linear(
    lambda x: x.mT, lambda g: g.mT, name="matrix_transpose", handles=np.matrix_transpose, view=True
)
swapaxes = linear(
    np.swapaxes,
    lambda g, axis1, axis2: np.swapaxes(g, axis1, axis2),
    formulas=("swapaxes(g, axis1, axis2)",),
    view=True,
)
moveaxis = linear(
    np.moveaxis,
    lambda g, source, destination: np.moveaxis(g, destination, source),
    formulas=("moveaxis(g, destination, source)",),
    view=True,
)
expand_dims = linear(
    np.expand_dims,
    lambda g, x_shape: np.reshape(g, x_shape),
    accepts="axis",
    formulas=("reshape(g, x_shape)",),
    view=True,
)
squeeze = linear(
    np.squeeze, lambda g, x_shape: np.reshape(g, x_shape), accepts="axis", formulas=("reshape(g, x_shape)",), view=True
)
broadcast_to = linear(
    np.broadcast_to, lambda g: g, accepts="shape", broadcasts=True, formulas=("sum_to(g, x_shape)",), view=True
)


@meaning(np.reshape)
def _reshape(a, shape=None, order="C", *, newshape=None):
    return reshape(a, shape=newshape if shape is None else shape, order=order)


@meaning(np.ravel)
def _ravel(a, order="C"):
    return reshape(a, shape=(-1,), order=order)


@meaning(np.atleast_1d)
def _atleast_1d(a):
    return a if a.ndim else reshape(a, shape=(1,))


# ---- order ----

flip = linear(np.flip, lambda g, axis=None: np.flip(g, axis), formulas=("flip(g)",), view=True)
roll = linear(np.roll, lambda g, shift, axis=None: np.roll(g, np.negative(shift), axis), formulas=("roll(g, -shift)",))

meaning(np.fliplr)(lambda m: flip(m, 1))
meaning(np.flipud)(lambda m: flip(m, 0))


# ---- selection ----


@linear(name="getitem", selects=True, formulas=("scatter(g, index)",), view=True)
def getitem(x, *, index):
    """x[index]: any index that NumPy takes."""
    return x[index]


@linear(name="scatter", formulas=("g[index]",))
def scatter(x, *, index, shape):
    """Zeros of this shape with x added at `index`, also where an index occurs more than once: undoes `getitem`."""
    out = np.zeros(shape, x.dtype)
    if _is_basic(index):
        out[index] = x
    else:
        np.add.at(out, index, x)
    return out


getitem.rule(lambda g, x_shape, index: scatter(g, index=index, shape=x_shape))
scatter.rule(lambda g, index: g[index])


def _is_basic(index):
    """True if no element can be named twice: slices, integers, None, Ellipsis, and boolean masks."""
    parts = index if isinstance(index, tuple) else (index,)
    arrays = [p for p in parts if isinstance(p, np.ndarray | list)]
    return all(isinstance(p, np.ndarray) and p.dtype == bool for p in arrays)


def _plain_index(index):
    """The index without Tensors, its arrays copied, so that changing them later does not change the gradient."""
    if isinstance(index, tuple):
        return tuple([_plain_index(p) for p in index])
    if isinstance(index, Tensor):
        index = index.data
    return np.array(index) if isinstance(index, np.ndarray | list) else index


def select(x, index):
    """`x[index]` on a Tensor."""
    return view_of(x, getitem, {"index": _plain_index(index)})


# ---- joining and splitting ----


@linear(name="concatenate", formulas=("g[piece i]",))
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


@linear(name="stack", formulas=("g[i]",))
def stack(*xs, axis=0):
    """The arrays side by side along a new axis."""
    return np.stack(xs, axis=axis)


stack.rule(lambda g, xs_shape, i, axis=0: g[(*(slice(None),) * (axis % (len(xs_shape[i]) + 1)), i)])

meaning(np.concatenate)(lambda arrays, axis=0: concatenate(*arrays, axis=axis))
meaning(np.stack)(lambda arrays, axis=0: stack(*arrays, axis=axis))


@meaning(np.array_split)
def _array_split(ary, indices_or_sections, axis=0):
    return _split(ary, indices_or_sections, axis, np.array_split)


@meaning(np.split)
def _split(ary, indices_or_sections, axis=0, how=np.split):
    pieces = how(np.arange(ary.shape[axis]), _plain_index(indices_or_sections))  # NumPy's own checks and sizes
    before = (slice(None),) * (axis % ary.ndim)
    starts = np.cumsum([0, *map(len, pieces)]).tolist()
    return [ary[(*before, slice(a, a + len(p)))] for a, p in zip(starts, pieces, strict=False)]


# ---- repetition and padding ----


@meaning(np.repeat)
def _repeat(a, repeats, axis=None):
    if axis is None:
        a, axis = reshape(a, shape=(-1,)), 0
    axis %= a.ndim
    return a[(*(slice(None),) * axis, np.repeat(np.arange(a.shape[axis]), repeats))]


@meaning(np.tile)
def _tile(A, reps):
    reps = tuple(np.atleast_1d(reps).tolist())
    n = max(len(reps), A.ndim)
    shape = (1,) * (n - A.ndim) + A.shape
    reps = (1,) * (n - len(reps)) + reps
    spread = [k for pair in zip(reps, shape, strict=True) for k in pair]
    ones = [k for s in shape for k in (1, s)]
    tiled = broadcast_to(reshape(A, shape=ones), shape=tuple(spread))
    return reshape(tiled, shape=tuple(r * s for r, s in zip(reps, shape, strict=True)))


pad = linear(
    lambda x, *, pad_width: np.pad(x, pad_width),
    lambda g, x_shape, pad_width: g[tuple(slice(b, b + n) for (b, _), n in zip(pad_width, x_shape, strict=True))],
    name="pad",
    formulas=("g[inner part]",),
)


@meaning(np.pad)
def _pad(array, pad_width, mode="constant", *, constant_values=0, **options):
    known = ("constant", "edge", "reflect", "symmetric", "wrap")
    if mode not in known or options not in ({}, {"reflect_type": "even"}):
        raise NotDifferentiableError(
            f"np.pad(mode={mode!r}{''.join(f', {k}={v!r}' for k, v in options.items())}) has no derivative rule; "
            f"use {', '.join(known)}"
        )
    width = np.broadcast_to(pad_width, (array.ndim, 2)).tolist()
    if mode == "constant":
        y = pad(array, pad_width=tuple(map(tuple, width)))
        if np.any(np.asarray(constant_values) != 0):
            y = y + np.pad(np.zeros(array.shape, array.dtype), width, constant_values=constant_values)
        return y
    rows = [np.pad(np.arange(n), w, mode=mode) for n, w in zip(array.shape, width, strict=True)]
    return array[np.ix_(*rows)]
