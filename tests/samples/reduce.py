"""Samples of autograd/ops/reduce.py."""

from __future__ import annotations

from typing import Any

import numpy as np
from rows import Row, Shape, at, grid

from .draw import AXES, EMPTY, REDUCE, distinct


def with_nan(draw: Any) -> Any:
    """Numbers drawn in this way, every fifth of them nan."""

    def drawn(rng: Any, shape: Shape) -> Any:
        x = draw(rng, shape)
        return np.where(np.arange(x.size).reshape(shape) % 5 == 1, np.nan, x)

    return drawn


def uniform(rng: Any, shape: Shape) -> Any:
    return rng.uniform(-2, 2, shape)


MASK = np.array([[True, False, True, True], [False, True, True, False], [True, True, False, True]])
MASKED = [at((3, 4), axis=1, where=MASK), at((3, 4), where=MASK, keepdims=True)]
BOUNDED = [at((3, 4), axis=1, where=MASK, initial=0.3), at((0, 3), axis=0, initial=-1.0)]
SPREAD = [
    at((3, 0), axis=0),
    *MASKED,
    at((3, 4), axis=0, correction=1),
    at((3, 4), axis=1, mean=np.ones((3, 1))),
    at((3, 4), axis=1, where=MASK, ddof=1),
]
NAN_AXES = grid(axis=[None, 0, (0, -1)])

REDUCTIONS = {
    "sum": Row(np.sum, REDUCE, AXES, more=[*EMPTY, *MASKED, at((3, 4), initial=2.5), at((), axis=0)]),
    "mean": Row(np.mean, REDUCE, AXES, more=[at((3, 0, 2), axis=0), at((), axis=None), *MASKED]),
    "prod": Row(np.prod, REDUCE, AXES, more=[*EMPTY, *MASKED, at((3, 4), axis=0, initial=2.5), at((), axis=0)]),
    "max": Row(
        np.max,
        REDUCE,
        AXES,
        aliases=(np.amax,),
        domain=[distinct],
        more=[at((3, 0), axis=0), at((), axis=None), *BOUNDED],
    ),
    "min": Row(
        np.min,
        REDUCE,
        AXES,
        aliases=(np.amin,),
        domain=[distinct],
        more=[at((3, 0), axis=0), at((), axis=None), *BOUNDED],
    ),
    "ptp": Row(
        np.ptp, REDUCE, grid(axis=[None, 0, (0, 1)]), domain=[distinct], more=[at((3, 4), axis=1, keepdims=True)]
    ),
    "var": Row(np.var, REDUCE, [*AXES, *grid(axis=[None, 0, (0, -1)], ddof=[1])], more=SPREAD),
    "std": Row(np.std, REDUCE, [*AXES, *grid(axis=[None, 0, (0, -1)], ddof=[1])], more=SPREAD),
    "cumsum": Row(np.cumsum, REDUCE, grid(axis=[None, 0, -1]), more=[at((0, 3), axis=0), at((), axis=None)]),
    "cumprod": Row(np.cumprod, REDUCE, grid(axis=[None, 0, -1]), more=[at((0, 3), axis=0), at((), axis=None)]),
    "nansum": Row(np.nansum, REDUCE, NAN_AXES, domain=[with_nan(uniform)], more=MASKED),
    "nanprod": Row(np.nanprod, REDUCE, NAN_AXES, domain=[with_nan(uniform)], more=MASKED),
    "nanmean": Row(np.nanmean, REDUCE, NAN_AXES, domain=[with_nan(uniform)], more=MASKED),
    "nanvar": Row(np.nanvar, REDUCE, NAN_AXES, domain=[with_nan(uniform)], more=[at((3, 4), ddof=1)]),
    "nanstd": Row(np.nanstd, REDUCE, grid(axis=[None, (0, -1)]), domain=[with_nan(uniform)], more=[at((3, 4), ddof=1)]),
    "nanmax": Row(np.nanmax, REDUCE, AXES[:4], domain=[with_nan(distinct)], more=BOUNDED[:1]),
    "nanmin": Row(np.nanmin, REDUCE, AXES[:4], domain=[with_nan(distinct)], more=BOUNDED[:1]),
    "nancumsum": Row(np.nancumsum, REDUCE, grid(axis=[None, 0]), domain=[with_nan(uniform)]),
    "nancumprod": Row(np.nancumprod, REDUCE, grid(axis=[None, 0]), domain=[with_nan(uniform)]),
}
if hasattr(np, "cumulative_sum"):  # from NumPy 2.1 on
    RUNNING = [*grid(axis=[0, -1]), {"axis": 0, "include_initial": True}]
    REDUCTIONS |= {
        "cumulative_sum": Row(np.cumulative_sum, REDUCE, RUNNING, more=[at((4,), include_initial=True)]),
        "cumulative_prod": Row(np.cumulative_prod, REDUCE, RUNNING, more=[at((4,), include_initial=True)]),
    }
