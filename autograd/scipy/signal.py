"""scipy.signal with derivatives; `convolve` takes HIPS autograd's axes= and dot_axes= too."""

from __future__ import annotations

from typing import Any

import scipy.signal as _scipy

from ..ops.scipy.signal import convolve, correlate, fftconvolve

__all__ = ["convolve", "correlate", "fftconvolve"]


def __getattr__(name: str) -> Any:
    return getattr(_scipy, name)
