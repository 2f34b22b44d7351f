"""What is kept of the values of a record: copies of the small ones, summaries of the others.

A record is taken at once and looked at later, so it must not refer to arrays that live on. Values are kept whole up to
a size: the largest one for which all values up to it have no more numbers together than the budget. So the same array
fares the same at each of its uses, and what does not fit can be summed up while the record is still being taken.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from typing import Any
from weakref import ref

import numpy as np

from viz.tracing.model import Summary, each_value, map_values

BUDGET = 1_000_000  # numbers in one record
THUMBNAIL = 64  # rows and columns of a thumbnail, at most
FIRST = 3  # leading elements of the first row that a summary keeps
SMALL = 64  # numbers that are always kept: a summary is no shorter


def within_budget(record: Any, budget: int = BUDGET) -> Any:
    """A copy of a record in which values are copied, or summed up where there are too many numbers.

    What is no array of numbers is not kept.
    """
    values = {id(value): value for value in each_value(record)}
    limit = _too_large(values.values(), budget)
    kept = {key: _kept(value, limit) for key, value in values.items()}
    return map_values(record, lambda value: kept[id(value)])


class Steps(list[Any]):
    """The steps of a record while it is taken: values that will not fit into the budget are summed up early.

    A large weight that is used a thousand times would otherwise hold a thousand gradients until the end.
    """

    def __init__(self, budget: int = BUDGET):
        super().__init__()
        self._budget = budget
        self._limit: float = math.inf
        self._whole: dict[int, Any] = {}  # by id
        self._numbers = 0  # in them
        self._reductions: dict[int, tuple[Any, Any]] = {}  # by id, with a weak reference: an id is used again

    def append(self, step: Any) -> None:
        """Add a step."""
        super().append(map_values(step, self._reduced))
        if self._numbers > 2 * self._budget:
            self._limit = _too_large(self._whole.values(), self._budget)
            self._whole, self._numbers = {}, 0
            self[:] = [map_values(step, self._reduced) for step in self]

    def _reduced(self, value: Any) -> Any:
        if isinstance(value, Summary):
            return value
        if np.size(value) >= self._limit:
            return self._summed_up(value)
        if id(value) not in self._whole:
            self._whole[id(value)] = value
            self._numbers += np.size(value)
        return value

    def _summed_up(self, value: Any) -> Any:
        known = self._reductions.get(id(value))
        if known is None or known[0]() is not value:
            known = self._reductions[id(value)] = ref(value), _kept(value, self._limit)
        return known[1]


def _too_large(values: Iterable[Any], budget: int) -> float:
    """The size from which on values are not kept whole."""
    numbers: Counter[int] = Counter()
    for value in values:
        if not isinstance(value, Summary):
            numbers[np.size(value)] += np.size(value)
    for size in sorted(numbers):
        budget -= numbers[size]
        if budget < 0 and size > SMALL:
            return size
    return math.inf


def _kept(value: Any, limit: float) -> Any:
    if isinstance(value, Summary):
        return value
    if np.asarray(value).dtype.kind not in "biufc":
        return None
    return np.array(value) if np.size(value) < limit else summary(np.asarray(value))


def summary(array: np.ndarray) -> Summary:
    """Statistics of the finite elements, a thumbnail, the first elements and the extremes; of |z| where complex."""
    finite = np.isfinite(array)
    unit, exponent = _scaled(array, finite)
    some = unit[finite]
    picture = _blocks(unit)
    peak = float(np.max(np.abs(picture), initial=0))
    with np.errstate(over="ignore"):  # a number beyond the largest float is inf
        real = np.abs(array.astype(np.result_type(array, complex))) if array.dtype.kind == "c" else array
        mean, norm = np.ldexp([some.mean(), np.linalg.norm(some)], exponent).tolist() if some.size else (None, None)
        scale = float(np.ldexp(peak, exponent))
    extremes = _extremes(real, finite)
    cells = sorted({*_first(array.shape), *(cell for cell, _ in extremes)})
    return Summary(
        array.shape,
        array.dtype.newbyteorder("<").str,
        extremes[0][1] if extremes else None,
        extremes[1][1] if extremes else None,
        mean,
        norm,
        int(np.sum(array == 0)),
        int(np.sum(np.isnan(array))),
        int(np.sum(np.isinf(array))),
        scale,
        np.round(picture * (127 / (peak or 1))).astype(np.int8),
        {cell: array[cell] for cell in cells},
    )


def _scaled(array: np.ndarray, finite: np.ndarray) -> tuple[np.ndarray, int]:
    """The elements by a power of 2 smaller, so that no sum overflows, and its exponent; 0 where not finite."""
    parts = [array.real, array.imag] if array.dtype.kind == "c" else [array]
    wide = [np.where(finite, part, 0).astype(np.result_type(part, float)) for part in parts]
    exponent = max(int(np.frexp(np.max(np.abs(part), initial=0))[1]) for part in wide)
    small = [np.ldexp(part, -exponent) for part in wide]
    return np.hypot(*small) if len(small) > 1 else small[0], exponent


def _first(shape: tuple[int, ...]) -> list[tuple[int, ...]]:
    """The first elements along the last axis."""
    *outer, length = shape or (1,)
    return [(*(0 for _ in outer), k)[: len(shape)] for k in range(min(FIRST, length)) if math.prod(outer)]


def _extremes(real: np.ndarray, finite: np.ndarray) -> list[tuple[tuple[int, ...], float]]:
    """Where the smallest and the largest finite element stand, and what they are."""
    if not finite.any():
        return []
    kind = int if real.dtype.kind in "biu" else float
    low, high = (real, real) if kind is int else (np.where(finite, real, np.inf), np.where(finite, real, -np.inf))
    places = [np.unravel_index(int(k), real.shape) for k in (np.argmin(low), np.argmax(high))]
    return [(tuple(map(int, place)), kind(real[place])) for place in places]


def _blocks(real: np.ndarray) -> np.ndarray:
    """The means of blocks, as a matrix of at most THUMBNAIL x THUMBNAIL."""
    matrix = real.reshape(math.prod(real.shape[:-1]), -1 if real.size else 0)
    if not matrix.size:
        return np.zeros((0, 0))
    bounds = [np.unique(np.linspace(0, n, min(n, THUMBNAIL), endpoint=False).astype(int)) for n in matrix.shape]
    sums = np.add.reduceat(np.add.reduceat(matrix, bounds[0], axis=0), bounds[1], axis=1)
    counts = np.multiply.outer(*(np.diff([*b, n]) for b, n in zip(bounds, matrix.shape, strict=True)))
    return sums / counts
