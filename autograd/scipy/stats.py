"""scipy.stats with derivatives. Each distribution can also be imported like a module, as in HIPS autograd:
`import autograd.scipy.stats.norm as norm`."""

from __future__ import annotations

import sys
from typing import Any

import scipy.stats as _scipy

from ..ops.scipy import stats as _ours

__all__ = [
    "bernoulli", "beta", "binom", "cauchy", "chi2", "dirichlet", "expon", "gamma", "laplace", "logistic", "lognorm",
    "multivariate_normal", "norm", "poisson", "t", "uniform",
]  # fmt: skip
for _name in __all__:
    globals()[_name] = sys.modules[f"{__name__}.{_name}"] = getattr(_ours, _name)


def __getattr__(name: str) -> Any:
    return getattr(_scipy, name)
