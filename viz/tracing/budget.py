"""What is kept of the values of a record: copies of the small ones, summaries of the others.

A record is taken at once and looked at later, so it must not refer to arrays that live on. The smallest arrays are kept
whole as long as they fit into the budget together; of each larger one there is a `Summary`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from viz.tracing.model import Summary, each_value, map_values

BUDGET = 1_000_000  # numbers in one record
THUMBNAIL = 64  # rows and columns of a thumbnail, at most
FIRST = 3  # leading elements of the first row that a summary keeps


def within_budget(record: Any, budget: int = BUDGET) -> Any:
    """A copy of a record in which values are copied, or summed up where there are too many numbers."""
    arrays = {id(value): value for value in each_value(record)}
    kept: dict[int, Any] = {}
    for key, value in sorted(
        arrays.items(), key=lambda item: np.size(item[1]) if not isinstance(item[1], Summary) else 0
    ):
        if isinstance(value, Summary):
            kept[key] = value
            continue
        budget -= np.size(value)
        kept[key] = np.array(value) if budget >= 0 else summary(np.asarray(value))
    return map_values(record, lambda value: kept[id(value)])


def summary(array: np.ndarray) -> Summary:
    """Exact statistics of the finite elements, a thumbnail, the first elements and the extremes."""
    real = np.abs(array) if array.dtype.kind == "c" else array.astype(float) if array.dtype.kind in "biuf" else None
    if real is None:
        raise TypeError(f"no summary of an array of dtype {array.dtype}")
    finite = np.isfinite(real)
    good = real[finite]
    smallest, largest, mean, norm = (
        [float(f(good)) for f in (np.min, np.max, np.mean, np.linalg.norm)] if good.size else [None] * 4
    )
    picture = _blocks(np.where(finite, real, 0.0))
    scale = float(np.max(np.abs(picture), initial=0.0))
    return Summary(
        array.shape,
        array.dtype.str,
        smallest,
        largest,
        mean,
        norm,
        int(np.sum(real == 0)),
        int(np.sum(np.isnan(real))),
        int(np.sum(np.isinf(real))),
        scale,
        np.round(picture * (127 / scale)).astype(np.int8) if scale else np.zeros(picture.shape, np.int8),
        {cell: array[cell] for cell in _cells(array, np.where(finite, real, np.nan))},
    )


def _cells(array: np.ndarray, real: np.ndarray) -> list[tuple[int, ...]]:
    """The first elements along the last axis, and where the smallest and the largest stand."""
    if not array.size:
        return []
    first = (0,) * (array.ndim - 1)
    found: list[Any] = [(*first, k) for k in range(min(FIRST, array.shape[-1]))] if array.ndim else [()]
    if not np.all(np.isnan(real)):
        found += [np.unravel_index(int(f(real)), array.shape) for f in (np.nanargmin, np.nanargmax)]
    return sorted({tuple(int(k) for k in cell) for cell in found})


def _blocks(real: np.ndarray) -> np.ndarray:
    """The means of blocks, as a matrix of at most THUMBNAIL x THUMBNAIL."""
    matrix = real.reshape(-1, real.shape[-1]) if real.ndim > 1 else real.reshape(1, -1)
    if not matrix.size:
        return np.zeros((0, 0))
    bounds = [np.unique(np.linspace(0, n, min(n, THUMBNAIL), endpoint=False).astype(int)) for n in matrix.shape]
    sums = np.add.reduceat(np.add.reduceat(matrix, bounds[0], axis=0), bounds[1], axis=1)
    counts = np.multiply.outer(*(np.diff([*b, n]) for b, n in zip(bounds, matrix.shape, strict=True)))
    return sums / counts
