"""scipy.linalg with derivatives."""

from __future__ import annotations

from typing import Any

import scipy.linalg as _scipy

from ..ops.scipy.linalg import (
    block_diag,
    cho_factor,
    cho_solve,
    cholesky,
    cosm,
    det,
    expm,
    inv,
    logm,
    lu_factor,
    lu_solve,
    norm,
    sinm,
    solve,
    solve_banded,
    solve_continuous_lyapunov,
    solve_discrete_lyapunov,
    solve_sylvester,
    solve_triangular,
    sqrtm,
    toeplitz,
)

__all__ = [
    "block_diag",
    "cho_factor",
    "cho_solve",
    "cholesky",
    "cosm",
    "det",
    "expm",
    "inv",
    "logm",
    "lu_factor",
    "lu_solve",
    "norm",
    "sinm",
    "solve",
    "solve_banded",
    "solve_continuous_lyapunov",
    "solve_discrete_lyapunov",
    "solve_sylvester",
    "solve_triangular",
    "sqrtm",
    "toeplitz",
]


def __getattr__(name: str) -> Any:
    return getattr(_scipy, name)
