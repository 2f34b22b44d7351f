"""Samples of autograd/ops/norms.py."""

from __future__ import annotations

import numpy as np
from rows import Row, at, grid

from .draw import MATRICES, distinct, invertible

NORMS = {
    "cond": Row(
        np.linalg.cond,
        MATRICES[:2],
        grid(p=[None, 2, -2, 1, -1, np.inf, -np.inf, "fro", "nuc"]),
        domain=[invertible],
        call=lambda f, x, p: f(x, p).real,  # in NumPy 2.0 that of a complex matrix is complex
    ),
    "matrix_norm": Row(
        np.linalg.matrix_norm, [((2, 3, 4),)], [{}, *grid(ord=["nuc", 2, 1], keepdims=[True])], domain=[distinct]
    ),
    "vector_norm": Row(
        np.linalg.vector_norm,
        [((2, 3, 4),)],
        [{}, *grid(ord=[2, 3, np.inf], axis=[(2, 0)], keepdims=[False, True])],
        domain=[distinct],
    ),
    "norm": Row(
        np.linalg.norm,
        [((3, 4),)],
        [
            *grid(ord=[None], axis=[None, 0, -1, (0, 1)], keepdims=[False, True]),
            *grid(ord=[1, 2, 3, 2.5, -1, -2, np.inf, -np.inf, 0], axis=[0, -1]),
            *grid(ord=["fro", "nuc", 2, -2, 1, -1, np.inf, -np.inf], axis=[None, (1, 0)], keepdims=[False, True]),
        ],
        domain=[distinct],
        more=[
            at((2, 3, 4)),
            at((2, 3, 4), ord="fro", axis=(0, -1)),
            at((2, 3, 4), ord=1, axis=(2, 0)),
            at((2, 3, 4), ord=2, axis=(2, 0), keepdims=True),
            at((2, 3, 4), ord="nuc", axis=(-1, 0)),
            at((4,), ord=1),
            at((0,)),
        ],
    ),
}
