"""Samples of autograd/ops/einsum.py."""

from __future__ import annotations

import numpy as np
from rows import Row, at

EINSUM = {
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
            at((2, 3, 4), (4, 3, 5), subscripts="ijk,kjl->li"),
            at((2, 3, 4), (4, 2, 3), subscripts="bij,jbi->b"),
            at((2, 3, 4), (2, 4, 5), (2, 5), subscripts="bij,bjk,bk->ib"),
            at((2, 3), (3, 4), (4, 2), (2,), subscripts="ij,jk,kl,l->i"),
        ],
    ),
    "einsum_path": Row(
        np.einsum_path,
        [((2, 3), (3, 4))],
        call=lambda f, *xs: f("ij,jk", *xs)[1],
        constant=True,
    ),
}  # fmt: skip
