"""scipy.special with derivatives: its ufuncs as they are, because they dispatch on Tensors, and our own versions of
the functions that do not."""

from __future__ import annotations

from typing import Any

import scipy.special as _scipy

from ..ops.scipy.special import (
    factorial,
    log_softmax,
    logsumexp,
    multigammaln,
    polygamma,
    softmax,
    zeta,
)

__all__ = ["factorial", "log_softmax", "logsumexp", "multigammaln", "polygamma", "softmax", "zeta"]


def __getattr__(name: str) -> Any:
    return getattr(_scipy, name)
