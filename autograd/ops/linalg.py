"""Linear algebra. Matrix derivatives as in M. B. Giles, "Collected matrix derivative results" (2008); cholesky as in
I. Murray, "Differentiation of the Cholesky decomposition" (2016). All work on stacks of matrices."""

from __future__ import annotations

import numpy as np

from ..errors import NotDifferentiableError
from ..op import general, meaning
from . import hidden
from .elementwise import conj
from .reduce import kept

inv = general(np.linalg.inv, lambda g, y: -(y.mT @ g @ y.mT), batch="stack")
det = general(
    np.linalg.det,
    lambda g, x, y: (g * y)[..., None, None] * np.linalg.inv(x).mT,
    formulas=("g * y * transpose(inv(x))",),
    batch="stack",
)


@general(outputs=2, handles=np.linalg.slogdet, formulas=("g[1] * transpose(inv(x))",), batch="stack")
def slogdet(x):
    """The sign (or phase) and the logarithm of the absolute value of the determinant."""
    return tuple(np.linalg.slogdet(x))


@slogdet.rule
def _slogdet_rule(g, x, y):
    of_sign, of_log = g
    if x.dtype.kind == "c":  # the phase turns with the imaginary part of the trace
        of_log = of_log + 1j * np.imag(of_sign * y[0])
    return of_log[..., None, None] * np.linalg.inv(x).mT


@general(
    handles=np.linalg.solve,
    broadcasts=True,
    formulas=("-solve(transpose(a), g) @ transpose(y)", "solve(transpose(a), g)"),
    batch=hidden.solve,
)
def solve(a, b):
    """x with a @ x = b; b is one vector if it has one axis, else matrices."""
    return np.linalg.solve(a, b)


@solve.rule
def _solve_a(g, a, y, b_shape):
    gb = _solve_b(g, a, b_shape)
    return -gb[..., None] * y[..., None, :] if len(b_shape) == 1 else -(gb @ y.mT)


@solve.rule
def _solve_b(g, a, b_shape):
    if len(b_shape) == 1:  # one vector, which a stack of matrices makes into a stack of vectors
        return np.linalg.solve(a.mT, g[..., None])[..., 0]
    return np.linalg.solve(a.mT, g)


@general(handles=np.linalg.cholesky, formulas=("inv(y)^T phi(y^T g) inv(y), made symmetric",), batch="stack")
def cholesky(x):
    """The lower triangular y with y @ y^H = x. x is taken to be symmetric (Hermitian), and so is its gradient."""
    return np.linalg.cholesky(x)


@cholesky.rule
def _cholesky_rule(g, y):
    lower = np.tril(conj(y).mT @ conj(g))
    phi = lower - np.tril(np.triu(lower)) * 0.5
    inverse = np.linalg.inv(y)
    s = conj(inverse).mT @ phi @ inverse
    return conj((s + conj(s).mT) * 0.5)


# ---- norms ----


@general(name="norm", formulas=("g * x / y",), batch="axis")
def euclidean_norm(x, *, axis=None, keepdims=False):
    """The square root of the sum of |x|^2 over `axis`; its gradient at 0 is 0, the subgradient of least norm."""
    return np.sqrt(np.sum(np.abs(x) ** 2, axis=axis, keepdims=keepdims))


@euclidean_norm.rule
def _norm_rule(g, x, y, axis=None):
    return kept(g / (y + (y == 0)), x.shape, axis) * conj(x)


@meaning(np.linalg.norm)
def norm(x, ord=None, axis=None, keepdims=False):
    """np.linalg.norm for every vector order and for the matrix orders that need no singular values."""
    axes = tuple(range(x.ndim)) if axis is None else (axis,) if isinstance(axis, int | np.integer) else tuple(axis)
    if ord is None or (ord == 2 and len(axes) == 1) or (ord in ("fro", "f") and len(axes) == 2):
        return euclidean_norm(x, axis=axes, keepdims=keepdims)
    x = x if x.dtype.kind in "fc" else x.astype(float)
    if len(axes) == 1 and not isinstance(ord, str):
        return _vector_norm(np.abs(x), ord, axes[0], keepdims)
    if len(axes) == 2 and ord in (1, -1, np.inf, -np.inf):
        rows, columns = axes if abs(ord) == 1 else axes[::-1]
        sums = np.sum(np.abs(x), axis=rows, keepdims=True)
        y = (np.max if ord > 0 else np.min)(sums, axis=columns, keepdims=True)
        return y if keepdims else np.squeeze(y, axis=axes)
    raise NotDifferentiableError(
        f"np.linalg.norm(ord={ord!r}, axis={axis!r}) has no derivative rule for an array of shape {x.shape}"
    )


def _vector_norm(size, ord, axis, keepdims):
    if ord in (np.inf, -np.inf):
        return (np.max if ord > 0 else np.min)(size, axis=axis, keepdims=keepdims)
    if ord == 0:
        return np.sum(np.sign(size), axis=axis, keepdims=keepdims)
    if ord == 1:
        return np.sum(size, axis=axis, keepdims=keepdims)
    total = np.sum(size**ord, axis=axis, keepdims=keepdims)
    # 0 at 0, as for the Euclidean norm: the root is taken of 1 there, and left out
    return np.where(total.data == 0, 0, np.where(total.data == 0, 1, total) ** (1 / ord))
