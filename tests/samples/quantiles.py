"""Samples of autograd/ops/quantiles.py."""

from __future__ import annotations

from typing import Any

import numpy as np
from rows import Row, at, grid

from .draw import AXES, REDUCE, distinct
from .reduce import with_nan

METHODS = [
    "lower",
    "higher",
    "midpoint",
    "nearest",
    "inverted_cdf",
    "averaged_inverted_cdf",
    "closest_observation",
    "interpolated_inverted_cdf",
    "hazen",
    "weibull",
    "median_unbiased",
    "normal_unbiased",
]
QUANTILES = [
    *grid(q=[0.3], axis=[None, (0, -1)], keepdims=[False, True]),
    {"q": [[0.0, 0.45], [0.7, 1.0]], "axis": 0},
]
OF_Q = [at((3, 4), (2,), axis=1, domain=[distinct, (0.37, 0.6)])]
WEIGHTED = [at((3, 4), q=0.4, axis=1, method="inverted_cdf", weights=np.arange(1.0, 13).reshape(3, 4))]


def in_percent(grids: Any) -> Any:
    return [{**kwargs, "q": (100 * np.array(kwargs["q"])).tolist()} for kwargs in grids]


QUANTILE_ROWS: dict[str, Row] = {
    "median": Row(np.median, REDUCE, AXES, domain=[distinct], more=[at((5,)), at((), axis=None)]),
    "nanmedian": Row(np.nanmedian, REDUCE, AXES[:4], domain=[with_nan(distinct)]),
    "quantile": Row(
        np.quantile,
        REDUCE,
        QUANTILES,
        domain=[distinct],
        more=[*(at((7,), q=[0.2, 0.51], method=m) for m in METHODS), *OF_Q, *WEIGHTED],
    ),
    "percentile": Row(np.percentile, REDUCE, in_percent(QUANTILES), domain=[distinct]),
    "nanquantile": Row(np.nanquantile, REDUCE, QUANTILES, domain=[with_nan(distinct)], more=WEIGHTED),
    "nanpercentile": Row(np.nanpercentile, REDUCE, in_percent(QUANTILES[:1]), domain=[with_nan(distinct)]),
}
