"""Samples of autograd/ops/scipy/signal.py and interpolate.py."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.interpolate
import scipy.signal as ss
from rows import Row, at, grid

from autograd.ops.scipy import interpolate, signal

from .draw import UNIT


def plain_convolution(a: Any, b: Any, fft: Any = None) -> Any:
    """By a loop over the kept and summed axes."""
    dtype = np.result_type(a, b)
    a, b = (v.astype(np.result_type(v, np.float64)) for v in (a, b))
    return np.stack([np.stack([sum(map(ss.convolve, x, w)) for w in b]) for x in a]).astype(dtype)


def plain_spline(x: Any, curve: Any, order: int = 0) -> Any:
    if np.iscomplexobj(x):
        raise TypeError("real numbers only")
    return np.asarray(curve(x, order))[()]


CURVE = scipy.interpolate.make_interp_spline(np.linspace(-1, 1, 9), np.cos(3 * np.linspace(-1, 1, 9)), k=5)

SCIPY_SIGNAL = {
    "signal.convolve": Row(
        signal.full_convolution,
        [((2, 3, 5), (4, 3, 2)), ((1, 2, 3, 4), (2, 2, 2, 3))],
        grid(fft=[None, True]),
        reference=plain_convolution,
        more=[at((2, 1, 3), (1, 1, 5))],
    ),
    "spline": Row(
        interpolate.spline,
        [((2, 3),), ((),), ((0,),)],
        [{"curve": CURVE}],
        domain=[UNIT],
        reference=plain_spline,
        more=[at((3,), curve=CURVE, order=1)],
    ),
}
