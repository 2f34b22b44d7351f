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
            ((3,), (2, 3, 4)), ((5, 2, 3), (4, 3, 2)), ((5, 2, 3), (3, 2)),
        ],
    ),
    "inner": Row(np.inner, [((3,), (3,)), ((2, 3), (4, 3)), ((2, 3), ()), ((2, 5, 3), (3,))]),
    "outer": Row(np.outer, [((3,), (4,)), ((2, 3), (4,)), ((), (3,)), ((0,), (3,))]),
    "tensordot": Row(
        np.tensordot,
        [((2, 3, 4), (3, 4, 5))],
        grid(axes=[2, ((1, 2), (0, 1)), ((-1, 1), (1, 0)), (2, 1), ([1], [0])]),
        more=[at((2, 3), (4,), axes=0), at((2, 3), (3, 4), axes=1), at((2, 3), (2, 3)), at((0, 2), (2, 3), axes=1)],
    ),
    "einsum": Row(
        np.einsum,
        call=lambda f, *xs, subscripts: f(subscripts, *xs),
        more=[
            at((2, 3), (3, 4), subscripts="ij,jk->ik"),
            at((2, 3), (3, 4), subscripts="ij,jk"),
            at((2, 3), (4, 3), subscripts="ki, ji -> jk"),
            at((2, 3), subscripts="ij->"),
            at((2, 3), subscripts="ij->j"),
            at((2, 3), subscripts="ba"),
            at((3, 3), subscripts="ii"),
            at((3, 3), subscripts="ii->i"),
            at((2, 3, 3), subscripts="...ii->...i"),
            at((3, 2, 3, 3), subscripts="iaii->a"),
            at((3, 3), (3, 3), subscripts="ii,jj->ij"),
            at((2, 3, 4), (4, 5), subscripts="...j,jk->...k"),
            at((2, 3, 4), (2, 4, 5), subscripts="...ij,...jk"),
            at((3, 4), (2, 4, 5), subscripts="...ij,...jk"),
            at((2, 1, 3), (4, 3), subscripts="...i,...i->..."),
            at((2, 3), (3, 4), (4, 2), subscripts="ij,jk,ki->"),
            at((2, 3), (3,), (2,), subscripts="ij,j,i->ij"),
            at((2, 3), (4,), subscripts="ij,k->k"),
            at((3,), (3,), subscripts="i,j->ij"),
            at((), (3,), subscripts=",i->i"),
            at((0, 3), (3, 2), subscripts="ij,jk->ik"),
            at((1, 3), (2, 3), subscripts="ij,ij->j"),
            at((2, 1), (1, 3), (2, 3), subscripts="ij,ij,ij->"),
            at((1, 1), (2, 3), subscripts="ij,ji->i"),
            at((1, 1), subscripts="ij->j"),
        ],
    ),
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
