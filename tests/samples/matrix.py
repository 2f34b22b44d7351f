"""Samples of autograd/ops/matrix.py."""

from __future__ import annotations

import numpy as np
from rows import Row, at, grid

from autograd.ops import matrix

MATRIX = {
    "matmul": Row(
        np.matmul,
        [
            ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 4)), ((2, 3), (3, 4)), ((5, 2, 3), (3, 4)), ((2, 3), (5, 3, 4)),
            ((2, 1, 2, 3), (3, 3, 4)), ((3,), (5, 3, 4)), ((5, 2, 3), (3,)),
            ((2, 0), (0, 3)), ((0, 3), (3, 2)), ((0,), (0,)),
        ],
        aliases=(np.linalg.matmul,),
    ),
    "affine": Row(
        matrix.affine,
        [((2, 3), (3, 4), (4,)), ((3,), (3, 4), (4,)), ((5, 2, 3), (3, 4), (4,)), ((0, 3), (3, 2), (2,))],
        reference=lambda x, W, b: x @ W + b,
    ),
    "dot": Row(
        np.dot,
        [
            ((3,), (3,)), ((), (3,)), ((2, 3), ()), ((2, 3), (3,)), ((2, 3), (3, 4)),
            ((3,), (2, 3, 4)), ((5, 2, 3), (4, 3, 2)), ((5, 2, 3), (3, 2)), ((5, 2, 3), (3,)),
        ],
    ),
    "inner": Row(np.inner, [((3,), (3,)), ((2, 3), (4, 3)), ((2, 3), ()), ((2, 5, 3), (3,))]),
    "outer": Row(np.outer, [((3,), (4,)), ((2, 3), (4,)), ((), (3,)), ((0,), (3,))]),
    "tensordot": Row(
        np.tensordot,
        [((2, 3, 4), (3, 4, 5))],
        grid(axes=[2, ((1, 2), (0, 1)), ((-1, 1), (1, 0)), (2, 1), ([1], [0])]),
        more=[at((2, 3), (4,), axes=0), at((2, 3), (3, 4), axes=1), at((2, 3), (2, 3)), at((0, 2), (2, 3), axes=1)],
        aliases=(np.linalg.tensordot,),
    ),
    "vdot": Row(np.vdot, [((3,), (3,)), ((2, 3), (3, 2)), ((), (1,)), ((0,), (0,))]),
    "vecdot": Row(
        np.vecdot,
        [((3,), (3,)), ((2, 3), (3,)), ((2, 1, 3), (4, 3)), ((2, 0), (0,))],
        more=[at((3, 2), (4, 3, 2), axis=-2), at((3, 2), (3, 1), axis=0, keepdims=True)],
        aliases=(np.linalg.vecdot,),
    ),
    **(
        {
            "matvec": Row(np.matvec, [((2, 3), (3,)), ((5, 2, 3), (3,)), ((2, 3), (5, 3)), ((4, 1, 2, 3), (5, 3))]),
            "vecmat": Row(np.vecmat, [((2,), (2, 3)), ((5, 2), (2, 3)), ((2,), (5, 2, 3)), ((4, 1, 2), (5, 2, 3))]),
        }
        if hasattr(np, "matvec")  # NumPy 2.2
        else {}
    ),
    "kron": Row(
        np.kron,
        [((2, 3), (3, 2)), ((3,), (2, 2)), ((2, 1, 2), (3,)), ((), (2,)), ((), ()), ((2, 0), (2, 2))],
    ),
    "cross": Row(
        np.cross,
        [((3,), (3,)), ((2, 3), (3,)), ((2, 1, 3), (4, 3)), ((0, 3), (3,))],
        more=[
            at((3, 2), (2, 3), axisa=0, axisc=0), at((2, 3), (3, 4, 2), axisa=1, axisb=0), at((3, 2), (3, 1), axis=0),
        ],
    ),
    "linalg_cross": Row(np.linalg.cross, more=[at((2, 3), (3,)), at((3, 2), (3, 2), axis=0)]),
    "linalg_outer": Row(np.linalg.outer, [((3,), (4,))]),
    "linalg_diagonal": Row(np.linalg.diagonal, more=[at((2, 3, 4), offset=1), at((3, 3))]),
    "linalg_trace": Row(np.linalg.trace, more=[at((2, 3, 4), offset=1), at((3, 3))]),
    "linalg_matrix_transpose": Row(np.linalg.matrix_transpose, [((2, 3, 4),)]),
    "diagonal": Row(
        np.diagonal,
        [((3, 4),), ((2, 3, 4),)],
        grid(offset=[0, 1, -2]),
        more=[at((2, 3, 4), offset=0, axis1=2, axis2=-2), at((3, 2), offset=7)],
    ),
    "trace": Row(
        np.trace,
        [((3, 4),), ((2, 3, 4),)],
        grid(offset=[0, 1, -2]),
        more=[at((2, 3, 4), axis1=-1, axis2=1), at((3, 2), offset=7)],
    ),
    "diag": Row(np.diag, [((3, 4),), ((3,),), ((0,),)], grid(k=[0, 1, -2])),
    "diagflat": Row(np.diagflat, [((2, 2),), ((3,),), ((),)], grid(k=[0, -2])),
    "tril": Row(np.tril, [((3, 4),), ((2, 3, 3),)], grid(k=[0, 1, -1])),
    "triu": Row(np.triu, [((3, 4),), ((2, 3, 3),)], grid(k=[0, 1, -1])),
}  # fmt: skip
