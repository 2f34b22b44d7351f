"""scipy.interpolate with derivatives."""

from __future__ import annotations

from typing import Any

import scipy.interpolate as _scipy

from ..ops.scipy.interpolate import (
    Akima1DInterpolator,
    CubicSpline,
    PchipInterpolator,
    interp1d,
    make_interp_spline,
)

__all__ = ["Akima1DInterpolator", "CubicSpline", "PchipInterpolator", "interp1d", "make_interp_spline"]


def __getattr__(name: str) -> Any:
    return getattr(_scipy, name)
