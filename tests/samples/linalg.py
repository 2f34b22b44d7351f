"""Samples of autograd/ops/linalg.py."""

from __future__ import annotations

import numpy as np
from rows import Row, at, grid

from autograd.ops import linalg

from .draw import ANY, MATRICES, invertible, packed, symmetric


def of_rank(k):
    """Matrices that have the rank k to rounding."""

    def draw(rng, shape):
        return rng.uniform(-1, 1, (*shape[:-1], k)) @ rng.uniform(-1, 1, (*shape[:-2], k, shape[-1]))

    return draw


def of_symmetric(f, x, **kwargs):
    return symmetric(lambda x: f(x, **kwargs), x)


def least_squares(f, a, b, **kwargs):
    """Without the rank, which is an integer."""
    x, residuals, _, s = f(a, b, **kwargs)
    return [x, residuals, s]


LINALG = {
    "inv": Row(np.linalg.inv, MATRICES, domain=[invertible]),
    "det": Row(
        np.linalg.det, MATRICES, domain=[invertible],
        more=[at((3, 3), domain=[of_rank(2)]), at((2, 3, 3), domain=[of_rank(1)]), at((3, 3), domain=[(0, 0)])],
    ),
    "bordered": Row(linalg.bordered, MATRICES, domain=[invertible], reference=lambda x: x + 0 * np.linalg.inv(x)),
    "slogdet": Row(np.linalg.slogdet, MATRICES, domain=[invertible]),
    "cholesky": Row(
        np.linalg.cholesky, MATRICES, domain=[invertible], call=of_symmetric, more=[at((3, 3), upper=True)]
    ),
    "pinv": Row(
        np.linalg.pinv, [((3, 3),), ((4, 3),), ((2, 3, 4),), ((0, 3),)],
        more=[at((4, 3), rtol=1e-10)],
    ),
    "lstsq": Row(
        np.linalg.lstsq,
        [((4, 3), (4,)), ((4, 3), (4, 2)), ((3, 4), (3,)), ((3, 3), (3, 2))],
        more=[at((4, 3), (4,), rcond=1e-10)],
        call=least_squares,
    ),
    "matrix_power": Row(
        np.linalg.matrix_power, [((3, 3),), ((2, 3, 3),)], grid(n=[-2, 0, 1, 2, 5]), domain=[invertible]
    ),
    "multi_dot": Row(
        np.linalg.multi_dot,
        [((2, 3), (3, 4)), ((2, 3), (3, 4), (4, 1)), ((3,), (3, 2), (2, 4), (4,)), ((2, 5), (5, 1), (1, 4), (4, 2))],
        call=packed,
    ),
    "tensorinv": Row(
        np.linalg.tensorinv, more=[at((2, 2, 4), ind=2), at((6, 2, 3), ind=1)],
    ),
    "tensorsolve": Row(np.linalg.tensorsolve, more=[at((2, 3, 6), (2, 3)), at((2, 6, 3), (6,), axes=(0,))]),
    "matrix_rank": Row(np.linalg.matrix_rank, [((3, 4),), ((2, 3, 3),)], constant=True),
    "solve": Row(
        np.linalg.solve,
        [
            ((3, 3), (3,)), ((3, 3), (3, 2)), ((2, 3, 3), (3, 2)), ((3, 3), (2, 3, 1)),
            ((2, 3, 3), (3,)), ((3, 3, 3), (3,)), ((3, 3), (3, 0)),
        ],
        domain=[invertible, ANY],
    ),
}  # fmt: skip
