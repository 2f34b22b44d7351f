"""Linear algebra: inverses, determinants, equations, norms. All work on stacks of matrices.

Matrix derivatives as in M. B. Giles, "Collected matrix derivative results" (2008); cholesky as in I. Murray,
"Differentiation of the Cholesky decomposition" (2016); pinv as in G. H. Golub and V. Pereyra, "The differentiation of
pseudo-inverses" (1973). Norms, powers and condition numbers are composed of ops.
"""

from __future__ import annotations

import math
import operator

import numpy as np

from ..errors import NotDifferentiableError
from ..op import general, meaning
from ..tensor import as_array
from .constant import constant
from .decompositions import adjoint, hermitian_part, svdvals
from .elementwise import conj, positive, where
from .matrix import aligned, array, matmul
from .shape import reshape, transpose

SlogdetResult = type(np.linalg.slogdet(np.eye(1)))

constant(np.linalg.matrix_rank)


# ---- inverse and determinant ----

inv = general(np.linalg.inv, lambda g, y: -(y.mT @ g @ y.mT), batch="stack")


@general(name="det", handles=np.linalg.det, formulas=("g * transpose(adjugate(x))",), batch="stack")
def det(x):
    """The determinant; also of a singular matrix it has all its derivatives."""
    return np.linalg.det(x)


@det.rule
def _det_rule(g, x, y):
    if isinstance(x, np.ndarray) and (inverse := _inverse_of_regular(x)) is not None:  # at half the cost
        return (g * y)[..., None, None] * inverse.mT
    return g[..., None, None] * adjugate(x).mT


def _inverse_of_regular(x):
    """The inverses of a stack of matrices, or None if one of them is singular or nearly so."""
    try:
        inverse = np.linalg.inv(x)
    except np.linalg.LinAlgError:
        return None
    largest = np.abs(x).max(initial=0) * np.abs(inverse).max(initial=0)  # at least that of any of them
    return inverse if largest < 1 / math.sqrt(np.finfo(x.dtype).eps) else None


def adjugate(x):
    """det(x) inv(x), which is finite for a singular x too.

    With b = [[x, u], [v, 0]] and its inverse [[p, q], [r, c]], Jacobi's identity det(x) = det(b) det(c) gives by
    differentiation adjugate(x) = det(b) (det(c) p - q adjugate(c) r). Here b is regular and c as small as x lacks rank.
    """
    n = x.shape[-1]
    b = bordered(x)
    inverse = np.linalg.inv(b)
    scale = np.linalg.det(b)[..., None, None]
    if b.shape[-1] == n:
        return scale * inverse
    p, q, r, c = inverse[..., :n, :n], inverse[..., :n, n:], inverse[..., n:, :n], inverse[..., n:, n:]
    of_c = _adjugate_of_small(c)
    det_c = np.sum(c[..., :1, :] * of_c[..., :, :1].mT, axis=-1, keepdims=True)
    return scale * (det_c * p - q @ of_c @ r)


def _adjugate_of_small(c):
    """By the coefficients of the characteristic polynomial (Faddeev and LeVerrier): no division by what may be 0."""
    n = c.shape[-1]
    one = np.eye(n, dtype=c.dtype)
    y = one * np.ones((*c.shape[:-2], 1, 1), c.dtype)
    for k in range(1, n):
        product = c @ y
        y = np.trace(product, axis1=-2, axis2=-1)[..., None, None] / k * one - product
    return y


@general(name="bordered", formulas=("g[:n, :n]",), batch="stack")
def bordered(x):
    """x with rows and columns of constants at its end that make a regular matrix of it; none if it is regular.

    They are the singular vectors of the smallest singular values, as many as the matrix of least rank needs.
    """
    u, s, vh = np.linalg.svd(x)
    n = x.shape[-1]
    small = s <= math.sqrt(np.finfo(s.dtype).eps) * np.max(s, axis=-1, keepdims=True, initial=0)
    k = int(np.max(np.sum(small, axis=-1), initial=0))
    below = np.concatenate([vh[..., n - k :, :], np.zeros((*x.shape[:-2], k, k), x.dtype)], axis=-1)
    return np.concatenate([np.concatenate([x, u[..., n - k :]], axis=-1), below], axis=-2)


bordered.rule(lambda g, x_shape: g[..., : x_shape[-1], : x_shape[-1]])


@general(outputs=2, formulas=("g[1] * transpose(inv(x))",), batch="stack")
def slogdet(x):
    """The sign (or phase) and the logarithm of the absolute value of the determinant."""
    return tuple(np.linalg.slogdet(x))


@slogdet.rule
def _slogdet_rule(g, x, y):
    of_sign, of_log = g
    if x.dtype.kind == "c":  # the phase turns with the imaginary part of the trace
        of_log = of_log + 1j * np.imag(of_sign * y[0])
    return of_log[..., None, None] * np.linalg.inv(x).mT


meaning(np.linalg.slogdet)(lambda a: SlogdetResult(*slogdet(a)))


# ---- equations ----


def _solve_batch(op, xs, kwargs):
    a, b = xs
    if b.ndim == 2:  # one vector with the hidden axis, which must not be taken for a matrix
        return op(*aligned(a, b[..., None]), **kwargs)[..., 0]
    return op(*aligned(a, b), **kwargs)


def _transposed_solve(g, a, b_shape):
    if len(b_shape) == 1:  # one vector, which a stack of matrices makes into a stack of vectors
        return np.linalg.solve(a.mT, g[..., None])[..., 0]
    return np.linalg.solve(a.mT, g)


@general(
    handles=np.linalg.solve,
    broadcasts=True,
    shared={"gb": _transposed_solve},
    formulas=("-solve(transpose(a), g) @ transpose(y)", "solve(transpose(a), g)"),
    batch=_solve_batch,
)
def solve(a, b):
    """x with a @ x = b; b is one vector if it has one axis, else matrices."""
    return np.linalg.solve(a, b)


# the cotangent g is in gb; a rule takes it all the same
solve.rule(lambda g, gb, y, b_shape: -gb[..., None] * y[..., None, :] if len(b_shape) == 1 else -(gb @ y.mT))
solve.rule(lambda g, gb: gb)


@general(formulas=("inv(y)^T phi(y^T g) inv(y), made symmetric",), batch="stack")
def cholesky(x):
    """The lower triangular y with y @ y^H = x. x is taken to be symmetric (Hermitian), and so is its gradient."""
    return np.linalg.cholesky(x)


@cholesky.rule
def _cholesky_rule(g, y):
    n = y.shape[-1]
    lower = np.tri(n, dtype=y.dtype) - 0.5 * np.eye(n, dtype=y.dtype)  # and half of the diagonal
    phi = adjoint(y) @ conj(g) * lower
    inverse = np.linalg.inv(y)
    return conj(hermitian_part(adjoint(inverse) @ phi @ inverse))


@meaning(np.linalg.cholesky)
def _cholesky(a, /, *, upper=False):
    return adjoint(cholesky(adjoint(a))) if upper else cholesky(a)


@general(
    formulas=("-y^H g y^H + (1 - x y) g^H y y^H + y^H y g^H (1 - y x)",),
    batch="stack",
)
def pinv(x, *, rcond=1e-15, hermitian=False):
    """The pseudo-inverse. Its derivative holds the rank that rcond gives x."""
    return np.linalg.pinv(x, rcond, hermitian)


@pinv.rule
def _pinv_rule(g, x, y, hermitian=False):
    if hermitian:  # NumPy reads the lower triangle
        x = np.tril(x) + adjoint(np.tril(x, -1))
    g, yh = conj(g), adjoint(y)
    gh = adjoint(g)
    z = gh @ y @ yh
    w = yh @ y @ gh
    c = (z - x @ (y @ z)) + (w - (w @ y) @ x) - yh @ g @ yh
    return conj(hermitian_part(c) if hermitian else c)


@meaning(np.linalg.pinv)
def _pinv(a, rcond=None, hermitian=False, *, rtol=np._NoValue):
    if rcond is None:
        rcond = 1e-15 if rtol is np._NoValue else rtol
        if rcond is None:
            rcond = max(a.shape[-2:]) * float(np.finfo(a.dtype).eps)
    elif rtol is not np._NoValue:
        raise ValueError("np.linalg.pinv: give rcond or rtol, not both")
    return pinv(a, rcond=rcond, hermitian=hermitian)


@general(name="lstsq", formulas=("the rule of pinv for g transpose(b)", "transpose(pinv(a)) @ g"))
def least_squares(a, b, *, rcond):
    """The shortest x for which |a @ x - b| is least. Its derivative holds the rank that rcond gives a."""
    return np.linalg.lstsq(a, b, rcond)[0]


@least_squares.rule
def _least_squares_a(g, a, b, rcond):
    of_pinv = g[:, None] * b if len(b.shape) == 1 else g @ b.mT
    return _pinv_rule(of_pinv, a, pinv(a, rcond=rcond))


least_squares.rule(lambda g, a, rcond: pinv(a, rcond=rcond).mT @ g)


@meaning(np.linalg.lstsq)
def _lstsq(a, b, rcond=None):
    """The solution, the sums of squared residuals, the rank and the singular values; the rank is a constant."""
    a, b = array(a), array(b)
    if rcond is None or rcond == -1:
        eps = float(np.finfo(np.result_type(a.dtype, np.float32)).eps)
        rcond = eps * max(a.shape) if rcond is None else eps
    x = least_squares(a, b, rcond=rcond)
    s = svdvals(a)
    m, n = a.shape
    rank = np.count_nonzero(s > rcond * np.sum(s[:1]))
    if rank < n or m <= n:
        return x, np.zeros((0,), s.dtype), rank, s
    residual = np.abs(b - a @ x) ** 2
    return x, np.sum(residual if len(b.shape) == 2 else residual[:, None], axis=0), rank, s


# ---- powers and products ----


@meaning(np.linalg.matrix_power)
def _matrix_power(a, n):
    """By repeated squaring; of the 0th power the gradient is 0."""
    n = operator.index(n)
    if a.ndim < 2 or a.shape[-1] != a.shape[-2]:
        raise np.linalg.LinAlgError(f"np.linalg.matrix_power takes square matrices, not {a.shape}")
    if n == 0:
        return where(False, a, np.eye(a.shape[-1], dtype=a.dtype))
    a, n = (inv(a), -n) if n < 0 else (a, n)
    y = None
    while n:
        if n & 1:
            y = a if y is None else matmul(y, a)
        n >>= 1
        a = matmul(a, a) if n else a
    return positive(y)


@meaning(np.linalg.multi_dot)
def _multi_dot(arrays, *, out=None):
    """In the order of least work; the first and the last may be vectors."""
    if out is not None:
        raise NotDifferentiableError("np.linalg.multi_dot on Tensors does not take out=")
    if len(arrays) < 2:
        raise ValueError("np.linalg.multi_dot takes at least two arrays")
    arrays = [as_array(a) for a in arrays]
    first, last = arrays[0].ndim == 1, arrays[-1].ndim == 1
    if any(a.ndim != 2 for a in arrays[first : len(arrays) - last]):
        raise np.linalg.LinAlgError("np.linalg.multi_dot takes matrices, and vectors as the first and the last only")
    sizes = [1 if first else arrays[0].shape[0], *(a.shape[0] for a in arrays[1:]), arrays[-1].shape[-1]]
    sizes[-1] = 1 if last else sizes[-1]
    if first:
        sizes[1] = arrays[0].shape[0]
    return _in_order(arrays, sizes)


def _in_order(arrays, sizes):
    """The chain of matrices, array k of sizes[k] x sizes[k + 1], split where the products cost least."""
    n = len(arrays)
    cost = {(k, k + 1): 0 for k in range(n)}
    split = {}
    for length in range(2, n + 1):
        for i in range(n - length + 1):
            j = i + length
            cost[i, j], split[i, j] = min(
                (cost[i, k] + cost[k, j] + sizes[i] * sizes[k] * sizes[j], k) for k in range(i + 1, j)
            )
    return _chain(arrays, split, 0, n)


def _chain(arrays, split, i, j):
    if j == i + 1:
        return arrays[i]
    k = split[i, j]
    return matmul(_chain(arrays, split, i, k), _chain(arrays, split, k, j))


@meaning(np.linalg.tensorinv)
def _tensorinv(a, ind=2):
    if ind <= 0:
        raise ValueError("np.linalg.tensorinv: ind is at least 1")
    shape = a.shape[ind:] + a.shape[:ind]
    return reshape(inv(reshape(a, shape=(math.prod(a.shape[:ind]), -1))), shape=shape)


@meaning(np.linalg.tensorsolve)
def _tensorsolve(a, b, axes=None):
    if axes is not None:
        last = [k % a.ndim for k in axes]
        a = transpose(a, (*(k for k in range(a.ndim) if k not in last), *last))
    shape = a.shape[np.ndim(b) :]
    n = math.prod(shape)
    if a.size != n * n:
        raise np.linalg.LinAlgError(f"np.linalg.tensorsolve: {a.shape} is no square matrix with its last axes as one")
    return reshape(solve(reshape(a, shape=(n, n)), reshape(b, shape=(-1,))), shape=shape)
