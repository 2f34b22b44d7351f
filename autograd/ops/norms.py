"""Norms of vectors and matrices in every order, and condition numbers. Only the Euclidean norm has a rule."""

from __future__ import annotations

import math

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from ..op import apply, general, meaning
from .decompositions import svdvals
from .elementwise import conj, where
from .linalg import inv
from .reduce import kept
from .shape import moveaxis, reshape, transpose


@general(name="norm", formulas=("g * x / y",), batch="axis")
def euclidean_norm(x, *, axis=None, keepdims=False):
    """The square root of the sum of |x|^2 over `axis`; its gradient at 0 is 0, the subgradient of least norm."""
    return np.sqrt(np.sum(np.abs(x) ** 2, axis=axis, keepdims=keepdims))


@euclidean_norm.rule
def _norm_rule(g, x, y, axis=None):
    return kept(g * (y != 0) / (y + (y == 0)), x.shape, axis) * conj(x)


@meaning(np.linalg.norm)
def norm(x, ord=None, axis=None, keepdims=False):
    """np.linalg.norm, for vectors and matrices of every order."""
    axes = tuple(range(x.ndim)) if axis is None else normalize_axis_tuple(axis, x.ndim)
    if ord is None and (axis is None or len(axes) <= 2):
        return apply(euclidean_norm, (x,), {"axis": axes, "keepdims": keepdims})
    x = x if x.dtype.kind in "fc" else x.astype(float)
    if len(axes) == 1:
        return _vector_norm(x, ord, axes[0], keepdims)
    if len(axes) == 2:
        return _matrix_norm(x, ord, axes, keepdims)
    raise ValueError(f"np.linalg.norm: a norm of order {ord!r} is over one axis or two, not {len(axes)}")


@meaning(np.linalg.vector_norm)
def _vector_norm_over(x, /, *, axis=None, keepdims=False, ord=2):
    """The axes as one."""
    axes = normalize_axis_tuple(range(x.ndim) if axis is None else axis, x.ndim)
    others = [k for k in range(x.ndim) if k not in axes]
    together = math.prod(x.shape[k] for k in axes)
    flat = reshape(transpose(x, (*others, *axes)), shape=(*(x.shape[k] for k in others), together))
    y = norm(flat, ord=ord, axis=-1)
    return reshape(y, shape=tuple(1 if k in axes else x.shape[k] for k in range(x.ndim))) if keepdims else y


@meaning(np.linalg.matrix_norm)
def _matrix_norm_of_last(x, /, *, keepdims=False, ord="fro"):
    return norm(x, ord=ord, axis=(-2, -1), keepdims=keepdims)


def _vector_norm(x, ord, axis, keepdims):
    if isinstance(ord, str):
        raise ValueError(f"np.linalg.norm: {ord!r} is no order of a vector's norm")
    if ord == 2:
        return euclidean_norm(x, axis=(axis,), keepdims=keepdims)
    size = np.abs(x)
    if ord in (np.inf, -np.inf):
        return (np.max if ord > 0 else np.min)(size, axis=axis, keepdims=keepdims)
    if ord == 0:
        return np.sum(np.sign(size), axis=axis, keepdims=keepdims)
    if ord == 1:
        return np.sum(size, axis=axis, keepdims=keepdims)
    total = np.sum(size**ord, axis=axis, keepdims=keepdims)
    # 0 at 0, as for the Euclidean norm: the root is taken of 1 there, and left out
    return np.where(total.data == 0, 0, np.where(total.data == 0, 1, total) ** (1 / ord))


def _matrix_norm(x, ord, axes, keepdims):
    if ord in ("fro", "f"):
        return euclidean_norm(x, axis=axes, keepdims=keepdims)
    if ord in (1, -1, np.inf, -np.inf):
        rows, columns = axes if abs(ord) == 1 else axes[::-1]
        sums = np.sum(np.abs(x), axis=rows, keepdims=True)
        y = (np.max if ord > 0 else np.min)(sums, axis=columns, keepdims=True)
        return y if keepdims else np.squeeze(y, axis=axes)
    if ord not in ("nuc", 2, -2):
        raise ValueError(f"np.linalg.norm: {ord!r} is no order of a matrix's norm")
    s = svdvals(moveaxis(x, axes, (-2, -1)))
    # a singular value has a kink at 0 as the absolute value has, and the gradient 0 there
    s = where(s <= np.sum(s, axis=-1, keepdims=True) * float(np.finfo(s.dtype).eps), 0, s)
    y = {"nuc": np.sum, 2: np.max, -2: np.min}[ord](s, axis=-1)
    return np.expand_dims(y, tuple(sorted(axes))) if keepdims else y


@meaning(np.linalg.cond)
def _cond(x, p=None):
    """The condition number; of a singular matrix it is infinite with gradient 0, or raises if it takes the inverse."""
    if x.ndim < 2:
        raise np.linalg.LinAlgError(f"np.linalg.cond takes matrices, not {x.shape}")
    if x.size == 0:
        raise np.linalg.LinAlgError("np.linalg.cond of no numbers")
    if p is not None and p not in (2, -2):
        return norm(x, ord=p, axis=(-2, -1)) * norm(inv(x), ord=p, axis=(-2, -1))
    s = svdvals(x)
    large, small = s[..., 0], s[..., -1]
    if p == -2:
        return where(large == 0, math.nan, small / where(large == 0, 1, large))
    return where(small == 0, math.inf, large / where(small == 0, 1, small))
