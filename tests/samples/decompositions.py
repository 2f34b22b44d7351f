"""Samples of autograd/ops/decompositions.py: of the vectors, what does not depend on their signs and phases."""

from __future__ import annotations

import numpy as np
from rows import Row, at, grid

from autograd.ops import decompositions

from .draw import ANY, invertible, nonzero, symmetric

SQUARE = [((3, 3),), ((2, 3, 3),), ((1, 1),), ((0, 3, 3),)]
ALL = [((3, 3),), ((4, 3),), ((2, 3, 4),), ((0, 3),), ((2, 1),)]


def adjoint(x):
    return np.conj(x).mT


def times(v, s):
    return v * np.cos(s)[..., None, :]


def of_symmetric(f, x, **kwargs):
    w, v = symmetric(lambda x: f(x, **kwargs), x)
    return [w, times(v, w) @ adjoint(v)]


def of_square(f, x):
    w, v = f(x)
    return [w, times(v, w) @ np.linalg.inv(v), np.abs(v) ** 2]


def of_any(f, x, full_matrices=False, hermitian=False):
    u, s, vh = f((x + adjoint(x)) / 2 if hermitian else x, full_matrices=full_matrices, hermitian=hermitian)
    k = s.shape[-1]
    beside = [u[..., k:] @ adjoint(u[..., k:]), adjoint(vh[..., k:, :]) @ vh[..., k:, :]]
    inside = [times(u[..., :k], s) @ vh[..., :k, :], np.abs(u[..., :k]) ** 2, np.abs(vh[..., :k, :]) ** 2]
    return [s, *inside, *(beside if full_matrices else [])]


def of_qr(f, x, mode):
    if mode == "r":
        return f(x, mode=mode)
    q, r = f(x, mode=mode)
    k = x.shape[-2] if x.shape[-2] < x.shape[-1] else x.shape[-1]
    return [q[..., :k], r, q[..., k:] @ adjoint(q[..., k:])]


DECOMPOSITIONS = {
    "over_gaps": Row(
        decompositions.over_gaps,
        more=[
            at((2, 3), (3,)),
            at((3, 3), (3, 3), pairs=True),
            at((3, 3), (1, 3), pairs=True, together=True),
        ],
        domain=[ANY, nonzero],
        reference=lambda c, gaps, **kwargs: c / gaps,
    ),
    "eigh": Row(np.linalg.eigh, SQUARE, grid(UPLO=["L"]), more=[at((3, 3), UPLO="U")], call=of_symmetric),
    "eigvalsh": Row(np.linalg.eigvalsh, SQUARE, call=symmetric),
    "eig": Row(np.linalg.eig, [((3, 3),), ((2, 4, 4),), ((1, 1),), ((0, 3, 3),)], call=of_square),
    "eigvals": Row(np.linalg.eigvals, [((3, 3),), ((2, 4, 4),), ((1, 1),), ((0, 3, 3),)]),
    "svd": Row(
        np.linalg.svd, ALL, grid(full_matrices=[False, True]), call=of_any,
        more=[at((3, 3), hermitian=True, domain=[invertible]), at((2, 3, 3), hermitian=True)],
    ),
    "svdvals": Row(np.linalg.svdvals, ALL),
    "qr": Row(np.linalg.qr, ALL, grid(mode=["reduced", "complete", "r"]), call=of_qr),
}  # fmt: skip
