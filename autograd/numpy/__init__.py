"""NumPy's namespace, with Tensors in and out.

Most functions dispatch on Tensors by themselves: here they are NumPy's own objects, and as fast. Those that build an
array from numbers do not; they come from `creation`, which does the same for numbers and builds from Tensors too.
"""

# mypy: disable-error-code="no-redef,assignment,misc"
# (our names stand in the place of some of NumPy's, which the star brings)

import numpy as _np

from . import fft as _fft
from . import linalg as _linalg
from . import random as _random

from numpy import *  # isort: skip  # noqa: F403
from .creation import *  # noqa: F403

fft, linalg, random = _fft, _linalg, _random  # NumPy's own came with the star

__all__ = [*_np.__all__, "fft", "linalg", "random"]


def __getattr__(name: str) -> object:
    return getattr(_np, name)


def __dir__() -> list[str]:
    return dir(_np)
