"""Linear algebra where it is hard: equal values, rank, phases; and JAX and PyTorch on the decompositions.

The rules behind the expected values are in docs/kinks.md, in the section of the same name.
"""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from autograd import NotDifferentiableError, Tensor, grad, gradcheck, hessian, jacobian, jvp, vjp
from autograd.ops.linalg import adjugate

RNG = np.random.default_rng(0)
H = RNG.standard_normal((4, 4))
Q = np.linalg.qr(RNG.standard_normal((4, 4)))[0]
A = RNG.standard_normal((4, 4))
PAIRS = (Q * [1, 1, 2, 2]) @ Q.T  # two eigenvalues, twice each
PAIRS = (PAIRS + PAIRS.T) / 2
CLOSE = {"rtol": 1e-9, "atol": 1e-10}


def adjoint(x):
    return x.conj().mT


def symmetric(x):
    return (x + x.mT) / 2


def numerical(f, x, h=1e-4):
    """The gradient of a real f by central differences of fourth order."""
    g = np.zeros_like(x)
    for k in np.ndindex(x.shape):
        e = np.zeros_like(x)
        e[k] = h
        g[k] = (8 * (f(x + e) - f(x - e)) - (f(x + 2 * e) - f(x - 2 * e))) / (12 * h)
    return g


# ---- equal values ----


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.sum(np.linalg.eigvalsh(symmetric(x)) ** 3),
        lambda x: np.sum(np.linalg.eigh(symmetric(x)).eigenvalues ** 3),
        lambda x: np.sum(np.linalg.svdvals(x) ** 3),
        lambda x: np.real(np.sum(np.linalg.eigvals(x) ** 3)),
        lambda x: np.linalg.norm(x, "nuc"),
        lambda x: np.sum(projector(np.linalg.eigh(symmetric(x)).eigenvectors[:, :2]) * H),
        lambda x: np.sum(polar(x) * H),
    ],
)
@pytest.mark.parametrize("x", [PAIRS, np.diag([1.0, 1.0, 2.0, 2.0])], ids=["dense", "diagonal"])
def test_losses_that_do_not_ask_how_the_vectors_of_equal_values_lie(f, x):
    np.testing.assert_allclose(grad(f)(x), numerical(f, x), rtol=1e-7, atol=1e-7)


def projector(v):
    return v @ adjoint(v)


def polar(x):
    u, _, vh = np.linalg.svd(x)
    return u @ vh


def rebuilt(x, f=lambda w: w):
    w, v = np.linalg.eigh(x)
    return (v * f(w)) @ adjoint(v)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.linalg.eigh(x).eigenvectors[0, 0] ** 2,
        lambda x: np.linalg.svd(x).U[0, 0] ** 2,
        lambda x: np.sum(rebuilt(x) * H),
        lambda x: np.sum(rebuilt(x, lambda w: w - 1) * H),
        lambda x: np.sum(((lambda u, s, vh: (u * s) @ vh)(*np.linalg.svd(x))) * H),
        lambda x: np.real(np.sum(((lambda w, v: (v * w) @ np.linalg.inv(v))(*np.linalg.eig(x))) * H)),
    ],
)
def test_losses_that_ask_for_single_vectors_of_equal_values_raise(f):
    with pytest.raises(NotDifferentiableError, match="single vectors"):
        grad(f)(PAIRS)


@pytest.mark.parametrize("f", [np.linalg.eigvalsh, np.linalg.svdvals, lambda x: np.real(np.linalg.eigvals(x))])
@pytest.mark.parametrize("power", [1, 2])
def test_second_derivatives_at_equal_values_raise(f, power):
    for mode in ("reverse", "forward"):
        with pytest.raises(NotDifferentiableError, match="second derivative"):
            hessian_of = jacobian(grad(lambda x: np.sum((f(x) - 1) ** power)), mode=mode)
            hessian_of(PAIRS)


def test_vectors_of_equal_values_have_no_tangent():
    with pytest.raises(NotDifferentiableError, match="single vectors"):
        jvp(lambda x: np.linalg.eigh(x).eigenvectors, PAIRS, H)
    np.testing.assert_allclose(  # the values have one, and so do vectors that turn towards others only
        np.sum(jvp(np.linalg.eigvalsh, PAIRS, H)[1]), np.trace(H), **CLOSE
    )


def test_the_leading_part_of_a_matrix_of_low_rank():
    """The zeros are equal, but not in the loss; the nearest matrix of rank 2 moves with the rest."""
    x = A[:, :2] @ A[:2]

    def truncated(x):
        u, s, vh = np.linalg.svd(x)
        return np.sum((u[:, :2] * s[:2]) @ vh[:2] * H)

    u, _, vh = np.linalg.svd(x)
    beside_u, beside_v = projector(u[:, 2:]), projector(vh[2:].T)
    np.testing.assert_allclose(grad(truncated)(x), H - beside_u @ H @ beside_v, **CLOSE)

    with pytest.raises(NotDifferentiableError, match="single vectors"):
        grad(lambda x: np.sum((lambda u, s, vh: (u * s) @ vh)(*np.linalg.svd(x)) * H))(x)


def test_one_zero_among_the_singular_values_of_a_square_matrix_is_no_obstacle():
    x = A[:, :3] @ A[:3]
    np.testing.assert_allclose(grad(lambda x: np.sum((lambda u, s, vh: (u * s) @ vh)(*np.linalg.svd(x)) * H))(x), H)
    with pytest.raises(NotDifferentiableError):
        tall = np.linalg.svd(A[:, :3])[0][:, :3] * [1.0, 2.0, 0.0]
        grad(lambda x: np.sum((lambda u, s, vh: (u * s) @ vh)(*np.linalg.svd(x, False)) * H[:, :3]))(tall)


def test_float32_tells_equal_values_by_its_own_rounding():
    x = PAIRS.astype(np.float32)
    np.testing.assert_allclose(grad(lambda x: np.sum(polar(x) * H.astype(np.float32)))(x), grad(
        lambda x: np.sum(polar(x) * H))(PAIRS), rtol=1e-3, atol=1e-4)  # fmt: skip
    with pytest.raises(NotDifferentiableError):
        grad(lambda x: np.linalg.eigh(x).eigenvectors[0, 0] ** 2)(x)


# ---- phases ----


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.real(np.linalg.eigh(x + adjoint(x)).eigenvectors[2, 1]) ** 2,
        lambda x: np.real(np.linalg.eig(x).eigenvectors[0, 1]) ** 2,
        lambda x: np.real(np.linalg.svd(x).U[0, 1]) ** 2,
        lambda x: np.real(np.linalg.svd(x).Vh[1, 2]) ** 2,
    ],
)
def test_a_loss_that_depends_on_a_phase_raises(f):
    with pytest.raises(NotDifferentiableError, match="phase"):
        grad(f)(A + 1j * H)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.linalg.eigh(x + adjoint(x)).eigenvectors,
        lambda x: np.linalg.eig(x).eigenvectors,
        lambda x: np.linalg.svd(x).U,
        lambda x: np.linalg.svd(x).Vh,
        lambda x: np.linalg.qr(x).Q,
    ],
)
def test_real_vectors_have_their_own_derivatives(f):
    """A sign does not move; the eigenvalues here are real."""
    gradcheck(f, A @ np.diag([1.0, 2.0, 3.0, 4.0]) @ np.linalg.inv(A), order=2)


def test_qr_of_complex_matrices_has_its_phases_fixed():
    gradcheck(lambda x: np.linalg.qr(x).Q, (A + 1j * H)[:, :3], order=2)
    gradcheck(lambda x: np.linalg.qr(x).R, (A + 1j * H)[:3], order=2)


# ---- rank ----


@pytest.mark.parametrize("n", [2, 5, 30])
@pytest.mark.parametrize("kind", [float, complex])
def test_adjugate_of_singular_matrices(n, kind):
    """Of rank n - 1 it has rank 1, of less it is 0; the determinant has the derivatives of a polynomial."""
    x = RNG.standard_normal((n, n)).astype(kind) / np.sqrt(n)
    if kind is complex:
        x = x + 1j * RNG.standard_normal((n, n)) / np.sqrt(n)
    u, s, vh = np.linalg.svd(x)
    s[-1] = 0
    expected = np.linalg.det(u) * np.linalg.det(vh) * np.prod(s[:-1]) * np.outer(vh[-1].conj(), u[:, -1].conj())
    singular = (u * s) @ vh
    for found in (adjugate(singular), vjp(np.linalg.det, singular)[1](np.ones((), kind)).T):
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12 * np.abs(expected).max())


def test_determinant_of_exactly_singular_matrices():
    x = np.array([[1.0, 2.0], [2.0, 4.0]])
    np.testing.assert_allclose(grad(np.linalg.det)(x), [[4, -2], [-2, 1]], **CLOSE)
    of_zeros = np.zeros((2, 2, 2, 2))
    of_zeros[0, 0, 1, 1] = of_zeros[1, 1, 0, 0] = 1
    of_zeros[0, 1, 1, 0] = of_zeros[1, 0, 0, 1] = -1
    for point in (x, np.zeros((2, 2))):
        np.testing.assert_allclose(hessian(np.linalg.det)(point), of_zeros, **CLOSE)
    third = grad(lambda x: np.sum(grad(lambda x: np.sum(grad(np.linalg.det)(x) * H[:3, :3]))(x) * H[:3, :3]))
    expected = np.zeros((3, 3))
    for k in np.ndindex(3, 3):
        e = np.zeros((3, 3))
        e[k] = 1
        # det is cubic: d3 det [h, h, e] is 6 times the coefficient of its mixed term
        expected[k] = np.linalg.det(H[:3, :3] + e) + np.linalg.det(e - H[:3, :3])
    np.testing.assert_allclose(third(np.zeros((3, 3))), expected, **CLOSE)
    stack = np.stack([x, np.eye(2), np.zeros((2, 2))])
    np.testing.assert_allclose(
        grad(lambda x: np.sum(np.linalg.det(x)))(stack), [[[4, -2], [-2, 1]], np.eye(2), np.zeros((2, 2))], **CLOSE
    )


def test_pseudo_inverse_and_least_squares_hold_the_rank():
    u, v = A[:, :2], H[:2]

    def through(f):
        return lambda u, v: f(u @ v)

    gradcheck(through(lambda x: np.linalg.pinv(x, rcond=1e-10)), u, v)
    gradcheck(through(lambda x: np.linalg.pinv(x @ x.mT, rtol=1e-10, hermitian=True)), u, v)
    gradcheck(through(lambda x: np.linalg.lstsq(x, A[0], rcond=1e-10)[0]), u, v)


def test_least_squares_gives_numpys_four_results():
    for a, b in ((A[:, :3], A[0]), (A[:, :3], A), (A[:3], A[0, :3]), (A[:, :2] @ A[:2], A[0])):
        results, expected = np.linalg.lstsq(Tensor(a, requires_grad=True), b), np.linalg.lstsq(a, b)
        assert results[2] == expected[2]
        for k in (0, 1, 3):
            found = results[k].data if isinstance(results[k], Tensor) else results[k]
            assert (found.shape, found.dtype) == (expected[k].shape, expected[k].dtype)
            np.testing.assert_allclose(found, expected[k], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("f", "x", "expected"),
    [
        (lambda x: np.linalg.norm(x, "nuc"), np.diag([2.0, 0.0]), np.diag([1.0, 0.0])),
        (lambda x: np.linalg.norm(x, "nuc"), np.zeros((2, 3)), np.zeros((2, 3))),
        (lambda x: np.linalg.norm(x, 2), np.zeros((2, 2)), np.zeros((2, 2))),
        (lambda x: np.linalg.norm(x, 2), np.diag([3.0, 3.0, 1.0]), np.diag([0.5, 0.5, 0.0])),
        (lambda x: np.linalg.norm(x, -2), np.diag([3.0, 0.0]), np.zeros((2, 2))),
        (np.linalg.norm, np.zeros((2, 2)), np.zeros((2, 2))),
        (np.linalg.cond, np.diag([1.0, 0.0]), np.zeros((2, 2))),
        (lambda x: np.linalg.cond(x, -2), np.diag([1.0, 0.0]), np.diag([0.0, 1.0])),
        (lambda x: np.sum(np.linalg.matrix_power(x, 0)), A, np.zeros((4, 4))),
    ],
)
def test_kinks(f, x, expected):
    np.testing.assert_allclose(grad(f)(x), expected, **CLOSE)
    np.testing.assert_allclose(jvp(f, x, np.ones_like(x))[1], np.sum(expected), **CLOSE)


@pytest.mark.parametrize(
    "f", [lambda x: np.sum(np.linalg.qr(x).R), lambda x: np.linalg.slogdet(x).logabsdet, lambda x: np.linalg.cond(x, 1)]
)
def test_singular_matrices_raise_where_the_derivative_is_infinite(f):
    with pytest.raises(np.linalg.LinAlgError, match="Singular"):
        grad(f)(np.ones((2, 2)))


# ---- what a call returns, and what it refuses ----


def test_results_are_numpys_named_tuples():
    x = Tensor(A + 4 * np.eye(4), requires_grad=True)
    for f in (np.linalg.eig, np.linalg.eigh, np.linalg.svd, np.linalg.qr, np.linalg.slogdet):
        assert type(f(x)) is type(f(A))
    assert np.linalg.svd(x, compute_uv=False).shape == (4,)


@pytest.mark.parametrize(
    ("error", "f"),
    [
        (ValueError, lambda x: np.linalg.norm(x, "fro", axis=0)),
        (ValueError, lambda x: np.linalg.norm(x, 3)),
        (ValueError, lambda x: np.linalg.norm(x, "no")),
        (ValueError, lambda x: np.linalg.norm(x, 2, axis=(0, 0))),
        (ValueError, lambda x: np.linalg.norm(x[None], 2)),
        (ValueError, lambda x: np.linalg.norm(x, axis=2)),
        (ValueError, lambda x: np.linalg.qr(x, "economy")),
        (ValueError, lambda x: np.linalg.eigvalsh(x, "x")),
        (ValueError, lambda x: np.linalg.eigh(x, "x")),
        (ValueError, lambda x: np.linalg.pinv(x, 1e-3, rtol=1e-3)),
        (ValueError, lambda x: np.linalg.tensorinv(x, ind=0)),
        (ValueError, lambda x: np.linalg.cross(x, x)),
        (ValueError, lambda x: np.cross(x, x)),
        (ValueError, lambda x: np.linalg.outer(x, x)),
        (ValueError, lambda x: np.vdot(x, x[0])),
        (ValueError, lambda x: np.vecdot(x, x[:, :3])),
        (ValueError, lambda x: np.einsum("ij,jk", x)),
        (ValueError, lambda x: np.einsum("ij,jk", x, x[:3])),
        (TypeError, lambda x: np.linalg.matrix_power(x, 0.5)),
        (TypeError, lambda x: np.einsum("ij->", x, dtype=np.float32)),
        (np.linalg.LinAlgError, lambda x: np.linalg.matrix_power(x[:3], 2)),
        (np.linalg.LinAlgError, lambda x: np.linalg.multi_dot([x, x[None], x])),
        (np.linalg.LinAlgError, lambda x: np.linalg.eigh(x[:3])),
        (np.linalg.LinAlgError, lambda x: np.linalg.eig(x[:3])),
        (np.linalg.LinAlgError, lambda x: np.linalg.svd(x[0])),
        (np.linalg.LinAlgError, lambda x: np.linalg.qr(x[0])),
        (np.linalg.LinAlgError, lambda x: np.linalg.cond(x[0])),
        (np.linalg.LinAlgError, lambda x: np.linalg.det(x[:3])),
        (np.linalg.LinAlgError, lambda x: np.linalg.tensorsolve(x[:3], x[0])),
    ],
)
def test_errors_are_numpys(error, f):
    for x in (A, Tensor(A, requires_grad=True)):
        with pytest.raises(error):
            f(x)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.linalg.qr(x, "raw"),
        lambda x: np.dot(x, x, out=np.zeros((4, 4))),
        lambda x: np.trace(x, out=np.zeros(())),
        lambda x: np.einsum("ij->", x, out=np.zeros(())),
        lambda x: np.linalg.multi_dot([x, x], out=np.zeros((4, 4))),
        lambda x: np.matmul(x, x, axes=[(0, 1), (0, 1), (0, 1)]),
    ],
)
def test_what_is_not_supported_raises(f):
    with pytest.raises(TypeError):
        f(Tensor(A, requires_grad=True))


def test_cholesky_reads_one_triangle():
    x = A @ A.T + np.eye(4)
    for upper in (False, True):
        one = np.triu(x) if upper else np.tril(x)
        y = np.linalg.cholesky(Tensor(one, requires_grad=True), upper=upper)
        np.testing.assert_allclose(y.data, np.linalg.cholesky(one, upper=upper), **CLOSE)
    w = np.linalg.eigvalsh(Tensor(np.triu(x), requires_grad=True), "U")
    np.testing.assert_allclose(w.data, np.linalg.eigvalsh(x), **CLOSE)


def test_cross_product_of_vectors_of_two():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        for a, b in ((A[:, :2], A[:, 2:]), (A[:, :2], A[:, 1:]), (A[:, 1:], A[0, :2])):
            np.testing.assert_allclose(np.cross(Tensor(a, requires_grad=True), b).data, np.cross(a, b))
            gradcheck(np.cross, a, b)


# ---- einsum ----


def test_einsum_in_every_spelling():
    x, y = A[:, :3], H[:3]
    expected = vjp(lambda x, y: x @ y, x, y)[1](A)
    for f in (
        lambda x, y: np.einsum("ij,jk", x, y),
        lambda x, y: np.einsum(x, [0, 1], y, [1, 2]),
        lambda x, y: np.einsum(x, [3, 1], y, [1, 7], [3, 7]),
        lambda x, y: np.einsum(x, [Ellipsis, 1], y, [1, 2], [Ellipsis, 2]),
        lambda x, y: np.einsum("ij,jk", x, y, optimize=True),
        lambda x, y: np.einsum("ij,jk", x, y, optimize="optimal", order="C"),
        lambda x, y: np.einsum("ij,jk", x, y, optimize=["einsum_path", (0, 1)]),
        lambda x, y: np.einsum("ij,jk", x, y, dtype=float),
    ):
        np.testing.assert_allclose(f(Tensor(x, requires_grad=True), Tensor(y)).data, x @ y, **CLOSE)
        for g, e in zip(vjp(f, x, y)[1](A), expected, strict=True):
            np.testing.assert_allclose(g, e, **CLOSE)


def test_einsum_computes_in_the_dtype_that_is_asked_for():
    x = Tensor(A.astype(np.float32), requires_grad=True)
    y = np.einsum("ij,ij->", x, x, dtype=float)
    assert y.dtype == float
    y.backward()
    assert x.grad.dtype == np.float32


# ---- other engines ----


def decomposed(xp, name, x):
    """A function of a decomposition that no sign and no phase changes, in the namespace of an engine."""
    if name == "eigh":
        w, v = xp.linalg.eigh((x + adjoint(x)) / 2)
        return (v * xp.cos(w)) @ adjoint(v)
    if name == "eig":
        w, v = xp.linalg.eig(x)
        return xp.abs(v) ** 2 + xp.real((v * w**2) @ xp.linalg.inv(v))
    if name == "eigvals":
        return xp.abs(xp.linalg.eigvals(x)) ** 2
    if name == "qr":
        q, r = xp.linalg.qr(x)
        return q @ (r * r)
    u, s, vh = xp.linalg.svd(x, full_matrices=False)
    return (u * xp.cos(s)) @ vh


def real_loss(xp, name, x, weights):
    return xp.sum(xp.real(decomposed(xp, name, x)) * weights)


@pytest.mark.parametrize("kind", [float, complex])
@pytest.mark.parametrize("name", ["eigh", "eig", "eigvals", "qr", "svd"])
def test_jax_and_torch_agree(name, kind):
    jax, torch = pytest.importorskip("jax"), pytest.importorskip("torch")
    jax.config.update("jax_enable_x64", True)
    rng = np.random.default_rng(1)
    x = rng.standard_normal((4, 4) if name.startswith("eig") else (6, 4)).astype(kind)
    if kind is complex:
        x = x + 1j * rng.standard_normal(x.shape)
    weights = rng.standard_normal(decomposed(np, name, x).shape)
    ours = grad(lambda x: real_loss(np, name, x, weights))(x)
    if name != "eig":  # JAX has no derivative of its vectors
        theirs = jax.grad(lambda x: real_loss(jax.numpy, name, x, jax.numpy.asarray(weights)))(x)
        np.testing.assert_allclose(ours, theirs, **CLOSE)
    t = torch.tensor(x, requires_grad=True)
    real_loss(torch, name, t, torch.tensor(weights)).backward()
    np.testing.assert_allclose(ours, t.grad.conj().resolve_conj(), **CLOSE)


@pytest.mark.parametrize(
    ("f", "shapes"),
    [
        (np.matmul, [(5, 2, 0), (0, 4)]),
        (np.matmul, [(0, 2, 3), (3, 4)]),
        (lambda x: np.linalg.vector_norm(x, axis=(2, 0)), [(2, 0, 4)]),
        (lambda x: np.linalg.vector_norm(x, axis=(1, 2)), [(2, 0, 4)]),
    ],
)
def test_products_and_norms_of_nothing(f, shapes):
    xs = [np.zeros(shape) for shape in shapes]
    y, pull = vjp(f, *xs)
    assert np.shape(y) == f(*xs).shape
    gs = pull(np.ones_like(y))
    for g, x in zip(gs if len(xs) > 1 else [gs], xs, strict=True):
        np.testing.assert_array_equal(g, np.zeros(x.shape), strict=True)
