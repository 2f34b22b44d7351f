"""Which terms make one element of a contribution: the one place that answers it, for every view.

`terms` looks in three places, in this order, and the player does the same in JavaScript:

(a) `local` is known: the rule multiplies g by it, element by element. With `axes` empty the element is one term,
    g[cell] * local[cell]; else there is one for each position along `axes`, in C order, which are the axes of g that
    the sum at the end removes or shrinks to 1. Leading axes of g that the input lacks count as such.
(b) The text of the rule is `A @ B` with nothing around it, A and B each a name or `transpose(name)`, and `names` has
    both as whole arrays of two axes: element [i, j] is the sum over k of A[i, k] * B[k, j]. The labels point into the
    named arrays as they are kept: element [i, k] of transpose(x) is x[k, i].
(c) There is a `Probe` of this cell.

Where `local` is smaller than g it is broadcast to it first. A product 0 * inf counts as
0 if the element is finite, as in the backward pass (a branch that was not taken). Where the input is real only the real
part of a product counts. Products must add up to the recorded element, within the square root of the coarsest precision
of the three dtypes times the sum of their sizes, or they are no answer: a text, for example that of a user's own rule,
may promise what the rule does not do.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from viz.tracing.model import Contribution, Probe, Summary

Cell = tuple[int, ...]
OPERAND = r"(transpose\((\w+)\)|\w+)"
PRODUCT = re.compile(rf"{OPERAND} @ {OPERAND}")
LOCAL = "local"  # the label of a factor that is a local derivative


@dataclass(frozen=True, slots=True, eq=False)
class Terms:
    """One element as a sum of products: `left[k]` * `right[k]` is `products[k]`, and all of them make `total`.

    `left_at[k]` and `right_at[k]` say where a factor stands: the name of the array as the rule calls it, and the index.
    A local derivative has the name "local"; its index is that of the element of the result that is derived.
    """

    left_at: list[tuple[str, Cell]]
    right_at: list[tuple[str, Cell]]
    left: np.ndarray
    right: np.ndarray
    products: np.ndarray
    total: Any

    def labels(self) -> list[tuple[str, str]]:
        """The places as text: ("x[0, 1]", "g[0, 2]"); a number has no index."""
        return [(_label(*a), _label(*b)) for a, b in zip(self.left_at, self.right_at, strict=True)]


def terms(contribution: Contribution, cell: Cell) -> Terms | None:
    """The terms of the element at `cell` of what is added; None where the record does not tell."""
    if isinstance(contribution.value, tuple):  # what an operation with several results gets
        return None
    for find in (_elementwise, _row_times_column, _probed):
        try:
            factors = find(contribution, cell)
            found = _summed(contribution.value, cell, *factors) if factors is not None else None
        except (TypeError, ValueError, IndexError):  # a record from a file may contradict itself
            found = None
        if found is not None:
            return found
    return None


def _elementwise(contribution: Contribution, cell: Cell) -> Any:
    g: Any = contribution.names.get("g")
    local: Any = contribution.local
    if not (_is_array(g) and _is_array(local)):
        return None
    local = np.broadcast_to(local, g.shape)  # nothing larger: a file can claim g and local of sizes that multiply
    missing = g.ndim - len(cell)
    summed = {*range(missing), *contribution.axes}
    within = [range(n) if k in summed else (cell[k - missing],) for k, n in enumerate(g.shape)]
    places = list(product(*within))
    return [("g", p) for p in places], [(LOCAL, p) for p in places], _at(g, places), _at(local, places)


def _row_times_column(contribution: Contribution, cell: Cell) -> Any:
    match = PRODUCT.fullmatch(contribution.rule)
    if match is None or len(cell) != 2:
        return None
    a, b = ((match[k], match[k + 1]) for k in (1, 3))
    left: Any
    right: Any
    left, right = (contribution.names.get(inner or whole) for whole, inner in (a, b))
    if not all(_is_array(m) and m.ndim == 2 for m in (left, right)):
        return None
    rows, columns = (left.T if a[1] else left), (right.T if b[1] else right)
    i, j = cell
    steps = range(rows.shape[1])
    return (
        [(a[1], (k, i)) if a[1] else (a[0], (i, k)) for k in steps],
        [(b[1], (j, k)) if b[1] else (b[0], (k, j)) for k in steps],
        rows[i],
        columns[:, j],
    )


def _probed(contribution: Contribution, cell: Cell) -> Any:
    probe: Probe | None = next((p for p in contribution.probes if p.cell == cell), None)
    if probe is None or not all(map(_is_array, (probe.at, probe.g, probe.local))):
        return None
    places = [tuple(row) for row in probe.at.tolist()]
    return [("g", p) for p in places], [(LOCAL, p) for p in places], probe.g, probe.local


def _summed(value: Any, cell: Cell, left_at: Any, right_at: Any, left: np.ndarray, right: np.ndarray) -> Terms | None:
    """The terms with their products, if these make the recorded element."""
    element = value.cells.get(cell) if isinstance(value, Summary) else np.asarray(value)[cell]
    if element is None:
        products = left * right
        return Terms(left_at, right_at, left, right, products, np.sum(products))
    if not adds_up(left, right, element):
        return None
    return Terms(left_at, right_at, left, right, _products(left, right, element), element)


def adds_up(left: np.ndarray, right: np.ndarray, element: Any) -> bool:
    """True if the products make the element, as far as their dtypes can tell."""
    products = _products(left, right, element)
    with np.errstate(all="ignore"):
        total = np.sum(products)
        if not (np.isfinite(total) and np.isfinite(element)):
            return bool(np.array_equal(total, element, equal_nan=True))
        kinds = [np.asarray(x).dtype for x in (left, right, element)]
        tolerance = np.sqrt(max(np.finfo(kind if kind.kind in "fc" else float).eps for kind in kinds))
        return bool(np.abs(total - element) <= tolerance * np.sum(np.abs(products)))


def _products(left: np.ndarray, right: np.ndarray, element: Any) -> np.ndarray:
    with np.errstate(all="ignore"):
        products = left * right
        if np.asarray(element).dtype.kind != "c":
            products = np.real(products)
        if np.isfinite(element):
            products = np.where((left == 0) & ~np.isfinite(right), 0, products).astype(products.dtype)
    return products


def _is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray | np.generic)


def _at(array: np.ndarray, places: list[Cell]) -> np.ndarray:
    return np.array([array[p] for p in places], array.dtype)


def _label(name: str, cell: Cell) -> str:
    return f"{name}[{', '.join(map(str, cell))}]" if cell else name
