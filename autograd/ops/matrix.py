"""Products of matrices, vectors and tensors. `matmul`, `affine` and `cross` have rules; the others are composed."""

from __future__ import annotations

import math

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..errors import NotDifferentiableError
from ..op import general, linear, meaning, multilinear
from . import hidden
from .elementwise import conj, multiply, subtract, where
from .joining import concatenate
from .shape import matrix_transpose, moveaxis, reshape, reshaped, scatter, transpose


def aligned(*xs):
    """Arrays with a hidden axis in front, filled up with axes of 1 behind it, so that they broadcast as without it."""
    most = max(x.ndim for x in xs)
    return [np.reshape(x, (x.shape[0], *(1,) * (most - x.ndim), *x.shape[1:])) for x in xs]


@general(name="affine", broadcasts=True, formulas=("g @ transpose(W)", "transpose(x) @ g", "g"), batch=hidden.affine)
def affine(x, W, b):
    """x @ W + b, the step of a layer, with the bias added in place."""
    y = x @ W
    if b.dtype != y.dtype:
        return y + b
    y += b
    return y


affine.rule(lambda g, W: g @ W.mT)
affine.rule(lambda g, x: _matmul_b(g, x, ("in", "out")))
affine.rule(lambda g: g)


def _matmul_a(g, b, a_shape):
    if b.ndim == 1:
        return g[..., None] * b if len(a_shape) > 1 else g * b
    if len(a_shape) == 1:
        return b @ g if b.ndim == 2 else (b @ g[..., None])[..., 0]
    return g @ b.mT


def _matmul_b(g, a, b_shape):
    if a.ndim == 1:
        return a[:, None] * g[..., None, :] if len(b_shape) > 1 else a * g
    if len(b_shape) == 1:
        return g @ a if a.ndim == 2 else (a.mT @ g[..., None])[..., 0]
    if len(b_shape) == 2 and a.ndim > 2:  # one large product instead of a batch of small ones that are then summed
        rows = math.prod(a.shape[:-1])
        return np.reshape(a, (rows, a.shape[-1])).mT @ np.reshape(g, (rows, g.shape[-1]))
    return a.mT @ g


matmul = multilinear(
    np.matmul,
    _matmul_a,
    _matmul_b,
    handles=np.linalg.matmul,
    inputs="a b",
    broadcasts=True,
    formulas=("g @ transpose(b)", "transpose(a) @ g"),
    batch=hidden.matmul,
)


def array(x):
    """What was given, as something with a shape."""
    return x if hasattr(x, "shape") else np.asarray(x)


def no_out(function, out):
    if out is not None:
        raise NotDifferentiableError(f"np.{function}(out=...) on a Tensor is not supported; use the result")


@meaning(np.dot)
def dot(a, b, out=None):
    """A sum over the last axis of a and the last but one of b."""
    no_out("dot", out)
    a, b = array(a), array(b)
    if a.ndim == 0 or b.ndim == 0:
        return multiply(a, b)
    if b.ndim <= 2:
        return matmul(a, b)
    return tensordot(a, b, axes=((a.ndim - 1,), (b.ndim - 2,)))


@meaning(np.inner)
def inner(a, b):
    """A sum over the last axes, without a conjugate."""
    a, b = array(a), array(b)
    if a.ndim == 0 or b.ndim == 0:
        return multiply(a, b)
    if b.ndim <= 2:
        return matmul(a, b if b.ndim == 1 else b.mT)
    return tensordot(a, b, axes=((a.ndim - 1,), (b.ndim - 1,)))


@meaning(np.vdot)
def vdot(a, b):
    """The sum of conj(a) * b over all elements."""
    return matmul(conj(reshaped(array(a), (-1,))), reshaped(array(b), (-1,)))


@meaning(np.vecdot, np.linalg.vecdot)
def vecdot(x1, x2, /, *, axis=-1, keepdims=False):
    """The sum of conj(x1) * x2 over an axis of vectors."""
    a, b = (moveaxis(v, axis, -1) for v in (array(x1), array(x2)))
    if a.shape[-1] != b.shape[-1]:
        raise ValueError(f"np.vecdot: shapes {a.shape} and {b.shape} do not fit along the axis {axis}")
    y = np.sum(multiply(conj(a), b), axis=-1, keepdims=keepdims)
    return moveaxis(y, -1, axis) if keepdims else y


def matvec(x1, x2, /):
    """Matrices times vectors, both in stacks."""
    return matmul(x1, array(x2)[..., None])[..., 0]


def vecmat(x1, x2, /):
    """The conjugates of vectors times matrices, both in stacks."""
    return matmul(conj(array(x1))[..., None, :], x2)[..., 0, :]


if hasattr(np, "matvec"):  # NumPy 2.2
    meaning(np.matvec)(matvec)
    meaning(np.vecmat)(vecmat)


@meaning(np.outer)
def outer(a, b, out=None):
    """Every element of a times every element of b."""
    no_out("outer", out)
    return multiply(reshaped(array(a), (-1, 1)), reshaped(array(b), (1, -1)))


@meaning(np.linalg.outer)
def linalg_outer(x1, x2, /):
    """`outer` of vectors only."""
    if np.ndim(x1) != 1 or np.ndim(x2) != 1:
        raise ValueError(f"np.linalg.outer takes two vectors, not {np.shape(x1)} and {np.shape(x2)}")
    return outer(x1, x2)


@meaning(np.kron)
def kron(a, b):
    """Every element of a times the whole of b, in blocks."""
    a, b = array(a), array(b)
    n = max(a.ndim, b.ndim)
    of_a, of_b = ((1,) * (n - v.ndim) + v.shape for v in (a, b))
    a = reshape(a, shape=[k for size in of_a for k in (size, 1)])
    b = reshape(b, shape=[k for size in of_b for k in (1, size)])
    return reshape(multiply(a, b), shape=tuple(i * j for i, j in zip(of_a, of_b, strict=True)))


@multilinear(
    name="cross", broadcasts=True, formulas=("cross(b, g)", "cross(g, a)"), batch=lambda op, xs, kw: op(*aligned(*xs))
)
def cross3(a, b):
    """The cross product of vectors of three, in the last axis."""
    return np.cross(a, b)


cross3.rule(lambda g, b: cross3(b, g))
cross3.rule(lambda g, a: cross3(g, a))


@meaning(np.cross)
def cross(a, b, axisa=-1, axisb=-1, axisc=-1, axis=None):
    """Of vectors of two or three; a vector of two lies in the plane, and two of them give a number."""
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = moveaxis(array(a), axisa, -1), moveaxis(array(b), axisb, -1)
    sizes = {a.shape[-1], b.shape[-1]}
    if not sizes <= {2, 3}:
        raise ValueError(f"np.cross takes vectors of two or three, not of {a.shape[-1]} and {b.shape[-1]}")
    if sizes == {2}:
        return subtract(multiply(a[..., 0], b[..., 1]), multiply(a[..., 1], b[..., 0]))
    return moveaxis(cross3(_in_space(a), _in_space(b)), -1, axisc)


def _in_space(v):
    if v.shape[-1] == 3:
        return v
    return concatenate(v, np.zeros((*v.shape[:-1], 1), v.dtype), axis=-1)


@meaning(np.linalg.cross)
def linalg_cross(x1, x2, /, *, axis=-1):
    """`cross` of vectors of three only."""
    if {np.shape(x)[normalize_axis_index(axis, np.ndim(x))] for x in (x1, x2)} != {3}:
        raise ValueError(f"np.linalg.cross takes vectors of three along the axis {axis}")
    return cross(x1, x2, axis=axis)


@meaning(np.tensordot, np.linalg.tensordot)
def tensordot(a, b, axes=2):
    """Both arrays as matrices, their product, and the shape of the result."""
    a, b = array(a), array(b)
    if isinstance(axes, int | np.integer):
        axes = (range(a.ndim - axes, a.ndim), range(axes))
    of_a, of_b = (
        [k % v.ndim for k in np.atleast_1d(ks).tolist()] for ks, v in zip(map(list_of, axes), (a, b), strict=True)
    )
    if [a.shape[k] for k in of_a] != [b.shape[k] for k in of_b]:
        raise ValueError(f"np.tensordot: shapes {a.shape} and {b.shape} do not fit along the axes {of_a} and {of_b}")
    free_a = [k for k in range(a.ndim) if k not in of_a]
    free_b = [k for k in range(b.ndim) if k not in of_b]
    n = math.prod(a.shape[k] for k in of_a)
    left = reshaped(_in_order(a, (*free_a, *of_a)), (math.prod(a.shape[k] for k in free_a), n))
    right = reshaped(_in_order(b, (*of_b, *free_b)), (n, math.prod(b.shape[k] for k in free_b)))
    return reshaped(matmul(left, right), (*(a.shape[k] for k in free_a), *(b.shape[k] for k in free_b)))


def _in_order(x, axes):
    return x if axes == tuple(range(x.ndim)) else transpose(x, axes)


def list_of(axes):
    return [axes] if isinstance(axes, int | np.integer) else list(axes)


# ---- diagonals and triangles ----


def _diagonal_batch(op, xs, kwargs):
    ndim = xs[0].ndim - 1
    axis1, axis2 = (kwargs.get(name, k) for k, name in enumerate(("axis1", "axis2")))
    return op(xs[0], offset=kwargs.get("offset", 0), axis1=axis1 % ndim + 1, axis2=axis2 % ndim + 1)


def _diagonal_rule(g, x_shape, offset=0, axis1=0, axis2=1):
    axes = axis1 % len(x_shape), axis2 % len(x_shape)
    others = tuple(n for k, n in enumerate(x_shape) if k not in axes)
    n, m = x_shape[axis1], x_shape[axis2]
    matrices = scatter(g, index=(..., *_diagonal_indices(n, m, offset)), shape=(*others, n, m))
    return np.moveaxis(matrices, (-2, -1), axes)


diagonal = linear(
    np.diagonal, _diagonal_rule, batch=_diagonal_batch, view=True, formulas=("g on the diagonal of zeros",)
)


def _diagonal_indices(rows, columns, offset):
    n = max(min(rows + min(offset, 0), columns - max(offset, 0)), 0)
    return np.arange(n) + max(-offset, 0), np.arange(n) + max(offset, 0)


@meaning(np.trace)
def trace(a, offset=0, axis1=0, axis2=1, dtype=None, out=None):
    """The sum of the diagonal."""
    no_out("trace", out)
    return np.sum(diagonal(a, offset, axis1, axis2), axis=-1, dtype=dtype)


meaning(np.linalg.diagonal)(lambda x, /, *, offset=0: diagonal(x, offset, -2, -1))
meaning(np.linalg.trace)(lambda x, /, *, offset=0, dtype=None: trace(x, offset, -2, -1, dtype))
meaning(np.linalg.matrix_transpose)(matrix_transpose)


@meaning(np.diag)
def _diag(v, k=0):
    if v.ndim == 2:
        return diagonal(v, k)
    if v.ndim != 1:
        raise ValueError(f"np.diag takes 1 or 2 dimensions, not {v.ndim}")
    n = v.shape[0] + abs(k)
    return scatter(v, index=_diagonal_indices(n, n, k), shape=(n, n))


@meaning(np.diagflat)
def _diagflat(v, k=0):
    return np.diag(np.ravel(v), k)


@meaning(np.tril)
def _tril(m, k=0):
    return where(np.tri(*m.shape[-2:], k=k, dtype=bool), m, 0)


@meaning(np.triu)
def _triu(m, k=0):
    return where(np.tri(*m.shape[-2:], k=k - 1, dtype=bool), 0, m)
