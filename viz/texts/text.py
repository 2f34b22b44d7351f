"""Words and numbers for people: short, honest, and safe to hand to a writer that escapes.

Text from users (names, file names, code) may hold anything: line breaks that forge a row of output, marks that reverse
the direction of writing, half characters that no file can hold. `clean` leaves printable characters only. Escaping for
one format (XML, DOT) belongs to the writer of that format.
"""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np

from viz.tracing.model import Summary

ELLIPSIS = "…"


def clean(text: str, limit: int = 0) -> str:
    """Text on one line, without control, format or half characters; cut to `limit` characters if given."""
    if not text.isprintable():
        text = "".join([c if c.isprintable() else " " for c in text])
    text = text.strip()
    return text[: limit - 1] + ELLIPSIS if limit and len(text) > limit else text


def number(value: Any, digits: int = 4) -> str:
    """A number with at most `digits` significant digits."""
    if isinstance(value, (bool, np.bool_, numbers.Integral)):
        return str(value)
    return f"{value:.{digits}g}" if value else "0"  # never "-0"


def values(value: Any, digits: int = 4, keep: int = 3, whole: int = 6) -> str:
    """A number or an array: all of it up to `whole` elements, else the first `keep` of the first row."""
    if isinstance(value, tuple | list):
        return "(" + ", ".join([values(part, digits, keep, whole) for part in value]) + ")"
    if value is None or isinstance(value, str):  # what a record keeps as text
        return clean(str(value), 40)
    if isinstance(value, Summary):
        return _leading(value, digits, keep)
    if isinstance(value, slice):
        return ":".join("" if end is None else str(end) for end in _ends(value))
    if value is Ellipsis:
        return "..."
    array = np.asarray(value)
    if array.dtype.kind not in "biufc":
        return clean(str(value), 40)
    return _abbreviated(array, digits, None if array.size <= whole else keep)


def _ends(cut: slice) -> tuple[Any, ...]:
    return (cut.start, cut.stop) if cut.step is None else (cut.start, cut.stop, cut.step)


def _abbreviated(array: np.ndarray, digits: int, keep: int | None) -> str:
    """An array as nested lists; with `keep` only the first row, and so many of its elements."""
    if array.ndim == 0:
        return number(array.item(), digits)
    if array.ndim == 1:
        shown = [number(x, digits) for x in array[:keep].tolist()]
    else:
        shown = [_abbreviated(row, digits, keep) for row in array[: keep and 1]]
    return "[" + ", ".join(shown + [ELLIPSIS] * (len(array) > len(shown))) + "]"


def _leading(value: Summary, digits: int, keep: int) -> str:
    """The first elements of what is summed up, as `_abbreviated` shows those of an array."""
    row = (0,) * (len(value.shape) - 1)
    shown = [number(value.cells[*row, k], digits) for k in range(keep) if (*row, k) in value.cells]
    text = "[" + ", ".join(shown + [ELLIPSIS] * (value.shape[-1] > len(shown))) + "]"
    for length in reversed(value.shape[:-1]):
        text = f"[{text}{', ' + ELLIPSIS if length > 1 else ''}]"
    return text


def fitting(value: Any, limit: int) -> str:
    """`values`, with as many elements as fit. A number is never cut: that would be another number."""
    text = ""
    for keep, whole in ((3, 6), (3, 3), (2, 2), (1, 1)):
        text = values(value, keep=keep, whole=whole)
        if len(text) <= limit:
            break
    return text


def plural(count: int, noun: str) -> str:
    """`1 operation`, `2 operations`."""
    return f"{count} {noun}" + "s" * (count != 1)
