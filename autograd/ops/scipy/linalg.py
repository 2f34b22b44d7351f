"""Linear algebra of SciPy's: triangular, banded and Sylvester equations, functions of a matrix, factorisations.

A function f of a matrix is differentiated by one evaluation of it, on the block triangle [[x, e], [0, x]], which has
f(x) on its diagonal and the derivative along e above it (N. Higham, Functions of Matrices, theorem 3.6). The rules of
matrix equations are those of the equation's solution, as in M. Giles (2008). The factorisations are composed, save LU.
"""

from __future__ import annotations

import numpy as np
import scipy.linalg as sl

from ...op import general
from ...tensor import Tensor
from ..constant import Constant
from ..elementwise import conj


def _given(*arrays):
    """Something other than plain arrays, which SciPy would not take."""
    return any(isinstance(x, Tensor) for x in arrays)


# ---- equations ----


@general(
    name="solve_triangular", formulas=("-triangle(solve(transpose(a), g) @ transpose(y))", "solve(transpose(a), g)")
)
def triangular(a, b, *, trans=False, lower=False, unit_diagonal=False):
    """x with a @ x = b, or a.T @ x = b; only one triangle of a is looked at."""
    if np.ndim(a) != 2 or np.ndim(b) not in (1, 2):
        raise ValueError(f"solve_triangular takes one matrix and vectors, not shapes {np.shape(a)} and {np.shape(b)}")
    return sl.solve_triangular(a, b, trans=int(trans), lower=lower, unit_diagonal=unit_diagonal)


@triangular.rule
def _triangular_a(g, a, y, trans=False, lower=False, unit_diagonal=False):
    u = _triangular_b(g, a, trans, lower, unit_diagonal)
    left, right = (y, u) if trans else (u, y)
    product = left[:, None] * right[None, :] if left.ndim == 1 else left @ right.mT
    k = int(unit_diagonal)
    return -np.tril(product, -k) if lower else -np.triu(product, k)


@triangular.rule
def _triangular_b(g, a, trans=False, lower=False, unit_diagonal=False):
    return triangular(a, g, trans=not trans, lower=lower, unit_diagonal=unit_diagonal)


def solve_triangular(a, b, trans=0, lower=False, unit_diagonal=False, overwrite_b=False, check_finite=True):
    """x with a @ x = b for a triangular a; trans: 0 "N", 1 "T" or 2 "C", for a, its transpose or its conjugate one."""
    if trans not in (0, 1, 2, "N", "T", "C"):
        raise ValueError(f"trans is 0, 1, 2, 'N', 'T' or 'C', not {trans!r}")
    if trans in (2, "C") and hasattr(a, "dtype"):
        a = conj(a)
    elif trans in (2, "C"):
        a = np.conjugate(a)
    return triangular(a, b, trans=trans not in (0, "N"), lower=bool(lower), unit_diagonal=bool(unit_diagonal))


@general(
    name="solve_sylvester",
    formulas=("-u @ transpose(y)", "-transpose(y) @ u", "u, with transpose(a) u + u transpose(b) = g"),
)
def solve_sylvester(a, b, q):
    """x with a @ x + x @ b = q."""
    return in_double(sl.solve_sylvester)(a, b, q)


solve_sylvester.rule(lambda g, a, b, y: -(solve_sylvester(a.mT, b.mT, g) @ y.mT))
solve_sylvester.rule(lambda g, a, b, y: -(y.mT @ solve_sylvester(a.mT, b.mT, g)))
solve_sylvester.rule(lambda g, a, b: solve_sylvester(a.mT, b.mT, g))


def solve_continuous_lyapunov(a, q):
    """x with a @ x + x @ a^H = q."""
    a = a if hasattr(a, "dtype") else np.asarray(a)
    return solve_sylvester(a, conj(a).mT, q)


def solve_discrete_lyapunov(a, q, method=None):
    """x with a @ x @ a^H - x + q = 0, from the linear system for all n^2 numbers of x."""
    if not _given(a, q):
        return sl.solve_discrete_lyapunov(a, q, method)
    a = a if hasattr(a, "dtype") else np.asarray(a)
    n = a.shape[0]
    kron = np.reshape(np.einsum("ik,jl->ijkl", a, conj(a)), (n * n, n * n))
    return np.reshape(np.linalg.solve(np.eye(n * n, dtype=a.dtype) - kron, np.reshape(q, (n * n,))), (n, n))


@general(name="solve_banded", formulas=("-band(solve(transpose(a), g) @ transpose(y))", "solve(transpose(a), g)"))
def banded(ab, b, *, lower, upper):
    """x with a @ x = b, where row u + i - j of ab holds a[i, j] in its column j."""
    return sl.solve_banded((lower, upper), ab, b)


@banded.rule
def _banded_ab(g, ab, y, *, lower, upper):
    u = _banded_b(g, ab, lower=lower, upper=upper)
    rows = [_shifted(u, d) * y for d in range(upper, -lower - 1, -1)]
    return -np.stack([row if row.ndim == 1 else np.sum(row, axis=1) for row in rows])


@banded.rule
def _banded_b(g, ab, *, lower, upper):
    transposed = np.stack([_shifted(ab[upper - d], -d) for d in range(-lower, upper + 1)])
    return banded(transposed, g, lower=upper, upper=lower)


def _shifted(v, by):
    """v moved along its first axis, with zeros where nothing comes from."""
    n = v.shape[0]
    zeros = np.zeros((min(abs(by), n), *v.shape[1:]), v.dtype)
    return np.concatenate([zeros, v[: max(n - by, 0)]] if by > 0 else [v[min(-by, n) :], zeros])


def solve_banded(l_and_u, ab, b, overwrite_ab=False, overwrite_b=False, check_finite=True):
    """x with a @ x = b for a banded a with l diagonals below and u above the main one, held as SciPy holds it."""
    lower, upper = l_and_u
    return banded(ab, b, lower=int(lower), upper=int(upper))


# ---- functions of a matrix ----


def in_double(f):
    """f computed in double precision, with the result in the precision of its first argument."""

    def computed(*xs):
        xs = [np.asarray(x) for x in xs]
        y = f(*[x.astype(np.result_type(x.dtype.newbyteorder("="), np.float64)) for x in xs])
        if xs[0].dtype.kind not in "fc":
            return y
        single = {2: np.float16, 4: np.float32}.get(np.finfo(xs[0].dtype).dtype.itemsize, np.float64)
        return y.astype(np.result_type(single, np.complex64) if y.dtype.kind == "c" else single)

    return computed


def _function_of_a_matrix(f, name):
    """The op of f(x) and of its derivatives: op(x, e1, ..., ek) is the k-th derivative of f along e1, ..., ek.

    Each direction doubles the block triangle. Multilinear in the directions, so the transpose of a derivative is the
    same one at x.T with the cotangent in the place of a direction.
    """

    @general(name=name, batch="stack", formulas=(f"{name}([[transpose(x), g], [0, transpose(x)]])[:n, n:]",))
    def op(*xs):
        block, n = xs[0], xs[0].shape[-1]
        for e in xs[1:]:
            copies = block.shape[-1] // n
            e = np.einsum("ab,...ij->...aibj", np.eye(copies, dtype=e.dtype), e).reshape(block.shape)
            top = np.concatenate([block, e], axis=-1)
            block = np.concatenate([top, np.concatenate([np.zeros_like(block), block], axis=-1)], axis=-2)
        return computed(block)[..., :n, block.shape[-1] - n :]

    def of_each(x):
        matrices = [f(matrix) for matrix in np.reshape(x, (-1, *x.shape[-2:]))]
        return np.reshape(np.stack(matrices), x.shape) if matrices else x

    computed = in_double(of_each)
    op.rule(lambda g, xs, i: op(*[x.mT for k, x in enumerate(xs) if k == 0 or k != i], g))
    return op


expm = _function_of_a_matrix(sl.expm, "expm")
logm = _function_of_a_matrix(sl.logm, "logm")
sinm = _function_of_a_matrix(sl.sinm, "sinm")
cosm = _function_of_a_matrix(sl.cosm, "cosm")
sqrtm = general(
    in_double(sl.sqrtm),
    lambda g, y: solve_sylvester(y.mT, y.mT, g),
    name="sqrtm",
    inputs="x",
    formulas=("u, with transpose(y) u + u transpose(y) = g",),
)


# ---- factorisations ----


@general(
    name="lu_factor",
    residuals={"order": lambda x: _order_of(x)},
    formulas=("inv(L)^T (tril(L^T g) + triu(g U^T)) inv(U)^T, rows back in place",),
)
def lu_compact(x):
    """L below and U on and above the diagonal, where L @ U = x[order]."""
    if np.ndim(x) != 2 or np.shape(x)[0] != np.shape(x)[1]:
        raise ValueError(f"lu_factor is differentiable for one square matrix, not for shape {np.shape(x)}")
    return _lu(x)


def _lu(x):
    lu, pivots = sl.lu_factor(x)
    return lu, _order(pivots)


@Constant
def _pivots(x):
    return sl.lu_factor(x)[1]


@Constant
def _order_of(x):
    return _lu(x)[1]


def _order(pivots):
    """The order of the rows that a sequence of swaps ends in."""
    order = np.arange(len(pivots))
    for i, k in enumerate(pivots):
        order[[i, k]] = order[[k, i]]
    return order


@lu_compact.rule
def _lu_rule(g, y, order):
    below, upper = np.tril(g, -1), np.triu(y)
    middle = np.tril(below + np.tril(y, -1).mT @ below, -1) + np.triu(np.triu(g) @ upper.mT)
    left = triangular(y, middle, trans=True, lower=True, unit_diagonal=True)
    return triangular(y, left.mT).mT[np.argsort(order)]


def lu_factor(a, overwrite_a=False, check_finite=True):
    """(lu, piv) with piv a plain array: see `lu_solve`."""
    if not _given(a):
        return sl.lu_factor(a)
    return lu_compact(a), _pivots(a)


def lu_solve(lu_and_piv, b, trans=0, overwrite_b=False, check_finite=True):
    """x with a @ x = b (trans=0), a.T @ x = b (1) or a^H @ x = b (2), from lu_factor(a)."""
    lu, pivots = lu_and_piv
    if not _given(lu, b):
        return sl.lu_solve((lu, pivots), b, trans)
    order = _order(pivots)
    if trans == 0:
        return triangular(lu, triangular(lu, b[order], lower=True, unit_diagonal=True))
    lu = conj(lu) if trans == 2 else lu
    z = triangular(lu, triangular(lu, b, trans=True), trans=True, lower=True, unit_diagonal=True)
    return z[np.argsort(order)]


def cholesky(a, lower=False, overwrite_a=False, check_finite=True):
    """The triangular factor of a positive definite matrix, of which one triangle is looked at: U by default."""
    if not _given(a):
        return sl.cholesky(a, lower)
    return np.linalg.cholesky(a) if lower else conj(np.linalg.cholesky(conj(a).mT)).mT


def cho_factor(a, lower=False, overwrite_a=False, check_finite=True):
    """(c, lower) for `cho_solve`; the other triangle of c is 0."""
    return cholesky(a, lower), lower


def cho_solve(c_and_lower, b, overwrite_b=False, check_finite=True):
    """x with a @ x = b, from cho_factor(a)."""
    c, lower = c_and_lower
    if lower:
        return solve_triangular(c, solve_triangular(c, b, lower=True), trans=2, lower=True)
    return solve_triangular(c, solve_triangular(c, b, trans=2))


# ---- matrices made of others ----


def block_diag(*arrays):
    """The matrix with these on its diagonal, and zeros elsewhere; a vector counts as one row."""
    blocks = [a if hasattr(a, "dtype") else np.asarray(a) for a in arrays] or [np.zeros((1, 0))]
    if any(a.ndim > 2 for a in blocks):
        raise ValueError("block_diag takes matrices")
    blocks = [np.reshape(a, (1, -1)) if a.ndim < 2 else a for a in blocks]
    width, rows, start = sum(a.shape[1] for a in blocks), [], 0
    for a in blocks:
        n, m = a.shape
        zeros = np.zeros((n, start), a.dtype), np.zeros((n, width - start - m), a.dtype)
        rows.append(np.concatenate([zeros[0], a, zeros[1]], axis=1))
        start += m
    return np.concatenate(rows)


def toeplitz(c, r=None):
    """The matrix with first column c and first row r (the conjugate of c), constant along its diagonals."""
    if not _given(c, r):
        return sl.toeplitz(c, r)
    c = np.reshape(c, (-1,))
    r = conj(c) if r is None else np.reshape(r, (-1,))
    n, m = c.shape[0], r.shape[0]
    return np.concatenate([c[::-1], r[1:]])[np.arange(m) - np.arange(n)[:, None] + n - 1]


# ---- what NumPy has too ----


def inv(a, overwrite_a=False, check_finite=True):
    """The inverse."""
    return np.linalg.inv(a)


def det(a, overwrite_a=False, check_finite=True):
    """The determinant."""
    return np.linalg.det(a)


def solve(a, b, **hints):
    """x with a @ x = b. On Tensors SciPy's hints about a are not used, and transposed= is not taken."""
    if not _given(a, b):
        return sl.solve(a, b, **hints)
    if hints.get("transposed"):
        raise TypeError("solve(transposed=True) on a Tensor: pass the transposed matrix")
    return np.linalg.solve(a, b)


def norm(a, ord=None, axis=None, keepdims=False, check_finite=True):
    """The norm of a vector or matrix."""
    return np.linalg.norm(a, ord, axis, keepdims)
