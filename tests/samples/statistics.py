"""Samples of autograd/ops/statistics.py."""

from __future__ import annotations

from typing import Any

import numpy as np
from rows import Row, at, grid

from .draw import ANY, POSITIVE, distinct


def weighted(f: Any, a: Any, *weights: Any, **kwargs: Any) -> Any:
    return f(a, weights=weights[0] if weights else None, **kwargs)


def counted(f: Any, weights: Any, **kwargs: Any) -> Any:
    return f(np.array([1, 4, 1, 0]), weights=weights, **kwargs)


def in_bins(f: Any, weights: Any, **kwargs: Any) -> Any:
    return f(np.array([0.3, 1.0, -0.2, 2.0, 0.7]), bins=[0.0, 0.5, 1.0, 2.0], weights=weights, **kwargs)


STATISTICS: dict[str, Row] = {
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
