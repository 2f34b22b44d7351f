"""What a rule costs in the engine: backward of fft, linalg and einsum beside the same rule written out in NumPy.

The forward pass is done before the clock starts, on both sides. By hand means: the arrays at hand, the rule, nothing
else, no graph, no checks. The difference is what the engine adds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from benchmarks.measure import Case
from benchmarks.race import Race

Arrays = list[np.ndarray]


@dataclass(frozen=True)
class Operation:
    """An operation on arrays drawn by `draw(rng)`; `rule(g, y, *xs)` gives the gradients of xs by hand."""

    forward: Callable[..., Any]
    draw: Callable[[Any], Arrays]
    rule: Callable[..., Arrays]


def normal(*shapes: tuple[int, ...]) -> Callable[[Any], Arrays]:
    return lambda rng: [rng.standard_normal(shape) for shape in shapes]


def well_conditioned(rng: Any) -> Arrays:
    return [rng.standard_normal((100, 100)) / 10 + 2 * np.eye(100)]


def positive_definite(rng: Any) -> Arrays:
    (a,) = well_conditioned(rng)
    return [a @ a.T]


def tall(rng: Any) -> Arrays:
    return [rng.standard_normal((120, 80))]


def rfft_rule(g: np.ndarray, y: np.ndarray, x: np.ndarray) -> Arrays:
    """The real part of the transform of g padded with zeros, by an inverse transform of half the length."""
    half = np.conj(g) * (0.5 * x.size)
    half[[0, -1]] *= 2
    return [np.fft.irfft(half, x.size)]


def solve_rule(g: np.ndarray, y: np.ndarray, a: np.ndarray, b: np.ndarray) -> Arrays:
    gb = np.linalg.solve(a.T, g)
    return [-gb @ y.T, gb]


def cholesky_rule(g: np.ndarray, y: np.ndarray, x: np.ndarray) -> Arrays:
    phi = np.tril(y.T @ g)
    phi[np.diag_indices_from(phi)] *= 0.5
    inverse = np.linalg.inv(y)
    s = inverse.T @ phi @ inverse
    return [(s + s.T) * 0.5]


def symmetric(rng: Any) -> Arrays:
    a = rng.standard_normal((100, 100))
    return [a + a.T]


def over_gaps(c: np.ndarray, s: np.ndarray) -> np.ndarray:
    """c[i, j] / (s[j] - s[i]), and 0 on the diagonal."""
    gaps = s - s[:, None]
    np.fill_diagonal(gaps, np.inf)
    return c / gaps


def eigh_rule(g: Arrays, y: Any, x: np.ndarray) -> Arrays:
    w, v = y
    core = over_gaps(v.T @ g[1], w)
    core[np.diag_indices_from(core)] += g[0]
    x = v @ core @ v.T
    return [(x + x.T) * 0.5]


def svd_rule(g: Arrays, y: Any, x: np.ndarray) -> Arrays:
    u, s, vh = y
    gu, gs, gvh = g
    a, b, squares = u.T @ gu, vh @ gvh.T, s * s
    core = over_gaps(a - a.T, squares) * s + s[:, None] * over_gaps(b - b.T, squares)
    core[np.diag_indices_from(core)] += gs
    return [u @ core @ vh + (gu - u @ a) / s @ vh]


def qr_rule(g: Arrays, y: Any, x: np.ndarray) -> Arrays:
    q, r = y
    upper = np.triu(g[1] @ r.T - q.T @ g[0])
    diagonal = np.diag(upper).copy()
    symmetric = upper + upper.T
    symmetric[np.diag_indices_from(symmetric)] = diagonal
    return [np.linalg.solve(r, (g[0] + q @ symmetric).T).T]


def pinv_rule(g: np.ndarray, y: np.ndarray, x: np.ndarray) -> Arrays:
    z = g.T @ (y @ y.T)
    w = (y.T @ y) @ g.T
    return [(z - x @ (y @ z)) + (w - (w @ y) @ x) - y.T @ g @ y.T]


def product(subscripts: str, *xs: np.ndarray) -> np.ndarray:
    """The fastest that np.einsum offers: with BLAS where it finds a product of matrices."""
    return np.einsum(subscripts, *xs, optimize=True)


OPERATIONS = {
    "fft": Operation(
        np.fft.fft,
        lambda rng: [rng.standard_normal(2**16) + 1j * rng.standard_normal(2**16)],
        lambda g, y, x: [np.fft.fft(g)],
    ),
    "rfft": Operation(np.fft.rfft, normal((2**16,)), rfft_rule),
    "fft2": Operation(
        np.fft.fft2, lambda rng: [rng.standard_normal((256, 256)) * (1 + 1j)], lambda g, y, x: [np.fft.fft2(g)]
    ),
    "inv": Operation(np.linalg.inv, well_conditioned, lambda g, y, x: [-(y.T @ g @ y.T)]),
    "solve": Operation(
        np.linalg.solve, lambda rng: [*well_conditioned(rng), rng.standard_normal((100, 20))], solve_rule
    ),
    "cholesky": Operation(np.linalg.cholesky, positive_definite, cholesky_rule),
    "det": Operation(
        np.linalg.det, lambda rng: [well_conditioned(rng)[0] / 2], lambda g, y, x: [g * y * np.linalg.inv(x).T]
    ),
    "eigh": Operation(np.linalg.eigh, symmetric, eigh_rule),
    "svd": Operation(partial(np.linalg.svd, full_matrices=False), tall, svd_rule),
    "qr": Operation(np.linalg.qr, tall, qr_rule),
    "pinv": Operation(np.linalg.pinv, tall, pinv_rule),
    "einsum:ij,jk->ik": Operation(
        partial(np.einsum, "ij,jk->ik"),
        normal((100, 80), (80, 120)),
        lambda g, y, a, b: [product("ik,jk->ij", g, b), product("ik,ij->jk", g, a)],
    ),
    "einsum:bij,bjk->bik": Operation(
        partial(np.einsum, "bij,bjk->bik"),
        normal((16, 30, 40), (16, 40, 20)),
        lambda g, y, a, b: [product("bik,bjk->bij", g, b), product("bik,bij->bjk", g, a)],
    ),
    "einsum:ijk,jil->kl": Operation(
        partial(np.einsum, "ijk,jil->kl"),
        normal((20, 30, 10), (30, 20, 15)),
        lambda g, y, a, b: [product("kl,jil->ijk", g, b), product("kl,ijk->jil", g, a)],
    ),
}


def prepared(operation: str) -> tuple[Operation, Arrays, Any, Any]:
    """The operation, its inputs, its result and a cotangent; a tuple of them where there are several results."""
    op, rng = OPERATIONS[operation], np.random.default_rng(0)
    xs = op.draw(rng)
    y = op.forward(*xs)
    if isinstance(y, tuple):
        return op, xs, y, tuple(rng.standard_normal(part.shape) for part in y)
    return op, xs, y, np.asarray(rng.standard_normal(y.shape)).astype(y.dtype)


def seegrad(operation: str) -> Case:
    from autograd import Tensor, gradients, vjp

    op, xs, _, g = prepared(operation)
    if isinstance(g, tuple):
        (x,) = xs
        _, pull = vjp(lambda x: tuple(op.forward(x)), x)
        return Case(lambda: pull(g), lambda result: [result])
    leaves = [Tensor(x, requires_grad=True) for x in xs]
    y = op.forward(*leaves)
    return Case(lambda: gradients(y, leaves, grad=g, retain_graph=True), lambda result: result)


def by_hand(operation: str) -> Case:
    op, xs, y, g = prepared(operation)
    return Case(lambda: op.rule(g, y, *xs), lambda result: result)


RACES = [
    Race(
        f"rule:{name}",
        f"backward of {name}, beside its rule in NumPy",
        {"seegrad": seegrad, "NumPy by hand": by_hand},
        {"operation": name},
        bounds={"NumPy by hand": 1.3},
    )
    for name in OPERATIONS
]
