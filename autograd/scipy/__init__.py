"""SciPy's functions with derivatives, under SciPy's names: `from autograd.scipy import special, stats, linalg`.

Thin namespaces over `autograd.ops.scipy`; what is not there is SciPy's own function, which refuses recorded Tensors.
"""

from ..ops import scipy as _rules  # noqa: F401 - first, because it says what to do where SciPy is missing
from . import integrate, interpolate, linalg, signal, special, stats

__all__ = ["integrate", "interpolate", "linalg", "signal", "special", "stats"]
