"""Samples of autograd/ops/reduce.py."""

from __future__ import annotations

import numpy as np
from rows import Row, at, grid

from .draw import AXES, EMPTY, REDUCE, distinct

REDUCTIONS = {
    "sum": Row(np.sum, REDUCE, AXES, more=EMPTY),
    "mean": Row(np.mean, REDUCE, AXES, more=[at((3, 0, 2), axis=0), at((), axis=None)]),
    "prod": Row(np.prod, REDUCE, AXES, more=EMPTY),
    "max": Row(
        np.max, REDUCE, AXES, aliases=(np.amax,), domain=[distinct], more=[at((3, 0), axis=0), at((), axis=None)]
    ),
    "min": Row(
        np.min, REDUCE, AXES, aliases=(np.amin,), domain=[distinct], more=[at((3, 0), axis=0), at((), axis=None)]
    ),
    "var": Row(np.var, REDUCE, [*AXES, *grid(axis=[None, 0, (0, -1)], ddof=[1])], more=[at((3, 0), axis=0)]),
    "std": Row(np.std, REDUCE, [*AXES, *grid(axis=[None, 0, (0, -1)], ddof=[1])], more=[at((3, 0), axis=0)]),
    "cumsum": Row(np.cumsum, REDUCE, grid(axis=[None, 0, -1]), more=[at((0, 3), axis=0), at((), axis=None)]),
    "cumprod": Row(np.cumprod, REDUCE, grid(axis=[None, 0, -1]), more=[at((0, 3), axis=0), at((), axis=None)]),
}
