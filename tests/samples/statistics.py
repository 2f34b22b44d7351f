"""Samples of autograd/ops/statistics.py."""

from __future__ import annotations

from typing import Any

import numpy as np
from rows import Row, at, grid

from .draw import ANY, AXES, POSITIVE, REDUCE, distinct
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


def weighted(f: Any, a: Any, *weights: Any, **kwargs: Any) -> Any:
    return f(a, weights=weights[0] if weights else None, **kwargs)


def counted(f: Any, weights: Any, **kwargs: Any) -> Any:
    return f(np.array([1, 4, 1, 0]), weights=weights, **kwargs)


def in_bins(f: Any, weights: Any, **kwargs: Any) -> Any:
    return f(np.array([0.3, 1.0, -0.2, 2.0, 0.7]), bins=[0.0, 0.5, 1.0, 2.0], weights=weights, **kwargs)


STATISTICS: dict[str, Row] = {
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
    "average": Row(
        np.average,
        [((3, 4),), ((3, 4), (3, 4))],
        grid(axis=[None, 0, (0, 1)], keepdims=[False, True]),
        domain=[ANY, POSITIVE],
        call=weighted,
        more=[at((2, 3, 4), (3,), axis=1), at((2, 3, 4), (4, 2), axis=(2, 0)), at((3, 4), (4,), axis=1, returned=True)],
    ),
    "trapezoid": Row(
        np.trapezoid,
        [((3, 4),)],
        grid(axis=[0, -1], dx=[0.5]),
        more=[at((3, 4), (4,)), at((3, 4), (3,), axis=0), at((3, 4), (3, 4), axis=1), at((1, 4), axis=0)],
    ),
    "cov": Row(
        np.cov,
        [((3, 5),), ((5,),), ((3, 5), (2, 5)), ((5,), (5,))],
        more=[
            at((5, 3), rowvar=False),
            at((5, 3), (5, 2), rowvar=False),
            at((3, 5), bias=True),
            at((3, 5), ddof=2),
            at((3, 5), fweights=[1, 2, 1, 3, 1], aweights=[0.5, 1.0, 2.0, 0.7, 0.3]),
            at((3, 5), fweights=[1, 2, 1, 3, 1], ddof=0),
        ],
    ),
    "corrcoef": Row(np.corrcoef, [((3, 5),), ((3, 5), (2, 5))], more=[at((5, 3), rowvar=False)]),
    "bincount": Row(np.bincount, [((4,),)], grid(minlength=[0, 8]), call=counted),
    "histogram": Row(np.histogram, [((5,),)], grid(density=[None, True]), call=in_bins, domain=[POSITIVE]),
    "histogram_bin_edges": Row(np.histogram_bin_edges, [((3, 4),)], grid(bins=[1, 4]), domain=[distinct]),
}
