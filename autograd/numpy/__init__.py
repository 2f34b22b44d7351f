"""NumPy's namespace, with Tensors in and out.

Most functions dispatch on Tensors by themselves: here they are NumPy's own objects, and as fast. Those that build an
array from numbers do not; they come from `creation`, which does the same for numbers and builds from Tensors too.
"""

import numpy as _np
from numpy import *  # noqa: F403

from . import fft, linalg, random
from .creation import *  # noqa: F403

__all__ = [*_np.__all__, "fft", "linalg", "random"]


def __getattr__(name: str) -> object:
    return getattr(_np, name)


def __dir__() -> list[str]:
    return dir(_np)
