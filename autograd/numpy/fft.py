"""numpy.fft, whose functions dispatch on Tensors."""

from numpy import fft as _own
from numpy.fft import *  # noqa: F403


def __getattr__(name: str) -> object:
    return getattr(_own, name)
