"""Samples of autograd/ops/linalg.py."""

from __future__ import annotations

import numpy as np
from rows import Row, at, grid

from .draw import ANY, MATRICES, distinct, invertible, symmetric

LINALG = {
    "inv": Row(np.linalg.inv, MATRICES, domain=[invertible]),
    "det": Row(np.linalg.det, MATRICES, domain=[invertible]),
    "slogdet": Row(np.linalg.slogdet, MATRICES, domain=[invertible]),
    "cholesky": Row(np.linalg.cholesky, MATRICES, domain=[invertible], call=symmetric),
    "solve": Row(
        np.linalg.solve,
        [
            ((3, 3), (3,)), ((3, 3), (3, 2)), ((2, 3, 3), (3, 2)), ((3, 3), (2, 3, 1)),
            ((2, 3, 3), (3,)), ((3, 3, 3), (3,)), ((3, 3), (3, 0)),
        ],
        domain=[invertible, ANY],
    ),
    "norm": Row(
        np.linalg.norm,
        [((3, 4),)],
        [
            *grid(ord=[None], axis=[None, 0, -1, (0, 1)], keepdims=[False, True]),
            *grid(ord=[1, 2, 3, 2.5, -1, -2, np.inf, -np.inf, 0], axis=[0, -1]),
            *grid(ord=["fro", 1, -1, np.inf, -np.inf], axis=[None, (1, 0)], keepdims=[False, True]),
        ],
        domain=[distinct],
        more=[
            at((2, 3, 4)), at((2, 3, 4), ord="fro", axis=(0, -1)), at((2, 3, 4), ord=1, axis=(2, 0)),
            at((4,), ord=1), at((0,)),
        ],
    ),
}  # fmt: skip
