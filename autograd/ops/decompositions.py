"""Decompositions of matrices: qr, eigenvalues, singular values. All work on stacks of matrices.

The rules are those of S. F. Walter and L. Lehmann, "Algorithmic differentiation of linear algebra functions" (2010)
and M. Seeger et al., "Auto-differentiating linear algebra" (2017). They divide by the gaps between eigenvalues or
singular values. `over_gaps` does that: at a gap of 0 it lets 0 pass and refuses anything else, so a loss that does not
ask how the vectors of equal values lie has its gradient, and any other raises. See docs/kinks.md.

Inside a rule the cotangents are conjugated, so that the formulas are those of the books.
"""

from __future__ import annotations

import numpy as np

from ..errors import NotDifferentiableError
from ..op import general, meaning
from .elementwise import conj
from .joining import concatenate
from .matrix import aligned

EigResult = type(np.linalg.eig(np.eye(1)))
EighResult = type(np.linalg.eigh(np.eye(1)))
QRResult = type(np.linalg.qr(np.eye(1)))
SVDResult = type(np.linalg.svd(np.eye(1)))


def adjoint(x):
    """The conjugate transpose."""
    return conj(x).mT


def hermitian_part(x):
    return (x + adjoint(x)) * 0.5


def diagonal_matrix(d):
    return d[..., None, :] * np.eye(d.shape[-1], dtype=d.dtype)


def rounding(s):
    """By how much numbers may differ that a decomposition found for one and the same value."""
    return np.sum(np.abs(s), axis=-1)[..., None] * (10 * float(np.finfo(s.dtype).eps))


def gaps(s, distinct=False):
    """s[j] - s[i] for row i and column j, 0 where the two are equal within rounding; `distinct`: none are."""
    d = s[..., None, :] - s[..., :, None]
    return d if distinct else np.where(np.abs(d) <= rounding(s)[..., None], 0, d)


def are_distinct(s):
    """True if no two of these values, which are in order, are equal: their neighbours tell, at a fraction of the cost.

    False also if s is no plain array; then a rule takes the long way, which is right in any case.
    """
    return isinstance(s, np.ndarray) and bool(np.all(np.abs(s[..., 1:] - s[..., :-1]) > rounding(s)))


# ---- division by gaps ----

_REASON = (
    "no derivative: some eigenvalues (or singular values) are equal or 0, and the result depends on the single vectors "
    "that belong to them, or is a second derivative; or it depends on the phase of a complex vector. Use first "
    "derivatives of the values alone (eigvalsh, svdvals), a function without vectors (inv, pinv, det, matrix_power), "
    "or perturb the matrix"
)


@general(
    name="over_gaps",
    broadcasts=True,
    formulas=("g / gaps, 0 where a gap is 0", "-g * y / gaps"),
    batch=lambda op, xs, kwargs: op(*aligned(*xs), **kwargs),
)
def over_gaps(c, gaps, *, pairs=False, together=False):
    """c / gaps, where 0 / 0 is 0 and anything else over 0 raises NotDifferentiableError.

    pairs: c is square, c[i, j] says how the loss changes when vector i turns towards vector j, and c[i, i] times 1j
    when the phase of vector i turns: on the diagonal only the imaginary part counts.
    together: the values are not in the loss, so only a turn of both vectors (the skew part of c) counts.
    """
    closed = gaps == 0
    n = np.count_nonzero(closed)
    if n == 0:
        return c / gaps
    closed = np.broadcast_to(closed, c.shape)
    on_diagonal = pairs and n * c.shape[-1] == c.size and closed.diagonal(0, -2, -1).all()
    if not on_diagonal or c.dtype.kind == "c":  # c[i, i] of a real vector, which has no phase, is not looked at
        _refuse(c, np.unravel_index(np.flatnonzero(closed), c.shape), pairs, together)
    with np.errstate(divide="ignore", invalid="ignore"):
        y = c / gaps
    np.copyto(y, 0, where=closed)
    return y


def _refuse(c, places, pairs, together):
    """Raise unless c is 0 in these places, but for its rounding."""
    part, least = c[places], 0
    if pairs:
        *stack, i, j = places
        part = np.where(together | (i == j), part - np.conj(c[(*stack, j, i)]), part)
        least = i == j  # a phase may leave nothing but rounding in c, of numbers that are taken to be about 1
    if np.any(part):
        size = np.maximum(np.max(np.abs(c), axis=(-2, -1))[places[:-2]], least)
        if np.any(np.abs(part) > size * (100 * c.shape[-1] * np.finfo(c.dtype).eps)):
            raise NotDifferentiableError(_REASON)


over_gaps.rule(
    lambda g, gaps, pairs=False, together=False: over_gaps(g, gaps, pairs=pairs, together=together),
)
over_gaps.rule(
    lambda g, gaps, y, pairs=False, together=False: -over_gaps(g * y, gaps, pairs=pairs, together=together),
)


def no_vectors_of_equals(of_s, gaps):
    """Raise where a loss of values and vectors uses equal values: f(s) alone does not say what V f(S) V^H needs."""
    equal = np.sum(gaps == 0, axis=-1) > 1
    over_gaps(of_s[..., None, :], np.where(equal, 0, 1)[..., None, :])


def no_equals(gaps):
    """Raise wherever values are equal."""
    over_gaps(np.ones(gaps.shape, gaps.dtype), gaps, pairs=True)


# ---- symmetric (Hermitian) eigenvalue problem ----


@general(
    outputs=2,
    batch="stack",
    formulas=("v (diag(g_w) + (v^H g_v) / gaps(w)) v^H, made symmetric",),
)
def eigh(x, *, UPLO="L", strict=False):
    """Eigenvalues in ascending order, and eigenvectors as columns, of a symmetric (Hermitian) matrix.

    x is taken to be symmetric (Hermitian), and so is its gradient. The phase of a complex vector is LAPACK's choice
    and not a function of x: a loss that depends on it raises. strict: raise wherever eigenvalues are equal.
    """
    return tuple(np.linalg.eigh(x, UPLO))


@eigh.rule
def _eigh_rule(g, y, strict=False):
    w, v = y
    of_w, of_v = g
    if 1 not in g.parts:
        core = diagonal_matrix(of_w)
    elif v.dtype.kind == "f" and are_distinct(w):  # what is usual, in fewer passes
        diagonal = np.eye(w.shape[-1], dtype=bool)
        core = np.where(diagonal, of_w[..., None, :], v.mT @ of_v / (gaps(w, True) + diagonal))
    else:
        between = gaps(w)
        if strict:
            no_equals(between)
        if 0 in g.parts:
            no_vectors_of_equals(of_w, between)
        core = diagonal_matrix(of_w)
        core = core + over_gaps(adjoint(v) @ conj(of_v), between, pairs=True, together=0 not in g.parts)
    return conj(v @ hermitian_part(core) @ adjoint(v))


@general(
    name="eigvalsh", residuals={"v": lambda x: eigh(x, strict=True)[1]}, batch="stack", formulas=("v diag(g) v^H",)
)
def eigvalsh(x):
    """The eigenvalues of a symmetric (Hermitian) matrix, also where some are equal."""
    return tuple(np.linalg.eigh(x))


@eigvalsh.rule
def _eigvalsh_rule(g, v):
    return conj(v * g[..., None, :] @ adjoint(v))


@meaning(np.linalg.eigh)
def _eigh(a, UPLO="L"):
    return EighResult(*eigh(a, UPLO=UPLO))


@meaning(np.linalg.eigvalsh)
def _eigvalsh(a, UPLO="L"):
    if UPLO not in ("L", "l", "U", "u"):
        raise ValueError("np.linalg.eigvalsh: UPLO is 'L' or 'U'")
    return eigvalsh(a if UPLO in ("L", "l") else adjoint(a))


# ---- general eigenvalue problem ----


@general(
    outputs=2,
    batch="stack",
    formulas=("v^-H (diag(g_w) + (v^H g_v - v^H v diag(real(v^H g_v))) / gaps(w)) v^H",),
)
def eig(x, *, strict=False):
    """Eigenvalues and eigenvectors, columns of length 1. The phase of a complex vector must not matter to the loss."""
    return tuple(np.linalg.eig(x))


@eig.rule
def _eig_rule(g, y, strict=False):
    w, v = y
    of_w, of_v = g
    core = diagonal_matrix(conj(of_w))
    vh = adjoint(v)
    if 1 in g.parts:
        one = np.eye(w.shape[-1], dtype=w.dtype)
        c = vh @ conj(of_v)
        over_gaps(c, 1 - one, pairs=True)  # raises if a phase matters
        between = gaps(w)
        if strict:
            no_equals(between)
        if 0 in g.parts:
            no_vectors_of_equals(of_w, between)
        along = np.real(np.diagonal(c, axis1=-2, axis2=-1))[..., None, :]  # the columns keep their length
        core = core + over_gaps((c - vh @ v * along) * (1 - one), conj(between) + one, pairs=True)
    return conj(np.linalg.solve(vh, core @ vh))


@general(
    name="eigvals",
    residuals={"v": lambda x: eig(x, strict=True)[1]},
    batch="stack",
    formulas=("v^-H diag(g) v^H",),
)
def eigvals(x):
    """The eigenvalues of a square matrix; of a defective one they have no derivative."""
    return tuple(np.linalg.eig(x))


@eigvals.rule
def _eigvals_rule(g, v):
    return np.linalg.solve(v.mT, g[..., None] * v.mT)


meaning(np.linalg.eig)(lambda a: EigResult(*eig(a)))
meaning(np.linalg.eigvals)(lambda a: eigvals(a))


# ---- singular values ----


@general(
    outputs=3,
    batch="stack",
    formulas=("u (diag(g_s) + (u^H g_u, v^H g_v) / gaps(s)) v^H + the parts beside u and v, / s",),
)
def svd(x, *, full_matrices=True, strict=False):
    """u, s and v^H with x = u diag(s) v^H. The phases of complex pairs u, v must not matter to the loss."""
    return tuple(np.linalg.svd(x, full_matrices))


@svd.rule
def _svd_rule(g, y, x_shape, strict=False):
    u, s, vh = y
    m, n = x_shape[-2:]
    k = min(m, n)
    of_u, gs, of_vh = g
    gu, gv = conj(of_u), of_vh.mT
    v = adjoint(vh)
    if m > k:
        u, gu = _leading(u, gu, k)
    if n > k:
        v, gv = _leading(v, gv, k)
    core = diagonal_matrix(gs)
    if g.parts.keys() == {1}:
        return conj(u @ core @ adjoint(v))
    zero = s <= rounding(s)
    regular = are_distinct(s) and not np.any(zero)
    between = gaps(s, regular)
    if strict:
        no_equals(between)
        no_vectors_of_zeros(np.ones(s.shape, s.dtype), zero, square=m == n)
    if 1 in g.parts and not regular:
        no_vectors_of_equals(gs, between)
        no_vectors_of_zeros(gs, zero, square=m == n)
    # within their own spaces u and v turn together, over the gaps of s, and against each other, over its sums
    vh, together = adjoint(v), 1 not in g.parts
    a, b = adjoint(u) @ gu, vh @ gv
    both = over_gaps(a + b, between, pairs=True, together=together)
    sums = s[..., None, :] + s[..., :, None]
    sums = sums if regular else np.where(sums <= rounding(s)[..., None], 0, sums)
    apart = over_gaps(a - b, sums, pairs=True, together=together)
    x = u @ (core + (both + apart + adjoint(both - apart)) * 0.5)
    s = (s if regular else np.where(zero, 0, s))[..., None, :]
    if m > k:
        x = x + over_gaps(gu - u @ a, s)
    x = x @ vh
    if n > k:
        x = x + u @ adjoint(over_gaps(gv - v @ b, s))
    return conj(x)


def _leading(q, g, k):
    """The first k columns of a full orthonormal q, and their cotangent with that of the others in it.

    Of the other columns only the space that they span is a function of the matrix; it turns as the first do. A loss
    that asks how they lie in it raises.
    """
    first, others, g_first, g_others = q[..., :k], q[..., k:], g[..., :k], g[..., k:]
    if others.shape[-1]:
        over_gaps(adjoint(others) @ g_others, np.zeros((1, 1), g.dtype), pairs=True, together=True)
        g_first = g_first - others @ (adjoint(g_others) @ first)
    return first, g_first


def no_vectors_of_zeros(of_s, zero, square):
    """Raise where a loss of values and vectors needs more than one vector for the singular value 0."""
    many = np.sum(zero, axis=-1, keepdims=True) > square
    over_gaps(of_s[..., None, :], np.where(zero & many, 0, 1)[..., None, :])


@general(
    name="svdvals",
    residuals={"vectors": lambda x: svd(x, full_matrices=False, strict=True)[::2]},
    batch="stack",
    formulas=("u diag(g) v^H",),
)
def svdvals(x):
    """The singular values, also where some are equal."""
    u, s, vh = np.linalg.svd(x, full_matrices=False)
    return s, (u, vh)


@svdvals.rule
def _svdvals_rule(g, vectors):
    u, vh = vectors
    return conj(u * g[..., None, :] @ vh)


meaning(np.linalg.svdvals)(lambda x: svdvals(x))


@meaning(np.linalg.svd)
def _svd(a, full_matrices=True, compute_uv=True, hermitian=False):
    if hermitian:
        return _svd_of_hermitian(a, compute_uv)
    return SVDResult(*svd(a, full_matrices=full_matrices)) if compute_uv else svdvals(a)


def _svd_of_hermitian(a, compute_uv):
    w, v = (eigvalsh(a), None) if not compute_uv else eigh(a)
    order = np.argsort(-np.abs(w), axis=-1)
    rows = np.ix_(*map(np.arange, order.shape[:-1]), [0])[:-1]
    w = w[(*rows, order)]
    s = np.abs(w)
    if not compute_uv:
        return s
    rows = np.ix_(*map(np.arange, v.shape[:-1]), [0])[:-1]
    u = v[(*rows, order[..., None, :])]
    sign = np.where(w < 0, -1, 1).astype(s.dtype)[..., None, :]  # of 0 too: u and v stay orthonormal
    return SVDResult(u, s, adjoint(u * sign))


# ---- qr ----


@general(outputs=2, batch="stack", formulas=("(g_q + q sym(r g_r^H - g_q^H q)) r^-H",))
def qr(x, *, mode="reduced"):
    """q and r of matrices with at least as many rows as columns; of all columns r must be invertible."""
    return tuple(np.linalg.qr(x, mode))


@qr.rule
def _qr_rule(g, y):
    q, r = y
    gq, gr = map(conj, g)
    k = r.shape[-1]
    if q.shape[-1] > k:
        q, gq = _leading(q, gq, k)
        r, gr = r[..., :k, :], gr[..., :k, :]
    x = gr @ adjoint(r) - adjoint(q) @ gq
    upper = np.triu(x)
    symmetric = upper + adjoint(upper) - np.real(x) * np.eye(k, dtype=x.dtype)
    return conj(adjoint(np.linalg.solve(r, adjoint(gq + q @ symmetric))))


@meaning(np.linalg.qr)
def _qr(a, mode="reduced"):
    """Of a wide matrix q comes from its first columns, and r of the others is q^H times them."""
    if mode not in ("reduced", "complete", "r"):
        if mode == "raw":
            raise NotDifferentiableError("np.linalg.qr(mode='raw') on a Tensor: use mode='reduced' or 'complete'")
        raise ValueError(f"np.linalg.qr: mode is 'reduced', 'complete', 'r' or 'raw', not {mode!r}")
    m = a.shape[-2] if a.ndim > 1 else 0
    wide = a.ndim > 1 and a.shape[-1] > m
    q, r = qr(a[..., :m] if wide else a, mode="reduced" if mode == "r" else mode)
    if wide:
        r = concatenate(r, adjoint(q) @ a[..., m:], axis=-1)
    return r if mode == "r" else QRResult(q, r)
