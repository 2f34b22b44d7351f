"""Samples of autograd/ops/scipy/linalg.py."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg as sl
from rows import Row, Shape, at, grid

from autograd.ops.scipy import linalg

from .draw import ANY, invertible


def positive(rng: Any, shape: Shape) -> Any:
    """Near a positive definite matrix: far from the cut of square root and logarithm."""
    return rng.uniform(-0.4, 0.4, shape) + 2 * np.eye(*shape[-2:])


def bands(rng: Any, shape: Shape) -> Any:
    """Diagonals of a matrix with a large one among them."""
    x = rng.uniform(-1, 1, shape)
    x[1] += 4
    return x


SQUARE = [((3, 3),), ((1, 1),)]

SCIPY_LINALG = {
    "solve_triangular": Row(
        linalg.triangular,
        [((3, 3), (3,))],
        grid(trans=[False, True], lower=[False, True]),
        domain=[invertible, ANY],
        reference=sl.solve_triangular,
        more=[at((3, 3), (3, 2), unit_diagonal=True, lower=True), at((3, 3), (3, 2), unit_diagonal=True, trans=True)],
    ),
    "solve_sylvester": Row(
        linalg.solve_sylvester,
        [((3, 3), (2, 2), (3, 2))],
        domain=[positive, positive, ANY],
        reference=linalg.in_double(sl.solve_sylvester),
    ),
    "solve_banded": Row(
        linalg.banded,
        domain=[bands, ANY],
        reference=lambda ab, b, lower, upper: sl.solve_banded((lower, upper), ab, b),
        more=[
            at((3, 4), (4,), lower=1, upper=1),
            at((4, 5), (5, 2), lower=2, upper=1),
            at((4, 2), (2,), lower=2, upper=1),
        ],
    ),
    "expm": Row(linalg.expm, [*SQUARE, ((2, 3, 3),)], reference=linalg.in_double(sl.expm)),
    "logm": Row(linalg.logm, SQUARE, domain=[positive], reference=linalg.in_double(sl.logm)),
    "sinm": Row(linalg.sinm, SQUARE, reference=linalg.in_double(sl.sinm)),
    "cosm": Row(linalg.cosm, SQUARE, reference=linalg.in_double(sl.cosm)),
    "sqrtm": Row(linalg.sqrtm, SQUARE, domain=[positive], reference=linalg.in_double(sl.sqrtm)),
    "lu_factor": Row(
        linalg.lu_compact, [((3, 3),), ((4, 4),), ((1, 1),)], domain=[ANY], reference=lambda x: sl.lu_factor(x)[0]
    ),
}
